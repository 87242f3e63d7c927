#include "policy/policy.h"

#include "policy/gateway.h"
#include "policy/leads.h"
#include "policy/refs.h"
#include "policy/select.h"
#include "policy/traffic.h"

#include <string.h>

/* True if target, the targetRef of an entry, may be about what outbound is to. Which
 * objects labels mean, and whose a name is, only an inventory tells. */
static bool may_mean(const struct target_ref *target, const struct outbound *outbound)
{
	const struct target_ref *to = &outbound->backend;
	const char *service;

	if (outbound->has_backend)
		return target->kind == to->kind &&
		       (target->labels.count > 0 || to->labels.count > 0 ||
			strcmp(target->name, to->name) == 0);
	service = labels_get(outbound->tags, TAG_SERVICE);
	/* Where tag services are no destinations, it is to the object of that name. */
	return target->kind == REF_MESH_SERVICE &&
	       (target->labels.count > 0 || strcmp(target->name, service) == 0);
}

static bool route_touches(const struct resource *route, const struct outbound *outbound)
{
	for (size_t i = 0; i < route_to_count(route); i++)
		if (may_mean(route_to(route, i), outbound))
			return true;
	return false;
}

/* A TrafficRoute, or another that goes by tags. */
static bool is_traffic(const struct resource *policy)
{
	return policy->key.kind == KIND_TRAFFIC_ROUTE || kind_is_legacy(policy->key.kind);
}

/* True if policy may be about an outbound of proxy. */
static bool touches_any(const struct resource *policy, const struct resource *proxy,
			const char *zone)
{
	const struct dataplane_spec *spec = proxy->dataplane;

	for (size_t i = 0; i < spec->outbound_count; i++) {
		const struct outbound *outbound = &spec->outbounds[i];
		bool touches =
			!is_traffic(policy)
				? route_touches(policy, outbound)
				: !outbound->has_backend &&
					  traffic_is_about(policy, proxy, zone,
							   labels_get(outbound->tags,
								      TAG_SERVICE));
		if (touches)
			return true;
	}
	return false;
}

/* True if policy may be about an inbound of proxy. */
static bool enters_any(const struct resource *policy, const struct resource *proxy,
		       const char *zone)
{
	const struct legacy_spec *spec = policy->legacy;

	for (size_t i = 0; i < spec->destination_count; i++)
		if (select_by_tags(proxy, zone, spec->destinations[i].match, NULL, NULL))
			return true;
	return false;
}

static bool touches_dataplane(const struct resource *policy, const struct resource *proxy,
			      const char *zone)
{
	bool builtin = proxy->dataplane->gateway == GATEWAY_BUILTIN;

	if (strcmp(policy->key.mesh, proxy->key.mesh) != 0)
		return false;
	/* They are about targets, which are not known without an index. */
	if (kind_attaches(policy->key.kind))
		return select_proxy(policy, proxy, zone, NULL, NULL);
	switch (policy->key.kind) {
	case KIND_MESH_TCP_ROUTE:
	case KIND_MESH_HTTP_ROUTE:
		return (builtin || touches_any(policy, proxy, zone)) &&
		       select_proxy(policy, proxy, zone, NULL, NULL);
	case KIND_MESH_LOAD_BALANCING_STRATEGY: /* too */
		return select_proxy(policy, proxy, zone, NULL, NULL);
	case KIND_TRAFFIC_ROUTE:
	case KIND_TIMEOUT:
	case KIND_RETRY:
	case KIND_HEALTH_CHECK:
	case KIND_CIRCUIT_BREAKER:
	case KIND_TRAFFIC_LOG:
		return touches_any(policy, proxy, zone);
	case KIND_TRAFFIC_PERMISSION:
		return enters_any(policy, proxy, zone);
	case KIND_MESH_GATEWAY:
		return builtin && gateway_matches(policy, proxy, zone);
	default:
		return false;
	}
}

/* What routes ask of services is what other zones may ask this one for. */
static bool touches_zone_proxy(const struct resource *policy,
			       const struct resource *proxy)
{
	switch (policy->key.kind) {
	case KIND_MESH_TCP_ROUTE:
	case KIND_MESH_HTTP_ROUTE:
	case KIND_TRAFFIC_ROUTE:
		return true;
	case KIND_MESH_LOAD_BALANCING_STRATEGY: /* what enters has come to its place */
		return proxy->key.kind == KIND_ZONE_EGRESS;
	default:
		return false;
	}
}

bool policy_touches(const struct resource *policy, const struct resource *proxy,
		    const char *zone)
{
	return proxy->key.kind == KIND_DATAPLANE ? touches_dataplane(policy, proxy, zone)
						 : touches_zone_proxy(policy, proxy);
}

void policy_services(const struct routes *routes, struct zl_buf *services)
{
	zl_buf_add(services, routes->leads, routes->leads_len);
}

bool policy_needs_egress(const struct zl_buf *services)
{
	return leads_have_egresses(services);
}

bool policy_endures(const struct zl_buf *services, const char *mesh,
		    const struct inventory *before, const struct inventory *after)
{
	return leads_endure(services, mesh, before, after);
}
