#include "envoy/build_settings.h"

#include <string.h>

#define BLACKHOLE "blackhole"
#define TAG_MESH "kuma.io/mesh"

const char *build_listener_name(struct build *build, const char *direction,
				const char *address, uint32_t port)
{
	bool v6 = strchr(address, ':') != NULL;

	return zl_arena_format(build->arena, v6 ? "%s:[%s]:%u" : "%s:%s:%u", direction,
			       address, port);
}

/* Envoy takes dots and colons for its own structure of statistics. */
char *build_stat_prefix(struct build *build, const char *name)
{
	char *text = zl_arena_strdup(build->arena, name);

	for (char *c = text; *c != '\0'; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && *c != '_' && *c != '-')
			*c = '_';
	return text;
}

Envoy__FilterChain *build_chain(struct zl_arena *arena, Envoy__Filter *filter)
{
	Envoy__FilterChain *chain = pb_new(arena, &envoy__filter_chain__descriptor);

	chain->filters = pb_list(arena, 1);
	chain->filters[chain->n_filters++] = filter;
	return chain;
}

Envoy__Filter *build_filter_by_name(struct zl_arena *arena, const char *name,
				    const char *url)
{
	Envoy__Filter *filter = pb_new(arena, &envoy__filter__descriptor);
	Envoy__ExtensionConfigSource *source =
		pb_new(arena, &envoy__extension_config_source__descriptor);

	source->config_source = pb_ads(arena);
	source->type_urls = pb_list(arena, 1);
	source->type_urls[source->n_type_urls++] = zl_arena_strdup(arena, url);
	filter->name = zl_arena_strdup(arena, name);
	filter->config_type_case = ENVOY__FILTER__CONFIG_TYPE_CONFIG_DISCOVERY;
	filter->config_discovery = source;
	return filter;
}

Envoy__Listener *build_listener_new(struct build *build, const struct place *place,
				    size_t chains)
{
	static const char *const USES[] = { "io.kuma.tags" };
	struct zl_arena *arena = build->arena;
	Envoy__Listener *listener = pb_new(arena, &envoy__listener__descriptor);
	const struct label tag = { place->tag, place->tag_value };
	struct labels tags = place->tags;

	if (place->tag != NULL)
		tags = (struct labels){ &tag, 1 };
	listener->name = zl_arena_strdup(arena, place->name);
	listener->address = pb_address(arena, place->address, place->port);
	listener->filter_chains = pb_list(arena, chains);
	listener->metadata = pb_metadata(arena, USES, 1, tags, TAG_MESH);
	listener->traffic_direction = place->direction;
	return listener;
}

/* A listener, of nothing but its own place and what its outbound is called by: anything
 * else could not change without cutting its connections. */
void build_listener(struct build *build, const struct place *place, Envoy__Filter *filter)
{
	Envoy__Listener *listener = build_listener_new(build, place, 1);

	listener->filter_chains[listener->n_filter_chains++] =
		build_chain(build->arena, filter);
	build_add(build, ENVOY_LISTENER, place->name, &listener->base);
}

/* ---- what a connection is for ---- */

void build_extension(struct build *build, const char *name,
		     const ProtobufCMessage *message)
{
	Envoy__TypedExtensionConfig *extension =
		pb_new(build->arena, &envoy__typed_extension_config__descriptor);

	extension->name = zl_arena_strdup(build->arena, name);
	extension->typed_config = pb_any(build->arena, message);
	build_add(build, ENVOY_EXTENSION, name, &extension->base);
}

const char *build_blackhole(struct build *build)
{
	if (build->blackhole == NULL)
		build->blackhole = build_free_name(build, BLACKHOLE);
	return build->blackhole;
}

char *build_part_cluster(struct build *build, const struct part *part)
{
	return zl_arena_strdup(build->arena, part->backend != NULL
						     ? part->backend->cluster
						     : build_blackhole(build));
}

static void set_split(struct build *build, Envoy__TcpProxy *proxy,
		      const struct part *parts, size_t count)
{
	Envoy__TcpProxy__WeightedCluster *split =
		pb_new(build->arena, &envoy__tcp_proxy__weighted_cluster__descriptor);

	split->clusters = pb_list(build->arena, count);
	for (size_t i = 0; i < count; i++) {
		Envoy__TcpProxy__WeightedCluster__ClusterWeight *share = pb_new(
			build->arena,
			&envoy__tcp_proxy__weighted_cluster__cluster_weight__descriptor);
		share->name = build_part_cluster(build, &parts[i]);
		share->weight = parts[i].weight < UINT32_MAX ? (uint32_t)parts[i].weight
							     : UINT32_MAX;
		split->clusters[split->n_clusters++] = share;
	}
	proxy->cluster_specifier_case =
		ENVOY__TCP_PROXY__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
	proxy->weighted_clusters = split;
}

static Envoy__TcpProxy *new_proxy(struct build *build, const char *stat_name)
{
	Envoy__TcpProxy *proxy = pb_new(build->arena, &envoy__tcp_proxy__descriptor);

	proxy->stat_prefix = build_stat_prefix(build, stat_name);
	return proxy;
}

static void set_cluster(Envoy__TcpProxy *proxy, char *cluster)
{
	proxy->cluster_specifier_case = ENVOY__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
	proxy->cluster = cluster;
}

void build_split(struct build *build, const char *name, const char *stat_name,
		 const struct stream *stream, enum unresolved unresolved,
		 const struct backend *backends, size_t count)
{
	Envoy__TcpProxy *proxy = new_proxy(build, stat_name);
	size_t part_count;
	const struct part *parts =
		split_of(unresolved, backends, count, build->arena, &part_count);

	for (size_t i = 0; i < part_count; i++)
		build_use(build, &parts[i], USE_RAW);
	if (part_count == 1)
		set_cluster(proxy, build_part_cluster(build, &parts[0]));
	else
		set_split(build, proxy, parts, part_count);
	build_settle_proxy(build, proxy, stream);
	build_extension(build, name, &proxy->base);
}

void build_passage(struct build *build, const char *name, const char *stat_name,
		   const struct stream *stream, const char *cluster)
{
	Envoy__TcpProxy *proxy = new_proxy(build, stat_name);

	set_cluster(proxy, zl_arena_strdup(build->arena, cluster));
	build_settle_proxy(build, proxy, stream);
	build_extension(build, name, &proxy->base);
}
