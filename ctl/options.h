/* ctl/options.h - the command line of zonelinkctl.
 *
 * Flags may stand before and after the command and its arguments. Precedence of what
 * names the server: flag, environment, current context, default unix socket.
 *
 * Threads:  one.
 */
#pragma once

#include "ctl/ctl.h"

/* Read argv into ctl; *command is NULL when only help was asked for, which was printed.
 * CTL_USAGE with a message on standard error. */
enum ctl_exit options_read(int argc, char **argv, struct ctl *ctl,
			   const struct command **command);
