#include "store/inside.h"

#include "model/entry.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum zl_code store_view_open(struct store *store, struct store_view **out,
			     struct zl_err *err)
{
	MDB_txn *txn = NULL;
	struct state state;

	*out = NULL;
	(void)pthread_mutex_lock(&store->lock);
	if (store->pooled > 0)
		txn = store->pool[--store->pooled];
	(void)pthread_mutex_unlock(&store->lock);

	int rc = env_read_begin(&store->env, &txn);
	if (rc != 0)
		return env_fail(err, rc, "read the store");
	rc = env_state(&store->env, txn, &state);
	if (rc != 0) {
		env_read_end(&store->env, txn);
		mdb_txn_abort(txn);
		return rc == MDB_NOTFOUND
			       ? zl_fail(err, ZL_ECORRUPT, "the store has no state")
			       : env_fail(err, rc, "state of the store");
	}

	struct store_view *view = zl_alloc(1, sizeof(*view));
	*view = (struct store_view){ store, txn, state };
	*out = view;
	return ZL_OK;
}

void store_view_close(struct store_view **viewp)
{
	struct store_view *view = *viewp;

	if (view == NULL)
		return;
	*viewp = NULL;
	struct store *store = view->store;
	env_read_end(&store->env, view->txn);
	(void)pthread_mutex_lock(&store->lock);
	if (store->pooled < STORE_POOL) {
		store->pool[store->pooled++] = view->txn;
		view->txn = NULL;
	}
	(void)pthread_mutex_unlock(&store->lock);
	mdb_txn_abort(view->txn);
	free(view);
}

void store_position(const struct store_view *view, struct position *position,
		    struct digest *digest)
{
	*position = view->state.position;
	if (digest != NULL)
		*digest = view->state.digest;
}

uint64_t store_floor(const struct store_view *view)
{
	return view->state.floor;
}

/* Keys are opaque here; their readable bytes are all the help there is. */
enum zl_code view_damaged(struct zl_err *err, const char *what, const void *key,
			  size_t key_len)
{
	const uint8_t *bytes = key;
	char text[4 * ENTRY_KEY_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < key_len && n + 5 < sizeof(text); i++)
		if (isprint(bytes[i]))
			text[n++] = (char)bytes[i];
		else
			n += (size_t)snprintf(text + n, 5, "\\x%02x", bytes[i]);
	text[n] = '\0';
	return zl_fail(err, ZL_ECORRUPT, "%s \"%s\" is damaged", what, text);
}
