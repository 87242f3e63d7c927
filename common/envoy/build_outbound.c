#include "envoy/build_parts.h"

#include "base/addr.h"
#include "inventory/objects.h"

#define TAG_UNIFIED_NAME "kuma.io/unified-name"

/* What people call where an outbound leads to: the service, or the KRI of the port. */
static const char *destination_name(struct build *build,
				    const struct outbound_route *outbound,
				    const char *listener)
{
	if (outbound->destination.object != NULL)
		return object_kri(outbound->destination.object,
				  outbound->destination.section, build->arena);
	return outbound->destination.name[0] != '\0' ? outbound->destination.name
						     : listener;
}

/* The same in access logs, where a real object has its own name. */
static const char *service_name(const struct outbound_route *outbound)
{
	const struct resource *object = outbound->destination.object;
	const char *shown =
		object != NULL ? labels_get(object->labels, LABEL_DISPLAY_NAME) : NULL;

	if (shown != NULL)
		return shown;
	return object != NULL ? object->key.name : outbound->destination.name;
}

static void add_outbound(struct build *build, const struct outbound_route *outbound)
{
	const char *name =
		build_listener_name(build, "outbound", outbound->address, outbound->port);
	const char *called = destination_name(build, outbound, name);
	bool is_object = outbound->destination.object != NULL;
	const struct place place = { .name = name,
				     .address = outbound->address,
				     .port = outbound->port,
				     .direction =
					     ENVOY__LISTENER__TRAFFIC_DIRECTION__OUTBOUND,
				     .tag = is_object ? TAG_UNIFIED_NAME : NULL,
				     .tag_value = called,
				     .tags = outbound->tags };

	const struct stream stream = { .settings = outbound->settings,
				       .destination = service_name(outbound) };

	if (outbound->http) {
		build_http_routes(build, name, called, outbound);
		build_listener(build, &place,
			       build_http_filter(
				       build, name,
				       build_http_manager(build, called, name, &stream)));
		return;
	}
	build_split(build, name, called, &stream, outbound->unresolved,
		    outbound->backends, outbound->backend_count);
	build_listener(build, &place,
		       build_filter_by_name(build->arena, name, TCP_PROXY_URL));
}

void build_outbounds(struct build *build)
{
	for (size_t i = 0; i < build->routes->outbound_count; i++)
		if (zl_is_ip(build->routes->outbounds[i].address))
			add_outbound(build, &build->routes->outbounds[i]);
}
