#include "base/clock.h"
#include "global/api/inside.h"
#include "store/store.h"

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

static void store_metrics(const struct api *api, struct zl_buf *out)
{
	struct store_status status;

	store_status(api->setup.store, &status);
	number(out, "zonelink_store_records", "gauge", "Resources that are stored.",
	       status.records);
	number(out, "zonelink_store_bytes", "gauge", "Bytes of the store in use.",
	       status.file_bytes);
	number(out, "zonelink_store_mapsize_bytes", "gauge",
	       "Address space of the store; grows by itself.", status.map_bytes);
	number(out, "zonelink_store_commits_total", "counter",
	       "Transactions since the start.", status.commits);
	number(out, "zonelink_store_failed", "gauge",
	       "1 after an I/O error: nothing is written any more.", status.failed);
}

static void zone_metrics(const struct api *api, struct zl_buf *out)
{
	uint64_t head = api->setup.position(api->setup.owner).rev;
	size_t count = hub_zone_count(api->setup.hub);

	metric(out, "zonelink_zone_up", "gauge", "1 while the zone holds its lease.");
	for (size_t i = 0; i < count; i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (zones_is_gone(api, &zone))
			continue;
		zl_buf_format(out, "zonelink_zone_up{zone=\"%s\"} %d\n", zone.zone,
			      zone.state == SYNC_ACTIVE);
	}
	metric(out, "zonelink_zone_lag_revisions", "gauge",
	       "Revisions that the zone has not applied yet.");
	for (size_t i = 0; i < count; i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (zones_is_gone(api, &zone))
			continue;
		zl_buf_format(
			out, "zonelink_zone_lag_revisions{zone=\"%s\"} %" PRIu64 "\n",
			zone.zone, head > zone.applied.rev ? head - zone.applied.rev : 0);
	}
}

static void metrics_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct hub_counts hub = hub_counts(api->setup.hub);
	struct zl_buf out = { 0 };

	metric(&out, "zonelink_build_info", "gauge", "Version and role of this process.");
	zl_buf_str(&out,
		   "zonelink_build_info{version=\"" ZL_VERSION "\",role=\"global\"} 1\n");
	number(&out, "zonelink_revision", "gauge", "The newest revision.",
	       api->setup.position(api->setup.owner).rev);
	store_metrics(api, &out);
	metric(&out, "zonelink_api_requests_total", "counter",
	       "Answers of the API by the class of their status.");
	for (unsigned i = 1; i < 6; i++)
		zl_buf_format(&out,
			      "zonelink_api_requests_total{code=\"%uxx\"} %" PRIu64 "\n",
			      i, api->requests[i]);
	number(&out, "zonelink_replication_connections", "gauge",
	       "Connections of zones behind the gate.", hub.connections);
	number(&out, "zonelink_replication_published_total", "counter",
	       "Messages published to all zones.", hub.published);
	number(&out, "zonelink_replication_requests_total", "counter",
	       "Requests of zones.", hub.requests);
	number(&out, "zonelink_replication_refused_total", "counter",
	       "Connections that the gate refused.", hub.refused);
	zone_metrics(api, &out);
	http_answer(req, 200, "text/plain; version=0.0.4", out.data, out.len);
	zl_buf_free(&out);
}

static void live_handle(struct http_request *req, void *arg)
{
	(void)arg;
	http_text(req, 200, "[+]loop ok\n");
}

static void ready_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct store_status status;

	store_status(api->setup.store, &status);
	if (status.failed || api->draining)
		http_text(req, 503,
			  status.failed ? "[-]store failed\n" : "[-]shutting down\n");
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
