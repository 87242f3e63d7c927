#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789+/";

static const char URL_DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789-_";

static void encode(const uint8_t *from, size_t len, const char *digits, bool padded,
		   struct zl_buf *out)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)from[i] << 16 |
				(left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
				(left > 2 ? from[i + 2] : 0);
		for (size_t digit = 0; digit < 4; digit++)
			if (digit <= left)
				zl_buf_char(out, digits[bits >> (18 - 6 * digit) & 63]);
			else if (padded)
				zl_buf_char(out, '=');
	}
}

void zl_base64(const void *bytes, size_t len, struct zl_buf *out)
{
	encode(bytes, len, DIGITS, true, out);
}

void zl_base64_url(const void *bytes, size_t len, struct zl_buf *out)
{
	encode(bytes, len, URL_DIGITS, false, out);
}

/* The value of a digit; 64: it is none. */
static uint32_t value_of(char digit)
{
	const char *at = digit != '\0' ? strchr(DIGITS, digit) : NULL;

	return at != NULL ? (uint32_t)(at - DIGITS) : 64;
}

/* Four digits, the last pads of which are '='. False: they are no such thing. */
static bool read_group(const char *text, size_t pads, uint8_t to[3])
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4 - pads; i++) {
		uint32_t value = value_of(text[i]);
		if (value > 63)
			return false;
		bits |= value << (18 - 6 * i);
	}
	to[0] = (uint8_t)(bits >> 16);
	to[1] = (uint8_t)(bits >> 8);
	to[2] = (uint8_t)bits;
	return (pads < 1 || to[2] == 0) && (pads < 2 || to[1] == 0);
}

static size_t pads_of(const char *text, size_t len)
{
	if (len < 4 || text[len - 1] != '=')
		return 0;
	return text[len - 2] == '=' ? 2 : 1;
}

static enum zl_code refuse(struct zl_buf *out, size_t before, struct zl_err *err)
{
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return zl_fail(err, ZL_EINVAL, "not base64");
}

enum zl_code zl_base64_read(const char *text, size_t len, struct zl_buf *out,
			    struct zl_err *err)
{
	size_t before = out->len;
	size_t pads = pads_of(text, len);

	if (len % 4 != 0)
		return refuse(out, before, err);
	for (size_t i = 0; i < len; i += 4) {
		size_t here = i + 4 == len ? pads : 0;
		uint8_t bytes[3];
		if (!read_group(text + i, here, bytes))
			return refuse(out, before, err);
		zl_buf_add(out, bytes, 3 - here);
	}
	return ZL_OK;
}
