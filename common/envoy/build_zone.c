/* The listener of a zone proxy, which tells connections apart by the server name that
 * they ask for. TLS is not ended here: what is inside stays between client and server. */
#include "envoy/build_parts.h"

#include "base/addr.h"

#include <stdlib.h>

/* Its bytes tell nothing but the name, so that it lives as long as that is asked for. */
static Envoy__FilterChainMatch *match_name(struct zl_arena *arena, const char *sni)
{
	Envoy__FilterChainMatch *match =
		pb_new(arena, &envoy__filter_chain_match__descriptor);

	match->transport_protocol = zl_arena_strdup(arena, "tls");
	match->server_names = pb_list(arena, 1);
	match->server_names[match->n_server_names++] = zl_arena_strdup(arena, sni);
	return match;
}

Envoy__FilterChain *build_passage_chain(struct build *build, const char *listener,
					const struct passage *passage)
{
	const char *name = zl_arena_format(build->arena, "%s/%s", listener, passage->sni);
	Envoy__FilterChain *chain = build_chain(
		build->arena, build_filter_by_name(build->arena, name, TCP_PROXY_URL));

	build_passage(build, name, passage->backend->cluster, &NOTHING_ASKED,
		      passage->backend->cluster);
	chain->filter_chain_match = match_name(build->arena, passage->sni);
	return chain;
}

Envoy__Listener *build_zone_listener(struct build *build, const char *address,
				     uint32_t port, size_t chains)
{
	const struct place place = {
		.name = build_listener_name(build, "inbound", address, port),
		.address = address,
		.port = port,
		.direction = ENVOY__LISTENER__TRAFFIC_DIRECTION__INBOUND
	};
	Envoy__Listener *listener = build_listener_new(build, &place, chains);

	build_look_into_tls(build->arena, listener);
	listener->per_connection_buffer_limit_bytes = pb_u32(build->arena, EDGE_BUFFER);
	listener->enable_reuse_port = pb_bool(build->arena, true);
	return listener;
}

void build_find_passages(struct build *build, const struct zone_routes *routes)
{
	build->targets = pb_list(build->arena, routes->passage_count);
	for (size_t i = 0; i < routes->passage_count; i++)
		build->targets[build->target_count++] = routes->passages[i].backend;
	build_sort_targets(build);
}

struct envoy_config *envoy_build_ingress(const struct zone_routes *routes)
{
	struct build build = { .arena = zl_arena_new(), .at_edge = true };
	const char *address = routes->proxy->ingress->address;
	Envoy__Listener *listener;
	struct envoy_config *config;

	/* Envoy takes no listener without a chain; who was connected lost his with the
	 * last one. */
	if (routes->passage_count > 0 && zl_is_ip(address)) {
		listener =
			build_zone_listener(&build, address, routes->proxy->ingress->port,
					    routes->passage_count);
		for (size_t i = 0; i < routes->passage_count; i++)
			listener->filter_chains[listener->n_filter_chains++] =
				build_passage_chain(&build, listener->name,
						    &routes->passages[i]);
		build_add(&build, ENVOY_LISTENER, listener->name, &listener->base);
		build_find_passages(&build, routes);
		build_targets(&build);
	}
	config = build_done(&build);
	free(build.items);
	zl_arena_free(&build.arena);
	return config;
}
