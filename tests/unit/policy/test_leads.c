#include "support/test.h"
#include "support/world.h"
#include "unit/policy/east.h"

#include <stdlib.h>
#include <string.h>

/* What a change of services, objects and addresses is to a proxy: where it endures, its
 * routes are the same. */

/* Nothing that changes here is a policy, a Mesh or a Zone. */
static const char FIXED[] =
	"{type: Mesh, name: default}\n"
	"---\n"
	"{type: Dataplane, name: p, networking: {address: 9.9.9.9, outbound: [\n"
	"  {port: 1, tags: {kuma.io/service: s0}},\n"
	"  {port: 2, backendRef: {kind: MeshService, name: s0, port: 1}},\n"
	"  {port: 3, backendRef: {kind: MeshService, labels: {app: a1}, port: 1}},\n"
	"  {port: 4, backendRef: {kind: MeshMultiZoneService, name: m0, port: 1}},\n"
	"  {port: 5, backendRef: {kind: MeshExternalService, name: x0}},\n"
	"  {port: 6, tags: {kuma.io/service: s1}}]}}\n"
	"---\n"
	"{type: Dataplane, name: q, networking: {address: 9.9.9.8, outbound: [\n"
	"  {port: 1, backendRef: {kind: MeshService, name: s1, port: 1}}]}}\n"
	"---\n"
	"{type: MeshTCPRoute, name: t0, spec: {to: [\n"
	"  {targetRef: {kind: MeshService, name: s1}, rules: [{default: {backendRefs: [\n"
	"    {kind: MeshService, name: s2}, {kind: MeshService, labels: {app: a0}},\n"
	"    {kind: MeshServiceSubset, name: s0, tags: {version: v1}},\n"
	"    {kind: MeshService, name: s0, port: 2}]}}]}]}}\n"
	"---\n"
	"{type: MeshTCPRoute, name: t1, spec: {to: [\n"
	"  {targetRef: {kind: MeshService, labels: {app: a1}}, rules: []},\n"
	"  {targetRef: {kind: MeshService, name: s0, sectionName: main}, rules: [\n"
	"    {default: {backendRefs: [{kind: MeshMultiZoneService, labels: {app: a0},\n"
	"    port: 1}, {kind: MeshExternalService, labels: {app: a1}}]}}]}]}}\n";

static void add_zone(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const ZONES[] = {
		"", ", kuma.io/origin: global, kuma.io/zone: west",
		", kuma.io/origin: global, kuma.io/zone: north"
	};

	zl_buf_str(yaml, ZONES[dice_below(dice, ARRAY_LEN(ZONES))]);
}

static void add_service(struct dice *dice, struct zl_buf *yaml)
{
	zl_buf_format(yaml, "{type: MeshService, name: s%u, labels: {app: a%u",
		      (unsigned)dice_below(dice, 3), (unsigned)dice_below(dice, 2));
	add_zone(dice, yaml);
	zl_buf_format(
		yaml,
		"}, spec: {state: %s, selector: {dataplaneTags: {%s: %s%u}}, ports: "
		"[{port: 1%s}%s]}}\n",
		dice_chance(dice, 50) ? "Available" : "Unavailable",
		dice_chance(dice, 70) ? "kuma.io/service" : "version", "s",
		(unsigned)dice_below(dice, 2),
		dice_chance(dice, 50) ? ", name: main" : "",
		dice_chance(dice, 30) ? ", {port: 2}" : "");
}

static void add_dataplane(struct dice *dice, struct zl_buf *yaml)
{
	zl_buf_format(yaml,
		      "{type: Dataplane, name: d%u, networking: {address: 1.1.1.%u, "
		      "inbound: [{port: %u, tags: {kuma.io/service: s%u, version: "
		      "s%u}}]}}\n",
		      (unsigned)dice_below(dice, 4), (unsigned)dice_below(dice, 4),
		      1 + (unsigned)dice_below(dice, 2), (unsigned)dice_below(dice, 3),
		      (unsigned)dice_below(dice, 2));
}

static void add_ingress(struct dice *dice, struct zl_buf *yaml)
{
	zl_buf_format(yaml,
		      "{type: ZoneIngress, name: i%u, zone: %s, networking: {address: "
		      "10.0.0.1, port: 1, advertisedAddress: 2.2.2.%u, advertisedPort: "
		      "10001}, availableServices: [{instances: %u, tags: "
		      "{kuma.io/service: s%u, version: s%u}}]}\n",
		      (unsigned)dice_below(dice, 3),
		      dice_chance(dice, 50) ? "west" : "north",
		      (unsigned)dice_below(dice, 3), (unsigned)dice_below(dice, 3),
		      (unsigned)dice_below(dice, 3), (unsigned)dice_below(dice, 2));
}

static void add_other(struct dice *dice, struct zl_buf *yaml)
{
	unsigned what = (unsigned)dice_below(dice, 3);

	if (what == 0)
		zl_buf_format(yaml,
			      "{type: MeshMultiZoneService, name: m%u, labels: {app: "
			      "a%u}, spec: {selector: {meshService: {matchLabels: {app: "
			      "a%u}}}, ports: [{port: 1}]}}\n",
			      (unsigned)dice_below(dice, 2),
			      (unsigned)dice_below(dice, 2),
			      (unsigned)dice_below(dice, 2));
	else if (what == 1)
		zl_buf_format(
			yaml,
			"{type: MeshExternalService, name: x%u, labels: {app: a%u}, "
			"spec: {match: {port: 9}, endpoints: [{address: 3.3.3.%u, "
			"port: 1}]}}\n",
			(unsigned)dice_below(dice, 2), (unsigned)dice_below(dice, 2),
			(unsigned)dice_below(dice, 3));
	else
		zl_buf_format(
			yaml,
			"{type: ExternalService, name: e%u, tags: {kuma.io/service: "
			"s%u}, networking: {address: '4.4.4.%u:1'}}\n",
			(unsigned)dice_below(dice, 2), (unsigned)dice_below(dice, 3),
			(unsigned)dice_below(dice, 2));
}

static void add_random(struct dice *dice, struct zl_buf *yaml)
{
	uint64_t what = dice_below(dice, 10);

	zl_buf_str(yaml, "---\n");
	if (what < 4)
		add_service(dice, yaml);
	else if (what < 6)
		add_dataplane(dice, yaml);
	else if (what < 8)
		add_ingress(dice, yaml);
	else
		add_other(dice, yaml);
}

/* Take the first resource of a kind out, which may be none. */
static void remove_one(struct dice *dice, const struct set *set, struct set_edit *edit)
{
	static const enum kind KINDS[] = { KIND_MESH_SERVICE, KIND_ZONE_INGRESS,
					   KIND_MESH_MULTI_ZONE_SERVICE,
					   KIND_MESH_EXTERNAL_SERVICE,
					   KIND_EXTERNAL_SERVICE };
	struct set_iter each =
		set_each(set, KINDS[dice_below(dice, ARRAY_LEN(KINDS))], NULL);
	const struct resource *res = set_next(&each);

	if (res != NULL)
		(void)set_del(edit, &res->key);
}

static struct set *change(struct dice *dice, const struct set *set, size_t count)
{
	struct zl_arena *arena = zl_arena_new();
	struct set_edit *edit = set_edit(set);
	struct zl_buf yaml = { 0 };

	for (size_t i = 0; i < count; i++)
		add_random(dice, &yaml);
	if (count == 0)
		remove_one(dice, set, edit);
	else
		world_read(arena, edit, zl_buf_text(&yaml), NULL);
	zl_buf_free(&yaml);
	zl_arena_free(&arena);
	return set_done(&edit);
}

/* All that the routes of name say; what they lead to is added to leads. */
static char *say(const struct tools *tools, const char *name, struct zl_buf *leads)
{
	const struct routes *routes = resolve(tools, name);
	const struct policy_answer answer = {
		.zone = "east", .mesh = "default", .routes = &routes, .route_count = 1
	};
	struct zl_buf out = { 0 };

	policy_services(routes, leads);
	policy_json(&answer, &out);
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

struct tally {
	size_t endures, changes;
};

static const char *compare(const struct tools *before, const struct tools *after,
			   const char *name, struct tally *tally)
{
	struct zl_buf leads = { 0 };
	struct zl_buf others = { 0 };
	char *old = say(before, name, &leads);
	char *now = say(after, name, &others);
	bool endures =
		policy_endures(&leads, "default", before->inventory, after->inventory);
	bool same = strcmp(old, now) == 0;

	*(endures ? &tally->endures : &tally->changes) += 1;
	free(old);
	free(now);
	zl_buf_free(&leads);
	zl_buf_free(&others);
	return endures && !same ? "routes that endure are not the same" : NULL;
}

static struct tally total;

static const char *follow(uint64_t seed)
{
	struct dice dice = { seed };
	struct tools before = { .world = world_of(FIXED, "", NULL) };
	struct set *set = change(&dice, before.world.set, 8);
	const char *what = NULL;

	set_drop(&before.world.set);
	before.world.set = set;
	before.index = policy_index_new(set, "east");
	before.inventory = inventory_build(set, "east");
	for (unsigned step = 0; what == NULL && step < 6; step++) {
		struct tools after = { .world = { .arena = before.world.arena } };

		after.world.set = change(&dice, before.world.set, dice_below(&dice, 3));
		after.index = policy_index_update(before.index, after.world.set);
		after.inventory = inventory_update(before.inventory, after.world.set);
		what = compare(&before, &after, "p", &total);
		what = what != NULL ? what : compare(&before, &after, "q", &total);
		policy_index_drop(&before.index);
		inventory_drop(&before.inventory);
		set_drop(&before.world.set);
		before = after;
	}
	tools_end(&before);
	return what;
}

static void what_endures_is_the_same(void **state)
{
	(void)state;
	seeds_run(1000, follow);
	/* Neither answer is rare. */
	assert_true(total.endures > total.changes / 20);
	assert_true(total.changes > total.endures / 20);
}

/* What a proxy leads to, and which changes are none for it. */
#define OUT(ref)                                                                    \
	"---\n{type: Dataplane, name: p, networking: {address: 9.9.9.8, outbound: " \
	"[{port: "                                                                  \
	"7, " ref "}]}}\n"
#define TO(ref) OUT("backendRef: " ref)
#define OBJECT(kind, name, labels, spec) \
	"---\n{type: " kind ", name: " name ", labels: {" labels "}, spec: " spec "}\n"
#define DB(labels) OBJECT("MeshService", "db", labels, "{ports: [{port: 1}]}")
#define WEST "kuma.io/origin: global, kuma.io/zone: west"
#define NORTH "kuma.io/origin: global, kuma.io/zone: north"
#define EXTERNAL "{match: {port: 1}, endpoints: [{address: 1.1.1.1, port: 1}]}"
#define BY_NAME TO("{kind: MeshService, name: db, port: 1}")
#define BY_LABELS TO("{kind: MeshService, labels: {a: b}, port: 1}")

/* clang-format off */
static const struct {
	const char *yaml, *change;
	bool endures;
} CHANGES[] = {
	{ BY_NAME, DB(""), false },
	{ BY_NAME, DB("a: b"), false },
	{ BY_NAME, OBJECT("MeshService", "other", "", "{}"), true },
	{ BY_NAME, OBJECT("MeshExternalService", "db", "", EXTERNAL), true },
	{ BY_NAME DB(""), DB(WEST), true },
	{ BY_NAME DB(WEST), DB(""), false },
	{ BY_NAME DB(WEST), DB(NORTH), false },
	/* None is found before and after, but why is another matter. */
	{ BY_NAME, DB(WEST) DB(NORTH), false },
	{ BY_LABELS, DB("a: c"), true },
	{ BY_LABELS, DB("a: b"), false },
	{ BY_LABELS, "---\n{type: Dataplane, name: x, networking: {address: 1.1.1.1}}\n", true },
	{ BY_LABELS DB("a: b"), OBJECT("MeshService", "other", "a: c", "{}"), true },
	{ BY_LABELS DB("a: b"), OBJECT("MeshService", "other", "a: b", "{}"), false },
	{ BY_LABELS DB("a: b"), DB("a: b, c: d"), false },
	/* An entry that was about the outbound no longer is. */
	{ BY_LABELS DB("a: b, " WEST) "---\n{type: MeshTCPRoute, name: r, spec: {to: [{targetRef: {kind: MeshService, name: db}, rules: []}]}}\n",
	  DB(""), false },
	{ TO("{kind: MeshExternalService, name: x}") OBJECT("MeshExternalService", "x", "", EXTERNAL),
	  OBJECT("MeshExternalService", "y", "", EXTERNAL), true },
	{ TO("{kind: MeshExternalService, name: x}") OBJECT("MeshExternalService", "x", "", EXTERNAL),
	  OBJECT("MeshExternalService", "x", "", EXTERNAL), false },
	{ OUT("tags: {kuma.io/service: s}"), "---\n{type: ExternalService, name: e, tags: {kuma.io/service: s}, networking: {address: '1.1.1.1:1'}}\n", false },
	{ OUT("tags: {kuma.io/service: s}"), "---\n{type: ExternalService, name: e, tags: {kuma.io/service: t}, networking: {address: '1.1.1.1:1'}}\n", true },
	{ OUT("tags: {kuma.io/service: s}"), OBJECT("MeshService", "s", "", "{}"), true },
	{ "---\n{type: Dataplane, name: p, networking: {address: 9.9.9.8}}\n", DB(""), true },
};
/* clang-format on */

static void which_changes_matter(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CHANGES); i++) {
		struct tools tools = tools_of(BASE, CHANGES[i].yaml, NULL);
		struct set_edit *edit = set_edit(tools.world.set);
		struct zl_buf leads = { 0 };

		policy_services(resolve(&tools, "p"), &leads);
		world_read(tools.world.arena, edit, CHANGES[i].change, NULL);
		struct set *set = set_done(&edit);
		struct inventory *after = inventory_update(tools.inventory, set);
		if (policy_endures(&leads, "default", tools.inventory, after) !=
		    CHANGES[i].endures)
			fail_msg("change %zu", i);
		inventory_drop(&after);
		set_drop(&set);
		zl_buf_free(&leads);
		tools_end(&tools);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_changes_matter),
		cmocka_unit_test(what_endures_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
