/* vips/pool.h - which address stands for which service object: the rule, and no more.
 *
 * The first choice is a hash of the object's KRI, so two pools that never heard of each
 * other agree; where another object has that address, alive or retired, the next one
 * that is free is taken. What is taken stays: nothing that happens to other objects
 * moves it. A retired row keeps its address for VIP_KEEP_S; earlier, the oldest go while
 * the range is more than half full.
 *
 * A row is provisional from vip_pool_take until vip_pool_confirm says that its object is
 * stored. Time comes from outside, in seconds.
 *
 * Threads:  one.
 * Lifetime: rows are the pool's, until they are dropped.
 */
#pragma once

#include "vips/range.h"

#include <stddef.h>

enum {
	VIP_KEEP_S = 30 * 86400,    /* a retired row */
	VIP_PROVISIONAL_S = 10 * 60 /* a row whose object did not come */
};

struct vip_row {
	struct key key; /* in this allocation */
	uint32_t address;
	uint64_t retired_s; /* 0: its object is there */
	uint64_t taken_s;   /* last; 0: before this process */
	bool provisional;
	unsigned holders; /* private, as the rest is not */
	char texts[];
};

struct vip_pool;

struct vip_pool *vip_pool_new(const struct vip_ranges *ranges);
void vip_pool_free(struct vip_pool **poolp); /* accepts NULL */

/* NULL: key has none. */
const struct vip_row *vip_pool_get(const struct vip_pool *pool, const struct key *key);

/* The row of key, which is of a kind that has addresses; made, or back from retirement.
 * NULL: the range is full. */
const struct vip_row *vip_pool_take(struct vip_pool *pool, const struct key *key,
				    uint64_t now_s);
/* The object of key is stored. */
void vip_pool_confirm(struct vip_pool *pool, const struct key *key);
/* What is stored of key's row is lost: it is a change. */
void vip_pool_renew(struct vip_pool *pool, const struct key *key);
/* The object of key is there no more. */
void vip_pool_retire(struct vip_pool *pool, const struct key *key, uint64_t now_s);

/* What is known from before. False: key has a row, or address is taken by one that counts
 * more: an object that is there counts more than a retired one. */
bool vip_pool_load(struct vip_pool *pool, const struct key *key, uint32_t address,
		   uint64_t retired_s);

/* Retire whose object is not there, and drop what nobody needs any more. */
void vip_pool_sweep(struct vip_pool *pool,
		    bool (*is_there)(void *arg, const struct key *), void *arg,
		    uint64_t now_s);

size_t vip_pool_count(const struct vip_pool *pool);
/* Rows whose address is of another range than a new one's would be. */
size_t vip_pool_outside(const struct vip_pool *pool);

/* The keys whose rows are not as they were at the last call, but for provisional ones;
 * told once: row is NULL where it is gone. */
void vip_pool_changes(struct vip_pool *pool,
		      void (*fn)(void *arg, const struct key *key,
				 const struct vip_row *row),
		      void *arg);
