/* zonelinkctl: the client of global and zones, and their offline checks. */
#include "ctl/ctl.h"
#include "ctl/options.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	MAY_TREE = MAY_TABLE | MAY_JSON | MAY_YAML,
	MAY_LIST = MAY_TREE | MAY_WIDE | MAY_NAME
};

/* clang-format off */
const struct command CTL_COMMANDS[] = {
	{ "apply", "-f FILE|DIR|-", "store documents, all or none",
	  0, 0, TAKES_FILE | TAKES_WAIT, MAY_TREE, cmd_apply },
	{ "get", "KIND [NAME]", "show what is stored; at a zone: get denials",
	  1, 2, TAKES_ZONE | TAKES_NAMESPACE, MAY_LIST, cmd_get },
	{ "delete", "KIND NAME", "delete one resource",
	  2, 2, TAKES_ZONE | TAKES_NAMESPACE | TAKES_REVISION, MAY_TABLE, cmd_delete },
	{ "zones", "[accept|release NAME]", "state of every zone, or let what waits for you",
	  0, 2, 0, MAY_TREE | MAY_WIDE, cmd_zones },
	{ "zone", "VERB NAME",
	  "disable, enable, revoke, retire a zone, or list its certificates",
	  2, 2, TAKES_YES, MAY_TREE, cmd_zone },
	{ "token", "create|revoke [ID]", "make a token, or take one back",
	  1, 2, TAKES_TOKEN | TAKES_ZONE, MAY_TREE, cmd_token },
	{ "snapshot", "save|inspect|verify|restore FILE",
	  "backup of global's store; all but save offline",
	  2, 2, TAKES_RESTORE, MAY_TREE, cmd_snapshot },
	{ "store", "verify DIR", "check the stores of a data_dir, offline",
	  2, 2, 0, MAY_TREE, cmd_store },
	{ "validate", "-f FILE|DIR|-", "check documents, offline",
	  0, 0, TAKES_FILE, MAY_TREE, cmd_validate },
	{ "analyze", "-f FILE|DIR|-", "what is valid and most likely not meant, offline",
	  0, 0, TAKES_FILE | TAKES_ZONE | TAKES_THRESHOLD | TAKES_MARKDOWN, MAY_TREE,
	  cmd_analyze },
	{ "convert", "-f FILE|DIR|-", "what takes the place of legacy policies, offline",
	  0, 0, TAKES_FILE, MAY_JSON | MAY_YAML, cmd_convert },
	{ "simulate", "-f FILE|DIR --zone ZONE", "routes of each proxy, offline",
	  0, 0, TAKES_FILE | TAKES_ZONE | TAKES_PROXY | TAKES_TO,
	  MAY_TABLE | MAY_JSON | MAY_ENVOY, cmd_simulate },
	{ "explain", "PROXY", "why a proxy routes as it does (from its zone)",
	  1, 1, TAKES_TO | TAKES_ZONE_PROXY | TAKES_OBSERVED, MAY_TREE, cmd_explain },
	{ "bootstrap", "NAME", "an Envoy bootstrap for a proxy (from its zone)",
	  1, 1, TAKES_ADMIN | TAKES_ZONE_PROXY, MAY_TABLE | MAY_YAML, cmd_bootstrap },
	{ "schema", "[PATH]", "what a field means, or which there are",
	  0, 1, TAKES_RECURSIVE | TAKES_MARKDOWN, MAY_TREE, cmd_schema },
	{ "version", "", "versions of this program and the server",
	  0, 0, TAKES_CLIENT, MAY_TREE, cmd_version },
	{ 0 },
};
/* clang-format on */

enum ctl_exit ctl_fail(enum ctl_exit code, const char *fmt, ...)
{
	va_list ap;

	(void)fputs("zonelinkctl: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return code;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .arena = zl_arena_new() };
	const struct command *command;

	(void)signal(SIGPIPE, SIG_IGN);
	enum ctl_exit code = options_read(argc, argv, &ctl, &command);
	if (code == CTL_OK && command != NULL)
		code = command->run(&ctl);
	if (fflush(stdout) != 0 && code == CTL_OK)
		code = ctl_fail(CTL_NO, "standard output: %m");
	zl_arena_free(&ctl.arena);
	return (int)code;
}
