#include "base/clock.h"
#include "base/hash.h"
#include "global/api/inside.h"
#include "global/liveness/keeper.h"
#include "model/tree.h"

#include <string.h>

enum { REFUSED_SHOWN = 20 };

/* The Zone resource of a name, or NULL. */
static const struct resource *zone_resource(const struct api *api, const char *name)
{
	const struct key key = { KIND_ZONE, "", "", "", name };

	return set_get(api->setup.set(api->setup.owner), &key);
}

bool zones_is_gone(const struct api *api, const struct sync_session_view *view)
{
	return view->state != SYNC_ACTIVE && zone_resource(api, view->zone) == NULL;
}

/* What people should know of the zone that its own report does not say; NULL: nothing. */
static const char *trouble_of(const struct sync_session_view *view,
			      struct zl_arena *arena)
{
	const struct sync_rival *rival = view->rival;

	if (view->state == SYNC_QUARANTINED)
		return "quarantined: processes took this name from each other; "
		       "zonelinkctl zones release lets one have it";
	if (view->state != SYNC_ACTIVE)
		return NULL;
	if (rival != NULL)
		return zl_arena_format(arena,
				       "two processes have this name: build %s on %s is "
				       "connected, build %s on %s was refused (%s)",
				       view->build, view->host, rival->build, rival->host,
				       rival->why);
	if (view->is_held)
		return zl_arena_format(
			arena,
			"holds global's other history, which would remove %llu of %llu "
			"objects%s",
			(unsigned long long)view->held.removed,
			(unsigned long long)view->held.shown,
			view->accepted ? "; accepted, the zone will hear of it"
				       : "; zonelinkctl zones accept lets it");
	return NULL;
}

static bool has_refused(const struct api *api, const char *zone)
{
	const struct zone_book *book = hub_book(api->setup.hub, zone);

	return book != NULL && book->refused_count > 0;
}

static enum zone_condition condition_of(const struct resource *zone)
{
	return zone != NULL ? zone->zone->condition : ZONE_ONLINE;
}

enum zone_condition zones_condition(const struct api *api, const char *zone)
{
	return condition_of(zone_resource(api, zone));
}

/* Heard of, and standing still though there is more. */
static bool is_stuck(const struct api *api, const char *zone)
{
	struct zl_buf text = { 0 };
	bool stuck = keeper_tell(api->setup.keeper, zone, &text);

	zl_buf_free(&text);
	return stuck;
}

const char *zones_state(const struct api *api, const struct sync_session_view *view)
{
	const struct resource *zone = zone_resource(api, view->zone);

	if (zone != NULL && !zone->zone->enabled)
		return "Disabled";
	if (view->state == SYNC_ACTIVE && view->rival != NULL)
		return "Conflict";
	if (view->state == SYNC_ACTIVE && view->is_held)
		return "Held";
	switch (view->state) {
	case SYNC_ACTIVE:
		return view->report.healthy && view->report.nacked == 0 &&
				       !has_refused(api, view->zone) &&
				       !is_stuck(api, view->zone)
			       ? "Online"
			       : "Degraded";
	case SYNC_EXPIRED:
		return condition_of(zone) == ZONE_OFFLINE ? "Offline" : "Stale";
	case SYNC_QUARANTINED:
		return "Conflict";
	default:
		return "Offline";
	}
}

static struct tree *proxies_tree(struct zl_arena *arena, const struct sync_report *report)
{
	struct tree *out = tree_map(arena);

	tree_set(arena, out, "total", tree_int(arena, report->proxies));
	tree_set(arena, out, "acked", tree_int(arena, report->acked));
	tree_set(arena, out, "nacked", tree_int(arena, report->nacked));
	return out;
}

/* What of a zone's resources was not taken; out is the zone's. */
static void add_refused(const struct api *api, const char *zone, struct zl_arena *arena,
			struct tree *out)
{
	const struct zone_book *book = hub_book(api->setup.hub, zone);
	struct tree *items = tree_list(arena);

	if (book == NULL)
		return;
	for (size_t i = 0; i < book->refused_count && i < REFUSED_SHOWN; i++) {
		struct tree *one = tree_map(arena);
		tree_set(arena, one, "kri", tree_text(arena, book->refused[i].what));
		tree_set(arena, one, "reason", tree_text(arena, book->refused[i].why));
		tree_push(arena, items, one);
	}
	tree_set(arena, out, "resources", tree_int(arena, (int64_t)book->load.resources));
	tree_set(arena, out, "resourceBytes", tree_int(arena, (int64_t)book->load.bytes));
	tree_set(arena, out, "refusedCount",
		 tree_int(arena, (int64_t)(book->refused_count + book->unlisted)));
	tree_set(arena, out, "refused", items);
}

static struct tree *held_tree(struct zl_arena *arena,
			      const struct sync_session_view *view)
{
	struct tree *out = tree_map(arena);
	char hash[9];

	zl_hex(view->held.name.position.chain, 4, hash);
	tree_set(arena, out, "removed", tree_int(arena, (int64_t)view->held.removed));
	tree_set(arena, out, "shown", tree_int(arena, (int64_t)view->held.shown));
	tree_set(arena, out, "revision",
		 tree_int(arena, (int64_t)view->held.name.position.rev));
	tree_set(arena, out, "hash", tree_text(arena, hash));
	tree_set(arena, out, "accepted", tree_bool(arena, view->accepted));
	return out;
}

static struct tree *zone_tree(const struct api *api, struct zl_arena *arena,
			      const struct sync_session_view *view)
{
	struct tree *out = tree_map(arena);
	uint64_t head = api->setup.position(api->setup.owner).rev;
	uint64_t rev = view->applied.rev;
	uint64_t now = zl_now_ms();
	const struct resource *zone = zone_resource(api, view->zone);
	char hash[9];

	zl_hex(view->applied.chain, 4, hash);
	tree_set(arena, out, "name", tree_text(arena, view->zone));
	tree_set(arena, out, "state", tree_text(arena, zones_state(api, view)));
	tree_set(arena, out, "enabled",
		 tree_bool(arena, zone == NULL || zone->zone->enabled));
	tree_set(arena, out, "revision", tree_int(arena, (int64_t)rev));
	tree_set(arena, out, "lag",
		 tree_int(arena, head > rev ? (int64_t)(head - rev) : 0));
	tree_set(arena, out, "hash", tree_text(arena, hash));
	tree_set(arena, out, "link", tree_text(arena, view->zone_state));
	tree_set(arena, out, "proxies", proxies_tree(arena, &view->report));
	if (view->heard_at != 0)
		tree_set(arena, out, "lastSeenMs",
			 tree_int(arena, (int64_t)(now - view->heard_at)));
	tree_set(arena, out, "version", tree_text(arena, view->build));
	tree_set(arena, out, "host", tree_text(arena, view->host));
	const char *trouble = trouble_of(view, arena);
	struct zl_buf silence = { 0 };
	if (trouble == NULL && keeper_tell(api->setup.keeper, view->zone, &silence))
		trouble = zl_arena_strdup(arena, silence.data);
	zl_buf_free(&silence);
	tree_set(arena, out, "error",
		 tree_text(arena, trouble != NULL ? trouble : view->report.last_error));
	tree_set(arena, out, "condition",
		 tree_text(arena, zone_condition_name(condition_of(zone))));
	if (view->is_held)
		tree_set(arena, out, "held", held_tree(arena, view));
	add_refused(api, view->zone, arena, out);
	return out;
}

/* A Zone that has not joined since this store began. */
static struct tree *absent_tree(struct zl_arena *arena, const struct resource *zone)
{
	const struct sync_report none = { 0 };
	struct tree *out = tree_map(arena);

	tree_set(arena, out, "name", tree_text(arena, zone->key.name));
	tree_set(arena, out, "state",
		 tree_text(arena, zone->zone->enabled ? "Offline" : "Disabled"));
	tree_set(arena, out, "enabled", tree_bool(arena, zone->zone->enabled));
	tree_set(arena, out, "proxies", proxies_tree(arena, &none));
	return out;
}

void zones_handle(struct http_request *req, void *arg)
{
	struct api *api = arg;
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	struct tree *items = tree_list(arena);
	struct zl_buf body = { 0 };
	struct sync_session_view view;
	const struct resource *zone;

	for (size_t i = 0; i < hub_zone_count(api->setup.hub); i++) {
		view = hub_zone_at(api->setup.hub, i);
		if (zones_is_gone(api, &view))
			continue;
		tree_push(arena, items, zone_tree(api, arena, &view));
	}
	struct set_iter each =
		set_each(api->setup.set(api->setup.owner), KIND_ZONE, NULL);
	while ((zone = set_next(&each)) != NULL)
		if (!hub_zone(api->setup.hub, zone->key.name, &view))
			tree_push(arena, items, absent_tree(arena, zone));
	tree_set(arena, out, "revision",
		 tree_int(arena, (int64_t)api->setup.position(api->setup.owner).rev));
	tree_set(arena, out, "items", items);
	tree_json_pretty(out, &body);
	http_json(req, 200, body.data);
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

void zone_accept_handle(struct http_request *req, void *arg)
{
	struct api *api = arg;
	const char *name = http_param(req, "name");
	struct sync_session_view view;

	if (!hub_zone(api->setup.hub, name, &view)) {
		http_refuse(req, 404, "no zone \"%s\" has joined", name);
		return;
	}
	if (!view.is_held) {
		http_refuse(req, 409, "zone \"%s\" holds nothing back", name);
		return;
	}
	hub_accept(api->setup.hub, name);
	(void)hub_zone(api->setup.hub, name, &view);
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	struct zl_buf body = { 0 };
	tree_set(arena, out, "zone", tree_text(arena, name));
	tree_set(arena, out, "held", held_tree(arena, &view));
	tree_json_pretty(out, &body);
	http_json(req, 202, body.data);
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

void zone_release_handle(struct http_request *req, void *arg)
{
	struct api *api = arg;
	const char *name = http_param(req, "name");
	struct sync_session_view view;

	if (!hub_zone(api->setup.hub, name, &view)) {
		http_refuse(req, 404, "no zone \"%s\" has joined", name);
		return;
	}
	if (view.state != SYNC_QUARANTINED && view.rival == NULL) {
		http_refuse(req, 409, "no other process wants the name of zone \"%s\"",
			    name);
		return;
	}
	hub_release(api->setup.hub, name);
	struct zl_buf body = { 0 };
	zl_buf_format(&body, "{\"zone\": \"%s\", \"released\": true}\n", name);
	http_json(req, 200, body.data);
	zl_buf_free(&body);
}
