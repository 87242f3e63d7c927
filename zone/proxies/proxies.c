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

const char *proxies_id(const struct resource *proxy, struct zl_arena *arena)
{
	if (proxy->key.kind != KIND_DATAPLANE)
		return proxy->key.name;
	return zl_arena_format(arena, "%s.%s", proxy->key.mesh, proxy->key.name);
}

struct proxy *proxies_find(const struct proxies *proxies, const char *id)
{
	struct proxy *proxy;

	HASH_FIND_STR(proxies->all, id, proxy);
	return proxy;
}

struct proxy *proxies_find_or_make(struct proxies *proxies, const char *id)
{
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy != NULL)
		return proxy;
	proxy = zl_alloc(1, sizeof(*proxy) + strlen(id) + 1);
	memcpy(proxy->id, id, strlen(id) + 1);
	HASH_ADD_STR(proxies->all, id, proxy);
	return proxy;
}

void proxies_drop_if_idle(struct proxies *proxies, struct proxy *proxy)
{
	if (proxy->resource != NULL || proxy->connected)
		return;
	HASH_DEL(proxies->all, proxy);
	resource_drop(&proxy->last);
	zl_buf_free(&proxy->services);
	zl_buf_free(&proxy->secrets);
	zl_buf_free(&proxy->receivers);
	muting_end(proxy);
	free(proxy);
}

void proxies_begin(struct proxies *proxies)
{
	if (proxies->begun)
		return;
	proxies->begun = true;
	awaiting_begin(proxies);
	egresses_start(proxies);
	push_all(proxies);
	report_soon(proxies);
}

/* ---- what the xDS server tells ---- */

static void on_connected(void *owner, const char *id)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = proxies_find_or_make(proxies, id);

	away_come(&proxy->away);
	proxy->connected = true;
	proxy->acked = 0;
	if (proxy->resource == NULL)
		zl_log(ZL_INFO, "xds", "a proxy waits until it is registered", "proxy=%q",
		       id);
	egresses_take(proxies, proxy, SERVING_CAME);
	muting_end(proxy);
	push_proxy(proxies, proxy);
	report_soon(proxies);
}

static void on_disconnected(void *owner, const char *id)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy == NULL)
		return;
	awaiting_left(proxies, proxy);
	proxy->connected = proxy->due = false;
	proxy->acked = 0;
	egresses_take(proxies, proxy, SERVING_LEFT);
	proxies_drop_if_idle(proxies, proxy);
	report_soon(proxies);
}

static void on_acked(void *owner, const char *id, uint64_t number)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy == NULL || number <= proxy->acked)
		return;
	proxy->acked = number;
	observed_acked(proxies->observed, id, number);
	identities_take(proxies, proxy);
	egresses_hear(proxies, proxy, true);
	report_soon(proxies);
}

static void on_heard(void *owner, const char *id)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy != NULL)
		egresses_hear(proxies, proxy, false);
}

static void on_nacked(void *owner, const char *id, const struct xds_resource_status *what)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = proxies_find(proxies, id);

	if (proxy != NULL && muting_take(proxy, what))
		push_proxy(proxies, proxy);
	report_soon(proxies);
}

static enum xds_verdict on_admit(void *owner, const struct xds_stranger *who,
				 struct zl_err *err)
{
	const struct proxies *proxies = owner;
	const struct proxy *proxy =
		who->proxy != NULL ? proxies_find(proxies, who->proxy) : NULL;

	return admit(proxies->setup.trust, who, proxy != NULL ? proxy->resource : NULL,
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
	.heard = on_heard,
	.reported = observing_take,
	.logged = logging_take,
};

/* ---- life ---- */

enum zl_code proxies_open(struct proxies **out, const struct proxies_setup *setup,
			  struct zl_err *err)
{
	struct proxies *proxies = zl_alloc(1, sizeof(*proxies));

	*out = NULL;
	proxies->setup = *setup;
	proxies->spreading = identities_timer(proxies);
	proxies->passing = passing_timer(proxies);
	proxies->doubting = egresses_timer(proxies);
	proxies->awaiting = awaiting_timer(proxies);
	proxies->detailing = observing_timer(proxies);
	const struct logs_setup logs = { .loop = setup->loop };
	proxies->observed = observed_new();
	proxies->logs = logs_open(&logs);
	proxies->denials = denials_new();
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
		resource_drop(&proxy->resource);
		resource_drop(&proxy->last);
		zl_buf_free(&proxy->services);
		zl_buf_free(&proxy->secrets);
		zl_buf_free(&proxy->receivers);
		muting_end(proxy);
		free(proxy);
		proxy = next;
	}
	policy_index_drop(&proxies->index);
	inventory_drop(&proxies->inventory);
	loop_timer_free(&proxies->spreading);
	loop_timer_free(&proxies->passing);
	loop_timer_free(&proxies->doubting);
	loop_timer_free(&proxies->awaiting);
	loop_timer_free(&proxies->detailing);
	observed_free(&proxies->observed);
	logs_close(&proxies->logs);
	denials_free(&proxies->denials);
	zl_arena_free(&proxies->told);
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
