/* vips/vips.h - addresses and host names of service objects, beside the objects.
 *
 * Who stores an object first gives it an address (pool.h), which is stored in the same
 * transaction and stands in the object's status from then on:
 *
 *     "status":{"addresses":[{"hostname":"db.svc.east.mesh.local"}],
 *               "vips":[{"ip":"241.173.130.67"}]}            MeshExternalService: "vip"
 *
 * A row is a small record of the store, so a backup has it:
 *
 *     space "vips" | name: hex of the SHA-256 of the key bytes
 *     value: address u32 | retired, seconds, u64 | key bytes (model/key.h)
 *
 * Threads:  the loop's.
 * Lifetime: vips_open, vips_close; the store outlives it.
 */
#pragma once

#include "model/entry.h"
#include "model/resource.h"
#include "model/set.h"
#include "store/write.h"
#include "vips/range.h"

struct vips;

/* Read the rows. What set has counts as stored; an object whose row is lost keeps the
 * address that its status has. */
ZL_MUST_USE enum zl_code vips_open(struct vips **out, struct store *store,
				   const struct vip_ranges *ranges, const struct set *set,
				   struct zl_err *err);
void vips_close(struct vips **vipsp); /* accepts NULL */

/* res with its status, held; NULL: it has none, as it is of another kind or the range is
 * full, which is logged. */
struct resource *vips_complete(struct vips *vips, const struct resource *res);
/* res is about to be stored: add its row to local, which goes with it. */
void vips_beside(const struct vips *vips, const struct resource *res,
		 struct store_job *local);

/* Before anybody else uses the store: give an address to each object of set that has
 * none. *count of them were written, so that the store holds another state than set. */
ZL_MUST_USE enum zl_code vips_repair(struct vips *vips, struct store *store,
				     const struct set *set, size_t *count,
				     struct zl_err *err);

/* entry became durable. */
void vips_committed(struct vips *vips, const struct entry *entry);
/* The same of one object that is kept elsewhere than in the store: its row is stored by
 * the next vips_flush. */
void vips_kept(struct vips *vips, const struct key *key, bool is_there);
/* Once an hour, and at start: retire whose objects are gone, forget who is retired long.
 */
void vips_sweep(struct vips *vips, const struct set *set);
/* Write what has changed by that; its result has the tag NULL. */
void vips_flush(struct vips *vips);

/* The host name of an object of a kind that has addresses; appends. */
void vips_host_name(const struct key *key, struct zl_buf *out);
