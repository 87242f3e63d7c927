/* How a walk says what it found, and where. */
#include "model/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void key_text(const char *key, struct zl_buf *out)
{
	zl_buf_str(out, "[\"");
	for (; *key != '\0'; key++) {
		unsigned char byte = (unsigned char)*key;
		if (byte == '"' || byte == '\\')
			zl_buf_format(out, "\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			zl_buf_format(out, "\\x%02x", byte);
		else
			zl_buf_char(out, *key);
	}
	zl_buf_str(out, "\"]");
}

void path_text(const struct path *at, struct zl_buf *out)
{
	if (at == NULL)
		return;
	path_text(at->up, out);
	if (at->name == NULL)
		zl_buf_format(out, "[%zu]", at->index);
	else if (at->is_key)
		key_text(at->name, out);
	else
		zl_buf_format(out, "%s%s", out->len > 0 ? "." : "", at->name);
}

static void tell(struct decode *dec, const struct path *at, const char *field,
		 const struct tree *where, bool warning, const char *reason)
{
	struct path member = { .up = at, .name = field };
	struct zl_buf path = { 0 };

	path_text(field != NULL ? &member : at, &path);
	if (warning)
		findings_warning(dec->found, zl_buf_text(&path), where, "%s", reason);
	else
		findings_violation(dec->found, zl_buf_text(&path), where, "%s", reason);
	zl_buf_free(&path);
}

void decode_bad(struct decode *dec, const struct path *at, const char *field,
		const struct tree *where, const char *fmt, ...)
{
	char *reason = NULL;
	va_list args;

	if (dec->found == NULL)
		return;
	va_start(args, fmt);
	int len = vasprintf(&reason, fmt, args);
	va_end(args);
	if (len < 0)
		abort(); /* out of memory, as in base/mem.h */
	tell(dec, at, field, where, false, reason);
	free(reason);
}

void decode_warn(struct decode *dec, const struct path *at, const char *field,
		 const struct tree *where, const char *fmt, ...)
{
	char *reason = NULL;
	va_list args;

	if (dec->found == NULL)
		return;
	va_start(args, fmt);
	int len = vasprintf(&reason, fmt, args);
	va_end(args);
	if (len < 0)
		abort(); /* out of memory, as in base/mem.h */
	tell(dec, at, field, where, true, reason);
	free(reason);
}

static const char *article(enum field_type want)
{
	switch (want) {
	case FIELD_INT:
		return "a number";
	case FIELD_BOOL:
		return "a boolean (true or false)";
	case FIELD_OBJECT:
	case FIELD_LABELS:
		return "an object";
	case FIELD_LIST:
	case FIELD_INTS:
		return "a list";
	case FIELD_DURATION:
		return "a duration such as 5s, 500ms or 1h30m";
	case FIELD_MIXED:
		return "a whole number or a string";
	default:
		return "a string";
	}
}

void decode_wrong_type(struct decode *dec, const struct path *at,
		       const struct tree *where, enum field_type want)
{
	bool scalar = where->type == TREE_INT || where->type == TREE_REAL ||
		      where->type == TREE_BOOL;
	bool text = want == FIELD_TEXT || want == FIELD_ENUM ||
		    (want == FIELD_MIXED && where->type == TREE_REAL);
	const char *word = article(want);

	dec->failed = true;
	if (text && scalar)
		decode_bad(dec, at, NULL, where, "must be %s, not a %s: quote it, \"%s\"",
			   word, tree_type_text(where->type),
			   where->type != TREE_BOOL ? where->text
			   : where->boolean         ? "true"
						    : "false");
	else if (where->type == TREE_TEXT && want == FIELD_INT)
		decode_bad(dec, at, NULL, where,
			   "must be %s, not a text: write it in digits, without quotes",
			   word);
	else if (where->type == TREE_TEXT && want == FIELD_BOOL)
		decode_bad(dec, at, NULL, where, "must be %s, without quotes", word);
	else
		decode_bad(dec, at, NULL, where, "must be %s, not %s%s", word,
			   where->type == TREE_NULL  ? ""
			   : where->type == TREE_MAP ? "an "
						     : "a ",
			   tree_type_text(where->type));
}
