#include "policy/about.h"

#include "policy/find.h"
#include "policy/gateway.h"
#include "policy/refs.h"
#include "policy/select.h"

#include "inventory/objects.h"

#include <string.h>

/* ---- entries ---- */

static struct saying saying_of(const struct resource *policy, enum attached_list list,
			       size_t index)
{
	const struct attached_spec *spec = policy->attached;
	const struct attached_items *items = &spec->to;

	if (list == LIST_FROM)
		items = &spec->from;
	else if (list == LIST_RULES)
		items = &spec->rules;
	return (struct saying){ items->items[index].conf, { policy, index }, list };
}

/* Permissions are another matter. */
static bool is_kind(const struct entry *entry, size_t index)
{
	return entry->rank.route->key.kind == attached_kind(index);
}

/* base: what weaker entries say, or NULL. */
static const struct merged *merge_kind(const struct abouts *abouts,
				       const struct merged *base,
				       const struct entry *const *entries, size_t count,
				       size_t kind)
{
	struct zl_arena *arena = abouts->at->arena;
	struct saying *sayings = zl_arena_alloc(arena, count, sizeof(*sayings));
	struct merged *merged = zl_arena_alloc(arena, 1, sizeof(*merged));
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (is_kind(entries[i], kind))
			sayings[used++] = saying_of(entries[i]->rank.route, LIST_TO,
						    entries[i]->to);
	*merged = merge_sayings(base, sayings, used, arena);
	return merged;
}

/* True if policy selects the proxy, of a gateway one of its listeners. */
static bool is_selected(const struct abouts *abouts, const struct resource *policy)
{
	const struct resolving *at = abouts->at;

	if (abouts->routes->is_gateway)
		return gateway_means_any(abouts->routes, policy, at->arena);
	return select_proxy(policy, at->proxy, at->zone, NULL, NULL);
}

static const struct entry *const *pointers_to(const struct entry *entries, size_t count,
					      struct zl_arena *arena)
{
	const struct entry **list =
		zl_arena_alloc(arena, count, sizeof(const struct entry *));

	for (size_t i = 0; i < count; i++)
		list[i] = &entries[i];
	return list;
}

void abouts_begin(struct abouts *abouts, struct resolving *at,
		  const struct routes *routes)
{
	struct entry_name name = { at->mesh_name, REF_MESH, "" };
	size_t count;
	const struct entry *entries = index_attached(at->index, name, &count);
	struct entry *kept = zl_arena_alloc(at->arena, count, sizeof(*kept));

	*abouts = (struct abouts){ .at = at, .routes = routes, .mesh = kept };
	for (size_t i = 0; i < count; i++)
		if (is_selected(abouts, entries[i].rank.route))
			kept[abouts->mesh_count++] = entries[i];
	const struct entry *const *all = pointers_to(kept, abouts->mesh_count, at->arena);
	for (size_t i = 0; i < ATTACHED_KINDS; i++)
		abouts->of_mesh[i] = merge_kind(abouts, NULL, all, abouts->mesh_count, i);
}

/* ---- services and objects ---- */

static enum ref_kind ref_kind_of(const struct resource *object)
{
	switch (object->key.kind) {
	case KIND_MESH_EXTERNAL_SERVICE:
		return REF_MESH_EXTERNAL_SERVICE;
	case KIND_MESH_MULTI_ZONE_SERVICE:
		return REF_MESH_MULTI_ZONE_SERVICE;
	default:
		return REF_MESH_SERVICE;
	}
}

static bool is_about(struct resolving *at, const struct entry *entry,
		     const struct subject *subject)
{
	const struct target_ref *target = route_to(entry->rank.route, entry->to);

	if (subject->object == NULL)
		return ref_is_by_name(target);
	return find_is_about(at, entry->rank.route, target, subject->object,
			     subject->section, subject->port);
}

/* Whichever port of the subject is meant: it is named all the same. */
static bool is_named(struct resolving *at, const struct entry *entry,
		     const struct subject *subject)
{
	const struct target_ref *target = route_to(entry->rank.route, entry->to);

	if (subject->object == NULL)
		return ref_is_by_name(target);
	return find_names(at, entry->rank.route, target, subject->object);
}

/* Fill in what entries say, in which some are about the subject alone. */
static void fill_in(struct abouts *abouts, struct about *about, struct entry_lists *lists,
		    size_t room)
{
	const struct entry **entries =
		zl_arena_alloc(abouts->at->arena, room, sizeof(const struct entry *));
	const struct entry *entry;
	size_t count = 0;
	size_t weaker = 0; /* about the mesh, before the first that is not */
	bool any = false;

	while ((entry = entries_next(lists)) != NULL) {
		const struct resource *policy = entry->rank.route;
		bool alone = route_to(policy, entry->to)->kind != REF_MESH;

		if (alone && (!is_named(abouts->at, entry, &about->subject) ||
			      !is_selected(abouts, policy)))
			continue;
		for (size_t i = 0; i < ATTACHED_KINDS; i++)
			about->named[i] = about->named[i] || (alone && is_kind(entry, i));
		if (alone && !is_about(abouts->at, entry, &about->subject))
			continue;
		entries[count++] = entry;
		any = any || alone;
		weaker += !any;
	}
	/* Mostly what is said of the mesh comes first, and is merged. */
	bool first = weaker == abouts->mesh_count;
	for (size_t i = 0; i < ATTACHED_KINDS; i++)
		if (about->named[i])
			about->said[i] =
				merge_kind(abouts, first ? abouts->of_mesh[i] : NULL,
					   first ? entries + weaker : entries,
					   first ? count - weaker : count, i);
}

static struct about *make(struct abouts *abouts, const struct subject *subject)
{
	struct resolving *at = abouts->at;
	struct about *about = zl_arena_alloc(at->arena, 1, sizeof(*about));
	enum ref_kind kind = REF_MESH_SERVICE;
	struct entry_lists lists = { 0 };

	about->subject = *subject;
	about->protocol = "unknown";
	memcpy(about->said, abouts->of_mesh, sizeof(about->said));
	if (subject->object != NULL)
		kind = ref_kind_of(subject->object);
	lists.each[0].items = index_attached(
		at->index, (struct entry_name){ at->mesh_name, kind, subject->name },
		&lists.each[0].count);
	if (subject->object != NULL)
		lists.each[1].items = index_attached(
			at->index, (struct entry_name){ at->mesh_name, kind, "" },
			&lists.each[1].count);
	if (lists.each[0].count + lists.each[1].count == 0)
		return about;
	lists.each[2].items = abouts->mesh;
	lists.each[2].count = abouts->mesh_count;
	fill_in(abouts, about, &lists,
		lists.each[0].count + lists.each[1].count + lists.each[2].count);
	return about;
}

static void note(struct abouts *abouts, struct about *about)
{
	struct zl_arena *arena = abouts->at->arena;

	table_add(&abouts->known, about->subject.key, about, arena);
	abouts->order = zl_arena_more(arena, abouts->order, abouts->count, &abouts->room,
				      sizeof(struct about *));
	abouts->order[abouts->count++] = about;
}

static struct about *about_subject(struct abouts *abouts, const struct subject *subject)
{
	struct about *about = table_find(&abouts->known, subject->key);

	if (about == NULL) {
		about = make(abouts, subject);
		note(abouts, about);
	}
	return about;
}

struct about *about_destination(struct abouts *abouts, const struct outbound_route *to)
{
	const struct resource *object = to->destination.object;
	struct subject subject = { .key = to->destination.name,
				   .name = to->destination.name };

	if (to->destination.missing)
		return NULL;
	if (object != NULL) {
		subject.key =
			object_kri(object, to->destination.section, abouts->at->arena);
		subject.object = object;
		subject.section = to->destination.section;
		subject.port = to->destination.port;
	}
	return about_subject(abouts, &subject);
}

struct about *about_backend(struct abouts *abouts, const struct backend *backend)
{
	struct subject subject = { .key = backend->name, .name = backend->name };

	if (backend->object != NULL) {
		subject.key = backend->cluster;
		subject.name = backend->object->key.name;
		subject.object = backend->object;
		subject.section = backend->section;
		subject.port = backend->port;
	}
	return about_subject(abouts, &subject);
}

/* ---- listeners of gateways ---- */

void about_listener(struct abouts *abouts, const struct listener_route *route,
		    const struct merged *said[ATTACHED_KINDS])
{
	struct zl_arena *arena = abouts->at->arena;
	const struct entry **entries =
		zl_arena_alloc(arena, abouts->mesh_count, sizeof(const struct entry *));
	size_t count = 0;

	for (size_t i = 0; i < abouts->mesh_count; i++) {
		const struct resource *policy = abouts->mesh[i].rank.route;

		if (gateway_is_meant(abouts->routes, route, policy, arena))
			entries[count++] = &abouts->mesh[i];
	}
	for (size_t i = 0; i < ATTACHED_KINDS; i++)
		said[i] = merge_kind(abouts, NULL, entries, count, i);
}

/* ---- routes ---- */

/* True if target means route by its name, or by labels that it has. */
static bool means_route(const struct resource *policy, const struct target_ref *target,
			const struct resource *route)
{
	const char *ns = target->ns[0] != '\0' ? target->ns : route_namespace(policy);

	if (ns[0] != '\0' && strcmp(ns, route->key.ns) != 0)
		return false;
	if (target->name[0] != '\0')
		return strcmp(target->name, route->key.name) == 0;
	for (size_t i = 0; i < target->labels.count; i++) {
		const struct label *want = &target->labels.items[i];
		const char *have = strcmp(want->key, LABEL_DISPLAY_NAME) == 0
					   ? route->key.name
					   : labels_get(route->labels, want->key);

		if (have == NULL || strcmp(have, want->value) != 0)
			return false;
	}
	return true;
}

const struct merged *about_route(struct abouts *abouts, const struct resource *route,
				 enum kind kind)
{
	struct resolving *at = abouts->at;
	struct entry_lists lists = { 0 };
	const struct entry *entry;
	size_t count = 0;

	lists.each[0].items =
		index_attached(at->index,
			       (struct entry_name){ at->mesh_name, REF_MESH_HTTP_ROUTE,
						    route->key.name },
			       &lists.each[0].count);
	lists.each[1].items = index_attached(
		at->index, (struct entry_name){ at->mesh_name, REF_MESH_HTTP_ROUTE, "" },
		&lists.each[1].count);
	size_t room = lists.each[0].count + lists.each[1].count;
	if (room == 0)
		return NULL;
	const struct entry **entries =
		zl_arena_alloc(at->arena, room, sizeof(const struct entry *));
	while ((entry = entries_next(&lists)) != NULL)
		if (means_route(entry->rank.route, route_to(entry->rank.route, entry->to),
				route) &&
		    is_selected(abouts, entry->rank.route))
			entries[count++] = entry;
	return merge_kind(abouts, NULL, entries, count, kind - KIND_MESH_TIMEOUT);
}

/* ---- inbounds ---- */

const struct merged *about_inbound(struct resolving *at, const struct inbound *inbound,
				   enum kind kind)
{
	size_t count;
	const struct entry *entries =
		index_inbound(at->index, at->mesh_name, kind, &count);
	struct saying *sayings;
	struct merged *merged;
	size_t room = 0;
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		room += entries[i].rank.route->attached->from.count +
			entries[i].rank.route->attached->rules.count;
	if (room == 0)
		return NULL;
	sayings = zl_arena_alloc(at->arena, room, sizeof(*sayings));
	for (size_t i = 0; i < count; i++) {
		const struct resource *policy = entries[i].rank.route;

		if (!select_inbound(policy, at->proxy, at->zone, inbound))
			continue;
		for (size_t j = 0; j < policy->attached->from.count; j++)
			sayings[used++] = saying_of(policy, LIST_FROM, j);
		for (size_t j = 0; j < policy->attached->rules.count; j++)
			sayings[used++] = saying_of(policy, LIST_RULES, j);
	}
	merged = zl_arena_alloc(at->arena, 1, sizeof(*merged));
	*merged = merge_sayings(NULL, sayings, used, at->arena);
	return merged;
}
