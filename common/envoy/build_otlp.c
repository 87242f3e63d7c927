#include "envoy/build_log.h"

#include "base/addr.h"
#include "model/tree.h"

#include <string.h>

#define OTLP_LOG "envoy.access_loggers.open_telemetry"

enum { FLUSH_MS = 1000 };

Envoy__AnyValue *log_text(struct zl_arena *arena, const char *text)
{
	Envoy__AnyValue *value = pb_new(arena, &envoy__any_value__descriptor);

	value->value_case = ENVOY__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = zl_arena_strdup(arena, text);
	return value;
}

Envoy__KeyValueList *log_list_new(struct zl_arena *arena, size_t room)
{
	Envoy__KeyValueList *list = pb_new(arena, &envoy__key_value_list__descriptor);

	list->values = pb_list(arena, room);
	return list;
}

void log_pair(struct zl_arena *arena, Envoy__KeyValueList *list, const char *key,
	      Envoy__AnyValue *value)
{
	Envoy__KeyValue *pair = pb_new(arena, &envoy__key_value__descriptor);

	pair->key = zl_arena_strdup(arena, key);
	pair->value = value;
	list->values[list->n_values++] = pair;
}

static Envoy__KeyValueList *pairs_of(struct zl_arena *arena, const struct word *words,
				     const struct log_backend *backend)
{
	Envoy__KeyValueList *list = log_list_new(arena, backend->pair_count);

	for (size_t i = 0; i < backend->pair_count; i++)
		log_pair(arena, list, backend->pairs[i].key,
			 log_text(arena,
				  log_filled(arena, words, backend->pairs[i].value)));
	return list;
}

Envoy__AnyValue *log_list(struct zl_arena *arena, Envoy__KeyValueList *list)
{
	Envoy__AnyValue *value = pb_new(arena, &envoy__any_value__descriptor);

	value->value_case = ENVOY__ANY_VALUE__VALUE_KVLIST_VALUE;
	value->kvlist_value = list;
	return value;
}

static Envoy__OpenTelemetryAccessLogConfig *new_otlp(struct zl_arena *arena,
						     const char *cluster)
{
	Envoy__OpenTelemetryAccessLogConfig *config =
		pb_new(arena, &envoy__open_telemetry_access_log_config__descriptor);
	Envoy__GrpcService__EnvoyGrpc *grpc =
		pb_new(arena, &envoy__grpc_service__envoy_grpc__descriptor);

	grpc->cluster_name = zl_arena_strdup(arena, cluster);
	config->grpc_service = pb_new(arena, &envoy__grpc_service__descriptor);
	config->grpc_service->target_specifier_case =
		ENVOY__GRPC_SERVICE__TARGET_SPECIFIER_ENVOY_GRPC;
	config->grpc_service->envoy_grpc = grpc;
	config->disable_builtin_labels = true;
	return config;
}

Envoy__OpenTelemetryAccessLogConfig *log_to_zone(struct zl_arena *arena,
						 const char *log_name)
{
	Envoy__OpenTelemetryAccessLogConfig *config = new_otlp(arena, ADS_CLUSTER);

	config->grpc_service->envoy_grpc->authority =
		zl_arena_strdup(arena, ADS_AUTHORITY);
	config->log_name = zl_arena_strdup(arena, log_name);
	config->buffer_flush_interval = pb_ms(arena, FLUSH_MS);
	return config;
}

Envoy__AccessLog *log_to_address(struct zl_arena *arena, const struct word *words,
				 const struct log_backend *backend, bool http)
{
	Envoy__OpenTelemetryAccessLogConfig *config =
		log_to_zone(arena, ENVOY_LOG_ADDRESS);

	config->body = backend->json
			       ? log_list(arena, pairs_of(arena, words, backend))
			       : log_text(arena, log_line(arena, words, backend, http));
	config->attributes = log_list_new(arena, 1);
	log_pair(arena, config->attributes, ENVOY_LOG_ADDRESS,
		 log_text(arena, backend->address));
	return log_otlp(arena, config);
}

static Envoy__AnyValue *body_value(struct zl_arena *arena, const struct word *words,
				   const struct tree *from);

static Envoy__KeyValueList *body_pairs(struct zl_arena *arena, const struct word *words,
				       const struct tree *values)
{
	size_t count = values != NULL && values->type == TREE_LIST ? values->count : 0;
	Envoy__KeyValueList *list = log_list_new(arena, count);

	for (size_t i = 0; i < count; i++) {
		const struct tree *key = tree_get(values->items[i], "key");
		const struct tree *value = tree_get(values->items[i], "value");
		if (key != NULL && key->type == TREE_TEXT)
			log_pair(arena, list, key->text, body_value(arena, words, value));
	}
	return list;
}

static Envoy__ArrayValue *body_items(struct zl_arena *arena, const struct word *words,
				     const struct tree *values)
{
	size_t count = values != NULL && values->type == TREE_LIST ? values->count : 0;
	Envoy__ArrayValue *list = pb_new(arena, &envoy__array_value__descriptor);

	list->values = pb_list(arena, count);
	for (size_t i = 0; i < count; i++)
		list->values[list->n_values++] =
			body_value(arena, words, values->items[i]);
	return list;
}

/* The text of a scalar as it was written: Envoy takes no other. */
static const char *scalar_text(const struct tree *value)
{
	if (value->type == TREE_BOOL)
		return value->boolean ? "true" : "false";
	return value->text != NULL ? value->text : "";
}

/* The one member of an OTLP value in JSON. */
static Envoy__AnyValue *member_value(struct zl_arena *arena, const struct word *words,
				     const char *key, const struct tree *value)
{
	const struct tree *values = tree_get(value, "values");
	Envoy__AnyValue *made;

	if (strcmp(key, "kvlistValue") == 0)
		return log_list(arena, body_pairs(arena, words, values));
	if (strcmp(key, "arrayValue") != 0)
		return log_text(arena, log_filled(arena, words, scalar_text(value)));
	made = pb_new(arena, &envoy__any_value__descriptor);
	made->value_case = ENVOY__ANY_VALUE__VALUE_ARRAY_VALUE;
	made->array_value = body_items(arena, words, values);
	return made;
}

/* As deep as a document may be. What is none is empty. */
static Envoy__AnyValue *body_value(struct zl_arena *arena, const struct word *words,
				   const struct tree *from)
{
	if (from != NULL && from->type == TREE_TEXT)
		return log_text(arena, log_filled(arena, words, from->text));
	if (from != NULL && from->type == TREE_MAP && from->count == 1)
		return member_value(arena, words, from->members[0].key,
				    from->members[0].value);
	return log_text(arena, "");
}

/* The cluster that leads to a collector; in the config from now on. */
static const char *collector(struct build *build, const char *address)
{
	struct zl_addr addr;
	struct zl_err err;
	const char *name;

	if (zl_addr_parse(address, &addr, &err) != ZL_OK)
		return NULL;
	name = build_free_name(build, zl_arena_format(build->arena, "meshaccesslog_%s-%u",
						      addr.host, addr.port));
	build_static_cluster(build, name, addr.host, addr.port, HTTP_TWO, NULL);
	return name;
}

Envoy__AccessLog *log_to_collector(struct build *build, const struct word *words,
				   const struct log_backend *backend, bool http)
{
	struct zl_arena *arena = build->arena;
	const char *cluster = collector(build, backend->address);
	Envoy__OpenTelemetryAccessLogConfig *config;

	if (cluster == NULL)
		return NULL;
	config = new_otlp(arena, cluster);
	config->log_name = zl_arena_strdup(arena, "MeshAccessLog");
	config->body = backend->body != NULL
			       ? body_value(arena, words, backend->body)
			       : log_text(arena, log_line(arena, words, backend, http));
	if (backend->pair_count > 0)
		config->attributes = pairs_of(arena, words, backend);
	config->resource_attributes = log_list_new(arena, 1);
	log_pair(arena, config->resource_attributes, "service.name",
		 log_text(arena, log_service(build)));
	return log_otlp(arena, config);
}

Envoy__AccessLog *log_otlp(struct zl_arena *arena,
			   const Envoy__OpenTelemetryAccessLogConfig *config)
{
	return log_new(arena, OTLP_LOG, &config->base);
}
