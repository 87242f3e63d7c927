#include "policy/claims.h"

#include "policy/find.h"
#include "policy/index.h"
#include "policy/refs.h"
#include "policy/select.h"

#include <string.h>

static bool is_about(struct resolving *at, const struct resource *route,
		     const struct target_ref *target, const struct outbound_route *to)
{
	if (to->destination.object == NULL)
		return ref_is_by_name(target);
	return find_is_about(at, route, target, to->destination.object,
			     to->destination.section, to->destination.port);
}

/* True if entry has a say: about the destination, selecting the proxy, not void. */
static bool has_say(struct resolving *at, const struct entry *entry,
		    const struct outbound_route *to)
{
	const struct resource *route = entry->rank.route;

	if (!is_about(at, route, route_to(route, entry->to), to))
		return false;
	if (route->key.kind == KIND_MESH_TCP_ROUTE) {
		const struct tcp_to *item = &route->tcp_route->to[entry->to];

		/* A rule without a list, which only a store can hold, says nothing. */
		if (item->has_rule && item->ref_count == 0)
			return false;
	}
	return select_proxy(route, at->proxy, at->zone, NULL, NULL);
}

/* Those that may be about the destination: of its name, and for an object by labels. */
static struct entry_lists candidates(const struct resolving *at,
				     const struct outbound_route *to)
{
	const struct resource *object = to->destination.object;
	struct entry_name name = { at->mesh_name, to->destination.kind,
				   to->destination.name };
	struct entry_lists lists = { 0 };

	lists.each[0].items = index_entries(at->index, name, &lists.each[0].count);
	name.name = "";
	if (object != NULL)
		lists.each[1].items =
			index_entries(at->index, name, &lists.each[1].count);
	return lists;
}

static void add(struct resolving *at, struct claims *to, const struct entry *entry,
		size_t room)
{
	const struct contributor from = { entry->rank.route, entry->to };
	bool tcp = from.policy->key.kind == KIND_MESH_TCP_ROUTE;
	struct contributor **list = tcp ? &to->tcp : &to->http;
	size_t *count = tcp ? &to->tcp_count : &to->http_count;

	if (*list == NULL)
		*list = zl_arena_alloc(at->arena, room, sizeof(from));
	(*list)[(*count)++] = from;
}

struct claims claims_about(struct resolving *at, const struct outbound_route *to)
{
	struct claims claims = { 0 };
	const struct entry *entry;

	/* Nothing is about what is not there (K17). */
	if (to->destination.missing)
		return claims;
	struct entry_lists lists = candidates(at, to);
	size_t room = lists.each[0].count + lists.each[1].count;
	while ((entry = entries_next(&lists)) != NULL)
		if (has_say(at, entry, to))
			add(at, &claims, entry, room);
	return claims;
}

bool protocol_is_http(const char *protocol)
{
	static const char *const HTTP[] = { "http", "http2", "grpc" };

	for (size_t i = 0; i < sizeof(HTTP) / sizeof(HTTP[0]); i++)
		if (strcmp(protocol, HTTP[i]) == 0)
			return true;
	return false;
}

enum route_owner claims_owner(const struct claims *claims, const char *protocol)
{
	if (claims->http_count > 0 && protocol_is_http(protocol))
		return OWNER_HTTP_ROUTE;
	return claims->tcp_count > 0 ? OWNER_TCP_ROUTE : OWNER_DEFAULT;
}
