#include "support/seeds.h"
#include "support/test.h"

#include "policy/effect.h"
#include "policy/merge.h"
#include "policy/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Confs are merged leaf by leaf; the plainest way to say the same is RFC 7396 on trees.
 */

enum { CONFS = 4 };

static struct tree *random_tree(struct dice *dice, struct zl_arena *arena, unsigned depth)
{
	static const char *const KEYS[] = { "a", "ab", "b", "c" };

	if (depth == 3 || dice_chance(dice, 30)) {
		if (dice_chance(dice, 20))
			return zl_arena_alloc(arena, 1, sizeof(struct tree)); /* null */
		if (dice_chance(dice, 70))
			return tree_int(arena, (int64_t)dice_below(dice, 3));
		struct tree *list = tree_list(arena);
		for (uint64_t i = dice_below(dice, 3); i > 0; i--)
			tree_push(arena, list, tree_bool(arena, dice_chance(dice, 50)));
		return list;
	}
	struct tree *map = tree_map(arena);
	for (uint64_t i = dice_below(dice, 4); i > 0; i--)
		tree_set(arena, map, KEYS[dice_below(dice, ARRAY_LEN(KEYS))],
			 random_tree(dice, arena, depth + 1));
	return map;
}

static struct tree *random_conf(struct dice *dice, struct zl_arena *arena)
{
	struct tree *tree = random_tree(dice, arena, 0);

	return tree->type == TREE_MAP ? tree : tree_map(arena);
}

/* As the RFC writes it, but that null is absent. */
static struct tree *patched(struct tree *target, const struct tree *patch,
			    struct zl_arena *arena)
{
	if (patch->type != TREE_MAP)
		return zl_arena_memdup(arena, patch, sizeof(*patch));
	struct tree *result = tree_map(arena);
	for (size_t i = 0;
	     target != NULL && target->type == TREE_MAP && i < target->count; i++)
		tree_set(arena, result, target->members[i].key, target->members[i].value);
	for (size_t i = 0; i < patch->count; i++) {
		struct tree *old = NULL;

		if (patch->members[i].value->type == TREE_NULL)
			continue;
		for (size_t j = 0; j < result->count; j++)
			if (strcmp(result->members[j].key, patch->members[i].key) == 0)
				old = result->members[j].value;
		tree_set(arena, result, patch->members[i].key,
			 patched(old, patch->members[i].value, arena));
	}
	return result;
}

static const struct tree *tree_of(const struct merged *merged, struct zl_arena *arena)
{
	struct leaf **leaves =
		zl_arena_alloc(arena, merged->count, sizeof(struct leaf *));

	for (size_t i = 0; i < merged->count; i++)
		leaves[i] = &merged->leaves[i];
	return merged_tree(leaves, merged->count, arena);
}

static const struct tree *at_path(const struct tree *tree, const char *path)
{
	char key[8];

	while (tree != NULL && path != NULL) {
		const char *dot = strchr(path, '.');
		size_t len = dot == NULL ? strlen(path) : (size_t)(dot - path);

		memcpy(key, path, len);
		key[len] = '\0';
		tree = tree_get(tree, key);
		path = dot == NULL ? NULL : dot + 1;
	}
	return tree;
}

/* The last one that has a value there is whose it is. */
static bool is_whose(const struct leaf *leaf, const struct saying *sayings)
{
	const struct tree *there = NULL;
	size_t last = CONFS;

	for (size_t i = 0; i < CONFS; i++)
		if (at_path(sayings[i].conf, leaf->field) != NULL) {
			there = at_path(sayings[i].conf, leaf->field);
			last = i;
		}
	return there == leaf->value && leaf->from.to == last;
}

static const char *merge_once(uint64_t seed)
{
	struct dice dice = { seed };
	struct zl_arena *arena = zl_arena_new();
	struct saying sayings[CONFS];
	struct tree *naive = tree_map(arena);
	struct tree *halves[2] = { naive, naive };
	const char *what = NULL;

	for (size_t i = 0; i < CONFS; i++) {
		sayings[i] = (struct saying){ random_conf(&dice, arena),
					      { NULL, i },
					      LIST_TO };
		naive = patched(naive, sayings[i].conf, arena);
		halves[i / 2] = patched(halves[i / 2], sayings[i].conf, arena);
	}
	const struct merged all = merge_sayings(NULL, sayings, CONFS, arena);
	const struct merged low = merge_sayings(NULL, sayings, 2, arena);
	const struct merged high = merge_sayings(NULL, sayings + 2, 2, arena);
	const struct merged more = merge_sayings(&low, sayings + 2, 2, arena);
	const struct merged two = merge_two(&low, &high, arena);

	if (!tree_equal(tree_of(&all, arena), naive))
		what = "it is not what RFC 7396 says";
	if (!tree_equal(tree_of(&more, arena), naive))
		what = "what is stronger changes nothing";
	if (!tree_equal(tree_of(&two, arena), patched(halves[0], halves[1], arena)))
		what = "one half over the other is something else";
	for (size_t i = 0; i < all.count; i++) {
		if (!is_whose(&all.leaves[i], sayings))
			what = "a value is another's";
		if (i > 0 && strcmp(all.leaves[i - 1].field, all.leaves[i].field) >= 0)
			what = "they are not in order";
		if (merged_leaf(&all, all.leaves[i].field) != &all.leaves[i])
			what = "a leaf is not found";
	}
	zl_arena_free(&arena);
	return what;
}

static void test_as_the_rfc_says(void **state)
{
	(void)state;
	seeds_run(5000, merge_once);
}

static void test_sections(void **state)
{
	(void)state;
	assert_true(field_is_in("http.a", "http"));
	assert_true(field_is_in("http", "http"));
	assert_false(field_is_in("https", "http"));
	assert_false(field_is_in("htt", "http"));
}

/* What a later release writes is not ours to apply. */
static void test_unknown_fields(void **state)
{
	const struct use use = { .place = PLACE_CLUSTER, .tcp = true, .protocol = "tcp" };
	const struct merged nothing = { 0 };

	(void)state;
	assert_int_equal(effect_of(KIND_MESH_TIMEOUT, "newer", &nothing, &use),
			 EFFECT_NONE);
}

static void test_table(void **state)
{
	enum { COUNT = 100 };
	struct zl_arena *arena = zl_arena_new();
	struct table table = { 0 };

	(void)state;
	assert_null(table_find(&table, "x"));
	for (size_t i = 0; i < COUNT; i++)
		table_add(&table, zl_arena_format(arena, "%zu", i),
			  zl_arena_memdup(arena, &i, sizeof(i)), arena);
	for (size_t i = 0; i < COUNT; i++) {
		const size_t *value =
			table_find(&table, zl_arena_format(arena, "%zu", i));
		assert_int_equal(*value, i);
	}
	assert_null(table_find(&table, "x"));
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_rfc_says),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_unknown_fields),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
