/* Hub and uplink over the gate, on loopback and on a unix socket, beside peers that do
 * what no peer should. */
#include "wire/link.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"

#include "support/test.h"
#include "support/tmp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DEADLINE_MS = 10000, REQUEST_MS = 3000, CONNECTIONS = 200 };

struct world {
	struct tmp tmp;
	struct loop *loop;
	struct loop_timer *poll;
	struct link_hub *hub;
	struct zl_addr addr;
	struct link_uplink *uplink;
	bool (*until)(struct world *world);
	uint64_t give_up_at;
	bool met;
	/* what the handlers saw */
	unsigned heard, lost, ups, downs, asked;
	uint64_t replied;
	size_t reply_len;
	char text[32];
	bool mute; /* the hub's owner does not answer */
	uint64_t handle;
};

static void on_poll(void *arg)
{
	struct world *world = arg;

	world->met = world->until(world);
	if (world->met || zl_now_ms() > world->give_up_at)
		loop_stop(world->loop);
	else
		loop_timer_set(world->poll, 2);
}

/* Turn until it is so, at most for a while. */
static bool turn_until(struct world *world, bool (*until)(struct world *world))
{
	world->until = until;
	world->give_up_at = zl_now_ms() + DEADLINE_MS;
	loop_timer_set(world->poll, 0);
	loop_run(world->loop);
	return world->met;
}

static void on_request(void *arg, uint64_t handle, const char *identity,
		       const void *bytes, size_t len)
{
	struct world *world = arg;

	assert_null(identity);
	world->asked++;
	world->handle = handle;
	if (!world->mute)
		link_hub_reply(world->hub, handle, bytes, len);
}

static void on_published(void *arg, const void *bytes, size_t len)
{
	struct world *world = arg;

	world->heard++;
	if (len < sizeof(world->text)) {
		memcpy(world->text, bytes, len);
		world->text[len] = '\0';
	}
}

static void on_replied(void *arg, uint64_t id, const void *bytes, size_t len)
{
	struct world *world = arg;

	(void)bytes;
	world->replied = id;
	world->reply_len = len;
}

static void on_lost(void *arg, uint64_t id)
{
	struct world *world = arg;

	(void)id;
	world->lost++;
}

static void on_pipe(void *arg, bool up)
{
	struct world *world = arg;

	world->ups += up;
	world->downs += !up;
}

static void hub_open(struct world *world)
{
	char folder[300];
	struct zl_err err;

	(void)snprintf(folder, sizeof(folder), "%s/hub", world->tmp.dir);
	assert_int_equal(
		link_hub_open(&world->hub, world->loop,
			      &(struct link_hub_setup){ .folder = folder,
							.message_max = 1 << 20,
							.connections_max = CONNECTIONS },
			      &(struct link_hub_handlers){ on_request, world }, &err),
		ZL_OK);
	assert_int_equal(link_hub_listen(world->hub, &world->addr, &err), ZL_OK);
}

static void uplink_open(struct world *world)
{
	struct zl_err err;

	assert_int_equal(
		link_uplink_open(&world->uplink, world->loop, &world->addr, 1, 8 << 20,
				 &(struct link_uplink_handlers){ on_published, on_replied,
								 on_lost, on_pipe,
								 world },
				 &err),
		ZL_OK);
}

static void setup(struct world *world, bool is_unix)
{
	*world = (struct world){ 0 };
	tmp_make(&world->tmp);
	assert_int_equal(loop_open(&world->loop, NULL), ZL_OK);
	world->poll = loop_timer_new(world->loop, on_poll, world);
	world->addr = (struct zl_addr){ .host = "127.0.0.1" };
	if (is_unix) {
		world->addr.is_unix = true;
		(void)snprintf(world->addr.host, sizeof(world->addr.host), "%s",
			       tmp_path(&world->tmp, "sync.sock"));
	}
	hub_open(world);
}

static void teardown(struct world *world)
{
	link_uplink_close(&world->uplink);
	link_hub_close(&world->hub);
	loop_timer_free(&world->poll);
	loop_close(&world->loop);
	tmp_remove(&world->tmp);
}

static bool has_reply(struct world *world)
{
	return world->replied != 0 || world->lost != 0;
}

static bool is_up(struct world *world)
{
	return world->ups > 0;
}

static bool is_down(struct world *world)
{
	return world->downs > 0;
}

/* A SUB may be connected and yet not be sent to: go on publishing. */
static bool hears(struct world *world)
{
	if (world->heard == 0)
		link_hub_publish(world->hub, "hello", 5);
	return world->heard > 0;
}

static void works(struct world *world)
{
	world->replied = 0;
	world->lost = world->heard = 0;
	link_uplink_request(world->uplink, 7, "question", 8, DEADLINE_MS);
	assert_true(turn_until(world, has_reply));
	assert_int_equal(world->replied, 7);
	assert_int_equal(world->reply_len, 8);
	assert_true(turn_until(world, hears));
	assert_string_equal(world->text, "hello");
}

static void asks_and_hears(bool is_unix)
{
	struct world world;

	setup(&world, is_unix);
	uplink_open(&world);
	assert_true(turn_until(&world, is_up));
	works(&world);
	assert_int_equal(link_hub_connections(world.hub), 2);
	teardown(&world);
}

static void over_tcp(void **state)
{
	(void)state;
	asks_and_hears(false);
}

static void over_unix(void **state)
{
	(void)state;
	asks_and_hears(true);
}

static void great_messages_pass_and_too_great_ones_do_not(void **state)
{
	static char bytes[3 << 20];
	struct world world;

	(void)state;
	setup(&world, false);
	uplink_open(&world);
	link_uplink_request(world.uplink, 1, bytes, 900 << 10, REQUEST_MS);
	assert_true(turn_until(&world, has_reply));
	assert_int_equal(world.reply_len, 900 << 10);
	world.replied = 0;
	link_uplink_request(world.uplink, 2, bytes, sizeof(bytes), 500);
	assert_true(turn_until(&world, has_reply));
	assert_int_equal(world.lost, 1);
	works(&world);
	teardown(&world);
}

static bool has_lost_all(struct world *world)
{
	return world->lost == LINK_REQUESTS + 2;
}

static void without_a_global_requests_are_lost(void **state)
{
	struct world world;

	(void)state;
	setup(&world, false);
	link_hub_close(&world.hub);
	uplink_open(&world);
	for (uint64_t i = 1; i <= LINK_REQUESTS + 2; i++)
		link_uplink_request(world.uplink, i, "x", 1, 100);
	assert_int_equal(world.lost, 0); /* never from within the call */
	assert_true(turn_until(&world, has_lost_all));
	teardown(&world);
}

static bool was_asked(struct world *world)
{
	return world->asked > 0;
}

static void a_late_or_second_answer_is_ignored(void **state)
{
	struct world world;

	(void)state;
	setup(&world, false);
	uplink_open(&world);
	world.mute = true;
	link_uplink_request(world.uplink, 1, "x", 1, 200);
	assert_true(turn_until(&world, was_asked));
	assert_true(turn_until(&world, has_reply));
	assert_int_equal(world.lost, 1);
	link_hub_reply(world.hub, world.handle, "late", 4);
	link_hub_reply(world.hub, world.handle, "again", 5);
	link_hub_reply(world.hub, 12345, "none", 4);
	world.mute = false;
	works(&world);
	teardown(&world);
}

static void finds_a_global_that_began_anew(void **state)
{
	struct world world;

	(void)state;
	setup(&world, false);
	uplink_open(&world);
	works(&world);
	link_hub_close(&world.hub);
	assert_true(turn_until(&world, is_down));
	world.ups = 0;
	hub_open(&world);
	assert_true(turn_until(&world, is_up));
	works(&world);
	world.ups = 0;
	link_uplink_redial(world.uplink);
	assert_true(turn_until(&world, is_up));
	works(&world);
	teardown(&world);
}

static void only_local_addresses_are_served(void **state)
{
	struct world world;
	struct zl_addr all = { .host = "0.0.0.0" };
	struct zl_err err;

	(void)state;
	setup(&world, false);
	assert_int_equal(link_hub_listen(world.hub, &all, &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "0.0.0.0"));
	teardown(&world);
}

/* ---- hostile peers ---- */

static int dial(const struct zl_addr *addr)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
	int fd = socket(addr->is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	const struct sockaddr *to = (const struct sockaddr *)&sin;
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (addr->is_unix) {
		(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%.100s", addr->host);
		to = (const struct sockaddr *)&sun;
		len = sizeof(sun);
	}
	if (connect(fd, to, len) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static const uint8_t SUB_HEADER[8] = { 0, 'S', 'P', 0, 0, 33, 0, 0 };
static const uint8_t REQ_HEADER[8] = { 0, 'S', 'P', 0, 0, 48, 0, 0 };
static const uint8_t PUB_HEADER[8] = { 0, 'S', 'P', 0, 0, 32, 0, 0 };

struct attack {
	const struct zl_addr *addr;
	const void *bytes;
	size_t len;
	bool fin, reset;
	int times;
	_Atomic bool done;
};

static void *attack(void *arg)
{
	struct attack *self = arg;

	for (int i = 0; i < self->times; i++) {
		const struct linger linger = { .l_onoff = 1 };
		int fd = dial(self->addr);
		if (fd < 0)
			continue;
		if (self->len > 0)
			(void)!send(fd, self->bytes, self->len, MSG_NOSIGNAL);
		if (self->fin)
			(void)shutdown(fd, SHUT_WR);
		if (self->reset)
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
					 sizeof(linger));
		close(fd);
	}
	self->done = true;
	return NULL;
}

static struct attack *running;

static bool attack_is_over(struct world *world)
{
	(void)world;
	return running->done;
}

static void survives(bool is_unix, struct attack attacks[], size_t count)
{
	struct world world;

	setup(&world, is_unix);
	for (size_t i = 0; i < count; i++) {
		pthread_t thread;
		running = &attacks[i];
		running->addr = &world.addr;
		running->done = false;
		running->times = 300;
		assert_int_equal(pthread_create(&thread, NULL, attack, running), 0);
		assert_true(turn_until(&world, attack_is_over));
		pthread_join(thread, NULL);
		/* One that comes after it is served as if nothing had been. */
		uplink_open(&world);
		works(&world);
		link_uplink_close(&world.uplink);
	}
	assert_true(link_hub_refused(world.hub) > 0);
	teardown(&world);
}

static void hostile_peers_do_no_harm(void **state)
{
	struct attack attacks[] = {
		{ .len = 0 },
		{ .len = 0, .reset = true },
		{ .bytes = SUB_HEADER, .len = 5, .fin = true, .reset = true },
		{ .bytes = SUB_HEADER, .len = 8, .fin = true, .reset = true },
		{ .bytes = REQ_HEADER, .len = 8, .fin = true, .reset = true },
		{ .bytes = REQ_HEADER, .len = 8, .reset = true },
		{ .bytes = REQ_HEADER, .len = 8 },
		{ .bytes = PUB_HEADER, .len = 8 },
		{ .bytes = "GET / HTTP/1.1\r\n\r\n", .len = 18 },
		{ .bytes = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		  .len = 11,
		  .fin = true,
		  .reset = true },
	};

	(void)state;
	survives(false, attacks, ARRAY_LEN(attacks));
	survives(true, attacks, ARRAY_LEN(attacks));
}

struct trickle {
	struct world *world;
	int silent, slow;
	uint64_t next_at;
	size_t sent;
	bool silent_closed, slow_closed;
};

static struct trickle trickle;

static bool is_closed(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&wait, 1, 0) == 1 && read(fd, &byte, 1) <= 0;
}

/* One byte of a header each second does not put the deadline off. */
static bool both_closed(struct world *world)
{
	(void)world;
	if (zl_now_ms() >= trickle.next_at && trickle.sent < 7) {
		(void)!send(trickle.slow, SUB_HEADER + trickle.sent++, 1, MSG_NOSIGNAL);
		trickle.next_at = zl_now_ms() + 1000;
	}
	trickle.silent_closed = trickle.silent_closed || is_closed(trickle.silent);
	trickle.slow_closed = trickle.slow_closed || is_closed(trickle.slow);
	return trickle.silent_closed && trickle.slow_closed;
}

static void silent_and_slow_peers_are_closed(void **state)
{
	struct world world;

	(void)state;
	setup(&world, false);
	trickle = (struct trickle){ .world = &world,
				    .silent = dial(&world.addr),
				    .slow = dial(&world.addr) };
	uint64_t began = zl_now_ms();
	assert_true(turn_until(&world, both_closed));
	assert_true(zl_now_ms() - began < 7000);
	close(trickle.silent);
	close(trickle.slow);
	teardown(&world);
}

static bool has_refused(struct world *world)
{
	return link_hub_refused(world->hub) > 0;
}

static void connections_have_a_limit(void **state)
{
	struct world world;
	int fds[CONNECTIONS + 1];

	(void)state;
	setup(&world, false);
	for (int i = 0; i <= CONNECTIONS; i++)
		fds[i] = dial(&world.addr);
	assert_true(turn_until(&world, has_refused));
	for (int i = 0; i <= CONNECTIONS; i++)
		close(fds[i]);
	uplink_open(&world);
	works(&world);
	teardown(&world);
}

static bool has_two(struct world *world)
{
	return link_hub_connections(world->hub) == 2;
}

/* It costs what its queue holds, and the others hear everything. */
static void a_subscriber_that_never_reads_harms_nobody(void **state)
{
	static char bytes[64 << 10];
	struct world world;

	(void)state;
	setup(&world, false);
	int fd = dial(&world.addr);
	assert_int_equal(send(fd, SUB_HEADER, 8, 0), 8);
	uplink_open(&world);
	works(&world);
	for (int i = 0; i < 2000; i++)
		link_hub_publish(world.hub, bytes, sizeof(bytes));
	works(&world);
	close(fd);
	assert_true(turn_until(&world, has_two));
	teardown(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_tcp),
		cmocka_unit_test(over_unix),
		cmocka_unit_test(great_messages_pass_and_too_great_ones_do_not),
		cmocka_unit_test(without_a_global_requests_are_lost),
		cmocka_unit_test(a_late_or_second_answer_is_ignored),
		cmocka_unit_test(finds_a_global_that_began_anew),
		cmocka_unit_test(only_local_addresses_are_served),
		cmocka_unit_test(hostile_peers_do_no_harm),
		cmocka_unit_test(silent_and_slow_peers_are_closed),
		cmocka_unit_test(connections_have_a_limit),
		cmocka_unit_test(a_subscriber_that_never_reads_harms_nobody),
	};
	return cmocka_run_group_tests_name("unit/wire/link", tests, NULL, NULL);
}
