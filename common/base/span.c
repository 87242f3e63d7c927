#include "base/span.h"

#include <stdlib.h>
#include <string.h>

bool zl_span_ms(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} UNITS[] = { { "ms", 1 },         { "s", 1000 },     { "m", 60000 },
		      { "h", 3600000 },    { "d", 86400000 }, { "w", 604800000 },
		      { "y", 31536000000 } };
	enum { DIGITS_MAX = 8 }; /* so that nothing overflows */
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		if (strcmp(text + digits, UNITS[i].unit) != 0)
			continue;
		*ms = strtoull(text, NULL, 10) * UNITS[i].ms;
		return true;
	}
	return false;
}
