/* zone/proxies/admit.h - may a stranger have the configuration it asks for? Private.
 *
 * A node's id says what it wants to be: "<mesh>.<name>" a Dataplane, the name of a
 * ZoneIngress or ZoneEgress, or any without a dot, a zone proxy. A stranger on a unix
 * socket was admitted by the mode of its file; all others are judged by their token
 * (zone/trust).
 *
 * Threads:  the loop's.
 */
#pragma once

#include "model/resource.h"
#include "zone/trust/trust.h"
#include "zone/xds/xds.h"

/* registered: who has the id; NULL: nobody. */
enum xds_verdict admit(struct trust *trust, const struct xds_stranger *who,
		       const struct resource *registered, struct zl_err *err);
