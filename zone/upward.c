/* Global: joining it, following it, and what it is told. */
#include "zone/inside.h"

#include "base/log.h"
#include "base/mem.h"
#include "zone/api/api.h"
#include "zone/identity.h"
#include "zone/join/join.h"
#include "zone/liveness/prober.h"
#include "zone/proxies/proxies.h"
#include "zone/replication/uplink.h"
#include "zone/secrets/keeper.h"

#include <stdlib.h>
#include <string.h>

/* Say once what stays at home, and again when that is something else. */
static void tell_kept(struct process *process)
{
	const struct registry *registry = &process->registry;
	struct zl_buf kri = { 0 };

	if (registry->kept_count == process->kept_told)
		return;
	process->kept_told = registry->kept_count;
	if (registry->kept_count == 0) {
		zl_log(ZL_INFO, "inventory", "global takes all that this zone has", NULL);
		return;
	}
	key_kri(&registry->kept[0].res->key, "", &kri);
	zl_log(ZL_WARN, "inventory", "resources are not sent to global",
	       "count=%zu first=%q err=%q", registry->kept_count, zl_buf_text(&kri),
	       registry->kept[0].why);
	zl_buf_free(&kri);
}

static void send_offer(struct process *process, bool full)
{
	struct zl_arena *arena = zl_arena_new();
	size_t count;
	const struct op *ops = registry_offer(&process->registry, full, arena, &count);

	if (full || count > 0)
		uplink_offer(process->uplink, ops, count, full);
	tell_kept(process);
	zl_arena_free(&arena);
}

void process_offer(void *arg)
{
	send_offer(arg, false);
}

static void on_global_changed(void *owner)
{
	struct process *process = owner;

	if (process->uplink != NULL) {
		process_update(process, REGISTRY_GLOBAL, uplink_set(process->uplink));
		prober_follow(process->prober, uplink_set(process->uplink));
	}
	if (process->api != NULL)
		api_moved(process->api);
}

static void on_link_moved(void *owner, enum sync_zone_state state)
{
	struct process *process = owner;

	if (state == SYNC_LIVE && process->proxies != NULL)
		proxies_begin(process->proxies);
}

static void on_connected(void *owner, bool up)
{
	const struct process *process = owner;

	join_link(process->join, up);
}

static void on_certificate(void *owner, struct pki_tls *tls)
{
	const struct process *process = owner;

	uplink_set_tls(process->uplink, tls);
}

static void on_secret(void *owner, const struct sync_secret *secret, const void *content,
		      size_t len, const char *text)
{
	struct process *process = owner;

	if (process->keeper == NULL)
		return;
	keeper_take(process->keeper, secret, content, len, text);
	process_report(process); /* what was awaited may be whole now */
}

void process_ask(void *owner, const struct sync_secret *list, size_t count)
{
	const struct process *process = owner;

	uplink_want(process->uplink, list, count);
}

void process_report(void *owner)
{
	const struct process *process = owner;
	struct zl_arena *arena = zl_arena_new();
	struct sync_report report;

	if (process->uplink != NULL) {
		proxies_report(process->proxies, arena, &report);
		if (uplink_odd(process->uplink) > 0)
			report.last_error = zl_arena_format(
				arena,
				"%llu resources of global are not understood by this "
				"release and have no effect",
				(unsigned long long)uplink_odd(process->uplink));
		report.probes = prober_found(process->prober, arena, &report.probe_count);
		uplink_report(process->uplink, &report);
	}
	zl_arena_free(&arena);
}

enum zl_code process_open_join(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	char *folder = zl_format("%s/pki", config->data_dir);
	const struct join_setup setup = { .loop = process->loop,
					  .folder = folder,
					  .vault = process->vault,
					  .zone = config->zone_name,
					  .api = config->global_api.items,
					  .api_count = config->global_api.count,
					  .token_file = config->token_file,
					  .changed = on_certificate,
					  .owner = process };
	enum zl_code code = ZL_OK;

	if (config->global_sync.count > 0)
		code = join_open(&process->join, &setup, err);
	free(folder);
	return code;
}

enum zl_code process_open_uplink(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	struct uplink_setup setup = { .loop = process->loop,
				      .store = process->replica.store,
				      .zone = config->zone_name,
				      .global = config->global_sync.items,
				      .global_count = config->global_sync.count,
				      .data_dir = config->data_dir,
				      .changed = on_global_changed,
				      .connected = on_connected,
				      .moved = on_link_moved,
				      .secret = on_secret,
				      .owner = process };
	struct identity identity;

	if (config->global_sync.count == 0)
		return ZL_OK;
	enum zl_code code = identity_take(process->local.store, &identity, err);
	if (code != ZL_OK)
		return code;
	memcpy(setup.uuid, identity.uuid, SYNC_UUID);
	setup.incarnation = identity.incarnation;
	setup.tls = join_tls(process->join);
	code = uplink_open(&process->uplink, &setup, err);
	if (code != ZL_OK)
		return code;
	process_update(process, REGISTRY_GLOBAL, uplink_set(process->uplink));
	prober_follow(process->prober, uplink_set(process->uplink));
	send_offer(process, true);
	process->offered = true;
	return ZL_OK;
}
