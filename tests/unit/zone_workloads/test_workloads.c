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
	expect_same(first, identity(rig, WEB, 1, 0, 3600000), false);
	while (workloads_counts(rig->workloads).held == 2)
		loop_run(rig->loop);
	assert_int_equal(workloads_counts(rig->workloads).held, 1);
	assert_int_equal(workloads_counts(rig->workloads).made, 3);
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
	assert_int_equal(workloads_counts(rig->workloads).held, 0); /* it is over */
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

/* The content of a Secret: the part of the authority that it is named by, if it is m's.
 */
static bool read_secret(void *owner, const char *mesh, const char *name,
			struct zl_buf *content)
{
	const struct rig *rig = owner;

	if (strcmp(mesh, "m") != 0)
		return false;
	zl_buf_str(content, strstr(name, "-key-") != NULL ? rig->key[0] : rig->chain[0]);
	return true;
}

/* Ask for the identity of a zone's egress in mesh; true: there is one. */
static bool answer(struct rig *rig, const char *mesh_name, const struct mesh_spec *mesh,
		   struct envoy_identity *out)
{
	char *uri = zl_format("spiffe://%s/zone-egress", mesh_name);
	const char *const uris[] = { uri };
	const struct envoy_holder holder = { mesh_name, mesh, uris, 1 };
	bool has = workloads_answer(rig->workloads, &holder, out);

	free(uri);
	return has;
}

static void identity_fini(struct envoy_identity *identity)
{
	zl_buf_free(&identity->chain);
	zl_buf_free(&identity->key);
	zl_buf_free(&identity->roots);
}

/* It is due and the authority is away: what there is is shown, and tried again. */
static void the_last_one_is_shown_on(void **state)
{
	struct rig *rig = *state;
	const struct mesh_backend signs[] = {
		{ .name = "ca", .type = "builtin", .mode = "STRICT", .cert_ms = 10000 },
	};
	const struct mesh_spec m = { .mtls_backend = "ca",
				     .backends = signs,
				     .backend_count = 1 };
	struct envoy_identity first = { 0 };
	struct envoy_identity last = { 0 };
	struct envoy_identity next = { 0 };
	char *right = rig->key[0];

	workloads_close(&rig->workloads);
	rig->workloads = workloads_open(&(struct workloads_setup){
		.loop = rig->loop, .read = read_secret, .due = on_due, .owner = rig });
	assert_true(answer(rig, "m", &m, &first));
	loop_run(rig->loop);
	assert_int_equal(rig->due, 1);
	rig->key[0] = rig->key[1];
	assert_true(answer(rig, "m", &m, &last));
	assert_string_equal(zl_buf_text(&first.chain), zl_buf_text(&last.chain));
	rig->key[0] = right;
	loop_run(rig->loop);
	assert_int_equal(rig->due, 2);
	assert_true(answer(rig, "m", &m, &next));
	assert_string_not_equal(zl_buf_text(&first.chain), zl_buf_text(&next.chain));
	identity_fini(&first);
	identity_fini(&last);
	identity_fini(&next);
}

/* A proxy of the zone has one in each mesh, each by the authority of that mesh. */
static void one_identity_in_each_mesh(void **state)
{
	struct rig *rig = *state;
	const struct mesh_backend signs[] = {
		{ .name = "ca", .type = "builtin", .mode = "STRICT", .cert_ms = DAY_MS },
	};
	const struct mesh_backend other[] = {
		{ .name = "own",
		  .type = "provided",
		  .mode = "STRICT",
		  .cert_ms = DAY_MS,
		  .conf = { .cert = { "", rig->chain[1] }, .key = { "", rig->key[1] } } },
	};
	const struct mesh_spec m = { .mtls_backend = "ca",
				     .backends = signs,
				     .backend_count = 1 };
	const struct mesh_spec n = { .mtls_backend = "own",
				     .backends = other,
				     .backend_count = 1 };
	struct envoy_identity in_m = { 0 };
	struct envoy_identity in_n = { 0 };
	struct envoy_identity late = { 0 };

	workloads_close(&rig->workloads);
	rig->workloads = workloads_open(&(struct workloads_setup){
		.loop = rig->loop, .read = read_secret, .due = on_due, .owner = rig });
	assert_true(answer(rig, "m", &m, &in_m));
	assert_true(answer(rig, "n", &n, &in_n));
	assert_string_not_equal(zl_buf_text(&in_m.chain), zl_buf_text(&in_n.chain));
	assert_non_null(strstr(zl_buf_text(&in_m.roots), rig->chain[0]));
	assert_null(strstr(zl_buf_text(&in_m.roots), rig->chain[1]));
	assert_non_null(strstr(zl_buf_text(&in_n.roots), rig->chain[1]));
	assert_int_equal(workloads_counts(rig->workloads).held, 2);
	/* Its authority is not here yet. */
	assert_false(answer(rig, "late", &m, &late));
	assert_int_equal(workloads_counts(rig->workloads).held, 2);
	identity_fini(&in_m);
	identity_fini(&in_n);
	identity_fini(&late);
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
		TEST(one_identity_in_each_mesh),
		TEST(the_last_one_is_shown_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
