#include "zone/xds/response.h"

#include "base/hash.h"
#include "zone/xds/grpc_frame.h"
#include "zone/xds/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Field numbers of envoy.service.discovery.v3.DeltaDiscoveryResponse, Resource, Any. */
enum {
	SYSTEM_VERSION = 1,
	RESOURCES = 2,
	TYPE_URL = 4,
	NONCE = 5,
	REMOVED = 6,

	RESOURCE_VERSION = 1,
	RESOURCE_ANY = 2,
	RESOURCE_NAME = 3,

	ANY_TYPE_URL = 1,
	ANY_VALUE = 2
};

void xds_nonce_text(uint64_t nonce, char text[XDS_NONCE_TEXT])
{
	(void)snprintf(text, XDS_NONCE_TEXT, "%" PRIu64, nonce);
}

static size_t any_size(size_t url_len, const struct xds_part *part)
{
	return xds_wire_size(ANY_TYPE_URL, url_len) + xds_wire_size(ANY_VALUE, part->len);
}

static size_t part_size(size_t url_len, const struct xds_part *part)
{
	return xds_wire_size(RESOURCE_VERSION, strlen(part->version)) +
	       xds_wire_size(RESOURCE_ANY, any_size(url_len, part)) +
	       xds_wire_size(RESOURCE_NAME, strlen(part->name));
}

static void put_text(struct zl_buf *out, uint32_t number, const char *text)
{
	xds_wire_put(out, number, text, strlen(text));
}

static void put_part(struct zl_buf *out, const char *url, const struct xds_part *part)
{
	xds_wire_put_head(out, RESOURCES, part_size(strlen(url), part));
	put_text(out, RESOURCE_VERSION, part->version);
	xds_wire_put_head(out, RESOURCE_ANY, any_size(strlen(url), part));
	put_text(out, ANY_TYPE_URL, url);
	xds_wire_put(out, ANY_VALUE, part->bytes, part->len);
	put_text(out, RESOURCE_NAME, part->name);
}

void xds_response_write(struct zl_buf *out, const struct xds_response *response)
{
	size_t url_len = strlen(response->type_url);
	char nonce[XDS_NONCE_TEXT];
	char revision[XDS_NONCE_TEXT];
	uint8_t head[XDS_FRAME_HEAD];

	xds_nonce_text(response->nonce, nonce);
	xds_nonce_text(response->revision, revision);
	size_t size = xds_wire_size(SYSTEM_VERSION, strlen(revision)) +
		      xds_wire_size(TYPE_URL, url_len) +
		      xds_wire_size(NONCE, strlen(nonce));
	for (size_t i = 0; i < response->count; i++)
		size += xds_wire_size(RESOURCES, part_size(url_len, &response->parts[i]));
	for (size_t i = 0; i < response->removed_count; i++)
		size += xds_wire_size(REMOVED, strlen(response->removed[i]));

	xds_frame_head(head, size);
	zl_buf_add(out, head, sizeof(head));
	put_text(out, SYSTEM_VERSION, revision);
	for (size_t i = 0; i < response->count; i++)
		put_part(out, response->type_url, &response->parts[i]);
	put_text(out, TYPE_URL, response->type_url);
	put_text(out, NONCE, nonce);
	for (size_t i = 0; i < response->removed_count; i++)
		put_text(out, REMOVED, response->removed[i]);
}

#define FILTERS "type.googleapis.com/envoy.extensions.filters.network."

/* Filters that let nobody through. They are written by hand, as this room has no use for
 * Envoy's messages. */

/* TcpProxy {1 stat_prefix, 2 cluster}: a connection is closed at once, as that cluster
 * has no endpoints. */
static void put_proxy(struct zl_buf *out)
{
	put_text(out, 1, "blackhole");
	put_text(out, 2, "blackhole");
}

/* RBAC {1 rules: RBAC {}, 3 stat_prefix}: rules that allow nobody. */
static void put_denial(struct zl_buf *out)
{
	xds_wire_put(out, 1, "", 0);
	put_text(out, 3, "blackhole.");
}

/* HttpConnectionManager {2 stat_prefix, 3 rds {1 config_source {3 ads {}, 6 version},
 * 2 route_config_name}, 5 http_filters {1 name, 4 typed_config}}: its table is the one
 * that the listener's has in any case. */
static void put_manager(struct zl_buf *out, const char *table)
{
	static const uint8_t ADS[] = { 3 << 3 | 2, 0, 6 << 3, 2 /* V3 */ };
	struct zl_buf rds = { 0 };
	struct zl_buf any = { 0 };
	struct zl_buf filter = { 0 };

	xds_wire_put(&rds, 1, ADS, sizeof(ADS));
	put_text(&rds, 2, table);
	put_text(&any, ANY_TYPE_URL,
		 "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router");
	put_text(&filter, 1, "envoy.filters.http.router");
	xds_wire_put(&filter, 4, any.data, any.len);
	put_text(out, 2, "blackhole");
	xds_wire_put(out, 3, rds.data, rds.len);
	xds_wire_put(out, 5, filter.data, filter.len);
	zl_buf_free(&filter);
	zl_buf_free(&any);
	zl_buf_free(&rds);
}

/* The length of the name of the listener that has the extension name, which ends in what;
 * 0: it is no such. Others end in server names, behind the names of people. */
static size_t listener_length(const char *name, const char *what)
{
	static const char *const LISTENERS[] = { "inbound:", "outbound:" };
	size_t len = strlen(name);
	size_t end = strlen(what);

	for (size_t i = 0; i < sizeof(LISTENERS) / sizeof(LISTENERS[0]); i++) {
		size_t start = strlen(LISTENERS[i]);
		if (strncmp(name, LISTENERS[i], start) == 0 && len > start + end &&
		    (name[start] == '[' || (name[start] >= '0' && name[start] <= '9')) &&
		    strcmp(name + len - end, what) == 0)
			return len - end;
	}
	return 0;
}

/* TypedExtensionConfig {1 name, 2 typed_config} of the type that its listener asks for:
 * Envoy would refuse another. */
static void put_extension(struct zl_buf *out, const char *name)
{
	const char *url = FILTERS "tcp_proxy.v3.TcpProxy";
	size_t http = listener_length(name, "/http");
	struct zl_buf filter = { 0 };
	struct zl_buf any = { 0 };

	if (http > 0) {
		struct zl_buf table = { 0 };
		zl_buf_add(&table, name, http);
		url = FILTERS "http_connection_manager.v3.HttpConnectionManager";
		put_manager(&filter, zl_buf_text(&table));
		zl_buf_free(&table);
	} else if (listener_length(name, "/rbac") > 0) {
		url = FILTERS "rbac.v3.RBAC";
		put_denial(&filter);
	} else {
		put_proxy(&filter);
	}
	put_text(&any, ANY_TYPE_URL, url);
	xds_wire_put(&any, ANY_VALUE, filter.data, filter.len);
	put_text(out, 1, name);
	xds_wire_put(out, 2, any.data, any.len);
	zl_buf_free(&any);
	zl_buf_free(&filter);
}

struct xds_part xds_response_nothing(struct zl_arena *arena, enum envoy_type type,
				     const char *name)
{
	struct xds_part part = { .name = name, .version = "" };
	struct zl_buf bytes = { 0 };

	if (type == ENVOY_EXTENSION)
		put_extension(&bytes, name);
	else if (type == ENVOY_ENDPOINTS || type == ENVOY_ROUTES)
		put_text(&bytes, 1, name); /* their field 1 is the name */
	else
		return part;
	part.bytes = zl_arena_memdup(arena, bytes.data, bytes.len);
	part.len = bytes.len;
	part.version =
		zl_arena_format(arena, "%016" PRIx64, zl_xxh3(bytes.data, bytes.len));
	zl_buf_free(&bytes);
	return part;
}
