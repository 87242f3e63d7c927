#include "policy/answer.h"

#include "policy/index.h"

#include <stdlib.h>
#include <string.h>

static int by_proxy(const void *one, const void *other)
{
	const struct answered *a = one;
	const struct answered *b = other;
	const struct key *key_a = &a->routes->proxy->key;
	const struct key *key_b = &b->routes->proxy->key;
	int order = strcmp(key_a->name, key_b->name);

	return order != 0 ? order : key_compare(key_a, key_b);
}

const struct answered *answer_routes(const struct policy_answer *answer,
				     struct zl_arena *arena)
{
	struct answered *sorted =
		zl_arena_alloc(arena, answer->route_count, sizeof(*sorted));

	for (size_t i = 0; i < answer->route_count; i++)
		sorted[i].routes = answer->routes[i];
	qsort(sorted, answer->route_count, sizeof(*sorted), by_proxy);
	return sorted;
}

const char **answer_warnings(const struct policy_answer *answer, struct zl_arena *arena,
			     size_t *count)
{
	size_t room = answer->warning_count;
	size_t used = 0;

	for (size_t i = 0; i < answer->route_count; i++)
		room += answer->routes[i]->warning_count;
	const char **all = zl_arena_alloc(arena, room, sizeof(*all));

	for (size_t i = 0; i < answer->warning_count; i++)
		all[used++] = answer->warnings[i];
	for (size_t i = 0; i < answer->route_count; i++)
		for (size_t j = 0; j < answer->routes[i]->warning_count; j++)
			all[used++] = answer->routes[i]->warnings[j];
	*count = texts_sort(all, used);
	return all;
}

bool answer_has(const struct policy_answer *answer, const struct outbound_route *route)
{
	return answer->to == NULL || answer->to[0] == '\0' ||
	       strcmp(answer->to, route->destination.name) == 0;
}

const char *unresolved_name(enum unresolved mode)
{
	return mode == UNRESOLVED_RENORMALISE ? "Renormalise" : "Blackhole";
}

const char *origin_name(const struct resource *policy)
{
	return policy->origin == ORIGIN_ZONE ? "zone" : "global";
}
