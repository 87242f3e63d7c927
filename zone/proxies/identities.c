/* Which proxies have an identity. */
#include "loop/loop.h"
#include "zone/proxies/inside.h"

#include <string.h>

enum { SPREAD_MS = 500 }; /* identities of this time make one push for all */

/* Once it does it always will, while its mesh has mTLS (kinds-spec 6). Asked for each
 * instance of each service that a proxy calls, so without any memory of its own. */
bool identities_has(const void *owner, const struct resource *dataplane)
{
	const struct key *key = &dataplane->key;
	size_t mesh = strlen(key->mesh);
	size_t name = strlen(key->name);
	char id[512];

	if (mesh + name + 2 > sizeof(id)) /* no document is of so long names */
		return false;
	memcpy(id, key->mesh, mesh);
	id[mesh] = '.';
	memcpy(id + mesh + 1, key->name, name + 1);
	const struct proxy *proxy = proxies_find(owner, id);
	return proxy != NULL && proxy->has_identity;
}

void identities_note(struct proxy *proxy, const struct envoy_config *config,
		     struct zl_arena *arena)
{
	const char *name = envoy_identity_name(proxy->resource->key.mesh, arena);

	if (proxy->identified == 0 &&
	    envoy_config_find(config, ENVOY_SECRET, name) != NULL)
		proxy->identified = proxy->wanted;
}

void proxies_identities_due(struct proxies *proxies, const char *mesh)
{
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next) {
		if (proxy_is_dataplane(proxy) &&
		    strcmp(proxy->resource->key.mesh, mesh) == 0)
			push_proxy(proxies, proxy);
		else if (proxy->resource != NULL &&
			 proxy->resource->key.kind == KIND_ZONE_EGRESS)
			passing_soon(proxies, proxy); /* it has one of each mesh */
	}
	report_soon(proxies);
}

/* Who signs its identity; NULL: its mesh has no mTLS. */
static const struct mesh_backend *signer_of(const struct proxies *proxies,
					    const struct proxy *proxy)
{
	const struct mesh_spec *mesh =
		set_mesh(proxies->setup.registry->all, proxy->resource->key.mesh);

	return mesh_signer(mesh);
}

/* Does its mesh let plain connections in beside mTLS? */
static bool may_be_plain(const struct proxies *proxies, const struct proxy *proxy)
{
	const struct mesh_backend *signer = signer_of(proxies, proxy);

	return signer != NULL && signer->permissive;
}

static void spread(void *arg)
{
	struct proxies *proxies = arg;
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy_is_dataplane(proxy) && may_be_plain(proxies, proxy))
			push_proxy(proxies, proxy);
	report_soon(proxies);
}

/* A proxy takes mTLS from now on: where plain connections are taken too, others may ask
 * it by mTLS now. Those who start together are told of together: each push is one for
 * every proxy. */
void identities_take(struct proxies *proxies, struct proxy *proxy)
{
	if (proxy->has_identity || proxy->identified == 0 || !proxy_is_dataplane(proxy) ||
	    proxy->acked < proxy->identified)
		return;
	proxy->has_identity = true;
	if (may_be_plain(proxies, proxy) && !loop_timer_is_set(proxies->spreading))
		loop_timer_set(proxies->spreading, SPREAD_MS);
}

void identities_look(struct proxies *proxies)
{
	struct proxy *proxy;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		if (proxy_is_dataplane(proxy) && signer_of(proxies, proxy) == NULL) {
			proxy->has_identity = false;
			proxy->identified = 0;
		}
}

struct loop_timer *identities_timer(struct proxies *proxies)
{
	return loop_timer_new(proxies->setup.loop, spread, proxies);
}
