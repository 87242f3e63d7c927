/* What a proxy tells of its traffic: how it is read, and who may tell it. */
#include "peer.h"

#include "zone/xds/grpc_frame.h"
#include "zone/xds/load.h"
#include "zone/xds/logs.h"
#include "zone/xds/wire.h"

#include <stdlib.h>
#include <string.h>

#define LOADS "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats"
#define LOGS "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

/* Put what inner holds into out as field number, and empty it. */
static void wrap(struct zl_buf *out, uint32_t number, struct zl_buf *inner)
{
	xds_wire_put(out, number, inner->data, inner->len);
	zl_buf_free(inner);
}

static void put_text(struct zl_buf *out, uint32_t number, const char *text)
{
	xds_wire_put(out, number, text, strlen(text));
}

static void put_node(struct zl_buf *out, const char *id)
{
	struct zl_buf node = { 0 };

	put_text(&node, 1, id);
	put_text(&node, 2, "web");
	wrap(out, 1, &node);
}

static void put_endpoint(struct zl_buf *out, const char *address, unsigned port,
			 unsigned issued)
{
	struct zl_buf of[3] = { { 0 } };

	put_text(&of[0], 2, address);
	xds_wire_put_number(&of[0], 3, port);
	wrap(&of[1], 1, &of[0]);
	wrap(&of[2], 1, &of[1]);
	xds_wire_put_number(&of[2], 3, 1);
	xds_wire_put_number(&of[2], 7, issued);
	wrap(out, 7, &of[2]);
}

/* A cluster with two localities that have so many each. */
static void put_cluster(struct zl_buf *out, const char *name, unsigned issued,
			unsigned open)
{
	struct zl_buf cluster = { 0 };
	struct zl_buf inner = { 0 };

	put_text(&cluster, 1, name);
	for (unsigned i = 0; i < 2; i++) {
		xds_wire_put_number(&inner, 3, open);
		xds_wire_put_number(&inner, 8, issued);
		put_endpoint(&inner, "10.0.0.1", 80 + i, issued);
		wrap(&cluster, 2, &inner);
	}
	xds_wire_put_number(&inner, 1, 2);
	xds_wire_put_number(&inner, 2, 5000000);
	wrap(&cluster, 4, &inner);
	wrap(out, 2, &cluster);
}

static void a_report_is_summed_over_localities(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf bytes = { 0 };
	struct xds_report report;

	(void)state;
	put_node(&bytes, "default.web");
	put_cluster(&bytes, "a", 70, 3);
	put_cluster(&bytes, "b", 30, 0);
	assert_int_equal(xds_report_read(&report, arena, bytes.data, bytes.len, NULL),
			 ZL_OK);
	assert_string_equal(report.node, "default.web");
	assert_int_equal(report.count, 2);
	const struct xds_load *load = &report.loads[0];
	assert_string_equal(load->cluster, "a");
	assert_int_equal(load->issued, 140);
	assert_int_equal(load->in_progress, 6);
	assert_int_equal(load->interval_ms, 2005);
	assert_int_equal(load->endpoint_count, 2);
	assert_string_equal(load->endpoints[1].address, "10.0.0.1");
	assert_int_equal(load->endpoints[1].port, 81);
	assert_int_equal(load->endpoints[1].issued, 70);
	assert_int_equal(report.loads[1].issued, 60);
	/* Cut anywhere it is whole up to there, or damaged; it is never read past. */
	for (size_t len = 0; len < bytes.len; len++) {
		char *cut = zl_memdup(bytes.data, len);
		(void)!xds_report_read(&report, arena, cut, len, NULL);
		free(cut);
	}
	zl_buf_free(&bytes);
	zl_arena_free(&arena);
}

static void what_is_no_report_is_refused(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf bytes = { 0 };
	struct xds_report report;

	(void)state;
	put_cluster(&bytes, "a\xff", 1, 1);
	assert_int_equal(xds_report_read(&report, arena, bytes.data, bytes.len, NULL),
			 ZL_EINVAL);
	bytes.len = 0;
	xds_wire_put_number(&bytes, 2, 1); /* a cluster that is a number */
	assert_int_equal(xds_report_read(&report, arena, bytes.data, bytes.len, NULL),
			 ZL_EINVAL);
	bytes.len = 0;
	for (size_t i = 0; i <= 20000; i++)
		xds_wire_put(&bytes, 2, "", 0);
	assert_int_equal(xds_report_read(&report, arena, bytes.data, bytes.len, NULL),
			 ZL_ELIMIT);
	zl_buf_free(&bytes);
	zl_arena_free(&arena);
}

/* ---- logs ---- */

static void put_record(struct zl_buf *out, struct zl_buf *body, const char *address)
{
	struct zl_buf scope = { 0 };
	struct zl_buf record = { 0 };
	struct zl_buf pair = { 0 };
	struct zl_buf value = { 0 };

	wrap(&record, 5, body);
	put_text(&value, 1, address);
	put_text(&pair, 1, "address");
	wrap(&pair, 2, &value);
	wrap(&record, 6, &pair);
	wrap(&scope, 2, &record);
	wrap(&pair, 2, &scope);
	wrap(out, 1, &pair);
}

static void tell(void *to, const struct xds_log_record *record)
{
	struct zl_buf *told = to;

	if (record->text != NULL)
		zl_buf_str(told, record->text);
	for (size_t i = 0; i < record->field_count; i++)
		zl_buf_format(told, "%s=%s,", record->fields[i].key,
			      record->fields[i].value);
	for (size_t i = 0; i < record->attribute_count; i++)
		zl_buf_format(told, " (%s %s)\n", record->attributes[i].key,
			      record->attributes[i].value);
}

static void add_pair(struct zl_buf *list, const char *key, struct zl_buf *value)
{
	struct zl_buf pair = { 0 };

	put_text(&pair, 1, key);
	wrap(&pair, 2, value);
	wrap(list, 1, &pair);
}

static void logs_have_text_or_fields(void **state)
{
	struct zl_buf bytes = { 0 };
	struct zl_buf body = { 0 };
	struct zl_buf list = { 0 };
	struct zl_buf told = { 0 };
	uint64_t count = 0;

	(void)state;
	put_text(&body, 1, "a \xff line");
	put_record(&bytes, &body, "logs:1");
	put_text(&body, 1, "10");
	add_pair(&list, "start", &body);
	xds_wire_put_number(&body, 3, (uint64_t)-7);
	add_pair(&list, "n", &body);
	xds_wire_put_number(&body, 2, 1);
	add_pair(&list, "is", &body);
	zl_buf_add(&body, "\x21\0\0\0\0\0\0\xf8\x3f", 9); /* 1.5 */
	add_pair(&list, "real", &body);
	wrap(&body, 6, &list);
	put_record(&bytes, &body, "logs:2");
	assert_int_equal(xds_logs_read(bytes.data, bytes.len, tell, &told, &count, NULL),
			 ZL_OK);
	assert_string_equal(zl_buf_text(&told),
			    "a ? line (address logs:1)\n"
			    "start=10,n=-7,is=true,real=1.5, (address logs:2)\n");
	assert_int_equal(count, 2);
	bytes.data[bytes.len - 30] ^= 0x7f;
	for (size_t len = 0; len < bytes.len; len++) {
		char *cut = zl_memdup(bytes.data, len);
		(void)!xds_logs_read(cut, len, tell, &told, &count, NULL);
		free(cut);
	}
	zl_buf_free(&told);
	zl_buf_free(&bytes);
}

/* ---- who may tell it ---- */

static void open_stream(struct peer *peer, uint32_t id, const char *path,
			const char *node, const char *bearer)
{
	struct zl_buf head = { 0 };

	add_head(&head, path);
	if (node != NULL)
		add_header(&head, "zonelink-node", node);
	if (bearer != NULL)
		add_header(&head, "authorization", bearer);
	peer_frame(peer, HEADERS, END_HEADERS, id, head.data, head.len);
	zl_buf_free(&head);
}

static void say(struct peer *peer, uint32_t id, int flags, struct zl_buf *message)
{
	struct zl_buf framed = { 0 };
	uint8_t head[XDS_FRAME_HEAD];

	xds_frame_head(head, message->len);
	zl_buf_add(&framed, head, sizeof(head));
	zl_buf_add(&framed, message->data, message->len);
	peer_frame(peer, DATA, flags, id, framed.data, framed.len);
	zl_buf_free(&framed);
	zl_buf_free(message);
}

static void say_node(struct peer *peer, uint32_t id, const char *node)
{
	struct zl_buf message = { 0 };

	put_node(&message, node);
	say(peer, id, 0, &message);
}

static void loads_are_told_of_who_was_admitted(void **state)
{
	struct zl_buf message = { 0 };
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	open_stream(&peer, 1, LOADS, NULL, "Bearer of-web");
	say_node(&peer, 1, "default.web");
	until(&peer, peer.data > 5); /* what to report */
	assert_string_equal(stage.token, "of-web");
	assert_int_equal(counts(&stage).strangers, 0);
	assert_int_equal(stage.connected, 0); /* it is no stream of ADS */
	put_cluster(&message, "a", 35, 3);
	say(&peer, 1, 0, &message);
	until(&peer, stage.heard[0] != '\0');
	assert_string_equal(stage.heard, "default.web a +70 =6 in 2005 ms\n");
	size_t before = peer.data;
	xds_server_detail(stage.server, "default.other", true);
	xds_server_detail(stage.server, "default.web", true);
	until(&peer, peer.data > before);
	before = peer.data;
	xds_server_detail(stage.server, "default.web", true); /* it does already */
	say_node(&peer, 1, "default.other");
	until(&peer, peer.status != -1);
	assert_int_equal(peer.status, 7);
	assert_int_equal(peer.data, before);
	assert_int_equal(counts(&stage).load_reports, 1);
	peer_close(&peer);
	stage_close(&stage);
}

static void who_is_refused_tells_nothing(void **state)
{
	static const struct {
		enum xds_verdict verdict;
		int status;
	} CASES[] = { { XDS_NOT_KNOWN, 16 }, { XDS_NOT_ALLOWED, 7 } };
	struct zl_buf message = { 0 };
	struct zl_buf body = { 0 };
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	for (size_t i = 0; i < 2; i++) {
		stage.verdict = CASES[i].verdict;
		peer_begin(&peer, &stage);
		open_stream(&peer, 1, LOADS, NULL, NULL);
		say_node(&peer, 1, "default.web");
		until(&peer, peer.status != -1);
		assert_int_equal(peer.status, CASES[i].status);
		peer.status = -1;
		open_stream(&peer, 3, LOGS, "default.web", NULL);
		put_text(&body, 1, "line");
		put_record(&message, &body, "x");
		say(&peer, 3, END_STREAM, &message);
		until(&peer, peer.status != -1);
		assert_int_equal(peer.status, CASES[i].status);
		peer_close(&peer);
	}
	assert_string_equal(stage.heard, "");
	stage_close(&stage);
}

static void too_many_reports_end_the_stream(void **state)
{
	struct zl_buf message = { 0 };
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	open_stream(&peer, 1, LOADS, NULL, NULL);
	say_node(&peer, 1, "default.web");
	for (size_t i = 0; i < 50; i++) {
		put_cluster(&message, "a", 1, 1);
		say(&peer, 1, 0, &message);
	}
	until(&peer, peer.status != -1);
	assert_int_equal(peer.status, 8);
	peer_close(&peer);
	stage_close(&stage);
}

/* One message on a stream of its own; the status it was answered with. */
static int export_line(struct peer *peer, uint32_t id, const char *node,
		       const char *bearer)
{
	struct zl_buf message = { 0 };
	struct zl_buf body = { 0 };

	peer->status = -1;
	open_stream(peer, id, LOGS, node, bearer);
	put_text(&body, 1, "line");
	put_record(&message, &body, "x");
	say(peer, id, END_STREAM, &message);
	until(peer, peer->status != -1);
	return peer->status;
}

static void logs_are_told_of_who_the_head_names(void **state)
{
	struct zl_buf nothing = { 0 };
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	assert_int_equal(export_line(&peer, 1, "default.web", "Bearer t"), 0);
	assert_int_equal(peer.data, 5); /* an empty message */
	assert_string_equal(stage.heard, "default.web: line\n");
	assert_int_equal(export_line(&peer, 3, NULL, "Bearer t"), 3);
	peer.status = -1;
	open_stream(&peer, 5, LOGS, "default.web", "Bearer t");
	peer_frame(&peer, DATA, END_STREAM, 5, NULL, 0);
	until(&peer, peer.status != -1);
	assert_int_equal(peer.status, 3);
	peer.status = -1;
	open_stream(&peer, 7, LOGS, "default.web", "Bearer t");
	say(&peer, 7, 0, &nothing);
	say(&peer, 7, END_STREAM, &nothing);
	until(&peer, peer.status != -1);
	assert_int_equal(peer.status, 3);
	assert_int_equal(counts(&stage).log_records, 1);
	peer_close(&peer);
	stage_close(&stage);
}

static void who_logs_is_not_judged_each_time(void **state)
{
	struct stage stage;
	struct peer peer;

	(void)state;
	stage_open(&stage);
	peer_begin(&peer, &stage);
	assert_int_equal(export_line(&peer, 1, "default.web", "Bearer t"), 0);
	assert_int_equal(stage.judged, 1);
	stage.verdict = XDS_NOT_ALLOWED;
	assert_int_equal(export_line(&peer, 3, "default.web", "Bearer t"), 0);
	assert_int_equal(stage.judged, 1);
	assert_int_equal(export_line(&peer, 5, "default.other", "Bearer t"), 7);
	assert_int_equal(export_line(&peer, 7, "default.web", "Bearer u"), 7);
	assert_int_equal(export_line(&peer, 9, "default.web", NULL), 7);
	xds_server_expel(stage.server, "default.web");
	assert_int_equal(export_line(&peer, 11, "default.web", "Bearer t"), 7);
	peer_close(&peer);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_summed_over_localities),
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(logs_have_text_or_fields),
		cmocka_unit_test(loads_are_told_of_who_was_admitted),
		cmocka_unit_test(who_is_refused_tells_nothing),
		cmocka_unit_test(too_many_reports_end_the_stream),
		cmocka_unit_test(logs_are_told_of_who_the_head_names),
		cmocka_unit_test(who_logs_is_not_judged_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
