#include "policy/refs.h"

#include <string.h>

/* It is the first member of all these specs. */
const struct target_ref *route_top(const struct resource *route)
{
	return route->spec;
}

size_t route_to_count(const struct resource *route)
{
	switch (route->key.kind) {
	case KIND_MESH_TCP_ROUTE:
		return route->tcp_route->to_count;
	case KIND_MESH_HTTP_ROUTE:
		return route->http_route->to_count;
	case KIND_MESH_LOAD_BALANCING_STRATEGY:
		return route->balancing->to_count;
	default:
		return route->attached->to.count;
	}
}

const struct target_ref *route_to(const struct resource *route, size_t to)
{
	switch (route->key.kind) {
	case KIND_MESH_TCP_ROUTE:
		return &route->tcp_route->to[to].target;
	case KIND_MESH_HTTP_ROUTE:
		return &route->http_route->to[to].target;
	case KIND_MESH_LOAD_BALANCING_STRATEGY:
		return &route->balancing->to[to].target;
	default:
		return &route->attached->to.items[to].target;
	}
}

bool route_is_route(const struct resource *policy)
{
	return policy->key.kind == KIND_MESH_TCP_ROUTE ||
	       policy->key.kind == KIND_MESH_HTTP_ROUTE;
}

const char *route_namespace(const struct resource *policy)
{
	const char *role = labels_get(policy->labels, LABEL_ROLE);

	return role == NULL || strcmp(role, "system") == 0 ? "" : policy->key.ns;
}

bool ref_is_by_name(const struct target_ref *ref)
{
	return (ref->kind == REF_MESH_SERVICE || ref->kind == REF_MESH_SERVICE_SUBSET) &&
	       ref->name[0] != '\0' && ref->ns[0] == '\0' && ref->section[0] == '\0' &&
	       ref->port == 0;
}

const char *ref_missing(const struct target_ref *ref, const char *mesh,
			struct zl_arena *arena)
{
	if (ref_is_by_name(ref))
		return zl_arena_format(arena, "no service \"%s\" in mesh \"%s\"",
				       ref->name, mesh);
	return ref_missing_object(ref, mesh, arena);
}

const char *ref_missing_object(const struct target_ref *ref, const char *mesh,
			       struct zl_arena *arena)
{
	const char *text = ref_kind_name(ref->kind);

	if (ref->name[0] != '\0')
		text = zl_arena_format(arena, "%s \"%s\"", text, ref->name);
	if (ref->has_labels)
		text = zl_arena_format(arena, "%s with labels %s", text,
				       labels_text(ref->labels, arena));
	if (ref->ns[0] != '\0')
		text = zl_arena_format(arena, "%s in namespace \"%s\"", text, ref->ns);
	if (ref->section[0] != '\0')
		text = zl_arena_format(arena, "%s with section \"%s\"", text,
				       ref->section);
	else if (ref->port != 0)
		text = zl_arena_format(arena, "%s with port %u", text, ref->port);
	return zl_arena_format(arena, "no %s in mesh \"%s\"", text, mesh);
}

const char *labels_text(struct labels labels, struct zl_arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < labels.count; i++)
		text = zl_arena_format(arena, "%s%s%s: %s", text, i == 0 ? "" : ", ",
				       labels.items[i].key, labels.items[i].value);
	return zl_arena_format(arena, "{%s}", text);
}
