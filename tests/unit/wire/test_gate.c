/* The gate between hostile peers and an inner listener that the test plays. */
#include "turn.h"

#include "wire/frame.h"
#include "wire/gate.h"

#include <stdio.h>
#include <sys/resource.h>

#define SUB "\0SP\0\0\x21\0\0"
#define REQ "\0SP\0\0\x30\0\0"
#define PUB "\0SP\0\0\x20\0\0"
/* Messages of five bytes; those to nng begin with an id. */
#define FRAME5 "\x01\0\0\0\0\0\0\0\x05"
#define HELLO         \
	FRAME5 "\x80" \
	       "ello"
#define THERE FRAME5 "there"
#define LATE FRAME5 "later"
#define AGAIN         \
	FRAME5 "\x80" \
	       "gain"
enum {
	HEADER = 8,
	FRAME = 14, /* of five bytes */
	TCP = 0,
	UNIX = 1,
	HEADER_MS = 1000,
	WHILE_MS = 50, /* to see that something does not happen */
	STALL_MS = 300,
	MESSAGE_MAX = 64 << 10
};

struct rig {
	struct tmp tmp;
	struct loop *loop;
	struct gate *gate;
	struct zl_addr outer[2]; /* by TCP, UNIX */
	struct zl_addr sub, req;
	int sub_fd, req_fd;
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

static enum zl_code on_inner(void *arg, const char *zone, int protocol,
			     char path[GATE_INNER], struct zl_err *err)
{
	const struct rig *rig = arg;

	(void)err;
	assert_null(zone);
	(void)snprintf(path, GATE_INNER, "%.100s",
		       protocol == FRAME_SUB ? rig->sub.host : rig->req.host);
	return ZL_OK;
}

static void rig_open_for(struct rig *rig, unsigned connections_max, uint64_t stall_ms,
			 uint64_t header_ms)
{
	const struct gate_setup setup = { .allow_plain = true,
					  .connections_max = connections_max,
					  .message_max = MESSAGE_MAX,
					  .published_max = MESSAGE_MAX,
					  .header_ms = header_ms,
					  .stall_ms = stall_ms,
					  .inner = on_inner,
					  .arg = rig };
	struct zl_err err = { 0 };

	tmp_make(&rig->tmp);
	assert_int_equal(loop_open(&rig->loop, &err), ZL_OK);
	rig->outer[TCP] = (struct zl_addr){ .host = "127.0.0.1" };
	rig->outer[UNIX] = unix_at(&rig->tmp, "outer");
	rig->sub = unix_at(&rig->tmp, "sub");
	rig->req = unix_at(&rig->tmp, "req");
	rig->sub_fd = listen_at(&rig->sub);
	rig->req_fd = listen_at(&rig->req);
	rig->gate = gate_open(rig->loop, &setup);
	for (int way = TCP; way <= UNIX; way++)
		if (gate_listen(rig->gate, &rig->outer[way], &err) != ZL_OK)
			fail_msg("%s", err.msg);
}

/* No deadline for a header decides, but where it is tested. */
static void rig_open(struct rig *rig, unsigned connections_max, uint64_t stall_ms)
{
	rig_open_for(rig, connections_max, stall_ms, PATIENCE_MS);
}

static void rig_close(struct rig *rig)
{
	gate_close(&rig->gate);
	loop_close(&rig->loop);
	close(rig->sub_fd);
	close(rig->req_fd);
	tmp_remove(&rig->tmp);
}

/* Nobody has been let in to one of the inner listeners. */
static void expect_nobody(const struct rig *rig)
{
	assert_int_equal(accept4(rig->sub_fd, NULL, NULL, 0), -1);
	assert_int_equal(accept4(rig->req_fd, NULL, NULL, 0), -1);
}

static bool accepted(int listener, int *fd)
{
	*fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return *fd >= 0;
}

/* len bytes have come on fd, and they are these. */
static bool came(int fd, const void *bytes, size_t len)
{
	char got[256];

	if (recv(fd, got, len, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)len)
		return false;
	assert_int_equal(recv(fd, got, len, MSG_DONTWAIT), len);
	assert_memory_equal(got, bytes, len);
	return true;
}

/* A peer and the inner side of its connection, greeted. */
static void join(struct rig *rig, int way, int *peer, int *inner)
{
	*peer = peer_dial(&rig->outer[way]);
	peer_say(*peer, REQ, HEADER);
	UNTIL(rig->loop, accepted(rig->req_fd, inner));
	UNTIL(rig->loop, came(*inner, REQ, HEADER));
	peer_say(*inner, PUB, HEADER);
	UNTIL(rig->loop, came(*peer, PUB, HEADER));
}

static void headers_and_frames_are_checked(void **state)
{
	static const struct {
		const char *header;
		int protocol;
	} CASES[] = {
		{ SUB, FRAME_SUB },          { REQ, FRAME_REQ },
		{ PUB, FRAME_PUB },          { "\0SP\0\0\x31\0\0", FRAME_REP },
		{ "\0SP\0\0\x10\0\0", 0 },   { "\0SP\0\x01\x21\0\0", 0 },
		{ "\0SP\x01\0\x21\0\0", 0 }, { "\0SP\0\0\x21\0\x01", 0 },
		{ "\0SP\0\0\x21\x01\0", 0 }, { "\0sp\0\0\x21\0\0", 0 },
		{ "GET / HT", 0 },           { "\0\0\0\0\0\0\0\0", 0 },
	};
	uint8_t header[HEADER];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		memcpy(header, CASES[i].header, HEADER);
		assert_int_equal(frame_protocol(header), CASES[i].protocol);
	}
	frame_header(FRAME_REQ, header);
	assert_memory_equal(header, REQ, HEADER);
	const uint8_t *head = (const uint8_t *)FRAME5;
	assert_int_equal(frame_size(head, 5), FRAME);
	assert_int_equal(frame_size(head, 4), 0);
	assert_int_equal(frame_size((const uint8_t *)"\0\0\0\0\0\0\0\0\x05", 5), 0);
	assert_int_equal(frame_size((const uint8_t *)"\x01\x80\0\0\0\0\0\0\x05", 5), 0);
	static const uint8_t IDS[FRAME_IDS] = { [8] = 0x80, [12] = 0x80 };
	assert_true(frame_has_id(IDS + 8, 4));
	assert_true(frame_has_id(IDS, 12));
	assert_false(frame_has_id(IDS, 11));
	assert_false(frame_has_id(IDS + 8, 3));
	assert_false(frame_has_id(IDS + 8, 0));
	assert_false(frame_has_id(IDS, 8));
	static const uint8_t NONE[FRAME_IDS];
	assert_false(frame_has_id(NONE, FRAME_IDS - 1));
	assert_true(frame_has_id(NONE, FRAME_IDS)); /* nng sees to it */
}

static void peers_must_be_able_to_prove_who_they_are(void **state)
{
	struct zl_addr any = { .host = "0.0.0.0" }, local = { .host = "127.0.0.1" };
	struct gate_setup setup = { .connections_max = 1, .inner = on_inner };
	struct zl_err err = { 0 };
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, 0);
	struct zl_addr sock = unix_at(&rig.tmp, "other");
	assert_int_equal(gate_listen(rig.gate, &any, &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "0.0.0.0:0"));
	struct gate *strict = gate_open(rig.loop, &setup);
	assert_int_equal(gate_listen(strict, &any, &err), ZL_EINVAL);
	assert_int_equal(gate_listen(strict, &local, &err), ZL_EINVAL);
	assert_int_equal(gate_listen(strict, &sock, &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "unix socket"));
	gate_close(&strict);
	rig_close(&rig);
}

static void a_header_may_come_in_pieces(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_for(&rig, 8, 0, HEADER_MS);
	for (int n = 0; n < 4; n++) {
		int way = n / 2, inner;
		int listener = n % 2 == 0 ? rig.sub_fd : rig.req_fd;
		const char *header = n % 2 == 0 ? SUB : REQ;
		int peer = peer_dial(&rig.outer[way]);

		peer_say(peer, header, 3);
		turn_for(rig.loop, 5);
		peer_say(peer, header + 3, 4);
		turn_for(rig.loop, 5);
		expect_nobody(&rig);
		peer_say(peer, header + 7, 1);
		UNTIL(rig.loop, accepted(listener, &inner));
		UNTIL(rig.loop, came(inner, header, HEADER));
		peer_say(inner, PUB THERE, HEADER + FRAME);
		UNTIL(rig.loop, came(peer, PUB THERE, HEADER + FRAME));
		/* The header's deadline is over with the header. */
		turn_for(rig.loop, HEADER_MS + 50);
		peer_say(inner, LATE, FRAME);
		UNTIL(rig.loop, came(peer, LATE, FRAME));
		assert_int_equal(gate_connections(rig.gate), 1);
		close(peer);
		UNTIL(rig.loop, peer_ended(inner));
		close(inner);
		UNTIL(rig.loop, gate_connections(rig.gate) == 0);
	}
	assert_int_equal(gate_refused(rig.gate), 0);
	rig_close(&rig);
}

/* Whether fd's other side still takes what is said. */
static bool may_say(int fd)
{
	return send(fd, "", 0, MSG_NOSIGNAL) == 0;
}

static int open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* A peer may go in the middle of a message: nng never sees one that is not whole. */
static void only_whole_messages_cross(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, 0);
	for (int n = 0; n < 4; n++) {
		int peer, inner;
		join(&rig, n % 2, &peer, &inner);
		const int fds = open_fds();
		peer_say(peer, HELLO HELLO, FRAME + 10);
		UNTIL(rig.loop, came(inner, HELLO, FRAME));
		turn_for(rig.loop, 20);
		assert_false(came(inner, FRAME5, 1));
		peer_say(peer, HELLO + 10, FRAME - 10);
		UNTIL(rig.loop, came(inner, HELLO, FRAME));
		peer_say(inner, THERE, FRAME - 1);
		turn_for(rig.loop, 20);
		assert_false(came(peer, FRAME5, 1));
		/* The peer goes while both are in the middle of a message. */
		peer_say(peer, HELLO HELLO, FRAME + FRAME - 1);
		if (n % 2 == TCP)
			turn_for(rig.loop, 10);
		peer_reset(peer);
		UNTIL(rig.loop, gate_connections(rig.gate) == 0);
		turn_for(rig.loop, WHILE_MS);
		assert_true(may_say(inner)); /* it has not read all yet */
		UNTIL(rig.loop, came(inner, HELLO, FRAME));
		UNTIL(rig.loop, !may_say(inner));
		turn_for(rig.loop, WHILE_MS);
		assert_false(peer_ended(inner)); /* it is in a message: it has to end */
		assert_false(came(inner, FRAME5, 1));
		close(inner);
		UNTIL(rig.loop, open_fds() == fds - 4);
	}
	rig_close(&rig);
}

static void what_is_no_message_ends_the_connection(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} CASES[] = { { "\0\0\0\0\0\0\0\0\x01", 9 },
		      { "\x01\0\0\0\0\0\x01\0\x01", 9 }, /* 64 KiB + 1 */
		      { "\x01\xff\0\0\0\0\0\0\x01", 9 },
		      { FRAME5 "hello", FRAME } /* a request without an id */ };
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, 0);
	for (size_t n = 0; n < 2 * ARRAY_LEN(CASES); n++) {
		int peer, inner;
		join(&rig, (int)n % 2, &peer, &inner);
		peer_say(peer, HELLO, FRAME);
		peer_say(peer, CASES[n / 2].bytes, CASES[n / 2].len);
		UNTIL(rig.loop, came(inner, HELLO, FRAME));
		UNTIL(rig.loop, peer_ended(peer));
		UNTIL(rig.loop, peer_ended(inner));
		close(peer);
		close(inner);
	}
	rig_close(&rig);
}

enum end { STAYS, CLOSES, RESETS, SHUTS };

static void strangers_get_no_further(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		enum end end;
	} CASES[] = {
		/* clang-format off */
		{ "nothing",               "",                        0, STAYS },
		{ "nothing, close",        "",                        0, CLOSES },
		{ "nothing, reset",        "",                        0, RESETS },
		{ "half a header",         SUB,                       4, STAYS },
		{ "half, close",           SUB,                       4, CLOSES },
		{ "half, reset",           SUB,                       7, RESETS },
		{ "half, end of sending",  SUB,                       7, SHUTS },
		{ "another protocol",      PUB,                       8, STAYS },
		{ "another, reset",        PUB,                       8, RESETS },
		{ "HTTP",                  "GET / HTTP/1.1\r\n\r\n", 18, STAYS },
		{ "a TLS hello",           "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03", 10, SHUTS },
		/* clang-format on */
	};
	struct rig rig;

	(void)state;
	rig_open_for(&rig, 8, 0, HEADER_MS);
	for (size_t i = 0; i < 2 * ARRAY_LEN(CASES); i++) {
		const enum end end = CASES[i / 2].end;
		int peer = peer_dial(&rig.outer[i % 2]);

		print_message("%s\n", CASES[i / 2].name);
		peer_say(peer, CASES[i / 2].bytes, CASES[i / 2].len);
		if (end == CLOSES)
			close(peer);
		else if (end == RESETS)
			peer_reset(peer);
		else if (end == SHUTS)
			assert_int_equal(shutdown(peer, SHUT_WR), 0);
		UNTIL(rig.loop, gate_refused(rig.gate) == i + 1);
		if (end == STAYS || end == SHUTS) {
			UNTIL(rig.loop, peer_ended(peer));
			close(peer);
		}
		expect_nobody(&rig);
		assert_int_equal(gate_connections(rig.gate), 0);
	}
	rig_close(&rig);
}

/* One byte after the other does not put the deadline off. */
static void a_dripping_header_is_cut_off(void **state)
{
	struct rig rig;
	uint64_t start = zl_now_ms();

	(void)state;
	rig_open_for(&rig, 8, 0, HEADER_MS);
	int peer = peer_dial(&rig.outer[TCP]);
	for (size_t i = 0; i < HEADER && gate_refused(rig.gate) == 0; i++) {
		(void)send(peer, &SUB[i], 1, MSG_NOSIGNAL);
		turn_for(rig.loop, HEADER_MS / 4);
	}
	assert_int_equal(gate_refused(rig.gate), 1);
	assert_true(zl_now_ms() - start >= HEADER_MS);
	close(peer);
	rig_close(&rig);
}

/* The inner side must not see its peer end while the two greet. */
static void inner_is_greeted_whatever_the_peer_does(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_for(&rig, 8, 0, HEADER_MS);
	for (int n = 0; n < 4; n++) {
		int way = n % 2, inner, peer = peer_dial(&rig.outer[way]);

		peer_say(peer, REQ, HEADER);
		if (n < 2)
			peer_reset(peer);
		UNTIL(rig.loop, accepted(rig.req_fd, &inner));
		if (n >= 2) {
			turn_for(rig.loop, 5);
			peer_reset(peer);
		}
		turn_for(rig.loop, HEADER_MS + 50);
		assert_int_equal(gate_connections(rig.gate), 1);
		peer_say(inner, PUB, HEADER);
		turn_for(rig.loop, WHILE_MS);
		UNTIL(rig.loop, came(inner, REQ, HEADER));
		assert_false(peer_ended(inner));
		UNTIL(rig.loop, peer_ended(inner));
		UNTIL(rig.loop, gate_connections(rig.gate) == 0);
		close(inner);
	}
	assert_int_equal(gate_refused(rig.gate), 0);
	rig_close(&rig);
}

enum { BLOCK = FRAME_HEAD + 16384 };
static const char MESSAGE[BLOCK] = { 1, 0, 0, 0, 0, 0, 0, 64 };

/* Fill fd with messages until nothing more goes, as seen over some turns; how many bytes
 * went, the last message may be in pieces. */
static size_t flood(struct rig *rig, int fd)
{
	size_t total = 0;
	int idle = 0;

	while (idle < 20 && total < (64 << 20)) {
		size_t at = total % BLOCK;
		ssize_t sent = send(fd, MESSAGE + at, BLOCK - at, MSG_NOSIGNAL);
		idle = sent > 0 ? 0 : idle + 1;
		total += sent > 0 ? (size_t)sent : 0;
		turn(rig->loop);
	}
	return total;
}

/* Of so many bytes, those of whole messages. */
static size_t whole(size_t total)
{
	return total / BLOCK * BLOCK;
}

static size_t drain(struct rig *rig, int fd, size_t wanted)
{
	static char block[65536];
	uint64_t end = zl_now_ms() + PATIENCE_MS;
	size_t total = 0;

	while (total < wanted && zl_now_ms() < end) {
		ssize_t got = recv(fd, block, sizeof(block), 0);
		if (got > 0)
			total += (size_t)got;
		else
			turn(rig->loop);
	}
	return total;
}

static void a_slow_side_holds_the_other_back(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, 0);
	for (int n = 0; n < 4; n++) {
		int peer, inner, way = n % 2;
		join(&rig, way, &peer, &inner);
		int from = n < 2 ? peer : inner, to = n < 2 ? inner : peer;
		size_t sent = flood(&rig, from);

		/* 1 MiB of the gate's, the rest is the kernel's. */
		assert_in_range(sent, 1 << 20, way == UNIX ? 4 << 20 : 40 << 20);
		assert_int_equal(drain(&rig, to, whole(sent)), whole(sent));
		if (sent > whole(sent)) {
			size_t rest = BLOCK - sent % BLOCK;
			peer_say(from, MESSAGE + BLOCK - rest, rest);
			assert_int_equal(drain(&rig, to, BLOCK), BLOCK);
		}
		peer_say(from, AGAIN, FRAME);
		UNTIL(rig.loop, came(to, AGAIN, FRAME));
		close(peer);
		UNTIL(rig.loop, peer_ended(inner));
		close(inner);
	}
	rig_close(&rig);
}

static void a_peer_that_takes_nothing_is_cut_off(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, STALL_MS);
	for (int way = TCP; way <= UNIX; way++) {
		int peer, inner;
		join(&rig, way, &peer, &inner);
		turn_for(rig.loop,
			 2UL * STALL_MS); /* nothing is due, so nothing is late */
		assert_int_equal(gate_connections(rig.gate), 1);
		(void)flood(&rig, inner);
		UNTIL(rig.loop, gate_connections(rig.gate) == 0);
		assert_true(peer_ended(inner));
		close(peer);
		close(inner);
	}
	rig_close(&rig);
}

static void what_was_said_before_the_end_arrives(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, 0);
	for (int n = 0; n < 4; n++) {
		int peer, inner;
		join(&rig, n % 2, &peer, &inner);
		int from = n < 2 ? peer : inner, to = n < 2 ? inner : peer;
		size_t sent = flood(&rig, from);
		close(from);
		assert_int_equal(drain(&rig, to, whole(sent)), whole(sent));
		UNTIL(rig.loop, peer_ended(to));
		close(to);
		UNTIL(rig.loop, gate_connections(rig.gate) == 0);
	}
	assert_int_equal(gate_refused(rig.gate), 0);
	rig_close(&rig);
}

static void there_are_only_so_many(void **state)
{
	int peer[3], inner[3];
	struct rig rig;

	(void)state;
	rig_open(&rig, 3, 0);
	for (int i = 0; i < 3; i++)
		join(&rig, i % 2, &peer[i], &inner[i]);
	int more = peer_dial(&rig.outer[TCP]);
	peer_say(more, REQ, HEADER);
	UNTIL(rig.loop, peer_ended(more));
	assert_int_equal(gate_refused(rig.gate), 1);
	close(more);
	close(inner[0]);
	UNTIL(rig.loop, gate_connections(rig.gate) == 2);
	close(peer[0]);
	join(&rig, TCP, &peer[0], &inner[0]);
	rig_close(&rig); /* while they are open */
	for (int i = 0; i < 3; i++) {
		assert_true(peer_ended(peer[i]));
		close(peer[i]);
		close(inner[i]);
	}
}

static void nobody_inside_is_survived(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, 0);
	close(rig.sub_fd);
	for (int way = TCP; way <= UNIX; way++) {
		int peer = peer_dial(&rig.outer[way]);
		peer_say(peer, SUB, HEADER);
		UNTIL(rig.loop, peer_ended(peer));
		assert_int_equal(gate_connections(rig.gate), 0);
		close(peer);
	}
	rig.sub_fd = dup(rig.req_fd);
	rig_close(&rig);
}

static double cpu_ms(void)
{
	struct rusage used;

	assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

/* Without descriptors nobody can be accepted, but the loop must not spin for it. */
static void running_out_of_descriptors_passes(void **state)
{
	struct rlimit old, tight;
	int hoard[64], count = 0, inner;
	struct rig rig;

	(void)state;
	rig_open(&rig, 8, 0);
	int peer = peer_socket(&rig.outer[TCP]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = (rlim_t)peer + 20;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	while (count < 64 && (hoard[count] = dup(peer)) >= 0)
		count++;
	assert_int_not_equal(count, 64);
	assert_int_equal(peer_connect(peer, &rig.outer[TCP]), 0);
	peer_say(peer, SUB, HEADER);
	turn(rig.loop);
	struct loop_timer *timer = loop_timer_new(rig.loop, on_turn_over, rig.loop);
	loop_timer_set(timer, 400);
	double before = cpu_ms();
	loop_run(rig.loop);
	double spent = cpu_ms() - before;
	loop_timer_free(&timer);
	while (count > 0)
		close(hoard[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(spent < 200);
	UNTIL(rig.loop, accepted(rig.sub_fd, &inner));
	close(inner);
	close(peer);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_and_frames_are_checked),
		cmocka_unit_test(peers_must_be_able_to_prove_who_they_are),
		cmocka_unit_test(a_header_may_come_in_pieces),
		cmocka_unit_test(strangers_get_no_further),
		cmocka_unit_test(a_dripping_header_is_cut_off),
		cmocka_unit_test(only_whole_messages_cross),
		cmocka_unit_test(what_is_no_message_ends_the_connection),
		cmocka_unit_test(inner_is_greeted_whatever_the_peer_does),
		cmocka_unit_test(a_slow_side_holds_the_other_back),
		cmocka_unit_test(a_peer_that_takes_nothing_is_cut_off),
		cmocka_unit_test(what_was_said_before_the_end_arrives),
		cmocka_unit_test(there_are_only_so_many),
		cmocka_unit_test(nobody_inside_is_survived),
		cmocka_unit_test(running_out_of_descriptors_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
