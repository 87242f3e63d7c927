#include "envoy/build_parts.h"

#include "base/addr.h"

#include <string.h>

#define BLACKHOLE "blackhole"
#define OWN_HOST "127.0.0.1"
#define TAG_MESH "kuma.io/mesh"

/* "outbound:127.0.0.1:10001", "outbound:[::1]:10001" */
static const char *listener_name(struct build *build, const char *direction,
				 const char *address, uint32_t port)
{
	bool v6 = strchr(address, ':') != NULL;

	return zl_arena_format(build->arena, v6 ? "%s:[%s]:%u" : "%s:%s:%u", direction,
			       address, port);
}

/* Envoy takes dots and colons for its own structure of statistics. */
static char *stat_prefix(struct build *build, const char *name)
{
	char *text = zl_arena_strdup(build->arena, name);

	for (char *c = text; *c != '\0'; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && *c != '_' && *c != '-')
			*c = '_';
	return text;
}

/* One filter, of which only the name is said: the rest comes by ECDS. */
static Envoy__FilterChain *chain_by_name(struct zl_arena *arena, const char *name)
{
	Envoy__FilterChain *chain = pb_new(arena, &envoy__filter_chain__descriptor);
	Envoy__Filter *filter = pb_new(arena, &envoy__filter__descriptor);
	Envoy__ExtensionConfigSource *source =
		pb_new(arena, &envoy__extension_config_source__descriptor);

	source->config_source = pb_ads(arena);
	source->type_urls = pb_list(arena, 1);
	source->type_urls[source->n_type_urls++] = zl_arena_strdup(arena, TCP_PROXY_URL);
	filter->name = zl_arena_strdup(arena, name);
	filter->config_type_case = ENVOY__FILTER__CONFIG_TYPE_CONFIG_DISCOVERY;
	filter->config_discovery = source;
	chain->filters = pb_list(arena, 1);
	chain->filters[chain->n_filters++] = filter;
	return chain;
}

/* A listener, of nothing but its own place and what its outbound is called by: anything
 * else could not change without cutting its connections. */
static void add_listener(struct build *build, const char *name, const char *address,
			 uint32_t port, Envoy__Listener__TrafficDirection direction,
			 struct labels tags)
{
	static const char *const USES[] = { "io.kuma.tags" };
	struct zl_arena *arena = build->arena;
	Envoy__Listener *listener = pb_new(arena, &envoy__listener__descriptor);

	listener->name = zl_arena_strdup(arena, name);
	listener->address = pb_address(arena, address, port);
	listener->filter_chains = pb_list(arena, 1);
	listener->filter_chains[listener->n_filter_chains++] = chain_by_name(arena, name);
	listener->metadata = pb_metadata(arena, USES, 1, tags, TAG_MESH);
	listener->traffic_direction = direction;
	build_add(build, ENVOY_LISTENER, name, &listener->base);
}

static void add_extension(struct build *build, const char *name, Envoy__TcpProxy *proxy)
{
	Envoy__TypedExtensionConfig *extension =
		pb_new(build->arena, &envoy__typed_extension_config__descriptor);

	extension->name = zl_arena_strdup(build->arena, name);
	extension->typed_config = pb_any(build->arena, &proxy->base);
	build_add(build, ENVOY_EXTENSION, name, &extension->base);
}

static const char *blackhole(struct build *build)
{
	if (build->blackhole == NULL)
		build->blackhole = build_free_name(build, BLACKHOLE);
	return build->blackhole;
}

/* The cluster of one part of a split. */
static char *part_cluster(struct build *build, const struct part *part)
{
	return zl_arena_strdup(build->arena,
			       part->backend ? part->backend->cluster : blackhole(build));
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
		share->name = part_cluster(build, &parts[i]);
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

	proxy->stat_prefix = stat_prefix(build, stat_name);
	return proxy;
}

static void set_cluster(Envoy__TcpProxy *proxy, char *cluster)
{
	proxy->cluster_specifier_case = ENVOY__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
	proxy->cluster = cluster;
}

static void add_outbound(struct build *build, const struct outbound_route *outbound)
{
	const char *name =
		listener_name(build, "outbound", outbound->address, outbound->port);
	const char *service = outbound->destination.name;
	Envoy__TcpProxy *proxy = new_proxy(build, service[0] != '\0' ? service : name);
	const struct part *parts;
	size_t count;

	parts = split_of(outbound->unresolved, outbound->backends,
			 outbound->backend_count, build->arena, &count);
	if (count == 1)
		set_cluster(proxy, part_cluster(build, &parts[0]));
	else
		set_split(build, proxy, parts, count);
	add_extension(build, name, proxy);
	add_listener(build, name, outbound->address, outbound->port,
		     ENVOY__LISTENER__TRAFFIC_DIRECTION__OUTBOUND, outbound->tags);
}

void build_outbounds(struct build *build)
{
	for (size_t i = 0; i < build->routes->outbound_count; i++)
		if (zl_is_ip(build->routes->outbounds[i].address))
			add_outbound(build, &build->routes->outbounds[i]);
}

/* An application behind an inbound, and the cluster that leads to it. */
struct application {
	const char *address;
	uint32_t port;
	const char *cluster;
};

static struct application application_of(const struct inbound *inbound,
					 const char *address)
{
	struct application application = { .address = inbound->service_address,
					   .port = inbound->service_port };

	if (application.port == 0)
		application.port = inbound->port;
	if (application.address[0] == '\0') /* on its own port Envoy would dial itself */
		application.address =
			application.port == inbound->port ? OWN_HOST : address;
	return application;
}

/* localhost:<port>; for a second address with this port, localhost:<port>:<address>. */
static const char *application_cluster(struct build *build,
				       const struct application *application,
				       const struct application *others, size_t count)
{
	const char *wanted =
		zl_arena_format(build->arena, "localhost:%u", application->port);

	for (size_t i = 0; i < count; i++) {
		if (others[i].port != application->port)
			continue;
		if (strcmp(others[i].address, application->address) == 0)
			return others[i].cluster;
		wanted = zl_arena_format(build->arena, "localhost:%u:%s",
					 application->port, application->address);
	}
	return build_free_name(build, wanted);
}

static void add_inbound(struct build *build, const struct inbound *inbound,
			const char *address, const char *cluster)
{
	const char *name = listener_name(build, "inbound", address, inbound->port);
	Envoy__TcpProxy *proxy = new_proxy(build, cluster);

	set_cluster(proxy, zl_arena_strdup(build->arena, cluster));
	add_extension(build, name, proxy);
	add_listener(build, name, address, inbound->port,
		     ENVOY__LISTENER__TRAFFIC_DIRECTION__INBOUND, (struct labels){ 0 });
}

void build_inbounds(struct build *build)
{
	const struct dataplane_spec *spec = build->routes->proxy->dataplane;
	struct application *all =
		zl_arena_alloc(build->arena, spec->inbound_count, sizeof(*all));
	size_t count = 0;

	for (size_t i = 0; i < spec->inbound_count; i++) {
		const struct inbound *inbound = &spec->inbounds[i];
		const char *address =
			inbound->address[0] != '\0' ? inbound->address : spec->address;
		struct application *to = &all[count];

		if (inbound->state == INBOUND_IGNORED || !zl_is_ip(address))
			continue;
		*to = application_of(inbound, address);
		if (to->port == inbound->port && strcmp(to->address, address) == 0) {
			/* Still its own listener: each connection would make the next. */
			add_inbound(build, inbound, address, blackhole(build));
			continue;
		}
		to->cluster = application_cluster(build, to, all, count);
		add_inbound(build, inbound, address, to->cluster);
		build_static_cluster(build, to->cluster, to->address, to->port);
		count++;
	}
}
