/* When identities are made, and made again. */
#include "zone/workloads/workloads.h"

#include "base/clock.h"
#include "loop/loop.h"
#include "pki/mesh.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000 };

static const char *const WEB[] = { "spiffe://m/web" };
static const char *const BOTH[] = { "spiffe://m/api", "spiffe://m/web" };

struct rig {
	struct loop *loop;
	struct workloads *workloads;
	char *chain[2], *key[2]; /* of two authorities */
	unsigned due;
};

static void on_due(void *owner, const char *mesh)
{
	struct rig *rig = owner;

	assert_string_equal(mesh, "m");
	rig->due++;
	loop_stop(rig->loop);
}

static int setup(void **state)
{
	static struct rig rig;
	const struct pki_mesh_wish wish = { "m", 0, 3600 };
	struct zl_err err = { 0 };

	rig = (struct rig){ 0 };
	if (loop_open(&rig.loop, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < 2; i++)
		if (pki_mesh_root(&wish, &rig.chain[i], &rig.key[i], &err) != ZL_OK)
			fail_msg("%s", err.msg);
	rig.workloads = workloads_open(&(struct workloads_setup){
		.loop = rig.loop, .due = on_due, .owner = &rig });
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	workloads_close(&rig->workloads);
	for (size_t i = 0; i < 2; i++) {
		free(rig->chain[i]);
		free(rig->key[i]);
	}
	loop_close(&rig->loop);
	return 0;
}

/* The chain of the identity with these URIs by authority ca, the caller's; NULL: none. */
static char *identity(struct rig *rig, const char *const *uris, size_t count, size_t ca,
		      uint64_t lifetime_ms)
{
	const struct workload of = { "m",          uris,       count, rig->chain[ca],
				     rig->key[ca], lifetime_ms };
	struct zl_buf chain = { 0 };
	struct zl_buf key = { 0 };
	bool made = workloads_identity(rig->workloads, &of, &chain, &key);

	assert_int_equal(made, key.len > 0);
	zl_buf_free(&key);
	return chain.data;
}

static void expect_same(char *a, char *b, bool same)
{
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(strcmp(a, b) == 0, same);
	free(a);
	free(b);
}

static void one_identity_for_each_set_of_names(void **state)
{
	struct rig *rig = *state;

	expect_same(identity(rig, WEB, 1, 0, DAY_MS), identity(rig, WEB, 1, 0, DAY_MS),
		    true);
	expect_same(identity(rig, WEB, 1, 0, DAY_MS), identity(rig, BOTH, 2, 0, DAY_MS),
		    false);
	const struct workloads_counts counts = workloads_counts(rig->workloads);
	assert_int_equal(counts.held, 2);
	assert_int_equal(counts.made, 2);
	assert_int_equal(counts.failed, 0);
	assert_true(counts.first_ends_s > 0);
}

static void another_authority_makes_another(void **state)
{
	struct rig *rig = *state;

	expect_same(identity(rig, WEB, 1, 0, DAY_MS), identity(rig, WEB, 1, 1, DAY_MS),
		    false);
	expect_same(identity(rig, WEB, 1, 1, DAY_MS), identity(rig, WEB, 1, 1, DAY_MS),
		    true);
	assert_int_equal(workloads_counts(rig->workloads).held, 1);
}

static void it_is_due_before_its_end(void **state)
{
	struct rig *rig = *state;
	char *first = identity(rig, WEB, 1, 0, 5000);

	free(identity(rig, BOTH, 2, 0, 5000));
	loop_run(rig->loop);
	/* Both, told once; who needs one asks, the other is forgotten. */
	assert_int_equal(rig->due, 1);
	assert_int_equal(workloads_counts(rig->workloads).held, 0);
	expect_same(first, identity(rig, WEB, 1, 0, 5000), false);
}

/* Who asks when it is due and before that was told gets what the others have, or these
 * would not be told. */
static void who_asks_late_renews_it_for_all(void **state)
{
	struct rig *rig = *state;
	char *first = identity(rig, WEB, 1, 0, 1000);
	uint64_t over_ms = zl_now_ms() + 1000;

	while (zl_now_ms() < over_ms)
		continue;
	expect_same(first, identity(rig, WEB, 1, 0, 1000), true);
	loop_run(rig->loop);
	assert_int_equal(rig->due, 1);
	assert_int_equal(workloads_counts(rig->workloads).held, 0);
}

static void without_an_authority_there_is_none(void **state)
{
	struct rig *rig = *state;
	char *right = rig->key[0];

	rig->key[0] = rig->key[1];
	assert_null(identity(rig, WEB, 1, 0, DAY_MS));
	assert_null(identity(rig, WEB, 1, 0, DAY_MS));
	assert_int_equal(workloads_counts(rig->workloads).failed, 2);
	assert_int_equal(workloads_counts(rig->workloads).held, 0);
	rig->key[0] = right;
	free(identity(rig, WEB, 1, 0, DAY_MS));
	assert_int_equal(workloads_counts(rig->workloads).held, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_identity_for_each_set_of_names),
		TEST(another_authority_makes_another),
		TEST(it_is_due_before_its_end),
		TEST(who_asks_late_renews_it_for_all),
		TEST(without_an_authority_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
