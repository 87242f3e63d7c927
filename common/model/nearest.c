#include "model/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { WORD = 48 }; /* longer names look like nothing */

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to insert, drop, change or swap with the next; case does not count. */
static size_t distance(const char *a, const char *b)
{
	size_t table[WORD + 1][WORD + 1];
	size_t height = strlen(a);
	size_t width = strlen(b);

	for (size_t i = 0; i <= height; i++)
		table[i][0] = i;
	for (size_t j = 0; j <= width; j++)
		table[0][j] = j;
	for (size_t i = 1; i <= height; i++) {
		for (size_t j = 1; j <= width; j++) {
			size_t best = table[i - 1][j - 1] + !same(a[i - 1], b[j - 1]);
			best = least(best, table[i - 1][j] + 1);
			best = least(best, table[i][j - 1] + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				best = least(best, table[i - 2][j - 2] + 1);
			table[i][j] = best;
		}
	}
	return table[height][width];
}

struct nearest nearest_to(const char *name)
{
	size_t len = strlen(name);
	size_t apart = len > 9 ? 4 : len > 5 ? 3 : 2; /* so far is not close */

	return (struct nearest){ .name = name,
				 .apart = len == 0 || len > WORD ? 0 : apart };
}

void nearest_try(struct nearest *to, const char *candidate)
{
	if (to->apart == 0 || strlen(candidate) > WORD)
		return;
	size_t apart = distance(to->name, candidate);
	if (apart < to->apart && apart < strlen(to->name)) {
		to->apart = apart;
		to->found = candidate;
	}
}
