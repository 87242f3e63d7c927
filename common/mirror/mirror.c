#include "mirror/mirror.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/read.h"

struct loading {
	struct set_edit *edit;
	apply_odd_fn *odd;
};

static bool load_item(void *ctx, const struct store_item *item)
{
	const struct loading *to = ctx;
	const struct apply_record record = { .key = item->key,
					     .key_len = item->key_len,
					     .value = item->value,
					     .value_len = item->value_len,
					     .mod_rev = item->mod_rev,
					     .create_rev = item->create_rev,
					     .wall_us = item->wall_us };

	apply_record(to->edit, &record, to->odd, NULL);
	return true;
}

enum zl_code mirror_load(struct store *store, apply_odd_fn *odd, struct set **set,
			 struct position *position, struct digest *digest,
			 struct zl_err *err)
{
	struct set *empty = set_empty();
	struct loading to = { set_edit(empty), odd };
	struct position at = { 0 };
	struct store_view *view;

	enum zl_code code = store_view_open(store, &view, err);
	if (code == ZL_OK) {
		store_position(view, &at, digest);
		code = store_each(view, NULL, 0, NULL, 0, load_item, &to, err);
		store_view_close(&view);
	}
	if (position != NULL)
		*position = at;
	set_drop(set);
	*set = set_done(&to.edit);
	set_drop(&empty);
	return code;
}

void mirror_entry(struct set **set, const struct entry *entry, uint64_t rev,
		  apply_odd_fn *odd)
{
	struct set_edit *edit = set_edit(*set);

	apply_entry(edit, *set, entry, rev, odd, NULL);
	set_drop(set);
	*set = set_done(&edit);
}

void mirror_odd(void *ctx, const struct key *key, uint64_t rev, const char *why)
{
	struct zl_buf kri = { 0 };

	(void)ctx;
	if (key->kind != KIND_NONE)
		key_kri(key, "", &kri);
	zl_log(ZL_ERROR, "store", "a stored resource is not understood and not used",
	       "kri=%q rev=%llu err=%q", zl_buf_text(&kri), (unsigned long long)rev, why);
	zl_buf_free(&kri);
}
