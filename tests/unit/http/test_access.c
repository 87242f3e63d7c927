/* Who may call which route. */
#include "served.h"

/* Tokens are the words of roles; a certificate's URI is the zone's name. */
static bool by_word(void *arg, const struct http_proof *proof, struct zl_arena *arena,
		    struct http_caller *caller, const char **why)
{
	const bool *local_is_admin = arg;
	const char *token = proof->token;

	(void)arena;
	*why = "not one of ours";
	if (token == NULL && proof->is_local && *local_is_admin)
		*caller = (struct http_caller){ HTTP_LOCAL, HTTP_ADMIN, "" };
	if (token == NULL)
		return true;
	if (strcmp(token, "viewer") == 0)
		*caller = (struct http_caller){ HTTP_USER, HTTP_VIEW, "ann" };
	else if (strcmp(token, "operator") == 0)
		*caller = (struct http_caller){ HTTP_USER, HTTP_OPERATE, "bob" };
	else if (strcmp(token, "admin") == 0)
		*caller = (struct http_caller){ HTTP_USER, HTTP_ADMIN, "cy" };
	else
		return false;
	return true;
}

static bool yes = true, no = false;

static int setup_local_admin(void **state)
{
	return setup_with(
		state, &(struct http_options){ .authorize = by_word, .auth_arg = &yes });
}

static int setup_strict(void **state)
{
	return setup_with(
		state, &(struct http_options){ .authorize = by_word, .auth_arg = &no });
}

static unsigned get(struct peer *peer, const char *path, const char *header)
{
	char *text =
		zl_format("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, header);

	say(peer, text);
	free(text);
	return answer(peer);
}

static void a_role_opens_its_routes_and_those_below(void **state)
{
	/* clang-format off */
	static const struct {
		const char *header;
		unsigned open, view, operate, admin;
	} CASES[] = {
		{ "",                                         200, 401, 401, 401 },
		{ "Authorization: Bearer viewer\r\n",         200, 200, 403, 403 },
		{ "Authorization: Bearer operator\r\n",       200, 200, 200, 403 },
		{ "Authorization: Bearer admin\r\n",          200, 200, 200, 200 },
		{ "authorization: bearer   admin\r\n",        200, 200, 200, 200 },
		{ "Authorization: Bearer nonsense\r\n",       200, 401, 401, 401 },
		{ "Authorization: Bearer\r\n",                200, 401, 401, 401 },
		{ "Authorization: Basic YWRtaW46eA==\r\n",    200, 401, 401, 401 },
		{ "Authorization: Bearer admin\r\n"
		  "Authorization: Bearer viewer\r\n",         200, 401, 401, 401 },
	};
	/* clang-format on */
	struct peer peer;

	dial(&peer, *state);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		assert_int_equal(get(&peer, "/who/open", CASES[i].header), CASES[i].open);
		assert_int_equal(get(&peer, "/who/view", CASES[i].header), CASES[i].view);
		assert_int_equal(get(&peer, "/who/operate", CASES[i].header),
				 CASES[i].operate);
		assert_int_equal(get(&peer, "/who/admin", CASES[i].header),
				 CASES[i].admin);
		/* a route that names no level is for admins */
		assert_int_equal(get(&peer, "/who/unsaid", CASES[i].header),
				 CASES[i].admin);
	}
	hang_up(&peer);
}

static void handlers_know_who_calls(void **state)
{
	struct peer peer;

	dial(&peer, *state);
	(void)get(&peer, "/who/view", "Authorization: Bearer operator\r\n");
	assert_string_equal(peer.body, "user/bob|operator|-");
	(void)get(&peer, "/who/open", "Authorization: Bearer nonsense\r\n");
	assert_string_equal(peer.body, "nobody|nonsense|-");
	(void)get(&peer, "/who/open", "");
	assert_string_equal(peer.body, "nobody|-|-");
	hang_up(&peer);
}

static void refusals_say_little_and_are_counted(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	assert_int_equal(get(&peer, "/who/view", ""), 401);
	assert_non_null(strstr(peer.head, "\r\nWWW-Authenticate: Bearer\r\n"));
	assert_non_null(strstr(peer.head, "application/problem+json"));
	assert_int_equal(atomic_load(&fix->denied[HTTP_NO_CREDENTIALS]), 1);

	assert_int_equal(get(&peer, "/who/view", "Authorization: Bearer x\r\n"), 401);
	assert_non_null(strstr(peer.head, "Bearer error=\"invalid_token\""));
	assert_non_null(strstr(peer.body, "the token is not accepted"));
	assert_null(strstr(peer.body, "not one of ours")); /* that is for the log */
	assert_int_equal(atomic_load(&fix->denied[HTTP_BAD_TOKEN]), 1);

	assert_int_equal(get(&peer, "/who/admin", "Authorization: Bearer viewer\r\n"),
			 403);
	assert_non_null(strstr(peer.body, "this takes the role admin"));
	assert_int_equal(atomic_load(&fix->denied[HTTP_ROLE_TOO_LOW]), 1);
	assert_int_equal(get(&peer, "/nowhere", ""), 404);
	assert_int_equal(atomic_load(&fix->denied[HTTP_NO_CREDENTIALS]), 1);
	hang_up(&peer);
}

/* Who may not is told so before the body is read. */
static void a_stranger_sends_no_body(void **state)
{
	struct peer peer;

	dial(&peer, *state);
	say(&peer, "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
	assert_int_equal(answer(&peer), 401);
	expect_end(&peer);
	hang_up(&peer);
}

static void who_is_local_is_admin(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	assert_int_equal(get(&peer, "/who/admin", ""), 200);
	assert_string_equal(peer.body, "local|-|-");
	/* who shows a token wants to be what it says */
	assert_int_equal(get(&peer, "/who/admin", "Authorization: Bearer viewer\r\n"),
			 403);
	assert_int_equal(get(&peer, "/who/view", "Authorization: Bearer x\r\n"), 401);
	hang_up(&peer);

	dial_tcp(&peer, fix, NULL);
	assert_int_equal(get(&peer, "/who/admin", ""), 200);
	hang_up(&peer);
}

static void strangers_need_tls_and_somebody_to_judge(void **state)
{
	struct fixture *fix = *state;
	struct zl_addr all = { .host = "0.0.0.0" };
	struct zl_err err = { 0 };

	tell(fix, QUIT); /* the server is this thread's now */
	pthread_join(fix->thread, NULL);
	const struct http_options options = { .routes = ROUTES, .count = 1 };
	assert_int_equal(http_open(&fix->server, fix->loop, &options, &err), ZL_OK);
	assert_int_equal(http_listen(fix->server, &all, &err), ZL_EACCES);
	assert_non_null(strstr(err.msg, "0.0.0.0:0"));
	assert_int_equal(pthread_create(&fix->thread, NULL, run, fix), 0);
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_role_opens_its_routes_and_those_below, setup_strict),
		TEST(handlers_know_who_calls, setup_strict),
		TEST(refusals_say_little_and_are_counted, setup_strict),
		TEST(a_stranger_sends_no_body, setup_strict),
		TEST(who_is_local_is_admin, setup_local_admin),
		TEST(strangers_need_tls_and_somebody_to_judge, setup),
	};
	return cmocka_run_group_tests_name("http/access", tests, NULL, NULL);
}
