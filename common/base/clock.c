#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t zl_now_ms(void)
{
	return read_us(CLOCK_BOOTTIME) / 1000;
}

uint64_t zl_now_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t zl_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

void zl_time_text(uint64_t wall_us, char text[ZL_TIME_TEXT])
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm tm;
	char day[sizeof("2026-01-31T12:00:00")];

	gmtime_r(&seconds, &tm);
	if (strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		day[0] = '\0';
	(void)snprintf(text, ZL_TIME_TEXT, "%s.%06uZ", day,
		       (unsigned)(wall_us % 1000000));
}
