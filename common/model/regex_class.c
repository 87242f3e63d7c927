#include "model/regex_read.h"

#include <stdlib.h>
#include <string.h>

bool regex_fail(struct regex *regex, const char *fault)
{
	if (regex->fault == NULL)
		regex->fault = fault;
	return false;
}

bool regex_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool regex_is_word(char byte)
{
	return regex_is_digit(byte) || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static int hex_value(char byte)
{
	if (regex_is_digit(byte))
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

uint32_t regex_rune(struct regex *regex)
{
	return (unsigned char)*regex->at++;
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
			return regex_fail(regex, "a character beyond \\xFF");
	}
	if (digits == 0 || (!braces && digits < 2) || (braces && *regex->at != '}'))
		return regex_fail(regex, "\\x needs two digits, or digits in braces");
	regex->at += braces;
	return true;
}

static bool read_octal(struct regex *regex, char first, uint32_t *rune)
{
	*rune = (uint32_t)(first - '0');
	if (first != '0' && (*regex->at < '0' || *regex->at > '7'))
		return regex_fail(regex, "RE2 has no back-references");
	for (int i = 0; i < 2 && *regex->at >= '0' && *regex->at <= '7'; i++)
		*rune = *rune * 8 + (uint32_t)(*regex->at++ - '0');
	return *rune <= RUNE_MAX || regex_fail(regex, "a character beyond \\xFF");
}

bool regex_escape(struct regex *regex, uint32_t *rune)
{
	static const char LETTERS[] = "nrtafv";
	static const char CONTROLS[] = "\n\r\t\a\f\v";
	char byte = *regex->at;
	const char *letter = byte != '\0' ? strchr(LETTERS, byte) : NULL;

	if (byte == '\0')
		return regex_fail(regex, "it ends in a backslash");
	regex->at++;
	if (byte >= '0' && byte <= '7')
		return read_octal(regex, byte, rune);
	if (byte == 'x')
		return read_hex(regex, rune);
	*rune = letter != NULL ? (uint32_t)CONTROLS[letter - LETTERS]
			       : (unsigned char)byte;
	if (letter != NULL ||
	    ((unsigned char)byte < 0x80 && (!regex_is_word(byte) || byte == '_')))
		return true;
	if (byte == '8' || byte == '9' || byte == 'k')
		return regex_fail(regex, "RE2 has no back-references");
	return regex_fail(regex, "an escape that RE2 does not know");
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

bool regex_group(struct regex *regex)
{
	char name[64] = "";
	const char *from = regex->at;
	size_t len = 1;

	if (*from == '{') {
		const char *end = strchr(from, '}');
		if (end == NULL)
			return regex_fail(regex, "\\p needs the name of a group");
		regex->at = end + 1;
		from += 1 + (from[1] == '^');
		len = (size_t)(end - from);
	} else if (*from != '\0') {
		regex->at++;
	}
	if (len < sizeof(name))
		memcpy(name, from, len);
	return is_unicode_group(name) ||
	       regex_fail(regex, "\\p with a group that RE2 does not know");
}

bool regex_is_perl_class(const char *at)
{
	return at[0] == '\\' && at[1] != '\0' && strchr("dDsSwW", at[1]) != NULL;
}

bool regex_is_group(const char *at)
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
	return regex_fail(regex, "a class such as [:alpha:] that RE2 does not know");
}

static bool read_class_rune(struct regex *regex, uint32_t *rune)
{
	if (*regex->at == '\0')
		return regex_fail(regex, "missing closing ]");
	if (*regex->at != '\\') {
		*rune = regex_rune(regex);
		return true;
	}
	regex->at++;
	return regex_escape(regex, rune);
}

unsigned regex_size(const struct regex *regex, uint32_t rune)
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
	part->size += regex_size(regex, high);
	return low <= high || regex_fail(regex, "a range in [] that goes backwards");
}

static bool read_class_item(struct regex *regex, struct part *part)
{
	const char *at = regex->at;

	if (at[0] == '[' && at[1] == ':' && read_posix_class(regex)) {
		part->size += SIZE_RANGE;
		return true;
	}
	if (regex_is_group(at)) {
		part->size += SIZE_GROUP;
		regex->at += 2;
		return regex_group(regex);
	}
	if (regex_is_perl_class(at)) {
		part->size += SIZE_RANGE;
		regex->at += 2;
		return true;
	}
	return regex->fault == NULL && read_class_range(regex, part);
}

bool regex_class(struct regex *regex, struct part *part)
{
	bool negated = *regex->at == '^';

	*part = (struct part){ .size = negated ? SIZE_RANGE : SIZE_ASCII, .repeat = 1 };
	regex->at += negated;
	for (bool first = true; first || *regex->at != ']'; first = false) {
		if (*regex->at == '\0')
			return regex_fail(regex, "missing closing ]");
		if (!read_class_item(regex, part))
			return false;
	}
	regex->at++;
	return true;
}
