#include "global/liveness/keeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"
#include "model/set.h"
#include "store/write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 500,
	AGAIN_MS = 2000 /* so long a commit may take before it is submitted again */
};

struct watch {
	struct watch *next; /* owned */
	char *zone;         /* owned */
	struct liveness liveness;
	struct progress progress;
	uint64_t heard_at; /* what the hub said last */
	uint64_t stuck_ms;
	uint64_t again_ms; /* a job is under way until then */
	bool there;        /* in this look */
};

struct keeper {
	struct keeper_setup setup;
	struct loop_timer *timer;
	struct watch *watches; /* owned */
	struct listening listening;
	uint64_t looked_ms;
};

static struct watch *find(const struct keeper *keeper, const char *zone)
{
	struct watch *watch = keeper->watches;

	while (watch != NULL && strcmp(watch->zone, zone) != 0)
		watch = watch->next;
	return watch;
}

/* What an earlier process wrote holds until something is heard. */
static struct watch *find_or_make(struct keeper *keeper, const struct resource *zone)
{
	struct watch *watch = find(keeper, zone->key.name);

	if (watch != NULL)
		return watch;
	watch = zl_alloc(1, sizeof(*watch));
	watch->zone = zl_strdup(zone->key.name);
	watch->liveness.condition = zone->zone->condition;
	watch->next = keeper->watches;
	keeper->watches = watch;
	return watch;
}

/* What other zones, which are heard of, found at the ingresses of zone. */
static void count_probes(const struct hub *hub, const char *zone,
			 struct liveness_news *news)
{
	for (size_t i = 0; i < hub_zone_count(hub); i++) {
		struct sync_session_view other = hub_zone_at(hub, i);
		if (other.state != SYNC_ACTIVE || strcmp(other.zone, zone) == 0)
			continue;
		for (size_t j = 0; j < other.report.probe_count; j++) {
			const struct sync_probe *probe = &other.report.probes[j];
			if (strcmp(probe->zone, zone) != 0)
				continue;
			news->answering += probe->answers;
			news->failing += !probe->answers;
		}
	}
}

static bool offers_anything(const struct set *set, const char *zone)
{
	struct set_iter each = set_each(set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (strcmp(res->key.zone, zone) == 0)
			return true;
	return false;
}

/* ---- telling all zones ---- */

static void submit(struct keeper *keeper, struct watch *watch,
		   const struct resource *zone, const char *since)
{
	enum zone_condition now = watch->liveness.condition;
	struct resource *res = zone_with_condition(zone, now, since);
	char *message = zl_format("zone %s is %s", watch->zone, zone_condition_name(now));
	/* Nobody waits for it: the next look sees whether it came. */
	struct store_job *job = store_commit_new(NULL, zl_wall_us(), "global", message);
	struct zl_buf key = { 0 };
	struct zl_err err = { 0 };

	key_bytes(&res->key, &key);
	store_commit_put(job, key.data, key.len, res->json, res->json_len, STORE_AT_REV,
			 zone->mod_rev);
	if (store_submit(keeper->setup.store, &job, &err) != ZL_OK) {
		zl_log(ZL_WARN, "liveness", "the condition of a zone cannot be written",
		       "zone=%q err=%q", watch->zone, err.msg);
		store_job_free(&job);
	}
	zl_buf_free(&key);
	free(message);
	resource_drop(&res);
}

/* Make the Zone say what was decided. */
static void write_condition(struct keeper *keeper, struct watch *watch,
			    const struct resource *zone, uint64_t now)
{
	char since[ZL_TIME_TEXT];

	if (zone->zone->condition == watch->liveness.condition || now < watch->again_ms)
		return;
	watch->again_ms = now + AGAIN_MS;
	zl_time_text(zl_wall_us() - watch->liveness.silent_ms * 1000, since);
	zl_log(watch->liveness.condition == ZONE_ONLINE ? ZL_INFO : ZL_WARN, "liveness",
	       "a zone is in another condition",
	       "zone=%q condition=%s was=%s silent_ms=%" PRIu64, watch->zone,
	       zone_condition_name(watch->liveness.condition),
	       zone_condition_name(zone->zone->condition), watch->liveness.silent_ms);
	submit(keeper, watch, zone,
	       zone->zone->since[0] != '\0' ? zone->zone->since : since);
}

/* ---- looking ---- */

static void look_at(struct keeper *keeper, const struct resource *zone, uint64_t counts,
		    uint64_t now)
{
	struct watch *watch = find_or_make(keeper, zone);
	struct liveness_news news = { .passed_ms = counts };
	struct sync_session_view view = { 0 };

	watch->there = true;
	(void)hub_zone(keeper->setup.hub, watch->zone, &view);
	news.heard = view.state == SYNC_ACTIVE && view.heard_at != watch->heard_at;
	watch->heard_at = view.heard_at;
	watch->stuck_ms = 0;
	if (view.state == SYNC_ACTIVE)
		watch->stuck_ms = progress_step(
			&watch->progress, view.applied.rev,
			keeper->setup.position(keeper->setup.owner).rev, now);
	if (!news.heard && watch->liveness.condition != ZONE_ONLINE)
		count_probes(keeper->setup.hub, watch->zone, &news);
	bool changed = liveness_step(&watch->liveness, &keeper->setup.rules, &news);
	/* Looked up only when it matters: each look is over all zones. */
	if (changed && zone->zone->condition == ZONE_ONLINE &&
	    !offers_anything(keeper->setup.set(keeper->setup.owner), watch->zone))
		watch->liveness = (struct liveness){ 0 };
	write_condition(keeper, watch, zone, now);
}

static void forget_the_gone(struct keeper *keeper)
{
	struct watch **at = &keeper->watches;

	while (*at != NULL) {
		struct watch *watch = *at;
		if (watch->there) {
			watch->there = false;
			at = &watch->next;
			continue;
		}
		*at = watch->next;
		free(watch->zone);
		free(watch);
	}
}

static void on_look(void *arg)
{
	struct keeper *keeper = arg;
	uint64_t now = zl_now_ms();
	struct set_iter each =
		set_each(keeper->setup.set(keeper->setup.owner), KIND_ZONE, NULL);
	const struct resource *zone;
	uint64_t counts = listening_step(&keeper->listening, now - keeper->looked_ms);

	while ((zone = set_next(&each)) != NULL)
		look_at(keeper, zone, counts, now);
	forget_the_gone(keeper);
	keeper->looked_ms = now;
	loop_timer_set(keeper->timer, LOOK_MS);
}

struct keeper *keeper_open(const struct keeper_setup *setup)
{
	struct keeper *keeper = zl_alloc(1, sizeof(*keeper));

	keeper->setup = *setup;
	keeper->looked_ms = zl_now_ms();
	keeper->timer = loop_timer_new(setup->loop, on_look, keeper);
	loop_timer_set(keeper->timer, LOOK_MS);
	return keeper;
}

void keeper_close(struct keeper **keeperp)
{
	struct keeper *keeper = *keeperp;

	*keeperp = NULL;
	if (keeper == NULL)
		return;
	loop_timer_free(&keeper->timer);
	forget_the_gone(keeper); /* between two looks none is marked */
	free(keeper);
}

bool keeper_tell(const struct keeper *keeper, const char *zone, struct zl_buf *out)
{
	const struct watch *watch = find(keeper, zone);

	if (watch == NULL)
		return false;
	if (watch->liveness.condition != ZONE_ONLINE)
		zl_buf_format(out,
			      "nothing heard for %" PRIu64
			      " s: its endpoints %s in other "
			      "zones",
			      watch->liveness.silent_ms / 1000,
			      watch->liveness.condition == ZONE_STALE
				      ? "come last"
				      : "are withdrawn where there are others");
	else if (watch->stuck_ms > 0)
		zl_buf_format(out, "its revision has not moved for %" PRIu64 " s",
			      watch->stuck_ms / 1000);
	return out->len > 0;
}
