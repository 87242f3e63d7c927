#include "policy/find.h"

#include "policy/refs.h"

#include <string.h>

enum kind find_object_kind(enum ref_kind kind)
{
	switch (kind) {
	case REF_MESH_SERVICE:
		return KIND_MESH_SERVICE;
	case REF_MESH_MULTI_ZONE_SERVICE:
		return KIND_MESH_MULTI_ZONE_SERVICE;
	case REF_MESH_EXTERNAL_SERVICE:
		return KIND_MESH_EXTERNAL_SERVICE;
	default:
		return KIND_NONE;
	}
}

/* The entries about an outbound, and a list that has it for a backend, ask for one object
 * in turn. */
static const struct resource *look_up(struct resolving *at, enum kind kind,
				      const char *ns, const char *name, bool *several)
{
	if (at->last.name == NULL || at->last.kind != kind ||
	    strcmp(at->last.name, name) != 0 || strcmp(at->last.ns, ns) != 0) {
		at->last.kind = kind;
		at->last.ns = ns;
		at->last.name = name;
		at->last.object = object_by_name(at->inventory, kind, at->mesh_name, ns,
						 name, &at->last.several);
		leads_to_name(&at->leads, kind, ns, name);
	}
	*several = at->last.several;
	return at->last.object;
}

static const struct resource *by_name(struct resolving *at, const struct target_ref *ref,
				      const char *ns, bool *several)
{
	return look_up(at, find_object_kind(ref->kind), ref->ns[0] != '\0' ? ref->ns : ns,
		       ref->name, several);
}

static void warn_of_candidates(struct resolving *at, const struct target_ref *ref,
			       const struct resource *const *found, size_t count)
{
	const char *list = object_kri(found[0], "", at->arena);

	for (size_t i = 1; i < count; i++)
		list = zl_arena_format(at->arena, "%s, %s", list,
				       object_kri(found[i], "", at->arena));
	resolving_warn(at,
		       zl_arena_format(at->arena,
				       "mesh \"%s\": %zu objects are meant by %s with "
				       "labels %s, of which the first is taken: %s",
				       at->mesh_name, count, ref_kind_name(ref->kind),
				       labels_text(ref->labels, at->arena), list));
}

/* A display name is one of the namespace of who writes it. */
static const struct resource *by_labels(struct resolving *at,
					const struct target_ref *ref, const char *ns)
{
	struct labels want = ref->labels;
	enum kind kind = find_object_kind(ref->kind);
	size_t count;

	if (ns[0] != '\0' && labels_get(want, LABEL_DISPLAY_NAME) != NULL &&
	    labels_get(want, LABEL_NAMESPACE) == NULL)
		want = labels_with(at->arena, want, LABEL_NAMESPACE, ns);
	leads_to_labels(&at->leads, kind, want);
	const struct resource *const *found = objects_by_labels(
		at->inventory, kind, at->mesh_name, want, at->arena, &count);
	if (count > 1)
		warn_of_candidates(at, ref, found, count);
	return count > 0 ? found[0] : NULL;
}

static const char *no_port(struct resolving *at, const struct target_ref *ref,
			   const struct resource *object)
{
	const char *name =
		zl_arena_format(at->arena, "%s \"%s\"", kind_info(object->key.kind)->name,
				object->key.name);

	if (ref->section[0] != '\0')
		return zl_arena_format(at->arena, "%s has no port \"%s\"", name,
				       ref->section);
	if (ref->port != 0)
		return zl_arena_format(at->arena, "%s has no port %u", name, ref->port);
	return zl_arena_format(at->arena, "%s has %zu ports: say which", name,
			       object_port_count(object));
}

const char *find_reason(struct resolving *at, const struct target_ref *ref,
			const struct found *found)
{
	if (found->object != NULL)
		return no_port(at, ref, found->object);
	if (!found->several)
		return ref_missing_object(ref, at->mesh_name, at->arena);
	return zl_arena_format(at->arena,
			       "more than one %s \"%s\" in mesh \"%s\", and none is the "
			       "zone's own",
			       ref_kind_name(ref->kind), ref->name, at->mesh_name);
}

struct found find_object(struct resolving *at, const struct target_ref *ref,
			 const char *ns)
{
	struct found to = { 0 };

	to.object = ref->labels.count > 0 ? by_labels(at, ref, ns)
					  : by_name(at, ref, ns, &to.several);
	to.complete =
		to.object != NULL &&
		object_port_find(to.object, ref->section, ref->port, at->arena, &to.port);
	return to;
}

/* An entry without a section or a port is about every port; MeshExternalServices have
 * but one. */
static bool is_about_port(const struct target_ref *target, const char *section,
			  uint32_t port)
{
	if (target->kind == REF_MESH_EXTERNAL_SERVICE)
		return true;
	if (target->section[0] != '\0')
		return strcmp(target->section, section) == 0;
	return target->port == 0 || target->port == port;
}

/* Whichever port is meant. */
static bool means(struct resolving *at, const struct resource *route,
		  const struct target_ref *target, const struct resource *object)
{
	const char *ns = target->ns[0] != '\0' ? target->ns : route_namespace(route);
	bool several;

	if (target->labels.count > 0)
		return object_matches(at->inventory, object, target->labels);
	return look_up(at, object->key.kind, ns, target->name, &several) == object;
}

bool find_is_about(struct resolving *at, const struct resource *route,
		   const struct target_ref *target, const struct resource *object,
		   const char *section, uint32_t port)
{
	return is_about_port(target, section, port) && means(at, route, target, object);
}

static bool has_port(const struct resolving *at, const struct resource *object,
		     const struct target_ref *target)
{
	for (size_t i = 0; i < object_port_count(object); i++) {
		const struct object_port port = object_port_at(object, i, at->arena);

		if (is_about_port(target, port.section, port.port))
			return true;
	}
	return false;
}

bool find_names(struct resolving *at, const struct resource *route,
		const struct target_ref *target, const struct resource *object)
{
	return means(at, route, target, object) && has_port(at, object, target);
}

const char *find_nothing(struct resolving *at, const struct resource *route,
			 const struct target_ref *target)
{
	const char *ns = route_namespace(route);
	enum kind kind = find_object_kind(target->kind);
	struct found found = { 0 };
	size_t count = 0;

	if (kind == KIND_NONE || ref_is_by_name(target))
		return NULL;
	const struct resource *const *all = &found.object;
	if (target->labels.count > 0) {
		all = objects_by_labels(at->inventory, kind, at->mesh_name,
					target->labels, at->arena, &count);
	} else {
		found.object = by_name(at, target, ns, &found.several);
		count = found.object != NULL ? 1 : 0;
	}
	for (size_t i = 0; i < count; i++)
		if (has_port(at, all[i], target))
			return NULL;
	return found.several ? find_reason(at, target, &found)
			     : ref_missing_object(target, at->mesh_name, at->arena);
}
