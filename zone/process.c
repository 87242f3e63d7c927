#include "zone/inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/ready.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "loop/notify.h"
#include "pki/vault.h"
#include "vips/vips.h"
#include "zone/api/api.h"
#include "zone/inventory/folder.h"
#include "zone/join/join.h"
#include "zone/liveness/prober.h"
#include "zone/names/names.h"
#include "zone/proxies/proxies.h"
#include "zone/replication/uplink.h"
#include "zone/secrets/keeper.h"
#include "zone/services/services.h"
#include "zone/trust/trust.h"
#include "zone/workloads/workloads.h"

#include <stdlib.h>

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

/* Until those who asked before the end have their answers and global knows of
 * it. */
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
				   mailbox_fd(process->inbox), LOOP_READ, process_take,
				   process, err)) != ZL_OK)
		return code;
	process->hold = loop_timer_new(process->loop, process_begin, process);
	process->offer = loop_timer_new(process->loop, process_offer, process);
	process->ending = loop_timer_new(process->loop, on_ending, process);
	process->sweeping = loop_timer_new(process->loop, process_sweep, process);
	process_open_names(process);
	if ((code = conf_make_folder(process->config->data_dir, err)) != ZL_OK ||
	    (code = process_open_vault(process, err)) != ZL_OK ||
	    (code = process_open_local(process, err)) != ZL_OK ||
	    (code = process_open_replica(process, err)) != ZL_OK ||
	    (code = process_open_vips(process, err)) != ZL_OK ||
	    (code = process_load_local(process, err)) != ZL_OK ||
	    (code = process_open_folder(process, err)) != ZL_OK ||
	    (code = process_open_trust(process, err)) != ZL_OK ||
	    (process_open_prober(process), false) ||
	    (code = process_open_join(process, err)) != ZL_OK ||
	    (code = process_open_uplink(process, err)) != ZL_OK ||
	    (code = process_open_proxies(process, err)) != ZL_OK)
		return code;
	process_open_keeper(process);
	process_open_services(process);
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
	       (unsigned long long)process_rev(process));
	return path != NULL ? conf_write_ready(path, &ready, err) : ZL_OK;
}

void process_run(struct process *process)
{
	struct loop_manager *manager = loop_manager_new(process->loop);

	if (process->vips != NULL)
		process_sweep(process);
	loop_run(process->loop);
	loop_manager_free(&manager);
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
	process_flush(process, &process->local);
	process_flush(process, &process->replica);
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
