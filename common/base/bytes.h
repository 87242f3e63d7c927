/* base/bytes.h - integers as they are stored and sent: big-endian, at any address.
 *
 * A format that uses them is drawn in the header of its room.
 */
#pragma once

#include <stdint.h>

static inline void zl_put_be64(uint8_t to[8], uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		to[i] = (uint8_t)value;
}

static inline uint64_t zl_get_be64(const uint8_t from[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | from[i];
	return value;
}

static inline void zl_put_be32(uint8_t to[4], uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		to[i] = (uint8_t)value;
}

static inline uint32_t zl_get_be32(const uint8_t from[4])
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | from[i];
	return value;
}
