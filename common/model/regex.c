#include "model/regex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	BYTES_MAX = 1024,
	REPEAT_MAX = 1000, /* of one repetition, and of those in it together */
	NAMES_MAX = BYTES_MAX / 6,
	RUNE_MAX = 0x10ffff,
	/* RE2 gives up at about 87,000 instructions; below is counted upwards. */
	SIZE_MAX_TOTAL = 80000,
	SIZE_ANY = 12,
	SIZE_ASCII = 2, /* of characters below 0x80 */
	SIZE_FOLDED = 8,
	SIZE_RANGE = 24,
	SIZE_GROUP = 1300 /* of a Unicode group such as \pL */
};

/* What was read, as RE2 will count it. */
struct part {
	uint64_t size;   /* instructions, at most */
	unsigned repeat; /* product of the repetitions in it */
};

struct name {
	const char *text;
	size_t len;
};

struct regex {
	const char *at;
	const char *fault; /* NULL: none yet */
	bool fold;         /* (?i): letters may have more than one form */
	struct name names[NAMES_MAX];
	size_t name_count;
};

static bool fail(struct regex *regex, const char *fault)
{
	if (regex->fault == NULL)
		regex->fault = fault;
	return false;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_word(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static int hex_value(char byte)
{
	if (is_digit(byte))
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* One character of UTF-8, which the reader of documents has checked. */
static uint32_t next_rune(struct regex *regex)
{
	unsigned char lead = (unsigned char)*regex->at++;
	uint32_t rune = lead < 0x80   ? lead
			: lead < 0xe0 ? lead & 0x1fU
			: lead < 0xf0 ? lead & 0x0fU
				      : lead & 0x07U;

	while (((unsigned char)*regex->at & 0xc0U) == 0x80U)
		rune = rune << 6 | ((unsigned char)*regex->at++ & 0x3fU);
	return rune;
}

/* ---- escapes ---- */
static bool read_hex(struct regex *regex, uint32_t *rune)
{
	bool braces = *regex->at == '{';
	size_t digits = 0;

	*rune = 0;
	regex->at += braces;
	for (; hex_value(*regex->at) >= 0 && (braces || digits < 2); digits++) {
		*rune = *rune * 16 + (uint32_t)hex_value(*regex->at++);
		if (*rune > RUNE_MAX)
			return fail(regex, "a character beyond \\x{10FFFF}");
	}
	if (digits == 0 || (!braces && digits < 2) || (braces && *regex->at != '}'))
		return fail(regex, "\\x needs two digits, or digits in braces");
	regex->at += braces;
	return true;
}

static bool read_octal(struct regex *regex, char first, uint32_t *rune)
{
	*rune = (uint32_t)(first - '0');
	if (first != '0' && (*regex->at < '0' || *regex->at > '7'))
		return fail(regex, "RE2 has no back-references");
	for (int i = 0; i < 2 && *regex->at >= '0' && *regex->at <= '7'; i++)
		*rune = *rune * 8 + (uint32_t)(*regex->at++ - '0');
	return true;
}

/* Behind a backslash: what stands for one character. */
static bool read_escape(struct regex *regex, uint32_t *rune)
{
	static const char LETTERS[] = "nrtafv";
	static const char CONTROLS[] = "\n\r\t\a\f\v";
	char byte = *regex->at;
	const char *letter = byte != '\0' ? strchr(LETTERS, byte) : NULL;

	if (byte == '\0')
		return fail(regex, "it ends in a backslash");
	regex->at++;
	if (byte >= '0' && byte <= '7')
		return read_octal(regex, byte, rune);
	if (byte == 'x')
		return read_hex(regex, rune);
	*rune = letter != NULL ? (uint32_t)CONTROLS[letter - LETTERS]
			       : (unsigned char)byte;
	if (letter != NULL ||
	    ((unsigned char)byte < 0x80 && (!is_word(byte) || byte == '_')))
		return true;
	if (byte == '8' || byte == '9' || byte == 'k')
		return fail(regex, "RE2 has no back-references");
	return fail(regex, "an escape that RE2 does not know");
}

/* ---- classes ---- */
static int by_text(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

/* The groups that every RE2 of the last years has, sorted by bytes. */
static bool is_unicode_group(const char *name)
{
	/* clang-format off */
	static const char *const GROUPS[] = {
		"Adlam", "Ahom", "Anatolian_Hieroglyphs", "Any", "Arabic", "Armenian",
		"Avestan", "Balinese", "Bamum", "Bassa_Vah", "Batak", "Bengali", "Bhaiksuki",
		"Bopomofo", "Brahmi", "Braille", "Buginese", "Buhid", "C",
		"Canadian_Aboriginal", "Carian", "Caucasian_Albanian", "Cc", "Cf", "Chakma",
		"Cham", "Cherokee", "Co", "Common", "Coptic", "Cs", "Cuneiform", "Cypriot",
		"Cyrillic", "Deseret", "Devanagari", "Duployan", "Egyptian_Hieroglyphs",
		"Elbasan", "Ethiopic", "Georgian", "Glagolitic", "Gothic", "Grantha", "Greek",
		"Gujarati", "Gurmukhi", "Han", "Hangul", "Hanunoo", "Hatran", "Hebrew",
		"Hiragana", "Imperial_Aramaic", "Inherited", "Inscriptional_Pahlavi",
		"Inscriptional_Parthian", "Javanese", "Kaithi", "Kannada", "Katakana",
		"Kayah_Li", "Kharoshthi", "Khmer", "Khojki", "Khudawadi", "L", "Lao", "Latin",
		"Lepcha", "Limbu", "Linear_A", "Linear_B", "Lisu", "Ll", "Lm", "Lo", "Lt", "Lu",
		"Lycian", "Lydian", "M", "Mahajani", "Malayalam", "Mandaic", "Manichaean",
		"Marchen", "Mc", "Me", "Meetei_Mayek", "Mende_Kikakui", "Meroitic_Cursive",
		"Meroitic_Hieroglyphs", "Miao", "Mn", "Modi", "Mongolian", "Mro", "Multani",
		"Myanmar", "N", "Nabataean", "Nd", "New_Tai_Lue", "Newa", "Nko", "Nl", "No",
		"Ogham", "Ol_Chiki", "Old_Hungarian", "Old_Italic", "Old_North_Arabian",
		"Old_Permic", "Old_Persian", "Old_South_Arabian", "Old_Turkic", "Oriya",
		"Osage", "Osmanya", "P", "Pahawh_Hmong", "Palmyrene", "Pau_Cin_Hau", "Pc", "Pd",
		"Pe", "Pf", "Phags_Pa", "Phoenician", "Pi", "Po", "Ps", "Psalter_Pahlavi",
		"Rejang", "Runic", "S", "Samaritan", "Saurashtra", "Sc", "Sharada", "Shavian",
		"Siddham", "SignWriting", "Sinhala", "Sk", "Sm", "So", "Sora_Sompeng",
		"Sundanese", "Syloti_Nagri", "Syriac", "Tagalog", "Tagbanwa", "Tai_Le",
		"Tai_Tham", "Tai_Viet", "Takri", "Tamil", "Tangut", "Telugu", "Thaana", "Thai",
		"Tibetan", "Tifinagh", "Tirhuta", "Ugaritic", "Vai", "Warang_Citi", "Yi", "Z",
		"Zl", "Zp", "Zs",
	};
	/* clang-format on */

	return bsearch(name, GROUPS, sizeof(GROUPS) / sizeof(GROUPS[0]),
		       sizeof(GROUPS[0]), by_text) != NULL;
}

/* Behind \p or \P: "L", "{Greek}", "{^Greek}". */
static bool read_unicode_group(struct regex *regex)
{
	char name[64] = "";
	const char *from = regex->at;
	size_t len = 1;

	if (*from == '{') {
		const char *end = strchr(from, '}');
		if (end == NULL)
			return fail(regex, "\\p needs the name of a group");
		regex->at = end + 1;
		from += 1 + (from[1] == '^');
		len = (size_t)(end - from);
	} else if (*from != '\0') {
		regex->at++;
	}
	if (len < sizeof(name))
		memcpy(name, from, len);
	return is_unicode_group(name) ||
	       fail(regex, "\\p with a group that RE2 does not know");
}

/* \d and the like. */
static bool is_perl_class(const char *at)
{
	return at[0] == '\\' && at[1] != '\0' && strchr("dDsSwW", at[1]) != NULL;
}

static bool is_group_escape(const char *at)
{
	return at[0] == '\\' && (at[1] == 'p' || at[1] == 'P');
}

/* [:alpha:] within a class. False: it is none, or one that is not known. */
static bool read_posix_class(struct regex *regex)
{
	static const char *const NAMES[] = { "alnum", "alpha", "ascii", "blank", "cntrl",
					     "digit", "graph", "lower", "print", "punct",
					     "space", "upper", "word",  "xdigit" };
	const char *from = regex->at + 2;
	const char *end = strstr(from, ":]");

	if (end == NULL)
		return false;
	from += *from == '^';
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		if (strlen(NAMES[i]) != (size_t)(end - from) ||
		    strncmp(NAMES[i], from, (size_t)(end - from)) != 0)
			continue;
		regex->at = end + 2;
		return true;
	}
	return fail(regex, "a class such as [:alpha:] that RE2 does not know");
}

static bool read_class_rune(struct regex *regex, uint32_t *rune)
{
	if (*regex->at == '\0')
		return fail(regex, "missing closing ]");
	if (*regex->at != '\\') {
		*rune = next_rune(regex);
		return true;
	}
	regex->at++;
	return read_escape(regex, rune);
}

static unsigned size_up_to(const struct regex *regex, uint32_t rune)
{
	if (rune >= 0x80)
		return SIZE_RANGE;
	return regex->fold ? SIZE_FOLDED : SIZE_ASCII;
}

/* Characters, or a range of them. */
static bool read_class_range(struct regex *regex, struct part *part)
{
	uint32_t low;
	uint32_t high;

	if (!read_class_rune(regex, &low))
		return false;
	high = low;
	if (regex->at[0] == '-' && regex->at[1] != ']' && regex->at[1] != '\0') {
		regex->at++;
		if (!read_class_rune(regex, &high))
			return false;
	}
	part->size += size_up_to(regex, high);
	return low <= high || fail(regex, "a range in [] that goes backwards");
}

static bool read_class_item(struct regex *regex, struct part *part)
{
	const char *at = regex->at;

	if (at[0] == '[' && at[1] == ':' && read_posix_class(regex)) {
		part->size += SIZE_RANGE;
		return true;
	}
	if (is_group_escape(at)) {
		part->size += SIZE_GROUP;
		regex->at += 2;
		return read_unicode_group(regex);
	}
	if (is_perl_class(at)) {
		part->size += SIZE_RANGE;
		regex->at += 2;
		return true;
	}
	return regex->fault == NULL && read_class_range(regex, part);
}

/* Behind [. */
static bool read_class(struct regex *regex, struct part *part)
{
	bool negated = *regex->at == '^';

	*part = (struct part){ .size = negated ? SIZE_RANGE : SIZE_ASCII, .repeat = 1 };
	regex->at += negated;
	for (bool first = true; first || *regex->at != ']'; first = false) {
		if (*regex->at == '\0')
			return fail(regex, "missing closing ]");
		if (!read_class_item(regex, part))
			return false;
	}
	regex->at++;
	return true;
}

/* ---- repetitions ---- */
static bool read_number(const char **at, unsigned *number)
{
	*number = 0;
	if (!is_digit(**at) || (**at == '0' && is_digit((*at)[1])))
		return false;
	for (size_t i = 0; is_digit(**at); i++) {
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
		return fail(regex, "a repetition of nothing");
	if (min > REPEAT_MAX || max > REPEAT_MAX || (!open && counts && max < min))
		return fail(regex, "repeats must be at most 1000, and in order");
	unsigned times = open ? min : max;
	if (times > 1) {
		part->repeat *= times;
		part->size *= times;
	}
	part->size += 2 + (uint64_t)(max - min);
	if (part->repeat > REPEAT_MAX)
		return fail(regex, "repeats within each other must be at most 1000");
	if (part->size > SIZE_MAX_TOTAL)
		return fail(regex, "it is too large");
	return true;
}

/* ---- groups ---- */
static bool read_name(struct regex *regex)
{
	const char *from = regex->at;
	size_t len = 0;

	while (is_word(from[len]))
		len++;
	if (len == 0 || from[len] != '>')
		return fail(regex, "a group with a wrong name");
	for (size_t i = 0; i < regex->name_count; i++)
		if (regex->names[i].len == len &&
		    strncmp(regex->names[i].text, from, len) == 0)
			return fail(regex, "two groups of one name");
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
			return fail(regex, "a group that RE2 does not know: it has no "
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

	if (is_perl_class(regex->at)) {
		regex->at += 2;
		part->size = SIZE_RANGE;
		return true;
	}
	if (is_group_escape(regex->at)) {
		regex->at += 2;
		part->size = SIZE_GROUP;
		return read_unicode_group(regex);
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
	return read_escape(regex, &rune);
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
		return read_class(regex, part);
	case '\\':
		return read_backslash(regex, part, is_part);
	case '.':
		part->size = SIZE_ANY;
		regex->at++;
		return true;
	default:
		part->size = size_up_to(regex, next_rune(regex));
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
			return fail(regex, "a repetition of a repetition");
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
			return fail(regex, "it is too large");
		if (*regex->at != '|')
			break;
		regex->at++;
	}
	if (inside && *regex->at != ')')
		return fail(regex, "missing closing )");
	if (!inside && *regex->at == ')')
		return fail(regex, "a ) without its (");
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
