#include "global/process.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/ready.h"
#include "global/api/api.h"
#include "global/joining/joining.h"
#include "global/liveness/keeper.h"
#include "global/replication/hub.h"
#include "global/trust/trust.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "loop/notify.h"
#include "mirror/mirror.h"
#include "model/tree.h"
#include "pki/vault.h"
#include "secrets/secrets.h"
#include "store/read.h"
#include "store/write.h"
#include "vips/vips.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	INBOX = 8192,
	SHUTDOWN_SECONDS = 10,
	LAST_WORDS_MS = 3000, /* so long an end waits for clients to take their answers */
	LAST_LOOK_MS = 5,
	SWEEP_MS = 3600 * 1000, /* between two looks for addresses that nobody has */
};

struct process {
	struct config *config; /* borrowed */
	struct loop *loop;
	struct mailbox *inbox; /* letters: struct store_result *, owned */
	struct loop_watch *watch;
	struct pki_vault *vault;
	struct secrets secrets;
	struct store *store;
	struct vips *vips;
	struct set *set;          /* held; what is known now */
	struct position position; /* of set */
	struct trust *trust;
	struct joining *joining;
	struct hub *hub;
	struct keeper *keeper;
	struct api *api;
	struct loop_timer *ending, *sweeping;
	bool closing; /* nothing is submitted any more */
	uint64_t end_by_ms;
};

/* On the store's writer thread. The store takes at most 4096 jobs before their
 * results have come back, so the box has room. */
static void on_done(void *ctx, struct store_result *results)
{
	struct process *process = ctx;

	while (!mailbox_post(process->inbox, &results))
		usleep(1000);
}

/* What became durable enters the set. */
static void take_entry(struct process *process, const struct store_result *result)
{
	struct zl_arena *arena = zl_arena_new();
	struct entry entry;
	struct zl_err err = { 0 };

	if (entry_unpack(result->entry, result->entry_len, arena, &entry, &err) !=
	    ZL_OK) {
		zl_log(ZL_ERROR, "store", "own log entry is not understood", "err=%q",
		       err.msg);
	} else {
		mirror_entry(&process->set, &entry, result->position.rev, mirror_odd);
		vips_committed(process->vips, &entry);
		if (!process->closing) /* else the next start finds it */
			vips_flush(process->vips);
	}
	zl_arena_free(&arena);
}

static void take_result(struct process *process, const struct store_result *result)
{
	if (result->code == ZL_OK && result->entry != NULL) {
		take_entry(process, result);
		if (process->api != NULL)
			api_committed(process->api, result->position.rev);
	}
	if (result->code == ZL_OK)
		process->position = result->position;
	/* Zones first: they are what the client waits for. */
	bool waited = process->api != NULL && api_is_waited(process->api);
	bool was_hubs = process->hub != NULL && hub_result(process->hub, result, waited);
	if (!was_hubs && result->tag != NULL && !joining_result(process->joining, result))
		api_result(process->api, result);
}

static void on_inbox(void *arg, unsigned events)
{
	struct process *process = arg;
	struct store_result *results;

	(void)events;
	while (mailbox_take(process->inbox, &results)) {
		for (const struct store_result *at = results; at != NULL; at = at->next)
			take_result(process, at);
		store_results_free(&results);
	}
}

/* A new store holds one Mesh, default. */
static enum zl_code make_default_mesh(struct process *process, struct zl_err *err)
{
	static const char JSON[] =
		"{\"labels\":{\"" LABEL_DISPLAY_NAME "\":\"default\",\"" LABEL_ORIGIN
		"\":\"global\"},\"name\":\"default\",\"type\":\"Mesh\"}";
	const struct key key = { KIND_MESH, "", "", "", "default" };
	struct zl_buf bytes = { 0 };

	if (process->position.rev != 0)
		return ZL_OK;
	struct store_job *job =
		store_commit_new(NULL, zl_wall_us(), "global", "new store");
	key_bytes(&key, &bytes);
	store_commit_put(job, bytes.data, bytes.len, JSON, strlen(JSON), STORE_ANY, 0);
	zl_buf_free(&bytes);
	enum zl_code code = store_run(process->store, &job, NULL, err);
	store_job_free(&job);
	if (code != ZL_OK)
		return code;
	set_drop(&process->set);
	return mirror_load(process->store, mirror_odd, &process->set, &process->position,
			   NULL, err);
}

/* Addresses, and services of an older store that have none. */
static enum zl_code open_vips(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	struct vip_ranges ranges;
	size_t count = 0;
	enum zl_code code;

	if ((code = vip_ranges_read(config->vips_service, config->vips_external,
				    config->vips_multi_zone, &ranges, err)) != ZL_OK ||
	    (code = vips_open(&process->vips, process->store, &ranges, process->set,
			      err)) != ZL_OK ||
	    (code = vips_repair(process->vips, process->store, process->set, &count,
				err)) != ZL_OK)
		return code;
	if (count == 0)
		return ZL_OK;
	set_drop(&process->set);
	return mirror_load(process->store, mirror_odd, &process->set, &process->position,
			   NULL, err);
}

static void on_sweep(void *arg)
{
	struct process *process = arg;

	vips_sweep(process->vips, process->set);
	vips_flush(process->vips);
	loop_timer_set(process->sweeping, SWEEP_MS);
}

static const struct set *current_set(void *owner)
{
	const struct process *process = owner;

	return process->set;
}

static struct position current_position(void *owner)
{
	const struct process *process = owner;

	return process->position;
}

static void zone_changed(void *owner, const char *zone)
{
	const struct process *process = owner;

	(void)zone;
	if (process->api != NULL)
		api_zone_changed(process->api);
}

/* A key file that is lost is not made anew: what it sealed is lost without it.
 */
static enum zl_code open_vault(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	char *own = zl_format("%s/key", config->data_dir);
	char *sealed = zl_format("%s/pki", config->data_dir);
	const char *path = config->key_file != NULL ? config->key_file : own;
	enum zl_code code = conf_make_folder(config->data_dir, err);

	if (code == ZL_OK)
		code = pki_vault_open(&process->vault, path, access(sealed, F_OK) != 0,
				      err);
	free(sealed);
	free(own);
	return code;
}

static enum zl_code open_store(struct process *process, struct zl_err *err)
{
	char *dir = zl_format("%s/store", process->config->data_dir);
	const struct store_options options = { .done = on_done, .ctx = process };
	struct zl_err why = { 0 };
	enum zl_code code = store_open(&process->store, dir, &options, &why);

	if (code == ZL_ECORRUPT)
		zl_fail(err, code,
			"%s; restore a snapshot: zonelinkctl snapshot restore FILE "
			"--data-dir %s --force",
			why.msg, process->config->data_dir);
	else if (code != ZL_OK)
		zl_fail(err, code, "%s", why.msg);
	if (code == ZL_OK)
		code = mirror_load(process->store, mirror_odd, &process->set,
				   &process->position, NULL, err);
	if (code == ZL_OK)
		code = make_default_mesh(process, err);
	process->secrets = (struct secrets){ process->store, process->vault };
	free(dir);
	return code;
}

static void on_renewed(void *owner)
{
	const struct process *process = owner;

	hub_set_tls(process->hub, trust_hub(process->trust));
	api_set_tls(process->api, trust_api(process->trust));
}

static enum zl_code open_trust(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	char *folder = zl_format("%s/pki", config->data_dir);
	const struct trust_setup setup = {
		.loop = process->loop,
		.folder = folder,
		.vault = process->vault,
		.certificate_s = (uint32_t)(config->certificate_ttl_ms / 1000),
		.renewed = on_renewed,
		.owner = process
	};

	enum zl_code code = trust_open(&process->trust, &setup, err);
	free(folder);
	return code;
}

static void cut(void *owner, const char *zone)
{
	const struct process *process = owner;

	hub_cut(process->hub, zone);
}

static bool is_connected(void *owner, const char *zone)
{
	const struct process *process = owner;
	struct sync_session_view view;

	return hub_zone(process->hub, zone, &view) && view.state == SYNC_ACTIVE;
}

static enum zl_code open_joining(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	const struct joining_setup setup = {
		.store = process->store,
		.trust = process->trust,
		.certificate_s = (uint32_t)(config->certificate_ttl_ms / 1000),
		.set = current_set,
		.cut = cut,
		.is_connected = is_connected,
		.owner = process
	};

	return joining_open(&process->joining, &setup, err);
}

static bool admit(void *owner, const char *zone, const char *serial)
{
	const struct process *process = owner;

	return joining_admit(process->joining, zone, serial);
}

static enum zl_code open_hub(struct process *process, struct zl_err *err)
{
	/* Zones speak three times in a lease. */
	uint64_t lease_ms = process->config->stale_after_ms < SYNC_LEASE_MS
				    ? process->config->stale_after_ms
				    : SYNC_LEASE_MS;
	const struct hub_setup setup = { .loop = process->loop,
					 .store = process->store,
					 .data_dir = process->config->data_dir,
					 .secrets = &process->secrets,
					 .vips = process->vips,
					 .listen = process->config->sync_listen.items,
					 .listen_count =
						 process->config->sync_listen.count,
					 .lease_ms = (uint32_t)lease_ms,
					 .tls = trust_hub(process->trust),
					 .admit = admit,
					 .set = current_set,
					 .zone_changed = zone_changed,
					 .owner = process };

	return hub_open(&process->hub, &setup, err);
}

static void open_keeper(struct process *process)
{
	const struct config *config = process->config;
	const struct keeper_setup setup = { .loop = process->loop,
					    .store = process->store,
					    .hub = process->hub,
					    .rules = { config->stale_after_ms,
						       config->withdraw_after_ms },
					    .set = current_set,
					    .position = current_position,
					    .owner = process };

	process->keeper = keeper_open(&setup);
}

static enum zl_code open_api(struct process *process, struct zl_err *err)
{
	struct config *config = process->config;
	const struct api_setup setup = { .loop = process->loop,
					 .local_is_admin = config->localhost_is_admin,
					 .store = process->store,
					 .data_dir = config->data_dir,
					 .hub = process->hub,
					 .keeper = process->keeper,
					 .secrets = &process->secrets,
					 .vips = process->vips,
					 .joining = process->joining,
					 .tls = trust_api(process->trust),
					 .users = trust_users(process->trust),
					 .listen = config->api_listen.items,
					 .listen_count = config->api_listen.count,
					 .diagnostics = config->diagnostics_listen.items,
					 .diagnostics_count =
						 config->diagnostics_listen.count,
					 .set = current_set,
					 .position = current_position,
					 .owner = process };

	return api_open(&process->api, &setup, err);
}

/* Until those who asked before the end have their answers. */
static void on_ending(void *arg)
{
	const struct process *process = arg;

	if (api_is_drained(process->api) || zl_now_ms() >= process->end_by_ms)
		loop_stop(process->loop);
	else
		loop_timer_set(process->ending, LAST_LOOK_MS);
}

static void on_stop(void *arg)
{
	struct process *process = arg;

	zl_log(ZL_INFO, "global", "ending", NULL);
	loop_manager_stopping();
	loop_deadline(SHUTDOWN_SECONDS);
	process->end_by_ms = zl_now_ms() + LAST_WORDS_MS;
	api_drain(process->api);
	on_ending(process);
}

enum zl_code process_open(struct process **out, struct config *config, struct zl_err *err)
{
	struct process *process = zl_alloc(1, sizeof(*process));
	const struct loop_signals signals = { .stop = on_stop, .arg = process };
	enum zl_code code;

	*out = NULL;
	process->config = config;
	(void)((code = loop_open(&process->loop, err)) != ZL_OK ||
	       (code = loop_signals(process->loop, &signals, err)) != ZL_OK ||
	       (code = mailbox_open(&process->inbox, sizeof(struct store_result *), INBOX,
				    err)) != ZL_OK ||
	       (code = loop_watch_new(&process->watch, process->loop,
				      mailbox_fd(process->inbox), LOOP_READ, on_inbox,
				      process, err)) != ZL_OK ||
	       (process->ending = loop_timer_new(process->loop, on_ending, process),
		process->sweeping = loop_timer_new(process->loop, on_sweep, process),
		code = open_vault(process, err)) != ZL_OK ||
	       (code = open_store(process, err)) != ZL_OK ||
	       (code = open_vips(process, err)) != ZL_OK ||
	       (code = open_trust(process, err)) != ZL_OK ||
	       (code = open_joining(process, err)) != ZL_OK ||
	       (code = open_hub(process, err)) != ZL_OK ||
	       (open_keeper(process), false) || (code = open_api(process, err)) != ZL_OK);
	if (code != ZL_OK)
		process_close(&process);
	*out = process;
	return code;
}

enum zl_code process_ready(const struct process *process, const char *path,
			   struct zl_err *err)
{
	const struct config *config = process->config;
	const struct conf_addrs none = { 0 };
	const struct conf_ready ready = { .role = "global",
					  .api = &config->api_listen,
					  .sync = &config->sync_listen,
					  .diagnostics = &config->diagnostics_listen,
					  .xds = &none };

	zl_log(ZL_INFO, "global", "ready", "revision=%llu",
	       (unsigned long long)process->position.rev);
	return path != NULL ? conf_write_ready(path, &ready, err) : ZL_OK;
}

void process_run(struct process *process)
{
	struct loop_manager *manager = loop_manager_new(process->loop);

	on_sweep(process);
	loop_run(process->loop);
	loop_manager_free(&manager);
}

/* Everything that was submitted gets its result before the rooms that wait are
 * closed. */
static void flush(struct process *process)
{
	struct store_job *job = store_local_new(NULL);
	struct zl_err err = { 0 };
	enum zl_code code;

	while ((code = store_run(process->store, &job, NULL, &err)) == ZL_ELIMIT)
		on_inbox(process, 0); /* its queue is full */
	if (code != ZL_OK)
		zl_log(ZL_WARN, "global", "store at the end", "err=%q", err.msg);
	store_job_free(&job);
	on_inbox(process, 0);
}

void process_close(struct process **processp)
{
	struct process *process = *processp;

	*processp = NULL;
	if (process == NULL)
		return;
	process->closing = true;
	if (process->hub != NULL)
		hub_halt(process->hub);
	if (process->store != NULL)
		flush(process);
	api_close(&process->api);
	keeper_close(&process->keeper);
	hub_close(&process->hub);
	joining_close(&process->joining);
	trust_close(&process->trust);
	store_close(&process->store);
	vips_close(&process->vips);
	pki_vault_close(&process->vault);
	set_drop(&process->set);
	loop_timer_free(&process->ending);
	loop_timer_free(&process->sweeping);
	loop_watch_free(&process->watch);
	mailbox_close(&process->inbox);
	loop_close(&process->loop);
	free(process);
}
