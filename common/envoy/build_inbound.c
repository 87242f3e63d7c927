#include "envoy/build_parts.h"

#include "base/addr.h"

#include <string.h>

#define OWN_HOST "127.0.0.1"

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

	if (version_of(inbound) == HTTP_NONE) {
		build_passage(build, name, cluster, cluster);
		build_listener(build, &place, build_filter_by_name(build->arena, name));
	} else {
		build_http_passage(build, name, cluster, cluster);
		build_listener(build, &place, build_http_filter(build, name, name));
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
				     version_of(inbound));
		count++;
	}
}
