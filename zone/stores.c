/* The stores of the zone, and what their writers hand back. */
#include "zone/inside.h"

#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "mirror/mirror.h"
#include "pki/vault.h"
#include "store/read.h"
#include "vips/vips.h"
#include "zone/api/api.h"
#include "zone/replica.h"
#include "zone/replication/uplink.h"
#include "zone/services/services.h"

#include <stdlib.h>
#include <unistd.h>

/* On a writer thread. */
static void on_done(void *ctx, struct store_result *results)
{
	struct desk *desk = ctx;
	const struct letter letter = { desk, results };

	while (!mailbox_post(desk->process->inbox, &letter))
		usleep(1000);
}

static void take_local(struct process *process, const struct store_result *result)
{
	struct zl_arena *arena = zl_arena_new();
	struct entry entry;
	struct zl_err err = { 0 };

	if (result->code == ZL_OK && result->entry != NULL) {
		if (entry_unpack(result->entry, result->entry_len, arena, &entry, &err) ==
		    ZL_OK) {
			mirror_entry(&process->local_set, &entry, result->position.rev,
				     mirror_odd);
			process_update(process, REGISTRY_LOCAL, process->local_set);
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
		process_report(process);
}

void process_take(void *arg, unsigned events)
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

/* A key file that is lost is not made anew: what it sealed is lost without it.
 */
enum zl_code process_open_vault(struct process *process, struct zl_err *err)
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

enum zl_code process_open_local(struct process *process, struct zl_err *err)
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

enum zl_code process_open_replica(struct process *process, struct zl_err *err)
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
enum zl_code process_open_vips(struct process *process, struct zl_err *err)
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

void process_sweep(void *arg)
{
	struct process *process = arg;

	vips_sweep(process->vips, process->registry.all);
	vips_flush(process->vips);
	loop_timer_set(process->sweeping, SWEEP_MS);
}

enum zl_code process_load_local(struct process *process, struct zl_err *err)
{
	enum zl_code code = mirror_load(process->local.store, mirror_odd,
					&process->local_set, NULL, NULL, err);

	if (code == ZL_OK)
		process_update(process, REGISTRY_LOCAL, process->local_set);
	return code;
}

/* Everything that was submitted gets its result before the rooms that wait are
 * closed. */
void process_flush(struct process *process, struct desk *desk)
{
	struct zl_err err = { 0 };
	enum zl_code code;

	if (desk->store == NULL)
		return;
	struct store_job *job = store_local_new(NULL);
	while ((code = store_run(desk->store, &job, NULL, &err)) == ZL_ELIMIT)
		process_take(process, 0); /* its queue is full */
	if (code != ZL_OK)
		zl_log(ZL_WARN, "zone", "store at the end", "err=%q", err.msg);
	store_job_free(&job);
	process_take(process, 0);
}
