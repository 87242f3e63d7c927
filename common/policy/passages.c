#include "policy/passages.h"

#include "policy/index.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What one Envoy is made to hold: some hundred bytes a server name. */
enum { PASSAGES_MAX = 16384 };

struct backend *passage_to_service(const char *mesh, const struct service *service,
				   struct labels tags, struct zl_arena *arena)
{
	struct backend *backend = zl_arena_alloc(arena, 1, sizeof(*backend));

	*backend = (struct backend){
		.kind = tags.count > 0 ? REF_MESH_SERVICE_SUBSET : REF_MESH_SERVICE,
		.name = service->name,
		.ns = "",
		.tags = tags,
		.weight = 1,
		.resolved = true,
		.reason = "",
		.section = "",
		.cluster =
			zl_arena_format(arena, "%s:%s", mesh,
					policy_cluster_name(service->name, tags, arena)),
		.protocol = service->protocol,
	};
	return backend;
}

static enum ref_kind ref_to(enum kind kind)
{
	if (kind == KIND_MESH_SERVICE)
		return REF_MESH_SERVICE;
	return kind == KIND_MESH_EXTERNAL_SERVICE ? REF_MESH_EXTERNAL_SERVICE
						  : REF_MESH_MULTI_ZONE_SERVICE;
}

struct backend *passage_to_object(const struct resource *object,
				  const struct object_port *port, struct zl_arena *arena)
{
	struct backend *backend = zl_arena_alloc(arena, 1, sizeof(*backend));

	*backend = (struct backend){
		.kind = ref_to(object->key.kind),
		.name = object->key.name,
		.ns = object->key.ns,
		.weight = 1,
		.resolved = true,
		.reason = "",
		.object = object,
		.section = port->section,
		.port = port->port,
		.cluster = object_kri(object, port->section, arena),
		.protocol = port->protocol,
	};
	return backend;
}

void passages_add(struct passages *to, const struct passage *passage, size_t rank)
{
	if (to->count == to->room) {
		to->room = to->room == 0 ? 256 : 2 * to->room;
		to->items = zl_realloc(to->items, to->room, sizeof(*to->items));
	}
	to->items[to->count++] = (struct ranked){ *passage, rank };
}

static int by_sni(const void *one, const void *other)
{
	const struct ranked *a = one;
	const struct ranked *b = other;
	int order = strcmp(a->passage.sni, b->passage.sni);

	return order != 0 ? order : (a->rank > b->rank) - (a->rank < b->rank);
}

/* As Envoy compares them, the most wanted of equal ones first. */
static int by_folded_name(const void *one, const void *other)
{
	const struct ranked *a = one;
	const struct ranked *b = other;
	int order = strcasecmp(a->passage.sni, b->passage.sni);

	if (order == 0)
		order = (a->rank > b->rank) - (a->rank < b->rank);
	return order != 0 ? order : strcmp(a->passage.sni, b->passage.sni);
}

static int by_rank(const void *one, const void *other)
{
	const struct ranked *a = one;
	const struct ranked *b = other;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return by_folded_name(one, other);
}

static void drop_doubles(struct passages *to)
{
	size_t kept = 0;

	for (size_t i = 0; i < to->count; i++)
		if (kept == 0 || strcmp(to->items[kept - 1].passage.sni,
					to->items[i].passage.sni) != 0)
			to->items[kept++] = to->items[i];
	to->count = kept;
}

static bool has_capitals(const struct passages *passages)
{
	for (size_t i = 0; i < passages->count; i++)
		for (const char *c = passages->items[i].passage.sni; *c != '\0'; c++)
			if (isupper((unsigned char)*c))
				return true;
	return false;
}

/* Two names that Envoy takes for one make it refuse the whole listener. */
static void drop_alike(struct passages *to, struct resolving *at)
{
	size_t kept = 0;

	qsort(to->items, to->count, sizeof(*to->items), by_folded_name);
	for (size_t i = 0; i < to->count; i++) {
		const char *sni = to->items[i].passage.sni;
		const char *last = kept == 0 ? "" : to->items[kept - 1].passage.sni;

		if (strcasecmp(last, sni) != 0)
			to->items[kept++] = to->items[i];
		else
			resolving_warn(at,
				       zl_arena_format(at->arena,
						       "server names \"%s\" and \"%s\" "
						       "differ in case only, which Envoy "
						       "does not tell apart: the second "
						       "is not served",
						       last, sni));
	}
	to->count = kept;
}

static void drop_too_many(struct passages *to, struct resolving *at)
{
	qsort(to->items, to->count, sizeof(*to->items), by_rank);
	resolving_warn(at,
		       zl_arena_format(at->arena,
				       "there are %zu server names to serve, which is "
				       "too many for one proxy: %zu of them, for the "
				       "subsets of the most tags, are not served",
				       to->count, to->count - PASSAGES_MAX));
	to->count = PASSAGES_MAX;
}

static void sort(struct passages *to)
{
	if (to->count > 1)
		qsort(to->items, to->count, sizeof(*to->items), by_sni);
}

void passages_end(struct passages *to, struct resolving *at, struct zone_routes *routes)
{
	struct passage *passages;

	sort(to);
	drop_doubles(to);
	if (has_capitals(to)) {
		drop_alike(to, at);
		sort(to);
	}
	if (to->count > PASSAGES_MAX) {
		drop_too_many(to, at);
		sort(to);
	}
	passages = zl_arena_alloc(at->arena, to->count, sizeof(*passages));
	for (size_t i = 0; i < to->count; i++)
		passages[i] = to->items[i].passage;
	free(to->items);
	routes->passages = passages;
	routes->passage_count = to->count;
	routes->warning_count = texts_sort(at->warnings, at->warning_count);
	routes->warnings = at->warnings;
}
