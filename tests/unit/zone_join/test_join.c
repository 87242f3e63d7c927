/* A zone that joins, against a server that answers as the test says. */
#include "zone/join/join.h"

#include "base/clock.h"
#include "base/mem.h"
#include "http/http.h"
#include "loop/loop.h"
#include "pki/authority.h"
#include "pki/tls.h"
#include "pki/token.h"
#include "pki/vault.h"
#include "support/test.h"
#include "support/tmp.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

struct bench {
	struct tmp tmp;
	struct loop *loop;
	struct loop_timer *tick;
	struct pki_vault *vault;
	struct pki_authority *authority, *other;
	struct pki_signer *signer;
	struct http_server *server;
	struct zl_addr addrs[2];
	size_t addr_count;
	struct join *join;
	char *folder, *token_file;
	/* What the server does. */
	unsigned status;                   /* 200: a certificate; else a problem */
	const struct pki_authority *signs; /* NULL: authority */
	const struct pki_authority *says;  /* whose root goes with it; NULL: the same */
	const char *identity;              /* NULL: that of the path */
	bool other_key;
	uint32_t life_s;
	/* What it saw. */
	unsigned asked, by_certificate;
	char token[PKI_TOKEN_MAX];
	unsigned changes;
};

static void answer_certificate(struct bench *bench, struct http_request *req,
			       const char *csr)
{
	const struct pki_authority *signs =
		bench->signs != NULL ? bench->signs : bench->authority;
	const struct pki_authority *says = bench->says != NULL ? bench->says : signs;
	char *identity = zl_format("spiffe://zonelink/zone/%s", http_param(req, "name"));
	const struct pki_grant grant = { bench->identity != NULL ? bench->identity
								 : identity,
					 bench->life_s, false, true };
	struct pki_certificate made;
	struct zl_err err = { 0 };
	char *key = NULL;
	char *own = NULL;

	if (bench->other_key) {
		assert_int_equal(pki_key_new(&key, &err), ZL_OK);
		assert_int_equal(pki_request_new(key, "x", &own, &err), ZL_OK);
	}
	assert_int_equal(pki_sign(signs, own != NULL ? own : csr, &grant, &made, &err),
			 ZL_OK);
	json_t *body = json_pack("{ss ss}", "certificate", made.chain, "ca",
				 pki_authority_root(says));
	char *text = json_dumps(body, 0);
	http_json(req, 200, text);
	free(text);
	json_decref(body);
	pki_certificate_fini(&made);
	free(identity);
	free(key);
	free(own);
}

static void on_join(struct http_request *req, void *arg)
{
	struct bench *bench = arg;
	size_t len;
	json_t *doc = json_loads(http_body(req, &len), 0, NULL);
	const char *token = json_string_value(json_object_get(doc, "token"));

	bench->asked++;
	bench->by_certificate += http_peer(req) != NULL;
	(void)snprintf(bench->token, sizeof(bench->token), "%s",
		       token != NULL ? token : "");
	if (bench->status == 200)
		answer_certificate(bench, req,
				   json_string_value(json_object_get(doc, "csr")));
	else
		http_refuse(req, bench->status, "as the test says");
	json_decref(doc);
}

static const struct http_route ROUTES[] = { { "POST", "/zones/{name}/_join", HTTP_OPEN, 0,
					      on_join } };

static bool anybody(void *arg, const struct http_proof *proof, struct zl_arena *arena,
		    struct http_caller *caller, const char **why)
{
	(void)arg, (void)proof, (void)arena, (void)caller, (void)why;
	return true;
}

/* Let the server prove identity by authority's word. */
static void prove(struct bench *bench, const struct pki_authority *authority,
		  const char *identity)
{
	const struct pki_grant grant = { identity, 3600, true, false };
	struct pki_certificate made = { 0 };
	struct pki_tls *tls;
	struct zl_err err = { 0 };
	char *key = NULL;
	char *request = NULL;

	if (pki_key_new(&key, &err) != ZL_OK ||
	    pki_request_new(key, identity, &request, &err) != ZL_OK ||
	    pki_sign(authority, request, &grant, &made, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	const struct pki_tls_setup setting = { .server = true,
					       .chain = made.chain,
					       .key = key,
					       .roots = pki_authority_root(authority),
					       .peer = PKI_PEER_OPTIONAL };
	assert_int_equal(pki_tls_new(&tls, &setting, &err), ZL_OK);
	http_set_tls(bench->server, tls);
	pki_tls_drop(&tls);
	pki_certificate_fini(&made);
	free(request);
	free(key);
}

static void on_tick(void *arg)
{
	const struct bench *bench = arg;

	loop_stop(bench->loop);
}

#define UNTIL(condition)                                                 \
	do {                                                             \
		uint64_t end = zl_now_ms() + PATIENCE_MS;                \
		while (!(condition)) {                                   \
			if (zl_now_ms() > end)                           \
				fail_msg("not in time: %s", #condition); \
			loop_timer_set(bench->tick, 5);                  \
			loop_run(bench->loop);                           \
		}                                                        \
	} while (0)

static void on_changed(void *owner, struct pki_tls *tls)
{
	struct bench *bench = owner;

	assert_non_null(tls);
	bench->changes++;
}

static int setup(void **state)
{
	struct bench *bench = zl_alloc(1, sizeof(*bench));
	const struct http_options options = {
		.routes = ROUTES, .count = 1, .arg = bench, .authorize = anybody
	};
	struct zl_err err = { 0 };

	bench->status = 200;
	bench->life_s = 3600;
	tmp_make(&bench->tmp);
	bench->folder = zl_strdup(tmp_path(&bench->tmp, "pki"));
	bench->token_file = zl_strdup(tmp_path(&bench->tmp, "token"));
	bench->addrs[0] = (struct zl_addr){ .host = "127.0.0.1" };
	bench->addr_count = 1;
	if (loop_open(&bench->loop, &err) != ZL_OK ||
	    pki_vault_open(&bench->vault, tmp_path(&bench->tmp, "key"), true, &err) !=
		    ZL_OK ||
	    pki_authority_open(&bench->authority, tmp_path(&bench->tmp, "ca"), "ca", NULL,
			       &err) != ZL_OK ||
	    pki_authority_open(&bench->other, tmp_path(&bench->tmp, "other"), "other",
			       NULL, &err) != ZL_OK ||
	    pki_signer_open(&bench->signer, tmp_path(&bench->tmp, "joins"), NULL, &err) !=
		    ZL_OK ||
	    http_open(&bench->server, bench->loop, &options, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	bench->tick = loop_timer_new(bench->loop, on_tick, bench);
	prove(bench, bench->authority, "spiffe://zonelink/global");
	assert_int_equal(http_listen(bench->server, &bench->addrs[0], &err), ZL_OK);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	join_close(&bench->join);
	http_close(&bench->server);
	pki_signer_close(&bench->signer);
	pki_authority_close(&bench->authority);
	pki_authority_close(&bench->other);
	pki_vault_close(&bench->vault);
	loop_timer_free(&bench->tick);
	loop_close(&bench->loop);
	tmp_remove(&bench->tmp);
	free(bench->folder);
	free(bench->token_file);
	free(bench);
	return 0;
}

static void give_token(const struct bench *bench, const char *zone,
		       const struct pki_authority *authority)
{
	char fingerprint[PKI_FINGERPRINT];
	uint64_t now = zl_wall_us() / 1000000;
	struct pki_claims claims = { .kind = PKI_TOKEN_JOIN,
				     .id = "",
				     .zone = zone,
				     .mesh = "",
				     .name = "",
				     .service = "",
				     .proxy = "",
				     .role = "",
				     .ca = fingerprint,
				     .issued_s = now,
				     .expires_s = now + 60 };
	char id[PKI_TOKEN_ID];
	struct zl_err err = { 0 };
	char *text;

	assert_int_equal(
		pki_fingerprint(pki_authority_root(authority), fingerprint, &err), ZL_OK);
	assert_int_equal(pki_token_sign(bench->signer, &claims, &text, id, &err), ZL_OK);
	char *line = zl_format("%s\n", text);
	assert_int_equal(pki_file_write(bench->token_file, line, strlen(line), &err),
			 ZL_OK);
	free(line);
	free(text);
}

static enum zl_code start(struct bench *bench, const char *zone, struct zl_err *err)
{
	const struct join_setup setting = { .loop = bench->loop,
					    .folder = bench->folder,
					    .vault = bench->vault,
					    .zone = zone,
					    .api = bench->addrs,
					    .api_count = bench->addr_count,
					    .token_file = bench->token_file,
					    .changed = on_changed,
					    .owner = bench };

	return join_open(&bench->join, &setting, err);
}

static void start_east(struct bench *bench)
{
	struct zl_err err = { 0 };

	if (start(bench, "east", &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static bool is(const struct bench *bench, const char *state)
{
	return strcmp(join_view(bench->join).state, state) == 0;
}

static bool complains(const struct bench *bench, const char *of)
{
	return strstr(join_view(bench->join).error, of) != NULL;
}

static void it_joins_and_remembers(void **state)
{
	struct bench *bench = *state;

	give_token(bench, "east", bench->authority);
	start_east(bench);
	assert_null(join_tls(bench->join));
	assert_true(is(bench, "joining"));
	UNTIL(bench->changes == 1);
	assert_true(is(bench, "joined"));
	assert_non_null(join_tls(bench->join));
	assert_int_equal(bench->by_certificate, 0);
	assert_string_equal(join_view(bench->join).error, "");

	join_close(&bench->join);
	assert_int_equal(unlink(bench->token_file), 0);
	start_east(bench);
	assert_true(is(bench, "joined"));
	assert_non_null(join_tls(bench->join));
}

static void without_a_token_it_waits_for_one(void **state)
{
	struct bench *bench = *state;

	start_east(bench);
	UNTIL(complains(bench, "global.token_file"));
	give_token(bench, "east", bench->authority);
	UNTIL(is(bench, "joined"));
}

/* What is left of a token that could not be made. */
static void an_empty_token_is_none(void **state)
{
	struct bench *bench = *state;
	struct zl_err err = { 0 };

	assert_int_equal(pki_file_write(bench->token_file, "\n", 1, &err), ZL_OK);
	start_east(bench);
	UNTIL(complains(bench, "is empty"));
	give_token(bench, "east", bench->authority);
	UNTIL(is(bench, "joined"));
}

/* A token says who global is: nobody else gets to see it. */
static void an_impostor_gets_no_token(void **state)
{
	struct bench *bench = *state;

	prove(bench, bench->other, "spiffe://zonelink/global");
	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(complains(bench, "cannot join yet"));
	prove(bench, bench->authority, "spiffe://zonelink/zone/west");
	join_close(&bench->join);
	start_east(bench);
	UNTIL(complains(bench, "the certificate is another's"));
	assert_int_equal(bench->asked, 0);
	prove(bench, bench->authority, "spiffe://zonelink/global");
	UNTIL(is(bench, "joined"));
}

static void a_no_is_final_for_that_token(void **state)
{
	struct bench *bench = *state;

	bench->status = 409;
	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(complains(bench, "409: as the test says"));
	bench->status = 200;
	uint64_t later = zl_now_ms() + 2500; /* longer than it takes to look again */
	UNTIL(zl_now_ms() > later);
	assert_int_equal(bench->asked, 1);
	give_token(bench, "east", bench->authority);
	UNTIL(is(bench, "joined"));
	assert_int_equal(bench->asked, 2);
}

static void another_zones_token_is_not_shown(void **state)
{
	struct bench *bench = *state;

	give_token(bench, "west", bench->authority);
	start_east(bench);
	UNTIL(complains(bench, "the token is for zone west"));
	assert_int_equal(bench->asked, 0);
}

static void trouble_is_tried_again(void **state)
{
	struct bench *bench = *state;

	bench->status = 503;
	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(bench->asked >= 2);
	bench->status = 200;
	UNTIL(is(bench, "joined"));
}

static void the_next_address_is_asked(void **state)
{
	struct bench *bench = *state;

	bench->addrs[1] = bench->addrs[0];
	bench->addrs[0] = (struct zl_addr){ .host = "127.0.0.1", .port = 1 };
	bench->addr_count = 2;
	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(is(bench, "joined"));
}

static void wrong_answers_are_not_kept(void **state)
{
	struct bench *bench = *state;

	give_token(bench, "east", bench->authority);
	bench->signs = bench->other;
	start_east(bench);
	UNTIL(complains(bench, "its authority is not the one we trust"));
	bench->signs = NULL;
	bench->identity = "spiffe://zonelink/zone/west";
	UNTIL(complains(bench, "the certificate is for spiffe://zonelink/zone/west"));
	bench->identity = NULL;
	bench->other_key = true;
	UNTIL(complains(bench, "not for the key that was asked for"));
	assert_int_equal(bench->changes, 0);
	assert_int_equal(access(tmp_path(&bench->tmp, "pki/zone.crt"), F_OK), -1);
	bench->other_key = false;
	UNTIL(is(bench, "joined"));
}

static void it_renews_with_another_key(void **state)
{
	struct bench *bench = *state;
	char serial[PKI_SERIAL];

	bench->life_s = 9; /* on a slow machine too there is time left after 6 s */
	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(is(bench, "joined"));
	(void)snprintf(serial, sizeof(serial), "%s", join_view(bench->join).serial);
	bench->life_s = 3600;
	UNTIL(bench->changes == 2);
	assert_string_not_equal(join_view(bench->join).serial, serial);
	assert_int_equal(bench->by_certificate, 1);
	assert_string_equal(bench->token, "");
}

static void a_revoked_zone_says_so_and_joins_anew(void **state)
{
	struct bench *bench = *state;

	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(is(bench, "joined"));
	bench->status = 403;
	join_link(bench->join, true);
	join_link(bench->join, false);
	UNTIL(is(bench, "refused") && bench->asked >= 3); /* by certificate, by token */
	bench->status = 200;
	give_token(bench, "east", bench->authority);
	UNTIL(is(bench, "joined"));
}

static void an_expired_one_needs_a_token(void **state)
{
	struct bench *bench = *state;

	bench->life_s = 2;
	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(is(bench, "joined"));
	bench->status = 503;
	assert_int_equal(unlink(bench->token_file), 0);
	UNTIL(is(bench, "expired"));
	bench->status = 200;
	bench->life_s = 3600;
	give_token(bench, "east", bench->authority);
	UNTIL(is(bench, "joined"));
}

static void settings_that_cannot_work_are_told(void **state)
{
	struct bench *bench = *state;
	struct zl_err err = { 0 };

	bench->addr_count = 0;
	assert_int_equal(start(bench, "east", &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "global.api is not set"));
	bench->addr_count = 1;
	bench->addrs[1] = bench->addrs[0];
	bench->addrs[0] = (struct zl_addr){ .is_unix = true, .host = "/x" };
	assert_int_equal(start(bench, "east", &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "a unix socket has no TLS"));
	bench->addrs[0] = bench->addrs[1];

	give_token(bench, "east", bench->authority);
	start_east(bench);
	UNTIL(is(bench, "joined"));
	join_close(&bench->join);
	assert_int_equal(start(bench, "west", &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "zone/east, but zone.name is west"));
	assert_null(bench->join);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_joins_and_remembers),
		TEST(without_a_token_it_waits_for_one),
		TEST(an_empty_token_is_none),
		TEST(an_impostor_gets_no_token),
		TEST(a_no_is_final_for_that_token),
		TEST(another_zones_token_is_not_shown),
		TEST(trouble_is_tried_again),
		TEST(the_next_address_is_asked),
		TEST(wrong_answers_are_not_kept),
		TEST(it_renews_with_another_key),
		TEST(a_revoked_zone_says_so_and_joins_anew),
		TEST(an_expired_one_needs_a_token),
		TEST(settings_that_cannot_work_are_told),
	};
	return cmocka_run_group_tests_name("zone/join", tests, NULL, NULL);
}
