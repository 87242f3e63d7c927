#include "policy/warn.h"

#include "policy/find.h"
#include "policy/index.h"
#include "policy/refs.h"

#include <assert.h>
#include <string.h>

static const char *service_text(const struct resolving *at, const struct backend *backend)
{
	return zl_arena_format(
		at->arena, "service \"%s\"%s%s", backend->name,
		backend->tags.count > 0 ? " with tags " : "",
		backend->tags.count > 0 ? labels_text(backend->tags, at->arena) : "");
}

static const char *object_text(const struct resolving *at, const struct backend *backend)
{
	const struct key *key = &backend->object->key;

	return zl_arena_format(at->arena, "port %u of %s \"%s\"%s%s%s%s%s%s",
			       backend->port, kind_info(key->kind)->name, key->name,
			       key->ns[0] == '\0' ? "" : " of namespace \"", key->ns,
			       key->ns[0] == '\0' ? "" : "\"",
			       key->zone[0] == '\0' ? "" : " of zone \"", key->zone,
			       key->zone[0] == '\0' ? "" : "\"");
}

static void warn(struct resolving *at, const struct backend *backend, const char *what)
{
	resolving_warn(at, zl_arena_format(at->arena, "mesh \"%s\": %s%s", at->mesh_name,
					   backend->object != NULL
						   ? object_text(at, backend)
						   : service_text(at, backend),
					   what));
}

/* Say which endpoints do not stand where they usually do, and why. */
static void warn_of_demotion(struct resolving *at, const struct backend *backend,
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
	warn(at, backend,
	     zl_arena_format(at->arena, ": zone \"%s\" is %s%s%s: %s", of->zone,
			     zone_condition_name(of->condition),
			     since[0] != '\0' ? ", last heard of at " : "", since,
			     outcome));
}

/* Why nothing is behind a backend that is resolved. */
static const char *emptiness(struct resolving *at, const struct backend *backend,
			     bool barred)
{
	const struct resource *object = backend->object;
	size_t members = 1;

	if (barred)
		return zl_arena_format(
			at->arena,
			" has no endpoint: those in other zones are left out by "
			"MeshLoadBalancingStrategy \"%s\"",
			backend->balancing[backend->balancing_count - 1]
				.policy->key.name);
	if (object != NULL && object->key.kind == KIND_MESH_MULTI_ZONE_SERVICE)
		(void)object_members(at->inventory, object, at->arena, &members);
	if (members == 0)
		return zl_arena_format(
			at->arena, " has no endpoint: no MeshService has the labels %s",
			labels_text(object->multi_zone->match, at->arena));
	if (object != NULL && object->key.kind == KIND_MESH_EXTERNAL_SERVICE &&
	    !object_is_local(at->inventory, object))
		return " has no endpoint: it may be dialled from its own zone only";
	return " has no endpoint: connections to it fail";
}

/* Why nothing goes to other zones or out of the mesh. */
static const char *no_relay(struct resolving *at)
{
	const char *names = "";

	for (size_t i = 0; i < at->relays.all_count; i++)
		names = zl_arena_format(at->arena, "%s%s\"%s\"", names, i > 0 ? ", " : "",
					at->relays.all[i]->key.name);
	if (names[0] == '\0')
		return zl_arena_format(
			at->arena,
			": zone \"%s\" has no ZoneEgress: connections that leave it fail",
			at->zone);
	return zl_arena_format(at->arena,
			       ": no ZoneEgress of zone \"%s\" serves (%s): connections "
			       "that leave it fail",
			       at->zone, names);
}

/* ExternalServices of the service to which nothing is sent. */
static void warn_of_left_out(struct resolving *at, const struct backend *backend,
			     const struct service *service)
{
	static const char *const WHY[] = {
		[LEFT_OUT_DATAPLANES] = "Dataplanes offer the service",
		[LEFT_OUT_ZONE] = "it may be dialled from its own zone only",
		[LEFT_OUT_TLS] = "its TLS is not that of the first one",
	};

	for (size_t i = 0; i < service->left_out_count; i++) {
		const struct left_out *out = &service->left_out[i];

		warn(at, backend,
		     zl_arena_format(at->arena,
				     ": ExternalService \"%s\" is left out: %s",
				     out->external->key.name, WHY[out->why]));
	}
}

bool warn_lacks_secret(const struct resolving *at, const struct data_source *source)
{
	const struct key key = { KIND_SECRET, at->mesh_name, "", "", source->secret };

	return source->secret[0] != '\0' && set_get(at->set, &key) == NULL;
}

/* What TLS cannot be started without. */
static void warn_of_secrets(struct resolving *at, const struct backend *backend)
{
	const struct external_tls *tls = backend->outside;
	bool needs_ca = tls->verify == VERIFY_SECURED || tls->verify == VERIFY_SKIP_SAN;
	const struct data_source *sources[] = { &tls->cert, &tls->key, &tls->ca };

	for (size_t i = 0; tls->enabled && i < (needs_ca ? 3 : 2); i++)
		if (warn_lacks_secret(at, sources[i]))
			warn(at, backend,
			     zl_arena_format(at->arena,
					     ": there is no Secret \"%s\": connections "
					     "to it fail until it comes",
					     sources[i]->secret));
}

void warn_of_backend(struct resolving *at, const struct backend *backend,
		     const struct service *service, const struct endpoints *found)
{
	if (service == NULL && backend->object == NULL)
		warn(at, backend, " is offered nowhere");
	else if (found->count == 0 && !found->unrelayed)
		warn(at, backend, emptiness(at, backend, found->barred));
	else if (found->remote_zone != NULL && at->mesh->mtls_backend[0] == '\0')
		warn(at, backend,
		     " has endpoints in other zones: the hop through an ingress needs "
		     "the "
		     "mesh's mTLS, which is off");
	if (found->unrelayed)
		warn(at, backend, no_relay(at));
	for (size_t i = 0; i < found->demotion_count; i++)
		warn_of_demotion(at, backend, &found->demotions[i]);
	if (service != NULL)
		warn_of_left_out(at, backend, service);
	if (backend->outside != NULL)
		warn_of_secrets(at, backend);
}

static void warn_of_entries(struct resolving *at, const struct resource *route)
{
	for (size_t i = 0; i < route_to_count(route); i++) {
		const char *why = find_nothing(at, route, route_to(route, i));

		if (why == NULL)
			continue;
		resolving_warn(
			at, zl_arena_format(at->arena,
					    "%s \"%s\": spec.to[%zu] has no effect: %s",
					    kind_info(route->key.kind)->name,
					    route->key.name, i, why));
	}
}

const char *const *policy_warnings(const struct policy_index *index,
				   const struct inventory *inventory, const char *mesh,
				   struct zl_arena *arena, size_t *count)
{
	struct resolving at = { .inventory = inventory,
				.mesh_name = mesh,
				.arena = arena };
	size_t all;
	const struct indexed_route *routes = index_sorted(index, mesh, arena, &all);

	for (size_t i = 0; i < all; i++)
		if (routes[i].rank.route->key.kind != KIND_TRAFFIC_ROUTE &&
		    !kind_is_legacy(routes[i].rank.route->key.kind) &&
		    !routes[i].withdrawn)
			warn_of_entries(&at, routes[i].rank.route);
	leads_free(&at.leads);
	*count = texts_sort(at.warnings, at.warning_count);
	return at.warnings;
}
