#include "policy/target.h"

#include "policy/endpoints.h"
#include "policy/refs.h"

#include <assert.h>
#include <string.h>

void resolving_warn(struct resolving *at, const char *text)
{
	if (at->warning_count == at->warning_room) {
		size_t room = at->warning_room == 0 ? 8 : 2 * at->warning_room;
		const char **wider = zl_arena_alloc(at->arena, room, sizeof(*wider));

		if (at->warning_count > 0)
			memcpy(wider, at->warnings, at->warning_count * sizeof(*wider));
		at->warnings = wider;
		at->warning_room = room;
	}
	at->warnings[at->warning_count++] = text;
}

/* Say which endpoints do not stand where they usually do, and why. */
static void warn_of_demotion(struct resolving *at, const char *what,
			     const struct demotion *of)
{
	const struct key key = { KIND_ZONE, "", "", "", of->zone };
	const struct resource *zone = set_get(at->set, &key);
	const char *outcome = "its endpoints come last";

	assert(zone != NULL); /* the inventory has the condition from it */
	const char *since = zone->zone->since;
	if (of->withdrawn)
		outcome = "its endpoints are withdrawn";
	else if (of->condition == ZONE_OFFLINE)
		outcome = "there are no other endpoints, so those stay";
	resolving_warn(at,
		       zl_arena_format(at->arena, "%s: zone \"%s\" is %s%s%s: %s", what,
				       of->zone, zone_condition_name(of->condition),
				       since[0] != '\0' ? ", last heard of at " : "",
				       since, outcome));
}

/* Say what will fail and why, once for each service and subset. */
static void warn_of_endpoints(struct resolving *at, const struct service *service,
			      const struct backend *backend,
			      const struct endpoints *found)
{
	const char *what = zl_arena_format(
		at->arena, "mesh \"%s\": service \"%s\"%s%s", at->mesh_name,
		backend->name, backend->tags.count > 0 ? " with tags " : "",
		backend->tags.count > 0 ? labels_text(backend->tags, at->arena) : "");

	if (service == NULL)
		resolving_warn(at,
			       zl_arena_format(at->arena, "%s is offered nowhere", what));
	else if (found->count == 0)
		resolving_warn(at, zl_arena_format(at->arena,
						   "%s has no endpoint: connections to "
						   "it fail",
						   what));
	else if (found->remote_zone != NULL && at->mesh->mtls_backend[0] == '\0')
		resolving_warn(
			at, zl_arena_format(at->arena,
					    "%s has endpoints in other zones: the hop "
					    "through an ingress needs the mesh's mTLS, "
					    "which is off",
					    what));
	for (size_t i = 0; i < found->demotion_count; i++)
		warn_of_demotion(at, what, &found->demotions[i]);
}

/* Fill in all that follows from a service, which may be NULL. */
static void resolve_to(struct resolving *at, struct backend *backend,
		       const struct service *service)
{
	struct endpoints found =
		endpoints_of(service, backend->tags, at->zone, at->mesh, at->arena);

	backend->resolved = true;
	backend->cluster = policy_cluster_name(backend->name, backend->tags, at->arena);
	backend->protocol = service == NULL ? "unknown" : service->protocol;
	backend->endpoints = found.items;
	backend->endpoint_count = found.count;
	warn_of_endpoints(at, service, backend, &found);
}

void target_set_destination(struct resolving *at, const struct outbound *outbound,
			    struct outbound_route *to)
{
	const char *service = labels_get(outbound->tags, TAG_SERVICE);

	to->destination.kind = REF_MESH_SERVICE;
	to->destination.name = service;
	to->destination.ns = "";
	to->destination.section = "";
	to->destination.protocol = "unknown";
	if (outbound->has_backend) {
		to->destination.kind = outbound->backend.kind;
		to->destination.name = outbound->backend.name;
		to->destination.ns = outbound->backend.ns;
		to->destination.port = outbound->backend.port;
		return;
	}

	const struct service *found =
		inventory_find(at->inventory, at->mesh_name, service);
	if (found != NULL)
		to->destination.protocol = found->protocol;
	to->destination.tags = labels_without(
		at->arena, labels_without(at->arena, outbound->tags, TAG_SERVICE),
		LABEL_MESH);
}

struct backend target_of_service(struct resolving *at, const char *name,
				 struct labels tags)
{
	struct backend backend = { .kind = tags.count > 0 ? REF_MESH_SERVICE_SUBSET
							  : REF_MESH_SERVICE,
				   .name = name,
				   .ns = "",
				   .tags = tags,
				   .weight = 1,
				   .reason = "" };

	resolve_to(at, &backend, inventory_find(at->inventory, at->mesh_name, name));
	return backend;
}

struct backend target_of_destination(struct resolving *at,
				     const struct outbound *outbound,
				     const struct outbound_route *to)
{
	if (outbound->has_backend)
		return target_of_ref(at, at->proxy, &outbound->backend, 1);
	return target_of_service(at, to->destination.name, to->destination.tags);
}

struct backend target_of_ref(struct resolving *at, const struct resource *from,
			     const struct target_ref *ref, uint64_t weight)
{
	struct backend backend = { .kind = ref->kind,
				   .name = ref->name,
				   .ns = ref->ns,
				   .tags = labels_without(at->arena, ref->tags,
							  TAG_SERVICE),
				   .labels = ref->labels,
				   .weight = weight,
				   .reason = "",
				   .cluster = "",
				   .protocol = "unknown" };
	const struct service *service = NULL;

	(void)from;
	if (weight == 0) {
		backend.reason = "weight 0";
		return backend;
	}
	if (ref_is_by_name(ref))
		service = inventory_find(at->inventory, at->mesh_name, ref->name);
	if (service == NULL)
		backend.reason = ref_missing(ref, at->mesh_name, at->arena);
	else
		resolve_to(at, &backend, service);
	return backend;
}
