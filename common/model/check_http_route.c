/* The rules of MeshHTTPRoute: kinds-spec 11. */
#include "model/checks.h"
#include "model/regex.h"
#include "model/schemas.h"

#include <string.h>

enum {
	HEADER_NAME_MAX = 256,
	PARAM_NAME_MAX = 1024, /* what Envoy takes */
	TESTED_MAX = 16,       /* of a list that is not refused for its length */
};

/* ---- one value ---- */
static void check_regex(struct decode *dec, const struct tree *tree,
			const struct path *at, const char *expression)
{
	const char *fault = regex_fault(expression);
	const struct tree *value = tree_get(tree, "value");

	if (fault != NULL && !is_mistyped(tree, "value", TREE_TEXT))
		decode_bad(dec, at, "value", value != NULL ? value : tree,
			   "not a valid regular expression: %s", fault);
}

/* V1 and V2 for a type; an absent one was told. False: there is none to go by. */
static bool check_type(struct decode *dec, const struct tree *tree, const struct path *at,
		       const char *const *types)
{
	const struct tree *type = tree_get(tree, "type");

	if (type == NULL || type->type != TREE_TEXT)
		return false;
	if (type->text[0] == '\0') {
		decode_bad(dec, at, "type", type, "must be defined");
		return false;
	}
	for (; *types != NULL; types++)
		if (strcmp(*types, type->text) == 0)
			return true;
	decode_bad(dec, at, "type", type, "value '%s' is not supported", type->text);
	return false;
}

/* ---- matches ---- */
void check_http_path(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	static const char *const TYPES[] = { "Exact", "PathPrefix", "RegularExpression",
					     NULL };
	const struct http_match *match = made;
	const struct tree *value = tree_get(tree, "value");
	size_t len = strlen(match->path);

	if (!check_type(dec, tree, at, TYPES) || value == NULL ||
	    value->type != TREE_TEXT)
		return;
	if (match->path_type == HTTP_PATH_REGEX)
		check_regex(dec, tree, at, match->path);
	else if (match->path[0] != '/')
		decode_bad(dec, at, "value", value, "must be an absolute path");
	else if (match->path_type == HTTP_PATH_PREFIX && len > 1 &&
		 match->path[len - 1] == '/')
		decode_bad(dec, at, "value", value,
			   "does not need a trailing slash because only a `/`-separated "
			   "prefix or an entire path is matched");
}

bool header_name_is_valid(const char *name)
{
	static const char TAKEN[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`~|";
	size_t len = strlen(name);

	return len > 0 && len <= HEADER_NAME_MAX && strspn(name, TAKEN) == len;
}

void check_http_header(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	const struct http_field *header = made;
	const struct tree *name = tree_get(tree, "name");
	const struct tree *value = tree_get(tree, "value");

	if (name != NULL && name->type == TREE_TEXT && !header_name_is_valid(name->text))
		decode_bad(dec, at, "name", name,
			   "must be a lower case HTTP header name");
	if (header->type == HTTP_VALUE_REGEX)
		check_regex(dec, tree, at, header->value);
	if ((header->type == HTTP_VALUE_PRESENT || header->type == HTTP_VALUE_ABSENT) &&
	    value != NULL)
		decode_bad(dec, at, "value", value, "must not be defined");
}

void check_http_param(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made)
{
	static const char *const TYPES[] = { "Exact", "RegularExpression", NULL };
	const struct http_field *param = made;
	const struct tree *name = tree_get(tree, "name");

	if (name != NULL && name->type == TREE_TEXT && name->text[0] == '\0')
		decode_bad(dec, at, "name", name, "must be defined");
	if (strlen(param->name) > PARAM_NAME_MAX)
		decode_bad(dec, at, "name", name, "must not be longer than %d bytes",
			   PARAM_NAME_MAX);
	if (check_type(dec, tree, at, TYPES) && param->type == HTTP_VALUE_REGEX)
		check_regex(dec, tree, at, param->value);
}

/* One name twice; of a list that is no list nothing was decoded. */
static void check_twice(struct decode *dec, const struct tree *tree,
			const struct path *at, const char *field,
			const struct http_field *items, size_t count)
{
	const struct tree *list = tree_get(tree, field);
	struct path list_at = { .up = at, .name = field };

	for (size_t i = 1; i < count && count <= TESTED_MAX; i++) {
		struct path here = { .up = &list_at, .index = i };
		size_t j = 0;
		while (j < i && strcmp(items[j].name, items[i].name) != 0)
			j++;
		if (j < i && items[i].name[0] != '\0')
			decode_bad(dec, &here, "name", tree_get(list->items[i], "name"),
				   "multiple entries for name %s", items[i].name);
	}
}

void check_http_match(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made)
{
	const struct http_match *match = made;

	check_twice(dec, tree, at, "headers", match->headers, match->header_count);
	check_twice(dec, tree, at, "queryParams", match->params, match->param_count);
}

/* ---- rules ---- */
void check_http_filter(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	static const char *const FILTERS[] = {
		"RequestHeaderModifier", "ResponseHeaderModifier",
		"RequestRedirect",       "URLRewrite",
		"RequestMirror",         NULL
	};

	(void)made;
	if (check_type(dec, tree, at, FILTERS))
		decode_bad(dec, at, "type", tree_get(tree, "type"),
			   "filter %s is not part of Zonelink",
			   tree_get(tree, "type")->text);
}

void check_http_default(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct tree *refs = tree_get(tree, "backendRefs");

	(void)made;
	if (refs != NULL && refs->type == TREE_LIST && refs->count > 0)
		check_weights(dec, refs, at, "backendRefs",
			      "the sum of weights is 0: every request will fail");
}

void check_http_rule(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	const struct tree *matches = tree_get(tree, "matches");

	(void)made;
	if (matches != NULL && matches->type == TREE_LIST && matches->count == 0)
		decode_bad(dec, at, "matches", matches, "must have at least one element");
}

void check_http_to(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made)
{
	const struct tree *hostnames = tree_get(tree, "hostnames");

	if (hostnames != NULL)
		decode_bad(dec, at, "hostnames", hostnames, "must not be defined");
	check_route_to(dec, tree, at, made);
}
