#include "support/test.h"
#include "support/world.h"
#include "unit/policy/any_policy.h"

#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

/* An index that followed changes says what one says that is made of what they led to. */

enum { STEPS = 8 };

static const char WORLD[] =
	"{type: Mesh, name: default}\n"
	"---\n"
	"{type: Dataplane, name: a, labels: {app: a}, networking: {address: 1.1.1.1,\n"
	"  inbound: [{port: 1, tags: {kuma.io/service: s0}}], outbound: [\n"
	"  {port: 11, tags: {kuma.io/service: s0}}, {port: 12, tags: {kuma.io/service: "
	"s1}},\n"
	"  {port: 13, tags: {kuma.io/service: s2}}, {port: 14, backendRef: {kind:\n"
	"  MeshService, name: s0, port: 1}}]}}\n"
	"---\n"
	"{type: MeshService, name: s0, labels: {app: s}, spec: {ports: [{port: 1}]}}\n"
	"---\n"
	"{type: Dataplane, mesh: m2, name: b, networking: {address: 1.1.1.2,\n"
	"  inbound: [{port: 1, tags: {kuma.io/service: s1}}], outbound: [\n"
	"  {port: 11, tags: {kuma.io/service: s0}}, {port: 12, tags: {kuma.io/service: "
	"s1}}]}}\n";

static void add_entry(struct dice *dice, struct zl_buf *yaml)
{
	if (dice_chance(dice, 10)) {
		zl_buf_str(yaml, "{targetRef: {kind: MeshExternalService, name: x}, "
				 "rules: []}");
		return;
	}
	if (dice_chance(dice, 20))
		zl_buf_str(yaml, "{targetRef: {kind: MeshService, labels: {app: s}}, "
				 "rules: ");
	else
		zl_buf_format(yaml,
			      "{targetRef: {kind: MeshService, name: s%u%s}, rules: ",
			      (unsigned)dice_below(dice, 3),
			      dice_chance(dice, 20) ? ", port: 1" : "");
	if (dice_chance(dice, 30))
		zl_buf_str(yaml, "[]}");
	else
		zl_buf_format(yaml,
			      "[{default: {backendRefs: [{kind: MeshService, name: s%u, "
			      "weight: %u}]}}]}",
			      (unsigned)dice_below(dice, 4),
			      (unsigned)dice_below(dice, 3));
}

static void add_route(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const LABELS[] = {
		"", ", labels: {kuma.io/origin: zone, kuma.io/zone: east}",
		", labels: {kuma.io/origin: zone, kuma.io/zone: west}"
	};
	size_t entries = 1 + dice_below(dice, 3);

	zl_buf_format(
		yaml,
		"---\n{type: MeshTCPRoute, mesh: %s, name: r%u%s, spec: {targetRef: "
		"%s, to: [",
		dice_chance(dice, 70) ? "default" : "m2", (unsigned)dice_below(dice, 6),
		LABELS[dice_below(dice, 3)],
		dice_chance(dice, 70) ? "{kind: Mesh}"
				      : "{kind: Dataplane, labels: {app: a}}");
	for (size_t i = 0; i < entries; i++) {
		zl_buf_str(yaml, i == 0 ? "" : ", ");
		add_entry(dice, yaml);
	}
	zl_buf_str(yaml, "]}}\n");
}

static void remove_one(struct dice *dice, const struct set *set, struct set_edit *edit)
{
	/* The kinds of these policies stand side by side. */
	const enum kind kinds[] = { KIND_MESH_TCP_ROUTE,
				    (enum kind)(KIND_MESH_TIMEOUT + dice_below(dice, 6)),
				    (enum kind)(KIND_TIMEOUT + dice_below(dice, 6)) };
	enum kind kind = kinds[dice_below(dice, ARRAY_LEN(kinds))];
	size_t count = set_count(set, kind);
	struct set_iter each = set_each(set, kind, NULL);
	const struct resource *res = NULL;

	if (count == 0)
		return;
	for (uint64_t skip = dice_below(dice, count) + 1; skip > 0; skip--)
		res = set_next(&each);
	if (res != NULL)
		(void)set_del(edit, &res->key);
}

static struct set *change(struct dice *dice, const struct set *set)
{
	struct zl_arena *arena = zl_arena_new();
	struct set_edit *edit = set_edit(set);
	struct zl_buf yaml = { 0 };

	for (uint64_t i = 1 + dice_below(dice, 3); i > 0; i--) {
		uint64_t what = dice_below(dice, 24);

		if (what >= 17) {
			zl_buf_str(&yaml, "---\n");
			if (dice_chance(dice, 70))
				add_attached(dice, &yaml);
			else
				add_legacy(dice, &yaml);
		} else if (what < 12)
			add_route(dice, &yaml);
		else if (what < 13)
			zl_buf_format(&yaml,
				      "---\n{type: Zone, name: west, enabled: %s}\n",
				      dice_chance(dice, 50) ? "true" : "false");
		else if (what < 14)
			zl_buf_str(&yaml, "---\n{type: Mesh, name: m2}\n");
		else if (what < 15)
			zl_buf_str(&yaml, "---\n{type: Dataplane, name: c, networking: "
					  "{address: 1.1.1.3}}\n");
		else
			remove_one(dice, set, edit);
	}
	if (yaml.len > 0)
		world_read(arena, edit, zl_buf_text(&yaml), NULL);
	zl_buf_free(&yaml);
	zl_arena_free(&arena);
	return set_done(&edit);
}

/* All that an index says of the proxies of set, with the reasons. */
static void describe(const struct policy_index *index, const struct inventory *inventory,
		     const struct set *set, struct zl_buf *out)
{
	static const struct policy_options EXPLAIN = { .explain = true };
	static const char *const MESHES[] = { "default", "m2" };
	struct zl_arena *arena = zl_arena_new();

	for (size_t i = 0; i < ARRAY_LEN(MESHES); i++) {
		struct policy_answer answer = { .zone = "east", .mesh = MESHES[i] };
		const struct routes *routes[4];
		struct set_iter each = set_each(set, KIND_DATAPLANE, MESHES[i]);
		const struct resource *res;

		while ((res = set_next(&each)) != NULL)
			routes[answer.route_count++] =
				policy_resolve(index, inventory, res, &EXPLAIN, arena);
		answer.routes = routes;
		answer.warnings = policy_warnings(index, inventory, MESHES[i], arena,
						  &answer.warning_count);
		policy_json(&answer, out);
		policy_text(&answer, out);
	}
	zl_arena_free(&arena);
}

static const char *compare(const struct policy_index *one,
			   const struct policy_index *other, const struct set *set)
{
	struct inventory *inventory = inventory_build(set, "east");
	struct zl_buf a = { 0 };
	struct zl_buf b = { 0 };

	describe(one, inventory, set, &a);
	describe(other, inventory, set, &b);
	const char *what = strcmp(zl_buf_text(&a), zl_buf_text(&b)) == 0
				   ? NULL
				   : "the index says something else";
	zl_buf_free(&a);
	zl_buf_free(&b);
	inventory_drop(&inventory);
	return what;
}

static const char *follow(uint64_t seed)
{
	struct dice dice = { seed };
	struct world world = world_of(WORLD, "", NULL);
	struct policy_index *index = policy_index_new(world.set, "east");
	const char *what = NULL;

	for (unsigned step = 0; what == NULL && step < STEPS; step++) {
		struct policy_index *before = index;
		struct set *next = change(&dice, world.set);
		bool fits = policy_index_fits(before, next);

		set_drop(&world.set);
		world.set = next;
		index = policy_index_update(before, world.set);
		if (fits != (index == before))
			what = "an index that fits was not kept, or one that does not";
		policy_index_drop(&before);
		struct policy_index *anew = policy_index_new(world.set, "east");
		what = what != NULL ? what : compare(index, anew, world.set);
		policy_index_drop(&anew);
	}
	policy_index_drop(&index);
	world_end(&world);
	return what;
}

static void an_index_follows_changes(void **state)
{
	(void)state;
	seeds_run(2000, follow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_follows_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
