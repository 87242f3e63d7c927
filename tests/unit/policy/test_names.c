#include "support/test.h"

#include "policy/policy.h"

#include <string.h>

/* spec 5.5: recomputed independently, all match the goldens. */
/* clang-format off */
static const struct {
	const char *service;
	struct label tags[3];
	size_t count;
	const char *cluster;
} VECTORS[] = {
	{ "backend_kuma-demo_svc_3001", { { 0 } }, 0, "backend_kuma-demo_svc_3001" },
	{ "backend", { { "region", "eu" } }, 1, "backend-bb38a94289f18fb9" },
	{ "backend", { { "region", "us" } }, 1, "backend-c72efb5be46fae6b" },
	{ "backend", { { "kuma.io/zone", "zone-2" } }, 1, "backend-2b611f76b3120455" },
	{ "backend_kuma-demo_svc_3001", { { "version", "v0" } }, 1,
	  "backend_kuma-demo_svc_3001-dc9a84cea6402967" },
	{ "backend_kuma-demo_svc_3001", { { "version", "v1" } }, 1,
	  "backend_kuma-demo_svc_3001-c8bdd2d2beb2b7ed" },
	{ "backend_kuma-demo_svc_3001",
	  { { "kuma.io/zone", "kuma-2" }, { "version", "v1" } }, 2,
	  "backend_kuma-demo_svc_3001-28b2c53d28584fd1" },
	{ "backend", { { "app", "x" }, { "region", "eu" } }, 2,
	  "backend-ada25f110fe15bfb" },
	/* The name of a ref wins over what its tags say. */
	{ "backend", { { "kuma.io/service", "other" }, { "region", "eu" } }, 2,
	  "backend-bb38a94289f18fb9" },
	{ "backend", { { "kuma.io/service", "other" } }, 1, "backend" },
};
/* clang-format on */

static void clusters_of_subsets(void **state)
{
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++)
		assert_string_equal(
			policy_cluster_name(
				VECTORS[i].service,
				(struct labels){ VECTORS[i].tags, VECTORS[i].count },
				arena),
			VECTORS[i].cluster);
	zl_arena_free(&arena);
}

static void names_of_values(void **state)
{
	(void)state;
	assert_string_equal(via_name(VIA_DIRECT), "direct");
	assert_string_equal(via_name(VIA_INGRESS), "ingress");
	assert_string_equal(via_name(VIA_EGRESS), "egress");
	assert_string_equal(via_name(VIA_EXTERNAL), "external");
	assert_string_equal(route_owner_name(OWNER_DEFAULT), "default");
	assert_string_equal(route_owner_name(OWNER_TCP_ROUTE), "MeshTCPRoute");
}

/* ---- split_of: each letter is a backend of weight 10 to that cluster; '!' is one that
 * is not resolved, '0' one of weight 0. ---- */
/* clang-format off */
static const struct {
	const char *backends;
	enum unresolved mode;
	const char *parts; /* cluster letter, or '!' for the blackhole, and weight */
} SPLITS[] = {
	{ "a",     UNRESOLVED_BLACKHOLE,   "a10" },
	{ "ab",    UNRESOLVED_BLACKHOLE,   "a10 b10" },
	{ "ba",    UNRESOLVED_BLACKHOLE,   "b10 a10" },
	{ "aba",   UNRESOLVED_BLACKHOLE,   "a20 b10" },
	{ "a0",    UNRESOLVED_BLACKHOLE,   "a10" },
	{ "00",    UNRESOLVED_BLACKHOLE,   "!1" },
	{ "0",     UNRESOLVED_RENORMALISE, "!1" },
	{ "a!",    UNRESOLVED_BLACKHOLE,   "a10 !10" },
	{ "!a!b",  UNRESOLVED_BLACKHOLE,   "!20 a10 b10" },
	{ "!!",    UNRESOLVED_BLACKHOLE,   "!20" },
	{ "a!",    UNRESOLVED_RENORMALISE, "a10" },
	{ "a!b!a", UNRESOLVED_RENORMALISE, "a20 b10" },
	{ "!!",    UNRESOLVED_RENORMALISE, "!1" },
};
/* clang-format on */

static void what_envoy_does_with_the_shares(void **state)
{
	static const char NAMES[][2] = { "a", "b" };
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(SPLITS); i++) {
		struct backend backends[8] = { 0 };
		size_t count = strlen(SPLITS[i].backends);
		size_t part_count;
		struct zl_buf out = { 0 };

		for (size_t j = 0; j < count; j++) {
			char letter = SPLITS[i].backends[j];

			backends[j].weight = letter == '0' ? 0 : 10;
			backends[j].resolved = letter == 'a' || letter == 'b';
			backends[j].cluster =
				backends[j].resolved ? NAMES[letter - 'a'] : "";
		}
		const struct part *parts =
			split_of(SPLITS[i].mode, backends, count, arena, &part_count);
		for (size_t j = 0; j < part_count; j++)
			zl_buf_format(&out, "%s%s%u", j == 0 ? "" : " ",
				      parts[j].backend == NULL
					      ? "!"
					      : parts[j].backend->cluster,
				      (unsigned)parts[j].weight);
		assert_string_equal(zl_buf_text(&out), SPLITS[i].parts);
		zl_buf_free(&out);
	}
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clusters_of_subsets),
		cmocka_unit_test(names_of_values),
		cmocka_unit_test(what_envoy_does_with_the_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
