#include "ctl/options.h"

#include "base/span.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct ctl, field)

/* clang-format off */
static const struct flag FLAGS[] = {
	{ "server", 0, FLAG_TEXT, AT(server), 0, "ZONELINK_SERVER", "URL|unix:PATH",
	  "global or zone to talk to", { 0 } },
	{ "context", 0, FLAG_TEXT, AT(context), 0, "ZONELINK_CONTEXT", "NAME",
	  "server by name, from $XDG_CONFIG_HOME/zonelinkctl/config", { 0 } },
	{ "ca", 0, FLAG_TEXT, AT(ca), 0, "ZONELINK_CA", "FILE",
	  "certificate of the mesh's authority; https:// needs it", { 0 } },
	{ "token-file", 0, FLAG_TEXT, AT(token_file), 0, "ZONELINK_TOKEN_FILE", "FILE",
	  "user token to show; a file of mode 0600", { 0 } },
	{ "identity", 0, FLAG_TEXT, AT(identity), 0, "ZONELINK_IDENTITY", "global|zone/NAME",
	  "who a https:// server must prove to be (default: global)", { 0 } },
	{ "mesh", 'm', FLAG_TEXT, AT(mesh), 0, "ZONELINK_MESH", "MESH",
	  "mesh to work in (default: default)", { 0 } },
	{ "output", 'o', FLAG_OUTPUT, AT(output), 0, "ZONELINK_OUTPUT", "FORMAT",
	  "table, wide, json, yaml, name; simulate: json, envoy", { 0 } },
	{ "timeout", 0, FLAG_TIME, AT(timeout_ms), 0, "ZONELINK_TIMEOUT", "TIME",
	  "longest wait for an answer, like 30s or 500ms (default: 30s)", { 0 } },
	{ "no-headers", 0, FLAG_BOOL, AT(no_headers), 0, NULL, NULL,
	  "tables without their first line", { 0 } },
	{ "quiet", 'q', FLAG_BOOL, AT(quiet), 0, NULL, NULL,
	  "print failures only", { 0 } },
	{ "verbose", 'v', FLAG_BOOL, AT(verbose), 0, NULL, NULL,
	  "print requests and the status of answers", { 0 } },
	{ "help", 'h', FLAG_BOOL, AT(help), 0, NULL, NULL, "this text", { 0 } },
	{ "file", 'f', FLAG_FILES, AT(files), TAKES_FILE, NULL, "FILE|DIR|-",
	  "documents to read; may be given several times", { 0 } },
	{ "zone", 0, FLAG_TEXT, AT(zone), TAKES_ZONE, NULL, "ZONE",
	  "simulate, analyze: the zone to be; get, delete: the zone it belongs to; token "
	  "create: the zone that is to join", { 0 } },
	{ "namespace", 'n', FLAG_TEXT, AT(ns), TAKES_NAMESPACE, NULL, "NAMESPACE",
	  "get, delete: the one of this namespace", { 0 } },
	{ "proxy", 0, FLAG_TEXT, AT(proxy), TAKES_PROXY, NULL, "NAME",
	  "simulate: this proxy only", { 0 } },
	{ "to", 0, FLAG_TEXT, AT(to), TAKES_TO, NULL, "SERVICE",
	  "explain, simulate: outbounds to this service only", { 0 } },
	{ "admin", 0, FLAG_TEXT, AT(admin), TAKES_ADMIN, NULL, "HOST:PORT|unix:PATH",
	  "bootstrap: Envoy's admin address (default: 127.0.0.1:9901)", { 0 } },
	{ "wait", 0, FLAG_CHOICE, AT(wait), TAKES_WAIT, NULL, "proxies|zones",
	  "apply: until all proxies (default), or all zones, have it",
	  { "proxies", "zones" } },
	{ "message", 0, FLAG_TEXT, AT(message), TAKES_WAIT, NULL, "TEXT",
	  "apply: kept in the history", { 0 } },
	{ "dry-run", 0, FLAG_CHOICE, AT(dry_run), TAKES_WAIT | TAKES_YES, NULL, "server|client",
	  "apply, zone retire: check or show only (default: server)", { "server", "client" } },
	{ "if-revision", 0, FLAG_NUMBER, AT(if_revision), TAKES_REVISION, NULL, "N",
	  "delete: only if this is still its revision", { 0 } },
	{ "client", 0, FLAG_BOOL, AT(client_only), TAKES_CLIENT, NULL, NULL,
	  "version: do not ask the server", { 0 } },
	{ "failure-threshold", 0, FLAG_TEXT, AT(threshold), TAKES_THRESHOLD, NULL,
	  "error|warning|info", "analyze: exit 1 from here on (default: warning)", { 0 } },
	{ "recursive", 0, FLAG_BOOL, AT(recursive), TAKES_RECURSIVE, NULL, NULL,
	  "schema: fields of fields too", { 0 } },
	{ "user", 0, FLAG_TEXT, AT(user), TAKES_TOKEN, NULL, "NAME",
	  "token create: for this user of the API", { 0 } },
	{ "role", 0, FLAG_TEXT, AT(role), TAKES_TOKEN, NULL, "viewer|operator|admin",
	  "token create: what the user may do", { 0 } },
	{ "dataplane", 0, FLAG_TEXT, AT(dataplane), TAKES_TOKEN, NULL, "NAME",
	  "token create: for the proxy of this Dataplane (from its zone)", { 0 } },
	{ "service", 0, FLAG_TEXT, AT(service), TAKES_TOKEN, NULL, "SERVICE",
	  "token create: for all Dataplanes that offer it (from their zone)", { 0 } },
	{ "zone-proxy", 0, FLAG_TEXT, AT(zone_proxy), TAKES_TOKEN | TAKES_ZONE_PROXY, NULL,
	  "ingress|egress", "token create: for a zone proxy (from its zone); bootstrap, "
	  "explain: the zone proxy of that name, not a Dataplane", { 0 } },
	{ "name", 0, FLAG_TEXT, AT(name), TAKES_TOKEN, NULL, "NAME",
	  "token create --zone-proxy: for the one of this name (default: any)", { 0 } },
	{ "observed", 0, FLAG_BOOL, AT(observed), TAKES_OBSERVED, NULL, NULL,
	  "explain: how connections were really shared, beside how they are to be", { 0 } },
	{ "endpoints", 0, FLAG_BOOL, AT(endpoints), TAKES_OBSERVED, NULL, NULL,
	  "explain --observed: of each endpoint, from the first time on that it is asked "
	  "for", { 0 } },
	{ "ttl", 0, FLAG_TEXT, AT(ttl), TAKES_TOKEN | TAKES_ADMIN, NULL, "TIME",
	  "token create, bootstrap: how long the token is good, like 30m, 24h or 7d "
	  "(of proxies: 720h)", { 0 } },
	{ "data-dir", 0, FLAG_TEXT, AT(data_dir), TAKES_RESTORE, NULL, "DIR",
	  "snapshot restore: data_dir of the global that is to have it", { 0 } },
	{ "force", 0, FLAG_BOOL, AT(force), TAKES_RESTORE, NULL, NULL,
	  "snapshot restore: move the store that is there aside", { 0 } },
	{ "yes", 0, FLAG_BOOL, AT(yes), TAKES_YES, NULL, NULL,
	  "zone retire: do it", { 0 } },
	{ "markdown", 0, FLAG_BOOL, AT(markdown), TAKES_MARKDOWN, NULL, NULL,
	  "schema, analyze: the page of docs/reference", { 0 } },
};
/* clang-format on */

enum { FLAG_COUNT = sizeof(FLAGS) / sizeof(FLAGS[0]) };

const struct flag *flag_at(size_t i)
{
	return i < FLAG_COUNT ? &FLAGS[i] : NULL;
}

/* ---- values ---- */

#define CTL_OUTPUT_WORD(name, word) [OUT_##name] = (word),
static const char *const OUTPUTS[] = { CTL_OUTPUTS(CTL_OUTPUT_WORD) };

static bool output_parse(const char *text, enum ctl_output *output)
{
	for (int i = OUT_TABLE; i <= OUT_ENVOY; i++) {
		if (strcmp(text, OUTPUTS[i]) == 0) {
			*output = (enum ctl_output)i;
			return true;
		}
	}
	return false;
}

/* "30s", "500ms", "2m": above 0, at most a day. */
static bool duration_parse(const char *text, long *ms)
{
	enum { MAX_MS = 86400000 };
	uint64_t span;

	if (!zl_span_ms(text, &span) || span == 0 || span > MAX_MS)
		return false;
	*ms = (long)span;
	return true;
}

/* What a value must be, NULL if it is; then it is in its field. */
static const char *value_set(struct ctl *ctl, const struct flag *flag, const char *value)
{
	char *field = (char *)ctl + flag->offset;

	switch (flag->type) {
	case FLAG_BOOL:
		memcpy(field, &(const bool){ true }, sizeof(bool));
		return NULL;
	case FLAG_FILES:
		ctl->files[ctl->file_count++] = value;
		return NULL;
	case FLAG_OUTPUT:
		return output_parse(value, &ctl->output)
			       ? NULL
			       : "one of table, wide, json, yaml, name, envoy";
	case FLAG_TIME:
		return duration_parse(value, &ctl->timeout_ms)
			       ? NULL
			       : "a time like 30s or 500ms";
	case FLAG_NUMBER:
		if (value[strspn(value, "0123456789")] != '\0' || strlen(value) > 18)
			return "a revision number";
		break;
	case FLAG_CHOICE:
		if (strcmp(value, flag->choices[0]) != 0 &&
		    strcmp(value, flag->choices[1]) != 0)
			return flag->value;
		break;
	case FLAG_TEXT:
		break;
	}
	memcpy(field, &value, sizeof(value));
	return NULL;
}

static enum ctl_exit flag_set(struct ctl *ctl, const struct flag *flag, const char *value,
			      const char *said_by)
{
	const char *want = flag->type != FLAG_BOOL && *value == '\0'
				   ? "given"
				   : value_set(ctl, flag, value);

	if (want == NULL)
		return CTL_OK;
	return ctl_fail(CTL_USAGE, "%s%s %s: must be %s",
			said_by == flag->env ? "" : "--", said_by, value, want);
}

/* ---- the command line ---- */

struct line {
	int argc, at;
	char **argv;
	bool given[FLAG_COUNT];
	bool only_args; /* after "--" */
};

/* The flag of an argument, and its value if that stands in it. */
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
				*value = arg + 2 + (arg[2] == '=');
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

static enum ctl_exit read_flag(struct line *line, struct ctl *ctl)
{
	const char *value;
	const struct flag *flag = flag_find(line->argv[line->at], &value);

	if (flag == NULL)
		return ctl_fail(CTL_USAGE, "unknown flag %s (see zonelinkctl help)",
				line->argv[line->at]);
	if (flag->type == FLAG_BOOL && value != NULL)
		return ctl_fail(CTL_USAGE, "--%s takes no value", flag->name);
	if (flag->type == FLAG_CHOICE && value == NULL) {
		value = flag->choices[0];
	} else if (flag->type != FLAG_BOOL && value == NULL) {
		if (line->at + 1 >= line->argc)
			return ctl_fail(CTL_USAGE, "--%s needs a value: %s", flag->name,
					flag->value);
		value = line->argv[++line->at];
	}
	line->given[flag - FLAGS] = true;
	return flag_set(ctl, flag, value, flag->name);
}

static enum ctl_exit read_line(struct line *line, struct ctl *ctl)
{
	enum ctl_exit code = CTL_OK;

	for (line->at = 1; code == CTL_OK && line->at < line->argc; line->at++) {
		char *arg = line->argv[line->at];
		if (!line->only_args && strcmp(arg, "--") == 0)
			line->only_args = true;
		else if (!line->only_args && arg[0] == '-' && arg[1] != '\0')
			code = read_flag(line, ctl);
		else
			ctl->args[ctl->arg_count++] = arg;
	}
	return code;
}

/* What no flag said. A context by flag goes before a server by environment. */
static enum ctl_exit read_env(const struct line *line, struct ctl *ctl)
{
	enum ctl_exit code = CTL_OK;
	bool context = ctl->context != NULL;

	for (size_t i = 0; code == CTL_OK && i < FLAG_COUNT; i++) {
		const struct flag *flag = &FLAGS[i];
		const char *value = flag->env != NULL ? getenv(flag->env) : NULL;
		if (value == NULL || *value == '\0' || line->given[i] ||
		    (flag->offset == AT(server) && context))
			continue;
		code = flag_set(ctl, flag, value, flag->env);
	}
	return code;
}

static const struct command *command_of(const char *name)
{
	const struct command *c = CTL_COMMANDS;

	while (c->name != NULL && strcmp(c->name, name) != 0)
		c++;
	return c->name != NULL ? c : NULL;
}

/* Do the flags and arguments fit the command? */
static enum ctl_exit check_command(const struct line *line, struct ctl *ctl,
				   const struct command *command)
{
	for (size_t i = 0; i < FLAG_COUNT; i++)
		if (line->given[i] && FLAGS[i].only != 0 &&
		    (FLAGS[i].only & command->flags) == 0)
			return ctl_fail(CTL_USAGE, "%s takes no --%s", command->name,
					FLAGS[i].name);
	if (ctl->output != OUT_DEFAULT && (command->outputs & (1U << ctl->output)) == 0) {
		for (size_t i = 0; i < FLAG_COUNT; i++)
			if (line->given[i] && FLAGS[i].type == FLAG_OUTPUT)
				return ctl_fail(CTL_USAGE, "%s has no output %s",
						command->name, OUTPUTS[ctl->output]);
		ctl->output = OUT_DEFAULT; /* the environment speaks of the others */
	}
	if (ctl->arg_count < command->min_args || ctl->arg_count > command->max_args)
		return ctl_fail(CTL_USAGE, "usage: zonelinkctl %s %s", command->name,
				command->args);
	for (size_t i = 0; i < ctl->arg_count; i++)
		if (*ctl->args[i] == '\0')
			return ctl_fail(CTL_USAGE,
					"an argument is empty; usage: "
					"zonelinkctl %s %s",
					command->name, command->args);
	return CTL_OK;
}

/* `help`, `help COMMAND`, `help exit-codes`, --help with or without a command. */
static enum ctl_exit print_help(const struct ctl *ctl)
{
	bool word = ctl->arg_count > 0 && strcmp(ctl->args[0], "help") == 0;
	const char *about =
		ctl->arg_count > (word ? 1 : 0) ? ctl->args[word ? 1 : 0] : NULL;

	if (about == NULL) {
		help_print(NULL);
		return CTL_OK;
	}
	if (strcmp(about, "exit-codes") == 0) {
		help_exit_codes();
		return CTL_OK;
	}
	const struct command *command = command_of(about);
	if (command == NULL)
		return ctl_fail(CTL_USAGE, "unknown command %s (see zonelinkctl help)",
				about);
	help_print(command);
	return CTL_OK;
}

enum ctl_exit options_read(int argc, char **argv, struct ctl *ctl,
			   const struct command **command)
{
	struct line line = { .argc = argc, .argv = argv };

	*command = NULL;
	ctl->mesh = "default";
	ctl->timeout_ms = 30000;
	ctl->files = zl_arena_alloc(ctl->arena, (size_t)argc, sizeof(*ctl->files));
	ctl->args = zl_arena_alloc(ctl->arena, (size_t)argc + 1, sizeof(*ctl->args));

	enum ctl_exit code = read_line(&line, ctl);
	if (code == CTL_OK)
		code = read_env(&line, ctl);
	if (code != CTL_OK)
		return code;
	if (ctl->help || (ctl->arg_count > 0 && strcmp(ctl->args[0], "help") == 0))
		return print_help(ctl);
	if (ctl->arg_count == 0) {
		help_print(NULL);
		return CTL_USAGE;
	}
	const struct command *found = command_of(ctl->args[0]);
	if (found == NULL)
		return ctl_fail(CTL_USAGE, "unknown command %s (see zonelinkctl help)",
				ctl->args[0]);
	ctl->args++;
	ctl->arg_count--;
	code = check_command(&line, ctl, found);
	if (code == CTL_OK)
		*command = found;
	return code;
}
