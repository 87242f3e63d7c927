#include "model/apply.h"

static const struct key UNKNOWN = { KIND_NONE, "", "", "", "" };

/* The resource of record, or NULL after odd was told. */
static struct resource *resource_of(const struct apply_record *record,
				    const struct key *key, apply_odd_fn *odd, void *ctx)
{
	struct zl_err err = { 0 };
	struct resource *res = NULL;

	if (resource_from_json(record->value, record->value_len, &res, &err) != ZL_OK) {
		if (odd != NULL)
			odd(ctx, key, record->mod_rev, err.msg);
		return NULL;
	}
	if (key_compare(&res->key, key) != 0) {
		resource_drop(&res);
		if (odd != NULL)
			odd(ctx, key, record->mod_rev,
			    "the document names another resource than its key");
		return NULL;
	}
	res->mod_rev = record->mod_rev;
	res->create_rev = record->create_rev;
	res->mod_wall_us = record->wall_us;
	return res;
}

void apply_record(struct set_edit *edit, const struct apply_record *record,
		  apply_odd_fn *odd, void *ctx)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };
	struct key key = UNKNOWN;

	if (key_parse(record->key, record->key_len, arena, &key, &err) != ZL_OK) {
		if (odd != NULL)
			odd(ctx, &UNKNOWN, record->mod_rev, err.msg);
	} else {
		struct resource *res = resource_of(record, &key, odd, ctx);
		if (res != NULL)
			set_put(edit, res);
		resource_drop(&res);
	}
	zl_arena_free(&arena);
}

void apply_entry(struct set_edit *edit, const struct set *base, const struct entry *entry,
		 uint64_t rev, apply_odd_fn *odd, void *ctx)
{
	struct zl_arena *arena = zl_arena_new();

	for (size_t i = 0; i < entry->op_count; i++) {
		const struct op *op = &entry->ops[i];
		struct zl_err err = { 0 };
		struct key key = UNKNOWN;
		if (key_parse(op->key, op->key_len, arena, &key, &err) != ZL_OK) {
			if (odd != NULL)
				odd(ctx, &UNKNOWN, rev, err.msg);
			continue;
		}
		const struct resource *old = set_get(base, &key);
		(void)set_del(edit, &key); /* also what a newer value makes odd */
		if (op->deleted)
			continue;
		const struct apply_record record = {
			.key = op->key,
			.key_len = op->key_len,
			.value = op->value,
			.value_len = op->value_len,
			.mod_rev = rev,
			.create_rev = old != NULL ? old->create_rev : rev,
			.wall_us = entry->wall_us
		};
		struct resource *res = resource_of(&record, &key, odd, ctx);
		if (res != NULL)
			set_put(edit, res);
		resource_drop(&res);
	}
	zl_arena_free(&arena);
}
