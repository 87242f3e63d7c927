#include "global/replication/zone_ops.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static void refuse(const char *zone, const char *why)
{
	zl_log(ZL_WARN, "replication", "part of a zone's inventory refused",
	       "zone=%q err=%q", zone, why);
}

/* The resource of op with the zone's labels, held; NULL: refused. */
static struct resource *resource_of(const char *zone, const struct op *op)
{
	const struct label own[] = { { LABEL_ORIGIN, "zone" }, { LABEL_ZONE, zone } };
	struct zl_err err = { 0 };
	struct resource *said = NULL;

	if (resource_from_json(op->value, op->value_len, &said, &err) != ZL_OK) {
		refuse(zone, err.msg);
		return NULL;
	}
	struct resource *res = resource_relabel(said, own, 2);
	resource_drop(&said);
	if (kind_info(res->key.kind)->to_global)
		return res;
	refuse(zone, "a kind that zones do not send");
	resource_drop(&res);
	return NULL;
}

static void put(struct store_job *job, const struct resource *res)
{
	struct zl_buf key = { 0 };

	key_bytes(&res->key, &key);
	store_commit_put(job, key.data, key.len, res->json, res->json_len, STORE_ANY, 0);
	zl_buf_free(&key);
}

static bool is_of_zone(const struct resource *res, const char *zone)
{
	return strcmp(res->key.zone, zone) == 0 && kind_info(res->key.kind)->to_global;
}

/* Delete what the zone has in set. keep: but not these keys. */
static size_t delete_others(struct store_job *job, const char *zone,
			    const struct set *set, const struct set *keep)
{
	size_t count = 0;

	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(set, (enum kind)kind, NULL);
		const struct resource *res;
		while ((res = set_next(&each)) != NULL) {
			struct zl_buf key = { 0 };
			if (!is_of_zone(res, zone) || set_get(keep, &res->key) != NULL)
				continue;
			key_bytes(&res->key, &key);
			store_commit_delete(job, key.data, key.len, STORE_ANY, 0);
			zl_buf_free(&key);
			count++;
		}
	}
	return count;
}

static size_t delete_one(struct store_job *job, const char *zone, const struct op *op,
			 const struct set *set)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };
	struct zl_buf bytes = { 0 };
	struct key key;
	size_t count = 0;

	if (key_parse(op->key, op->key_len, arena, &key, &err) != ZL_OK) {
		refuse(zone, err.msg);
	} else {
		key.zone = zone;
		const struct resource *res = set_get(set, &key);
		if (res != NULL && is_of_zone(res, zone)) {
			key_bytes(&key, &bytes);
			store_commit_delete(job, bytes.data, bytes.len, STORE_ANY, 0);
			count = 1;
		}
	}
	zl_buf_free(&bytes);
	zl_arena_free(&arena);
	return count;
}

size_t zone_ops_job(struct store_job *job, const char *zone, const struct op *ops,
		    size_t count, bool full, const struct set *set)
{
	struct set *none = set_empty();
	struct set_edit *edit = set_edit(none);
	size_t changes = 0;

	for (size_t i = 0; i < count; i++) {
		if (ops[i].deleted) {
			changes += full ? 0 : delete_one(job, zone, &ops[i], set);
			continue;
		}
		struct resource *res = resource_of(zone, &ops[i]);
		if (res == NULL)
			continue;
		set_put(edit, res);
		resource_drop(&res);
	}
	struct set *said = set_done(&edit);
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(said, (enum kind)kind, NULL);
		const struct resource *res;
		while ((res = set_next(&each)) != NULL) {
			const struct resource *old = set_get(set, &res->key);
			if (old != NULL && old->json_len == res->json_len &&
			    memcmp(old->json, res->json, res->json_len) == 0)
				continue;
			put(job, res);
			changes++;
		}
	}
	if (full)
		changes += delete_others(job, zone, set, said);
	set_drop(&said);
	set_drop(&none);
	return changes;
}
