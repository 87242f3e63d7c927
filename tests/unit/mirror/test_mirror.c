/* A set that shows a store: at the start, entry by entry, and what neither understands.
 */
#include "mirror/mirror.h"

#include "base/mem.h"
#include "store/write.h"
#include "support/test.h"
#include "support/tmp.h"

#include <string.h>

static const char BODY[] = "{\"name\":\"a\",\"type\":\"Mesh\"}";

struct fixture {
	struct tmp tmp;
	struct store *store;
	struct set *set; /* held */
	struct key key;
	struct zl_buf name; /* the bytes of key */
};

static unsigned odds;

static void count_odd(void *ctx, const struct key *key, uint64_t rev, const char *why)
{
	(void)ctx;
	(void)key;
	assert_true(rev > 0);
	assert_true(*why != '\0');
	odds++;
}

static void begin(struct fixture *fix)
{
	*fix = (struct fixture){ .key = { KIND_MESH, "", "", "", "a" } };
	tmp_make(&fix->tmp);
	assert_int_equal(store_open(&fix->store, tmp_path(&fix->tmp, "store"),
				    &(struct store_options){ .map_size = 16 << 20 },
				    NULL),
			 ZL_OK);
	key_bytes(&fix->key, &fix->name);
	odds = 0;
}

static void end(struct fixture *fix)
{
	zl_buf_free(&fix->name);
	set_drop(&fix->set);
	store_close(&fix->store);
	tmp_remove(&fix->tmp);
}

/* The Mesh, and something of a kind that nobody knows. */
static void fill(struct fixture *fix)
{
	static const char ODD[] = "\310\0\0\0\0new";
	struct store_job *job = store_commit_new(NULL, 1, "", "");

	store_commit_put(job, fix->name.data, fix->name.len, BODY, sizeof(BODY) - 1,
			 STORE_ANY, 0);
	store_commit_put(job, ODD, sizeof(ODD) - 1, "x", 1, STORE_ANY, 0);
	assert_int_equal(store_run(fix->store, &job, NULL, NULL), ZL_OK);
}

static void what_is_stored_is_shown(void **state)
{
	struct position position;
	struct digest digest;
	struct fixture fix;

	(void)state;
	begin(&fix);
	assert_int_equal(mirror_load(fix.store, count_odd, &fix.set, NULL, NULL, NULL),
			 ZL_OK);
	assert_int_equal(set_count(fix.set, KIND_MESH), 0);
	fill(&fix);
	assert_int_equal(
		mirror_load(fix.store, count_odd, &fix.set, &position, &digest, NULL),
		ZL_OK);
	assert_non_null(set_get(fix.set, &fix.key));
	assert_int_equal(set_count(fix.set, KIND_MESH), 1);
	assert_int_equal(odds, 1);
	assert_true(position.rev == 1);
	end(&fix);
}

static void what_is_written_follows(void **state)
{
	struct fixture fix;

	(void)state;
	begin(&fix);
	fill(&fix);
	assert_int_equal(mirror_load(fix.store, mirror_odd, &fix.set, NULL, NULL, NULL),
			 ZL_OK);
	struct set *before = fix.set;
	set_hold(before);
	const struct op gone = { .key = fix.name.data,
				 .key_len = fix.name.len,
				 .deleted = true };
	mirror_entry(&fix.set, &(struct entry){ .ops = &gone, .op_count = 1 }, 2,
		     count_odd);
	assert_null(set_get(fix.set, &fix.key));
	assert_non_null(set_get(before, &fix.key)); /* who holds it still sees it */
	assert_int_equal(odds, 0);
	set_drop(&before);
	end(&fix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_stored_is_shown),
		cmocka_unit_test(what_is_written_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
