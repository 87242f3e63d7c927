#include "zone/proxies/proxies.h"

#include "base/clock.h"
#include "base/log.h"
#include "envoy/build.h"
#include "loop/loop.h"
#include "policy/policy.h"
#include "zone/proxies/admit.h"
#include "zone/trust/trust.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum {
	PUSHES_KEPT = 8192, /* whose revisions are remembered */
	SPREAD_MS = 500,    /* identities of this time make one push for all */
};

struct proxy {
	UT_hash_handle hh;
	struct resource *dataplane; /* held; NULL: not registered */
	bool connected;
	uint64_t wanted, acked; /* numbers of pushes; 0: none */
	struct zl_buf services; /* that its last push leads to */
	struct zl_buf secrets;  /* names of those that its last push has a use for */
	uint64_t identified;    /* number of the first push with its identity; 0: none */
	bool has_identity;      /* and it has acknowledged that */
	uint64_t brought;       /* number of the last push with a content; 0: none */
	uint64_t brought_rev;   /* that named it; the first of those not acknowledged */
	char id[];
};

struct proxies {
	struct proxies_setup setup;
	struct xds_server *xds;
	struct proxy *all;           /* owned, by id */
	struct policy_index *index;  /* held */
	struct inventory *inventory; /* held; the registry's at the last update */
	uint64_t rev;                /* of global, in force */
	uint64_t number;             /* of the last push */
	uint64_t revs[PUSHES_KEPT];  /* that push n brought in force, at n modulo */
	bool begun, reporting, asking;
	struct loop_timer *spreading;
	struct proxies_counts counts;
};

const char *proxies_id(const struct resource *dataplane, struct zl_arena *arena)
{
	return zl_arena_format(arena, "%s.%s", dataplane->key.mesh, dataplane->key.name);
}

static struct proxy *find(const struct proxies *proxies, const char *id)
{
	struct proxy *proxy;

	HASH_FIND_STR(proxies->all, id, proxy);
	return proxy;
}

static struct proxy *find_or_make(struct proxies *proxies, const char *id)
{
	struct proxy *proxy = find(proxies, id);

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

/* ---- reports ---- */

static void send_report(void *arg)
{
	struct proxies *proxies = arg;

	proxies->reporting = false;
	proxies->setup.reported(proxies->setup.owner);
}

/* Several acknowledgements of one turn make one report. */
static void report_soon(struct proxies *proxies)
{
	if (proxies->reporting)
		return;
	proxies->reporting = true;
	loop_defer(proxies->setup.loop, send_report, proxies);
}

/* Also what was not sent anything yet, as a zone that starts holds it back. */
static bool is_pending(const struct proxy *proxy)
{
	return proxy->connected && proxy->dataplane != NULL &&
	       (proxy->wanted == 0 || proxy->acked < proxy->wanted);
}

/* The revision that a proxy surely has: that of the last push it acknowledged, but for
 * what named a content that came after that push. */
static uint64_t rev_of(const struct proxies *proxies, const struct proxy *proxy)
{
	if (proxy->acked == 0 || proxies->number - proxy->acked >= PUSHES_KEPT)
		return 0;
	uint64_t rev = proxies->revs[proxy->acked % PUSHES_KEPT];
	if (proxy->acked < proxy->brought && rev >= proxy->brought_rev)
		rev = proxy->brought_rev - 1;
	return rev;
}

struct tally {
	const struct proxies *proxies;
	struct zl_arena *arena;
	struct sync_report *report;
	struct sync_trouble *trouble;
};

static void add_trouble(struct tally *tally, const char *proxy, const char *resource,
			const char *text)
{
	struct sync_report *report = tally->report;

	if (report->trouble_count == SYNC_TROUBLES)
		return;
	tally->trouble[report->trouble_count++] =
		(struct sync_trouble){ zl_arena_strdup(tally->arena, proxy),
				       zl_arena_strdup(tally->arena, resource),
				       zl_arena_strdup(tally->arena, text) };
}

static void tally_nacks(void *to, const struct xds_proxy_status *status)
{
	struct tally *tally = to;

	for (size_t i = 0; i < status->resources; i++)
		if (status->list[i].state == XDS_NACKED)
			add_trouble(tally, status->proxy, status->list[i].name,
				    status->list[i].nack != NULL ? status->list[i].nack
								 : "");
	tally->report->nacked += status->counts[XDS_NACKED] > 0;
}

void proxies_report(const struct proxies *proxies, struct zl_arena *arena,
		    struct sync_report *report)
{
	struct tally tally = { proxies, arena, report,
			       zl_arena_alloc(arena, SYNC_TROUBLES,
					      sizeof(struct sync_trouble)) };
	const struct proxy *proxy;

	*report = (struct sync_report){ .acked_rev = proxies->rev,
					.healthy = true,
					.last_error = "",
					.trouble = tally.trouble };
	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next) {
		if (!proxy->connected || proxy->dataplane == NULL)
			continue;
		report->proxies++;
		if (!is_pending(proxy)) {
			report->acked++;
			continue;
		}
		uint32_t nacked = report->nacked;
		uint64_t rev = rev_of(proxies, proxy);
		if (rev < report->acked_rev)
			report->acked_rev = rev;
		(void)xds_server_proxy(proxies->xds, proxy->id, tally_nacks, &tally);
		if (report->nacked == nacked)
			add_trouble(&tally, proxy->id, "", "");
	}
	/* A proxy that acknowledged has not all of a revision of which a part is awaited.
	 */
	uint64_t awaited = proxies->setup.awaited != NULL
				   ? proxies->setup.awaited(proxies->setup.owner)
				   : UINT64_MAX;
	if (report->acked_rev >= awaited)
		report->acked_rev = awaited - 1;
}

/* ---- resolving and pushing ---- */

/* Does this Dataplane take mTLS? Once it does it always will (kinds-spec 6). */
static bool has_identity(const void *owner, const struct resource *dataplane)
{
	const struct proxies *proxies = owner;
	struct zl_arena *arena = zl_arena_new();
	const struct proxy *proxy = find(proxies, proxies_id(dataplane, arena));

	zl_arena_free(&arena);
	return proxy != NULL && proxy->has_identity;
}

const struct routes *proxies_routes(const struct proxies *proxies,
				    const struct resource *dataplane, bool explain,
				    struct zl_arena *arena)
{
	const struct policy_options options = { .explain = explain,
						.has_identity = has_identity,
						.owner = proxies };

	return policy_resolve(proxies->index, proxies->inventory, dataplane, &options,
			      arena);
}

const char *const *proxies_warnings(const struct proxies *proxies, const char *mesh,
				    struct zl_arena *arena, size_t *count)
{
	return policy_warnings(proxies->index, proxies->inventory, mesh, arena, count);
}

struct envoy_config *proxies_config(const struct proxies *proxies,
				    const struct routes *routes)
{
	const struct envoy_secrets *secrets = &proxies->setup.secrets;

	return envoy_build_proxy(routes, secrets->read != NULL ? secrets : NULL);
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

static bool has_name(const struct zl_buf *names, const char *name)
{
	for (size_t at = 0; at < names->len; at += strlen(names->data + at) + 1)
		if (strcmp(names->data + at, name) == 0)
			return true;
	return false;
}

static bool needs_secret(const struct proxy *proxy, const char *mesh, const char *name)
{
	return proxy->dataplane != NULL &&
	       strcmp(proxy->dataplane->key.mesh, mesh) == 0 &&
	       has_name(&proxy->secrets, name);
}

bool proxies_need_secret(const struct proxies *proxies, const char *mesh,
			 const char *name)
{
	const struct proxy *proxy = proxies->all;

	while (proxy != NULL && !needs_secret(proxy, mesh, name))
		proxy = proxy->hh.next;
	return proxy != NULL;
}

/* Remember the push that brings the proxy's identity. */
static void note_identity(struct proxy *proxy, const struct envoy_config *config,
			  struct zl_arena *arena)
{
	const char *name = envoy_identity_name(proxy->dataplane->key.mesh, arena);

	if (proxy->identified == 0 &&
	    envoy_config_find(config, ENVOY_SECRET, name) != NULL)
		proxy->identified = proxy->wanted;
}

static void push(struct proxies *proxies, struct proxy *proxy)
{
	if (!proxies->begun || !proxy->connected || proxy->dataplane == NULL)
		return;
	struct zl_arena *arena = zl_arena_new();
	uint64_t start = zl_now_us();
	const struct routes *routes =
		proxies_routes(proxies, proxy->dataplane, false, arena);
	struct envoy_config *config = proxies_config(proxies, routes);
	struct zl_buf secrets = { 0 };

	proxies->counts.resolve_us += zl_now_us() - start;
	proxies->counts.resolves++;
	proxies->counts.pushes++;
	proxy->wanted = ++proxies->number;
	proxies->revs[proxy->wanted % PUSHES_KEPT] = proxies->rev;
	zl_buf_drain(&proxy->services, proxy->services.len);
	policy_services(routes, &proxy->services);
	envoy_secrets_named(routes, &secrets);
	set_secrets(proxies, proxy, &secrets);
	note_identity(proxy, config, arena);
	zl_arena_free(&arena);
	xds_server_set(proxies->xds, proxy->id, config, proxy->wanted);
	envoy_config_drop(&config);
}

static void push_all(struct proxies *proxies)
{
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		push(proxies, proxy);
}

void proxies_identities_due(struct proxies *proxies, const char *mesh)
{
	struct proxy *proxy;
	struct proxy *next;

	HASH_ITER (hh, proxies->all, proxy, next)
		if (proxy->dataplane != NULL &&
		    strcmp(proxy->dataplane->key.mesh, mesh) == 0)
			push(proxies, proxy);
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
			push(proxies, proxy);
	report_soon(proxies);
}

/* A proxy takes mTLS from now on: where plain connections are taken too, others may ask
 * it by mTLS now. Those who start together are told of together: each push is one for
 * every proxy. */
static void take_identity(struct proxies *proxies, struct proxy *proxy)
{
	if (proxy->has_identity || proxy->identified == 0 || proxy->dataplane == NULL ||
	    proxy->acked < proxy->identified)
		return;
	proxy->has_identity = true;
	if (may_be_plain(proxies, proxy) && !loop_timer_is_set(proxies->spreading))
		loop_timer_set(proxies->spreading, SPREAD_MS);
}

/* What proxy acknowledged before is not all of rev, which named the content. */
static void bring(struct proxies *proxies, struct proxy *proxy, uint64_t rev)
{
	uint64_t before = proxy->wanted;

	push(proxies, proxy);
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
		if (needs_secret(proxy, secret->key.mesh, secret->key.name))
			bring(proxies, proxy, secret->mod_rev);
	report_soon(proxies);
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
	       needs_secret(proxy, change->old->key.mesh, change->old->key.name);
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
			push(proxies, proxy);
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
	push(proxies, proxy);
	report_soon(proxies);
}

static void on_disconnected(void *owner, const char *id)
{
	struct proxies *proxies = owner;
	struct proxy *proxy = find(proxies, id);

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
	struct proxy *proxy = find(proxies, id);

	if (proxy == NULL || number <= proxy->acked)
		return;
	proxy->acked = number;
	take_identity(proxies, proxy);
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
	const struct proxy *proxy = who->proxy != NULL ? find(proxies, who->proxy) : NULL;

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
	proxies->spreading = loop_timer_new(setup->loop, spread, proxies);
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
