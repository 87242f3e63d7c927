/* zone/xds/wire.h - protobuf's wire format, as much as Envoy's streams need.
 *
 * Requests are read where they lie and responses are written where they go out from: no
 * message is built in between, so nothing grows with what a peer claims, and each string
 * is seen with its length (protobuf-c would cut it at a NUL).
 *
 * Lifetime: a reader and its fields point into the bytes it was given.
 */
#pragma once

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xds_wire_type {
	XDS_WIRE_VARINT = 0,
	XDS_WIRE_64 = 1,
	XDS_WIRE_BYTES = 2,
	XDS_WIRE_32 = 5
};

struct xds_wire {
	const uint8_t *at;
	size_t left;
};

struct xds_field {
	uint32_t number;
	enum xds_wire_type type;
	const uint8_t *data; /* of XDS_WIRE_BYTES */
	size_t len;
	uint64_t value; /* of the other types */
};

enum xds_wire_step { XDS_WIRE_FIELD, XDS_WIRE_END, XDS_WIRE_BAD };

/* The next field of a message. Groups, which proto3 has not, are XDS_WIRE_BAD. */
enum xds_wire_step xds_wire_next(struct xds_wire *wire, struct xds_field *field);

/* True if these bytes are UTF-8 without a NUL: what may become a C string. */
bool xds_text_ok(const uint8_t *data, size_t len);

/* A field of bytes, or its head alone when its len bytes are added afterwards. */
void xds_wire_put(struct zl_buf *buf, uint32_t number, const void *data, size_t len);
void xds_wire_put_head(struct zl_buf *buf, uint32_t number, size_t len);
void xds_wire_put_number(struct zl_buf *buf, uint32_t number, uint64_t value);
/* What a field of bytes takes. */
size_t xds_wire_size(uint32_t number, size_t len);
