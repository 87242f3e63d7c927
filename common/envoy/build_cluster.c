#include "envoy/build_settings.h"

#include "base/addr.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A next priority takes over only from endpoints that are known to be dead, and priority
 * alone notices no dead address. */
enum { OUTLIER_FAILURES = 3, OUTLIER_PERCENT = 100 };

/* At the edge strangers decide how much they make a proxy keep. */
enum { EDGE_CONNECT_S = 5 };

/* What Envoy does without is 1024, and closes the 1025th connection without a word. */
static Envoy__CircuitBreakers *no_limits(struct zl_arena *arena)
{
	Envoy__CircuitBreakers *breakers =
		pb_new(arena, &envoy__circuit_breakers__descriptor);
	Envoy__CircuitBreakers__Thresholds *limits =
		pb_new(arena, &envoy__circuit_breakers__thresholds__descriptor);

	limits->max_connections = pb_u32(arena, UINT32_MAX);
	limits->max_pending_requests = limits->max_connections;
	limits->max_requests = limits->max_connections;
	breakers->thresholds = pb_list(arena, 1);
	breakers->thresholds[breakers->n_thresholds++] = limits;
	return breakers;
}

Envoy__Cluster *build_cluster_new(struct build *build, const char *name,
				  Envoy__Cluster__DiscoveryType type)
{
	struct zl_arena *arena = build->arena;
	Envoy__Cluster *cluster = pb_new(arena, &envoy__cluster__descriptor);

	cluster->name = zl_arena_strdup(arena, name);
	cluster->cluster_discovery_type_case =
		ENVOY__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
	cluster->type = type;
	cluster->circuit_breakers = no_limits(arena);
	if (build->at_edge) {
		cluster->connect_timeout = pb_new(arena, &envoy__duration__descriptor);
		cluster->connect_timeout->seconds = EDGE_CONNECT_S;
		cluster->per_connection_buffer_limit_bytes = pb_u32(arena, EDGE_BUFFER);
	}
	return cluster;
}

static Envoy__ClusterLoadAssignment *
new_assignment(struct zl_arena *arena, const char *cluster, size_t localities)
{
	Envoy__ClusterLoadAssignment *assignment =
		pb_new(arena, &envoy__cluster_load_assignment__descriptor);

	assignment->cluster_name = zl_arena_strdup(arena, cluster);
	assignment->endpoints = pb_list(arena, localities);
	return assignment;
}

static Envoy__LbEndpoint *new_endpoint(struct zl_arena *arena, const char *address,
				       uint32_t port)
{
	Envoy__LbEndpoint *outer = pb_new(arena, &envoy__lb_endpoint__descriptor);
	Envoy__Endpoint *inner = pb_new(arena, &envoy__endpoint__descriptor);

	inner->address = pb_address(arena, address, port);
	outer->host_identifier_case = ENVOY__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
	outer->endpoint = inner;
	return outer;
}

enum http_version build_http_version(const char *protocol)
{
	if (strcasecmp(protocol, "http") == 0)
		return HTTP_ONE;
	if (strcasecmp(protocol, "http2") == 0 || strcasecmp(protocol, "grpc") == 0)
		return HTTP_TWO;
	return HTTP_NONE;
}

static Envoy__Any *http_options(struct zl_arena *arena, enum http_version version,
				Envoy__CommonHttpProtocolOptions *common)
{
	Envoy__HttpProtocolOptions *options =
		pb_new(arena, &envoy__http_protocol_options__descriptor);
	Envoy__HttpProtocolOptions__ExplicitHttpConfig *explicit = pb_new(
		arena, &envoy__http_protocol_options__explicit_http_config__descriptor);

	if (version == HTTP_TWO) {
		explicit->protocol_config_case =
			ENVOY__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP2_PROTOCOL_OPTIONS;
		explicit->http2_protocol_options =
			pb_new(arena, &envoy__http2_protocol_options__descriptor);
	} else {
		explicit->protocol_config_case =
			ENVOY__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP_PROTOCOL_OPTIONS;
		explicit->http_protocol_options =
			pb_new(arena, &envoy__http1_protocol_options__descriptor);
	}
	options->upstream_protocol_options_case =
		ENVOY__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG;
	options->explicit_http_config = explicit;
	options->common_http_protocol_options = common;
	return pb_any(arena, &options->base);
}

/* Packed once for all clusters of which no more is asked. */
static Envoy__Any *options_of(struct build *build, enum http_version version,
			      const struct settings *settings)
{
	Envoy__Any **packed = version == HTTP_TWO ? &build->http_two : &build->http_one;
	Envoy__CommonHttpProtocolOptions *common = build_timeout_http(build, settings);

	if (common != NULL)
		return http_options(build->arena, version, common);
	if (*packed == NULL)
		*packed = http_options(build->arena, version, NULL);
	return *packed;
}

static void set_http(struct build *build, Envoy__Cluster *cluster,
		     enum http_version version, const struct settings *settings)
{
	Envoy__Cluster__TypedExtensionProtocolOptionsEntry *entry = pb_new(
		build->arena,
		&envoy__cluster__typed_extension_protocol_options_entry__descriptor);

	if (version == HTTP_NONE)
		return;
	entry->key = zl_arena_strdup(build->arena, HTTP_OPTIONS);
	entry->value = options_of(build, version, settings);
	cluster->typed_extension_protocol_options = pb_list(build->arena, 1);
	cluster->typed_extension_protocol_options
		[cluster->n_typed_extension_protocol_options++] = entry;
}

void build_set_http(struct build *build, Envoy__Cluster *cluster,
		    enum http_version version, const struct backend *target)
{
	const struct settings *asked = build_asked_of_requests(build, target);

	if (version == HTTP_NONE && asked != NULL)
		version = HTTP_ONE;
	set_http(build, cluster, version, asked);
}

void build_static_cluster(struct build *build, const char *name, const char *address,
			  uint32_t port, enum http_version version,
			  const struct settings *settings)
{
	struct zl_arena *arena = build->arena;
	bool by_name = address != NULL && !zl_is_ip(address);
	Envoy__Cluster *cluster =
		build_cluster_new(build, name,
				  by_name ? ENVOY__CLUSTER__DISCOVERY_TYPE__STRICT_DNS
					  : ENVOY__CLUSTER__DISCOVERY_TYPE__STATIC);
	Envoy__LocalityLbEndpoints *locality;

	if (by_name)
		cluster->dns_lookup_family =
			ENVOY__CLUSTER__DNS_LOOKUP_FAMILY__V4_PREFERRED;
	cluster->load_assignment = new_assignment(arena, name, 1);
	if (address != NULL) {
		locality = pb_new(arena, &envoy__locality_lb_endpoints__descriptor);
		locality->lb_endpoints = pb_list(arena, 1);
		locality->lb_endpoints[locality->n_lb_endpoints++] =
			new_endpoint(arena, address, port);
		cluster->load_assignment
			->endpoints[cluster->load_assignment->n_endpoints++] = locality;
	}
	set_http(build, cluster, version, settings);
	build_settle_application(build, cluster, settings);
	build_add(build, ENVOY_CLUSTER, name, &cluster->base);
}

static void set_outlier_detection(struct zl_arena *arena, Envoy__Cluster *cluster)
{
	Envoy__OutlierDetection *outlier =
		pb_new(arena, &envoy__outlier_detection__descriptor);

	outlier->consecutive_5xx = pb_u32(arena, OUTLIER_FAILURES);
	outlier->max_ejection_percent = pb_u32(arena, OUTLIER_PERCENT);
	cluster->outlier_detection = outlier;
}

static void share_by_group(struct build *build, Envoy__Cluster *cluster)
{
	Envoy__Cluster__CommonLbConfig *config = build_balancing(build, cluster);

	config->locality_config_specifier_case =
		ENVOY__CLUSTER__COMMON_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
	config->locality_weighted_lb_config = pb_new(
		build->arena,
		&envoy__cluster__common_lb_config__locality_weighted_lb_config__descriptor);
}

static void add_eds_cluster(struct build *build, const struct backend *target,
			    bool spare_priority)
{
	struct zl_arena *arena = build->arena;
	Envoy__Cluster *cluster = build_cluster_new(build, target->cluster,
						    ENVOY__CLUSTER__DISCOVERY_TYPE__EDS);

	cluster->eds_cluster_config =
		pb_new(arena, &envoy__cluster__eds_cluster_config__descriptor);
	cluster->eds_cluster_config->eds_config = pb_ads(arena);
	/* The hop from proxy to proxy may speak HTTP/2; plain TCP does not look at it. */
	if (!build->at_edge)
		build_set_http(build, cluster,
			       target->relayed ? build_http_version(target->protocol)
					       : HTTP_TWO,
			       target);
	if (target->by_group)
		share_by_group(build, cluster);
	/* By what the mesh is, not by which endpoints there are: another cluster would
	 * forget who is dead. */
	if (build->trust.on)
		build_watch(build, cluster);
	else if (spare_priority)
		set_outlier_detection(arena, cluster);
	if (target->sni != NULL && build->trust.has_identity)
		cluster->transport_socket = build_mesh_client(build, target);
	build_settle_target(build, cluster, target);
	build_add(build, ENVOY_CLUSTER, target->cluster, &cluster->base);
}

/* "": of none, as what is outside the mesh. */
static const char *zone_of(const struct endpoint *endpoint)
{
	return endpoint->zone != NULL ? endpoint->zone : "";
}

/* "": not in one. */
static const char *group_of(const struct endpoint *endpoint)
{
	return endpoint->sub_zone != NULL ? endpoint->sub_zone : "";
}

/* A locality like that of an endpoint of target, with room for more. Where groups share
 * by weight one without would get nothing. */
static Envoy__LocalityLbEndpoints *new_locality(struct zl_arena *arena,
						const struct backend *target,
						const struct endpoint *like,
						unsigned priority, size_t endpoints)
{
	Envoy__LocalityLbEndpoints *locality =
		pb_new(arena, &envoy__locality_lb_endpoints__descriptor);
	const char *zone = zone_of(like);

	locality->priority = priority;
	locality->lb_endpoints = pb_list(arena, endpoints);
	if (zone[0] != '\0') {
		locality->locality = pb_new(arena, &envoy__locality__descriptor);
		locality->locality->zone = zl_arena_strdup(arena, zone);
		locality->locality->sub_zone = zl_arena_strdup(arena, group_of(like));
	}
	if (target->by_group)
		locality->load_balancing_weight =
			pb_u32(arena, (uint32_t)like->group_weight);
	return locality;
}

static int by_zone_and_priority(const void *a, const void *b)
{
	const Envoy__LocalityLbEndpoints *x = *(Envoy__LocalityLbEndpoints *const *)a;
	const Envoy__LocalityLbEndpoints *y = *(Envoy__LocalityLbEndpoints *const *)b;
	int order = strcmp(x->locality ? x->locality->zone : "",
			   y->locality ? y->locality->zone : "");

	if (order != 0)
		return order;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return strcmp(x->locality ? x->locality->sub_zone : "",
		      y->locality ? y->locality->sub_zone : "");
}

static int by_group(const void *a, const void *b)
{
	const struct endpoint *x = *(const struct endpoint *const *)a;
	const struct endpoint *y = *(const struct endpoint *const *)b;
	int order = x->priority < y->priority ? -1 : x->priority > y->priority;

	if (order == 0)
		order = strcmp(zone_of(x), zone_of(y));
	if (order == 0)
		order = strcmp(group_of(x), group_of(y));
	return order != 0 ? order : (x > y) - (x < y);
}

/* The endpoints of target, those of one locality side by side. They come sorted by
 * (priority, zone, address, port). */
static const struct endpoint **in_groups(struct build *build,
					 const struct backend *target)
{
	const struct endpoint **list = pb_list(build->arena, target->endpoint_count);

	for (size_t i = 0; i < target->endpoint_count; i++)
		list[i] = &target->endpoints[i];
	if (target->by_group && target->endpoint_count > 0)
		qsort(list, target->endpoint_count, sizeof(*list), by_group);
	return list;
}

static bool in_one_locality(const struct endpoint *a, const struct endpoint *b)
{
	return a->priority == b->priority && strcmp(zone_of(a), zone_of(b)) == 0 &&
	       strcmp(group_of(a), group_of(b)) == 0;
}

static void set_overprovisioning(struct zl_arena *arena,
				 Envoy__ClusterLoadAssignment *assignment,
				 uint32_t percent)
{
	if (percent == 0)
		return;
	assignment->policy =
		pb_new(arena, &envoy__cluster_load_assignment__policy__descriptor);
	assignment->policy->overprovisioning_factor = pb_u32(arena, percent);
}

static Envoy__LbEndpoint *weighted_endpoint(struct build *build,
					    const struct backend *target,
					    const struct endpoint *from)
{
	struct zl_arena *arena = build->arena;
	static const char *const USES[] = { "envoy.lb", "envoy.transport_socket_match" };
	Envoy__LbEndpoint *endpoint = new_endpoint(arena, from->address, from->port);

	if (target->host != NULL) /* by what requests to it are told */
		endpoint->endpoint->hostname = zl_arena_strdup(arena, target->host);
	endpoint->metadata = pb_metadata(arena, USES, 2, from->tags, TAG_SERVICE);
	if (from->weight > 0)
		endpoint->load_balancing_weight =
			pb_u32(arena, from->weight < UINT32_MAX ? (uint32_t)from->weight
								: UINT32_MAX);
	if (build->trust.on && from->via == VIA_DIRECT &&
	    !build_is_checked(build, target))
		build_trust_in(build, endpoint->endpoint);
	return endpoint;
}

/* Some endpoints may be left out, so priorities are counted anew: without holes. */
Envoy__ClusterLoadAssignment *build_assignment(struct build *build,
					       const struct backend *target, bool names,
					       unsigned *priorities)
{
	Envoy__ClusterLoadAssignment *assignment =
		new_assignment(build->arena, target->cluster, target->endpoint_count);
	Envoy__LocalityLbEndpoints *locality = NULL;
	const struct endpoint **all = in_groups(build, target);
	const struct endpoint *last = NULL;

	*priorities = 0;
	for (size_t i = 0; i < target->endpoint_count; i++) {
		const struct endpoint *from = all[i];
		if (!names && !zl_is_ip(from->address))
			continue;
		if (last == NULL || last->priority != from->priority)
			++*priorities;
		if (last == NULL || !in_one_locality(last, from)) {
			locality =
				new_locality(build->arena, target, from, *priorities - 1,
					     target->endpoint_count - i);
			assignment->endpoints[assignment->n_endpoints++] = locality;
		}
		locality->lb_endpoints[locality->n_lb_endpoints++] =
			weighted_endpoint(build, target, from);
		last = from;
	}
	set_overprovisioning(build->arena, assignment, target->overprovisioning);
	if (assignment->n_endpoints > 0)
		qsort(assignment->endpoints, assignment->n_endpoints,
		      sizeof(Envoy__LocalityLbEndpoints *), by_zone_and_priority);
	return assignment;
}

/* A target inside the mesh. */
static void add_target(struct build *build, const struct backend *target)
{
	struct backend barred = *target;
	bool open = target->sni == NULL || build->trust.has_identity;
	unsigned priorities;

	/* It may not be asked for plainly while the proxy cannot say who it is. */
	barred.endpoint_count = 0;
	Envoy__ClusterLoadAssignment *assignment =
		build_assignment(build, open ? target : &barred, false, &priorities);
	build_add(build, ENVOY_ENDPOINTS, target->cluster, &assignment->base);
	add_eds_cluster(build, target, priorities > 1);
}

void build_targets(struct build *build)
{
	for (size_t i = 0; i < build->target_count; i++) {
		if (build->targets[i]->outside != NULL)
			build_outside(build, build->targets[i]);
		else
			add_target(build, build->targets[i]);
	}
	if (build->blackhole != NULL)
		build_static_cluster(build, build->blackhole, NULL, 0, HTTP_NONE, NULL);
}
