/* policy/permit.h - who may connect to an inbound.
 *
 * Threads:  pure.
 * Lifetime: in the arena; texts belong to the policies and the inbound.
 */
#pragma once

#include "policy/target.h"

/* What one policy says of some clients. */
struct permit_saying {
	struct client_set who;
	enum permission_action action;
	const struct resource *legacy; /* the TrafficPermission; NULL: another policy */
};

struct permit_sayings {
	struct permit_saying *items; /* in increasing precedence */
	size_t count, room;
};

void permit_say(struct zl_arena *arena, struct permit_sayings *to, struct client_set who,
		enum permission_action action, const struct resource *legacy);

/* The clients with these tags in their certificate; a * is no condition. */
struct client_set permit_clients(const struct resolving *at, struct labels tags);

/* Whom sayings let in, and who of those would be denied (policies-spec 3.2): the last
 * saying about a client counts. Fills in allow and shadow. */
void permit_decide(struct zl_arena *arena, const struct permit_sayings *sayings,
		   struct permission *to);

/* Sets sorted, those that are equal once; returns how many are left. */
size_t permit_sort(struct client_set *sets, size_t count);
