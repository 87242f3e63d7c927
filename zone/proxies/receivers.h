/* zone/proxies/receivers.h - the addresses that a proxy may have its access logs written
 * to: those that policies name for it, and named before, as a connection logs as it was
 * to when it began. Of very many the oldest goes.
 *
 * Threads:  pure.
 * Lifetime: receivers is the owner's buffer, zeroed at first; draining it forgets all.
 */
#pragma once

#include "base/mem.h"
#include "policy/routes.h"

/* Those of routes, from now on. */
void receivers_allow(struct zl_buf *receivers, const struct routes *routes);
bool receivers_has(const struct zl_buf *receivers, const char *address);
