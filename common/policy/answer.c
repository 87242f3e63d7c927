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

static bool has_all(const struct policy_answer *answer)
{
	return answer->to == NULL || answer->to[0] == '\0';
}

bool answer_has(const struct policy_answer *answer, const struct outbound_route *route)
{
	return has_all(answer) || strcmp(answer->to, route->destination.name) == 0;
}

bool answer_has_listener(const struct policy_answer *answer,
			 const struct listener_route *route)
{
	for (size_t i = 0; !has_all(answer) && i < route->backend_count; i++)
		if (strcmp(answer->to, route->backends[i].name) == 0)
			return true;
	return has_all(answer);
}

const char *unresolved_name(enum unresolved mode)
{
	return mode == UNRESOLVED_RENORMALISE ? "Renormalise" : "Blackhole";
}

const char *origin_name(const struct resource *policy)
{
	return policy->origin == ORIGIN_ZONE ? "zone" : "global";
}

const char *http_path_name(enum http_path type)
{
	static const char *const NAMES[] = { [HTTP_PATH_NONE] = "",
					     [HTTP_PATH_EXACT] = "Exact",
					     [HTTP_PATH_PREFIX] = "PathPrefix",
					     [HTTP_PATH_REGEX] = "RegularExpression" };

	return NAMES[type];
}

const char *http_value_name(enum http_value type)
{
	static const char *const NAMES[] = { [HTTP_VALUE_EXACT] = "Exact",
					     [HTTP_VALUE_PRESENT] = "Present",
					     [HTTP_VALUE_REGEX] = "RegularExpression",
					     [HTTP_VALUE_ABSENT] = "Absent",
					     [HTTP_VALUE_PREFIX] = "Prefix" };

	return NAMES[type];
}
