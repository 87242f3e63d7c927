/* What the zone knows changes: which proxies come, go or are to have something else. */
#include "base/log.h"
#include "zone/proxies/inside.h"

#include <string.h>

/* True for what is a proxy of this zone. */
static bool is_proxy(const struct proxies *proxies, const struct resource *res)
{
	const char *zone = proxies->setup.zone;

	switch (res->key.kind) {
	case KIND_DATAPLANE:
		return dataplane_is_local(res, zone);
	case KIND_ZONE_INGRESS:
		return strcmp(ingress_zone(res, zone), zone) == 0;
	case KIND_ZONE_EGRESS:
		return strcmp(egress_zone(res, zone), zone) == 0;
	default:
		return false;
	}
}

/* ---- who has an id ---- */

/* Kinds share the ids, and meshes and namespaces do. */
static bool is_other(const struct resource *one, const struct resource *other)
{
	return one->key.kind != other->key.kind ||
	       strcmp(one->key.mesh, other->key.mesh) != 0 ||
	       strcmp(one->key.ns, other->key.ns) != 0 ||
	       strcmp(one->key.name, other->key.name) != 0;
}

/* Somebody who wants the id, which is free. */
static const struct resource *find_heir(const struct proxies *proxies, const char *id)
{
	static const enum kind KINDS[] = { KIND_DATAPLANE, KIND_ZONE_INGRESS,
					   KIND_ZONE_EGRESS };
	struct zl_arena *arena = zl_arena_new();
	const struct resource *found = NULL;

	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
		struct set_iter each =
			set_each(proxies->setup.registry->all, KINDS[i], NULL);
		const struct resource *res;
		while (found == NULL && (res = set_next(&each)) != NULL)
			if (is_proxy(proxies, res) &&
			    strcmp(proxies_id(res, arena), id) == 0)
				found = res;
	}
	zl_arena_free(&arena);
	return found;
}

/* Streams were let in as somebody; while nobody was registered, as a Dataplane alone. */
static bool is_strange(const struct proxy *proxy, const struct resource *res)
{
	return proxy->last != NULL ? is_other(proxy->last, res)
				   : res->key.kind != KIND_DATAPLANE;
}

static void begin_as(struct proxies *proxies, struct proxy *proxy,
		     const struct resource *res)
{
	if (proxy->connected && is_strange(proxy, res))
		xds_server_expel(proxies->xds, proxy->id);
	resource_drop(&proxy->last);
	proxy->last = resource_hold(res);
	proxy->resource = resource_hold(res);
}

static void end_as(struct proxies *proxies, struct proxy *proxy)
{
	egresses_take(proxies, proxy, SERVING_BARE);
	resource_drop(&proxy->resource);
	xds_server_forget(proxies->xds, proxy->id);
	observed_forget(proxies->observed, proxy->id);
	proxy->wanted = proxy->acked = proxy->identified = 0;
	proxy->has_identity = proxy->due = false;
	zl_buf_drain(&proxy->services, proxy->services.len);
	zl_buf_drain(&proxy->secrets, proxy->secrets.len);
	zl_buf_drain(&proxy->receivers, proxy->receivers.len);
	muting_end(proxy);
	const struct resource *heir =
		proxy->contested ? find_heir(proxies, proxy->id) : NULL;
	if (heir == NULL) {
		proxies_drop_if_idle(proxies, proxy);
		return;
	}
	begin_as(proxies, proxy, heir);
	push_proxy(proxies, proxy);
}

static bool has_moved(const struct resource *before, const struct resource *now)
{
	return now->key.kind == KIND_ZONE_EGRESS &&
	       (before->egress->port != now->egress->port ||
		strcmp(before->egress->address, now->egress->address) != 0);
}

/* A proxy came, went or changed. */
static void follow(struct proxies *proxies, const struct registry_change *change)
{
	const struct resource *now = change->now;
	const struct resource *any = now != NULL ? now : change->old;
	struct zl_arena *arena = zl_arena_new();
	struct proxy *proxy = proxies_find_or_make(proxies, proxies_id(any, arena));

	zl_arena_free(&arena);
	if (proxy->resource != NULL && is_other(proxy->resource, any)) {
		/* One id, two proxies: neither may have what is the other's. */
		proxy->contested = true;
		if (now != NULL)
			zl_log(ZL_ERROR, "xds",
			       "a proxy is not served: another one has its id",
			       "proxy=%q kind=%s mesh=%q served=%s served_mesh=%q",
			       proxy->id, kind_info(any->key.kind)->name, any->key.mesh,
			       kind_info(proxy->resource->key.kind)->name,
			       proxy->resource->key.mesh);
		return;
	}
	if (now == NULL) {
		if (proxy->resource != NULL)
			end_as(proxies, proxy);
		else
			proxies_drop_if_idle(proxies, proxy);
		return;
	}
	if (proxy->resource != NULL && has_moved(proxy->resource, now))
		egresses_take(proxies, proxy, SERVING_BARE);
	resource_drop(&proxy->resource);
	begin_as(proxies, proxy, now);
}

/* ---- who is concerned ---- */

/* What to tell from two inventories, once for all who ask. */
struct answer {
	bool asked, endures;
};

struct update {
	const struct proxies *proxies;
	const struct registry_changes *changes;
	const struct inventory *before; /* held */
	bool zones;                     /* a Zone changed */
	struct answer ingress, egress;
};

/* Is it the end of a Secret that the proxy needs? A new content is no change until it
 * has come (proxies_secret_came). */
static bool loses_secret(const struct proxy *proxy, const struct registry_change *change)
{
	return change->now == NULL && change->old->key.kind == KIND_SECRET &&
	       push_needs_secret(proxy, change->old->key.mesh, change->old->key.name);
}

/* May one of the changed policies have a say in what the proxy gets? */
static bool is_touched(const struct update *update, const struct proxy *proxy)
{
	const struct registry_changes *changes = update->changes;
	const char *zone = update->proxies->setup.zone;

	for (size_t i = 0; i < changes->count; i++) {
		const struct resource *const both[] = { changes->items[i].old,
							changes->items[i].now };
		if (both[1] == proxy->resource || loses_secret(proxy, &changes->items[i]))
			return true;
		for (size_t j = 0; j < 2; j++)
			if (both[j] != NULL &&
			    policy_touches(both[j], proxy->resource, zone))
				return true;
	}
	return false;
}

/* Is there another inventory, in which what endures tells of is another? */
static bool has_other(const struct update *update, struct answer *answer,
		      bool (*endures)(const struct inventory *before,
				      const struct inventory *after))
{
	if (!update->changes->inventory)
		return false;
	if (!answer->asked)
		*answer = (struct answer){ true, endures(update->before,
							 update->proxies->inventory) };
	return !answer->endures;
}

static bool is_concerned(struct update *update, const struct proxy *proxy)
{
	if (update->changes->meshes)
		return true;
	switch (proxy->resource->key.kind) {
	case KIND_ZONE_INGRESS: /* what is here */
		return has_other(update, &update->ingress, policy_ingress_endures) ||
		       is_touched(update, proxy);
	case KIND_ZONE_EGRESS: /* what is not */
		return update->zones ||
		       has_other(update, &update->egress, policy_egress_endures) ||
		       is_touched(update, proxy);
	default:
		return update->zones || is_touched(update, proxy) ||
		       !policy_endures(&proxy->services, proxy->resource->key.mesh,
				       update->before, update->proxies->inventory);
	}
}

/* Take over what the registry knows now. Returns the inventory of before, held. */
static struct inventory *catch_up(struct proxies *proxies)
{
	const struct registry *registry = proxies->setup.registry;
	struct policy_index *index = proxies->index;
	struct inventory *before = proxies->inventory;

	proxies->index = policy_index_update(index, registry->all);
	proxies->inventory = inventory_hold(registry->inventory);
	policy_index_drop(&index);
	return before;
}

void proxies_update(struct proxies *proxies, const struct registry_changes *changes,
		    uint64_t rev)
{
	struct inventory *before = catch_up(proxies);
	struct update update = { .proxies = proxies,
				 .changes = changes,
				 .before = before };
	struct proxy *proxy;
	struct proxy *next;

	proxies->rev = rev;
	for (size_t i = 0; i < changes->count; i++) {
		const struct registry_change *change = &changes->items[i];
		const struct resource *any =
			change->now != NULL ? change->now : change->old;
		/* What a zone wrote comes and goes with it. */
		update.zones = update.zones || any->key.kind == KIND_ZONE;
		if (is_proxy(proxies, any))
			follow(proxies, change);
	}
	if (changes->meshes)
		identities_look(proxies);
	HASH_ITER (hh, proxies->all, proxy, next) {
		if (proxy->resource == NULL || !proxy->connected ||
		    !is_concerned(&update, proxy))
			continue;
		if (proxy_is_dataplane(proxy))
			push_proxy(proxies, proxy);
		else
			passing_soon(proxies, proxy);
	}
	inventory_drop(&before);
	report_soon(proxies);
}
