/* zone/identity.h - who this zone process is to global: kept in its local store.
 *
 * Threads:  at start only.
 */
#pragma once

#include "store/store.h"
#include "sync/sync.h"

struct identity {
	uint8_t uuid[SYNC_UUID]; /* of the data folder, for ever */
	uint64_t incarnation;    /* one more at each start, durable before it is used */
};

/* ZL_ECORRUPT, ZL_ENOSPC, ZL_EIO. */
ZL_MUST_USE enum zl_code identity_take(struct store *store, struct identity *out,
				       struct zl_err *err);
