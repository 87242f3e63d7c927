#include "model/duration.h"

#include <string.h>

static const struct unit {
	const char *name;
	uint64_t ns;
} UNITS[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\302\265s", 1000 }, /* micro sign */
	{ "\316\274s", 1000 }, /* mu */
	{ "ms", 1000000 },
	{ "s", UINT64_C(1000000000) },
	{ "m", UINT64_C(60000000000) },
	{ "h", UINT64_C(3600000000000) },
};
enum { UNIT_COUNT = sizeof(UNITS) / sizeof(UNITS[0]) };

/* Beyond this nothing is counted exactly. */
#define NS_MAX (UINT64_C(2) * DURATION_MS_MAX * 1000000)

static uint64_t capped(uint64_t ns)
{
	return ns < NS_MAX ? ns : NS_MAX;
}

/* The unit that *text begins with, which is taken; NULL: none. */
static const struct unit *take_unit(const char **text)
{
	size_t len = strcspn(*text, ".0123456789");

	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (strlen(UNITS[i].name) != len ||
		    strncmp(*text, UNITS[i].name, len) != 0)
			continue;
		*text += len;
		return &UNITS[i];
	}
	return NULL;
}

/* Take one number with its unit, and add what it is to *ns. */
static bool take_part(const char **text, uint64_t *ns)
{
	const char *digits = *text;
	size_t whole = strspn(digits, "0123456789");
	const char *point = digits + whole;
	size_t part = *point == '.' ? strspn(point + 1, "0123456789") : 0;
	uint64_t count = 0;

	*text = point + (*point == '.' ? 1 + part : 0);
	const struct unit *unit = take_unit(text);
	if (unit == NULL || whole + part == 0)
		return false;
	for (size_t i = 0; i < whole; i++)
		count = capped(count * 10 + (uint64_t)(digits[i] - '0'));
	*ns = count > NS_MAX / unit->ns ? NS_MAX : capped(*ns + count * unit->ns);
	uint64_t share = unit->ns;
	for (size_t i = 1; i <= part; i++) {
		share /= 10;
		*ns = capped(*ns + (uint64_t)(point[i] - '0') * share);
	}
	return true;
}

bool duration_read(const char *text, int64_t *ms)
{
	bool negative = *text == '-';
	uint64_t ns = 0;

	if (*text == '-' || *text == '+')
		text++;
	*ms = 0;
	if (strcmp(text, "0") == 0)
		return true;
	do {
		if (!take_part(&text, &ns))
			return false;
	} while (*text != '\0');
	int64_t rounded = (int64_t)((ns + 999999) / 1000000);
	*ms = negative ? -rounded : rounded;
	return true;
}
