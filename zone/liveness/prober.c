#include "zone/liveness/prober.h"

#include "base/addr.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "loop/loop.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ROUND_MS = 2000,
	ANSWER_MS = 1000, /* so long an ingress may take */
	INGRESSES = 8     /* of one zone are tried */
};

struct target;

/* A connection that is being made. */
struct attempt {
	struct target *target;
	struct loop_watch *watch; /* NULL: none */
	int fd;
};

/* A zone that global hears nothing of. */
struct target {
	struct target *next; /* owned */
	struct prober *prober;
	char *zone; /* owned */
	struct probe probe;
	struct attempt attempts[INGRESSES];
	unsigned tried, answered;
	bool there; /* in the set that is followed */
};

struct prober {
	struct prober_setup setup;
	struct set *set; /* held */
	struct target *targets;
	struct loop_timer *round; /* of the next round, or of the end of this one */
	bool trying;
};

static void end_attempt(struct attempt *attempt)
{
	if (attempt->watch == NULL)
		return;
	loop_watch_free(&attempt->watch);
	close(attempt->fd);
}

/* ---- one round ---- */

static void on_connected(void *arg, unsigned events)
{
	struct attempt *attempt = arg;
	int number = 0;
	socklen_t len = sizeof(number);

	(void)events;
	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &number, &len) == 0 &&
	    number == 0)
		attempt->target->answered++;
	end_attempt(attempt);
}

/* NULL: there is nothing to try. */
static const char *address_of(const struct prober *prober,
			      const struct zone_ingress_spec *ingress)
{
	const struct prober_setup *setup = &prober->setup;

	if (zl_is_ip(ingress->advertised))
		return ingress->advertised;
	return ingress->advertised[0] != '\0' && setup->address != NULL
		       ? setup->address(setup->owner, ingress->advertised)
		       : NULL;
}

static void try_address(struct target *target, const struct zone_ingress_spec *ingress)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	struct attempt *attempt = &target->attempts[target->tried];
	const char *address = address_of(target->prober, ingress);
	struct addrinfo *found = NULL;
	struct zl_err err = { 0 };
	char port[8];

	(void)snprintf(port, sizeof(port), "%u", ingress->advertised_port);
	if (address == NULL || getaddrinfo(address, port, &hints, &found) != 0)
		return;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Without a descriptor it was not tried: that says nothing of the zone. */
	if (fd >= 0) {
		target->tried++;
		int done = connect(fd, found->ai_addr, found->ai_addrlen);
		*attempt = (struct attempt){ .target = target, .fd = fd };
		target->answered += done == 0;
		if (done == 0 || errno != EINPROGRESS ||
		    loop_watch_new(&attempt->watch, target->prober->setup.loop, fd,
				   LOOP_WRITE, on_connected, attempt, &err) != ZL_OK)
			close(fd);
	}
	freeaddrinfo(found);
}

static void try_zone(struct target *target)
{
	struct set_iter each = set_each(target->prober->set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;

	target->tried = target->answered = 0;
	while ((res = set_next(&each)) != NULL && target->tried < INGRESSES)
		if (strcmp(ingress_zone(res, target->prober->setup.zone), target->zone) ==
		    0)
			try_address(target, res->ingress);
}

static void end_round(struct prober *prober)
{
	bool changed = false;

	for (struct target *at = prober->targets; at != NULL; at = at->next) {
		for (size_t i = 0; i < INGRESSES; i++)
			end_attempt(&at->attempts[i]);
		changed = probe_step(&at->probe, at->answered, at->tried) || changed;
	}
	prober->trying = false;
	if (changed)
		prober->setup.changed(prober->setup.owner);
}

static void on_round(void *arg)
{
	struct prober *prober = arg;

	if (prober->trying) {
		loop_timer_set(prober->round, ROUND_MS - ANSWER_MS);
		end_round(prober);
		return;
	}
	if (prober->targets == NULL)
		return;
	prober->trying = true;
	for (struct target *at = prober->targets; at != NULL; at = at->next)
		try_zone(at);
	loop_timer_set(prober->round, ANSWER_MS);
}

/* ---- whom to look at ---- */

static void free_target(struct target *target)
{
	for (size_t i = 0; i < INGRESSES; i++)
		end_attempt(&target->attempts[i]);
	free(target->zone);
	free(target);
}

static void find_or_make(struct prober *prober, const char *zone)
{
	struct target *at = prober->targets;

	while (at != NULL && strcmp(at->zone, zone) != 0)
		at = at->next;
	if (at == NULL) {
		at = zl_alloc(1, sizeof(*at));
		at->prober = prober;
		at->zone = zl_strdup(zone);
		at->next = prober->targets;
		prober->targets = at;
	}
	at->there = true;
}

/* True if one of those that are left out had a verdict. */
static bool forget_the_others(struct prober *prober)
{
	struct target **at = &prober->targets;
	bool known = false;

	while (*at != NULL) {
		struct target *target = *at;
		if (target->there) {
			target->there = false;
			at = &target->next;
			continue;
		}
		known = known || target->probe.verdict != PROBE_UNKNOWN;
		*at = target->next;
		free_target(target);
	}
	return known;
}

void prober_follow(struct prober *prober, const struct set *set)
{
	struct set_iter each = set_each(set, KIND_ZONE, NULL);
	const struct resource *zone;

	struct set *held = set_hold(set);
	set_drop(&prober->set);
	prober->set = held;
	while ((zone = set_next(&each)) != NULL)
		if (zone->zone->condition != ZONE_ONLINE &&
		    strcmp(zone->key.name, prober->setup.zone) != 0)
			find_or_make(prober, zone->key.name);
	if (forget_the_others(prober))
		prober->setup.changed(prober->setup.owner);
	if (prober->targets != NULL && !loop_timer_is_set(prober->round))
		loop_timer_set(prober->round, 0);
}

/* ---- what was found ---- */

const struct sync_probe *prober_found(const struct prober *prober, struct zl_arena *arena,
				      size_t *count)
{
	size_t room = 0;

	for (const struct target *at = prober->targets; at != NULL; at = at->next)
		room++;
	struct sync_probe *list = zl_arena_alloc(arena, room, sizeof(*list));
	*count = 0;
	for (const struct target *at = prober->targets; at != NULL; at = at->next)
		if (at->probe.verdict != PROBE_UNKNOWN)
			list[(*count)++] =
				(struct sync_probe){ zl_arena_strdup(arena, at->zone),
						     at->probe.verdict == PROBE_ANSWERS };
	return list;
}

struct set *prober_views(const struct prober *prober)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	set_drop(&empty);
	for (const struct target *at = prober->targets; at != NULL; at = at->next) {
		const struct key key = { KIND_ZONE, "", "", "", at->zone };
		const struct resource *said = set_get(prober->set, &key);
		if (said == NULL)
			continue;
		enum zone_condition seen =
			liveness_seen(said->zone->condition, at->probe.verdict);
		if (seen == said->zone->condition)
			continue;
		struct resource *view =
			zone_with_condition(said, seen, said->zone->since);
		set_put(edit, view);
		resource_drop(&view);
	}
	return set_done(&edit);
}

/* ---- life ---- */

struct prober *prober_open(const struct prober_setup *setup)
{
	struct prober *prober = zl_alloc(1, sizeof(*prober));

	prober->setup = *setup;
	prober->set = set_empty();
	prober->round = loop_timer_new(setup->loop, on_round, prober);
	return prober;
}

void prober_close(struct prober **proberp)
{
	struct prober *prober = *proberp;

	*proberp = NULL;
	if (prober == NULL)
		return;
	(void)forget_the_others(prober); /* none is marked */
	loop_timer_free(&prober->round);
	set_drop(&prober->set);
	free(prober);
}
