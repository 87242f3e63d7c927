/* What the zone knows changes: who is told. */
#include "zone/inside.h"

#include "loop/loop.h"
#include "vips/vips.h"
#include "zone/inventory/folder.h"
#include "zone/liveness/prober.h"
#include "zone/names/names.h"
#include "zone/proxies/proxies.h"
#include "zone/replication/uplink.h"
#include "zone/secrets/keeper.h"
#include "zone/services/services.h"

uint64_t process_rev(const struct process *process)
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
static bool concerns_secrets(const struct process *process,
			     const struct registry_changes *changes)
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
		case KIND_DATAPLANE: /* the first of its mesh here, or the last */
			if ((change->now == NULL || change->old == NULL) &&
			    dataplane_is_local(any, process->config->zone_name))
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
		proxies_update(process->proxies, changes, process_rev(process));
	if (process->keeper != NULL && concerns_secrets(process, changes))
		keeper_update(process->keeper, process->registry.all);
	if (process->services != NULL && (changes->inventory || changes->meshes))
		services_changed(process->services);
	if (ours && process->uplink != NULL && process->offered &&
	    !loop_timer_is_set(process->offer))
		loop_timer_set(process->offer, OFFER_MS);
	registry_changes_free(changes);
}

void process_update(struct process *process, enum registry_part part,
		    const struct set *set)
{
	struct registry_changes changes = { 0 };

	registry_update(&process->registry, part, set, &changes);
	spread(process, &changes, part != REGISTRY_GLOBAL);
}

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

void process_open_names(struct process *process)
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

void process_begin(void *arg)
{
	const struct process *process = arg;

	proxies_begin(process->proxies);
}

static void on_folder_changed(void *owner)
{
	struct process *process = owner;

	process_update(process, REGISTRY_FOLDER, folder_set(process->folder));
}

/* Other zones look another way from here. */
static void on_found(void *owner)
{
	struct process *process = owner;
	struct set *views = prober_views(process->prober);

	process_update(process, REGISTRY_FOUND, views);
	set_drop(&views);
	if (process->proxies != NULL)
		process_report(process);
}

void process_open_prober(struct process *process)
{
	const struct prober_setup setup = { .loop = process->loop,
					    .zone = process->config->zone_name,
					    .changed = on_found,
					    .address = address_of,
					    .owner = process };

	process->prober = prober_open(&setup);
}

enum zl_code process_open_folder(struct process *process, struct zl_err *err)
{
	const struct config *config = process->config;

	if (config->dataplanes_dir == NULL)
		return ZL_OK;
	enum zl_code code =
		folder_open(&process->folder, process->loop, config->dataplanes_dir,
			    config->zone_name, config->global_sync.count == 0,
			    on_folder_changed, process, err);
	if (code == ZL_OK)
		process_update(process, REGISTRY_FOLDER, folder_set(process->folder));
	return code;
}

static bool knows_global(void *owner)
{
	const struct process *process = owner;

	return process->uplink == NULL || uplink_rev(process->uplink) > 0;
}

static void on_states(void *owner, const struct set *states)
{
	process_update(owner, REGISTRY_STATES, states);
}

void process_open_services(struct process *process)
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
