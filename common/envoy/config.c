#include "envoy/config.h"

#include "base/hash.h"
#include "base/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct envoy_config {
	unsigned holders;
	struct zl_arena *arena;
	struct envoy_resource *resources; /* sorted by (type, name) */
	size_t first[ENVOY_TYPES + 1];    /* of each type */
};

static const char *const URLS[ENVOY_TYPES] = {
	[ENVOY_CLUSTER] = "type.googleapis.com/envoy.config.cluster.v3.Cluster",
	[ENVOY_ENDPOINTS] =
		"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
	[ENVOY_SECRET] =
		"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
	[ENVOY_LISTENER] = "type.googleapis.com/envoy.config.listener.v3.Listener",
	[ENVOY_EXTENSION] =
		"type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
	[ENVOY_ROUTES] = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
};

const char *envoy_type_url(enum envoy_type type)
{
	assert(type < ENVOY_TYPES);
	return URLS[type];
}

enum envoy_type envoy_type_of(const char *url)
{
	int type = 0;

	while (type < ENVOY_TYPES && strcmp(url, URLS[type]) != 0)
		type++;
	return (enum envoy_type)type;
}

static int by_type_and_name(const void *a, const void *b)
{
	const struct envoy_resource *x = a;
	const struct envoy_resource *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct envoy_config *envoy_config_new(const struct envoy_resource *resources,
				      size_t count)
{
	struct envoy_config *config = zl_alloc(1, sizeof(*config));

	config->holders = 1;
	config->arena = zl_arena_new();
	config->resources =
		zl_arena_alloc(config->arena, count, sizeof(*config->resources));
	for (size_t i = 0; i < count; i++) {
		const struct envoy_resource *from = &resources[i];
		struct envoy_resource *to = &config->resources[i];
		assert(from->type < ENVOY_TYPES);
		to->type = from->type;
		to->name = zl_arena_strdup(config->arena, from->name);
		to->bytes = zl_arena_memdup(config->arena, from->bytes, from->len);
		to->len = from->len;
		(void)snprintf(to->version, sizeof(to->version), "%016" PRIx64,
			       zl_xxh3(from->bytes, from->len));
	}
	if (count > 0)
		qsort(config->resources, count, sizeof(*config->resources),
		      by_type_and_name);

	size_t at = 0;
	for (int type = 0; type < ENVOY_TYPES; type++) {
		config->first[type] = at;
		for (; at < count && (int)config->resources[at].type == type; at++)
			assert(at == config->first[type] ||
			       strcmp(config->resources[at - 1].name,
				      config->resources[at].name) != 0);
	}
	config->first[ENVOY_TYPES] = at;
	return config;
}

struct envoy_config *envoy_config_hold(struct envoy_config *config)
{
	config->holders++;
	return config;
}

void envoy_config_drop(struct envoy_config **configp)
{
	struct envoy_config *config = *configp;

	*configp = NULL;
	if (config == NULL || --config->holders > 0)
		return;
	zl_arena_free(&config->arena);
	free(config);
}

const struct envoy_resource *envoy_config_list(const struct envoy_config *config,
					       enum envoy_type type, size_t *count)
{
	assert(type < ENVOY_TYPES);
	*count = config->first[type + 1] - config->first[type];
	return config->resources + config->first[type];
}

const struct envoy_resource *envoy_config_find(const struct envoy_config *config,
					       enum envoy_type type, const char *name)
{
	size_t count;
	const struct envoy_resource *list = envoy_config_list(config, type, &count);
	size_t low = 0;

	while (low < count) {
		size_t mid = low + (count - low) / 2;
		int order = strcmp(name, list[mid].name);
		if (order == 0)
			return &list[mid];
		if (order < 0)
			count = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
