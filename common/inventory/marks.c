#include "inventory/marks.h"

#include "inventory/lookup.h"

#include "base/hash.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int compare_labels(const struct label *a, const struct label *b)
{
	int order = strcmp(a->key, b->key);

	return order != 0 ? order : strcmp(a->value, b->value);
}

static int compare(const void *one, const void *other)
{
	const struct mark *a = one;
	const struct mark *b = other;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->at.kind != b->at.kind)
		return a->at.kind < b->at.kind ? -1 : 1;
	int order = strcmp(a->at.mesh, b->at.mesh);
	if (order == 0)
		order = compare_labels(&a->label, &b->label);
	if (order == 0)
		order = a->bound - b->bound;
	return order != 0 || a->bound != 0 ? order : key_compare(&a->at, &b->at);
}

static uint64_t add_text(uint64_t hash, const char *text)
{
	return zl_xxh3(text, strlen(text)) ^ (hash * 0x9e3779b97f4a7c15U);
}

static uint64_t hash_of(const struct key *at, const struct label *label)
{
	uint64_t hash = add_text((uint64_t)at->kind, at->mesh);

	return add_text(add_text(hash, label->key), label->value);
}

static void hold(void *item)
{
	struct mark *mark = item;

	atomic_fetch_add_explicit(&mark->holders, 1, memory_order_relaxed);
}

static void drop(void *item)
{
	struct mark *mark = item;

	if (atomic_fetch_sub(&mark->holders, 1) == 1)
		free(mark);
}

const struct pmap_ops MARKS = { compare, hold, drop };

bool marks_know(enum kind kind, const char *key)
{
	static const char *const COMMON[] = { LABEL_ENV, LABEL_MESH, LABEL_ORIGIN };
	static const char *const COMMON_TAGS[] = { TAG_PROTOCOL, TAG_SERVICE, TAG_ZONE };
	const char *const *common = kind == KIND_NONE ? COMMON_TAGS : COMMON;

	_Static_assert(sizeof(COMMON) == sizeof(COMMON_TAGS), "one loop for both");
	for (size_t i = 0; i < sizeof(COMMON) / sizeof(COMMON[0]); i++)
		if (strcmp(common[i], key) == 0)
			return false;
	return true;
}

/* ---- services ---- */

/* The copy of text that stands at *next. */
static const char *put_text(char **next, const char *text)
{
	char *copy = *next;
	size_t size = strlen(text) + 1;

	memcpy(copy, text, size);
	*next += size;
	return copy;
}

static void put_service(struct pmap **marks, const char *mesh, const char *service,
			const struct label *label)
{
	size_t size = strlen(mesh) + strlen(service) + strlen(label->key) +
		      strlen(label->value) + 4;
	struct mark *mark = zl_alloc(1, sizeof(*mark) + size);
	char *next = mark->text;

	mark->holders = 1;
	mark->at = (struct key){ .kind = KIND_NONE, .zone = "", .ns = "" };
	mark->at.mesh = put_text(&next, mesh);
	mark->at.name = put_text(&next, service);
	mark->label.key = put_text(&next, label->key);
	mark->label.value = put_text(&next, label->value);
	mark->hash = hash_of(&mark->at, &mark->label);
	pmap_put(&MARKS, marks, mark);
}

static void del(struct pmap **marks, struct key at, struct label label)
{
	const struct mark like = { .hash = hash_of(&at, &label),
				   .at = at,
				   .label = label };

	pmap_del(&MARKS, marks, &like);
}

void marks_service(struct pmap **marks, const char *mesh, const char *service,
		   struct labels old, struct labels now)
{
	const struct key at = { KIND_NONE, mesh, "", "", service };
	size_t i = 0;
	size_t j = 0;

	while (i < old.count || j < now.count) {
		int order = i == old.count ? 1
			    : j == now.count
				    ? -1
				    : compare_labels(&old.items[i], &now.items[j]);
		if (order < 0)
			del(marks, at, old.items[i]);
		else if (order > 0)
			put_service(marks, mesh, service, &now.items[j]);
		i += order <= 0;
		j += order >= 0;
	}
}

/* ---- objects ---- */

struct following {
	struct pmap **marks;
	const char *zone;
};

static void put_object(struct pmap **marks, const struct resource *object,
		       struct label label)
{
	struct mark *mark = zl_alloc(1, sizeof(*mark) + strlen(label.value) + 1);
	char *next = mark->text;

	mark->holders = 1;
	mark->at = object->key;
	mark->label.key = label.key;
	mark->label.value = put_text(&next, label.value); /* may be the inventory's */
	mark->object = object;
	mark->hash = hash_of(&mark->at, &mark->label);
	pmap_put(&MARKS, marks, mark);
}

static void walk_object(const struct following *to, const struct resource *object,
			bool add)
{
	static const char *const ALWAYS[] = { LABEL_DISPLAY_NAME, LABEL_ZONE };
	struct label list[2];
	size_t count = 0;

	/* What it has by its identity, then what is written. */
	for (size_t i = 0; i < sizeof(ALWAYS) / sizeof(ALWAYS[0]); i++) {
		const char *value = object_label(object, to->zone, ALWAYS[i]);

		if (value != NULL)
			list[count++] = (struct label){ ALWAYS[i], value };
	}
	for (size_t i = 0; i < count + object->labels.count; i++) {
		bool written = i >= count;
		struct label label = written ? object->labels.items[i - count] : list[i];

		if (!marks_know(object->key.kind, label.key) ||
		    (written && (strcmp(label.key, LABEL_DISPLAY_NAME) == 0 ||
				 strcmp(label.key, LABEL_ZONE) == 0)))
			continue;
		if (add)
			put_object(to->marks, object, label);
		else
			del(to->marks, object->key, label);
	}
}

static void on_object(void *ctx, const struct resource *old, const struct resource *now)
{
	if (old != NULL)
		walk_object(ctx, old, false);
	if (now != NULL)
		walk_object(ctx, now, true);
}

void marks_objects(struct pmap **marks, const struct set *before, const struct set *after,
		   const char *zone)
{
	static const enum kind KINDS[] = { KIND_MESH_SERVICE,
					   KIND_MESH_MULTI_ZONE_SERVICE,
					   KIND_MESH_EXTERNAL_SERVICE };
	struct following to = { marks, zone };

	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
		set_diff(before, after, KINDS[i], on_object, &to);
}

/* ---- finding ---- */

bool marks_find(const struct pmap *marks, enum kind kind, const char *mesh,
		struct labels want, struct mark_range *found)
{
	bool any = false;

	for (size_t i = 0; i < want.count; i++) {
		struct mark like = { .at = { kind, mesh, "", "", "" },
				     .label = want.items[i],
				     .bound = -1 };
		struct mark_range range;

		if (!marks_know(kind, like.label.key))
			continue;
		like.hash = hash_of(&like.at, &like.label);
		range.first = pmap_rank(&MARKS, marks, &like);
		like.bound = 1;
		range.end = pmap_rank(&MARKS, marks, &like);
		if (!any || range.end - range.first < found->end - found->first)
			*found = range;
		any = true;
	}
	return any;
}
