/* What leaves the zone goes on as it came; what leaves the mesh is taken out of its TLS.
 */
#include "envoy/build_parts.h"

#include "base/addr.h"

#include <stdlib.h>
#include <string.h>

/* Who the egress is in each of routes' meshes. */
static struct trust *find_trusts(struct build *build, const struct zone_routes *routes)
{
	struct trust *trusts =
		zl_arena_alloc(build->arena, routes->mesh_count, sizeof(*trusts));

	for (size_t i = 0; i < routes->mesh_count; i++) {
		const struct zone_mesh *mesh = &routes->meshes[i];
		const struct envoy_holder holder = { mesh->name, mesh->mesh, mesh->uris,
						     mesh->uri_count };
		build_trust(build, &holder);
		trusts[i] = build->trust;
	}
	return trusts;
}

/* Let mesh be the one that is built for. */
static void enter_mesh(struct build *build, const struct zone_routes *routes,
		       const struct trust *trusts, const char *mesh)
{
	build->mesh = mesh;
	build->trust = (struct trust){ 0 };
	for (size_t i = 0; i < routes->mesh_count; i++)
		if (strcmp(routes->meshes[i].name, mesh) == 0)
			build->trust = trusts[i];
}

static void add_passage(struct build *build, Envoy__Listener *listener,
			const struct passage *passage)
{
	const struct backend *target = passage->backend;
	Envoy__FilterChain *chain;

	if (target->outside != NULL && !build->trust.has_identity)
		return;
	chain = build_passage_chain(build, listener->name, passage);
	if (target->outside != NULL)
		chain->transport_socket = build_mesh_server(build, NULL);
	listener->filter_chains[listener->n_filter_chains++] = chain;
	/* Ingresses are asked whether they live for whole services and objects: subsets
	 * are many, and most of them nobody calls. */
	build->trust.on = target->tags.count == 0;
	build->targets = pb_list(build->arena, 1);
	build->targets[0] = target;
	build->target_count = 1;
	build_targets(build);
}

struct envoy_config *envoy_build_egress(const struct zone_routes *routes,
					const struct envoy_secrets *secrets)
{
	const struct zone_egress_spec *spec = routes->proxy->egress;
	struct build build = { .arena = zl_arena_new(),
			       .at_edge = true,
			       .relays = true,
			       .secrets = secrets };
	struct envoy_config *config;

	if (zl_is_ip(spec->address)) {
		const struct trust *trusts = find_trusts(&build, routes);
		Envoy__Listener *listener = build_zone_listener(
			&build, spec->address, spec->port, routes->passage_count);

		for (size_t i = 0; i < routes->passage_count; i++) {
			enter_mesh(&build, routes, trusts, routes->passages[i].mesh);
			add_passage(&build, listener, &routes->passages[i]);
		}
		if (listener->n_filter_chains > 0)
			build_add(&build, ENVOY_LISTENER, listener->name,
				  &listener->base);
	}
	config = build_done(&build);
	free(build.items);
	zl_arena_free(&build.arena);
	return config;
}
