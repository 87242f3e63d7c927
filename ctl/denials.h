/* ctl/denials.h - `get denials`: who was denied at inbounds of a zone, or would be.
 *
 * Threads:  one.
 */
#pragma once

#include "ctl/ctl.h"

/* True for the word that is asked for in place of a kind. */
bool denials_are_meant(const char *word);
enum ctl_exit denials_get(struct ctl *ctl);
