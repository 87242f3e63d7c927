#include "support/test.h"
#include "support/world.h"
#include "unit/policy/east.h"

#include "policy/refs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Outbounds and backendRefs that lead to service objects, and to what is outside. */

/* West has db, and far in two namespaces' worth of ports; ext is outside the mesh. */
static const char OBJECTS[] =
	"---\n{type: MeshService, name: db, labels: {app: db}, spec: {selector: "
	"{dataplaneTags: {kuma.io/service: backend}}, ports: [{port: 5432, targetPort: "
	"80, name: sql, appProtocol: tcp}]}}\n"
	"---\n{type: MeshService, name: duo, labels: {app: duo}, spec: {selector: "
	"{dataplaneTags: {kuma.io/service: other}}, ports: [{port: 80, name: web, "
	"appProtocol: http}, {port: 90, targetPort: 81}]}}\n"
	"---\n{type: MeshService, name: db, labels: {app: db, kuma.io/origin: global, "
	"kuma.io/zone: west}, spec: {state: Available, selector: {dataplaneTags: "
	"{kuma.io/service: far}}, ports: [{port: 5432, name: sql}]}}\n"
	"---\n{type: MeshService, name: far, labels: {app: far, kuma.io/origin: global, "
	"kuma.io/zone: west}, spec: {state: Available, selector: {dataplaneTags: "
	"{kuma.io/service: far}}, ports: [{port: 70}]}}\n"
	"---\n{type: MeshService, name: twin, labels: {app: twin, kuma.io/origin: "
	"global, kuma.io/zone: west}, spec: {ports: [{port: 1}]}}\n"
	"---\n{type: MeshService, name: twin, labels: {app: twin, kuma.io/origin: "
	"global, kuma.io/zone: north}, spec: {ports: [{port: 1}]}}\n"
	"---\n{type: MeshMultiZoneService, name: all, spec: {selector: {meshService: "
	"{matchLabels: {app: db}}}, ports: [{port: 5432, name: sql, appProtocol: "
	"tcp}]}}\n"
	"---\n{type: MeshMultiZoneService, name: none, spec: {selector: {meshService: "
	"{matchLabels: {app: nobody}}}, ports: [{port: 1}]}}\n"
	"---\n{type: MeshExternalService, name: ext, labels: {side: out}, spec: {match: "
	"{type: HostnameGenerator, port: 9090, protocol: http}, endpoints: [{address: "
	"db.example.com, port: 443}, {address: 10.9.0.1, port: 99}]}}\n"
	"---\n{type: MeshExternalService, name: abroad, labels: {kuma.io/origin: zone, "
	"kuma.io/zone: west}, spec: {match: {port: 9}, endpoints: [{address: 10.9.0.2, "
	"port: 9}]}}\n";

#define PROXY(outbound)                                                               \
	"---\n{type: Dataplane, name: p, networking: {address: 9.9.9.8, outbound: [{" \
	"port: 7, " outbound "}]}}\n"
#define TO(ref) PROXY("backendRef: " ref)
#define DB TO("{kind: MeshService, name: db, port: 5432}")
#define TAG(service) PROXY("tags: {kuma.io/service: " service "}")
#define ENTRY(name, labels, target, rules)                           \
	"---\n{type: MeshTCPRoute, name: " name ", labels: {" labels \
	"}, spec: {to: [{targetRef: " target ", rules: " rules "}]}}\n"
#define REF(ref) \
	TAG("backend") ENTRY("r", "", "{kind: MeshService, name: backend}", LIST(ref))
#define KUBE(kind, name, ns, spec)                                                   \
	"---\n{apiVersion: kuma.io/v1alpha1, kind: " kind ", metadata: {name: " name \
	", namespace: " ns "}, spec: " spec "}\n"
#define DEMO_PROXY                                                                       \
	"---\n{apiVersion: kuma.io/v1alpha1, kind: Dataplane, mesh: default, metadata: " \
	"{name: p, namespace: demo}, spec: {networking: {address: 9.9.9.8, outbound: "   \
	"[{port: 7, tags: {kuma.io/service: backend}}]}}}\n"
#define DEMO_ROUTE(ref)                                          \
	DEMO_PROXY KUBE("MeshTCPRoute", "r", "demo",             \
			"{to: [{targetRef: {kind: MeshService, " \
			"name: backend}, rules: " LIST(ref) "}]}")
/* An ExternalService of the tag old. */
#define OLD(name, tags, address, tls)                                              \
	"---\n{type: ExternalService, name: " name                                 \
	", tags: {kuma.io/service: old, " tags "}, networking: {address: " address \
	", tls: {" tls "}}}\n"
#define EXCLUSIVE "---\n{type: Mesh, name: default, meshServices: {mode: Exclusive}}\n"

/* "kind name section port protocol: owner [policies] backends": a backend is "kind name
 * weight cluster @endpoints", with ~ for those outside, or "kind name weight !reason". */
#define DB_EAST "MeshService db sql 5432 tcp: "
#define SELF_DB \
	"MeshService db 1 kri_msvc_default___db_sql @1.1.1.1:80/0*1 @1.1.1.2:80/0*1"
#define SELF_BACKEND "MeshService backend 1 backend @1.1.1.1:80/0*1 @1.1.1.2:80/0*1"
#define TAG_BACKEND "MeshService backend  0 tcp: "

/* clang-format off */
static const struct {
	const char *why, *yaml, *want;
	const char *warnings; /* a line for each; NULL: none */
} CASES[] = {
	/* Destinations. */
	{ "by name: the own zone's", DB, DB_EAST "default [] " SELF_DB, NULL },
	{ "by labels: the own zone's", TO("{kind: MeshService, labels: {app: db}, port: 5432}"), DB_EAST "default [] " SELF_DB,
	  "mesh \"default\": 2 objects are meant by MeshService with labels {app: db}, of which the first is taken: "
	  "kri_msvc_default___db_, kri_msvc_default_west__db_" },
	{ "by name: the only one of the mesh", TO("{kind: MeshService, name: far, port: 70}"),
	  "MeshService far 70 70 tcp: default [] MeshService far 1 kri_msvc_default_west__far_70 @2.2.2.2:10001/0*3", NULL },
	{ "a port that is not named", TO("{kind: MeshService, name: duo, port: 90}"),
	  "MeshService duo 90 90 tcp: default [] MeshService duo 1 kri_msvc_default___duo_90",
	  "mesh \"default\": port 90 of MeshService \"duo\" has no endpoint: connections to it fail" },
	{ "K17: no such object", TO("{kind: MeshService, name: backend, port: 80}"),
	  "MeshService backend  80 unknown: default [] MeshService backend 1 !no MeshService \"backend\" with port 80 in mesh \"default\"", NULL },
	{ "K17: no such port", TO("{kind: MeshService, name: db, port: 80}"),
	  "MeshService db  80 unknown: default [] MeshService db 1 !MeshService \"db\" has no port 80", NULL },
	{ "K17: several, none of them the zone's", TO("{kind: MeshService, name: twin, port: 1}"),
	  "MeshService twin  1 unknown: default [] MeshService twin 1 !more than one MeshService \"twin\" in mesh \"default\", "
	  "and none is the zone's own", NULL },
	{ "K17: no such labels", TO("{kind: MeshExternalService, labels: {a: b}}"),
	  "MeshExternalService  {a: b} 0 unknown: default [] MeshExternalService  {a: b} 1 !no MeshExternalService with labels {a: b} "
	  "in mesh \"default\"", NULL },
	{ "K17: nothing is about it", TO("{kind: MeshService, name: gone, port: 1}") ENTRY("r", "", "{kind: MeshService, name: gone}", LIST(MS("far", "1"))),
	  "MeshService gone  1 unknown: default [] MeshService gone 1 !no MeshService \"gone\" with port 1 in mesh \"default\"", NULL },
	{ "multi-zone", TO("{kind: MeshMultiZoneService, name: all, port: 5432}"),
	  "MeshMultiZoneService all sql 5432 tcp: default [] MeshMultiZoneService all 1 kri_mzsvc_default___all_sql "
	  "@1.1.1.1:80/0*1 @1.1.1.2:80/0*1 @2.2.2.2:10001/1*3", NULL },
	{ "multi-zone without members", TO("{kind: MeshMultiZoneService, name: none, port: 1}"),
	  "MeshMultiZoneService none 1 1 tcp: default [] MeshMultiZoneService none 1 kri_mzsvc_default___none_1",
	  "mesh \"default\": port 1 of MeshMultiZoneService \"none\" has no endpoint: no MeshService has the labels {app: nobody}" },
	{ "outside the mesh", TO("{kind: MeshExternalService, name: ext}"),
	  "MeshExternalService ext 9090 9090 http: default [] MeshExternalService ext 1 kri_extsvc_default___ext_9090 "
	  "~10.9.0.1:99/0*1 ~db.example.com:443/0*1", NULL },
	{ "outside, at one address", TO("{kind: MeshExternalService, name: one}") "---\n{type: MeshExternalService, name: one, labels: {"
	  "kuma.io/origin: zone, kuma.io/zone: east}, spec: {match: {port: 9}, endpoints: [{address: 10.9.0.1, port: 9}, {address: 10.9.0.1, port: 8}]}}\n",
	  "MeshExternalService one 9 9 tcp: default [] MeshExternalService one 1 kri_extsvc_default_east__one_9 ~10.9.0.1:8/0*1 ~10.9.0.1:9/0*1", NULL },
	{ "outside, without endpoints", TO("{kind: MeshExternalService, name: zero}") "---\n{type: MeshExternalService, name: zero, spec: {match: {port: 9}}}\n",
	  "MeshExternalService zero 9 9 tcp: default [] MeshExternalService zero 1 kri_extsvc_default___zero_9 ~",
	  "mesh \"default\": port 9 of MeshExternalService \"zero\" has no endpoint: connections to it fail" },
	{ "K18: any name will do, but not any chain", TO("{kind: MeshExternalService, name: tls}") "---\n{type: MeshExternalService, name: tls, spec: {match: {port: 9}, "
	  "endpoints: [{address: 10.9.0.1, port: 9}], tls: {enabled: true, verification: {mode: SkipSAN, caCert: {secret: ca}}}}}\n",
	  "MeshExternalService tls 9 9 tcp: default [] MeshExternalService tls 1 kri_extsvc_default___tls_9 ~10.9.0.1:9/0*1",
	  "mesh \"default\": port 9 of MeshExternalService \"tls\": there is no Secret \"ca\": connections to it fail until it comes" },
	{ "K18: outside, without its Secrets", TO("{kind: MeshExternalService, name: tls}") "---\n{type: MeshExternalService, name: tls, spec: {match: {port: 9}, "
	  "endpoints: [{address: 10.9.0.1, port: 8}], tls: {enabled: true, verification: {caCert: {secret: ca}, clientCert: {secret: cert}, clientKey: {secret: key}}}}}\n"
	  "---\n{type: Secret, mesh: default, name: cert, data: aGk=}\n",
	  "MeshExternalService tls 9 9 tcp: default [] MeshExternalService tls 1 kri_extsvc_default___tls_9 ~10.9.0.1:8/0*1",
	  "mesh \"default\": port 9 of MeshExternalService \"tls\": there is no Secret \"ca\": connections to it fail until it comes\n"
	  "mesh \"default\": port 9 of MeshExternalService \"tls\": there is no Secret \"key\": connections to it fail until it comes" },
	{ "outside, whose chain nobody looks at", TO("{kind: MeshExternalService, name: tls}") "---\n{type: MeshExternalService, name: tls, spec: {match: {port: 9}, "
	  "endpoints: [{address: 10.9.0.1, port: 8}], tls: {enabled: true, verification: {mode: SkipCA, caCert: {secret: ca}}}}}\n",
	  "MeshExternalService tls 9 9 tcp: default [] MeshExternalService tls 1 kri_extsvc_default___tls_9 ~10.9.0.1:8/0*1", NULL },
	{ "outside, of another zone", TO("{kind: MeshExternalService, name: abroad}"),
	  "MeshExternalService abroad 9 9 tcp: default [] MeshExternalService abroad 1 kri_extsvc_default_west__abroad_9 ~",
	  "mesh \"default\": port 9 of MeshExternalService \"abroad\" of zone \"west\" has no endpoint: it may be dialled from its "
	  "own zone only" },

	/* References. */
	{ "D5: an object before the tag service", REF(MS("far", "2")),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService far 2 kri_msvc_default_west__far_70 @2.2.2.2:10001/0*3", NULL },
	{ "D5: several, so the tag service", REF(MS("twin", "1")) "---\n{type: Dataplane, name: t, networking: {address: 3.3.3.3, "
	  "inbound: [{port: 80, tags: {kuma.io/service: twin}}]}}\n",
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService twin 1 twin @3.3.3.3:80/0*1", NULL },
	{ "5.4: two ports, and none is named", REF("{kind: MeshService, name: duo}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService duo 1 !MeshService \"duo\" has 2 ports: say which", NULL },
	{ "5.4: canonical sections", REF("{kind: MeshService, name: duo, port: 80}, {kind: MeshService, name: duo, sectionName: '80'}, "
	  "{kind: MeshService, name: duo, sectionName: web, port: 90}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService duo 1 kri_msvc_default___duo_web @1.1.1.3:80/0*1; MeshService duo 1 "
	  "kri_msvc_default___duo_web @1.1.1.3:80/0*1; MeshService duo 1 kri_msvc_default___duo_web @1.1.1.3:80/0*1", NULL },
	{ "5.4: both ports of one object", REF("{kind: MeshService, name: duo, port: 80}, {kind: MeshService, name: duo, sectionName: '90', weight: 0}, "
	  "{kind: MeshService, name: duo, port: 90}, {kind: MeshService, name: duo, sectionName: web, weight: 5}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService duo 1 kri_msvc_default___duo_web @1.1.1.3:80/0*1; MeshService duo 0 !weight 0; "
	  "MeshService duo 1 kri_msvc_default___duo_90; MeshService duo 5 kri_msvc_default___duo_web @1.1.1.3:80/0*1",
	  "mesh \"default\": port 90 of MeshService \"duo\" has no endpoint: connections to it fail" },
	{ "5.4: no such section", REF("{kind: MeshService, name: duo, sectionName: sql}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService duo 1 !MeshService \"duo\" has no port \"sql\"", NULL },
	{ "labels", REF("{kind: MeshService, labels: {app: far}, weight: 3}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService far {app: far} 3 kri_msvc_default_west__far_70 @2.2.2.2:10001/0*3", NULL },
	{ "labels that follow from the identity", REF("{kind: MeshService, labels: {kuma.io/display-name: db, kuma.io/zone: west}}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService db {kuma.io/display-name: db, kuma.io/zone: west} 1 kri_msvc_default_west__db_sql "
	  "@2.2.2.2:10001/0*3", NULL },
	{ "a subset is of a tag service", REF("{kind: MeshServiceSubset, name: db, tags: {version: v0}}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshServiceSubset db 1 !no service \"db\" in mesh \"default\"", NULL },
	{ "D34: the section of what is outside", REF("{kind: MeshExternalService, name: ext, port: 1}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshExternalService ext 1 kri_extsvc_default___ext_9090 ~10.9.0.1:99/0*1 "
	  "~db.example.com:443/0*1", NULL },
	{ "multi-zone", REF("{kind: MeshMultiZoneService, name: all, port: 5432}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshMultiZoneService all 1 kri_mzsvc_default___all_sql @1.1.1.1:80/0*1 @1.1.1.2:80/0*1 "
	  "@2.2.2.2:10001/1*3", NULL },
	{ "D12: of a disabled zone", "---\n{type: Zone, name: west, enabled: false}\n" REF("{kind: MeshService, name: far, port: 70}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService far 1 !no MeshService \"far\" with port 70 in mesh \"default\"", NULL },
	{ "D13: of a silent zone", "---\n{type: Zone, name: west, status: {condition: Stale}}\n" REF(MS("far", "1")),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService far 1 kri_msvc_default_west__far_70 @2.2.2.2:10001/0*3",
	  "mesh \"default\": port 70 of MeshService \"far\" of zone \"west\": zone \"west\" is Stale: its endpoints come last" },
	{ "D17: no mTLS", "---\n{type: Mesh, name: default}\n" REF(MS("far", "1")),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService far 1 kri_msvc_default_west__far_70 @2.2.2.2:10001/0*3",
	  "mesh \"default\": port 70 of MeshService \"far\" of zone \"west\" has endpoints in other zones: the hop through an ingress "
	  "needs the mesh's mTLS, which is off" },

	/* Namespaces, 5.4. */
	{ "a name is one of the policy's namespace", DEMO_ROUTE("{kind: MeshService, name: x, port: 1}")
	  KUBE("MeshService", "x", "shop", "{ports: [{port: 1}]}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService x 1 !no MeshService \"x\" with port 1 in mesh \"default\"", NULL },
	{ "that has one", DEMO_ROUTE("{kind: MeshService, name: x, port: 1}") KUBE("MeshService", "x", "shop", "{ports: [{port: 1}]}")
	  KUBE("MeshService", "x", "demo", "{selector: {dataplaneTags: {kuma.io/service: other}}, ports: [{port: 1, targetPort: 80}]}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService x 1 kri_msvc_default__demo_x_1 @1.1.1.3:80/0*1", NULL },
	{ "but for a namespace that it names", DEMO_ROUTE("{kind: MeshService, name: x, namespace: shop}")
	  KUBE("MeshService", "x", "shop", "{ports: [{port: 1}]}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService x 1 kri_msvc_default__shop_x_1",
	  "mesh \"default\": port 1 of MeshService \"x\" of namespace \"shop\" has no endpoint: connections to it fail" },
	{ "a display name too", DEMO_ROUTE("{kind: MeshService, labels: {kuma.io/display-name: x}}")
	  KUBE("MeshService", "x", "shop", "{ports: [{port: 1}]}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService  {kuma.io/display-name: x} 1 !no MeshService with labels {kuma.io/display-name: x} "
	  "in mesh \"default\"", NULL },
	{ "but for a namespace that labels name", DEMO_ROUTE("{kind: MeshService, labels: {kuma.io/display-name: x, "
	  "k8s.kuma.io/namespace: shop}}") KUBE("MeshService", "x", "shop", "{ports: [{port: 1}]}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService x {k8s.kuma.io/namespace: shop, kuma.io/display-name: x} 1 kri_msvc_default__shop_x_1",
	  "mesh \"default\": port 1 of MeshService \"x\" of namespace \"shop\" has no endpoint: connections to it fail" },
	{ "or labels that are no display name", DEMO_ROUTE("{kind: MeshService, labels: {app: far}}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService far {app: far} 1 kri_msvc_default_west__far_70 @2.2.2.2:10001/0*3", NULL },
	{ "a policy above all looks everywhere", TAG("backend") KUBE("MeshTCPRoute", "r", "kuma-system",
	  "{to: [{targetRef: {kind: MeshService, name: backend}, rules: " LIST("{kind: MeshService, name: x, port: 1}") "}]}")
	  KUBE("MeshService", "x", "shop", "{selector: {dataplaneTags: {kuma.io/service: other}}, ports: [{port: 1, targetPort: 80}]}"),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService x 1 kri_msvc_default__shop_x_1 @1.1.1.3:80/0*1", NULL },

	/* Entries about objects, 3.3 and 3.4. */
	{ "to, by name", DB ENTRY("r", "", "{kind: MeshService, name: db}", LIST(MS("backend", "1"))),
	  DB_EAST "MeshTCPRoute [r/0] " SELF_BACKEND, NULL },
	{ "to, by labels", DB ENTRY("r", "", "{kind: MeshService, labels: {app: db}}", LIST(MS("backend", "1"))),
	  DB_EAST "MeshTCPRoute [r/0] " SELF_BACKEND, NULL },
	{ "to, by labels of another zone", DB ENTRY("r", "", "{kind: MeshService, labels: {app: db, kuma.io/zone: west}}", LIST(MS("backend", "1"))),
	  DB_EAST "default [] " SELF_DB, NULL },
	{ "to, by a section", DB ENTRY("r", "", "{kind: MeshService, name: db, sectionName: sql}", LIST(MS("backend", "1"))),
	  DB_EAST "MeshTCPRoute [r/0] " SELF_BACKEND, NULL },
	{ "to, by a number that is no name", DB ENTRY("r", "", "{kind: MeshService, name: db, sectionName: '5432'}", LIST(MS("backend", "1"))),
	  DB_EAST "default [] " SELF_DB, "MeshTCPRoute \"r\": spec.to[0] has no effect: no MeshService \"db\" with section \"5432\" in mesh \"default\"" },
	{ "to, by a port", DB ENTRY("r", "", "{kind: MeshService, name: db, port: 5432}", LIST(MS("backend", "1"))),
	  DB_EAST "MeshTCPRoute [r/0] " SELF_BACKEND, NULL },
	{ "to, by another port", TO("{kind: MeshService, name: duo, port: 80}") ENTRY("r", "", "{kind: MeshService, name: duo, port: 90}", LIST(MS("backend", "1"))),
	  "MeshService duo web 80 http: default [] MeshService duo 1 kri_msvc_default___duo_web @1.1.1.3:80/0*1", NULL },
	{ "to, by another name", DB ENTRY("r", "", "{kind: MeshService, name: other}", LIST(MS("backend", "1"))), DB_EAST "default [] " SELF_DB, NULL },
	{ "to, what is outside, by whatever port", TO("{kind: MeshExternalService, name: ext}")
	  ENTRY("r", "", "{kind: MeshExternalService, name: ext, port: 1}", LIST(MS("backend", "1"))),
	  "MeshExternalService ext 9090 9090 http: MeshTCPRoute [r/0] " SELF_BACKEND, NULL },
	{ "to, of a namespace", DB ENTRY("r", "", "{kind: MeshService, name: db, namespace: shop}", LIST(MS("backend", "1"))),
	  DB_EAST "default [] " SELF_DB, "MeshTCPRoute \"r\": spec.to[0] has no effect: no MeshService \"db\" in namespace \"shop\" in mesh \"default\"" },
	{ "to, by labels, is not about a tag service", TAG("backend") ENTRY("r", "", "{kind: MeshService, labels: {app: db}}", LIST(MS("far", "1"))),
	  TAG_BACKEND "default [] " SELF_BACKEND, NULL },
	{ "to, by a name, is about a tag service as well", TAG("backend") "---\n{type: MeshService, name: backend, spec: {ports: [{port: 1}]}}\n"
	  ENTRY("r", "", "{kind: MeshService, name: backend}", "[]"),
	  TAG_BACKEND "MeshTCPRoute [r/0] " SELF_BACKEND, NULL },
	{ "B5: to itself", DB ENTRY("r", "", "{kind: MeshService, name: db}", "[]"), DB_EAST "MeshTCPRoute [r/0] " SELF_DB, NULL },
	{ "3.2 (b): a section is more precise", DB ENTRY("a", "", "{kind: MeshService, labels: {app: db}}", LIST(MS("far", "1")))
	  ENTRY("b", "", "{kind: MeshService, name: db, sectionName: sql}", LIST(MS("backend", "1"))),
	  DB_EAST "MeshTCPRoute [a/0 b/0] " SELF_BACKEND, NULL },
	{ "names and labels in one order", DB ENTRY("a", "", "{kind: MeshService, name: db}", "[]") ENTRY("b", "", "{kind: MeshService, labels: {app: db}}", "[]")
	  ENTRY("c", "", "{kind: MeshService, name: db}", "[]") ENTRY("d", "", "{kind: MeshService, labels: {app: db}}", "[]"),
	  DB_EAST "MeshTCPRoute [d/0 c/0 b/0 a/0] " SELF_DB, NULL },
	{ "worked example 4 of 3.6", DB ENTRY("p1", IN_EAST, "{kind: MeshService, name: db}", LIST(MS("backend", "1")))
	  ENTRY("p2", "", "{kind: MeshService, name: db, sectionName: sql}", LIST(MS("far", "1"))),
	  DB_EAST "MeshTCPRoute [p2/0 p1/0] " SELF_BACKEND, NULL },

	{ "to, several of which none is the zone's", TAG("backend") ENTRY("r", "", "{kind: MeshService, name: twin, port: 1}", "[]"),
	  TAG_BACKEND "default [] " SELF_BACKEND,
	  "MeshTCPRoute \"r\": spec.to[0] has no effect: more than one MeshService \"twin\" in mesh \"default\", and none is the zone's own" },
	{ "to, by labels of nothing", TAG("backend") ENTRY("r", "", "{kind: MeshService, labels: {app: nobody}}", "[]"),
	  TAG_BACKEND "default [] " SELF_BACKEND,
	  "MeshTCPRoute \"r\": spec.to[0] has no effect: no MeshService with labels {app: nobody} in mesh \"default\"" },
	{ "to, by labels and a port that none has", TAG("backend") ENTRY("r", "", "{kind: MeshService, labels: {app: db}, port: 1}", "[]"),
	  TAG_BACKEND "default [] " SELF_BACKEND,
	  "MeshTCPRoute \"r\": spec.to[0] has no effect: no MeshService with labels {app: db} with port 1 in mesh \"default\"" },
	{ "to, of a zone that is disabled", "---\n{type: Zone, name: west, enabled: false}\n" TAG("backend")
	  ENTRY("r", "kuma.io/origin: zone, kuma.io/zone: west", "{kind: MeshService, name: x, port: 1}", "[]"),
	  TAG_BACKEND "default [] " SELF_BACKEND, NULL },

	/* ExternalServices, kinds-spec 9. */
	{ "by their tag", REF(MS("old", "1")) OLD("e1", "version: v1", "'10.9.0.2:443'", "") OLD("e0", "", "'api.example.com:80'", ""),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService old 1 old ~10.9.0.2:443/0*1 ~api.example.com:80/0*1", NULL },
	{ "at one address", REF(MS("old", "1")) OLD("e0", "", "'10.9.0.2:443'", "") OLD("e1", "", "'10.9.0.2:80'", ""),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService old 1 old ~10.9.0.2:80/0*1 ~10.9.0.2:443/0*1", NULL },
	{ "a subset", REF("{kind: MeshServiceSubset, name: old, tags: {version: v1}}") OLD("e1", "version: v1", "'10.9.0.2:443'", "")
	  OLD("e0", "", "'api.example.com:80'", ""),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshServiceSubset old 1 old-4ee2d838517c713c ~10.9.0.2:443/0*1", NULL },
	{ "as a destination", TAG("old") OLD("e1", "kuma.io/protocol: http", "'10.9.0.2:443'", ""),
	  "MeshService old  0 http: default [] MeshService old 1 old ~10.9.0.2:443/0*1", NULL },
	{ "TLS of the first", REF(MS("old", "1")) OLD("e0", "", "'10.9.0.2:443'", "enabled: true") OLD("e1", "", "'10.9.0.3:80'", ""),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService old 1 old ~10.9.0.2:443/0*1",
	  "mesh \"default\": service \"old\": ExternalService \"e1\" is left out: its TLS is not that of the first one" },
	{ "of another zone", REF(MS("old", "1")) OLD("e0", "kuma.io/zone: west", "'10.9.0.2:443'", ""),
	  TAG_BACKEND "MeshTCPRoute [r/0] MeshService old 1 old ~",
	  "mesh \"default\": service \"old\" has no endpoint: connections to it fail\n"
	  "mesh \"default\": service \"old\": ExternalService \"e0\" is left out: it may be dialled from its own zone only" },
	{ "beside Dataplanes", TAG("backend") "---\n{type: ExternalService, name: e0, tags: {kuma.io/service: backend}, networking: {address: '1.2.3.4:5'}}\n",
	  TAG_BACKEND "default [] " SELF_BACKEND,
	  "mesh \"default\": service \"backend\": ExternalService \"e0\" is left out: Dataplanes offer the service" },

	/* Exclusive, kinds-spec 1. */
	{ "Exclusive: an outbound by tags is to the object", EXCLUSIVE TAG("db"), DB_EAST "default [] " SELF_DB, NULL },
	{ "Exclusive: or to nothing", EXCLUSIVE TAG("backend"),
	  "MeshService backend  0 unknown: default [] MeshService backend 1 !no MeshService \"backend\" in mesh \"default\"", NULL },
	{ "Exclusive: an object has no subsets", EXCLUSIVE PROXY("tags: {kuma.io/service: db, version: v1}"),
	  "MeshService db  0 unknown: default [] MeshService db 1 !no MeshService \"db\" in mesh \"default\"", NULL },
	{ "Exclusive: refs", EXCLUSIVE TAG("db") ENTRY("r", "", "{kind: MeshService, name: db}", LIST(MS("far", "1") ", " MS("backend", "1") ", " SUB("v0", "1"))),
	  DB_EAST "MeshTCPRoute [r/0] MeshService far 1 kri_msvc_default_west__far_70 @2.2.2.2:10001/0*3; "
	  "MeshService backend 1 !no service \"backend\" in mesh \"default\"; MeshServiceSubset backend 1 !no service \"backend\" in mesh \"default\"",
	  "mesh \"default\": port 70 of MeshService \"far\" of zone \"west\" has endpoints in other zones: the hop through an ingress "
	  "needs the mesh's mTLS, which is off" },
};
/* clang-format on */

static void describe_backend(const struct backend *at, struct zl_arena *arena,
			     struct zl_buf *out)
{
	zl_buf_format(out, "%s %s%s%s %" PRIu64 " %s%s", ref_kind_name(at->kind),
		      at->name, at->labels.count > 0 ? " " : "",
		      at->labels.count > 0 ? labels_text(at->labels, arena) : "",
		      at->weight, at->resolved ? "" : "!",
		      at->resolved ? at->cluster : at->reason);
	if (at->outside != NULL && at->endpoint_count == 0)
		zl_buf_str(out, " ~");
	for (size_t i = 0; i < at->endpoint_count; i++) {
		const struct endpoint *to = &at->endpoints[i];

		assert_true((to->via == VIA_EXTERNAL) == (at->outside != NULL));
		assert_true((to->via == VIA_EXTERNAL) == (to->zone == NULL));
		zl_buf_format(out, " %c%s:%u/%u*%" PRIu64,
			      at->outside != NULL ? '~' : '@', to->address, to->port,
			      to->priority, to->weight);
	}
}

static void describe(const struct outbound_route *to, struct zl_arena *arena,
		     struct zl_buf *out)
{
	struct labels labels = to->destination.labels;

	assert_true(to->destination.object == NULL || !to->destination.missing);
	zl_buf_format(out, "%s %s %s %u %s: %s [", ref_kind_name(to->destination.kind),
		      to->destination.name,
		      labels.count > 0 ? labels_text(labels, arena)
				       : to->destination.section,
		      to->destination.port, to->destination.protocol,
		      route_owner_name(to->owner));
	for (size_t i = 0; i < to->policy_count; i++)
		zl_buf_format(out, "%s%s/%zu", i == 0 ? "" : " ",
			      to->policies[i].policy->key.name, to->policies[i].to);
	zl_buf_str(out, "]");
	for (size_t i = 0; i < to->backend_count; i++) {
		zl_buf_str(out, i == 0 ? " " : "; ");
		describe_backend(&to->backends[i], arena, out);
	}
}

/* Those of the proxy, then those of the mesh. */
static char *all_warnings(const struct tools *tools, const struct routes *routes)
{
	struct zl_buf out = { 0 };
	size_t more;
	const char *const *others = policy_warnings(tools->index, tools->inventory,
						    "default", tools->world.arena, &more);

	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(&out, "%s%s", out.len > 0 ? "\n" : "", routes->warnings[i]);
	for (size_t i = 0; i < more; i++)
		zl_buf_format(&out, "%s%s", out.len > 0 ? "\n" : "", others[i]);
	char *text = zl_arena_strdup(tools->world.arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void run_case(size_t number, struct dice *dice)
{
	char *yaml = zl_format("%s%s", OBJECTS, CASES[number].yaml);
	struct tools tools = tools_of(BASE, yaml, dice);
	const struct routes *routes = resolve(&tools, "p");
	const char *want = CASES[number].warnings;
	const char *warnings = all_warnings(&tools, routes);
	struct zl_buf out = { 0 };

	assert_int_equal(routes->outbound_count, 1);
	describe(&routes->outbounds[0], tools.world.arena, &out);
	if (strcmp(zl_buf_text(&out), CASES[number].want) != 0)
		fail_msg("%s: %s", CASES[number].why, zl_buf_text(&out));
	if (strcmp(warnings, want != NULL ? want : "") != 0)
		fail_msg("%s: %s", CASES[number].why, warnings);
	zl_buf_free(&out);
	tools_end(&tools);
	free(yaml);
}

static void what_objects_lead_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		run_case(i, NULL);
}

static const char *in_any_order(uint64_t seed)
{
	struct dice dice = { seed };
	size_t number = dice_below(&dice, ARRAY_LEN(CASES));

	run_case(number, &dice);
	return NULL;
}

static void the_order_of_documents_does_not_matter(void **state)
{
	(void)state;
	seeds_run(200, in_any_order);
}

/* A TrafficRoute has no entries to warn of. */
static void how_objects_are_printed(void **state)
{
	static const char MORE[] =
		"---\n{type: TrafficRoute, name: t, sources: [{match: {kuma.io/service: "
		"none}}], destinations: [{match: {kuma.io/service: none}}], conf: "
		"{destination: {kuma.io/service: none}}}\n"
		"---\n{type: Dataplane, name: p, networking: {address: 9.9.9.8, "
		"outbound: "
		"[{port: 1, backendRef: {kind: MeshExternalService, name: ext}}, {port: "
		"2, "
		"backendRef: {kind: MeshMultiZoneService, labels: {a: b}, port: 3}}]}}\n";
	char *yaml = zl_format("%s%s", OBJECTS, MORE);
	struct tools tools = tools_of(BASE, yaml, NULL);
	const struct routes *routes = resolve(&tools, "p");
	const struct policy_answer answer = {
		.zone = "east", .mesh = "default", .routes = &routes, .route_count = 1
	};
	struct zl_buf json = { 0 };
	struct zl_buf text = { 0 };

	(void)state;
	policy_json(&answer, &json);
	assert_non_null(strstr(zl_buf_text(&json),
			       "\"destination\": {\n"
			       "            \"kind\": \"MeshExternalService\",\n"
			       "            \"name\": \"ext\",\n"
			       "            \"port\": 9090,\n"
			       "            \"protocol\": \"http\",\n"
			       "            \"kri\": \"kri_extsvc_default___ext_9090\"\n"
			       "          }"));
	assert_non_null(strstr(zl_buf_text(&json), "\"zone\": null,"));
	assert_non_null(strstr(zl_buf_text(&json), "\"kind\": \"MeshMultiZoneService\",\n"
						   "            \"labels\": {\n"
						   "              \"a\": \"b\"\n"
						   "            },\n"
						   "            \"port\": 3,"));
	policy_text(&answer, &text);
	assert_non_null(strstr(zl_buf_text(&text),
			       "to MeshExternalService \"ext\", port 9090 "
			       "(kri_extsvc_default___ext_9090), protocol http\n"));
	assert_non_null(strstr(zl_buf_text(&text),
			       "10.9.0.1:99, no zone, external, priority 0, weight 1\n"));
	assert_non_null(strstr(zl_buf_text(&text), "to MeshMultiZoneService {a: b}, "));
	assert_string_equal(all_warnings(&tools, routes), "");
	zl_buf_free(&json);
	zl_buf_free(&text);
	free(yaml);
	tools_end(&tools);
}

/* Targets that outbounds share are what each would be alone. */
static void many_outbounds(void **state)
{
	enum { OBJECT_COUNT = 40 };
	struct zl_buf yaml = { 0 };

	(void)state;
	for (unsigned i = 0; i < OBJECT_COUNT; i++)
		zl_buf_format(&yaml,
			      "---\n{type: MeshExternalService, name: x%u, spec: {match: "
			      "{port: 9}, endpoints: [{address: 10.0.0.%u, port: 9}]}}\n",
			      i, i);
	zl_buf_str(&yaml, "---\n{type: Dataplane, name: p, networking: {address: "
			  "9.9.9.8, outbound: [");
	for (unsigned i = 0; i < 2 * OBJECT_COUNT; i++)
		zl_buf_format(&yaml,
			      "{port: %u, backendRef: {kind: MeshExternalService, name: "
			      "x%u}}, ",
			      i + 1, i % OBJECT_COUNT);
	zl_buf_str(&yaml, "]}}\n");
	struct tools tools = tools_of(BASE, zl_buf_text(&yaml), NULL);
	const struct routes *routes = resolve(&tools, "p");

	assert_int_equal(routes->outbound_count, 2 * OBJECT_COUNT);
	for (unsigned i = 0; i < 2 * OBJECT_COUNT; i++) {
		const struct backend *to = &routes->outbounds[i].backends[0];
		char *address = zl_format("10.0.0.%u", i % OBJECT_COUNT);
		char *name = zl_format("x%u", i % OBJECT_COUNT);

		assert_string_equal(to->name, name);
		assert_int_equal(to->endpoint_count, 1);
		assert_string_equal(to->endpoints[0].address, address);
		free(address);
		free(name);
	}
	zl_buf_free(&yaml);
	tools_end(&tools);
}

/* What is asked for as a service, and as an object. */
static void what_is_missing(void **state)
{
	const struct target_ref plain = {
		.kind = REF_MESH_SERVICE, .name = "x", .ns = "", .section = ""
	};
	const struct target_ref exact = {
		.kind = REF_MESH_SERVICE, .name = "x", .ns = "n", .section = "s"
	};
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	assert_string_equal(ref_missing(&plain, "m", arena),
			    "no service \"x\" in mesh \"m\"");
	assert_string_equal(ref_missing_object(&plain, "m", arena),
			    "no MeshService \"x\" in mesh \"m\"");
	assert_string_equal(ref_missing(&exact, "m", arena),
			    "no MeshService \"x\" in namespace \"n\" with section "
			    "\"s\" in mesh \"m\"");
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_objects_are_printed),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(many_outbounds),
		cmocka_unit_test(what_objects_lead_to),
		cmocka_unit_test(the_order_of_documents_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
