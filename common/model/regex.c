#include "model/regex.h"

#include "model/regex_read.h"

#include <string.h>

/* ---- repetitions ---- */
static bool read_number(const char **at, unsigned *number)
{
	*number = 0;
	if (!regex_is_digit(**at) || (**at == '0' && regex_is_digit((*at)[1])))
		return false;
	for (size_t i = 0; regex_is_digit(**at); i++) {
		if (i == 8)
			return false;
		*number = *number * 10 + (unsigned)(*(*at)++ - '0');
	}
	return true;
}

/* {2}, {2,} or {2,5}; false: braces that are plain text. *max is 0 for "any". */
static bool read_counts(const char **at, unsigned *min, unsigned *max, bool *open)
{
	const char *here = *at + 1;

	*open = false;
	if (!read_number(&here, min))
		return false;
	*max = *min;
	if (*here == ',') {
		here++;
		*open = *here == '}';
		if (!*open && !read_number(&here, max))
			return false;
	}
	if (*here != '}')
		return false;
	*at = here + 1;
	return true;
}

/* Apply a repetition to part; where there is none, do nothing. *done: there was one. */
static bool read_repeat(struct regex *regex, struct part *part, bool has_part, bool *done)
{
	unsigned min = 0;
	unsigned max = 0;
	bool open = true;
	char byte = *regex->at;
	bool counts = byte == '{' && read_counts(&regex->at, &min, &max, &open);

	*done = counts || byte == '*' || byte == '+' || byte == '?';
	if (!*done)
		return true;
	regex->at += !counts;
	regex->at += *regex->at == '?';
	if (!has_part)
		return regex_fail(regex, "a repetition of nothing");
	if (min > REPEAT_MAX || max > REPEAT_MAX || (!open && counts && max < min))
		return regex_fail(regex, "repeats must be at most 1000, and in order");
	unsigned times = open ? min : max;
	if (times > 1) {
		part->repeat *= times;
		part->size *= times;
	}
	part->size += 2 + (uint64_t)(max - min);
	if (part->repeat > REPEAT_MAX)
		return regex_fail(regex,
				  "repeats within each other must be at most 1000");
	if (part->size > SIZE_MAX_TOTAL)
		return regex_fail(regex, "it is too large");
	return true;
}

/* ---- groups ---- */
static bool read_name(struct regex *regex)
{
	const char *from = regex->at;
	size_t len = 0;

	while (regex_is_word(from[len]))
		len++;
	if (len == 0 || from[len] != '>')
		return regex_fail(regex, "a group with a wrong name");
	for (size_t i = 0; i < regex->name_count; i++)
		if (regex->names[i].len == len &&
		    strncmp(regex->names[i].text, from, len) == 0)
			return regex_fail(regex, "two groups of one name");
	regex->names[regex->name_count++] = (struct name){ from, len };
	regex->at += len + 1;
	return true;
}

/* Behind "(?": flags, up to ")" or ":". *group: what follows is inside. */
static bool read_flags(struct regex *regex, bool *group)
{
	bool minus = false;
	bool any = false;

	for (;;) {
		char byte = *regex->at++;
		if (byte == 'i' || byte == 'm' || byte == 's' || byte == 'U') {
			any = true;
			regex->fold = byte == 'i' ? !minus : regex->fold;
		} else if (byte == '-' && !minus) {
			minus = true;
			any = false;
		} else if ((byte == ')' || byte == ':') && (any || !minus)) {
			*group = byte == ':';
			return true;
		} else {
			regex->at -= byte == '\0';
			return regex_fail(regex,
					  "a group that RE2 does not know: it has no "
					  "look-around and no atomic groups");
		}
	}
}

/* Behind (. *group: false for flags alone. */
static bool open_group(struct regex *regex, bool *group)
{
	*group = true;
	if (*regex->at != '?')
		return true;
	regex->at++;
	if (strncmp(regex->at, "P<", 2) == 0) {
		regex->at += 2;
		return read_name(regex);
	}
	return read_flags(regex, group);
}

static bool read_alternatives(struct regex *regex, struct part *whole, bool inside);

static bool read_group(struct regex *regex, struct part *part, bool *is_part)
{
	bool fold = regex->fold;

	if (!open_group(regex, is_part))
		return false;
	if (!*is_part)
		return true;
	if (!read_alternatives(regex, part, true))
		return false;
	part->size += 2;
	regex->fold = fold; /* flags hold to the end of their group */
	return true;
}

/* ---- the rest ---- */
/* \Q...\E: text. */
static void read_quoted(struct regex *regex, struct part *part, bool *is_part)
{
	const char *end = strstr(regex->at, "\\E");
	size_t len = end != NULL ? (size_t)(end - regex->at) : strlen(regex->at);

	part->size = len * SIZE_RANGE;
	*is_part = len > 0;
	regex->at += len + (end != NULL ? 2 : 0);
}

static bool read_backslash(struct regex *regex, struct part *part, bool *is_part)
{
	char byte = regex->at[1];
	uint32_t rune;

	if (regex_is_perl_class(regex->at)) {
		regex->at += 2;
		part->size = SIZE_RANGE;
		return true;
	}
	if (regex_is_group(regex->at)) {
		regex->at += 2;
		part->size = SIZE_GROUP;
		return regex_group(regex);
	}
	regex->at++;
	if (byte == 'Q') {
		regex->at++;
		read_quoted(regex, part, is_part);
		return true;
	}
	if (byte != '\0' && strchr("bBAzC", byte) != NULL) {
		regex->at++;
		return true;
	}
	part->size = SIZE_RANGE;
	return regex_escape(regex, &rune);
}

/* One part, without its repetition. *is_part: false for flags, which stand for nothing.
 */
static bool read_part(struct regex *regex, struct part *part, bool *is_part)
{
	*part = (struct part){ .size = 2, .repeat = 1 };
	*is_part = true;
	switch (*regex->at) {
	case '(':
		regex->at++;
		return read_group(regex, part, is_part);
	case '[':
		regex->at++;
		return regex_class(regex, part);
	case '\\':
		return read_backslash(regex, part, is_part);
	case '.':
		part->size = SIZE_ANY;
		regex->at++;
		return true;
	default:
		part->size = regex_size(regex, regex_rune(regex));
		return true;
	}
}

static void join(struct part *whole, const struct part *part)
{
	whole->size += part->size;
	if (part->repeat > whole->repeat)
		whole->repeat = part->repeat;
}

/* Parts up to the end of one alternative. Flags between two of them stand for nothing,
 * so a repetition behind flags takes what is before them, as in RE2. */
static bool read_sequence(struct regex *regex, struct part *whole)
{
	struct part last = { .repeat = 1 };
	bool has_last = false;
	bool repeated = false;

	while (*regex->at != '\0' && *regex->at != '|' && *regex->at != ')') {
		struct part part;
		bool is_part;
		bool done;
		if (!read_repeat(regex, &last, has_last, &done))
			return false;
		if (done && repeated)
			return regex_fail(regex, "a repetition of a repetition");
		repeated = done;
		if (done)
			continue;
		if (!read_part(regex, &part, &is_part))
			return false;
		if (!is_part)
			continue;
		join(whole, &last);
		last = part;
		has_last = true;
	}
	join(whole, &last);
	return true;
}

/* Up to the end, or behind the ) of the group that this is inside of. */
static bool read_alternatives(struct regex *regex, struct part *whole, bool inside)
{
	*whole = (struct part){ .repeat = 1 };
	for (;;) {
		if (!read_sequence(regex, whole))
			return false;
		whole->size++;
		if (whole->size > SIZE_MAX_TOTAL)
			return regex_fail(regex, "it is too large");
		if (*regex->at != '|')
			break;
		regex->at++;
	}
	if (inside && *regex->at != ')')
		return regex_fail(regex, "missing closing )");
	if (!inside && *regex->at == ')')
		return regex_fail(regex, "a ) without its (");
	regex->at += inside;
	return true;
}

const char *regex_fault(const char *expression)
{
	struct regex regex = { .at = expression };
	struct part whole;

	if (expression[0] == '\0')
		return "it is empty";
	if (strlen(expression) > BYTES_MAX)
		return "it is longer than 1024 bytes";
	(void)read_alternatives(&regex, &whole, false);
	return regex.fault;
}
