/* The rules of Dataplane: kinds-spec 2. */
#include "model/checks.h"
#include "model/schemas.h"

#include "base/addr.h"

#include <stdlib.h>
#include <string.h>

/* ---- parts ---- */
static void check_ip(struct decode *dec, const struct tree *tree, const struct path *at,
		     const char *field)
{
	const struct tree *value = tree_get(tree, field);

	if (value != NULL && value->type == TREE_TEXT && value->text[0] != '\0' &&
	    !zl_is_ip(value->text))
		decode_bad(dec, at, field, value, "%s has to be valid IP address", field);
}

void check_inbound(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made)
{
	const struct inbound *inbound = made;

	check_ip(dec, tree, at, "address");
	check_ip(dec, tree, at, "serviceAddress");
	check_has_service(dec, tree, at, inbound->tags, true);
	check_service_tags(dec, tree, inbound->tags, at);
}

void check_outbound_ref(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct target_ref *ref = made;
	const struct tree *kind = tree_get(tree, "kind");
	bool external = ref->kind == REF_MESH_EXTERNAL_SERVICE;
	bool known = external || ref->kind == REF_MESH_SERVICE ||
		     ref->kind == REF_MESH_MULTI_ZONE_SERVICE;
	bool mistyped = is_mistyped(tree, "name", TREE_TEXT) ||
			is_mistyped(tree, "labels", TREE_MAP);

	if (!known && (kind == NULL || kind->type == TREE_TEXT))
		decode_bad(dec, at, "kind", kind != NULL ? kind : tree,
			   "invalid value. Available values are: "
			   "MeshExternalService,MeshMultiZoneService,MeshService");
	if (ref->name[0] == '\0' && ref->labels.count == 0 && !mistyped)
		decode_bad(dec, at, NULL, tree,
			   "either 'name' or 'labels' should be specified");
	if (tree_get(tree, "port") == NULL && known && !external)
		decode_bad(dec, at, "port", tree, PORT_TEXT);
	check_range(dec, at, tree, "port", 1, 65535, PORT_TEXT);
}

void check_outbound(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	const struct outbound *outbound = made;

	check_ip(dec, tree, at, "address");
	if (outbound->has_backend && tree_get(tree, "tags") != NULL &&
	    outbound->tags.count > 0)
		decode_bad(dec, at, "backendRef", tree_get(tree, "backendRef"),
			   "both backendRef and tags/service cannot be defined");
	if (outbound->has_backend)
		return;
	check_has_service(dec, tree, at, outbound->tags, false);
	struct path list = { .up = at, .name = "tags" };
	check_tags(dec, tree_get(tree, "tags"), outbound->tags, &list, TAGS_EXACT);
}

void check_gateway(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made)
{
	const struct dataplane_spec *spec = made;
	const char *protocol = labels_get(spec->gateway_tags, TAG_PROTOCOL);
	struct path list = { .up = at, .name = "tags" };
	struct path tag = { .up = &list, .name = TAG_PROTOCOL, .is_key = true };

	check_has_service(dec, tree, at, spec->gateway_tags, true);
	check_service_tags(dec, tree, spec->gateway_tags, at);
	if (protocol != NULL && protocol_is_known(protocol) &&
	    strcmp(protocol, "tcp") != 0)
		decode_bad(dec, &tag, NULL, tree_get(tree, "tags"),
			   "other values than tcp are not allowed, provided value \"%s\"",
			   protocol);
}

/* ---- the whole ---- */
static void check_addresses(struct decode *dec, const struct tree *tree,
			    const struct path *at, const struct dataplane_spec *spec)
{
	const struct tree *advertised = tree_get(tree, "advertisedAddress");
	const char *fault = address_fault(spec->address);

	if (fault != NULL && !is_mistyped(tree, "address", TREE_TEXT))
		decode_bad(dec, at, "address",
			   tree_get(tree, "address") != NULL ? tree_get(tree, "address")
							     : tree,
			   "%s", fault);
	fault = advertised != NULL ? address_fault(spec->advertised) : NULL;
	if (fault != NULL && advertised->type == TREE_TEXT)
		decode_bad(dec, at, "advertisedAddress", advertised, "%s", fault);
}

struct listener {
	const char *address;
	uint32_t port;
	const char *list;
	size_t index;
};

static struct listener listener_at(const struct dataplane_spec *spec, size_t i)
{
	if (i >= spec->inbound_count) {
		const struct outbound *outbound =
			&spec->outbounds[i - spec->inbound_count];
		return (struct listener){ outbound->address, outbound->port, "outbound",
					  i - spec->inbound_count };
	}
	const struct inbound *inbound = &spec->inbounds[i];
	const char *address =
		inbound->address[0] != '\0' ? inbound->address : spec->address;
	/* An ignored inbound has no listener; no listener has port 0. */
	uint32_t port = inbound->state == INBOUND_IGNORED ? 0 : inbound->port;
	return (struct listener){ address, port, "inbound", i };
}

/* Orders by place, equal places by their order in the document. */
static int by_place(const void *a, const void *b)
{
	const struct listener *left = a;
	const struct listener *right = b;

	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	int order = strcmp(left->address, right->address);
	if (order == 0)
		order = strcmp(left->list, right->list);
	if (order == 0)
		order = (left->index > right->index) - (left->index < right->index);
	return order;
}

/* K16: the second of two listeners at one address and port is refused. */
static void check_collisions(struct decode *dec, const struct tree *tree,
			     const struct path *at, const struct dataplane_spec *spec)
{
	size_t count = spec->inbound_count + spec->outbound_count;
	struct listener *all = zl_arena_alloc(dec->arena, count, sizeof(*all));
	struct path first_list = { .up = at };
	struct path first = { .up = &first_list };
	struct path second_list = { .up = at };
	struct path second = { .up = &second_list };

	for (size_t i = 0; i < count; i++)
		all[i] = listener_at(spec, i);
	qsort(all, count, sizeof(*all), by_place);
	for (size_t i = 1, head = 0; i < count; i++) {
		if (all[i].port != all[head].port ||
		    strcmp(all[i].address, all[head].address) != 0)
			head = i;
		if (i == head || all[i].port == 0)
			continue;
		struct zl_buf text = { 0 };
		first_list.name = all[head].list;
		first.index = all[head].index;
		second_list.name = all[i].list;
		second.index = all[i].index;
		path_text(&first, &text);
		decode_bad(dec, &second, NULL,
			   tree_get(tree, second_list.name)->items[second.index],
			   "address and port are already used by %s", zl_buf_text(&text));
		zl_buf_free(&text);
	}
}

static bool is_loopback(const char *address)
{
	return strcmp(address, "127.0.0.1") == 0 || strcmp(address, "0.0.0.0") == 0;
}

static void check_admin(struct decode *dec, const struct tree *tree,
			const struct path *at, const struct dataplane_spec *spec)
{
	const struct tree *admin = tree_get(tree, "admin");
	struct path here = { .up = at, .name = "admin" };

	for (size_t i = 0; spec->admin_port != 0 && i < spec->inbound_count; i++) {
		struct listener listener = listener_at(spec, i);
		const struct inbound *inbound = &spec->inbounds[i];
		bool app = inbound->service_port == spec->admin_port &&
			   is_loopback(inbound->service_address);
		if (app ||
		    (listener.port == spec->admin_port && is_loopback(listener.address)))
			decode_bad(dec, &here, "port", admin, "must differ from inbound");
	}
	for (size_t i = 0; spec->admin_port != 0 && i < spec->outbound_count; i++)
		if (spec->outbounds[i].port == spec->admin_port &&
		    is_loopback(spec->outbounds[i].address))
			decode_bad(dec, &here, "port", admin,
				   "must differ from outbound");
}

/* The application must not be the listener itself. */
static void check_application(struct decode *dec, const struct tree *tree,
			      const struct path *at, const struct dataplane_spec *spec)
{
	struct path list = { .up = at, .name = "inbound" };

	for (size_t i = 0; i < spec->inbound_count; i++) {
		const struct inbound *inbound = &spec->inbounds[i];
		struct listener listener = listener_at(spec, i);
		uint32_t port = inbound->service_port != 0 ? inbound->service_port
							   : inbound->port;
		struct path here = { .up = &list, .index = i };
		if (inbound->service_address[0] != '\0' && port == listener.port &&
		    strcmp(inbound->service_address, listener.address) == 0)
			decode_bad(dec, &here, "serviceAddress",
				   tree_get(tree, "inbound")->items[i],
				   "serviceAddress and servicePort has to differ from "
				   "address and port");
	}
}

static void check_gateway_lists(struct decode *dec, const struct tree *tree,
				const struct path *at, const struct dataplane_spec *spec)
{
	bool builtin = spec->gateway == GATEWAY_BUILTIN;

	if (spec->gateway != GATEWAY_NONE && spec->inbound_count > 0)
		decode_bad(dec, at, "inbound", tree_get(tree, "inbound"),
			   "inbound cannot be defined for %s gateways",
			   builtin ? "builtin" : "delegated");
	if (builtin && spec->outbound_count > 0)
		decode_bad(dec, at, "outbound", tree_get(tree, "outbound"),
			   "outbound cannot be defined for builtin gateways");
}

void check_dataplane(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	const struct dataplane_spec *spec = made;

	check_addresses(dec, tree, at, spec);
	check_application(dec, tree, at, spec);
	check_collisions(dec, tree, at, spec);
	check_admin(dec, tree, at, spec);
	check_gateway_lists(dec, tree, at, spec);
}
