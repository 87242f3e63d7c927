#include "rest/write.h"

#include "base/clock.h"
#include "rest/body.h"
#include "rest/find.h"

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

bool write_read_wait(struct write *write)
{
	const char *wait = http_query(write->req, "wait");
	const char *timeout = http_query(write->req, "timeout");

	if (wait != NULL) {
		if (strcmp(wait, "zones") != 0 && strcmp(wait, "proxies") != 0) {
			http_refuse(write->req, 400, "wait=%s: must be zones or proxies",
				    wait);
			return false;
		}
		write->wait = zl_arena_strdup(write->arena, wait);
	}
	if (timeout != NULL && !rest_duration(timeout, &write->timeout_ms)) {
		http_refuse(write->req, 400,
			    "timeout=%s: must be a time like 5s or 500ms, at most 10m",
			    timeout);
		return false;
	}
	return true;
}

void write_submit(struct rest *rest, struct write *write, struct store_job *job)
{
	struct zl_err err = { 0 };

	if (!rest->closed && store_submit(rest->store, &job, &err) == ZL_OK)
		return;
	store_job_free(&job);
	http_add_header(write->req, "Retry-After", "1");
	http_refuse(write->req, 503, "%s",
		    rest->closed ? "this server is shutting down" : err.msg);
	write_free(&write);
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
		tree_set(write->arena, one, "type", tree_text(write->arena, item->type));
		if (*item->mesh != '\0')
			tree_set(write->arena, one, "mesh",
				 tree_text(write->arena, item->mesh));
		tree_set(write->arena, one, "name", tree_text(write->arena, item->name));
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
		const struct store_change *changes, bool dry_run, struct zl_buf *out)
{
	struct tree *body = tree_map(write->arena);

	tree_set(write->arena, body, "revision", tree_int(write->arena, (int64_t)rev));
	if (write->kind == WRITE_APPLY) {
		tree_set(write->arena, body, "dryRun", tree_bool(write->arena, dry_run));
		tree_set(write->arena, body, "results", results_tree(write, changes));
	} else {
		tree_set(write->arena, body, "result",
			 tree_text(write->arena, CHANGES[changes[0].kind]));
	}
	if (write->kind != WRITE_DELETE)
		tree_set(write->arena, body, "warnings", write->warnings);
	tree_json_pretty(body, out);
}

static void refuse_failed(const struct write *write, const struct store_result *result)
{
	if (result->code == ZL_ECONFLICT) {
		const struct write_item *item = &write->items[result->op];
		http_refuse(write->req, 412,
			    "%s \"%s\" is at revision %" PRIu64 "; nothing was changed",
			    item->type, item->name, result->op_rev);
		return;
	}
	http_refuse(write->req, http_status(result->code), "%s", result->err.msg);
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

	if (result->code != ZL_OK) {
		refuse_failed(write, result);
		write_free(&write);
		return;
	}
	uint64_t rev = result_rev(result);
	bool created =
		write->kind == WRITE_PUT && result->changes[0].kind == STORE_CREATED;
	write_body(write, rev, result->changes, false, &body);
	http_add_header(write->req, "ETag", "\"r%" PRIu64 "\"", rev);
	if (rest->ops->written != NULL && *write->wait != '\0')
		rest->ops->written(rest->owner, write->req, rev, write->wait,
				   write->timeout_ms, body.data);
	else
		http_json(write->req, created ? 201 : 200, body.data);
	zl_buf_free(&body);
	write_free(&write);
}
