/* model/nearest.h - the name that was meant: of those that exist, the one that looks most
 * like what was written.
 *
 * Threads:  pure.
 * Lifetime: borrows the names.
 */
#pragma once

#include <stddef.h>

struct nearest {
	const char *name;  /* what was written */
	const char *found; /* the best so far; NULL: none is close */
	size_t apart;      /* how far found is; what is not closer is not taken */
};

struct nearest nearest_to(const char *name);
/* Offer a name that exists. Of equally close ones the first is kept. */
void nearest_try(struct nearest *to, const char *candidate);
