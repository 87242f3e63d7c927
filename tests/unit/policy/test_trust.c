/* Who a proxy is, and by which names it asks for its targets. */
#include "policy/trust.h"

#include "support/test.h"
#include "unit/policy/east.h"

#include <stdio.h>
#include <string.h>

#define MTLS(mode)                                                                       \
	"---\n{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: [{name: " \
	"old, type: builtin}, {name: ca, type: builtin, mode: " mode "}]}}\n"
#define OUT(outbounds, more)                                                        \
	"---\n{type: Dataplane, name: p, networking: {address: 9.9.9.8, outbound: " \
	"[" outbounds "]" more "}}\n"
#define TAG(port, tags) "{port: " port ", tags: {kuma.io/service: " tags "}}"
#define REF(port, ref) "{port: " port ", backendRef: " ref "}"

/* "sni name name*", a star for a prefix; "-" for a plain one, "!reason". */
static void tell_backend(const struct backend *backend, struct zl_buf *out)
{
	zl_buf_str(out, backend->sni != NULL ? backend->sni : "-");
	if (!backend->resolved)
		zl_buf_format(out, "!%.30s", backend->reason);
	for (size_t i = 0; i < backend->name_count; i++)
		zl_buf_format(out, " %s%s", backend->names[i].value,
			      backend->names[i].prefix ? "*" : "");
	zl_buf_char(out, '\n');
}

struct identified {
	const char *name; /* the one Dataplane that has none */
};

static bool has_identity(const void *owner, const struct resource *dataplane)
{
	const struct identified *identified = owner;

	return strcmp(dataplane->key.name, identified->name) != 0;
}

/* All backends of p, then its URIs; lacks: who has no certificate, NULL: nobody asks. */
static void expect(const char *yaml, const char *lacks, const char *want)
{
	struct tools tools = tools_of(BASE, yaml, NULL);
	struct identified identified = { lacks };
	const struct policy_options options = {
		.has_identity = lacks != NULL ? has_identity : NULL, .owner = &identified
	};
	const struct resource *proxy = world_get(&tools.world, KIND_DATAPLANE, "p");
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf text = { 0 };

	const struct routes *routes =
		policy_resolve(tools.index, tools.inventory, proxy, &options, arena);
	for (size_t i = 0; i < routes->outbound_count; i++)
		for (size_t k = 0; k < routes->outbounds[i].backend_count; k++)
			tell_backend(&routes->outbounds[i].backends[k], &text);
	for (size_t i = 0; i < routes->uri_count; i++)
		zl_buf_format(&text, "%s\n", routes->uris[i]);
	assert_string_equal(zl_buf_text(&text), want);
	zl_buf_free(&text);
	zl_arena_free(&arena);
	tools_end(&tools);
}

#define ME "spiffe://default/proxy/p\n"

static void tag_services_are_asked_for_by_their_tags(void **state)
{
	(void)state;
	expect(OUT(TAG("1", "backend"), ""), NULL,
	       "backend{mesh=default} spiffe://default/backend\n" ME);
	expect(OUT(TAG("1", "backend, version: v1, kuma.io/zone: west"), ""), NULL,
	       "backend{kuma.io/zone=west,mesh=default,version=v1} "
	       "spiffe://default/backend\n" ME);
	/* The mesh is what it is, whatever a tag says. */
	expect(OUT(TAG("1", "backend, mesh: other, zzz: a"), ""), NULL,
	       "backend{mesh=default,zzz=a} spiffe://default/backend\n" ME);
	/* Also what nobody offers: it may come. */
	expect(OUT(TAG("1", "gone"), ""), NULL,
	       "gone{mesh=default} spiffe://default/gone\n" ME);
}

#define LONG "a123456789012345678901234567890123456789012345678901234567890"
#define LONGER LONG "." LONG "." LONG "." LONG

static void what_has_no_server_name_is_not_there(void **state)
{
	(void)state;
	expect(OUT(TAG("1", LONGER), ""), NULL, "-!MeshService \"a1234567890123456\n" ME);
}

#define SERVICE(name, more)                                                           \
	"---\n{type: MeshService, name: " name ", labels: {app: db" more "}, spec: {" \
	"state: Available, selector: {dataplaneTags: {kuma.io/service: backend}}, "   \
	"ports: ["                                                                    \
	"{port: 5432, targetPort: 80, name: sql}]"
#define WEST ", kuma.io/origin: global, kuma.io/zone: west"
#define DB "{kind: MeshService, name: db, port: 5432}"
#define ALL                                                                             \
	"---\n{type: MeshMultiZoneService, name: all, spec: {selector: {meshService: {" \
	"matchLabels: {app: db}}}, ports: [{port: 5432, name: sql}]}}\n"

static void objects_are_asked_for_by_their_identifier(void **state)
{
	(void)state;
	expect(OUT(REF("1", DB), "") SERVICE("db", "") "}}\n", NULL,
	       "sni.msvc.default.db.sql spiffe://default/*\n" ME);
	expect(OUT(REF("1", DB), "")
		       SERVICE("db", WEST) ", identities: [{type: ServiceTag, value: "
					   "backend}, {type: SpiffeID, "
					   "value: 'spiffe://a/b'}, {type: ServiceTag, "
					   "value: backend}]}}\n",
	       NULL,
	       "sni.msvc.default.west.db.sql spiffe://a/b spiffe://default/backend\n" ME);
	expect(OUT(REF("1", "{kind: MeshMultiZoneService, name: all, port: 5432}"), "")
		       SERVICE("db", "") ", identities: [{type: ServiceTag, value: "
					 "x}]}}\n" SERVICE(
						 "db",
						 WEST) ", identities: [{type: "
						       "ServiceTag, value: w}]}}\n" ALL,
	       NULL,
	       "sni.mzsvc.default.all.sql spiffe://default/w spiffe://default/x\n" ME);
	expect(OUT(REF("1", "{kind: MeshMultiZoneService, name: all, port: 5432}"), "")
		       ALL,
	       NULL, "sni.mzsvc.default.all.sql spiffe://default/*\n" ME);
}

#define IN_NS(zone, ns)                                                                 \
	"---\n{type: MeshService, name: db, labels: {app: db, kuma.io/origin: global, " \
	"kuma.io/zone: " zone ", k8s.kuma.io/namespace: " ns                            \
	"}, spec: {ports: [{port: 5432}]}}\n"

static void a_namespace_is_part_of_it(void **state)
{
	(void)state;
	expect(OUT(REF("1", "{kind: MeshService, labels: {app: db}, port: 5432}"), "")
		       IN_NS("west", "demo"),
	       NULL, "sni.msvc.default.west.demo.db.5432 spiffe://default/*\n" ME);
	/* No part of a server name has dots. */
	expect(OUT(REF("1", "{kind: MeshService, labels: {app: db}, port: 5432}"), "")
		       IN_NS("west", "a.b"),
	       NULL, "-!MeshService \"db\" cannot be ask\n" ME);
}

#define L63 "a12345678901234567890123456789012345678901234567890123456789012"

static void only_parts_of_dns_names_are_parts_of_it(void **state)
{
	/* clang-format off */
	static const struct {
		const char *mesh, *zone, *ns, *name, *section, *want;
	} CASES[] = {
		{ "m", "", "", "db", "sql", "sni.msvc.m.db.sql" },
		{ "m", "z", "", "db", "0-1", "sni.msvc.m.z.db.0-1" },
		{ "m", "z", "n", "db", L63, "sni.msvc.m.z.n.db." L63 },
		{ "m", "z", "n", "db", L63 "a", NULL },
		{ "m", "", "", "db", "", NULL },
		{ "m", "", "", "db", "-sql", NULL },
		{ "m", "", "", "db", "sql-", NULL },
		{ "m", "", "", "db", "SQL", NULL },
		{ "m.m", "", "", "db", "sql", NULL },
		{ "m_m", "", "", "db", "sql", NULL },
		{ "m", "", "", "d.b", "sql", NULL },
		{ "m", "East", "", "db", "sql", NULL },
		{ "m", "z", "n.n", "db", "sql", NULL },
		/* Together they may be longer than a DNS name. */
		{ L63, L63, "", L63, "a", "sni.msvc." L63 "." L63 "." L63 ".a" },
		{ L63, L63, "n", L63, L63, NULL },
	};
	/* clang-format on */
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const struct resource object = { .key = { KIND_MESH_SERVICE,
							  CASES[i].mesh, CASES[i].zone,
							  CASES[i].ns, CASES[i].name } };
		const char *name = trust_object_name(&object, CASES[i].section, arena);
		if (CASES[i].want == NULL)
			assert_null(name);
		else
			assert_string_equal(name, CASES[i].want);
	}
	zl_arena_free(&arena);
}

static void what_is_outside_has_names_of_its_own(void **state)
{
	(void)state;
	expect(OUT(REF("1", "{kind: MeshExternalService, name: ext}"),
		   "") "---\n{type: MeshExternalService, name: ext, spec: {match: {port: "
		       "9}, "
		       "endpoints: [{address: 10.9.0.1, port: 9}]}}\n",
	       NULL, "-\n" ME);
}

static void a_proxy_is_all_its_services_and_tags(void **state)
{
	(void)state;
	expect(OUT("",
		   ", inbound: [{port: 1, tags: {kuma.io/service: web, version: v1}}, "
		   "{port: 2, state: Ignored, tags: {kuma.io/service: api, version: "
		   "v1}}]"),
	       NULL,
	       "kuma://kuma.io/service/api\nkuma://kuma.io/service/web\n"
	       "kuma://kuma.io/zone/east\nkuma://version/v1\n"
	       "spiffe://default/api\nspiffe://default/web\n");
	expect(OUT("", ", gateway: {type: DELEGATED, tags: {kuma.io/service: edge}}"),
	       NULL,
	       "kuma://kuma.io/service/edge\nkuma://kuma.io/zone/east\n"
	       "spiffe://default/edge\n");
}

static void without_mtls_nothing_is_asked(void **state)
{
	(void)state;
	expect(OUT(TAG("1", "backend"), "") "---\n{type: Mesh, name: default}\n", NULL,
	       "-\n");
	expect(OUT(TAG("1", "backend"), "") "---\n{type: Mesh, name: default, mtls: "
					    "{backends: [{name: ca, type: "
					    "builtin}]}}\n",
	       NULL, "-\n");
}

static void one_without_a_certificate_makes_its_service_plain(void **state)
{
	(void)state;
	expect(OUT(TAG("1", "backend"), "") MTLS("PERMISSIVE"), "b1", "-\n" ME);
	expect(OUT(TAG("1", "backend"), "") MTLS("PERMISSIVE"), "o",
	       "backend{mesh=default} spiffe://default/backend\n" ME);
	expect(OUT(TAG("1", "backend"), "") MTLS("PERMISSIVE"), NULL,
	       "backend{mesh=default} spiffe://default/backend\n" ME);
	/* Who is not Ready is not asked; nor is anyone where plain text is not taken. */
	expect(OUT(TAG("1", "sleepy"), "") MTLS("PERMISSIVE"), "o",
	       "sleepy{mesh=default} spiffe://default/sleepy\n" ME);
	expect(OUT(TAG("1", "gone"), "") MTLS("PERMISSIVE"), "o",
	       "gone{mesh=default} spiffe://default/gone\n" ME);
	expect(OUT(TAG("1", "backend"), "") MTLS("STRICT"), "b1",
	       "backend{mesh=default} spiffe://default/backend\n" ME);
}

#define FAR(tags)                                                                     \
	"---\n{type: ZoneIngress, name: w2, zone: west, networking: {address: "       \
	"10.0.0.1, port: 1, advertisedAddress: 2.2.2.3, advertisedPort: 1}, "         \
	"availableServices: [{instances: 1, tags: {kuma.io/service: backend" tags "}" \
	"}]}\n"
#define EGRESS                                                                    \
	"---\n{type: ZoneEgress, name: e, networking: {address: 10.9.0.1, port: " \
	"10002}}\n---\n{type: Mesh, name: default, routing: {zoneEgress: true}, " \
	"mtls: {enabledBackend: ca, backends: [{name: ca, type: builtin, mode: "  \
	"PERMISSIVE}]}}\n"

/* The server name and the endpoints of p's first backend while lacks has no certificate.
 */
static void expect_ways(const char *yaml, const char *lacks, const char *want)
{
	struct tools tools = tools_of(BASE, yaml, NULL);
	struct identified identified = { lacks };
	const struct policy_options options = { .has_identity = has_identity,
						.owner = &identified };
	struct zl_buf text = { 0 };
	const struct routes *routes =
		policy_resolve(tools.index, tools.inventory,
			       world_get(&tools.world, KIND_DATAPLANE, "p"), &options,
			       tools.world.arena);
	const struct backend *backend = &routes->outbounds[0].backends[0];

	zl_buf_str(&text, backend->sni != NULL ? backend->sni : "-");
	for (size_t i = 0; i < backend->endpoint_count; i++)
		zl_buf_format(&text, " %s %s", backend->endpoints[i].address,
			      via_name(backend->endpoints[i].via));
	assert_string_equal(zl_buf_text(&text), want);
	zl_buf_free(&text);
	tools_end(&tools);
}

static void nothing_leaves_the_zone_in_plain(void **state)
{
	(void)state;
	expect_ways(OUT(TAG("1", "backend"), "") FAR("") MTLS("PERMISSIVE"), "b1",
		    "- 1.1.1.1 direct 1.1.1.2 direct");
	expect_ways(OUT(TAG("1", "backend"), "") FAR("") MTLS("PERMISSIVE"), "o",
		    "backend{mesh=default} 1.1.1.1 direct 1.1.1.2 direct 2.2.2.3 "
		    "ingress");
	expect_ways(OUT(TAG("1", "backend"), "") FAR("") EGRESS, "b1",
		    "- 1.1.1.1 direct 1.1.1.2 direct");
	/* Where nothing is here, nobody here is without a certificate. */
	expect_ways(OUT(TAG("1", "backend, version: v2"), "") FAR(", version: v2")
			    MTLS("PERMISSIVE"),
		    "b1", "backend{mesh=default,version=v2} 2.2.2.3 ingress");
	expect_ways(OUT(TAG("1", "backend, version: v2"), "") FAR(", version: v2") EGRESS,
		    "b1", "backend{mesh=default,version=v2} 10.9.0.1 egress");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tag_services_are_asked_for_by_their_tags),
		cmocka_unit_test(what_has_no_server_name_is_not_there),
		cmocka_unit_test(objects_are_asked_for_by_their_identifier),
		cmocka_unit_test(a_namespace_is_part_of_it),
		cmocka_unit_test(only_parts_of_dns_names_are_parts_of_it),
		cmocka_unit_test(what_is_outside_has_names_of_its_own),
		cmocka_unit_test(a_proxy_is_all_its_services_and_tags),
		cmocka_unit_test(without_mtls_nothing_is_asked),
		cmocka_unit_test(one_without_a_certificate_makes_its_service_plain),
		cmocka_unit_test(nothing_leaves_the_zone_in_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
