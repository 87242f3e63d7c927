/* global/replication/zone_ops.h - what a zone may write at global..
 *
 * A zone owns the resources whose zone is its name, of the kinds that travel upward
 * (model/travel.h). Each is checked as if it were written for the first time, by the
 * rules of that zone: labels that claim another zone or origin are refused, and those
 * that are absent, as the role of a policy, are set here.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "global/replication/zone_book.h"
#include "model/set.h"
#include "store/write.h"

struct vips;

/* Add to job what makes the resources of book's zone what ops say; full: and nothing else
 * of the zone stays. Services get their addresses of vips; NULL: they get none. Ops that
 * the zone may not make are left out, one by one, and are in the book. Returns how many
 * changes job has. */
size_t zone_ops_job(struct store_job *job, struct zone_book *book, const struct op *ops,
		    size_t count, bool full, const struct set *set, struct vips *vips);
