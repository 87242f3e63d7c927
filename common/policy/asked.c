#include "policy/asked.h"

#include "policy/traffic.h"

#include <stdlib.h>
#include <string.h>

struct asking {
	struct zl_arena *arena;
	const struct resource *route;
	struct asked *items;
	size_t count, room;
};

static void add(struct asking *at, const char *service, struct labels tags,
		uint64_t weight)
{
	tags = labels_without(at->arena, tags, TAG_SERVICE);
	if (tags.count == 0 || weight == 0)
		return;
	if (at->count == at->room) {
		at->room = 2 * at->room + 8;
		at->items = zl_realloc(at->items, at->room, sizeof(*at->items));
	}
	at->items[at->count++] = (struct asked){ service, tags, at->route };
}

static void add_refs(struct asking *at, const struct backend_ref *refs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (refs[i].ref.tags.count > 0)
			add(at, refs[i].ref.name, refs[i].ref.tags, refs[i].weight);
}

static void ask_connections(struct asking *at)
{
	const struct tcp_route_spec *spec = at->route->tcp_route;

	for (size_t i = 0; i < spec->to_count; i++)
		add_refs(at, spec->to[i].refs, spec->to[i].ref_count);
}

static void ask_requests(struct asking *at)
{
	const struct http_route_spec *spec = at->route->http_route;

	for (size_t i = 0; i < spec->to_count; i++)
		for (size_t k = 0; k < spec->to[i].rule_count; k++)
			add_refs(at, spec->to[i].rules[k].refs,
				 spec->to[i].rules[k].ref_count);
}

/* tags without those that mean any value. */
static struct labels without_any(struct zl_arena *arena, struct labels tags)
{
	struct label *items = zl_arena_alloc(arena, tags.count, sizeof(*items));
	size_t kept = 0;

	for (size_t i = 0; i < tags.count; i++)
		if (strcmp(tags.items[i].value, "*") != 0)
			items[kept++] = tags.items[i];
	return (struct labels){ items, kept };
}

/* A * in a split falls away; where it is the service, each destination is meant. */
static void ask_traffic(struct asking *at)
{
	const struct traffic_route_spec *spec = at->route->traffic_route;

	for (size_t i = 0; i < spec->split_count; i++) {
		const struct traffic_split *split = &spec->split[i];
		struct labels tags = without_any(at->arena, split->destination);
		const char *service = labels_get(tags, TAG_SERVICE);

		for (size_t k = 0; service == NULL && k < spec->destination_count; k++)
			add(at, traffic_service(at->route, k), tags, split->weight);
		if (service != NULL)
			add(at, service, tags, split->weight);
	}
}

static int by_service_and_tags(const void *one, const void *other)
{
	const struct asked *a = one;
	const struct asked *b = other;
	int order = strcmp(a->service, b->service);

	if (order == 0)
		order = labels_compare(a->tags, b->tags);
	return order != 0 ? order : key_compare(&a->route->key, &b->route->key);
}

static bool same(const struct asked *a, const struct asked *b)
{
	return strcmp(a->service, b->service) == 0 &&
	       labels_compare(a->tags, b->tags) == 0;
}

const struct asked *asked_by_routes(const struct set *set, const char *mesh,
				    struct zl_arena *arena, size_t *count)
{
	static const struct {
		enum kind kind;
		void (*ask)(struct asking *at);
	} KINDS[] = { { KIND_MESH_TCP_ROUTE, ask_connections },
		      { KIND_MESH_HTTP_ROUTE, ask_requests },
		      { KIND_TRAFFIC_ROUTE, ask_traffic } };
	struct asking at = { .arena = arena };
	size_t kept = 0;

	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
		struct set_iter each = set_each(set, KINDS[i].kind, mesh);

		while ((at.route = set_next(&each)) != NULL)
			KINDS[i].ask(&at);
	}
	if (at.count > 0)
		qsort(at.items, at.count, sizeof(*at.items), by_service_and_tags);
	for (size_t i = 0; i < at.count; i++)
		if (kept == 0 || !same(&at.items[kept - 1], &at.items[i]))
			at.items[kept++] = at.items[i];
	struct asked *asked = zl_arena_memdup(arena, at.items, kept * sizeof(*asked));
	free(at.items);
	*count = kept;
	return asked;
}

const struct asked *asked_of(const struct asked *asked, size_t count, const char *service,
			     size_t *found)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(asked[mid].service, service) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (*found = 0; low + *found < count; ++*found)
		if (strcmp(asked[low + *found].service, service) != 0)
			break;
	return asked + low;
}

bool asked_has_any(const struct asked *asked)
{
	for (size_t i = 0; i < asked->tags.count; i++)
		if (strcmp(asked->tags.items[i].value, "*") == 0)
			return true;
	return false;
}
