#include "support/test.h"
#include "support/world.h"

#include "inventory/inventory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HERE[] =
	"{type: Dataplane, name: b-1, networking: {address: 192.168.0.2, inbound: [\n"
	"  {port: 8080, tags: {kuma.io/service: backend, kuma.io/protocol: http, v: "
	"'1'}},\n"
	"  {port: 8081, tags: {kuma.io/service: admin}, state: NotReady}]}}\n"
	"---\n"
	"{type: Dataplane, name: b-2, networking: {address: 192.168.0.1,\n"
	"  advertisedAddress: 10.0.0.9, inbound: [{port: 8080, address: 127.0.0.8,\n"
	"  tags: {kuma.io/service: backend, kuma.io/protocol: tcp, v: '1'}}]}}\n"
	"---\n"
	"{type: Dataplane, name: b-3, labels: {kuma.io/origin: zone, kuma.io/zone: "
	"east},\n"
	"  networking: {address: 192.168.0.3, inbound: [{port: 8080, address: "
	"192.168.9.3,\n"
	"  tags: {kuma.io/service: backend, kuma.io/zone: mars, v: '2'}},\n"
	"  {port: 8082, tags: {kuma.io/service: backend, v: '2'}, state: Ignored}]}}\n"
	"---\n"
	"{type: Dataplane, name: b-4, labels: {kuma.io/origin: zone, kuma.io/zone: "
	"west},\n"
	"  networking: {address: 192.168.0.4, inbound: [{port: 8080,\n"
	"  tags: {kuma.io/service: elsewhere}}]}}\n"
	"---\n"
	"{type: Dataplane, mesh: other, name: b-5, networking: {address: 192.168.0.5,\n"
	"  inbound: [{port: 8080, tags: {kuma.io/service: backend}}]}}\n"
	"---\n"
	"{type: ZoneIngress, name: own, networking: {address: 10.0.0.1, port: 10001,\n"
	"  advertisedAddress: 10.20.0.1, advertisedPort: 10001}, availableServices: [\n"
	"  {mesh: default, instances: 3, tags: {kuma.io/service: only-own}}]}\n";

static const char THERE[] =
	"{type: ZoneIngress, name: in-west, zone: west, networking: {address: 10.0.0.1,\n"
	"  port: 10001, advertisedAddress: 10.20.0.2, advertisedPort: 10002},\n"
	"  availableServices: [{instances: 3, tags: {kuma.io/service: backend,\n"
	"  kuma.io/protocol: tcp, kuma.io/zone: mars}}, {instances: 0, tags:\n"
	"  {kuma.io/service: asleep, kuma.io/protocol: grpc}}]}\n"
	"---\n"
	"{type: ZoneIngress, name: in-south, labels: {kuma.io/zone: south, "
	"kuma.io/origin:\n"
	"  zone}, networking: {address: 10.0.0.1, port: 10001}, availableServices: [\n"
	"  {instances: 3, tags: {kuma.io/service: hidden, kuma.io/protocol: grpc}}]}\n";

/* One line a service: what services show of the world. */
static char *describe(const struct world *world, const char *zone)
{
	struct inventory *inventory = inventory_build(world->set, zone);
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < inventory_count(inventory); i++) {
		const struct service *at = inventory_at(inventory, i);

		assert_ptr_equal(inventory_find(inventory, at->mesh, at->name), at);
		zl_buf_format(&out, "%s/%s %s:", at->mesh, at->name, at->protocol);
		for (size_t j = 0; j < at->local_count; j++)
			zl_buf_format(&out, " %s:%u@%s%s", at->locals[j].address,
				      at->locals[j].port,
				      labels_get(at->locals[j].tags, TAG_ZONE),
				      at->locals[j].ready ? "" : "(down)");
		for (size_t j = 0; j < at->remote_count; j++)
			zl_buf_format(&out, " %s:%u@%s/%s*%" PRIu64,
				      at->remotes[j].address, at->remotes[j].port,
				      at->remotes[j].zone,
				      labels_get(at->remotes[j].tags, TAG_ZONE),
				      at->remotes[j].instances);
		zl_buf_char(&out, '\n');
	}
	assert_null(inventory_find(inventory, "default", "nobody"));
	assert_null(inventory_find(inventory, "zzz", "backend"));
	inventory_drop(&inventory);
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void expect(const char *yaml, const char *more, const char *want)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct dice dice = { seed };
		struct world world = world_of(yaml, more, seed == 0 ? NULL : &dice);
		char *text = describe(&world, "east");

		assert_string_equal(text, want);
		free(text);
		world_end(&world);
	}
}

static void services_here(void **state)
{
	(void)state;
	expect(HERE, "",
	       "default/admin unknown: 192.168.0.2:8081@east(down)\n"
	       "default/backend unknown: 10.0.0.9:8080@east 192.168.0.2:8080@east "
	       "192.168.0.3:8082@east(down) 192.168.9.3:8080@east\n"
	       "other/backend unknown: 192.168.0.5:8080@east\n");
}

static void services_there(void **state)
{
	(void)state;
	expect(THERE, "",
	       "default/asleep unknown: 10.20.0.2:10002@west/west*0\n"
	       "default/backend tcp: 10.20.0.2:10002@west/west*3\n"
	       "default/hidden unknown: :0@south/south*3\n");
	expect(THERE, "{type: Zone, name: west, enabled: true}",
	       "default/asleep unknown: 10.20.0.2:10002@west/west*0\n"
	       "default/backend tcp: 10.20.0.2:10002@west/west*3\n"
	       "default/hidden unknown: :0@south/south*3\n");
	expect(THERE, "{type: Zone, name: west, enabled: false}",
	       "default/hidden unknown: :0@south/south*3\n");
	expect(THERE,
	       "{type: Dataplane, name: a, networking: {address: 1.1.1.1, inbound: [\n"
	       "  {port: 1, tags: {kuma.io/service: backend, kuma.io/protocol: http}},\n"
	       "  {port: 2, tags: {kuma.io/service: zebra, kuma.io/protocol: http}},\n"
	       "  {port: 3, tags: {kuma.io/service: apple, kuma.io/protocol: kafka}}]}}",
	       "default/apple kafka: 1.1.1.1:3@east\n"
	       "default/asleep unknown: 10.20.0.2:10002@west/west*0\n"
	       "default/backend tcp: 1.1.1.1:1@east 10.20.0.2:10002@west/west*3\n"
	       "default/hidden unknown: :0@south/south*3\n"
	       "default/zebra http: 1.1.1.1:2@east\n");
}

static void nothing_at_all(void **state)
{
	(void)state;
	expect("{type: Mesh, name: default}", "", "");
	/* An empty zone label is no zone: the ingress is this zone's own. */
	expect("{type: ZoneIngress, name: w, labels: {kuma.io/zone: ''}, networking: {\n"
	       "  address: 1.1.1.1, port: 1}, availableServices: [{instances: 1, tags:\n"
	       "  {kuma.io/service: s}}]}",
	       "", "");
}

static void what_is_offered_to_others(void **state)
{
	static const char WANT[] =
		"default {kuma.io/service=admin kuma.io/zone=east } 0\n"
		"default {kuma.io/protocol=http kuma.io/service=backend "
		"kuma.io/zone=east "
		"v=1 } 1\n"
		"default {kuma.io/protocol=tcp kuma.io/service=backend kuma.io/zone=east "
		"v=1 } 2\n"
		"default {kuma.io/service=backend kuma.io/zone=east v=2 } 1\n"
		"other {kuma.io/service=backend kuma.io/zone=east } 1\n";
	struct world world = world_of(
		HERE,
		"{type: Dataplane, name: b-9, networking: {address: 192.168.0.9, "
		"inbound:\n"
		"  [{port: 1, tags: {kuma.io/service: backend, kuma.io/protocol: tcp,\n"
		"  v: '1'}}]}}",
		NULL);
	struct inventory *inventory = inventory_build(world.set, "east");
	struct zl_buf out = { 0 };
	size_t count;
	const struct available_service *records =
		inventory_offer(inventory, world.arena, &count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		zl_buf_format(&out, "%s {", records[i].mesh);
		for (size_t j = 0; j < records[i].tags.count; j++)
			zl_buf_format(&out, "%s=%s ", records[i].tags.items[j].key,
				      records[i].tags.items[j].value);
		zl_buf_format(&out, "} %" PRIu64 "\n", records[i].instances);
	}
	/* In the order of labels_compare, which this test does not know better. */
	assert_int_equal(count, 5);
	for (const char *line = WANT; *line != '\0'; line = strchr(line, '\n') + 1) {
		char one[256];

		(void)snprintf(one, sizeof(one), "%.*s",
			       (int)(strchr(line, '\n') - line + 1), line);
		assert_non_null(strstr(zl_buf_text(&out), one));
	}
	zl_buf_free(&out);
	inventory_drop(&inventory);
	world_end(&world);
}

static void an_inventory_outlives_changes_of_routes(void **state)
{
	struct world world = world_of(HERE, THERE, NULL);
	struct inventory *inventory = inventory_build(world.set, "east");
	struct inventory *second = inventory_hold(inventory);

	(void)state;
	assert_string_equal(inventory_zone(second), "east");
	assert_true(inventory_fits(inventory, world.set));

	struct set_edit *edit = set_edit(world.set);
	world_read(world.arena, edit,
		   "{type: MeshTCPRoute, name: r, spec: {to: [{targetRef:\n"
		   "  {kind: MeshService, name: backend}, rules: []}]}}",
		   NULL);
	struct set *next = set_done(&edit);
	assert_true(inventory_fits(inventory, next));

	edit = set_edit(next);
	world_read(world.arena, edit, "{type: Zone, name: west, enabled: false}", NULL);
	struct set *last = set_done(&edit);
	assert_false(inventory_fits(inventory, last));

	set_drop(&next);
	set_drop(&last);
	inventory_drop(&inventory);
	assert_null(inventory);
	inventory_drop(&inventory);
	world_end(&world);
	assert_non_null(inventory_find(second, "default", "hidden"));
	inventory_drop(&second);
}

static void more_services_than_a_few(void **state)
{
	struct zl_buf yaml = { 0 };

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		zl_buf_format(&yaml,
			      "---\n{type: Dataplane, name: d-%u, networking: {address: "
			      "1.1.1.1, inbound: [{port: %u, tags: {kuma.io/service: "
			      "s-%u}}]}}\n",
			      i, 1000 + i, i % 150);
	struct world world = world_of(zl_buf_text(&yaml), "", NULL);
	struct inventory *inventory = inventory_build(world.set, "east");

	assert_int_equal(inventory_count(inventory), 150);
	for (unsigned i = 0; i < 150; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "s-%u", i);
		const struct service *found = inventory_find(inventory, "default", name);
		assert_non_null(found);
		assert_int_equal(found->local_count, 2);
		assert_int_equal(found->locals[0].port, 1000 + i);
	}
	zl_buf_free(&yaml);
	inventory_drop(&inventory);
	world_end(&world);
}

/* What no reader lets in: an inbound and a record without a service count for nothing. */
static void without_a_service(void **state)
{
	static const char *const STORED[] = {
		"{\"name\":\"a\",\"networking\":{\"address\":\"1.1.1.1\",\"inbound\":[{"
		"\"port\":1,\"tags\":{\"a\":\"b\"}}]},\"mesh\":\"default\",\"type\":"
		"\"Dataplane\"}",
		"{\"availableServices\":[{\"instances\":1,\"tags\":{\"a\":\"b\"}}],"
		"\"name\":"
		"\"w\",\"networking\":{\"address\":\"1.1.1.1\",\"port\":1},\"type\":"
		"\"ZoneIngress\",\"zone\":\"west\"}",
	};
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(STORED); i++) {
		struct resource *res = NULL;
		struct zl_err err = { 0 };

		if (resource_from_json(STORED[i], strlen(STORED[i]), &res, &err) != ZL_OK)
			fail_msg("%s", err.msg);
		set_put(edit, res);
		resource_drop(&res);
	}
	struct set *set = set_done(&edit);
	struct inventory *inventory = inventory_build(set, "east");
	assert_int_equal(inventory_count(inventory), 0);
	inventory_drop(&inventory);
	set_drop(&set);
	set_drop(&empty);
}

#define EGRESS(name, zone, address)                                                   \
	"---\n{type: ZoneEgress, name: " name zone ", networking: {address: " address \
	"}}\n"

static void egresses_are_of_the_own_zone(void **state)
{
	static const char *const WANT[] = { "c", "b", "e", "a" };
	struct world world = world_of(
		HERE,
		EGRESS("a", ", zone: east", "10.0.0.2, port: 2")
			EGRESS("b", ", labels: {kuma.io/zone: east}", "10.0.0.2, port: 1")
				EGRESS("c", "", "10.0.0.1, port: 9")
					EGRESS("d", ", zone: west", "10.0.0.1, port: 1")
						EGRESS("e", "", "10.0.0.2, port: 2"),
		NULL);
	struct inventory *inventory = inventory_build(world.set, "east");
	size_t count;
	const struct resource *const *egresses =
		inventory_egresses(inventory, world.arena, &count);

	(void)state;
	assert_int_equal(count, ARRAY_LEN(WANT));
	for (size_t i = 0; i < count; i++)
		assert_string_equal(egresses[i]->key.name, WANT[i]);

	struct set_edit *edit = set_edit(world.set);
	set_del(edit, &egresses[0]->key);
	struct set *next = set_done(&edit);
	assert_false(inventory_fits(inventory, next));
	struct inventory *after = inventory_update(inventory, next);
	assert_true(egresses_alike(after, after));
	assert_false(egresses_alike(inventory, after));
	(void)inventory_egresses(after, world.arena, &count);
	assert_int_equal(count, ARRAY_LEN(WANT) - 1);
	inventory_drop(&after);
	set_drop(&next);
	inventory_drop(&inventory);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_here),
		cmocka_unit_test(services_there),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(what_is_offered_to_others),
		cmocka_unit_test(more_services_than_a_few),
		cmocka_unit_test(without_a_service),
		cmocka_unit_test(an_inventory_outlives_changes_of_routes),
		cmocka_unit_test(egresses_are_of_the_own_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
