#include "inventory/objects.h"

#include "inventory/block.h"
#include "inventory/lookup.h"

#include "model/tree.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_MANAGED_BY "kuma.io/managed-by"
#define GENERATOR "meshservice-generator"

struct deriving {
	const char *zone;
	const struct service *service;
	struct zl_arena *arena;
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};

static void warn(const struct deriving *at, const char *text)
{
	if (at->warn != NULL)
		at->warn(at->ctx, text);
}

/* ---- ports ---- */

struct port {
	uint32_t number;
	const char *name, *protocol;
};

/* By port, then by name of the Dataplane, then as that lists them. */
static int by_port(const void *one, const void *other)
{
	const struct local *const *a = one;
	const struct local *const *b = other;

	if ((*a)->port != (*b)->port)
		return (*a)->port < (*b)->port ? -1 : 1;
	int order = strcmp((*a)->dataplane->key.name, (*b)->dataplane->key.name);
	if (order == 0)
		order = key_compare(&(*a)->dataplane->key, &(*b)->dataplane->key);
	if (order == 0) /* in one array */
		order = ((*a)->inbound > (*b)->inbound) - ((*a)->inbound < (*b)->inbound);
	return order;
}

/* A name of digits would pass for the number of another port. */
static const char *name_of(const struct inbound *in, struct zl_arena *arena)
{
	size_t digits = strspn(in->name, "0123456789");

	return in->name[digits] != '\0' ? in->name
					: zl_arena_format(arena, "%u", in->port);
}

/* As a MeshService says it. */
static const char *protocol_of(const struct inbound *in)
{
	const char *tag = labels_get(in->tags, TAG_PROTOCOL);
	const char *known = protocol_common(tag, tag);

	return strcmp(known, "unknown") != 0 ? known : "tcp";
}

/* The port of rows that have one number. */
static struct port join(const struct deriving *at, const struct local *const *rows,
			size_t count)
{
	struct port port = { .number = rows[0]->port,
			     .name = name_of(rows[0]->inbound, at->arena),
			     .protocol = protocol_of(rows[0]->inbound) };
	bool other_names = false;
	bool other_protocols = false;

	for (size_t i = 1; i < count; i++) {
		const char *protocol = protocol_of(rows[i]->inbound);
		const char *common = protocol_common(port.protocol, protocol);

		other_names = other_names || strcmp(name_of(rows[i]->inbound, at->arena),
						    port.name) != 0;
		other_protocols = other_protocols || strcmp(protocol, port.protocol) != 0;
		port.protocol = strcmp(common, "unknown") != 0 ? common : "tcp";
	}
	if (other_names || other_protocols)
		warn(at,
		     zl_arena_format(at->arena,
				     "mesh \"%s\": MeshService \"%s\": the Dataplanes "
				     "of port %u differ in its %s: it is %s, %s",
				     at->service->mesh, at->service->name, port.number,
				     other_names && other_protocols ? "name and protocol"
				     : other_names                  ? "name"
								    : "protocol",
				     port.name, port.protocol));
	return port;
}

/* Two ports of one name are told apart by their numbers. */
static void tell_apart(const struct deriving *at, struct port *ports, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++) {
			if (strcmp(ports[i].name, ports[j].name) != 0)
				continue;
			warn(at, zl_arena_format(at->arena,
						 "mesh \"%s\": MeshService \"%s\": ports "
						 "%u and %u are both called %s: the "
						 "second is called by its number",
						 at->service->mesh, at->service->name,
						 ports[j].number, ports[i].number,
						 ports[i].name));
			ports[i].name = zl_arena_format(at->arena, "%u", ports[i].number);
			break;
		}
}

static struct port *ports_of(const struct deriving *at, size_t *count)
{
	const struct service *service = at->service;
	const struct local **rows =
		zl_arena_alloc(at->arena, service->local_count, sizeof(*rows));
	struct port *ports =
		zl_arena_alloc(at->arena, service->local_count, sizeof(*ports));

	for (size_t i = 0; i < service->local_count; i++)
		rows[i] = &service->locals[i];
	qsort(rows, service->local_count, sizeof(*rows), by_port);
	*count = 0;
	for (size_t i = 0, end = 0; i < service->local_count; i = end) {
		while (end < service->local_count && rows[end]->port == rows[i]->port)
			end++;
		ports[(*count)++] = join(at, rows + i, end - i);
	}
	tell_apart(at, ports, *count);
	return ports;
}

/* ---- the object ---- */

static struct tree *labels_tree(const struct deriving *at)
{
	struct zl_arena *arena = at->arena;
	struct tree *labels = tree_map(arena);
	const struct label items[] = { { LABEL_DISPLAY_NAME, at->service->name },
				       { LABEL_ENV, "universal" },
				       { LABEL_MANAGED_BY, GENERATOR },
				       { LABEL_MESH, at->service->mesh },
				       { LABEL_ORIGIN, "zone" },
				       { LABEL_ZONE, at->zone } };

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		tree_set(arena, labels, items[i].key, tree_text(arena, items[i].value));
	return labels;
}

static struct tree *spec_tree(const struct deriving *at)
{
	struct zl_arena *arena = at->arena;
	struct tree *spec = tree_map(arena);
	struct tree *selector = tree_map(arena);
	struct tree *tags = tree_map(arena);
	struct tree *list = tree_list(arena);
	size_t count;
	const struct port *ports = ports_of(at, &count);

	for (size_t i = 0; i < count; i++) {
		struct tree *port = tree_map(arena);

		tree_set(arena, port, "appProtocol", tree_text(arena, ports[i].protocol));
		tree_set(arena, port, "name", tree_text(arena, ports[i].name));
		tree_set(arena, port, "port", tree_int(arena, ports[i].number));
		tree_set(arena, port, "targetPort", tree_int(arena, ports[i].number));
		tree_push(arena, list, port);
	}
	tree_set(arena, tags, TAG_SERVICE, tree_text(arena, at->service->name));
	tree_set(arena, selector, "dataplaneTags", tags);
	tree_set(arena, spec, "ports", list);
	tree_set(arena, spec, "selector", selector);
	return spec;
}

/* NULL: a name that no object may have. */
static struct resource *make(const struct deriving *at)
{
	static const struct resource_rules RULES = { .writer = WRITER_ANY, .zone = "" };
	struct zl_arena *arena = at->arena;
	struct tree *doc = tree_map(arena);
	struct findings found = findings_in(arena);

	tree_set(arena, doc, "type", tree_text(arena, "MeshService"));
	tree_set(arena, doc, "name", tree_text(arena, at->service->name));
	tree_set(arena, doc, "mesh", tree_text(arena, at->service->mesh));
	tree_set(arena, doc, "labels", labels_tree(at));
	tree_set(arena, doc, "spec", spec_tree(at));
	struct resource *made = resource_from_doc(doc, &RULES, &found);
	if (made == NULL)
		warn(at, zl_arena_format(arena,
					 "mesh \"%s\": no MeshService is derived of "
					 "service \"%s\": %s: %s",
					 at->service->mesh, at->service->name,
					 found.violations[0].field,
					 found.violations[0].reason));
	return made;
}

/* ---- which services ---- */

bool object_is_derived(const struct resource *object)
{
	const char *by = labels_get(object->labels, LABEL_MANAGED_BY);

	return by != NULL && strcmp(by, GENERATOR) == 0;
}

/* True if the zone has a MeshService of the service's name that people wrote. */
static bool is_written(const struct inventory *inventory, const struct service *service,
		       struct zl_arena *arena)
{
	const struct label name = { LABEL_DISPLAY_NAME, service->name };
	size_t count;
	const struct resource **found =
		lookup_objects(inventory, KIND_MESH_SERVICE, service->mesh,
			       (struct labels){ &name, 1 }, arena, &count);

	for (size_t i = 0; i < count; i++)
		if (object_is_local(inventory, found[i]) && !object_is_derived(found[i]))
			return true;
	return false;
}

struct resource *object_derive(const struct inventory *inventory,
			       const struct service *service, struct zl_arena *arena,
			       void (*tell)(void *ctx, const char *text), void *ctx)
{
	const struct mesh_spec *mesh = set_mesh(inventory_set(inventory), service->mesh);
	const struct deriving at = { inventory_zone(inventory), service, arena, tell,
				     ctx };

	if (mesh->services == MESH_SERVICES_DISABLED || service->local_count == 0 ||
	    is_written(inventory, service, arena))
		return NULL;
	return make(&at);
}

struct resource **objects_derive(const struct set *set, const char *zone,
				 const char *mesh, struct zl_arena *arena, size_t *count,
				 void (*tell)(void *ctx, const char *text), void *ctx)
{
	struct inventory *inventory = inventory_build(set, zone);
	size_t services = inventory_count(inventory);
	struct resource **made = zl_arena_alloc(arena, services, sizeof(*made));

	*count = 0;
	for (size_t i = 0; i < services; i++) {
		const struct service *service = inventory_at(inventory, i);
		struct resource *one = NULL;

		if (strcmp(service->mesh, mesh) == 0)
			one = object_derive(inventory, service, arena, tell, ctx);
		if (one != NULL)
			made[(*count)++] = one;
	}
	inventory_drop(&inventory);
	return made;
}
