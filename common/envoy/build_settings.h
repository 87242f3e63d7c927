/* envoy/build_settings.h - what policies that attach to routes say, in Envoy's words
 * (policies-spec 2). Settings may be NULL; what they do not say is left as it is.
 *
 * Private to the room.
 *
 * Threads:  one build belongs to one thread.
 * Lifetime: all in build->arena.
 */
#pragma once

#include "envoy/build_parts.h"

/* How connections get to a cluster. */
enum use {
	USE_RAW = 1, /* by a TcpProxy */
	USE_HTTP = 2 /* by requests */
};

/* The target of part is used so: before build_targets. */
void build_use(struct build *build, const struct part *part, enum use use);
/* Its settings, if requests go there; else NULL. */
const struct settings *build_asked_of_requests(const struct build *build,
					       const struct backend *target);
/* All uses of a target. */
unsigned build_uses(const struct build *build, const struct backend *target);

/* ---- build_settings.c ---- */

/* What is asked of a cluster, in place of what it has until now. */
void build_settle_target(struct build *build, Envoy__Cluster *cluster,
			 const struct backend *target);
/* The same of that of an application. */
void build_settle_application(struct build *build, Envoy__Cluster *cluster,
			      const struct settings *settings);
/* What is asked of connections. */
void build_settle_proxy(struct build *build, Envoy__TcpProxy *proxy,
			const struct stream *stream);
void build_settle_manager(struct build *build, Envoy__HttpConnectionManager *manager,
			  const struct stream *stream);
/* Of requests; protocol is the destination's. */
void build_settle_route(struct build *build, Envoy__RouteAction *action,
			const struct settings *settings, const char *protocol);
/* How cluster balances, made if it is not there yet; and with fewer than percent of its
 * endpoints alive it uses all of them. */
Envoy__Cluster__CommonLbConfig *build_balancing(struct build *build,
						Envoy__Cluster *cluster);
void build_set_panic(struct build *build, Envoy__Cluster *cluster, double percent);

/* ---- build_timeout.c ---- */

void build_timeout_cluster(struct build *build, Envoy__Cluster *cluster,
			   const struct timeout_conf *conf);
/* For the HTTP options of a cluster; NULL: nothing is said. */
Envoy__CommonHttpProtocolOptions *build_timeout_http(struct build *build,
						     const struct settings *settings);
void build_timeout_proxy(struct build *build, Envoy__TcpProxy *proxy,
			 const struct timeout_conf *conf);
void build_timeout_manager(struct build *build, Envoy__HttpConnectionManager *manager,
			   const struct timeout_conf *conf);
void build_timeout_route(struct build *build, Envoy__RouteAction *action,
			 const struct timeout_conf *conf);

/* ---- build_retry.c ---- */

Envoy__RetryPolicy *build_retry(struct build *build, const struct request_retry *conf,
				bool grpc);

/* ---- build_breaker.c ---- */

void build_breaker(struct build *build, Envoy__Cluster *cluster,
		   const struct breaker_conf *conf);

/* ---- build_check.c ---- */

/* True if who is asked whether it lives, and how, is not what build_watch says. */
bool build_is_checked(const struct build *build, const struct backend *target);
/* After build_watch, in its place. The target's settings speak of checks. */
void build_check(struct build *build, Envoy__Cluster *cluster,
		 const struct backend *target);

/* ---- build_log.c ---- */

/* The access logs of a stream; *count of them. */
Envoy__AccessLog **build_logs(struct build *build, const struct stream *stream, bool http,
			      size_t *count);
