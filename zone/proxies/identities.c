/* Which proxies have an identity. */
#include "loop/loop.h"
#include "zone/proxies/inside.h"

#include <string.h>

enum { SPREAD_MS = 500 }; /* identities of this time make one push for all */

/* Once it does it always will (kinds-spec 6). */
bool identities_has(const void *owner, const struct resource *dataplane)
{
	const struct proxies *proxies = owner;
	struct zl_arena *arena = zl_arena_new();
	const struct proxy *proxy = proxies_find(proxies, proxies_id(dataplane, arena));

	zl_arena_free(&arena);
	return proxy != NULL && proxy->has_identity;
}

void identities_note(struct proxy *proxy, const struct envoy_config *config,
		     struct zl_arena *arena)
{
	const char *name = envoy_identity_name(proxy->dataplane->key.mesh, arena);

	if (proxy->identified == 0 &&
	    envoy_config_find(config, ENVOY_SECRET, name) != NULL)
		proxy->identified = proxy->wanted;
}

void proxies_identities_due(struct proxies *proxies, const char *mesh)
{
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy->dataplane != NULL &&
		    strcmp(proxy->dataplane->key.mesh, mesh) == 0)
			push_proxy(proxies, proxy);
	report_soon(proxies);
}

/* Does its mesh let plain connections in beside mTLS? */
static bool may_be_plain(const struct proxies *proxies, const struct proxy *proxy)
{
	const struct mesh_spec *mesh =
		set_mesh(proxies->setup.registry->all, proxy->dataplane->key.mesh);
	const struct mesh_backend *signer = mesh_signer(mesh);

	return signer != NULL && signer->permissive;
}

static void spread(void *arg)
{
	struct proxies *proxies = arg;
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy->dataplane != NULL && may_be_plain(proxies, proxy))
			push_proxy(proxies, proxy);
	report_soon(proxies);
}

/* A proxy takes mTLS from now on: where plain connections are taken too, others may ask
 * it by mTLS now. Those who start together are told of together: each push is one for
 * every proxy. */
void identities_take(struct proxies *proxies, struct proxy *proxy)
{
	if (proxy->has_identity || proxy->identified == 0 || proxy->dataplane == NULL ||
	    proxy->acked < proxy->identified)
		return;
	proxy->has_identity = true;
	if (may_be_plain(proxies, proxy) && !loop_timer_is_set(proxies->spreading))
		loop_timer_set(proxies->spreading, SPREAD_MS);
}

struct loop_timer *identities_timer(struct proxies *proxies)
{
	return loop_timer_new(proxies->setup.loop, spread, proxies);
}
