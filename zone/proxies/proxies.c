#include "zone/proxies/proxies.h"

#include "base/clock.h"
#include "base/log.h"
#include "envoy/build.h"
#include "loop/loop.h"
#include "policy/policy.h"
#include "zone/proxies/admit.h"
#include "zone/proxies/inside.h"
#include "zone/trust/trust.h"

#include <stdlib.h>
#include <string.h>

const char *proxies_id(const struct resource *dataplane, struct zl_arena *arena)
{
	return zl_arena_format(arena, "%s.%s", dataplane->key.mesh, dataplane->key.name);
}

struct proxy *proxies_find(const struct proxies *proxies, const char *id)
{
	struct proxy *proxy;

	HASH_FIND_STR(proxies->all, id, proxy);
	return proxy;
}

static struct proxy *find_or_make(struct proxies *proxies, const char *id)
{
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy != NULL)
		return proxy;
	proxy = zl_alloc(1, sizeof(*proxy) + strlen(id) + 1);
	memcpy(proxy->id, id, strlen(id) + 1);
	HASH_ADD_STR(proxies->all, id, proxy);
	return proxy;
}

static void drop_if_idle(struct proxies *proxies, struct proxy *proxy)
{
	if (proxy->dataplane != NULL || proxy->connected)
		return;
	HASH_DEL(proxies->all, proxy);
	zl_buf_free(&proxy->services);
	zl_buf_free(&proxy->secrets);
	free(proxy);
}

void proxies_begin(struct proxies *proxies)
{
	if (proxies->begun)
		return;
	proxies->begun = true;
	push_all(proxies);
	report_soon(proxies);
}

/* A Dataplane came, went or changed. */
static void follow_dataplane(struct proxies *proxies,
			     const struct registry_change *change)
{
	const struct resource *any = change->now != NULL ? change->now : change->old;
	struct zl_arena *arena = zl_arena_new();
	struct proxy *proxy = find_or_make(proxies, proxies_id(any, arena));

	zl_arena_free(&arena);
	if (proxy->dataplane != NULL &&
	    strcmp(proxy->dataplane->key.mesh, any->key.mesh) != 0) {
		/* One id, two proxies: neither may have what is the other's. */
		if (change->now != NULL)
			zl_log(ZL_ERROR, "xds",
			       "a Dataplane is not served: another mesh has its proxy id",
			       "proxy=%q mesh=%q served=%q", proxy->id, any->key.mesh,
			       proxy->dataplane->key.mesh);
		return;
	}
	resource_drop(&proxy->dataplane);
	if (change->now != NULL) {
		proxy->dataplane = resource_hold(change->now);
		return;
	}
	xds_server_forget(proxies->xds, proxy->id);
	proxy->wanted = proxy->acked = 0;
	drop_if_idle(proxies, proxy);
}

/* Is it the end of a Secret that the proxy needs? A new content is no change until it
 * has come (proxies_secret_came). */
static bool loses_secret(const struct proxy *proxy, const struct registry_change *change)
{
	return change->now == NULL && change->old->key.kind == KIND_SECRET &&
	       push_needs_secret(proxy, change->old->key.mesh, change->old->key.name);
}

/* May one of the changed policies have a say in what the proxy gets? */
static bool is_touched(const struct proxies *proxies, const struct proxy *proxy,
		       const struct registry_changes *changes)
{
	const char *zone = proxies->setup.zone;

	for (size_t i = 0; i < changes->count; i++) {
		const struct resource *const both[] = { changes->items[i].old,
							changes->items[i].now };
		if (both[1] == proxy->dataplane ||
		    loses_secret(proxy, &changes->items[i]))
			return true;
		for (size_t j = 0; j < 2; j++)
			if (both[j] != NULL &&
			    policy_touches(both[j], proxy->dataplane, zone))
				return true;
	}
	return false;
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
	bool all = changes->meshes;
	struct inventory *before = catch_up(proxies);
	struct proxy *proxy;
	struct proxy *next;

	proxies->rev = rev;
	for (size_t i = 0; i < changes->count; i++) {
		const struct registry_change *change = &changes->items[i];
		const struct resource *any =
			change->now != NULL ? change->now : change->old;
		/* What a zone wrote comes and goes with it. */
		all = all || any->key.kind == KIND_ZONE;
		if (any->key.kind == KIND_DATAPLANE &&
		    dataplane_is_local(any, proxies->setup.zone))
			follow_dataplane(proxies, change);
	}
	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy->dataplane != NULL && proxy->connected &&
		    (all || is_touched(proxies, proxy, changes) ||
		     !policy_endures(&proxy->services, proxy->dataplane->key.mesh, before,
				     proxies->inventory)))
			push_proxy(proxies, proxy);
	inventory_drop(&before);
	report_soon(proxies);
}

/* ---- what the xDS server tells ---- */

static void on_connected(void *owner, const char *id)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = find_or_make(proxies, id);

	proxy->connected = true;
	proxy->acked = 0;
	if (proxy->dataplane == NULL)
		zl_log(ZL_INFO, "xds", "a proxy waits for its Dataplane", "proxy=%q", id);
	push_proxy(proxies, proxy);
	report_soon(proxies);
}

static void on_disconnected(void *owner, const char *id)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy == NULL)
		return;
	proxy->connected = false;
	proxy->acked = 0;
	drop_if_idle(proxies, proxy);
	report_soon(proxies);
}

static void on_acked(void *owner, const char *id, uint64_t number)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy == NULL || number <= proxy->acked)
		return;
	proxy->acked = number;
	identities_take(proxies, proxy);
	report_soon(proxies);
}

static void on_nacked(void *owner, const char *id, const struct xds_resource_status *what)
{
	zl_log(ZL_WARN, "xds", "a proxy refused a resource",
	       "proxy=%q type=%s resource=%q err=%q", id, envoy_type_url(what->type),
	       what->name, what->nack != NULL ? what->nack : "");
	report_soon(owner);
}

static enum xds_verdict on_admit(void *owner, const struct xds_stranger *who,
				 struct zl_err *err)
{
	const struct proxies *proxies = owner;
	const struct proxy *proxy =
		who->proxy != NULL ? proxies_find(proxies, who->proxy) : NULL;

	return admit(proxies->setup.trust, proxies->setup.registry->all,
		     proxies->setup.zone, who, proxy != NULL ? proxy->dataplane : NULL,
		     err);
}

static void on_renewed(void *owner, struct pki_tls *tls)
{
	const struct proxies *proxies = owner;

	xds_server_tls(proxies->xds, tls);
}

static const struct xds_ops XDS_OPS = {
	.admit = on_admit,
	.connected = on_connected,
	.disconnected = on_disconnected,
	.acked = on_acked,
	.nacked = on_nacked,
};

/* ---- life ---- */

enum zl_code proxies_open(struct proxies **out, const struct proxies_setup *setup,
			  struct zl_err *err)
{
	struct proxies *proxies = zl_alloc(1, sizeof(*proxies));

	*out = NULL;
	proxies->setup = *setup;
	proxies->spreading = identities_timer(proxies);
	proxies->index = policy_index_new(setup->registry->all, setup->zone);
	proxies->inventory = inventory_hold(setup->registry->inventory);
	const struct xds_setup xds = { .base = loop_base(setup->loop),
				       .addrs = setup->listen,
				       .count = setup->listen_count,
				       .tls = trust_tls(setup->trust),
				       .ops = &XDS_OPS,
				       .owner = proxies,
				       .max_connections = setup->max_connections };
	enum zl_code code = xds_server_open(&proxies->xds, &xds, err);
	if (code == ZL_OK)
		trust_watch(setup->trust, on_renewed, proxies);
	else
		proxies_close(&proxies);
	*out = proxies;
	return code;
}

void proxies_close(struct proxies **proxiesp)
{
	struct proxies *proxies = *proxiesp;

	*proxiesp = NULL;
	if (proxies == NULL)
		return;
	trust_watch(proxies->setup.trust, NULL, NULL);
	xds_server_close(&proxies->xds);
	struct proxy *proxy = proxies->all;
	HASH_CLEAR(hh, proxies->all); /* leaves them linked */
	while (proxy != NULL) {
		struct proxy *next = proxy->hh.next;
		resource_drop(&proxy->dataplane);
		zl_buf_free(&proxy->services);
		zl_buf_free(&proxy->secrets);
		free(proxy);
		proxy = next;
	}
	policy_index_drop(&proxies->index);
	inventory_drop(&proxies->inventory);
	loop_timer_free(&proxies->spreading);
	free(proxies);
}

struct xds_server *proxies_xds(const struct proxies *proxies)
{
	return proxies->xds;
}

struct proxies_counts proxies_counts(const struct proxies *proxies)
{
	return proxies->counts;
}
