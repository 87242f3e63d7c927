#include "envoy/build_settings.h"

static void set(struct build *build, Envoy__Duration **to, struct span span)
{
	if (span.set)
		*to = pb_ms(build->arena, span.ms);
}

void build_timeout_cluster(struct build *build, Envoy__Cluster *cluster,
			   const struct timeout_conf *conf)
{
	set(build, &cluster->connect_timeout, conf->connect);
}

/* An idle connection is closed towards the server alone: the client has the same policy
 * at its own end, or is none of ours. */
Envoy__CommonHttpProtocolOptions *build_timeout_http(struct build *build,
						     const struct settings *settings)
{
	Envoy__CommonHttpProtocolOptions *options;
	const struct timeout_conf *conf;

	if (settings == NULL || settings->timeout == NULL)
		return NULL;
	conf = settings->timeout;
	if (!conf->idle.set && !conf->max_connection.set && !conf->max_stream.set)
		return NULL;
	options = pb_new(build->arena, &envoy__common_http_protocol_options__descriptor);
	set(build, &options->idle_timeout, conf->idle);
	set(build, &options->max_connection_duration, conf->max_connection);
	set(build, &options->max_stream_duration, conf->max_stream);
	return options;
}

void build_timeout_proxy(struct build *build, Envoy__TcpProxy *proxy,
			 const struct timeout_conf *conf)
{
	set(build, &proxy->idle_timeout, conf->idle);
}

void build_timeout_manager(struct build *build, Envoy__HttpConnectionManager *manager,
			   const struct timeout_conf *conf)
{
	const struct span never = { .set = true, .ms = 0 };

	set(build, &manager->request_headers_timeout, conf->request_headers);
	if (!conf->idle.set) /* else the cluster's counts */
		return;
	manager->common_http_protocol_options =
		pb_new(build->arena, &envoy__common_http_protocol_options__descriptor);
	set(build, &manager->common_http_protocol_options->idle_timeout, never);
}

void build_timeout_route(struct build *build, Envoy__RouteAction *action,
			 const struct timeout_conf *conf)
{
	set(build, &action->timeout, conf->request);
	set(build, &action->idle_timeout, conf->stream_idle);
}
