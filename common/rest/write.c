#include "rest/write.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_DEFAULT_MS = 10000 };

struct write *write_new(struct http_request *req, enum write_kind kind)
{
	struct write *write = zl_alloc(1, sizeof(*write));

	*write = (struct write){ .arena = zl_arena_new(),
				 .req = req,
				 .kind = kind,
				 .wait = "",
				 .timeout_ms = WAIT_DEFAULT_MS };
	write->warnings = tree_list(write->arena);
	return write;
}

void write_free(struct write **writep)
{
	struct write *write = *writep;

	*writep = NULL;
	if (write == NULL)
		return;
	for (size_t i = 0; i < write->count; i++)
		resource_drop(&write->items[i].res);
	zl_arena_free(&write->arena);
	free(write);
}

void write_add(struct write *write, const struct key *key, struct resource **resp)
{
	if (write->count == write->room) {
		write->room = write->room ? write->room * 2 : 4;
		struct write_item *items =
			zl_arena_alloc(write->arena, write->room, sizeof(*items));
		if (write->count > 0)
			memcpy(items, write->items, write->count * sizeof(*items));
		write->items = items;
	}
	write->items[write->count++] = (struct write_item){
		.key = { .kind = key->kind,
			 .mesh = zl_arena_strdup(write->arena, key->mesh),
			 .zone = zl_arena_strdup(write->arena, key->zone),
			 .ns = zl_arena_strdup(write->arena, key->ns),
			 .name = zl_arena_strdup(write->arena, key->name) },
		.res = *resp
	};
	*resp = NULL;
}

/* A misspelt name must not turn a dry run into a write. */
static bool query_is_known(const struct write *write)
{
	static const char *const KNOWN[] = { "wait",    "timeout", "dry_run",
					     "message", "zone",    "namespace" };
	const char *name;

	for (size_t n = 0; (name = http_query_name(write->req, n)) != NULL; n++) {
		bool known = false;
		for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
			known = known || strcmp(name, KNOWN[i]) == 0;
		if (!known) {
			http_refuse(write->req, 400,
				    "?%s= is not known; nothing was changed", name);
			return false;
		}
	}
	return true;
}

bool write_read_query(const struct rest *rest, struct write *write)
{
	const char *wait = http_query(write->req, "wait");
	const char *timeout = http_query(write->req, "timeout");
	const char *dry = http_query(write->req, "dry_run");

	if (!query_is_known(write))
		return false;
	if (wait != NULL && strcmp(wait, "zones") != 0 && strcmp(wait, "proxies") != 0) {
		http_refuse(write->req, 400, "wait=%s: must be zones or proxies", wait);
		return false;
	}
	if (wait != NULL && rest->ops->written == NULL) {
		http_refuse(write->req, 400,
			    "wait=%s: only global knows all zones; ask it", wait);
		return false;
	}
	if (timeout != NULL && !rest_duration(timeout, &write->timeout_ms)) {
		http_refuse(write->req, 400,
			    "timeout=%s: must be a time like 5s or 500ms, at most 10m",
			    timeout);
		return false;
	}
	if (dry != NULL && strcmp(dry, "server") != 0) {
		http_refuse(write->req, 400, "dry_run=%s: must be server", dry);
		return false;
	}
	write->dry = dry != NULL;
	write->wait = wait != NULL ? zl_arena_strdup(write->arena, wait) : "";
	return true;
}

/* What is written with others was decided by what is there: it has to be there still.
 * What is deleted with them goes in any case. */
static struct condition condition_of(const struct rest *rest, const struct write *write,
				     size_t index)
{
	const struct write_item *item = &write->items[index];

	if (index == 0)
		return write->condition;
	if (index < write->asked || item->res == NULL)
		return (struct condition){ .on = ALWAYS };
	const struct resource *old = set_get(rest->ops->set(rest->owner), &item->key);
	if (old == NULL)
		return (struct condition){ .on = ABSENT };
	return (struct condition){ .on = AT_REV, .rev = old->mod_rev };
}

static void job_add(struct store_job *job, const struct write_item *item,
		    const struct condition *on)
{
	static const enum store_expect EXPECT[] = { [ALWAYS] = STORE_ANY,
						    [AT_REV] = STORE_AT_REV,
						    [EXISTS] = STORE_EXISTS,
						    [ABSENT] = STORE_ABSENT };
	struct zl_buf key = { 0 };

	key_bytes(&item->key, &key);
	if (item->res != NULL)
		store_commit_put(job, key.data, key.len, item->res->json,
				 item->res->json_len, EXPECT[on->on], on->rev);
	else
		store_commit_delete(job, key.data, key.len,
				    on->on == ALWAYS ? STORE_EXISTS : EXPECT[on->on],
				    on->rev);
	zl_buf_free(&key);
}

/* Let the owner keep the content of Secrets apart. False after an answer. */
static bool keep_apart(struct rest *rest, struct write *write, struct store_job *local)
{
	const struct set *set = rest->ops->set(rest->owner);
	struct zl_err err = { 0 };

	for (size_t i = 0; i < write->count; i++) {
		struct write_item *item = &write->items[i];
		struct resource *kept = NULL;
		if (item->key.kind != KIND_SECRET)
			continue;
		if (rest->ops->keep == NULL) {
			http_refuse(write->req, 405, "Secrets are not kept here");
			return false;
		}
		if (!rest->ops->keep(rest->owner, set_get(set, &item->key), item->res,
				     &kept, local, &err)) {
			http_refuse(write->req, http_status(err.code),
				    "%s \"%s\": %s; nothing was changed",
				    kind_info(item->key.kind)->name, item->key.name,
				    err.msg);
			return false;
		}
		if (kept == NULL)
			continue;
		resource_drop(&item->res);
		item->res = kept;
	}
	return true;
}

/* Hand the items to the store, or answer 503; takes *localp and write. */
static void submit(struct rest *rest, struct write *write, struct store_job **localp)
{
	const char *message = http_query(write->req, "message");
	struct zl_err err = { 0 };

	struct store_job *job =
		store_commit_new(write, zl_wall_us(), http_caller_text(write->req),
				 message != NULL ? message : "");
	for (size_t i = 0; i < write->count; i++) {
		const struct condition on = condition_of(rest, write, i);
		job_add(job, &write->items[i], &on);
	}
	store_commit_also(job, localp);
	if (!rest->closed && store_submit(rest->store, &job, &err) == ZL_OK) {
		rest->waits += *write->wait != '\0';
		return;
	}
	store_job_free(&job);
	http_add_header(write->req, "Retry-After", "1");
	http_refuse(write->req, 503, "%s",
		    rest->closed ? "this server is shutting down" : err.msg);
	write_free(&write);
}

static void add_beside(struct rest *rest, const struct write *write,
		       struct store_job *local)
{
	for (size_t i = 0; rest->ops->beside != NULL && i < write->count; i++)
		if (write->items[i].res != NULL)
			rest->ops->beside(rest->owner, write->items[i].res, local);
}

void write_go(struct rest *rest, struct write *write)
{
	struct store_job *local = store_local_new(NULL);

	if (!keep_apart(rest, write, local)) {
		write_free(&write);
	} else if (write->dry) {
		write_dry(rest, write);
		write_free(&write);
	} else {
		add_beside(rest, write, local);
		submit(rest, write, &local);
	}
	store_job_free(&local);
}

static const char *const CHANGES[] = {
	[STORE_UNCHANGED] = "unchanged",
	[STORE_CREATED] = "created",
	[STORE_UPDATED] = "configured",
	[STORE_DELETED] = "deleted",
};

static struct tree *results_tree(const struct write *write,
				 const struct store_change *changes)
{
	struct tree *list = tree_list(write->arena);

	for (size_t i = 0; i < write->count; i++) {
		const struct write_item *item = &write->items[i];
		struct tree *one = tree_map(write->arena);
		tree_set(write->arena, one, "type",
			 tree_text(write->arena, kind_info(item->key.kind)->name));
		if (*item->key.mesh != '\0')
			tree_set(write->arena, one, "mesh",
				 tree_text(write->arena, item->key.mesh));
		tree_set(write->arena, one, "name",
			 tree_text(write->arena, item->key.name));
		tree_set(write->arena, one, "result",
			 tree_text(write->arena, CHANGES[changes[i].kind]));
		tree_set(write->arena, one, "previous",
			 tree_int(write->arena, (int64_t)changes[i].old_rev));
		tree_set(write->arena, one, "revision",
			 tree_int(write->arena, (int64_t)changes[i].mod_rev));
		tree_push(write->arena, list, one);
	}
	return list;
}

void write_body(const struct write *write, uint64_t rev,
		const struct store_change *changes, struct zl_buf *out)
{
	struct tree *body = tree_map(write->arena);

	tree_set(write->arena, body, "revision", tree_int(write->arena, (int64_t)rev));
	if (write->kind == WRITE_APPLY || write->dry)
		tree_set(write->arena, body, "dryRun",
			 tree_bool(write->arena, write->dry));
	if (write->kind == WRITE_APPLY) {
		tree_set(write->arena, body, "results", results_tree(write, changes));
	} else if (write->kind == WRITE_PUT) {
		tree_set(write->arena, body, "result",
			 tree_text(write->arena, CHANGES[changes[0].kind]));
	}
	if (write->kind != WRITE_DELETE)
		tree_set(write->arena, body, "warnings", write->warnings);
	tree_json_pretty(body, out);
}

void write_refuse_moved(const struct write *write, const struct write_item *item,
			uint64_t rev)
{
	const char *type = kind_info(item->key.kind)->name;

	if (rev == 0)
		http_refuse(write->req, 412,
			    "%s \"%s\" is not there; nothing was changed", type,
			    item->key.name);
	else
		http_refuse(write->req, 412,
			    "%s \"%s\" is at revision %" PRIu64 "; nothing was changed",
			    type, item->key.name, rev);
}

static void refuse_failed(const struct write *write, const struct store_result *result)
{
	const struct write_item *item =
		result->op < write->count ? &write->items[result->op] : write->items;

	if (result->op >= write->asked &&
	    (result->code == ZL_ECONFLICT || result->code == ZL_ENOENT))
		http_refuse(write->req, 409,
			    "%s \"%s\", which changes with it, was changed meanwhile; "
			    "nothing was changed: try again",
			    kind_info(item->key.kind)->name, item->key.name);
	else if (result->code == ZL_ECONFLICT)
		write_refuse_moved(write, item, result->op_rev);
	else if (result->code == ZL_ENOENT) /* deleted since it was found */
		http_refuse(write->req, 404, "no %s \"%s\"",
			    kind_info(item->key.kind)->name, item->key.name);
	else if (result->code == ZL_EIO || result->code == ZL_ECORRUPT)
		http_refuse(write->req, 503, "%s; nothing was changed", result->err.msg);
	else
		http_refuse(write->req, http_status(result->code),
			    "%s; nothing was changed", result->err.msg);
}

/* The revision to name: of the change, or of what stands when nothing changed. */
static uint64_t result_rev(const struct store_result *result)
{
	uint64_t rev = 0;

	if (result->entry != NULL)
		return result->position.rev;
	for (size_t i = 0; i < result->change_count; i++)
		if (result->changes[i].mod_rev > rev)
			rev = result->changes[i].mod_rev;
	return rev;
}

void rest_finish(struct rest *rest, const struct store_result *result)
{
	struct write *write = result->tag;
	struct zl_buf body = { 0 };

	rest->waits -= *write->wait != '\0';
	if (result->code != ZL_OK) {
		refuse_failed(write, result);
		write_free(&write);
		return;
	}
	uint64_t rev = result_rev(result);
	bool created =
		write->kind == WRITE_PUT && result->changes[0].kind == STORE_CREATED;
	write_body(write, rev, result->changes, &body);
	if (write->kind == WRITE_PUT)
		http_add_header(write->req, "ETag", "\"r%" PRIu64 "\"", rev);
	unsigned status = created ? 201 : 200;
	if (*write->wait != '\0')
		rest->ops->written(rest->owner, write->req, rev, status, write->wait,
				   write->timeout_ms, body.data);
	else
		http_json(write->req, status, body.data);
	zl_buf_free(&body);
	write_free(&write);
}
