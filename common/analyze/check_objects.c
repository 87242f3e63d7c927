/* Service objects and gateways: what is behind them, who uses them, and the Secrets that
 * they name. */
#include "analyze/analysis.h"

#include <string.h>

/* ---- services ---- */
static void check_multi_zone(struct analysis *at, const struct resource *res)
{
	const struct spot spot = { .res = res,
				   .field = "spec.selector.meshService.matchLabels",
				   .name = res->key.name };
	size_t count = 0;

	for (size_t i = 0; i < at->view_count && count == 0; i++)
		(void)object_members(at->views[i].inventory, res, at->arena, &count);
	if (count == 0)
		analysis_add(at, RULE_NO_MEMBERS, &spot,
			     "no MeshService of mesh \"%s\" has these labels",
			     res->key.mesh);
}

static void check_multi_zones(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_MESH_MULTI_ZONE_SERVICE, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		check_multi_zone(at, res);
}

/* ---- Secrets (K18) ---- */
static void check_secret(struct analysis *at, const struct resource *res,
			 const char *mesh, const struct data_source *source,
			 const char *field)
{
	const struct key key = { KIND_SECRET, mesh, "", "", source->secret };
	const struct spot spot = { .res = res, .field = field, .name = source->secret };

	if (source->secret[0] != '\0' && set_get(at->set, &key) == NULL)
		analysis_add(at, RULE_NO_SECRET, &spot,
			     "there is no Secret \"%s\" in mesh \"%s\"", source->secret,
			     mesh);
}

static void check_tls(struct analysis *at, const struct resource *res,
		      const struct external_tls *tls, const char *below)
{
	check_secret(at, res, res->key.mesh, &tls->ca,
		     zl_arena_format(at->arena, "%s.caCert", below));
	check_secret(at, res, res->key.mesh, &tls->cert,
		     zl_arena_format(at->arena, "%s.clientCert", below));
	check_secret(at, res, res->key.mesh, &tls->key,
		     zl_arena_format(at->arena, "%s.clientKey", below));
}

static void check_externals(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_MESH_EXTERNAL_SERVICE, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		const struct spot spot = { .res = res,
					   .field = "spec.endpoints",
					   .name = res->key.name };

		if (res->mesh_external->endpoint_count == 0)
			analysis_add(at, RULE_NO_ADDRESS, &spot, "it has no endpoint");
		check_tls(at, res, &res->mesh_external->tls, "spec.tls.verification");
	}
	each = set_each(at->set, KIND_EXTERNAL_SERVICE, NULL);
	while ((res = set_next(&each)) != NULL)
		check_tls(at, res, &res->external->tls, "networking.tls");
}

/* ---- gateways ---- */

/* Which listeners a gateway's proxies have, and which of them lead nowhere. */
struct use {
	size_t proxies;
	bool *routed; /* of its listeners */
};

static void count_use(const struct view *view, const struct analysis *at,
		      const struct resource *gateway, struct use *use)
{
	struct set_iter each = set_each(at->set, KIND_DATAPLANE, gateway->key.mesh);
	struct zl_arena *arena = zl_arena_new();
	const struct resource *proxy;

	while ((proxy = set_next(&each)) != NULL) {
		bool used = false;

		if (proxy->dataplane->gateway != GATEWAY_BUILTIN ||
		    !dataplane_is_local(proxy, view->zone))
			continue;
		const struct routes *routes =
			policy_resolve(view->index, view->inventory, proxy, NULL, arena);
		for (size_t i = 0; i < routes->listener_count; i++) {
			const struct listener_route *one = &routes->listeners[i];

			if (one->gateway != gateway)
				continue;
			used = true;
			if (one->backend_count > 0)
				use->routed[one->listener - gateway->gateway->listeners] =
					true;
		}
		use->proxies += used;
		zl_arena_reset(arena);
	}
	zl_arena_free(&arena);
}

static bool has_listener(const struct gateway_listener *listener)
{
	return listener->protocol == GATEWAY_TCP || listener->protocol == GATEWAY_TLS;
}

static void tell_unrouted(struct analysis *at, const struct resource *gateway, size_t i)
{
	const struct gateway_listener *listener = &gateway->gateway->listeners[i];
	const struct spot spot = { .res = gateway,
				   .field = zl_arena_format(at->arena,
							    "conf.listeners[%zu]", i),
				   .name = gateway->key.name };

	analysis_add(at, RULE_LISTENER_UNROUTED, &spot,
		     "no MeshTCPRoute is about port %u, hostname %s: its connections are "
		     "closed",
		     listener->port, listener->hostname);
}

static void check_gateway(struct analysis *at, const struct resource *gateway)
{
	const struct mesh_gateway_spec *spec = gateway->gateway;
	const struct spot spot = { .res = gateway,
				   .field = "selectors",
				   .name = gateway->key.name };
	struct use use = { 0 };

	use.routed = zl_arena_alloc(at->arena, spec->listener_count, sizeof(bool));
	for (size_t i = 0; i < spec->listener_count; i++)
		for (size_t j = 0; j < spec->listeners[i].cert_count; j++)
			check_secret(at, gateway, gateway->key.mesh,
				     &spec->listeners[i].certs[j],
				     zl_arena_format(
					     at->arena,
					     "conf.listeners[%zu].tls.certificates[%zu]",
					     i, j));
	if (at->blind)
		return;
	for (size_t i = 0; i < at->view_count; i++)
		count_use(&at->views[i], at, gateway, &use);
	if (use.proxies == 0) {
		analysis_add(at, RULE_GATEWAY_UNUSED, &spot,
			     "no Dataplane of type BUILTIN in mesh \"%s\" takes it",
			     gateway->key.mesh);
		return;
	}
	for (size_t i = 0; i < spec->listener_count; i++)
		if (!use.routed[i] && has_listener(&spec->listeners[i]))
			tell_unrouted(at, gateway, i);
}

/* Those of a Mesh are of the mesh itself. */
static void check_authorities(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_MESH, NULL);
	const struct resource *mesh;

	while ((mesh = set_next(&each)) != NULL) {
		for (size_t i = 0; i < mesh->mesh->backend_count; i++) {
			const struct ca_conf *conf = &mesh->mesh->backends[i].conf;
			const char *below =
				zl_arena_format(at->arena, "mtls.backends[%zu].conf", i);

			check_secret(at, mesh, mesh->key.name, &conf->cert,
				     zl_arena_format(at->arena, "%s.cert", below));
			check_secret(at, mesh, mesh->key.name, &conf->key,
				     zl_arena_format(at->arena, "%s.key", below));
		}
	}
}

void analyze_objects(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_MESH_GATEWAY, NULL);
	const struct resource *gateway;

	check_multi_zones(at);
	check_externals(at);
	check_authorities(at);
	while ((gateway = set_next(&each)) != NULL)
		check_gateway(at, gateway);
}
