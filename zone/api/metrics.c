#include "base/clock.h"
#include "store/store.h"
#include "zone/api/inside.h"

#include <inttypes.h>

static void metric(struct zl_buf *out, const char *name, const char *type,
		   const char *help)
{
	zl_buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(struct zl_buf *out, const char *name, const char *type,
		   const char *help, uint64_t value)
{
	metric(out, name, type, help);
	zl_buf_format(out, "%s %" PRIu64 "\n", name, value);
}

static const char *const TYPES[ENVOY_TYPES] = {
	[ENVOY_CLUSTER] = "cds",  [ENVOY_ENDPOINTS] = "eds",  [ENVOY_SECRET] = "sds",
	[ENVOY_LISTENER] = "lds", [ENVOY_EXTENSION] = "ecds", [ENVOY_ROUTES] = "rds",
};

static void by_type(struct zl_buf *out, const char *name, const char *help,
		    const uint64_t values[ENVOY_TYPES])
{
	metric(out, name, "counter", help);
	for (int type = 0; type < ENVOY_TYPES; type++)
		zl_buf_format(out, "%s{type=\"%s\"} %" PRIu64 "\n", name, TYPES[type],
			      values[type]);
}

static void xds_metrics(const struct api *api, struct zl_buf *out)
{
	struct xds_counts counts;

	xds_server_counts(proxies_xds(api->setup.proxies), &counts);
	number(out, "zonelink_xds_streams", "gauge", "Streams of proxies.",
	       counts.streams);
	number(out, "zonelink_xds_pending_acks", "gauge",
	       "Responses that proxies have not answered yet.", counts.pending_acks);
	by_type(out, "zonelink_xds_responses_total", "Responses sent.", counts.responses);
	by_type(out, "zonelink_xds_acks_total", "Responses accepted.", counts.acks);
	by_type(out, "zonelink_xds_nacks_total", "Responses refused.", counts.nacks);
	by_type(out, "zonelink_xds_resource_bytes_total", "Bytes of resources sent.",
		counts.resource_bytes);
}

static void metrics_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct proxies_counts proxies = proxies_counts(api->setup.proxies);
	struct zl_buf out = { 0 };

	metric(&out, "zonelink_build_info", "gauge", "Version and role of this process.");
	zl_buf_str(&out,
		   "zonelink_build_info{version=\"" ZL_VERSION "\",role=\"zone\"} 1\n");
	if (api->setup.uplink != NULL) {
		struct sync_zone_view view = uplink_view(api->setup.uplink);
		number(&out, "zonelink_revision", "gauge",
		       "The revision of global that is in force.", view.head.rev);
		number(&out, "zonelink_global_revision", "gauge",
		       "The newest revision of global that is known of.",
		       view.global_rev);
		number(&out, "zonelink_replication_live", "gauge",
		       "1 while the zone follows global.", view.state == SYNC_LIVE);
	}
	number(&out, "zonelink_resolves_total", "counter", "Proxies resolved.",
	       proxies.resolves);
	metric(&out, "zonelink_resolve_seconds_total", "counter",
	       "Time spent in resolving proxies.");
	zl_buf_format(&out, "zonelink_resolve_seconds_total %.6f\n",
		      (double)proxies.resolve_us / 1e6);
	xds_metrics(api, &out);
	metric(&out, "zonelink_api_requests_total", "counter",
	       "Answers of the API by the class of their status.");
	for (unsigned i = 1; i < 6; i++)
		zl_buf_format(&out,
			      "zonelink_api_requests_total{code=\"%uxx\"} %" PRIu64 "\n",
			      i, api->requests[i]);
	http_answer(req, 200, "text/plain; version=0.0.4", out.data, out.len);
	zl_buf_free(&out);
}

static void live_handle(struct http_request *req, void *arg)
{
	(void)arg;
	http_text(req, 200, "[+]loop ok\n");
}

/* A zone is ready without its global: it serves the last good state. */
static void ready_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct store_status status;

	store_status(api->setup.store, &status);
	if (status.failed || api->draining)
		http_text(req, 503,
			  status.failed ? "[-]store failed\n" : "[-]shutting down\n");
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
	{ "GET", "/livez", HTTP_VIEW, 0, live_handle },
	{ "GET", "/readyz", HTTP_VIEW, 0, ready_handle },
	{ "GET", "/startupz", HTTP_VIEW, 0, ready_handle },
	{ "GET", "/metrics", HTTP_VIEW, 0, metrics_handle },
};
const size_t DIAGNOSTIC_ROUTE_COUNT =
	sizeof(DIAGNOSTIC_ROUTES) / sizeof(DIAGNOSTIC_ROUTES[0]);
