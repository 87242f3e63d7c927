/* envoy/pb.h - the small protobuf messages that every resource is put together of.
 *
 * Private to the room.
 *
 * Threads:  pure.
 * Lifetime: messages and all they point to live in the arena; none is ever freed alone.
 */
#pragma once

#include "base/mem.h"
#include "model/labels.h"

#include "proto/envoy.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The zone, as the bootstrap has it. Not the name of any service: a tag value has no
 * slash. A service of this name would have its traffic sent to the control plane, because
 * CDS cannot replace a static cluster. */
#define ADS_CLUSTER "zonelink/ads"
/* Envoy would send the cluster's name, whose slash no :authority may have. */
#define ADS_AUTHORITY "zonelink"

#define PB_URL "type.googleapis.com/"
#define TCP_PROXY_URL PB_URL "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
#define HTTP_MANAGER_URL                                                      \
	PB_URL "envoy.extensions.filters.network.http_connection_manager.v3." \
	       "HttpConnectionManager"
#define RBAC_URL PB_URL "envoy.extensions.filters.network.rbac.v3.RBAC"
#define ROUTER_FILTER "envoy.filters.http.router"
#define TLS_SOCKET "envoy.transport_sockets.tls"
#define PLAIN_SOCKET "envoy.transport_sockets.raw_buffer"
#define TLS_INSPECTOR "envoy.filters.listener.tls_inspector"
#define HTTP_OPTIONS "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

/* An initialised message of this type. */
void *pb_new(struct zl_arena *arena, const ProtobufCMessageDescriptor *type);
/* Room for count pointers: a repeated field. */
void *pb_list(struct zl_arena *arena, size_t count);

/* What Any holds under this type URL, NULL if it is none of ours; and the other way
 * round, for a type that has a URL. */
const ProtobufCMessageDescriptor *pb_type(const char *url);
const char *pb_url(const ProtobufCMessageDescriptor *type);

/* The packed bytes of message; *len of them. */
uint8_t *pb_pack(struct zl_arena *arena, const ProtobufCMessage *message, size_t *len);
/* The message in len bytes, or NULL if it is no message of this type. */
ProtobufCMessage *pb_unpack(struct zl_arena *arena,
			    const ProtobufCMessageDescriptor *type, const void *bytes,
			    size_t len);

Envoy__Any *pb_any(struct zl_arena *arena, const ProtobufCMessage *message);
Envoy__UInt32Value *pb_u32(struct zl_arena *arena, uint32_t value);
Envoy__BoolValue *pb_bool(struct zl_arena *arena, bool value);
Envoy__Duration *pb_ms(struct zl_arena *arena, uint64_t ms);
Envoy__Address *pb_address(struct zl_arena *arena, const char *address, uint32_t port);
/* "Ask the stream that you have this from." */
Envoy__ConfigSource *pb_ads(struct zl_arena *arena);

/* Labels without the key skip. */
Envoy__Struct *pb_labels(struct zl_arena *arena, struct labels labels, const char *skip);
/* The same as metadata under each of the count names, which are sorted. NULL if no label
 * is left. */
Envoy__Metadata *pb_metadata(struct zl_arena *arena, const char *const *names,
			     size_t count, struct labels labels, const char *skip);
