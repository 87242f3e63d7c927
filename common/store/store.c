#include "store/inside.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct store_options DEFAULTS = {
	.map_size = 16ULL << 30,
	.log_count = 100000,
	.log_bytes = 256ULL << 20,
};

static void take_options(struct store *store, const struct store_options *options)
{
	store->options = options != NULL ? *options : DEFAULTS;
	if (store->options.map_size == 0)
		store->options.map_size = DEFAULTS.map_size;
	if (store->options.log_count == 0)
		store->options.log_count = DEFAULTS.log_count;
	if (store->options.log_bytes == 0)
		store->options.log_bytes = DEFAULTS.log_bytes;
}

static void make_locks(struct store *store)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&store->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&store->wake, &attr);
	(void)pthread_cond_init(&store->woken, &attr);
	(void)pthread_condattr_destroy(&attr);
}

/* Check the whole store and take its state and sums over. */
static enum zl_code load(struct store *store, struct zl_err *err)
{
	struct store_view *view;
	enum zl_code code = store_view_open(store, &view, err);

	if (code != ZL_OK)
		return code;
	code = verify_view(view, false, store->sums, err);
	store->state = view->state;
	store_view_close(&view);
	return code;
}

static enum zl_code open_all(struct store *store, struct zl_err *err)
{
	bool read_only = store->options.read_only;
	enum zl_code code = owner_take(store->dir, read_only, &store->owner, err);

	if (code == ZL_OK)
		code = env_open(&store->env, store->dir, store->options.map_size,
				read_only, err);
	if (code == ZL_OK && !read_only)
		code = owner_mark(store->dir, err);
	if (code == ZL_OK)
		code = load(store, err);
	if (code == ZL_OK && !read_only)
		code = writer_start(store, err);
	return code;
}

enum zl_code store_open(struct store **out, const char *dir,
			const struct store_options *options, struct zl_err *err)
{
	struct store *store = zl_alloc(1, sizeof(*store));
	struct zl_err why = { 0 };

	*out = NULL;
	store->owner = -1;
	store->dir = zl_strdup(dir);
	take_options(store, options);
	make_locks(store);
	enum zl_code code = open_all(store, &why);
	if (code == ZL_OK) {
		*out = store;
		return ZL_OK;
	}
	store_close(&store);
	return zl_fail(err, code, "open store %s: %s", dir, why.msg);
}

void store_close(struct store **storep)
{
	struct store *store = *storep;

	if (store == NULL)
		return;
	*storep = NULL;
	writer_stop(store);
	while (store->pooled > 0)
		mdb_txn_abort(store->pool[--store->pooled]);
	env_close(&store->env);
	if (store->owner >= 0)
		(void)close(store->owner);
	while (store->pins != NULL) {
		struct pin *pin = store->pins;
		store->pins = pin->next;
		free(pin);
	}
	(void)pthread_cond_destroy(&store->wake);
	(void)pthread_cond_destroy(&store->woken);
	(void)pthread_mutex_destroy(&store->lock);
	free(store->dir);
	free(store);
}

void store_status(struct store *store, struct store_status *status)
{
	struct store_view *view = NULL;
	struct env_size size;
	struct state state;

	env_size(&store->env, &size);
	if (store->options.read_only) /* its writer is another process */
		(void)!store_view_open(store, &view, NULL);
	(void)pthread_mutex_lock(&store->lock);
	state = view != NULL ? view->state : store->state;
	*status = (struct store_status){
		.records = state.records,
		.log_entries = state.position.rev + 1 - state.floor,
		.log_bytes = state.log_bytes,
		.floor_rev = state.floor,
		.file_bytes = size.file_bytes,
		.map_bytes = size.map_bytes,
		.reader_lag = size.reader_lag,
		.commits = store->commits,
		.failed = store->failed,
		.failure = store->failure,
	};
	(void)pthread_mutex_unlock(&store->lock);
	store_view_close(&view);
}

uint64_t store_pin(struct store *store, uint64_t rev)
{
	struct pin *pin = zl_alloc(1, sizeof(*pin));

	(void)pthread_mutex_lock(&store->lock);
	uint64_t id = ++store->pin_id;
	*pin = (struct pin){ store->pins, id, rev };
	store->pins = pin;
	(void)pthread_mutex_unlock(&store->lock);
	return id;
}

void store_unpin(struct store *store, uint64_t id)
{
	(void)pthread_mutex_lock(&store->lock);
	struct pin **link = &store->pins;
	while (*link != NULL && (*link)->id != id)
		link = &(*link)->next;
	struct pin *pin = *link;
	if (pin != NULL)
		*link = pin->next;
	(void)pthread_mutex_unlock(&store->lock);
	free(pin);
}
