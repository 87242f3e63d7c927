/* ctl/context.h - which server to talk to.
 *
 * --server, else ZONELINK_SERVER, else the context (--context, ZONELINK_CONTEXT, the
 * file's current one), else the default unix socket. The file is
 * $XDG_CONFIG_HOME/zonelinkctl/config, readable by its owner only:
 *
 *     current: lab
 *     contexts:
 *       lab: {server: "unix:/run/zonelink/global.sock"}
 *
 * Threads:  one.  Lifetime: in ctl's arena.
 */
#pragma once

#include "ctl/ctl.h"

/* CTL_UNREADABLE the file cannot be read or is not private, CTL_USAGE it has no such
 * context; after a message. */
enum ctl_exit context_server(const struct ctl *ctl, const char **server);
