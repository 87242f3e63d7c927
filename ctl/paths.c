#include "ctl/paths.h"

#include "ctl/client.h"

#include <ctype.h>

enum kind paths_kind(const char *word)
{
	enum kind kind = kind_by_word(word);
	struct zl_buf known = { 0 };

	if (kind != KIND_NONE)
		return kind;
	for (int k = KIND_NONE + 1; k < KIND_END; k++)
		zl_buf_format(&known, "%s%s", k > 1 ? ", " : "",
			      kind_info((enum kind)k)->name);
	(void)ctl_fail(CTL_USAGE, "unknown kind %s; known: %s", word,
		       zl_buf_text(&known));
	zl_buf_free(&known);
	return KIND_NONE;
}

const char *paths_label(const struct ctl *ctl, const char *type, const char *name)
{
	char *label = zl_arena_format(ctl->arena, "%s/%s", type, name);

	for (char *at = label; *at != '/'; at++)
		*at = (char)tolower((unsigned char)*at);
	return label;
}

/* "/NAME?zone=ZONE&namespace=NAMESPACE" */
static const char *tail_of(const struct ctl *ctl, const char *name)
{
	const char *zone = "";
	const char *ns = "";

	if (ctl->zone != NULL)
		zone = zl_arena_format(ctl->arena, "?zone=%s",
				       client_escape(ctl, ctl->zone));
	if (ctl->ns != NULL)
		ns = zl_arena_format(ctl->arena, "%cnamespace=%s",
				     *zone != '\0' ? '&' : '?',
				     client_escape(ctl, ctl->ns));
	return zl_arena_format(ctl->arena, "/%s%s%s", client_escape(ctl, name), zone, ns);
}

const char *paths_of(const struct ctl *ctl, enum kind kind, const char *name)
{
	const struct kind_info *info = kind_info(kind);
	const char *tail = name != NULL ? tail_of(ctl, name) : "";

	if (info->scope == SCOPE_MESH)
		return zl_arena_format(ctl->arena, "/meshes/%s/%s%s",
				       client_escape(ctl, ctl->mesh), info->plural, tail);
	return zl_arena_format(ctl->arena, "/%s%s", info->plural, tail);
}
