/* What is written for Timeout, Retry, HealthCheck, CircuitBreaker, TrafficLog and
 * TrafficPermission, and what is said of those that stay. */
#include "support/world.h"

#include "convert/policies.h"

#define ALL "{kuma.io/service: '*'}"
#define WEB "{kuma.io/service: web}"
#define BACKEND "{kuma.io/service: backend}"
#define OLD(type, name, source, destination, conf)                        \
	"---\n{type: " type ", name: " name ", sources: [{match: " source \
	"}], destinations: [{match: " destination "}], conf: {" conf "}}\n"
#define TIMEOUT(name, conf) OLD("Timeout", name, WEB, BACKEND, conf)
#define LOGGING                                                                      \
	"---\n{type: Mesh, name: default, logging: {defaultBackend: f, backends: "   \
	"[{name: f, type: file, conf: {path: /l}}, {name: t, type: tcp, format: a, " \
	"conf: {address: 'logs:1'}}]}}\n"

#define DOC(type, name, spec)                                         \
	"{\"mesh\":\"default\",\"name\":\"" name "\",\"spec\":{" spec \
	"},\"type\":\"" type "\"}\n"
#define OF_WEB \
	"\"targetRef\":{\"kind\":\"MeshSubset\",\"tags\":{\"kuma.io/service\":\"web\"}}"
#define OF_MESH "\"targetRef\":{\"kind\":\"Mesh\"}"
#define TO_BACKEND(conf)               \
	",\"to\":[{\"default\":{" conf \
	"},\"targetRef\":{\"kind\":\"MeshService\",\"name\":\"backend\"}}]"

/* Canonical JSON of what is written and all notes, a line each. */
static void expect(const char *yaml, const char *text)
{
	struct world world = world_of(yaml, "", NULL);
	struct policy_conversion conversion = convert_policies(world.set, world.arena);
	struct zl_buf made = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < conversion.count; i++)
		zl_buf_format(&made, "%s\n", conversion.policies[i].made->json);
	for (size_t i = 0; i < conversion.note_count; i++) {
		const struct policy_note *note = &conversion.notes[i];
		zl_buf_format(&made, "%s%s: %s\n", note->kept ? "kept: " : "",
			      note->policy->key.name, note->text);
		kept += note->kept;
	}
	assert_int_equal(kept, conversion.kept_count);
	assert_string_equal(zl_buf_text(&made), text);
	zl_buf_free(&made);
	policy_conversion_drop(&conversion);
	world_end(&world);
}

static void each_kind_has_its_new_one(void **state)
{
	(void)state;
	expect(TIMEOUT("t", "connectTimeout: 5s, tcp: {idleTimeout: 1h}, http: "
			    "{idleTimeout: 1h, requestTimeout: 9s}"),
	       DOC("MeshTimeout", "t",
		   OF_WEB TO_BACKEND(
			   "\"connectionTimeout\":\"5s\",\"http\":{"
			   "\"requestTimeout\":\"9s\"},\"idleTimeout\":\"1h\"")));
	expect(OLD("Retry", "r", ALL, ALL,
		   "tcp: {maxConnectAttempts: 3}, http: {retriableStatusCodes: [503]}, "
		   "grpc: {numRetries: 2}"),
	       DOC("MeshRetry", "r",
		   OF_MESH
		   ",\"to\":[{\"default\":{\"grpc\":{\"numRetries\":2},\"http\":{"
		   "\"retryOn\":[\"GatewayError\",\"ConnectFailure\",\"RefusedStream\","
		   "\"503\"]},\"tcp\":{\"maxConnectAttempt\":3}},\"targetRef\":{"
		   "\"kind\":\"Mesh\"}}]"));
	expect(OLD("HealthCheck", "h", WEB, BACKEND,
		   "interval: 9s, timeout: 2s, unhealthyThreshold: 3, healthyThreshold: "
		   "1, healthyPanicThreshold: 0.5, tcp: {send: Zm9v}"),
	       DOC("MeshHealthCheck", "h",
		   OF_WEB TO_BACKEND(
			   "\"grpc\":{\"disabled\":true},\"healthyPanicThreshold\":\"0."
			   "5\",\"healthyThreshold\":1,\"http\":{\"disabled\":true},"
			   "\"interval\":\"9s\",\"tcp\":{\"send\":\"Zm9v\"},"
			   "\"timeout\":\"2s\",\"unhealthyThreshold\":3")));
	expect(OLD("CircuitBreaker", "c", WEB, BACKEND,
		   "detectors: {totalErrors: {}, standardDeviation: {}}, thresholds: "
		   "{maxConnections: 2}"),
	       DOC("MeshCircuitBreaker", "c",
		   OF_WEB TO_BACKEND(
			   "\"connectionLimits\":{\"maxConnections\":2},"
			   "\"outlierDetection\":{\"detectors\":{\"successRate\":{},"
			   "\"totalFailures\":{\"consecutive\":5}}}")));
	expect(LOGGING OLD("TrafficLog", "l", WEB, BACKEND, "backend: t"),
	       DOC("MeshAccessLog", "l",
		   OF_WEB TO_BACKEND(
			   "\"backends\":[{\"tcp\":{\"address\":\"logs:1\",\"format\":{"
			   "\"plain\":\"a\",\"type\":\"Plain\"}},\"type\":\"Tcp\"}]")));
	expect(LOGGING OLD("TrafficLog", "l", WEB, BACKEND, ""),
	       DOC("MeshAccessLog", "l",
		   OF_WEB TO_BACKEND("\"backends\":[{\"file\":{\"path\":\"/"
				     "l\"},\"type\":\"File\"}]")));
}

static void permissions_are_at_the_destination(void **state)
{
#define FROM(ref) "{\"default\":{\"action\":\"Allow\"},\"targetRef\":" ref "}"
	(void)state;
	expect("---\n{type: TrafficPermission, name: p, sources: [{match: " ALL
	       "}, {match: {kuma.io/service: web, version: v1}}], destinations: "
	       "[{match: " BACKEND "}, {match: " ALL "}]}\n",
	       DOC("MeshTrafficPermission", "p-1",
		   "\"from\":[" FROM("{\"kind\":\"Mesh\"}") "," FROM(
			   "{\"kind\":\"MeshSubset\",\"tags\":{\"kuma.io/"
			   "service\":\"web\",\"version\":\"v1\"}}") "],"
								     "\"targetRef\":{"
								     "\"kind\":"
								     "\"MeshSubset\","
								     "\"tags\":{\"kuma."
								     "io/"
								     "service\":"
								     "\"backend\"}}")
		       DOC("MeshTrafficPermission", "p-2",
			   "\"from\":[" FROM("{\"kind\":\"Mesh\"}") "," FROM(
				   "{\"kind\":"
				   "\"MeshSubset\","
				   "\"tags\":{\"kuma.io/"
				   "service\":\"web\","
				   "\"version\":\"v1\"}"
				   "}") "]," OF_MESH));
}

static void what_is_not_in_effect_stays_so(void **state)
{
	(void)state;
	expect("---\n{type: TrafficPermission, name: p, labels: {kuma.io/effect: "
	       "shadow}, "
	       "sources: [{match: " ALL "}], destinations: [{match: " ALL "}]}\n",
	       "{\"labels\":{\"kuma.io/effect\":\"shadow\"},\"mesh\":\"default\","
	       "\"name\":\"p\",\"spec\":{\"from\":[" FROM(
		       "{\"kind\":\"Mesh\"}") "]," OF_MESH
					      "},\"type\":\"MeshTrafficPermission\"}\n");
}

static void several_sources_are_numbered(void **state)
{
	(void)state;
	expect("---\n{type: Timeout, name: t, sources: [{match: " WEB "}, {match: " ALL
	       "}], destinations: [{match: " BACKEND "}, {match: " ALL
	       "}], conf: {connectTimeout: 5s}}\n",
#define BOTH                                                                   \
	",\"to\":[{\"default\":{\"connectionTimeout\":\"5s\"},\"targetRef\":{" \
	"\"kind\":\"MeshService\",\"name\":\"backend\"}},{\"default\":{"       \
	"\"connectionTimeout\":\"5s\"},\"targetRef\":{\"kind\":\"Mesh\"}}]"
	       DOC("MeshTimeout", "t-1", OF_WEB BOTH)
		       DOC("MeshTimeout", "t-2", OF_MESH BOTH));
}

static void what_cannot_be_said_stays(void **state)
{
	(void)state;
	expect(TIMEOUT("t", "tcp: {idleTimeout: 1s}, http: {idleTimeout: 2s}"),
	       "kept: t: conf.tcp.idleTimeout and conf.http.idleTimeout differ, and a "
	       "MeshTimeout has one idleTimeout: write two policies for the destinations "
	       "of each protocol\n");
	expect(TIMEOUT("t", "http: {streamIdleTimeout: 1s}, grpc: {streamIdleTimeout: "
			    "2s}"),
	       "kept: t: conf.http.streamIdleTimeout and conf.grpc.streamIdleTimeout "
	       "differ, and a MeshTimeout has one: write two policies for the "
	       "destinations of each protocol\n");
	expect(OLD("TrafficLog", "l", WEB, BACKEND, "backend: t"),
	       "kept: l: no Mesh \"default\" with a backend \"t\" in logging.backends is "
	       "among the documents\n");
	expect(OLD("TrafficLog", "l", WEB, BACKEND, ""),
	       "kept: l: it names no backend, and no Mesh \"default\" with "
	       "logging.defaultBackend is among the documents\n");
	expect(OLD("CircuitBreaker", "c", WEB, BACKEND, "thresholds: {maxRetries: 0}"),
	       "kept: c: no MeshCircuitBreaker can say it: "
	       "spec.to[0].default.connectionLimits.maxRetries must be greater than 0\n");
	expect("---\n{type: MeshTimeout, name: t, spec: {to: [{targetRef: {kind: Mesh}, "
	       "default: {idleTimeout: 1s}}]}}\n" TIMEOUT("t", "connectTimeout: 5s"),
	       "kept: t: there is a MeshTimeout \"t\" already\n");
	expect("---\n{type: Retry, name: r, sources: [{match: " WEB
	       "}, {match: {kuma.io/service: other}}], destinations: [{match: " BACKEND
	       "}], conf: {tcp: {maxConnectAttempts: 3}}}\n" OLD(
		       "Retry", "r-2", "{kuma.io/service: third}", BACKEND,
		       "tcp: {maxConnectAttempts: 3}"),
	       DOC("MeshRetry", "r-1",
		   OF_WEB TO_BACKEND("\"tcp\":{\"maxConnectAttempt\":3}"))
		       DOC("MeshRetry", "r-2",
			   "\"targetRef\":{\"kind\":\"MeshSubset\",\"tags\":{\"kuma.io/"
			   "service\":\"other\"}}" TO_BACKEND(
				   "\"tcp\":{\"maxConnectAttempt\":3}")) "kept: r-2: its "
									 "document would "
									 "be called "
									 "\"r-2\", as "
									 "one of Retry "
									 "\"r\": "
									 "rename one of "
									 "the two\n");
}

static void what_says_more_than_before_is_noted(void **state)
{
	(void)state;
	expect(TIMEOUT("t", "tcp: {idleTimeout: 1s}, grpc: {maxStreamDuration: 2s}"),
	       DOC("MeshTimeout", "t",
		   OF_WEB TO_BACKEND(
			   "\"http\":{\"maxStreamDuration\":\"2s\"},"
			   "\"idleTimeout\":\"1s\"")) "t: idleTimeout, which was of tcp, "
						      "is now of http too\n"
						      "t: maxStreamDuration, which was "
						      "of grpc, is now of http and http2 "
						      "too\n");
	expect(TIMEOUT("t", "http: {idleTimeout: 1s}"),
	       DOC("MeshTimeout", "t",
		   OF_WEB TO_BACKEND(
			   "\"idleTimeout\":\"1s\"")) "t: idleTimeout, which was of "
						      "http, is now of tcp too\n");
}

static void policies_about_the_same_are_noted(void **state)
{
#define RETRY(name, source, destination) \
	OLD("Retry", name, source, destination, "tcp: {maxConnectAttempts: 3}")
#define RIVAL                                                                        \
	"a: Retry \"b\" may be about the same connections: of the two one counted, " \
	"with more tags or the smaller name; what is written for them is merged "    \
	"field by field\n"
#define ATTEMPTS(ref)                                                                  \
	",\"to\":[{\"default\":{\"tcp\":{\"maxConnectAttempt\":3}},\"targetRef\":" ref \
	"}]"
	(void)state;
	expect(RETRY("a", WEB, BACKEND) RETRY("b", ALL, ALL),
	       DOC("MeshRetry", "a",
		   OF_WEB ATTEMPTS("{\"kind\":\"MeshService\",\"name\":\"backend\"}"))
		       DOC("MeshRetry", "b", OF_MESH ATTEMPTS("{\"kind\":\"Mesh\"}"))
			       RIVAL);
	expect(RETRY("a", WEB, BACKEND) RETRY("b", ALL, WEB),
	       DOC("MeshRetry", "a",
		   OF_WEB ATTEMPTS("{\"kind\":\"MeshService\",\"name\":\"backend\"}"))
		       DOC("MeshRetry", "b",
			   OF_MESH ATTEMPTS(
				   "{\"kind\":\"MeshService\",\"name\":\"web\"}")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_new_one),
		cmocka_unit_test(permissions_are_at_the_destination),
		cmocka_unit_test(what_is_not_in_effect_stays_so),
		cmocka_unit_test(several_sources_are_numbered),
		cmocka_unit_test(what_cannot_be_said_stays),
		cmocka_unit_test(what_says_more_than_before_is_noted),
		cmocka_unit_test(policies_about_the_same_are_noted),
	};
	return cmocka_run_group_tests_name("convert/policies", tests, NULL, NULL);
}
