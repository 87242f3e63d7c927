/* What is counted for which split, when a window is closed, and what is told of it. */
#include "zone/observed/observed.h"

#include "model/read.h"
#include "model/tree.h"
#include "support/test.h"

#include <string.h>

enum { S = 1000, BEGIN = 1000 * S };

static const struct endpoint ENDPOINT = { .address = "10.0.0.1", .port = 80 };
static const struct resource WEB = {
	.key = { .kind = KIND_DATAPLANE, .mesh = "default", .name = "web" }
};

static struct backend backend(const char *cluster, uint64_t weight)
{
	return (struct backend){ .name = cluster,
				 .ns = "",
				 .cluster = cluster,
				 .weight = weight,
				 .resolved = true,
				 .endpoints = &ENDPOINT,
				 .endpoint_count = 1 };
}

/* What a proxy is to have: outbounds from port 10001 on, with two backends each. */
struct plan {
	struct backend backends[2][2];
	struct outbound_route outbounds[2];
	struct routes routes;
};

static struct outbound_route outbound(uint32_t port, const struct backend *backends)
{
	struct outbound_route route = { .address = "127.0.0.1",
					.port = port,
					.backends = backends,
					.backend_count = 2 };

	route.destination.name = port == 10001 ? "backend" : "other";
	return route;
}

static void plan(struct plan *plan, uint64_t a, uint64_t b)
{
	memset(plan, 0, sizeof(*plan));
	plan->backends[0][0] = backend("a", a);
	plan->backends[0][1] = backend("b", b);
	plan->outbounds[0] = outbound(10001, plan->backends[0]);
	plan->routes = (struct routes){ .proxy = &WEB,
					.outbounds = plan->outbounds,
					.outbound_count = 1 };
}

/* The same with a second outbound, to two clusters. */
static void plan_two(struct plan *to, const char *first, const char *second)
{
	plan(to, 70, 30);
	to->backends[1][0] = backend(first, 50);
	to->backends[1][1] = backend(second, 50);
	to->outbounds[1] = outbound(10002, to->backends[1]);
	to->routes.outbound_count = 2;
}

struct stage {
	struct observed *observed;
	struct zl_arena *arena;
	uint64_t now, number;
};

static void stage_open(struct stage *stage)
{
	*stage = (struct stage){ observed_new(), zl_arena_new(), BEGIN, 0 };
}

static void stage_close(struct stage *stage)
{
	observed_free(&stage->observed);
	zl_arena_free(&stage->arena);
}

static void want(struct stage *stage, const char *proxy, const struct plan *plan)
{
	observed_want(stage->observed, proxy, &plan->routes, ++stage->number);
}

static void ack(struct stage *stage, const char *proxy)
{
	observed_acked(stage->observed, proxy, stage->number);
}

/* Two seconds later it reports this. */
static void report(struct stage *stage, const char *proxy, uint64_t a, uint64_t b)
{
	const struct xds_load loads[] = {
		{ .cluster = "a", .issued = a, .in_progress = 6 },
		{ .cluster = "b", .issued = b },
		{ .cluster = "zonelink/ads", .issued = 1 }
	};

	stage->now += 2 * S;
	observed_report(stage->observed, proxy, loads, 3, stage->now);
}

static const struct observed_split *see(struct stage *stage, const char *proxy)
{
	size_t count;
	const struct observed_split *list =
		observed_splits(stage->observed, proxy, stage->now, stage->arena, &count);

	return count > 0 ? list : NULL;
}

/* A proxy whose split is in force and whose report of before was left out. */
static void begin(struct stage *stage, const char *proxy, struct plan *to, uint64_t a,
		  uint64_t b)
{
	plan(to, a, b);
	want(stage, proxy, to);
	ack(stage, proxy);
	report(stage, proxy, 0, 0);
}

static bool is_near(double value, double wanted)
{
	return value > wanted - 0.0005 && value < wanted + 0.0005;
}

static void a_split_is_shown_beside_what_was_asked(void **state)
{
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	assert_null(see(&stage, "default.web"));
	begin(&stage, "default.web", &to, 7, 3);
	report(&stage, "default.web", 700, 300);
	const struct observed_split *split = see(&stage, "default.web");
	assert_string_equal(split->outbound, "127.0.0.1:10001");
	assert_string_equal(split->destination, "backend");
	assert_int_equal(split->total, 1000);
	assert_int_equal(split->backends[0].connections, 700);
	assert_int_equal(split->backends[0].open, 6);
	assert_true(is_near(split->backends[0].share, 0.7));
	assert_true(is_near(split->backends[0].expected, 0.7));
	assert_true(is_near(split->backends[0].low, 0.652));
	assert_true(is_near(split->backends[0].high, 0.747));
	assert_true(split->backends[0].ok);
	assert_int_equal(split->since_ms, BEGIN + 2 * S);
	stage_close(&stage);
}

static void what_was_before_the_acknowledgement_is_left_out(void **state)
{
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web", &to, 7, 3);
	report(&stage, "default.web", 700, 300);
	plan(&to, 1, 9);
	want(&stage, "default.web", &to);
	assert_true(see(&stage, "default.web")->pending);
	report(&stage, "default.web", 10, 90); /* under way: of either */
	assert_int_equal(see(&stage, "default.web")->total, 1000);
	ack(&stage, "default.web");
	assert_false(see(&stage, "default.web")->pending);
	assert_int_equal(see(&stage, "default.web")->total, 0);
	assert_int_equal(see(&stage, "default.web")->since_ms, 0);
	report(&stage, "default.web", 50, 50); /* the interval of the acknowledgement */
	assert_int_equal(see(&stage, "default.web")->total, 0);
	report(&stage, "default.web", 9, 91);
	const struct observed_split *split = see(&stage, "default.web");
	assert_int_equal(split->total, 100);
	assert_true(is_near(split->backends[0].expected, 0.1));
	assert_int_equal(split->since_ms, stage.now - 2 * S);
	stage_close(&stage);
}

static void another_outbound_keeps_its_window(void **state)
{
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web", &to, 70, 30);
	report(&stage, "default.web", 70, 30);
	plan_two(&to, "c", "d");
	want(&stage, "default.web", &to);
	assert_false(see(&stage, "default.web")->pending);
	report(&stage, "default.web", 70, 30);
	ack(&stage, "default.web");
	report(&stage, "default.web", 70, 30);
	const struct observed_split *splits = see(&stage, "default.web");
	assert_int_equal(splits[0].total, 300);
	assert_int_equal(splits[1].total, 0);
	/* The same again is no change; neither is what another push brings. */
	want(&stage, "default.web", &to);
	ack(&stage, "default.web");
	assert_int_equal(see(&stage, "default.web")[0].total, 300);
	stage_close(&stage);
}

static void what_cannot_be_observed_says_why(void **state)
{
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	plan_two(&to, "b", "gone");
	to.backends[1][1].resolved = false;
	want(&stage, "default.web", &to);
	ack(&stage, "default.web");
	report(&stage, "default.web", 0, 0);
	report(&stage, "default.web", 70, 30);
	const struct observed_split *splits = see(&stage, "default.web");
	assert_int_equal(splits[0].backends[1].why, OBSERVED_SHARED);
	assert_string_equal(splits[0].backends[1].other, "127.0.0.1:10002");
	assert_int_equal(splits[0].backends[1].connections, 30);
	assert_int_equal(splits[0].total, 70);
	assert_true(is_near(splits[0].backends[0].expected, 1));
	assert_string_equal(splits[1].backends[0].other, "127.0.0.1:10001");
	assert_int_equal(splits[1].backends[1].why, OBSERVED_BLACKHOLE);
	plan(&to, 70, 30);
	to.backends[0][1].endpoint_count = 0;
	want(&stage, "default.web", &to);
	ack(&stage, "default.web");
	assert_int_equal(see(&stage, "default.web")->backends[1].why,
			 OBSERVED_NO_ENDPOINTS);
	stage_close(&stage);
}

static void a_warning_takes_two_windows_in_a_row(void **state)
{
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web", &to, 67, 33);
	for (int i = 0; i < 5; i++) /* the first bucket */
		report(&stage, "default.web", 24, 0);
	assert_false(see(&stage, "default.web")->backends[0].ok);
	assert_string_equal(see(&stage, "default.web")->warning, "");
	for (int i = 0; i < 5; i++)
		report(&stage, "default.web", 60, 0);
	assert_string_equal(see(&stage, "default.web")->warning,
			    "backend \"a\": observed 100 % of 240 connections, "
			    "configured 67 %");
	for (int i = 0; i < 6; i++)
		report(&stage, "default.web", 67, 33);
	assert_string_equal(see(&stage, "default.web")->warning, "");
	stage_close(&stage);
}

static void few_connections_are_not_judged(void **state)
{
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web", &to, 67, 33);
	for (int i = 0; i < 11; i++) { /* 99 */
		for (int j = 0; j < 4; j++)
			report(&stage, "default.web", 0, 0);
		report(&stage, "default.web", 9, 0);
	}
	assert_true(see(&stage, "default.web")->backends[0].ok);
	assert_string_equal(see(&stage, "default.web")->warning, "");
	stage_close(&stage);
}

static void ten_minutes_are_kept(void **state)
{
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web", &to, 7, 3);
	report(&stage, "default.web", 700, 300);
	stage.now += 300 * S;
	report(&stage, "default.web", 7, 3);
	assert_int_equal(see(&stage, "default.web")->total, 1010);
	stage.now += 299 * S;
	assert_int_equal(see(&stage, "default.web")->total, 10);
	assert_true(see(&stage, "default.web")->since_ms > BEGIN + 2 * S);
	report(&stage, "default.web", 1, 0);
	assert_int_equal(see(&stage, "default.web")->total, 11);
	stage.now += 3600 * S;
	assert_int_equal(see(&stage, "default.web")->total, 0);
	report(&stage, "default.web", 1, 0);
	assert_int_equal(see(&stage, "default.web")->total, 1);
	stage_close(&stage);
}

static void sums_are_of_equal_weights(void **state)
{
	struct stage stage;
	struct plan to;
	size_t count;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web-1", &to, 7, 3);
	begin(&stage, "default.web-2", &to, 7, 3);
	begin(&stage, "default.web-3", &to, 5, 5);
	begin(&stage, "default.web-4", &to, 7, 3);
	plan(&to, 1, 1);
	want(&stage, "default.web-4", &to); /* not acknowledged */
	for (int i = 1; i <= 4; i++) {
		char proxy[] = "default.web-0";
		proxy[12] = (char)('0' + i);
		report(&stage, proxy, 70, 30);
	}
	const struct observed_sum *sums =
		observed_sums(stage.observed, "default", stage.now, stage.arena, &count);
	assert_int_equal(count, 2);
	assert_int_equal(sums[0].split.backends[0].weight, 5);
	assert_int_equal(sums[0].split.total, 100);
	assert_int_equal(sums[1].proxies, 2);
	assert_int_equal(sums[1].pending, 1);
	assert_int_equal(sums[1].split.total, 200);
	assert_true(is_near(sums[1].split.backends[0].share, 0.7));
	(void)observed_sums(stage.observed, "none", stage.now, stage.arena, &count);
	assert_int_equal(count, 0);
	const struct observed_total *totals =
		observed_totals(stage.observed, stage.arena, &count);
	assert_int_equal(count, 2);
	assert_string_equal(totals[0].backend, "a");
	assert_int_equal(totals[0].connections, 280); /* also what no window has */
	observed_forget(stage.observed, "default.web-1");
	assert_null(see(&stage, "default.web-1"));
	stage_close(&stage);
}

static void it_is_put_beside_each_backend(void **state)
{
	struct stage stage;
	struct plan to;
	struct zl_buf out = { 0 };
	struct tree *answer;
	size_t count;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web", &to, 7, 3);
	report(&stage, "default.web", 700, 300);
	const struct observed_split *splits = observed_splits(
		stage.observed, "default.web", stage.now, stage.arena, &count);
	static const char JSON[] =
		"{\"proxies\":[{\"outbounds\":[{\"address\":\"127.0.0.1\",\"port\":10001,"
		"\"backends\":[{\"weight\":7,\"cluster\":\"a\"},"
		"{\"weight\":0}]}]}],\"warnings\":[]}";
	assert_int_equal(read_json(JSON, strlen(JSON), stage.arena, &answer, NULL),
			 ZL_OK);
	observed_put(stage.arena, answer, splits, count, false, stage.now,
		     stage.now * 1000);
	tree_json(answer, &out); /* by key */
	assert_string_equal(
		zl_buf_text(&out),
		"{\"proxies\":[{\"outbounds\":[{\"address\":\"127.0.0.1\","
		"\"backends\":[{\"cluster\":\"a\",\"observed\":{"
		"\"connections\":700,\"expected\":0.7,\"interval\":[0.652,0.747],"
		"\"ok\":true,\"open\":6,\"share\":0.7,"
		"\"since\":\"1970-01-01T00:16:42.000000Z\"},\"weight\":7},"
		"{\"weight\":0}],\"port\":10001}]}],\"warnings\":[]}");
	out.len = 0;
	observed_text(splits, count, false, stage.now, &out);
	assert_non_null(strstr(zl_buf_text(&out),
			       "a, weight 7: 700 connections (70.0 %, configured 70.0 %, "
			       "by chance 65.2 to 74.7 %), 6 open\n"));
	zl_buf_free(&out);
	stage_close(&stage);
}

static void endpoints_are_added_up(void **state)
{
	const struct xds_endpoint_load of[] = {
		{ .address = "10.0.0.1", .port = 80, .issued = 5, .in_progress = 2 }
	};
	const struct xds_load load = {
		.cluster = "a", .issued = 5, .endpoints = of, .endpoint_count = 1
	};
	struct stage stage;
	struct plan to;

	(void)state;
	stage_open(&stage);
	begin(&stage, "default.web", &to, 7, 3);
	for (int i = 0; i < 3; i++)
		observed_report(stage.observed, "default.web", &load, 1, stage.now);
	const struct observed_backend *seen = see(&stage, "default.web")->backends;
	assert_int_equal(seen->endpoint_count, 1);
	assert_string_equal(seen->endpoints[0].address, "10.0.0.1");
	assert_int_equal(seen->endpoints[0].connections, 15);
	assert_int_equal(seen->endpoints[0].open, 2);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_split_is_shown_beside_what_was_asked),
		cmocka_unit_test(what_was_before_the_acknowledgement_is_left_out),
		cmocka_unit_test(another_outbound_keeps_its_window),
		cmocka_unit_test(what_cannot_be_observed_says_why),
		cmocka_unit_test(a_warning_takes_two_windows_in_a_row),
		cmocka_unit_test(few_connections_are_not_judged),
		cmocka_unit_test(ten_minutes_are_kept),
		cmocka_unit_test(sums_are_of_equal_weights),
		cmocka_unit_test(it_is_put_beside_each_backend),
		cmocka_unit_test(endpoints_are_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
