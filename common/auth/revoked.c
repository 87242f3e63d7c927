/* The tokens that were taken back: in the store's local records (id -> the second from
 * which on no such token is valid anyhow, 8 bytes), and in memory. */
#include "auth/inside.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/read.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

const char REVOKED_SPACE[] = "tokens.revoked";

struct revoked {
	char id[PKI_TOKEN_ID];
	uint64_t until_s;
	UT_hash_handle hh;
};

uint64_t wall_s(void)
{
	return zl_wall_us() / 1000000;
}

static struct revoked *find(const struct auth *auth, const char *id)
{
	struct revoked *found;

	HASH_FIND_STR(auth->revoked, id, found);
	return found;
}

bool auth_is_revoked(const struct auth *auth, const char *id)
{
	return find(auth, id) != NULL;
}

void revoked_add(struct auth *auth, const char *id, uint64_t until_s)
{
	struct revoked *one = find(auth, id);

	if (one == NULL) {
		one = zl_alloc(1, sizeof(*one));
		strcpy(one->id, id);
		HASH_ADD_STR(auth->revoked, id, one);
	}
	one->until_s = until_s;
}

void revoked_sweep(struct auth *auth, uint64_t now_s, struct store_job *job)
{
	struct revoked *one, *next;

	HASH_ITER (hh, auth->revoked, one, next) {
		if (one->until_s > now_s)
			continue;
		store_local_put(job, REVOKED_SPACE, one->id, NULL, 0);
		HASH_DEL(auth->revoked, one);
		free(one);
	}
}


static bool load_one(void *ctx, const struct store_item *item)
{
	char id[PKI_TOKEN_ID] = "";

	if (item->key_len >= sizeof(id) || item->value_len != sizeof(uint64_t))
		return true;
	memcpy(id, item->key, item->key_len);
	revoked_add(ctx, id, zl_get_be64(item->value));
	return true;
}

enum zl_code revoked_load(struct auth *auth, struct zl_err *err)
{
	struct store_view *view;
	enum zl_code code = store_view_open(auth->setup.store, &view, err);

	if (code != ZL_OK)
		return code;
	code = store_local_each(view, REVOKED_SPACE, load_one, auth, err);
	store_view_close(&view);
	return code;
}

void revoked_free(struct auth *auth)
{
	struct revoked *one, *next;

	HASH_ITER (hh, auth->revoked, one, next) {
		HASH_DEL(auth->revoked, one);
		free(one);
	}
}
