/* zone/replica.h - the zone's copy of global's store, when the zone starts.
 *
 * A damaged copy is moved aside, to replica.damaged (the last one is kept), and global is
 * asked for another. A part of a copy would be wrong values: until the new one is whole
 * nothing of the old one is used (docs/decisions/damaged-stores.md).
 *
 * Threads:  the loop's.
 * Lifetime: keeps nothing.
 */
#pragma once

#include "store/store.h"

/* Open DATA_DIR/replica. *lost: a copy was damaged, and no other has come since; proxies
 * keep what they have until then. Fails as store_open, but not with ZL_ECORRUPT. */
ZL_MUST_USE enum zl_code replica_open(struct store **out, const char *data_dir,
				      const struct store_options *options, bool *lost,
				      struct zl_err *err);
