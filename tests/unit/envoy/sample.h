/* Routes written by hand, as policy_resolve would give them, and goldens.
 *
 * Threads: none.  Lifetime: what the macros make lives as long as its block.
 */
#pragma once

#include "envoy/build.h"
#include "support/test.h"

/* clang-format off */
#define LABELS(...)                                                       \
	((struct labels){ (const struct label[]){ __VA_ARGS__ },          \
			  sizeof((const struct label[]){ __VA_ARGS__ }) / \
				  sizeof(struct label) })
#define LIST(type, ...)                  \
	((const type[]){ __VA_ARGS__ }), \
		(sizeof((const type[]){ __VA_ARGS__ }) / sizeof(type))

#define SERVICE(name_) LABELS({ TAG_SERVICE, name_ })

/* A target that has an answer, and one that has none. */
#define TARGET(name_, weight_, ...)                                                   \
	((struct backend){ .kind = REF_MESH_SERVICE, .name = name_, .ns = "",         \
			   .weight = weight_, .protocol = "tcp", __VA_ARGS__ })
#define TO(name_, cluster_, weight_, ...)                                             \
	TARGET(name_, weight_, .resolved = true, .reason = "", .cluster = cluster_,   \
	       .endpoints = (const struct endpoint[]){ __VA_ARGS__ },                 \
	       .endpoint_count = sizeof((const struct endpoint[]){ __VA_ARGS__ }) /   \
				 sizeof(struct endpoint))
#define TO_NOBODY(name_, weight_)                                                     \
	TARGET(name_, weight_, .resolved = true, .reason = "", .cluster = name_)
#define UNRESOLVED(name_, weight_)                                                    \
	TARGET(name_, weight_, .reason = "no such service", .cluster = "")

/* An outbound of 127.0.0.1 to a tag service, with its backends. */
#define OUTBOUND(port_, service_, ...)                                                \
	((struct outbound_route){                                                     \
		.address = "127.0.0.1",                                               \
		.port = port_,                                                        \
		.destination = { .kind = REF_MESH_SERVICE, .name = service_,          \
				 .ns = "", .protocol = "tcp" },                       \
		.tags = SERVICE(service_),                                            \
		.owner = OWNER_TCP_ROUTE,                                             \
		.backends = (const struct backend[]){ __VA_ARGS__ },                  \
		.backend_count = sizeof((const struct backend[]){ __VA_ARGS__ }) /    \
				 sizeof(struct backend) })

/* An endpoint. */
#define AT(zone_, address_, port_, weight_, priority_, ...)                           \
	{                                                                             \
		.zone = zone_, .address = address_, .port = port_, .weight = weight_, \
		.priority = priority_, .tags = __VA_ARGS__                            \
	}
#define EU                                                                            \
	AT("", "192.168.0.4", 8004, 1, 0,                                             \
	   LABELS({ TAG_PROTOCOL, "tcp" }, { TAG_SERVICE, "backend" }, { "region", "eu" }))
#define US                                                                            \
	AT("", "192.168.0.5", 8005, 1, 0,                                             \
	   LABELS({ TAG_PROTOCOL, "http" }, { TAG_SERVICE, "backend" }, { "region", "us" }))
#define OTHER                                                                         \
	AT("", "192.168.0.6", 8006, 1, 0,                                             \
	   LABELS({ TAG_PROTOCOL, "http" }, { TAG_SERVICE, "other-backend" }))
#define TCP                                                                           \
	AT("", "192.168.0.7", 8007, 1, 0,                                             \
	   LABELS({ TAG_PROTOCOL, "tcp" }, { TAG_SERVICE, "tcp-backend" }))
/* clang-format on */
#define BACKEND_EU "backend-bb38a94289f18fb9"
#define BACKEND_US "backend-c72efb5be46fae6b"

/* A Dataplane of this spec; valid until the next call. */
const struct resource *sample_proxy(const struct dataplane_spec *spec);

/* A self-signed certificate and its key, PEM in one text; of 2048 bits RSA, else EC
 * P-256. Another one each time; free() it. */
char *sample_pair(bool rsa);

/* Secrets that are to be had: a list of names and texts that ends with NULL. */
struct envoy_secrets sample_secrets(const char *const *names_and_texts);

/* The config of a proxy without inbounds that has these outbounds. */
struct envoy_config *sample_config(const struct outbound_route *outbounds, size_t count);
#define CONFIG(...) sample_config(LIST(struct outbound_route, __VA_ARGS__))

/* Compare text with golden/<file>. With ZL_GOLDEN=write in the environment the file is
 * written instead. */
void sample_golden_text(const struct zl_buf *text, const char *file);
/* The same for the JSON of config and golden/<name>.json; drops the config. */
void sample_golden(struct envoy_config *config, const char *name);

/* Fail unless all that is named is there: the extension or route table of each filter,
 * the clusters of both, the endpoints of each EDS cluster, each Secret; and nothing else
 * but clusters. */
void sample_whole(const struct envoy_config *config);
