#include "base/clock.h"
#include "base/hash.h"
#include "model/tree.h"
#include "zone/api/inside.h"
#include "zone/join/join.h"
#include "zone/secrets/keeper.h"

#include <string.h>

enum { KEPT_SHOWN = 20 };

static void answer(struct http_request *req, const struct tree *out)
{
	struct zl_buf body = { 0 };

	tree_json_pretty(out, &body);
	http_json(req, 200, body.data);
	zl_buf_free(&body);
}

void root_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);

	tree_set(arena, out, "product", tree_text(arena, "Zonelink"));
	tree_set(arena, out, "role", tree_text(arena, "zone"));
	tree_set(arena, out, "version", tree_text(arena, ZL_VERSION));
	tree_set(arena, out, "zone", tree_text(arena, api->setup.zone));
	if (api->setup.uplink != NULL) {
		struct sync_zone_view view = uplink_view(api->setup.uplink);
		char epoch[2 * POSITION_EPOCH + 1];
		zl_hex(view.head.epoch, POSITION_EPOCH, epoch);
		tree_set(arena, out, "epoch", tree_text(arena, epoch));
		tree_set(arena, out, "revision", tree_int(arena, (int64_t)view.head.rev));
	}
	answer(req, out);
	zl_arena_free(&arena);
}

static struct tree *held_tree(const struct sync_held *held, struct zl_arena *arena)
{
	struct tree *out = tree_map(arena);

	tree_set(arena, out, "removed", tree_int(arena, (int64_t)held->removed));
	tree_set(arena, out, "shown", tree_int(arena, (int64_t)held->shown));
	tree_set(arena, out, "revision",
		 tree_int(arena, (int64_t)held->name.position.rev));
	return out;
}

/* Whether the zone belongs to global. */
static struct tree *join_tree(const struct join *join, struct zl_arena *arena)
{
	struct tree *out = tree_map(arena);
	struct join_view view = join_view(join);
	char expires[ZL_TIME_TEXT];

	tree_set(arena, out, "state", tree_text(arena, view.state));
	if (view.ends_s != 0) {
		zl_time_text(view.ends_s * 1000000, expires);
		tree_set(arena, out, "serial", tree_text(arena, view.serial));
		tree_set(arena, out, "expires", tree_text(arena, expires));
	}
	tree_set(arena, out, "error", tree_text(arena, view.error));
	return out;
}

static struct tree *link_tree(const struct uplink *uplink, struct zl_arena *arena)
{
	struct tree *out = tree_map(arena);
	struct sync_zone_view view = uplink_view(uplink);
	uint64_t now = zl_now_ms();
	uint8_t bytes[32];
	char text[65];

	tree_set(arena, out, "state", tree_text(arena, sync_zone_state_name(view.state)));
	tree_set(arena, out, "sinceMs", tree_int(arena, (int64_t)(now - view.since)));
	if (view.last_beat != 0)
		tree_set(arena, out, "lastBeatMs",
			 tree_int(arena, (int64_t)(now - view.last_beat)));
	tree_set(arena, out, "trouble", tree_text(arena, view.trouble));
	if (view.is_held)
		tree_set(arena, out, "held", held_tree(&view.held, arena));
	tree_set(arena, out, "revision", tree_int(arena, (int64_t)view.head.rev));
	tree_set(arena, out, "durableRevision",
		 tree_int(arena, (int64_t)view.durable.position.rev));
	tree_set(arena, out, "globalRevision", tree_int(arena, (int64_t)view.global_rev));
	zl_hex(view.durable.position.chain, POSITION_CHAIN, text);
	tree_set(arena, out, "chain", tree_text(arena, text));
	digest_bytes(&view.durable.digest, bytes);
	zl_hex(bytes, sizeof(bytes), text);
	tree_set(arena, out, "digest", tree_text(arena, text));
	if (uplink_odd(uplink) > 0)
		tree_set(arena, out, "notUnderstood",
			 tree_int(arena, (int64_t)uplink_odd(uplink)));
	tree_set(arena, out, "inventorySeq", tree_int(arena, (int64_t)view.inv_seq));
	tree_set(arena, out, "inventoryAcked", tree_int(arena, (int64_t)view.inv_acked));
	return out;
}

static struct tree *folder_tree(const struct folder *folder, struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);
	struct folder_file file;

	for (size_t i = 0; folder_file(folder, i, &file); i++) {
		struct tree *one = tree_map(arena);
		tree_set(arena, one, "file", tree_text(arena, file.name));
		tree_set(arena, one, "resources",
			 tree_int(arena, (int64_t)file.resources));
		if (*file.fault != '\0')
			tree_set(arena, one, "error", tree_text(arena, file.fault));
		tree_push(arena, list, one);
	}
	return list;
}

static struct tree *proxies_tree(const struct api *api, struct zl_arena *arena)
{
	const struct proxies *proxies = api->setup.proxies;
	struct tree *out = tree_map(arena);
	struct sync_report report;

	proxies_report(proxies, arena, &report);
	tree_set(arena, out, "total", tree_int(arena, report.proxies));
	tree_set(arena, out, "acked", tree_int(arena, report.acked));
	tree_set(arena, out, "nacked", tree_int(arena, report.nacked));
	tree_set(arena, out, "ackedRevision", tree_int(arena, (int64_t)report.acked_rev));
	tree_set(arena, out, "withoutFiles", muted_tree(api, NULL, arena));
	return out;
}

static struct tree *zone_proxies_tree(const struct proxies *proxies,
				      struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);
	size_t count;
	const struct zone_proxy_view *views = proxies_zone_views(proxies, arena, &count);

	for (size_t i = 0; i < count; i++) {
		struct tree *one = tree_map(arena);
		tree_set(arena, one, "kind",
			 tree_text(arena, kind_info(views[i].kind)->name));
		tree_set(arena, one, "name", tree_text(arena, views[i].name));
		tree_set(arena, one, "connected", tree_bool(arena, views[i].connected));
		tree_set(arena, one, "acked", tree_bool(arena, views[i].acked));
		if (views[i].kind == KIND_ZONE_EGRESS)
			tree_set(arena, one, "serving",
				 tree_bool(arena, views[i].serving));
		tree_push(arena, list, one);
	}
	return list;
}

/* What global would not take. */
static struct tree *kept_tree(const struct registry *registry, struct zl_arena *arena)
{
	struct tree *out = tree_map(arena);
	struct tree *items = tree_list(arena);
	struct zl_buf kri = { 0 };

	for (size_t i = 0; i < registry->kept_count && i < KEPT_SHOWN; i++) {
		struct tree *one = tree_map(arena);
		zl_buf_drain(&kri, kri.len);
		key_kri(&registry->kept[i].res->key, "", &kri);
		tree_set(arena, one, "kri", tree_text(arena, zl_buf_text(&kri)));
		tree_set(arena, one, "reason", tree_text(arena, registry->kept[i].why));
		tree_push(arena, items, one);
	}
	zl_buf_free(&kri);
	tree_set(arena, out, "count", tree_int(arena, (int64_t)registry->kept_count));
	tree_set(arena, out, "items", items);
	return out;
}

/* Contents that proxies here have a use for. */
static struct tree *secrets_tree(const struct keeper *keeper, struct zl_arena *arena)
{
	struct tree *out = tree_map(arena);
	struct keeper_counts counts = keeper_counts(keeper);

	tree_set(arena, out, "needed", tree_int(arena, (int64_t)counts.needed));
	tree_set(arena, out, "missing", tree_int(arena, (int64_t)counts.missing));
	return out;
}

/* Other zones that are not Online, as global says and as they look from here. */
static struct tree *zones_tree(const struct registry *registry, struct zl_arena *arena)
{
	struct set_iter each = set_each(registry->all, KIND_ZONE, NULL);
	struct tree *list = tree_list(arena);
	const struct resource *zone;

	while ((zone = set_next(&each)) != NULL) {
		const struct resource *said =
			set_get(registry->parts[REGISTRY_GLOBAL], &zone->key);
		struct tree *one = tree_map(arena);
		if (zone->zone->condition == ZONE_ONLINE || said == NULL)
			continue;
		tree_set(arena, one, "name", tree_text(arena, zone->key.name));
		tree_set(arena, one, "condition",
			 tree_text(arena, zone_condition_name(said->zone->condition)));
		tree_set(arena, one, "here",
			 tree_text(arena, zone_condition_name(zone->zone->condition)));
		tree_set(arena, one, "since", tree_text(arena, zone->zone->since));
		tree_push(arena, list, one);
	}
	return list;
}

/* Why other zones do not get at what this one offers, or NULL. */
static const char *ingress_note(const struct api *api, struct zl_arena *arena)
{
	struct set_iter each =
		set_each(api->setup.registry->all, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;
	size_t advertised = 0;
	size_t own = 0;
	size_t count;
	const struct zone_proxy_view *views =
		proxies_zone_views(api->setup.proxies, arena, &count);

	while ((res = set_next(&each)) != NULL) {
		if (strcmp(ingress_zone(res, api->setup.zone), api->setup.zone) != 0)
			continue;
		own++;
		advertised += res->ingress->advertised[0] != '\0';
	}
	if (own == 0)
		return "no ZoneIngress: this zone offers nothing to other zones";
	if (advertised == 0)
		return "no ZoneIngress has an advertised address: other zones reach "
		       "nothing here (networking.advertisedAddress, advertisedPort)";
	for (size_t i = 0; i < count; i++)
		if (views[i].kind == KIND_ZONE_INGRESS && views[i].connected)
			return NULL;
	return "no Envoy is connected as a ZoneIngress: start one with zonelinkctl "
	       "bootstrap";
}

void status_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	const char *note = api->setup.uplink != NULL ? ingress_note(api, arena) : NULL;

	tree_set(arena, out, "zone", tree_text(arena, api->setup.zone));
	tree_set(arena, out, "version", tree_text(arena, ZL_VERSION));
	if (api->setup.uplink != NULL)
		tree_set(arena, out, "global", link_tree(api->setup.uplink, arena));
	if (api->setup.join != NULL)
		tree_set(arena, out, "join", join_tree(api->setup.join, arena));
	else
		tree_set(arena, out, "alone", tree_bool(arena, true));
	tree_set(arena, out, "proxies", proxies_tree(api, arena));
	tree_set(arena, out, "zoneProxies", zone_proxies_tree(api->setup.proxies, arena));
	if (api->setup.folder != NULL)
		tree_set(arena, out, "files", folder_tree(api->setup.folder, arena));
	if (api->setup.keeper != NULL)
		tree_set(arena, out, "secrets", secrets_tree(api->setup.keeper, arena));
	if (api->setup.uplink != NULL)
		tree_set(arena, out, "zones", zones_tree(api->setup.registry, arena));
	if (api->setup.uplink != NULL)
		tree_set(arena, out, "notSent", kept_tree(api->setup.registry, arena));
	if (note != NULL)
		tree_set(arena, out, "note", tree_text(arena, note));
	answer(req, out);
	zl_arena_free(&arena);
}

void accept_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;

	if (api->setup.uplink == NULL || !uplink_view(api->setup.uplink).is_held) {
		http_refuse(req, 409, "this zone holds nothing back");
		return;
	}
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	const struct sync_held held = uplink_view(api->setup.uplink).held;
	uplink_accept(api->setup.uplink);
	tree_set(arena, out, "zone", tree_text(arena, api->setup.zone));
	tree_set(arena, out, "held", held_tree(&held, arena));
	tree_set(arena, out, "accepted", tree_bool(arena, true));
	answer(req, out);
	zl_arena_free(&arena);
}
