#include "global/replication/zone_ops.h"

#include "base/log.h"
#include "model/read.h"
#include "vips/vips.h"

#include <stdlib.h>
#include <string.h>

enum { TOLD = 5 }; /* refusals of one push that are logged one by one */

/* An op that the zone may make. */
struct taken {
	struct key key;       /* in the arena */
	struct resource *res; /* held; NULL: a delete */
};

struct taking {
	struct zone_book *book;
	const struct set *set;
	struct vips *vips; /* NULL: none */
	bool full;
	struct zl_arena *arena, *scratch; /* owned; scratch for one op */
	struct taken *items;              /* in the arena */
	size_t count, refused;
	struct travel_load load; /* if all that is taken comes before what goes */
};

static void refuse(struct taking *at, const struct op *op, const char *why)
{
	zone_book_refuse(at->book, op, why);
	if (++at->refused <= TOLD)
		zl_log(ZL_WARN, "replication", "a resource of a zone is refused",
		       "zone=%q kri=%q err=%q", at->book->zone,
		       at->book->unlisted == 0
			       ? at->book->refused[at->book->refused_count - 1].what
			       : "",
		       why);
}

/* The resource of op as the zone's own, held; NULL: refused. */
static struct resource *read_resource(struct taking *at, const struct op *op)
{
	const struct resource_rules rules = { .writer = WRITER_ZONE,
					      .zone = at->book->zone };
	struct findings found = findings_in(at->scratch);
	struct zl_err err = { 0 };
	struct tree *doc = NULL;

	if (read_json(op->value, op->value_len, at->scratch, &doc, &err) != ZL_OK) {
		refuse(at, op, err.msg);
		return NULL;
	}
	struct resource *res = resource_from_doc(doc, &rules, &found);
	if (res == NULL) {
		const struct finding *first = &found.violations[0];
		refuse(at, op,
		       zl_arena_format(at->scratch, "%s%s%s", first->field,
				       *first->field != '\0' ? ": " : "", first->reason));
	}
	return res;
}

/* Does res stand where the zone says, and may it travel? NULL, or why not. */
static const char *fault_of(struct taking *at, const struct op *op,
			    const struct resource *res)
{
	struct zl_buf key = { 0 };

	key_bytes(&res->key, &key);
	bool same = key.len == op->key_len && memcmp(key.data, op->key, key.len) == 0;
	zl_buf_free(&key);
	if (!same)
		return "its key is not that of its content";
	if (!travel_goes_up(res, at->book->zone))
		return kind_info(res->key.kind)->to_global &&
				       res->key.kind != KIND_DATAPLANE
			       ? "kuma.io/kds-sync: disabled keeps it in its zone"
			       : "this kind stays in its zone";
	return NULL;
}

/* What the load grows by; at most that, as long as keys differ. */
static const char *weigh(struct taking *at, const struct resource *res)
{
	const struct resource *old = at->full ? NULL : set_get(at->set, &res->key);
	size_t size = travel_size(res);
	size_t freed = old != NULL ? travel_size(old) : 0;
	struct travel_load load = at->load;

	if (old != NULL)
		load.resources--;
	size = size > freed ? size - freed : 0;
	const char *why = travel_overload(&load, size, TRAVEL_SLACK);
	if (why == NULL) {
		at->load.resources = load.resources + 1;
		at->load.bytes += size;
	}
	return why;
}

/* What global says of it goes with it; takes and gives a held resource. */
static struct resource *complete(const struct taking *at, struct resource *res)
{
	struct resource *made = at->vips != NULL ? vips_complete(at->vips, res) : NULL;

	if (made == NULL)
		return res;
	resource_drop(&res);
	return made;
}

static void take_put(struct taking *at, const struct op *op)
{
	struct resource *res = read_resource(at, op);

	if (res == NULL)
		return;
	const char *why = fault_of(at, op, res);
	if (why == NULL)
		res = complete(at, res);
	if (why == NULL)
		why = weigh(at, res);
	if (why != NULL) {
		refuse(at, op, why);
		resource_drop(&res);
		return;
	}
	zone_book_release(at->book, op);
	at->items[at->count++] = (struct taken){ res->key, res };
}

static void take_delete(struct taking *at, const struct op *op)
{
	struct taken *item = &at->items[at->count];
	bool was_refused = zone_book_has(at->book, op);
	struct zl_err err = { 0 };

	zone_book_release(at->book, op);
	if (key_parse(op->key, op->key_len, at->arena, &item->key, &err) != ZL_OK) {
		/* A kind of a newer release was never taken: it goes with its refusal. */
		if (!was_refused)
			refuse(at, op, err.msg);
	} else if (strcmp(item->key.zone, at->book->zone) != 0) {
		refuse(at, op, "it does not belong to this zone");
	} else {
		at->count++;
	}
}

static bool is_of_zone(const struct resource *res, const char *zone)
{
	return strcmp(res->key.zone, zone) == 0 && kind_info(res->key.kind)->to_global;
}

/* All that zone has in set. */
static struct travel_load load_of(const struct set *set, const char *zone)
{
	struct travel_load load = { 0 };

	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(set, (enum kind)kind, NULL);
		const struct resource *res;
		while (kind_info((enum kind)kind)->to_global &&
		       (res = set_next(&each)) != NULL) {
			if (!is_of_zone(res, zone))
				continue;
			load.resources++;
			load.bytes += travel_size(res);
		}
	}
	return load;
}

/* What the zone no longer names goes; what it names and is refused stays as it was. */
static void delete_others(const struct taking *at, struct set_edit *edit)
{
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(at->set, (enum kind)kind, NULL);
		const struct resource *res;
		while (kind_info((enum kind)kind)->to_global &&
		       (res = set_next(&each)) != NULL) {
			struct zl_buf key = { 0 };
			if (!is_of_zone(res, at->book->zone))
				continue;
			key_bytes(&res->key, &key);
			const struct op op = { .key = key.data, .key_len = key.len };
			if (!zone_book_has(at->book, &op))
				(void)set_del(edit, &res->key);
			zl_buf_free(&key);
		}
	}
}

/* The set as it is when all that was taken is done; the caller's. */
static struct set *set_after(const struct taking *at)
{
	struct set_edit *edit = set_edit(at->set);

	if (at->full)
		delete_others(at, edit);
	for (size_t i = 0; i < at->count; i++) {
		struct taken *item = &at->items[i];
		if (item->res == NULL) {
			(void)set_del(edit, &item->key);
		} else {
			set_put(edit, item->res);
			resource_drop(&item->res);
		}
	}
	return set_done(&edit);
}

struct writing {
	struct store_job *job, *local;
	const struct vips *vips; /* NULL: none */
	struct travel_load load;
	size_t changes;
};

static void write_one(void *ctx, const struct resource *old, const struct resource *now)
{
	struct writing *to = ctx;
	struct zl_buf key = { 0 };

	if (old != NULL && now != NULL && old->json_len == now->json_len &&
	    memcmp(old->json, now->json, now->json_len) == 0)
		return;
	key_bytes(old != NULL ? &old->key : &now->key, &key);
	if (old != NULL) {
		to->load.resources--;
		to->load.bytes -= travel_size(old);
	}
	if (now != NULL) {
		to->load.resources++;
		to->load.bytes += travel_size(now);
		store_commit_put(to->job, key.data, key.len, now->json, now->json_len,
				 STORE_ANY, 0);
		if (to->vips != NULL)
			vips_beside(to->vips, now, to->local);
	} else {
		store_commit_delete(to->job, key.data, key.len, STORE_ANY, 0);
	}
	to->changes++;
	zl_buf_free(&key);
}

static void take_all(struct taking *at, const struct op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!ops[i].deleted)
			take_put(at, &ops[i]);
		else if (!at->full)
			take_delete(at, &ops[i]);
		zl_arena_reset(at->scratch);
	}
	if (at->refused > TOLD)
		zl_log(ZL_WARN, "replication", "more of a zone is refused",
		       "zone=%q count=%zu", at->book->zone, at->refused - TOLD);
}

size_t zone_ops_job(struct store_job *job, struct zone_book *book, const struct op *ops,
		    size_t count, bool full, const struct set *set, struct vips *vips)
{
	struct taking at = { .book = book,
			     .set = set,
			     .vips = vips,
			     .full = full,
			     .arena = zl_arena_new(),
			     .scratch = zl_arena_new() };

	at.items = zl_arena_alloc(at.arena, count, sizeof(*at.items));
	if (full)
		zone_book_clear(book);
	if (full || !book->counted)
		book->load = load_of(set, book->zone);
	book->counted = true;
	if (!full) /* else all of it is told now */
		at.load = book->load;
	take_all(&at, ops, count);

	struct set *after = set_after(&at);
	struct writing to = { .job = job,
			      .local = store_local_new(NULL),
			      .vips = vips,
			      .load = book->load };
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
		if (kind_info((enum kind)kind)->to_global)
			set_diff(set, after, (enum kind)kind, write_one, &to);
	store_commit_also(job, &to.local);
	book->load = to.load;
	set_drop(&after);
	zl_arena_free(&at.scratch);
	zl_arena_free(&at.arena);
	return to.changes;
}
