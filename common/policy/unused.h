/* policy/unused.h - warnings of fields that have no effect where they are meant to (W3,
 * W7).
 *
 * Threads:  pure.
 */
#pragma once

#include "policy/about.h"

/* Of entries about a service or an object alone: once all settings are made. */
void unused_warn(const struct abouts *abouts);
