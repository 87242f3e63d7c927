#include "east.h"

#include "support/test.h"

#include "model/tree.h"
#include "policy/attach.h"

#include <stdlib.h>
#include <string.h>

/* What policies that attach to routes come to for web of zone east, which has an outbound
 * to backend: its listener, its routes and its clusters, and the warnings about them. */

/* "Kind.field=value name#0", and where it comes from, of each field. */
static void add_settings(struct zl_buf *out, const char *place,
			 const struct settings *settings)
{
	if (settings == NULL)
		return;
	zl_buf_format(out, "%s:", place);
	for (size_t i = 0; i < settings->applied_count; i++) {
		const struct applied *at = &settings->applied[i];

		zl_buf_format(out, "%s %s.%s=", i > 0 ? "," : "",
			      kind_info(at->kind)->name + 4, at->field);
		tree_json(at->value, out);
		zl_buf_format(out, " %s#%zu", at->policy.policy->key.name, at->policy.to);
		if (at->source != SOURCE_DIRECT)
			zl_buf_format(out, " %s%s%s", setting_source_name(at->source),
				      at->from[0] == '\0' ? "" : " ", at->from);
	}
	zl_buf_char(out, '\n');
}

static void add_backends(struct zl_buf *out, const struct backend *backends, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_settings(out, backends[i].cluster, backends[i].settings);
}

static void add_outbound(struct zl_buf *out, const struct outbound_route *route)
{
	add_settings(out, "to", route->settings);
	if (route->owner != OWNER_HTTP_ROUTE)
		add_backends(out, route->backends, route->backend_count);
	for (size_t i = 0; route->owner == OWNER_HTTP_ROUTE && i < route->rule_count;
	     i++) {
		add_settings(out, "rule", route->rules[i].settings);
		add_backends(out, route->rules[i].backends,
			     route->rules[i].backend_count);
	}
}

/* Warnings about other things are other tests'. */
static bool is_ours(const char *warning)
{
	return strstr(warning, "has no endpoint") == NULL &&
	       strstr(warning, "hop through") == NULL &&
	       strstr(warning, "splits connections") == NULL;
}

static char *said_of(const struct routes *routes)
{
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < routes->outbound_count; i++)
		add_outbound(&out, &routes->outbounds[i]);
	for (size_t i = 0; i < routes->listener_count; i++) {
		add_settings(&out, "listener", routes->listeners[i].settings);
		add_backends(&out, routes->listeners[i].backends,
			     routes->listeners[i].backend_count);
	}
	for (size_t i = 0; i < routes->warning_count; i++)
		if (is_ours(routes->warnings[i]))
			zl_buf_format(&out, "! %s\n", routes->warnings[i]);
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

#define POLICY(kind, name, top, to)                                                 \
	"---\n{type: " kind ", name: " name ", spec: {targetRef: " top ", to: [" to \
	"]}}\n"
#define TO(target, conf) "{targetRef: " target ", default: {" conf "}}"
#define BACKEND "{kind: MeshService, name: backend}"
#define OTHER "{kind: MeshService, name: other}"
#define FAR "{kind: MeshService, name: far}"
#define TIMEOUT(name, target, conf) POLICY("MeshTimeout", name, MESH, TO(target, conf))
#define RETRY(name, target, conf) POLICY("MeshRetry", name, MESH, TO(target, conf))
#define HEALTH(name, target, conf) POLICY("MeshHealthCheck", name, MESH, TO(target, conf))
#define BREAKER(name, target, conf) \
	POLICY("MeshCircuitBreaker", name, MESH, TO(target, conf))
#define LOG(name, target, path)             \
	POLICY("MeshAccessLog", name, MESH, \
	       TO(target, "backends: [{type: File, file: {path: " path "}}]"))
#define OUTBOUNDS(list)                                                             \
	"---\n{type: Dataplane, name: web, labels: {app: web}, networking: "        \
	"{address: 9.9.9.9,\n"                                                      \
	"  inbound: [{port: 80, tags: {kuma.io/service: web}}], outbound: [\n" list \
	"]}}\n"
#define TO_TAG(port, service) "{port: " port ", tags: {kuma.io/service: " service "}}"
/* Listeners 80 to backend and 81 to far and other; MORE of them. */
#define EDGE(more)                                                                    \
	"---\n{type: Dataplane, name: web, networking: {address: 9.9.9.9, gateway: "  \
	"{type: BUILTIN, tags: {kuma.io/service: web}}}}\n"                           \
	"---\n{type: MeshGateway, name: edge, selectors: [{match: {kuma.io/service: " \
	"web}}], conf: {listeners: [{port: 80, protocol: TCP, tags: {name: one}}, "   \
	"{port: 81, protocol: TCP, tags: {name: two}}" more                           \
	"]}}\n" LISTENS("one", MS("backend", "1"))                                    \
		LISTENS("two", MS("far", "1") ", " MS("other", "1"))
#define LISTENS(name, refs)                                                          \
	"---\n{type: MeshTCPRoute, name: " name ", spec: {targetRef: {kind: "        \
	"MeshGateway, name: edge, tags: {name: " name "}}, to: [{targetRef: {kind: " \
	"Mesh}, rules: " LIST(refs) "}]}}\n"
#define HTTP(name)                                                                      \
	"---\n{type: MeshHTTPRoute, name: " name ", labels: {team: a}, spec: " ON_OTHER \
	"}\n"
#define HTTP_OF(name, ns)                                                     \
	"---\n{apiVersion: kuma.io/v1alpha1, kind: MeshHTTPRoute, metadata: " \
	"{name: " name ", namespace: " ns "}, spec: " ON_OTHER "}\n"
#define ON_OTHER                                                                  \
	"{to: [{targetRef: {kind: MeshService, name: other}, rules: [{matches: [" \
	"{path: {type: PathPrefix, value: /x}}], default: {}}]}]}"
#define TRAFFIC(service)                                                              \
	"---\n{type: TrafficRoute, name: r, sources: [{match: {kuma.io/service: '*'}" \
	"}], destinations: [{match: {kuma.io/service: " service "}}], conf: {split: " \
	"[{weight: 1, destination: {kuma.io/service: far}}, {weight: 1, "             \
	"destination: {kuma.io/service: '*'}}]}}\n"
#define OLD(kind, name, service, conf)                                                  \
	"---\n{type: " kind ", name: " name ", sources: [{match: {kuma.io/service: "    \
	"'*'}}], destinations: [{match: {kuma.io/service: " service "}}], conf: {" conf \
	"}}\n"
#define LOGGED                                                                       \
	"---\n{type: Mesh, name: default, logging: {defaultBackend: f, backends: [{" \
	"name: f, type: file, conf: {path: /x}}]}}\n"
#define DB2                                                                          \
	"---\n{type: MeshService, name: db, spec: {selector: {dataplaneTags: "       \
	"{kuma.io/service: backend}}, ports: [{port: 1, name: web, targetPort: 80, " \
	"appProtocol: tcp}, {port: 5432, name: sql, targetPort: 80, appProtocol: "   \
	"tcp}]}}\n" OUTBOUNDS(                                                       \
		"{port: 1, backendRef: {kind: MeshService, name: db, port: 1}}")
#define DB                                                                         \
	"---\n{type: MeshService, name: db, labels: {app: db}, spec: {selector: "  \
	"{dataplaneTags: {kuma.io/service: backend}}, ports: [{port: 5432, name: " \
	"sql, targetPort: 80, appProtocol: tcp}]}}\n" OUTBOUNDS(                   \
		"{port: 1, backendRef: {kind: MeshService, name: db, port: 5432}}")
#define EXTERNAL                                                                       \
	"---\n{type: MeshExternalService, name: ext, spec: {match: {type: "            \
	"HostnameGenerator, port: 9, protocol: tcp}, endpoints: [{address: 10.9.0.1, " \
	"port: 99}]}}\n"
#define MULTI                                                                    \
	"---\n{type: MeshMultiZoneService, name: all, spec: {selector: "         \
	"{meshService: {matchLabels: {app: db}}}, ports: [{port: 5432, "         \
	"appProtocol: tcp}]}}\n" OUTBOUNDS(                                      \
		"{port: 1, backendRef: {kind: MeshMultiZoneService, name: all, " \
		"port: 5432}}")
#define RPC                                                                         \
	"---\n{type: Dataplane, name: g, networking: {address: 1.1.1.9, inbound: [" \
	"{port: 80, tags: {kuma.io/service: rpc, kuma.io/protocol: grpc}}]}}\n"
#define M "! mesh \"default\": "

/* clang-format off */
static const struct {
	const char *why, *policies, *expected;
} CASES[] = {
	{ "nothing is said", "", "" },
	{ "of a destination that is its own backend", TIMEOUT("t", BACKEND, "connectionTimeout: 2s, idleTimeout: 30s"),
	  "to: Timeout.idleTimeout=\"30s\" t#0\n"
	  "backend: Timeout.connectionTimeout=\"2s\" t#0 own\n" },
	{ "of the mesh", TIMEOUT("t", MESH, "connectionTimeout: 2s, idleTimeout: 30s"),
	  "to: Timeout.idleTimeout=\"30s\" t#0\n"
	  "backend: Timeout.connectionTimeout=\"2s\" t#0 mesh\n" },
	{ "of another", TIMEOUT("t", FAR, "idleTimeout: 30s"), "" },
	{ "a redirect inherits", ROUTE(MS("far", "1")) TIMEOUT("t", BACKEND, "connectionTimeout: 2s, idleTimeout: 30s"),
	  "to: Timeout.idleTimeout=\"30s\" t#0\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited backend\n" },
	{ "unless it has its own", ROUTE(MS("far", "1") ", " MS("other", "1"))
	  TIMEOUT("t", BACKEND, "connectionTimeout: 2s") TIMEOUT("u", FAR, "connectionTimeout: 3s") TIMEOUT("m", MESH, "connectionTimeout: 9s"),
	  "far: Timeout.connectionTimeout=\"3s\" u#0 own\n"
	  "other: Timeout.connectionTimeout=\"2s\" t#0 inherited backend\n" },
	{ "subsets are of their service", ROUTE(SUB("v0", "1") ", " SUB("v1", "1")) HEALTH("h", BACKEND, "tcp: {}"),
	  "backend-b49a4e4b30420345: HealthCheck.tcp={} h#0 own\n"
	  "backend-154693772bc47249: HealthCheck.tcp={} h#0 own\n" },
	{ "field by field", TIMEOUT("m", MESH, "connectionTimeout: 9s, http: {requestTimeout: 1s}") TIMEOUT("t", BACKEND, "idleTimeout: 30s"),
	  "to: Timeout.idleTimeout=\"30s\" t#0\n"
	  "backend: Timeout.connectionTimeout=\"9s\" m#0 own\n" },
	{ "the stronger policy's", TIMEOUT("a", BACKEND, "connectionTimeout: 1s") TIMEOUT("b", BACKEND, "connectionTimeout: 2s, idleTimeout: 2s"),
	  "to: Timeout.idleTimeout=\"2s\" b#0\n"
	  "backend: Timeout.connectionTimeout=\"1s\" a#0 own\n" },
	{ "for others", POLICY("MeshTimeout", "t", "{kind: Dataplane, labels: {app: x}}", TO(BACKEND, "idleTimeout: 30s")), "" },
	{ "lists as a whole", LOG("m", MESH, "/m") POLICY("MeshAccessLog", "n", WEB, TO(MESH, "backends: []")),
	  "to: AccessLog.backends=[] n#0\n" },

	{ "attempts", RETRY("r", BACKEND, "tcp: {maxConnectAttempt: 5}"), "to: Retry.tcp.maxConnectAttempt=5 r#0\n" },
	{ "attempts of a split", ROUTE(MS("far", "1") ", " MS("backend", "1")) RETRY("r", MESH, "tcp: {maxConnectAttempt: 5}"),
	  M "MeshRetry \"r\": spec.to[0].default.tcp.maxConnectAttempt: maxConnectAttempt has no effect: the route to \"backend\" has 2 clusters, each attempt would pick again\n" },
	{ "weight 0 and twins do not count", ROUTE(MS("far", "1") ", " MS("far", "2") ", " MS("backend", "0")) RETRY("r", MESH, "tcp: {maxConnectAttempt: 5}"),
	  "to: Retry.tcp.maxConnectAttempt=5 r#0\n" },
	{ "the blackhole", ROUTE(MS("nowhere", "1")) RETRY("r", MESH, "tcp: {maxConnectAttempt: 5}"),
	  M "MeshRetry \"r\": spec.to[0].default.tcp.maxConnectAttempt: maxConnectAttempt has no effect: the route to \"backend\" has no cluster\n" },
	{ "nothing to retry", ROUTE(MS("nowhere", "1")) RETRY("r", MESH, "http: {numRetries: 1}"), "" },

	{ "http on tcp", TIMEOUT("t", BACKEND, "idleTimeout: 1s, http: {requestTimeout: 1s, maxStreamDuration: 1s}"),
	  "to: Timeout.idleTimeout=\"1s\" t#0\n"
	  M "MeshTimeout \"t\": spec.to[0].default.http: http has no effect: \"backend\" is routed as tcp\n" },
	{ "http retries on tcp", RETRY("r", BACKEND, "http: {numRetries: 1}, grpc: {numRetries: 1}"),
	  M "MeshRetry \"r\": spec.to[0].default.grpc: grpc has no effect: \"backend\" is routed as tcp\n"
	  M "MeshRetry \"r\": spec.to[0].default.http: http has no effect: \"backend\" is routed as tcp\n" },
	{ "checks of http on tcp", HEALTH("h", BACKEND, "http: {path: /x}"),
	  M "MeshHealthCheck \"h\": spec.to[0].default.http: http has no effect: \"backend\" is routed as tcp\n" },
	{ "limits of requests", BREAKER("b", BACKEND, "connectionLimits: {maxConnections: 1, maxRequests: 2}"),
	  "backend: CircuitBreaker.connectionLimits.maxConnections=1 b#0 own\n"
	  M "MeshCircuitBreaker \"b\": spec.to[0].default.connectionLimits.maxRequests: maxRequests has no effect on tcp\n" },
	{ "detectors", BREAKER("b", BACKEND, "outlierDetection: {detectors: {totalFailures: {consecutive: 3}, localOriginFailures: {consecutive: 4}}}"),
	  "backend: CircuitBreaker.outlierDetection.detectors.totalFailures.consecutive=3 b#0 own\n"
	  M "MeshCircuitBreaker \"b\": spec.to[0].default.outlierDetection.detectors.localOriginFailures: localOriginFailures has no effect without splitExternalAndLocalErrors\n" },
	{ "a lone one", BREAKER("b", BACKEND, "outlierDetection: {detectors: {localOriginFailures: {consecutive: 4}}}"),
	  M "MeshCircuitBreaker \"b\": spec.to[0].default.outlierDetection.detectors.localOriginFailures: localOriginFailures has no effect without splitExternalAndLocalErrors\n" },
	{ "in split mode", BREAKER("b", MESH, "outlierDetection: {splitExternalAndLocalErrors: true, detectors: {totalFailures: {consecutive: 3}, localOriginFailures: {consecutive: 4}}}"),
	  "backend: CircuitBreaker.outlierDetection.detectors.localOriginFailures.consecutive=4 b#0 mesh, CircuitBreaker.outlierDetection.detectors.totalFailures.consecutive=3 b#0 mesh, CircuitBreaker.outlierDetection.splitExternalAndLocalErrors=true b#0 mesh\n"
	  M "MeshCircuitBreaker \"b\": spec.to[0].default.outlierDetection.detectors.totalFailures: totalFailures counts no connection failure with splitExternalAndLocalErrors\n" },
	{ "switched off", BREAKER("b", MESH, "outlierDetection: {disabled: true, detectors: {totalFailures: {consecutive: 3}}}"),
	  "backend: CircuitBreaker.outlierDetection.disabled=true b#0 mesh\n" },
	{ "panic is the breaker's", HEALTH("h", MESH, "healthyPanicThreshold: 0, tcp: {}") BREAKER("b", MESH, "outlierDetection: {healthyPanicThreshold: 5, detectors: {totalFailures: {consecutive: 3}}}"),
	  "backend: CircuitBreaker.outlierDetection.detectors.totalFailures.consecutive=3 b#0 mesh, CircuitBreaker.outlierDetection.healthyPanicThreshold=5 b#0 mesh, HealthCheck.tcp={} h#0 mesh\n" },
	{ "where there is one", OUTBOUNDS(TO_TAG("1", "backend") ", " TO_TAG("2", "far")) HEALTH("h", MESH, "healthyPanicThreshold: 0, tcp: {}") BREAKER("b", FAR, "outlierDetection: {healthyPanicThreshold: 5, detectors: {totalFailures: {}}}"),
	  "backend: HealthCheck.healthyPanicThreshold=0 h#0 mesh, HealthCheck.tcp={} h#0 mesh\n"
	  "far: CircuitBreaker.outlierDetection.detectors.totalFailures={} b#0 own, CircuitBreaker.outlierDetection.healthyPanicThreshold=5 b#0 own, HealthCheck.tcp={} h#0 mesh\n" },
	{ "else the check's", HEALTH("h", MESH, "healthyPanicThreshold: 0, tcp: {}"),
	  "backend: HealthCheck.healthyPanicThreshold=0 h#0 mesh, HealthCheck.tcp={} h#0 mesh\n" },

	{ "an http outbound", OUTBOUNDS(TO_TAG("1", "other"))
	  TIMEOUT("t", OTHER, "connectionTimeout: 1s, idleTimeout: 2s, http: {requestTimeout: 3s, maxStreamDuration: 4s, requestHeadersTimeout: 5s}")
	  RETRY("r", OTHER, "tcp: {maxConnectAttempt: 2}, http: {numRetries: 1}, grpc: {numRetries: 2}"),
	  "to: Retry.http.numRetries=1 r#0, Timeout.http.requestHeadersTimeout=\"5s\" t#0, Timeout.http.requestTimeout=\"3s\" t#0\n"
	  "other: Timeout.connectionTimeout=\"1s\" t#0 own, Timeout.http.maxStreamDuration=\"4s\" t#0 own, Timeout.idleTimeout=\"2s\" t#0 own\n"
	  M "MeshRetry \"r\": spec.to[0].default.grpc: grpc has no effect: \"other\" is routed as http\n"
	  M "MeshRetry \"r\": spec.to[0].default.tcp: tcp has no effect: \"other\" is routed as http\n" },
	{ "its checks", OUTBOUNDS(TO_TAG("1", "other")) HEALTH("h", OTHER, "interval: 1s, http: {path: /h}"),
	  "other: HealthCheck.http.path=\"/h\" h#0 own, HealthCheck.interval=\"1s\" h#0 own\n" },
	{ "what is not switched off is nothing more", OUTBOUNDS(TO_TAG("1", "other")) HEALTH("h", OTHER, "http: {disabled: false}, tcp: {disabled: false}"),
	  "other: HealthCheck.http.disabled=false h#0 own\n"
	  M "MeshHealthCheck \"h\": spec.to[0].default.tcp: tcp has no effect: \"other\" is routed as http\n" },
	{ "each by what it speaks", OUTBOUNDS(TO_TAG("1", "other") ", " TO_TAG("2", "rpc")) RPC HEALTH("h", MESH, "http: {path: /h}, grpc: {serviceName: x}"),
	  "other: HealthCheck.http.path=\"/h\" h#0 mesh\n"
	  "rpc: HealthCheck.grpc.serviceName=\"x\" h#0 mesh\n" },
	{ "by tcp if http is switched off", OUTBOUNDS(TO_TAG("1", "other")) HEALTH("h", OTHER, "http: {disabled: true}, tcp: {}"),
	  "other: HealthCheck.tcp={} h#0 own\n" },
	{ "not if http is not there", OUTBOUNDS(TO_TAG("1", "other")) HEALTH("h", OTHER, "tcp: {}"),
	  M "MeshHealthCheck \"h\": spec.to[0].default.tcp: tcp has no effect: \"other\" is routed as http\n" },
	{ "nor if both are off", OUTBOUNDS(TO_TAG("1", "other")) HEALTH("h", OTHER, "http: {disabled: true}, tcp: {disabled: true}"), "other:\n" },
	{ "a breaker counts as well", OUTBOUNDS(TO_TAG("1", "other")) HEALTH("h", OTHER, "healthyPanicThreshold: 3, grpc: {disabled: true}"),
	  "other: HealthCheck.healthyPanicThreshold=3 h#0 own\n" },
	{ "used by connections too", OUTBOUNDS(TO_TAG("1", "other") ", " TO_TAG("2", "backend")) ROUTE(MS("other", "1"))
	  HEALTH("h", OTHER, "http: {path: /h}, tcp: {}") BREAKER("b", OTHER, "connectionLimits: {maxRequests: 7}"),
	  "other: CircuitBreaker.connectionLimits.maxRequests=7 b#0 own, HealthCheck.tcp={} h#0 own\n"
	  "other: CircuitBreaker.connectionLimits.maxRequests=7 b#0 own, HealthCheck.tcp={} h#0 own\n"
	  M "MeshHealthCheck \"h\": spec.to[0].default.http: http has no effect: \"other\" is routed as tcp\n" },
	{ "pauses", OUTBOUNDS(TO_TAG("1", "other")) RETRY("r", OTHER, "http: {numRetries: 1, backOff: {baseInterval: 2s, maxInterval: 1s}}"),
	  "to: Retry.http.backOff.baseInterval=\"2s\" r#0, Retry.http.backOff.maxInterval=\"1s\" r#0, Retry.http.numRetries=1 r#0\n"
	  M "MeshRetry \"r\": spec.to[0].default.http.backOff.maxInterval: is less than baseInterval, which is taken for both\n" },
	{ "an http redirect is of connections", OUTBOUNDS(TO_TAG("1", "other")) ROUTE_OF("r", "", MESH, "other", LIST(MS("backend", "1")))
	  TIMEOUT("t", OTHER, "idleTimeout: 2s, http: {requestTimeout: 3s}"),
	  "to: Timeout.idleTimeout=\"2s\" t#0\n"
	  M "MeshTimeout \"t\": spec.to[0].default.http: http has no effect: \"other\" is routed as tcp\n" },

	{ "two destinations agree", OUTBOUNDS(TO_TAG("1", "backend") ", " TO_TAG("2", "sleepy"))
	  ROUTE(MS("far", "1")) ROUTE_OF("s", "", MESH, "sleepy", LIST(MS("far", "1")))
	  TIMEOUT("t", BACKEND, "connectionTimeout: 2s, idleTimeout: 1s") TIMEOUT("u", "{kind: MeshService, name: sleepy}", "connectionTimeout: 2s"),
	  "to: Timeout.idleTimeout=\"1s\" t#0\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited backend\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited backend\n" },
	{ "two destinations differ", OUTBOUNDS(TO_TAG("1", "sleepy") ", " TO_TAG("2", "backend"))
	  ROUTE(MS("far", "1")) ROUTE_OF("s", "", MESH, "sleepy", LIST(MS("far", "1")))
	  TIMEOUT("t", BACKEND, "connectionTimeout: 2s") TIMEOUT("u", "{kind: MeshService, name: sleepy}", "connectionTimeout: 3s"),
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited backend\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited backend\n"
	  M "cluster \"far\" takes MeshTimeout from destination \"backend\"; destination \"sleepy\" asks for something else\n" },
	{ "one of them asks for more", OUTBOUNDS(TO_TAG("1", "sleepy") ", " TO_TAG("2", "backend"))
	  ROUTE(MS("far", "1")) ROUTE_OF("s", "", MESH, "sleepy", LIST(MS("far", "1")))
	  HEALTH("t", BACKEND, "tcp: {}") HEALTH("u", "{kind: MeshService, name: sleepy}", "interval: 1s, tcp: {}"),
	  "far: HealthCheck.tcp={} t#0 inherited backend\n"
	  "far: HealthCheck.tcp={} t#0 inherited backend\n"
	  M "cluster \"far\" takes MeshHealthCheck from destination \"backend\"; destination \"sleepy\" asks for something else\n" },
	{ "many ways to one cluster", OUTBOUNDS(TO_TAG("1", "a") ", " TO_TAG("2", "b") ", " TO_TAG("3", "c") ", " TO_TAG("4", "d") ", " TO_TAG("5", "e") ", " TO_TAG("6", "a"))
	  ROUTE_OF("a", "", MESH, "a", LIST(MS("far", "1"))) ROUTE_OF("b", "", MESH, "b", LIST(MS("far", "1"))) ROUTE_OF("c", "", MESH, "c", LIST(MS("far", "1")))
	  ROUTE_OF("d", "", MESH, "d", LIST(MS("far", "1"))) ROUTE_OF("e", "", MESH, "e", LIST(MS("far", "1")))
	  TIMEOUT("t", "{kind: MeshService, name: d}", "connectionTimeout: 2s"),
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited d\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited d\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited d\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited d\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited d\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 inherited d\n" },

	{ "grpc", OUTBOUNDS(TO_TAG("1", "rpc")) RPC RETRY("r", "{kind: MeshService, name: rpc}", "http: {numRetries: 1}, grpc: {numRetries: 2}") HEALTH("h", MESH, "grpc: {serviceName: x}, http: {disabled: false}"),
	  "to: Retry.grpc.numRetries=2 r#0\n"
	  "rpc: HealthCheck.grpc.serviceName=\"x\" h#0 mesh\n"
	  M "MeshRetry \"r\": spec.to[0].default.http: http has no effect: \"rpc\" is routed as grpc\n" },
	{ "of the mesh for each protocol", OUTBOUNDS(TO_TAG("1", "rpc") ", " TO_TAG("2", "other") ", " TO_TAG("3", "backend")) RPC
	  HEALTH("h", MESH, "grpc: {serviceName: x}, http: {path: /y}, tcp: {send: aGk=}"),
	  "rpc: HealthCheck.grpc.serviceName=\"x\" h#0 mesh\n"
	  "other: HealthCheck.http.path=\"/y\" h#0 mesh\n"
	  "backend: HealthCheck.tcp.send=\"aGk=\" h#0 mesh\n" },
	{ "what nobody checks", HEALTH("h", BACKEND, "interval: 1s, http: {disabled: false}"),
	  M "MeshHealthCheck \"h\": spec.to[0].default.http: http has no effect: \"backend\" is routed as tcp\n" },
	{ "pauses that fit", OUTBOUNDS(TO_TAG("1", "other")) RETRY("r", OTHER, "http: {backOff: {maxInterval: 1s}}"),
	  "to: Retry.http.backOff.maxInterval=\"1s\" r#0\n" },
	{ "panic beside others", TIMEOUT("t", BACKEND, "connectionTimeout: 1s") BREAKER("b", BACKEND, "outlierDetection: {healthyPanicThreshold: 5, detectors: {totalFailures: {consecutive: 3}}}"),
	  "backend: CircuitBreaker.outlierDetection.detectors.totalFailures.consecutive=3 b#0 own, CircuitBreaker.outlierDetection.healthyPanicThreshold=5 b#0 own, Timeout.connectionTimeout=\"1s\" t#0 own\n" },
	{ "retries of a backend alone", ROUTE(MS("far", "1")) RETRY("r", FAR, "http: {numRetries: 1}"), "" },
	{ "what is switched off is not missed", BREAKER("b", BACKEND, "outlierDetection: {disabled: true, detectors: {totalFailures: {consecutive: 3}}}"),
	  "backend: CircuitBreaker.outlierDetection.disabled=true b#0 own\n" },
	{ "the other asks for less", OUTBOUNDS(TO_TAG("1", "sleepy") ", " TO_TAG("2", "backend"))
	  ROUTE(MS("far", "1")) ROUTE_OF("s", "", MESH, "sleepy", LIST(MS("far", "1")))
	  BREAKER("t", BACKEND, "connectionLimits: {maxConnections: 1, maxPendingRequests: 20}") BREAKER("u", "{kind: MeshService, name: sleepy}", "connectionLimits: {maxConnections: 1}"),
	  "far: CircuitBreaker.connectionLimits.maxConnections=1 t#0 inherited backend, CircuitBreaker.connectionLimits.maxPendingRequests=20 t#0 inherited backend\n"
	  "far: CircuitBreaker.connectionLimits.maxConnections=1 t#0 inherited backend, CircuitBreaker.connectionLimits.maxPendingRequests=20 t#0 inherited backend\n"
	  M "cluster \"far\" takes MeshCircuitBreaker from destination \"backend\"; destination \"sleepy\" asks for something else\n" },
	{ "the first by name, whichever comes first", OUTBOUNDS(TO_TAG("1", "other") ", " TO_TAG("2", "sleepy")) TRAFFIC("'*'")
	  OLD("Timeout", "a", "sleepy", "connectTimeout: 1s") OLD("Timeout", "b", "other", "connectTimeout: 2s"),
	  "far: Timeout.connectionTimeout=\"2s\" b#0 inherited other\n"
	  "other: Timeout.connectionTimeout=\"2s\" b#0 own\n"
	  "far: Timeout.connectionTimeout=\"2s\" b#0 inherited other\n"
	  "sleepy: Timeout.connectionTimeout=\"1s\" a#0 own\n" },
	{ "an empty name is the default backend", TRAFFIC("backend") LOGGED OLD("TrafficLog", "o", "backend", "backend: ''"),
	  "to: AccessLog.backends=[{\"file\":{\"path\":\"/x\"},\"type\":\"File\"}] o#0\n" },

	/* Gateways: listeners by the mesh, where it is meant. */
	{ "a MeshGateway", EDGE("") POLICY("MeshTimeout", "t", "{kind: MeshGateway, name: edge}", TO(MESH, "idleTimeout: 1s, connectionTimeout: 2s")),
	  "listener: Timeout.idleTimeout=\"1s\" t#0\n"
	  "backend: Timeout.connectionTimeout=\"2s\" t#0 mesh\n"
	  "listener: Timeout.idleTimeout=\"1s\" t#0\n"
	  "far: Timeout.connectionTimeout=\"2s\" t#0 mesh\n"
	  "other: Timeout.connectionTimeout=\"2s\" t#0 mesh\n" },
	{ "one of its listeners", EDGE("") POLICY("MeshTimeout", "t", "{kind: MeshGateway, name: edge, tags: {name: two}}", TO(MESH, "idleTimeout: 1s")) RETRY("r", MESH, "tcp: {maxConnectAttempt: 2}"),
	  "listener: Retry.tcp.maxConnectAttempt=2 r#0\n"
	  "listener: Timeout.idleTimeout=\"1s\" t#0\n"
	  M "MeshRetry \"r\": spec.to[0].default.tcp.maxConnectAttempt: maxConnectAttempt has no effect: the route of MeshGateway \"edge\", listener 81 TCP for \"*\" has 2 clusters, each attempt would pick again\n" },
	{ "another gateway", EDGE("") POLICY("MeshTimeout", "t", "{kind: MeshGateway, name: brink}", TO(MESH, "idleTimeout: 1s")), "" },
	{ "no sidecar is one", POLICY("MeshTimeout", "t", "{kind: MeshGateway, name: edge}", TO(MESH, "idleTimeout: 1s")), "" },
	{ "sidecars alone", EDGE("") POLICY("MeshTimeout", "t", "{kind: Mesh, proxyTypes: [Sidecar]}", TO(MESH, "idleTimeout: 1s")), "" },
	{ "where nothing is served", EDGE(", {port: 82, protocol: TCP, tags: {name: none}}") TIMEOUT("t", MESH, "idleTimeout: 1s"),
	  "listener: Timeout.idleTimeout=\"1s\" t#0\n"
	  "listener: Timeout.idleTimeout=\"1s\" t#0\n"
	  M "MeshGateway \"edge\", listener 82 TCP for \"*\": connections are closed: no MeshTCPRoute is about it\n" },

	/* What MeshHTTPRoutes make. */
	{ "a MeshHTTPRoute", OUTBOUNDS(TO_TAG("1", "other")) HTTP("h") TIMEOUT("t", OTHER, "http: {requestTimeout: 1s, streamIdleTimeout: 2s}")
	  TIMEOUT("u", "{kind: MeshHTTPRoute, name: h}", "http: {requestTimeout: 3s}"),
	  "to: Timeout.http.requestTimeout=\"1s\" t#0, Timeout.http.streamIdleTimeout=\"2s\" t#0\n"
	  "rule: Timeout.http.requestTimeout=\"3s\" u#0, Timeout.http.streamIdleTimeout=\"2s\" t#0\n"
	  "rule: Timeout.http.requestTimeout=\"1s\" t#0, Timeout.http.streamIdleTimeout=\"2s\" t#0\n" },
	{ "another MeshHTTPRoute", OUTBOUNDS(TO_TAG("1", "other")) HTTP("h") TIMEOUT("u", "{kind: MeshHTTPRoute, name: i}", "http: {requestTimeout: 3s}"), "" },
	{ "of the same namespace", OUTBOUNDS(TO_TAG("1", "other")) HTTP_OF("h", "shop")
	  TIMEOUT("t", "{kind: MeshHTTPRoute, name: h, namespace: shop}", "http: {requestTimeout: 3s}")
	  TIMEOUT("u", "{kind: MeshHTTPRoute, name: h, namespace: demo}", "http: {streamIdleTimeout: 4s}"),
	  "rule: Timeout.http.requestTimeout=\"3s\" t#0\n" },
	{ "for others", OUTBOUNDS(TO_TAG("1", "other")) HTTP("h")
	  POLICY("MeshTimeout", "u", "{kind: Dataplane, labels: {app: x}}", TO("{kind: MeshHTTPRoute, name: h}", "http: {requestTimeout: 3s}")), "" },
	{ "by labels", OUTBOUNDS(TO_TAG("1", "other")) HTTP("h")
	  TIMEOUT("u", "{kind: MeshHTTPRoute, labels: {team: a, kuma.io/display-name: h}}", "http: {requestTimeout: 3s}")
	  TIMEOUT("v", "{kind: MeshHTTPRoute, labels: {team: b}}", "http: {requestTimeout: 4s}")
	  TIMEOUT("w", "{kind: MeshHTTPRoute, labels: {group: a}}", "http: {requestTimeout: 5s}"),
	  "rule: Timeout.http.requestTimeout=\"3s\" u#0\n" },

	/* Legacy kinds. */
	{ "a legacy policy", TRAFFIC("backend") OLD("Timeout", "o", "backend", "connectTimeout: 2s, tcp: {idleTimeout: 3s}"),
	  "to: Timeout.idleTimeout=\"3s\" o#0\n"
	  "far: Timeout.connectionTimeout=\"2s\" o#0 inherited backend\n"
	  "backend: Timeout.connectionTimeout=\"2s\" o#0 own\n" },
	{ "for any service", TRAFFIC("backend") OLD("Timeout", "o", "'*'", "connectTimeout: 2s, tcp: {idleTimeout: 3s}"),
	  "to: Timeout.idleTimeout=\"3s\" o#0\n"
	  "far: Timeout.connectionTimeout=\"2s\" o#0 mesh\n"
	  "backend: Timeout.connectionTimeout=\"2s\" o#0 mesh\n" },
	{ "the best one", TRAFFIC("backend") OLD("Timeout", "a", "'*'", "connectTimeout: 1s") OLD("Timeout", "b", "backend", "connectTimeout: 2s") OLD("Timeout", "c", "backend", "connectTimeout: 3s"),
	  "far: Timeout.connectionTimeout=\"2s\" b#0 inherited backend\n"
	  "backend: Timeout.connectionTimeout=\"2s\" b#0 own\n" },
	{ "of two destinations", OUTBOUNDS(TO_TAG("1", "sleepy") ", " TO_TAG("2", "other")) TRAFFIC("'*'") OLD("HealthCheck", "a", "sleepy", "interval: 1s, timeout: 1s, unhealthyThreshold: 1, healthyThreshold: 1, tcp: {}")
	  OLD("HealthCheck", "b", "other", "interval: 2s, timeout: 1s, unhealthyThreshold: 1, healthyThreshold: 1, tcp: {}"),
	  "far: HealthCheck.healthyThreshold=1 b#0 inherited other, HealthCheck.interval=\"2s\" b#0 inherited other, HealthCheck.tcp={} b#0 inherited other, HealthCheck.timeout=\"1s\" b#0 inherited other, HealthCheck.unhealthyThreshold=1 b#0 inherited other\n"
	  "sleepy: HealthCheck.healthyThreshold=1 a#0 own, HealthCheck.interval=\"1s\" a#0 own, HealthCheck.tcp={} a#0 own, HealthCheck.timeout=\"1s\" a#0 own, HealthCheck.unhealthyThreshold=1 a#0 own\n"
	  "far: HealthCheck.healthyThreshold=1 b#0 inherited other, HealthCheck.interval=\"2s\" b#0 inherited other, HealthCheck.tcp={} b#0 inherited other, HealthCheck.timeout=\"1s\" b#0 inherited other, HealthCheck.unhealthyThreshold=1 b#0 inherited other\n"
	  "other: HealthCheck.healthyThreshold=1 b#0 own, HealthCheck.interval=\"2s\" b#0 own, HealthCheck.tcp={} b#0 own, HealthCheck.timeout=\"1s\" b#0 own, HealthCheck.unhealthyThreshold=1 b#0 own\n" },
	{ "displaced", TRAFFIC("backend") OLD("Timeout", "o", "backend", "connectTimeout: 2s") TIMEOUT("t", MESH, "idleTimeout: 1s"),
	  "to: Timeout.idleTimeout=\"1s\" t#0\n"
	  M "Timeout \"o\" does not reach outbound 127.0.0.1:10001: MeshTimeout \"t\" is about it\n" },
	{ "nobody's", OLD("Timeout", "o", "backend", "connectTimeout: 2s"), M "Timeout \"o\" does not reach outbound 127.0.0.1:10001: no TrafficRoute owns it\n" },
	{ "a MeshTCPRoute's", ROUTE(MS("far", "1")) OLD("Timeout", "o", "backend", "connectTimeout: 2s"),
	  M "Timeout \"o\" does not reach outbound 127.0.0.1:10001: MeshTCPRoute owns it\n" },
	{ "another service's", TRAFFIC("backend") OLD("Timeout", "o", "other", "connectTimeout: 2s"), "" },
	{ "attempts of an old split", TRAFFIC("backend") OLD("Retry", "o", "backend", "tcp: {maxConnectAttempts: 4}"),
	  M "Retry \"o\": conf: maxConnectAttempt has no effect: the route to \"backend\" has 2 clusters, each attempt would pick again\n" },
	{ "an old retry of requests", TRAFFIC("backend") OLD("Retry", "o", "backend", "http: {numRetries: 4}"), "" },
	{ "no such backend", TRAFFIC("backend") OLD("TrafficLog", "o", "backend", "backend: gone"), M "TrafficLog \"o\" has no effect: mesh \"default\" has no logging backend \"gone\"\n" },
	{ "no default backend", TRAFFIC("backend") OLD("TrafficLog", "o", "backend", ""), M "TrafficLog \"o\" has no effect: it names no backend, and the mesh has no default one\n" },
	{ "nor one that is named", TRAFFIC("backend") OLD("TrafficLog", "o", "backend", "backend: null"), M "TrafficLog \"o\" has no effect: it names no backend, and the mesh has no default one\n" },
	{ "or is empty", TRAFFIC("backend") OLD("TrafficLog", "o", "backend", "backend: ''"), M "TrafficLog \"o\" has no effect: it names no backend, and the mesh has no default one\n" },
	{ "a log", TRAFFIC("backend") LOGGED OLD("TrafficLog", "o", "backend", ""),
	  "to: AccessLog.backends=[{\"file\":{\"path\":\"/x\"},\"type\":\"File\"}] o#0\n" },

	/* Objects. */
	{ "an object", DB HEALTH("h", "{kind: MeshService, labels: {app: db}}", "tcp: {}") HEALTH("i", "{kind: MeshService, name: db, sectionName: sql}", "interval: 1s, tcp: {}"),
	  "kri_msvc_default___db_sql: HealthCheck.interval=\"1s\" i#0 own, HealthCheck.tcp={} i#0 own\n" },
	{ "another port", DB HEALTH("i", "{kind: MeshService, name: db, sectionName: web}", "tcp: {}"), "" },
	{ "another port names it too", DB2 HEALTH("h", MESH, "tcp: {}") HEALTH("i", "{kind: MeshService, name: db, sectionName: sql}", "interval: 1s, tcp: {}"),
	  "kri_msvc_default___db_web: HealthCheck.tcp={} h#0 own\n" },
	{ "an object that is not there", OUTBOUNDS("{port: 1, backendRef: {kind: MeshService, name: db, port: 1}}") TIMEOUT("t", MESH, "idleTimeout: 1s"), "" },
	{ "an external one", OUTBOUNDS("{port: 1, backendRef: {kind: MeshExternalService, name: ext}}") EXTERNAL TIMEOUT("t", "{kind: MeshExternalService, name: ext}", "connectionTimeout: 1s"),
	  "kri_extsvc_default___ext_9: Timeout.connectionTimeout=\"1s\" t#0 own\n" },
	{ "one of several zones", DB MULTI TIMEOUT("t", "{kind: MeshMultiZoneService, name: all}", "connectionTimeout: 1s") TIMEOUT("u", "{kind: MeshService, name: db}", "connectionTimeout: 2s"),
	  "kri_mzsvc_default___all_5432: Timeout.connectionTimeout=\"1s\" t#0 own\n" },
};
/* clang-format on */

static void test_cases(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct tools tools = tools_of(BASE, CASES[i].policies, NULL);
		char *said = said_of(resolve(&tools, "web"));

		if (strcmp(said, CASES[i].expected) != 0) {
			print_error("%s: got\n%swanted\n%s", CASES[i].why, said,
				    CASES[i].expected);
			wrong++;
		}
		free(said);
		tools_end(&tools);
	}
	assert_int_equal(wrong, 0);
}

/* More outbounds than any list of them has room for at first. */
static void test_many(void **state)
{
	enum { COUNT = 40 };
	struct zl_buf yaml = { 0 };
	struct zl_buf want = { 0 };

	(void)state;
	zl_buf_str(&yaml,
		   TIMEOUT("t", MESH,
			   "connectionTimeout: 2s") "---\n{type: Dataplane, name: web, "
						    "networking: {address: 9.9.9.9, "
						    "outbound: [");
	for (unsigned i = 0; i < COUNT; i++) {
		zl_buf_format(&yaml, "{port: %u, tags: {kuma.io/service: s%02u}},", i + 1,
			      i);
		zl_buf_format(&want, "s%02u: Timeout.connectionTimeout=\"2s\" t#0 mesh\n",
			      i);
	}
	zl_buf_str(&yaml, "]}}\n");
	struct tools tools = tools_of(BASE, zl_buf_text(&yaml), NULL);
	const struct routes *routes = resolve(&tools, "web");
	struct zl_buf said = { 0 };

	for (size_t i = 0; i < routes->outbound_count; i++)
		add_outbound(&said, &routes->outbounds[i]);
	assert_string_equal(zl_buf_text(&said), zl_buf_text(&want));
	zl_buf_free(&said);
	zl_buf_free(&want);
	zl_buf_free(&yaml);
	tools_end(&tools);
}

/* ---- inbounds ---- */

#define RULES(kind, name, top, conf)                                   \
	"---\n{type: " kind ", name: " name ", spec: {targetRef: " top \
	", rules: [{default: {" conf "}}]}}\n"
#define FROM(kind, name, top, conf)                                    \
	"---\n{type: " kind ", name: " name ", spec: {targetRef: " top \
	", from: [{targetRef: {kind: Mesh}, default: {" conf "}}]}}\n"

/* clang-format off */
static const struct {
	const char *why, *protocol, *policies, *expected;
} INBOUNDS[] = {
	{ "nothing is said", "tcp", "", "" },
	{ "of outbounds alone", "tcp", TIMEOUT("t", MESH, "idleTimeout: 1s"), "" },
	{ "rules", "tcp", RULES("MeshTimeout", "t", MESH, "idleTimeout: 1s, connectionTimeout: 2s, http: {requestTimeout: 3s}"),
	  "in: Timeout.connectionTimeout=\"2s\" t#0, Timeout.idleTimeout=\"1s\" t#0\n" },
	{ "of requests", "http", RULES("MeshTimeout", "t", MESH, "http: {requestTimeout: 3s}") RULES("MeshCircuitBreaker", "b", MESH, "connectionLimits: {maxRequests: 7}"),
	  "in: CircuitBreaker.connectionLimits.maxRequests=7 b#0, Timeout.http.requestTimeout=\"3s\" t#0\n" },
	{ "rules beside from", "tcp", RULES("MeshTimeout", "t", MESH, "idleTimeout: 1s") FROM("MeshTimeout", "s", MESH, "idleTimeout: 2s, connectionTimeout: 4s"),
	  "in: Timeout.connectionTimeout=\"4s\" s#0, Timeout.idleTimeout=\"2s\" s#0\n" },
	{ "logs of one inbound", "tcp", RULES("MeshAccessLog", "l", "{kind: Dataplane, sectionName: '80'}", "backends: []"), "in: AccessLog.backends=[] l#0\n" },
	{ "of another", "tcp", RULES("MeshAccessLog", "l", "{kind: Dataplane, sectionName: '81'}", "backends: []"), "" },
	{ "limits of requests", "tcp", RULES("MeshCircuitBreaker", "b", MESH, "connectionLimits: {maxRequests: 7}"), "" },
	{ "detectors", "tcp", RULES("MeshCircuitBreaker", "b", MESH, "connectionLimits: {maxConnections: 7}, outlierDetection: {detectors: {localOriginFailures: {consecutive: 4}}}"),
	  "in: CircuitBreaker.connectionLimits.maxConnections=7 b#0\n"
	  M "MeshCircuitBreaker \"b\": spec.rules[0].default.outlierDetection.detectors.localOriginFailures: localOriginFailures has no effect without splitExternalAndLocalErrors\n" },
};
/* clang-format on */

static void test_inbounds(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(INBOUNDS); i++) {
		struct tools tools = tools_of(BASE, INBOUNDS[i].policies, NULL);
		struct zl_buf out = { 0 };
		struct resolving at = { .index = tools.index,
					.inventory = tools.inventory,
					.proxy = world_get(&tools.world, KIND_DATAPLANE,
							   "web"),
					.set = tools.world.set,
					.zone = "east",
					.mesh_name = "default",
					.mesh = set_mesh(tools.world.set, "default"),
					.arena = tools.world.arena };

		add_settings(&out, "in",
			     attach_inbound(&at, &at.proxy->dataplane->inbounds[0],
					    INBOUNDS[i].protocol));
		for (size_t j = 0; j < at.warning_count; j++)
			zl_buf_format(&out, "! %s\n", at.warnings[j]);
		if (strcmp(zl_buf_text(&out), INBOUNDS[i].expected) != 0) {
			print_error("%s: got\n%swanted\n%s", INBOUNDS[i].why,
				    zl_buf_text(&out), INBOUNDS[i].expected);
			wrong++;
		}
		zl_buf_free(&out);
		tools_end(&tools);
	}
	assert_int_equal(wrong, 0);
}

/* ---- what is printed ---- */

/* clang-format off */
static const struct {
	const char *policies, *text; /* text has it as a part */
} PRINTED[] = {
	{ ROUTE(MS("far", "1")) TIMEOUT("t", BACKEND, "connectionTimeout: 2s") TIMEOUT("m", MESH, "idleTimeout: 3s"),
	  "spec.to[0].\n"
	  "    idleTimeout \"3s\": MeshTimeout \"m\" (global), spec.to[0]\n"
	  "    tcp.maxConnectAttempt 1: default (Envoy)\n"
	  "      100 % to MeshService far (weight 1, cluster far)\n"
	  "        connectionTimeout \"2s\": MeshTimeout \"t\" (global), spec.to[0], inherited from \"backend\"\n"
	  "        2.2.2.2:10001, " },
	{ HEALTH("m", MESH, "tcp: {}") BREAKER("b", BACKEND, "connectionLimits: {maxConnections: 1}"),
	  "        connectionLimits.maxConnections 1: MeshCircuitBreaker \"b\" (global), spec.to[0], about it\n"
	  "        tcp {}: MeshHealthCheck \"m\" (global), spec.to[0], about the mesh\n"
	  "        connectionTimeout \"5s\": default (Envoy)\n" },
	{ TRAFFIC("backend") OLD("Timeout", "o", "backend", "connectTimeout: 2s, tcp: {idleTimeout: 3s}"),
	  "    idleTimeout \"3s\": Timeout \"o\" (global)\n"
	  "    tcp.maxConnectAttempt 1: default (Envoy)\n" },
	{ OUTBOUNDS(TO_TAG("1", "other")) HTTP("h") TIMEOUT("t", OTHER, "http: {requestTimeout: 1s}")
	  TIMEOUT("u", "{kind: MeshHTTPRoute, name: h}", "http: {requestTimeout: 3s}"),
	  "    http.requestTimeout \"1s\": MeshTimeout \"t\" (global), spec.to[0]\n"
	  "    http.streamIdleTimeout \"5m\": default (Envoy)\n"
	  "    1. path PathPrefix /x: MeshHTTPRoute \"h\" (global), spec.to[0]\n"
	  "      http.requestTimeout \"3s\": MeshTimeout \"u\" (global), spec.to[0]\n"
	  "      http.streamIdleTimeout \"5m\": default (Envoy)\n"
	  "      100 % to " },
	{ EDGE("") POLICY("MeshTimeout", "t", "{kind: MeshGateway, name: edge, tags: {name: one}}", TO(MESH, "idleTimeout: 1s")),
	  "    idleTimeout \"1s\": MeshTimeout \"t\" (global), spec.to[0]\n" },
	{ EDGE("") POLICY("MeshTimeout", "t", "{kind: MeshGateway, name: edge, tags: {name: one}}", TO(MESH, "idleTimeout: 1s")),
	  "MeshTimeout \"t\" (global) applies: it is about MeshGateway \"edge\", listener 80 TCP for \"*\"\n" },
	{ EDGE("") POLICY("MeshTimeout", "t", "{kind: MeshGateway, name: brink}", TO(MESH, "idleTimeout: 1s")),
	  "MeshTimeout \"t\" (global) does not apply: no listener of the gateway is what it asks for\n" },
	{ EDGE("") POLICY("MeshTimeout", "t", "{kind: MeshSubset, tags: {name: none}}", TO(MESH, "idleTimeout: 1s")),
	  "MeshTimeout \"t\" (global) does not apply: targetRef MeshSubset {name: none}: the tags of the listener do not match\n" },
	{ OUTBOUNDS(TO_TAG("1", "other")) HEALTH("h", OTHER, "http: {disabled: true}"), "cluster other)\n        1.1.1.3:80" },
	{ OLD("Timeout", "o", "backend", "connectTimeout: 2s"), "Timeout \"o\" (global) applies: source {kuma.io/service: *}: inbound 80 has these tags\n" },
};

static const struct {
	const char *policies, *json; /* json has it as a part */
} AS_JSON[] = {
	{ ROUTE(MS("far", "1")) TIMEOUT("t", BACKEND, "connectionTimeout: 2s"),
	  "\"applied\":[{\"kind\":\"MeshTimeout\",\"field\":\"connectionTimeout\",\"value\":\"2s\","
	  "\"policy\":{\"kind\":\"MeshTimeout\",\"name\":\"t\",\"origin\":\"global\",\"to\":0},\"source\":\"inherited\",\"from\":\"backend\"}]}]" },
	{ OUTBOUNDS(TO_TAG("1", "other")) HTTP("h") TIMEOUT("u", "{kind: MeshHTTPRoute, name: h}", "http: {requestTimeout: 3s}"),
	  "\"applied\":[{\"kind\":\"MeshTimeout\",\"field\":\"http.requestTimeout\",\"value\":\"3s\","
	  "\"policy\":{\"kind\":\"MeshTimeout\",\"name\":\"u\",\"origin\":\"global\",\"to\":0}}]},{\"matches\"" },
	{ TRAFFIC("backend") OLD("Timeout", "o", "backend", "tcp: {idleTimeout: 3s}"),
	  "\"applied\":[{\"kind\":\"MeshTimeout\",\"field\":\"idleTimeout\",\"value\":\"3s\","
	  "\"policy\":{\"kind\":\"Timeout\",\"name\":\"o\",\"origin\":\"global\",\"to\":0}}]}]" },
};
/* clang-format on */

static void expect_part(const char *policies, const char *part, bool json)
{
	static const struct policy_options EXPLAIN = { .explain = true };
	struct tools tools = tools_of(BASE, policies, NULL);
	const struct resource *web = world_get(&tools.world, KIND_DATAPLANE, "web");
	const struct routes *routes = policy_resolve(tools.index, tools.inventory, web,
						     &EXPLAIN, tools.world.arena);
	const struct policy_answer answer = {
		.zone = "east", .mesh = "default", .routes = &routes, .route_count = 1
	};
	struct zl_buf out = { 0 };

	if (json)
		policy_json(&answer, &out);
	else
		policy_text(&answer, &out);
	char *text = json ? dense(zl_buf_text(&out)) : zl_strdup(zl_buf_text(&out));
	if (strstr(text, part) == NULL)
		fail_msg("no\n%s\nin\n%s", part, text);
	free(text);
	zl_buf_free(&out);
	tools_end(&tools);
}

static void test_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(PRINTED); i++)
		expect_part(PRINTED[i].policies, PRINTED[i].text, false);
	for (size_t i = 0; i < ARRAY_LEN(AS_JSON); i++)
		expect_part(AS_JSON[i].policies, AS_JSON[i].json, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
					    cmocka_unit_test(test_many),
					    cmocka_unit_test(test_inbounds),
					    cmocka_unit_test(test_print) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
