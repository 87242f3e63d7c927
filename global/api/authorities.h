/* global/api/authorities.h - the authorities of meshes (Mesh.mtls, kinds-spec 1): a
 * builtin one is made when its backend is first written, and kept as two Secrets of the
 * mesh; a provided one is looked at before it is taken.
 *
 * Threads:  the loop's.
 * Lifetime: nothing is kept.
 */
#pragma once

#include "rest/rest.h"

struct secrets;

/* What is there when a change is looked at. */
struct authorities {
	const struct set *set;         /* borrowed */
	const struct secrets *secrets; /* borrowed; NULL: no content is known */
	/* What is written in the same revision has for key, with its content; NULL:
	 * nothing. The function may be NULL too. */
	const struct resource *(*beside)(void *owner, const struct key *key);
	void *owner;
};

/* True for the name of a Secret that only the Mesh's builtin backends have. */
bool authorities_own(const struct key *secret);

/* May old (NULL: none), a Mesh or a Secret, become now (NULL: deleted)? False: err says
 * why not, *status how it is answered. */
bool authorities_allow(const struct authorities *at, const struct resource *old,
		       const struct resource *now, unsigned *status, struct zl_err *err);

/* The Secrets that come or go with a change of a Mesh. False: err. */
bool authorities_with(const struct set *set, const struct resource *old,
		      const struct resource *now, rest_add_fn *add, void *arg,
		      struct zl_err *err);
