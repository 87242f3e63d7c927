/* base/span.h - lengths of time as people write them.
 *
 * Threads:  pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One whole number and one unit of ms s m h d w y ("500ms", "30m", "7d"), in
 * milliseconds; a year is 365 days. False: anything else, a bare "0" too. */
bool zl_span_ms(const char *text, uint64_t *ms);
