/* The union of what a zone knows, its changes, and what the zone offers. */
#include "zone/inventory/registry.h"

#include "model/travel.h"
#include "support/world.h"

#include <stdlib.h>

#define OWN "labels: {kuma.io/origin: zone, kuma.io/zone: east}"

static const char *const DATAPLANES =
	"{type: Dataplane, name: a, " OWN ", networking: {address: 10.0.0.1, inbound: "
	"[{port: 80, tags: {kuma.io/service: web, version: v1}}]}}\n---\n"
	"{type: Dataplane, name: b, " OWN ", networking: {address: 10.0.0.2, inbound: "
	"[{port: 80, tags: {kuma.io/service: web, version: v1}}]}}\n---\n"
	"{type: Dataplane, name: c, " OWN ", networking: {address: 10.0.0.3, inbound: "
	"[{port: 80, state: NotReady, tags: {kuma.io/service: db}}]}}\n";

static const char *const INGRESS =
	"{type: ZoneIngress, name: in, " OWN ", networking: {address: 10.0.0.9, port: "
	"10001, advertisedAddress: 10.1.0.9, advertisedPort: 10001}}\n";

struct fixture {
	struct registry registry;
	struct registry_changes changes;
	struct zl_arena *arena;
};

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));

	registry_init(&fix->registry, "east");
	fix->arena = zl_arena_new();
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	registry_changes_free(&fix->changes);
	registry_fini(&fix->registry);
	zl_arena_free(&fix->arena);
	free(fix);
	return 0;
}

/* The changes of the update alone. */
static void update(struct fixture *fix, enum registry_part part, const char *yaml)
{
	struct world world = world_of(yaml, "", NULL);

	registry_changes_free(&fix->changes);
	registry_update(&fix->registry, part, world.set, &fix->changes);
	world_end(&world);
}

static const struct resource *find(const struct fixture *fix, enum kind kind,
				   const char *name)
{
	struct set_iter each = set_each(fix->registry.all, kind, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (strcmp(res->key.name, name) == 0)
			return res;
	return NULL;
}

static void the_folder_counts_before_the_api(void **state)
{
#define NAMED(address)                                                       \
	"{type: Dataplane, name: a, " OWN ", networking: {address: " address \
	", inbound: [{port: 80, tags: {kuma.io/service: web}}]}}"
	struct fixture *fix = *state;

	update(fix, REGISTRY_LOCAL, NAMED("10.0.0.1"));
	assert_int_equal(fix->changes.count, 1);
	assert_null(fix->changes.items[0].old);
	assert_string_equal(fix->changes.items[0].now->key.name, "a");
	assert_true(fix->changes.inventory);
	assert_false(fix->changes.meshes);
	update(fix, REGISTRY_FOLDER, NAMED("10.0.0.2"));
	assert_int_equal(fix->changes.count, 1);
	assert_non_null(strstr(fix->changes.items[0].old->json, "10.0.0.1"));
	assert_non_null(strstr(fix->changes.items[0].now->json, "10.0.0.2"));
	update(fix, REGISTRY_LOCAL, NAMED("10.0.0.3")); /* in its shadow */
	assert_int_equal(fix->changes.count, 0);
	assert_false(fix->changes.inventory);
	update(fix, REGISTRY_FOLDER, "");
	assert_int_equal(fix->changes.count, 1);
	assert_non_null(strstr(fix->changes.items[0].now->json, "10.0.0.3"));
	update(fix, REGISTRY_LOCAL, "");
	assert_int_equal(fix->changes.count, 1);
	assert_null(fix->changes.items[0].now);
	assert_null(find(fix, KIND_DATAPLANE, "a"));
}

static void an_echo_is_left_out(void **state)
{
#define RECORD(zone, port)                                                       \
	"{type: ZoneIngress, name: in-" zone ", labels: {kuma.io/origin: zone, " \
	"kuma.io/zone: " zone "}, networking: {address: 10.0.0.9, port: 10001, " \
	"advertisedAddress: 10.1.0.9, advertisedPort: " port "}}\n"
	struct fixture *fix = *state;

	update(fix, REGISTRY_GLOBAL, RECORD("east", "1") "---\n" RECORD("west", "2"));
	assert_int_equal(fix->changes.count, 1);
	assert_null(find(fix, KIND_ZONE_INGRESS, "in-east"));
	assert_non_null(find(fix, KIND_ZONE_INGRESS, "in-west"));
	update(fix, REGISTRY_FOLDER, RECORD("east", "3"));
	assert_non_null(strstr(find(fix, KIND_ZONE_INGRESS, "in-east")->json, ":3"));
	update(fix, REGISTRY_GLOBAL, RECORD("east", "4") "---\n" RECORD("west", "2"));
	assert_int_equal(fix->changes.count, 0);
	assert_non_null(strstr(find(fix, KIND_ZONE_INGRESS, "in-east")->json, ":3"));
	update(fix, REGISTRY_FOLDER, ""); /* and not in its place either */
	assert_null(find(fix, KIND_ZONE_INGRESS, "in-east"));
}

static void only_what_differs_is_a_change(void **state)
{
#define THREE(x)                                                        \
	"{type: Mesh, name: a}\n---\n{type: Mesh, name: b" x "}\n---\n" \
	"{type: Mesh, name: c}\n---\n{type: Zone, name: west}\n"
	struct fixture *fix = *state;

	update(fix, REGISTRY_GLOBAL, THREE(""));
	assert_int_equal(fix->changes.count, 4);
	assert_true(fix->changes.meshes);
	const struct resource *a = find(fix, KIND_MESH, "a");
	update(fix, REGISTRY_GLOBAL, THREE("")); /* other objects that say the same */
	assert_int_equal(fix->changes.count, 0);
	assert_false(fix->changes.meshes);
	assert_false(fix->changes.inventory);
	update(fix, REGISTRY_GLOBAL, THREE(", labels: {k: v}"));
	assert_int_equal(fix->changes.count, 1);
	assert_string_equal(fix->changes.items[0].now->key.name, "b");
	assert_true(fix->changes.meshes);
	assert_false(fix->changes.inventory);
	assert_ptr_equal(find(fix, KIND_MESH, "a"), a);
	update(fix, REGISTRY_GLOBAL,
	       "{type: Mesh, name: 0a}\n---\n{type: Mesh, name: b, "
	       "labels: {k: v}}\n---\n{type: Mesh, name: z}\n");
	assert_int_equal(fix->changes.count, 5); /* 0a and z, and not a, c and west */
	assert_true(fix->changes.inventory);

	struct registry_changes all = { 0 };
	registry_all(&fix->registry, &all);
	assert_int_equal(all.count, 3);
	assert_null(all.items[0].old);
	registry_changes_free(&all);
}

/* The operation on a resource of this name; NULL: none. */
static const struct op *op_of(struct fixture *fix, const struct op *ops, size_t count,
			      const char *name)
{
	for (size_t i = 0; i < count; i++) {
		struct zl_err err = { 0 };
		struct key key;
		assert_int_equal(
			key_parse(ops[i].key, ops[i].key_len, fix->arena, &key, &err),
			ZL_OK);
		if (strcmp(key.name, name) == 0)
			return &ops[i];
	}
	return NULL;
}

static bool says(const struct op *op, const char *part)
{
	char *text = zl_strndup(op->value, op->value_len);
	bool found = strstr(text, part) != NULL;

	free(text);
	return found;
}

static void the_offer_has_the_services(void **state)
{
	struct fixture *fix = *state;
	size_t count;

	update(fix, REGISTRY_FOLDER, DATAPLANES);
	update(fix, REGISTRY_LOCAL, INGRESS);
	const struct op *ops = registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 1); /* Dataplanes stay at home */
	assert_false(ops[0].deleted);
	assert_true(says(&ops[0], "\"availableServices\":[{\"instances\":0,\"mesh\":"
				  "\"default\",\"tags\":{\"kuma.io/service\":\"db\""));
	assert_true(says(&ops[0], "{\"instances\":2,\"mesh\":\"default\",\"tags\":"
				  "{\"kuma.io/service\":\"web\""));
	assert_true(says(&ops[0], "\"version\":\"v1\""));
	(void)registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(count, 0); /* told already */
	(void)registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 1);

	update(fix, REGISTRY_FOLDER, "");
	ops = registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(count, 1);
	assert_false(says(&ops[0], "instances"));
	update(fix, REGISTRY_LOCAL, "");
	ops = registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(count, 1);
	assert_true(ops[0].deleted);
	assert_non_null(op_of(fix, ops, count, "in"));
	(void)registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 0);
}

static void what_is_written_of_services_is_replaced(void **state)
{
	struct fixture *fix = *state;
	size_t count;

	update(fix, REGISTRY_FOLDER,
	       "{type: ZoneIngress, name: flat, " OWN ", networking: {address: 10.0.0.9, "
	       "port: 10001}, availableServices: [{mesh: default, instances: 7, tags: "
	       "{kuma.io/service: lie}}]}\n---\n"
	       "{type: ZoneIngress, name: below, " OWN ", spec: {networking: {address: "
	       "10.0.0.9, port: 10002}}}\n");
	update(fix, REGISTRY_LOCAL, DATAPLANES);
	const struct op *ops = registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		assert_false(says(&ops[i], "lie"));
		assert_true(says(&ops[i], "\"instances\":2"));
		struct resource *res = NULL;
		struct zl_err err = { 0 };
		assert_int_equal(
			resource_from_json(ops[i].value, ops[i].value_len, &res, &err),
			ZL_OK);
		assert_int_equal(res->ingress->service_count, 2);
		resource_drop(&res);
	}
}

static void policies_travel_unless_told_not_to(void **state)
{
#define ROUTE(name, more)                                                      \
	"{type: MeshTCPRoute, name: " name ", labels: {kuma.io/origin: zone, " \
	"kuma.io/zone: east" more "}, spec: {targetRef: {kind: Mesh}}}\n"
	struct fixture *fix = *state;
	size_t count;

	update(fix, REGISTRY_FOLDER,
	       ROUTE("up", "") "---\n" ROUTE(
		       "stay",
		       ", kuma.io/kds-sync: disabled") "---\n" ROUTE("on",
								     ", "
								     "kuma.io/kds-sync: "
								     "enabled"));
	update(fix, REGISTRY_GLOBAL,
	       "{type: MeshTCPRoute, name: down, spec: {targetRef: {kind: Mesh}}}\n---\n"
	       "{type: MeshTCPRoute, name: theirs, labels: {kuma.io/origin: zone, "
	       "kuma.io/zone: west}, spec: {targetRef: {kind: Mesh}}}\n");
	const struct op *ops = registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 2);
	assert_non_null(op_of(fix, ops, count, "up"));
	assert_non_null(op_of(fix, ops, count, "on"));
	update(fix, REGISTRY_FOLDER,
	       ROUTE("up", ", kuma.io/kds-sync: disabled") "---\n" ROUTE(
		       "on", ", kuma.io/kds-sync: enabled"));
	ops = registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(count, 1);
	assert_true(op_of(fix, ops, count, "up")->deleted);
}

/* Of another zone only a producer's policies have a say here. */
static void what_global_holds_and_is_not_for_us(void **state)
{
#define THEIRS(name, more)                                                     \
	"{type: MeshTCPRoute, name: " name ", labels: {kuma.io/origin: zone, " \
	"kuma.io/zone: west" more "}, spec: {targetRef: {kind: Mesh}}}\n---\n"
	struct fixture *fix = *state;

	update(fix, REGISTRY_GLOBAL,
	       THEIRS("theirs", "") THEIRS("shared", ", test-role: producer") THEIRS(
		       "turning",
		       ", test-role: producer") "{type: MeshTCPRoute, name: at-global, "
						"labels: {kuma.io/kds-sync: "
						"disabled}, spec: {targetRef: {kind: "
						"Mesh}}}\n");
	assert_int_equal(fix->changes.count, 2);
	assert_null(find(fix, KIND_MESH_TCP_ROUTE, "theirs"));
	assert_null(find(fix, KIND_MESH_TCP_ROUTE, "at-global"));
	assert_non_null(find(fix, KIND_MESH_TCP_ROUTE, "shared"));
	update(fix, REGISTRY_GLOBAL,
	       THEIRS("theirs", "") THEIRS("shared", ", test-role: producer") THEIRS(
		       "turning",
		       ", test-role: consumer") "{type: MeshTCPRoute, name: at-global, "
						"spec: {targetRef: {kind: "
						"Mesh}}}\n");
	assert_int_equal(fix->changes.count, 2); /* one turned, one was let go */
	assert_null(find(fix, KIND_MESH_TCP_ROUTE, "turning"));
	assert_non_null(find(fix, KIND_MESH_TCP_ROUTE, "at-global"));
}

/* What was found here counts for a zone that global calls Offline, for no other. */
static void how_other_zones_look_from_here(void **state)
{
#define ZONE(condition) "{type: Zone, name: west, status: {condition: " condition "}}"
	struct fixture *fix = *state;

	update(fix, REGISTRY_GLOBAL, ZONE("Offline"));
	update(fix, REGISTRY_FOUND, ZONE("Stale"));
	assert_int_equal(fix->changes.count, 1);
	assert_int_equal(find(fix, KIND_ZONE, "west")->zone->condition, ZONE_STALE);
	update(fix, REGISTRY_GLOBAL, ZONE("Online")); /* before what was found is gone */
	assert_int_equal(find(fix, KIND_ZONE, "west")->zone->condition, ZONE_ONLINE);
	update(fix, REGISTRY_FOUND, "");
	assert_int_equal(fix->changes.count, 0);
	update(fix, REGISTRY_GLOBAL, ZONE("Offline"));
	assert_int_equal(find(fix, KIND_ZONE, "west")->zone->condition, ZONE_OFFLINE);
	update(fix, REGISTRY_FOUND, ZONE("Stale"));
	update(fix, REGISTRY_GLOBAL, ""); /* a Zone that is deleted is gone */
	assert_null(find(fix, KIND_ZONE, "west"));
}

/* Whole, and with a name of its own. */
static void add_route(struct set_edit *edit, unsigned number, size_t padding)
{
	struct resource *res = NULL;
	char *pad = zl_alloc(padding + 1, 1);

	memset(pad, 'x', padding);
	char *json =
		zl_format("{\"labels\":{\"kuma.io/origin\":\"zone\",\"kuma.io/zone\":"
			  "\"east\"},\"mesh\":\"default\",\"name\":\"r%04u\",\"pad\":"
			  "\"%s\",\"spec\":{},\"type\":\"MeshTCPRoute\"}",
			  number, pad);
	assert_int_equal(resource_from_json(json, strlen(json), &res, NULL), ZL_OK);
	set_put(edit, res);
	resource_drop(&res);
	free(json);
	free(pad);
}

static void more_than_global_takes_stays(void **state)
{
	struct fixture *fix = *state;
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	size_t count;

	for (unsigned i = 0; i < TRAVEL_RESOURCES_MAX + 1; i++)
		add_route(edit, i, 0);
	struct set *many = set_done(&edit);
	update(fix, REGISTRY_FOLDER, INGRESS);
	registry_changes_free(&fix->changes);
	registry_update(&fix->registry, REGISTRY_LOCAL, many, &fix->changes);
	const struct op *ops = registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, TRAVEL_RESOURCES_MAX);
	assert_non_null(op_of(fix, ops, count, "in")); /* ingresses first */
	assert_int_equal(fix->registry.kept_count, 2);
	assert_string_equal(fix->registry.kept[1].res->key.name, "r5000");
	assert_non_null(strstr(fix->registry.kept[1].why, "5000 resources"));

	edit = set_edit(empty); /* fewer, and longer than allowed together */
	for (unsigned i = 0; i < 10; i++)
		add_route(edit, i, 1000000);
	set_drop(&many);
	many = set_done(&edit);
	registry_changes_free(&fix->changes);
	registry_update(&fix->registry, REGISTRY_LOCAL, many, &fix->changes);
	ops = registry_offer(&fix->registry, false, fix->arena, &count);
	assert_non_null(op_of(fix, ops, count, "r0006"));
	assert_true(op_of(fix, ops, count, "r0007")->deleted);
	assert_int_equal(fix->registry.kept_count, 3);
	assert_non_null(strstr(fix->registry.kept[0].why, "7 MiB"));
	registry_changes_free(&fix->changes);
	registry_update(&fix->registry, REGISTRY_LOCAL, empty, &fix->changes);
	(void)registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(fix->registry.kept_count, 0);
	set_drop(&many);
	set_drop(&empty);
}

/* So many services that no document holds them. */
static void an_ingress_that_is_too_long_is_named(void **state)
{
	struct fixture *fix = *state;
	struct zl_buf yaml = { 0 };
	size_t count;

	for (unsigned i = 0; i < 9000; i++)
		zl_buf_format(&yaml,
			      "{type: Dataplane, name: d%u, " OWN ", networking: "
			      "{address: 10.0.0.1, inbound: [{port: %u, tags: "
			      "{kuma.io/service: s%050u, version: v%050u}}]}}\n---\n",
			      i, i + 1, i, i);
	update(fix, REGISTRY_FOLDER, yaml.data);
	update(fix, REGISTRY_LOCAL, INGRESS);
	(void)registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 0);
	assert_int_equal(fix->registry.kept_count, 1);
	assert_string_equal(fix->registry.kept[0].res->key.name, "in");
	assert_non_null(strstr(fix->registry.kept[0].why, "1 MiB"));
	zl_buf_free(&yaml);
}

#define SERVICE(zone, port, status)                                           \
	"{type: MeshService, name: db, labels: {kuma.io/origin: zone, "       \
	"kuma.io/zone: " zone "}, spec: {selector: {dataplaneTags: {a: b}}, " \
	"ports: [{port: " port "}]}" status "}"
#define STATUS(ip) ", status: {vips: [{ip: " ip "}]}"

/* What a zone wrote counts, with what global says of it; that is no news to global. */
static void a_service_has_globals_status(void **state)
{
	struct fixture *fix = *state;
	const struct op *ops;
	size_t count;

	update(fix, REGISTRY_LOCAL, SERVICE("east", "1", ""));
	assert_null(strstr(find(fix, KIND_MESH_SERVICE, "db")->json, "status"));
	(void)registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 1);
	update(fix, REGISTRY_GLOBAL, SERVICE("east", "9", STATUS("241.0.0.1")));
	assert_int_equal(fix->changes.count, 1);
	const struct resource *res = find(fix, KIND_MESH_SERVICE, "db");
	assert_non_null(strstr(res->json, "241.0.0.1"));
	assert_non_null(strstr(res->json, "\"port\":1"));
	(void)registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(count, 0);
	update(fix, REGISTRY_LOCAL, SERVICE("east", "2", ""));
	res = find(fix, KIND_MESH_SERVICE, "db");
	assert_non_null(strstr(res->json, "241.0.0.1"));
	assert_non_null(strstr(res->json, "\"port\":2"));
	ops = registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(count, 1);
	assert_null(memmem(ops[0].value, ops[0].value_len, "status", 6));
	/* Another zone's comes as it is. */
	update(fix, REGISTRY_GLOBAL, SERVICE("west", "3", STATUS("241.0.0.2")));
	assert_int_equal(fix->changes.count, 2);
	struct set_iter each = set_each(fix->registry.all, KIND_MESH_SERVICE, "default");
	res = set_next(&each);
	assert_null(strstr(res->json, "status")); /* east: global has lost it */
	res = set_next(&each);
	assert_non_null(strstr(res->json, "241.0.0.2"));
}

/* What was worked out of a service counts before what was written, and travels. */
static void a_service_has_its_state(void **state)
{
#define STATES(spec)                                                                  \
	"{type: MeshService, name: db, labels: {kuma.io/origin: zone, kuma.io/zone: " \
	"east}, spec: {" spec "}}"
	struct fixture *fix = *state;
	size_t count;

	update(fix, REGISTRY_LOCAL,
	       "{type: MeshService, name: db, labels: {kuma.io/origin: zone, "
	       "kuma.io/zone: east}, spec: {state: Available, identities: [{type: "
	       "ServiceTag, value: old}], ports: [{port: 1}]}}");
	assert_true(find(fix, KIND_MESH_SERVICE, "db")->mesh_service->available);
	(void)registry_offer(&fix->registry, true, fix->arena, &count);
	update(fix, REGISTRY_STATES,
	       STATES("state: Unavailable, identities: [{type: ServiceTag, value: a}, "
		      "{type: ServiceTag, value: b}]"));
	assert_int_equal(fix->changes.count, 1);
	const struct mesh_service_spec *spec =
		find(fix, KIND_MESH_SERVICE, "db")->mesh_service;
	assert_false(spec->available);
	assert_int_equal(spec->identity_count, 2);
	assert_int_equal(spec->port_count, 1);
	const struct op *ops = registry_offer(&fix->registry, false, fix->arena, &count);
	assert_int_equal(count, 1);
	assert_non_null(memmem(ops[0].value, ops[0].value_len, "Unavailable", 11));
	/* Beside what global says of it. */
	update(fix, REGISTRY_GLOBAL, SERVICE("east", "9", STATUS("241.0.0.1")));
	const struct resource *res = find(fix, KIND_MESH_SERVICE, "db");
	assert_false(res->mesh_service->available);
	assert_non_null(strstr(res->json, "241.0.0.1"));
	update(fix, REGISTRY_GLOBAL, "");
	/* Nothing is there that it could be of. */
	update(fix, REGISTRY_LOCAL, "");
	assert_int_equal(fix->changes.count, 1);
	assert_null(fix->changes.items[0].now);
}

static struct resource *complete(void *owner, const struct resource *res)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *status = tree_map(arena);

	tree_set(arena, status, "own", tree_text(arena, owner));
	struct resource *made = resource_with_status(res, status);
	zl_arena_free(&arena);
	return made;
}

static void a_zone_alone_has_its_own_say(void **state)
{
	struct fixture *fix = *state;
	char word[] = "alone";

	fix->registry.complete = complete;
	fix->registry.owner = word;
	update(fix, REGISTRY_FOLDER, SERVICE("east", "1", ""));
	assert_non_null(
		strstr(find(fix, KIND_MESH_SERVICE, "db")->json, "\"own\":\"alone\""));
	update(fix, REGISTRY_LOCAL, "{type: Mesh, name: m}");
	assert_null(strstr(find(fix, KIND_MESH, "m")->json, "status"));
}

/* ---- host names ---- */

static const char *address_of(void *owner, const char *name)
{
	const char *const *known = owner; /* name, address, ..., NULL */

	for (; *known != NULL; known += 2)
		if (strcmp(known[0], name) == 0)
			return known[1];
	return NULL;
}

static const char *const NAMED =
	"{type: Dataplane, name: a, " OWN ", networking: {address: a.test, inbound: "
	"[{port: 80, tags: {kuma.io/service: web}}, {port: 81, state: Ignored, tags: "
	"{kuma.io/service: web}}]}}\n---\n"
	"{type: Dataplane, name: b, " OWN ", networking: {address: 10.0.0.2, "
	"advertisedAddress: b.test, inbound: [{port: 80, tags: {kuma.io/service: "
	"web}}]}}\n---\n"
	"{type: Dataplane, name: c, " OWN ", networking: {address: 10.0.0.3, inbound: "
	"[{port: 80, tags: {kuma.io/service: web}}]}}\n---\n"
	"{type: ZoneIngress, name: in, " OWN ", networking: {address: b.test, port: "
	"1, advertisedAddress: in.test, advertisedPort: 1}}\n---\n"
	"{type: ZoneEgress, name: out, " OWN ", networking: {address: out.test, port: "
	"1}}\n";

static void rename_to(struct fixture *fix, const char *name)
{
	registry_changes_free(&fix->changes);
	registry_renamed(&fix->registry, name, &fix->changes);
}

static void expect_web(const struct fixture *fix, const char *want)
{
	const struct service *web =
		inventory_find(fix->registry.inventory, "default", "web");
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < web->local_count; i++)
		zl_buf_format(&out, "%s:%u%s ", web->locals[i].address,
			      web->locals[i].port, web->locals[i].ready ? "" : "(down)");
	assert_string_equal(zl_buf_text(&out), want);
	zl_buf_free(&out);
}

static void names_have_addresses(void **state)
{
	static const char *known[] = { NULL, NULL, NULL, NULL, NULL,
				       NULL, NULL, NULL, NULL };
	struct fixture *fix = *state;

	fix->registry.address = address_of;
	fix->registry.owner = known;
	update(fix, REGISTRY_LOCAL, NAMED);
	assert_int_equal(fix->changes.count, 5);
	expect_web(fix, "10.0.0.3:80 a.test:80(down) a.test:81(down) b.test:80(down) ");
	assert_true(registry_has_name(&fix->registry, "a.test"));
	assert_true(registry_has_name(&fix->registry, "in.test"));
	assert_true(registry_has_name(&fix->registry, "out.test"));
	assert_string_equal(find(fix, KIND_ZONE_EGRESS, "out")->egress->address,
			    "out.test");
	assert_false(registry_has_name(&fix->registry, "10.0.0.3"));
	assert_string_equal(find(fix, KIND_ZONE_INGRESS, "in")->ingress->advertised, "");

	known[0] = "a.test";
	known[1] = "10.0.0.7";
	rename_to(fix, "a.test");
	assert_int_equal(fix->changes.count, 1);
	assert_true(fix->changes.inventory);
	expect_web(fix, "10.0.0.3:80 10.0.0.7:80 10.0.0.7:81(down) b.test:80(down) ");
	const struct resource *a = find(fix, KIND_DATAPLANE, "a");
	assert_string_equal(a->dataplane->address, "10.0.0.7");
	assert_non_null(strstr(a->json, "a.test"));

	/* Nothing that it did not know already. */
	rename_to(fix, "a.test");
	assert_int_equal(fix->changes.count, 0);
	assert_false(fix->changes.inventory);
	rename_to(fix, "nobody.test");
	assert_int_equal(fix->changes.count, 0);

	known[2] = "b.test";
	known[3] = "10.0.0.8";
	known[4] = "in.test";
	known[5] = "10.0.0.9";
	rename_to(fix, "b.test");
	assert_int_equal(fix->changes.count, 2);
	expect_web(fix, "10.0.0.3:80 10.0.0.7:80 10.0.0.7:81(down) 10.0.0.8:80 ");
	const struct resource *in = find(fix, KIND_ZONE_INGRESS, "in");
	assert_string_equal(in->ingress->address, "10.0.0.8");
	assert_string_equal(in->ingress->advertised, "10.0.0.9");
	known[1] = "10.0.0.1";
	rename_to(fix, "a.test");
	expect_web(fix, "10.0.0.1:80 10.0.0.1:81(down) 10.0.0.3:80 10.0.0.8:80 ");

	known[6] = "out.test";
	known[7] = "10.0.0.5";
	rename_to(fix, "out.test");
	assert_int_equal(fix->changes.count, 1);
	const struct resource *out = find(fix, KIND_ZONE_EGRESS, "out");
	assert_string_equal(out->egress->address, "10.0.0.5");
	assert_non_null(strstr(out->json, "out.test"));
}

/* Others ask their own name servers. */
static void names_are_offered_as_written(void **state)
{
	static const char *known[] = { "b.test", "10.0.0.8", "in.test", "10.0.0.9",
				       NULL };
	struct fixture *fix = *state;
	size_t count;

	fix->registry.address = address_of;
	fix->registry.owner = known;
	update(fix, REGISTRY_LOCAL, NAMED);
	const struct op *ops = registry_offer(&fix->registry, true, fix->arena, &count);
	assert_int_equal(count, 2);
	const char *json = zl_arena_strndup(fix->arena, ops[0].value, ops[0].value_len);
	assert_non_null(strstr(json, "\"advertisedAddress\":\"in.test\""));
	assert_null(strstr(json, "10.0.0.9"));
	/* a.test has no address, so it is no instance. */
	assert_non_null(strstr(json, "\"instances\":2"));

	update(fix, REGISTRY_LOCAL, DATAPLANES);
	assert_false(registry_has_name(&fix->registry, "a.test"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_folder_counts_before_the_api),
		TEST(an_echo_is_left_out),
		TEST(only_what_differs_is_a_change),
		TEST(the_offer_has_the_services),
		TEST(what_is_written_of_services_is_replaced),
		TEST(policies_travel_unless_told_not_to),
		TEST(what_global_holds_and_is_not_for_us),
		TEST(how_other_zones_look_from_here),
		TEST(more_than_global_takes_stays),
		TEST(an_ingress_that_is_too_long_is_named),
		TEST(a_service_has_globals_status),
		TEST(a_zone_alone_has_its_own_say),
		TEST(a_service_has_its_state),
		TEST(names_have_addresses),
		TEST(names_are_offered_as_written),
	};
	return cmocka_run_group_tests_name("zone_inventory/registry", tests, NULL, NULL);
}
