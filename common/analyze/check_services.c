/* What zones offer, and what the outbounds of Dataplanes ask for. */
#include "analyze/analysis.h"

#include "policy/refs.h"

#include <string.h>

static void check_mesh_of(struct analysis *at, const struct resource *res)
{
	const struct key mesh = {
		.kind = KIND_MESH, .mesh = "", .zone = "", .ns = "", .name = res->key.mesh
	};
	const struct spot spot = { .res = res, .field = "mesh", .name = res->key.mesh };

	if (strcmp(mesh.name, "default") != 0 && set_get(at->set, &mesh) == NULL)
		analysis_add(at, RULE_NO_MESH, &spot, "no document makes the mesh \"%s\"",
			     mesh.name);
}

static void check_meshes(struct analysis *at)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(at->set, kind, NULL);
		const struct resource *res;

		if (!kind_info(kind)->policy && kind != KIND_TRAFFIC_ROUTE &&
		    !kind_is_legacy(kind))
			continue;
		while ((res = set_next(&each)) != NULL)
			check_mesh_of(at, res);
	}
}

static void check_ingresses(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		const struct spot spot = { .res = res,
					   .field = "networking",
					   .name = "" };
		const char *zone = ingress_zone(res, "");

		if (res->ingress->advertised[0] == '\0')
			analysis_add(at, RULE_NOT_ADVERTISED, &spot,
				     "other zones cannot reach what zone%s%s%s offers",
				     zone[0] == '\0' ? "" : " \"", zone,
				     zone[0] == '\0' ? "" : "\"");
	}
}

/* ---- protocols ---- */
static bool is_odd(const char *usual, const char *tag)
{
	return strcmp(protocol_common(usual, tag), "unknown") == 0;
}

/* The first protocol that an endpoint of the service has; NULL: none has one. */
static const char *usual_protocol(const struct service *service)
{
	for (size_t i = 0; i < service->local_count; i++) {
		const char *tag = labels_get(service->locals[i].tags, TAG_PROTOCOL);

		if (service->locals[i].ready && tag != NULL && !is_odd(tag, tag))
			return tag;
	}
	for (size_t i = 0; i < service->remote_count; i++) {
		const char *tag = labels_get(service->remotes[i].tags, TAG_PROTOCOL);

		if (service->remotes[i].instances > 0 && tag != NULL && !is_odd(tag, tag))
			return tag;
	}
	return NULL;
}

static void tell_odd(struct analysis *at, struct spot *spot,
		     const struct service *service, const char *tag, const char *usual)
{
	if (tag == NULL)
		analysis_add(at, RULE_PROTOCOL_MIX, spot,
			     "without kuma.io/protocol it makes the protocol of service "
			     "\"%s\" unknown; others say \"%s\"",
			     service->name, usual);
	else
		analysis_add(
			at, RULE_PROTOCOL_MIX, spot,
			"kuma.io/protocol \"%s\" makes the protocol of service \"%s\" "
			"unknown; others say \"%s\"",
			tag, service->name, usual);
}

static void check_protocol(struct analysis *at, const struct service *service)
{
	const char *usual = usual_protocol(service);

	if (usual == NULL || strcmp(service->protocol, "unknown") != 0)
		return;
	for (size_t i = 0; i < service->local_count; i++) {
		const struct local *local = &service->locals[i];
		const char *tag = labels_get(local->tags, TAG_PROTOCOL);
		struct spot spot = { .res = local->dataplane, .name = service->name };

		spot.field = zl_arena_format(
			at->arena, "networking.inbound[%zu].tags",
			(size_t)(local->inbound - local->dataplane->dataplane->inbounds));
		if (local->ready && is_odd(usual, tag))
			tell_odd(at, &spot, service, tag, usual);
	}
	for (size_t i = 0; i < service->remote_count; i++) {
		const struct remote *remote = &service->remotes[i];
		const char *tag = labels_get(remote->tags, TAG_PROTOCOL);
		struct spot spot = { .res = remote->ingress, .name = service->name };

		spot.field = zl_arena_format(
			at->arena, "availableServices[%zu].tags",
			(size_t)(remote->record - remote->ingress->ingress->services));
		if (remote->instances > 0 && remote->address[0] != '\0' &&
		    is_odd(usual, tag))
			tell_odd(at, &spot, service, tag, usual);
	}
}

/* ---- outbounds ---- */
void analyze_outbound(struct analysis *at, const struct resource *proxy, size_t i)
{
	const struct outbound *outbound = &proxy->dataplane->outbounds[i];
	const char *service = labels_get(outbound->tags, TAG_SERVICE);
	const char *mesh = proxy->key.mesh;
	struct spot spot = { .res = proxy,
			     .field = zl_arena_format(
				     at->arena, "networking.outbound[%zu].%s", i,
				     outbound->has_backend ? "backendRef" : "tags") };
	const char *zone;

	if (outbound->has_backend) {
		if (views_object(at, mesh, "", &outbound->backend).has_port)
			return;
		spot.name = outbound->backend.name;
		analysis_add(at, RULE_OUTBOUND_NOWHERE, &spot, "%s",
			     ref_missing(&outbound->backend, mesh, at->arena));
		return;
	}
	if (service == NULL || views_know(at, mesh, service))
		return;
	zone = views_disabled(at, mesh, service);
	if (zone != NULL) {
		spot.name = zone;
		analysis_add(at, RULE_DISABLED_ZONE, &spot,
			     "only zone \"%s\", which is disabled, offers service \"%s\"",
			     zone, service);
		return;
	}
	spot.name = service;
	spot.near = views_nearest(at, mesh, service);
	analysis_add(at, RULE_OUTBOUND_NOWHERE, &spot,
		     "nobody offers service \"%s\" in mesh \"%s\"", service, mesh);
}

void analyze_services(struct analysis *at)
{
	check_meshes(at);
	check_ingresses(at);
	for (size_t i = 0; i < at->view_count; i++) {
		const struct inventory *inventory = at->views[i].inventory;

		for (size_t j = 0; j < inventory_count(inventory); j++)
			check_protocol(at, inventory_at(inventory, j));
	}
}
