#include "envoy/build_settings.h"

#include "base/base64.h"

#include <string.h>
#include <strings.h>

#define FILE_SINK "envoy.health_check.event_sinks.file"

/* Who asks an endpoint whether it lives. */
enum checker {
	CHECKER_OWN, /* nobody that a policy speaks of: what build_watch made stays */
	CHECKER_NONE,
	CHECKER_TCP,
	CHECKER_HTTP,
	CHECKER_GRPC
};

static enum checker tcp_checker(const struct health_conf *conf)
{
	if (!conf->tcp.set)
		return CHECKER_OWN;
	return conf->tcp.disabled ? CHECKER_NONE : CHECKER_TCP;
}

/* By what the backend speaks; one that is disabled leaves it to tcp. A connection that is
 * handed on as it is may speak anything. */
static enum checker checker_of(const struct build *build, const struct backend *target)
{
	const struct health_conf *conf =
		target->settings != NULL ? target->settings->health : NULL;
	enum http_version version = build_http_version(target->protocol);
	bool grpc = strcasecmp(target->protocol, "grpc") == 0;

	if (conf == NULL)
		return CHECKER_OWN;
	if (version == HTTP_NONE || (build_uses(build, target) & USE_RAW) != 0)
		return tcp_checker(conf);
	if (grpc ? !conf->grpc.set : !conf->http.set)
		return CHECKER_OWN;
	if (grpc && !conf->grpc.disabled)
		return CHECKER_GRPC;
	if (!grpc && !conf->http.disabled)
		return CHECKER_HTTP;
	return conf->tcp.set ? tcp_checker(conf) : CHECKER_NONE;
}

bool build_is_checked(const struct build *build, const struct backend *target)
{
	return checker_of(build, target) != CHECKER_OWN;
}

/* ---- how it asks ---- */

/* text has been checked; what is no Base64 is nothing. */
static Envoy__HealthCheck__Payload *payload(struct zl_arena *arena, const char *text)
{
	Envoy__HealthCheck__Payload *made =
		pb_new(arena, &envoy__health_check__payload__descriptor);
	struct zl_buf bytes = { 0 };
	struct zl_err err;

	made->payload_case = ENVOY__HEALTH_CHECK__PAYLOAD__PAYLOAD_BINARY;
	if (zl_base64_read(text, strlen(text), &bytes, &err) == ZL_OK) {
		made->binary.len = bytes.len;
		made->binary.data = zl_arena_memdup(arena, bytes.data, bytes.len);
	}
	zl_buf_free(&bytes);
	return made;
}

static void ask_tcp(struct zl_arena *arena, Envoy__HealthCheck *to,
		    const struct health_conf *conf)
{
	Envoy__HealthCheck__TcpHealthCheck *how =
		pb_new(arena, &envoy__health_check__tcp_health_check__descriptor);

	if (conf->tcp.send != NULL && conf->tcp.send[0] != '\0')
		how->send = payload(arena, conf->tcp.send);
	how->receive = pb_list(arena, conf->tcp.receive.count);
	for (size_t i = 0; i < conf->tcp.receive.count; i++)
		how->receive[how->n_receive++] =
			payload(arena, conf->tcp.receive.items[i]);
	to->health_checker_case = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_TCP_HEALTH_CHECK;
	to->tcp_health_check = how;
}

static Envoy__HeaderValueOption *header(struct zl_arena *arena,
					const struct checked_header *from)
{
	Envoy__HeaderValueOption *made =
		pb_new(arena, &envoy__header_value_option__descriptor);

	made->header = pb_new(arena, &envoy__header_value__descriptor);
	made->header->key = zl_arena_strdup(arena, from->name);
	made->header->value = zl_arena_strdup(arena, from->value);
	made->append_action =
		from->add
			? ENVOY__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__APPEND_IF_EXISTS_OR_ADD
			: ENVOY__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__OVERWRITE_IF_EXISTS_OR_ADD;
	return made;
}

static void ask_http(struct zl_arena *arena, Envoy__HealthCheck *to,
		     const struct health_conf *conf, bool two)
{
	Envoy__HealthCheck__HttpHealthCheck *how =
		pb_new(arena, &envoy__health_check__http_health_check__descriptor);

	how->path = zl_arena_strdup(arena, conf->http.path);
	how->request_headers_to_add = pb_list(arena, conf->http.header_count);
	for (size_t i = 0; i < conf->http.header_count; i++)
		how->request_headers_to_add[how->n_request_headers_to_add++] =
			header(arena, &conf->http.headers[i]);
	how->expected_statuses = pb_list(arena, conf->http.status_count);
	for (size_t i = 0; i < conf->http.status_count; i++) {
		Envoy__Int64Range *range = pb_new(arena, &envoy__int64_range__descriptor);
		range->start = conf->http.statuses[i];
		range->end = range->start + 1;
		how->expected_statuses[how->n_expected_statuses++] = range;
	}
	if (two)
		how->codec_client_type = ENVOY__HEALTH_CHECK__CODEC_CLIENT_TYPE__HTTP2;
	to->health_checker_case = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_HTTP_HEALTH_CHECK;
	to->http_health_check = how;
}

static void ask_grpc(struct zl_arena *arena, Envoy__HealthCheck *to,
		     const struct health_conf *conf)
{
	Envoy__HealthCheck__GrpcHealthCheck *how =
		pb_new(arena, &envoy__health_check__grpc_health_check__descriptor);

	how->service_name = zl_arena_strdup(arena, conf->grpc.service);
	how->authority = zl_arena_strdup(arena, conf->grpc.authority);
	to->health_checker_case = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_GRPC_HEALTH_CHECK;
	to->grpc_health_check = how;
}

/* ---- when, and what of it ---- */

static Envoy__Duration *span(struct zl_arena *arena, struct span from)
{
	return from.set ? pb_ms(arena, from.ms) : NULL;
}

static Envoy__TypedExtensionConfig *event_log(struct zl_arena *arena, const char *path)
{
	Envoy__TypedExtensionConfig *made =
		pb_new(arena, &envoy__typed_extension_config__descriptor);
	Envoy__HealthCheckEventFileSink *sink =
		pb_new(arena, &envoy__health_check_event_file_sink__descriptor);

	sink->event_log_path = zl_arena_strdup(arena, path);
	made->name = zl_arena_strdup(arena, FILE_SINK);
	made->typed_config = pb_any(arena, &sink->base);
	return made;
}

static Envoy__HealthCheck *new_check(const struct build *build,
				     const struct health_conf *conf)
{
	struct zl_arena *arena = build->arena;
	Envoy__HealthCheck *to = pb_new(arena, &envoy__health_check__descriptor);

	to->timeout = span(arena, conf->timeout);
	to->interval = span(arena, conf->interval);
	to->initial_jitter = span(arena, conf->initial_jitter);
	to->interval_jitter = span(arena, conf->interval_jitter);
	if (conf->jitter_percent.set)
		to->interval_jitter_percent = conf->jitter_percent.value;
	to->no_traffic_interval = span(arena, conf->no_traffic);
	to->unhealthy_threshold = pb_u32(arena, conf->unhealthy);
	to->healthy_threshold = pb_u32(arena, conf->healthy);
	to->always_log_health_check_failures = conf->always_log;
	if (!conf->keep_open)
		to->reuse_connection = pb_bool(arena, false);
	if (conf->event_log != NULL && conf->event_log[0] != '\0' &&
	    !build_is_muted(build, conf->event_log)) {
		to->event_logger = pb_list(arena, 1);
		to->event_logger[to->n_event_logger++] =
			event_log(arena, conf->event_log);
	}
	return to;
}

/* Envoy has one place for either, so where groups of endpoints share by weight the other
 * way to close instead takes its place: no panic at all. */
static void set_panic(struct build *build, Envoy__Cluster *cluster,
		      const struct health_conf *conf)
{
	Envoy__Cluster__CommonLbConfig *balancing;

	if (conf->panic.set)
		build_set_panic(build, cluster, conf->panic.value);
	if (!conf->fail_on_panic)
		return;
	balancing = build_balancing(build, cluster);
	if (balancing->locality_config_specifier_case ==
	    ENVOY__CLUSTER__COMMON_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG) {
		build_set_panic(build, cluster, 0);
		return;
	}
	balancing->locality_config_specifier_case =
		ENVOY__CLUSTER__COMMON_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_ZONE_AWARE_LB_CONFIG;
	balancing->zone_aware_lb_config = pb_new(
		build->arena,
		&envoy__cluster__common_lb_config__zone_aware_lb_config__descriptor);
	balancing->zone_aware_lb_config->fail_traffic_on_panic = true;
}

void build_check(struct build *build, Envoy__Cluster *cluster,
		 const struct backend *target)
{
	struct zl_arena *arena = build->arena;
	enum checker checker = checker_of(build, target);
	const struct health_conf *conf = target->settings->health;
	Envoy__HealthCheck *check;

	set_panic(build, cluster, conf);
	if (checker == CHECKER_OWN)
		return;
	cluster->n_health_checks = 0;
	cluster->n_transport_socket_matches = 0;
	if (checker == CHECKER_NONE)
		return;
	check = new_check(build, conf);
	if (checker == CHECKER_TCP)
		ask_tcp(arena, check, conf);
	else if (checker == CHECKER_GRPC)
		ask_grpc(arena, check, conf);
	else
		ask_http(arena, check, conf,
			 build_http_version(target->protocol) == HTTP_TWO);
	cluster->health_checks = pb_list(arena, 1);
	cluster->health_checks[cluster->n_health_checks++] = check;
	/* Else who is withdrawn stays while it lives. */
	cluster->ignore_health_on_host_removal = true;
}
