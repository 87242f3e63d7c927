/* Where a proxy may have its access logs written to. */
#include "support/test.h"

#include "zone/proxies/receivers.h"

#include <stdio.h>

/* Routes with one outbound, or inbound, that logs to address. */
struct plan {
	struct log_backend backend;
	struct log_conf conf;
	struct settings settings;
	struct outbound_route outbound;
	struct inbound_route inbound;
	struct listener_route listener;
	struct routes routes;
};

static void plan(struct plan *plan, enum log_type type, const char *address)
{
	*plan = (struct plan){ .backend = { .type = type, .address = address } };
	plan->conf = (struct log_conf){ true, &plan->backend, 1 };
	plan->settings.log = &plan->conf;
	plan->routes = (struct routes){ .outbounds = &plan->outbound,
					.outbound_count = 1,
					.inbounds = &plan->inbound,
					.inbound_count = 1,
					.listeners = &plan->listener,
					.listener_count = 1 };
}

static void only_what_policies_name(void **state)
{
	struct zl_buf receivers = { 0 };
	struct plan of;

	(void)state;
	assert_false(receivers_has(&receivers, "a:1"));
	plan(&of, LOG_TCP, "a:1");
	receivers_allow(&receivers, &of.routes);
	assert_false(receivers_has(&receivers, "a:1")); /* nothing has these settings */
	of.outbound.settings = &of.settings;
	receivers_allow(&receivers, &of.routes);
	plan(&of, LOG_TCP, "b:2");
	of.inbound.settings = &of.settings;
	receivers_allow(&receivers, &of.routes);
	plan(&of, LOG_TCP, "c:3");
	of.listener.settings = &of.settings;
	receivers_allow(&receivers, &of.routes);
	plan(&of, LOG_OPEN_TELEMETRY, "d:4");
	of.outbound.settings = &of.settings;
	receivers_allow(&receivers, &of.routes);
	assert_true(receivers_has(&receivers, "a:1"));
	assert_true(receivers_has(&receivers, "b:2"));
	assert_true(receivers_has(&receivers, "c:3"));
	assert_false(receivers_has(&receivers, "d:4"));
	assert_false(receivers_has(&receivers, "a:10"));
	assert_false(receivers_has(&receivers, ""));
	zl_buf_free(&receivers);
}

static void the_oldest_go(void **state)
{
	struct zl_buf receivers = { 0 };
	struct plan of;
	char address[32] = "";

	(void)state;
	plan(&of, LOG_TCP, address);
	of.outbound.settings = &of.settings;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(address, sizeof(address), "receiver:%d", i);
		receivers_allow(&receivers, &of.routes);
		receivers_allow(&receivers, &of.routes);
	}
	assert_true(receivers.len <= 16 * 1024);
	assert_true(receivers_has(&receivers, "receiver:4999"));
	assert_true(receivers_has(&receivers, "receiver:4500"));
	assert_false(receivers_has(&receivers, "receiver:0"));
	zl_buf_free(&receivers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_policies_name),
		cmocka_unit_test(the_oldest_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
