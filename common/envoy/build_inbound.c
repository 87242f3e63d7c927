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

/* How connections of an inbound are handed to its application. */
struct service {
	const struct inbound_route *inbound;
	const char *name; /* of the listener */
	const char *cluster;
	bool http;
};

static struct stream stream_of(const struct service *service, bool of_mesh)
{
	const char *name = labels_get(service->inbound->inbound->tags, TAG_SERVICE);

	return (struct stream){ .settings = service->inbound->settings,
				.inbound = true,
				.of_mesh = of_mesh,
				.destination = name != NULL ? name : "" };
}

/* By a TcpProxy, the extension name. */
static Envoy__Filter *hand_on(struct build *build, const struct service *service,
			      const char *name, bool of_mesh)
{
	const struct stream stream = stream_of(service, of_mesh);

	build_passage(build, name, service->cluster, &stream, service->cluster);
	return build_filter_by_name(build->arena, name, TCP_PROXY_URL);
}

/* By requests; of plain connections and of those of the mesh alike. */
static Envoy__Filter *hand_on_requests(struct build *build, const struct service *service,
				       bool of_mesh)
{
	const struct stream stream = stream_of(service, of_mesh);

	build_http_passage(build, service->name, service->cluster, &stream,
			   service->cluster);
	return build_http_filter(
		build, service->name,
		build_http_manager(build, service->name, service->name, &stream));
}

/* TLS of the mesh ends here, and only who is permitted comes further. */
static Envoy__FilterChain *mesh_chain(struct build *build, const struct service *service)
{
	Envoy__Filter *filter = service->http
					? hand_on_requests(build, service, true)
					: hand_on(build, service, service->name, true);
	Envoy__FilterChain *chain = build_chain(build->arena, filter);

	chain->filters = pb_list(build->arena, 2);
	chain->filters[0] =
		build_permission(build, service->name, &service->inbound->permission);
	chain->filters[1] = filter;
	chain->n_filters = 2;
	chain->transport_socket =
		build_mesh_server(build, build_gate(build, service->inbound));
	return chain;
}

/* Nobody is asked who he is. */
static Envoy__FilterChain *plain_chain(struct build *build, const struct service *service,
				       const char *name)
{
	return build_chain(build->arena, hand_on(build, service, name, false));
}

/* Plain connections, TLS of applications, which is handed on as it is, and the mesh's. */
static void serve_all(struct build *build, const struct place *place,
		      const struct service *service)
{
	struct zl_arena *arena = build->arena;
	Envoy__Listener *listener = build_listener_new(build, place, 3);
	Envoy__FilterChain **chains = listener->filter_chains;

	chains[2] = mesh_chain(build, service);
	chains[2]->filter_chain_match = match_of(arena, "tls");
	build_match_mesh(arena, chains[2]->filter_chain_match);
	chains[0] =
		service->http
			? build_chain(arena, chains[2]->filters[1])
			: plain_chain(build, service,
				      zl_arena_format(arena, "%s/plain", place->name));
	chains[0]->filter_chain_match = match_of(arena, "raw_buffer");
	chains[1] = plain_chain(build, service,
				zl_arena_format(arena, "%s/tls", place->name));
	chains[1]->filter_chain_match = match_of(arena, "tls");
	listener->n_filter_chains = 3;
	build_tell_denials(build, listener);
	build_look_into_tls(arena, listener);
	/* A client that waits to be spoken to is one without TLS. */
	listener->listener_filters_timeout = pb_new(arena, &envoy__duration__descriptor);
	listener->listener_filters_timeout->seconds = SILENT_S;
	listener->continue_on_listener_filters_timeout = true;
	build_add(build, ENVOY_LISTENER, place->name, &listener->base);
}

static void serve(struct build *build, const struct place *place,
		  const struct service *service)
{
	const struct trust *trust = &build->trust;
	Envoy__Listener *listener;

	if (trust->on && trust->permissive && trust->has_identity) {
		serve_all(build, place, service);
	} else if (trust->on && !trust->permissive) {
		listener = build_listener_new(build, place, 1);
		listener->filter_chains[listener->n_filter_chains++] =
			mesh_chain(build, service);
		build_tell_denials(build, listener);
		build_add(build, ENVOY_LISTENER, place->name, &listener->base);
	} else {
		build_listener(build, place,
			       service->http
				       ? hand_on_requests(build, service, false)
				       : hand_on(build, service, place->name, false));
	}
}

/* The application's cluster stands in what can change without the listener: in the
 * extension, or the route table. */
static void add_inbound(struct build *build, const struct inbound_route *inbound,
			const char *cluster)
{
	uint32_t port = inbound->inbound->port;
	const struct service service = {
		.inbound = inbound,
		.name = build_listener_name(build, "inbound", inbound->address, port),
		.cluster = cluster,
		.http = version_of(inbound->inbound) != HTTP_NONE
	};
	const struct place place = {
		.name = service.name,
		.address = inbound->address,
		.port = port,
		.direction = ENVOY__LISTENER__TRAFFIC_DIRECTION__INBOUND
	};

	/* Who cannot say who it is does not listen, where only such are let in. */
	if (build->trust.on && !build->trust.permissive && !build->trust.has_identity)
		return;
	serve(build, &place, &service);
}

/* What is known of inbound; nobody is permitted where nothing is. */
static struct inbound_route route_of(const struct build *build,
				     const struct inbound *inbound)
{
	const struct routes *routes = build->routes;

	for (size_t i = 0; i < routes->inbound_count; i++)
		if (routes->inbounds[i].inbound == inbound)
			return routes->inbounds[i];
	return (struct inbound_route){ .inbound = inbound };
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
		struct inbound_route route = route_of(build, inbound);

		route.address = address;
		if (inbound->state == INBOUND_IGNORED || !zl_is_ip(address))
			continue;
		*to = application_of(inbound, address);
		if (to->port == inbound->port && strcmp(to->address, address) == 0) {
			/* Still its own listener: each connection would make the next. */
			add_inbound(build, &route, build_blackhole(build));
			continue;
		}
		to->cluster = application_cluster(build, to, all, count);
		add_inbound(build, &route, to->cluster);
		build_static_cluster(build, to->cluster, to->address, to->port,
				     version_of(inbound), route.settings);
		count++;
	}
}
