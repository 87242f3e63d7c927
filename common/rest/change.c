/* PUT, DELETE and _apply: from a request to a write. */
#include "rest/body.h"
#include "rest/find.h"
#include "rest/write.h"

#include <stdlib.h>
#include <string.h>

/* May old become now? False after the refusal; document names the one of several. */
static bool allowed(struct rest *rest, struct http_request *req,
		    const struct resource *old, const struct resource *now,
		    size_t document)
{
	struct zl_err err = { 0 };
	unsigned status = 405;

	if (rest->ops->allow == NULL ||
	    rest->ops->allow(rest->owner, old, now, &status, &err))
		return true;
	if (document > 0)
		http_refuse(req, status, "document %zu: %s", document, err.msg);
	else
		http_refuse(req, status, "%s", err.msg);
	return false;
}

const struct resource *rest_beside(const struct rest *rest, const struct key *key)
{
	const struct write *write = rest->deciding;

	for (size_t i = 0; write != NULL && i < write->asked; i++)
		if (key_compare(&write->items[i].key, key) == 0)
			return write->items[i].res;
	return NULL;
}

/* Let the server have its say in what is written; takes and gives a held resource. */
static struct resource *completed(struct rest *rest, const struct resource *old,
				  struct resource *now)
{
	struct resource *other = rest->ops->complete != NULL
					 ? rest->ops->complete(rest->owner, old, now)
					 : NULL;

	if (other == NULL)
		return now;
	resource_drop(&now);
	return other;
}

/* Is kind written here at all? False after a 405. */
static bool has_place(const struct rest *rest, const struct write *write, enum kind kind)
{
	const char *fault =
		rest->alone ? NULL
			    : kind_place_violation(write->arena, kind, rest->writer);

	if (fault != NULL)
		http_refuse(write->req, 405, "%s", fault);
	return fault == NULL;
}

/* Does the query of a PUT mean what would be written? It may not silently make another
 * one beside what a zone wrote. False after an answer. */
static bool is_meant(struct rest *rest, const struct write *write,
		     const struct resource *res)
{
	const char *zone = http_query(write->req, "zone");
	const char *ns = http_query(write->req, "namespace");
	struct key meant = res->key;

	meant.zone = zone != NULL ? zone : meant.zone;
	meant.ns = ns != NULL ? ns : meant.ns;
	if (key_compare(&meant, &res->key) == 0)
		return true;
	const struct resource *other = set_get(rest->ops->set(rest->owner), &meant);
	if (other == NULL || allowed(rest, write->req, other, res, 0))
		http_refuse(write->req, 400,
			    "?zone= and ?namespace= mean another %s than the body",
			    kind_info(res->key.kind)->name);
	return false;
}

/* Is there a mesh of this name, or one being written beside? Only global can say. */
static bool has_mesh(const struct rest *rest, const struct write *write,
		     const struct key *of)
{
	const struct key mesh = { KIND_MESH, "", "", "", of->mesh };

	if (*of->mesh == '\0' || rest->writer != WRITER_GLOBAL ||
	    set_get(rest->ops->set(rest->owner), &mesh) != NULL)
		return true;
	for (size_t i = 0; i < write->count; i++)
		if (key_compare(&write->items[i].key, &mesh) == 0)
			return true;
	return false;
}

/* A mistyped mesh would otherwise never be noticed. */
static void tell_mesh(struct findings *found, const char *mesh)
{
	findings_warning(found, "mesh", NULL,
			 "there is no mesh \"%s\": its defaults hold", mesh);
}

/* Is something of a kind in a mesh, or being written into it beside? */
static bool has_any(const struct rest *rest, const struct write *write, enum kind kind,
		    const char *mesh)
{
	struct set_iter each = set_each(rest->ops->set(rest->owner), kind, mesh);

	if (set_next(&each) != NULL)
		return true;
	for (size_t i = 0; i < write->count; i++)
		if (write->items[i].key.kind == kind &&
		    strcmp(write->items[i].key.mesh, mesh) == 0)
			return true;
	return false;
}

/* A mesh closes as a whole at the moment its mTLS is turned on: not without a word. */
static void tell_closed(const struct rest *rest, const struct write *write,
			const struct resource *res, struct findings *found)
{
	const char *mesh = res->key.name;

	if (res->key.kind != KIND_MESH || res->mesh->mtls_backend[0] == '\0' ||
	    res->mesh->let_in ||
	    has_any(rest, write, KIND_MESH_TRAFFIC_PERMISSION, mesh) ||
	    has_any(rest, write, KIND_TRAFFIC_PERMISSION, mesh))
		return;
	findings_warning(
		found, "mtls.enabledBackend", NULL,
		"nobody is let in: mTLS is on, and mesh \"%s\" has no "
		"MeshTrafficPermission (set mtls.defaultPermission: Allow to let "
		"everybody in)",
		mesh);
}

static void add_item(void *arg, const struct key *key, struct resource **resp)
{
	write_add(arg, key, resp);
}

/* Add what has to change with old and now; false after an answer. */
static bool add_with(struct rest *rest, struct write *write, const struct resource *old,
		     const struct resource *now)
{
	struct zl_err err = { 0 };

	if (rest->ops->with == NULL ||
	    rest->ops->with(rest->owner, old, now, add_item, write, &err))
		return true;
	http_refuse(write->req, http_status(err.code), "%s; nothing was changed",
		    err.msg);
	return false;
}

/* Make the item of a PUT; false after an answer. */
static bool put_read(struct rest *rest, struct write *write, enum kind kind,
		     bool with_mesh)
{
	const struct resource_rules rules = {
		.writer = rest->writer,
		.zone = rest->zone,
		.alone = rest->alone,
		.want_kind = kind,
		.want_mesh = with_mesh ? http_param(write->req, "mesh") : NULL,
		.want_name = http_param(write->req, "name")
	};
	struct findings found = findings_in(write->arena);
	const struct tree *doc = body_doc(write->req, write->arena);

	if (doc == NULL)
		return false;
	struct resource *res = resource_from_doc(doc, &rules, &found);
	if (res == NULL) {
		body_refuse(write->req, &found, false);
		return false;
	}
	found.at.kind = kind_info(res->key.kind)->name;
	found.at.name = res->key.name;
	if (!has_mesh(rest, write, &res->key))
		tell_mesh(&found, res->key.mesh);
	tell_closed(rest, write, res, &found);
	write->warnings = body_warnings(&found, write->arena);
	const struct resource *old = set_get(rest->ops->set(rest->owner), &res->key);
	bool ok = is_meant(rest, write, res) && allowed(rest, write->req, old, res, 0);
	if (ok) {
		res = completed(rest, old, res);
		write_add(write, &res->key, &res);
		write->asked = write->count;
		ok = add_with(rest, write, old, write->items[0].res);
	}
	resource_drop(&res);
	return ok;
}

void rest_put(struct rest *rest, struct http_request *req, bool with_mesh)
{
	enum kind kind = find_item_kind(req, with_mesh);

	if (kind == KIND_NONE)
		return;
	struct write *write = write_new(req, WRITE_PUT);
	if (find_condition(req, &write->condition) && write_read_query(rest, write) &&
	    has_place(rest, write, kind) && put_read(rest, write, kind, with_mesh))
		write_go(rest, write);
	else
		write_free(&write);
}

/* Make the items of a DELETE, first what the path says; false after an answer. */
static bool delete_read(struct rest *rest, struct write *write, enum kind kind,
			bool with_mesh)
{
	struct http_request *req = write->req;
	const struct resource *old = rest_find(req, rest->ops->set(rest->owner), kind,
					       with_mesh ? http_param(req, "mesh") : NULL,
					       http_param(req, "name"));

	if (old == NULL || !allowed(rest, req, old, NULL, 0))
		return false;
	struct resource *none = NULL;
	write_add(write, &old->key, &none);
	write->asked = write->count;
	return add_with(rest, write, old, NULL);
}

void rest_delete(struct rest *rest, struct http_request *req, bool with_mesh)
{
	enum kind kind = find_item_kind(req, with_mesh);

	if (kind == KIND_NONE)
		return;
	struct write *write = write_new(req, WRITE_DELETE);
	if (find_condition(req, &write->condition) && write_read_query(rest, write) &&
	    delete_read(rest, write, kind, with_mesh))
		write_go(rest, write);
	else
		write_free(&write);
}

static int by_key(const void *a, const void *b)
{
	const struct write_item *const *x = a;
	const struct write_item *const *y = b;
	int order = key_compare(&(*x)->key, &(*y)->key);

	return order != 0 ? order : *x < *y ? -1 : *x > *y;
}

/* A second document of one identity is a violation of that one. Each document has become
 * an item. */
static void find_doubles(const struct write *write, const struct body_docs *docs,
			 struct findings *found)
{
	const struct write_item **sorted =
		zl_arena_alloc(write->arena, write->count, sizeof(struct write_item *));

	for (size_t i = 0; i < write->count; i++)
		sorted[i] = &write->items[i];
	qsort(sorted, write->count, sizeof(struct write_item *), by_key);
	for (size_t i = 1, first = 0; i < write->count; i++) {
		if (key_compare(&sorted[first]->key, &sorted[i]->key) != 0) {
			first = i;
			continue;
		}
		size_t index = (size_t)(sorted[i] - write->items);
		found->at =
			(struct finding){ .document = docs->numbers[index],
					  .file = "",
					  .kind = kind_info(sorted[i]->key.kind)->name,
					  .name = sorted[i]->key.name };
		findings_violation(found, "name", docs->items[index],
				   "already defined in document %zu",
				   docs->numbers[sorted[first] - write->items]);
	}
}

/* Tell the meshes that are not there, or closed; documents of one mesh mostly stand
 * together. */
static void warn_of_meshes(const struct rest *rest, const struct write *write,
			   const struct body_docs *docs, struct findings *found)
{
	const char *last = NULL;
	bool there = true;

	for (size_t i = 0; i < write->count; i++) {
		const struct key *key = &write->items[i].key;

		if (last == NULL || strcmp(last, key->mesh) != 0)
			there = has_mesh(rest, write, key);
		last = key->mesh;
		found->at = (struct finding){ .document = docs->numbers[i],
					      .file = "",
					      .kind = kind_info(key->kind)->name,
					      .name = key->name };
		if (!there)
			tell_mesh(found, key->mesh);
		tell_closed(rest, write, write->items[i].res, found);
	}
}

/* Make a resource of each document; false after an answer. */
static bool apply_check(struct rest *rest, struct write *write,
			const struct body_docs *docs)
{
	const struct resource_rules rules = { .writer = rest->writer,
					      .zone = rest->zone,
					      .alone = rest->alone };
	struct findings found = findings_in(write->arena);

	for (size_t i = 0; i < docs->count; i++) {
		found.at = (struct finding){
			.document = docs->numbers[i], .file = "", .kind = "", .name = ""
		};
		struct resource *res = resource_from_doc(docs->items[i], &rules, &found);
		if (res != NULL)
			write_add(write, &res->key, &res);
	}
	if (found.violation_count == 0)
		find_doubles(write, docs, &found);
	if (found.violation_count > 0) {
		body_refuse(write->req, &found, true);
		return false;
	}
	warn_of_meshes(rest, write, docs, &found);
	write->warnings = body_warnings(&found, write->arena);
	return true;
}

/* May each be changed, and what changes with it; false after an answer. */
static bool apply_allowed(struct rest *rest, struct write *write,
			  const struct body_docs *docs)
{
	const struct set *set = rest->ops->set(rest->owner);

	for (size_t i = 0; i < write->asked; i++) {
		struct write_item *item = &write->items[i];
		const struct resource *old = set_get(set, &item->key);
		if (!allowed(rest, write->req, old, item->res, docs->numbers[i]))
			return false;
		item->res = completed(rest, old, item->res);
		if (!add_with(rest, write, old, item->res)) /* may move the items */
			return false;
	}
	return true;
}

static bool apply_read(struct rest *rest, struct write *write)
{
	struct body_docs docs;

	if (!body_docs(write->req, write->arena, &docs) ||
	    !apply_check(rest, write, &docs))
		return false;
	write->asked = write->count;
	rest->deciding = write;
	bool ok = apply_allowed(rest, write, &docs);
	rest->deciding = NULL;
	return ok;
}

void rest_apply(struct rest *rest, struct http_request *req)
{
	struct write *write = write_new(req, WRITE_APPLY);

	if (write_read_query(rest, write) && apply_read(rest, write))
		write_go(rest, write);
	else
		write_free(&write);
}
