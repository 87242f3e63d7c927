#include "changes.h"

#include "inventory/objects.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Objects of an inventory that followed changes are those of one that is built anew, and
 * object_same tells when what they offer has changed. */

enum { STEPS = 12 };

static const enum kind KINDS[] = { KIND_MESH_SERVICE, KIND_MESH_MULTI_ZONE_SERVICE,
				   KIND_MESH_EXTERNAL_SERVICE };

static void add_rows(const struct service *service, struct zl_buf *out)
{
	zl_buf_str(out, service->protocol);
	for (size_t i = 0; i < service->local_count; i++)
		zl_buf_format(out, " %s:%u/%d", service->locals[i].address,
			      service->locals[i].port, service->locals[i].ready);
	for (size_t i = 0; i < service->remote_count; i++) {
		const struct remote *at = &service->remotes[i];

		zl_buf_format(out, " %s:%u@%s*%" PRIu64 "/%d", at->address, at->port,
			      at->zone, at->instances, at->condition);
		for (size_t j = 0; j < at->tags.count; j++)
			zl_buf_format(out, ",%s=%s", at->tags.items[j].key,
				      at->tags.items[j].value);
	}
	zl_buf_char(out, '\n');
}

/* All that an object offers, "" where there is none. */
static const char *describe(const struct inventory *inventory, const struct key *key,
			    struct zl_arena *arena)
{
	const struct resource *object = object_get(inventory, key);
	struct zl_buf out = { 0 };

	if (object == NULL)
		return "";
	zl_buf_format(&out, "%s %d %s\n", object_kri(object, "", arena),
		      object_is_local(inventory, object), object->json);
	for (size_t i = 0;
	     key->kind != KIND_MESH_EXTERNAL_SERVICE && i < object_port_count(object);
	     i++) {
		struct object_port port = object_port_at(object, i, arena);

		zl_buf_format(&out, "%s ", port.section);
		add_rows(object_service(inventory, object, &port, arena), &out);
	}
	const char *text = zl_arena_strdup(arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

/* What lookups find. */
static const char *find(const struct inventory *inventory, struct zl_arena *arena)
{
	static const struct label WANTED[][2] = {
		{ { "app", "a" }, { 0 } },
		{ { "app", "b" }, { LABEL_ZONE, "east" } },
		{ { LABEL_DISPLAY_NAME, "s1" }, { LABEL_ZONE, "west" } },
		{ { LABEL_ORIGIN, "zone" }, { 0 } },
	};
	static const char *const NAMES[] = { "s0", "s1", "s2", "m0", "x0", "x1" };
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
		for (size_t j = 0; j < ARRAY_LEN(NAMES); j++) {
			bool several;
			const struct resource *found = object_by_name(
				inventory, KINDS[i], "default", "", NAMES[j], &several);

			zl_buf_format(&out, "%s %d\n",
				      found != NULL ? found->json : "none", several);
		}
		for (size_t j = 0; j < ARRAY_LEN(WANTED); j++) {
			const struct labels want = { WANTED[j],
						     WANTED[j][1].key != NULL ? 2 : 1 };
			size_t count;
			const struct resource *const *list = objects_by_labels(
				inventory, KINDS[i], "default", want, arena, &count);

			for (size_t k = 0; k < count; k++)
				zl_buf_format(&out, "%s ", list[k]->json);
			zl_buf_char(&out, '\n');
		}
	}
	const char *text = zl_arena_strdup(arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

/* What of was is no more the same, and what of now. */
static const char *check_objects(const struct inventory *before,
				 const struct inventory *now,
				 const struct inventory *anew, const struct set *set,
				 enum kind kind, struct zl_arena *arena)
{
	struct set_iter each = set_each(set, kind, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		const char *was = describe(before, &res->key, arena);
		const char *is = describe(now, &res->key, arena);

		if (strcmp(is, describe(anew, &res->key, arena)) != 0)
			return "an object offers another thing";
		if (object_same(before, now, &res->key) && strcmp(was, is) != 0)
			return "an object is said to be the same";
		if (!object_same(now, now, &res->key))
			return "an object is not what it is";
	}
	return NULL;
}

static const char *check(const struct inventory *before, const struct set *old,
			 const struct inventory *now, const struct set *set)
{
	struct inventory *anew = inventory_build(set, "east");
	struct zl_arena *arena = zl_arena_new();
	const char *what = NULL;

	for (size_t i = 0; what == NULL && i < ARRAY_LEN(KINDS); i++)
		what = check_objects(before, now, anew, old, KINDS[i], arena);
	for (size_t i = 0; what == NULL && i < ARRAY_LEN(KINDS); i++)
		what = check_objects(before, now, anew, set, KINDS[i], arena);
	if (what == NULL && strcmp(find(now, arena), find(anew, arena)) != 0)
		what = "other objects are found";
	zl_arena_free(&arena);
	inventory_drop(&anew);
	return what;
}

static const char *follow(uint64_t seed)
{
	struct dice dice = { seed };
	struct set *set = set_empty();
	struct inventory *inventory = inventory_build(set, "east");
	const char *what = NULL;

	for (unsigned step = 0; what == NULL && step < STEPS; step++) {
		struct inventory *before = inventory;
		struct set *old = set;

		set = change(&dice, old);
		inventory = inventory_update(before, set);
		what = check(before, old, inventory, set);
		inventory_drop(&before);
		set_drop(&old);
	}
	inventory_drop(&inventory);
	set_drop(&set);
	return what;
}

static void objects_follow_changes(void **state)
{
	(void)state;
	seeds_run(1000, follow);
}

/* ---- what does not concern an object ---- */

static const char WORLD[] =
	"{type: MeshService, name: by-service, spec: {selector: {dataplaneTags:\n"
	"  {kuma.io/service: s}}, ports: [{port: 1}]}}\n"
	"---\n"
	"{type: MeshService, name: by-tag, spec: {selector: {dataplaneTags: {app: a}},\n"
	"  ports: [{port: 1}]}}\n"
	"---\n"
	"{type: MeshService, name: by-name, spec: {selector: {dataplaneRef: {name: d}},\n"
	"  ports: [{port: 1}]}}\n"
	"---\n"
	"{type: MeshService, name: far, labels: {kuma.io/zone: west}, spec: {selector:\n"
	"  {dataplaneTags: {kuma.io/service: s}}, ports: [{port: 1}], state: "
	"Available}}\n"
	"---\n"
	"{type: MeshService, name: silent, labels: {kuma.io/zone: south}, spec: "
	"{selector:\n"
	"  {dataplaneTags: {kuma.io/service: s}}, ports: [{port: 1}]}}\n"
	"---\n"
	"{type: MeshMultiZoneService, name: all, spec: {selector: {meshService:\n"
	"  {matchLabels: {kuma.io/display-name: far}}}, ports: [{port: 1}]}}\n"
	"---\n"
	"{type: MeshExternalService, name: ext, spec: {match: {port: 1}}}\n"
	"---\n"
	"{type: Dataplane, name: d, networking: {address: 1.1.1.1, inbound: [\n"
	"  {port: 1, tags: {kuma.io/service: s, app: a}}]}}\n"
	"---\n"
	"{type: ZoneIngress, name: w, zone: west, networking: {address: 1.1.1.2, port: "
	"1,\n"
	"  advertisedAddress: 1.1.1.2, advertisedPort: 1}, availableServices: [\n"
	"  {instances: 1, tags: {kuma.io/service: s}}]}\n"
	"---\n"
	"{type: ZoneIngress, name: s, zone: south, networking: {address: 1.1.1.3, port: "
	"1,\n"
	"  advertisedAddress: 1.1.1.3, advertisedPort: 1}}\n";

/* The names of the objects that change is about, in order. */
static void expect(const char *change, const char *want)
{
	struct world world = world_of(WORLD, "", NULL);
	struct inventory *before = inventory_build(world.set, "east");
	struct set_edit *edit = set_edit(world.set);
	struct zl_buf out = { 0 };

	world_read(world.arena, edit, change, NULL);
	struct set *set = set_done(&edit);
	struct inventory *after = inventory_update(before, set);
	for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
		struct set_iter each = set_each(world.set, KINDS[i], NULL);
		const struct resource *res;

		while ((res = set_next(&each)) != NULL)
			if (!object_same(before, after, &res->key))
				zl_buf_format(&out, "%s ", res->key.name);
	}
	assert_string_equal(zl_buf_text(&out), want);
	/* No object came, went, or belongs to a zone that is told otherwise of. */
	assert_int_equal(objects_alike(before, after),
			 strstr(change, "type: Mesh") == NULL &&
				 strstr(change, "type: Zone,") == NULL);
	zl_buf_free(&out);
	inventory_drop(&before);
	inventory_drop(&after);
	set_drop(&set);
	world_end(&world);
}

static void what_changes_are_about(void **state)
{
	(void)state;
	expect("{type: Dataplane, name: e, networking: {address: 1.1.1.4, inbound: [\n"
	       "  {port: 1, tags: {kuma.io/service: t}}]}}",
	       "");
	expect("{type: Dataplane, name: e, networking: {address: 1.1.1.4, inbound: [\n"
	       "  {port: 1, tags: {kuma.io/service: t, app: a}}]}}",
	       "by-tag ");
	expect("{type: Dataplane, name: e, networking: {address: 1.1.1.4, inbound: [\n"
	       "  {port: 1, tags: {kuma.io/service: s}}]}}",
	       "by-service ");
	expect("{type: Dataplane, name: d, networking: {address: 1.1.1.4, inbound: [\n"
	       "  {port: 1, tags: {kuma.io/service: t}}]}}",
	       "by-name by-service by-tag ");
	expect("{type: ZoneIngress, name: w, zone: west, networking: {address: 1.1.1.2,\n"
	       "  port: 1, advertisedAddress: 1.1.1.2, advertisedPort: 1},\n"
	       "  availableServices: [{instances: 2, tags: {kuma.io/service: s}}]}",
	       "far all ");
	/* The same zone, another of its services. */
	expect("{type: ZoneIngress, name: x, zone: west, networking: {address: 1.1.1.2,\n"
	       "  port: 1, advertisedAddress: 1.1.1.9, advertisedPort: 1},\n"
	       "  availableServices: [{instances: 2, tags: {kuma.io/service: t}}]}",
	       "");
	/* What it does not tell of does not matter, where it stands does. */
	expect("{type: ZoneIngress, name: s, zone: south, networking: {address: "
	       "1.1.1.3,\n"
	       "  port: 1, advertisedAddress: 1.1.1.3, advertisedPort: 1},\n"
	       "  availableServices: [{instances: 2, tags: {kuma.io/service: t}}]}",
	       "");
	expect("{type: ZoneIngress, name: s, zone: south, networking: {address: "
	       "1.1.1.3,\n"
	       "  port: 1, advertisedAddress: 1.1.1.3, advertisedPort: 2}}",
	       "silent ");
	expect("{type: Zone, name: south, status: {condition: Stale}}", "silent ");
	expect("{type: Zone, name: west, status: {condition: Stale}}", "far all ");
	expect("{type: Zone, name: west, enabled: false}", "far all ");
	expect("{type: MeshService, name: far, labels: {kuma.io/zone: north}, spec: "
	       "{}}",
	       "all ");
	expect("{type: MeshExternalService, name: ext, spec: {match: {port: 2}}}",
	       "ext ");
}

/* What neither has is the same. */
static void what_is_not_there(void **state)
{
	const struct key key = { KIND_MESH_SERVICE, "default", "", "", "nobody" };
	struct world world = world_of(WORLD, "", NULL);
	struct inventory *inventory = inventory_build(world.set, "east");

	(void)state;
	assert_true(object_same(inventory, inventory, &key));
	inventory_drop(&inventory);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_follow_changes),
		cmocka_unit_test(what_changes_are_about),
		cmocka_unit_test(what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
