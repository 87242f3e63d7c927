#include "base/clock.h"
#include "global/api/inside.h"
#include "store/store.h"

#include <inttypes.h>

static void store_metrics(const struct api *api, struct zl_buf *out)
{
	struct store_status status;

	store_status(api->setup.store, &status);
	metrics_number(out, "zonelink_store_records", "gauge",
		       "Resources that are stored.", status.records);
	metrics_number(out, "zonelink_store_bytes", "gauge", "Bytes of the store in use.",
		       status.file_bytes);
	metrics_number(out, "zonelink_store_mapsize_bytes", "gauge",
		       "Address space of the store; grows by itself.", status.map_bytes);
	metrics_number(out, "zonelink_store_commits_total", "counter",
		       "Transactions since the start.", status.commits);
	metrics_number(out, "zonelink_store_failed", "gauge",
		       "1 after an I/O error: nothing is written any more.",
		       status.failed);
}

static void book_metric(const struct api *api, size_t index, bool refused,
			const char *name, struct zl_buf *out)
{
	struct sync_session_view zone = hub_zone_at(api->setup.hub, index);
	const struct zone_book *book = hub_book(api->setup.hub, zone.zone);

	if (book == NULL || zones_is_gone(api, &zone))
		return;
	zl_buf_format(out, "%s{zone=\"%s\"} %zu\n", name, zone.zone,
		      refused ? book->refused_count + book->unlisted
			      : book->load.resources);
}

static void zone_metrics(const struct api *api, struct zl_buf *out)
{
	uint64_t head = api->setup.position(api->setup.owner).rev;
	size_t count = hub_zone_count(api->setup.hub);

	metrics_head(out, "zonelink_zone_up", "gauge",
		     "1 while the zone holds its lease.");
	for (size_t i = 0; i < count; i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (zones_is_gone(api, &zone))
			continue;
		zl_buf_format(out, "zonelink_zone_up{zone=\"%s\"} %d\n", zone.zone,
			      zone.state == SYNC_ACTIVE);
	}
	metrics_head(out, "zonelink_zone_lag_revisions", "gauge",
		     "Revisions that the zone has not applied yet.");
	for (size_t i = 0; i < count; i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (zones_is_gone(api, &zone))
			continue;
		zl_buf_format(
			out, "zonelink_zone_lag_revisions{zone=\"%s\"} %" PRIu64 "\n",
			zone.zone, head > zone.applied.rev ? head - zone.applied.rev : 0);
	}
	metrics_head(out, "zonelink_zone_condition", "gauge",
		     "0 Online, 1 Stale, 2 Offline: how the zone stands for others.");
	for (size_t i = 0; i < count; i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (!zones_is_gone(api, &zone))
			zl_buf_format(out, "zonelink_zone_condition{zone=\"%s\"} %d\n",
				      zone.zone, zones_condition(api, zone.zone));
	}
	metrics_head(out, "zonelink_zone_resources", "gauge",
		     "Resources that the zone has at global.");
	for (size_t i = 0; i < count; i++)
		book_metric(api, i, false, "zonelink_zone_resources", out);
	metrics_head(out, "zonelink_zone_refused_resources", "gauge",
		     "Resources of the zone that global did not take.");
	for (size_t i = 0; i < count; i++)
		book_metric(api, i, true, "zonelink_zone_refused_resources", out);
}

static void held_metrics(const struct api *api, struct zl_buf *out)
{
	metrics_head(out, "zonelink_replication_held", "gauge",
		     "Objects that a change of history would remove in a zone, which "
		     "waits for an operator; 0: none waits.");
	for (size_t i = 0; i < hub_zone_count(api->setup.hub); i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (zones_is_gone(api, &zone))
			continue;
		zl_buf_format(out, "zonelink_replication_held{zone=\"%s\"} %" PRIu64 "\n",
			      zone.zone, zone.is_held ? zone.held.removed : 0);
	}
}

static void joining_metrics(const struct api *api, struct zl_buf *out)
{
	const uint64_t *counts = joining_counts(api->setup.joining);

	metrics_head(out, "zonelink_joins_total", "counter",
		     "Zones that asked for a certificate or showed one that was refused, "
		     "by what came of it.");
	for (int i = 0; i < JOINING_OUTCOMES; i++)
		zl_buf_format(out, "zonelink_joins_total{result=\"%s\"} %" PRIu64 "\n",
			      joining_outcome_name((enum joining_outcome)i), counts[i]);
	metrics_number(out, "zonelink_zone_certificates", "gauge",
		       "Certificates of zones that are good.",
		       joining_good(api->setup.joining));
}

static void metrics_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct hub_counts hub = hub_counts(api->setup.hub);
	struct zl_buf out = { 0 };

	metrics_build(&out, "global");
	metrics_number(&out, "zonelink_revision", "gauge", "The newest revision.",
		       api->setup.position(api->setup.owner).rev);
	store_metrics(api, &out);
	metrics_answers(&api->answers, &out);
	metrics_number(&out, "zonelink_replication_connections", "gauge",
		       "Connections of zones behind the gate.", hub.connections);
	metrics_number(&out, "zonelink_replication_published_total", "counter",
		       "Messages published to all zones.", hub.published);
	metrics_number(&out, "zonelink_replication_requests_total", "counter",
		       "Requests of zones.", hub.requests);
	metrics_number(&out, "zonelink_replication_refused_total", "counter",
		       "Connections that the gate refused.", hub.refused);
	joining_metrics(api, &out);
	zone_metrics(api, &out);
	held_metrics(api, &out);
	metrics_send(req, &out);
	zl_buf_free(&out);
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
	{ "GET", "/livez", HTTP_VIEW, 0, metrics_live },
	{ "GET", "/readyz", HTTP_VIEW, 0, ready_handle },
	{ "GET", "/startupz", HTTP_VIEW, 0, ready_handle },
	{ "GET", "/metrics", HTTP_VIEW, 0, metrics_handle },
};
const size_t DIAGNOSTIC_ROUTE_COUNT =
	sizeof(DIAGNOSTIC_ROUTES) / sizeof(DIAGNOSTIC_ROUTES[0]);
