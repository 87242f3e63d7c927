/* Which server names an ingress takes connections for, and where they go. */
#include "support/test.h"
#include "unit/policy/east.h"

#include <stdio.h>
#include <string.h>

#define INGRESS                                                                       \
	"---\n{type: ZoneIngress, name: mine, networking: {address: 10.9.9.9, port: " \
	"10001}}\n"
#define MESH_OF(name)                                     \
	"---\n{type: Mesh, name: " name                   \
	", mtls: {enabledBackend: ca, backends: [{name: " \
	"ca, type: builtin}]}}\n"
#define AT(name, address, tags)                                                 \
	"---\n{type: Dataplane, name: " name ", networking: {address: " address \
	", inbound: [{port: 80, tags: {kuma.io/service: " tags "}}]}}\n"

/* "mesh sni -> cluster address:port address:port", then "!warning". */
static void tell(const struct zone_routes *routes, struct zl_buf *out)
{
	for (size_t i = 0; i < routes->passage_count; i++) {
		const struct passage *passage = &routes->passages[i];
		const struct backend *backend = passage->backend;

		assert_true(backend->resolved);
		assert_null(backend->sni);
		zl_buf_format(out, "%s %s -> %s", passage->mesh, passage->sni,
			      backend->cluster);
		for (size_t k = 0; k < backend->endpoint_count; k++) {
			const struct endpoint *endpoint = &backend->endpoints[k];

			assert_int_equal(endpoint->weight, 1);
			assert_int_equal(endpoint->priority, 0);
			assert_string_equal(endpoint->zone, "east");
			zl_buf_format(out, " %s:%u", endpoint->address, endpoint->port);
		}
		zl_buf_char(out, '\n');
	}
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(out, "!%s\n", routes->warnings[i]);
}

static void expect(const char *first, const char *second, const char *want)
{
	for (unsigned seed = 0; seed < 3; seed++) {
		struct dice dice = { seed };
		struct tools tools = tools_of(first, second, seed > 0 ? &dice : NULL);
		struct zl_buf text = { 0 };

		tell(policy_ingress(tools.index, tools.inventory,
				    world_get(&tools.world, KIND_ZONE_INGRESS, "mine"),
				    tools.world.arena),
		     &text);
		assert_string_equal(zl_buf_text(&text), want);
		zl_buf_free(&text);
		tools_end(&tools);
	}
}

static void each_service_and_its_subsets(void **state)
{
	(void)state;
	expect(BASE, INGRESS,
#define BACKEND "default backend{"
#define V0 " -> default:backend-b49a4e4b30420345 1.1.1.1:80\n"
#define V1 " -> default:backend-154693772bc47249 1.1.1.2:80\n"
#define ALL " -> default:backend 1.1.1.1:80 1.1.1.2:80\n"
	       BACKEND
	       "kuma.io/zone=east,mesh=default,version=v0}" V0 BACKEND
	       "kuma.io/zone=east,mesh=default,version=v1}" V1 BACKEND
	       "kuma.io/zone=east,mesh=default}" ALL BACKEND
	       "mesh=default,version=v0}" V0 BACKEND "mesh=default,version=v1}" V1 BACKEND
	       "mesh=default}" ALL
	       "default other{kuma.io/zone=east,mesh=default} -> default:other "
	       "1.1.1.3:80\n"
	       "default other{mesh=default} -> default:other 1.1.1.3:80\n"
	       /* Nobody is Ready: the names stay, so that only endpoints come and go. */
	       "default sleepy{kuma.io/zone=east,mesh=default} -> default:sleepy\n"
	       "default sleepy{mesh=default} -> default:sleepy\n"
	       "default web{kuma.io/zone=east,mesh=default} -> default:web 9.9.9.9:80\n"
	       "default web{mesh=default} -> default:web 9.9.9.9:80\n");
}

/* ---- meshes ---- */

#define IN_MESH(mesh, name, address, tags)                   \
	"---\n{type: Dataplane, mesh: " mesh ", name: " name \
	", networking: {address: " address                   \
	", inbound: [{port: 80, tags: {kuma.io/service: " tags "}}]}}\n"

static void meshes_with_mtls_alone(void **state)
{
	(void)state;
	expect("---\n{type: Mesh, name: plain}\n" MESH_OF("b") MESH_OF("d"),
	       INGRESS IN_MESH("plain", "p", "1.0.0.1", "s")
		       IN_MESH("a", "p", "1.0.0.2", "s") IN_MESH("b", "p", "1.0.0.3", "s")
			       IN_MESH("c", "p", "1.0.0.4", "s")
				       IN_MESH("d", "p", "1.0.0.5", "s"),
	       "b s{kuma.io/zone=east,mesh=b} -> b:s 1.0.0.3:80\n"
	       "d s{kuma.io/zone=east,mesh=d} -> d:s 1.0.0.5:80\n"
	       "b s{mesh=b} -> b:s 1.0.0.3:80\n"
	       "d s{mesh=d} -> d:s 1.0.0.5:80\n");
	expect("---\n{type: Mesh, name: plain}\n",
	       INGRESS IN_MESH("plain", "p", "1.0.0.1", "s"), "");
}

/* ---- what is offered ---- */

#define SMALL MESH_OF("default") INGRESS

static void only_inbounds_of_the_zone(void **state)
{
	(void)state;
	expect(SMALL,
	       "---\n{type: Dataplane, name: gw, networking: {address: 1.0.0.1, gateway: "
	       "{type: BUILTIN, tags: {kuma.io/service: edge}}}}\n"
	       "---\n{type: ExternalService, name: x, tags: {kuma.io/service: ext}, "
	       "networking: {address: '3.3.3.3:1'}}\n"
	       "---\n{type: ZoneIngress, name: w, zone: west, networking: {address: "
	       "10.0.0.1, port: 1, advertisedAddress: 2.2.2.2, advertisedPort: 10001}, "
	       "availableServices: [{instances: 3, tags: {kuma.io/service: far}}, "
	       "{instances: 3, tags: {kuma.io/service: s, version: v2}}]}\n"
	       /* One place is one endpoint. */
	       AT("d1", "1.0.0.2", "s") AT("d2", "1.0.0.2", "s")
		       AT("d3", "1.0.0.3",
			  "s") "---\n{type: Dataplane, name: d4, networking: {address: "
			       "1.0.0.3, inbound: "
			       "[{port: 81, tags: {kuma.io/service: s}}]}}\n",
	       "default s{kuma.io/zone=east,mesh=default} -> default:s 1.0.0.2:80 "
	       "1.0.0.3:80 1.0.0.3:81\n"
	       "default s{mesh=default} -> default:s 1.0.0.2:80 1.0.0.3:80 1.0.0.3:81\n");
}

/* How many server names there are, and whether they are in have. */
static size_t count_names(const char *yaml, const char *const *have, size_t count)
{
	struct tools tools = tools_of(SMALL, yaml, NULL);
	const struct zone_routes *routes = policy_ingress(
		tools.index, tools.inventory,
		world_get(&tools.world, KIND_ZONE_INGRESS, "mine"), tools.world.arena);
	size_t passages = routes->passage_count;

	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t k = 0; k < passages; k++)
			found = found || strcmp(routes->passages[k].sni, have[i]) == 0;
		if (!found)
			fail_msg("no passage for %s", have[i]);
	}
	assert_int_equal(routes->warning_count, 0);
	tools_end(&tools);
	return passages;
}

static void all_subsets_of_six_tags(void **state)
{
	static const char *const HAVE[] = { "s{mesh=default}",
					    "s{a=1,b=2,c=3,d=4,e=5,kuma.io/"
					    "zone=east,mesh=default}",
					    "s{b=2,d=4,e=5,mesh=default}" };

	(void)state;
	assert_int_equal(count_names(AT("p", "1.0.0.1",
					"s, kuma.io/protocol: tcp, a: '1', b: '2', c: "
					"'3', d: '4', e: '5'"),
				     HAVE, ARRAY_LEN(HAVE)),
			 2 * 32);
}

/* None, 6 singles and 15 pairs, with and without the zone, and the whole set. */
static void singles_and_pairs_of_more_tags(void **state)
{
	static const char *const HAVE[] = { "s{kuma.io/zone=east,mesh=default}",
					    "s{c=3,mesh=default}",
					    "s{b=2,f=6,mesh=default}",
					    "s{b=2,f=6,kuma.io/zone=east,mesh=default}",
					    "s{a=1,b=2,c=3,d=4,e=5,f=6,kuma.io/"
					    "zone=east,mesh=default}" };

	(void)state;
	assert_int_equal(count_names(AT("p", "1.0.0.1",
					"s, kuma.io/protocol: tcp, a: '1', b: '2', c: "
					"'3', d: '4', e: '5', f: '6'"),
				     HAVE, ARRAY_LEN(HAVE)),
			 2 * (1 + 6 + 15) + 1);
}

/* ---- what routes ask for ---- */

#define SUBSET(tags, weight) \
	"{kind: MeshServiceSubset, name: s, tags: {" tags "}, weight: " weight "}"
/* Of proxies that are not here. */
#define ELSEWHERE "{kind: Dataplane, labels: {app: nowhere}}"
#define SPLIT(tags, weight) \
	"{weight: " weight ", destination: {kuma.io/service: " tags "}}"
#define TRAFFIC(destination, split)                                               \
	"---\n{type: TrafficRoute, name: t, sources: [{match: {kuma.io/service: " \
	"nobody}}], destinations: [{match: {kuma.io/service: other}}, {match: "   \
	"{kuma.io/service: " destination "}}], conf: {split: [" split "]}}\n"
#define ZONED(tags) "default s{" tags "kuma.io/zone=east,mesh=default"
#define S AT("p", "1.0.0.1", "s")
#define PLAIN ZONED("") "} -> default:s 1.0.0.1:80\n"
#define REST "default s{mesh=default} -> default:s 1.0.0.1:80\n"

static void a_subset_that_a_route_asks_for(void **state)
{
	(void)state;
	/* It has a name while nobody is there, to be answered when the first comes. */
	expect(SMALL S,
	       ROUTE_OF(
		       "r", "", ELSEWHERE, "x",
		       LIST(SUBSET("version: v9", "1") ", " SUBSET(
			       "version: v8",
			       "0") ", " SUBSET("version: v9, kuma.io/zone: east",
						"5") ", " SUBSET("version: v9, "
								 "kuma.io/zone: west",
								 "5") ", "
								      "{kind: "
								      "MeshServiceSubset,"
								      " name: none, "
								      "tags: {version: "
								      "v9}}"
								      ", " MS("s", "1"))),
	       ZONED("") ",version=v9} -> default:s-f355ed693d8f14f4\n" PLAIN
			 "default s{mesh=default,version=v9} -> "
			 "default:s-f355ed693d8f14f4\n" REST);
	/* By requests; twice the same. */
	expect(SMALL S,
	       "---\n{type: MeshHTTPRoute, name: h, spec: {to: [{targetRef: {kind: "
	       "MeshService, name: x}, rules: [{matches: [{path: {type: PathPrefix, "
	       "value: /}}], default: {backendRefs: [" SUBSET(
		       "version: v9", "1") ", " SUBSET("version: v9", "2") "]}}]}]}}\n",
	       PLAIN
	       "default s{mesh=default,version=v9} -> default:s-f355ed693d8f14f4\n" REST);
}

static void a_subset_that_a_traffic_route_asks_for(void **state)
{
	(void)state;
	expect(SMALL S,
	       TRAFFIC("s", SPLIT("s, version: v9, more: '*'", "1") ", " SPLIT(
				    "s, version: v8", "0") ", " SPLIT("s", "1")),
	       PLAIN
	       "default s{mesh=default,version=v9} -> default:s-f355ed693d8f14f4\n" REST);
	/* Of each destination, or of any service. */
	expect(SMALL S, TRAFFIC("s", SPLIT("'*', version: v9", "1")),
	       PLAIN
	       "default s{mesh=default,version=v9} -> default:s-f355ed693d8f14f4\n" REST);
	expect(SMALL S, TRAFFIC("'*'", SPLIT("'*', version: v9", "1")),
	       PLAIN
	       "default s{mesh=default,version=v9} -> default:s-f355ed693d8f14f4\n" REST);
	expect(SMALL S, TRAFFIC("another", SPLIT("'*', version: v9", "1")), PLAIN REST);
}

/* A policy that only another zone has asks for a subset (B12): its name is served, as
 * that zone can only know tags that are in use here. */
static void what_only_another_zone_asks_for(void **state)
{
	static const char WEST[] = MESH_OF(
		"default") "---\n{type: ZoneIngress, name: e, zone: east, networking: "
			   "{address: "
			   "10.0.0.1, port: 1, advertisedAddress: 2.2.2.2, "
			   "advertisedPort: 10001}, "
			   "availableServices: [{instances: 1, tags: {kuma.io/service: "
			   "s, "
			   "kuma.io/zone: east, color: red, version: v1}}]}\n"
			   "---\n{type: Dataplane, name: p, networking: {address: "
			   "9.9.9.9, outbound: "
			   "[{port: 1, tags: {kuma.io/service: s}}]}}\n" ROUTE_OF(
				   "r", "kuma.io/origin: zone, kuma.io/zone: west", MESH,
				   "s",
				   LIST(SUBSET("version: v1", "1") ", " SUBSET(
					   "color: red",
					   "1") ", " SUBSET("color: red, version: v1, "
							    "kuma.io/zone: east",
							    "1")));
	struct world world = world_of(WEST, "", NULL);
	struct policy_index *index = policy_index_new(world.set, "west");
	struct inventory *inventory = inventory_build(world.set, "west");
	const struct routes *routes =
		policy_resolve(index, inventory, world_get(&world, KIND_DATAPLANE, "p"),
			       NULL, world.arena);
	const char *names[3];

	(void)state;
	assert_int_equal(routes->outbounds[0].backend_count, ARRAY_LEN(names));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(routes->outbounds[0].backends[i].endpoint_count, 1);
		names[i] = routes->outbounds[0].backends[i].sni;
	}
	assert_int_equal(count_names(AT("p", "1.0.0.1", "s, color: red, version: v1"),
				     names, ARRAY_LEN(names)),
			 8);
	inventory_drop(&inventory);
	policy_index_drop(&index);
	world_end(&world);
}

/* ---- names that Envoy would refuse ---- */

static void a_star_is_in_no_server_name(void **state)
{
	(void)state;
	expect(SMALL S, ROUTE_OF("r", "", MESH, "x", LIST(SUBSET("version: '*'", "1"))),
	       PLAIN REST
	       "!mesh \"default\": service \"s\" with tags {version: *}, which "
	       "MeshTCPRoute \"r\" asks for, has no server name, as there is "
	       "none with a *: other zones cannot ask for it\n");
}

static void letters_of_any_case_are_one_to_envoy(void **state)
{
	(void)state;
	expect(SMALL, AT("p", "1.0.0.1", "s, v: a") AT("q", "1.0.0.2", "s, v: A"),
	       "default s{kuma.io/zone=east,mesh=default,v=A} -> "
	       "default:s-4f0fdf387eb16915 1.0.0.2:80\n"
	       "default s{kuma.io/zone=east,mesh=default} -> default:s 1.0.0.1:80 "
	       "1.0.0.2:80\n"
	       "default s{mesh=default,v=A} -> default:s-4f0fdf387eb16915 1.0.0.2:80\n"
	       "default s{mesh=default} -> default:s 1.0.0.1:80 1.0.0.2:80\n"
	       "!server names \"s{kuma.io/zone=east,mesh=default,v=A}\" and "
	       "\"s{kuma.io/zone=east,mesh=default,v=a}\" differ in case only, which "
	       "Envoy does not tell apart: the second is not served\n"
	       "!server names \"s{mesh=default,v=A}\" and \"s{mesh=default,v=a}\" differ "
	       "in case only, which Envoy does not tell apart: the second is not "
	       "served\n");
	/* Who has a tag of this key is asked for by its other tags. */
	expect(SMALL, AT("p", "1.0.0.1", "s, mesh: x") AT("q", "1.0.0.2", "s"),
	       "default s{kuma.io/zone=east,mesh=default} -> default:s 1.0.0.1:80 "
	       "1.0.0.2:80\n"
	       "default s{mesh=default} -> default:s 1.0.0.1:80 1.0.0.2:80\n");
}

#define LONG "a123456789012345678901234567890123456789012345678901234567890"
#define LONGER LONG "." LONG "." LONG "." LONG

static void what_is_too_long_for_a_name(void **state)
{
	(void)state;
	expect(SMALL, AT("p", "1.0.0.1", LONGER),
	       "!mesh \"default\": service \"" LONGER
	       "\" is too long for a server name: other zones cannot ask for it\n"
	       "!mesh \"default\": service \"" LONGER
	       "\" with tags {kuma.io/zone: east} is too long for a server name: other "
	       "zones cannot ask for it\n");
	/* A subset that nobody asked for is not missed. */
	expect(SMALL, AT("p", "1.0.0.1", "s, v: " LONGER),
	       "default s{kuma.io/zone=east,mesh=default} -> default:s 1.0.0.1:80\n"
	       "default s{mesh=default} -> default:s 1.0.0.1:80\n");
}

/* ---- too many ---- */

/* Each of the instances has 5 tags of its own: 32 subsets that it shares one of. */
static void add_service(struct zl_buf *yaml, unsigned service, unsigned instances)
{
	for (unsigned i = 0; i < instances; i++)
		zl_buf_format(
			yaml,
			"---\n{type: Dataplane, name: d%02u-%02u, networking: "
			"{address: 1.0.%u.%u, inbound: [{port: 80, tags: "
			"{kuma.io/service: s%02u, a: v%u, b: v%u, c: v%u, d: v%u, e: "
			"v%u}}]}}\n",
			service, i, service, i, service, i, i, i, i, i);
}

static void expect_many(unsigned services, unsigned instances, size_t want,
			const char *last, const char *warnings)
{
	struct zl_buf yaml = { 0 };
	struct zl_buf text = { 0 };

	for (unsigned i = 0; i < services; i++)
		add_service(&yaml, i, instances);
	struct tools tools = tools_of(SMALL, zl_buf_text(&yaml), NULL);
	const struct zone_routes *routes = policy_ingress(
		tools.index, tools.inventory,
		world_get(&tools.world, KIND_ZONE_INGRESS, "mine"), tools.world.arena);
	assert_int_equal(routes->passage_count, want);
	assert_string_equal(routes->passages[want - 1].sni, last);
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(&text, "%s\n", routes->warnings[i]);
	assert_string_equal(zl_buf_text(&text), warnings);
	zl_buf_free(&text);
	zl_buf_free(&yaml);
	tools_end(&tools);
}

static void no_service_has_too_many_subsets(void **state)
{
	(void)state;
	expect_many(1, 33, 2 * 1024, "s00{mesh=default}", "");
	expect_many(
		1, 34, 2 * 1024, "s00{mesh=default}",
		"mesh \"default\": service \"s00\" has instances of too many different "
		"tags: other zones can ask for 1024 of its subsets, not for all\n");
}

static void no_ingress_has_too_many_names(void **state)
{
	(void)state;
	expect_many(8, 33, 16384, "s07{mesh=default}", "");
	/* All services stay; what goes are subsets of the most tags. */
	expect_many(9, 33, 16384, "s08{mesh=default}",
		    "there are 18432 server names to serve, which is too many for one "
		    "proxy: 2048 of them, for the subsets of the most tags, are not "
		    "served\n");
}

/* ---- objects ---- */

#define OBJECT(name, labels, spec)                                                 \
	"---\n{type: MeshService, name: " name ", labels: {app: db" labels         \
	"}, spec: {state: Available, selector: {dataplaneTags: {kuma.io/service: " \
	"s}}, " spec "}}\n"
#define MULTI(name, app, port)                                                \
	"---\n{type: MeshMultiZoneService, name: " name ", spec: {selector: " \
	"{meshService: {matchLabels: {app: " app "}}}, ports: [" port "]}}\n"
#define FROM_WEST ", kuma.io/origin: global, kuma.io/zone: west"

static void ports_of_objects_of_the_zone(void **state)
{
	(void)state;
	expect(SMALL S,
	       OBJECT("db", "",
		      "ports: [{port: 5432, targetPort: 80, name: sql}, {port: "
		      "81}]") OBJECT("west", FROM_WEST, "ports: [{port: 80}]")
		       MULTI("all", "db", "{port: 1, name: sql}")
			       MULTI("none", "x", "{port: 1}"),
	       "default sni.msvc.default.db.81 -> kri_msvc_default___db_81\n"
	       "default sni.msvc.default.db.sql -> kri_msvc_default___db_sql 1.0.0.1:80\n"
	       "default sni.mzsvc.default.all.sql -> kri_mzsvc_default___all_sql "
	       "1.0.0.1:80\n" PLAIN REST);
	/* No member is here. */
	expect(SMALL S,
	       OBJECT("west", FROM_WEST, "ports: [{port: 80}]")
		       MULTI("all", "db", "{port: 80}"),
	       PLAIN REST);
	expect(SMALL S, OBJECT("db", "", "ports: [{port: 80, name: A.B}]"),
	       PLAIN REST
	       "!mesh \"default\": port 80 of MeshService \"db\" has no server name, as "
	       "a "
	       "name is too long or has other letters than a-z, 0-9 and '-': other zones "
	       "cannot ask for it\n");
}

/* ---- what a change is to it ---- */

static bool endures(const char *first, const char *second)
{
	struct tools before = tools_of(SMALL, first, NULL);
	struct set_edit *edit = set_edit(before.world.set);

	world_read(before.world.arena, edit, second, NULL);
	struct set *set = set_done(&edit);
	struct inventory *after = inventory_update(before.inventory, set);
	bool same = policy_ingress_endures(before.inventory, after);
	/* The other way round they differ as much. */
	assert_int_equal(policy_ingress_endures(after, before.inventory), same);
	inventory_drop(&after);
	set_drop(&set);
	tools_end(&before);
	return same;
}

#define FAR(count)                                                                       \
	"---\n{type: ZoneIngress, name: w, zone: west, networking: {address: 10.0.0.1, " \
	"port: 1, advertisedAddress: 2.2.2.2, advertisedPort: 10001}, "                  \
	"availableServices: [{instances: " count ", tags: {kuma.io/service: s}}, "       \
	"{instances: 1, tags: {kuma.io/service: far}}]}\n"

static void only_what_the_zone_offers_matters(void **state)
{
	(void)state;
	assert_true(endures(S, FAR("1")));
	assert_true(endures(S FAR("1"), FAR("2")));
	assert_true(endures(S, "---\n{type: Dataplane, name: client, networking: "
			       "{address: 1.0.0.9}}\n"));
	assert_false(endures(S, AT("p", "1.0.0.7", "s")));
	assert_false(endures(S, AT("q", "1.0.0.7", "s")));
	assert_false(endures(S, AT("q", "1.0.0.7", "z")));
	assert_false(endures(S, AT("q", "1.0.0.7", "a")));
	assert_false(endures(S, OBJECT("db", "", "ports: [{port: 80}]")));
}

static void any_route_matters(void **state)
{
	struct tools tools = tools_of(
		SMALL S TRAFFIC("s", SPLIT("s", "1")),
		ROUTE_OF("r", "", MESH, "x", LIST(MS("s", "1"))) //
		"---\n{type: MeshHTTPRoute, name: h, spec: {to: [{targetRef: {kind: "
		"MeshService, name: x}}]}}\n"
		"---\n{type: MeshLoadBalancingStrategy, name: b, spec: {to: [{targetRef: "
		"{kind: Mesh}, default: {localityAwareness: {disabled: true}}}]}}\n"
		"---\n{type: ZoneEgress, name: out, networking: {address: 1.0.0.9, port: "
		"10002}}\n",
		NULL);
	static const struct {
		enum kind kind;
		const char *name;
		bool touches, touches_egress;
	} CASES[] = { { KIND_MESH_TCP_ROUTE, "r", true, true },
		      { KIND_MESH_HTTP_ROUTE, "h", true, true },
		      { KIND_TRAFFIC_ROUTE, "t", true, true },
		      { KIND_MESH_LOAD_BALANCING_STRATEGY, "b", false, true },
		      { KIND_DATAPLANE, "p", false, false } };
	const struct resource *ingress =
		world_get(&tools.world, KIND_ZONE_INGRESS, "mine");
	const struct resource *egress = world_get(&tools.world, KIND_ZONE_EGRESS, "out");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const struct resource *policy =
			world_get(&tools.world, CASES[i].kind, CASES[i].name);
		assert_int_equal(policy_touches(policy, ingress, "east"),
				 CASES[i].touches);
		assert_int_equal(policy_touches(policy, egress, "east"),
				 CASES[i].touches_egress);
	}
	tools_end(&tools);
}

/* ---- printing ---- */

#define OUT                                                         \
	"---\n{type: ZoneEgress, name: out, networking: {address: " \
	"10.0.0.9, port: 1}}\n"

static void printed(void **state)
{
	struct tools tools =
		tools_of(SMALL AT("p", "'fd00::1'", "s") OUT,
			 ROUTE_OF("r", "", MESH, "x",
				  LIST(SUBSET("version: '*'",
					      "1") ", " SUBSET("version: v9", "1"))),
			 NULL);
	const struct zone_routes *routes = policy_ingress(
		tools.index, tools.inventory,
		world_get(&tools.world, KIND_ZONE_INGRESS, "mine"), tools.world.arena);
	const struct zone_routes none = { .proxy = routes->proxy, .zone = "east" };
	const struct zone_routes egress = {
		.proxy = world_get(&tools.world, KIND_ZONE_EGRESS, "out"), .zone = "east"
	};
	struct zl_buf text = { 0 };

	(void)state;
	policy_zone_text(routes, &text);
	policy_zone_text(&none, &text);
	policy_zone_text(&egress, &text);
	assert_string_equal(
		zl_buf_text(&text),
		"ZoneIngress mine, zone east\n"
		"  s{kuma.io/zone=east,mesh=default} of mesh default goes to default:s\n"
		"        [fd00::1]:80, zone east, direct, priority 0, weight 1\n"
		"  s{mesh=default,version=v9} of mesh default goes to "
		"default:s-f355ed693d8f14f4\n"
		"        no endpoints: these connections fail\n"
		"  s{mesh=default} of mesh default goes to default:s\n"
		"        [fd00::1]:80, zone east, direct, priority 0, weight 1\n"
		"\n"
		"Warnings\n"
		"  mesh \"default\": service \"s\" with tags {version: *}, which "
		"MeshTCPRoute \"r\" asks for, has no server name, as there is none with "
		"a "
		"*: other zones cannot ask for it\n"
		"ZoneIngress mine, zone east\n"
		"  It takes connections for no server name: no mesh with mTLS has an "
		"instance here\n"
		"ZoneEgress out, zone east\n"
		"  It takes connections for no server name: no mesh with mTLS and "
		"routing.zoneEgress has anything elsewhere\n");
	zl_buf_free(&text);
	policy_zone_json(routes, &text);
	assert_non_null(strstr(
		zl_buf_text(&text),
		"{\n  \"zone\": \"east\",\n  \"name\": \"mine\",\n  \"kind\": "
		"\"ZoneIngress\",\n  \"passages\": [\n    {\n      \"mesh\": "
		"\"default\",\n      \"sni\": \"s{kuma.io/zone=east,mesh=default}\",\n"
		"      \"cluster\": \"default:s\",\n      \"endpoints\": [\n"));
	assert_non_null(strstr(zl_buf_text(&text), "\"endpoints\": []"));
	assert_non_null(strstr(zl_buf_text(&text), "\"warnings\": [\n    \"mesh "));
	zl_buf_free(&text);
	tools_end(&tools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_service_and_its_subsets),
		cmocka_unit_test(meshes_with_mtls_alone),
		cmocka_unit_test(only_inbounds_of_the_zone),
		cmocka_unit_test(all_subsets_of_six_tags),
		cmocka_unit_test(singles_and_pairs_of_more_tags),
		cmocka_unit_test(a_subset_that_a_route_asks_for),
		cmocka_unit_test(a_subset_that_a_traffic_route_asks_for),
		cmocka_unit_test(what_only_another_zone_asks_for),
		cmocka_unit_test(a_star_is_in_no_server_name),
		cmocka_unit_test(letters_of_any_case_are_one_to_envoy),
		cmocka_unit_test(what_is_too_long_for_a_name),
		cmocka_unit_test(no_service_has_too_many_subsets),
		cmocka_unit_test(no_ingress_has_too_many_names),
		cmocka_unit_test(ports_of_objects_of_the_zone),
		cmocka_unit_test(only_what_the_zone_offers_matters),
		cmocka_unit_test(any_route_matters),
		cmocka_unit_test(printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
