/* Which address stands for which service: the vectors of kinds-spec 10, and what the
 * rule promises whatever happens to others. */
#include "vips/pool.h"

#include "base/mem.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static struct key service(const char *name)
{
	return (struct key){ KIND_MESH_SERVICE, "default", "east", "", name };
}

static struct vip_pool *pool_of(const char *range)
{
	struct vip_ranges ranges;

	for (int i = 0; i < VIP_KINDS; i++)
		assert_int_equal(vip_range_read(range, &ranges.of[i], NULL), ZL_OK);
	return vip_pool_new(&ranges);
}

static struct vip_pool *pool_by_default(void)
{
	struct vip_ranges ranges;

	assert_int_equal(vip_range_read("241.0.0.0/8", &ranges.of[VIP_SERVICE], NULL),
			 ZL_OK);
	assert_int_equal(vip_range_read("242.0.0.0/8", &ranges.of[VIP_EXTERNAL], NULL),
			 ZL_OK);
	assert_int_equal(vip_range_read("243.0.0.0/8", &ranges.of[VIP_MULTI_ZONE], NULL),
			 ZL_OK);
	return vip_pool_new(&ranges);
}

static uint32_t take(struct vip_pool *pool, const char *name, uint64_t now_s)
{
	const struct key key = service(name);
	const struct vip_row *row = vip_pool_take(pool, &key, now_s);

	if (row == NULL)
		return 0;
	vip_pool_confirm(pool, &key);
	return row->address;
}

static void retire(struct vip_pool *pool, const char *name, uint64_t now_s)
{
	const struct key key = service(name);

	vip_pool_retire(pool, &key, now_s);
}

static bool has(const struct vip_pool *pool, const char *name)
{
	const struct key key = service(name);

	return vip_pool_get(pool, &key) != NULL;
}

static void vectors(void **state)
{
	static const struct {
		struct key key;
		const char *address;
	} VECTORS[] = {
		{ { KIND_MESH_SERVICE, "default", "east", "", "db" }, "241.173.130.67" },
		{ { KIND_MESH_SERVICE, "default", "west", "", "db" }, "241.98.157.191" },
		{ { KIND_MESH_SERVICE, "default", "east", "kuma-demo", "backend" },
		  "241.154.161.147" },
		{ { KIND_MESH_EXTERNAL_SERVICE, "default", "", "", "ext" },
		  "242.139.120.124" },
		{ { KIND_MESH_MULTI_ZONE_SERVICE, "default", "", "", "db-all" },
		  "243.4.161.251" },
	};
	struct vip_pool *pool = pool_by_default();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
		char text[VIP_TEXT];
		vip_text(vip_pool_take(pool, &VECTORS[i].key, 1)->address, text);
		assert_string_equal(text, VECTORS[i].address);
	}
	vip_pool_free(&pool);
	assert_null(pool);
}

static void ranges_are_read(void **state)
{
	static const char *const BAD[] = { "",
					   "241.0.0.0",
					   "241.0.0.0/",
					   "241.0.0.0/1",
					   "241.0.0.0/31",
					   "241.0.0.0/8 ",
					   "241.0.0.0/x",
					   "241.0.0/8",
					   "fd00::/8",
					   "241.0.0.0/-8",
					   "1111111111111111/8" };
	struct vip_range range;
	struct zl_err err = { 0 };

	(void)state;
	assert_int_equal(vip_range_read("10.1.2.0/24", &range, &err), ZL_OK);
	assert_int_equal(range.base, 0x0a010200);
	assert_int_equal(range.count, 256);
	assert_true(vip_in_range(&range, 0x0a0102ff));
	assert_false(vip_in_range(&range, 0x0a010300));
	assert_false(vip_in_range(&range, 0x0a0101ff));
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		assert_int_equal(vip_range_read(BAD[i], &range, &err), ZL_EINVAL);
		assert_non_null(strstr(err.msg, "like 241.0.0.0/8"));
	}
	assert_int_equal(vip_range_read("241.1.0.0/8", &range, &err), ZL_EINVAL);
	assert_string_equal(err.msg,
			    "\"241.1.0.0/8\" is no range: the network is 241.0.0.0/8");
}

/* Six addresses, more names than that: each has its own, none is at the edge. */
static void a_range_fills_up(void **state)
{
	struct vip_pool *pool = pool_of("10.0.0.0/29");
	bool seen[8] = { false };
	char name[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		uint32_t address = take(pool, name, 1);
		if (i >= 6) {
			assert_int_equal(address, 0);
			assert_false(has(pool, name));
			continue;
		}
		uint32_t place = address - 0x0a000000;
		assert_in_range(place, 1, 6);
		assert_false(seen[place % 8]);
		seen[place % 8] = true;
	}
	assert_int_equal(vip_pool_count(pool), 6);
	vip_pool_free(&pool);
}

/* Find a name whose first choice is that of other, by the rule itself. */
static void collider(const char *range, const char *other, char name[16])
{
	for (int i = 0;; i++) {
		struct vip_pool *pool = pool_of(range);
		struct vip_pool *alone = pool_of(range);
		(void)snprintf(name, 16, "n%d", i);
		bool same = take(pool, other, 1) == take(alone, name, 1);
		vip_pool_free(&pool);
		vip_pool_free(&alone);
		if (same)
			return;
	}
}

static void who_comes_second_gets_the_next(void **state)
{
	static const char RANGE[] = "10.0.0.0/24";
	struct vip_pool *pool = pool_of(RANGE);
	char name[16];

	(void)state;
	collider(RANGE, "first", name);
	uint32_t first = take(pool, "first", 1);
	uint32_t second = take(pool, name, 2);
	assert_int_equal(second, first == 0x0a0000fe ? 0x0a000001 : first + 1);
	/* Retired too, the first keeps its place, and gets it back. */
	retire(pool, "first", 3);
	assert_int_equal(take(pool, name, 4), second);
	assert_int_equal(take(pool, "first", 5), first);
	/* The one that gave way does not move when the other goes for good. */
	retire(pool, "first", 6);
	vip_pool_free(&pool);
}

static bool is_in(void *arg, const struct key *key)
{
	const char *const *names = arg;

	for (; *names != NULL; names++)
		if (strcmp(*names, key->name) == 0)
			return true;
	return false;
}

static void the_retired_go_after_thirty_days(void **state)
{
	static const char *const THERE[] = { "b", NULL };
	struct vip_pool *pool = pool_of("10.0.0.0/24");
	const char **there = (const char *[]){ THERE[0], NULL };
	uint32_t b = take(pool, "b", 1000);

	(void)state;
	(void)take(pool, "a", 1000);
	retire(pool, "a", 2000);
	vip_pool_sweep(pool, is_in, there, 2000 + VIP_KEEP_S - 1);
	assert_true(has(pool, "a"));
	vip_pool_sweep(pool, is_in, there, 2000 + VIP_KEEP_S);
	assert_false(has(pool, "a"));
	assert_int_equal(take(pool, "b", 3000), b);
	vip_pool_free(&pool);
}

static void in_a_range_half_full_the_oldest_go_first(void **state)
{
	struct vip_pool *pool = pool_of("10.0.0.0/28"); /* 14 addresses */
	char name[8];

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		(void)take(pool, name, 1);
	}
	retire(pool, "s3", 10);
	retire(pool, "s1", 20);
	uint32_t s1 = 0;
	const struct key key = service("s1");
	s1 = vip_pool_get(pool, &key)->address;
	assert_int_not_equal(take(pool, "new", 30), 0);
	assert_false(has(pool, "s3"));
	assert_true(has(pool, "s1"));
	assert_int_equal(take(pool, "s1", 31), s1);
	vip_pool_free(&pool);
}

/* Its object is on its way: nobody else may have the address meanwhile. */
static void who_is_taken_back_is_retired_no_more(void **state)
{
	struct vip_pool *pool = pool_of("10.0.0.0/30"); /* 2 addresses */
	const struct key a = service("a");

	(void)state;
	(void)take(pool, "a", 1);
	(void)take(pool, "b", 1);
	retire(pool, "a", 2);
	assert_true(vip_pool_take(pool, &a, 3)->retired_s == 0);
	assert_int_equal(take(pool, "c", 4), 0);
	assert_true(has(pool, "a"));
	vip_pool_free(&pool);
}

static void nothing_that_others_do_moves_one(void **state)
{
	struct vip_pool *pool = pool_of("10.0.0.0/24");
	uint32_t at[100];
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		at[i] = take(pool, name, 1);
	}
	for (unsigned i = 0; i < 100; i += 2) { /* every other one goes */
		(void)snprintf(name, sizeof(name), "s%u", i);
		retire(pool, name, 2);
	}
	for (unsigned i = 0; i < 20; i++) { /* and others come */
		(void)snprintf(name, sizeof(name), "x%u", i);
		(void)take(pool, name, 3);
	}
	for (unsigned i = 1; i < 100; i += 2) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		assert_int_equal(take(pool, name, 4), at[i]);
	}
	vip_pool_free(&pool);
}

/* ---- what is told of it ---- */
struct told {
	size_t puts, deletes;
	char last[32];
};

static void tell(void *arg, const struct key *key, const struct vip_row *row)
{
	struct told *told = arg;

	told->puts += row != NULL;
	told->deletes += row == NULL;
	(void)snprintf(told->last, sizeof(told->last), "%s", key->name);
}

static struct told changes(struct vip_pool *pool)
{
	struct told told = { 0 };

	vip_pool_changes(pool, tell, &told);
	return told;
}

static void a_row_without_its_object_is_told_to_nobody(void **state)
{
	struct vip_pool *pool = pool_of("10.0.0.0/24");
	const struct key key = service("never");
	const char *nobody[] = { NULL };

	(void)state;
	(void)vip_pool_take(pool, &key, 1000);
	vip_pool_sweep(pool, is_in, nobody, 1000 + VIP_PROVISIONAL_S - 1);
	assert_true(has(pool, "never"));
	vip_pool_sweep(pool, is_in, nobody, 1000 + VIP_PROVISIONAL_S);
	assert_false(has(pool, "never"));
	struct told told = changes(pool);
	assert_int_equal(told.puts + told.deletes, 0);
	vip_pool_free(&pool);
}

static void changes_are_told_once(void **state)
{
	struct vip_pool *pool = pool_of("10.0.0.0/24");
	const char *nobody[] = { NULL };

	(void)state;
	(void)take(pool, "a", 1000); /* stored with its object */
	assert_int_equal(changes(pool).puts, 0);
	retire(pool, "a", 1001);
	retire(pool, "a", 1002);
	struct told told = changes(pool);
	assert_int_equal(told.puts, 1);
	assert_string_equal(told.last, "a");
	assert_int_equal(changes(pool).puts, 0);
	(void)take(pool, "a", 1003);
	assert_int_equal(changes(pool).puts, 1);
	/* Its object never came again, or went unheard. */
	vip_pool_sweep(pool, is_in, nobody, 2000);
	assert_int_equal(changes(pool).puts, 1);
	vip_pool_sweep(pool, is_in, nobody, 2000 + VIP_KEEP_S);
	told = changes(pool);
	assert_int_equal(told.deletes, 1);
	assert_int_equal(told.puts, 0);
	vip_pool_free(&pool);
}

static void who_is_there_counts_more_than_the_retired(void **state)
{
	struct vip_pool *pool = pool_of("10.0.0.0/24");
	const struct key a = service("a");
	const struct key b = service("b");
	const struct key c = service("c");

	(void)state;
	assert_true(vip_pool_load(pool, &a, 0x0a000005, 77));
	assert_true(vip_pool_load(pool, &b, 0x0a000005, 0));
	assert_false(has(pool, "a"));
	assert_false(vip_pool_load(pool, &c, 0x0a000005, 0));
	assert_false(vip_pool_load(pool, &b, 0x0a000006, 0));
	assert_int_equal(vip_pool_get(pool, &b)->address, 0x0a000005);
	struct told told = changes(pool);
	assert_int_equal(told.deletes, 2); /* of a and c */
	assert_true(vip_pool_load(pool, &c, 0x0b000000, 0));
	assert_int_equal(vip_pool_outside(pool), 1);
	assert_int_equal(take(pool, "c", 5), 0x0b000000); /* the old one holds */
	vip_pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(a_range_fills_up),
		cmocka_unit_test(who_comes_second_gets_the_next),
		cmocka_unit_test(the_retired_go_after_thirty_days),
		cmocka_unit_test(in_a_range_half_full_the_oldest_go_first),
		cmocka_unit_test(who_is_taken_back_is_retired_no_more),
		cmocka_unit_test(nothing_that_others_do_moves_one),
		cmocka_unit_test(a_row_without_its_object_is_told_to_nobody),
		cmocka_unit_test(changes_are_told_once),
		cmocka_unit_test(who_is_there_counts_more_than_the_retired),
	};
	return cmocka_run_group_tests_name("vips/pool", tests, NULL, NULL);
}
