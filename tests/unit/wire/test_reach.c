/* A zone's way out, to a global and an nng that the test plays; in the clear, for TLS is
 * tested with the gate. */
#include "turn.h"

#include "wire/frame.h"
#include "wire/reach.h"

#include <stdio.h>

#define SUB "\0SP\0\0\x21\0\0"
#define REQ "\0SP\0\0\x30\0\0"
#define PUB "\0SP\0\0\x20\0\0"
#define REP "\0SP\0\0\x31\0\0"
#define HELLO "\x01\0\0\0\0\0\0\0\x05hello"
#define THERE "\x01\0\0\0\0\0\0\0\x05there"
enum { HEADER = 8, FRAME = 14, SHORT_MS = 1000 };

/* One of the two ways, as global and nng see it. */
struct ends {
	int global, inner;
};

struct rig {
	struct tmp tmp;
	struct loop *loop;
	struct reach *reach;
	struct zl_addr sub, req; /* where nng listens */
	int sub_fd, req_fd;
	struct zl_addr a, b; /* two globals */
	int a_fd, b_fd;
};

static int listen_at(struct zl_addr *addr)
{
	struct zl_err err = { 0 };
	int fd;

	if (zl_addr_listen(addr, &fd, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return fd;
}

static struct zl_addr unix_at(const struct tmp *tmp, const char *name)
{
	struct zl_addr addr = { .is_unix = true };

	(void)snprintf(addr.host, sizeof(addr.host), "%s", tmp_path(tmp, name));
	return addr;
}

static void rig_open(struct rig *rig)
{
	struct zl_err err = { 0 };

	*rig = (struct rig){ .a = { .host = "127.0.0.1" }, .b = { .host = "127.0.0.1" } };
	tmp_make(&rig->tmp);
	assert_int_equal(loop_open(&rig->loop, &err), ZL_OK);
	rig->sub = unix_at(&rig->tmp, "sub");
	rig->req = unix_at(&rig->tmp, "req");
	rig->sub_fd = listen_at(&rig->sub);
	rig->req_fd = listen_at(&rig->req);
	rig->a_fd = listen_at(&rig->a);
	rig->b_fd = listen_at(&rig->b);
}

static void start(struct rig *rig, const struct zl_addr *addrs, size_t count)
{
	const struct reach_setup setup = { .addrs = addrs,
					   .count = count,
					   .sub = rig->sub.host,
					   .req = rig->req.host,
					   .message_max = 4096,
					   .published_max = 4096,
					   .connect_ms = SHORT_MS,
					   .header_ms = SHORT_MS };

	rig->reach = reach_open(rig->loop, &setup);
}

static void rig_close(struct rig *rig)
{
	reach_close(&rig->reach);
	loop_close(&rig->loop);
	close(rig->sub_fd);
	close(rig->req_fd);
	close(rig->a_fd);
	close(rig->b_fd);
	tmp_remove(&rig->tmp);
}

static bool accepted(int listener, int *fd)
{
	*fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return *fd >= 0;
}

static bool came(int fd, const void *bytes, size_t len)
{
	char got[256];

	if (recv(fd, got, len, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)len)
		return false;
	assert_int_equal(recv(fd, got, len, MSG_DONTWAIT), len);
	assert_memory_equal(got, bytes, len);
	return true;
}

/* Global takes both connections, in whichever order they come, and answers; nng too. */
static void expect_both(struct rig *rig, int listener, struct ends *sub, struct ends *req)
{
	char header[HEADER];

	*sub = *req = (struct ends){ -1, -1 };
	for (int i = 0; i < 2; i++) {
		int fd;
		UNTIL(rig->loop, accepted(listener, &fd));
		UNTIL(rig->loop, recv(fd, header, HEADER, MSG_DONTWAIT) == HEADER);
		bool hears = memcmp(header, SUB, HEADER) == 0;
		struct ends *way = hears ? sub : req;
		assert_int_equal(way->global, -1);
		if (!hears)
			assert_memory_equal(header, REQ, HEADER);
		way->global = fd;
		peer_say(fd, hears ? PUB : REP, HEADER);
		UNTIL(rig->loop,
		      accepted(hears ? rig->sub_fd : rig->req_fd, &way->inner));
		UNTIL(rig->loop, came(way->inner, hears ? PUB : REP, HEADER));
		peer_say(way->inner, hears ? SUB : REQ, HEADER);
	}
	UNTIL(rig->loop, reach_trouble(rig->reach)[0] == '\0');
}

static void ends_close(struct ends *ends)
{
	close(ends->global);
	close(ends->inner);
}

static void expect_trouble(struct rig *rig, const char *text)
{
	UNTIL(rig->loop, strstr(reach_trouble(rig->reach), text) != NULL);
}

static void both_ways_are_kept_up(void **state)
{
	struct ends sub, req;
	struct rig rig;

	(void)state;
	rig_open(&rig);
	start(&rig, &rig.a, 1);
	for (int n = 0; n < 3; n++) {
		expect_both(&rig, rig.a_fd, &sub, &req);
		peer_say(sub.global, HELLO, FRAME);
		UNTIL(rig.loop, came(sub.inner, HELLO, FRAME));
		peer_say(req.inner, THERE, FRAME);
		UNTIL(rig.loop, came(req.global, THERE, FRAME));
		/* nng's header is not for global, who has had one. */
		assert_false(came(sub.global, SUB, 1));
		if (n == 0)
			turn_for(rig.loop, SHORT_MS + 50); /* those deadlines are over */
		ends_close(&sub);
		ends_close(&req);
	}
	rig_close(&rig);
}

static void names_are_resolved(void **state)
{
	struct zl_addr addrs[] = { { .host = "no.such.host.invalid", .port = 1 },
				   { .host = "localhost" } };
	struct ends sub, req;
	struct rig rig;

	(void)state;
	rig_open(&rig);
	addrs[1].port = rig.a.port; /* of IPv4: where ::1 comes first, it is refused */
	start(&rig, &addrs[1], 1);
	expect_both(&rig, rig.a_fd, &sub, &req);
	ends_close(&sub);
	ends_close(&req);
	reach_close(&rig.reach);
	start(&rig, addrs, 1);
	expect_trouble(&rig, "no.such.host.invalid:1: ");
	reach_close(&rig.reach); /* a thread may be at it */
	start(&rig, addrs, 2);
	expect_both(&rig, rig.a_fd, &sub, &req);
	ends_close(&sub);
	ends_close(&req);
	rig_close(&rig);
}

/* Who hangs up is asked again, but not at once and not at fixed times. */
static void attempts_are_spaced(void **state)
{
	uint64_t came_ms[64];
	unsigned count = 0;
	struct rig rig;
	int fd;

	(void)state;
	rig_open(&rig);
	start(&rig, &rig.a, 1);
	uint64_t start_ms = zl_now_ms();
	while (zl_now_ms() - start_ms < 4000 && count < ARRAY_LEN(came_ms)) {
		if (!accepted(rig.a_fd, &fd)) {
			turn(rig.loop);
			continue;
		}
		came_ms[count++] = zl_now_ms();
		close(fd);
	}
	/* Each way: at 0, then after 0.1, 0.2, 0.4, 0.8, 1.6 s, at least half of each. */
	assert_in_range(count, 2 * 4, 2 * 8);
	assert_true(came_ms[count - 1] - came_ms[count - 3] >= 200);
	assert_non_null(strstr(reach_trouble(rig.reach), "went away"));
	rig_close(&rig);
}

static void what_is_no_global_is_left(void **state)
{
	static const struct {
		const char *says; /* NULL: nothing */
		const char *trouble;
	} CASES[] = {
		{ "HTTP/1.1", "no global" },
		{ REQ, "no global" },
		{ NULL, "silent" },
	};
	struct ends sub, req;
	struct rig rig;
	int fd, inner;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		rig_open(&rig);
		const struct zl_addr addrs[] = { rig.a, rig.b };
		start(&rig, addrs, 2);
		for (int n = 0; n < 2; n++) {
			UNTIL(rig.loop, accepted(rig.a_fd, &fd));
			if (CASES[i].says != NULL)
				peer_say(fd, CASES[i].says, HEADER);
			UNTIL(rig.loop,
			      strstr(reach_trouble(rig.reach), CASES[i].trouble) != NULL);
			close(fd);
		}
		assert_false(accepted(rig.sub_fd, &inner));
		expect_both(&rig, rig.b_fd, &sub, &req);
		ends_close(&sub);
		ends_close(&req);
		rig_close(&rig);
	}
}

/* A listener whose backlog is full answers no SYN. */
static void who_does_not_answer_is_left_in_time(void **state)
{
	struct zl_addr deaf = { .host = "127.0.0.1" };
	struct ends sub, req;
	struct rig rig;
	int fill[8];

	(void)state;
	rig_open(&rig);
	int fd = listen_at(&deaf);
	assert_int_equal(listen(fd, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
		fill[i] = peer_socket(&deaf);
		assert_int_equal(fcntl(fill[i], F_SETFL, O_NONBLOCK), 0);
		(void)peer_connect(fill[i], &deaf);
	}
	const struct zl_addr addrs[] = { deaf, rig.b };
	uint64_t start_ms = zl_now_ms();
	start(&rig, addrs, 2);
	expect_trouble(&rig, "does not answer in time");
	assert_true(zl_now_ms() - start_ms >= SHORT_MS);
	expect_both(&rig, rig.b_fd, &sub, &req);
	ends_close(&sub);
	ends_close(&req);
	for (size_t i = 0; i < ARRAY_LEN(fill); i++)
		close(fill[i]);
	close(fd);
	rig_close(&rig);
}

/* Both ways go to the same global, and to the next one when told to. */
static void the_ways_stay_together(void **state)
{
	struct ends sub, req;
	struct rig rig;
	int fd;

	(void)state;
	rig_open(&rig);
	const struct zl_addr addrs[] = { rig.a, rig.b };
	start(&rig, addrs, 2);
	expect_both(&rig, rig.a_fd, &sub, &req);
	/* One way breaks and cannot come back: it does not go to b alone. */
	close(rig.a_fd);
	ends_close(&req);
	expect_trouble(&rig, "refused");
	turn_for(rig.loop, 500);
	assert_false(accepted(rig.b_fd, &fd));
	peer_say(sub.global, HELLO, FRAME);
	UNTIL(rig.loop, came(sub.inner, HELLO, FRAME));
	reach_redial(rig.reach);
	UNTIL(rig.loop, peer_ended(sub.global));
	ends_close(&sub);
	expect_both(&rig, rig.b_fd, &sub, &req);
	rig.a_fd = listen_at(&rig.a);
	reach_redial(rig.reach);
	UNTIL(rig.loop, peer_ended(sub.global) && peer_ended(req.global));
	ends_close(&sub);
	ends_close(&req);
	expect_both(&rig, rig.a_fd, &sub, &req);
	/* When both break, the next address is tried without being told. */
	close(rig.a_fd);
	ends_close(&sub);
	ends_close(&req);
	expect_both(&rig, rig.b_fd, &sub, &req);
	ends_close(&sub);
	ends_close(&req);
	rig.a_fd = dup(rig.b_fd);
	rig_close(&rig);
}

static void closing_at_any_time(void **state)
{
	const struct zl_addr name = { .host = "localhost", .port = 1 };
	struct rig rig;
	int fd;

	(void)state;
	for (unsigned n = 0; n < 40; n++) {
		rig_open(&rig);
		const struct zl_addr addrs[] = { n % 2 == 0 ? rig.a : name, rig.b };
		start(&rig, addrs, 2);
		turn_for(rig.loop, n);
		if (n % 4 == 0 && accepted(rig.a_fd, &fd)) {
			peer_say(fd, PUB, HEADER);
			turn_for(rig.loop, n / 4);
			close(fd);
		}
		if (n % 3 == 0)
			reach_redial(rig.reach);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_are_kept_up),
		cmocka_unit_test(names_are_resolved),
		cmocka_unit_test(attempts_are_spaced),
		cmocka_unit_test(what_is_no_global_is_left),
		cmocka_unit_test(who_does_not_answer_is_left_in_time),
		cmocka_unit_test(the_ways_stay_together),
		cmocka_unit_test(closing_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
