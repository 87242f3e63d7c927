#include "envoy/build_parts.h"

/* Who of the mesh is dead (docs/decisions/cross-zone-health.md).
 *
 * An endpoint to which three connections in a row could not be made is left alone for 15
 * s, then for longer, up to a minute; while all of a cluster are dead, all are used. What
 * was connected stays so. Whoever comes back is noticed too late by that, and at the cost
 * of more connections: so hops to other zones are dialled every now and then, plainly,
 * which reaches the ingress and nobody behind it. */
enum {
	FAILURES = 3,
	PERCENT = 100,
	EJECTED_S = 15,
	EJECTED_MOST_S = 60,
	LOOK_S = 1,

	CHECK_S = 10,
	CHECK_JITTER_S = 1,
	CHECK_EDGE_S = 1,
	CHECK_DEAD_S = 2,
	CHECK_TIMEOUT_S = 1,
	CHECK_FAILURES = 2,
};

/* No tag has a blank in its name. */
static const struct label PLAIN[] = { { "zonelink check", "plain" } };

/* The same for all clusters. */
struct watch {
	Envoy__OutlierDetection *outlier;
	Envoy__HealthCheck *check;
	Envoy__Cluster__TransportSocketMatch *plain;
	Envoy__Endpoint__HealthCheckConfig *unasked;
};

static Envoy__Duration *seconds(struct zl_arena *arena, int64_t count)
{
	Envoy__Duration *duration = pb_new(arena, &envoy__duration__descriptor);

	duration->seconds = count;
	return duration;
}

/* Of failures to connect alone: what an application answers is its own affair. */
static Envoy__OutlierDetection *outlier_of(struct zl_arena *arena)
{
	Envoy__OutlierDetection *to =
		pb_new(arena, &envoy__outlier_detection__descriptor);

	to->split_external_local_origin_errors = true;
	to->consecutive_local_origin_failure = pb_u32(arena, FAILURES);
	to->enforcing_consecutive_local_origin_failure = pb_u32(arena, 100);
	to->enforcing_consecutive_5xx = pb_u32(arena, 0);
	to->enforcing_success_rate = to->enforcing_consecutive_5xx;
	to->enforcing_local_origin_success_rate = to->enforcing_consecutive_5xx;
	to->interval = seconds(arena, LOOK_S);
	to->base_ejection_time = seconds(arena, EJECTED_S);
	to->max_ejection_time = seconds(arena, EJECTED_MOST_S);
	to->max_ejection_percent = pb_u32(arena, PERCENT);
	/* An ingress that lives says nothing of who is behind it. */
	to->successful_active_health_check_uneject_host = pb_bool(arena, false);
	return to;
}

static Envoy__HealthCheck *check_of(struct zl_arena *arena)
{
	Envoy__HealthCheck *to = pb_new(arena, &envoy__health_check__descriptor);

	to->timeout = seconds(arena, CHECK_TIMEOUT_S);
	to->interval = seconds(arena, CHECK_S);
	to->interval_jitter = seconds(arena, CHECK_JITTER_S);
	/* Not less while nobody calls: then it would be late when somebody does. */
	to->no_traffic_interval = to->interval;
	to->unhealthy_interval = seconds(arena, CHECK_DEAD_S);
	to->unhealthy_edge_interval = seconds(arena, CHECK_EDGE_S);
	to->unhealthy_threshold = pb_u32(arena, CHECK_FAILURES);
	to->healthy_threshold = pb_u32(arena, 1);
	to->health_checker_case = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_TCP_HEALTH_CHECK;
	to->tcp_health_check =
		pb_new(arena, &envoy__health_check__tcp_health_check__descriptor);
	to->transport_socket_match_criteria =
		pb_labels(arena, (struct labels){ PLAIN, 1 }, "");
	return to;
}

static Envoy__Cluster__TransportSocketMatch *plain_of(struct zl_arena *arena)
{
	Envoy__Cluster__TransportSocketMatch *to =
		pb_new(arena, &envoy__cluster__transport_socket_match__descriptor);
	const ProtobufCMessage *options = pb_new(arena, &envoy__raw_buffer__descriptor);

	to->name = zl_arena_strdup(arena, "check");
	to->match = pb_labels(arena, (struct labels){ PLAIN, 1 }, "");
	to->transport_socket = pb_new(arena, &envoy__transport_socket__descriptor);
	to->transport_socket->name = zl_arena_strdup(arena, PLAIN_SOCKET);
	to->transport_socket->config_type_case =
		ENVOY__TRANSPORT_SOCKET__CONFIG_TYPE_TYPED_CONFIG;
	to->transport_socket->typed_config = pb_any(arena, options);
	return to;
}

static const struct watch *watch_of(struct build *build)
{
	struct watch *watch;

	if (build->watch != NULL)
		return build->watch;
	watch = zl_arena_alloc(build->arena, 1, sizeof(*watch));
	watch->outlier = outlier_of(build->arena);
	watch->check = check_of(build->arena);
	watch->plain = plain_of(build->arena);
	watch->unasked =
		pb_new(build->arena, &envoy__endpoint__health_check_config__descriptor);
	watch->unasked->disable_active_health_check = true;
	build->watch = watch;
	return watch;
}

void build_watch(struct build *build, Envoy__Cluster *cluster)
{
	const struct watch *watch = watch_of(build);

	cluster->outlier_detection = watch->outlier;
	cluster->health_checks = pb_list(build->arena, 1);
	cluster->health_checks[cluster->n_health_checks++] = watch->check;
	cluster->transport_socket_matches = pb_list(build->arena, 1);
	cluster->transport_socket_matches[cluster->n_transport_socket_matches++] =
		watch->plain;
	/* Else who is withdrawn stays while it lives. */
	cluster->ignore_health_on_host_removal = true;
}

void build_trust_in(struct build *build, Envoy__Endpoint *endpoint)
{
	endpoint->health_check_config = watch_of(build)->unasked;
}
