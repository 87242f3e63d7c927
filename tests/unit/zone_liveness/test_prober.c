/* Whom the prober looks at, and what it finds: real sockets on loopback. */
#include "zone/liveness/prober.h"

#include "base/clock.h"
#include "loop/loop.h"
#include "support/world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

struct fixture {
	struct loop *loop;
	struct loop_timer *end;
	struct prober *prober;
	struct zl_arena *arena;
	unsigned changes, wanted; /* the loop stops at so many changes */
	int listener;
	unsigned port; /* of listener, kept when that is closed */
	bool late;
	const char *address; /* of every host name; NULL: none */
};

static void on_changed(void *owner)
{
	struct fixture *fix = owner;

	if (++fix->changes == fix->wanted)
		loop_stop(fix->loop);
}

static void on_end(void *arg)
{
	struct fixture *fix = arg;

	fix->late = true;
	loop_stop(fix->loop);
}

static void listen_again(struct fixture *fix)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)fix->port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int on = 1;

	fix->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		setsockopt(fix->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fix->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fix->listener, 16), 0);
	assert_int_equal(getsockname(fix->listener, (struct sockaddr *)&sin, &len), 0);
	fix->port = ntohs(sin.sin_port);
}

static const char *address_of(void *owner, const char *name)
{
	const struct fixture *fix = owner;

	assert_string_equal(name, "west.example.org");
	return fix->address;
}

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));
	struct zl_err err = { 0 };

	assert_int_equal(loop_open(&fix->loop, &err), ZL_OK);
	const struct prober_setup prober = { .loop = fix->loop,
					     .zone = "east",
					     .changed = on_changed,
					     .address = address_of,
					     .owner = fix };
	fix->prober = prober_open(&prober);
	fix->end = loop_timer_new(fix->loop, on_end, fix);
	fix->arena = zl_arena_new();
	listen_again(fix);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	prober_close(&fix->prober);
	loop_timer_free(&fix->end);
	loop_close(&fix->loop);
	zl_arena_free(&fix->arena);
	if (fix->listener >= 0)
		close(fix->listener);
	free(fix);
	return 0;
}

#define ZONE(name, condition) \
	"{type: Zone, name: " name ", status: {condition: " condition "}}\n---\n"
#define INGRESS(name, zone, where)                                                   \
	"{type: ZoneIngress, name: " name ", zone: " zone ", networking: {address: " \
	"10.0.0.1, port: 1" where "}}\n---\n"
#define AT(port) ", advertisedAddress: 127.0.0.1, advertisedPort: " port

/* The documents with %u for the port that is listened on. */
static void follow(struct fixture *fix, const char *format)
{
	struct zl_buf yaml = { 0 };

	for (const char *at = format; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 'u') {
			zl_buf_format(&yaml, "%u", fix->port);
			at++;
		} else {
			zl_buf_char(&yaml, *at);
		}
	}
	struct world world = world_of(zl_buf_text(&yaml), "", NULL);
	prober_follow(fix->prober, world.set);
	world_end(&world);
	zl_buf_free(&yaml);
}

/* Turn until so many changes more were told. */
static void turn(struct fixture *fix, unsigned changes)
{
	fix->wanted = fix->changes + changes;
	loop_timer_set(fix->end, PATIENCE_MS);
	loop_run(fix->loop);
	assert_false(fix->late);
}

/* "west+ south-" */
static const char *found(struct fixture *fix)
{
	struct zl_buf text = { 0 };
	size_t count;
	const struct sync_probe *list = prober_found(fix->prober, fix->arena, &count);

	for (size_t i = 0; i < count; i++)
		zl_buf_format(&text, "%s%s%c", i == 0 ? "" : " ", list[i].zone,
			      list[i].answers ? '+' : '-');
	const char *out = zl_arena_strdup(fix->arena, zl_buf_text(&text));
	zl_buf_free(&text);
	return out;
}

static size_t views(const struct fixture *fix)
{
	struct set *set = prober_views(fix->prober);
	size_t count = set_count(set, KIND_ZONE);

	set_drop(&set);
	return count;
}

static void a_zone_that_answers_and_stops(void **state)
{
	struct fixture *fix = *state;

	follow(fix, ZONE("west", "Offline") INGRESS("w", "west", AT("%u")));
	turn(fix, 1);
	assert_string_equal(found(fix), "west+");
	struct set *set = prober_views(fix->prober);
	const struct key key = { KIND_ZONE, "", "", "", "west" };
	assert_int_equal(set_get(set, &key)->zone->condition, ZONE_STALE);
	set_drop(&set);

	close(fix->listener);
	fix->listener = -1;
	uint64_t begin = zl_now_ms();
	turn(fix, 1);
	assert_string_equal(found(fix), "west-");
	assert_true(zl_now_ms() - begin >= 2000); /* two rounds */
	assert_int_equal(views(fix), 0);
	listen_again(fix);
	turn(fix, 1);
	assert_string_equal(found(fix), "west+");

	/* Global hears of it: nothing is looked at any more. */
	unsigned before = fix->changes;
	follow(fix, ZONE("west", "Online") INGRESS("w", "west", AT("%u")));
	assert_int_equal(fix->changes, before + 1);
	assert_string_equal(found(fix), "");
	assert_int_equal(views(fix), 0);
}

static void one_ingress_is_enough(void **state)
{
	struct fixture *fix = *state;

	follow(fix, ZONE("west", "Stale") INGRESS("w1", "west", AT("1"))
			    INGRESS("w2", "west", AT("%u")) ZONE("south", "Stale")
				    INGRESS("s1", "south", AT("1"))
					    INGRESS("s2", "south", AT("2")));
	turn(fix, 2);
	const char *text = found(fix);
	assert_non_null(strstr(text, "west+"));
	assert_non_null(strstr(text, "south-"));
	assert_int_equal(views(fix), 0); /* Stale is as good as it gets */
}

/* At the address that a name has when it is tried. */
static void an_ingress_with_a_name(void **state)
{
	struct fixture *fix = *state;

	fix->address = "127.0.0.1";
	follow(fix,
	       ZONE("west", "Stale") INGRESS("w", "west",
					     ", advertisedAddress: west.example.org, "
					     "advertisedPort: %u"));
	turn(fix, 1);
	assert_string_equal(found(fix), "west+");
	fix->address = "127.0.0.2";
	close(fix->listener);
	fix->listener = -1;
	turn(fix, 1);
	assert_string_equal(found(fix), "west-");
}

/* Nothing to try is no verdict; neither is a name without an address, nor the own zone.
 */
static void what_is_not_tried(void **state)
{
	struct fixture *fix = *state;

	follow(fix,
	       ZONE("east", "Offline") INGRESS("e", "east", AT("1")) ZONE("named",
									  "Offline")
		       INGRESS("n", "named",
			       ", advertisedAddress: west.example.org, advertisedPort: 1")
			       ZONE("hidden", "Offline") INGRESS("h", "hidden", "")
				       ZONE("empty", "Offline") ZONE("last", "Stale")
					       INGRESS("l", "last", AT("1")));
	turn(fix, 1);
	assert_string_equal(found(fix), "last-");
	assert_int_equal(views(fix), 0);
}

/* More ingresses than are tried. */
static void many_ingresses(void **state)
{
	struct fixture *fix = *state;
	struct zl_buf yaml = { 0 };

	zl_buf_str(&yaml, ZONE("west", "Stale"));
	for (unsigned i = 0; i < 20; i++)
		zl_buf_format(&yaml,
			      "{type: ZoneIngress, name: w%02u, zone: west, networking: "
			      "{address: 10.0.0.1, port: 1, advertisedAddress: "
			      "127.0.0.1, advertisedPort: %u}}\n---\n",
			      i, i + 1);
	follow(fix, yaml.data);
	turn(fix, 1);
	assert_string_equal(found(fix), "west-");
	zl_buf_free(&yaml);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_zone_that_answers_and_stops),
		TEST(one_ingress_is_enough),
		TEST(an_ingress_with_a_name),
		TEST(what_is_not_tried),
		TEST(many_ingresses),
	};
	return cmocka_run_group_tests_name("zone_liveness/prober", tests, NULL, NULL);
}
