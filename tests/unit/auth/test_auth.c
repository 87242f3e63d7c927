/* User tokens from their making to their end, over a real server and a real store. */
#include "auth/auth.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "model/read.h"
#include "pki/token.h"
#include "support/test.h"
#include "support/tmp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct letter {
	struct store_result *results; /* owned; NULL: end */
};

struct fixture {
	struct tmp tmp;
	struct loop *loop;
	struct http_server *server;
	struct store *store;
	struct mailbox *box;
	struct loop_watch *watch;
	struct pki_signer *signer;
	struct auth *auth;
	struct zl_addr addr;
	bool local_is_admin, without_signer;
	pthread_t thread;
	/* what the client got */
	struct zl_arena *arena;
	char answer[8192];
	struct tree *json;
};

/* ---- the server ---- */

static void token_new(struct http_request *req, void *arg)
{
	struct fixture *fix = arg;

	auth_token_new(fix->auth, req);
}

static void token_revoke(struct http_request *req, void *arg)
{
	struct fixture *fix = arg;

	auth_token_revoke(fix->auth, req);
}

static void who(struct http_request *req, void *arg)
{
	(void)arg;
	http_text(req, 200, http_caller_text(req));
}

static const struct http_route ROUTES[] = {
	{ "POST", "/_tokens/user", HTTP_ADMIN, 0, token_new },
	{ "POST", "/_tokens/_revoke", HTTP_ADMIN, 0, token_revoke },
	{ "GET", "/view", HTTP_VIEW, 0, who },
	{ "GET", "/operate", HTTP_OPERATE, 0, who },
};

static void on_letter(void *arg, unsigned events)
{
	struct fixture *fix = arg;
	struct letter letter;

	(void)events;
	while (mailbox_take(fix->box, &letter)) {
		if (letter.results == NULL)
			loop_stop(fix->loop);
		for (struct store_result *r = letter.results; r != NULL; r = r->next)
			assert_true(auth_result(fix->auth, r));
		store_results_free(&letter.results);
	}
}

static void on_done(void *ctx, struct store_result *results)
{
	struct fixture *fix = ctx;

	assert_true(mailbox_post(fix->box, &(struct letter){ results }));
}

static void *run(void *arg)
{
	struct fixture *fix = arg;

	loop_run(fix->loop);
	return NULL;
}

static void start(struct fixture *fix)
{
	struct zl_err err = { 0 };
	struct zl_buf path = { 0 };
	const struct store_options options = { .done = on_done, .ctx = fix };
	struct http_options http = { .routes = ROUTES,
				     .count = ARRAY_LEN(ROUTES),
				     .arg = fix,
				     .authorize = auth_authorize };

	zl_buf_format(&path, "unix:%s", tmp_path(&fix->tmp, "api"));
	if (loop_open(&fix->loop, &err) != ZL_OK ||
	    mailbox_open(&fix->box, sizeof(struct letter), 64, &err) != ZL_OK ||
	    loop_watch_new(&fix->watch, fix->loop, mailbox_fd(fix->box), LOOP_READ,
			   on_letter, fix, &err) != ZL_OK ||
	    store_open(&fix->store, tmp_path(&fix->tmp, "store"), &options, &err) !=
		    ZL_OK ||
	    pki_signer_open(&fix->signer, tmp_path(&fix->tmp, "users.key"), NULL, &err) !=
		    ZL_OK)
		fail_msg("%s", err.msg);
	const struct auth_setup setup = { .store = fix->store,
					  .signer = fix->without_signer ? NULL
									: fix->signer,
					  .local_is_admin = fix->local_is_admin };
	if (auth_open(&fix->auth, &setup, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	http.auth_arg = fix->auth;
	if (http_open(&fix->server, fix->loop, &http, &err) != ZL_OK ||
	    zl_addr_parse(path.data, &fix->addr, &err) != ZL_OK ||
	    http_listen(fix->server, &fix->addr, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	zl_buf_free(&path);
	assert_int_equal(pthread_create(&fix->thread, NULL, run, fix), 0);
}

static void stop(struct fixture *fix)
{
	assert_true(mailbox_post(fix->box, &(struct letter){ NULL }));
	pthread_join(fix->thread, NULL);
	http_close(&fix->server);
	auth_close(&fix->auth);
	pki_signer_close(&fix->signer);
	store_close(&fix->store);
	loop_watch_free(&fix->watch);
	mailbox_close(&fix->box);
	loop_close(&fix->loop);
}

static int setup_as(void **state, bool local_is_admin, bool without_signer)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));

	tmp_make(&fix->tmp);
	fix->arena = zl_arena_new();
	fix->local_is_admin = local_is_admin;
	fix->without_signer = without_signer;
	start(fix);
	*state = fix;
	return 0;
}

static int setup(void **state)
{
	return setup_as(state, true, false);
}

static int setup_unsigned(void **state)
{
	return setup_as(state, true, true);
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	stop(fix);
	tmp_remove(&fix->tmp);
	zl_arena_free(&fix->arena);
	free(fix);
	return 0;
}

/* ---- a client ---- */

/* One request on a connection of its own; its status. token may be NULL. */
static unsigned ask(struct fixture *fix, const char *line, const char *token,
		    const char *body)
{
	const struct timeval patience = { .tv_sec = 20 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct zl_buf text = { 0 };
	size_t got = 0;
	ssize_t len;

	memcpy(sun.sun_path, fix->addr.host, strlen(fix->addr.host) + 1);
	assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	zl_buf_format(&text, "%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", line);
	if (token != NULL)
		zl_buf_format(&text, "Authorization: Bearer %s\r\n", token);
	zl_buf_format(&text, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	assert_int_equal(send(fd, text.data, text.len, 0), text.len);
	zl_buf_free(&text);
	while ((len = recv(fd, fix->answer + got, sizeof(fix->answer) - 1 - got, 0)) > 0)
		got += (size_t)len;
	assert_int_equal(len, 0);
	fix->answer[got] = '\0';
	close(fd);
	const char *json = strstr(fix->answer, "\r\n\r\n");
	assert_non_null(json);
	fix->json = NULL;
	if (json[4] == '{')
		assert_int_equal(read_json(json + 4, strlen(json + 4), fix->arena,
					   &fix->json, NULL),
				 ZL_OK);
	return (unsigned)strtoul(fix->answer + 9, NULL, 10);
}

static const char *text(const struct fixture *fix, const char *name)
{
	const struct tree *found = tree_get(fix->json, name);

	assert_non_null(found);
	return found->text;
}

/* The token; *id is in the arena. */
static const char *make(struct fixture *fix, const char *name, const char *role,
			const char **id)
{
	char body[256];

	(void)snprintf(body, sizeof(body),
		       "{\"name\":\"%s\",\"role\":\"%s\",\"ttl\":\"24h\"}", name, role);
	assert_int_equal(ask(fix, "POST /_tokens/user", NULL, body), 201);
	*id = text(fix, "id");
	return text(fix, "token");
}

static void take_back(struct fixture *fix, const char *id)
{
	char body[128];

	(void)snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	assert_int_equal(ask(fix, "POST /_tokens/_revoke", NULL, body), 200);
}

/* ---- tests ---- */

static void a_token_gives_its_role(void **state)
{
	struct fixture *fix = *state;
	const char *id;
	const char *viewer = make(fix, "ann", "viewer", &id);

	assert_int_equal(strlen(id), 32);
	assert_non_null(strstr(fix->answer, "Cache-Control: no-store"));
	assert_string_equal(text(fix, "name"), "ann");
	assert_string_equal(text(fix, "role"), "viewer");
	assert_int_equal(strlen(text(fix, "expires")), ZL_TIME_TEXT - 1);
	const char *worker = make(fix, "bob", "operator", &id);
	const char *admin = make(fix, "cy@example", "admin", &id);

	assert_int_equal(ask(fix, "GET /view", viewer, ""), 200);
	assert_non_null(strstr(fix->answer, "user/ann"));
	assert_int_equal(ask(fix, "GET /operate", viewer, ""), 403);
	assert_int_equal(ask(fix, "GET /operate", worker, ""), 200);
	assert_int_equal(ask(fix, "POST /_tokens/user", worker, "{}"), 403);
	assert_int_equal(ask(fix, "POST /_tokens/user", admin,
			     "{name: dan, role: viewer, ttl: 1m}"),
			 201);
}

static void only_good_tokens_count(void **state)
{
	struct fixture *fix = *state;
	const char *id;
	char *bent = zl_strdup(make(fix, "ann", "admin", &id));
	struct pki_claims claims = { .kind = PKI_TOKEN_USER,
				     .id = "",
				     .zone = "",
				     .mesh = "",
				     .name = "eve",
				     .service = "",
				     .proxy = "",
				     .role = "root",
				     .ca = "",
				     .issued_s = zl_wall_us() / 1000000 - 7200,
				     .expires_s = zl_wall_us() / 1000000 + 3600 };
	char *token;

	char *dot = strchr(bent, '.');
	dot[1] = dot[1] == 'x' ? 'y' : 'x';
	assert_int_equal(ask(fix, "GET /view", bent, ""), 401);
	free(bent);
	assert_int_equal(pki_token_sign(fix->signer, &claims, &token, NULL, NULL), ZL_OK);
	assert_int_equal(ask(fix, "GET /view", token, ""), 401); /* no such role */
	free(token);
	claims.role = "viewer";
	claims.expires_s = claims.issued_s + 60;
	assert_int_equal(pki_token_sign(fix->signer, &claims, &token, NULL, NULL), ZL_OK);
	assert_int_equal(ask(fix, "GET /view", token, ""), 401); /* over */
	free(token);
	claims.kind = PKI_TOKEN_DATAPLANE;
	claims.expires_s = claims.issued_s + 36000;
	assert_int_equal(pki_token_sign(fix->signer, &claims, &token, NULL, NULL), ZL_OK);
	assert_int_equal(ask(fix, "GET /view", token, ""), 401); /* of another kind */
	free(token);
}

static void what_is_taken_back_stays_so(void **state)
{
	struct fixture *fix = *state;
	const char *id, *other_id;
	const char *token = make(fix, "ann", "viewer", &id);
	const char *other = make(fix, "ann", "viewer", &other_id);

	assert_int_equal(ask(fix, "GET /view", token, ""), 200);
	take_back(fix, id);
	assert_string_equal(text(fix, "id"), id);
	assert_int_equal(ask(fix, "GET /view", token, ""), 401);
	assert_null(strstr(fix->answer, "revoked")); /* that is for the log */
	assert_int_equal(ask(fix, "GET /view", other, ""), 200);
	take_back(fix, id); /* again: nothing new */
	assert_true(auth_is_revoked(fix->auth, id));

	for (int i = 0; i < 20; i++) { /* others before and behind it */
		char some[PKI_TOKEN_ID];
		(void)snprintf(some, sizeof(some), "%032llx",
			       0x9e3779b97f4a7c15ULL * (unsigned)i);
		memmove(some, some + 16, 16);
		take_back(fix, some);
		assert_true(auth_is_revoked(fix->auth, some));
	}
	stop(fix);
	start(fix);
	assert_true(auth_is_revoked(fix->auth, id));
	assert_false(auth_is_revoked(fix->auth, other_id));
	assert_int_equal(ask(fix, "GET /view", token, ""), 401);
	assert_int_equal(ask(fix, "GET /view", other, ""), 200);
}

static void bodies_are_checked(void **state)
{
	/* clang-format off */
	static const struct {
		const char *path, *body, *field;
	} CASES[] = {
		{ "user", "{\"role\":\"viewer\",\"ttl\":\"1h\"}", "name" },
		{ "user", "{\"name\":\"\",\"role\":\"viewer\",\"ttl\":\"1h\"}", "name" },
		{ "user", "{\"name\":\"a/b\",\"role\":\"viewer\",\"ttl\":\"1h\"}", "name" },
		{ "user", "{\"name\":7,\"role\":\"viewer\",\"ttl\":\"1h\"}", "name" },
		{ "user", "{\"name\":\"a\",\"role\":\"root\",\"ttl\":\"1h\"}", "role" },
		{ "user", "{\"name\":\"a\",\"role\":\"viewer\"}", "ttl" },
		{ "user", "{\"name\":\"a\",\"role\":\"viewer\",\"ttl\":\"59s\"}", "ttl" },
		{ "user", "{\"name\":\"a\",\"role\":\"viewer\",\"ttl\":\"367d\"}", "ttl" },
		{ "user", "{\"name\":\"a\",\"role\":\"viewer\",\"ttl\":\"1h\",\"x\":1}", "x" },
		{ "user", "[]", "" },
		{ "_revoke", "{}", "id" },
		{ "_revoke", "{\"id\":\"0123\"}", "id" },
		{ "_revoke", "{\"id\":\"0123456789ABCDEF0123456789abcdef\"}", "id" },
		{ "_revoke", "{\"id\":\"0123456789abcdef0123456789abcdef\",\"y\":1}", "y" },
	};
	/* clang-format on */
	struct fixture *fix = *state;
	char line[64], want[64];

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		(void)snprintf(line, sizeof(line), "POST /_tokens/%s", CASES[i].path);
		(void)snprintf(want, sizeof(want), "\"field\":\"%s\"", CASES[i].field);
		assert_int_equal(ask(fix, line, NULL, CASES[i].body), 400);
		if (strstr(fix->answer, want) == NULL)
			fail_msg("%s: %s", CASES[i].body, fix->answer);
	}
}

static void without_a_key_there_are_none(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(
		ask(fix, "POST /_tokens/user", NULL, "{name: a, role: viewer, ttl: 1h}"),
		409);
	assert_int_equal(ask(fix, "GET /view", "a.b.c", ""), 401);
	assert_int_equal(ask(fix, "GET /view", NULL, ""), 200);
}

static void lifetimes(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		uint64_t seconds; /* 0: none */
	} CASES[] = {
		{ "60s", 60 }, { "1m", 60 }, { "24h", 86400 }, { "7d", 604800 },
		{ "366d", 31622400 }, { "59s", 0 }, { "367d", 0 }, { "", 0 }, { "60", 0 },
		{ "h", 0 }, { "1 h", 0 }, { "1hh", 0 }, { "-1h", 0 }, { "999999999s", 0 },
	};
	/* clang-format on */
	uint64_t seconds;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		bool ok = auth_lifetime(CASES[i].text, &seconds);
		assert_int_equal(ok, CASES[i].seconds != 0);
		if (ok)
			assert_int_equal(seconds, CASES[i].seconds);
	}
}

/* The owner's answer to each sort of proof. */
static void who_is_who(void **state)
{
	struct fixture *fix = *state;
	struct zl_arena *arena = zl_arena_new();
	struct http_caller caller = { HTTP_NOBODY, HTTP_OPEN, "" };
	const char *why = NULL;
	struct http_proof proof = { .is_local = true };

	assert_true(auth_authorize(fix->auth, &proof, arena, &caller, &why));
	assert_int_equal(caller.kind, HTTP_LOCAL);
	assert_int_equal(caller.role, HTTP_ADMIN);

	stop(fix);
	fix->local_is_admin = false;
	start(fix);
	caller = (struct http_caller){ HTTP_NOBODY, HTTP_OPEN, "" };
	assert_true(auth_authorize(fix->auth, &proof, arena, &caller, &why));
	assert_int_equal(caller.kind, HTTP_NOBODY);
	assert_int_equal(ask(fix, "GET /view", NULL, ""), 401);

	proof = (struct http_proof){ .identity = "spiffe://zonelink/zone/east" };
	assert_true(auth_authorize(fix->auth, &proof, arena, &caller, &why));
	assert_int_equal(caller.kind, HTTP_ZONE);
	assert_int_equal(caller.role, HTTP_OPEN);
	assert_string_equal(caller.name, "east");
	caller = (struct http_caller){ HTTP_NOBODY, HTTP_OPEN, "" };
	proof.identity = "spiffe://zonelink/global";
	assert_true(auth_authorize(fix->auth, &proof, arena, &caller, &why));
	assert_int_equal(caller.kind, HTTP_NOBODY);
	proof.token = "a.b.c"; /* a certificate does not make up for a bad token */
	assert_false(auth_authorize(fix->auth, &proof, arena, &caller, &why));
	assert_non_null(why);
	zl_arena_free(&arena);
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_token_gives_its_role, setup),
		TEST(only_good_tokens_count, setup),
		TEST(what_is_taken_back_stays_so, setup),
		TEST(bodies_are_checked, setup),
		TEST(without_a_key_there_are_none, setup_unsigned),
		TEST(who_is_who, setup),
		cmocka_unit_test(lifetimes),
	};
	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
