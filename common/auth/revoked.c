/* The tokens that were taken back: in the store's local records (id -> the second from
 * which on no such token is valid anyhow, 8 bytes), and in memory. */
#include "auth/inside.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/read.h"

#include <string.h>

const char REVOKED_SPACE[] = "tokens.revoked";

struct revoked {
	char id[PKI_TOKEN_ID];
	uint64_t until_s;
};

uint64_t wall_s(void)
{
	return zl_wall_us() / 1000000;
}

/* Where id is, or would be: they are sorted. */
static size_t place_of(const struct auth *auth, const char *id)
{
	size_t low = 0, high = auth->revoked_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(auth->revoked[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct auth *auth, size_t place, const char *id)
{
	return place < auth->revoked_count && strcmp(auth->revoked[place].id, id) == 0;
}

bool auth_is_revoked(const struct auth *auth, const char *id)
{
	return is_at(auth, place_of(auth, id), id);
}

void revoked_add(struct auth *auth, const char *id, uint64_t until_s)
{
	size_t at = place_of(auth, id);

	if (!is_at(auth, at, id)) {
		auth->revoked = zl_realloc(auth->revoked, auth->revoked_count + 1,
					   sizeof(*auth->revoked));
		memmove(&auth->revoked[at + 1], &auth->revoked[at],
			(auth->revoked_count - at) * sizeof(*auth->revoked));
		memcpy(auth->revoked[at].id, id, strlen(id) + 1);
		auth->revoked_count++;
	}
	auth->revoked[at].until_s = until_s;
}

void revoked_sweep(struct auth *auth, uint64_t now_s, struct store_job *job)
{
	size_t kept = 0;

	for (size_t i = 0; i < auth->revoked_count; i++) {
		if (auth->revoked[i].until_s > now_s)
			auth->revoked[kept++] = auth->revoked[i];
		else
			store_local_put(job, REVOKED_SPACE, auth->revoked[i].id, NULL, 0);
	}
	auth->revoked_count = kept;
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
