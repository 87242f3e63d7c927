#include "zone/xds/server_state.h"

#include <stdlib.h>

const char *xds_state_text(enum xds_state state)
{
	static const char *const TEXT[] = {
		[XDS_NOT_SENT] = "NotSent",
		[XDS_STALE] = "Stale",
		[XDS_SYNCED] = "Synced",
		[XDS_NACKED] = "Nacked",
	};

	return TEXT[state];
}

static void show(const struct xds_proxy *proxy,
		 void (*each)(void *to, const struct xds_proxy_status *status), void *to)
{
	const struct xds_stream *stream = xds_proxy_newest(proxy);
	struct xds_proxy_status status = { .proxy = proxy->name,
					   .cluster = proxy->cluster,
					   .configured = proxy->configured,
					   .wanted = proxy->revision,
					   .acked = proxy->acked };
	struct xds_resource_status *list = NULL;
	const struct xds_stream *each_stream;

	for (each_stream = TAILQ_FIRST(&proxy->streams); each_stream != NULL;
	     each_stream = TAILQ_NEXT(each_stream, of_proxy))
		if (!each_stream->dead && !each_stream->ended && !each_stream->conn->dead)
			status.streams++;
	if (stream != NULL) {
		status.connected_at = stream->opened_us;
		list = xds_session_status(stream->session, &status.resources);
	}
	for (size_t i = 0; i < status.resources; i++)
		status.counts[list[i].state]++;
	status.list = list;
	each(to, &status);
	free(list);
}

void xds_server_proxies(struct xds_server *server,
			void (*each)(void *to, const struct xds_proxy_status *status),
			void *to)
{
	for (size_t i = 0; i < server->proxy_count; i++)
		show(server->proxies[i], each, to);
}

bool xds_server_proxy(struct xds_server *server, const char *proxy,
		      void (*each)(void *to, const struct xds_proxy_status *status),
		      void *to)
{
	const struct xds_proxy *found = xds_proxy_find(server, proxy);

	if (found != NULL)
		show(found, each, to);
	return found != NULL;
}

void xds_server_counts(const struct xds_server *server, struct xds_counts *counts)
{
	*counts = server->counts;
}
