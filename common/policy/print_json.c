#include "policy/answer.h"
#include "policy/policy.h"
#include "policy/print_inbounds.h"

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

struct tree *answer_endpoint(const struct endpoint *endpoint, struct zl_arena *arena)
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
	if (endpoint->sub_zone != NULL)
		put_text(&to, "subZone", endpoint->sub_zone);
	return to.map;
}

/* list: where its index counts; legacy policies have no lists, and stand at 0. */
struct tree *answer_policy(const struct contributor *from, enum attached_list list,
			   struct zl_arena *arena)
{
	const struct resource *policy = from->policy;
	struct object to = object_in(arena);

	put_text(&to, "kind", kind_info(policy->key.kind)->name);
	put_text(&to, "name", policy->key.name);
	put_some_text(&to, "namespace", policy->key.ns);
	put_text(&to, "origin", origin_name(policy));
	put_number(&to, attached_list_name(list == LIST_LEGACY ? LIST_TO : list),
		   from->to);
	return to.map;
}

static struct tree *policies_tree(const struct contributor *policies, size_t count,
				  struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < count; i++)
		tree_push(arena, list, answer_policy(&policies[i], LIST_TO, arena));
	return list;
}

static struct tree *applied_tree(const struct applied *applied, struct zl_arena *arena)
{
	struct object to = object_in(arena);

	put_text(&to, "kind", kind_info(applied->kind)->name);
	put_text(&to, "field", applied->field);
	put(&to, "value",
	    zl_arena_memdup(arena, applied->value, sizeof(*applied->value)));
	put(&to, "policy", answer_policy(&applied->policy, applied->list, arena));
	put_some_text(&to, "source", setting_source_name(applied->source));
	put_some_text(&to, "from", applied->from);
	return to.map;
}

struct tree *answer_applied(const struct settings *settings, struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < settings->applied_count; i++)
		tree_push(arena, list, applied_tree(&settings->applied[i], arena));
	return list;
}

static void put_settings(const struct object *to, const struct settings *settings)
{
	if (settings != NULL && settings->applied_count > 0)
		put(to, "applied", answer_applied(settings, to->arena));
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
		tree_push(arena, endpoints,
			  answer_endpoint(&backend->endpoints[i], arena));
	put_text(&to, "cluster", backend->cluster);
	put(&to, "endpoints", endpoints);
	if (backend->balancing_count > 0)
		put(&to, "balancing",
		    policies_tree(backend->balancing, backend->balancing_count, arena));
	put_settings(&to, backend->settings);
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

static struct tree *backends_tree(const struct backend *backends, size_t count,
				  struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < count; i++)
		tree_push(arena, list, backend_tree(&backends[i], arena));
	return list;
}

/* With the defaults filled in. */
static void put_fields(const struct object *to, const char *key,
		       const struct http_field *fields, size_t count)
{
	struct tree *list = tree_list(to->arena);

	for (size_t i = 0; i < count; i++) {
		struct object field = object_in(to->arena);

		put_text(&field, "type", http_value_name(fields[i].type));
		put_text(&field, "name", fields[i].name);
		if (fields[i].type != HTTP_VALUE_PRESENT &&
		    fields[i].type != HTTP_VALUE_ABSENT)
			put_text(&field, "value", fields[i].value);
		tree_push(to->arena, list, field.map);
	}
	if (count > 0)
		put(to, key, list);
}

static struct tree *match_tree(const struct http_match *match, struct zl_arena *arena)
{
	struct object to = object_in(arena);
	struct object path = object_in(arena);

	if (match->path_type != HTTP_PATH_NONE) {
		put_text(&path, "type", http_path_name(match->path_type));
		put_text(&path, "value", match->path);
		put(&to, "path", path.map);
	}
	put_some_text(&to, "method", match->method);
	put_fields(&to, "headers", match->headers, match->header_count);
	put_fields(&to, "queryParams", match->params, match->param_count);
	return to.map;
}

static struct tree *rules_tree(const struct outbound_route *route, struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < route->rule_count; i++) {
		const struct request_route *rule = &route->rules[i];
		struct object to = object_in(arena);
		struct tree *matches = tree_list(arena);

		tree_push(arena, matches, match_tree(rule->match, arena));
		put(&to, "matches", matches);
		put(&to, "backends",
		    backends_tree(rule->backends, rule->backend_count, arena));
		if (answer_has_settings(rule))
			put_settings(&to, rule->settings);
		tree_push(arena, list, to.map);
	}
	return list;
}

static struct tree *outbound_tree(const struct outbound_route *route,
				  struct zl_arena *arena)
{
	struct object to = object_in(arena);

	put_text(&to, "address", route->address);
	put_number(&to, "port", route->port);
	put(&to, "destination", destination_tree(route, arena));
	put_text(&to, "owner", route_owner_name(route->owner));
	put(&to, "policies", policies_tree(route->policies, route->policy_count, arena));
	put_text(&to, "unresolved", unresolved_name(route->unresolved));
	if (route->owner == OWNER_HTTP_ROUTE)
		put(&to, "rules", rules_tree(route, arena));
	else
		put(&to, "backends",
		    backends_tree(route->backends, route->backend_count, arena));
	put_settings(&to, route->settings);
	return to.map;
}

static struct tree *listener_tree(const struct listener_route *route,
				  struct zl_arena *arena)
{
	struct object to = object_in(arena);

	put_number(&to, "port", route->listener->port);
	put_text(&to, "protocol", gateway_protocol_name(route->listener->protocol));
	put_text(&to, "hostname", route->listener->hostname);
	put_text(&to, "owner", route_owner_name(route->owner));
	put(&to, "policies", policies_tree(route->policies, route->policy_count, arena));
	put_text(&to, "unresolved", unresolved_name(route->unresolved));
	put(&to, "backends", backends_tree(route->backends, route->backend_count, arena));
	put_settings(&to, route->settings);
	return to.map;
}

static struct tree *proxy_tree(const struct policy_answer *answer,
			       const struct routes *routes, struct zl_arena *arena)
{
	struct object to = object_in(arena);
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < routes->outbound_count; i++)
		if (answer_has(answer, &routes->outbounds[i]))
			tree_push(arena, list,
				  outbound_tree(&routes->outbounds[i], arena));
	for (size_t i = 0; i < routes->listener_count; i++)
		if (answer_has_listener(answer, &routes->listeners[i]))
			tree_push(arena, list,
				  listener_tree(&routes->listeners[i], arena));
	put_text(&to, "name", routes->proxy->key.name);
	put_some_text(&to, "namespace", routes->proxy->key.ns);
	put(&to, routes->is_gateway ? "listeners" : "outbounds", list);
	struct tree *inbounds = inbounds_json(answer, routes, arena);
	if (inbounds != NULL)
		put(&to, "inbounds", inbounds);
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
