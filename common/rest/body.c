#include "rest/body.h"

#include "model/read.h"

#include <string.h>

static bool is_json(struct http_request *req)
{
	const char *type = http_header(req, "Content-Type");

	return type != NULL && strncmp(type, "application/json", 16) == 0;
}

static void refuse_syntax(struct http_request *req, const struct zl_err *err)
{
	const struct http_flaw flaw = { 0, "", err->msg };

	http_problem(req, 400, "The body cannot be read", err->msg, &flaw, 1);
}

static void refuse_count(struct http_request *req, size_t count)
{
	const char *detail = count == 0 ? "the body holds no document"
					: "the body holds more than one document; "
					  "POST /_apply takes several";
	const struct http_flaw flaw = { 0, "", detail };

	http_problem(req, 400, "The body cannot be read", detail, &flaw, 1);
}

const struct tree *body_doc(struct http_request *req, struct zl_arena *arena)
{
	struct zl_err err = { 0 };
	struct tree *tree = NULL;
	struct docs docs = { 0 };
	size_t len;
	const char *bytes = http_body(req, &len);

	if (is_json(req)) {
		if (read_json(bytes, len, arena, &tree, &err) == ZL_OK)
			return tree;
	} else if (read_yaml(bytes, len, arena, &docs, &err) == ZL_OK) {
		if (docs.count == 1)
			return docs.items[0];
		refuse_count(req, docs.count);
		return NULL;
	}
	refuse_syntax(req, &err);
	return NULL;
}

/* The items of a JSON list, or the one document. */
static bool json_docs(struct http_request *req, struct tree *tree, struct zl_arena *arena,
		      struct body_docs *docs)
{
	bool list = tree->type == TREE_LIST;

	docs->count = list ? tree->count : 1;
	if (docs->count > READ_STREAM_DOCS_MAX) {
		http_refuse(req, 400, "more than %d documents: send them in parts",
			    READ_STREAM_DOCS_MAX);
		return false;
	}
	docs->items = zl_arena_alloc(arena, docs->count, sizeof(struct tree *));
	docs->numbers = zl_arena_alloc(arena, docs->count, sizeof(*docs->numbers));
	for (size_t i = 0; i < docs->count; i++) {
		docs->items[i] = list ? tree->items[i] : tree;
		docs->numbers[i] = i + 1;
	}
	return true;
}

static bool yaml_docs(struct http_request *req, const struct docs *from,
		      struct zl_arena *arena, struct body_docs *docs)
{
	if (from->count == 1 && from->items[0]->type == TREE_LIST)
		return json_docs(req, from->items[0], arena, docs);
	docs->count = from->count;
	docs->numbers = from->numbers;
	docs->items = zl_arena_alloc(arena, from->count, sizeof(struct tree *));
	for (size_t i = 0; i < from->count; i++)
		docs->items[i] = from->items[i];
	return true;
}

bool body_docs(struct http_request *req, struct zl_arena *arena, struct body_docs *docs)
{
	struct zl_err err = { 0 };
	struct tree *tree = NULL;
	struct docs stream = { 0 };
	size_t len;
	const char *bytes = http_body(req, &len);
	bool json = is_json(req);

	*docs = (struct body_docs){ 0 };
	if (!json && len > 0 &&
	    (*bytes == '[' || *bytes == '{')) /* or YAML's flow style */
		json = read_json_large(bytes, len, arena, &tree, NULL) == ZL_OK;
	enum zl_code code = ZL_OK;
	if (!json)
		code = read_yaml(bytes, len, arena, &stream, &err);
	else if (tree == NULL)
		code = read_json_large(bytes, len, arena, &tree, &err);
	if (code != ZL_OK) {
		refuse_syntax(req, &err);
		return false;
	}
	if (json ? !json_docs(req, tree, arena, docs)
		 : !yaml_docs(req, &stream, arena, docs))
		return false;
	if (docs->count == 0)
		refuse_count(req, 0);
	return docs->count > 0;
}

enum { FLAWS_MAX = 100 };

void body_refuse(struct http_request *req, const struct findings *found,
		 bool with_document)
{
	struct http_flaw flaws[FLAWS_MAX];
	size_t count =
		found->violation_count < FLAWS_MAX ? found->violation_count : FLAWS_MAX;

	for (size_t i = 0; i < count; i++) {
		const struct finding *from = &found->violations[i];
		flaws[i] =
			(struct http_flaw){ with_document ? (unsigned)from->document : 0,
					    from->field, from->reason };
	}
	http_problem(req, 400, "Could not process a resource",
		     count < found->violation_count
			     ? "Resource is not valid; the first 100 violations:"
			     : "Resource is not valid",
		     flaws, count);
}

struct tree *body_warnings(const struct findings *found, struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < found->warning_count; i++) {
		const struct finding *from = &found->warnings[i];
		struct tree *item = tree_map(arena);
		if (from->document > 0)
			tree_set(arena, item, "document",
				 tree_int(arena, (int64_t)from->document));
		tree_set(arena, item, "kind", tree_text(arena, from->kind));
		tree_set(arena, item, "name", tree_text(arena, from->name));
		tree_set(arena, item, "field", tree_text(arena, from->field));
		tree_set(arena, item, "reason", tree_text(arena, from->reason));
		tree_push(arena, list, item);
	}
	return list;
}
