#include "rest/find.h"
#include "base/span.h"
#include "model/travel.h"
#include "rest/rest.h"

#include <stdlib.h>
#include <string.h>

enum kind find_kind(struct http_request *req, bool with_mesh)
{
	const char *plural = http_param(req, "plural");
	enum kind kind = kind_by_plural(plural);

	if (kind == KIND_NONE) {
		http_refuse(req, 404, "there is no kind with the path \"%s\"", plural);
		return KIND_NONE;
	}
	if (with_mesh && kind_info(kind)->scope != SCOPE_MESH) {
		http_refuse(req, 404, "%s belongs to no mesh: its path is /%s",
			    kind_info(kind)->name, plural);
		return KIND_NONE;
	}
	return kind;
}

enum kind find_item_kind(struct http_request *req, bool with_mesh)
{
	enum kind kind = find_kind(req, with_mesh);

	if (kind == KIND_NONE || with_mesh || kind_info(kind)->scope != SCOPE_MESH)
		return kind;
	http_refuse(req, 404, "%s belongs to a mesh: /meshes/{mesh}/%s/%s",
		    kind_info(kind)->name, kind_info(kind)->plural,
		    http_param(req, "name"));
	return KIND_NONE;
}

/* "r42" or r42. */
static bool parse_etag(const char *text, uint64_t *rev)
{
	bool quoted = *text == '"';

	text += quoted;
	size_t digits = *text == 'r' ? strspn(text + 1, "0123456789") : 0;
	if (digits == 0 || digits > 18)
		return false;
	*rev = strtoull(text + 1, NULL, 10);
	return strcmp(text + 1 + digits, quoted ? "\"" : "") == 0;
}

bool find_condition(struct http_request *req, struct condition *condition)
{
	const char *match = http_header(req, "If-Match");
	const char *none = http_header(req, "If-None-Match");

	*condition = (struct condition){ ALWAYS, 0 };
	if (match != NULL && none != NULL) {
		http_refuse(req, 400, "If-Match and If-None-Match exclude each other");
		return false;
	}
	if (none != NULL && strcmp(none, "*") != 0) {
		http_refuse(req, 400, "If-None-Match: only * is served here");
		return false;
	}
	if (match != NULL && strcmp(match, "*") != 0 &&
	    !parse_etag(match, &condition->rev)) {
		http_refuse(req, 400, "If-Match: must be an ETag of ours, like \"r42\"");
		return false;
	}
	if (none != NULL)
		condition->on = ABSENT;
	else if (match != NULL)
		condition->on = strcmp(match, "*") == 0 ? EXISTS : AT_REV;
	return true;
}

bool rest_duration(const char *text, uint64_t *ms)
{
	enum { MAX_MS = 600000 };

	return zl_span_ms(text, ms) && *ms <= MAX_MS;
}

/* True if key is what the path and the query mean. */
static bool fits(const struct key *key, const char *name, const char *zone,
		 const char *ns)
{
	return (strcmp(key->name, name) == 0 || travel_is_name(key, name)) &&
	       (zone == NULL || strcmp(key->zone, zone) == 0) &&
	       (ns == NULL || strcmp(key->ns, ns) == 0);
}

enum { NAMED_MAX = 10 };

static void refuse_ambiguous(struct http_request *req, struct set_iter each,
			     const char *name, const char *zone, const char *ns)
{
	const struct resource *res;
	struct zl_buf text = { 0 };
	size_t count = 0;

	while ((res = set_next(&each)) != NULL) {
		if (!fits(&res->key, name, zone, ns) || ++count > NAMED_MAX)
			continue;
		zl_buf_str(&text, text.len > 0 ? ", " : "");
		key_kri(&res->key, "", &text);
		zl_buf_str(&text, " (");
		travel_name(&res->key, &text);
		zl_buf_char(&text, ')');
	}
	http_refuse(req, 409,
		    "%zu have this name; choose by ?zone= and ?namespace=, or by the "
		    "name in brackets: %s%s",
		    count, zl_buf_text(&text), count > NAMED_MAX ? ", ..." : "");
	zl_buf_free(&text);
}

const struct resource *rest_find(struct http_request *req, const struct set *set,
				 enum kind kind, const char *mesh, const char *name)
{
	const char *zone = http_query(req, "zone");
	const char *ns = http_query(req, "namespace");
	const struct key plain = { kind, mesh != NULL ? mesh : "",
				   zone != NULL ? zone : "", ns != NULL ? ns : "", name };
	const struct resource *found = set_get(set, &plain);
	struct set_iter each = set_each(set, kind, mesh);
	const struct resource *res;
	size_t count = 0;

	if (found != NULL)
		return found;
	while ((res = set_next(&each)) != NULL) {
		if (!fits(&res->key, name, zone, ns))
			continue;
		found = res;
		count++;
	}
	if (count == 0)
		http_refuse(req, 404, "no %s \"%s\"%s%s%s", kind_info(kind)->name, name,
			    mesh != NULL ? " in mesh \"" : "", mesh != NULL ? mesh : "",
			    mesh != NULL ? "\"" : "");
	if (count > 1)
		refuse_ambiguous(req, set_each(set, kind, mesh), name, zone, ns);
	return count == 1 ? found : NULL;
}
