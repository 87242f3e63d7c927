#include "base/clock.h"
#include "global/api/inside.h"
#include "loop/loop.h"
#include "model/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct waiter {
	struct waiter *next; /* owned */
	struct http_request *req;
	uint64_t rev, deadline_ms, since_us;
	bool proxies; /* else zones */
	unsigned status;
	char *body; /* owned; a JSON object to extend, or NULL */
};

/* Who said goodbye or was deleted is not waited for; who fell silent is, and is named
 * when time is up. */
static bool counts(const struct api *api, const struct sync_session_view *zone)
{
	return zone->state != SYNC_OFFLINE && zone->state != SYNC_NONE &&
	       !zones_is_gone(api, zone);
}

/* True while a zone that this process has not heard of yet may still come back: after a
 * start of global its zones need a moment to join again. */
static bool may_return(const struct api *api)
{
	struct set_iter each =
		set_each(api->setup.set(api->setup.owner), KIND_ZONE, NULL);
	struct sync_session_view view;
	const struct resource *zone;

	if (zl_now_ms() - api->started_ms >= SYNC_LEASE_MS)
		return false;
	while ((zone = set_next(&each)) != NULL)
		if (zone->zone->enabled &&
		    !hub_zone(api->setup.hub, zone->key.name, &view))
			return true;
	return false;
}

/* What the zones say about a revision. */
struct tally {
	bool reached; /* all have it */
	bool settled; /* reached, or what is missing was refused by proxies */
	uint64_t nacked;
};

/* Revisions of another history, as a zone has that is yet to follow a restored global,
 * say nothing. */
static bool has_applied(const struct api *api, const struct sync_session_view *zone,
			uint64_t rev)
{
	const struct position head = api->setup.position(api->setup.owner);

	return zone->applied.rev >= rev &&
	       memcmp(zone->applied.epoch, head.epoch, sizeof(head.epoch)) == 0;
}

static struct tally tally_of(const struct api *api, const struct waiter *waiter)
{
	bool complete = !may_return(api);
	struct tally tally = { complete, complete, 0 };

	for (size_t i = 0; i < hub_zone_count(api->setup.hub); i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (!counts(api, &zone))
			continue;
		bool applied = has_applied(api, &zone, waiter->rev);
		bool acked = applied && zone.report.acked_rev >= waiter->rev;
		bool refused =
			applied && zone.report.nacked > 0 &&
			zone.report.acked + zone.report.nacked >= zone.report.proxies;
		if (waiter->proxies) {
			tally.nacked += applied && !acked ? zone.report.nacked : 0;
			tally.reached = tally.reached && acked;
			tally.settled = tally.settled && (acked || refused);
		} else {
			tally.reached = tally.reached && applied;
			tally.settled = tally.settled && applied;
		}
	}
	return tally;
}

static struct tree *troubles_tree(struct zl_arena *arena,
				  const struct sync_session_view *zone, uint64_t rev)
{
	struct tree *list = tree_list(arena);

	if (zone->report.acked_rev >= rev)
		return list;
	for (size_t i = 0; i < zone->report.trouble_count; i++) {
		const struct sync_trouble *from = &zone->report.trouble[i];
		struct tree *one = tree_map(arena);
		tree_set(arena, one, "proxy", tree_text(arena, from->proxy));
		tree_set(arena, one, "acked",
			 tree_int(arena, (int64_t)zone->report.acked_rev));
		tree_set(arena, one, "resource", tree_text(arena, from->resource));
		tree_set(arena, one, "error", tree_text(arena, from->text));
		tree_push(arena, list, one);
	}
	return list;
}

static struct tree *zone_tree(const struct api *api, struct zl_arena *arena,
			      const struct sync_session_view *zone, uint64_t rev)
{
	struct tree *out = tree_map(arena);
	struct tree *proxies = tree_map(arena);
	const struct sync_report *report = &zone->report;

	tree_set(arena, proxies, "total", tree_int(arena, report->proxies));
	tree_set(arena, proxies, "acked", tree_int(arena, report->acked));
	tree_set(arena, proxies, "nacked", tree_int(arena, report->nacked));
	tree_set(arena, out, "name", tree_text(arena, zone->zone));
	tree_set(arena, out, "state", tree_text(arena, zones_state(api, zone)));
	tree_set(arena, out, "applied", tree_int(arena, (int64_t)zone->applied.rev));
	tree_set(arena, out, "acked", tree_int(arena, (int64_t)report->acked_rev));
	tree_set(arena, out, "proxies", proxies);
	tree_set(arena, out, "laggards", troubles_tree(arena, zone, rev));
	return out;
}

static struct tree *wait_tree(const struct api *api, struct zl_arena *arena,
			      const struct waiter *waiter, const struct tally *tally)
{
	struct tree *out = tree_map(arena);
	struct tree *zones = tree_list(arena);

	for (size_t i = 0; i < hub_zone_count(api->setup.hub); i++) {
		struct sync_session_view zone = hub_zone_at(api->setup.hub, i);
		if (zones_is_gone(api, &zone))
			continue;
		tree_push(arena, zones, zone_tree(api, arena, &zone, waiter->rev));
	}
	tree_set(arena, out, "revision", tree_int(arena, (int64_t)waiter->rev));
	tree_set(arena, out, "for",
		 tree_text(arena, waiter->proxies ? "proxies" : "zones"));
	tree_set(arena, out, "reached", tree_bool(arena, tally->reached));
	tree_set(arena, out, "nacked", tree_int(arena, (int64_t)tally->nacked));
	tree_set(arena, out, "elapsedUs",
		 tree_int(arena, (int64_t)(zl_now_us() - waiter->since_us)));
	tree_set(arena, out, "zones", zones);
	return out;
}

/* Answer and free. The body of a write is a JSON object: "wait" becomes its last member.
 */
static void finish(const struct api *api, struct waiter *waiter,
		   const struct tally *tally)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf out = { 0 };
	size_t len = waiter->body != NULL ? strlen(waiter->body) : 0;

	while (len > 0 && waiter->body[len - 1] != '}')
		len--;
	if (len > 0) {
		zl_buf_add(&out, waiter->body, len - 1);
		zl_buf_str(&out, ",\"wait\":");
	}
	tree_json_pretty(wait_tree(api, arena, waiter, tally), &out);
	if (len > 0)
		zl_buf_char(&out, '}');
	http_json(waiter->req, waiter->status, zl_buf_text(&out));
	zl_buf_free(&out);
	zl_arena_free(&arena);
	free(waiter->body);
	free(waiter);
}

/* Answer who has what was waited for, or no time left; all: everybody. */
static void look(struct api *api, bool all)
{
	struct waiter **at = &api->waiters;
	uint64_t now = zl_now_ms();
	uint64_t next = may_return(api) ? api->started_ms + SYNC_LEASE_MS : UINT64_MAX;

	while (*at != NULL) {
		struct waiter *waiter = *at;
		struct tally tally = tally_of(api, waiter);
		if (all || tally.settled || now >= waiter->deadline_ms ||
		    http_is_gone(waiter->req)) {
			*at = waiter->next;
			finish(api, waiter, &tally);
			continue;
		}
		if (waiter->deadline_ms < next)
			next = waiter->deadline_ms;
		at = &waiter->next;
	}
	if (api->waiters != NULL)
		loop_timer_set(api->timer, next - now);
}

void waits_look(struct api *api)
{
	if (api->waiters != NULL)
		look(api, false);
}

void waits_end(struct api *api)
{
	look(api, true);
}

void wait_begin(struct api *api, struct http_request *req, uint64_t rev, const char *what,
		uint64_t timeout_ms, const struct wait_answer *then)
{
	struct waiter *waiter = zl_alloc(1, sizeof(*waiter));
	size_t slot = rev % COMMIT_TIMES;

	*waiter = (struct waiter){ .next = api->waiters,
				   .req = req,
				   .rev = rev,
				   .deadline_ms = zl_now_ms() + timeout_ms,
				   .since_us = rev > 0 && api->commits[slot].rev == rev
						       ? api->commits[slot].us
						       : zl_now_us(),
				   .proxies = strcmp(what, "zones") != 0,
				   .status = then != NULL ? then->status : 200,
				   .body = then != NULL ? zl_strdup(then->body) : NULL };
	api->waiters = waiter;
	look(api, api->draining);
}

void wait_handle(struct http_request *req, void *arg)
{
	struct api *api = arg;
	const char *revision = http_query(req, "revision");
	const char *what = http_query(req, "for");
	const char *timeout = http_query(req, "timeout");
	uint64_t timeout_ms = 10000;

	if (revision == NULL || *revision == '\0' || strlen(revision) > 18 ||
	    revision[strspn(revision, "0123456789")] != '\0') {
		http_refuse(req, 400, "revision=N is missing or no number");
		return;
	}
	if (what == NULL)
		what = "proxies";
	if (strcmp(what, "zones") != 0 && strcmp(what, "proxies") != 0) {
		http_refuse(req, 400, "for=%s: must be zones or proxies", what);
		return;
	}
	if (timeout != NULL && !rest_duration(timeout, &timeout_ms)) {
		http_refuse(req, 400,
			    "timeout=%s: must be a time like 5s or 500ms, at most 10m",
			    timeout);
		return;
	}
	uint64_t rev = strtoull(revision, NULL, 10);
	uint64_t head = api->setup.position(api->setup.owner).rev;
	if (rev > head) {
		http_refuse(req, 404,
			    "there is no revision %" PRIu64 " yet: the newest is "
			    "%" PRIu64,
			    rev, head);
		return;
	}
	wait_begin(api, req, rev, what, timeout_ms, NULL);
}
