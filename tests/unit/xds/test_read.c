#include "base/bytes.h"
#include "base/mem.h"
#include "proto/envoy.pb-c.h"
#include "support/test.h"
#include "zone/xds/grpc_frame.h"
#include "zone/xds/request.h"
#include "zone/xds/response.h"
#include "zone/xds/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTER "type.googleapis.com/envoy.config.cluster.v3.Cluster"

static size_t pack(const Envoy__DeltaDiscoveryRequest *from, uint8_t *to)
{
	return envoy__delta_discovery_request__pack(from, to);
}

static void a_request_as_the_generated_code_writes_it(void **state)
{
	char id[] = "default.web", web[] = "web", url[] = CLUSTER, nonce[] = "7";
	char one[] = "one", two[] = "two", gone[] = "gone", version[] = "v";
	char why[] = "grund: \xc3\xa4";
	uint8_t detail_bytes[] = { 0x0a, 0x00 };
	char *subscribe[] = { one, two };
	char *unsubscribe[] = { gone };
	ProtobufCBinaryData detail = { sizeof(detail_bytes), detail_bytes };
	Envoy__Node node = ENVOY__NODE__INIT;
	Envoy__Status status = ENVOY__STATUS__INIT;
	Envoy__DeltaDiscoveryRequest__InitialResourceVersionsEntry entry =
		ENVOY__DELTA_DISCOVERY_REQUEST__INITIAL_RESOURCE_VERSIONS_ENTRY__INIT;
	Envoy__DeltaDiscoveryRequest__InitialResourceVersionsEntry *entries[] = {
		&entry
	};
	Envoy__DeltaDiscoveryRequest from = ENVOY__DELTA_DISCOVERY_REQUEST__INIT;
	struct zl_arena *arena = zl_arena_new();
	struct xds_request request;
	uint8_t bytes[1024];
	struct zl_err err;

	(void)state;
	node.id = id;
	node.cluster = web;
	status.code = 13;
	status.message = why;
	status.n_details = 1;
	status.details = &detail;
	entry.key = one;
	entry.value = version;
	from.node = &node;
	from.type_url = url;
	from.n_resource_names_subscribe = 2;
	from.resource_names_subscribe = subscribe;
	from.n_resource_names_unsubscribe = 1;
	from.resource_names_unsubscribe = unsubscribe;
	from.n_initial_resource_versions = 1;
	from.initial_resource_versions = entries;
	from.response_nonce = nonce;
	from.error_detail = &status;

	size_t len = pack(&from, bytes);
	assert_int_equal(xds_request_read(&request, arena, bytes, len, &err), ZL_OK);
	assert_string_equal(request.node, id);
	assert_string_equal(request.cluster, web);
	assert_string_equal(request.type_url, url);
	assert_string_equal(request.nonce, nonce);
	assert_int_equal(request.subscribe_count, 2);
	assert_string_equal(request.subscribe[1], two);
	assert_int_equal(request.unsubscribe_count, 1);
	assert_string_equal(request.unsubscribe[0], gone);
	assert_int_equal(request.initial_count, 1);
	assert_string_equal(request.initial[0].name, one);
	assert_string_equal(request.initial[0].version, version);
	assert_true(request.refuses);
	assert_string_equal(request.reason, why);
	for (size_t cut = 1; cut < len; cut++) { /* any part of it: no crash */
		uint8_t *part = zl_memdup(bytes, cut);
		enum zl_code code = xds_request_read(&request, arena, part, cut, &err);
		assert_true(code == ZL_OK || code == ZL_EINVAL);
		free(part);
	}
	zl_arena_free(&arena);
}

struct refusal {
	const char *what;
	const char *bytes;
	size_t len;
	enum zl_code code;
};

/* clang-format off */
#define URL "\x12\x03" "abc"
#define ROW(what, bytes, code) { what, bytes, sizeof(bytes) - 1, code }
static const struct refusal REFUSALS[] = {
	ROW("fine",               URL,                                   ZL_OK),
	ROW("unknown fields",     URL "\x78\x01" "\x7a\x01z",            ZL_OK),
	ROW("fixed fields",       URL "\x7d" "1234" "\x79" "12345678",   ZL_OK),
	ROW("nothing",            "",                                    ZL_EINVAL),
	ROW("no URL",             "\x32\x01" "7",                        ZL_EINVAL),
	ROW("field 0",            URL "\x02\x01" "x",                    ZL_EINVAL),
	ROW("a group",            URL "\x0b\x0c",                        ZL_EINVAL),
	ROW("cut",                "\x12\x04" "abc",                      ZL_EINVAL),
	ROW("length 2^63",        "\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", ZL_EINVAL),
	ROW("endless number",     URL "\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ZL_EINVAL),
	ROW("NUL in a name",      URL "\x1a\x03" "a\0b",                 ZL_EINVAL),
	ROW("NUL in the id",      URL "\x0a\x05\x0a\x03" "a\0b",         ZL_EINVAL),
	ROW("no UTF-8",           URL "\x1a\x02\xc3(",                   ZL_EINVAL),
	ROW("surrogate",          URL "\x1a\x03\xed\xa0\x80",            ZL_EINVAL),
	ROW("overlong",           URL "\x1a\x02\xc0\xaf",                ZL_EINVAL),
	ROW("beyond Unicode",     URL "\x1a\x04\xf4\x90\x80\x80",        ZL_EINVAL),
	ROW("empty name",         URL "\x1a\x00",                        ZL_EINVAL),
	ROW("a name as a number", URL "\x18\x01",                        ZL_EINVAL),
	ROW("a node as a number", URL "\x08\x01",                        ZL_EINVAL),
	ROW("entry without key",  URL "\x2a\x03\x12\x01" "v",            ZL_EINVAL),
	ROW("damaged entry",      URL "\x2a\x03\x0a\x07" "v",            ZL_EINVAL),
};
/* clang-format on */

static void requests_that_are_refused(void **state)
{
	(void)state;
	for (const struct refusal *row = REFUSALS; row < REFUSALS + ARRAY_LEN(REFUSALS);
	     row++) {
		struct zl_arena *arena = zl_arena_new();
		struct xds_request request;
		struct zl_err err = { .msg = "" };
		uint8_t *bytes = zl_memdup(row->bytes, row->len + 1);
		enum zl_code code =
			xds_request_read(&request, arena, bytes, row->len, &err);
		if (code != row->code || (code != ZL_OK && err.msg[0] == '\0'))
			fail_msg("%s: code %d, %s", row->what, (int)code, err.msg);
		free(bytes);
		zl_arena_free(&arena);
	}
}

static void names_are_limited(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct xds_request request;
	struct zl_buf bytes = { 0 };
	struct zl_err err;
	static char name[XDS_NAME_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof(name));
	xds_wire_put(&bytes, 2, "u", 1);
	xds_wire_put(&bytes, 3, name, XDS_NAME_MAX);
	assert_int_equal(xds_request_read(&request, arena, bytes.data, bytes.len, &err),
			 ZL_OK);
	xds_wire_put(&bytes, 3, name, XDS_NAME_MAX + 1);
	assert_int_equal(xds_request_read(&request, arena, bytes.data, bytes.len, &err),
			 ZL_ELIMIT);
	zl_buf_free(&bytes);
	xds_wire_put(&bytes, 2, "u", 1);
	for (int i = 0; i <= 2 * XDS_NAMES_MAX; i++)
		xds_wire_put(&bytes, 3, "n", 1);
	assert_int_equal(xds_request_read(&request, arena, bytes.data, bytes.len, &err),
			 ZL_ELIMIT);
	assert_true(zl_arena_used(arena) < 8 * bytes.len + 65536);
	zl_buf_free(&bytes);
	zl_arena_free(&arena);
}

static void a_response_as_the_generated_code_reads_it(void **state)
{
	const struct xds_part parts[] = { { "a", "v1", "bytes", 5 },
					  { "b", "v2", "", 0 } };
	const char *const removed[] = { "c", "d" };
	struct zl_buf out = { 0 };

	(void)state;
	xds_response_write(&out, &(struct xds_response){ .type_url = CLUSTER,
							 .nonce = 300,
							 .revision = 12,
							 .parts = parts,
							 .count = 2,
							 .removed = removed,
							 .removed_count = 2 });
	const uint8_t *bytes = (const uint8_t *)out.data;
	assert_int_equal(bytes[0], 0);
	assert_int_equal(zl_get_be32(bytes + 1), out.len - XDS_FRAME_HEAD);
	Envoy__DeltaDiscoveryResponse *back = envoy__delta_discovery_response__unpack(
		NULL, out.len - XDS_FRAME_HEAD, bytes + XDS_FRAME_HEAD);
	assert_non_null(back);
	assert_string_equal(back->type_url, CLUSTER);
	assert_string_equal(back->nonce, "300");
	assert_string_equal(back->system_version_info, "12");
	assert_int_equal(back->n_resources, 2);
	assert_string_equal(back->resources[0]->name, "a");
	assert_string_equal(back->resources[0]->version, "v1");
	assert_string_equal(back->resources[0]->resource->type_url, CLUSTER);
	assert_int_equal(back->resources[0]->resource->value.len, 5);
	assert_memory_equal(back->resources[0]->resource->value.data, "bytes", 5);
	assert_int_equal(back->n_removed_resources, 2);
	assert_string_equal(back->removed_resources[1], "d");
	envoy__delta_discovery_response__free_unpacked(back, NULL);
	zl_buf_free(&out);
}

/* Three messages, cut everywhere into pieces of each size. */
static void frames_in_pieces(void **state)
{
	static const uint8_t STREAM[] = "\0\0\0\0\003abc\0\0\0\0\0\0\0\0\0\001x";
	static const char *const MESSAGES[] = { "abc", "", "x" };
	const size_t total = sizeof(STREAM) - 1;

	(void)state;
	for (size_t piece = 1; piece <= total; piece++) {
		struct xds_frame frame = { 0 };
		size_t seen = 0;
		for (size_t at = 0; at < total; at += piece) {
			size_t len = total - at < piece ? total - at : piece;
			uint8_t *copy = zl_memdup(STREAM + at, len);
			struct xds_bytes input = { copy, len };
			struct xds_bytes message = { NULL, 0 };
			struct zl_err err;
			while (seen < ARRAY_LEN(MESSAGES) &&
			       xds_frame_next(&frame, &input, &message, &err) == ZL_OK &&
			       message.data != NULL) {
				assert_int_equal(message.len, strlen(MESSAGES[seen]));
				assert_memory_equal(message.data, MESSAGES[seen],
						    message.len);
				seen++;
			}
			assert_int_equal(input.len, 0);
			free(copy);
		}
		assert_int_equal(seen, 3);
		xds_frame_free(&frame);
	}
}

static void frames_that_are_refused(void **state)
{
	struct xds_frame frame = { 0 };
	struct xds_bytes input = { (const uint8_t *)"\1\0\0\0\1x", 6 };
	struct xds_bytes message;
	struct zl_err err;

	(void)state;
	assert_int_equal(xds_frame_next(&frame, &input, &message, &err), ZL_EINVAL);
	input = (struct xds_bytes){ (const uint8_t *)"\0\0\x40\0\1x", 6 };
	assert_int_equal(xds_frame_next(&frame, &input, &message, &err), ZL_ELIMIT);
	input = (struct xds_bytes){ (const uint8_t *)"\0\0\x40\0\0x", 6 };
	assert_int_equal(xds_frame_next(&frame, &input, &message, &err), ZL_OK);
	assert_null(message.data);
	assert_int_equal(frame.part.len, 6); /* what came, not what was claimed */
	xds_frame_free(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_as_the_generated_code_writes_it),
		cmocka_unit_test(requests_that_are_refused),
		cmocka_unit_test(names_are_limited),
		cmocka_unit_test(a_response_as_the_generated_code_reads_it),
		cmocka_unit_test(frames_in_pieces),
		cmocka_unit_test(frames_that_are_refused),
	};
	return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
