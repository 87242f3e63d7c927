#include "zone/xds/load.h"

#include "zone/xds/grpc_frame.h"
#include "zone/xds/request.h"
#include "zone/xds/wire.h"

#include <string.h>

enum { ENDPOINTS_MAX = 5 * XDS_NAMES_MAX };

/* Field numbers of envoy.service.load_stats.v3 and of what its messages hold. */
enum {
	REQUEST_NODE = 1,
	REQUEST_CLUSTERS = 2,

	NODE_ID = 1,
	NODE_CLUSTER = 2,

	CLUSTER_NAME = 1,
	CLUSTER_LOCALITIES = 2,
	CLUSTER_INTERVAL = 4,

	DURATION_SECONDS = 1,
	DURATION_NANOS = 2,

	LOCALITY_IN_PROGRESS = 3,
	LOCALITY_ENDPOINTS = 7,
	LOCALITY_ISSUED = 8,

	ENDPOINT_ADDRESS = 1,
	ENDPOINT_IN_PROGRESS = 3,
	ENDPOINT_ISSUED = 7,

	ADDRESS_SOCKET = 1,
	ADDRESS_PIPE = 2,
	SOCKET_ADDRESS = 2,
	SOCKET_PORT = 3,
	PIPE_PATH = 1,

	ANSWER_INTERVAL = 2,
	ANSWER_ENDPOINTS = 3,
	ANSWER_ALL = 4
};

struct reader {
	struct zl_arena *arena;
	struct xds_endpoint_load *endpoints; /* of the cluster at hand */
	size_t endpoint_count;
	size_t left; /* endpoints that a report may still have */
	bool damaged;
};

/* The next field of wire; false: there is none, or it is damaged. */
static bool next(struct reader *reader, struct xds_wire *wire, struct xds_field *field)
{
	enum xds_wire_step step = xds_wire_next(wire, field);

	reader->damaged = reader->damaged || step == XDS_WIRE_BAD;
	return step == XDS_WIRE_FIELD;
}

static struct xds_wire inside(struct reader *reader, const struct xds_field *field)
{
	if (field->type != XDS_WIRE_BYTES)
		reader->damaged = true;
	return (struct xds_wire){ field->data,
				  field->type == XDS_WIRE_BYTES ? field->len : 0 };
}

static const char *text(struct reader *reader, const struct xds_field *field)
{
	if (field->type != XDS_WIRE_BYTES || field->len > XDS_NAME_MAX ||
	    !xds_text_ok(field->data, field->len)) {
		reader->damaged = true;
		return "";
	}
	return zl_arena_strndup(reader->arena, (const char *)field->data, field->len);
}

static uint64_t number(struct reader *reader, const struct xds_field *field)
{
	if (field->type != XDS_WIRE_VARINT)
		reader->damaged = true;
	return field->value;
}

/* How often field stands in wire. */
static size_t count_of(struct xds_wire wire, uint32_t wanted)
{
	struct xds_field field;
	size_t count = 0;

	while (xds_wire_next(&wire, &field) == XDS_WIRE_FIELD)
		count += field.number == wanted;
	return count;
}

static void read_address(struct reader *reader, struct xds_wire wire,
			 struct xds_endpoint_load *to)
{
	struct xds_field field;
	struct xds_field inner;

	while (next(reader, &wire, &field)) {
		bool is_pipe = field.number == ADDRESS_PIPE;
		if (!is_pipe && field.number != ADDRESS_SOCKET)
			continue;
		struct xds_wire body = inside(reader, &field);
		while (next(reader, &body, &inner)) {
			if (inner.number ==
			    (uint32_t)(is_pipe ? PIPE_PATH : SOCKET_ADDRESS))
				to->address = text(reader, &inner);
			else if (!is_pipe && inner.number == SOCKET_PORT)
				to->port = (uint16_t)number(reader, &inner);
		}
	}
}

static void read_endpoint(struct reader *reader, struct xds_wire wire)
{
	struct xds_endpoint_load *to = &reader->endpoints[reader->endpoint_count++];
	struct xds_field field;

	to->address = "";
	while (next(reader, &wire, &field)) {
		if (field.number == ENDPOINT_ADDRESS)
			read_address(reader, inside(reader, &field), to);
		else if (field.number == ENDPOINT_IN_PROGRESS)
			to->in_progress = number(reader, &field);
		else if (field.number == ENDPOINT_ISSUED)
			to->issued = number(reader, &field);
	}
}

static void read_locality(struct reader *reader, struct xds_wire wire,
			  struct xds_load *load)
{
	struct xds_field field;

	while (next(reader, &wire, &field)) {
		if (field.number == LOCALITY_IN_PROGRESS)
			load->in_progress += number(reader, &field);
		else if (field.number == LOCALITY_ISSUED)
			load->issued += number(reader, &field);
		else if (field.number == LOCALITY_ENDPOINTS)
			read_endpoint(reader, inside(reader, &field));
	}
}

static uint64_t read_duration_ms(struct reader *reader, struct xds_wire wire)
{
	struct xds_field field;
	uint64_t ms = 0;

	while (next(reader, &wire, &field)) {
		if (field.number == DURATION_SECONDS)
			ms += number(reader, &field) * 1000;
		else if (field.number == DURATION_NANOS)
			ms += number(reader, &field) / 1000000;
	}
	return ms;
}

/* Room for the endpoints of all localities of a cluster. */
static void expect_endpoints(struct reader *reader, struct xds_wire wire)
{
	struct xds_field field;
	size_t count = 0;

	while (xds_wire_next(&wire, &field) == XDS_WIRE_FIELD)
		if (field.number == CLUSTER_LOCALITIES && field.type == XDS_WIRE_BYTES)
			count += count_of((struct xds_wire){ field.data, field.len },
					  LOCALITY_ENDPOINTS);
	reader->endpoint_count = 0;
	if (count > reader->left) {
		reader->damaged = true;
		return;
	}
	reader->left -= count;
	reader->endpoints =
		zl_arena_alloc(reader->arena, count, sizeof(*reader->endpoints));
}

static void read_cluster(struct reader *reader, struct xds_wire wire,
			 struct xds_load *load)
{
	struct xds_field field;

	load->cluster = "";
	expect_endpoints(reader, wire);
	while (!reader->damaged && next(reader, &wire, &field)) {
		if (field.number == CLUSTER_NAME)
			load->cluster = text(reader, &field);
		else if (field.number == CLUSTER_LOCALITIES)
			read_locality(reader, inside(reader, &field), load);
		else if (field.number == CLUSTER_INTERVAL)
			load->interval_ms =
				read_duration_ms(reader, inside(reader, &field));
	}
	load->endpoints = reader->endpoints;
	load->endpoint_count = reader->endpoint_count;
}

static void read_node(struct reader *reader, struct xds_wire wire,
		      struct xds_report *report)
{
	struct xds_field field;

	report->node = report->cluster = "";
	while (next(reader, &wire, &field)) {
		if (field.number == NODE_ID)
			report->node = text(reader, &field);
		else if (field.number == NODE_CLUSTER)
			report->cluster = text(reader, &field);
	}
}

enum zl_code xds_report_read(struct xds_report *report, struct zl_arena *arena,
			     const void *bytes, size_t len, struct zl_err *err)
{
	struct reader reader = { .arena = arena, .left = ENDPOINTS_MAX };
	struct xds_wire wire = { bytes, len };
	struct xds_field field;
	size_t count = count_of(wire, REQUEST_CLUSTERS);

	*report = (struct xds_report){ 0 };
	if (count > XDS_NAMES_MAX)
		return zl_fail(err, ZL_ELIMIT, "a load report of more than %d clusters",
			       XDS_NAMES_MAX);
	report->loads = zl_arena_alloc(arena, count, sizeof(*report->loads));
	while (!reader.damaged && next(&reader, &wire, &field)) {
		if (field.number == REQUEST_NODE)
			read_node(&reader, inside(&reader, &field), report);
		else if (field.number == REQUEST_CLUSTERS)
			read_cluster(&reader, inside(&reader, &field),
				     &report->loads[report->count++]);
	}
	if (reader.damaged)
		return zl_fail(err, ZL_EINVAL,
			       "the LoadStatsRequest is damaged, or tells of "
			       "more than %d endpoints",
			       ENDPOINTS_MAX);
	return ZL_OK;
}

void xds_report_ask(struct zl_buf *out, bool detail)
{
	struct zl_buf interval = { 0 };
	struct zl_buf body = { 0 };
	uint8_t head[XDS_FRAME_HEAD];

	xds_wire_put_number(&interval, DURATION_SECONDS, XDS_LOAD_INTERVAL_S);
	xds_wire_put(&body, ANSWER_INTERVAL, interval.data, interval.len);
	xds_wire_put_number(&body, ANSWER_ENDPOINTS, detail);
	xds_wire_put_number(&body, ANSWER_ALL, 1);
	xds_frame_head(head, body.len);
	zl_buf_add(out, head, sizeof(head));
	zl_buf_add(out, body.data, body.len);
	zl_buf_free(&interval);
	zl_buf_free(&body);
}
