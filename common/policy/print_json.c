#include "policy/answer.h"
#include "policy/policy.h"

#include "inventory/objects.h"
#include "model/tree.h"

#include <string.h>

/* A map under construction: its members come in the order of design.md 7. */
struct object {
	struct zl_arena *arena;
	struct tree *map;
};

static struct object object_in(struct zl_arena *arena)
{
	return (struct object){ arena, tree_map(arena) };
}

static void put(const struct object *to, const char *key, struct tree *value)
{
	tree_set(to->arena, to->map, key, value);
}

/* An empty tree. */
static struct tree *null(struct zl_arena *arena)
{
	return zl_arena_alloc(arena, 1, sizeof(struct tree));
}

static void put_text(const struct object *to, const char *key, const char *text)
{
	put(to, key, tree_text(to->arena, text));
}

static void put_number(const struct object *to, const char *key, uint64_t number)
{
	put(to, key, tree_int(to->arena, (int64_t)number));
}

/* Leave out what is not there. */
static void put_some_text(const struct object *to, const char *key, const char *text)
{
	if (text[0] != '\0')
		put_text(to, key, text);
}

static void put_labels(const struct object *to, const char *key, struct labels labels)
{
	struct object map = object_in(to->arena);

	if (labels.count == 0)
		return;
	for (size_t i = 0; i < labels.count; i++)
		put_text(&map, labels.items[i].key, labels.items[i].value);
	put(to, key, map.map);
}

static struct tree *endpoint_tree(const struct endpoint *endpoint, struct zl_arena *arena)
{
	struct object to = object_in(arena);

	/* Outside the mesh there is no zone: null. */
	put(&to, "zone",
	    endpoint->zone == NULL ? null(arena) : tree_text(arena, endpoint->zone));
	put_text(&to, "address", endpoint->address);
	put_number(&to, "port", endpoint->port);
	put_number(&to, "weight", endpoint->weight);
	put_number(&to, "priority", endpoint->priority);
	put_text(&to, "via", via_name(endpoint->via));
	return to.map;
}

static struct tree *backend_tree(const struct backend *backend, struct zl_arena *arena)
{
	struct object to = object_in(arena);

	put_text(&to, "kind", ref_kind_name(backend->kind));
	put_some_text(&to, "name", backend->name);
	put_some_text(&to, "namespace", backend->ns);
	put_labels(&to, "labels", backend->labels);
	put_labels(&to, "tags", backend->tags);
	put_number(&to, "weight", backend->weight);
	if (backend->weight > 0)
		put(&to, "resolved", tree_bool(arena, backend->resolved));
	if (!backend->resolved) {
		put_text(&to, "reason", backend->reason);
		return to.map;
	}

	struct tree *endpoints = tree_list(arena);
	for (size_t i = 0; i < backend->endpoint_count; i++)
		tree_push(arena, endpoints, endpoint_tree(&backend->endpoints[i], arena));
	put_text(&to, "cluster", backend->cluster);
	put(&to, "endpoints", endpoints);
	return to.map;
}

static struct tree *destination_tree(const struct outbound_route *route,
				     struct zl_arena *arena)
{
	const struct resource *object = route->destination.object;
	struct object to = object_in(arena);

	put_text(&to, "kind", ref_kind_name(route->destination.kind));
	put_some_text(&to, "name", route->destination.name);
	put_some_text(&to, "namespace", route->destination.ns);
	put_labels(&to, "labels", route->destination.labels);
	put_labels(&to, "tags", route->destination.tags);
	put(&to, "port",
	    route->destination.port == 0 ? null(arena)
					 : tree_int(arena, route->destination.port));
	put_text(&to, "protocol", route->destination.protocol);
	if (object != NULL)
		put_text(&to, "kri",
			 object_kri(object, route->destination.section, arena));
	return to.map;
}

static struct tree *policies_tree(const struct outbound_route *route,
				  struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < route->policy_count; i++) {
		const struct contributor *from = &route->policies[i];
		struct object to = object_in(arena);

		put_text(&to, "kind", kind_info(from->policy->key.kind)->name);
		put_text(&to, "name", from->policy->key.name);
		put_some_text(&to, "namespace", from->policy->key.ns);
		put_text(&to, "origin", origin_name(from->policy));
		put_number(&to, "to", from->to);
		tree_push(arena, list, to.map);
	}
	return list;
}

static struct tree *outbound_tree(const struct outbound_route *route,
				  struct zl_arena *arena)
{
	struct object to = object_in(arena);
	struct tree *backends = tree_list(arena);

	for (size_t i = 0; i < route->backend_count; i++)
		tree_push(arena, backends, backend_tree(&route->backends[i], arena));
	put_text(&to, "address", route->address);
	put_number(&to, "port", route->port);
	put(&to, "destination", destination_tree(route, arena));
	put_text(&to, "owner", route_owner_name(route->owner));
	put(&to, "policies", policies_tree(route, arena));
	put_text(&to, "unresolved", unresolved_name(route->unresolved));
	put(&to, "backends", backends);
	return to.map;
}

static struct tree *proxy_tree(const struct policy_answer *answer,
			       const struct routes *routes, struct zl_arena *arena)
{
	bool gateway = routes->proxy->dataplane->gateway == GATEWAY_BUILTIN;
	struct object to = object_in(arena);
	struct tree *outbounds = tree_list(arena);

	for (size_t i = 0; i < routes->outbound_count; i++)
		if (answer_has(answer, &routes->outbounds[i]))
			tree_push(arena, outbounds,
				  outbound_tree(&routes->outbounds[i], arena));
	put_text(&to, "name", routes->proxy->key.name);
	put_some_text(&to, "namespace", routes->proxy->key.ns);
	put(&to, gateway ? "listeners" : "outbounds", outbounds);
	return to.map;
}

void policy_json(const struct policy_answer *answer, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	struct object to = object_in(arena);
	struct tree *proxies = tree_list(arena);
	struct tree *warnings = tree_list(arena);
	const struct answered *sorted = answer_routes(answer, arena);
	size_t count;
	const char **texts = answer_warnings(answer, arena, &count);

	for (size_t i = 0; i < answer->route_count; i++)
		tree_push(arena, proxies, proxy_tree(answer, sorted[i].routes, arena));
	for (size_t i = 0; i < count; i++)
		tree_push(arena, warnings, tree_text(arena, texts[i]));
	put_text(&to, "zone", answer->zone);
	put_text(&to, "mesh", answer->mesh);
	put(&to, "proxies", proxies);
	put(&to, "warnings", warnings);
	tree_json_pretty(to.map, out);
	zl_buf_char(out, '\n');
	zl_arena_free(&arena);
}
