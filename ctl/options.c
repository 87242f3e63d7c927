#include "ctl/options.h"

#include "base/err.h"
#include "model/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_SERVER "unix:/run/zonelink/api.sock"

enum flag_id {
	FLAG_SERVER,
	FLAG_MESH,
	FLAG_OUTPUT,
	FLAG_TIMEOUT,
	FLAG_FILE,
	FLAG_ZONE,
	FLAG_PROXY,
	FLAG_TO,
	FLAG_ADMIN,
	FLAG_WAIT,
	FLAG_MESSAGE,
	FLAG_DRY_RUN,
	FLAG_IF_REVISION,
	FLAG_NO_HEADERS,
	FLAG_QUIET,
	FLAG_VERBOSE,
	FLAG_CLIENT,
	FLAG_CONTEXT,
	FLAG_HELP
};

enum takes { TAKES_NOTHING, TAKES_VALUE, MAY_TAKE_VALUE }; /* the last: --flag[=value] */

static const struct flag {
	enum flag_id id;
	const char *name; /* long form */
	char letter;      /* short form; 0: none */
	enum takes takes;
	const char *env; /* NULL: none */
	const char *value, *help;
} FLAGS[] = {
	{ FLAG_SERVER, "server", 0, TAKES_VALUE, "ZONELINK_SERVER", "URL|unix:PATH",
	  "global or zone to talk to" },
	{ FLAG_CONTEXT, "context", 0, TAKES_VALUE, "ZONELINK_CONTEXT", "NAME",
	  "server by name, from $XDG_CONFIG_HOME/zonelinkctl/config" },
	{ FLAG_MESH, "mesh", 'm', TAKES_VALUE, "ZONELINK_MESH", "MESH",
	  "mesh to work in (default: default)" },
	{ FLAG_OUTPUT, "output", 'o', TAKES_VALUE, "ZONELINK_OUTPUT", "FORMAT",
	  "table, wide, json, yaml, name; simulate: json, envoy" },
	{ FLAG_TIMEOUT, "timeout", 0, TAKES_VALUE, "ZONELINK_TIMEOUT", "TIME",
	  "longest wait for an answer, like 30s or 500ms (default: 30s)" },
	{ FLAG_FILE, "file", 'f', TAKES_VALUE, NULL, "FILE|DIR|-",
	  "documents to read; may be given several times" },
	{ FLAG_ZONE, "zone", 0, TAKES_VALUE, NULL, "ZONE", "simulate: the zone to be" },
	{ FLAG_PROXY, "proxy", 0, TAKES_VALUE, NULL, "NAME",
	  "simulate: this proxy only" },
	{ FLAG_TO, "to", 0, TAKES_VALUE, NULL, "SERVICE", "explain: this outbound only" },
	{ FLAG_ADMIN, "admin", 0, TAKES_VALUE, NULL, "HOST:PORT|unix:PATH",
	  "bootstrap: Envoy's admin address (default: 127.0.0.1:9901)" },
	{ FLAG_WAIT, "wait", 0, MAY_TAKE_VALUE, NULL, "zones|proxies",
	  "apply: until all zones, or all proxies (default), have it" },
	{ FLAG_MESSAGE, "message", 0, TAKES_VALUE, NULL, "TEXT",
	  "apply: kept in the history" },
	{ FLAG_DRY_RUN, "dry-run", 0, MAY_TAKE_VALUE, NULL, "client|server",
	  "apply: check only (default: server)" },
	{ FLAG_IF_REVISION, "if-revision", 0, TAKES_VALUE, NULL, "N",
	  "apply, delete: only if this is still the revision" },
	{ FLAG_NO_HEADERS, "no-headers", 0, TAKES_NOTHING, NULL, NULL,
	  "tables without their first line" },
	{ FLAG_QUIET, "quiet", 'q', TAKES_NOTHING, NULL, NULL, "print failures only" },
	{ FLAG_VERBOSE, "verbose", 'v', TAKES_NOTHING, NULL, NULL,
	  "print requests and answers' status" },
	{ FLAG_CLIENT, "client", 0, TAKES_NOTHING, NULL, NULL,
	  "version: do not ask the server" },
	{ FLAG_HELP, "help", 'h', TAKES_NOTHING, NULL, NULL, "this text" },
};

enum { FLAG_COUNT = sizeof(FLAGS) / sizeof(FLAGS[0]) };

static void print_help(void)
{
	(void)puts("usage: zonelinkctl COMMAND [ARGUMENTS] [FLAGS]\n\ncommands:");
	for (const struct command *c = CTL_COMMANDS; c->name != NULL; c++)
		(void)printf("  %-10s %-28s %s\n", c->name, c->args, c->help);
	(void)puts(
		"  help       [exit-codes]                 this text, or what exit codes "
		"mean\n\nflags:");
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		const struct flag *f = &FLAGS[i];
		char left[64];
		(void)snprintf(left, sizeof(left), "%s%c%s--%s%s%s",
			       f->letter ? "-" : " ", f->letter ? f->letter : ' ',
			       f->letter ? ", " : "  ", f->name,
			       f->takes == TAKES_NOTHING    ? ""
			       : f->takes == MAY_TAKE_VALUE ? "[="
							    : " ",
			       f->value != NULL ? f->value : "");
		(void)printf("  %s%-*s %s%s%s%s\n", left,
			     strlen(left) < 34 ? (int)(34 - strlen(left)) : 0,
			     f->takes == MAY_TAKE_VALUE ? "]" : "", f->help,
			     f->env != NULL ? " [" : "", f->env != NULL ? f->env : "",
			     f->env != NULL ? "]" : "");
	}
}

#define CTL_EXIT_LINE(name, number, meaning) (void)printf("%4d  %s\n", number, meaning);

static void print_exit_codes(void)
{
	CTL_EXITS(CTL_EXIT_LINE)
	(void)puts(" 130  interrupted");
}

static bool output_parse(const char *text, enum ctl_output *output)
{
	static const char *const NAMES[] = {
		[OUT_TABLE] = "table", [OUT_WIDE] = "wide", [OUT_JSON] = "json",
		[OUT_YAML] = "yaml",   [OUT_NAME] = "name", [OUT_ENVOY] = "envoy",
	};

	for (int i = OUT_TABLE; i <= OUT_ENVOY; i++) {
		if (strcmp(text, NAMES[i]) == 0) {
			*output = (enum ctl_output)i;
			return true;
		}
	}
	return false;
}

/* "30s", "500ms", "2m"; at most a day. */
static bool duration_parse(const char *text, long *ms)
{
	static const struct {
		const char *unit;
		long ms;
	} UNITS[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	char *end = NULL;
	long value = strtol(text, &end, 10);

	if (end == text || value < 0 || value > 86400000)
		return false;
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		if (strcmp(end, UNITS[i].unit) == 0) {
			*ms = value * UNITS[i].ms;
			return *ms <= 86400000;
		}
	}
	return false;
}

static enum ctl_exit bad_value(const char *flag, const char *value, const char *want)
{
	return ctl_fail(CTL_USAGE, "--%s %s: must be %s", flag, value, want);
}

/* The server of a context: a YAML file of contexts: {NAME: {server: ...}}, mode 0600. */
static enum ctl_exit context_server(struct ctl *ctl, const char *name)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	const char *path =
		home != NULL
			? zl_arena_format(ctl->arena, "%s/zonelinkctl/config", home)
			: zl_arena_format(ctl->arena, "%s/.config/zonelinkctl/config",
					  getenv("HOME") != NULL ? getenv("HOME") : "");
	struct zl_err err = { 0 };
	struct stat info;
	struct docs docs;
	char text[65536];

	FILE *file = fopen(path, "r");
	if (file == NULL || fstat(fileno(file), &info) != 0) {
		if (file != NULL)
			(void)fclose(file);
		if (name == NULL)
			return CTL_OK; /* no contexts at all */
		return ctl_fail(CTL_UNREADABLE, "context %s: %s: %m", name, path);
	}
	size_t len = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	if ((info.st_mode & 077) != 0)
		return ctl_fail(CTL_UNREADABLE, "%s: must be private: chmod 600 %s", path,
				path);
	if (read_yaml(text, len, ctl->arena, &docs, &err) != ZL_OK)
		return ctl_fail(CTL_UNREADABLE, "%s:%s", path, err.msg);
	if (docs.count != 1)
		return ctl_fail(CTL_UNREADABLE, "%s: must be one document", path);

	const struct tree *current = tree_get(docs.items[0], "current");
	if (name == NULL && current != NULL && current->type == TREE_TEXT)
		name = current->text;
	if (name == NULL)
		return CTL_OK;
	const struct tree *server =
		tree_get(tree_get(tree_get(docs.items[0], "contexts"), name), "server");
	if (server == NULL || server->type != TREE_TEXT)
		return ctl_fail(CTL_USAGE, "context %s: %s has no contexts.%s.server",
				name, path, name);
	ctl->server = server->text;
	return CTL_OK;
}

static enum ctl_exit flag_set(struct ctl *ctl, const struct flag *flag, const char *value)
{
	switch (flag->id) {
	case FLAG_SERVER:
		ctl->server = value;
		break;
	case FLAG_CONTEXT:
		return context_server(ctl, value);
	case FLAG_MESH:
		ctl->mesh = value;
		break;
	case FLAG_OUTPUT:
		if (!output_parse(value, &ctl->output))
			return bad_value("output", value,
					 "one of table, wide, json, yaml, name, envoy");
		break;
	case FLAG_TIMEOUT:
		if (!duration_parse(value, &ctl->timeout_ms))
			return bad_value("timeout", value, "a time like 30s or 500ms");
		break;
	case FLAG_FILE:
		ctl->files[ctl->file_count++] = value;
		break;
	case FLAG_ZONE:
		ctl->zone = value;
		break;
	case FLAG_PROXY:
		ctl->proxy = value;
		break;
	case FLAG_TO:
		ctl->to = value;
		break;
	case FLAG_ADMIN:
		ctl->admin = value;
		break;
	case FLAG_WAIT:
		ctl->wait = value != NULL ? value : "proxies";
		if (strcmp(ctl->wait, "zones") != 0 && strcmp(ctl->wait, "proxies") != 0)
			return bad_value("wait", value, "zones or proxies");
		break;
	case FLAG_MESSAGE:
		ctl->message = value;
		break;
	case FLAG_DRY_RUN:
		ctl->dry_run = value != NULL ? value : "server";
		if (strcmp(ctl->dry_run, "client") != 0 &&
		    strcmp(ctl->dry_run, "server") != 0)
			return bad_value("dry-run", value, "client or server");
		break;
	case FLAG_IF_REVISION:
		if (*value == '\0' || value[strspn(value, "0123456789")] != '\0')
			return bad_value("if-revision", value, "a revision number");
		ctl->if_revision = value;
		break;
	case FLAG_NO_HEADERS:
		ctl->no_headers = true;
		break;
	case FLAG_QUIET:
		ctl->quiet = true;
		break;
	case FLAG_VERBOSE:
		ctl->verbose = true;
		break;
	case FLAG_CLIENT:
		ctl->client_only = true;
		break;
	case FLAG_HELP:
		break;
	}
	return CTL_OK;
}

/* The flag of argument arg, and its value if that stands behind a '='. */
static const struct flag *flag_find(const char *arg, const char **value)
{
	*value = NULL;
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		const struct flag *flag = &FLAGS[i];
		size_t len = strlen(flag->name);
		if (arg[1] != '-') {
			if (flag->letter == '\0' || arg[1] != flag->letter)
				continue;
			if (arg[2] != '\0')
				*value = arg + 2;
			return flag;
		}
		if (strncmp(arg + 2, flag->name, len) != 0)
			continue;
		if (arg[2 + len] == '=')
			*value = arg + 3 + len;
		else if (arg[2 + len] != '\0')
			continue;
		return flag;
	}
	return NULL;
}

static enum ctl_exit read_flag(int argc, char **argv, int *at, struct ctl *ctl,
			       bool *help)
{
	const char *value;
	const struct flag *flag = flag_find(argv[*at], &value);

	if (flag == NULL)
		return ctl_fail(CTL_USAGE, "unknown flag %s (see zonelinkctl help)",
				argv[*at]);
	if (flag->takes == TAKES_NOTHING && value != NULL)
		return ctl_fail(CTL_USAGE, "--%s takes no value", flag->name);
	if (flag->takes == TAKES_VALUE && value == NULL) {
		if (*at + 1 >= argc)
			return ctl_fail(CTL_USAGE, "--%s needs a value: %s", flag->name,
					flag->value);
		value = argv[++*at];
	}
	*help = *help || flag->id == FLAG_HELP;
	return flag_set(ctl, flag, value);
}

static enum ctl_exit read_env(struct ctl *ctl)
{
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		const char *value = FLAGS[i].env != NULL ? getenv(FLAGS[i].env) : NULL;
		if (value == NULL || *value == '\0')
			continue;
		enum ctl_exit code = flag_set(ctl, &FLAGS[i], value);
		if (code != CTL_OK)
			return code;
	}
	return CTL_OK;
}

static enum ctl_exit command_find(struct ctl *ctl, const struct command **out)
{
	const struct command *c = CTL_COMMANDS;

	while (c->name != NULL && strcmp(c->name, ctl->args[0]) != 0)
		c++;
	if (c->name == NULL)
		return ctl_fail(CTL_USAGE, "unknown command %s (see zonelinkctl help)",
				ctl->args[0]);
	ctl->args++;
	ctl->arg_count--;
	if (ctl->arg_count < c->min_args || ctl->arg_count > c->max_args)
		return ctl_fail(CTL_USAGE, "usage: zonelinkctl %s %s", c->name, c->args);
	*out = c;
	return CTL_OK;
}

enum ctl_exit options_read(int argc, char **argv, struct ctl *ctl,
			   const struct command **command)
{
	bool help = false;
	bool only_args = false;

	*command = NULL;
	ctl->server = DEFAULT_SERVER;
	ctl->mesh = "default";
	ctl->timeout_ms = 30000;
	ctl->files = zl_arena_alloc(ctl->arena, (size_t)argc, sizeof(*ctl->files));
	ctl->args = zl_arena_alloc(ctl->arena, (size_t)argc + 1, sizeof(*ctl->args));

	enum ctl_exit code = context_server(ctl, NULL);
	if (code == CTL_OK)
		code = read_env(ctl);
	for (int i = 1; code == CTL_OK && i < argc; i++) {
		if (!only_args && strcmp(argv[i], "--") == 0)
			only_args = true;
		else if (!only_args && argv[i][0] == '-' && argv[i][1] != '\0')
			code = read_flag(argc, argv, &i, ctl, &help);
		else
			ctl->args[ctl->arg_count++] = argv[i];
	}
	if (code != CTL_OK)
		return code;

	bool asked = ctl->arg_count > 0 && strcmp(ctl->args[0], "help") == 0;
	if (asked && ctl->arg_count > 1 && strcmp(ctl->args[1], "exit-codes") == 0) {
		print_exit_codes();
		return CTL_OK;
	}
	if (help || asked) {
		print_help();
		return CTL_OK;
	}
	if (ctl->arg_count == 0) {
		print_help();
		return CTL_USAGE;
	}
	return command_find(ctl, command);
}
