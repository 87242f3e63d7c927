/* zone/xds/response.h - a DeltaDiscoveryResponse, written as a gRPC message.
 *
 * Lifetime: the caller's memory; a part is not looked at after xds_response_write.
 */
#pragma once

#include "base/mem.h"
#include "envoy/config.h"

#include <stddef.h>
#include <stdint.h>

struct xds_part {
	const char *name, *version;
	const void *bytes;
	size_t len;
};

struct xds_response {
	const char *type_url;
	uint64_t nonce, revision;
	const struct xds_part *parts;
	size_t count;
	const char *const *removed;
	size_t removed_count;
};

/* Add it to out, with gRPC's head. */
void xds_response_write(struct zl_buf *out, const struct xds_response *response);

/* A nonce as it is sent. */
enum { XDS_NONCE_TEXT = 24 };
void xds_nonce_text(uint64_t nonce, char text[XDS_NONCE_TEXT]);

/* What a name that the config lacks is answered with so that nothing waits for it: no
 * endpoints, a filter of the type that its listener asks for that lets nobody through, a
 * table without routes; its version is that of
 * the bytes. bytes is NULL for the types that are answered by a removal. The part is in
 * arena but for its name. */
struct xds_part xds_response_nothing(struct zl_arena *arena, enum envoy_type type,
				     const char *name);
