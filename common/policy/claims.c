#include "policy/claims.h"

#include "policy/index.h"
#include "policy/refs.h"
#include "policy/select.h"

#include <string.h>

/* True if entry has a say: about the destination, selecting the proxy, not void. */
static bool has_say(const struct resolving *at, const struct entry *entry)
{
	const struct resource *route = entry->rank.route;

	if (!ref_is_by_name(route_to(route, entry->to)))
		return false;
	if (route->key.kind == KIND_MESH_TCP_ROUTE) {
		const struct tcp_to *to = &route->tcp_route->to[entry->to];

		/* A rule without a list, which only a store can hold, says nothing. */
		if (to->has_rule && to->ref_count == 0)
			return false;
	}
	return select_proxy(route, at->proxy, at->zone, NULL, NULL);
}

struct claims claims_about(struct resolving *at, const struct outbound_route *to)
{
	const struct entry_name name = { at->mesh_name, to->destination.kind,
					 to->destination.name };
	size_t count;
	const struct entry *entries = index_entries(at->index, name, &count);
	struct contributor *tcp = zl_arena_alloc(at->arena, count, sizeof(*tcp));
	struct contributor *http = zl_arena_alloc(at->arena, count, sizeof(*http));
	struct claims claims = { .tcp = tcp, .http = http };

	for (size_t i = 0; i < count; i++) {
		const struct resource *route = entries[i].rank.route;
		const struct contributor from = { route, entries[i].to };

		if (!has_say(at, &entries[i]))
			continue;
		if (route->key.kind == KIND_MESH_TCP_ROUTE)
			tcp[claims.tcp_count++] = from;
		else
			http[claims.http_count++] = from;
	}
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
