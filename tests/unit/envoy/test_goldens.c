/* The scenarios of the specification, as whole configs. */
#include "sample.h"

static void one_outbound_without_a_policy(void **state)
{
	(void)state;
	sample_golden(
		CONFIG(OUTBOUND(10001, "backend", TO("backend", "backend", 1, EU, US))),
		"basic-no-policies");
}

static void split_over_subsets_and_another_service(void **state)
{
	(void)state;
	sample_golden(CONFIG(OUTBOUND(10001, "backend", TO("backend", BACKEND_EU, 40, EU),
				      TO("backend", BACKEND_US, 15, US),
				      TO("other-backend", "other-backend", 15, OTHER))),
		      "split-traffic");
}

static void redirect_shares_the_cluster(void **state)
{
	(void)state;
	sample_golden(CONFIG(OUTBOUND(10001, "backend",
				      TO("tcp-backend", "tcp-backend", 1, TCP)),
			     OUTBOUND(10002, "tcp-backend",
				      TO("tcp-backend", "tcp-backend", 1, TCP))),
		      "redirect-traffic");
}

/* One outbound a case: 0 dropped, one left, all 0, doubles, some and all unresolved. */
static void weights(void **state)
{
	struct outbound_route outbounds[] = {
		OUTBOUND(10001, "zero", TO("backend", BACKEND_EU, 9, EU),
			 UNRESOLVED("weight-0", 0), TO("backend", BACKEND_US, 1, US)),
		OUTBOUND(10002, "one-left", UNRESOLVED("weight-0", 0),
			 TO("backend", BACKEND_US, 10, US)),
		OUTBOUND(10003, "all-zero", UNRESOLVED("weight-0", 0)),
		OUTBOUND(10004, "doubles", TO("backend", BACKEND_US, 3, US),
			 TO("backend", BACKEND_EU, 10, EU),
			 TO("backend", BACKEND_US, 4, US)),
		OUTBOUND(10005, "some", TO("backend", BACKEND_EU, 90, EU),
			 UNRESOLVED("gone", 7), UNRESOLVED("gone-too", 3)),
		OUTBOUND(10006, "all", UNRESOLVED("gone", 90),
			 UNRESOLVED("gone-too", 10)),
		OUTBOUND(10007, "renormalise", TO("backend", BACKEND_EU, 90, EU),
			 UNRESOLVED("gone", 7), TO("backend", BACKEND_US, 3, US)),
		OUTBOUND(10008, "renormalise-all", UNRESOLVED("gone", 7)),
		OUTBOUND(10009, "empty", TO_NOBODY("nobody", 5),
			 TO("backend", BACKEND_EU, 95, EU)),
		OUTBOUND(10010, "greatest", TO("backend", BACKEND_EU, UINT32_MAX - 1, EU),
			 TO("backend", BACKEND_US, 1, US)),
	};

	(void)state;
	outbounds[6].unresolved = UNRESOLVED_RENORMALISE;
	outbounds[7].unresolved = UNRESOLVED_RENORMALISE;
	sample_golden(sample_config(outbounds, ARRAY_LEN(outbounds)), "weights");
}

static void local_and_remote_endpoints(void **state)
{
#define IN_ZONE(zone_) LABELS({ TAG_SERVICE, "backend" }, { TAG_ZONE, zone_ })
	(void)state;
	sample_golden(
		CONFIG(OUTBOUND(
			10001, "backend",
			TO("backend", "backend", 1,
			   AT("west", "192.168.0.4", 8004, 2, 0, IN_ZONE("west")),
			   AT("west", "fd00::4", 8004, 2, 0, IN_ZONE("west")),
			   AT("east", "10.20.0.1", 10001, 3, 1, IN_ZONE("east")),
			   AT("east", "10.20.0.2", 10001, 3, 1, IN_ZONE("east")),
			   AT("south", "10.30.0.1", 10001, 4, 1, IN_ZONE("south"))))),
		"cross-zone");
}

static void inbounds(void **state)
{
	static const struct inbound INBOUNDS[] = {
		{ .address = "",
		  .port = 8080,
		  .service_address = "",
		  .service_port = 80 },
		{ .address = "", .port = 8081, .service_address = "" },
		{ .address = "",
		  .port = 8082,
		  .service_address = "127.0.0.1",
		  .service_port = 80 },
		{ .address = "192.168.0.11",
		  .port = 8083,
		  .service_address = "",
		  .service_port = 80,
		  .state = INBOUND_NOT_READY },
		{ .address = "",
		  .port = 8084,
		  .service_address = "",
		  .state = INBOUND_IGNORED },
		{ .address = "fd00::1",
		  .port = 8085,
		  .service_address = "::1",
		  .service_port = 80 },
		{ .address = "",
		  .port = 8086,
		  .service_address = "192.168.0.10",
		  .service_port = 80 },
		{ .address = "127.0.0.1", .port = 8087, .service_address = "" },
	};
	const struct labels tags = SERVICE("web");
	struct inbound tagged[ARRAY_LEN(INBOUNDS)];
	struct dataplane_spec spec = { .address = "192.168.0.10",
				       .advertised = "10.0.0.10",
				       .inbounds = tagged,
				       .inbound_count = ARRAY_LEN(tagged) };
	struct routes routes = { .proxy = sample_proxy(&spec), .zone = "east" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tagged); i++) {
		tagged[i] = INBOUNDS[i];
		tagged[i].tags = tags;
	}
	sample_golden(envoy_build_proxy(&routes, NULL), "inbounds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_outbound_without_a_policy),
		cmocka_unit_test(split_over_subsets_and_another_service),
		cmocka_unit_test(redirect_shares_the_cluster),
		cmocka_unit_test(weights),
		cmocka_unit_test(local_and_remote_endpoints),
		cmocka_unit_test(inbounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
