/* ctl/tokens.h - what the commands that make tokens share.
 *
 * Threads:  one.
 */
#pragma once

#include "ctl/ctl.h"

/* POST the members that are not NULL to path and print the token that comes: alone, so
 * that it can go on into a file; -o json has its id. */
enum ctl_exit token_create(struct ctl *ctl, const char *path, const char *const *names,
			   const char *const *values, size_t count);

/* token create --dataplane, --service, --zone-proxy */
enum ctl_exit token_create_proxy(struct ctl *ctl);
