/* Files that an Envoy cannot open, and what it gets without them. */
#include "sample.h"

#include <string.h>

struct plan {
	struct log_backend logs[2];
	struct log_conf conf;
	struct health_conf health;
	struct settings settings;
	struct outbound_route outbound;
	struct backend backend;
	struct routes routes;
};

/* Access logs to these files, and events of checks; NULL: there is none. */
static void plan(struct plan *plan, const struct outbound_route *outbound,
		 const char *one, const char *other, const char *events)
{
	static const struct dataplane_spec SPEC = { .address = "192.168.0.1",
						    .advertised = "" };
	const char *const paths[] = { one, other };

	*plan = (struct plan){ .health = { .tcp = { .set = true, .send = "" },
					   .unhealthy = 3,
					   .healthy = 1,
					   .interval = { true, 1000 },
					   .timeout = { true, 1000 },
					   .event_log = events != NULL ? events : "" } };
	for (size_t i = 0; i < 2; i++)
		if (paths[i] != NULL)
			plan->logs[plan->conf.count++] = (struct log_backend){
				.type = LOG_FILE, .path = paths[i], .plain = ""
			};
	plan->conf.set = true;
	plan->conf.backends = plan->logs;
	plan->settings.log = &plan->conf;
	plan->settings.health = &plan->health;
	plan->outbound = *outbound;
	plan->backend = plan->outbound.backends[0];
	plan->backend.settings = plan->outbound.settings = &plan->settings;
	plan->outbound.backends = &plan->backend;
	plan->routes = (struct routes){ .proxy = sample_proxy(&SPEC),
					.zone = "east",
					.outbounds = &plan->outbound,
					.outbound_count = 1 };
}

/* True if both are the same resources; frees them. */
static bool are_same(struct envoy_config *one, struct envoy_config *other)
{
	bool same = true;

	for (int type = 0; type < ENVOY_TYPES; type++) {
		size_t count;
		size_t others;
		const struct envoy_resource *a =
			envoy_config_list(one, (enum envoy_type)type, &count);
		const struct envoy_resource *b =
			envoy_config_list(other, (enum envoy_type)type, &others);
		same = same && count == others;
		for (size_t i = 0; same && i < count; i++)
			same = strcmp(a[i].version, b[i].version) == 0;
	}
	envoy_config_drop(&one);
	envoy_config_drop(&other);
	return same;
}

/* What is muted is as if nobody had asked for it, and nothing else is. */
static void expect_muted(const char *path, const char *other, const char *events)
{
	const char *const paths[] = { path };
	const struct envoy_mute mute = { paths, 1 };
	struct plan loud;
	const struct outbound_route outbound =
		OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU));
	struct plan quiet;

	plan(&loud, &outbound, "/a/log", "/b/log", "/a/log");
	plan(&quiet, &outbound, NULL, other, events);
	assert_false(are_same(envoy_build_proxy(&loud.routes, NULL),
			      envoy_build_proxy(&quiet.routes, NULL)));
	assert_true(are_same(envoy_build_muted(&loud.routes, NULL, &mute),
			     envoy_build_proxy(&quiet.routes, NULL)));
}

static void a_file_is_left_out(void **state)
{
	(void)state;
	expect_muted("/a/log", "/b/log", NULL);
}

static void all_files_are_left_out(void **state)
{
	(void)state;
	expect_muted("", NULL, NULL);
}

static void another_file_changes_nothing(void **state)
{
	const char *const paths[] = { "/a" };
	const struct envoy_mute mute = { paths, 1 };
	struct plan loud;
	const struct outbound_route outbound =
		OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU));

	(void)state;
	plan(&loud, &outbound, "/a/log", "/b/log", "/a/log");
	assert_true(are_same(envoy_build_muted(&loud.routes, NULL, &mute),
			     envoy_build_proxy(&loud.routes, NULL)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_left_out),
		cmocka_unit_test(all_files_are_left_out),
		cmocka_unit_test(another_file_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
