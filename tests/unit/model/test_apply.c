/* Stored bytes into a set. */
#include "model/apply.h"

#include "support/test.h"
#include "support/world.h"

#include <stdio.h>

struct odd {
	size_t count;
	enum kind kind;
	uint64_t rev;
	char name[64];
	char why[256];
};

static void on_odd(void *ctx, const struct key *key, uint64_t rev, const char *why)
{
	struct odd *odd = ctx;

	odd->count++;
	odd->kind = key->kind;
	odd->rev = rev;
	(void)snprintf(odd->name, sizeof(odd->name), "%s", key->name);
	(void)snprintf(odd->why, sizeof(odd->why), "%s", why);
}

static struct key mesh_key(const char *name)
{
	return (struct key){ KIND_MESH, "", "", "", name };
}

static const char *mesh_json(struct zl_arena *arena, const char *name, const char *value)
{
	return zl_arena_format(
		arena, "{\"labels\":{\"k\":\"%s\"},\"name\":\"%s\",\"type\":\"Mesh\"}",
		value, name);
}

static struct op op_of(struct zl_arena *arena, const char *name, const char *json)
{
	struct zl_buf key = { 0 };
	const struct key of = mesh_key(name);

	key_bytes(&of, &key);
	struct op op = { .key = zl_arena_memdup(arena, key.data, key.len),
			 .key_len = key.len,
			 .value = json,
			 .value_len = json != NULL ? strlen(json) : 0,
			 .deleted = json == NULL };
	zl_buf_free(&key);
	return op;
}

static struct apply_record record_of(struct zl_arena *arena, const char *name,
				     const char *json)
{
	struct op op = op_of(arena, name, json);

	return (struct apply_record){ .key = op.key,
				      .key_len = op.key_len,
				      .value = op.value,
				      .value_len = op.value_len,
				      .mod_rev = 7,
				      .create_rev = 3,
				      .wall_us = 99 };
}

static struct set *step(struct set **base, struct op *ops, size_t count, uint64_t rev,
			struct odd *odd)
{
	const struct entry entry = { .wall_us = rev * 10, .ops = ops, .op_count = count };
	struct set_edit *edit = set_edit(*base);

	apply_entry(edit, *base, &entry, rev, odd != NULL ? on_odd : NULL, odd);
	set_drop(base);
	return set_done(&edit);
}

static void entries_follow_each_other(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct set *set = set_empty();
	const struct key a = mesh_key("a");
	const struct key b = mesh_key("b");

	(void)state;
	struct op first[] = { op_of(arena, "a", mesh_json(arena, "a", "1")),
			      op_of(arena, "b", mesh_json(arena, "b", "1")) };
	set = step(&set, first, 2, 4, NULL);
	assert_int_equal(set_get(set, &a)->create_rev, 4);
	struct op second[] = { op_of(arena, "a", mesh_json(arena, "a", "2")),
			       op_of(arena, "b", NULL) };
	set = step(&set, second, 2, 5, NULL);
	const struct resource *res = set_get(set, &a);
	assert_int_equal(res->create_rev, 4);
	assert_int_equal(res->mod_rev, 5);
	assert_int_equal(res->mod_wall_us, 50);
	assert_string_equal(labels_get(res->labels, "k"), "2");
	assert_null(set_get(set, &b));
	set = step(&set, first, 2, 6, NULL);
	assert_int_equal(set_get(set, &a)->create_rev, 4);
	assert_int_equal(set_get(set, &b)->create_rev, 6);
	struct op absent = op_of(arena, "c", NULL);
	set = step(&set, &absent, 1, 7, NULL); /* a delete of what is not there */
	assert_int_equal(set_count(set, KIND_MESH), 2);
	set_drop(&set);
	zl_arena_free(&arena);
}

/* What is not understood takes its older value out, is named, and the rest goes on. */
static void odd_values_are_left_out_and_named(void **state)
{
	static const char *const VALUES[] = {
		"",
		"{",
		"[]",
		"{\"type\":\"Mesh\"}",
		"null",
		"\"x\"",
		"{\"name\":\"a\",\"type\":\"NewKind\"}",
		"{\"name\":\"other\",\"type\":\"Mesh\"}",
		"{\"name\":\"a\",\"type\":\"Zone\"}",
	};
	struct zl_arena *arena = zl_arena_new();
	const struct key a = mesh_key("a");
	const struct key b = mesh_key("b");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(VALUES); i++) {
		struct odd odd = { 0 };
		struct set *set = set_empty();
		struct op good = op_of(arena, "a", mesh_json(arena, "a", "1"));
		set = step(&set, &good, 1, 1, NULL);
		struct op ops[] = { op_of(arena, "a", VALUES[i]),
				    op_of(arena, "b", mesh_json(arena, "b", "1")) };
		set = step(&set, ops, 2, 2, &odd);
		if (odd.count != 1)
			fail_msg("%s: %zu", VALUES[i], odd.count);
		assert_int_equal(odd.kind, KIND_MESH);
		assert_string_equal(odd.name, "a");
		assert_int_equal(odd.rev, 2);
		assert_string_not_equal(odd.why, "");
		assert_null(set_get(set, &a));
		assert_non_null(set_get(set, &b));
		set = step(&set, ops, 2, 3, NULL); /* who does not want to know */
		set_drop(&set);
	}
	zl_arena_free(&arena);
}

static void keys_that_are_none_are_named(void **state)
{
	static const char *const KEYS[] = { "", "\1", "\177a", "\1a" };
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
		struct odd odd = { 0 };
		struct set *set = set_empty();
		struct op op = { .key = KEYS[i],
				 .key_len = strlen(KEYS[i]),
				 .value = "{}",
				 .value_len = 2 };
		set = step(&set, &op, 1, 9, &odd);
		assert_int_equal(odd.count, 1);
		assert_int_equal(odd.kind, KIND_NONE);
		assert_int_equal(set_count(set, KIND_MESH), 0);
		set_drop(&set);
	}
	zl_arena_free(&arena);
}

static void records_bring_their_revisions(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	const struct key a = mesh_key("a");
	struct odd odd = { 0 };

	(void)state;
	struct apply_record record = record_of(arena, "a", mesh_json(arena, "a", "1"));
	apply_record(edit, &record, on_odd, &odd);
	assert_int_equal(odd.count, 0);
	record = record_of(arena, "b", mesh_json(arena, "x", "1"));
	apply_record(edit, &record, on_odd, &odd);
	assert_int_equal(odd.count, 1);
	assert_string_equal(odd.name, "b");
	record.key_len = 0;
	apply_record(edit, &record, on_odd, &odd);
	assert_int_equal(odd.count, 2);
	assert_int_equal(odd.kind, KIND_NONE);
	apply_record(edit, &record, NULL, NULL);
	struct set *set = set_done(&edit);
	assert_int_equal(set_count(set, KIND_MESH), 1);
	const struct resource *res = set_get(set, &a);
	assert_int_equal(res->mod_rev, 7);
	assert_int_equal(res->create_rev, 3);
	assert_int_equal(res->mod_wall_us, 99);
	set_drop(&set);
	set_drop(&empty);
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_follow_each_other),
		cmocka_unit_test(odd_values_are_left_out_and_named),
		cmocka_unit_test(keys_that_are_none_are_named),
		cmocka_unit_test(records_bring_their_revisions),
	};
	return cmocka_run_group_tests_name("model/apply", tests, NULL, NULL);
}
