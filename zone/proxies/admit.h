/* zone/proxies/admit.h - may a stranger have the configuration it asks for? Private.
 *
 * A node's id says what it wants to be: "<mesh>.<name>" a Dataplane, the name of a
 * ZoneIngress, or any without a dot, a zone proxy. A stranger on a unix socket was
 * admitted by the mode of its file; all others are judged by their token (zone/trust).
 *
 * Threads:  the loop's.
 */
#pragma once

#include "model/set.h"
#include "zone/trust/trust.h"
#include "zone/xds/xds.h"

/* dataplane: what is registered under the id; NULL: nothing. */
enum xds_verdict admit(struct trust *trust, const struct set *set, const char *zone,
		       const struct xds_stranger *who, const struct resource *dataplane,
		       struct zl_err *err);
