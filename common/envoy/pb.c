#include "envoy/pb.h"

#include <assert.h>
#include <string.h>

#define V3(package, type) PB_URL "envoy." package ".v3." type

/* Every message that travels inside an Any, or is a resource. */
static const struct {
	const char *url;
	const ProtobufCMessageDescriptor *type;
} TYPES[] = {
	{ V3("config.cluster", "Cluster"), &envoy__cluster__descriptor },
	{ V3("config.endpoint", "ClusterLoadAssignment"),
	  &envoy__cluster_load_assignment__descriptor },
	{ V3("config.listener", "Listener"), &envoy__listener__descriptor },
	{ V3("config.core", "TypedExtensionConfig"),
	  &envoy__typed_extension_config__descriptor },
	{ TCP_PROXY_URL, &envoy__tcp_proxy__descriptor },
	{ PB_URL HTTP_OPTIONS, &envoy__http_protocol_options__descriptor },
	{ V3("config.route", "RouteConfiguration"),
	  &envoy__route_configuration__descriptor },
	{ HTTP_MANAGER_URL, &envoy__http_connection_manager__descriptor },
	{ RBAC_URL, &envoy__network_rbac__descriptor },
	{ V3("extensions.filters.http.router", "Router"), &envoy__router__descriptor },
	{ V3("extensions.filters.listener.tls_inspector", "TlsInspector"),
	  &envoy__tls_inspector__descriptor },
	{ V3("extensions.transport_sockets.raw_buffer", "RawBuffer"),
	  &envoy__raw_buffer__descriptor },
	{ V3("extensions.transport_sockets.tls", "UpstreamTlsContext"),
	  &envoy__upstream_tls_context__descriptor },
	{ V3("extensions.transport_sockets.tls", "DownstreamTlsContext"),
	  &envoy__downstream_tls_context__descriptor },
	{ V3("extensions.access_loggers.file", "FileAccessLog"),
	  &envoy__file_access_log__descriptor },
	{ V3("extensions.access_loggers.open_telemetry", "OpenTelemetryAccessLogConfig"),
	  &envoy__open_telemetry_access_log_config__descriptor },
	{ V3("extensions.access_loggers.filters.cel", "ExpressionFilter"),
	  &envoy__expression_filter__descriptor },
	{ V3("extensions.health_check.event_sinks.file", "HealthCheckEventFileSink"),
	  &envoy__health_check_event_file_sink__descriptor },
	{ V3("extensions.retry.host.previous_hosts", "PreviousHostsPredicate"),
	  &envoy__previous_hosts_predicate__descriptor },
	{ V3("extensions.retry.host.omit_host_metadata", "OmitHostMetadataConfig"),
	  &envoy__omit_host_metadata_config__descriptor },
	{ V3("extensions.retry.priority.previous_priorities", "PreviousPrioritiesConfig"),
	  &envoy__previous_priorities_config__descriptor },
};

const ProtobufCMessageDescriptor *pb_type(const char *url)
{
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		if (strcmp(TYPES[i].url, url) == 0)
			return TYPES[i].type;
	return NULL;
}

const char *pb_url(const ProtobufCMessageDescriptor *type)
{
	size_t i = 0;

	while (TYPES[i].type != type) {
		i++;
		assert(i < sizeof(TYPES) / sizeof(TYPES[0]));
	}
	return TYPES[i].url;
}

void *pb_new(struct zl_arena *arena, const ProtobufCMessageDescriptor *type)
{
	void *message = zl_arena_alloc(arena, 1, type->sizeof_message);

	protobuf_c_message_init(type, message);
	return message;
}

void *pb_list(struct zl_arena *arena, size_t count)
{
	return zl_arena_alloc(arena, count, sizeof(void *));
}

uint8_t *pb_pack(struct zl_arena *arena, const ProtobufCMessage *message, size_t *len)
{
	uint8_t *bytes;

	*len = protobuf_c_message_get_packed_size(message);
	bytes = zl_arena_alloc(arena, *len, 1);
	protobuf_c_message_pack(message, bytes);
	return bytes;
}

static void *arena_alloc(void *arena, size_t size)
{
	return zl_arena_alloc(arena, 1, size);
}

static void arena_keep(void *arena, void *memory)
{
	(void)arena;
	(void)memory;
}

ProtobufCMessage *pb_unpack(struct zl_arena *arena,
			    const ProtobufCMessageDescriptor *type, const void *bytes,
			    size_t len)
{
	ProtobufCAllocator allocator = { arena_alloc, arena_keep, arena };

	return protobuf_c_message_unpack(type, &allocator, len, bytes);
}

Envoy__Any *pb_any(struct zl_arena *arena, const ProtobufCMessage *message)
{
	Envoy__Any *any = pb_new(arena, &envoy__any__descriptor);

	any->type_url = zl_arena_strdup(arena, pb_url(message->descriptor));
	any->value.data = pb_pack(arena, message, &any->value.len);
	return any;
}

Envoy__UInt32Value *pb_u32(struct zl_arena *arena, uint32_t value)
{
	Envoy__UInt32Value *wrapper = pb_new(arena, &envoy__uint32_value__descriptor);

	wrapper->value = value;
	return wrapper;
}

Envoy__BoolValue *pb_bool(struct zl_arena *arena, bool value)
{
	Envoy__BoolValue *wrapper = pb_new(arena, &envoy__bool_value__descriptor);

	wrapper->value = value;
	return wrapper;
}

Envoy__Duration *pb_ms(struct zl_arena *arena, uint64_t ms)
{
	Envoy__Duration *duration = pb_new(arena, &envoy__duration__descriptor);

	duration->seconds = (int64_t)(ms / 1000);
	duration->nanos = (int32_t)(ms % 1000) * 1000000;
	return duration;
}

Envoy__Address *pb_address(struct zl_arena *arena, const char *address, uint32_t port)
{
	Envoy__Address *outer = pb_new(arena, &envoy__address__descriptor);
	Envoy__SocketAddress *socket = pb_new(arena, &envoy__socket_address__descriptor);

	socket->address = zl_arena_strdup(arena, address);
	socket->port_specifier_case = ENVOY__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
	socket->port_value = port;
	outer->address_case = ENVOY__ADDRESS__ADDRESS_SOCKET_ADDRESS;
	outer->socket_address = socket;
	return outer;
}

Envoy__ConfigSource *pb_ads(struct zl_arena *arena)
{
	Envoy__ConfigSource *source = pb_new(arena, &envoy__config_source__descriptor);

	source->config_source_specifier_case =
		ENVOY__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_ADS;
	source->ads = pb_new(arena, &envoy__aggregated_config_source__descriptor);
	source->resource_api_version = ENVOY__CONFIG_SOURCE__API_VERSION__V3;
	return source;
}

static Envoy__Value *text_value(struct zl_arena *arena, const char *text)
{
	Envoy__Value *value = pb_new(arena, &envoy__value__descriptor);

	value->kind_case = ENVOY__VALUE__KIND_STRING_VALUE;
	value->string_value = zl_arena_strdup(arena, text);
	return value;
}

/* Labels are sorted, so the entries are, and equal labels are equal bytes. */
Envoy__Struct *pb_labels(struct zl_arena *arena, struct labels labels, const char *skip)
{
	Envoy__Struct *map = pb_new(arena, &envoy__struct__descriptor);

	map->fields = pb_list(arena, labels.count);
	for (size_t i = 0; i < labels.count; i++) {
		Envoy__Struct__FieldsEntry *entry;
		if (strcmp(labels.items[i].key, skip) == 0)
			continue;
		entry = pb_new(arena, &envoy__struct__fields_entry__descriptor);
		entry->key = zl_arena_strdup(arena, labels.items[i].key);
		entry->value = text_value(arena, labels.items[i].value);
		map->fields[map->n_fields++] = entry;
	}
	return map;
}

Envoy__Metadata *pb_metadata(struct zl_arena *arena, const char *const *names,
			     size_t count, struct labels labels, const char *skip)
{
	Envoy__Metadata *metadata = pb_new(arena, &envoy__metadata__descriptor);
	Envoy__Struct *map = pb_labels(arena, labels, skip);

	if (map->n_fields == 0)
		return NULL;
	metadata->filter_metadata = pb_list(arena, count);
	for (size_t i = 0; i < count; i++) {
		Envoy__Metadata__FilterMetadataEntry *entry = pb_new(
			arena, &envoy__metadata__filter_metadata_entry__descriptor);
		entry->key = zl_arena_strdup(arena, names[i]);
		entry->value = map;
		metadata->filter_metadata[metadata->n_filter_metadata++] = entry;
	}
	return metadata;
}
