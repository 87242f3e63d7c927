#include "policy/passages.h"

#include "policy/index.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What one Envoy is made to hold: some hundred bytes a server name. */
enum { PASSAGES_MAX = 16384 };

void passages_add(struct passages *to, const struct passage *passage, size_t rank)
{
	if (to->count == to->room) {
		to->room = to->room == 0 ? 256 : 2 * to->room;
		to->items = zl_realloc(to->items, to->room, sizeof(*to->items));
	}
	to->items[to->count++] = (struct ranked){ *passage, rank };
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

static int by_name(const void *one, const void *other)
{
	const struct passage *a = one;
	const struct passage *b = other;

	return strcmp(a->sni, b->sni);
}

/* Two names that Envoy takes for one make it refuse the whole listener. */
static void drop_equal(struct passages *to, struct resolving *at)
{
	size_t kept = 0;

	qsort(to->items, to->count, sizeof(*to->items), by_folded_name);
	for (size_t i = 0; i < to->count; i++) {
		const char *sni = to->items[i].passage.sni;
		const char *last = kept == 0 ? "" : to->items[kept - 1].passage.sni;

		if (strcasecmp(last, sni) != 0)
			to->items[kept++] = to->items[i];
		else if (strcmp(last, sni) != 0)
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
	if (to->count <= PASSAGES_MAX)
		return;
	qsort(to->items, to->count, sizeof(*to->items), by_rank);
	resolving_warn(at,
		       zl_arena_format(at->arena,
				       "there are %zu server names to serve, which is "
				       "too many for one proxy: %zu of them, for the "
				       "subsets of the most tags, are not served",
				       to->count, to->count - PASSAGES_MAX));
	to->count = PASSAGES_MAX;
}

void passages_end(struct passages *to, struct resolving *at, struct zone_routes *routes)
{
	struct passage *passages;

	if (to->count > 0)
		drop_equal(to, at);
	drop_too_many(to, at);
	passages = zl_arena_alloc(at->arena, to->count, sizeof(*passages));
	for (size_t i = 0; i < to->count; i++)
		passages[i] = to->items[i].passage;
	free(to->items);
	if (to->count > 0)
		qsort(passages, to->count, sizeof(*passages), by_name);
	routes->passages = passages;
	routes->passage_count = to->count;
	routes->warning_count = texts_sort(at->warnings, at->warning_count);
	routes->warnings = at->warnings;
}
