/* What becomes of the MeshServices of a zone, step by step as its Dataplanes come and
 * go. */
#include "zone/services/plan.h"

#include "support/world.h"

#include <stdlib.h>

enum { GRACE_S = 3600 };

#define MESH(mode) "{type: Mesh, name: default, meshServices: {mode: " mode "}}\n---\n"
#define OWN "labels: {kuma.io/origin: zone, kuma.io/zone: east}"
#define DP(name, service, port, more)                                               \
	"{type: Dataplane, name: " name ", " OWN ", networking: {address: 10.0.0.1" \
	", inbound: [{port: " port ", tags: {kuma.io/service: " service "}" more    \
	"}]}}\n---\n"
#define MS(name, labels, ports)                                               \
	"{type: MeshService, name: " name ", labels: {kuma.io/origin: zone, " \
	"kuma.io/zone: " labels                                               \
	"}, spec: {selector: {dataplaneTags: {kuma.io/service: " name         \
	"}}, ports: " ports "}}\n---\n"

struct fixture {
	struct set *written; /* held; all but what was derived */
	struct set *local;   /* held; derived, and what people wrote in the store */
	struct inventory *inventory;
	struct set *all;    /* of the last step, as inventory */
	struct set *states; /* held */
	uint64_t rev, now_s, again_s;
	struct zl_buf told;
	struct zl_buf warnings;
};

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));

	fix->written = set_empty();
	fix->local = set_empty();
	fix->states = set_empty();
	fix->now_s = 1800000000;
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	set_drop(&fix->written);
	set_drop(&fix->local);
	set_drop(&fix->states);
	set_drop(&fix->all);
	inventory_drop(&fix->inventory);
	zl_buf_free(&fix->told);
	zl_buf_free(&fix->warnings);
	free(fix);
	return 0;
}

static void note(void *ctx, const char *text)
{
	struct fixture *fix = ctx;

	zl_buf_format(&fix->warnings, "%s\n", text);
}

static void copy(struct set_edit *edit, const struct set *from)
{
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(from, (enum kind)kind, NULL);
		const struct resource *res;
		while ((res = set_next(&each)) != NULL)
			set_put(edit, res);
	}
}

static void differ(void *ctx, const struct resource *old, const struct resource *now)
{
	if (now != NULL)
		set_put(ctx, now);
	else
		(void)set_del(ctx, &old->key);
}

/* What the zone knows: the store, and what was written elsewhere before it. It shares
 * with the last what is the same. */
static struct set *all_of(const struct fixture *fix)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	copy(edit, fix->local);
	copy(edit, fix->written);
	struct set *whole = set_done(&edit);
	edit = set_edit(fix->all != NULL ? fix->all : empty);
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
		set_diff(fix->all != NULL ? fix->all : empty, whole, (enum kind)kind,
			 differ, edit);
	set_drop(&whole);
	set_drop(&empty);
	return set_done(&edit);
}

static void do_plan(struct fixture *fix, const struct services_plan *plan)
{
	struct set_edit *edit = set_edit(fix->local);

	for (size_t i = 0; i < plan->count; i++) {
		const struct services_change *one = &plan->items[i];
		const struct resource *old = set_get(fix->local, &one->key);
		assert_true(one->rev == (old != NULL ? old->mod_rev : 0));
		if (one->now == NULL) {
			zl_buf_format(&fix->told, "-%s ", one->key.name);
			assert_true(set_del(edit, &one->key));
			continue;
		}
		const char *grace = labels_get(one->now->labels, LABEL_GRACE);
		zl_buf_format(&fix->told, "%s%s", grace != NULL ? "~" : "+",
			      one->key.name);
		for (size_t j = 0; j < one->now->mesh_service->port_count; j++)
			zl_buf_format(&fix->told, ":%u",
				      one->now->mesh_service->ports[j].port);
		zl_buf_char(&fix->told, ' ');
		one->now->mod_rev = ++fix->rev;
		set_put(edit, one->now);
	}
	set_drop(&fix->local);
	fix->local = set_done(&edit);
}

/* One look at yaml, and what was derived so far; what it did, in words. */
static const char *look(struct fixture *fix, const char *yaml)
{
	struct services_plan *plan = zl_alloc(1, sizeof(*plan));

	if (yaml != NULL) {
		struct world world = world_of(yaml, "", NULL);
		set_drop(&fix->written);
		fix->written = set_hold(world.set);
		world_end(&world);
	}
	struct set *all = all_of(fix);
	struct inventory *inventory = fix->inventory != NULL
					      ? inventory_update(fix->inventory, all)
					      : inventory_build(all, "east");
	const struct services_view view = { inventory,  all,    fix->inventory, fix->all,
					    fix->local, "east", fix->now_s,     GRACE_S,
					    note,       fix };
	zl_buf_free(&fix->told);
	zl_buf_free(&fix->warnings);
	struct set *states = services_decide(&view, fix->states, plan);
	set_drop(&fix->states);
	fix->states = states;
	do_plan(fix, plan);
	fix->again_s = plan->again_s;
	services_plan_free(plan);
	free(plan);
	inventory_drop(&fix->inventory);
	set_drop(&fix->all);
	fix->inventory = inventory;
	fix->all = all;
	return zl_buf_text(&fix->told);
}

static void objects_follow_dataplanes(void **state)
{
	struct fixture *fix = *state;

	assert_string_equal(look(fix, MESH("Everywhere") DP("a", "web", "80", "")
					      DP("b", "db", "1", ", state: NotReady")),
			    "+db:1 +web:80 ");
	assert_string_equal(look(fix, NULL), ""); /* nothing new */
	assert_string_equal(look(fix,
				 MESH("Everywhere") DP("a", "web", "80", "")
					 DP("b", "db", "1", "") DP("c", "web", "81", "")),
			    "+web:80:81 ");
	assert_string_equal(look(fix, MESH("Everywhere") DP("b", "db", "1", "")
					      DP("c", "web", "81", "")),
			    "+web:81 ");
	assert_int_equal(fix->again_s, 0);
}

static void the_mode_decides(void **state)
{
	struct fixture *fix = *state;

	assert_string_equal(look(fix, DP("a", "web", "80", "")), "");
	assert_string_equal(look(fix, MESH("Disabled") DP("a", "web", "80", "")), "");
	assert_string_equal(look(fix, MESH("Exclusive") DP("a", "web", "80", "")),
			    "+web:80 ");
	assert_string_equal(look(fix, MESH("ReachableBackends") DP("a", "web", "80", "")),
			    "");
	/* Without Dataplanes too it goes at once. */
	assert_string_equal(look(fix, MESH("Everywhere")), "~web:80 ");
	assert_string_equal(look(fix, MESH("Disabled")), "-web ");
	assert_string_equal(look(fix, MESH("Everywhere") DP("a", "web", "80", "")),
			    "+web:80 ");
	assert_string_equal(look(fix, MESH("Disabled") DP("a", "web", "80", "")),
			    "-web ");
	assert_string_equal(look(fix, NULL), "");
}

static void the_grace(void **state)
{
	struct fixture *fix = *state;
	const struct key key = { KIND_MESH_SERVICE, "default", "east", "", "web" };

	(void)look(fix, MESH("Everywhere") DP("a", "web", "80", ""));
	assert_string_equal(look(fix, MESH("Everywhere")), "~web:80 ");
	assert_string_equal(labels_get(set_get(fix->local, &key)->labels, LABEL_GRACE),
			    "20270115T080000Z");
	assert_int_equal(fix->again_s, GRACE_S);
	fix->now_s += GRACE_S - 10;
	assert_string_equal(look(fix, NULL), "");
	assert_int_equal(fix->again_s, 10);
	/* A Dataplane is back: no trace of it, and the next time it is the whole grace.
	 */
	assert_string_equal(look(fix, MESH("Everywhere") DP("a", "web", "80", "")),
			    "+web:80 ");
	assert_null(labels_get(set_get(fix->local, &key)->labels, LABEL_GRACE));
	fix->now_s += 20;
	assert_string_equal(look(fix, MESH("Everywhere")), "~web:80 ");
	assert_int_equal(fix->again_s, GRACE_S);
	fix->now_s += GRACE_S;
	assert_string_equal(look(fix, NULL), "-web ");
	assert_int_equal(fix->again_s, 0);
	assert_string_equal(look(fix, NULL), "");
}

static void a_clock_put_back_begins_the_grace_anew(void **state)
{
	struct fixture *fix = *state;

	(void)look(fix, MESH("Everywhere") DP("a", "web", "80", ""));
	(void)look(fix, MESH("Everywhere"));
	fix->now_s -= 7200;
	assert_string_equal(look(fix, NULL), "~web:80 ");
	assert_int_equal(fix->again_s, GRACE_S);
}

static void what_people_wrote_is_never_touched(void **state)
{
	struct fixture *fix = *state;
#define BOTH MESH("Everywhere") DP("a", "web", "80", "") DP("b", "db", "1", "")

	/* In the store: it stands where the derived one would. */
	struct world world = world_of(MS("web", "east", "[{port: 9}]"), "", NULL);
	set_drop(&fix->local);
	fix->local = set_hold(world.set);
	world_end(&world);
	assert_string_equal(look(fix, BOTH), "+db:1 ");
	assert_string_equal(look(fix, MESH("Disabled")), "-db ");
	assert_int_equal(set_count(fix->local, KIND_MESH_SERVICE), 1);
	assert_string_equal(look(fix, BOTH), "+db:1 ");
	/* In a file: the derived one gives way, and comes back after it. */
	assert_string_equal(look(fix, BOTH MS("db", "east", "[{port: 7}]")), "-db ");
	assert_string_equal(look(fix, NULL), "");
	assert_string_equal(look(fix, BOTH), "+db:1 ");
	/* Another zone's is another one. */
	assert_string_equal(look(fix, BOTH MS("db", "west", "[{port: 7}]")), "");
	/* Written by hand over the derived one, in the store. */
	struct set_edit *edit = set_edit(fix->local);
	world = world_of(MS("db", "east", "[{port: 5}]"), "", NULL);
	set_put(edit, world_get(&world, KIND_MESH_SERVICE, "db"));
	world_end(&world);
	set_drop(&fix->local);
	fix->local = set_done(&edit);
	assert_string_equal(look(fix, BOTH), "");
	assert_string_equal(look(fix, MESH("Everywhere")), "");
}

static void a_name_that_no_object_may_have(void **state)
{
	struct fixture *fix = *state;

	assert_string_equal(look(fix, MESH("Everywhere") DP("a", "web_1", "80", "")), "");
	assert_non_null(strstr(zl_buf_text(&fix->warnings), "\"web_1\""));
	assert_string_equal(look(fix, NULL), "");
	assert_string_equal(zl_buf_text(&fix->warnings), ""); /* said once */
}

static void many_come_in_parts(void **state)
{
	struct fixture *fix = *state;
	struct zl_buf yaml = { 0 };
	char *text;

	zl_buf_str(&yaml, MESH("Everywhere"));
	for (int i = 0; i < SERVICES_AT_ONCE + 20; i++) {
		text = zl_format("{type: Dataplane, name: d%d, " OWN
				 ", networking: {address: 10.0.0.1, inbound: [{port: 80, "
				 "tags: {kuma.io/service: s%d}}]}}\n---\n",
				 i, i);
		zl_buf_str(&yaml, text);
		free(text);
	}
	(void)look(fix, zl_buf_text(&yaml));
	assert_int_equal(set_count(fix->local, KIND_MESH_SERVICE), SERVICES_AT_ONCE);
	inventory_drop(&fix->inventory); /* as who was told that there is more */
	set_drop(&fix->all);
	(void)look(fix, NULL);
	assert_int_equal(set_count(fix->local, KIND_MESH_SERVICE), SERVICES_AT_ONCE + 20);
	zl_buf_free(&yaml);
}

/* ---- state and identities ---- */
static const char *state_of(const struct fixture *fix, const char *name)
{
	const struct key key = { KIND_MESH_SERVICE, "default", "east", "", name };
	const struct resource *res = set_get(fix->states, &key);
	const char *spec = res != NULL ? strstr(res->json, "\"spec\":") : NULL;

	return spec != NULL ? spec : "";
}

#define STATE(identities, state)                                             \
	"\"spec\":{\"identities\":[" identities "],\"state\":\"" state "\"}" \
	",\"type\":\"MeshService\"}"
#define TAG(value) "{\"type\":\"ServiceTag\",\"value\":\"" value "\"}"

static void state_and_identities(void **state)
{
	struct fixture *fix = *state;
#define TWO MS("web", "east", "[{port: 80}, {port: 81}]")

	(void)look(fix, TWO);
	assert_string_equal(state_of(fix, "web"), STATE("", "Unavailable"));
	(void)look(fix, TWO DP("a", "web", "80", ""));
	assert_string_equal(state_of(fix, "web"), STATE(TAG("web"), "Unavailable"));
	(void)look(fix, TWO DP("a", "web", "80", "") DP("b", "web", "81",
							", state: "
							"NotReady"));
	assert_string_equal(state_of(fix, "web"), STATE(TAG("web"), "Unavailable"));
	(void)look(fix, TWO DP("a", "web", "80", ", state: NotReady")
				DP("b", "web", "81", ""));
	assert_string_equal(state_of(fix, "web"), STATE(TAG("web"), "Unavailable"));
	struct set *before = set_hold(fix->states);
	(void)look(fix, NULL);
	assert_true(set_same_kind(before, fix->states, KIND_MESH_SERVICE));
	set_drop(&before);
	(void)look(fix, TWO DP("a", "web", "80", "") DP("b", "web", "81", ""));
	assert_string_equal(state_of(fix, "web"), STATE(TAG("web"), "Available"));
	/* All that a matched proxy proves, each once. */
	(void)look(fix,
		   TWO "{type: Dataplane, name: c, " OWN
		       ", networking: {address: 10.0.0.1, inbound: [{port: 80, tags: "
		       "{kuma.io/service: web}}, {port: 81, tags: {kuma.io/service: "
		       "web}}, {port: 7, tags: {kuma.io/service: admin}}]}}");
	assert_string_equal(state_of(fix, "web"),
			    STATE(TAG("admin") "," TAG("web"), "Available"));
	(void)look(fix, DP("a", "web", "80", ""));
	assert_string_equal(state_of(fix, "web"), "");
	/* Without ports nothing is available; another zone's is that one's word. */
	(void)look(fix, MS("web", "east", "[]") MS("db", "west", "[{port: 1}]")
				DP("a", "web", "80", ""));
	assert_string_equal(state_of(fix, "web"), STATE("", "Unavailable"));
	assert_int_equal(set_count(fix->states, KIND_MESH_SERVICE), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(objects_follow_dataplanes),
		TEST(the_mode_decides),
		TEST(the_grace),
		TEST(a_clock_put_back_begins_the_grace_anew),
		TEST(what_people_wrote_is_never_touched),
		TEST(a_name_that_no_object_may_have),
		TEST(many_come_in_parts),
		TEST(state_and_identities),
	};
	return cmocka_run_group_tests_name("zone_services/plan", tests, NULL, NULL);
}
