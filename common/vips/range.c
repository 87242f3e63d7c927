#include "vips/range.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_MIN = 2, PREFIX_MAX = 30 };

bool vip_read(const char *text, uint32_t *address)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	*address = ntohl(in.s_addr);
	return true;
}

void vip_text(uint32_t address, char text[VIP_TEXT])
{
	const struct in_addr in = { .s_addr = htonl(address) };

	_Static_assert(VIP_TEXT >= INET_ADDRSTRLEN, "the longest fits");
	(void)inet_ntop(AF_INET, &in, text, VIP_TEXT);
}

/* The digits behind the slash; -1: none. */
static int prefix_of(const char *slash)
{
	size_t len = strlen(slash + 1);

	if (len == 0 || len > 2 || strspn(slash + 1, "0123456789") != len)
		return -1;
	return (int)strtol(slash + 1, NULL, 10);
}

enum zl_code vip_range_read(const char *text, struct vip_range *range, struct zl_err *err)
{
	char host[VIP_TEXT] = "";
	const char *slash = strchr(text, '/');
	int prefix = slash != NULL ? prefix_of(slash) : -1;

	if (slash != NULL && (size_t)(slash - text) < sizeof(host))
		memcpy(host, text, (size_t)(slash - text));
	if (prefix < PREFIX_MIN || prefix > PREFIX_MAX || !vip_read(host, &range->base))
		return zl_fail(err, ZL_EINVAL,
			       "\"%s\" is no range: write an IPv4 network with a prefix "
			       "of %d to %d, like 241.0.0.0/8",
			       text, PREFIX_MIN, PREFIX_MAX);
	range->count = UINT32_C(1) << (32 - prefix);
	if ((range->base & (range->count - 1)) == 0)
		return ZL_OK;
	vip_text(range->base & ~(range->count - 1), host);
	return zl_fail(err, ZL_EINVAL, "\"%s\" is no range: the network is %s/%d", text,
		       host, prefix);
}

static enum zl_code read_setting(const char *name, const char *text,
				 struct vip_range *range, struct zl_err *err)
{
	struct zl_err why = { 0 };
	enum zl_code code = vip_range_read(text, range, &why);

	return code == ZL_OK ? ZL_OK : zl_fail(err, code, "vips.%s: %s", name, why.msg);
}

enum zl_code vip_ranges_read(const char *service, const char *external,
			     const char *multi_zone, struct vip_ranges *ranges,
			     struct zl_err *err)
{
	enum zl_code code =
		read_setting("mesh_service", service, &ranges->of[VIP_SERVICE], err);

	if (code == ZL_OK)
		code = read_setting("mesh_external_service", external,
				    &ranges->of[VIP_EXTERNAL], err);
	if (code == ZL_OK)
		code = read_setting("mesh_multi_zone_service", multi_zone,
				    &ranges->of[VIP_MULTI_ZONE], err);
	return code;
}

bool vip_in_range(const struct vip_range *range, uint32_t address)
{
	return address - range->base < range->count;
}

enum vip_kind vip_kind_of(enum kind kind)
{
	switch (kind) {
	case KIND_MESH_SERVICE:
		return VIP_SERVICE;
	case KIND_MESH_EXTERNAL_SERVICE:
		return VIP_EXTERNAL;
	case KIND_MESH_MULTI_ZONE_SERVICE:
		return VIP_MULTI_ZONE;
	default:
		return VIP_KINDS;
	}
}
