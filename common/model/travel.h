/* model/travel.h - which resources travel between global and its zones (spec 6.8), and
 * how much one zone may have at global.
 *
 *     zone X -> global          what X wrote, of the kinds that travel upward
 *     global -> every zone      what global wrote
 *     zone X -> global -> Y     ZoneIngresses, and of the policies the producers'
 *
 * kuma.io/kds-sync: disabled keeps a resource where it was written. Every replica holds
 * all that global holds, so that one digest proves it; a zone leaves aside there what it
 * has no part in.
 *
 * Both ends ask for the limits: a zone keeps at home what is beyond them, and global
 * believes no zone.
 *
 * Threads:  pure.
 */
#pragma once

#include "model/resource.h"

/* What a zone has at global must fit one commit there (a new session tells all of it at
 * once), and beside it what replaces it: what was taken away may be told after what came.
 * So a zone offers this much, and global takes TRAVEL_SLACK times as much. */
enum {
	TRAVEL_RESOURCES_MAX = 5000,
	TRAVEL_BYTES_MAX = 7 << 20, /* of documents and keys */
	TRAVEL_SLACK = 2
};

/* What counts towards the limits. */
struct travel_load {
	size_t resources, bytes;
};

/* Of one document and its key. */
size_t travel_size(const struct resource *res);
/* NULL if one more of size bytes fits into slack times the limits; else why not. */
const char *travel_overload(const struct travel_load *load, size_t size, unsigned slack);

/* True if zone tells its global of res, one of the resources that it knows. */
bool travel_goes_up(const struct resource *res, const char *zone);

/* True if res, which global holds, has a say in zone. False for what zone wrote itself,
 * which it knows first and better. */
bool travel_comes_down(const struct resource *res, const char *zone);

/* The name that Kuma stores a replica by: that of the key, cut to 236 bytes, and a hash
 * of mesh, name, zone and namespace. It tells resources of one display name apart.
 * Appends. */
void travel_name(const struct key *key, struct zl_buf *out);
/* True if name is the travel_name of key. */
bool travel_is_name(const struct key *key, const char *name);
