#include "base/clock.h"
#include "rest/body.h"
#include "rest/find.h"
#include "rest/write.h"

#include <stdlib.h>
#include <string.h>

static struct store_job *job_new(struct write *write)
{
	const char *message = http_query(write->req, "message");

	return store_commit_new(write, zl_wall_us(), http_id(write->req),
				message != NULL ? message : "");
}

static void job_put(struct store_job *job, const struct resource *res,
		    const struct condition *condition)
{
	struct zl_buf key = { 0 };
	enum store_expect expect = condition->at_rev   ? STORE_AT_REV
				   : condition->absent ? STORE_ABSENT
						       : STORE_ANY;

	key_bytes(&res->key, &key);
	store_commit_put(job, key.data, key.len, res->json, res->json_len, expect,
			 condition->rev);
	zl_buf_free(&key);
}

static struct write_item item_of(struct zl_arena *arena, const struct key *key,
				 struct resource *res)
{
	return (struct write_item){ kind_info(key->kind)->name,
				    zl_arena_strdup(arena, key->mesh),
				    zl_arena_strdup(arena, key->name), res };
}

/* May old become now? False after the refusal. */
static bool allowed(struct rest *rest, struct http_request *req,
		    const struct resource *old, const struct resource *now)
{
	struct zl_err err = { 0 };
	unsigned status = 405;

	if (rest->ops->allow == NULL ||
	    rest->ops->allow(rest->owner, old, now, &status, &err))
		return true;
	http_refuse(req, status, "%s", err.msg);
	return false;
}

/* The checked resource of a PUT, held; NULL after an answer. */
static struct resource *put_resource(struct rest *rest, struct write *write,
				     enum kind kind, bool with_mesh)
{
	const struct resource_rules rules = {
		.writer = rest->writer,
		.zone = rest->zone,
		.want_kind = kind,
		.want_mesh = with_mesh ? http_param(write->req, "mesh") : NULL,
		.want_name = http_param(write->req, "name")
	};
	struct findings found = findings_in(write->arena);
	const struct tree *doc = body_doc(write->req, write->arena);

	if (doc == NULL)
		return NULL;
	struct resource *res = resource_from_doc(doc, &rules, &found);
	if (res == NULL)
		body_refuse(write->req, &found, false);
	else
		write->warnings = body_warnings(&found, write->arena);
	return res;
}

void rest_put(struct rest *rest, struct http_request *req, bool with_mesh)
{
	enum kind kind = find_kind(req, with_mesh);
	struct condition condition;

	if (kind == KIND_NONE || !find_condition(req, &condition))
		return;
	struct write *write = write_new(req, WRITE_PUT);
	struct resource *res = write_read_wait(write)
				       ? put_resource(rest, write, kind, with_mesh)
				       : NULL;
	if (res == NULL) {
		write_free(&write);
		return;
	}
	write->items = zl_arena_alloc(write->arena, 1, sizeof(*write->items));
	write->items[0] = item_of(write->arena, &res->key, res);
	write->count = 1;
	const struct resource *old = set_get(rest->ops->set(rest->owner), &res->key);
	if (!allowed(rest, req, old, res)) {
		write_free(&write);
		return;
	}
	struct store_job *job = job_new(write);
	job_put(job, res, &condition);
	write_submit(rest, write, job);
}

void rest_delete(struct rest *rest, struct http_request *req, bool with_mesh)
{
	enum kind kind = find_kind(req, with_mesh);
	struct condition condition;
	struct zl_buf key = { 0 };

	if (kind == KIND_NONE || !find_condition(req, &condition))
		return;
	const struct resource *old = rest_find(req, rest->ops->set(rest->owner), kind,
					       with_mesh ? http_param(req, "mesh") : NULL,
					       http_param(req, "name"));
	if (old == NULL || !allowed(rest, req, old, NULL))
		return;
	struct write *write = write_new(req, WRITE_DELETE);
	if (!write_read_wait(write)) {
		write_free(&write);
		return;
	}
	write->items = zl_arena_alloc(write->arena, 1, sizeof(*write->items));
	write->items[0] = item_of(write->arena, &old->key, NULL);
	write->count = 1;
	struct store_job *job = job_new(write);
	key_bytes(&old->key, &key);
	store_commit_delete(job, key.data, key.len,
			    condition.at_rev ? STORE_AT_REV : STORE_EXISTS,
			    condition.rev);
	zl_buf_free(&key);
	write_submit(rest, write, job);
}

static int by_key(const void *a, const void *b)
{
	const struct write_item *const *x = a;
	const struct write_item *const *y = b;
	int order = key_compare(&(*x)->res->key, &(*y)->res->key);

	return order != 0 ? order : *x < *y ? -1 : *x > *y;
}

/* A second document of one identity is a violation of that one. */
static void find_doubles(const struct write *write, const struct body_docs *docs,
			 struct findings *found)
{
	const struct write_item **sorted =
		zl_arena_alloc(write->arena, write->count, sizeof(struct write_item *));

	for (size_t i = 0; i < write->count; i++)
		sorted[i] = &write->items[i];
	qsort(sorted, write->count, sizeof(struct write_item *), by_key);
	for (size_t i = 1, first = 0; i < write->count; i++) {
		if (key_compare(&sorted[first]->res->key, &sorted[i]->res->key) != 0) {
			first = i;
			continue;
		}
		size_t index = (size_t)(sorted[i] - write->items);
		found->at = (struct finding){ .document = docs->numbers[index],
					      .file = "",
					      .kind = sorted[i]->type,
					      .name = sorted[i]->name };
		findings_violation(found, "name", docs->items[index],
				   "already defined in document %zu",
				   docs->numbers[sorted[first] - write->items]);
	}
}

/* Make the items of write; false after an answer. */
static bool apply_read(struct rest *rest, struct write *write)
{
	const struct resource_rules rules = { .writer = rest->writer,
					      .zone = rest->zone };
	struct findings found = findings_in(write->arena);
	struct body_docs docs;

	if (!body_docs(write->req, write->arena, &docs))
		return false;
	write->items = zl_arena_alloc(write->arena, docs.count, sizeof(*write->items));
	for (size_t i = 0; i < docs.count; i++) {
		found.at = (struct finding){
			.document = docs.numbers[i], .file = "", .kind = "", .name = ""
		};
		struct resource *res = resource_from_doc(docs.items[i], &rules, &found);
		if (res != NULL)
			write->items[write->count++] =
				item_of(write->arena, &res->key, res);
	}
	if (found.violation_count == 0 && write->count > 0)
		find_doubles(write, &docs, &found);
	if (found.violation_count > 0) {
		body_refuse(write->req, &found, true);
		return false;
	}
	write->warnings = body_warnings(&found, write->arena);
	for (size_t i = 0; i < write->count; i++) {
		struct resource *res = write->items[i].res;
		if (!allowed(rest, write->req,
			     set_get(rest->ops->set(rest->owner), &res->key), res))
			return false;
	}
	return true;
}

/* Answer with what would be done. */
static void apply_dry(struct rest *rest, struct write *write)
{
	struct store_change *changes =
		zl_arena_alloc(write->arena, write->count, sizeof(*changes));
	struct zl_buf body = { 0 };

	for (size_t i = 0; i < write->count; i++) {
		const struct resource *now = write->items[i].res;
		const struct resource *old =
			set_get(rest->ops->set(rest->owner), &now->key);
		if (old == NULL)
			changes[i].kind = STORE_CREATED;
		else if (old->json_len != now->json_len ||
			 memcmp(old->json, now->json, now->json_len) != 0)
			changes[i].kind = STORE_UPDATED;
		changes[i].old_rev = old != NULL ? old->mod_rev : 0;
		changes[i].mod_rev = changes[i].old_rev;
	}
	write_body(write, 0, changes, true, &body);
	http_json(write->req, 200, body.data);
	zl_buf_free(&body);
}

void rest_apply(struct rest *rest, struct http_request *req)
{
	const struct condition always = { 0 };
	struct write *write = write_new(req, WRITE_APPLY);

	if (!write_read_wait(write) || !apply_read(rest, write)) {
		write_free(&write);
		return;
	}
	if (http_query(req, "dry_run") != NULL) {
		apply_dry(rest, write);
		write_free(&write);
		return;
	}
	struct store_job *job = job_new(write);
	for (size_t i = 0; i < write->count; i++)
		job_put(job, write->items[i].res, &always);
	write_submit(rest, write, job);
}
