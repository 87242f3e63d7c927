/* policy/find.h - which service object, and which port of it, a reference means (D5, D8,
 * D32, spec 5.4).
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving; objects are the inventory's.
 */
#pragma once

#include "policy/target.h"

#include "inventory/objects.h"

struct found {
	const struct resource *object; /* NULL: none */
	bool several;                  /* none, because there is more than one */
	bool complete; /* there is an object, and the port that is meant */
	struct object_port port;
};

/* The objects that a ref of this kind means; KIND_NONE: it means none. */
enum kind find_object_kind(enum ref_kind kind);

/* Of the namespace ns, unless ref names another; "": of any. Warns of what is found by
 * labels among others. */
struct found find_object(struct resolving *at, const struct target_ref *ref,
			 const char *ns);

/* Why what was found for ref is not complete; in arena. */
const char *find_reason(struct resolving *at, const struct target_ref *ref,
			const struct found *found);

/* True if target, the targetRef of an entry of route, is about this port of object: by
 * labels all objects are meant that have them (spec 3.3). */
bool find_is_about(struct resolving *at, const struct resource *route,
		   const struct target_ref *target, const struct resource *object,
		   const char *section, uint32_t port);

/* The same of any of its ports. */
bool find_names(struct resolving *at, const struct resource *route,
		const struct target_ref *target, const struct resource *object);

/* Why target is about nothing at all; in arena. NULL: it is about something, or would be
 * if there were such a tag service. */
const char *find_nothing(struct resolving *at, const struct resource *route,
			 const struct target_ref *target);
