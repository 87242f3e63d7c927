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

static void find_in(struct build *build, const struct backend *backends, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (backends[i].resolved)
			build->targets[build->target_count++] = &backends[i];
}

static size_t backends_at_most(const struct routes *routes)
{
	size_t most = 0;

	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *outbound = &routes->outbounds[i];
		most += outbound->backend_count;
		for (size_t k = 0; k < outbound->rule_count; k++)
			most += outbound->rules[k].backend_count;
	}
	for (size_t i = 0; i < routes->listener_count; i++)
		most += routes->listeners[i].backend_count;
	return most;
}

/* Every target that something may name, in any order. */
static void find_all(struct build *build)
{
	const struct routes *routes = build->routes;

	build->targets = pb_list(build->arena, backends_at_most(routes));
	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *outbound = &routes->outbounds[i];
		find_in(build, outbound->backends, outbound->backend_count);
		for (size_t k = 0; k < outbound->rule_count; k++)
			find_in(build, outbound->rules[k].backends,
				outbound->rules[k].backend_count);
	}
	for (size_t i = 0; i < routes->listener_count; i++)
		find_in(build, routes->listeners[i].backends,
			routes->listeners[i].backend_count);
}

void build_sort_targets(struct build *build)
{
	size_t kept = 0;

	if (build->target_count == 0)
		return;
	qsort(build->targets, build->target_count, sizeof(const struct backend *),
	      by_cluster);
	for (size_t i = 1; i < build->target_count; i++)
		if (by_cluster(&build->targets[kept], &build->targets[i]) != 0)
			build->targets[++kept] = build->targets[i];
	build->target_count = kept + 1;
	build->uses = zl_arena_alloc(build->arena, build->target_count, 1);
}

static const struct backend **find_target(const struct build *build, const char *cluster)
{
	const struct backend key = { .cluster = cluster };
	const struct backend *keyp = &key;

	if (build->target_count == 0)
		return NULL;
	return bsearch(&keyp, build->targets, build->target_count,
		       sizeof(const struct backend *), by_cluster);
}

unsigned char *build_uses_of(const struct build *build, const char *cluster)
{
	const struct backend **found = find_target(build, cluster);

	return &build->uses[found - build->targets];
}

const char *build_free_name(struct build *build, const char *wanted)
{
	while (find_target(build, wanted) != NULL)
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

struct envoy_config *build_done(struct build *build)
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
	build_sort_named(build);
	for (size_t i = 0; i < build->count; i++) {
		const struct envoy_resource *item = sorted[i].item;
		/* Envoy would neither take nor acknowledge it. */
		if (item->type == ENVOY_SECRET && !build_is_named(build, item->name))
			continue;
		if (kept == 0 || items[kept - 1].type != item->type ||
		    strcmp(items[kept - 1].name, item->name) != 0)
			items[kept++] = *item;
	}
	return envoy_config_new(items, kept);
}

bool build_is_muted(const struct build *build, const char *path)
{
	const struct envoy_mute *mute = build->mute;

	for (size_t i = 0; mute != NULL && i < mute->count; i++)
		if (mute->paths[i][0] == '\0' || strcmp(mute->paths[i], path) == 0)
			return true;
	return false;
}

struct envoy_config *envoy_build_proxy(const struct routes *routes,
				       const struct envoy_secrets *secrets)
{
	return envoy_build_muted(routes, secrets, NULL);
}

struct envoy_config *envoy_build_muted(const struct routes *routes,
				       const struct envoy_secrets *secrets,
				       const struct envoy_mute *mute)
{
	const struct envoy_holder holder = { routes->proxy->key.mesh, routes->mesh,
					     routes->uris, routes->uri_count };
	struct build build = { .arena = zl_arena_new(),
			       .mesh = holder.mesh_name,
			       .at_edge = routes->is_gateway,
			       .routes = routes,
			       .secrets = secrets,
			       .mute = mute };
	struct envoy_config *config;

	find_all(&build);
	build_sort_targets(&build);
	build_trust(&build, &holder);
	build_outbounds(&build);
	build_inbounds(&build);
	build_gateway(&build);
	build_targets(&build);
	config = build_done(&build);
	free(build.items);
	zl_arena_free(&build.arena);
	return config;
}

/* Names of Secrets, as they are found. */
struct naming {
	struct zl_arena *arena;
	struct zl_buf *names;
	const char *mesh; /* said before each; NULL: all are of one */
};

static void add_name(const struct naming *to, const char *secret)
{
	if (secret[0] == '\0')
		return;
	if (to->mesh != NULL)
		zl_buf_add(to->names, to->mesh, strlen(to->mesh) + 1);
	zl_buf_add(to->names, secret, strlen(secret) + 1);
}

/* What an identity is made of, and whom it is checked against. */
static void add_authorities(const struct naming *to, const char *name,
			    const struct mesh_spec *mesh)
{
	for (size_t i = 0; i < mesh->backend_count; i++) {
		const struct mesh_backend *backend = &mesh->backends[i];
		add_name(to, mesh_backend_secret(name, backend, false, to->arena));
		if (backend == mesh_signer(mesh))
			add_name(to, mesh_backend_secret(name, backend, true, to->arena));
	}
}

static void add_outside(const struct naming *to, const struct external_tls *tls)
{
	add_name(to, tls->ca.secret);
	add_name(to, tls->cert.secret);
	add_name(to, tls->key.secret);
}

/* Keep those that start TLS themselves. */
static void keep_outside(struct build *build)
{
	size_t kept = 0;

	for (size_t i = 0; i < build->target_count; i++) {
		const struct external_tls *outside = build->targets[i]->outside;
		if (outside != NULL && outside->enabled)
			build->targets[kept++] = build->targets[i];
	}
	build->target_count = kept;
}

void envoy_secrets_named(const struct routes *routes, struct zl_buf *names)
{
	struct build build = { .arena = zl_arena_new(), .routes = routes };
	const struct naming to = { build.arena, names, NULL };

	find_all(&build);
	keep_outside(&build);
	build_sort_targets(&build);
	for (size_t i = 0; i < build.target_count; i++)
		add_outside(&to, build.targets[i]->outside);
	for (size_t i = 0; i < routes->listener_count; i++) {
		const struct gateway_listener *listener = routes->listeners[i].listener;
		for (size_t k = 0; k < listener->cert_count; k++)
			add_name(&to, listener->certs[k].secret);
	}
	if (routes->uri_count > 0) /* mTLS is on */
		add_authorities(&to, routes->proxy->key.mesh, routes->mesh);
	zl_arena_free(&build.arena);
}

void envoy_zone_secrets_named(const struct zone_routes *routes, struct zl_buf *names)
{
	struct naming to = { .arena = zl_arena_new(), .names = names };

	for (size_t i = 0; i < routes->passage_count; i++) {
		const struct passage *passage = &routes->passages[i];
		to.mesh = passage->mesh;
		if (passage->backend->outside != NULL &&
		    passage->backend->outside->enabled)
			add_outside(&to, passage->backend->outside);
	}
	for (size_t i = 0; i < routes->mesh_count; i++) {
		to.mesh = routes->meshes[i].name;
		add_authorities(&to, to.mesh, routes->meshes[i].mesh);
	}
	zl_arena_free(&to.arena);
}
