#include "support/test.h"
#include "support/world.h"

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Random meshes against the plainest way to say the same: walk all entries of all
 * routes, keep those about the destination whose route selects the proxy, put them in
 * order one by one. And the documents come in any order. */

enum { ROUTES = 12, ENTRIES_MAX = ROUTES * 3 };

static void random_route(struct dice *dice, unsigned number, struct zl_buf *out)
{
	static const char *const TOPS[] = {
		"{kind: Mesh}",
		"{kind: Dataplane}",
		"{kind: Dataplane, labels: {app: a0}}",
		"{kind: MeshSubset, tags: {version: v1}}",
		"{kind: MeshService, name: s0}",
		"{kind: MeshServiceSubset, name: s1, tags: {version: v0}}",
	};
	static const char *const LABELS[] = { "",
					      "kuma.io/origin: zone, kuma.io/zone: east",
					      "kuma.io/origin: zone, kuma.io/zone: west",
					      "kuma.io/effect: shadow",
					      "kuma.io/origin: zone" };
	unsigned entries = 1 + (unsigned)dice_below(dice, 3);

	zl_buf_format(out,
		      "---\n{type: MeshTCPRoute, name: r-%u, labels: {%s}, spec: "
		      "{targetRef: %s, to: [",
		      number, LABELS[dice_below(dice, ARRAY_LEN(LABELS))],
		      TOPS[dice_below(dice, ARRAY_LEN(TOPS))]);
	for (unsigned i = 0; i < entries; i++) {
		zl_buf_format(out, "{targetRef: {kind: MeshService, name: s%u}, rules: ",
			      (unsigned)dice_below(dice, 3));
		if (dice_chance(dice, 20))
			zl_buf_str(out, "[]}, ");
		else
			zl_buf_format(
				out,
				"[{default: {backendRefs: [{kind: MeshService, name: "
				"s%u, weight: %u}]}}]}, ",
				(unsigned)dice_below(dice, 4), number * 10 + i);
	}
	zl_buf_str(out, "]}}\n");
}

static char *random_world(struct dice *dice)
{
	struct zl_buf out = { 0 };

	for (unsigned i = 0; i < 4; i++)
		zl_buf_format(
			&out,
			"---\n{type: Dataplane, name: d%u, labels: {app: a%u}, "
			"networking: {address: 10.0.0.%u, inbound: [{port: 80, tags: "
			"{kuma.io/service: s%u, version: v%u}}], outbound: [{port: 1, "
			"tags: {kuma.io/service: s%u}}]}}\n",
			i, i % 2, i, i % 3, (unsigned)dice_below(dice, 2),
			(unsigned)dice_below(dice, 3));
	for (unsigned i = 0; i < ROUTES; i++)
		random_route(dice, i, &out);
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static bool selected(const struct routes *routes, const struct resource *route)
{
	for (size_t i = 0; i < routes->considered_count; i++)
		if (routes->considered[i].policy == route)
			return routes->considered[i].selected;
	return false;
}

static size_t expected(const struct world *world, const struct routes *routes,
		       const char *service, struct contributor *to)
{
	struct set_iter each = set_each(world->set, KIND_MESH_TCP_ROUTE, "default");
	const struct resource *route;
	size_t count = 0;

	while ((route = set_next(&each)) != NULL)
		for (size_t i = 0; i < route->tcp_route->to_count; i++) {
			size_t place = count;

			if (!selected(routes, route) ||
			    strcmp(route->tcp_route->to[i].target.name, service) != 0)
				continue;
			for (; place > 0 &&
			       policy_compare_entries(to[place - 1].policy,
						      to[place - 1].to, route, i) > 0;
			     place--)
				to[place] = to[place - 1];
			to[place] = (struct contributor){ route, i };
			count++;
		}
	return count;
}

static const char *check_proxy(const struct world *world, const struct routes *routes)
{
	const struct outbound_route *route = &routes->outbounds[0];
	struct contributor want[ENTRIES_MAX];
	size_t count = expected(world, routes, route->destination.name, want);

	if (route->policy_count != count)
		return "not the policies that select it";
	for (size_t i = 0; i < count; i++)
		if (route->policies[i].policy != want[i].policy ||
		    route->policies[i].to != want[i].to)
			return "not in their order";
	if (count == 0)
		return route->owner == OWNER_DEFAULT ? NULL : "owned by nobody";

	const struct contributor *last = &want[count - 1];
	const struct tcp_to *winner = &last->policy->tcp_route->to[last->to];
	const struct backend *first = &route->backends[0];
	if (!winner->has_rule)
		return strcmp(first->name, route->destination.name) == 0 &&
				       first->weight == 1 && first->resolved
			       ? NULL
			       : "no way to itself";
	return route->backend_count == winner->ref_count &&
			       first->weight == winner->refs[0].weight
		       ? NULL
		       : "not the winner's list";
}

static char *answer_of(const struct world *world, const char **wrong)
{
	static const struct policy_options EXPLAIN = { .explain = true };
	struct policy_index *index = policy_index_new(world->set, "east");
	struct inventory *inventory = inventory_build(world->set, "east");
	const struct routes *routes[4];
	struct zl_buf out = { 0 };

	for (unsigned i = 0; i < ARRAY_LEN(routes); i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "d%u", i);
		routes[i] = policy_resolve(index, inventory,
					   world_get(world, KIND_DATAPLANE, name),
					   &EXPLAIN, world->arena);
		if (*wrong == NULL)
			*wrong = check_proxy(world, routes[i]);
	}
	const struct policy_answer answer = { .zone = "east",
					      .mesh = "default",
					      .routes = routes,
					      .route_count = ARRAY_LEN(routes) };
	policy_json(&answer, &out);
	policy_text(&answer, &out);
	policy_index_drop(&index);
	inventory_drop(&inventory);
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static const char *one_world(uint64_t seed)
{
	struct dice dice = { seed };
	char *yaml = random_world(&dice);
	struct world world = world_of(yaml, "", NULL);
	struct world shuffled = world_of(yaml, "", &dice);
	const char *wrong = NULL;
	char *first = answer_of(&world, &wrong);
	char *second = answer_of(&shuffled, &wrong);

	if (wrong == NULL && strcmp(first, second) != 0)
		wrong = "the order of documents matters";
	free(first);
	free(second);
	free(yaml);
	world_end(&world);
	world_end(&shuffled);
	return wrong;
}

static void against_the_plainest_way(void **state)
{
	(void)state;
	seeds_run(300, one_world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_the_plainest_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
