#include "policy/policy.h"

#include "base/hash.h"

#include <assert.h>
#include <string.h>

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

const char *permission_mode_name(enum permission_mode mode)
{
	static const char *const NAMES[] = { [PERMISSION_PLAIN] = "plain",
					     [PERMISSION_ENFORCED] = "enforced",
					     [PERMISSION_OPEN] = "open",
					     [PERMISSION_DENIED] = "denied" };

	assert(mode < sizeof(NAMES) / sizeof(NAMES[0]));
	return NAMES[mode];
}

static void put(struct zl_buf *input, const char *key, const char *value)
{
	zl_buf_str(input, key);
	zl_buf_str(input, value);
}

/* No delimiters in what is hashed: the format is published (spec 5.5). */
const char *policy_cluster_name(const char *service, struct labels tags,
				struct zl_arena *arena)
{
	enum { HASH = 8 };
	struct zl_buf input = { 0 };
	uint8_t sum[ZL_SHA256];
	char hex[2 * HASH + 1];
	bool subset = false;
	size_t i = 0;

	if (tags.count == 0)
		return zl_arena_strdup(arena, service);
	/* By key, the service in its place. */
	for (; i < tags.count && strcmp(tags.items[i].key, TAG_SERVICE) < 0; i++) {
		put(&input, tags.items[i].key, tags.items[i].value);
		subset = true;
	}
	put(&input, TAG_SERVICE, service);
	for (; i < tags.count; i++) {
		if (strcmp(tags.items[i].key, TAG_SERVICE) == 0)
			continue;
		put(&input, tags.items[i].key, tags.items[i].value);
		subset = true;
	}
	if (subset) {
		zl_sha256(&(struct zl_run){ input.data, input.len }, 1, sum);
		zl_hex(sum, HASH, hex);
	}
	zl_buf_free(&input);
	return subset ? zl_arena_format(arena, "%s-%s", service, hex)
		      : zl_arena_strdup(arena, service);
}

const char *setting_source_name(enum setting_source source)
{
	static const char *const NAMES[] = { [SOURCE_DIRECT] = "",
					     [SOURCE_OWN] = "own",
					     [SOURCE_INHERITED] = "inherited",
					     [SOURCE_MESH] = "mesh" };

	assert(source < sizeof(NAMES) / sizeof(NAMES[0]));
	return NAMES[source];
}

const char *attached_list_name(enum attached_list list)
{
	static const char *const NAMES[] = { [LIST_TO] = "to",
					     [LIST_FROM] = "from",
					     [LIST_RULES] = "rules",
					     [LIST_LEGACY] = "conf" };

	assert(list < sizeof(NAMES) / sizeof(NAMES[0]));
	return NAMES[list];
}
