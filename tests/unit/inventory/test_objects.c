#include "support/test.h"
#include "support/world.h"

#include "inventory/objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The zone is east. */
static const char OBJECTS[] =
	"{type: MeshService, name: db, labels: {app: db, kuma.io/zone: east,\n"
	"  kuma.io/origin: zone}, spec: {selector: {dataplaneTags: {app: db}}, ports: [\n"
	"  {port: 5432, targetPort: main, name: sql}, {port: 80, appProtocol: http}]}}\n"
	"---\n"
	"{type: MeshService, name: db, labels: {app: db, kuma.io/zone: west,\n"
	"  kuma.io/origin: zone}, spec: {state: Available, selector: {dataplaneTags:\n"
	"  {kuma.io/service: db}}, ports: [{port: 5432, name: sql}]}}\n"
	"---\n"
	"{type: MeshService, name: db, labels: {app: db, kuma.io/zone: south,\n"
	"  kuma.io/origin: zone}, spec: {state: Unavailable, selector: {dataplaneTags:\n"
	"  {kuma.io/service: db}}, ports: [{port: 5432, name: sql}]}}\n"
	"---\n"
	"{type: MeshService, name: solo, labels: {app: solo, kuma.io/zone: west,\n"
	"  kuma.io/origin: global}, spec: {selector: {dataplaneRef: {name: x}}, ports: "
	"[\n"
	"  {port: 80}]}}\n"
	"---\n"
	"{type: MeshService, name: one, labels: {k8s.kuma.io/namespace: a}, spec: {\n"
	"  selector: {dataplaneRef: {name: d-1}}, ports: [{port: 8080}]}}\n"
	"---\n"
	"{type: MeshService, name: two, spec: {selector: {dataplaneRef: {name: d-1}},\n"
	"  ports: [{port: 1, targetPort: '8081'}]}}\n"
	"---\n"
	"{type: MeshService, mesh: other, name: db, labels: {app: db}, spec: {}}\n"
	"---\n"
	"{type: MeshMultiZoneService, name: all, labels: {team: t}, spec: {selector: {\n"
	"  meshService: {matchLabels: {app: db}}}, ports: [{port: 1, name: sql},\n"
	"  {port: 80, name: web}, {port: 9}]}}\n"
	"---\n"
	"{type: MeshExternalService, name: ext, spec: {match: {port: 9090}}}\n"
	"---\n"
	"{type: MeshExternalService, name: ext, labels: {kuma.io/zone: east,\n"
	"  kuma.io/origin: zone}, spec: {match: {port: 9091, protocol: grpc}}}\n"
	"---\n"
	"{type: MeshExternalService, name: far, labels: {kuma.io/zone: west}, spec: {\n"
	"  match: {port: 9092}}}\n";

static const char ROWS[] =
	"{type: Dataplane, name: d-1, networking: {address: 1.0.0.1, inbound: [\n"
	"  {port: 8080, name: main, tags: {kuma.io/service: pg, app: db}},\n"
	"  {port: 8081, tags: {kuma.io/service: pg, app: db}}]}}\n"
	"---\n"
	"{type: Dataplane, name: d-2, networking: {address: 1.0.0.2, inbound: [\n"
	"  {port: 8080, name: main, tags: {kuma.io/service: other, app: db}},\n"
	"  {port: 80, tags: {kuma.io/service: other, app: db}, state: NotReady},\n"
	"  {port: 8082, name: main, tags: {kuma.io/service: other, app: web}}]}}\n"
	"---\n"
	"{type: ZoneIngress, name: i-1, zone: west, networking: {address: 2.0.0.1, port: "
	"1,\n"
	"  advertisedAddress: 2.0.0.1, advertisedPort: 1}, availableServices: [\n"
	"  {instances: 3, tags: {kuma.io/service: db}},\n"
	"  {instances: 2, tags: {kuma.io/service: db, v: '2'}},\n"
	"  {instances: 7, tags: {kuma.io/service: web}}]}\n"
	"---\n"
	"{type: ZoneIngress, name: i-2, zone: west, networking: {address: 2.0.0.2, port: "
	"1,\n"
	"  advertisedAddress: 2.0.0.2, advertisedPort: 1}}\n"
	"---\n"
	"{type: ZoneIngress, name: i-3, zone: south, networking: {address: 2.0.0.3, "
	"port: "
	"1,\n"
	"  advertisedAddress: 2.0.0.3, advertisedPort: 1}}\n"
	"---\n"
	"{type: Zone, name: south, status: {condition: Stale}}\n";

struct scene {
	struct world world;
	struct inventory *inventory;
};

static struct scene scene_of(const char *first, const char *second)
{
	struct scene scene = { .world = world_of(first, second, NULL) };

	scene.inventory = inventory_build(scene.world.set, "east");
	return scene;
}

static void scene_end(struct scene *scene)
{
	inventory_drop(&scene->inventory);
	world_end(&scene->world);
}

static const char *kri(const struct scene *scene, const struct resource *object)
{
	return object != NULL ? object_kri(object, "", scene->world.arena) : "none";
}

static const struct resource *get(const struct scene *scene, enum kind kind,
				  const char *zone, const char *name)
{
	const struct key key = { kind, "default", zone, "", name };
	const struct resource *found = object_get(scene->inventory, &key);

	assert_non_null(found);
	return found;
}

/* ---- finding ---- */

static void by_name(void **state)
{
	/* clang-format off */
	static const struct {
		enum kind kind;
		const char *ns, *name, *found;
	} CASES[] = {
		{ KIND_MESH_SERVICE, "", "db", "kri_msvc_default_east__db_" },
		{ KIND_MESH_SERVICE, "a", "db", "none" },
		{ KIND_MESH_SERVICE, "", "solo", "kri_msvc_default_west__solo_" },
		{ KIND_MESH_SERVICE, "", "one", "kri_msvc_default__a_one_" },
		{ KIND_MESH_SERVICE, "a", "one", "kri_msvc_default__a_one_" },
		{ KIND_MESH_SERVICE, "b", "one", "none" },
		{ KIND_MESH_SERVICE, "", "all", "none" },
		{ KIND_MESH_MULTI_ZONE_SERVICE, "", "all", "kri_mzsvc_default___all_" },
		{ KIND_MESH_EXTERNAL_SERVICE, "", "ext", "kri_extsvc_default_east__ext_" },
		{ KIND_MESH_EXTERNAL_SERVICE, "", "far", "kri_extsvc_default___far_" },
	};
	/* clang-format on */
	struct scene scene = scene_of(OBJECTS, "");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		bool several = true;
		const struct resource *found =
			object_by_name(scene.inventory, CASES[i].kind, "default",
				       CASES[i].ns, CASES[i].name, &several);

		assert_string_equal(kri(&scene, found), CASES[i].found);
		assert_false(several);
		if (found != NULL)
			assert_ptr_equal(object_get(scene.inventory, &found->key), found);
	}
	scene_end(&scene);
}

/* Of several zones none is taken, unless it is the own one. */
static void by_a_name_that_several_have(void **state)
{
	static const char YAML[] =
		"{type: MeshService, name: s, labels: {kuma.io/zone: west}, spec: {}}\n"
		"---\n"
		"{type: MeshService, name: s, labels: {kuma.io/zone: south}, spec: {}}\n";
	struct scene scene = scene_of(YAML, "");
	bool several = false;

	(void)state;
	assert_null(object_by_name(scene.inventory, KIND_MESH_SERVICE, "default", "", "s",
				   &several));
	assert_true(several);
	scene_end(&scene);

	scene = scene_of(YAML, "{type: Zone, name: south, enabled: false}");
	assert_string_equal(kri(&scene, object_by_name(scene.inventory, KIND_MESH_SERVICE,
						       "default", "", "s", &several)),
			    "kri_msvc_default_west__s_");
	assert_false(several);
	const struct key key = { KIND_MESH_SERVICE, "default", "south", "", "s" };
	assert_null(object_get(scene.inventory, &key));
	scene_end(&scene);
}

static void expect_labelled(const struct scene *scene, enum kind kind, const char *mesh,
			    const struct label *items, size_t count, const char *want)
{
	struct zl_buf out = { 0 };
	const struct labels labels = { items, count };
	size_t found;
	const struct resource *const *list = objects_by_labels(
		scene->inventory, kind, mesh, labels, scene->world.arena, &found);

	for (size_t i = 0; i < found; i++) {
		zl_buf_format(&out, "%s ", kri(scene, list[i]));
		assert_true(object_matches(scene->inventory, list[i], labels));
	}
	assert_string_equal(zl_buf_text(&out), want);
	zl_buf_free(&out);
}

static void by_labels(void **state)
{
	static const struct label APP = { "app", "db" };
	static const struct label NAME = { LABEL_DISPLAY_NAME, "db" };
	static const struct label MESH = { LABEL_MESH, "default" };
	static const struct label NONE = { "app", "nobody" };
	static const struct label WEST[] = { { "app", "db" }, { LABEL_ZONE, "west" } };
	static const struct label HERE[] = { { LABEL_ORIGIN, "zone" },
					     { LABEL_ZONE, "east" } };
	static const struct label GLOBAL[] = { { LABEL_ORIGIN, "global" } };
	static const struct label NOT[] = { { LABEL_MESH, "other" },
					    { LABEL_DISPLAY_NAME, "db" } };
	static const char ALL[] =
		"kri_msvc_default_east__db_ kri_msvc_default_south__db_ "
		"kri_msvc_default_west__db_ ";
	struct scene scene = scene_of(OBJECTS, "");

	(void)state;
	expect_labelled(&scene, KIND_MESH_SERVICE, "default", &APP, 1, ALL);
	expect_labelled(&scene, KIND_MESH_SERVICE, "default", &NAME, 1, ALL);
	expect_labelled(&scene, KIND_MESH_SERVICE, "default", WEST, 2,
			"kri_msvc_default_west__db_ ");
	expect_labelled(&scene, KIND_MESH_SERVICE, "default", &NONE, 1, "");
	expect_labelled(&scene, KIND_MESH_SERVICE, "other", &APP, 1,
			"kri_msvc_other___db_ ");
	/* Not written, but true. */
	expect_labelled(&scene, KIND_MESH_SERVICE, "default", HERE, 2,
			"kri_msvc_default___two_ kri_msvc_default__a_one_ "
			"kri_msvc_default_east__db_ ");
	expect_labelled(&scene, KIND_MESH_EXTERNAL_SERVICE, "default", &MESH, 1,
			"kri_extsvc_default_east__ext_ kri_extsvc_default___ext_ "
			"kri_extsvc_default___far_ ");
	expect_labelled(&scene, KIND_MESH_EXTERNAL_SERVICE, "default", GLOBAL, 1,
			"kri_extsvc_default___ext_ kri_extsvc_default___far_ ");
	expect_labelled(&scene, KIND_MESH_SERVICE, "default", NOT, 2, "");
	scene_end(&scene);

	scene = scene_of(OBJECTS, "{type: Zone, name: west, enabled: false}");
	expect_labelled(&scene, KIND_MESH_SERVICE, "default", &APP, 1,
			"kri_msvc_default_east__db_ kri_msvc_default_south__db_ ");
	scene_end(&scene);
}

static void which_are_local(void **state)
{
	struct scene scene = scene_of(
		OBJECTS,
		"{type: MeshService, name: odd, labels: {kuma.io/origin: global}, spec: "
		"{}}");

	(void)state;
	assert_true(object_is_local(scene.inventory,
				    get(&scene, KIND_MESH_SERVICE, "east", "db")));
	assert_true(object_is_local(scene.inventory,
				    get(&scene, KIND_MESH_SERVICE, "", "two")));
	assert_false(object_is_local(scene.inventory,
				     get(&scene, KIND_MESH_SERVICE, "west", "db")));
	assert_false(object_is_local(scene.inventory,
				     get(&scene, KIND_MESH_SERVICE, "", "odd")));
	assert_true(object_is_local(
		scene.inventory, get(&scene, KIND_MESH_EXTERNAL_SERVICE, "east", "ext")));
	assert_true(object_is_local(scene.inventory,
				    get(&scene, KIND_MESH_EXTERNAL_SERVICE, "", "ext")));
	assert_false(object_is_local(scene.inventory,
				     get(&scene, KIND_MESH_EXTERNAL_SERVICE, "", "far")));
	scene_end(&scene);
}

/* ---- ports ---- */

static void ports(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *section;
		uint32_t port, found; /* 0: none */
		const char *canonical, *protocol;
	} CASES[] = {
		{ "db", "", 0, 0, "", "" },
		{ "db", "sql", 0, 5432, "sql", "tcp" },
		{ "db", "sql", 80, 5432, "sql", "tcp" },
		{ "db", "5432", 0, 5432, "sql", "tcp" },
		{ "db", "80", 0, 80, "80", "http" },
		{ "db", "", 80, 80, "80", "http" },
		{ "db", "", 81, 0, "", "" },
		{ "db", "http", 80, 0, "", "" },
		{ "solo", "", 0, 80, "80", "tcp" },
		{ "solo", "", 81, 0, "", "" },
		{ "all", "9", 0, 9, "9", "tcp" },
		{ "ext", "", 0, 9091, "9091", "grpc" },
		{ "ext", "", 1, 9091, "9091", "grpc" },
		{ "ext", "x", 0, 9091, "9091", "grpc" },
	};
	/* clang-format on */
	struct scene scene = scene_of(OBJECTS, "");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		static const enum kind KINDS[] = { KIND_MESH_SERVICE,
						   KIND_MESH_MULTI_ZONE_SERVICE,
						   KIND_MESH_EXTERNAL_SERVICE };
		const struct resource *object = NULL;
		struct object_port found = { 0 };
		bool several;

		for (size_t j = 0; object == NULL && j < ARRAY_LEN(KINDS); j++)
			object = object_by_name(scene.inventory, KINDS[j], "default", "",
						CASES[i].name, &several);
		bool is = object_port_find(object, CASES[i].section, CASES[i].port,
					   scene.world.arena, &found);
		assert_int_equal(is, CASES[i].found != 0);
		if (!is)
			continue;
		assert_int_equal(found.port, CASES[i].found);
		assert_string_equal(found.section, CASES[i].canonical);
		assert_string_equal(found.protocol, CASES[i].protocol);
		assert_int_equal(found.spec == NULL,
				 object->key.kind == KIND_MESH_EXTERNAL_SERVICE);
	}
	assert_int_equal(object_port_count(get(&scene, KIND_MESH_SERVICE, "east", "db")),
			 2);
	scene_end(&scene);
}

/* ---- who serves them ---- */

static char *describe(const struct scene *scene, const struct resource *object,
		      const char *section)
{
	struct zl_buf out = { 0 };
	struct object_port port;

	assert_true(object_port_find(object, section, 0, scene->world.arena, &port));
	const struct service *service =
		object_service(scene->inventory, object, &port, scene->world.arena);
	assert_string_equal(service->name, object->key.name);
	assert_string_equal(service->mesh, object->key.mesh);
	zl_buf_str(&out, service->protocol);
	for (size_t i = 0; i < service->local_count; i++)
		zl_buf_format(&out, " %s:%u@%s%s", service->locals[i].address,
			      service->locals[i].port,
			      labels_get(service->locals[i].tags, TAG_ZONE),
			      service->locals[i].ready ? "" : "(down)");
	for (size_t i = 0; i < service->remote_count; i++) {
		const struct remote *at = &service->remotes[i];

		assert_string_equal(labels_get(at->tags, TAG_ZONE), at->zone);
		zl_buf_format(&out, " %s:%u@%s*%" PRIu64 "%s%s", at->address, at->port,
			      at->zone, at->instances, at->record == NULL ? "?" : "",
			      at->condition == ZONE_STALE ? "(stale)" : "");
	}
	char *text = zl_arena_strdup(scene->world.arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void expect(const struct scene *scene, enum kind kind, const char *zone,
		   const char *name, const char *section, const char *want)
{
	assert_string_equal(describe(scene, get(scene, kind, zone, name), section), want);
}

static void who_serves_an_object(void **state)
{
	struct scene scene = scene_of(OBJECTS, ROWS);

	(void)state;
	/* By name of the inbound, which matches the selector itself (K8). */
	expect(&scene, KIND_MESH_SERVICE, "east", "db", "sql",
	       "tcp 1.0.0.1:8080@east 1.0.0.2:8080@east");
	/* By number (K7). */
	expect(&scene, KIND_MESH_SERVICE, "east", "db", "80",
	       "http 1.0.0.2:80@east(down)");
	expect(&scene, KIND_MESH_SERVICE, "", "two", "", "tcp 1.0.0.1:8081@east");
	/* Records of its zone. */
	expect(&scene, KIND_MESH_SERVICE, "west", "db", "",
	       "tcp 2.0.0.1:1@west*3 2.0.0.1:1@west*2");
	/* None of them tells of it. */
	expect(&scene, KIND_MESH_SERVICE, "south", "db", "",
	       "tcp 2.0.0.3:1@south*1?(stale)");
	expect(&scene, KIND_MESH_SERVICE, "west", "solo", "",
	       "tcp 2.0.0.1:1@west*1? 2.0.0.2:1@west*1?");
	/* Members: one for the name, one for the number, others not Available. */
	expect(&scene, KIND_MESH_MULTI_ZONE_SERVICE, "", "all", "sql",
	       "tcp 1.0.0.1:8080@east 1.0.0.2:8080@east 2.0.0.1:1@west*3 "
	       "2.0.0.1:1@west*2");
	expect(&scene, KIND_MESH_MULTI_ZONE_SERVICE, "", "all", "web",
	       "tcp 1.0.0.2:80@east(down)");
	expect(&scene, KIND_MESH_MULTI_ZONE_SERVICE, "", "all", "9", "tcp");
	scene_end(&scene);
}

static void who_serves_what_is_odd(void **state)
{
	struct scene scene = scene_of(
		"{type: MeshService, name: none, spec: {ports: [{port: 1}]}}\n"
		"---\n"
		"{type: MeshService, name: none, labels: {kuma.io/zone: west}, spec: {\n"
		"  ports: [{port: 1}]}}\n"
		"---\n"
		"{type: MeshService, name: odd, labels: {kuma.io/zone: east,\n"
		"  kuma.io/origin: global}, spec: {selector: {dataplaneTags: {app: "
		"db}},\n"
		"  ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: gone, spec: {selector: {dataplaneRef: {name: "
		"no}},\n"
		"  ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: many, spec: {selector: {dataplaneTags:\n"
		"  {kuma.io/zone: east}}, ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: narrow, spec: {selector: {dataplaneTags:\n"
		"  {app: db, kuma.io/service: pg, kuma.io/zone: east}}, ports: [\n"
		"  {port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: labelled, labels: {kuma.io/zone: east,\n"
		"  kuma.io/origin: zone}, spec: {selector: {dataplaneRef: {name: d-9}},\n"
		"  ports: [{port: 8}]}}\n"
		"---\n"
		"{type: Dataplane, name: d-9, labels: {kuma.io/zone: east, "
		"kuma.io/origin:\n"
		"  zone}, networking: {address: 1.0.0.9, inbound: [{port: 8, tags: {\n"
		"  kuma.io/service: pg}}, {port: 9, tags: {kuma.io/service: pg}}]}}\n",
		ROWS);

	(void)state;
	expect(&scene, KIND_MESH_SERVICE, "", "none", "", "tcp");
	expect(&scene, KIND_MESH_SERVICE, "west", "none", "", "tcp");
	expect(&scene, KIND_MESH_SERVICE, "east", "odd", "", "tcp");
	expect(&scene, KIND_MESH_SERVICE, "", "gone", "", "tcp");
	expect(&scene, KIND_MESH_SERVICE, "", "many", "",
	       "tcp 1.0.0.1:8080@east 1.0.0.2:8080@east");
	expect(&scene, KIND_MESH_SERVICE, "", "narrow", "", "tcp 1.0.0.1:8080@east");
	expect(&scene, KIND_MESH_SERVICE, "east", "labelled", "", "tcp 1.0.0.9:8@east");
	scene_end(&scene);
}

/* Members that select the same have it once; a zone that tells nothing is one instance,
 * however many of its objects ask. */
static void members_that_overlap(void **state)
{
	static const char YAML[] =
		"{type: MeshService, name: a, labels: {m: m}, spec: {selector:\n"
		"  {dataplaneTags: {app: db}}, ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: b, labels: {m: m}, spec: {selector:\n"
		"  {dataplaneTags: {kuma.io/service: pg}}, ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: c, labels: {m: m, kuma.io/zone: west}, spec: "
		"{\n"
		"  state: Available, selector: {dataplaneTags: {kuma.io/service: db}},\n"
		"  ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: d, labels: {m: m, kuma.io/zone: west}, spec: "
		"{\n"
		"  state: Available, selector: {dataplaneTags: {v: '2'}},\n"
		"  ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: e, labels: {m: m, kuma.io/zone: south}, spec: "
		"{\n"
		"  state: Available, selector: {dataplaneTags: {v: '2'}},\n"
		"  ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshService, name: f, labels: {m: m, kuma.io/zone: south}, spec: "
		"{\n"
		"  state: Available, selector: {dataplaneRef: {name: x}},\n"
		"  ports: [{port: 8080}]}}\n"
		"---\n"
		"{type: MeshMultiZoneService, name: all, spec: {selector: {meshService:\n"
		"  {matchLabels: {m: m}}}, ports: [{port: 8080}]}}\n";
	struct scene scene = scene_of(YAML, ROWS);
	size_t count;

	(void)state;
	expect(&scene, KIND_MESH_MULTI_ZONE_SERVICE, "", "all", "8080",
	       "tcp 1.0.0.1:8080@east 1.0.0.2:8080@east 2.0.0.3:1@south*1?(stale) "
	       "2.0.0.1:1@west*3 2.0.0.1:1@west*2");
	const struct resource *const *members = object_members(
		scene.inventory, get(&scene, KIND_MESH_MULTI_ZONE_SERVICE, "", "all"),
		scene.world.arena, &count);
	assert_int_equal(count, 6);
	assert_string_equal(members[0]->key.name, "a");
	assert_string_equal(members[5]->key.name, "d");
	scene_end(&scene);
}

/* What no reader lets in is no reason to take all that there is. */
static void a_selector_without_labels(void **state)
{
	static const char JSON[] =
		"{\"mesh\":\"default\",\"name\":\"m\",\"spec\":{\"ports\":[{\"port\":"
		"5432}],\"selector\":{\"meshService\":{\"matchLabels\":{}}}},"
		"\"type\":\"MeshMultiZoneService\"}";
	struct scene scene = scene_of(OBJECTS, ROWS);
	struct resource *res = NULL;
	struct zl_err err = { 0 };
	size_t count = 1;

	(void)state;
	assert_int_equal(resource_from_json(JSON, strlen(JSON), &res, &err), ZL_OK);
	(void)object_members(scene.inventory, res, scene.world.arena, &count);
	assert_int_equal(count, 0);
	resource_drop(&res);
	scene_end(&scene);
}

static void more_than_a_few(void **state)
{
	struct zl_buf yaml = { 0 };

	(void)state;
	zl_buf_str(&yaml, "{type: MeshService, name: s, spec: {selector: {dataplaneTags: "
			  "{app: a}}, ports: [{port: 1}]}}\n");
	for (unsigned i = 0; i < 30; i++)
		zl_buf_format(&yaml,
			      "---\n{type: Dataplane, name: d-%u, networking: {address: "
			      "1.1.1.%u, inbound: [{port: 1, tags: {kuma.io/service: "
			      "s-%u, app: %s}}]}}\n",
			      i, i, i % 20, i % 3 == 0 ? "b" : "a");
	struct scene scene = scene_of(zl_buf_text(&yaml), "");
	const struct resource *object = get(&scene, KIND_MESH_SERVICE, "", "s");
	const struct object_port port = object_port_at(object, 0, scene.world.arena);
	const struct service *service =
		object_service(scene.inventory, object, &port, scene.world.arena);
	assert_int_equal(service->local_count, 20);
	for (size_t i = 1; i < service->local_count; i++)
		assert_true(strcmp(service->locals[i - 1].address,
				   service->locals[i].address) < 0);
	zl_buf_free(&yaml);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),
		cmocka_unit_test(by_a_name_that_several_have),
		cmocka_unit_test(by_labels),
		cmocka_unit_test(which_are_local),
		cmocka_unit_test(ports),
		cmocka_unit_test(who_serves_an_object),
		cmocka_unit_test(who_serves_what_is_odd),
		cmocka_unit_test(members_that_overlap),
		cmocka_unit_test(a_selector_without_labels),
		cmocka_unit_test(more_than_a_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
