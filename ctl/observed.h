/* ctl/observed.h - what proxies did with their connections, for tables.
 *
 * Threads:  one.
 */
#pragma once

#include "ctl/ctl.h"

/* Shares by MeshTCPRoute: "backend: v0=70.1% v1=29.9% of 1000". "" if nothing was
 * observed, or the server does not tell. Asks it once; the text is in ctl's arena. */
const char *observed_of(struct ctl *ctl, const char *route);
