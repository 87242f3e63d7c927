/* ctl/options.h - the command line of zonelinkctl.
 *
 * Flags may stand before and after the command and its arguments. A flag goes before the
 * environment.
 *
 * Threads:  one.
 */
#pragma once

#include "ctl/ctl.h"

struct flag;

/* The text of `help`; of `help COMMAND` when command is given. */
void help_print(const struct command *command);
void help_exit_codes(void);

/* Flag number i of all, NULL past the last. */
const struct flag *flag_at(size_t i);

enum flag_type {
	FLAG_TEXT,   /* const char * */
	FLAG_CHOICE, /* const char *, one of choices; the flag alone means the first */
	FLAG_NUMBER, /* const char * of digits */
	FLAG_FILES,  /* adds to ctl->files */
	FLAG_OUTPUT, /* enum ctl_output */
	FLAG_TIME,   /* long, milliseconds */
	FLAG_BOOL    /* bool; takes no value */
};

struct flag {
	const char *name; /* long form */
	char letter;      /* short form; 0: none */
	enum flag_type type;
	size_t offset;   /* of the field in struct ctl */
	unsigned only;   /* commands that take one of these; 0: all */
	const char *env; /* NULL: none */
	const char *value, *help;
	const char *choices[2];
};

/* Read argv into ctl; *command is NULL when only help was asked for, which was printed.
 * CTL_USAGE with a message on standard error. */
enum ctl_exit options_read(int argc, char **argv, struct ctl *ctl,
			   const struct command **command);
