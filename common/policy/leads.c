#include "policy/leads.h"

#include "inventory/objects.h"

#include <assert.h>
#include <string.h>

enum { LETTER_EGRESSES = 'e' };

static const char LETTERS[LEAD_END] = {
	[LEAD_SERVICE] = 's', [LEAD_NAME] = 'n', [LEAD_LABELS] = 'l', [LEAD_OBJECT] = 'o'
};

/* ---- writing ---- */

static size_t begin(struct leads *leads, enum lead what)
{
	size_t start = leads->text.len;

	zl_buf_char(&leads->text, LETTERS[what]);
	return start;
}

static void put(struct leads *leads, const char *text)
{
	zl_buf_add(&leads->text, text, strlen(text) + 1);
}

static void put_kind(struct leads *leads, enum kind kind)
{
	zl_buf_char(&leads->text, (char)kind);
}

/* What is looked up again, as by a destination that is its own backend, is mostly there.
 */
static void end(struct leads *leads, enum lead what, size_t start)
{
	struct zl_buf *text = &leads->text;
	size_t len = text->len - start;

	if (leads->last[what].len == len &&
	    memcmp(text->data + leads->last[what].start, text->data + start, len) == 0) {
		text->len = start;
		return;
	}
	leads->last[what].start = start;
	leads->last[what].len = len;
}

void leads_to_service(struct leads *leads, const char *service)
{
	size_t start = begin(leads, LEAD_SERVICE);

	put(leads, service);
	end(leads, LEAD_SERVICE, start);
}

void leads_to_name(struct leads *leads, enum kind kind, const char *ns, const char *name)
{
	size_t start = begin(leads, LEAD_NAME);

	put_kind(leads, kind);
	put(leads, ns);
	put(leads, name);
	end(leads, LEAD_NAME, start);
}

void leads_to_labels(struct leads *leads, enum kind kind, struct labels want)
{
	size_t start = begin(leads, LEAD_LABELS);

	put_kind(leads, kind);
	for (size_t i = 0; i < want.count; i++) {
		put(leads, want.items[i].key);
		put(leads, want.items[i].value);
	}
	put(leads, "");
	end(leads, LEAD_LABELS, start);
}

void leads_to_object(struct leads *leads, const struct key *object)
{
	size_t start = begin(leads, LEAD_OBJECT);

	put_kind(leads, object->kind);
	put(leads, object->zone);
	put(leads, object->ns);
	put(leads, object->name);
	end(leads, LEAD_OBJECT, start);
}

void leads_to_egresses(struct leads *leads)
{
	zl_buf_char(&leads->text, LETTER_EGRESSES);
}

void leads_free(struct leads *leads)
{
	zl_buf_free(&leads->text);
}

/* ---- comparing ---- */

struct reading {
	const char *next, *mesh;
	const struct inventory *before, *after;
	bool alike; /* both have the same objects: all lookups of them agree */
};

static const char *take(struct reading *at)
{
	const char *text = at->next;

	at->next += strlen(text) + 1;
	return text;
}

static enum kind take_kind(struct reading *at)
{
	return (enum kind) * at->next++;
}

static bool same_service(struct reading *at)
{
	const char *name = take(at);

	return service_same(inventory_find(at->before, at->mesh, name),
			    inventory_find(at->after, at->mesh, name));
}

static bool same_name(struct reading *at)
{
	enum kind kind = take_kind(at);
	const char *ns = take(at);
	const char *name = take(at);
	bool several;
	bool still;

	if (at->alike)
		return true;
	const struct resource *old =
		object_by_name(at->before, kind, at->mesh, ns, name, &several);
	const struct resource *now =
		object_by_name(at->after, kind, at->mesh, ns, name, &still);

	return old == now && several == still;
}

static bool same_labels(struct reading *at)
{
	enum kind kind = take_kind(at);
	struct zl_arena *arena = zl_arena_new();
	struct labels want = { 0 };
	const char *key;
	size_t count;
	size_t still;

	while (*(key = take(at)) != '\0')
		want = labels_with(arena, want, key, take(at));
	if (at->alike) {
		zl_arena_free(&arena);
		return true;
	}
	const struct resource *const *old =
		objects_by_labels(at->before, kind, at->mesh, want, arena, &count);
	const struct resource *const *now =
		objects_by_labels(at->after, kind, at->mesh, want, arena, &still);
	bool same = count == still &&
		    (count == 0 || memcmp(old, now, count * sizeof(*old)) == 0);
	zl_arena_free(&arena);
	return same;
}

static bool same_object(struct reading *at)
{
	struct key key = { .kind = take_kind(at), .mesh = at->mesh };

	key.zone = take(at);
	key.ns = take(at);
	key.name = take(at);
	return object_same(at->before, at->after, &key);
}

static bool same(struct reading *at)
{
	switch (*at->next++) {
	case 's':
		return same_service(at);
	case 'n':
		return same_name(at);
	case 'l':
		return same_labels(at);
	case LETTER_EGRESSES:
		return egresses_alike(at->before, at->after);
	default:
		return same_object(at);
	}
}

/* All other records end in a NUL. */
bool leads_have_egresses(const struct zl_buf *text)
{
	return text->len > 0 && text->data[text->len - 1] == LETTER_EGRESSES;
}

bool leads_endure(const struct zl_buf *text, const char *mesh,
		  const struct inventory *before, const struct inventory *after)
{
	struct reading at = { text->data, mesh, before, after,
			      objects_alike(before, after) };

	if (text->len == 0)
		return true;
	while (at.next < text->data + text->len)
		if (!same(&at))
			return false;
	return true;
}
