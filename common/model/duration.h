/* model/duration.h - durations as Go writes them: 5s, 500ms, 1h30m, 0. Private to the
 * room.
 *
 * Threads:  pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DURATION_TEXT "must be a duration such as 5s, 500ms or 1h30m"
enum { DURATION_HOURS_MAX = 87600 };
#define DURATION_MS_MAX (INT64_C(3600000) * DURATION_HOURS_MAX)

/* The milliseconds of text, rounded up, negative with a sign; what is far beyond
 * DURATION_MS_MAX is some number beyond it. False: no duration. */
bool duration_read(const char *text, int64_t *ms);
