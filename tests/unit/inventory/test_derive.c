#include "support/test.h"
#include "support/world.h"

#include "inventory/objects.h"

#include <stdio.h>
#include <stdlib.h>

static void note(void *ctx, const char *text)
{
	zl_buf_format(ctx, "! %s\n", text);
}

static void add(const struct world *world, const char *mesh, struct zl_buf *to,
		struct zl_buf *warnings)
{
	size_t count;
	struct resource **made = objects_derive(world->set, "east", mesh, world->arena,
						&count, note, warnings);

	for (size_t i = 0; i < count; i++) {
		const struct mesh_service_spec *spec = made[i]->mesh_service;

		zl_buf_format(to, "%s %s %s %s\n", object_kri(made[i], "", world->arena),
			      labels_get(spec->tags, TAG_SERVICE),
			      labels_get(made[i]->labels, LABEL_ORIGIN),
			      labels_get(made[i]->labels, "kuma.io/managed-by"));
		for (size_t j = 0; j < spec->port_count; j++)
			zl_buf_format(to, "  %u>%u %s %s\n", spec->ports[j].port,
				      spec->ports[j].target, spec->ports[j].name,
				      spec->ports[j].protocol);
		resource_drop(&made[i]);
	}
}

/* The objects that east derives, one line a port, then the warnings. */
static char *describe(const struct world *world)
{
	static const char *const MESHES[] = { "default", "none", "off", "only" };
	struct zl_buf out = { 0 };
	struct zl_buf warnings = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(MESHES); i++)
		add(world, MESHES[i], &out, &warnings);
	zl_buf_str(&out, zl_buf_text(&warnings));
	zl_buf_free(&warnings);
	char *text = zl_arena_strdup(world->arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void expect(const char *yaml, const char *more, const char *want)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct dice dice = { seed };
		struct world world = world_of(yaml, more, seed == 0 ? NULL : &dice);

		assert_string_equal(describe(&world), want);
		world_end(&world);
	}
}

static const char ASKED[] =
	"{type: Mesh, name: default, meshServices: {mode: Everywhere}}\n"
	"---\n"
	"{type: Mesh, name: only, meshServices: {mode: Exclusive}}\n"
	"---\n"
	"{type: Mesh, name: off, meshServices: {mode: Disabled}}\n";

static const char PROXIES[] =
	"{type: Dataplane, name: b, networking: {address: 1.1.1.1, inbound: [\n"
	"  {port: 80, name: web, tags: {kuma.io/service: s, kuma.io/protocol: HTTP2}},\n"
	"  {port: 81, state: Ignored, tags: {kuma.io/service: s}},\n"
	"  {port: 9, tags: {kuma.io/service: t, kuma.io/protocol: kafka}}]}}\n"
	"---\n"
	"{type: Dataplane, mesh: only, name: b, networking: {address: 1.1.1.1, inbound: "
	"[\n"
	"  {port: 80, tags: {kuma.io/service: s}}]}}\n"
	"---\n"
	"{type: Dataplane, mesh: off, name: b, networking: {address: 1.1.1.1, inbound: "
	"[\n"
	"  {port: 80, tags: {kuma.io/service: s}}]}}\n"
	"---\n"
	"{type: Dataplane, mesh: none, name: b, networking: {address: 1.1.1.1, inbound: "
	"[\n"
	"  {port: 80, tags: {kuma.io/service: s}}]}}\n"
	"---\n"
	"{type: ZoneIngress, name: i, zone: west, networking: {address: 1.1.1.1,\n"
	"  port: 1}, availableServices: [{instances: 1, tags: {kuma.io/service: far}}]}";

static void where_a_mesh_asks(void **state)
{
	(void)state;
	expect(ASKED, PROXIES,
	       "kri_msvc_default_east__s_ s zone meshservice-generator\n"
	       "  80>80 web http2\n"
	       "  81>81 81 tcp\n"
	       "kri_msvc_default_east__t_ t zone meshservice-generator\n"
	       "  9>9 9 kafka\n"
	       "kri_msvc_only_east__s_ s zone meshservice-generator\n"
	       "  80>80 80 tcp\n");
	expect("", PROXIES, "");
}

static void what_people_wrote_stays(void **state)
{
	struct zl_buf yaml = { 0 };

	(void)state;
	zl_buf_format(&yaml, "%s---\n%s", ASKED,
		      "{type: Dataplane, name: b, networking: {address: 1.1.1.1, "
		      "inbound: [\n"
		      "  {port: 80, tags: {kuma.io/service: s}}]}}\n");
	expect(zl_buf_text(&yaml),
	       "{type: MeshService, name: s, labels: {k8s.kuma.io/namespace: a}, spec: "
	       "{}}",
	       "");
	/* Another zone's, or one that was derived before. */
	static const char WANT[] =
		"kri_msvc_default_east__s_ s zone meshservice-generator\n"
		"  80>80 80 tcp\n";
	expect(zl_buf_text(&yaml),
	       "{type: MeshService, name: s, labels: {kuma.io/zone: west}, spec: {}}",
	       WANT);
	expect(zl_buf_text(&yaml),
	       "{type: MeshService, name: s, labels: {kuma.io/managed-by:\n"
	       "  meshservice-generator}, spec: {}}",
	       WANT);
	expect(zl_buf_text(&yaml),
	       "{type: MeshService, name: s, labels: {kuma.io/managed-by: me}, spec: {}}",
	       "");
	zl_buf_free(&yaml);
}

static void ports_that_differ(void **state)
{
	(void)state;
	expect(ASKED,
	       "{type: Dataplane, name: a, networking: {address: 1.1.1.2, inbound: [\n"
	       "  {port: 80, name: x, tags: {kuma.io/service: s, kuma.io/protocol: "
	       "http}},\n"
	       "  {port: 90, name: y, tags: {kuma.io/service: s}},\n"
	       "  {port: 91, name: y, tags: {kuma.io/service: s}},\n"
	       "  {port: 92, name: '93', tags: {kuma.io/service: s}},\n"
	       "  {port: 93, tags: {kuma.io/service: s}}]}}\n"
	       "---\n"
	       "{type: Dataplane, name: b, networking: {address: 1.1.1.1, inbound: [\n"
	       "  {port: 80, name: z, tags: {kuma.io/service: s, kuma.io/protocol: "
	       "grpc}},\n"
	       "  {port: 90, name: y, tags: {kuma.io/service: s, kuma.io/protocol: "
	       "http}},\n"
	       "  {port: 91, tags: {kuma.io/service: s}}]}}\n",
	       "kri_msvc_default_east__s_ s zone meshservice-generator\n"
	       "  80>80 x tcp\n"
	       "  90>90 y tcp\n"
	       "  91>91 91 tcp\n"
	       "  92>92 92 tcp\n"
	       "  93>93 93 tcp\n"
	       "! mesh \"default\": MeshService \"s\": the Dataplanes of port 80 differ "
	       "in its name and protocol: it is x, tcp\n"
	       "! mesh \"default\": MeshService \"s\": the Dataplanes of port 90 differ "
	       "in its protocol: it is y, tcp\n"
	       "! mesh \"default\": MeshService \"s\": the Dataplanes of port 91 differ "
	       "in its name: it is y, tcp\n"
	       "! mesh \"default\": MeshService \"s\": ports 90 and 91 are both called "
	       "y: the second is called by its number\n");
}

/* Of one name in two namespaces, and twice in one Dataplane. */
static void dataplanes_of_one_name(void **state)
{
	(void)state;
	expect(ASKED,
	       "{type: Dataplane, name: a, labels: {k8s.kuma.io/namespace: y}, "
	       "networking: {address: 1.1.1.1, inbound: [{port: 80, name: y, tags: "
	       "{kuma.io/service: s}}]}}\n"
	       "---\n"
	       "{type: Dataplane, name: a, labels: {k8s.kuma.io/namespace: x}, "
	       "networking: {address: 1.1.1.2, inbound: [{port: 80, name: x, tags: "
	       "{kuma.io/service: s}}, {port: 80, address: 1.0.0.3, name: z, tags: "
	       "{kuma.io/service: s}}]}}\n",
	       "kri_msvc_default_east__s_ s zone meshservice-generator\n"
	       "  80>80 x tcp\n"
	       "! mesh \"default\": MeshService \"s\": the Dataplanes of port 80 differ "
	       "in its name: it is x, tcp\n");
}

static void names_that_no_object_has(void **state)
{
	(void)state;
	expect(ASKED,
	       "{type: Dataplane, name: a, networking: {address: 1.1.1.2, inbound: [\n"
	       "  {port: 80, tags: {kuma.io/service: Web_1}}]}}\n",
	       "! mesh \"default\": no MeshService is derived of service \"Web_1\": "
	       "name: a DNS-1035 label must consist of lower case alphanumeric "
	       "characters "
	       "or '-', start with an alphabetic character, and end with an alphanumeric "
	       "character\n");
	expect(ASKED,
	       "{type: Dataplane, name: a, networking: {address: 1.1.1.2, inbound: [\n"
	       "  {port: 80, tags: {kuma.io/service: 1web}}]}}\n",
	       "! mesh \"default\": no MeshService is derived of service \"1web\": "
	       "name: a DNS-1035 label must consist of lower case alphanumeric "
	       "characters "
	       "or '-', start with an alphabetic character, and end with an alphanumeric "
	       "character\n");
}

/* Without anyone to tell, and the same again. */
static void the_same_gives_the_same(void **state)
{
	struct world world = world_of(ASKED, PROXIES, NULL);
	size_t count;
	struct resource **one = objects_derive(world.set, "east", "default", world.arena,
					       &count, NULL, NULL);
	struct resource **other = objects_derive(world.set, "east", "default",
						 world.arena, &count, NULL, NULL);

	(void)state;
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(one[i]->json, other[i]->json);
		resource_drop(&one[i]);
		resource_drop(&other[i]);
	}
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_a_mesh_asks),
		cmocka_unit_test(what_people_wrote_stays),
		cmocka_unit_test(ports_that_differ),
		cmocka_unit_test(dataplanes_of_one_name),
		cmocka_unit_test(names_that_no_object_has),
		cmocka_unit_test(the_same_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
