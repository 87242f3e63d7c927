/* ctl/ctl.h - what the commands of zonelinkctl share.
 *
 * Findings and results go to standard output, failures to standard error. A command
 * returns an exit code of the one table below.
 *
 * Threads:  one.
 * Lifetime: struct ctl lives as long as the program; what its arena gave too.
 */
#pragma once

#include "base/mem.h"
#include "model/tree.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit codes of all commands; X(name, number, meaning). */
#define CTL_EXITS(X)                                                               \
	X(CTL_OK, 0, "success; no difference; condition met")                      \
	X(CTL_NO, 1, "what was asked for is not so (wait saw a NACK)")             \
	X(CTL_USAGE, 2, "usage error: unknown flag, missing argument")             \
	X(CTL_INVALID, 3, "the input was rejected; nothing changed")               \
	X(CTL_ABSENT, 4, "not found")                                              \
	X(CTL_CONFLICT, 5, "the revision moved; nothing changed")                  \
	X(CTL_FORBIDDEN, 6, "unauthenticated or forbidden")                        \
	X(CTL_UNREACHABLE, 7,                                                      \
	  "the server could not be reached, or is not who it should be")           \
	X(CTL_TIMEOUT, 8, "timeout; not converged yet, the last state is printed") \
	X(CTL_SERVER, 9, "the server failed")                                      \
	X(CTL_UNREADABLE, 10, "an input file cannot be read, or its YAML has an error")

#define CTL_EXIT_NAME(name, number, meaning) name = (number),
enum ctl_exit { CTL_EXITS(CTL_EXIT_NAME) };

/* What -o takes, in this order; X(NAME, word). */
#define CTL_OUTPUTS(X)    \
	X(TABLE, "table") \
	X(WIDE, "wide")   \
	X(JSON, "json")   \
	X(YAML, "yaml")   \
	X(NAME, "name")   \
	X(ENVOY, "envoy")

#define CTL_OUTPUT_NAME(name, word) OUT_##name,
enum ctl_output { OUT_DEFAULT, CTL_OUTPUTS(CTL_OUTPUT_NAME) };
#define CTL_OUTPUT_BIT(name, word) MAY_##name = 1 << OUT_##name,
enum { CTL_OUTPUTS(CTL_OUTPUT_BIT) };

struct ctl {
	struct zl_arena *arena; /* owned */
	const char *server;     /* URL or unix:PATH; NULL: that of the context */
	const char *context;    /* NULL: the current one */
	const char *ca, *token_file, *identity; /* NULL: as the context says */
	const char *mesh;
	enum ctl_output output;
	bool no_headers, quiet, verbose, help;
	long timeout_ms;
	/* flags of single commands */
	const char **files; /* -f, in order */
	size_t file_count;
	const char *zone, *ns, *proxy, *to, *admin, *wait, *message, *dry_run,
		*if_revision, *threshold, *user, *role, *ttl, *dataplane, *service,
		*zone_proxy, *name, *data_dir;
	bool client_only, recursive, markdown, force, yes, observed, endpoints;
	const struct tree *splits; /* that a server told; NULL: it was not asked */
	const char **args;         /* what is no flag */
	size_t arg_count;
};

/* Flags that not every command takes. */
enum {
	TAKES_FILE = 1 << 0,
	TAKES_ZONE = 1 << 1,
	TAKES_PROXY = 1 << 2,
	TAKES_TO = 1 << 3,
	TAKES_ADMIN = 1 << 4,
	TAKES_WAIT = 1 << 5, /* --wait, --message, --dry-run */
	TAKES_REVISION = 1 << 6,
	TAKES_CLIENT = 1 << 7,
	TAKES_NAMESPACE = 1 << 8,
	TAKES_THRESHOLD = 1 << 9,
	TAKES_RECURSIVE = 1 << 10,
	TAKES_MARKDOWN = 1 << 11,
	TAKES_TOKEN = 1 << 12, /* --user, --role, --dataplane and others */
	TAKES_ZONE_PROXY = 1 << 13,
	TAKES_RESTORE = 1 << 14, /* --data-dir, --force */
	TAKES_YES = 1 << 15,     /* --yes, --dry-run */
	TAKES_OBSERVED = 1 << 16 /* --observed, --endpoints */
};

struct command {
	const char *name, *args, *help;
	size_t min_args, max_args;
	unsigned flags;   /* of TAKES_ */
	unsigned outputs; /* of MAY_ */
	enum ctl_exit (*run)(struct ctl *ctl);
};

/* All commands, ended by a NULL name. */
extern const struct command CTL_COMMANDS[];

enum ctl_exit cmd_analyze(struct ctl *ctl);
enum ctl_exit cmd_apply(struct ctl *ctl);
enum ctl_exit cmd_bootstrap(struct ctl *ctl);
enum ctl_exit cmd_convert(struct ctl *ctl);
enum ctl_exit cmd_delete(struct ctl *ctl);
enum ctl_exit cmd_explain(struct ctl *ctl);
enum ctl_exit cmd_get(struct ctl *ctl);
enum ctl_exit cmd_schema(struct ctl *ctl);
enum ctl_exit cmd_simulate(struct ctl *ctl);
enum ctl_exit cmd_snapshot(struct ctl *ctl);
enum ctl_exit cmd_store(struct ctl *ctl);
enum ctl_exit cmd_token(struct ctl *ctl);
enum ctl_exit cmd_validate(struct ctl *ctl);
enum ctl_exit cmd_version(struct ctl *ctl);
enum ctl_exit cmd_zone(struct ctl *ctl);
enum ctl_exit cmd_zones(struct ctl *ctl);

/* "zonelinkctl: ..." on standard error; returns code. */
enum ctl_exit ctl_fail(enum ctl_exit code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Print a tree as JSON or YAML on standard output. */
void ctl_print_tree(const struct tree *tree, enum ctl_output as);
