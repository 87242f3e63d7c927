#include "zone/xds/grpc_frame.h"

#include "base/bytes.h"

static enum zl_code head_ok(const uint8_t *head, size_t *total, struct zl_err *err)
{
	uint32_t len = zl_get_be32(head + 1);

	if (head[0] != 0)
		return zl_fail(err, ZL_EINVAL, "compressed messages are not supported");
	if (len > XDS_MESSAGE_MAX)
		return zl_fail(err, ZL_ELIMIT,
			       "a message of %u bytes is over the limit of %d", len,
			       XDS_MESSAGE_MAX);
	*total = XDS_FRAME_HEAD + (size_t)len;
	return ZL_OK;
}

/* Move bytes of input to frame->part until it has size. */
static void fill(struct xds_frame *frame, struct xds_bytes *input, size_t size)
{
	size_t want = size > frame->part.len ? size - frame->part.len : 0;

	if (want > input->len)
		want = input->len;
	zl_buf_add(&frame->part, input->data, want);
	input->data += want;
	input->len -= want;
}

static enum zl_code next_in_part(struct xds_frame *frame, struct xds_bytes *input,
				 struct xds_bytes *message, struct zl_err *err)
{
	size_t total = 0;

	fill(frame, input, XDS_FRAME_HEAD);
	if (frame->part.len < XDS_FRAME_HEAD)
		return ZL_OK;
	const uint8_t *bytes = (const uint8_t *)frame->part.data;
	enum zl_code code = head_ok(bytes, &total, err);
	if (code != ZL_OK)
		return code;

	fill(frame, input, total);
	if (frame->part.len < total)
		return ZL_OK;
	bytes = (const uint8_t *)frame->part.data;
	*message = (struct xds_bytes){ bytes + XDS_FRAME_HEAD, total - XDS_FRAME_HEAD };
	frame->done = total;
	return ZL_OK;
}

enum zl_code xds_frame_next(struct xds_frame *frame, struct xds_bytes *input,
			    struct xds_bytes *message, struct zl_err *err)
{
	size_t total = 0;

	*message = (struct xds_bytes){ NULL, 0 };
	if (frame->done > 0)
		xds_frame_free(frame);
	if (frame->part.len > 0 || input->len < XDS_FRAME_HEAD)
		return next_in_part(frame, input, message, err);

	/* What has come whole is handed out where it lies. */
	enum zl_code code = head_ok(input->data, &total, err);
	if (code != ZL_OK)
		return code;
	if (input->len < total)
		return next_in_part(frame, input, message, err);
	*message = (struct xds_bytes){ input->data + XDS_FRAME_HEAD,
				       total - XDS_FRAME_HEAD };
	input->data += total;
	input->len -= total;
	return ZL_OK;
}

void xds_frame_free(struct xds_frame *frame)
{
	zl_buf_free(&frame->part);
	frame->done = 0;
}

void xds_frame_head(uint8_t head[XDS_FRAME_HEAD], size_t len)
{
	head[0] = 0;
	zl_put_be32(head + 1, (uint32_t)len);
}
