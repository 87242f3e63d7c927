#include "policy/legacy.h"

#include "policy/traffic.h"

#include "model/conf.h"

/* The kind that attached_kind(index) replaces. */
static enum kind legacy_kind(size_t index)
{
	return (enum kind)(KIND_TIMEOUT + index);
}

static void warn_of_owner(struct resolving *at, const struct outbound_route *outbound,
			  const struct resource *policy, const char *why)
{
	resolving_warn(at,
		       zl_arena_format(at->arena,
				       "mesh \"%s\": %s \"%s\" does not reach outbound "
				       "%s:%u: %s",
				       at->mesh_name, kind_info(policy->key.kind)->name,
				       policy->key.name, outbound->address,
				       outbound->port, why));
}

/* A TrafficLog whose backend the mesh has not. */
static void warn_of_backend(struct resolving *at, const struct resource *policy)
{
	const struct tree *backend = tree_get(policy->legacy->conf, "backend");
	const char *name = at->mesh->log_backend;
	const char *why = "it names no backend, and the mesh has no default one";

	if (backend != NULL && backend->type == TREE_TEXT && backend->text[0] != '\0')
		name = backend->text;
	if (name[0] != '\0')
		why = zl_arena_format(at->arena,
				      "mesh \"%s\" has no logging backend \"%s\"",
				      at->mesh_name, name);
	resolving_warn(at,
		       zl_arena_format(at->arena,
				       "mesh \"%s\": TrafficLog \"%s\" has no effect: %s",
				       at->mesh_name, policy->key.name, why));
}

static const struct merged *merged_of(struct resolving *at, const struct resource *policy)
{
	/* TrafficRoutes split connections, whatever they carry. */
	const struct tree *conf = conf_of_legacy(policy, "tcp", at->mesh, at->arena);
	const struct saying saying = { conf, { policy, 0 }, LIST_LEGACY };

	if (conf == NULL) {
		if (policy->key.kind == KIND_TRAFFIC_LOG)
			warn_of_backend(at, policy);
		return NULL;
	}
	struct merged *merged = zl_arena_alloc(at->arena, 1, sizeof(*merged));
	*merged = merge_sayings(NULL, &saying, 1, at->arena);
	return merged;
}

/* Why policy does not reach outbound; NULL: it does. */
static const char *why_not(struct resolving *at, const struct outbound_route *outbound,
			   const struct about *about, size_t kind)
{
	const struct merged *said = about->said[kind];

	if (outbound->owner == OWNER_DEFAULT)
		return "no TrafficRoute owns it";
	if (outbound->owner != OWNER_TRAFFIC_ROUTE)
		return zl_arena_format(at->arena, "%s owns it",
				       route_owner_name(outbound->owner));
	if (said->count > 0)
		return zl_arena_format(at->arena, "%s \"%s\" is about it",
				       kind_info(attached_kind(kind))->name,
				       said->leaves[0].from.policy->key.name);
	return NULL;
}

void legacy_about(struct resolving *at, const struct outbound_route *outbound,
		  struct about *about)
{
	const char *service = labels_get(outbound->tags, TAG_SERVICE);

	for (size_t i = 0; service != NULL && i < ATTACHED_KINDS; i++) {
		bool named;
		const struct resource *policy =
			traffic_legacy(at, legacy_kind(i), service, &named);
		if (policy == NULL)
			continue;
		const char *why = why_not(at, outbound, about, i);
		if (why != NULL) {
			warn_of_owner(at, outbound, policy, why);
		} else if (about->legacy[i] == NULL) {
			about->legacy[i] = merged_of(at, policy);
			about->legacy_named[i] = named;
		}
	}
}
