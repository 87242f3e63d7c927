/* The rules of MeshService and MeshMultiZoneService: kinds-spec 6 and 7. */
#include "model/checks.h"
#include "model/schemas.h"

#include <stdlib.h>
#include <string.h>

/* ---- ports ---- */
static bool is_app_protocol(const char *protocol)
{
	static const char *const KNOWN[] = { "grpc",  "http", "http2", "kafka",
					     "mysql", "tcp",  "tls" };

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (strcmp(KNOWN[i], protocol) == 0)
			return true;
	return false;
}

static void check_target(struct decode *dec, const struct tree *tree,
			 const struct path *at)
{
	const struct tree *target = tree_get(tree, "targetPort");

	check_range(dec, at, tree, "targetPort", 1, 65535, PORT_TEXT_D20);
	if (target != NULL && target->type == TREE_TEXT && target->text[0] == '\0')
		decode_bad(dec, at, "targetPort", target, "must not be empty");
}

void check_service_port(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct service_port *port = made;
	const struct tree *name = tree_get(tree, "name");

	check_target(dec, tree, at);
	if (name != NULL && name->type == TREE_TEXT && name->text[0] == '\0')
		decode_bad(dec, at, "name", name, "must not be empty");
	if (!is_app_protocol(port->protocol))
		decode_bad(dec, at, "appProtocol", tree_get(tree, "appProtocol"),
			   "appProtocol must be one of: grpc, http, http2, kafka, mysql, "
			   "tcp, tls");
}

/* A port beside its place in the list. */
struct numbered {
	const char *section; /* its name, else its number as text */
	uint32_t port;
	bool named;
	size_t index;
};

static int by_number(const void *a, const void *b)
{
	const struct numbered *left = a;
	const struct numbered *right = b;

	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

static int by_section(const void *a, const void *b)
{
	const struct numbered *left = a;
	const struct numbered *right = b;
	int order = strcmp(left->section, right->section);

	return order != 0 ? order
			  : (left->index > right->index) - (left->index < right->index);
}

static void tell_used(struct decode *dec, const struct tree *list, const struct path *at,
		      size_t index, const char *field, size_t first)
{
	struct path here = { .up = at, .index = index };
	struct path there = { .up = at, .index = first };
	struct zl_buf text = { 0 };

	path_text(&there, &text);
	decode_bad(dec, &here, field, list->items[index], "already used by %s",
		   zl_buf_text(&text));
	zl_buf_free(&text);
}

/* The numbers of a list, and its section names, are each there once. */
static void check_ports(struct decode *dec, const struct tree *tree,
			const struct path *at, const struct service_port *ports,
			size_t count)
{
	struct numbered *all = zl_arena_alloc(dec->arena, count, sizeof(*all));
	const struct tree *list = tree_get(tree, "ports");
	struct path here = { .up = at, .name = "ports" };

	for (size_t i = 0; i < count; i++) {
		bool named = ports[i].name[0] != '\0';
		all[i] = (struct numbered){ .section = ports[i].name,
					    .port = ports[i].port,
					    .named = named,
					    .index = i };
		if (!named)
			all[i].section = zl_arena_format(dec->arena, "%u", ports[i].port);
	}
	qsort(all, count, sizeof(*all), by_number);
	for (size_t i = 1, head = 0; i < count; i++) {
		head = all[i].port != all[head].port ? i : head;
		if (i != head && all[i].port != 0) /* 0: told already */
			tell_used(dec, list, &here, all[i].index, "port",
				  all[head].index);
	}
	qsort(all, count, sizeof(*all), by_section);
	for (size_t i = 1, head = 0; i < count; i++) {
		head = strcmp(all[i].section, all[head].section) != 0 ? i : head;
		/* Equal numbers without names are told above. */
		if (i != head && (all[i].named || all[head].named))
			tell_used(dec, list, &here, all[i].index, "name",
				  all[head].index);
	}
}

/* ---- MeshService ---- */
void check_service_selector(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	const struct mesh_service_spec *spec = made;
	const struct tree *ref = tree_get(tree, "dataplaneRef");
	const struct tree *name = tree_get(ref, "name");
	struct path ref_at = { .up = at, .name = "dataplaneRef" };

	if (name != NULL && name->type == TREE_TEXT && name->text[0] == '\0')
		decode_bad(dec, &ref_at, "name", name, "must not be empty");
	if (spec->by_tags && ref != NULL)
		decode_bad(dec, at, NULL, tree,
			   "selector must have only one type defined: dataplaneTags, "
			   "dataplaneRef");
}

void check_service(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made)
{
	const struct mesh_service_spec *spec = made;
	const struct tree *selector = tree_get(tree, "selector");
	const struct tree *ports = tree_get(tree, "ports");

	check_ports(dec, tree, at, spec->ports, spec->port_count);
	if (!spec->by_tags && tree_get(selector, "dataplaneRef") == NULL)
		decode_warn(dec, at, "selector", selector != NULL ? selector : tree,
			    "without dataplaneTags or dataplaneRef no inbound serves it");
	if (spec->port_count == 0)
		decode_warn(dec, at, "ports", ports != NULL ? ports : tree,
			    "without ports there is nothing that a client can name");
}

/* ---- MeshMultiZoneService ---- */
void check_multi_zone(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made)
{
	const struct multi_zone_spec *spec = made;
	const struct tree *selector = tree_get(tree, "selector");
	const struct tree *service = tree_get(selector, "meshService");
	const struct tree *ports = tree_get(tree, "ports");
	struct path selector_at = { .up = at, .name = "selector" };
	struct path service_at = { .up = &selector_at, .name = "meshService" };
	bool mistyped = is_mistyped(tree, "selector", TREE_MAP) ||
			is_mistyped(selector, "meshService", TREE_MAP) ||
			is_mistyped(service, "matchLabels", TREE_MAP);

	if (spec->match.count == 0 && !mistyped)
		decode_bad(dec, &service_at, "matchLabels",
			   service != NULL ? service : tree, "cannot be empty");
	if (spec->port_count == 0 && !is_mistyped(tree, "ports", TREE_LIST))
		decode_bad(dec, at, "ports", ports != NULL ? ports : tree,
			   "cannot be empty");
	check_ports(dec, tree, at, spec->ports, spec->port_count);
}
