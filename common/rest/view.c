#include "base/clock.h"
#include "rest/find.h"
#include "rest/rest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };

void rest_render(struct rest *rest, struct http_request *req, const struct resource *res,
		 struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *tree = resource_tree(res, arena);
	struct zl_buf kri = { 0 };
	char when[ZL_TIME_TEXT];

	key_kri(&res->key, "", &kri);
	tree_set(arena, tree, "kri", tree_text(arena, zl_buf_text(&kri)));
	if (res->mod_rev != 0) {
		tree_set(arena, tree, "revision", tree_int(arena, (int64_t)res->mod_rev));
		tree_set(arena, tree, "creationRevision",
			 tree_int(arena, (int64_t)res->create_rev));
	}
	if (res->mod_wall_us != 0) {
		zl_time_text(res->mod_wall_us, when);
		tree_set(arena, tree, "modificationTime", tree_text(arena, when));
	}
	if (rest->ops->show != NULL)
		rest->ops->show(rest->owner, req, res, tree, arena);
	tree_json_pretty(tree, out);
	zl_buf_free(&kri);
	zl_arena_free(&arena);
}

void rest_get(struct rest *rest, struct http_request *req, bool with_mesh)
{
	enum kind kind = find_item_kind(req, with_mesh);
	struct zl_buf body = { 0 };

	if (kind == KIND_NONE)
		return;
	const struct resource *res = rest_find(req, rest->ops->set(rest->owner), kind,
					       with_mesh ? http_param(req, "mesh") : NULL,
					       http_param(req, "name"));
	if (res == NULL)
		return;
	http_add_header(req, "ETag", "\"r%" PRIu64 "\"", res->mod_rev);
	rest_render(rest, req, res, &body);
	http_json(req, 200, body.data);
	zl_buf_free(&body);
}

/* A number of the query; fallback when it is not there. False after a 400. */
static bool query_number(struct http_request *req, const char *name, uint64_t fallback,
			 uint64_t min, uint64_t max, uint64_t *out)
{
	const char *text = http_query(req, name);

	*out = fallback;
	if (text == NULL)
		return true;
	size_t digits = strspn(text, "0123456789");
	if (digits > 0 && digits < 19 && text[digits] == '\0') {
		*out = strtoull(text, NULL, 10);
		if (*out >= min && *out <= max)
			return true;
	}
	http_refuse(req, 400, "%s=%s: must be a number from %" PRIu64 " to %" PRIu64,
		    name, text, min, max);
	return false;
}

/* The path and query of the page that begins at offset. */
static void add_next(struct zl_buf *out, struct http_request *req, uint64_t size,
		     uint64_t offset)
{
	static const char KEEP[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._~";
	const char *part = http_query(req, "name");

	zl_buf_format(out, "\"%s?size=%" PRIu64 "&offset=%" PRIu64, http_path(req), size,
		      offset);
	if (part != NULL)
		zl_buf_str(out, "&name=");
	for (; part != NULL && *part != '\0'; part++) {
		if (strchr(KEEP, *part) != NULL)
			zl_buf_char(out, *part);
		else
			zl_buf_format(out, "%%%02X", (unsigned)(unsigned char)*part);
	}
	zl_buf_char(out, '"');
}

void rest_list(struct rest *rest, struct http_request *req, bool with_mesh)
{
	enum kind kind = find_kind(req, with_mesh);
	struct zl_buf body = { 0 };
	const struct resource *res;
	uint64_t size;
	uint64_t offset;
	uint64_t total = 0;

	if (kind == KIND_NONE ||
	    !query_number(req, "size", PAGE_DEFAULT, 1, PAGE_MAX, &size) ||
	    !query_number(req, "offset", 0, 0, INT64_MAX, &offset))
		return;
	const char *part = http_query(req, "name");
	struct set_iter each = set_each(rest->ops->set(rest->owner), kind,
					with_mesh ? http_param(req, "mesh") : NULL);
	zl_buf_str(&body, "{\"items\":[");
	while ((res = set_next(&each)) != NULL) {
		if (part != NULL && strstr(res->key.name, part) == NULL)
			continue;
		if (total >= offset && total < offset + size) {
			zl_buf_str(&body, total > offset ? "," : "");
			rest_render(rest, req, res, &body);
		}
		total++;
	}
	zl_buf_format(&body, "],\"total\":%" PRIu64 ",\"next\":", total);
	if (offset + size < total)
		add_next(&body, req, size, offset + size);
	else
		zl_buf_str(&body, "null");
	zl_buf_char(&body, '}');
	http_json(req, 200, body.data);
	zl_buf_free(&body);
}
