#include "model/log_format.h"
#include "model/schema_access.h"
#include "model/schema_attached.h"

#include <string.h>

static const char *const TYPES[] = { "Tcp", "File", "OpenTelemetry", NULL };
static const char *const FORMATS[] = { "Plain", "Json", NULL };

/* What a backend says depends on its type, so that nothing below it is stored by its
 * field: finish_backend does it. */
static const struct field PAIR[] = {
	{ .name = "key",
	  .type = FIELD_TEXT,
	  STORED(log_pair, key),
	  .doc = "Name of the member.",
	  .example = "start" },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(log_pair, value),
	  .doc = "Its text, with operators.",
	  .example = "'%START_TIME%'" },
};
static const struct schema JSON_SCHEMA = { .name = "LogJson",
					   .size = sizeof(struct log_pair),
					   FIELDS(PAIR),
					   .check = check_log_json };
static const struct schema ATTRIBUTE_SCHEMA = { .name = "LogAttribute",
						.size = sizeof(struct log_pair),
						FIELDS(PAIR),
						.check = check_log_attribute };

static const struct field FORMAT[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  .flags = F_REQUIRED | F_UNSTORED,
	  .values = FORMATS,
	  .doc = "Plain: a line of text; Json: an object.",
	  .example = "Plain" },
	{ .name = "plain",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "The line, of type Plain; a newline follows it." },
	{ .name = "json",
	  .type = FIELD_LIST,
	  .sub = &JSON_SCHEMA,
	  .flags = F_UNSTORED | F_AT_MOST,
	  .max = 128,
	  .doc = "The members, of type Json." },
	{ .name = "omitEmptyValues",
	  .type = FIELD_BOOL,
	  .flags = F_UNSTORED,
	  .fallback = "false",
	  .doc = "True: what is not known is left out, not \"-\" or null." },
};
static const struct schema FORMAT_SCHEMA = { .name = "LogFormat",
					     FIELDS(FORMAT),
					     .check = check_log_lines };

#define FORMAT_FIELD                                                               \
	{                                                                          \
		.name = "format", .type = FIELD_OBJECT, .sub = &FORMAT_SCHEMA,     \
		.flags = F_UNSTORED, .doc = "The lines; default ones when absent." \
	}

static const struct field FILE_LOG[] = {
	{ .name = "path",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "Absolute path on the machine of the Envoy, which opens it; its folder "
		 "must be there.",
	  .example = "/var/log/mesh.log" },
	FORMAT_FIELD,
};
static const struct schema FILE_SCHEMA = { .name = "FileLog",
					   FIELDS(FILE_LOG),
					   .check = check_log_file };

static const struct field TCP_LOG[] = {
	{ .name = "address",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "HOST:PORT that gets the lines, from the zone's control plane.",
	  .example = "logs:5000" },
	FORMAT_FIELD,
};
static const struct schema TCP_SCHEMA = { .name = "TcpLog",
					  FIELDS(TCP_LOG),
					  .check = check_log_tcp };

static const struct field TELEMETRY[] = {
	{ .name = "endpoint",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "HOST or HOST:PORT of an OTLP receiver over gRPC; port 4317 when "
		 "absent.",
	  .example = "otel-collector:4317" },
	{ .name = "attributes",
	  .type = FIELD_LIST,
	  .sub = &ATTRIBUTE_SCHEMA,
	  .flags = F_UNSTORED | F_AT_MOST,
	  .max = 128,
	  .doc = "Attributes of each record." },
	{ .name = "body",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED,
	  .doc = "Body of each record: a text with operators, or an OTLP value such as "
		 "kvlistValue; the default line when absent." },
};
static const struct schema TELEMETRY_SCHEMA = { .name = "OpenTelemetryLog",
						FIELDS(TELEMETRY),
						.check = check_log_telemetry };

static const struct field BACKEND[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  STORED(log_backend, type),
	  .flags = F_REQUIRED,
	  .values = TYPES,
	  .doc = "Tcp, File or OpenTelemetry; its member follows.",
	  .example = "File" },
	{ .name = "tcp",
	  .type = FIELD_OBJECT,
	  .sub = &TCP_SCHEMA,
	  .flags = F_UNSTORED,
	  .doc = "Lines to an address." },
	{ .name = "file",
	  .type = FIELD_OBJECT,
	  .sub = &FILE_SCHEMA,
	  .flags = F_UNSTORED,
	  .doc = "Lines to a file." },
	{ .name = "openTelemetry",
	  .type = FIELD_OBJECT,
	  .sub = &TELEMETRY_SCHEMA,
	  .flags = F_UNSTORED,
	  .doc = "Records to an OTLP receiver." },
};

static const char *text_of(struct decode *dec, const struct tree *map, const char *field)
{
	const struct tree *text = tree_get(map, field);

	return text != NULL && text->type == TREE_TEXT
		       ? zl_arena_strdup(dec->arena, text->text)
		       : "";
}

static void read_pairs(struct decode *dec, const struct tree *list,
		       struct log_backend *backend)
{
	if (list == NULL || list->type != TREE_LIST)
		return;
	struct log_pair *pairs = zl_arena_alloc(dec->arena, list->count, sizeof(*pairs));
	for (size_t i = 0; i < list->count; i++)
		pairs[i] = (struct log_pair){ text_of(dec, list->items[i], "key"),
					      text_of(dec, list->items[i], "value") };
	backend->pairs = pairs;
	backend->pair_count = list->count;
}

static void read_format(struct decode *dec, const struct tree *format,
			struct log_backend *backend)
{
	const struct tree *omit = tree_get(format, "omitEmptyValues");

	backend->omit_empty = omit != NULL && omit->type == TREE_BOOL && omit->boolean;
	backend->json = strcmp(text_of(dec, format, "type"), "Json") == 0;
	if (backend->json)
		read_pairs(dec, tree_get(format, "json"), backend);
	else
		backend->plain = text_of(dec, format, "plain");
}

/* Lists are merged whole (1.3): type and member are of one policy. */
static void finish_backend(struct decode *dec, const struct tree *tree, void *made)
{
	enum { OTLP_PORT = 4317 };
	struct log_backend *backend = made;
	const struct tree *telemetry = tree_get(tree, "openTelemetry");

	backend->path = backend->address = backend->plain = "";
	switch (backend->type) {
	case LOG_TCP:
		backend->address = text_of(dec, tree_get(tree, "tcp"), "address");
		read_format(dec, tree_get(tree_get(tree, "tcp"), "format"), backend);
		return;
	case LOG_FILE:
		backend->path = text_of(dec, tree_get(tree, "file"), "path");
		read_format(dec, tree_get(tree_get(tree, "file"), "format"), backend);
		return;
	case LOG_OPEN_TELEMETRY:
		backend->address = log_endpoint(text_of(dec, telemetry, "endpoint"),
						OTLP_PORT, dec->arena);
		backend->address = backend->address != NULL ? backend->address : "";
		backend->body = tree_get(telemetry, "body");
		read_pairs(dec, tree_get(telemetry, "attributes"), backend);
		return;
	}
}

static const struct schema BACKEND_SCHEMA = { .name = "LogBackend",
					      .size = sizeof(struct log_backend),
					      FIELDS(BACKEND),
					      .finish = finish_backend,
					      .check = check_log_backend };

static const struct field DEFAULT[] = {
	{ .name = "backends",
	  .type = FIELD_LIST,
	  .sub = &BACKEND_SCHEMA,
	  STORED(log_conf, backends),
	  .flags = F_REQUIRED | F_AT_MOST,
	  .max = 32,
	  .doc = "Where each connection is written down when it ends; []: nowhere." },
};

static void finish_default(struct decode *dec, const struct tree *tree, void *made)
{
	struct log_conf *conf = made;

	(void)dec;
	conf->set = tree_get(tree, "backends") != NULL;
}

const struct schema LOG_DEFAULT_SCHEMA = { .name = "LogDefault",
					   .size = sizeof(struct log_conf),
					   FIELDS(DEFAULT),
					   .finish = finish_default };

ATTACHED_ITEM(TO, "LogTo", LOGGED_REF_SCHEMA, LOG_DEFAULT_SCHEMA, "The destinations.");
ATTACHED_ITEM(FROM, "LogFrom", CLIENTS_REF_SCHEMA, LOG_DEFAULT_SCHEMA, "The clients.");
ATTACHED_RULE(RULE, "LogRule", LOG_DEFAULT_SCHEMA);

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_TO(TO),
	ATTACHED_FROM(FROM),
	ATTACHED_RULES(RULE),
};

const struct schema SCHEMA_MESH_ACCESS_LOG = { .name = "MeshAccessLog",
					       .size = sizeof(struct attached_spec),
					       FIELDS(SPEC),
					       .finish = finish_attached,
					       .check = check_attached };
