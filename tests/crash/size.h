/* How often to do a thing, by the size of the run (ZL_SIZE: S, C or L). */
#pragma once

#include <stddef.h>
#include <stdlib.h>

static inline size_t by_size(size_t small, size_t middle, size_t large)
{
	const char *size = getenv("ZL_SIZE");

	return size == NULL || *size == 'S' ? small : *size == 'C' ? middle : large;
}
