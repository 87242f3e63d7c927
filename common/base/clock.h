/* base/clock.h - the clocks, and what each is for.
 *
 * Decisions use zl_now_ms alone: it never goes back and runs on while the machine is
 * suspended. Wall time is only ever shown.
 *
 * Threads:  any.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Milliseconds, CLOCK_BOOTTIME: leases, deadlines, intervals. */
uint64_t zl_now_ms(void);

/* Microseconds, CLOCK_MONOTONIC: for measuring only. */
uint64_t zl_now_us(void);

/* Microseconds since 1970, CLOCK_REALTIME: informational. */
uint64_t zl_wall_us(void);

/* wall_us as RFC 3339 in UTC with microseconds ("2026-01-31T12:00:00.123456Z"). */
enum { ZL_TIME_TEXT = 28 };
void zl_time_text(uint64_t wall_us, char text[ZL_TIME_TEXT]);
