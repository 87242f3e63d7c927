/* The rules of MeshTrafficPermission: policies-spec 3.1. */
#include "model/checks.h"
#include "model/schema_access.h"

#include <string.h>

enum { SPIFFE_MAX = 2048 };

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789.-_"
static const char SCHEME[] = "spiffe://";

/* A segment of a path: not "." and not "..". */
static bool is_segment(const char *text, size_t len)
{
	bool dots = strspn(text, ".") >= len && len <= 2;

	return len > 0 && !dots &&
	       strspn(text, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= len;
}

/* spiffe://DOMAIN/PATH; of a prefix the beginning of one. */
static bool is_spiffe(const char *id, bool prefix)
{
	if (strncmp(id, SCHEME, strlen(SCHEME)) != 0 || strlen(id) > SPIFFE_MAX)
		return false;
	const char *path = id + strlen(SCHEME);
	size_t domain = strspn(path, LOWER);
	path += domain;
	if (domain == 0 || (*path == '\0' && !prefix))
		return false;
	while (*path == '/') {
		size_t len = strcspn(++path, "/");
		if (len == 0 && *path == '\0')
			return prefix;
		if (!is_segment(path, len))
			return false;
		path += len;
	}
	return *path == '\0';
}

void check_spiffe(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made)
{
	const struct expected_name *name = made;
	size_t len = strlen(name->value);

	if (is_mistyped(tree, "value", TREE_TEXT))
		return;
	if (!is_spiffe(name->value, name->prefix))
		decode_bad(dec, at, NULL, tree, "must be a valid Spiffe ID");
	else if (name->prefix && name->value[len - 1] != '/')
		decode_warn(dec, at, "value", tree_get(tree, "value"),
			    "prefix \"%s\" does not end in \"/\"; it also matches longer "
			    "names",
			    name->value);
}

void check_permission_lists(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	static const char *const NAMES[] = { "allow", "allowWithShadowDeny", "deny" };
	bool some = false;

	(void)made;
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		const struct tree *list = tree_get(tree, NAMES[i]);
		some = some ||
		       (list != NULL && (list->type != TREE_LIST || list->count > 0));
	}
	if (!some) /* of the rule, whose default this is */
		decode_bad(dec, at->up, NULL, tree,
			   "at least one of 'allow', 'allowWithShadowDeny', 'deny' has "
			   "to be defined");
}
