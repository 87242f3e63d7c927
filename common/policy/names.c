#include "policy/policy.h"

#include "base/hash.h"

#include <assert.h>

const char *via_name(enum via via)
{
	static const char *const NAMES[] = { [VIA_DIRECT] = "direct",
					     [VIA_INGRESS] = "ingress",
					     [VIA_EGRESS] = "egress",
					     [VIA_EXTERNAL] = "external" };

	assert(via < sizeof(NAMES) / sizeof(NAMES[0]));
	return NAMES[via];
}

const char *route_owner_name(enum route_owner owner)
{
	static const char *const NAMES[] = { [OWNER_DEFAULT] = "default",
					     [OWNER_TCP_ROUTE] = "MeshTCPRoute",
					     [OWNER_HTTP_ROUTE] = "MeshHTTPRoute",
					     [OWNER_TRAFFIC_ROUTE] = "TrafficRoute" };

	assert(owner < sizeof(NAMES) / sizeof(NAMES[0]));
	return NAMES[owner];
}

const char *gateway_protocol_name(enum gateway_protocol protocol)
{
	static const char *const NAMES[] = { [GATEWAY_TCP] = "TCP",
					     [GATEWAY_TLS] = "TLS",
					     [GATEWAY_HTTP] = "HTTP",
					     [GATEWAY_HTTPS] = "HTTPS" };

	assert(protocol < sizeof(NAMES) / sizeof(NAMES[0]));
	return NAMES[protocol];
}

/* No delimiters in what is hashed: the format is published (spec 5.5). */
const char *policy_cluster_name(const char *service, struct labels tags,
				struct zl_arena *arena)
{
	enum { HASH = 8 };
	struct zl_buf input = { 0 };
	uint8_t sum[ZL_SHA256];
	char hex[2 * HASH + 1];

	tags = labels_without(arena, tags, TAG_SERVICE);
	if (tags.count == 0)
		return zl_arena_strdup(arena, service);

	tags = labels_with(arena, tags, TAG_SERVICE, service);
	for (size_t i = 0; i < tags.count; i++) {
		zl_buf_str(&input, tags.items[i].key);
		zl_buf_str(&input, tags.items[i].value);
	}
	zl_sha256(&(struct zl_run){ input.data, input.len }, 1, sum);
	zl_buf_free(&input);
	zl_hex(sum, HASH, hex);
	return zl_arena_format(arena, "%s-%s", service, hex);
}
