#include "envoy/build_settings.h"

#include <strings.h>

/* Twice Envoy's own, so that the client's side ends first. */
enum {
	INBOUND_IDLE_MS = 2 * 60 * 60 * 1000,
	EARLY_BYTES = 65536 /* of a client, until its target is reached */
};

const struct stream NOTHING_ASKED = { .destination = "" };

void build_use(struct build *build, const struct part *part, enum use use)
{
	const struct backend *backend = part->backend;

	if (backend != NULL && backend->settings != NULL)
		*build_uses_of(build, backend->cluster) |= (unsigned char)use;
}

unsigned build_uses(const struct build *build, const struct backend *target)
{
	return *build_uses_of(build, target->cluster);
}

const struct settings *build_asked_of_requests(const struct build *build,
					       const struct backend *target)
{
	if (target->settings == NULL || (build_uses(build, target) & USE_HTTP) == 0)
		return NULL;
	return target->settings;
}

Envoy__Cluster__CommonLbConfig *build_balancing(struct build *build,
						Envoy__Cluster *cluster)
{
	if (cluster->common_lb_config == NULL)
		cluster->common_lb_config = pb_new(
			build->arena, &envoy__cluster__common_lb_config__descriptor);
	return cluster->common_lb_config;
}

void build_set_panic(struct build *build, Envoy__Cluster *cluster, double percent)
{
	Envoy__Percent *threshold = pb_new(build->arena, &envoy__percent__descriptor);

	threshold->value = percent;
	build_balancing(build, cluster)->healthy_panic_threshold = threshold;
}

void build_settle_application(struct build *build, Envoy__Cluster *cluster,
			      const struct settings *settings)
{
	if (settings == NULL)
		return;
	if (settings->timeout != NULL)
		build_timeout_cluster(build, cluster, settings->timeout);
	if (settings->breaker != NULL)
		build_breaker(build, cluster, settings->breaker);
}

/* A breaker's panic threshold wins over a check's. */
void build_settle_target(struct build *build, Envoy__Cluster *cluster,
			 const struct backend *target)
{
	if (target->settings != NULL && target->settings->health != NULL)
		build_check(build, cluster, target);
	build_settle_application(build, cluster, target->settings);
}

void build_settle_proxy(struct build *build, Envoy__TcpProxy *proxy,
			const struct stream *stream)
{
	const struct settings *settings = stream->settings;

	if (stream->inbound)
		proxy->idle_timeout = pb_ms(build->arena, INBOUND_IDLE_MS);
	if (stream->of_mesh) {
		proxy->upstream_connect_mode =
			ENVOY__TCP_PROXY__UPSTREAM_CONNECT_MODE__ON_DOWNSTREAM_TLS_HANDSHAKE;
		proxy->max_early_data_bytes = pb_u32(build->arena, EARLY_BYTES);
	}
	if (settings != NULL && settings->timeout != NULL)
		build_timeout_proxy(build, proxy, settings->timeout);
	if (settings != NULL && settings->retry != NULL &&
	    settings->retry->connect_attempts.set)
		proxy->max_connect_attempts =
			pb_u32(build->arena, settings->retry->connect_attempts.value);
	proxy->access_log = build_logs(build, stream, false, &proxy->n_access_log);
}

void build_settle_manager(struct build *build, Envoy__HttpConnectionManager *manager,
			  const struct stream *stream)
{
	const struct settings *settings = stream->settings;

	if (settings != NULL && settings->timeout != NULL)
		build_timeout_manager(build, manager, settings->timeout);
	manager->access_log = build_logs(build, stream, true, &manager->n_access_log);
}

void build_settle_route(struct build *build, Envoy__RouteAction *action,
			const struct settings *settings, const char *protocol)
{
	bool grpc = strcasecmp(protocol, "grpc") == 0;

	if (settings == NULL)
		return;
	if (settings->timeout != NULL)
		build_timeout_route(build, action, settings->timeout);
	if (settings->retry != NULL)
		action->retry_policy = build_retry(
			build, grpc ? &settings->retry->grpc : &settings->retry->http,
			grpc);
}
