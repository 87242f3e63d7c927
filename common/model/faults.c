#include "model/faults.h"

#include "base/base64.h"
#include "model/checks.h"
#include "model/duration.h"
#include "model/log_format.h"
#include "model/schemas.h"

#include <string.h>

/* -1, 0 or 1. What is no duration was told. */
static int sign_of(const struct tree *value)
{
	int64_t number = value->integer;

	if (value->type == TREE_REAL)
		return value->real < 0 ? -1 : 1; /* beyond int64 */
	if (value->type == TREE_TEXT && !duration_read(value->text, &number))
		return 1;
	return number < 0 ? -1 : number > 0;
}

const char *fault_negative(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return sign_of(value) < 0 ? "must not be negative when defined" : NULL;
}

const char *fault_not_above_zero(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return sign_of(value) <= 0 ? "must be greater than zero when defined" : NULL;
}

const char *fault_zero(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return sign_of(value) <= 0 ? "must be greater than 0" : NULL;
}

const char *fault_undefined_or_zero(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return sign_of(value) <= 0 ? "must be defined and greater than zero" : NULL;
}

const char *fault_percentage(const struct tree *value, struct zl_arena *arena)
{
	double number;

	(void)arena;
	if (!percentage_read(value, &number))
		return "string must be a valid number";
	return number < 0 || number > 100 ? "must be in inclusive range [0.0, 100.0]"
					  : NULL;
}

const char *fault_factor(const struct tree *value, struct zl_arena *arena)
{
	/* Envoy counts thousandths in 32 bits. */
	static const double MOST = 4294967;
	double number;

	(void)arena;
	if (!percentage_read(value, &number))
		return "invalid number";
	if (number <= 0)
		return "must be greater than 0";
	return number > MOST ? "must be at most 4294967" : NULL;
}

/* "" is no value (T5). */
static const char *fault_undefined(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return value->text[0] == '\0' ? "must be defined" : NULL;
}

const char *fault_base64(const struct tree *value, struct zl_arena *arena)
{
	struct zl_buf bytes = { 0 };

	(void)arena;
	if (value->text[0] == '\0')
		return "must not be empty";
	bool good =
		zl_base64_read(value->text, strlen(value->text), &bytes, NULL) == ZL_OK;
	zl_buf_free(&bytes);
	return good ? NULL : "must be Base64";
}

const char *fault_path(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return log_path_is_valid(value->text) ? NULL
					      : "must be a valid path when defined";
}

const char *fault_request_text(const struct tree *value, struct zl_arena *arena)
{
	(void)arena;
	return strpbrk(value->text, "\r\n") != NULL ? "must not have line breaks" : NULL;
}

const char *fault_request_path(const struct tree *value, struct zl_arena *arena)
{
	const char *fault = fault_undefined(value, arena);

	return fault != NULL ? fault : fault_request_text(value, arena);
}

const char *fault_header_name(const struct tree *value, struct zl_arena *arena)
{
	if (fault_undefined(value, arena) != NULL)
		return "must be defined";
	return header_name_is_valid(value->text)
		       ? NULL
		       : "must be a lower case HTTP header name";
}
