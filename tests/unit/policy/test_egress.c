/* What goes through the zone's egress, and where the egress leads it. */
#include "support/test.h"
#include "unit/policy/east.h"

#include <string.h>

#define MESH_OF(more)                                                      \
	"---\n{type: Mesh, name: default, routing: {zoneEgress: true" more \
	"}, mtls: {enabledBackend: ca, backends: [{name: ca, type: builtin}]}}\n"
#define THROUGH MESH_OF("")
#define EGRESS(name, place)                                                         \
	"---\n{type: ZoneEgress, name: " name ", networking: {address: " place "}}" \
	"\n"
#define EGRESSES EGRESS("e1", "10.9.0.1, port: 10002") EGRESS("e0", "10.9.0.2, port: 1")
#define OUT(outbounds)                                                              \
	"---\n{type: Dataplane, name: p, networking: {address: 9.9.9.8, outbound: " \
	"[" outbounds "]}}\n"
#define TAG(tags) "{port: 1, tags: {kuma.io/service: " tags "}}"
#define REF(ref) "{port: 1, backendRef: " ref "}"
#define WEST(service, more)                                                            \
	"---\n{type: ZoneIngress, name: w2, zone: west, networking: {address: "        \
	"10.0.0.1, port: 1, advertisedAddress: 2.2.2.3, advertisedPort: 1}, "          \
	"availableServices: [{instances: 2, tags: {kuma.io/service: " service more "}" \
	"}]}\n"
#define OUTSIDE(name, tls)                                                               \
	"---\n{type: ExternalService, name: " name ", tags: {kuma.io/service: " name     \
	", kuma.io/protocol: http}, networking: {address: 'api.example.com:443'" tls "}" \
	"}\n"
#define OBJECT(name, more)                                                       \
	"---\n{type: MeshExternalService, name: " name ", labels: {" more        \
	"}, spec: {match: {port: 90}, endpoints: [{address: 3.3.3.3, port: 5}, " \
	"{address: 3.3.3.2, port: 5}]}}\n"

static void tell_endpoints(const struct backend *backend, struct zl_buf *out)
{
	for (size_t i = 0; i < backend->endpoint_count; i++) {
		const struct endpoint *at = &backend->endpoints[i];
		zl_buf_format(out, " %s/%s:%u w%u p%u %s", at->zone ? at->zone : "-",
			      at->address, at->port, (unsigned)at->weight, at->priority,
			      via_name(at->via));
	}
	zl_buf_char(out, '\n');
}

/* "cluster sni name+ outside relayed endpoint*" */
static void tell_backend(const struct backend *backend, struct zl_buf *out)
{
	zl_buf_format(out, "%s %s", backend->cluster,
		      backend->sni != NULL ? backend->sni : "-");
	for (size_t i = 0; i < backend->name_count; i++)
		zl_buf_format(out, " %s", backend->names[i].value);
	zl_buf_format(out, "%s%s", backend->outside != NULL ? " outside" : "",
		      backend->relayed ? " relayed" : "");
	tell_endpoints(backend, out);
}

static bool is_serving(const void *owner, const struct resource *egress)
{
	return strcmp(egress->key.name, owner) == 0;
}

/* All backends of p, then the warnings; of the egresses only serving, NULL:
 * all. */
static void expect(const char *yaml, const char *serving, const char *want)
{
	struct tools tools = tools_of(BASE, yaml, NULL);
	const struct policy_options options = { .is_serving = serving != NULL ? is_serving
									      : NULL,
						.owner = serving };
	struct zl_buf text = { 0 };
	const struct routes *routes =
		policy_resolve(tools.index, tools.inventory,
			       world_get(&tools.world, KIND_DATAPLANE, "p"), &options,
			       tools.world.arena);

	for (size_t i = 0; i < routes->outbound_count; i++)
		for (size_t k = 0; k < routes->outbounds[i].backend_count; k++)
			tell_backend(&routes->outbounds[i].backends[k], &text);
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(&text, "%s\n", routes->warnings[i]);
	assert_string_equal(zl_buf_text(&text), want);
	zl_buf_free(&text);
	tools_end(&tools);
}

/* ---- at the client ---- */

#define BOTH(priority)                                 \
	" east/10.9.0.1:10002 w1 p" priority " egress" \
	" east/10.9.0.2:1 w1 p" priority " egress\n"
#define HERE                            \
	" east/1.1.1.1:80 w1 p0 direct" \
	" east/1.1.1.2:80 w1 p0 direct"

static void other_zones_are_behind_the_egress(void **state)
{
	(void)state;
	expect(THROUGH EGRESSES OUT(TAG("far")), NULL,
	       "far far{mesh=default} spiffe://default/far" BOTH("0"));
	expect(THROUGH EGRESSES OUT(TAG("backend")) WEST("backend", ""), NULL,
	       "backend backend{mesh=default} spiffe://default/backend" HERE BOTH("1"));
	/* Also where all zones are equal: one entry does not tell how many are
	 * behind. */
	expect(MESH_OF(", localityAwareLoadBalancing: false") EGRESSES OUT(TAG("backend"))
		       WEST("backend", ""),
	       NULL,
	       "backend backend{mesh=default} spiffe://default/backend" HERE BOTH("1"));
	/* What is here needs none. */
	expect(THROUGH EGRESSES OUT(TAG("backend")), NULL,
	       "backend backend{mesh=default} spiffe://default/backend" HERE "\n");
	expect(THROUGH EGRESSES OUT(TAG("far") ", {port: 2, tags: {kuma.io/service: "
					       "far, v: a}}"),
	       NULL,
	       "far far{mesh=default} spiffe://default/far" BOTH(
		       "0") "far-305d3adbb3676982 far{mesh=default,v=a} "
			    "spiffe://default/far\n"
			    "mesh \"default\": service \"far\" with tags {v: a} has no "
			    "endpoint: connections to it fail\n");
	/* A mesh that does not ask for it. */
	expect(EGRESSES OUT(TAG("far")), NULL,
	       "far far{mesh=default} spiffe://default/far west/2.2.2.2:10001 w3 p0 "
	       "ingress\n");
}

static void one_place_is_one_entry(void **state)
{
	(void)state;
	expect(THROUGH EGRESSES EGRESS("e2", "10.9.0.2, port: 1")
		       EGRESS("e3", "10.9.0.3, port: 1") OUT(TAG("far")),
	       NULL,
	       "far far{mesh=default} spiffe://default/far east/10.9.0.1:10002 w1 p0 "
	       "egress east/10.9.0.2:1 w1 p0 egress east/10.9.0.3:1 w1 p0 egress\n");
	/* For all targets the same. */
	expect(THROUGH EGRESSES OUT(
		       TAG("far") ", {port: 2, tags: {kuma.io/service: ext}}")
		       OUTSIDE("ext", ""),
	       NULL,
	       "far far{mesh=default} spiffe://default/far" BOTH(
		       "0") "ext ext{mesh=default} spiffe://default/zone-egress "
			    "relayed" BOTH("0"));
}

#define NONE "mesh \"default\": service \"far\": "

static void nothing_goes_around_an_egress(void **state)
{
	(void)state;
	expect(THROUGH EGRESSES OUT(TAG("far")), "e0",
	       "far far{mesh=default} spiffe://default/far east/10.9.0.2:1 w1 p0 "
	       "egress\n");
	expect(THROUGH EGRESSES OUT(TAG("far")), "",
	       "far far{mesh=default} spiffe://default/far\n" NONE
	       "no ZoneEgress of zone \"east\" serves (\"e1\", \"e0\"): connections "
	       "that "
	       "leave it fail\n");
	expect(THROUGH OUT(TAG("far")), NULL,
	       "far far{mesh=default} spiffe://default/far\n" NONE
	       "zone \"east\" has no ZoneEgress: connections that leave it fail\n");
	expect(THROUGH OUT(TAG("backend")) WEST("backend", ""), NULL,
	       "backend backend{mesh=default} spiffe://default/backend" HERE "\n"
	       "mesh \"default\": service \"backend\": zone \"east\" has no ZoneEgress: "
	       "connections that leave it fail\n");
}

#define BY "spiffe://default/zone-egress relayed"

static void what_is_outside_is_behind_it_too(void **state)
{
	(void)state;
	expect(THROUGH EGRESSES OUT(TAG("ext")) OUTSIDE("ext", ""), NULL,
	       "ext ext{mesh=default} " BY BOTH("0"));
	expect(THROUGH EGRESSES OUT(REF("{kind: MeshExternalService, name: ext}"))
		       OBJECT("ext", ""),
	       NULL,
	       "kri_extsvc_default___ext_90 sni.extsvc.default.ext.90 " BY BOTH("0"));
	/* Not of this zone: nowhere, so not through the egress either. */
	expect(THROUGH EGRESSES OUT(REF("{kind: MeshExternalService, name: ext}"))
		       OBJECT("ext", "kuma.io/zone: west"),
	       NULL,
	       "kri_extsvc_default___ext_90 sni.extsvc.default.ext.90 " BY "\n"
	       "mesh \"default\": port 90 of MeshExternalService \"ext\" has no "
	       "endpoint: it may be dialled from its own zone only\n");
	/* Whoever starts TLS, the Secret is missed. */
	expect(THROUGH EGRESSES OUT(TAG("ext"))
		       OUTSIDE("ext", ", tls: {enabled: true, caCert: {secret: ca-1}}"),
	       NULL,
	       "ext ext{mesh=default} " BY BOTH(
		       "0") "mesh \"default\": service \"ext\": there is no Secret "
			    "\"ca-1\": "
			    "connections to it fail until it comes\n");
}

#define ZONE(condition) \
	"---\n{type: Zone, name: west, status: {condition: " condition "}}\n"
#define IS(condition) \
	"mesh \"default\": service \"backend\": zone \"west\" is " condition ": "
#define WANT "backend backend{mesh=default} spiffe://default/backend" HERE

/* D13, as with ingresses: of a zone that is withdrawn there is nothing to
 * relay. */
static void silent_zones_are_told_of(void **state)
{
	(void)state;
	expect(THROUGH EGRESSES OUT(TAG("backend")) WEST("backend", "") ZONE("Stale"),
	       NULL, WANT BOTH("1") IS("Stale") "its endpoints come last\n");
	expect(THROUGH EGRESSES OUT(TAG("backend")) WEST("backend", "") ZONE("Offline"),
	       NULL, WANT "\n" IS("Offline") "its endpoints are withdrawn\n");
}

/* ---- at the egress ---- */

/* "sni -> cluster outside? endpoint*", then "mesh uri*", then the warnings. */
static void expect_passages(const char *yaml, const char *want)
{
	struct tools tools = tools_of(BASE, yaml, NULL);
	const struct resource *egress = world_get(&tools.world, KIND_ZONE_EGRESS, "e1");
	struct zl_buf text = { 0 };
	const struct zone_routes *routes =
		policy_egress(tools.index, tools.inventory, egress, tools.world.arena);

	assert_ptr_equal(routes->proxy, egress);
	assert_string_equal(routes->zone, "east");
	for (size_t i = 0; i < routes->passage_count; i++) {
		const struct passage *passage = &routes->passages[i];
		const struct backend *backend = passage->backend;
		assert_true(backend->resolved && !backend->relayed);
		assert_null(backend->sni);
		zl_buf_format(&text, "%s -> %s%s", passage->sni, backend->cluster,
			      backend->outside != NULL ? " outside" : "");
		tell_endpoints(backend, &text);
	}
	for (size_t i = 0; i < routes->mesh_count; i++) {
		zl_buf_str(&text, routes->meshes[i].name);
		for (size_t k = 0; k < routes->meshes[i].uri_count; k++)
			zl_buf_format(&text, " %s", routes->meshes[i].uris[k]);
		zl_buf_char(&text, '\n');
		assert_true(routes->meshes[i].mesh->zone_egress);
	}
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(&text, "%s\n", routes->warnings[i]);
	assert_string_equal(zl_buf_text(&text), want);
	zl_buf_free(&text);
	tools_end(&tools);
}

#define W1 " west/2.2.2.2:10001 w3 p0 ingress\n"
#define W2 " west/2.2.2.3:1 w2 p0 ingress\n"
#define FAR                                                                      \
	"far{kuma.io/zone=west,mesh=default} -> default:far-dd949e5c323a23d5" W1 \
	"far{mesh=default} -> default:far" W1
#define NAPPING                                                                         \
	"napping{kuma.io/zone=west,mesh=default} -> default:napping-d4563d309425312b\n" \
	"napping{mesh=default} -> default:napping\n"

static void each_service_of_other_zones_and_its_subsets(void **state)
{
	(void)state;
	/* Nothing of a mesh that does not ask for it. */
	expect_passages(EGRESSES, "");
	expect_passages(THROUGH EGRESSES, FAR NAPPING);
	/* Of a service that is here as well only what is not. */
	expect_passages(
		THROUGH EGRESSES WEST("backend", ", version: v1"),
		"backend{kuma.io/zone=west,mesh=default,version=v1} -> "
		"default:backend-a5e2f499434fd458" W2
		"backend{kuma.io/zone=west,mesh=default} -> "
		"default:backend-abf24a812f32b5ca" W2
		"backend{mesh=default,version=v1} -> default:backend-154693772bc47249" W2
		"backend{mesh=default} -> default:backend" W2 FAR NAPPING);
}

#define NORTH(service, more)                                                           \
	"---\n{type: ZoneIngress, name: n, zone: north, networking: {address: "        \
	"10.0.0.1, port: 1, advertisedAddress: 2.2.2.4, advertisedPort: 1}, "          \
	"availableServices: [{instances: 5, tags: {kuma.io/service: " service more "}" \
	"}]}\n"
#define N " north/2.2.2.4:1 w5 p0 ingress"

/* Of each zone by itself, where it has some; what routes ask for, too, but for any value.
 */
static void subsets_of_each_zone(void **state)
{
	(void)state;
	expect_passages(
		THROUGH EGRESSES WEST("api", ", v: a") NORTH("api", ", v: b")
			ROUTE("{kind: MeshServiceSubset, name: api, tags: {v: c}}, "
			      "{kind: MeshServiceSubset, name: api, tags: {v: '*'}}, "
			      "{kind: MeshServiceSubset, name: api, tags: {kuma.io/zone: "
			      "north, v: b}}"),
		"api{kuma.io/zone=north,mesh=default,v=b} -> "
		"default:api-30901ab2c5eba6be" N "\n"
		"api{kuma.io/zone=north,mesh=default} -> default:api-1a8bceb17f53d167" N
		"\n"
		"api{kuma.io/zone=west,mesh=default,v=a} -> "
		"default:api-3341743c1ba24701" W2
		"api{kuma.io/zone=west,mesh=default} -> default:api-e9a8ee12c1c660bc" W2
		"api{mesh=default,v=a} -> default:api-d3c524a78932f789" W2
		"api{mesh=default,v=b} -> default:api-4568b14e58530bd8" N "\n"
		"api{mesh=default,v=c} -> default:api-f43603899b6dc132\n"
		"api{mesh=default} -> default:api" N W2 FAR NAPPING);
}

#define CUT(name, zone)                                                                 \
	"---\n{type: ExternalService, name: " name ", tags: {kuma.io/service: cut" zone \
	"}, networking: {address: '4.4.4.4:1'}}\n"

/* However many records and ingresses it has there. */
static void a_zone_has_one_of_each_subset(void **state)
{
	(void)state;
	expect_passages(
		THROUGH EGRESSES NORTH("api", ", v: a}}, {instances: 1, tags: "
					      "{kuma.io/service: api, v: b")
			WEST("far", "")
				ROUTE("{kind: MeshServiceSubset, name: api, tags: "
				      "{kuma.io/zone: north, v: z}}"),
		"api{kuma.io/zone=north,mesh=default,v=a} -> "
		"default:api-c8043ceea0b3141a" N "\n"
		"api{kuma.io/zone=north,mesh=default,v=b} -> "
		"default:api-30901ab2c5eba6be north/2.2.2.4:1 "
		"w1 p0 ingress\n"
		"api{kuma.io/zone=north,mesh=default} -> default:api-1a8bceb17f53d167 "
		"north/2.2.2.4:1 w6 "
		"p0 ingress\n"
		"api{mesh=default,v=a} -> default:api-d3c524a78932f789" N "\n"
		"api{mesh=default,v=b} -> default:api-4568b14e58530bd8 north/2.2.2.4:1 "
		"w1 p0 ingress\n"
		"api{mesh=default} -> default:api north/2.2.2.4:1 w6 p0 ingress\n"
		"far{kuma.io/zone=west,mesh=default} -> default:far-dd949e5c323a23d5 "
		"west/2.2.2.2:10001 w3 p0 ingress west/2.2.2.3:1 w3 p0 ingress\n"
		"far{mesh=default} -> default:far west/2.2.2.2:10001 w3 p0 ingress "
		"west/2.2.2.3:1 w3 p0 ingress\n" NAPPING);
	/* What is outside may be a zone's own, or anybody's. */
	expect_passages(
		THROUGH EGRESSES CUT("a", "") CUT("b", ", kuma.io/zone: east"),
		"cut{kuma.io/zone=east,mesh=default} -> default:cut-59cddf72d58a4049 "
		"outside -/4.4.4.4:1 "
		"w1 p0 external\n"
		"cut{mesh=default} -> default:cut outside -/4.4.4.4:1 w1 p0 external "
		"-/4.4.4.4:1 w1 p0 external\n" FAR NAPPING
		"default spiffe://default/zone-egress\n");
}

#define SERVICE(name, labels)                                                      \
	"---\n{type: MeshService, name: " name ", labels: {" labels                \
	"}, spec: {state: Available, selector: {dataplaneTags: {kuma.io/service: " \
	"backend}}, ports: [{port: 80, name: web}]}}\n"
#define OF_WEST "kuma.io/origin: global, kuma.io/zone: west"
#define MULTI(name, app)                                                             \
	"---\n{type: MeshMultiZoneService, name: " name                              \
	", spec: {selector: {meshService: {matchLabels: {app: " app "}}}, ports: [{" \
	"port: 80, name: web}, {port: 81}]}}\n"

static void objects_of_other_zones(void **state)
{
	(void)state;
	expect_passages(
		THROUGH EGRESSES WEST("backend", "") SERVICE("here", "app: h") SERVICE(
			"there", "app: t, " OF_WEST) SERVICE("also", "app: h, " OF_WEST)
			SERVICE("dotted",
				"app: t, " OF_WEST ", k8s.kuma.io/namespace: a.b")
				MULTI("both", "h") MULTI("none", "x") MULTI("local", "l")
					SERVICE("l", "app: l"),
		"backend{kuma.io/zone=west,mesh=default} -> "
		"default:backend-abf24a812f32b5ca" W2
		"backend{mesh=default} -> default:backend" W2 FAR NAPPING
		"sni.msvc.default.west.also.web -> kri_msvc_default_west__also_web" W2
		"sni.msvc.default.west.there.web -> kri_msvc_default_west__there_web" W2
		"sni.mzsvc.default.both.81 -> kri_mzsvc_default___both_81\n"
		"sni.mzsvc.default.both.web -> kri_mzsvc_default___both_web" W2);
}

#define LONG_60 "a123456789012345678901234567890123456789012345678901234567890"
#define TOO_LONG LONG_60 "." LONG_60 "." LONG_60 "." LONG_60

/* Clients have no name for it either. */
static void what_no_name_can_be_made_of_has_no_passage(void **state)
{
	(void)state;
	expect_passages(THROUGH EGRESSES WEST(TOO_LONG, ""), FAR NAPPING);
}

static void each_mesh_that_asks_for_it(void **state)
{
	(void)state;
	expect_passages(
		THROUGH EGRESSES
		"---\n{type: Mesh, name: zoo, routing: {zoneEgress: true}, mtls: "
		"{enabledBackend: ca, backends: [{name: ca, type: builtin}]}}\n"
		"---\n{type: Mesh, name: ark}\n"
		"---\n{type: ZoneIngress, name: z, zone: west, networking: {address: "
		"10.0.0.1, port: 1, advertisedAddress: 2.2.2.3, advertisedPort: 1}, "
		"availableServices: [{mesh: zoo, instances: 2, tags: {kuma.io/service: "
		"zed}}, {mesh: ark, instances: 2, tags: {kuma.io/service: zed}}]}\n",
		FAR NAPPING
		"zed{kuma.io/zone=west,mesh=zoo} -> zoo:zed-2cdaadbfc029ecdb" W2
		"zed{mesh=zoo} -> zoo:zed" W2);
}

static void what_is_outside_ends_here(void **state)
{
	(void)state;
	expect_passages(
		THROUGH EGRESSES OUTSIDE("ext", "") OBJECT("o", "") OBJECT(
			"no",
			"kuma.io/zone: west") "---\n{type: Mesh, name: other, mtls: "
					      "{enabledBackend: ca, "
					      "backends: [{name: ca, type: builtin}]}}\n",
		"ext{mesh=default} -> default:ext outside -/api.example.com:443 w1 p0 "
		"external\n" FAR NAPPING
		"sni.extsvc.default.o.90 -> kri_extsvc_default___o_90 outside "
		"-/3.3.3.2:5 w1 p0 external -/3.3.3.3:5 w1 p0 external\n"
		"default spiffe://default/zone-egress\n");
}

/* ---- what changes ---- */

static void routes_follow_the_egresses(void **state)
{
	struct tools tools =
		tools_of(BASE, THROUGH EGRESSES OUT(TAG("far")) OUTSIDE("ext", ""), NULL);
	struct set_edit *edit = set_edit(tools.world.set);
	struct zl_buf far = { 0 };
	struct zl_buf near = { 0 };

	(void)state;
	policy_services(resolve(&tools, "p"), &far);
	policy_services(resolve(&tools, "web"), &near);
	assert_true(policy_needs_egress(&far));
	assert_false(policy_needs_egress(&near));
	set_del(edit, &world_get(&tools.world, KIND_ZONE_EGRESS, "e0")->key);
	struct set *set = set_done(&edit);
	struct inventory *after = inventory_update(tools.inventory, set);
	assert_false(policy_endures(&far, "default", tools.inventory, after));
	assert_true(policy_endures(&near, "default", tools.inventory, after));
	assert_true(policy_endures(&far, "default", after, after));
	zl_buf_drain(&near, near.len);
	assert_false(policy_needs_egress(&near));
	zl_buf_free(&far);
	zl_buf_free(&near);
	inventory_drop(&after);
	set_drop(&set);
	tools_end(&tools);
}

/* What of policy_egress changes with yaml, which comes in addition or in place of what is
 * there beside more. */
static void expect_endures_beside(const char *more, const char *yaml, bool endures)
{
	struct tools tools = tools_of(BASE, more, NULL);
	struct set_edit *edit = set_edit(tools.world.set);

	world_read(tools.world.arena, edit, yaml, NULL);
	struct set *set = set_done(&edit);
	struct inventory *after = inventory_update(tools.inventory, set);
	assert_int_equal(policy_egress_endures(tools.inventory, after), endures);
	assert_int_equal(policy_egress_endures(after, tools.inventory), endures);
	assert_true(policy_egress_endures(after, after));
	inventory_drop(&after);
	set_drop(&set);
	tools_end(&tools);
}

static void expect_endures(const char *yaml, bool endures)
{
	expect_endures_beside(THROUGH EGRESSES WEST("api", "") OUTSIDE("ext", ""), yaml,
			      endures);
}

static void it_is_about_what_is_not_here(void **state)
{
	(void)state;
	expect_endures("{type: Dataplane, name: q, networking: {address: 9.9.9.1, "
		       "inbound: [{port: 1, tags: {kuma.io/service: new}}]}}",
		       true);
	expect_endures(EGRESS("e9", "10.9.0.9, port: 1"), true);
	expect_endures(WEST("api", ", v: a"), false);
	expect_endures(NORTH("api", ""), false);
	expect_endures(NORTH("baz", ""), false);
	expect_endures(NORTH("zoo", ""), false);
	expect_endures(WEST("else", ""), false);
	expect_endures(
		"---\n{type: ZoneIngress, name: z, zone: west, networking: {address: "
		"10.0.0.1, port: 1}, availableServices: [{mesh: zoo, tags: "
		"{kuma.io/service: api}}]}\n",
		false);
	expect_endures(OUTSIDE("ext", ", tls: {enabled: true}"), false);
	expect_endures(OUTSIDE("more", ""), false);
	expect_endures(OBJECT("o", ""), false);
	expect_endures(ZONE("Stale"), false);
}

#define BARE(name, zone, address)                                                \
	"---\n{type: ZoneIngress, name: " name ", zone: " zone                   \
	", networking: {address: 10.0.0.1, port: 1, advertisedAddress: " address \
	", advertisedPort: 1}}\n"
#define SILENT                                                                 \
	"---\n{type: MeshService, name: db, labels: {kuma.io/origin: global, " \
	"kuma.io/zone: south}, spec: {selector: {dataplaneRef: {name: db}}, "  \
	"ports: [{port: 1}]}}\n"

/* Behind all ingresses of its zone is what it tells nothing of. */
static void it_is_about_ingresses_that_offer_nothing(void **state)
{
	(void)state;
	expect_endures_beside(THROUGH SILENT BARE("s", "south", "5.5.5.5"),
			      BARE("s", "south", "5.5.5.6"), false);
	expect_endures_beside(THROUGH SILENT BARE("s", "south", "5.5.5.5"),
			      BARE("s2", "south", "5.5.5.6"), false);
	expect_endures_beside(THROUGH SILENT BARE("s", "south", "5.5.5.5"),
			      BARE("e", "east", "5.5.5.6"), true);
	expect_endures_beside(THROUGH BARE("s", "south", "5.5.5.5"),
			      BARE("s", "south", "5.5.5.6"), true);
}

/* What requests are told to be for, as the egress does not look at them. */
static void expect_host(const char *yaml, const char *want)
{
	struct tools tools = tools_of(BASE, yaml, NULL);
	const struct routes *routes = resolve(&tools, "p");
	const char *host = routes->outbounds[0].backends[0].host;

	if (want == NULL)
		assert_null(host);
	else
		assert_string_equal(host, want);
	tools_end(&tools);
}

static void the_host_is_the_first_that_has_a_name(void **state)
{
	(void)state;
	expect_host(THROUGH EGRESSES OUT(TAG("ext")) OUTSIDE("ext", ""),
		    "api.example.com");
	expect_host(EGRESSES OUT(TAG("ext")) OUTSIDE("ext", ""), NULL);
	expect_host(THROUGH EGRESSES OUT(REF("{kind: MeshExternalService, name: ext}"))
			    OBJECT("ext", ""),
		    NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_zones_are_behind_the_egress),
		cmocka_unit_test(one_place_is_one_entry),
		cmocka_unit_test(nothing_goes_around_an_egress),
		cmocka_unit_test(what_is_outside_is_behind_it_too),
		cmocka_unit_test(silent_zones_are_told_of),
		cmocka_unit_test(each_service_of_other_zones_and_its_subsets),
		cmocka_unit_test(subsets_of_each_zone),
		cmocka_unit_test(a_zone_has_one_of_each_subset),
		cmocka_unit_test(objects_of_other_zones),
		cmocka_unit_test(what_no_name_can_be_made_of_has_no_passage),
		cmocka_unit_test(each_mesh_that_asks_for_it),
		cmocka_unit_test(what_is_outside_ends_here),
		cmocka_unit_test(it_is_about_what_is_not_here),
		cmocka_unit_test(it_is_about_ingresses_that_offer_nothing),
		cmocka_unit_test(the_host_is_the_first_that_has_a_name),
		cmocka_unit_test(routes_follow_the_egresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
