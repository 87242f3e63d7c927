#include "base/mem.h"
#include "zone/xds/server_state.h"

#include <stdlib.h>
#include <string.h>

/* Where name stands, or should. */
static size_t place_of(const struct xds_server *server, const char *name, bool *there)
{
	size_t low = 0;
	size_t high = server->proxy_count;

	*there = false;
	while (low < high && !*there) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, server->proxies[mid]->name);
		if (order > 0)
			low = mid + 1;
		else
			high = mid;
		if (order == 0) {
			*there = true;
			low = mid;
		}
	}
	return low;
}

struct xds_proxy *xds_proxy_find(const struct xds_server *server, const char *name)
{
	bool there;
	size_t place = place_of(server, name, &there);

	return there ? server->proxies[place] : NULL;
}

struct xds_proxy *xds_proxy_need(struct xds_server *server, const char *name)
{
	bool there;
	size_t place = place_of(server, name, &there);

	if (there)
		return server->proxies[place];
	struct xds_proxy *proxy = zl_alloc(1, sizeof(*proxy));
	proxy->name = zl_strdup(name);
	proxy->cluster = zl_strdup("");
	TAILQ_INIT(&proxy->streams);
	server->proxies = zl_realloc(server->proxies, server->proxy_count + 1,
				     sizeof(struct xds_proxy *));
	memmove(server->proxies + place + 1, server->proxies + place,
		(server->proxy_count - place) * sizeof(struct xds_proxy *));
	server->proxies[place] = proxy;
	server->proxy_count++;
	return proxy;
}

struct xds_stream *xds_proxy_newest(const struct xds_proxy *proxy)
{
	struct xds_stream *stream;

	for (stream = TAILQ_FIRST(&proxy->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, of_proxy))
		if (!stream->dead && !stream->ended && !stream->conn->dead)
			return stream;
	return NULL;
}

static void proxy_free(struct xds_proxy *proxy)
{
	envoy_config_drop(&proxy->config);
	free(proxy->cluster);
	free(proxy->name);
	free(proxy);
}

void xds_proxies_sweep(struct xds_server *server)
{
	size_t kept = 0;

	for (size_t i = 0; i < server->proxy_count; i++) {
		struct xds_proxy *proxy = server->proxies[i];
		if (proxy->configured || proxy->stream_count > 0)
			server->proxies[kept++] = proxy;
		else
			proxy_free(proxy);
	}
	server->proxy_count = kept;
}

void xds_proxies_free(struct xds_server *server)
{
	for (size_t i = 0; i < server->proxy_count; i++)
		proxy_free(server->proxies[i]);
	free(server->proxies);
	server->proxies = NULL;
	server->proxy_count = 0;
}
