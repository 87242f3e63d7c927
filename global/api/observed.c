/* How all zones' proxies share their connections: the sums of what zones report. */
#include "global/api/inside.h"
#include "model/tree.h"

#include <math.h>
#include <string.h>

enum { SPLITS_MAX = 10000 };

struct sum {
	struct sync_observed split;
	struct sync_backend *backends; /* of split */
	unsigned zones;
};

struct sums {
	struct zl_arena *arena;
	const char *mesh;
	struct sum *list;
	size_t count, room;
};

/* Of one route and destination, with the same weights: only then they may be added up. */
static bool is_same(const struct sync_observed *one, const struct sync_observed *other)
{
	if (strcmp(one->route, other->route) != 0 ||
	    strcmp(one->destination, other->destination) != 0 ||
	    one->backend_count != other->backend_count)
		return false;
	for (size_t i = 0; i < one->backend_count; i++)
		if (one->backends[i].weight != other->backends[i].weight ||
		    one->backends[i].observable != other->backends[i].observable ||
		    strcmp(one->backends[i].name, other->backends[i].name) != 0)
			return false;
	return true;
}

static struct sum *need(struct sums *sums, const struct sync_observed *split)
{
	for (size_t i = 0; i < sums->count; i++)
		if (is_same(&sums->list[i].split, split))
			return &sums->list[i];
	if (sums->count == sums->room)
		return NULL;
	struct sum *sum = &sums->list[sums->count++];
	sum->split = (struct sync_observed){ .mesh = split->mesh,
					     .route = split->route,
					     .destination = split->destination,
					     .backend_count = split->backend_count };
	sum->backends =
		zl_arena_alloc(sums->arena, split->backend_count, sizeof(*sum->backends));
	for (size_t i = 0; i < split->backend_count; i++) {
		sum->backends[i] = split->backends[i];
		sum->backends[i].connections = sum->backends[i].open = 0;
	}
	sum->split.backends = sum->backends;
	return sum;
}

static void add(struct sums *sums, const struct sync_observed *split)
{
	if (strcmp(split->mesh, sums->mesh) != 0)
		return;
	struct sum *sum = need(sums, split);
	if (sum == NULL)
		return;
	sum->zones++;
	sum->split.proxies += split->proxies;
	sum->split.pending += split->pending;
	sum->split.deviating += split->deviating;
	for (size_t i = 0; i < split->backend_count; i++) {
		sum->backends[i].connections += split->backends[i].connections;
		sum->backends[i].open += split->backends[i].open;
	}
}

static void set_number(struct zl_arena *arena, struct tree *map, const char *key,
		       uint64_t value)
{
	tree_set(arena, map, key, tree_int(arena, (int64_t)value));
}

static void set_share(struct zl_arena *arena, struct tree *map, const char *key,
		      uint64_t part, uint64_t of)
{
	struct tree *share = zl_arena_alloc(arena, 1, sizeof(*share));

	if (of == 0)
		return;
	share->type = TREE_REAL;
	share->real = round((double)part / (double)of * 10000) / 10000;
	share->text = zl_arena_format(arena, "%.4g", share->real);
	tree_set(arena, map, key, share);
}

static struct tree *backends_tree(struct zl_arena *arena, const struct sum *sum,
				  uint64_t *connections)
{
	struct tree *list = tree_list(arena);
	uint64_t weights = 0;

	*connections = 0;
	for (size_t i = 0; i < sum->split.backend_count; i++) {
		if (!sum->backends[i].observable)
			continue;
		weights += sum->backends[i].weight;
		*connections += sum->backends[i].connections;
	}
	for (size_t i = 0; i < sum->split.backend_count; i++) {
		const struct sync_backend *from = &sum->backends[i];
		struct tree *to = tree_map(arena);
		tree_set(arena, to, "backend", tree_text(arena, from->name));
		set_number(arena, to, "weight", from->weight);
		set_number(arena, to, "connections", from->connections);
		set_number(arena, to, "open", from->open);
		if (from->observable) {
			set_share(arena, to, "share", from->connections, *connections);
			set_share(arena, to, "expected", from->weight, weights);
		}
		tree_push(arena, list, to);
	}
	return list;
}

static struct tree *sum_tree(struct zl_arena *arena, const struct sum *sum)
{
	struct tree *to = tree_map(arena);
	uint64_t connections;
	struct tree *backends = backends_tree(arena, sum, &connections);

	tree_set(arena, to, "mesh", tree_text(arena, sum->split.mesh));
	tree_set(arena, to, "destination", tree_text(arena, sum->split.destination));
	tree_set(arena, to, "route", tree_text(arena, sum->split.route));
	set_number(arena, to, "zones", sum->zones);
	set_number(arena, to, "proxies", sum->split.proxies);
	set_number(arena, to, "pending", sum->split.pending);
	set_number(arena, to, "deviating", sum->split.deviating);
	set_number(arena, to, "connections", connections);
	tree_set(arena, to, "backends", backends);
	return to;
}

void observed_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	const struct hub *hub = api->setup.hub;
	struct sums sums = { .arena = zl_arena_new(),
			     .mesh = http_param(req, "mesh"),
			     .room = hub_zone_count(hub) * SYNC_OBSERVED };
	struct zl_buf body = { 0 };

	if (sums.room > SPLITS_MAX)
		sums.room = SPLITS_MAX;
	sums.list = zl_arena_alloc(sums.arena, sums.room, sizeof(*sums.list));
	for (size_t i = 0; i < hub_zone_count(hub); i++) {
		struct sync_session_view zone = hub_zone_at(hub, i);
		for (size_t j = 0;
		     zone.state == SYNC_ACTIVE && j < zone.report.observed_count; j++)
			add(&sums, &zone.report.observed[j]);
	}
	struct tree *list = tree_list(sums.arena);
	struct tree *answer = tree_map(sums.arena);
	for (size_t i = 0; i < sums.count; i++)
		tree_push(sums.arena, list, sum_tree(sums.arena, &sums.list[i]));
	tree_set(sums.arena, answer, "splits", list);
	tree_json_pretty(answer, &body);
	zl_buf_char(&body, '\n');
	http_json(req, 200, zl_buf_text(&body));
	zl_buf_free(&body);
	zl_arena_free(&sums.arena);
}
