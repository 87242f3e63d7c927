#include "model/faults.h"
#include "model/schema_attached.h"

static const struct field HTTP[] = {
	{ .name = "requestTimeout",
	  .type = FIELD_DURATION,
	  STORED(timeout_conf, request),
	  .fault = fault_negative,
	  .doc = "From the whole request to the end of the response; 0s: no limit. "
		 "Without it there is none.",
	  .example = "15s" },
	{ .name = "streamIdleTimeout",
	  .type = FIELD_DURATION,
	  STORED(timeout_conf, stream_idle),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "5m",
	  .fault = fault_negative,
	  .doc = "A request on which nothing moves for this long is ended; 0s: never.",
	  .example = "30s" },
	{ .name = "maxStreamDuration",
	  .type = FIELD_DURATION,
	  STORED(timeout_conf, max_stream),
	  .fault = fault_negative,
	  .doc = "The longest that a request may take, whatever moves; 0s: no limit.",
	  .example = "10m" },
	{ .name = "maxConnectionDuration",
	  .type = FIELD_DURATION,
	  STORED(timeout_conf, max_connection),
	  .fault = fault_negative,
	  .doc = "After this a connection takes no new requests; 0s: no limit.",
	  .example = "1h" },
	{ .name = "requestHeadersTimeout",
	  .type = FIELD_DURATION,
	  STORED(timeout_conf, request_headers),
	  .fault = fault_negative,
	  .doc = "The longest that a client may take to send the headers of a request; "
		 "0s: no limit. Not alone: another field of http must be there.",
	  .example = "500ms" },
};

static void check_http(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	(void)made;
	if (tree_get(tree, "requestTimeout") == NULL &&
	    tree_get(tree, "streamIdleTimeout") == NULL &&
	    tree_get(tree, "maxStreamDuration") == NULL &&
	    tree_get(tree, "maxConnectionDuration") == NULL)
		decode_bad(dec, at, NULL, tree,
			   "at least one timeout in this section should be configured");
}

/* http decodes into the conf that has it. */
static const struct schema HTTP_SCHEMA = { .name = "TimeoutHttp",
					   .size = sizeof(struct timeout_conf),
					   FIELDS(HTTP),
					   .check = check_http };

static const struct field DEFAULT[] = {
	{ .name = "connectionTimeout",
	  .type = FIELD_DURATION,
	  STORED(timeout_conf, connect),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "5s",
	  .fault = fault_not_above_zero,
	  .doc = "How long a connection to an instance may take to be established; above "
		 "0.",
	  .example = "2s" },
	{ .name = "idleTimeout",
	  .type = FIELD_DURATION,
	  STORED(timeout_conf, idle),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "1h",
	  .fault = fault_negative,
	  .doc = "A connection on which nothing moves for this long is closed; 0s: "
		 "never.",
	  .example = "30s" },
	{ .name = "http",
	  .type = FIELD_OBJECT,
	  .sub = &HTTP_SCHEMA,
	  .doc = "Of requests: no effect on what is routed as tcp." },
};

static void check_default(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	(void)made;
	if (tree_get(tree, "connectionTimeout") == NULL &&
	    tree_get(tree, "idleTimeout") == NULL && tree_get(tree, "http") == NULL)
		decode_bad(dec, at, NULL, tree,
			   "at least one timeout should be configured");
}

const struct schema TIMEOUT_DEFAULT_SCHEMA = { .name = "TimeoutDefault",
					       .size = sizeof(struct timeout_conf),
					       FIELDS(DEFAULT),
					       .check = check_default };

ATTACHED_ITEM(TO, "TimeoutTo", ROUTED_REF_SCHEMA, TIMEOUT_DEFAULT_SCHEMA,
	      "The destination, or the MeshHTTPRoute whose requests are meant.");
ATTACHED_ITEM(FROM, "TimeoutFrom", CLIENTS_REF_SCHEMA, TIMEOUT_DEFAULT_SCHEMA,
	      "The clients.");
ATTACHED_RULE(RULE, "TimeoutRule", TIMEOUT_DEFAULT_SCHEMA);

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
	ATTACHED_FROM(FROM),
	ATTACHED_RULES(RULE),
};

const struct schema SCHEMA_MESH_TIMEOUT = { .name = "MeshTimeout",
					    .size = sizeof(struct attached_spec),
					    FIELDS(SPEC),
					    .finish = finish_attached,
					    .check = check_attached };
