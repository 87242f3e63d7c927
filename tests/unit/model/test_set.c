#include "support/seeds.h"
#include "support/test.h"

#include "model/set.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* A resource of which only the key counts. */
static struct resource *make(const struct key *key)
{
	struct zl_arena *arena = zl_arena_new();
	struct resource *res = zl_arena_alloc(arena, 1, sizeof(*res));

	res->holders = 1;
	res->arena = arena;
	res->key = (struct key){ key->kind, zl_arena_strdup(arena, key->mesh),
				 zl_arena_strdup(arena, key->zone),
				 zl_arena_strdup(arena, key->ns),
				 zl_arena_strdup(arena, key->name) };
	return res;
}

static const struct resource *put_new(struct set_edit *edit, const struct key *key)
{
	struct resource *res = make(key);
	const struct resource *put = res;

	set_put(edit, put);
	resource_drop(&res); /* the set holds it */
	return put;
}

static struct key numbered(enum kind kind, const char *mesh, unsigned number)
{
	static char names[4][16];
	static unsigned turn;
	char *name = names[turn++ % 4];

	(void)snprintf(name, sizeof(names[0]), "n%05u", number);
	return (struct key){ kind, mesh, "", "", name };
}

static void test_empty(void **state)
{
	struct set *set = set_empty();
	const struct key key = { KIND_MESH, "", "", "", "default" };

	(void)state;
	assert_null(set_get(set, &key));
	assert_int_equal(set_count(set, KIND_MESH), 0);
	struct set_iter iter = set_each(set, KIND_MESH, NULL);
	assert_null(set_next(&iter));
	iter = set_each(set, KIND_MESH, "default");
	assert_null(set_next(&iter));
	assert_ptr_equal(set_mesh(set, "default"), &MESH_DEFAULTS);
	struct set_edit *edit = set_edit(set);
	assert_false(set_del(edit, &key));
	set_discard(&edit);
	assert_null(edit);
	set_discard(&edit);
	set_drop(&set);
	assert_null(set);
	set_drop(&set);
}

static void test_same_kind(void **state)
{
	const struct key mesh = { KIND_MESH, "", "", "", "default" };
	const struct key zone = { KIND_ZONE, "", "", "", "east" };
	struct set *none = set_empty();
	struct set_edit *edit = set_edit(none);

	(void)state;
	const struct resource *res = put_new(edit, &mesh);
	put_new(edit, &zone);
	struct set *one = set_done(&edit);
	assert_null(edit);
	assert_false(set_same_kind(none, one, KIND_MESH));
	assert_true(set_same_kind(none, one, KIND_DATAPLANE));

	edit = set_edit(one);
	put_new(edit, &zone);
	set_put(edit, res); /* there already */
	assert_false(set_del(edit, &(struct key){ KIND_MESH, "", "", "", "other" }));
	struct set *two = set_done(&edit);
	assert_true(set_same_kind(one, two, KIND_MESH));
	assert_false(set_same_kind(one, two, KIND_ZONE));

	edit = set_edit(two);
	assert_true(set_del(edit, &mesh));
	struct set *three = set_done(&edit);
	assert_true(set_same_kind(none, three, KIND_MESH)); /* none is none */
	set_drop(&none);
	set_drop(&one);
	set_drop(&two);
	set_drop(&three);
}

static void test_mesh(void **state)
{
	static const struct mesh_spec spec = { .zone_egress = true };
	const struct key key = { KIND_MESH, "", "", "", "m" };
	struct resource *res = make(&key);
	struct set *none = set_empty();
	struct set_edit *edit = set_edit(none);

	(void)state;
	res->mesh = &spec;
	set_put(edit, res);
	struct set *set = set_done(&edit);
	assert_ptr_equal(set_mesh(set, "m"), &spec);
	assert_ptr_equal(set_mesh(set, "n"), &MESH_DEFAULTS);
	resource_drop(&res);
	set_drop(&none);
	set_drop(&set);
}

/* An iteration over one mesh gives that mesh, wherever its keys begin in the chunks. */
static void test_each_mesh(void **state)
{
	static const char *const MESHES[] = { "a", "aa", "b", "c" };
	struct set *none = set_empty();
	struct set_edit *edit = set_edit(none);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct key key = numbered(KIND_DATAPLANE, MESHES[i % 3], i);
		put_new(edit, &key);
	}
	struct set *set = set_done(&edit);
	size_t total = 0;
	for (size_t m = 0; m < ARRAY_LEN(MESHES); m++) {
		struct set_iter iter = set_each(set, KIND_DATAPLANE, MESHES[m]);
		const struct resource *res;
		size_t count = 0;
		while ((res = set_next(&iter)) != NULL) {
			assert_string_equal(res->key.mesh, MESHES[m]);
			count++;
		}
		assert_null(set_next(&iter));
		assert_int_equal(count, m == 0 ? 334 : m == 3 ? 0 : 333);
		total += count;
	}
	assert_int_equal(total, set_count(set, KIND_DATAPLANE));
	set_drop(&none);
	set_drop(&set);
}

/* ---- any edits, beside a plain array ---- */
enum { NAMES = 700, VERSIONS = 6 };

struct model {
	const struct resource *items[NAMES]; /* of mesh "m", by number; NULL: none */
	size_t count;
};

static const char *check(const struct set *set, const struct model *model)
{
	struct set_iter iter = set_each(set, KIND_DATAPLANE, NULL);

	if (set_count(set, KIND_DATAPLANE) != model->count)
		return "a wrong count";
	for (unsigned i = 0; i < NAMES; i++) {
		struct key key = numbered(KIND_DATAPLANE, "m", i);
		if (set_get(set, &key) != model->items[i])
			return "set_get gives another resource";
		if (model->items[i] != NULL && set_next(&iter) != model->items[i])
			return "set_next gives another resource";
	}
	return set_next(&iter) == NULL ? NULL : "set_next gives too many";
}

/* Some edits in one, mostly puts or mostly deletes. */
static struct set *step(struct dice *dice, const struct set *base, struct model *model)
{
	struct set_edit *edit = set_edit(base);
	unsigned puts = dice_chance(dice, 50) ? 85 : 15;
	unsigned first = (unsigned)dice_below(dice, NAMES);
	bool in_order = dice_chance(dice, 30);
	uint64_t count = dice_below(dice, dice_chance(dice, 20) ? 2 * NAMES : 12);

	for (unsigned i = 0; i < count; i++) {
		unsigned number = in_order ? (first + i) % NAMES
					   : (unsigned)dice_below(dice, NAMES);
		const struct resource **item = &model->items[number];
		struct key key = numbered(KIND_DATAPLANE, "m", number);
		if (dice_chance(dice, puts)) {
			model->count += *item == NULL;
			*item = put_new(edit, &key);
		} else {
			assert_int_equal(set_del(edit, &key), *item != NULL);
			model->count -= *item != NULL;
			*item = NULL;
		}
	}
	return set_done(&edit);
}

static const char *run_edits(uint64_t seed)
{
	struct dice dice = { seed };
	struct model models[VERSIONS] = { 0 };
	struct set *sets[VERSIONS];
	const char *failure = NULL;

	for (size_t i = 0; i < VERSIONS; i++)
		sets[i] = set_empty();
	for (unsigned i = 0; i < 8 && failure == NULL; i++) {
		size_t from = dice_below(&dice, VERSIONS);
		size_t to = dice_below(&dice, VERSIONS);
		struct model model = models[from];
		struct set *made = set_hold(sets[from]);
		for (uint64_t n = 1 + dice_below(&dice, 3); n > 0; n--) {
			struct set *next = step(&dice, made, &model);
			set_drop(&made);
			made = next;
		}
		if (dice_chance(&dice, 20)) { /* an edit that comes to nothing */
			struct model lost = model;
			struct set *dropped = step(&dice, made, &lost);
			set_drop(&dropped);
		}
		set_drop(&sets[to]);
		sets[to] = made;
		models[to] = model;
		failure = check(made, &model);
	}
	for (size_t i = 0; i < VERSIONS; i++) {
		if (failure == NULL)
			failure = check(sets[i], &models[i]);
		set_drop(&sets[i]);
	}
	return failure;
}

static void test_edits(void **state)
{
	(void)state;
	seeds_run(2000, run_edits);
}

/* ---- readers beside a writer ---- */
enum { READERS = 3, ROUNDS = 600, MEMBERS = 400 };

struct shared {
	pthread_mutex_t lock;
	struct set *now; /* the lock guards the pointer, not what it points to */
	bool done;
	size_t torn[READERS];
};

struct reader {
	struct shared *shared;
	size_t number;
};

/* Whatever set a reader holds has all its members. */
static void *read_on(void *data)
{
	const struct reader *reader = data;
	struct shared *shared = reader->shared;

	for (bool done = false; !done;) {
		pthread_mutex_lock(&shared->lock);
		struct set *set = set_hold(shared->now);
		done = shared->done;
		pthread_mutex_unlock(&shared->lock);
		struct set_iter iter = set_each(set, KIND_DATAPLANE, "m");
		size_t count = 0;
		for (const struct resource *res; (res = set_next(&iter)) != NULL;)
			count += res->key.kind == KIND_DATAPLANE;
		if (count != MEMBERS)
			shared->torn[reader->number]++;
		set_drop(&set);
		(void)sched_yield(); /* the lock is not fair: the writer's turn */
	}
	return NULL;
}

static void publish(struct shared *shared, struct set *next, bool done)
{
	pthread_mutex_lock(&shared->lock);
	struct set *old = shared->now;
	shared->now = next;
	shared->done = done;
	pthread_mutex_unlock(&shared->lock);
	set_drop(&old);
}

/* Also when the reader, not the writer, drops a set last: TSan sees to the counts. */
static void test_threads(void **state)
{
	struct shared shared = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct reader readers[READERS];
	pthread_t threads[READERS];
	struct set *none = set_empty();
	struct set_edit *edit = set_edit(none);

	(void)state;
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct key key = numbered(KIND_DATAPLANE, "m", i);
		put_new(edit, &key);
	}
	shared.now = set_done(&edit);
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ &shared, i };
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]),
				 0);
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct key key = numbered(KIND_DATAPLANE, "m", i * 7 % MEMBERS);
		edit = set_edit(shared.now);
		assert_true(set_del(edit, &key));
		put_new(edit, &key);
		publish(&shared, set_done(&edit), i + 1 == ROUNDS);
	}
	for (size_t i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(shared.torn[i], 0);
	}
	set_drop(&none);
	set_drop(&shared.now);
}

/* ---- differences ---- */
struct found {
	const struct set *a, *b;
	struct key last;
	size_t count;
	bool wrong;
};

static void note_difference(void *ctx, const struct resource *old,
			    const struct resource *now)
{
	struct found *found = ctx;
	const struct key *key = old != NULL ? &old->key : &now->key;

	if (found->count++ > 0 && key_compare(&found->last, key) >= 0)
		found->wrong = true;
	found->last = *key;
	found->wrong = found->wrong || old == now || set_get(found->a, key) != old ||
		       set_get(found->b, key) != now;
}

/* Keys of a that b has not, or not as the same object. */
static size_t missing(const struct set *a, const struct set *b, bool replaced)
{
	struct set_iter each = set_each(a, KIND_DATAPLANE, NULL);
	const struct resource *res;
	size_t count = 0;

	while ((res = set_next(&each)) != NULL) {
		const struct resource *other = set_get(b, &res->key);

		count += other == NULL || (replaced && other != res);
	}
	return count;
}

/* Each difference once, in order, and no other. */
static const char *differences_are_found(uint64_t seed)
{
	struct dice dice = { seed };
	struct set *sets[4] = { set_empty(), set_empty(), set_empty(), set_empty() };
	const char *what = NULL;

	for (unsigned round = 0; what == NULL && round < 12; round++) {
		size_t from = dice_below(&dice, 4);
		size_t to = dice_below(&dice, 4);
		struct set_edit *edit = set_edit(sets[from]);
		uint64_t first = dice_below(&dice, 900);
		uint64_t changes = dice_below(&dice, 1 + (round % 3) * 150);
		bool put = dice_chance(&dice, 60);

		for (uint64_t i = 0; i < changes; i++) {
			struct key key = numbered(KIND_DATAPLANE, "m",
						  (unsigned)(first + i) % 1000);
			if (put)
				put_new(edit, &key);
			else
				(void)set_del(edit, &key);
		}
		set_drop(&sets[to]);
		sets[to] = set_done(&edit);
		const struct set *b = sets[dice_below(&dice, 4)];
		struct found found = { .a = sets[to], .b = b };
		set_diff(sets[to], b, KIND_DATAPLANE, note_difference, &found);
		if (found.wrong)
			what = "a difference is none, or out of order";
		else if (found.count !=
			 missing(sets[to], b, true) + missing(b, sets[to], false))
			what = "another number of differences";
	}
	for (size_t i = 0; i < 4; i++)
		set_drop(&sets[i]);
	return what;
}

static void test_diff(void **state)
{
	(void)state;
	seeds_run(200, differences_are_found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty), cmocka_unit_test(test_same_kind),
		cmocka_unit_test(test_mesh),  cmocka_unit_test(test_each_mesh),
		cmocka_unit_test(test_edits), cmocka_unit_test(test_threads),
		cmocka_unit_test(test_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
