#include "envoy/build.h"

#include "envoy/build_parts.h"

#include <stdlib.h>
#include <string.h>

void build_add(struct build *build, enum envoy_type type, const char *name,
	       const ProtobufCMessage *message)
{
	struct envoy_resource *item;

	if (build->count == build->room) {
		build->room = build->room ? 2 * build->room : 64;
		build->items =
			zl_realloc(build->items, build->room, sizeof(*build->items));
	}
	item = &build->items[build->count++];
	*item = (struct envoy_resource){ .type = type, .name = name };
	item->bytes = pb_pack(build->arena, message, &item->len);
}

static int by_cluster(const void *a, const void *b)
{
	const struct backend *const *x = a;
	const struct backend *const *y = b;

	return strcmp((*x)->cluster, (*y)->cluster);
}

void build_find_targets(struct build *build)
{
	const struct routes *routes = build->routes;
	size_t most = 0;
	size_t kept = 0;

	for (size_t i = 0; i < routes->outbound_count; i++)
		most += routes->outbounds[i].backend_count;
	build->targets = pb_list(build->arena, most);
	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *outbound = &routes->outbounds[i];
		for (size_t k = 0; k < outbound->backend_count; k++)
			if (outbound->backends[k].resolved)
				build->targets[build->target_count++] =
					&outbound->backends[k];
	}
	if (build->target_count == 0)
		return;
	qsort(build->targets, build->target_count, sizeof(const struct backend *),
	      by_cluster);
	for (size_t i = 1; i < build->target_count; i++)
		if (by_cluster(&build->targets[kept], &build->targets[i]) != 0)
			build->targets[++kept] = build->targets[i];
	build->target_count = kept + 1;
}

static bool is_target(const struct build *build, const char *cluster)
{
	const struct backend key = { .cluster = cluster };
	const struct backend *keyp = &key;

	return build->target_count > 0 &&
	       bsearch(&keyp, build->targets, build->target_count,
		       sizeof(const struct backend *), by_cluster) != NULL;
}

const char *build_free_name(struct build *build, const char *wanted)
{
	while (is_target(build, wanted))
		wanted = zl_arena_format(build->arena, "%s_", wanted);
	return wanted;
}

struct ordered {
	const struct envoy_resource *item;
	size_t order;
};

static int by_name_and_order(const void *a, const void *b)
{
	const struct ordered *x = a;
	const struct ordered *y = b;
	int names;

	if (x->item->type != y->item->type)
		return x->item->type < y->item->type ? -1 : 1;
	names = strcmp(x->item->name, y->item->name);
	if (names != 0)
		return names;
	return x->order < y->order ? -1 : 1;
}

/* The config of all that was added, the first of each name. */
static struct envoy_config *build_done(struct build *build)
{
	struct ordered *sorted =
		zl_arena_alloc(build->arena, build->count, sizeof(*sorted));
	struct envoy_resource *items =
		zl_arena_alloc(build->arena, build->count, sizeof(*items));
	size_t kept = 0;

	for (size_t i = 0; i < build->count; i++)
		sorted[i] = (struct ordered){ &build->items[i], i };
	if (build->count > 0)
		qsort(sorted, build->count, sizeof(*sorted), by_name_and_order);
	for (size_t i = 0; i < build->count; i++) {
		const struct envoy_resource *item = sorted[i].item;
		if (kept == 0 || items[kept - 1].type != item->type ||
		    strcmp(items[kept - 1].name, item->name) != 0)
			items[kept++] = *item;
	}
	return envoy_config_new(items, kept);
}

struct envoy_config *envoy_build_proxy(const struct routes *routes)
{
	struct build build = { .arena = zl_arena_new(), .routes = routes };
	struct envoy_config *config;

	build_find_targets(&build);
	build_outbounds(&build);
	build_inbounds(&build);
	build_targets(&build);
	config = build_done(&build);
	free(build.items);
	zl_arena_free(&build.arena);
	return config;
}

struct envoy_config *envoy_build_ingress(const struct resource *ingress)
{
	(void)ingress; /* nothing of it shows without a listener */
	return envoy_config_new(NULL, 0);
}
