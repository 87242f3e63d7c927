#include "sync/zone_parts.h"

#include <string.h>

enum {
	HELLO_SOON_MS = 200,
	FENCED_MS = 1000,
	REFUSED_MIN_MS = 500,
	REFUSED_MAX_MS = 60000
};

void zone_hello(struct sync_zone *zone)
{
	Sync__Hello hello = SYNC__HELLO__INIT;

	hello.head = zone_head(zone);
	hello.zone_uuid = sync_bin(zone->turn, zone->setup.uuid, SYNC_UUID);
	hello.incarnation = zone->setup.incarnation;
	hello.proto_min = 1;
	hello.proto_max = 1;
	hello.position = sync_position_out(zone->turn, &zone->durable.position);
	hello.build = sync_text_out(zone->turn, zone->build);
	hello.host = sync_text_out(zone->turn, zone->host);
	hello.features = SYNC_FEATURES;
	zone_ask(zone, MAIN, SYNC_MSG_HELLO, &hello);
}

/* The length counts from when the question left, so that we give up before global does.
 */
static void lease_until(struct sync_zone *zone, uint64_t asked_at, uint32_t lease_ms)
{
	zone->lease_ms = lease_ms;
	zone->lease_until = asked_at + lease_ms;
	zone->lease_at = asked_at + lease_ms / 3;
}

static uint32_t sane_lease(uint32_t lease_ms)
{
	return lease_ms < 300 ? 300 : lease_ms > 3600000 ? 3600000 : lease_ms;
}

void zone_on_welcome(struct sync_zone *zone, const void *body)
{
	const Sync__Welcome *welcome = body;

	zone->fence = welcome->fence;
	zone->instance = welcome->instance;
	zone->features = welcome->features & SYNC_FEATURES;
	lease_until(zone, zone->asked[MAIN].at, sane_lease(welcome->lease_ms));
	zone->retry_at[LEASE] = zone->retry_at[PUSH] = 0;
	zone->report_new = zone->report != NULL || zone->snap.held;
	zone->waited = 0; /* of another history, maybe */
	outbox_restart(&zone->outbox);
	zone_move(zone, SYNC_SYNC);
}

void zone_on_refused(struct sync_zone *zone, const void *body)
{
	const Sync__Refused *refused = body;
	uint32_t wait = refused->retry_ms;

	wait = wait < REFUSED_MIN_MS ? REFUSED_MIN_MS : wait;
	wait = wait > REFUSED_MAX_MS ? REFUSED_MAX_MS : wait;
	zone->retry_at[MAIN] = zone->now + wait + zone_roll(zone, HELLO_SOON_MS);
	zone_alarm(zone, "global refuses this zone: %s", refused->text);
}

void zone_lose_session(struct sync_zone *zone, uint64_t hello_at)
{
	zone->fence = 0;
	for (enum channel i = 0; i < CHANNELS; i++)
		zone->asked[i].id = 0;
	zone_clear_parts(zone);
	zone->retry_at[MAIN] = hello_at;
	if (zone->state != SYNC_JOIN)
		zone_move(zone, SYNC_JOIN);
}

void zone_on_fenced(struct sync_zone *zone, const void *body)
{
	(void)body;
	if (zone->fence == 0)
		return;
	zone_alarm(zone, "another process has taken the name of this zone");
	/* To be refused, most likely: so global learns that two are alive, for what it
	 * has heard so far may be the last words of one that is dead. */
	zone_lose_session(zone, zone->now + FENCED_MS + zone_roll(zone, FENCED_MS));
}

void zone_on_unknown(struct sync_zone *zone, const void *body)
{
	(void)body;
	if (zone->fence != 0)
		zone_lose_session(zone, zone->now + zone_roll(zone, HELLO_SOON_MS));
}

void zone_lease(struct sync_zone *zone)
{
	Sync__Lease lease = SYNC__LEASE__INIT;
	Sync__Report none = SYNC__REPORT__INIT;

	none.healthy = true;
	lease.head = zone_head(zone);
	lease.applied = sync_position_out(zone->turn, &zone->durable.position);
	lease.digest = sync_digest_out(zone->turn, &zone->durable.digest);
	lease.inv_seq = zone->outbox.seq;
	lease.state = zl_arena_strdup(zone->turn, sync_zone_state_name(zone->state));
	lease.report = zone->report != NULL ? zone->report : &none;
	lease.held = zone_hold_out(zone);
	zone_ask(zone, LEASE, SYNC_MSG_LEASE, &lease);
	zone->lease_head = zone->head;
	zone->told = lease.report->acked_rev < zone->durable.position.rev
			     ? lease.report->acked_rev
			     : zone->durable.position.rev;
	zone->report_new = false;
	zone->soon_at = 0;
	zone->lease_at = zone->now + zone->lease_ms / 3;
}

/* An entry that was published after the answer was given can come before it, by the other
 * connection. Global is behind what the zone has then, and has not gone back. */
static bool is_overtaken(const struct sync_zone *zone, const struct position *theirs)
{
	return theirs->rev < zone->head.rev && theirs->rev >= zone->lease_head.rev &&
	       memcmp(theirs->epoch, zone->head.epoch, POSITION_EPOCH) == 0 &&
	       memcmp(theirs->epoch, zone->lease_head.epoch, POSITION_EPOCH) == 0;
}

void zone_on_leased(struct sync_zone *zone, const void *body)
{
	const Sync__Leased *leased = body;
	struct sync_state global = { sync_position_in(leased->position),
				     sync_digest_in(leased->digest) };

	lease_until(zone, zone->asked[LEASE].at, sane_lease(leased->lease_ms));
	if (leased->accept != NULL) {
		struct sync_state name = { sync_position_in(leased->accept->position),
					   sync_digest_in(leased->accept->digest) };
		zone_hold_accept(zone, &name);
	}
	if (!is_overtaken(zone, &global.position))
		zone_compare(zone, &global);
}

static void put_probes(Sync__Report *to, const struct sync_report *from,
		       struct zl_arena *arena)
{
	to->probes = zl_arena_alloc(arena, SYNC_PROBES, sizeof(*to->probes));
	for (size_t i = 0; i < from->probe_count && i < SYNC_PROBES; i++) {
		Sync__Probe *probe = zl_arena_alloc(arena, 1, sizeof(*probe));
		sync__probe__init(probe);
		probe->zone = sync_text_out(arena, from->probes[i].zone);
		probe->answers = from->probes[i].answers;
		to->probes[to->n_probes++] = probe;
	}
}

static void put_backends(Sync__Observed *to, const struct sync_observed *from,
			 struct zl_arena *arena)
{
	to->backends = zl_arena_alloc(arena, SYNC_BACKENDS, sizeof(*to->backends));
	for (size_t i = 0; i < from->backend_count && i < SYNC_BACKENDS; i++) {
		Sync__ObservedBackend *backend =
			zl_arena_alloc(arena, 1, sizeof(*backend));
		sync__observed_backend__init(backend);
		backend->name = sync_text_out(arena, from->backends[i].name);
		backend->weight = from->backends[i].weight;
		backend->connections = from->backends[i].connections;
		backend->open = from->backends[i].open;
		backend->observable = from->backends[i].observable;
		to->backends[to->n_backends++] = backend;
	}
}

static void put_observed(Sync__Report *to, const struct sync_report *from,
			 struct zl_arena *arena)
{
	to->observed = zl_arena_alloc(arena, SYNC_OBSERVED, sizeof(*to->observed));
	for (size_t i = 0; i < from->observed_count && i < SYNC_OBSERVED; i++) {
		Sync__Observed *observed = zl_arena_alloc(arena, 1, sizeof(*observed));
		sync__observed__init(observed);
		observed->mesh = sync_text_out(arena, from->observed[i].mesh);
		observed->route = sync_text_out(arena, from->observed[i].route);
		observed->destination =
			sync_text_out(arena, from->observed[i].destination);
		observed->proxies = from->observed[i].proxies;
		observed->pending = from->observed[i].pending;
		observed->deviating = from->observed[i].deviating;
		put_backends(observed, &from->observed[i], arena);
		to->observed[to->n_observed++] = observed;
	}
}

void zone_report(struct sync_zone *zone, const struct sync_report *from)
{
	struct zl_arena *arena = zone->report_arena;

	zl_arena_reset(arena);
	Sync__Report *to = zl_arena_alloc(arena, 1, sizeof(*to));
	sync__report__init(to);
	to->acked_rev = from->acked_rev;
	to->proxies = from->proxies;
	to->acked = from->acked;
	to->nacked = from->nacked;
	to->healthy = from->healthy;
	to->last_error = sync_text_out(arena, from->last_error);
	to->trouble = zl_arena_alloc(arena, SYNC_TROUBLES, sizeof(*to->trouble));
	for (size_t i = 0; i < from->trouble_count && i < SYNC_TROUBLES; i++) {
		Sync__Trouble *trouble = zl_arena_alloc(arena, 1, sizeof(*trouble));
		sync__trouble__init(trouble);
		trouble->proxy = sync_text_out(arena, from->trouble[i].proxy);
		trouble->resource = sync_text_out(arena, from->trouble[i].resource);
		trouble->text = sync_text_out(arena, from->trouble[i].text);
		to->trouble[to->n_trouble++] = trouble;
	}
	put_probes(to, from, arena);
	put_observed(to, from, arena);
	zone->report = to;
}
