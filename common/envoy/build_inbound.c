#include "envoy/build_parts.h"

#include "base/addr.h"

#include <string.h>

#define OWN_HOST "127.0.0.1"

enum { SILENT_S = 1 };

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

static enum http_version version_of(const struct inbound *inbound)
{
	const char *protocol = labels_get(inbound->tags, TAG_PROTOCOL);

	return protocol != NULL ? build_http_version(protocol) : HTTP_NONE;
}

static Envoy__FilterChainMatch *match_of(struct zl_arena *arena, const char *transport)
{
	Envoy__FilterChainMatch *match =
		pb_new(arena, &envoy__filter_chain_match__descriptor);

	match->transport_protocol = zl_arena_strdup(arena, transport);
	return match;
}

/* TLS of the mesh ends here. */
static Envoy__FilterChain *mesh_chain(struct build *build, Envoy__Filter *filter)
{
	Envoy__FilterChain *chain = build_chain(build->arena, filter);

	chain->transport_socket = build_mesh_server(build);
	return chain;
}

/* Plain connections, TLS of applications, which is handed on as it is, and the mesh's. */
static void serve_all(struct build *build, const struct place *place,
		      Envoy__Filter *filter, const struct stream *stream,
		      const char *cluster)
{
	struct zl_arena *arena = build->arena;
	Envoy__Listener *listener = build_listener_new(build, place, 3);
	Envoy__FilterChain **chains = listener->filter_chains;
	const char *through = zl_arena_format(arena, "%s/tls", place->name);

	build_passage(build, through, cluster, stream, cluster);
	chains[0] = build_chain(arena, filter);
	chains[0]->filter_chain_match = match_of(arena, "raw_buffer");
	chains[1] =
		build_chain(arena, build_filter_by_name(arena, through, TCP_PROXY_URL));
	chains[1]->filter_chain_match = match_of(arena, "tls");
	chains[2] = mesh_chain(build, filter);
	chains[2]->filter_chain_match = match_of(arena, "tls");
	build_match_mesh(arena, chains[2]->filter_chain_match);
	listener->n_filter_chains = 3;
	build_tell_denials(build, listener);
	build_look_into_tls(arena, listener);
	/* A client that waits to be spoken to is one without TLS. */
	listener->listener_filters_timeout = pb_new(arena, &envoy__duration__descriptor);
	listener->listener_filters_timeout->seconds = SILENT_S;
	listener->continue_on_listener_filters_timeout = true;
	build_add(build, ENVOY_LISTENER, place->name, &listener->base);
}

static void serve(struct build *build, const struct place *place, Envoy__Filter *filter,
		  const struct stream *stream, const char *cluster)
{
	const struct trust *trust = &build->trust;

	if (!trust->on || (trust->permissive && !trust->has_identity)) {
		build_listener(build, place, filter);
	} else if (trust->permissive) {
		serve_all(build, place, filter, stream, cluster);
	} else {
		Envoy__Listener *listener = build_listener_new(build, place, 1);
		listener->filter_chains[listener->n_filter_chains++] =
			mesh_chain(build, filter);
		build_tell_denials(build, listener);
		build_add(build, ENVOY_LISTENER, place->name, &listener->base);
	}
}

/* What policies ask of the inbound. */
static const struct settings *settings_of(const struct build *build,
					  const struct inbound *inbound)
{
	for (size_t i = 0; i < build->routes->inbound_count; i++)
		if (build->routes->inbounds[i].inbound == inbound)
			return build->routes->inbounds[i].settings;
	return NULL;
}

/* The application's cluster stands in what can change without the listener: in the
 * extension, or the route table. */
static void add_inbound(struct build *build, const struct inbound *inbound,
			const char *address, const char *cluster)
{
	const char *name = build_listener_name(build, "inbound", address, inbound->port);
	const struct place place = {
		.name = name,
		.address = address,
		.port = inbound->port,
		.direction = ENVOY__LISTENER__TRAFFIC_DIRECTION__INBOUND
	};

	const char *service = labels_get(inbound->tags, TAG_SERVICE);
	const struct stream stream = { .settings = settings_of(build, inbound),
				       .inbound = true,
				       .destination = service != NULL ? service : "" };

	/* Who cannot say who it is does not listen, where only such are let in. */
	if (build->trust.on && !build->trust.permissive && !build->trust.has_identity)
		return;
	if (version_of(inbound) == HTTP_NONE) {
		build_passage(build, name, cluster, &stream, cluster);
		serve(build, &place,
		      build_filter_by_name(build->arena, name, TCP_PROXY_URL), &stream,
		      cluster);
	} else {
		build_http_passage(build, name, cluster, &stream, cluster);
		serve(build, &place,
		      build_http_filter(build, name,
					build_http_manager(build, name, name, &stream)),
		      &stream, cluster);
	}
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
			add_inbound(build, inbound, address, build_blackhole(build));
			continue;
		}
		to->cluster = application_cluster(build, to, all, count);
		add_inbound(build, inbound, address, to->cluster);
		build_static_cluster(build, to->cluster, to->address, to->port,
				     version_of(inbound), settings_of(build, inbound));
		count++;
	}
}
