#include "zone/services/services.h"

#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"
#include "zone/services/plan.h"

#include <stdlib.h>

enum {
	LOOK_MS = 20,
	AGAIN_MS = 5000, /* after a job that failed */
	TOLD = 5         /* warnings of one look that are logged one by one */
};

struct services {
	struct services_setup setup;
	struct loop_timer *timer;
	/* Of the last look; NULL: none, so all is looked at. */
	struct inventory *inventory;
	struct set *all;
	struct set *states; /* held; what was told last */
	struct services_plan plan;
	size_t warned;
	bool busy; /* a job is under way; its tag is this */
	bool soon; /* the timer is set for a look at changes */
	bool halted;
};

static void on_warning(void *ctx, const char *text)
{
	struct services *services = ctx;

	if (++services->warned <= TOLD)
		zl_log(ZL_WARN, "services", text, NULL);
}

static void forget(struct services *services)
{
	inventory_drop(&services->inventory);
	set_drop(&services->all);
}

static void look_in(struct services *services, uint64_t ms)
{
	services->soon = true;
	loop_timer_set(services->timer, ms);
}

/* Write what was planned. False: it has to be planned again. */
static bool submit(struct services *services)
{
	struct services_plan *plan = &services->plan;
	struct store_job *job = store_commit_new(services, zl_wall_us(), "control plane",
						 "services of Dataplanes");
	struct zl_err err = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		const struct services_change *one = &plan->items[i];
		enum store_expect expect = one->rev != 0 ? STORE_AT_REV : STORE_ABSENT;
		struct zl_buf key = { 0 };
		key_bytes(&one->key, &key);
		if (one->now != NULL)
			store_commit_put(job, key.data, key.len, one->now->json,
					 one->now->json_len, expect, one->rev);
		else
			store_commit_delete(job, key.data, key.len, expect, one->rev);
		zl_buf_free(&key);
	}
	services->busy = store_submit(services->setup.store, &job, &err) == ZL_OK;
	store_job_free(&job);
	if (services->busy)
		return true;
	zl_log(ZL_WARN, "services", "store takes no job", "err=%q", err.msg);
	look_in(services, AGAIN_MS);
	return false;
}

static void tell_states(struct services *services, struct set *now)
{
	struct set *old = services->states;

	services->states = now;
	if (!set_same_kind(old, now, KIND_MESH_SERVICE))
		services->setup.states(services->setup.owner, now);
	set_drop(&old);
}

/* False: all has to be looked at again. */
static bool carry_out(struct services *services)
{
	struct services_plan *plan = &services->plan;
	bool done = true;

	if (services->warned > TOLD)
		zl_log(ZL_WARN, "services", "more of this kind", "count=%zu",
		       services->warned - TOLD);
	if (plan->again_s > 0 && !services->soon)
		loop_timer_set(services->timer, plan->again_s * 1000);
	if (plan->count > 0)
		done = submit(services);
	services_plan_free(plan);
	return done && !plan->more;
}

static void on_look(void *arg)
{
	struct services *services = arg;
	const struct services_setup *setup = &services->setup;
	const struct registry *registry = setup->registry;

	services->soon = false;
	if (services->busy || services->halted)
		return; /* the result looks again */
	/* The registry's may be of an older set with the same Dataplanes: of other
	 * Meshes. */
	struct inventory *inventory =
		inventory_update(registry->inventory, registry->all);
	struct set *all = set_hold(registry->all);
	const struct services_view view = { .inventory = inventory,
					    .all = all,
					    .inventory_before = services->inventory,
					    .all_before = services->all,
					    .local = registry->parts[REGISTRY_LOCAL],
					    .zone = setup->zone,
					    .now_s = zl_wall_us() / 1000000,
					    .grace_s = setup->grace_ms / 1000,
					    .warn = on_warning,
					    .ctx = services };
	bool known = setup->is_known(setup->owner);

	services->warned = 0;
	tell_states(services, services_decide(&view, services->states,
					      known ? &services->plan : NULL));
	bool done = known && carry_out(services);
	forget(services);
	services->inventory = inventory;
	services->all = all;
	if (!done)
		forget(services);
}

struct services *services_open(const struct services_setup *setup)
{
	struct services *services = zl_alloc(1, sizeof(*services));

	services->setup = *setup;
	services->states = set_empty();
	services->timer = loop_timer_new(setup->loop, on_look, services);
	look_in(services, 0);
	return services;
}

void services_close(struct services **servicesp)
{
	struct services *services = *servicesp;

	*servicesp = NULL;
	if (services == NULL)
		return;
	forget(services);
	set_drop(&services->states);
	loop_timer_free(&services->timer);
	free(services);
}

void services_changed(struct services *services)
{
	if (!services->busy && !services->soon)
		look_in(services, LOOK_MS);
}

void services_halt(struct services *services)
{
	services->halted = true;
}

bool services_result(struct services *services, const struct store_result *result)
{
	if (result->tag != services)
		return false;
	services->busy = false;
	if (result->code == ZL_OK) {
		look_in(services, LOOK_MS);
		return true;
	}
	/* A conflict: somebody wrote one of them meanwhile. */
	if (result->code != ZL_ECONFLICT)
		zl_log(ZL_WARN, "services", "services of Dataplanes are not written",
		       "err=%q", result->err.msg);
	forget(services);
	look_in(services, result->code == ZL_ECONFLICT ? LOOK_MS : AGAIN_MS);
	return true;
}
