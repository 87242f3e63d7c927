#include "base/clock.h"
#include "store/store.h"
#include "zone/api/inside.h"
#include "zone/trust/trust.h"

#include <inttypes.h>

static const char *const TYPES[ENVOY_TYPES] = {
	[ENVOY_CLUSTER] = "cds",  [ENVOY_ENDPOINTS] = "eds",  [ENVOY_SECRET] = "sds",
	[ENVOY_LISTENER] = "lds", [ENVOY_EXTENSION] = "ecds", [ENVOY_ROUTES] = "rds",
};

static void by_type(struct zl_buf *out, const char *name, const char *help,
		    const uint64_t values[ENVOY_TYPES])
{
	metrics_head(out, name, "counter", help);
	for (int type = 0; type < ENVOY_TYPES; type++)
		zl_buf_format(out, "%s{type=\"%s\"} %" PRIu64 "\n", name, TYPES[type],
			      values[type]);
}

static void zone_proxy_metrics(const struct api *api, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	size_t count;
	const struct zone_proxy_view *views =
		proxies_zone_views(api->setup.proxies, arena, &count);
	size_t ingresses = 0, egresses = 0, serving = 0;

	for (size_t i = 0; i < count; i++) {
		ingresses += views[i].kind == KIND_ZONE_INGRESS && views[i].connected;
		egresses += views[i].kind == KIND_ZONE_EGRESS && views[i].connected;
		serving += views[i].serving;
	}
	zl_arena_free(&arena);
	metrics_head(out, "zonelink_zone_proxies", "gauge",
		     "Zone proxies that are connected.");
	zl_buf_format(out, "zonelink_zone_proxies{kind=\"ingress\"} %zu\n", ingresses);
	zl_buf_format(out, "zonelink_zone_proxies{kind=\"egress\"} %zu\n", egresses);
	metrics_number(out, "zonelink_egresses_serving", "gauge",
		       "Egresses that the zone's proxies send to.", serving);
}

static void xds_metrics(const struct api *api, struct zl_buf *out)
{
	struct xds_counts counts;

	xds_server_counts(proxies_xds(api->setup.proxies), &counts);
	metrics_number(out, "zonelink_xds_streams", "gauge", "Streams of proxies.",
		       counts.streams);
	metrics_number(out, "zonelink_xds_connections", "gauge",
		       "Connections to the xDS server.", counts.connections);
	metrics_number(out, "zonelink_xds_strangers", "gauge",
		       "Connections on which no proxy was admitted yet.",
		       counts.strangers);
	metrics_number(out, "zonelink_xds_dropped_connections_total", "counter",
		       "Connections that a limit or deadline ended.",
		       counts.dropped_connections);
	metrics_number(out, "zonelink_xds_load_reports_total", "counter",
		       "Load reports of proxies.", counts.load_reports);
	metrics_number(out, "zonelink_xds_log_records_total", "counter",
		       "Records of access logs that proxies sent.", counts.log_records);
	metrics_number(out, "zonelink_xds_pending_acks", "gauge",
		       "Responses that proxies have not answered yet.",
		       counts.pending_acks);
	by_type(out, "zonelink_xds_responses_total", "Responses sent.", counts.responses);
	by_type(out, "zonelink_xds_acks_total", "Responses accepted.", counts.acks);
	by_type(out, "zonelink_xds_nacks_total", "Responses refused.", counts.nacks);
	by_type(out, "zonelink_xds_resource_bytes_total", "Bytes of resources sent.",
		counts.resource_bytes);
}

/* More lines of the family that metrics_answers ends with. */
static void refusals(const struct api *api, struct zl_buf *out)
{
	static const char LINE[] =
		"zonelink_auth_failures_total{reason=\"xds_%s\"} %" PRIu64 "\n";
	const uint64_t *counts = trust_counts(api->setup.trust);
	struct xds_counts xds;

	xds_server_counts(proxies_xds(api->setup.proxies), &xds);
	for (int i = 0; i < TRUST_REASONS; i++)
		zl_buf_format(out, LINE, trust_reason_name((enum trust_reason)i),
			      counts[i]);
	zl_buf_format(out, LINE, "bad_handshake", xds.failed_handshakes);
	zl_buf_format(out, LINE, "changed_node", xds.changed_nodes);
}

static void metrics_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct proxies_counts proxies = proxies_counts(api->setup.proxies);
	struct zl_buf out = { 0 };

	metrics_build(&out, "zone");
	if (api->setup.uplink != NULL) {
		struct sync_zone_view view = uplink_view(api->setup.uplink);
		metrics_number(&out, "zonelink_revision", "gauge",
			       "The revision of global that is in force.", view.head.rev);
		metrics_number(&out, "zonelink_global_revision", "gauge",
			       "The newest revision of global that is known of.",
			       view.global_rev);
		metrics_number(&out, "zonelink_replication_live", "gauge",
			       "1 while the zone follows global.",
			       view.state == SYNC_LIVE);
		metrics_number(&out, "zonelink_replication_held", "gauge",
			       "Objects that a change of global's history would remove, "
			       "which waits for an operator; 0: none waits.",
			       view.is_held ? view.held.removed : 0);
	}
	metrics_number(&out, "zonelink_resolves_total", "counter", "Proxies resolved.",
		       proxies.resolves);
	metrics_head(&out, "zonelink_resolve_seconds_total", "counter",
		     "Time spent in resolving proxies.");
	zl_buf_format(&out, "zonelink_resolve_seconds_total %.6f\n",
		      (double)proxies.resolve_us / 1e6);
	zone_proxy_metrics(api, &out);
	xds_metrics(api, &out);
	observed_metrics(api, &out);
	logging_metrics(api, &out);
	metrics_answers(&api->answers, &out);
	refusals(api, &out);
	metrics_send(req, &out);
	zl_buf_free(&out);
}

/* A zone is ready without its global: it serves the last good state. */
static void ready_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct store_status status;

	store_status(api->setup.store, &status);
	bool failed = status.failed || (api->setup.uplink != NULL &&
					uplink_store_failed(api->setup.uplink));
	if (failed || api->draining)
		http_text(req, 503, failed ? "[-]store failed\n" : "[-]shutting down\n");
	else if (api->setup.uplink != NULL &&
		 uplink_view(api->setup.uplink).state != SYNC_LIVE)
		http_text(
			req, 200,
			"[+]store ok\n[+]listeners ok\n[ ]degraded: global is away, the "
			"last good state is served\n");
	else
		http_text(req, 200, "[+]store ok\n[+]listeners ok\n");
}

const struct http_route DIAGNOSTIC_ROUTES[] = {
	{ "GET", "/livez", HTTP_VIEW, 0, metrics_live },
	{ "GET", "/readyz", HTTP_VIEW, 0, ready_handle },
	{ "GET", "/startupz", HTTP_VIEW, 0, ready_handle },
	{ "GET", "/metrics", HTTP_VIEW, 0, metrics_handle },
};
const size_t DIAGNOSTIC_ROUTE_COUNT =
	sizeof(DIAGNOSTIC_ROUTES) / sizeof(DIAGNOSTIC_ROUTES[0]);
