/* gRPC's messages out of a stream that comes in pieces: the first byte of the input sets
 * their size. What is handed out must be what went in. */
#include "zone/xds/grpc_frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xds_frame frame = { 0 };
	size_t at = 1;   /* next to give */
	size_t seen = 1; /* handed out up to here */
	enum zl_code code = ZL_OK;

	if (size == 0)
		return 0;
	while (at < size && code == ZL_OK) {
		size_t len =
			(size_t)data[0] + 1 < size - at ? (size_t)data[0] + 1 : size - at;
		uint8_t *piece = zl_memdup(data + at, len);
		struct xds_bytes input = { piece, len };
		struct xds_bytes message;
		at += len;
		while ((code = xds_frame_next(&frame, &input, &message, NULL)) == ZL_OK &&
		       message.data != NULL) {
			seen += XDS_FRAME_HEAD;
			assert(seen + message.len <= at);
			assert(message.len == 0 ||
			       memcmp(data + seen, message.data, message.len) == 0);
			seen += message.len;
		}
		assert(code != ZL_OK || input.len == 0);
		free(piece);
	}
	assert(frame.part.len <= size);
	xds_frame_free(&frame);
	return 0;
}
