/* Which other zones nothing reaches, and why. */
#include "support/test.h"
#include "unit/policy/east.h"

#include <string.h>

#define ZONE(name, more) "---\n{type: Zone, name: " name more "}\n"
#define INGRESS(name, zone, more)                              \
	"---\n{type: ZoneIngress, name: " name ", zone: " zone \
	", networking: {address: "                             \
	"10.0.0.2, port: 1" more "}}\n"
#define ADVERTISED ", advertisedAddress: 1.1.1.9, advertisedPort: 2"

/* What is said of other zones about mesh, seen from east. */
static void expect(const char *yaml, const char *mesh, const char *want)
{
	struct tools tools = tools_of(BASE, yaml, NULL);
	struct zl_buf text = { 0 };
	size_t count;
	const char *const *notes = policy_unreached(tools.world.set, "east", mesh,
						    tools.world.arena, &count);

	for (size_t i = 0; i < count; i++)
		zl_buf_format(&text, "%s\n", notes[i]);
	assert_string_equal(zl_buf_text(&text), want);
	zl_buf_free(&text);
	tools_end(&tools);
}

static void zones_that_are_reached(void **state)
{
	(void)state;
	expect("", "default", "");
	expect(ZONE("east", "") ZONE("west", ""), "default", "");
	/* One advertised ingress is enough, and one that offers something. */
	expect(ZONE("west", "") INGRESS("a", "west", ""), "default", "");
	expect(ZONE("west", "") INGRESS("a", "west", ADVERTISED)
		       INGRESS("x", "west", ADVERTISED),
	       "default", "");
}

static void zones_that_are_not(void **state)
{
	(void)state;
	expect(ZONE("apac", ""), "default",
	       "nothing in zone \"apac\" is reached: it has no ZoneIngress\n");
	expect(ZONE("apac", "") INGRESS("a", "apac", ""), "default",
	       "nothing in zone \"apac\" is reached: no ZoneIngress of it has an "
	       "advertised address (networking.advertisedAddress, advertisedPort)\n");
	expect(ZONE("apac", "") INGRESS("a", "apac", ADVERTISED), "default",
	       "nothing in zone \"apac\" is reached: it offers nothing in mesh "
	       "\"default\"\n");
	expect(ZONE("west", ", enabled: false") ZONE("apac", ""), "other",
	       "nothing in zone \"apac\" is reached: it has no ZoneIngress\n"
	       "nothing in zone \"west\" is reached: it is disabled, and what it offers "
	       "withdrawn\n");
	expect(ZONE("west", ""), "other",
	       "nothing in zone \"west\" is reached: it offers nothing in mesh "
	       "\"other\"\n");
}

static void they_stand_before_the_warnings(void **state)
{
	const struct policy_answer answer = {
		.zone = "east",
		.mesh = "default",
		.unreached = (const char *const[]){ "far", "away" },
		.unreached_count = 2,
		.warnings = (const char *const[]){ "one" },
		.warning_count = 1,
	};
	struct zl_buf out = { 0 };

	(void)state;
	policy_text(&answer, &out);
	assert_string_equal(zl_buf_text(&out),
			    "Other zones\n  far\n  away\n\nWarnings\n  one\n");
	zl_buf_free(&out);
	policy_json(&answer, &out);
	assert_null(strstr(zl_buf_text(&out), "far"));
	zl_buf_free(&out);
}

static void they_stand_behind_the_proxies(void **state)
{
	struct tools tools = tools_of(BASE, "", NULL);
	const struct routes *routes = resolve(&tools, "web");
	const struct policy_answer answer = {
		.zone = "east",
		.mesh = "default",
		.routes = &routes,
		.route_count = 1,
		.unreached = (const char *const[]){ "far" },
		.unreached_count = 1,
	};
	struct zl_buf out = { 0 };

	(void)state;
	policy_text(&answer, &out);
	assert_non_null(strstr(zl_buf_text(&out), "\n\nOther zones\n  far\n"));
	zl_buf_free(&out);
	tools_end(&tools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_that_are_reached),
		cmocka_unit_test(zones_that_are_not),
		cmocka_unit_test(they_stand_before_the_warnings),
		cmocka_unit_test(they_stand_behind_the_proxies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
