/* support/world.h - a set made of YAML documents, for tests that link model. */
#pragma once

#include "support/seeds.h"
#include "support/test.h"

#include "model/read.h"
#include "model/set.h"

#include <string.h>

struct world {
	struct zl_arena *arena; /* of the trees; resources have their own */
	struct set *set;        /* held */
};

/* Roles are computed from what a document says; replicas carry theirs. The label
 * test-role stands for a role that a test wants. */
static inline void world_role(struct resource **resp)
{
	const char *role = labels_get((*resp)->labels, "test-role");
	const struct label want = { LABEL_ROLE, role };

	if (role == NULL)
		return;
	struct resource *other = resource_relabel(*resp, &want, 1);
	resource_drop(resp);
	*resp = other;
}

/* Add the documents of yaml, which are valid, to edit; with dice in any order. */
static inline void world_read(struct zl_arena *arena, struct set_edit *edit,
			      const char *yaml, struct dice *dice)
{
	static const struct resource_rules RULES = { .writer = WRITER_ANY, .zone = "" };
	struct findings found = findings_in(arena);
	struct zl_err err = { 0 };
	struct docs docs;

	if (read_yaml(yaml, strlen(yaml), arena, &docs, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	for (size_t i = docs.count; i > 0; i--) {
		size_t take = dice == NULL ? docs.count - i : dice_below(dice, i);
		struct resource *res =
			resource_from_doc(docs.items[take], &RULES, &found);

		for (size_t j = 0; j < found.violation_count; j++)
			print_error("document %zu: %s: %s\n", docs.numbers[take],
				    found.violations[j].field,
				    found.violations[j].reason);
		assert_non_null(res);
		world_role(&res);
		set_put(edit, res);
		resource_drop(&res);
		if (dice != NULL)
			docs.items[take] = docs.items[i - 1];
	}
}

/* The documents of both texts, either of which may be "". */
static inline struct world world_of(const char *first, const char *second,
				    struct dice *dice)
{
	struct world world = { .arena = zl_arena_new() };
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	if (first[0] != '\0')
		world_read(world.arena, edit, first, dice);
	if (second[0] != '\0')
		world_read(world.arena, edit, second, dice);
	world.set = set_done(&edit);
	set_drop(&empty);
	return world;
}

static inline void world_end(struct world *world)
{
	set_drop(&world->set);
	zl_arena_free(&world->arena);
}

static inline const struct resource *world_get(const struct world *world, enum kind kind,
					       const char *name)
{
	struct set_iter each = set_each(world->set, kind, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (strcmp(res->key.name, name) == 0)
			return res;
	fail_msg("no %s %s", kind_info(kind)->name, name);
	return NULL;
}
