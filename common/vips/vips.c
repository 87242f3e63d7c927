#include "vips/vips.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/read.h"
#include "vips/pool.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 4 + 8, NAME_TEXT = 2 * ZL_SHA256 + 1 };

static const char SPACE[] = "vips";

struct vips {
	struct store *store; /* borrowed */
	struct vip_pool *pool;
	bool full[VIP_KINDS]; /* said so */
};

static uint64_t now_s(void)
{
	return zl_wall_us() / 1000000;
}

/* ---- rows as they are stored ---- */
static void row_name(const struct zl_buf *key, char name[NAME_TEXT])
{
	const struct zl_run run = { key->data, key->len };
	uint8_t hash[ZL_SHA256];

	zl_sha256(&run, 1, hash);
	zl_hex(hash, sizeof(hash), name);
}

/* row NULL: delete that of key. */
static void put_row(struct store_job *job, const struct key *key,
		    const struct vip_row *row)
{
	uint8_t head[HEAD];
	struct zl_buf bytes = { 0 };
	struct zl_buf value = { 0 };
	char name[NAME_TEXT];

	key_bytes(key, &bytes);
	row_name(&bytes, name);
	if (row != NULL) {
		zl_put_be32(head, row->address);
		zl_put_be64(head + 4, row->retired_s);
		zl_buf_add(&value, head, sizeof(head));
		zl_buf_add(&value, bytes.data, bytes.len);
	}
	store_local_put(job, SPACE, name, value.data, value.len);
	zl_buf_free(&value);
	zl_buf_free(&bytes);
}

struct loading {
	struct vips *vips;
	struct zl_arena *arena;
	const struct set *set;
	size_t odd, lost;
};

static bool load_row(void *ctx, const struct store_item *item)
{
	struct loading *at = ctx;
	const uint8_t *bytes = item->value;
	struct key key;

	if (item->value_len <= HEAD ||
	    key_parse(bytes + HEAD, item->value_len - HEAD, at->arena, &key, NULL) !=
		    ZL_OK ||
	    vip_kind_of(key.kind) == VIP_KINDS)
		at->odd++; /* of a newer release, or damaged: the rule gives it anew */
	else
		at->lost += !vip_pool_load(at->vips->pool, &key, zl_get_be32(bytes),
					   zl_get_be64(bytes + 4));
	zl_arena_reset(at->arena);
	return true;
}

/* ---- status ---- */
void vips_host_name(const struct key *key, struct zl_buf *out)
{
	const char *dot = *key->zone != '\0' ? "." : "";

	zl_buf_str(out, key->name);
	if (key->kind == KIND_MESH_SERVICE && *key->ns != '\0')
		zl_buf_format(out, ".%s", key->ns);
	if (key->kind == KIND_MESH_SERVICE)
		zl_buf_format(out, ".svc%s%s", dot, key->zone);
	else if (key->kind == KIND_MESH_EXTERNAL_SERVICE)
		zl_buf_format(out, ".extsvc%s%s", dot, key->zone);
	else
		zl_buf_str(out, ".mzsvc");
	zl_buf_str(out, ".mesh.local");
}

static struct tree *one(struct zl_arena *arena, const char *key, const char *text)
{
	struct tree *map = tree_map(arena);

	tree_set(arena, map, key, tree_text(arena, text));
	return map;
}

static struct tree *status_of(struct zl_arena *arena, const struct vip_row *row)
{
	bool single = row->key.kind == KIND_MESH_EXTERNAL_SERVICE;
	struct tree *status = tree_map(arena);
	struct tree *addresses = tree_list(arena);
	struct tree *vips = tree_list(arena);
	struct zl_buf host = { 0 };
	char ip[VIP_TEXT];

	vip_text(row->address, ip);
	vips_host_name(&row->key, &host);
	tree_push(arena, addresses, one(arena, "hostname", zl_buf_text(&host)));
	tree_push(arena, vips, one(arena, "ip", ip));
	tree_set(arena, status, "addresses", addresses);
	if (single)
		tree_set(arena, status, "vip", one(arena, "ip", ip));
	else
		tree_set(arena, status, "vips", vips);
	zl_buf_free(&host);
	return status;
}

/* The address that res says it has; false: none. */
static bool said_address(const struct resource *res, struct zl_arena *arena,
			 uint32_t *address)
{
	const struct tree *status = tree_get(resource_tree(res, arena), "status");
	const struct tree *vips = tree_get(status, "vips");
	const struct tree *vip = tree_get(status, "vip");

	if (vips != NULL && vips->type == TREE_LIST && vips->count > 0)
		vip = vips->items[0];
	const struct tree *ip = tree_get(vip, "ip");
	return ip != NULL && ip->type == TREE_TEXT && vip_read(ip->text, address);
}

/* ---- the whole ---- */
static void adopt(struct loading *at, const struct resource *res)
{
	struct vip_pool *pool = at->vips->pool;
	uint32_t address;

	if (vip_pool_get(pool, &res->key) == NULL &&
	    said_address(res, at->arena, &address) &&
	    vip_pool_load(pool, &res->key, address, 0))
		vip_pool_renew(pool, &res->key);
	vip_pool_confirm(pool, &res->key);
	zl_arena_reset(at->arena);
}

static void adopt_all(struct loading *at)
{
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(at->set, (enum kind)kind, NULL);
		const struct resource *res;
		while (vip_kind_of((enum kind)kind) < VIP_KINDS &&
		       (res = set_next(&each)) != NULL)
			adopt(at, res);
	}
}

enum zl_code vips_open(struct vips **out, struct store *store,
		       const struct vip_ranges *ranges, const struct set *set,
		       struct zl_err *err)
{
	struct vips *vips = zl_alloc(1, sizeof(*vips));
	struct loading at = { .vips = vips, .arena = zl_arena_new(), .set = set };
	struct store_view *view;

	vips->store = store;
	vips->pool = vip_pool_new(ranges);
	enum zl_code code = store_view_open(store, &view, err);
	if (code == ZL_OK) {
		code = store_local_each(view, SPACE, load_row, &at, err);
		store_view_close(&view);
	}
	if (code == ZL_OK)
		adopt_all(&at);
	zl_arena_free(&at.arena);
	if (at.odd + at.lost > 0)
		zl_log(ZL_WARN, "vips", "stored addresses are not understood or not used",
		       "odd=%zu twice=%zu", at.odd, at.lost);
	if (code == ZL_OK && vip_pool_outside(vips->pool) > 0)
		zl_log(ZL_WARN, "vips",
		       "services keep addresses of another range than new ones get",
		       "count=%zu", vip_pool_outside(vips->pool));
	if (code != ZL_OK)
		vips_close(&vips);
	*out = vips;
	return code;
}

void vips_close(struct vips **vipsp)
{
	struct vips *vips = *vipsp;

	*vipsp = NULL;
	if (vips == NULL)
		return;
	vip_pool_free(&vips->pool);
	free(vips);
}

static void tell_full(struct vips *vips, const struct key *key)
{
	enum vip_kind kind = vip_kind_of(key->kind);
	struct zl_buf kri = { 0 };

	if (vips->full[kind])
		return;
	vips->full[kind] = true;
	key_kri(key, "", &kri);
	zl_log(ZL_WARN, "vips",
	       "no address is left in the range of this kind: new services are stored "
	       "without one; give it a larger range",
	       "kri=%q", zl_buf_text(&kri));
	zl_buf_free(&kri);
}

struct resource *vips_complete(struct vips *vips, const struct resource *res)
{
	enum vip_kind kind = vip_kind_of(res->key.kind);
	const struct vip_row *row;

	if (kind == VIP_KINDS)
		return NULL;
	row = vip_pool_take(vips->pool, &res->key, now_s());
	if (row == NULL) {
		tell_full(vips, &res->key);
		return NULL;
	}
	vips->full[kind] = false;
	struct zl_arena *arena = zl_arena_new();
	struct resource *made = resource_with_status(res, status_of(arena, row));
	zl_arena_free(&arena);
	return made;
}

void vips_beside(const struct vips *vips, const struct resource *res,
		 struct store_job *local)
{
	const struct vip_row *row = vip_kind_of(res->key.kind) < VIP_KINDS
					    ? vip_pool_get(vips->pool, &res->key)
					    : NULL;

	if (row != NULL)
		put_row(local, &row->key, row);
}

void vips_committed(struct vips *vips, const struct entry *entry)
{
	struct zl_arena *arena = zl_arena_new();
	struct key key;

	for (size_t i = 0; i < entry->op_count; i++) {
		const struct op *op = &entry->ops[i];
		if (key_parse(op->key, op->key_len, arena, &key, NULL) != ZL_OK ||
		    vip_kind_of(key.kind) == VIP_KINDS)
			continue;
		if (op->deleted)
			vip_pool_retire(vips->pool, &key, now_s());
		else
			vip_pool_confirm(vips->pool, &key);
	}
	zl_arena_free(&arena);
}

void vips_kept(struct vips *vips, const struct key *key, bool is_there)
{
	const struct vip_row *row =
		vip_kind_of(key->kind) < VIP_KINDS ? vip_pool_get(vips->pool, key) : NULL;

	if (row == NULL)
		return;
	bool fresh = row->provisional;
	if (is_there)
		vip_pool_confirm(vips->pool, key);
	else
		vip_pool_retire(vips->pool, key, now_s());
	if (is_there && fresh)
		vip_pool_renew(vips->pool, key);
}

static bool is_in_set(void *arg, const struct key *key)
{
	return set_get(arg, key) != NULL;
}

void vips_sweep(struct vips *vips, const struct set *set)
{
	struct set *held = set_hold(set);

	vip_pool_sweep(vips->pool, is_in_set, held, now_s());
	set_drop(&held);
}

static void flush_row(void *arg, const struct key *key, const struct vip_row *row)
{
	struct store_job **job = arg;

	if (*job == NULL)
		*job = store_local_new(NULL);
	put_row(*job, key, row);
}

void vips_flush(struct vips *vips)
{
	struct store_job *job = NULL;
	struct zl_err err = { 0 };

	vip_pool_changes(vips->pool, flush_row, &job);
	if (job != NULL && store_submit(vips->store, &job, &err) != ZL_OK)
		/* What is there after the next start retires or comes back then. */
		zl_log(ZL_WARN, "vips", "store takes no job", "err=%q", err.msg);
	store_job_free(&job);
}
