#include "ctl/context.h"

#include "base/err.h"
#include "model/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DEFAULT_SERVER "unix:/run/zonelink/api.sock"

static const char *file_path(const struct ctl *ctl)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (config != NULL && *config != '\0')
		return zl_arena_format(ctl->arena, "%s/zonelinkctl/config", config);
	return zl_arena_format(ctl->arena, "%s/.config/zonelinkctl/config",
			       home != NULL ? home : "");
}

/* *doc is NULL when there is no such file and none was asked for. */
static enum ctl_exit read_config(const struct ctl *ctl, const char *path,
				 struct tree **doc)
{
	struct zl_err err = { 0 };
	struct stat info;
	struct docs docs;
	char text[65536];

	*doc = NULL;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return (errno == ENOENT || errno == ENOTDIR) && ctl->context == NULL
			       ? CTL_OK
			       : ctl_fail(CTL_UNREADABLE, "%s: %m", path);
	size_t len = fread(text, 1, sizeof(text), file);
	bool failed = ferror(file) != 0 || fstat(fileno(file), &info) != 0;
	(void)fclose(file);
	if (failed || len == sizeof(text))
		return ctl_fail(CTL_UNREADABLE, "%s: %s", path,
				failed ? "cannot be read" : "is larger than 64 KiB");
	if ((info.st_mode & 077) != 0)
		return ctl_fail(CTL_UNREADABLE, "%s: must be private: chmod 600 %s", path,
				path);
	if (read_yaml(text, len, ctl->arena, &docs, &err) != ZL_OK)
		return ctl_fail(CTL_UNREADABLE, "%s:%s", path, err.msg);
	if (docs.count != 1)
		return ctl_fail(CTL_UNREADABLE, "%s: must be one document", path);
	*doc = docs.items[0];
	return CTL_OK;
}

/* What a context says of its server, unless a flag or the environment did. */
static void take(const struct tree *context, const char *name, const char **to)
{
	const struct tree *found = tree_get(context, name);

	if (*to == NULL && found != NULL && found->type == TREE_TEXT)
		*to = found->text;
}

enum ctl_exit context_server(const struct ctl *ctl, struct server *server)
{
	const char *path = file_path(ctl);
	const char *name = ctl->context;
	struct tree *doc;

	*server = (struct server){ ctl->server, ctl->ca, ctl->token_file, ctl->identity };
	if (ctl->server != NULL)
		return CTL_OK;
	enum ctl_exit code = read_config(ctl, path, &doc);
	if (code != CTL_OK)
		return code;
	const struct tree *current = tree_get(doc, "current");
	if (name == NULL && current != NULL && current->type == TREE_TEXT)
		name = current->text;
	if (name == NULL) {
		server->url = DEFAULT_SERVER;
		return CTL_OK;
	}
	const struct tree *context = tree_get(tree_get(doc, "contexts"), name);
	take(context, "server", &server->url);
	if (server->url == NULL)
		return ctl_fail(CTL_USAGE, "context %s: %s has no contexts.%s.server",
				name, path, name);
	take(context, "ca", &server->ca);
	take(context, "token_file", &server->token_file);
	take(context, "identity", &server->identity);
	return CTL_OK;
}
