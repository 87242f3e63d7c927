#include "support/seeds.h"
#include "support/test.h"

#include "base/mem.h"
#include "base/pmap.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS = 200, STEPS = 400, VERSIONS = 8 };

struct item {
	unsigned holders, key, value;
};

static size_t alive;

static int compare(const void *one, const void *other)
{
	const struct item *a = one;
	const struct item *b = other;

	return (a->key > b->key) - (a->key < b->key);
}

static void hold(void *item)
{
	((struct item *)item)->holders++;
}

static void drop(void *item)
{
	if (--((struct item *)item)->holders > 0)
		return;
	alive--;
	free(item);
}

static const struct pmap_ops OPS = { compare, hold, drop };

static struct item *make(unsigned key, unsigned value)
{
	struct item *item = zl_alloc(1, sizeof(*item));

	*item = (struct item){ 1, key, value };
	alive++;
	return item;
}

/* A version and what it must hold: the value of each key, 0 for none. */
struct version {
	struct pmap *map;
	unsigned values[KEYS];
};

static const char *wrong(const struct version *version)
{
	size_t seen = 0;

	for (unsigned key = 0; key < KEYS; key++) {
		const struct item like = { .key = key };
		const struct item *found = pmap_find(&OPS, version->map, &like);

		if ((found != NULL ? found->value : 0) != version->values[key])
			return "a key holds something else";
		if (found == NULL)
			continue;
		if (pmap_at(version->map, seen) != found)
			return "the order is another one";
		seen++;
	}
	return seen == pmap_count(version->map) ? NULL : "the count is wrong";
}

static const char *versions_live_on(uint64_t seed)
{
	struct dice dice = { seed };
	struct version versions[VERSIONS] = { 0 };
	const char *what = NULL;
	unsigned range = dice_chance(&dice, 50) ? KEYS : 10;

	for (unsigned step = 1; what == NULL && step <= STEPS; step++) {
		struct version *from = &versions[dice_below(&dice, VERSIONS)];
		struct version *to = &versions[dice_below(&dice, VERSIONS)];
		struct version next = *from;
		/* Keys in order are what makes a tree lean. */
		unsigned key =
			(unsigned)(dice_chance(&dice, 50) ? step % range
							  : dice_below(&dice, range));
		bool put = dice_chance(&dice, 60);
		const struct item like = { .key = key };

		next.map = pmap_hold(from->map);
		if (put)
			pmap_put(&OPS, &next.map, make(key, step));
		else
			pmap_del(&OPS, &next.map, &like);
		next.values[key] = put ? step : 0;
		pmap_drop(&OPS, &to->map);
		*to = next;
		for (size_t i = 0; what == NULL && step % 20 == 0 && i < VERSIONS; i++)
			what = wrong(&versions[i]);
	}
	for (size_t i = 0; i < VERSIONS; i++)
		pmap_drop(&OPS, &versions[i].map);
	if (what == NULL && alive != 0)
		what = "items are left over";
	return what;
}

static void test_versions(void **state)
{
	(void)state;
	seeds_run(200, versions_live_on);
}

static size_t compared;

static int count_compares(const void *one, const void *other)
{
	compared++;
	return compare(one, other);
}

/* Whatever order items come and go in, none is far from the top. */
static void test_balance(void **state)
{
	static const struct pmap_ops COUNTING = { count_compares, hold, drop };
	struct pmap *map = NULL;
	size_t worst = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		pmap_put(&COUNTING, &map, make(i, i));
	for (unsigned i = 0; i < 10000; i++)
		pmap_del(&COUNTING, &map, &(struct item){ .key = i });
	for (unsigned i = 10000; i < 20000; i++) {
		compared = 0;
		assert_non_null(pmap_find(&COUNTING, map, &(struct item){ .key = i }));
		worst = compared > worst ? compared : worst;
	}
	assert_int_equal(pmap_count(map), 10000);
	assert_in_range(worst, 13, 32); /* log 10,000 to the base of 4/3 */
	pmap_drop(&COUNTING, &map);
	assert_int_equal(alive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_balance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
