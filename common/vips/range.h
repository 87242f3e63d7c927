/* vips/range.h - where the addresses of one kind of service object are taken from.
 *
 * Threads:  pure.
 */
#pragma once

#include "base/err.h"
#include "model/key.h"

#include <stdbool.h>
#include <stdint.h>

/* A network of IPv4. Its first and its last address are never taken. */
struct vip_range {
	uint32_t base;  /* the first address */
	uint32_t count; /* of all addresses */
};

/* "241.0.0.0/8". ZL_EINVAL: no such text, bits beyond the prefix, or a prefix that is not
 * 2 to 30. */
ZL_MUST_USE enum zl_code vip_range_read(const char *text, struct vip_range *range,
					struct zl_err *err);

bool vip_in_range(const struct vip_range *range, uint32_t address);

/* "241.0.0.1" */
enum { VIP_TEXT = 16 };
void vip_text(uint32_t address, char text[VIP_TEXT]);
/* False: none. */
bool vip_read(const char *text, uint32_t *address);

/* One range for each kind that has addresses. */
enum vip_kind { VIP_SERVICE, VIP_EXTERNAL, VIP_MULTI_ZONE, VIP_KINDS };

struct vip_ranges {
	struct vip_range of[VIP_KINDS];
};

/* From the settings vips.mesh_service, vips.mesh_external_service and
 * vips.mesh_multi_zone_service, which the message names. */
ZL_MUST_USE enum zl_code vip_ranges_read(const char *service, const char *external,
					 const char *multi_zone,
					 struct vip_ranges *ranges, struct zl_err *err);

/* VIP_KINDS: such objects have none. */
enum vip_kind vip_kind_of(enum kind kind);
