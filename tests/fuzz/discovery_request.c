/* DeltaDiscoveryRequests as a stream's messages, then the session that lives by them: its
 * counters and its status must stay sane. Two bytes of length go before each. */
#include "zone/xds/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct envoy_config *config(uint8_t choice)
{
	const struct envoy_resource list[] = {
		{ .type = ENVOY_CLUSTER, .name = "a", .bytes = "a1", .len = 2 },
		{ .type = ENVOY_ENDPOINTS, .name = "a", .bytes = "a1", .len = 2 },
		{ .type = ENVOY_LISTENER, .name = "l", .bytes = "l1", .len = 2 },
		{ .type = ENVOY_EXTENSION, .name = "l", .bytes = "a1", .len = 2 },
		{ .type = ENVOY_CLUSTER, .name = "b", .bytes = "b1", .len = 2 },
		{ .type = ENVOY_ENDPOINTS, .name = "b", .bytes = "b1", .len = 2 },
	};
	struct envoy_resource chosen[6];
	size_t count = 0;

	for (size_t i = 0; i < 6; i++)
		if ((choice >> i & 1) != 0) {
			chosen[count] = list[i];
			if ((choice & 0x40) != 0)
				chosen[count].len = 1;
			count++;
		}
	return envoy_config_new(chosen, count);
}

/* One event; 0: a message too many. */
static void turn(struct xds_session *session, const uint8_t *data, size_t len)
{
	struct zl_arena *arena = zl_arena_new();
	struct xds_request request;
	struct zl_buf out = { 0 };
	struct xds_resource_status what;
	uint64_t revision;
	uint8_t *copy = zl_memdup(data, len);

	if (len == 1) {
		struct envoy_config *made = config(data[0]);
		xds_session_config(session, made, data[0]);
		envoy_config_drop(&made);
	} else if (xds_request_read(&request, arena, copy, len, NULL) == ZL_OK) {
		(void)!xds_session_request(session, &request, 1, NULL);
	}
	free(copy);
	xds_session_flush(session, &out, 1);
	(void)xds_session_settled(session, &revision);
	while (xds_session_take_refused(session, &what))
		assert(what.nack != NULL);
	assert(out.len < 1 << 20);
	zl_buf_free(&out);
	zl_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xds_counts counts = { 0 };
	struct xds_session *session = xds_session_new(&counts);
	size_t shown;

	while (size > 2) {
		size_t len = (size_t)data[0] << 8 | data[1];
		data += 2;
		size -= 2;
		if (len == 0 || len > size)
			len = size;
		turn(session, data, len);
		data += len;
		size -= len;
	}
	struct xds_resource_status *list = xds_session_status(session, &shown);
	for (size_t i = 1; i < shown; i++)
		assert(list[i - 1].type < list[i].type ||
		       strcmp(list[i - 1].name, list[i].name) < 0);
	free(list);
	xds_session_free(&session);
	assert(counts.pending_acks == 0);
	return 0;
}
