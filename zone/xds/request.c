#include "zone/xds/request.h"

#include "zone/xds/wire.h"

#include <string.h>

/* Field numbers of envoy.service.discovery.v3.DeltaDiscoveryRequest, of its Node, of a
 * map's entry and of google.rpc.Status. */
enum {
	NODE = 1,
	TYPE_URL = 2,
	SUBSCRIBE = 3,
	UNSUBSCRIBE = 4,
	INITIAL = 5,
	NONCE = 6,
	ERROR_DETAIL = 7,

	NODE_ID = 1,
	NODE_CLUSTER = 2,

	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,

	STATUS_MESSAGE = 2
};

struct reader {
	struct zl_arena *arena;
	struct xds_request *request;
	struct zl_err *err;
};

static enum zl_code damaged(struct reader *reader)
{
	return zl_fail(reader->err, ZL_EINVAL, "the DeltaDiscoveryRequest is damaged");
}

static enum zl_code text(struct reader *reader, const struct xds_field *field,
			 const char *what, const char **out)
{
	if (field->type != XDS_WIRE_BYTES)
		return damaged(reader);
	if (!xds_text_ok(field->data, field->len))
		return zl_fail(reader->err, ZL_EINVAL,
			       "%s holds a NUL or bytes that are no UTF-8", what);
	*out = zl_arena_strndup(reader->arena, (const char *)field->data, field->len);
	return ZL_OK;
}

static enum zl_code name(struct reader *reader, const struct xds_field *field,
			 const char **out)
{
	if (field->len == 0)
		return zl_fail(reader->err, ZL_EINVAL, "a resource name is empty");
	if (field->len > XDS_NAME_MAX)
		return zl_fail(reader->err, ZL_ELIMIT,
			       "a resource name has more than %d bytes", XDS_NAME_MAX);
	return text(reader, field, "a resource name", out);
}

/* Read the text fields number first and second of the message that field holds; an
 * absent one is "". */
static enum zl_code two_texts(struct reader *reader, const struct xds_field *field,
			      uint32_t first, const char **first_out, uint32_t second,
			      const char **second_out, const char *what)
{
	struct xds_wire wire = { field->data, field->len };
	struct xds_field inner;
	enum xds_wire_step step;
	enum zl_code code = ZL_OK;

	if (field->type != XDS_WIRE_BYTES)
		return damaged(reader);
	*first_out = *second_out = "";
	while (code == ZL_OK && (step = xds_wire_next(&wire, &inner)) != XDS_WIRE_END) {
		if (step == XDS_WIRE_BAD)
			return damaged(reader);
		if (inner.number == first)
			code = text(reader, &inner, what, first_out);
		else if (inner.number == second)
			code = text(reader, &inner, what, second_out);
	}
	return code;
}

static enum zl_code initial_version(struct reader *reader, const struct xds_field *field)
{
	struct xds_request *request = reader->request;
	struct xds_named_version *to = &request->initial[request->initial_count];

	if (field->len > XDS_NAME_MAX + 64)
		return zl_fail(reader->err, ZL_ELIMIT,
			       "an entry of initial_resource_versions is too long");
	enum zl_code code = two_texts(reader, field, ENTRY_KEY, &to->name, ENTRY_VALUE,
				      &to->version, "initial_resource_versions");
	if (code != ZL_OK)
		return code;
	if (to->name[0] == '\0')
		return zl_fail(reader->err, ZL_EINVAL, "a resource name is empty");
	request->initial_count++;
	return ZL_OK;
}

static enum zl_code one_field(struct reader *reader, const struct xds_field *field)
{
	struct xds_request *request = reader->request;
	const char *unused;

	switch (field->number) {
	case NODE:
		return two_texts(reader, field, NODE_ID, &request->node, NODE_CLUSTER,
				 &request->cluster, "the node");
	case TYPE_URL:
		return text(reader, field, "the type URL", &request->type_url);
	case SUBSCRIBE:
		return name(reader, field,
			    &request->subscribe[request->subscribe_count++]);
	case UNSUBSCRIBE:
		return name(reader, field,
			    &request->unsubscribe[request->unsubscribe_count++]);
	case INITIAL:
		return initial_version(reader, field);
	case NONCE:
		return text(reader, field, "the nonce", &request->nonce);
	case ERROR_DETAIL:
		request->refuses = true;
		return two_texts(reader, field, STATUS_MESSAGE, &request->reason, 0,
				 &unused, "the error's message");
	default:
		return ZL_OK; /* a field of a newer API */
	}
}

/* Make room for the lists: how often each field comes is known before one is kept. */
static enum zl_code count_names(struct reader *reader, struct xds_wire wire)
{
	struct xds_request *request = reader->request;
	size_t counts[8] = { 0 };
	struct xds_field field;
	enum xds_wire_step step;

	while ((step = xds_wire_next(&wire, &field)) == XDS_WIRE_FIELD)
		if (field.number < 8)
			counts[field.number]++;
	if (step == XDS_WIRE_BAD)
		return damaged(reader);
	if (counts[SUBSCRIBE] + counts[UNSUBSCRIBE] + counts[INITIAL] >
	    2 * (size_t)XDS_NAMES_MAX)
		return zl_fail(reader->err, ZL_ELIMIT,
			       "a request with more than %d resource names",
			       2 * XDS_NAMES_MAX);
	request->subscribe = zl_arena_alloc(reader->arena, counts[SUBSCRIBE],
					    sizeof(*request->subscribe));
	request->unsubscribe = zl_arena_alloc(reader->arena, counts[UNSUBSCRIBE],
					      sizeof(*request->unsubscribe));
	request->initial =
		zl_arena_alloc(reader->arena, counts[INITIAL], sizeof(*request->initial));
	return ZL_OK;
}

enum zl_code xds_request_read(struct xds_request *request, struct zl_arena *arena,
			      const void *bytes, size_t len, struct zl_err *err)
{
	struct reader reader = { arena, request, err };
	struct xds_wire wire = { bytes, len };
	struct xds_field field;

	*request = (struct xds_request){ .type_url = "", .nonce = "", .reason = "" };
	enum zl_code code = count_names(&reader, wire);
	while (code == ZL_OK && xds_wire_next(&wire, &field) == XDS_WIRE_FIELD)
		code = one_field(&reader, &field);
	if (code == ZL_OK && request->type_url[0] == '\0')
		code = zl_fail(err, ZL_EINVAL, "the request has no type_url");
	return code;
}
