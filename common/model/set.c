/* A kind is a spine: an array of chunks, each an array of resources, all in key order.
 * Spines and chunks are counted and shared between sets. What nobody but the edit can
 * reach it changes in place; anything else it copies first. */
#include "model/set.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_MAX = 128, CHUNK_TINY = CHUNK_MAX / 4 };

struct chunk {
	_Atomic unsigned holders;
	size_t count;                      /* never 0 in a finished set */
	struct resource *items[CHUNK_MAX]; /* held */
};

struct spine {
	_Atomic unsigned holders;
	size_t total; /* resources in all chunks */
	size_t count, room;
	struct chunk **chunks; /* owned array of held ones */
};

struct set {
	_Atomic unsigned holders;
	struct spine *spines[KIND_END]; /* held; NULL: none of this kind */
};

struct set_edit {
	struct set *set;    /* owned until done */
	bool own[KIND_END]; /* the spine of this kind was made by this edit */
};

/* ---- counts ---- */
static void hold(_Atomic unsigned *holders)
{
	atomic_fetch_add_explicit(holders, 1, memory_order_relaxed);
}

/* True for the last one. */
static bool drop(_Atomic unsigned *holders)
{
	return atomic_fetch_sub_explicit(holders, 1, memory_order_acq_rel) == 1;
}

static void chunk_drop(struct chunk *chunk)
{
	if (!drop(&chunk->holders))
		return;
	for (size_t i = 0; i < chunk->count; i++)
		resource_drop(&chunk->items[i]);
	free(chunk);
}

static void spine_drop(struct spine *spine)
{
	if (spine == NULL || !drop(&spine->holders))
		return;
	for (size_t i = 0; i < spine->count; i++)
		chunk_drop(spine->chunks[i]);
	free(spine->chunks);
	free(spine);
}

static struct set *set_new(void)
{
	struct set *set = zl_alloc(1, sizeof(*set));

	set->holders = 1;
	return set;
}

struct set *set_empty(void)
{
	return set_new();
}

struct set *set_hold(const struct set *set)
{
	union {
		const struct set *in;
		struct set *out; /* only its count changes */
	} ptr = { .in = set };

	hold(&ptr.out->holders);
	return ptr.out;
}

void set_drop(struct set **setp)
{
	struct set *set = *setp;

	*setp = NULL;
	if (set == NULL || !drop(&set->holders))
		return;
	for (enum kind kind = 0; kind < KIND_END; kind++)
		spine_drop(set->spines[kind]);
	free(set);
}

/* ---- finding ---- */
struct place {
	size_t chunk, index;
	bool found;
};

static size_t chunk_bound(const struct chunk *chunk, const struct key *key)
{
	size_t low = 0;
	size_t high = chunk->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (key_compare(&chunk->items[mid]->key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Where key is, or where it would be put: behind the last chunk's items if it is above
 * all. */
static struct place find(const struct spine *spine, const struct key *key)
{
	struct place place = { 0 };

	if (spine == NULL || spine->count == 0)
		return place;
	size_t high = spine->count - 1;
	while (place.chunk < high) {
		size_t mid = place.chunk + (high - place.chunk) / 2;
		const struct chunk *chunk = spine->chunks[mid];
		if (key_compare(&chunk->items[chunk->count - 1]->key, key) < 0)
			place.chunk = mid + 1;
		else
			high = mid;
	}
	const struct chunk *chunk = spine->chunks[place.chunk];
	place.index = chunk_bound(chunk, key);
	place.found = place.index < chunk->count &&
		      key_compare(&chunk->items[place.index]->key, key) == 0;
	return place;
}

static const struct spine *spine_of(const struct set *set, enum kind kind)
{
	assert(kind > KIND_NONE && kind < KIND_END);
	return set->spines[kind];
}

const struct resource *set_get(const struct set *set, const struct key *key)
{
	const struct spine *spine = spine_of(set, key->kind);
	struct place place = find(spine, key);

	return place.found ? spine->chunks[place.chunk]->items[place.index] : NULL;
}

size_t set_count(const struct set *set, enum kind kind)
{
	const struct spine *spine = spine_of(set, kind);

	return spine != NULL ? spine->total : 0;
}

bool set_same_kind(const struct set *a, const struct set *b, enum kind kind)
{
	return spine_of(a, kind) == spine_of(b, kind);
}

struct set_iter set_each(const struct set *set, enum kind kind, const char *mesh)
{
	const struct spine *spine = spine_of(set, kind);
	struct set_iter iter = { .set = set, .kind = kind, .mesh = mesh };

	if (mesh != NULL) {
		const struct key first = { kind, mesh, "", "", "" };
		struct place place = find(spine, &first);
		iter.chunk = place.chunk;
		iter.index = place.index;
	}
	return iter;
}

const struct resource *set_next(struct set_iter *iter)
{
	const struct spine *spine = spine_of(iter->set, iter->kind);

	if (spine == NULL)
		return NULL;
	if (iter->chunk < spine->count &&
	    iter->index == spine->chunks[iter->chunk]->count) {
		iter->chunk++;
		iter->index = 0;
	}
	if (iter->chunk >= spine->count)
		return NULL;
	const struct resource *res = spine->chunks[iter->chunk]->items[iter->index];
	if (iter->mesh != NULL && strcmp(res->key.mesh, iter->mesh) != 0)
		return NULL;
	iter->index++;
	return res;
}

/* ---- comparing ---- */
struct walk {
	const struct spine *spine; /* may be NULL */
	size_t chunk, index;
};

/* NULL at the end. */
static const struct resource *walk_at(struct walk *walk)
{
	if (walk->spine == NULL)
		return NULL;
	if (walk->chunk < walk->spine->count &&
	    walk->index == walk->spine->chunks[walk->chunk]->count) {
		walk->chunk++;
		walk->index = 0;
	}
	return walk->chunk < walk->spine->count
		       ? walk->spine->chunks[walk->chunk]->items[walk->index]
		       : NULL;
}

/* Both stand at the beginning of one chunk that they share. */
static bool at_shared(const struct walk *a, const struct walk *b)
{
	return a->index == 0 && b->index == 0 &&
	       a->spine->chunks[a->chunk] == b->spine->chunks[b->chunk];
}

void set_diff(const struct set *a, const struct set *b, enum kind kind,
	      set_differ *differ, void *ctx)
{
	struct walk left = { .spine = spine_of(a, kind) };
	struct walk right = { .spine = spine_of(b, kind) };

	while (left.spine != right.spine) {
		const struct resource *old = walk_at(&left);
		const struct resource *now = walk_at(&right);

		if (old == NULL && now == NULL)
			return;
		if (old != NULL && now != NULL && at_shared(&left, &right)) {
			left.chunk++;
			right.chunk++;
			continue;
		}
		int order = old == NULL   ? 1
			    : now == NULL ? -1
			    : old == now  ? 0
					  : key_compare(&old->key, &now->key);
		if (old != now)
			differ(ctx, order <= 0 ? old : NULL, order >= 0 ? now : NULL);
		left.index += order <= 0;
		right.index += order >= 0;
	}
}

const struct mesh_spec *set_mesh(const struct set *set, const char *mesh)
{
	const struct key key = { KIND_MESH, "", "", "", mesh };
	const struct resource *res = set_get(set, &key);

	return res != NULL ? res->mesh : &MESH_DEFAULTS;
}

/* ---- editing ---- */
struct set_edit *set_edit(const struct set *base)
{
	struct set_edit *edit = zl_alloc(1, sizeof(*edit));

	edit->set = set_new();
	for (enum kind kind = 0; kind < KIND_END; kind++) {
		edit->set->spines[kind] = base->spines[kind];
		if (base->spines[kind] != NULL)
			hold(&base->spines[kind]->holders);
	}
	return edit;
}

static struct chunk *chunk_new(void)
{
	struct chunk *chunk = zl_alloc(1, sizeof(*chunk));

	chunk->holders = 1;
	return chunk;
}

/* A spine that only this edit can reach, with room for one more chunk. */
static struct spine *own_spine(struct set_edit *edit, enum kind kind)
{
	struct spine *old = edit->set->spines[kind];
	struct spine *spine = old;

	if (!edit->own[kind]) {
		size_t count = old != NULL ? old->count : 0;
		spine = zl_alloc(1, sizeof(*spine));
		spine->holders = 1;
		spine->count = count;
		spine->room = count + 4;
		spine->chunks = zl_alloc(spine->room, sizeof(struct chunk *));
		for (size_t i = 0; i < count; i++) {
			spine->chunks[i] = old->chunks[i];
			hold(&old->chunks[i]->holders);
		}
		spine->total = old != NULL ? old->total : 0;
		spine_drop(old);
		edit->set->spines[kind] = spine;
		edit->own[kind] = true;
	}
	if (spine->count == spine->room) {
		spine->room *= 2;
		spine->chunks =
			zl_realloc(spine->chunks, spine->room, sizeof(struct chunk *));
	}
	return spine;
}

/* The chunk at index of an owned spine, made such that only this spine holds it. */
static struct chunk *own_chunk(struct spine *spine, size_t index)
{
	struct chunk *old = spine->chunks[index];

	if (atomic_load_explicit(&old->holders, memory_order_acquire) == 1)
		return old;
	struct chunk *chunk = chunk_new();
	chunk->count = old->count;
	for (size_t i = 0; i < old->count; i++)
		chunk->items[i] = resource_hold(old->items[i]);
	chunk_drop(old);
	spine->chunks[index] = chunk;
	return chunk;
}

static void insert_chunk(struct spine *spine, size_t index, struct chunk *chunk)
{
	assert(spine->count < spine->room);
	memmove(spine->chunks + index + 1, spine->chunks + index,
		(spine->count - index) * sizeof(struct chunk *));
	spine->chunks[index] = chunk;
	spine->count++;
}

/* Make room in the full chunk of place. Keys that come in order fill chunks to the brim:
 * at the very end a new chunk begins. */
static void split(struct spine *spine, struct place *place)
{
	struct chunk *right = chunk_new();
	size_t keep = CHUNK_MAX / 2;

	insert_chunk(spine, place->chunk + 1, right);
	if (place->index == CHUNK_MAX && place->chunk + 2 == spine->count) {
		keep = CHUNK_MAX;
	} else {
		struct chunk *left = own_chunk(spine, place->chunk);
		right->count = CHUNK_MAX - keep;
		memcpy(right->items, left->items + keep,
		       right->count * sizeof(struct resource *));
		left->count = keep;
	}
	if (place->index > keep || keep == CHUNK_MAX) {
		place->chunk++;
		place->index -= keep;
	}
}

void set_put(struct set_edit *edit, const struct resource *res)
{
	enum kind kind = res->key.kind;
	struct place place = find(spine_of(edit->set, kind), &res->key);

	if (place.found &&
	    edit->set->spines[kind]->chunks[place.chunk]->items[place.index] == res)
		return;
	struct spine *spine = own_spine(edit, kind);
	if (place.found) {
		struct chunk *chunk = own_chunk(spine, place.chunk);
		resource_drop(&chunk->items[place.index]);
		chunk->items[place.index] = resource_hold(res);
		return;
	}
	if (spine->count == 0)
		insert_chunk(spine, 0, chunk_new());
	else if (spine->chunks[place.chunk]->count == CHUNK_MAX)
		split(spine, &place);
	struct chunk *chunk = own_chunk(spine, place.chunk);
	memmove(chunk->items + place.index + 1, chunk->items + place.index,
		(chunk->count - place.index) * sizeof(struct resource *));
	chunk->items[place.index] = resource_hold(res);
	chunk->count++;
	spine->total++;
}

static void remove_chunk(struct spine *spine, size_t index)
{
	spine->count--;
	memmove(spine->chunks + index, spine->chunks + index + 1,
		(spine->count - index) * sizeof(struct chunk *));
}

/* Append the chunk behind index to the one at index, if they leave room for more. */
static void merge(struct spine *spine, size_t index)
{
	const struct chunk *right = spine->chunks[index + 1];

	if (spine->chunks[index]->count + right->count > CHUNK_MAX - CHUNK_TINY)
		return;
	struct chunk *left = own_chunk(spine, index);
	for (size_t i = 0; i < right->count; i++)
		left->items[left->count++] = resource_hold(right->items[i]);
	chunk_drop(spine->chunks[index + 1]);
	remove_chunk(spine, index + 1);
}

bool set_del(struct set_edit *edit, const struct key *key)
{
	enum kind kind = key->kind;
	struct place place = find(spine_of(edit->set, kind), key);

	if (!place.found)
		return false;
	struct spine *spine = own_spine(edit, kind);
	struct chunk *chunk = own_chunk(spine, place.chunk);
	resource_drop(&chunk->items[place.index]);
	chunk->count--;
	memmove(chunk->items + place.index, chunk->items + place.index + 1,
		(chunk->count - place.index) * sizeof(struct resource *));
	spine->total--;

	if (chunk->count == 0) {
		chunk_drop(chunk);
		remove_chunk(spine, place.chunk);
	} else if (chunk->count < CHUNK_TINY && place.chunk + 1 < spine->count) {
		merge(spine, place.chunk);
	} else if (chunk->count < CHUNK_TINY && place.chunk > 0) {
		merge(spine, place.chunk - 1);
	}
	return true;
}

struct set *set_done(struct set_edit **editp)
{
	struct set *set = (*editp)->set;

	for (enum kind kind = 0; kind < KIND_END; kind++) {
		struct spine *spine = set->spines[kind];
		if (spine != NULL && spine->count == 0) { /* so that none is one thing */
			spine_drop(spine);
			set->spines[kind] = NULL;
		}
	}
	free(*editp);
	*editp = NULL;
	return set;
}

void set_discard(struct set_edit **editp)
{
	if (*editp == NULL)
		return;
	struct set *set = set_done(editp);
	set_drop(&set);
}
