/* ctl/proxies.h - what a zone knows of one of its proxies.
 *
 * Threads:  one.  Lifetime: in ctl's arena.
 */
#pragma once

#include "ctl/client.h"

/* GET what ("_bootstrap?admin=x") of the proxy ctl->args[0]: the Dataplane of --mesh,
 * else the ZoneIngress or ZoneEgress of that name; --zone-proxy says which. Results as of
 * client_ask. */
enum ctl_exit proxies_ask(struct ctl *ctl, const char *what, bool want_json,
			  struct answer *answer);
