#include "model/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t scalar_rune(const char *bytes, size_t len, uint32_t *rune)
{
	static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)bytes[0];
	size_t size = first < 0x80   ? 1
		      : first < 0xc0 ? 0
		      : first < 0xe0 ? 2
		      : first < 0xf0 ? 3
		      : first < 0xf8 ? 4
				     : 0;

	if (size == 0 || size > len)
		return 0;
	uint32_t value = size == 1 ? first : first & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		unsigned char next = (unsigned char)bytes[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (next & 0x3f);
	}
	if (value < LEAST[size] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*rune = value;
	return size;
}

bool scalar_printable(uint32_t rune)
{
	if (rune < 0xa0)
		return (rune >= 0x20 && rune < 0x7f) || rune == '\t' || rune == '\n' ||
		       rune == '\r' || rune == 0x85;
	return rune != 0xfeff && rune != 0xfffe && rune != 0xffff;
}

enum zl_code scalar_check(const char *bytes, size_t len, bool yaml, struct zl_err *err)
{
	size_t line = 1;
	size_t column = 1;

	for (size_t i = 0; i < len;) {
		uint32_t rune;
		size_t size = scalar_rune(bytes + i, len - i, &rune);
		if (size == 0)
			return zl_fail(err, ZL_ESYNTAX,
				       "%zu:%zu: byte 0x%02x is not UTF-8: save the text "
				       "as UTF-8",
				       line, column, (unsigned char)bytes[i]);
		if (rune == 0 || (yaml && !scalar_printable(rune)))
			return zl_fail(err, ZL_ESYNTAX,
				       "%zu:%zu: the character U+%04" PRIX32
				       " is not allowed here",
				       line, column, rune);
		column++;
		if (rune == '\n') {
			line++;
			column = 1;
		}
		i += size;
	}
	return ZL_OK;
}

static const char *digits(const char *at)
{
	while (isdigit((unsigned char)*at))
		at++;
	return at;
}

/* True if text is a number by JSON's grammar; *real is set for one with a fraction or an
 * exponent. */
static bool is_number(const char *text, bool *real)
{
	const char *at = text + (*text == '-');

	*real = false;
	if (!isdigit((unsigned char)*at))
		return false;
	at = *at == '0' ? at + 1 : digits(at);
	if (*at == '.') {
		*real = true;
		if (!isdigit((unsigned char)*++at))
			return false;
		at = digits(at);
	}
	if (*at == 'e' || *at == 'E') {
		*real = true;
		at++;
		if (*at == '+' || *at == '-')
			at++;
		if (!isdigit((unsigned char)*at))
			return false;
		at = digits(at);
	}
	return *at == '\0';
}

bool scalar_read(const char *text, struct tree *out)
{
	bool real;

	out->type = TREE_TEXT;
	if (*text == '\0' || strcmp(text, "null") == 0) {
		out->type = TREE_NULL;
	} else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		out->type = TREE_BOOL;
		out->boolean = *text == 't';
	} else if (is_number(text, &real)) {
		errno = 0;
		out->integer = real ? 0 : strtoll(text, NULL, 10);
		if (!real && errno == 0) {
			out->type = TREE_INT;
			return true;
		}
		out->integer = 0;
		out->type = TREE_REAL;
		out->real = strtod(text, NULL);
		return isfinite(out->real);
	}
	return true;
}

void scalar_real(double value, char to[SCALAR_REAL_MAX])
{
	for (int precision = 1; precision <= 17; precision++) {
		(void)snprintf(to, SCALAR_REAL_MAX, "%.*g", precision, value);
		if (strtod(to, NULL) == value)
			break;
	}
	if (strpbrk(to, ".e") == NULL) /* or it would read as an integer */
		memcpy(to + strlen(to), ".0", sizeof(".0"));
}
