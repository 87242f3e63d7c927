/* zone/xds/grpc_frame.h - gRPC's messages in a stream of bytes.
 *
 *   0            1                     5
 *   +------------+---------------------+---------------- - -
 *   | compressed | length (big-endian) | length bytes
 *   +------------+---------------------+---------------- - -
 *
 * Lifetime: a zeroed frame is empty; xds_frame_free when done.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

enum { XDS_FRAME_HEAD = 5, XDS_MESSAGE_MAX = 4 << 20 };

struct xds_frame {
	struct zl_buf part; /* of a message that has not wholly come */
	size_t done;        /* bytes of part that the last call handed out */
};

struct xds_bytes {
	const uint8_t *data;
	size_t len;
};

/* Take the next message out of *input, which is moved on. ZL_OK: *message is one, valid
 * until the next call; its data is NULL when all input was kept and more is needed.
 * ZL_EINVAL compressed, ZL_ELIMIT too long: the stream cannot go on. */
ZL_MUST_USE enum zl_code xds_frame_next(struct xds_frame *frame, struct xds_bytes *input,
					struct xds_bytes *message, struct zl_err *err);
void xds_frame_free(struct xds_frame *frame);

/* The head of a message of len bytes. */
void xds_frame_head(uint8_t head[XDS_FRAME_HEAD], size_t len);
