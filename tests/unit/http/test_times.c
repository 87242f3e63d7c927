/* Deadlines, late answers, and more clients than there is room for. */
#include "served.h"

/* Announced bodies count against one bound for all, and stop counting when they end. */
static void bodies_of_all_are_bounded(void **state)
{
	static const char BIG[] = "POST /big HTTP/1.1\r\nHost: a\r\n"
				  "Content-Length: 134217728\r\n\r\n";
	struct fixture *fix = *state;
	struct peer first, second, third;

	dial(&first, fix);
	say(&first, BIG);
	dial(&second, fix);
	say(&second, BIG);
	/* An answer on a later connection says that both heads were read. */
	for (unsigned status = 0; status != 503;) {
		dial(&third, fix);
		say(&third,
		    "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
		status = answer(&third);
		assert_true(status == 503 || status == 201);
		hang_up(&third);
	}
	hang_up(&first);
	for (unsigned status = 0; status != 201;) {
		dial(&third, fix);
		say(&third,
		    "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
		status = answer(&third);
		hang_up(&third);
	}
	hang_up(&second);
}

/* A byte now and then does not win time: the deadline is one for the whole head. */
static void slow_heads_and_bodies_end(void **state)
{
	static const char HEAD[] = "GET /echo/a HTTP/1.1\r\nHost: a\r\nX: ";
	struct peer peer;
	uint64_t began = zl_now_ms();

	dial(&peer, *state);
	say(&peer, HEAD);
	struct pollfd ready = { .fd = peer.fd, .events = POLLIN };
	while (poll(&ready, 1, 20) == 0) {
		assert_true(zl_now_ms() < began + PATIENCE_MS);
		say(&peer, "x");
	}
	assert_int_equal(answer(&peer), 408);
	assert_true(zl_now_ms() - began >= 250);
	hang_up(&peer);

	dial(&peer, *state);
	say(&peer, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
	ready.fd = peer.fd;
	while (poll(&ready, 1, 20) == 0)
		say(&peer, "x");
	assert_int_equal(answer(&peer), 408);
	hang_up(&peer);

	dial(&peer, *state); /* and who says nothing is sent away */
	expect_end(&peer);
	hang_up(&peer);
}

static void late_answers(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	say(&peer, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
		   "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
	await(&fix->pending, 1);
	tell(fix, ANSWER);
	assert_int_equal(answer(&peer), 200);
	assert_string_equal(peer.body, "{\"late\":1}");
	assert_int_equal(answer(&peer), 200);
	assert_string_equal(peer.body, "next|-");
	assert_int_equal(atomic_load(&fix->gone), 0);
	hang_up(&peer);
}

static void an_answer_to_nobody_is_dropped(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	say(&peer, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	await(&fix->pending, 1);
	hang_up(&peer);
	await(&fix->gone, 1);
	tell(fix, ANSWER);
	await(&fix->pending, 0);
	dial(&peer, fix);
	assert_int_equal(ask(&peer, "GET /echo/alive"), 200);
	hang_up(&peer);
}

static void an_answer_too_late_is_dropped(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial(&peer, fix);
	say(&peer, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(answer(&peer), 503);
	expect_end(&peer);
	await(&fix->gone, 1);
	tell(fix, ANSWER);
	await(&fix->pending, 0);
	hang_up(&peer);
}

static void drain_lets_requests_end(void **state)
{
	struct fixture *fix = *state;
	struct peer idle, busy;

	dial(&idle, fix);
	assert_int_equal(ask(&idle, "GET /echo/a"), 200);
	dial(&busy, fix);
	say(&busy, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	await(&fix->pending, 1);
	tell(fix, DRAIN);
	expect_end(&idle);
	tell(fix, ANSWER);
	assert_int_equal(answer(&busy), 200);
	assert_non_null(strstr(busy.head, "\r\nConnection: close\r\n"));
	expect_end(&busy);
	assert_int_not_equal(access(fix->unix_addr.host, F_OK), 0);
	hang_up(&idle);
	hang_up(&busy);
}

static void a_full_house_sends_the_idle_away(void **state)
{
	static const char LATER[] = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *fix = *state;
	struct peer first, second, third, fourth;

	dial(&first, fix);
	assert_int_equal(ask(&first, "GET /echo/1"), 200);
	dial(&second, fix);
	say(&second, LATER);
	await(&fix->pending, 1);
	dial(&third, fix); /* takes the place of the first, which has no request */
	expect_end(&first);
	say(&third, LATER);
	await(&fix->pending, 2);
	dial(&fourth, fix); /* there is no other such */
	assert_int_equal(answer(&fourth), 503);
	expect_end(&fourth);
	tell(fix, ANSWER);
	assert_int_equal(answer(&second), 200);
	assert_int_equal(answer(&third), 200);
	hang_up(&first);
	hang_up(&second);
	hang_up(&third);
	hang_up(&fourth);
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(bodies_of_all_are_bounded, setup),
		TEST(slow_heads_and_bodies_end, setup_quick),
		TEST(late_answers, setup),
		TEST(an_answer_to_nobody_is_dropped, setup),
		TEST(an_answer_too_late_is_dropped, setup_quick),
		TEST(drain_lets_requests_end, setup),
		TEST(a_full_house_sends_the_idle_away, setup_narrow),
	};
	return cmocka_run_group_tests_name("http/times", tests, NULL, NULL);
}
