#include "policy/trust.h"

#include "inventory/objects.h"

#include <stdlib.h>
#include <string.h>

/* Stands among the tags of a server name; a tag of that key does not. */
#define KEY_MESH "mesh"

enum {
	PART_MAX = 63,         /* of a label of a server name */
	OBJECT_NAME_MAX = 253, /* of one that is made of labels */
	TAG_NAME_MAX = 255,    /* what Envoy takes */
};

/* ---- who a proxy is ---- */

struct uris {
	const struct resolving *at;
	const char **items;
	size_t count, room;
};

static void add_uri(struct uris *uris, const char *text)
{
	uris->items = zl_arena_more(uris->at->arena, uris->items, uris->count,
				    &uris->room, sizeof(*uris->items));
	uris->items[uris->count++] = text;
}

static void add_tags(struct uris *uris, struct labels tags)
{
	struct zl_arena *arena = uris->at->arena;
	const char *service = labels_get(tags, TAG_SERVICE);

	/* Only what a newer version stored may be without. */
	if (service != NULL)
		add_uri(uris, zl_arena_format(arena, "spiffe://%s/%s",
					      uris->at->mesh_name, service));
	tags = labels_with(arena, tags, TAG_ZONE, uris->at->zone);
	for (size_t i = 0; i < tags.count; i++)
		add_uri(uris, zl_arena_format(arena, "kuma://%s/%s", tags.items[i].key,
					      tags.items[i].value));
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

void trust_identify(const struct resolving *at, struct routes *routes)
{
	const struct dataplane_spec *spec = routes->proxy->dataplane;
	struct uris uris = { .at = at };
	size_t kept = 0;

	if (mesh_signer(at->mesh) == NULL)
		return;
	/* Ignored ones too: the service stays in the certificate. */
	for (size_t i = 0; i < spec->inbound_count; i++)
		add_tags(&uris, spec->inbounds[i].tags);
	if (spec->gateway != GATEWAY_NONE)
		add_tags(&uris, spec->gateway_tags);
	if (uris.count == 0) /* K6 */
		add_uri(&uris, zl_arena_format(at->arena, "spiffe://%s/proxy/%s",
					       at->mesh_name, routes->proxy->key.name));
	qsort(uris.items, uris.count, sizeof(*uris.items), by_text);
	for (size_t i = 1; i < uris.count; i++)
		if (strcmp(uris.items[kept], uris.items[i]) != 0)
			uris.items[++kept] = uris.items[i];
	routes->uris = uris.items;
	routes->uri_count = kept + 1;
}

/* ---- by which name a target is asked for ---- */

/* A server name in the making; len goes on counting what does not fit. */
struct asking {
	char text[TAG_NAME_MAX];
	size_t len;
	const char *before; /* stands before the next tag */
};

static void put(struct asking *name, const char *text)
{
	size_t len = strlen(text);

	if (name->len + len <= TAG_NAME_MAX)
		memcpy(name->text + name->len, text, len);
	name->len += len;
}

static void put_tag(struct asking *name, const char *key, const char *value)
{
	put(name, name->before);
	put(name, key);
	put(name, "=");
	put(name, value);
	name->before = ",";
}

const char *trust_service_name(const char *mesh, const char *service, struct labels tags,
			       struct zl_arena *arena)
{
	struct asking name = { .before = "{" };
	size_t i = 0;

	put(&name, service);
	for (; i < tags.count && strcmp(tags.items[i].key, KEY_MESH) < 0; i++)
		put_tag(&name, tags.items[i].key, tags.items[i].value);
	put_tag(&name, KEY_MESH, mesh);
	for (; i < tags.count; i++)
		if (strcmp(tags.items[i].key, KEY_MESH) != 0)
			put_tag(&name, tags.items[i].key, tags.items[i].value);
	put(&name, "}");
	return name.len <= TAG_NAME_MAX ? zl_arena_strndup(arena, name.text, name.len)
					: NULL;
}

/* Lower-case letters, digits and '-', neither first nor last. */
static bool is_part(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= PART_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
	       text[0] != '-' && text[len - 1] != '-';
}

const char *trust_object_name(const struct resource *object, const char *section,
			      struct zl_arena *arena)
{
	const struct key *key = &object->key;
	bool zone = key->zone[0] != '\0';
	bool ns = zone && key->ns[0] != '\0';
	const char *name;

	if (!is_part(key->mesh) || !is_part(key->name) || !is_part(section) ||
	    (zone && !is_part(key->zone)) || (ns && !is_part(key->ns)))
		return NULL;
	name = zl_arena_format(arena, "sni.%s.%s%s%s%s%s.%s.%s",
			       kind_info(key->kind)->shorthand, key->mesh,
			       zone ? "." : "", key->zone, ns ? "." : "",
			       ns ? key->ns : "", key->name, section);
	return strlen(name) <= OBJECT_NAME_MAX ? name : NULL;
}

/* ---- who may answer ---- */

static struct expected_name *names_new(const struct resolving *at, size_t most)
{
	return zl_arena_alloc(at->arena, most, sizeof(struct expected_name));
}

static const char *identity_text(const struct resolving *at,
				 const struct service_identity *from)
{
	return from->spiffe ? from->value
			    : zl_arena_format(at->arena, "spiffe://%s/%s", at->mesh_name,
					      from->value);
}

static int by_value(const void *a, const void *b)
{
	const struct expected_name *x = a;
	const struct expected_name *y = b;

	return strcmp(x->value, y->value);
}

/* Those of the MeshServices behind an object; while none is known, all of the mesh. */
static void object_names(const struct resolving *at, struct backend *backend)
{
	const struct resource *const *members = &backend->object;
	size_t count = 1;
	size_t most = 1;
	size_t kept = 0;

	if (backend->object->key.kind == KIND_MESH_MULTI_ZONE_SERVICE)
		members =
			object_members(at->inventory, backend->object, at->arena, &count);
	for (size_t i = 0; i < count; i++)
		most += members[i]->mesh_service->identity_count;
	struct expected_name *names = names_new(at, most);
	most = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < members[i]->mesh_service->identity_count; k++)
			names[most++].value = identity_text(
				at, &members[i]->mesh_service->identities[k]);
	if (most == 0)
		names[most++] = (struct expected_name){
			.prefix = true,
			.value = zl_arena_format(at->arena, "spiffe://%s/", at->mesh_name)
		};
	qsort(names, most, sizeof(*names), by_value);
	for (size_t i = 1; i < most; i++)
		if (by_value(&names[kept], &names[i]) != 0)
			names[++kept] = names[i];
	backend->names = names;
	backend->name_count = kept + 1;
}

const char *trust_egress(const char *mesh, struct zl_arena *arena)
{
	return zl_arena_format(arena, "spiffe://%s/zone-egress", mesh);
}

static void set_name(const struct resolving *at, struct backend *backend,
		     const char *value)
{
	struct expected_name *name = names_new(at, 1);

	name->value = value;
	backend->names = name;
	backend->name_count = 1;
}

/* ---- whether they are asked at all ---- */

/* In a mesh that lets plain connections in, one instance without a certificate yet makes
 * all connections to its service plain. */
static bool may_be_plain(const struct resolving *at, const struct service *service)
{
	for (size_t i = 0; service != NULL && i < service->local_count; i++) {
		const struct local *local = &service->locals[i];
		if (local->ready && at->has_identity != NULL &&
		    !at->has_identity(at->owner, local->dataplane))
			return true;
	}
	return false;
}

/* Keep what is in this zone, in the first priority: ingresses and egresses take no plain
 * connections, and nobody between zones is to read along. False: there is nothing, and
 * backend stays as it is. */
static bool keep_near(struct resolving *at, struct backend *backend)
{
	struct endpoint *items =
		zl_arena_alloc(at->arena, backend->endpoint_count, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < backend->endpoint_count; i++)
		if (backend->endpoints[i].via == VIA_DIRECT)
			items[count++] = backend->endpoints[i];
	if (count == 0)
		return false;
	backend->endpoints = items;
	backend->endpoint_count = count;
	return true;
}

bool trust_secure(struct resolving *at, struct backend *backend,
		  const struct service *service)
{
	const struct mesh_backend *signs = mesh_signer(at->mesh);

	if (signs == NULL ||
	    (signs->permissive && may_be_plain(at, service) && keep_near(at, backend)))
		return true;
	backend->sni =
		backend->object != NULL
			? trust_object_name(backend->object, backend->section, at->arena)
			: trust_service_name(at->mesh_name, backend->name, backend->tags,
					     at->arena);
	if (backend->sni == NULL)
		return false;
	if (backend->relayed)
		set_name(at, backend, trust_egress(at->mesh_name, at->arena));
	else if (backend->object != NULL)
		object_names(at, backend);
	else
		set_name(at, backend,
			 zl_arena_format(at->arena, "spiffe://%s/%s", at->mesh_name,
					 backend->name));
	return true;
}
