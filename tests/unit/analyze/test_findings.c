#include "support/test.h"
#include "support/world.h"

#include "analyze/analyze.h"

#include <stdlib.h>
#include <string.h>

/* A mesh with mTLS in which nothing is odd: client web, services backend (v0, v1) and
 * other; zone west offers far. */
#define MESH                                                                 \
	"---\n{type: Mesh, name: default, mtls: {defaultPermission: Allow, " \
	"enabledBackend: ca, backends: [{name: ca, type: builtin}]}}\n"
#define DP(name, labels, in, out)                                                   \
	"---\n{type: Dataplane, name: " name ", labels: {" labels "}, networking: " \
	"{address: 1.1.1.1, inbound: [" in "], outbound: [" out "]}}\n"
#define IN(port, tags) "{port: " #port ", tags: {kuma.io/protocol: tcp, " tags "}}"
#define OUT(service) "{port: 10001, tags: {kuma.io/service: " service "}}"
#define INGRESS(name, zone, more, services)                    \
	"---\n{type: ZoneIngress, name: " name ", zone: " zone \
	", networking: {address: "                             \
	"10.0.0.1, port: 1" more "}, availableServices: [" services "]}\n"
#define ADVERTISED ", advertisedAddress: 2.2.2.2, advertisedPort: 10001"
#define RECORD(tags) "{instances: 3, tags: {kuma.io/protocol: tcp, " tags "}}"
#define WEB DP("web", "app: web", IN(80, "kuma.io/service: web"), OUT("backend"))
#define BACKENDS                                                          \
	DP("b0", "", IN(81, "kuma.io/service: backend, version: v0"), "") \
	DP("b1", "", IN(82, "kuma.io/service: backend, version: v1"), "")
#define OTHER DP("o", "", IN(83, "kuma.io/service: other"), "")
#define WEST INGRESS("w", "west", ADVERTISED, RECORD("kuma.io/service: far"))
#define BASE MESH WEB BACKENDS OTHER WEST

#define ROUTE_OF(name, head, top, to)                                              \
	"---\n{type: MeshTCPRoute, name: " name ", " head "spec: {targetRef: " top \
	", to: [" to "]}}\n"
#define TO(service, refs)                                                        \
	"{targetRef: {kind: MeshService, name: " service "}, rules: [{default: " \
	"{backendRefs: [" refs "]}}]}"
#define ALL "{kind: Mesh}"
#define WEB_ONLY "{kind: Dataplane, labels: {app: web}}"
#define ROUTE(refs) ROUTE_OF("r", "", ALL, TO("backend", refs))
#define TOP(top) ROUTE_OF("r", "", top, TO("backend", MS("other", "100")))
#define MS(name, weight) "{kind: MeshService, name: " name ", weight: " weight "}"
#define SUB(tags, weight) \
	"{kind: MeshServiceSubset, name: backend, tags: {" tags "}, weight: " weight "}"
#define LIST "spec.to[0].rules[0].default.backendRefs"

#define OBJECT(name, labels, selector)                              \
	"---\n{type: MeshService, name: " name ", labels: {" labels \
	"}, spec: {selector: "                                      \
	"{" selector "}, ports: [{port: 5432, targetPort: 83, name: sql}]}}\n"
#define DB OBJECT("db", "app: db", "dataplaneTags: {kuma.io/service: other}")
#define MULTI(labels)                                                                  \
	"---\n{type: MeshMultiZoneService, name: all, spec: {selector: {meshService: " \
	"{matchLabels: {" labels "}}}, ports: [{port: 5432, name: sql}]}}\n"
#define HTTP_SERVICE                                                     \
	DP("s0", "",                                                     \
	   "{port: 84, tags: {kuma.io/protocol: http, kuma.io/service: " \
	   "shop}}",                                                     \
	   OUT("shop"))
#define HTTP(service, rules)                                                  \
	"---\n{type: MeshHTTPRoute, name: h, spec: {to: [{targetRef: {kind: " \
	"MeshService, "                                                       \
	"name: " service "}, rules: " rules "}]}}\n"
#define TRAFFIC(name, source, destination, conf)                                         \
	"---\n{type: TrafficRoute, name: " name ", sources: [{match: {kuma.io/service: " \
	"" source "}}], destinations: [{match: {kuma.io/service: " destination           \
	"}}], conf: {" conf "}}\n"
#define EDGE                                                                          \
	"---\n{type: Dataplane, name: edge, networking: {address: 1.1.1.1, gateway: " \
	"{type: BUILTIN, tags: {kuma.io/service: edge}}}}\n"
#define GATEWAY(service, listeners)                                                 \
	"---\n{type: MeshGateway, name: gw, selectors: [{match: {kuma.io/service: " \
	"" service "}}], conf: {listeners: [" listeners "]}}\n"

#define BALANCING(head, top, target, locality)                     \
	"---\n{type: MeshLoadBalancingStrategy, name: near, " head \
	"spec: {targetRef: " top ", to: [{targetRef: " target      \
	", default: {localityAwareness: {" locality "}}}]}}\n"
#define NEAR(target) BALANCING("", ALL, target, "disabled: true")
#define CROSS "crossZone: {failover: [{to: {type: Any}}]}"
#define EGRESS_MESH                                                                   \
	"---\n{type: Mesh, name: default, routing: {zoneEgress: true}, mtls: "        \
	"{defaultPermission: Allow, enabledBackend: ca, backends: [{name: ca, type: " \
	"builtin}]}}\n"
#define EGRESS(zone)                                                     \
	"---\n{type: ZoneEgress, name: e, zone: " zone ", networking: {" \
	"address: 10.0.0.2, port: 1}}\n"
#define OF(zone) "kuma.io/origin: zone, kuma.io/zone: " zone
#define EAST(outbounds) DP("east", OF("east"), IN(80, "kuma.io/service: web"), outbounds)

#define POLICY(type, name, top, lists) \
	"---\n{type: " type ", name: " name ", spec: {targetRef: " top ", " lists "}}\n"
#define TIMES(target, conf)             \
	POLICY("MeshTimeout", "t", ALL, \
	       "to: [{targetRef: " target ", default: {" conf "}}]")
#define SERVICE(name) "{kind: MeshService, name: " name "}"
#define LOGS(name, target, path, format)                                         \
	POLICY("MeshAccessLog", name, ALL,                                       \
	       "to: [{targetRef: " target ", default: {backends: [{type: File, " \
	       "file: {path: " path format "}}]}}]")
#define LEGACY(type, name, source, destination, conf)   \
	"---\n{type: " type ", name: " name             \
	", sources: [{match: {kuma.io/service: " source \
	"}}], destinations: [{match: {kuma.io/service: " destination "}}]" conf "}\n"
#define SLOW(source, destination) \
	LEGACY("Timeout", "slow", source, destination, ", conf: {connectTimeout: 9s}")
#define CARRIED TRAFFIC("c", "'*'", "backend", "destination: {kuma.io/service: backend}")
#define CARRIES "ZL034 TrafficRoute/c destinations: it has 1 outbound, to backend\n"
#define PERMIT(list) POLICY("MeshTrafficPermission", "p", ALL, list)
#define FROM_ALL "from: [{targetRef: {kind: Mesh}, default: {action: Allow}}]"
#define SERVED                                                                          \
	"---\n{type: Dataplane, name: s, networking: {address: 1.1.1.1, inbound: [" IN( \
		80, "kuma.io/service: s") "]}}\n"
#define CLOSED_MESH                                                                      \
	"---\n{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: [{name: " \
	"ca, type: builtin}]}}\n"

/* want: "CODE kind/name field: what" of each finding, one a line, in order. */
/* clang-format off */
static const struct {
	const char *why, *yaml, *want;
} CASES[] = {
	{ "nothing odd, no route", BASE, "" },
	{ "nothing odd, a split", BASE ROUTE(SUB("version: v0", "90") ", " SUB("version: v1", "10")), "" },
	{ "nothing odd, another zone", BASE ROUTE(MS("far", "1")), "" },

	/* Documents. */
	{ "ZL001: MeshSubset", BASE TOP("{kind: MeshSubset, tags: {kuma.io/service: web}}"),
	  "ZL001 MeshTCPRoute/r spec.targetRef.kind: kind MeshSubset is deprecated at the top of a policy\n" },
	{ "ZL001: MeshService", BASE TOP("{kind: MeshService, name: web}"),
	  "ZL001 MeshTCPRoute/r spec.targetRef.kind: kind MeshService is deprecated at the top of a policy\n" },
	{ "ZL001: not Dataplane", BASE TOP(WEB_ONLY), "" },
	{ "ZL002", BASE TOP("{kind: MeshSubset}"),
	  "ZL001 MeshTCPRoute/r spec.targetRef.kind: kind MeshSubset is deprecated at the top of a policy\n"
	  "ZL002 MeshTCPRoute/r spec.targetRef: MeshSubset has no tags and selects every proxy\n" },
	{ "ZL003: top", BASE TOP("{kind: MeshServiceSubset, name: web}"),
	  "ZL001 MeshTCPRoute/r spec.targetRef.kind: kind MeshServiceSubset is deprecated at the top of a policy\n"
	  "ZL003 MeshTCPRoute/r spec.targetRef: MeshServiceSubset \"web\" has no tags\n" },
	{ "ZL003: backend", BASE ROUTE("{kind: MeshServiceSubset, name: other}"),
	  "ZL003 MeshTCPRoute/r " LIST "[0]: MeshServiceSubset \"other\" has no tags\n" },
	{ "ZL004", BASE ROUTE_OF("r", "labels: {kuma.io/effect: shadow}, ", ALL, TO("backend", MS("other", "1"))),
	  "ZL004 MeshTCPRoute/r labels[\"kuma.io/effect\"]: it configures no proxy\n" },
	{ "ZL004: another effect", BASE ROUTE_OF("r", "labels: {kuma.io/effect: real}, ", ALL, TO("backend", MS("other", "1"))), "" },
	{ "ZL005", MESH ROUTE_OF("r", "mesh: m2, ", ALL, TO("backend", MS("other", "1"))),
	  "ZL005 MeshTCPRoute/r mesh: no document makes the mesh \"m2\"\n" },
	{ "ZL005: it has one", "{type: Mesh, name: m2}\n" ROUTE_OF("r", "mesh: m2, ", ALL, TO("backend", MS("other", "1"))), "" },
	{ "ZL005: default is always there", "{type: Zone, name: z}\n" ROUTE(MS("other", "1")), "" },

	/* Destinations. */
	{ "ZL010: port", BASE ROUTE_OF("r", "", ALL,
	    "{targetRef: {kind: MeshService, name: backend, port: 80}, rules: []}, " TO("backend", MS("other", "1"))),
	  "ZL010 MeshTCPRoute/r spec.to[0].targetRef: no MeshService \"backend\" with port 80 in mesh \"default\"\n" },
	{ "ZL010: an external one, seen blind", MESH ROUTE_OF("r", "", ALL, "{targetRef: {kind: MeshExternalService, name: x}, rules: []}"),
	  "ZL010 MeshTCPRoute/r spec.to[0].targetRef: no MeshExternalService \"x\" in mesh \"default\"\n" },
	{ "ZL012", BASE ROUTE_OF("r", "", ALL, TO("bakend", MS("other", "1"))),
	  "ZL012 MeshTCPRoute/r spec.to[0].targetRef.name: nobody offers service \"bakend\" in mesh \"default\" (did you mean \"backend\"?)\n" },
	{ "ZL012: nothing is near", BASE ROUTE_OF("r", "", ALL, TO("zzzzzz", MS("other", "1"))),
	  "ZL012 MeshTCPRoute/r spec.to[0].targetRef.name: nobody offers service \"zzzzzz\" in mesh \"default\"\n" },
	{ "ZL012: a name only to be routed", MESH DP("web", "", IN(80, "kuma.io/service: web"), OUT("front")) OTHER
	  ROUTE_OF("r", "", ALL, TO("front", MS("other", "1"))), "" },
	{ "ZL013", BASE ROUTE_OF("r", "", ALL, TO("backend", MS("far", "1")) ", " TO("other", MS("far", "1")) ", " TO("backend", MS("other", "1"))),
	  "ZL013 MeshTCPRoute/r spec.to[0].targetRef: spec.to[2] is about MeshService \"backend\" too, and replaces this entry\n" },
	{ "ZL013: two destinations", BASE ROUTE_OF("r", "", ALL, TO("backend", MS("far", "1")) ", " TO("other", MS("far", "1"))), "" },

	/* Backends. */
	{ "ZL014", BASE ROUTE(MS("othr", "100")),
	  "ZL014 MeshTCPRoute/r " LIST "[0].name: nobody offers service \"othr\" in mesh \"default\" (did you mean \"other\"?)\n" },
	{ "ZL014: not in this mesh", BASE "---\n{type: Mesh, name: m2}\n"
	  ROUTE_OF("r", "mesh: m2, ", ALL, TO("backend", MS("other", "1"))),
	  "ZL012 MeshTCPRoute/r spec.to[0].targetRef.name: nobody offers service \"backend\" in mesh \"m2\"\n"
	  "ZL014 MeshTCPRoute/r " LIST "[0].name: nobody offers service \"other\" in mesh \"m2\"\n"
	  "ZL030 MeshTCPRoute/r spec.targetRef: no Dataplane of mesh \"m2\" is selected by kind Mesh\n" },
	{ "ZL014: nobody can tell", MESH ROUTE(MS("othr", "100")), "" },
	{ "ZL015", BASE ROUTE(SUB("version: v9", "1")),
	  "ZL015 MeshTCPRoute/r " LIST "[0].tags: no instance of service \"backend\" has the tags {version: v9}\n" },
	{ "ZL015: any version", BASE ROUTE(SUB("version: '*'", "1")), "" },
	{ "ZL015: the zone has no name", BASE ROUTE(SUB("kuma.io/zone: east", "1")), "" },
	{ "ZL016", BASE ROUTE(MS("far", "0") ", " MS("other", "100")),
	  "ZL016 MeshTCPRoute/r " LIST "[0].weight: MeshService \"far\" has weight 0\n" },
	{ "ZL017", BASE ROUTE(MS("other", "40") ", " MS("far", "20") ", " MS("other", "40")),
	  "ZL017 MeshTCPRoute/r " LIST "[2]: MeshService \"other\" is the target of backendRefs[0] too\n" },
	{ "ZL017: two subsets", BASE ROUTE(SUB("version: v0", "50") ", " SUB("version: v1", "50")), "" },
	{ "ZL018", BASE ROUTE(MS("other", "0")),
	  "ZL018 MeshTCPRoute/r " LIST ": every weight of the list is 0\n" },
	{ "ZL019", BASE ROUTE(MS("other", "90") ", " MS("far", "20")),
	  "ZL019 MeshTCPRoute/r " LIST ": the sum of weights is 110\n" },
	{ "ZL019: no split", BASE ROUTE(MS("other", "7")), "" },
	{ "ZL020: section", BASE ROUTE("{kind: MeshService, name: other, sectionName: http}"),
	  "ZL020 MeshTCPRoute/r " LIST "[0]: no MeshService \"other\" with section \"http\" in mesh \"default\"\n" },
	{ "ZL020: labels, seen blind", MESH ROUTE("{kind: MeshService, labels: {a: b}}"),
	  "ZL020 MeshTCPRoute/r " LIST "[0]: no MeshService with labels {a: b} in mesh \"default\"\n" },
	{ "ZL021: two names", BASE ROUTE(SUB("kuma.io/service: other, version: v0", "1")),
	  "ZL021 MeshTCPRoute/r " LIST "[0].tags: the name says service \"backend\", the tag kuma.io/service \"other\"; the name counts\n" },
	{ "ZL021: one name twice", BASE ROUTE(SUB("kuma.io/service: backend, version: v0", "1")), "" },
	{ "ZL021: two Dataplanes", BASE DP("web", "k8s.kuma.io/namespace: n", IN(84, "kuma.io/service: web"), "")
	  TOP("{kind: Dataplane, name: web}"),
	  "ZL021 MeshTCPRoute/r spec.targetRef.name: the name \"web\" fits 2 Dataplanes, and all are selected\n" },
	{ "ZL021: one Dataplane", BASE TOP("{kind: Dataplane, name: web}"), "" },
	{ "ZL022", BASE DP("s", "", "{port: 85, state: NotReady, tags: {kuma.io/service: sleepy}}", "") ROUTE(MS("sleepy", "1")),
	  "ZL022 MeshTCPRoute/r " LIST "[0]: MeshService \"sleepy\" has no endpoint\n" },

	/* Selection and order. */
	{ "ZL030", BASE TOP("{kind: Dataplane, labels: {app: db}}"),
	  "ZL030 MeshTCPRoute/r spec.targetRef: no Dataplane of mesh \"default\" is selected by kind Dataplane\n" },
	{ "ZL030: by name", BASE TOP("{kind: Dataplane, name: wob}"),
	  "ZL030 MeshTCPRoute/r spec.targetRef: no Dataplane of mesh \"default\" is selected by kind Dataplane wob\n" },
	{ "ZL030: the zone has no name", BASE TOP("{kind: Dataplane, labels: {kuma.io/zone: east}}"), "" },
	{ "ZL030: no proxies to select", MESH WEST ROUTE_OF("r", "", ALL, TO("far", MS("far", "1"))), "" },
	{ "ZL031", BASE ROUTE_OF("r", "", ALL, TO("other", MS("far", "1"))),
	  "ZL031 MeshTCPRoute/r spec.to: 4 proxies are selected, none with an outbound to a destination of the policy\n" },
	{ "ZL032", BASE ROUTE_OF("b", "", WEB_ONLY, TO("backend", MS("far", "1"))) ROUTE_OF("a", "", ALL, TO("backend", MS("other", "1"))),
	  "ZL032 MeshTCPRoute/a spec.targetRef: stronger policies, MeshTCPRoute \"b\" among them, replace it on every outbound\n" },
	{ "ZL032: it wins for another proxy", BASE DP("c", "", IN(86, "kuma.io/service: c"), OUT("backend"))
	  ROUTE_OF("b", "", WEB_ONLY, TO("backend", MS("far", "1"))) ROUTE_OF("a", "", ALL, TO("backend", MS("other", "1"))), "" },
	{ "ZL033", BASE DP("c", "", IN(86, "kuma.io/service: c"), OUT("other"))
	  ROUTE_OF("a", "", ALL, TO("backend", MS("far", "1")))
	  ROUTE_OF("b", "", ALL, TO("backend", MS("other", "1")) ", " TO("other", MS("far", "1"))),
	  "ZL033 MeshTCPRoute/b spec.targetRef: MeshTCPRoute \"a\" has the same precedence and wins by its name\n" },
	{ "ZL033: other destinations", BASE DP("c", "", IN(86, "kuma.io/service: c"), OUT("other"))
	  ROUTE_OF("a", "", ALL, TO("backend", MS("far", "1"))) ROUTE_OF("b", "", ALL, TO("other", MS("far", "1"))), "" },

	/* What is offered. */
	{ "ZL040", "{type: Mesh, name: default}\n" WEB BACKENDS WEST ROUTE(MS("far", "1")),
	  "ZL040 MeshTCPRoute/r " LIST "[0]: MeshService \"far\" has no endpoint in the own zone, only in other zones, and mTLS of "
	  "mesh \"default\" is off\n" },
	{ "ZL040: one is here", "{type: Mesh, name: default}\n" WEB BACKENDS WEST DP("f", "", IN(87, "kuma.io/service: far"), "")
	  ROUTE(MS("far", "1")), "" },
	{ "ZL041", BASE INGRESS("s", "south", "", RECORD("kuma.io/service: other")),
	  "ZL041 ZoneIngress/s networking: other zones cannot reach what zone \"south\" offers\n" },
	{ "ZL042: none", BASE DP("p", "", "{port: 88, tags: {kuma.io/service: other}}", ""),
	  "ZL042 Dataplane/p networking.inbound[0].tags: without kuma.io/protocol it makes the protocol of service \"other\" unknown; "
	  "others say \"tcp\"\n" },
	{ "ZL042: one that fits no other", BASE DP("p", "", "{port: 88, tags: {kuma.io/service: other, kuma.io/protocol: mysql}}", ""),
	  "ZL042 Dataplane/p networking.inbound[0].tags: kuma.io/protocol \"mysql\" makes the protocol of service \"other\" unknown; "
	  "others say \"tcp\"\n" },
	{ "ZL042: in another zone", BASE INGRESS("s", "south", ADVERTISED, "{instances: 1, tags: {kuma.io/service: other}}"),
	  "ZL042 ZoneIngress/s availableServices[0].tags: without kuma.io/protocol it makes the protocol of service \"other\" unknown; "
	  "others say \"tcp\"\n" },
	{ "ZL042: http is tcp", BASE DP("p", "", "{port: 88, tags: {kuma.io/service: other, kuma.io/protocol: http}}", ""), "" },
	{ "ZL042: nobody has one", MESH WEB BACKENDS DP("p", "", "{port: 88, tags: {kuma.io/service: other}}", ""), "" },
	{ "ZL043: a backend", BASE "---\n{type: Zone, name: west, enabled: false}\n" ROUTE(MS("far", "1")),
	  "ZL043 MeshTCPRoute/r " LIST "[0].name: only zone \"west\", which is disabled, offers service \"far\"\n" },
	{ "ZL043: a destination", BASE "---\n{type: Zone, name: west, enabled: false}\n" ROUTE_OF("r", "", ALL, TO("far", MS("other", "1"))),
	  "ZL043 MeshTCPRoute/r spec.to[0].targetRef.name: only zone \"west\", which is disabled, offers service \"far\"\n" },
	{ "ZL043: a subset", BASE "---\n{type: Zone, name: west, enabled: false}\n" ROUTE(SUB("kuma.io/zone: west, version: v9", "1")),
	  "ZL043 MeshTCPRoute/r " LIST "[0].tags: the subset is of zone \"west\", which is disabled\n" },
	{ "ZL043: an outbound", BASE "---\n{type: Zone, name: west, enabled: false}\n" DP("c", "", IN(86, "kuma.io/service: c"), OUT("far")),
	  "ZL043 Dataplane/c networking.outbound[0].tags: only zone \"west\", which is disabled, offers service \"far\"\n" },
	{ "ZL043: nobody needs it", BASE "---\n{type: Zone, name: west, enabled: false}\n", "" },
	{ "ZL044", BASE DP("c", "", IN(86, "kuma.io/service: c"), OUT("othre")),
	  "ZL044 Dataplane/c networking.outbound[0].tags: nobody offers service \"othre\" in mesh \"default\" (did you mean \"other\"?)\n" },
	{ "ZL044: an object", BASE DP("c", "", IN(86, "kuma.io/service: c"), "{port: 1, backendRef: {kind: MeshService, name: db, port: 5432}}"),
	  "ZL044 Dataplane/c networking.outbound[0].backendRef: no MeshService \"db\" with port 5432 in mesh \"default\"\n" },
	{ "ZL044: not where the object is", BASE DB DP("c", "", IN(86, "kuma.io/service: c"), "{port: 1, backendRef: {kind: MeshService, name: db, port: 5432}}"), "" },

	/* Service objects. */
	{ "nothing odd, objects", BASE DB ROUTE("{kind: MeshService, labels: {app: db}, sectionName: sql, weight: 50}, "
	    "{kind: MeshMultiZoneService, name: all, port: 5432, weight: 50}") MULTI("app: db"), "" },
	{ "nothing odd, a destination by labels", BASE DB DP("c", "", IN(86, "kuma.io/service: c"),
	    "{port: 1, backendRef: {kind: MeshService, name: db, port: 5432}}")
	  ROUTE_OF("r", "", ALL, "{targetRef: {kind: MeshService, labels: {app: db}}, rules: [{default: {backendRefs: [" MS("other", "1") "]}}]}"), "" },
	{ "nothing odd, derived", "---\n{type: Mesh, name: default, mtls: {defaultPermission: Allow, enabledBackend: ca, backends: [{name: ca, type: builtin}]}, "
	  "meshServices: {mode: Everywhere}}\n" WEB BACKENDS OTHER
	  ROUTE("{kind: MeshService, labels: {kuma.io/display-name: other}, port: 83}"), "" },
	{ "ZL021: two objects", BASE DB OBJECT("db2", "app: db", "dataplaneTags: {kuma.io/service: other}") ROUTE("{kind: MeshService, labels: {app: db}, port: 5432}"),
	  "ZL021 MeshTCPRoute/r " LIST "[0]: MeshService {app: db} fits 2 objects, of which \"db2\" is taken\n" },
	{ "ZL022: an object", BASE OBJECT("db", "app: db", "dataplaneTags: {kuma.io/service: nobody}") ROUTE("{kind: MeshService, name: db, port: 5432}"),
	  "ZL022 MeshTCPRoute/r " LIST "[0]: MeshService \"db\" has no endpoint\n" },
	{ "ZL023", BASE DB ROUTE("{kind: MeshService, name: db, port: 1}"),
	  "ZL023 MeshTCPRoute/r " LIST "[0]: MeshService \"db\" has no such port, or several and none is named\n" },
	{ "ZL045", BASE DB MULTI("app: nothing"),
	  "ZL045 MeshMultiZoneService/all spec.selector.meshService.matchLabels: no MeshService of mesh \"default\" has these labels\n" },
	{ "ZL046", BASE "---\n{type: MeshExternalService, name: ext, spec: {match: {port: 80}}}\n" ROUTE("{kind: MeshExternalService, name: ext}"),
	  "ZL046 MeshExternalService/ext spec.endpoints: it has no endpoint\n" },

	/* HTTP. */
	{ "nothing odd, requests", BASE HTTP_SERVICE HTTP("shop", "[{matches: [{}], default: {backendRefs: [" MS("other", "100") "]}}]"), "" },
	{ "ZL014, ZL019: requests", BASE HTTP_SERVICE HTTP("shop", "[{matches: [{}], default: {backendRefs: [" MS("other", "1") "]}}, "
	    "{matches: [{method: GET}], default: {backendRefs: [" MS("othr", "1") ", " MS("far", "2") "]}}]"),
	  "ZL014 MeshHTTPRoute/h spec.to[0].rules[1].default.backendRefs[0].name: nobody offers service \"othr\" in mesh \"default\" (did you mean \"other\"?)\n"
	  "ZL019 MeshHTTPRoute/h spec.to[0].rules[1].default.backendRefs: the sum of weights is 3\n" },
	{ "ZL032: requests", BASE HTTP_SERVICE HTTP("shop", "[{matches: [{}], default: {}}]")
	  "---\n{type: MeshHTTPRoute, name: a, spec: {to: [{targetRef: {kind: MeshService, name: shop}, rules: [{matches: [{}], default: {}}]}]}}\n",
	  "ZL032 MeshHTTPRoute/h spec.targetRef: stronger policies, MeshHTTPRoute \"a\" among them, replace it on every outbound\n" },
	{ "ZL036", BASE HTTP("backend", "[]"),
	  "ZL036 MeshHTTPRoute/h spec.to[0].targetRef: the protocol of \"backend\" is tcp: the entry has no effect on connections to it\n" },

	/* Balancing. */
	{ "nothing odd, balancing", BASE NEAR("{kind: MeshService, name: backend}"), "" },
	{ "nothing odd, balancing all", BASE NEAR("{kind: Mesh}"), "" },
	{ "nothing odd, balancing an object", BASE DB MULTI("app: db") BALANCING("", WEB_ONLY, "{kind: MeshMultiZoneService, name: all}", CROSS), "" },
	{ "ZL001, ZL004: balancing", BASE BALANCING("labels: {kuma.io/effect: shadow}, ", "{kind: MeshService, name: web}", "{kind: Mesh}", ""),
	  "ZL001 MeshLoadBalancingStrategy/near spec.targetRef.kind: kind MeshService is deprecated at the top of a policy\n"
	  "ZL004 MeshLoadBalancingStrategy/near labels[\"kuma.io/effect\"]: it configures no proxy\n" },
	{ "ZL004: a legacy policy", BASE "---\n{type: TrafficPermission, name: p, labels: {kuma.io/effect: shadow}, sources: [{match: {kuma.io/service: '*'}}], destinations: [{match: {kuma.io/service: '*'}}]}\n",
	  "ZL004 TrafficPermission/p labels[\"kuma.io/effect\"]: it configures no proxy\n" },
	{ "ZL005: balancing", MESH BALANCING("mesh: m2, ", ALL, "{kind: Mesh}", ""),
	  "ZL005 MeshLoadBalancingStrategy/near mesh: no document makes the mesh \"m2\"\n" },
	{ "ZL010: balancing", BASE NEAR("{kind: MeshMultiZoneService, name: all}"),
	  "ZL010 MeshLoadBalancingStrategy/near spec.to[0].targetRef: no MeshMultiZoneService \"all\" in mesh \"default\"\n" },
	{ "ZL010: balancing a port", BASE NEAR("{kind: MeshService, name: backend, sectionName: http}"),
	  "ZL010 MeshLoadBalancingStrategy/near spec.to[0].targetRef: no MeshService \"backend\" with section \"http\" in mesh \"default\"\n" },
	{ "ZL012: balancing", BASE NEAR("{kind: MeshService, name: bakend}"),
	  "ZL012 MeshLoadBalancingStrategy/near spec.to[0].targetRef.name: nobody offers service \"bakend\" in mesh \"default\" (did you mean \"backend\"?)\n" },
	{ "ZL012: balancing what is only routed", MESH DP("web", "", IN(80, "kuma.io/service: web"), OUT("front")) OTHER
	  ROUTE_OF("r", "", ALL, TO("front", MS("other", "1"))) NEAR("{kind: MeshService, name: front}"),
	  "ZL012 MeshLoadBalancingStrategy/near spec.to[0].targetRef.name: nobody offers service \"front\" in mesh \"default\"\n" },
	{ "ZL030: balancing", BASE BALANCING("", "{kind: Dataplane, labels: {app: db}}", "{kind: Mesh}", ""),
	  "ZL030 MeshLoadBalancingStrategy/near spec.targetRef: no Dataplane of mesh \"default\" is selected by kind Dataplane\n" },
	{ "ZL037", EGRESS_MESH WEB BACKENDS EGRESS("") BALANCING("", WEB_ONLY, "{kind: MeshService, name: backend}", CROSS),
	  "ZL037 MeshLoadBalancingStrategy/near spec.to[0].default.localityAwareness.crossZone: the egresses of mesh \"default\" do not read it below kind Dataplane\n" },
	{ "ZL037: the whole mesh", EGRESS_MESH WEB BACKENDS EGRESS("") BALANCING("", ALL, "{kind: MeshService, name: backend}", CROSS), "" },
	{ "ZL037: the own zone", EGRESS_MESH WEB BACKENDS EGRESS("") BALANCING("", WEB_ONLY, "{kind: MeshService, name: backend}", "localZone: {}"), "" },
	{ "ZL037: no egress is asked for", BASE BALANCING("", WEB_ONLY, "{kind: MeshService, name: backend}", CROSS), "" },

	/* Between zones. */
	{ "ZL047", EGRESS_MESH WEB BACKENDS,
	  "ZL047 Mesh/default routing.zoneEgress: the zone has proxies of the mesh and no ZoneEgress\n" },
	{ "ZL047: the zone has no name", EGRESS_MESH WEB BACKENDS EGRESS("east"), "" },
	{ "ZL047: of another zone", EGRESS_MESH EAST("") INGRESS("i", "east", ADVERTISED, "") EGRESS("west"),
	  "ZL047 Mesh/default routing.zoneEgress: zone east has proxies of the mesh and no ZoneEgress\n" },
	{ "ZL047: it has one", EGRESS_MESH EAST("") EGRESS("east"), "" },
	{ "ZL047: no proxies", EGRESS_MESH WEST, "" },
	{ "ZL048", MESH EAST("") WEST,
	  "ZL048 Mesh/default mtls.enabledBackend: zone \"east\" has instances in the mesh and no ZoneIngress\n" },
	{ "ZL048: by a Zone", MESH EAST("") "---\n{type: Zone, name: west}\n",
	  "ZL048 Mesh/default mtls.enabledBackend: zone \"east\" has instances in the mesh and no ZoneIngress\n" },
	{ "ZL048: by a Dataplane", MESH EAST("") DP("w", OF("west"), "", ""),
	  "ZL048 Mesh/default mtls.enabledBackend: zone \"east\" has instances in the mesh and no ZoneIngress\n" },
	{ "ZL048: there is no other zone", MESH EAST("") "---\n{type: Zone, name: east}\n", "" },
	{ "ZL048: it has one", MESH EAST("") WEST INGRESS("i", "east", ADVERTISED, ""), "" },
	{ "ZL048: ZL041 says it", MESH EAST("") WEST INGRESS("i", "east", "", ""),
	  "ZL041 ZoneIngress/i networking: other zones cannot reach what zone \"east\" offers\n" },
	{ "ZL048: it offers nothing", MESH DP("east", OF("east"), "", "") WEST, "" },
	{ "ZL048: plain", "{type: Mesh, name: default}\n" EAST("") WEST, "" },
	{ "ZL048: it is disabled", MESH EAST("") WEST "---\n{type: Zone, name: east, enabled: false}\n", "" },

	/* TrafficRoutes. */
	{ "ZL034", BASE TRAFFIC("t", "'*'", "'*'", "split: [{weight: 1, destination: {kuma.io/service: '*', version: v1}}]"),
	  "ZL034 TrafficRoute/t destinations: it has 1 outbound, to backend\n" },
	{ "ZL014, ZL015, ZL019: a split", BASE TRAFFIC("t", "web", "backend", "split: [{weight: 1, destination: {kuma.io/service: othr}}, "
	    "{weight: 1, destination: {kuma.io/service: other, version: v7}}]"),
	  "ZL014 TrafficRoute/t conf.split[0]: nobody offers service \"othr\" in mesh \"default\" (did you mean \"other\"?)\n"
	  "ZL015 TrafficRoute/t conf.split[1]: no instance of service \"other\" has the tags {version: v7}\n"
	  "ZL019 TrafficRoute/t conf.split: the sum of weights is 2\n"
	  "ZL034 TrafficRoute/t destinations: it has 1 outbound, to backend\n" },
	{ "ZL035", BASE TRAFFIC("t", "web", "backend", "destination: {kuma.io/service: other}") ROUTE(MS("other", "1")),
	  "ZL035 TrafficRoute/t destinations: MeshTCPRoute \"r\" has 1 outbound in its place, and nothing is left to it\n" },
	{ "ZL035: another TrafficRoute", BASE TRAFFIC("t", "'*'", "backend", "destination: {kuma.io/service: other}") TRAFFIC("z", "web", "backend", "destination: {kuma.io/service: other}"),
	  "ZL035 TrafficRoute/t destinations: TrafficRoute \"z\" has 1 outbound in its place, and nothing is left to it\n"
	  "ZL034 TrafficRoute/z destinations: it has 1 outbound, to backend\n" },
	{ "ZL030: a source", BASE TRAFFIC("t", "nobody", "backend", "destination: {kuma.io/service: other}"),
	  "ZL030 TrafficRoute/t sources: no Dataplane of mesh \"default\" is one of its sources\n" },

	/* Policies that attach to routes. */
	{ "nothing odd, attached", BASE TIMES(SERVICE("backend"), "idleTimeout: 5s"), "" },
	{ "nothing odd, attached to the mesh", BASE TIMES(ALL, "idleTimeout: 5s"), "" },
	{ "nothing odd, behind a split", BASE ROUTE(MS("other", "1")) TIMES(SERVICE("other"), "connectionTimeout: 5s"), "" },
	{ "nothing odd, called only", MESH DP("web", "", IN(80, "kuma.io/service: web"), OUT("gone")) ROUTE_OF("r", "", ALL, TO("gone", MS("web", "1"))) TIMES(SERVICE("gone"), "idleTimeout: 5s"), "" },
	{ "nothing odd, inbounds", BASE POLICY("MeshTimeout", "t", ALL, "rules: [{default: {idleTimeout: 5s}}]") PERMIT(FROM_ALL), "" },
	{ "ZL001, ZL004, attached", BASE "---\n{type: MeshTrafficPermission, name: p, labels: {kuma.io/effect: shadow}, spec: {targetRef: {kind: MeshService, name: web}, " FROM_ALL "}}\n",
	  "ZL001 MeshTrafficPermission/p spec.targetRef.kind: kind MeshService is deprecated at the top of a policy\n"
	  "ZL004 MeshTrafficPermission/p labels[\"kuma.io/effect\"]: it configures no proxy\n" },
	{ "ZL005, attached and legacy", MESH "---\n{type: MeshAccessLog, name: a, mesh: m2, spec: {rules: [{default: {backends: []}}]}}\n---\n{type: Timeout, name: t, mesh: m2, sources: [{match: {kuma.io/service: a}}], destinations: [{match: {kuma.io/service: b}}], conf: {connectTimeout: 1s}}\n",
	  "ZL005 MeshAccessLog/a mesh: no document makes the mesh \"m2\"\nZL005 Timeout/t mesh: no document makes the mesh \"m2\"\n" },
	{ "ZL010, attached", BASE TIMES("{kind: MeshExternalService, name: x}", "idleTimeout: 5s"),
	  "ZL010 MeshTimeout/t spec.to[0].targetRef: no MeshExternalService \"x\" in mesh \"default\"\n" },
	{ "ZL010: a MeshHTTPRoute", BASE HTTP_SERVICE TIMES("{kind: MeshHTTPRoute, name: x}", "http: {requestTimeout: 5s}"),
	  "ZL010 MeshTimeout/t spec.to[0].targetRef: no MeshHTTPRoute \"x\" in mesh \"default\"\n" },
	{ "ZL010: it is there", BASE HTTP_SERVICE HTTP("shop", "[{matches: [{path: {type: PathPrefix, value: /}}], default: {}}]") TIMES("{kind: MeshHTTPRoute, name: h}", "http: {requestTimeout: 5s}"), "" },
	{ "ZL012, attached", BASE TIMES(SERVICE("backen"), "idleTimeout: 5s"),
	  "ZL012 MeshTimeout/t spec.to[0].targetRef.name: nobody offers service \"backen\" in mesh \"default\" (did you mean \"backend\"?)\n" },
	{ "ZL030, attached", BASE POLICY("MeshRetry", "t", "{kind: Dataplane, name: x}", "to: [{targetRef: {kind: Mesh}, default: {tcp: {maxConnectAttempt: 2}}}]"),
	  "ZL030 MeshRetry/t spec.targetRef: no Dataplane of mesh \"default\" is selected by kind Dataplane x\n" },
	{ "ZL031, attached", BASE TIMES(SERVICE("web"), "idleTimeout: 5s"),
	  "ZL031 MeshTimeout/t spec.to: 4 proxies are selected, none with an outbound to a destination of the policy\n" },
	{ "ZL049: nobody carries", BASE SLOW("web", "'*'"),
	  "ZL049 Timeout/slow destinations: it does not reach 1 outbound, to backend: no TrafficRoute owns it\n" },
	{ "ZL049: a MeshTCPRoute does", BASE SLOW("web", "backend") ROUTE(MS("other", "1")),
	  "ZL049 Timeout/slow destinations: it does not reach 1 outbound, to backend: MeshTCPRoute owns it\n" },
	{ "ZL049: a new policy says it", BASE CARRIED SLOW("web", "backend") TIMES(ALL, "connectionTimeout: 5s"),
	  CARRIES "ZL049 Timeout/slow destinations: it does not reach 1 outbound, to backend: MeshTimeout \"t\" owns it\n" },
	{ "nothing odd, legacy", BASE CARRIED SLOW("web", "backend"), CARRIES },
	{ "ZL030, legacy", BASE CARRIED SLOW("x", "backend"), CARRIES "ZL030 Timeout/slow sources: no Dataplane of mesh \"default\" is one of its sources\n" },
	{ "nothing odd, one file for all", BASE LOGS("a", ALL, "/l", ""), "" },
	{ "ZL052: in one list", BASE POLICY("MeshAccessLog", "a", ALL, "to: [{targetRef: {kind: Mesh}, default: {backends: [{type: File, file: {path: /l}}, {type: File, file: {path: /l, format: {type: Plain, plain: a}}}]}}]"),
	  "ZL052 MeshAccessLog/a spec.to[0].default.backends[1].file.path: MeshAccessLog \"a\" has a proxy write \"/l\" too\n" },
	{ "ZL052: of two policies", MESH DP("web", "", IN(80, "kuma.io/service: web"), OUT("web") ", {port: 10002, tags: {kuma.io/service: other}}") OTHER LOGS("a", ALL, "/l", "") LOGS("b", SERVICE("other"), "/l", ""),
	  "ZL052 MeshAccessLog/b spec.to[0].default.backends[0].file.path: MeshAccessLog \"a\" has a proxy write \"/l\" too\n" },
	{ "ZL053", BASE CARRIED LEGACY("TrafficLog", "l", "web", "backend", ", conf: {backend: x}"),
	  CARRIES "ZL053 TrafficLog/l conf.backend: mesh \"default\" has no logging backend \"x\"\n"
	  "ZL056 TrafficLog/l conf: it is about 1 outbound or listener of selected proxies, and nothing of it is in effect\n" },
	{ "ZL053: no default", BASE CARRIED LEGACY("TrafficLog", "l", "web", "backend", ", conf: {}"),
	  CARRIES "ZL053 TrafficLog/l conf.backend: it names none, and mesh \"default\" has no default one\n"
	  "ZL056 TrafficLog/l conf: it is about 1 outbound or listener of selected proxies, and nothing of it is in effect\n" },
	{ "ZL054", "{type: Mesh, name: default}\n" SERVED PERMIT(FROM_ALL) LEGACY("TrafficPermission", "q", "'*'", "'*'", ""),
	  "ZL054 MeshTrafficPermission/p : mesh \"default\" has no mTLS: everybody is let in\n"
	  "ZL054 TrafficPermission/q : mesh \"default\" has no mTLS: everybody is let in\n" },
	{ "ZL055", CLOSED_MESH SERVED,
	  "ZL055 Mesh/default mtls.defaultPermission: mTLS is on, and no MeshTrafficPermission lets anybody in: 1 inbound is closed\n" },
	{ "ZL055: a permission", CLOSED_MESH SERVED PERMIT(FROM_ALL), "" },
	{ "ZL055: a legacy one", CLOSED_MESH SERVED LEGACY("TrafficPermission", "q", "'*'", "'*'", ""), "" },
	{ "ZL056", BASE POLICY("MeshTimeout", "a", ALL, "to: [{targetRef: {kind: Mesh}, default: {idleTimeout: 5s}}]") TIMES(SERVICE("backend"), "idleTimeout: 6s"),
	  "ZL056 MeshTimeout/a spec.to: it is about 1 outbound or listener of selected proxies, and nothing of it is in effect\n" },
	{ "ZL056: of requests", BASE TIMES(SERVICE("backend"), "http: {requestTimeout: 5s}"),
	  "ZL056 MeshTimeout/t spec.to: it is about 1 outbound or listener of selected proxies, and nothing of it is in effect\n" },

	/* Gateways and Secrets. */
	{ "nothing odd, a gateway", BASE EDGE GATEWAY("edge", "{port: 90, protocol: TCP}")
	  ROUTE_OF("r", "", "{kind: MeshGateway, name: gw}", "{targetRef: {kind: Mesh}, rules: [{default: {backendRefs: [" MS("other", "1") "]}}]}"), "" },
	{ "ZL050", BASE EDGE GATEWAY("door", "{port: 90, protocol: TCP}"),
	  "ZL050 MeshGateway/gw selectors: no Dataplane of type BUILTIN in mesh \"default\" takes it\n" },
	{ "ZL051", BASE EDGE GATEWAY("edge", "{port: 90, protocol: TCP, tags: {p: a}}, {port: 91, protocol: TCP, tags: {p: b}}, {port: 92, protocol: HTTP}")
	  ROUTE_OF("r", "", "{kind: MeshGateway, name: gw, tags: {p: b}}", "{targetRef: {kind: Mesh}, rules: [{default: {backendRefs: [" MS("other", "1") "]}}]}"),
	  "ZL051 MeshGateway/gw conf.listeners[0]: no MeshTCPRoute is about port 90, hostname *: its connections are closed\n" },
	{ "ZL060: a gateway", BASE EDGE GATEWAY("edge", "{port: 90, protocol: TLS, tls: {mode: TERMINATE, certificates: [{secret: cert}]}}")
	  ROUTE_OF("r", "", "{kind: MeshGateway, name: gw}", "{targetRef: {kind: Mesh}, rules: [{default: {backendRefs: [" MS("other", "1") "]}}]}"),
	  "ZL060 MeshGateway/gw conf.listeners[0].tls.certificates[0]: there is no Secret \"cert\" in mesh \"default\"\n" },
	{ "ZL060: outside", BASE "---\n{type: MeshExternalService, name: ext, spec: {match: {port: 80}, endpoints: [{address: 9.9.9.9, port: 1}], "
	  "tls: {enabled: true, verification: {caCert: {secret: there}, clientCert: {secret: a}, clientKey: {inlineString: k}}}}}\n"
	  "---\n{type: Secret, name: there, data: eA==}\n",
	  "ZL060 MeshExternalService/ext spec.tls.verification.clientCert: there is no Secret \"a\" in mesh \"default\"\n" },
	{ "ZL060: a mesh", "{type: Mesh, name: m, mtls: {enabledBackend: ca, backends: [{name: ca, type: provided, conf: {cert: {secret: c}, key: {secret: k}}}]}}\n"
	  "---\n{type: Secret, mesh: m, name: k, data: eA==}\n",
	  "ZL060 Mesh/m mtls.backends[0].conf.cert: there is no Secret \"c\" in mesh \"m\"\n" },
};
/* clang-format on */

static const char *text_of(struct analyze_result result, struct zl_arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < result.count; i++) {
		const struct analyze_finding *at = &result.findings[i];

		text = zl_arena_format(arena, "%s%s %s/%s %s: %s\n", text, at->rule->code,
				       kind_info(at->res->key.kind)->name,
				       at->res->key.name, at->field, at->what);
		assert_null(strstr(at->fix, "{}"));
	}
	return text;
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct world world = world_of(CASES[i].yaml, "", NULL);
		const char *got =
			text_of(analyze_set(world.set, "", world.arena), world.arena);

		if (strcmp(got, CASES[i].want) != 0)
			print_error("%s:\n%s", CASES[i].why, CASES[i].yaml);
		assert_string_equal(got, CASES[i].want);
		world_end(&world);
	}
}

static bool any_case_wants(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		if (strstr(CASES[i].want, code) != NULL)
			return true;
	return false;
}

static void test_each_rule_is_whole_and_has_a_case(void **state)
{
	size_t count;
	const struct analyze_rule *rules = analyze_rules(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (!any_case_wants(rules[i].code))
			print_error("no case of %s\n", rules[i].code);
		assert_true(any_case_wants(rules[i].code));
		assert_int_equal(strlen(rules[i].code), 5);
		assert_true(i == 0 || strcmp(rules[i - 1].code, rules[i].code) < 0);
		assert_int_equal(rules[i].why[strlen(rules[i].why) - 1], '.');
		assert_int_equal(rules[i].fix[strlen(rules[i].fix) - 1], '.');
	}
}

/* Whatever the zone, and in whatever order the documents come. */
static void test_order_is_nothing(void **state)
{
	struct dice dice = { 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct world world = world_of(CASES[i].yaml, "", &dice);
		const char *got =
			text_of(analyze_set(world.set, "", world.arena), world.arena);

		assert_string_equal(got, CASES[i].want);
		world_end(&world);
	}
}

#define TWO_ZONES                                                                        \
	"{type: Mesh, name: default}\n" DP(                                              \
		"web", OF("east"), IN(80, "kuma.io/service: web"), OUT("backend"))       \
		DP("b", OF("east"), IN(81, "kuma.io/service: backend"),                  \
		   "") DP("f", OF("west"), IN(82, "kuma.io/service: far"),               \
			  "") INGRESS("e", "east", ADVERTISED,                           \
				      RECORD("kuma.io/service: backend"))                \
			INGRESS("w", "west", ADVERTISED, RECORD("kuma.io/service: far")) \
				ROUTE_OF("r", "labels: {" OF("east") "}, ", ALL,         \
					 TO("backend", MS("far", "1")))

/* Each zone has its own view: what one cannot reach another can. */
static void test_zones(void **state)
{
	struct world world = world_of(TWO_ZONES, "", NULL);
	static const char *const EAST =
		"ZL040 MeshTCPRoute/r " LIST
		"[0]: MeshService \"far\" has no endpoint in zone east, only in other "
		"zones, and mTLS of mesh \"default\" is off\n";

	(void)state;
	assert_string_equal(text_of(analyze_set(world.set, "", world.arena), world.arena),
			    EAST);
	assert_string_equal(
		text_of(analyze_set(world.set, "east", world.arena), world.arena), EAST);
	/* west has far itself, and no proxy that a policy of east is for */
	assert_string_equal(
		text_of(analyze_set(world.set, "west", world.arena), world.arena),
		"ZL030 MeshTCPRoute/r spec.targetRef: no Dataplane of mesh \"default\" "
		"is selected by kind Mesh\n");
	world_end(&world);

	/* What a disabled zone wrote is withdrawn, and no news. */
	world = world_of(TWO_ZONES, "{type: Zone, name: east, enabled: false}\n", NULL);
	assert_string_equal(
		text_of(analyze_set(world.set, "west", world.arena), world.arena), "");
	world_end(&world);
}

static void test_blind(void **state)
{
	struct world world = world_of(MESH ROUTE(MS("x", "1")), "", NULL);

	(void)state;
	assert_true(analyze_set(world.set, "", world.arena).blind);
	world_end(&world);
	world = world_of(BASE, "", NULL);
	assert_false(analyze_set(world.set, "", world.arena).blind);
	world_end(&world);
}

static void test_severities(void **state)
{
	enum analyze_severity severity = ANALYZE_INFO;

	(void)state;
	for (int i = ANALYZE_INFO; i <= ANALYZE_ERROR; i++) {
		const char *name = analyze_severity_name((enum analyze_severity)i);
		assert_true(analyze_severity_parse(name, &severity));
		assert_int_equal(severity, i);
	}
	assert_false(analyze_severity_parse("fatal", &severity));
	assert_int_equal(severity, ANALYZE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_each_rule_is_whole_and_has_a_case),
		cmocka_unit_test(test_order_is_nothing),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_blind),
		cmocka_unit_test(test_severities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
