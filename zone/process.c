#include "zone/process.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/ready.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "loop/notify.h"
#include "model/apply.h"
#include "pki/vault.h"
#include "store/read.h"
#include "vips/vips.h"
#include "zone/api/api.h"
#include "zone/identity.h"
#include "zone/inventory/folder.h"
#include "zone/inventory/registry.h"
#include "zone/join/join.h"
#include "zone/liveness/prober.h"
#include "zone/names/names.h"
#include "zone/proxies/proxies.h"
#include "zone/replica.h"
#include "zone/replication/uplink.h"
#include "zone/secrets/keeper.h"
#include "zone/services/services.h"
#include "zone/trust/trust.h"
#include "zone/workloads/workloads.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	INBOX = 16384,
	SHUTDOWN_SECONDS = 10,
	HOLD_MS = 2000, /* first answers to proxies wait so long for news from global */
	OFFER_MS = 20,  /* changes of the inventory within this time travel together */
	LAST_WORDS_MS = 3000, /* so long an end waits for clients to take their answers */
	GOODBYE_MS = 500,     /* and for global to hear of it */
	LAST_LOOK_MS = 5,
	SWEEP_MS = 3600 * 1000, /* between two looks for addresses that nobody has */
};

/* A store and the letters of its writer thread. */
struct desk {
	struct process *process;
	struct store *store;
};

/* From a writer thread; results are owned. */
struct letter {
	struct desk *desk;
	struct store_result *results;
};

struct process {
	struct config *config; /* borrowed */
	struct loop *loop;
	struct mailbox *inbox; /* letters: struct letter */
	struct loop_watch *watch;
	struct pki_vault *vault;
	struct trust *trust;
	struct desk replica, local;
	struct set *local_set; /* held; what was written here */
	struct vips *vips;     /* NULL: global gives addresses */
	struct registry registry;
	struct folder *folder; /* NULL: none is watched */
	struct uplink *uplink; /* NULL: the zone is alone */
	struct join *join;     /* the same */
	struct prober *prober;
	struct names *names;
	struct services *services;
	struct proxies *proxies;
	struct api *api;
	struct keeper *keeper; /* NULL: the zone is alone */
	struct workloads *workloads;
	struct loop_timer *hold, *offer, *ending, *sweeping;
	uint64_t stopped_ms; /* when it was told to end */
	bool offered;
	bool is_lost; /* a damaged replica was moved aside, and no other is here yet */
	size_t kept_told; /* how many were told to stay at home */
	bool closing;     /* nothing is submitted any more */
};

static void on_odd(void *ctx, const struct key *key, uint64_t rev, const char *why)
{
	struct zl_buf kri = { 0 };

	(void)ctx;
	if (key->kind != KIND_NONE)
		key_kri(key, "", &kri);
	zl_log(ZL_ERROR, "store", "a stored resource is not understood and not used",
	       "kri=%q rev=%llu err=%q", zl_buf_text(&kri), (unsigned long long)rev, why);
	zl_buf_free(&kri);
}

/* On a writer thread. */
static void on_done(void *ctx, struct store_result *results)
{
	struct desk *desk = ctx;
	const struct letter letter = { desk, results };

	while (!mailbox_post(desk->process->inbox, &letter))
		usleep(1000);
}

/* ---- what is known changes ---- */

static uint64_t rev_in_force(const struct process *process)
{
	return process->uplink != NULL ? uplink_rev(process->uplink) : 0;
}

/* The addresses that a zone without global gave, or takes back. */
static void keep_addresses(struct process *process,
			   const struct registry_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct registry_change *change = &changes->items[i];
		const struct resource *any =
			change->now != NULL ? change->now : change->old;
		vips_kept(process->vips, &any->key, change->now != NULL);
	}
	if (!process->closing) /* else the next start finds it */
		vips_flush(process->vips);
}

/* May there be another need of a Secret, or another Secret? */
static bool concerns_secrets(const struct registry_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct registry_change *change = &changes->items[i];
		const struct resource *any =
			change->now != NULL ? change->now : change->old;
		switch (any->key.kind) {
		case KIND_SECRET:
		case KIND_MESH_GATEWAY:
		case KIND_MESH_EXTERNAL_SERVICE:
		case KIND_EXTERNAL_SERVICE:
			return true;
		case KIND_DATAPLANE: /* the first of its mesh, or the last */
			if (change->now == NULL || change->old == NULL)
				return true;
			break;
		default:
			break;
		}
	}
	return changes->meshes;
}

/* Let everyone know of changes; ours: of what the zone offers, too. */
static void spread(struct process *process, struct registry_changes *changes, bool ours)
{
	if (process->vips != NULL)
		keep_addresses(process, changes);
	if (process->proxies != NULL)
		proxies_update(process->proxies, changes, rev_in_force(process));
	if (process->keeper != NULL && concerns_secrets(changes))
		keeper_update(process->keeper, process->registry.all);
	if (process->services != NULL && (changes->inventory || changes->meshes))
		services_changed(process->services);
	if (ours && process->uplink != NULL && process->offered &&
	    !loop_timer_is_set(process->offer))
		loop_timer_set(process->offer, OFFER_MS);
	registry_changes_free(changes);
}

static void update(struct process *process, enum registry_part part,
		   const struct set *set)
{
	struct registry_changes changes = { 0 };

	registry_update(&process->registry, part, set, &changes);
	spread(process, &changes, part != REGISTRY_GLOBAL);
}

/* ---- host names ---- */

static const char *address_of(void *owner, const char *name)
{
	struct process *process = owner;

	return names_address(process->names, name);
}

static void on_renamed(void *owner, const char *name)
{
	struct process *process = owner;
	struct registry_changes changes = { 0 };

	registry_renamed(&process->registry, name, &changes);
	spread(process, &changes, true);
}

static bool is_wanted(void *owner, const char *name)
{
	const struct process *process = owner;

	return registry_has_name(&process->registry, name);
}

static void open_names(struct process *process)
{
	const struct names_setup setup = { .loop = process->loop,
					   .again_ms = NAMES_AGAIN_MS,
					   .retry_ms = NAMES_RETRY_MS,
					   .changed = on_renamed,
					   .wanted = is_wanted,
					   .owner = process };

	process->names = names_open(&setup);
	process->registry.address = address_of;
	process->registry.owner = process;
}

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

static void on_offer(void *arg)
{
	send_offer(arg, false);
}

static void on_global_changed(void *owner)
{
	struct process *process = owner;

	if (process->uplink != NULL) {
		update(process, REGISTRY_GLOBAL, uplink_set(process->uplink));
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

static void on_reported(void *owner);

static void on_secret(void *owner, const struct sync_secret *secret, const void *content,
		      size_t len, const char *text)
{
	struct process *process = owner;

	if (process->keeper == NULL)
		return;
	keeper_take(process->keeper, secret, content, len, text);
	on_reported(process); /* what was awaited may be whole now */
}

static void on_want(void *owner, const struct sync_secret *list, size_t count)
{
	const struct process *process = owner;

	uplink_want(process->uplink, list, count);
}

/* ---- contents of Secrets ---- */

static bool read_secret(void *owner, const char *mesh, const char *name,
			struct zl_buf *content)
{
	const struct process *process = owner;

	return process->keeper != NULL &&
	       keeper_read(process->keeper, process->registry.all, mesh, name, content);
}

static bool read_identity(void *owner, const struct routes *routes,
			  struct envoy_identity *out)
{
	const struct process *process = owner;

	return workloads_answer(process->workloads, routes, out);
}

static void on_identities_due(void *owner, const char *mesh)
{
	const struct process *process = owner;

	if (process->proxies != NULL)
		proxies_identities_due(process->proxies, mesh);
}

static uint64_t first_awaited(void *owner)
{
	const struct process *process = owner;

	return process->keeper != NULL ? keeper_awaited(process->keeper) : UINT64_MAX;
}

static void on_needs(void *owner)
{
	const struct process *process = owner;

	if (process->keeper != NULL)
		keeper_update(process->keeper, process->registry.all);
}

static bool is_needed(void *owner, const char *mesh, const char *name)
{
	const struct process *process = owner;

	return process->proxies != NULL &&
	       proxies_need_secret(process->proxies, mesh, name);
}

static void on_secret_came(void *owner, const struct resource *secret)
{
	const struct process *process = owner;

	if (process->proxies != NULL)
		proxies_secret_came(process->proxies, secret->key.mesh, secret->key.name);
}

static void on_hold_over(void *arg)
{
	const struct process *process = arg;

	proxies_begin(process->proxies);
}

static void on_folder_changed(void *owner)
{
	struct process *process = owner;

	update(process, REGISTRY_FOLDER, folder_set(process->folder));
}

static void on_reported(void *owner)
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

/* Other zones look another way from here. */
static void on_found(void *owner)
{
	struct process *process = owner;
	struct set *views = prober_views(process->prober);

	update(process, REGISTRY_FOUND, views);
	set_drop(&views);
	if (process->proxies != NULL)
		on_reported(process);
}

/* ---- results of the stores ---- */

static void take_local(struct process *process, const struct store_result *result)
{
	struct zl_arena *arena = zl_arena_new();
	struct entry entry;
	struct zl_err err = { 0 };

	if (result->code == ZL_OK && result->entry != NULL) {
		if (entry_unpack(result->entry, result->entry_len, arena, &entry, &err) ==
		    ZL_OK) {
			struct set_edit *edit = set_edit(process->local_set);
			apply_entry(edit, process->local_set, &entry,
				    result->position.rev, on_odd, NULL);
			set_drop(&process->local_set);
			process->local_set = set_done(&edit);
			update(process, REGISTRY_LOCAL, process->local_set);
		} else {
			zl_log(ZL_ERROR, "store", "own log entry is not understood",
			       "err=%q", err.msg);
		}
	}
	zl_arena_free(&arena);
	if (result->tag != NULL && !services_result(process->services, result))
		api_result(process->api, result);
}

static void take_replica(struct process *process, const struct store_result *result)
{
	uint64_t odd = uplink_odd(process->uplink);

	uplink_result(process->uplink, result);
	if (uplink_odd(process->uplink) != odd && process->proxies != NULL)
		on_reported(process);
}

static void on_inbox(void *arg, unsigned events)
{
	struct process *process = arg;
	struct letter letter;

	(void)events;
	while (mailbox_take(process->inbox, &letter)) {
		for (const struct store_result *at = letter.results; at != NULL;
		     at = at->next) {
			if (letter.desk == &process->local)
				take_local(process, at);
			else
				take_replica(process, at);
		}
		store_results_free(&letter.results);
	}
}

/* ---- start ---- */

/* A key file that is lost is not made anew: what it sealed is lost without it. */
static enum zl_code open_vault(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	char *own = zl_format("%s/key", config->data_dir);
	char *sealed = zl_format("%s/pki", config->data_dir);
	const char *path = config->key_file != NULL ? config->key_file : own;

	enum zl_code code =
		pki_vault_open(&process->vault, path, access(sealed, F_OK) != 0, err);
	free(sealed);
	free(own);
	return code;
}

static enum zl_code open_local(struct process *process, struct zl_err *err)
{
	struct desk *desk = &process->local;
	const char *data_dir = process->config->data_dir;
	char *dir = zl_format("%s/local", data_dir);
	const struct store_options options = { .done = on_done, .ctx = desk };
	struct zl_err why = { 0 };

	desk->process = process;
	enum zl_code code = store_open(&desk->store, dir, &options, &why);
	if (code == ZL_ECORRUPT)
		zl_fail(err, code,
			"%s; put a copy of the folder back, or move it away: then what "
			"was "
			"written in this zone has to be written again",
			why.msg);
	else if (code != ZL_OK)
		zl_fail(err, code, "%s", why.msg);
	free(dir);
	return code;
}

static enum zl_code open_replica(struct process *process, struct zl_err *err)
{
	struct desk *desk = &process->replica;
	const struct store_options options = { .done = on_done, .ctx = desk };

	desk->process = process;
	return replica_open(&desk->store, process->config->data_dir, &options,
			    &process->is_lost, err);
}

static struct resource *complete(void *owner, const struct resource *res)
{
	const struct process *process = owner;

	return vips_complete(process->vips, res);
}

/* A zone alone gives addresses itself, by global's rule. */
static enum zl_code open_vips(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	struct vip_ranges ranges;

	if (config->global_sync.count > 0)
		return ZL_OK;
	enum zl_code code = vip_ranges_read(config->vips_service, config->vips_external,
					    config->vips_multi_zone, &ranges, err);
	if (code == ZL_OK)
		code = vips_open(&process->vips, process->local.store, &ranges,
				 process->local_set, err);
	if (code != ZL_OK)
		return code;
	process->registry.complete = complete;
	return ZL_OK;
}

static void on_sweep(void *arg)
{
	struct process *process = arg;

	vips_sweep(process->vips, process->registry.all);
	vips_flush(process->vips);
	loop_timer_set(process->sweeping, SWEEP_MS);
}

static bool load_item(void *ctx, const struct store_item *item)
{
	const struct apply_record record = { .key = item->key,
					     .key_len = item->key_len,
					     .value = item->value,
					     .value_len = item->value_len,
					     .mod_rev = item->mod_rev,
					     .create_rev = item->create_rev,
					     .wall_us = item->wall_us };

	apply_record(ctx, &record, on_odd, NULL);
	return true;
}

static enum zl_code load_local(struct process *process, struct zl_err *err)
{
	struct set_edit *edit = set_edit(process->local_set);
	struct store_view *view;

	enum zl_code code = store_view_open(process->local.store, &view, err);
	if (code == ZL_OK) {
		code = store_each(view, NULL, 0, NULL, 0, load_item, edit, err);
		store_view_close(&view);
	}
	set_drop(&process->local_set);
	process->local_set = set_done(&edit);
	if (code == ZL_OK)
		update(process, REGISTRY_LOCAL, process->local_set);
	return code;
}

static void open_prober(struct process *process)
{
	const struct prober_setup setup = { .loop = process->loop,
					    .zone = process->config->zone_name,
					    .changed = on_found,
					    .address = address_of,
					    .owner = process };

	process->prober = prober_open(&setup);
}

static enum zl_code open_join(struct process *process, struct zl_err *err)
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

static enum zl_code open_uplink(struct process *process, struct zl_err *err)
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
	update(process, REGISTRY_GLOBAL, uplink_set(process->uplink));
	prober_follow(process->prober, uplink_set(process->uplink));
	send_offer(process, true);
	process->offered = true;
	return ZL_OK;
}

static enum zl_code open_folder(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;

	if (config->dataplanes_dir == NULL)
		return ZL_OK;
	enum zl_code code =
		folder_open(&process->folder, process->loop, config->dataplanes_dir,
			    config->zone_name, config->global_sync.count == 0,
			    on_folder_changed, process, err);
	if (code == ZL_OK)
		update(process, REGISTRY_FOLDER, folder_set(process->folder));
	return code;
}

/* What proves the zone to its proxies, and them to it. */
static enum zl_code open_trust(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	char *folder = zl_format("%s/pki", config->data_dir);
	const struct trust_setup setup = {
		.loop = process->loop,
		.folder = folder,
		.zone = config->zone_name,
		.vault = process->vault,
		.certificate_s = (uint32_t)(config->xds_certificate_ms / 1000)
	};

	enum zl_code code = trust_open(&process->trust, &setup, err);
	free(folder);
	return code;
}

static enum zl_code open_proxies(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;
	const struct proxies_setup setup = { .loop = process->loop,
					     .registry = &process->registry,
					     .zone = config->zone_name,
					     .listen = config->xds_listen.items,
					     .listen_count = config->xds_listen.count,
					     .max_connections =
						     (size_t)config->xds_max_connections,
					     .trust = process->trust,
					     .secrets = { .read = read_secret,
							  .identity = read_identity,
							  .owner = process },
					     .awaited = first_awaited,
					     .needs = on_needs,
					     .reported = on_reported,
					     .owner = process };
	const struct workloads_setup workloads = { .loop = process->loop,
						   .read = read_secret,
						   .due = on_identities_due,
						   .owner = process };

	process->workloads = workloads_open(&workloads);
	enum zl_code code = proxies_open(&process->proxies, &setup, err);
	if (code != ZL_OK)
		return code;
	/* All that is known so far is news to it. */
	struct registry_changes changes = { .inventory = true };
	registry_all(&process->registry, &changes);
	proxies_update(process->proxies, &changes, rev_in_force(process));
	registry_changes_free(&changes);
	if (process->uplink == NULL)
		proxies_begin(process->proxies);
	else if (!process->is_lost)
		loop_timer_set(process->hold, HOLD_MS);
	return ZL_OK;
}

static enum zl_code open_api(struct process *process, struct zl_err *err)
{
	struct config *config = process->config;
	const struct api_setup setup = { .loop = process->loop,
					 .local_is_admin = config->localhost_is_admin,
					 .store = process->local.store,
					 .registry = &process->registry,
					 .proxies = process->proxies,
					 .folder = process->folder,
					 .uplink = process->uplink,
					 .join = process->join,
					 .keeper = process->keeper,
					 .zone = config->zone_name,
					 .xds = config->xds_advertise.count > 0
							? &config->xds_advertise.items[0]
							: &config->xds_listen.items[0],
					 .trust = process->trust,
					 .listen = config->api_listen.items,
					 .listen_count = config->api_listen.count,
					 .diagnostics = config->diagnostics_listen.items,
					 .diagnostics_count =
						 config->diagnostics_listen.count };

	return api_open(&process->api, &setup, err);
}

/* Once all is known: contents that nothing names are deleted. */
static void open_keeper(struct process *process)
{
	const struct keeper_setup setup = { .secrets = { process->local.store,
							 process->vault },
					    .zone = process->config->zone_name,
					    .want = on_want,
					    .is_needed = is_needed,
					    .came = on_secret_came,
					    .owner = process };

	if (process->uplink == NULL)
		return;
	process->keeper = keeper_open(&setup);
	keeper_update(process->keeper, process->registry.all);
}

static bool knows_global(void *owner)
{
	const struct process *process = owner;

	return process->uplink == NULL || uplink_rev(process->uplink) > 0;
}

static void on_states(void *owner, const struct set *states)
{
	update(owner, REGISTRY_STATES, states);
}

static void open_services(struct process *process)
{
	const struct config *config = process->config;
	const struct services_setup setup = { .loop = process->loop,
					      .store = process->local.store,
					      .registry = &process->registry,
					      .zone = config->zone_name,
					      .grace_ms = config->services_grace_ms,
					      .is_known = knows_global,
					      .states = on_states,
					      .owner = process };

	process->services = services_open(&setup);
}

/* Until those who asked before the end have their answers and global knows of it. */
static void on_ending(void *arg)
{
	const struct process *process = arg;
	uint64_t passed = zl_now_ms() - process->stopped_ms;
	bool answered = api_is_drained(process->api) || passed >= LAST_WORDS_MS;
	bool told = process->uplink == NULL || uplink_is_stopped(process->uplink) ||
		    passed >= GOODBYE_MS;

	if (answered && told)
		loop_stop(process->loop);
	else
		loop_timer_set(process->ending, LAST_LOOK_MS);
}

static void on_stop(void *arg)
{
	struct process *process = arg;

	zl_log(ZL_INFO, "zone", "ending", NULL);
	loop_manager_stopping();
	loop_deadline(SHUTDOWN_SECONDS);
	process->stopped_ms = zl_now_ms();
	api_drain(process->api);
	if (process->uplink != NULL)
		uplink_stop(process->uplink);
	on_ending(process);
}

static enum zl_code open_all(struct process *process, struct zl_err *err)
{
	const struct loop_signals signals = { .stop = on_stop, .arg = process };
	enum zl_code code;

	if ((code = loop_open(&process->loop, err)) != ZL_OK ||
	    (code = loop_signals(process->loop, &signals, err)) != ZL_OK ||
	    (code = mailbox_open(&process->inbox, sizeof(struct letter), INBOX, err)) !=
		    ZL_OK ||
	    (code = loop_watch_new(&process->watch, process->loop,
				   mailbox_fd(process->inbox), LOOP_READ, on_inbox,
				   process, err)) != ZL_OK)
		return code;
	process->hold = loop_timer_new(process->loop, on_hold_over, process);
	process->offer = loop_timer_new(process->loop, on_offer, process);
	process->ending = loop_timer_new(process->loop, on_ending, process);
	process->sweeping = loop_timer_new(process->loop, on_sweep, process);
	open_names(process);
	if ((code = conf_make_folder(process->config->data_dir, err)) != ZL_OK ||
	    (code = open_vault(process, err)) != ZL_OK ||
	    (code = open_local(process, err)) != ZL_OK ||
	    (code = open_replica(process, err)) != ZL_OK ||
	    (code = open_vips(process, err)) != ZL_OK ||
	    (code = load_local(process, err)) != ZL_OK ||
	    (code = open_folder(process, err)) != ZL_OK ||
	    (code = open_trust(process, err)) != ZL_OK || (open_prober(process), false) ||
	    (code = open_join(process, err)) != ZL_OK ||
	    (code = open_uplink(process, err)) != ZL_OK ||
	    (code = open_proxies(process, err)) != ZL_OK)
		return code;
	open_keeper(process);
	open_services(process);
	return open_api(process, err);
}

enum zl_code process_open(struct process **out, struct config *config, struct zl_err *err)
{
	struct process *process = zl_alloc(1, sizeof(*process));

	*out = NULL;
	process->config = config;
	process->local_set = set_empty();
	registry_init(&process->registry, config->zone_name);
	enum zl_code code = open_all(process, err);
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
	const struct conf_ready ready = { .role = "zone",
					  .api = &config->api_listen,
					  .sync = &none,
					  .diagnostics = &config->diagnostics_listen,
					  .xds = &config->xds_listen };

	zl_log(ZL_INFO, "zone", "ready", "zone=%q revision=%llu", config->zone_name,
	       (unsigned long long)rev_in_force(process));
	return path != NULL ? conf_write_ready(path, &ready, err) : ZL_OK;
}

void process_run(struct process *process)
{
	struct loop_manager *manager = loop_manager_new(process->loop);

	if (process->vips != NULL)
		on_sweep(process);
	loop_run(process->loop);
	loop_manager_free(&manager);
}

/* Everything that was submitted gets its result before the rooms that wait are closed. */
static void flush(struct process *process, struct desk *desk)
{
	struct zl_err err = { 0 };
	enum zl_code code;

	if (desk->store == NULL)
		return;
	struct store_job *job = store_local_new(NULL);
	while ((code = store_run(desk->store, &job, NULL, &err)) == ZL_ELIMIT)
		on_inbox(process, 0); /* its queue is full */
	if (code != ZL_OK)
		zl_log(ZL_WARN, "zone", "store at the end", "err=%q", err.msg);
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
	if (process->services != NULL)
		services_halt(process->services);
	if (process->uplink != NULL)
		uplink_halt(process->uplink);
	flush(process, &process->local);
	flush(process, &process->replica);
	api_close(&process->api);
	prober_close(&process->prober);
	join_close(&process->join);
	uplink_close(&process->uplink);
	keeper_close(&process->keeper);
	workloads_close(&process->workloads);
	services_close(&process->services);
	proxies_close(&process->proxies);
	trust_close(&process->trust);
	folder_close(&process->folder);
	store_close(&process->local.store);
	store_close(&process->replica.store);
	vips_close(&process->vips);
	pki_vault_close(&process->vault);
	names_close(&process->names);
	registry_fini(&process->registry);
	set_drop(&process->local_set);
	loop_timer_free(&process->hold);
	loop_timer_free(&process->offer);
	loop_timer_free(&process->ending);
	loop_timer_free(&process->sweeping);
	loop_watch_free(&process->watch);
	mailbox_close(&process->inbox);
	loop_close(&process->loop);
	free(process);
}
