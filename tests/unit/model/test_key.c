#include "support/seeds.h"
#include "support/test.h"

#include "model/entry.h"
#include "model/key.h"

#include <string.h>

static void test_kinds(void **state)
{
	(void)state;
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		const struct kind_info *info = kind_info(kind);
		assert_int_equal(info->kind, kind);
		assert_int_equal(kind_by_name(info->name), kind);
		assert_int_equal(kind_by_plural(info->plural), kind);
		assert_int_equal(kind_by_word(info->name), kind);
		assert_int_equal(kind_by_word(info->plural), kind);
		assert_false(kind_is_foreign(info->name));
	}
	/* Stored numbers. */
	assert_int_equal(kind_by_name("Mesh"), 1);
	assert_int_equal(kind_by_name("Zone"), 2);
	assert_int_equal(kind_by_name("Dataplane"), 3);
	assert_int_equal(kind_by_name("ZoneIngress"), 4);
	assert_int_equal(kind_by_name("MeshTCPRoute"), 5);
	assert_int_equal(kind_by_name("ZoneEgress"), 14);
	assert_int_equal(kind_by_name("MeshLoadBalancingStrategy"), 15);
	assert_int_equal(kind_by_name("MeshTimeout"), 16);
	assert_int_equal(kind_by_name("MeshTrafficPermission"), 21);
	assert_int_equal(kind_by_name("Timeout"), 22);
	assert_int_equal(kind_by_name("TrafficPermission"), 27);
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(kind_by_word("MTCPR"), KIND_MESH_TCP_ROUTE);
	assert_int_equal(kind_by_word("meshtcproute"), KIND_MESH_TCP_ROUTE);
	assert_int_equal(kind_by_word("dp"), KIND_DATAPLANE);
	assert_int_equal(kind_by_word("ze"), KIND_ZONE_EGRESS);
	assert_int_equal(kind_by_word("mlbs"), KIND_MESH_LOAD_BALANCING_STRATEGY);
	assert_int_equal(kind_by_word("Traffic-Route"), KIND_TRAFFIC_ROUTE);
	assert_int_equal(kind_by_word("external-service"), KIND_EXTERNAL_SERVICE);
	assert_int_equal(kind_by_word("traffic-rout"), KIND_NONE);
	assert_int_equal(kind_by_word("meshe"), KIND_NONE);
	assert_int_equal(kind_by_word(""), KIND_NONE);
	assert_int_equal(kind_by_word("mesh tcp"), KIND_NONE);
	assert_int_equal(kind_by_name("mesh"), KIND_NONE);
	assert_int_equal(kind_by_plural("Meshes"), KIND_NONE);
}

/* Policies that attach to routes stand together, and so do their legacy forms. */
static void test_attaching(void **state)
{
	(void)state;
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		const struct kind_info *info = kind_info(kind);
		bool routes = strstr(info->name, "Route") != NULL ||
			      kind == KIND_MESH_LOAD_BALANCING_STRATEGY;
		assert_int_equal(kind_attaches(kind), info->policy && !routes);
		assert_false(kind_attaches(kind) && kind_is_legacy(kind));
		if (kind_is_legacy(kind))
			assert_true(info->flat && !info->policy);
	}
	assert_true(kind_is_legacy(KIND_TIMEOUT));
	assert_true(kind_is_legacy(KIND_TRAFFIC_PERMISSION));
	assert_false(kind_is_legacy(KIND_TRAFFIC_ROUTE));
}

static void test_foreign(void **state)
{
	static const char *const THEIRS[] = {
		"MeshMetric",  "MeshIdentity",    "OPAPolicy",        "MeshOPA",
		"MeshTrace",   "RateLimit",       "DataplaneInsight", "ZoneOverview",
		"AccessAudit", "FaultInjection",  "MeshGatewayRoute", "HostnameGenerator",
		"Workload",    "MeshPassthrough", "MeshTLS",          "MeshRateLimit",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(THEIRS); i++) {
		assert_true(kind_is_foreign(THEIRS[i]));
		assert_int_equal(kind_by_name(THEIRS[i]), KIND_NONE);
	}
	assert_false(kind_is_foreign(""));
	assert_false(kind_is_foreign("Insight"));
	assert_false(kind_is_foreign("Deployment"));
	assert_false(kind_is_foreign("meshservice"));
}

static void test_bytes(void **state)
{
	const struct key key = { KIND_MESH_TCP_ROUTE, "default", "east", "", "r1" };
	static const char want[] = "\5default\0east\0\0r1";
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf bytes = { 0 };
	struct key back;

	(void)state;
	key_bytes(&key, &bytes);
	assert_int_equal(bytes.len, sizeof(want) - 1);
	assert_memory_equal(bytes.data, want, bytes.len);
	assert_int_equal(key_parse(bytes.data, bytes.len, arena, &back, NULL), ZL_OK);
	assert_int_equal(key_compare(&key, &back), 0);
	zl_buf_free(&bytes);
	zl_arena_free(&arena);
}

static void test_not_keys(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "", 0 },
		{ "\5", 1 },
		{ "\0m\0\0\0n", 6 },
		{ "\177m\0\0\0n", 6 },
		{ "\5m\0\0n", 5 },
		{ "\5m\0\0\0\0n", 7 },
		{ "\5m\0\0\0n\0", 7 },
		{ "\5m\0\0\0", 5 },
	};
	char large[ENTRY_KEY_MAX + 1] = "\5m\0\0";
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct key key;
		struct zl_err err = { 0 };
		assert_int_equal(
			key_parse(cases[i].bytes, cases[i].len, arena, &key, &err),
			ZL_ECORRUPT);
		assert_string_not_equal(err.msg, "");
		assert_int_equal(key.kind, KIND_NONE);
		assert_string_equal(key.name, "");
	}
	struct key key;
	memset(large + 5, 'n', sizeof(large) - 5);
	assert_int_equal(key_parse(large, sizeof(large), arena, &key, NULL), ZL_ECORRUPT);
	assert_int_equal(key_parse(large, sizeof(large) - 1, arena, &key, NULL), ZL_OK);
	zl_arena_free(&arena);
}

static const char *some_text(struct dice *dice)
{
	static const char *const TEXTS[] = { "", "a", "a-", "aa", "b", "\xc3\xa9", "\1" };

	return TEXTS[dice_below(dice, ARRAY_LEN(TEXTS))];
}

static struct key some_key(struct dice *dice)
{
	enum kind kind = (enum kind)(1 + dice_below(dice, KIND_END - 1));

	return (struct key){ kind, some_text(dice), some_text(dice), some_text(dice),
			     some_text(dice) };
}

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

/* The order of keys is the order of their bytes. */
static const char *run_order(uint64_t seed)
{
	struct dice dice = { seed };
	const struct key a = some_key(&dice);
	const struct key b = some_key(&dice);
	struct zl_buf left = { 0 };
	struct zl_buf right = { 0 };

	key_bytes(&a, &left);
	key_bytes(&b, &right);
	size_t len = left.len < right.len ? left.len : right.len;
	int order = memcmp(left.data, right.data, len);
	if (order == 0)
		order = (left.len > right.len) - (left.len < right.len);
	bool same = sign(order) == sign(key_compare(&a, &b));
	zl_buf_free(&left);
	zl_buf_free(&right);
	return same ? NULL : "key_compare and the bytes differ";
}

static void test_order(void **state)
{
	(void)state;
	seeds_run(20000, run_order);
}

static void test_kri(void **state)
{
	static const struct {
		struct key key;
		const char *section, *want;
	} cases[] = {
		{ { KIND_MESH_TCP_ROUTE, "default", "", "", "route-1" },
		  "rule_0",
		  "kri_mtcpr_default___route-1_rule_0" },
		{ { KIND_DATAPLANE, "default", "east", "kuma-demo", "backend" },
		  "80",
		  "kri_dp_default_east_kuma-demo_backend_80" },
		{ { KIND_MESH, "", "", "", "default" }, "", "kri_m____default_" },
		{ { KIND_ZONE, "", "", "", "east" }, "", "kri_zones____east_" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct zl_buf kri = { 0 };
		key_kri(&cases[i].key, cases[i].section, &kri);
		assert_string_equal(zl_buf_text(&kri), cases[i].want);
		zl_buf_free(&kri);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),     cmocka_unit_test(test_words),
		cmocka_unit_test(test_attaching), cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_bytes),     cmocka_unit_test(test_not_keys),
		cmocka_unit_test(test_order),     cmocka_unit_test(test_kri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
