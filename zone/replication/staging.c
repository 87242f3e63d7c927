#include "zone/replication/staging.h"

#include "base/mem.h"
#include "model/apply.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct staged {
	UT_hash_handle hh;
	uint64_t mod_rev;
	void *value; /* owned */
	size_t value_len;
	size_t key_len;
	unsigned char key[];
};

/* One more, or one less, of what is shown is staged. */
static void count(struct staging *staging, const struct staged *one, bool more)
{
	const struct resource *res = NULL;

	if (staging->shown == NULL)
		return;
	struct zl_arena *arena = zl_arena_new();
	struct key key;
	if (key_parse(one->key, one->key_len, arena, &key, NULL) == ZL_OK)
		res = set_get(staging->shown, &key);
	zl_arena_free(&arena);
	if (res == NULL)
		return;
	bool written = res->origin != ORIGIN_ZONE;
	staging->kept += more ? 1 : UINT64_MAX;
	staging->written_kept += !written ? 0 : more ? 1 : UINT64_MAX;
}

static void take_out(struct staging *staging, struct staged *one)
{
	count(staging, one, false);
	digest_take(&staging->digest, one->key, one->key_len, one->mod_rev, one->value,
		    one->value_len);
	HASH_DEL(staging->records, one);
	free(one->value);
	free(one);
}

void staging_clear(struct staging *staging)
{
	struct staged *one = staging->records;

	HASH_CLEAR(hh, staging->records); /* leaves them linked */
	while (one != NULL) {
		struct staged *next = one->hh.next;
		free(one->value);
		free(one);
		one = next;
	}
	set_drop(&staging->shown);
	*staging = (struct staging){ 0 };
}

void staging_begin(struct staging *staging, const struct set *shown)
{
	staging_clear(staging);
	staging->shown = set_hold(shown);
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(shown, (enum kind)kind, NULL);
		const struct resource *res;
		while ((res = set_next(&each)) != NULL) {
			staging->count++;
			staging->written += res->origin != ORIGIN_ZONE;
		}
	}
}

struct sync_loss staging_loss(const struct staging *staging)
{
	return (struct sync_loss){ .shown = staging->count,
				   .removed = staging->count - staging->kept,
				   .written = staging->written,
				   .written_removed =
					   staging->written - staging->written_kept };
}

static struct staged *find(const struct staging *staging, const void *key, size_t key_len)
{
	struct staged *one;

	HASH_FIND(hh, staging->records, key, key_len, one);
	return one;
}

void staging_put(struct staging *staging, const void *key, size_t key_len,
		 uint64_t mod_rev, const void *value, size_t value_len)
{
	struct staged *one = find(staging, key, key_len);

	if (one != NULL && one->mod_rev >= mod_rev)
		return;
	if (one != NULL)
		take_out(staging, one);
	one = zl_alloc(1, sizeof(*one) + key_len);
	one->mod_rev = mod_rev;
	one->value = zl_memdup(value, value_len);
	one->value_len = value_len;
	one->key_len = key_len;
	memcpy(one->key, key, key_len);
	HASH_ADD(hh, staging->records, key, key_len, one);
	digest_add(&staging->digest, key, key_len, mod_rev, value, value_len);
	count(staging, one, true);
}

void staging_delete(struct staging *staging, const void *key, size_t key_len,
		    uint64_t rev)
{
	struct staged *one = find(staging, key, key_len);

	if (one != NULL && one->mod_rev < rev)
		take_out(staging, one);
}

struct set *staging_set(const struct staging *staging)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	const struct staged *one;

	set_drop(&empty);
	for (one = staging->records; one != NULL; one = one->hh.next) {
		const struct apply_record record = { .key = one->key,
						     .key_len = one->key_len,
						     .value = one->value,
						     .value_len = one->value_len,
						     .mod_rev = one->mod_rev,
						     .create_rev = one->mod_rev };
		apply_record(edit, &record, NULL, NULL);
	}
	return set_done(&edit);
}
