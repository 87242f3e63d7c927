/* Contents of Secrets between the two machines. */
#include "pair.h"

#include <string.h>

static const struct sync_secret CERT = { "default", "cert", "v1" };
static const struct sync_secret KEY = { "default", "key", "v1" };
static const struct sync_secret THEIRS = { "theirs", "cert", "v1" };

static struct node *live_zone(struct pair *pair)
{
	pair_init(pair);
	pair->secret = "content";
	struct node *node = pair_zone(pair, 0, "east", 1, 1, 11);
	pair_pass(pair, 1100);
	assert_int_equal(zone_state(node), SYNC_LIVE);
	return node;
}

static void want(struct node *node, const struct sync_secret *secrets, size_t count)
{
	zone_event(node, (struct sync_zone_event){ .kind = SYNC_EV_WANT,
						   .secrets = secrets,
						   .secret_count = count });
}

static void what_is_wanted_comes_once(void **state)
{
	const struct sync_secret both[] = { CERT, KEY };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	want(node, both, 2);
	assert_int_equal(node->secrets, 2);
	assert_string_equal(node->secret, "key=content");
	assert_string_equal(pair.secret_zone, "east");
	unsigned sends = node->sends;
	pair_pass(&pair, 4000); /* a lease or none, but no question about a Secret */
	assert_true(node->sends <= sends + 1);
	assert_int_equal(node->secrets, 2);
	pair_fini(&pair);
}

static void an_empty_content_is_one(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.secret = "";
	want(node, &CERT, 1);
	assert_int_equal(node->secrets, 1);
	assert_string_equal(node->secret, "cert=");
	pair_fini(&pair);
}

static void what_is_not_there_is_asked_for_again(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.secret = NULL;
	want(node, &CERT, 1);
	assert_int_equal(node->secrets_refused, 1);
	assert_string_equal(node->secret, "cert=not here");
	pair.secret = "late";
	pair_pass(&pair, 5000);
	assert_string_equal(node->secret, "cert=late");
	assert_int_equal(node->secrets, 1);
	pair_fini(&pair);
}

static void one_that_is_refused_does_not_hold_up_the_next(void **state)
{
	const struct sync_secret both[] = { THEIRS, CERT };
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	want(node, both, 2);
	assert_non_null(strstr(pair.said, "theirs/cert"));
	pair_pass(&pair, 5000);
	assert_int_equal(node->secrets, 1);
	assert_true(node->secrets_refused >= 1);
	pair_fini(&pair);
}

static void a_lost_question_is_asked_again(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.replies_lost = true;
	want(node, &CERT, 1);
	pair.replies_lost = false;
	assert_int_equal(node->secrets, 0);
	pair_pass(&pair, 10000);
	assert_int_equal(node->secrets, 1);
	pair_fini(&pair);
}

static void what_is_wanted_no_more_is_not_asked_for(void **state)
{
	struct pair pair;

	(void)state;
	struct node *node = live_zone(&pair);
	pair.secret = NULL;
	want(node, &CERT, 1);
	want(node, NULL, 0);
	pair.secret = "late";
	pair_pass(&pair, 10000);
	assert_int_equal(node->secrets, 0);
	pair_fini(&pair);
}

static void before_a_session_nothing_is_asked(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.secret = "content";
	pair.requests_lost = true;
	struct node *node = pair_zone(&pair, 0, "east", 1, 1, 11);
	want(node, &CERT, 1);
	pair_pass(&pair, 1100);
	assert_int_equal(node->secrets + node->secrets_refused, 0);
	pair.requests_lost = false;
	pair_pass(&pair, 15000);
	assert_int_equal(node->secrets, 1);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wanted_comes_once),
		cmocka_unit_test(an_empty_content_is_one),
		cmocka_unit_test(what_is_not_there_is_asked_for_again),
		cmocka_unit_test(one_that_is_refused_does_not_hold_up_the_next),
		cmocka_unit_test(a_lost_question_is_asked_again),
		cmocka_unit_test(what_is_wanted_no_more_is_not_asked_for),
		cmocka_unit_test(before_a_session_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
