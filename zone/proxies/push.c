/* What proxies are to have: resolved and pushed. */
#include "base/clock.h"
#include "envoy/build.h"
#include "loop/loop.h"
#include "policy/policy.h"
#include "zone/proxies/inside.h"

#include <string.h>

const struct routes *proxies_routes(const struct proxies *proxies,
				    const struct resource *dataplane, bool explain,
				    struct zl_arena *arena)
{
	const struct policy_options options = { .explain = explain,
						.has_identity = identities_has,
						.is_serving = egresses_serve,
						.owner = proxies };

	return policy_resolve(proxies->index, proxies->inventory, dataplane, &options,
			      arena);
}

const char *const *proxies_warnings(const struct proxies *proxies, const char *mesh,
				    struct zl_arena *arena, size_t *count)
{
	return policy_warnings(proxies->index, proxies->inventory, mesh, arena, count);
}

/* NULL: none is to be had. */
static const struct envoy_secrets *secrets_of(const struct proxies *proxies)
{
	const struct envoy_secrets *secrets = &proxies->setup.secrets;

	return secrets->read != NULL ? secrets : NULL;
}

struct envoy_config *proxies_config(const struct proxies *proxies,
				    const struct routes *routes)
{
	const struct proxy *proxy = NULL;

	if (proxies->all != NULL) {
		struct zl_arena *arena = zl_arena_new();
		proxy = proxies_find(proxies, proxies_id(routes->proxy, arena));
		zl_arena_free(&arena);
	}
	if (proxy != NULL && proxy->muted_count > 0)
		return muting_config(proxy, routes, secrets_of(proxies));
	return envoy_build_proxy(routes, secrets_of(proxies));
}

const struct zone_routes *proxies_zone_routes(const struct proxies *proxies,
					      const struct resource *proxy,
					      struct zl_arena *arena)
{
	return proxy->key.kind == KIND_ZONE_INGRESS
		       ? policy_ingress(proxies->index, proxies->inventory, proxy, arena)
		       : policy_egress(proxies->index, proxies->inventory, proxy, arena);
}

struct envoy_config *proxies_zone_config(const struct proxies *proxies,
					 const struct zone_routes *routes)
{
	return routes->proxy->key.kind == KIND_ZONE_INGRESS
		       ? envoy_build_ingress(routes)
		       : envoy_build_egress(routes, secrets_of(proxies));
}

static void tell_needs(void *arg)
{
	struct proxies *proxies = arg;

	proxies->asking = false;
	if (proxies->setup.needs != NULL)
		proxies->setup.needs(proxies->setup.owner);
}

/* What proxy has a use for. Who brings the contents is told at the end of the turn. */
static void set_secrets(struct proxies *proxies, struct proxy *proxy, struct zl_buf *now)
{
	bool same =
		proxy->secrets.len == now->len &&
		(now->len == 0 || memcmp(proxy->secrets.data, now->data, now->len) == 0);

	zl_buf_free(&proxy->secrets);
	proxy->secrets = *now;
	if (same || proxies->asking)
		return;
	proxies->asking = true;
	loop_defer(proxies->setup.loop, tell_needs, proxies);
}

/* The next of texts that end with a NUL. */
static const char *next_text(const struct zl_buf *texts, size_t *at)
{
	const char *text = texts->data + *at;

	*at += strlen(text) + 1;
	return text;
}

/* A Dataplane's are of its mesh; a zone proxy's stand behind the name of theirs. */
bool push_needs_secret(const struct proxy *proxy, const char *mesh, const char *name)
{
	bool is_dataplane = proxy_is_dataplane(proxy);

	for (size_t at = 0; at < proxy->secrets.len;) {
		const char *of = is_dataplane ? proxy->resource->key.mesh
					      : next_text(&proxy->secrets, &at);
		const char *secret = next_text(&proxy->secrets, &at);
		if (strcmp(of, mesh) == 0 && strcmp(secret, name) == 0)
			return true;
	}
	return false;
}

bool proxies_need_secret(const struct proxies *proxies, const char *mesh,
			 const char *name)
{
	const struct proxy *proxy = proxies->all;

	while (proxy != NULL && !push_needs_secret(proxy, mesh, name))
		proxy = proxy->hh.next;
	return proxy != NULL;
}

/* Note the push, which is on its way from now on. */
static void begin_push(struct proxies *proxies, struct proxy *proxy)
{
	proxies->counts.resolves++;
	proxies->counts.pushes++;
	proxy->wanted = ++proxies->number;
	proxy->due = false;
	proxies->revs[proxy->wanted % PUSHES_KEPT] = proxies->rev;
}

/* Resolve a Dataplane for the next push, and remember what its routes lead to. */
static struct envoy_config *resolve(struct proxies *proxies, struct proxy *proxy,
				    struct zl_arena *arena)
{
	const struct routes *routes =
		proxies_routes(proxies, proxy->resource, false, arena);
	struct zl_buf secrets = { 0 };

	observed_want(proxies->observed, proxy->id, routes, proxies->number + 1);
	zl_buf_drain(&proxy->services, proxy->services.len);
	policy_services(routes, &proxy->services);
	envoy_secrets_named(routes, &secrets);
	set_secrets(proxies, proxy, &secrets);
	receivers_allow(&proxy->receivers, routes);
	struct envoy_config *config = envoy_build_proxy(routes, secrets_of(proxies));
	muting_apply(proxy, routes, secrets_of(proxies), &config);
	return config;
}

static struct envoy_config *
resolve_zone_proxy(struct proxies *proxies, struct proxy *proxy, struct zl_arena *arena)
{
	const struct zone_routes *routes =
		proxies_zone_routes(proxies, proxy->resource, arena);
	struct zl_buf secrets = { 0 };

	if (proxy->resource->key.kind == KIND_ZONE_EGRESS)
		envoy_zone_secrets_named(routes, &secrets);
	set_secrets(proxies, proxy, &secrets);
	return proxies_zone_config(proxies, routes);
}

void push_proxy(struct proxies *proxies, struct proxy *proxy)
{
	if (!proxies->begun || !proxy->connected || proxy->resource == NULL)
		return;
	struct zl_arena *arena = zl_arena_new();
	uint64_t start = zl_now_us();
	bool is_dataplane = proxy_is_dataplane(proxy);
	struct envoy_config *config = is_dataplane
					      ? resolve(proxies, proxy, arena)
					      : resolve_zone_proxy(proxies, proxy, arena);

	proxies->counts.resolve_us += zl_now_us() - start;
	begin_push(proxies, proxy);
	if (is_dataplane)
		identities_note(proxy, config, arena);
	zl_arena_free(&arena);
	xds_server_set(proxies->xds, proxy->id, config, proxy->wanted);
	envoy_config_drop(&config);
}

void push_all(struct proxies *proxies)
{
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		push_proxy(proxies, proxy);
}

/* What proxy acknowledged before is not all of rev, which named the content. */
static void bring(struct proxies *proxies, struct proxy *proxy, uint64_t rev)
{
	uint64_t before = proxy->wanted;

	if (!proxy->connected)
		away_miss(&proxy->away, rev);
	push_proxy(proxies, proxy);
	if (proxy->wanted == before)
		return;
	if (proxy->acked >= proxy->brought || rev < proxy->brought_rev)
		proxy->brought_rev = rev;
	proxy->brought = proxy->wanted;
}

void proxies_secret_came(struct proxies *proxies, const struct resource *secret)
{
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		if (push_needs_secret(proxy, secret->key.mesh, secret->key.name))
			bring(proxies, proxy, secret->mod_rev);
	report_soon(proxies);
}
