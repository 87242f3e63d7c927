/* Proxies: who is admitted, and the Secrets and identities that they get. */
#include "zone/inside.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "zone/proxies/proxies.h"
#include "zone/secrets/keeper.h"
#include "zone/trust/trust.h"
#include "zone/workloads/workloads.h"

#include <stdlib.h>

static bool read_secret(void *owner, const char *mesh, const char *name,
			struct zl_buf *content)
{
	const struct process *process = owner;

	return process->keeper != NULL &&
	       keeper_read(process->keeper, process->registry.all, mesh, name, content);
}

static bool read_identity(void *owner, const struct envoy_holder *holder,
			  struct envoy_identity *out)
{
	const struct process *process = owner;

	return workloads_answer(process->workloads, holder, out);
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
		proxies_secret_came(process->proxies, secret);
}

/* What proves the zone to its proxies, and them to it. */
enum zl_code process_open_trust(struct process *process, struct zl_err *err)
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

enum zl_code process_open_proxies(struct process *process, struct zl_err *err)
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
					     .reported = process_report,
					     .owner = process };
	const struct workloads_setup workloads = { .loop = process->loop,
						   .read = read_secret,
						   .due = on_identities_due,
						   .owner = process };

	process->workloads = workloads_open(&workloads);
	enum zl_code code = proxies_open(&process->proxies, &setup, err);
	if (code != ZL_OK) {
		zl_wrap(err, "xds.listen");
		return code;
	}
	/* All that is known so far is news to it. */
	struct registry_changes changes = { .inventory = true };
	registry_all(&process->registry, &changes);
	proxies_update(process->proxies, &changes, process_rev(process));
	registry_changes_free(&changes);
	if (process->uplink == NULL)
		proxies_begin(process->proxies);
	else if (!process->is_lost)
		loop_timer_set(process->hold, HOLD_MS);
	return ZL_OK;
}

/* Once all is known: contents that nothing names are deleted. */
void process_open_keeper(struct process *process)
{
	const struct keeper_setup setup = { .secrets = { process->local.store,
							 process->vault },
					    .zone = process->config->zone_name,
					    .want = process_ask,
					    .is_needed = is_needed,
					    .came = on_secret_came,
					    .owner = process };

	if (process->uplink == NULL)
		return;
	process->keeper = keeper_open(&setup);
	keeper_update(process->keeper, process->registry.all);
}
