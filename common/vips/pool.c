#include "vips/pool.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/pmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct vip_pool {
	struct vip_ranges ranges;
	struct pmap *by_key, *by_address;
	struct pmap *retired; /* by time */
	struct pmap *changed; /* rows that stand for their keys; not those of by_key */
};

/* ---- rows ---- */
static char *put_text(char **at, const char *text)
{
	size_t len = strlen(text) + 1;
	char *to = *at;

	memcpy(to, text, len);
	*at += len;
	return to;
}

static struct vip_row *row_new(const struct key *key, uint32_t address)
{
	size_t len = strlen(key->mesh) + strlen(key->zone) + strlen(key->ns) +
		     strlen(key->name) + 4;
	struct vip_row *row = zl_alloc(1, sizeof(*row) + len);
	char *at = row->texts;

	row->key.kind = key->kind;
	row->key.mesh = put_text(&at, key->mesh);
	row->key.zone = put_text(&at, key->zone);
	row->key.ns = put_text(&at, key->ns);
	row->key.name = put_text(&at, key->name);
	row->address = address;
	return row;
}

static void row_hold(void *item)
{
	struct vip_row *row = item;

	row->holders++;
}

static void row_drop(void *item)
{
	struct vip_row *row = item;

	if (--row->holders == 0)
		free(row);
}

static int compare_keys(const void *a, const void *b)
{
	const struct vip_row *left = a;
	const struct vip_row *right = b;

	return key_compare(&left->key, &right->key);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct vip_row *left = a;
	const struct vip_row *right = b;

	return (left->address > right->address) - (left->address < right->address);
}

static int compare_times(const void *a, const void *b)
{
	const struct vip_row *left = a;
	const struct vip_row *right = b;

	if (left->retired_s != right->retired_s)
		return left->retired_s < right->retired_s ? -1 : 1;
	return key_compare(&left->key, &right->key);
}

static const struct pmap_ops KEYS = { compare_keys, row_hold, row_drop };
static const struct pmap_ops ADDRESSES = { compare_addresses, row_hold, row_drop };
static const struct pmap_ops TIMES = { compare_times, row_hold, row_drop };

static void put(const struct pmap_ops *ops, struct pmap **map, struct vip_row *row)
{
	row_hold(row);
	pmap_put(ops, map, row);
}

static struct vip_row *find(const struct vip_pool *pool, const struct key *key)
{
	const struct vip_row like = { .key = *key };

	return pmap_find(&KEYS, pool->by_key, &like);
}

/* ---- the pool ---- */
struct vip_pool *vip_pool_new(const struct vip_ranges *ranges)
{
	struct vip_pool *pool = zl_alloc(1, sizeof(*pool));

	pool->ranges = *ranges;
	return pool;
}

void vip_pool_free(struct vip_pool **poolp)
{
	struct vip_pool *pool = *poolp;

	*poolp = NULL;
	if (pool == NULL)
		return;
	pmap_drop(&KEYS, &pool->by_key);
	pmap_drop(&ADDRESSES, &pool->by_address);
	pmap_drop(&TIMES, &pool->retired);
	pmap_drop(&KEYS, &pool->changed);
	free(pool);
}

const struct vip_row *vip_pool_get(const struct vip_pool *pool, const struct key *key)
{
	return find(pool, key);
}

size_t vip_pool_count(const struct vip_pool *pool)
{
	return pmap_count(pool->by_key);
}

/* What is stored of row is to be written anew. */
static void note(struct vip_pool *pool, const struct vip_row *row)
{
	if (!row->provisional)
		put(&KEYS, &pool->changed, row_new(&row->key, 0));
}

static void add(struct vip_pool *pool, struct vip_row *row)
{
	put(&KEYS, &pool->by_key, row);
	put(&ADDRESSES, &pool->by_address, row);
	if (row->retired_s != 0)
		put(&TIMES, &pool->retired, row);
}

static void drop(struct vip_pool *pool, struct vip_row *row)
{
	note(pool, row);
	row_hold(row);
	if (row->retired_s != 0)
		pmap_del(&TIMES, &pool->retired, row);
	pmap_del(&ADDRESSES, &pool->by_address, row);
	pmap_del(&KEYS, &pool->by_key, row);
	row_drop(row);
}

static void set_retired(struct vip_pool *pool, struct vip_row *row, uint64_t at_s)
{
	if (row->retired_s != 0)
		pmap_del(&TIMES, &pool->retired, row);
	row->retired_s = at_s;
	if (at_s != 0)
		put(&TIMES, &pool->retired, row);
	note(pool, row);
}

/* ---- taking ---- */
static size_t count_in(const struct vip_pool *pool, const struct vip_range *range)
{
	const struct vip_row first = { .address = range->base };
	const struct vip_row last = { .address = range->base + (range->count - 1) };

	return pmap_rank(&ADDRESSES, pool->by_address, &last) -
	       pmap_rank(&ADDRESSES, pool->by_address, &first);
}

static struct vip_row *oldest_retired(const struct vip_pool *pool,
				      const struct vip_range *range)
{
	for (size_t i = 0; i < pmap_count(pool->retired); i++) {
		struct vip_row *row = pmap_at(pool->retired, i);
		if (vip_in_range(range, row->address))
			return row;
	}
	return NULL;
}

/* More than half full with one more: retired rows go, the oldest first. */
static void make_room(struct vip_pool *pool, const struct vip_range *range)
{
	struct vip_row *row;

	while (2 * (count_in(pool, range) + 1) > range->count - 2 &&
	       (row = oldest_retired(pool, range)) != NULL)
		drop(pool, row);
}

static uint64_t hash_of(const struct key *key)
{
	struct zl_buf kri = { 0 };
	uint8_t hash[ZL_SHA256];

	key_kri(key, "", &kri);
	const struct zl_run run = { kri.data, kri.len };
	zl_sha256(&run, 1, hash);
	zl_buf_free(&kri);
	return zl_get_be64(hash);
}

/* The first free address from the hash on; false: there is none. */
static bool choose(const struct vip_pool *pool, const struct vip_range *range,
		   const struct key *key, uint32_t *address)
{
	uint32_t room = range->count - 2;

	if (count_in(pool, range) >= room)
		return false;
	uint32_t at = (uint32_t)(hash_of(key) % room);
	for (uint32_t tried = 0; tried < room; tried++, at = (at + 1) % room) {
		const struct vip_row like = { .address = range->base + 1 + at };
		if (pmap_find(&ADDRESSES, pool->by_address, &like) != NULL)
			continue;
		*address = like.address;
		return true;
	}
	return false;
}

const struct vip_row *vip_pool_take(struct vip_pool *pool, const struct key *key,
				    uint64_t now_s)
{
	enum vip_kind kind = vip_kind_of(key->kind);
	struct vip_row *row = find(pool, key);
	uint32_t address;

	assert(kind < VIP_KINDS);
	if (row != NULL) {
		if (row->retired_s != 0)
			set_retired(pool, row, 0);
		row->taken_s = now_s;
		return row;
	}
	make_room(pool, &pool->ranges.of[kind]);
	if (!choose(pool, &pool->ranges.of[kind], key, &address))
		return NULL;
	row = row_new(key, address);
	row->provisional = true;
	row->taken_s = now_s;
	add(pool, row);
	return row;
}

void vip_pool_confirm(struct vip_pool *pool, const struct key *key)
{
	struct vip_row *row = find(pool, key);

	if (row == NULL)
		return;
	row->provisional = false; /* it is stored with its object */
	if (row->retired_s != 0)
		set_retired(pool, row, 0);
}

void vip_pool_renew(struct vip_pool *pool, const struct key *key)
{
	const struct vip_row *row = find(pool, key);

	if (row != NULL)
		note(pool, row);
}

void vip_pool_retire(struct vip_pool *pool, const struct key *key, uint64_t now_s)
{
	struct vip_row *row = find(pool, key);

	if (row != NULL && row->retired_s == 0)
		set_retired(pool, row, now_s);
}

bool vip_pool_load(struct vip_pool *pool, const struct key *key, uint32_t address,
		   uint64_t retired_s)
{
	const struct vip_row like = { .address = address };
	struct vip_row *other = pmap_find(&ADDRESSES, pool->by_address, &like);

	if (find(pool, key) != NULL)
		return false;
	if (other != NULL && (other->retired_s == 0 || retired_s != 0)) {
		put(&KEYS, &pool->changed, row_new(key, 0));
		return false;
	}
	if (other != NULL)
		drop(pool, other);
	struct vip_row *row = row_new(key, address);
	row->retired_s = retired_s;
	add(pool, row);
	return true;
}

/* ---- looking after it ---- */
static bool is_over(uint64_t since_s, uint64_t now_s, uint64_t keep_s)
{
	return now_s > since_s && now_s - since_s >= keep_s;
}

void vip_pool_sweep(struct vip_pool *pool,
		    bool (*is_there)(void *arg, const struct key *), void *arg,
		    uint64_t now_s)
{
	for (size_t i = pmap_count(pool->by_key); i > 0; i--) {
		struct vip_row *row = pmap_at(pool->by_key, i - 1);
		bool there = is_there(arg, &row->key);
		bool fresh = !is_over(row->taken_s, now_s, VIP_PROVISIONAL_S);
		if (there || fresh)
			continue;
		if (row->retired_s != 0 ? is_over(row->retired_s, now_s, VIP_KEEP_S)
					: row->provisional)
			drop(pool, row);
		else if (row->retired_s == 0)
			set_retired(pool, row, now_s);
	}
}

size_t vip_pool_outside(const struct vip_pool *pool)
{
	size_t outside = 0;

	for (size_t i = 0; i < pmap_count(pool->by_key); i++) {
		const struct vip_row *row = pmap_at(pool->by_key, i);
		outside += row->retired_s == 0 &&
			   !vip_in_range(&pool->ranges.of[vip_kind_of(row->key.kind)],
					 row->address);
	}
	return outside;
}

void vip_pool_changes(struct vip_pool *pool,
		      void (*fn)(void *arg, const struct key *key,
				 const struct vip_row *row),
		      void *arg)
{
	for (size_t i = 0; i < pmap_count(pool->changed); i++) {
		const struct vip_row *like = pmap_at(pool->changed, i);
		const struct vip_row *row = find(pool, &like->key);
		if (row == NULL || !row->provisional)
			fn(arg, &like->key, row);
	}
	pmap_drop(&KEYS, &pool->changed);
}
