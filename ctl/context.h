/* ctl/context.h - which server to talk to, and how.
 *
 * --server, else ZONELINK_SERVER, else the context (--context, ZONELINK_CONTEXT, the
 * file's current one), else the default unix socket. The file is
 * $XDG_CONFIG_HOME/zonelinkctl/config, readable by its owner only:
 *
 *     current: lab
 *     contexts:
 *       lab: {server: "unix:/run/zonelink/global.sock"}
 *       prod: {server: "https://10.0.0.1:5681", ca: /etc/zonelink/ca.crt,
 *              token_file: /etc/zonelink/ann.token, identity: global}
 *
 * What a context says besides is for its own server alone: a server by flag or
 * environment goes with flags and environment.
 *
 * Threads:  one.  Lifetime: in ctl's arena.
 */
#pragma once

#include "ctl/ctl.h"

struct server {
	const char *url; /* or unix:PATH */
	const char *ca;  /* file; NULL: not said, as below */
	const char *token_file;
	const char *identity; /* "global", "zone/NAME" */
};

/* CTL_UNREADABLE the file cannot be read or is not private, CTL_USAGE it has no such
 * context; after a message. */
enum ctl_exit context_server(const struct ctl *ctl, struct server *server);
