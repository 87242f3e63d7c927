/* envoy/config.h - what one proxy is to have: a counted, immutable list of xDS resources.
 *
 * Made by envoy_build, kept and sent by the zone's xDS server, printed by
 * `simulate -o envoy`. Sorted by (type, name); a name stands once per type. The bytes are
 * the packed protobuf message of the type, the version is the hex XXH3-64 of the bytes,
 * so equal resources have equal versions across restarts and zones.
 *
 * Threads:  hold and drop on the thread that owns the config; reading is free.
 * Lifetime: counted; the last envoy_config_drop frees it and all its resources.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* In the order in which they must be sent: make before break. */
enum envoy_type {
	ENVOY_CLUSTER,
	ENVOY_ENDPOINTS,
	ENVOY_SECRET,
	ENVOY_LISTENER,
	ENVOY_EXTENSION, /* TypedExtensionConfig: ECDS */
	ENVOY_ROUTES,    /* RouteConfiguration: RDS */
	ENVOY_TYPES
};

struct envoy_resource {
	enum envoy_type type;
	const char *name;
	const void *bytes;
	size_t len;
	char version[17];
};

struct envoy_config;

/* "type.googleapis.com/envoy.config.cluster.v3.Cluster" and so on. */
const char *envoy_type_url(enum envoy_type type);
/* The type of url; ENVOY_TYPES if it is none of ours. */
enum envoy_type envoy_type_of(const char *url);

/* Make a config of count resources in any order. Names and bytes are copied, versions are
 * computed here (what the caller put there is ignored). The caller holds it. Two
 * resources of one type and name are a bug (assert). */
struct envoy_config *envoy_config_new(const struct envoy_resource *resources,
				      size_t count);
struct envoy_config *envoy_config_hold(struct envoy_config *config);
/* Set *configp to NULL. Accepts NULL. */
void envoy_config_drop(struct envoy_config **configp);

/* All resources of a type, sorted by name; *count of them. Borrowed. */
const struct envoy_resource *envoy_config_list(const struct envoy_config *config,
					       enum envoy_type type, size_t *count);
/* One of them or NULL. Borrowed. */
const struct envoy_resource *envoy_config_find(const struct envoy_config *config,
					       enum envoy_type type, const char *name);
