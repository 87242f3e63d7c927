#include "policy/target.h"

#include "policy/find.h"
#include "policy/index.h"
#include "policy/outside.h"
#include "policy/refs.h"
#include "policy/relay.h"
#include "policy/trust.h"
#include "policy/warn.h"

#include "base/addr.h"

#include <assert.h>
#include <string.h>

void resolving_warn(struct resolving *at, const char *text)
{
	at->warnings = zl_arena_more(at->arena, at->warnings, at->warning_count,
				     &at->warning_room, sizeof(*at->warnings));
	at->warnings[at->warning_count++] = text;
}

void resolving_made(struct resolving *at, struct backend *items, size_t count)
{
	if (!index_attaches(at->index))
		return;
	at->made = zl_arena_more(at->arena, at->made, at->made_count, &at->made_room,
				 sizeof(*at->made));
	at->made[at->made_count++] = (struct made){ items, count };
}

static const struct service *look_up(struct resolving *at, const char *name)
{
	leads_to_service(&at->leads, name);
	return inventory_find(at->inventory, at->mesh_name, name);
}

/* There is a target, and no name by which its ingress or itself would know that it is
 * asked for: then it is as if it were not there. */
static void bar(struct resolving *at, struct backend *backend)
{
	backend->resolved = false;
	backend->reason = zl_arena_format(
		at->arena,
		"%s \"%s\" cannot be asked for by mTLS: its names are too long for a "
		"server name, or have other letters than a-z, 0-9 and '-'",
		ref_kind_name(backend->kind), backend->name);
	backend->object = NULL;
	backend->section = "";
	backend->cluster = "";
	backend->endpoints = NULL;
	backend->endpoint_count = 0;
	resolving_warn(at, zl_arena_format(at->arena, "mesh \"%s\": %s", at->mesh_name,
					   backend->reason));
}

struct endpoints target_endpoints(struct resolving *at, struct backend *backend,
				  const struct service *service)
{
	const struct balance balance = balance_of(at, backend);
	struct labels tags = { 0 };

	if (backend->object == NULL)
		tags = backend->tags;
	balance_tell(&balance, backend);
	return endpoints_of(service, tags, at->zone, at->mesh, &balance, at->arena);
}

static const char *first_host(const struct endpoints *found)
{
	for (size_t i = 0; i < found->count; i++)
		if (!zl_is_ip(found->items[i].address))
			return found->items[i].address;
	return NULL;
}

/* Where connections go is known: by way of the zone's egress, if the mesh says so. */
static void settle(struct resolving *at, struct backend *backend,
		   const struct service *service, struct endpoints *found)
{
	backend->relayed = backend->outside != NULL && at->mesh->zone_egress;
	if (backend->relayed)
		backend->host = first_host(found);
	relay_apply(at, found);
	backend->endpoints = found->items;
	backend->endpoint_count = found->count;
	warn_of_backend(at, backend, service, found);
	if (backend->relayed) /* the egress dials it */
		backend->outside = NULL;
}

/* Fill in all that follows from a tag service, which may be NULL. */
static void lead_to_service(struct resolving *at, struct backend *backend,
			    const struct service *service)
{
	struct endpoints found;

	backend->resolved = true;
	backend->cluster = policy_cluster_name(backend->name, backend->tags, at->arena);
	backend->protocol = service == NULL ? "unknown" : service->protocol;
	backend->outside = outside_of(service);
	if (backend->outside != NULL)
		found = outside_of_service(service, backend->tags, at->arena);
	else
		found = target_endpoints(at, backend, service);
	settle(at, backend, service, &found);
	if (backend->outside == NULL && !trust_secure(at, backend, service))
		bar(at, backend);
}

/* Fill in all that follows from a port of an object. */
static void lead_to_object(struct resolving *at, struct backend *backend,
			   const struct resource *object, const struct object_port *port)
{
	const struct service *service = NULL;
	struct endpoints found = { 0 };

	assert(object != NULL); /* what was found complete */

	leads_to_object(&at->leads, &object->key);
	backend->resolved = true;
	backend->object = object;
	backend->section = port->section;
	backend->port = port->port;
	backend->cluster = object_kri(object, port->section, at->arena);
	backend->protocol = port->protocol;
	if (object->key.kind != KIND_MESH_EXTERNAL_SERVICE) {
		service = object_service(at->inventory, object, port, at->arena);
		found = target_endpoints(at, backend, service);
	} else {
		backend->outside = &object->mesh_external->tls;
		if (object_is_local(at->inventory, object))
			found = outside_of_object(object, at->arena);
	}
	settle(at, backend, NULL, &found);
	if (backend->outside == NULL && !trust_secure(at, backend, service))
		bar(at, backend);
}

/* ---- what was resolved before ---- */

/* Give to what known leads to; what was written stays. */
static void lead_as(struct backend *to, const struct backend *known)
{
	const struct backend written = *to;

	*to = *known;
	to->kind = written.kind;
	to->name = written.name;
	to->ns = written.ns;
	to->tags = written.tags;
	to->labels = written.labels;
	to->weight = written.weight;
}

static void lead_to_port(struct resolving *at, struct backend *backend,
			 const struct resource *object, const struct object_port *port)
{
	const struct backend *known = memo_find(&at->targets, object, port->port);

	if (known != NULL) {
		lead_as(backend, known);
		return;
	}
	lead_to_object(at, backend, object, port);
	memo_add(&at->targets, object, port->port, backend, at->arena);
}

/* The same for a tag service or a subset: subsets are many. */
static void lead_to_tags(struct resolving *at, struct backend *backend,
			 const struct service *service)
{
	bool whole = service != NULL && backend->tags.count == 0;
	const struct backend *known = whole ? memo_find(&at->targets, service, 0) : NULL;

	if (known != NULL) {
		lead_as(backend, known);
		return;
	}
	lead_to_service(at, backend, service);
	if (whole)
		memo_add(&at->targets, service, 0, backend, at->arena);
}

/* ---- refs ---- */

/* True if tag services are no destinations in this mesh (kinds-spec 1). */
static bool is_exclusive(const struct resolving *at)
{
	return at->mesh->services == MESH_SERVICES_EXCLUSIVE;
}

/* What ref, which names one, means if not an object. */
static void resolve_service(struct resolving *at, const struct target_ref *ref,
			    struct backend *backend)
{
	const struct service *service = is_exclusive(at) ? NULL : look_up(at, ref->name);

	if (service != NULL)
		lead_to_tags(at, backend, service);
	else
		backend->reason = ref_missing(ref, at->mesh_name, at->arena);
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
				   .section = "",
				   .cluster = "",
				   .protocol = "unknown" };
	struct found found = { 0 };

	if (weight == 0) {
		backend.reason = "weight 0";
		return backend;
	}
	if (find_object_kind(ref->kind) != KIND_NONE)
		found = find_object(at, ref, route_namespace(from));
	if (found.object == NULL && ref_is_by_name(ref)) {
		resolve_service(at, ref, &backend);
		return backend;
	}
	if (found.object != NULL && ref->labels.count > 0) {
		backend.name = found.object->key.name;
		backend.ns = found.object->key.ns;
	}
	if (found.complete)
		lead_to_port(at, &backend, found.object, &found.port);
	else
		backend.reason = find_reason(at, ref, &found);
	return backend;
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
				   .section = "",
				   .reason = "" };

	lead_to_tags(at, &backend, look_up(at, name));
	return backend;
}

/* ---- destinations ---- */

/* What an outbound asks for that is to an object. */
static struct target_ref object_of(const struct outbound *outbound)
{
	if (outbound->has_backend)
		return outbound->backend;
	return (struct target_ref){ .kind = REF_MESH_SERVICE,
				    .name = labels_get(outbound->tags, TAG_SERVICE),
				    .ns = "",
				    .section = "" };
}

/* The tags by which an outbound asks for a part of its service. */
static struct labels subset_of(struct resolving *at, const struct outbound *outbound)
{
	return labels_without(at->arena,
			      labels_without(at->arena, outbound->tags, TAG_SERVICE),
			      LABEL_MESH);
}

/* Objects have no subsets. */
static struct found find_destination(struct resolving *at,
				     const struct outbound *outbound)
{
	const struct target_ref ref = object_of(outbound);

	if (!outbound->has_backend && subset_of(at, outbound).count > 0)
		return (struct found){ 0 };
	return find_object(at, &ref, "");
}

static void set_object(struct resolving *at, const struct outbound *outbound,
		       struct outbound_route *to)
{
	const struct target_ref ref = object_of(outbound);
	struct found found = find_destination(at, outbound);

	to->destination.kind = ref.kind;
	to->destination.name = ref.name;
	to->destination.ns = ref.ns;
	to->destination.labels = ref.labels;
	to->destination.port = ref.port;
	to->destination.missing = !found.complete;
	if (to->destination.missing)
		return;
	to->destination.name = found.object->key.name;
	to->destination.ns = found.object->key.ns;
	to->destination.labels = (struct labels){ 0 };
	to->destination.object = found.object;
	to->destination.section = found.port.section;
	to->destination.port = found.port.port;
	to->destination.protocol = found.port.protocol;
}

void target_set_destination(struct resolving *at, const struct outbound *outbound,
			    struct outbound_route *to)
{
	to->destination.section = "";
	to->destination.protocol = "unknown";
	if (outbound->has_backend || is_exclusive(at)) {
		set_object(at, outbound, to);
		return;
	}
	to->destination.kind = REF_MESH_SERVICE;
	to->destination.name = labels_get(outbound->tags, TAG_SERVICE);
	to->destination.ns = "";
	to->destination.tags = subset_of(at, outbound);
	const struct service *found = look_up(at, to->destination.name);
	if (found != NULL)
		to->destination.protocol = found->protocol;
}

struct backend target_of_destination(struct resolving *at,
				     const struct outbound *outbound,
				     const struct outbound_route *to)
{
	struct backend backend = { .kind = to->destination.kind,
				   .name = to->destination.name,
				   .ns = to->destination.ns,
				   .labels = to->destination.labels,
				   .weight = 1,
				   .section = "",
				   .reason = "",
				   .cluster = "",
				   .protocol = "unknown" };

	if (!outbound->has_backend && !is_exclusive(at))
		return target_of_service(at, to->destination.name, to->destination.tags);
	const struct target_ref ref = object_of(outbound);
	struct found found = find_destination(at, outbound);
	if (found.complete)
		lead_to_port(at, &backend, found.object, &found.port);
	else
		backend.reason = find_reason(at, &ref, &found);
	return backend;
}
