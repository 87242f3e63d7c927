#include "envoy/build_settings.h"

enum { FACTOR = 1000 }; /* Envoy counts standard deviations in thousandths */

static void set(struct build *build, Envoy__UInt32Value **to, struct number number)
{
	if (number.set)
		*to = pb_u32(build->arena, number.value);
}

/* What no limit is written for has none, as without the policy. */
static void set_limits(struct build *build, Envoy__Cluster *cluster,
		       const struct breaker_conf *conf)
{
	Envoy__CircuitBreakers__Thresholds *limits =
		cluster->circuit_breakers->thresholds[0];

	limits->track_remaining = true;
	set(build, &limits->max_connections, conf->connections);
	set(build, &limits->max_pending_requests, conf->pending);
	set(build, &limits->max_requests, conf->requests);
	set(build, &limits->max_retries, conf->retries);
	set(build, &limits->max_connection_pools, conf->pools);
}

/* Envoy enforces some detectors that nobody spoke of, and others not although somebody
 * did: of each it is told. */
static Envoy__UInt32Value *enforcing(struct build *build, bool wanted)
{
	return pb_u32(build->arena, wanted ? 100 : 0);
}

static void set_consecutive(struct build *build, Envoy__OutlierDetection *to,
			    const struct breaker_conf *conf)
{
	set(build, &to->consecutive_5xx, conf->total);
	set(build, &to->consecutive_gateway_failure, conf->gateway);
	set(build, &to->consecutive_local_origin_failure, conf->local_origin);
	to->enforcing_consecutive_5xx =
		enforcing(build, conf->has_total || conf->total.set);
	to->enforcing_consecutive_gateway_failure =
		enforcing(build, conf->has_gateway || conf->gateway.set);
	to->enforcing_consecutive_local_origin_failure =
		enforcing(build, conf->has_local_origin || conf->local_origin.set);
}

static uint32_t thousandths(double factor)
{
	return factor * FACTOR < UINT32_MAX ? (uint32_t)(factor * FACTOR + 0.5)
					    : UINT32_MAX;
}

static void set_rates(struct build *build, Envoy__OutlierDetection *to,
		      const struct breaker_conf *conf)
{
	set(build, &to->success_rate_minimum_hosts, conf->success_hosts);
	set(build, &to->success_rate_request_volume, conf->success_volume);
	if (conf->success_factor.set)
		to->success_rate_stdev_factor =
			pb_u32(build->arena, thousandths(conf->success_factor.value));
	set(build, &to->failure_percentage_minimum_hosts, conf->failure_hosts);
	set(build, &to->failure_percentage_request_volume, conf->failure_volume);
	set(build, &to->failure_percentage_threshold, conf->failure_threshold);
	to->enforcing_success_rate = enforcing(build, conf->has_success_rate);
	to->enforcing_local_origin_success_rate = to->enforcing_success_rate;
	to->enforcing_failure_percentage = enforcing(build, conf->has_failure_percentage);
	to->enforcing_failure_percentage_local_origin = to->enforcing_failure_percentage;
}

static Envoy__OutlierDetection *detection(struct build *build,
					  const struct breaker_conf *conf)
{
	Envoy__OutlierDetection *to =
		pb_new(build->arena, &envoy__outlier_detection__descriptor);

	if (conf->interval.set)
		to->interval = pb_ms(build->arena, conf->interval.ms);
	if (conf->ejection.set)
		to->base_ejection_time = pb_ms(build->arena, conf->ejection.ms);
	set(build, &to->max_ejection_percent, conf->max_percent);
	/* Envoy's 10 % of fewer than ten are none: nothing would ever be left out. */
	if (!conf->max_percent.set || conf->max_percent.value > 0)
		to->always_eject_one_host = pb_bool(build->arena, true);
	/* Else who passes a check comes back at once, whatever it answers to others. */
	to->successful_active_health_check_uneject_host = pb_bool(build->arena, false);
	to->split_external_local_origin_errors = conf->split_errors;
	set_consecutive(build, to, conf);
	set_rates(build, to, conf);
	return to;
}

void build_breaker(struct build *build, Envoy__Cluster *cluster,
		   const struct breaker_conf *conf)
{
	if (conf->has_limits)
		set_limits(build, cluster, conf);
	if (!conf->has_detection)
		return;
	/* The built-in ejection goes too: somebody decided. */
	cluster->outlier_detection = conf->disabled ? NULL : detection(build, conf);
	if (conf->panic.set && !conf->disabled)
		build_set_panic(build, cluster, conf->panic.value);
}
