/* Block YAML. Scalars are quoted where our reader, or a reader of YAML 1.1 such as other
 * tools have, would not take them for the text they are. */
#include "model/scalar.h"
#include "model/tree.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* libyaml takes a key for one only if ":" follows within 1024 characters; each byte may
 * become an escape of six. */
enum { STEP = 2, KEY_SIMPLE_MAX = 160 };

static void pad(size_t indent, struct zl_buf *out)
{
	for (size_t i = 0; i < indent; i++)
		zl_buf_char(out, ' ');
}

/* ---- text ---- */

/* True for what may stand as it is; controls and line breaks may not. */
static bool stands_raw(uint32_t rune)
{
	return scalar_printable(rune) && rune >= 0x20 && rune != 0x85 && rune != 0x2028 &&
	       rune != 0x2029;
}

/* True if all of text but the character but is raw. */
static bool all_raw(const char *text, char but)
{
	size_t len = strlen(text);
	uint32_t rune = 0;

	for (size_t i = 0; i < len;) {
		size_t size = scalar_rune(text + i, len - i, &rune);
		if (size == 0 || (!stands_raw(rune) && (rune >= 0x80 || text[i] != but)))
			return false;
		i += size;
	}
	return true;
}

static bool is_word(const char *text)
{
	static const char *const WORDS[] = { "true", "false", "null", "yes", "no",
					     "on",   "off",   "y",    "n" };

	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (strcasecmp(WORDS[i], text) == 0)
			return true;
	return false;
}

/* Numbers, dates and times of YAML 1.1 are made of these; addresses and versions, with
 * two dots or more, are not numbers. */
static bool is_numeric(const char *text)
{
	size_t dots = 0;

	if (!isdigit((unsigned char)*text))
		return false;
	for (const char *at = text; *at != '\0'; at++)
		dots += *at == '.';
	if (dots > 1)
		return text[strspn(text, "0123456789.")] != '\0';
	return text[strspn(text, "0123456789abcdefABCDEFxXoO+-._: TtZz")] == '\0';
}

static bool is_plain(const char *text)
{
	unsigned char first = (unsigned char)*text;
	size_t len = strlen(text);

	if (!isalnum(first) && first != '/' && first != '_' && first < 0x80)
		return false;
	return text[len - 1] != ' ' && text[len - 1] != ':' &&
	       strstr(text, ": ") == NULL && strstr(text, " #") == NULL &&
	       !is_word(text) && !is_numeric(text) && all_raw(text, ' ');
}

static void quoted(const char *text, struct zl_buf *out)
{
	size_t len = strlen(text);
	uint32_t rune = 0;

	zl_buf_char(out, '"');
	for (size_t i = 0; i < len;) {
		size_t size = scalar_rune(text + i, len - i, &rune);
		if (rune == '"' || rune == '\\')
			zl_buf_format(out, "\\%c", (char)rune);
		else if (rune == '\n')
			zl_buf_str(out, "\\n");
		else if (rune == '\t')
			zl_buf_str(out, "\\t");
		else if (!stands_raw(rune))
			zl_buf_format(out, "\\u%04" PRIX32, rune);
		else
			zl_buf_add(out, text + i, size);
		i += size > 0 ? size : len; /* a tree holds UTF-8 */
	}
	zl_buf_char(out, '"');
}

/* Several lines that a literal block gives back as they are. */
static bool is_block(const char *text)
{
	size_t len = strlen(text);
	const char *newline = strchr(text, '\n');

	return newline != NULL && newline[1] != '\0' && *text != ' ' && *text != '\n' &&
	       text[len - 1] != ' ' && strstr(text, " \n") == NULL &&
	       !(len > 1 && strcmp(text + len - 2, "\n\n") == 0) && all_raw(text, '\n');
}

static void block(const char *text, size_t indent, struct zl_buf *out)
{
	bool ends = text[strlen(text) - 1] == '\n';

	zl_buf_str(out, ends ? "|\n" : "|-\n");
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		if (len > 0)
			pad(indent, out);
		zl_buf_add(out, text, len);
		zl_buf_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

/* ---- nodes ---- */

/* A scalar or an empty list or map, and the end of its line; the lines of a text stand at
 * indent. */
static void leaf(const struct tree *tree, size_t indent, struct zl_buf *out)
{
	bool number = tree->type == TREE_INT || tree->type == TREE_REAL;

	if (tree->type == TREE_TEXT && is_block(tree->text)) {
		block(tree->text, indent, out);
		return;
	}
	if (tree->text != NULL && (number || is_plain(tree->text)))
		zl_buf_str(out, tree->text);
	else if (tree->type == TREE_TEXT)
		quoted(tree->text, out);
	else if (tree->type == TREE_MAP)
		zl_buf_str(out, "{}");
	else if (tree->type == TREE_LIST)
		zl_buf_str(out, "[]");
	else
		tree_json(tree, out);
	zl_buf_char(out, '\n');
}

static bool is_leaf(const struct tree *tree)
{
	return tree->count == 0 || (tree->type != TREE_MAP && tree->type != TREE_LIST);
}

static void branch(const struct tree *tree, size_t indent, bool begun,
		   struct zl_buf *out);

static void member(const struct tree_member *member, size_t indent, struct zl_buf *out)
{
	bool simple = strlen(member->key) <= KEY_SIMPLE_MAX;

	if (!simple)
		zl_buf_str(out, "? ");
	if (is_plain(member->key))
		zl_buf_str(out, member->key);
	else
		quoted(member->key, out);
	if (!simple) {
		zl_buf_char(out, '\n');
		pad(indent, out);
	}
	zl_buf_char(out, ':');
	if (is_leaf(member->value)) {
		zl_buf_char(out, ' ');
		leaf(member->value, indent + STEP, out);
	} else {
		zl_buf_char(out, '\n');
		branch(member->value, indent + STEP, false, out);
	}
}

/* A list or map that is not empty, its lines at indent; begun: the first line already
 * stands there. */
static void branch(const struct tree *tree, size_t indent, bool begun, struct zl_buf *out)
{
	for (size_t i = 0; i < tree->count; i++) {
		if (i > 0 || !begun)
			pad(indent, out);
		if (tree->type == TREE_MAP) {
			member(&tree->members[i], indent, out);
			continue;
		}
		zl_buf_str(out, "- ");
		if (is_leaf(tree->items[i]))
			leaf(tree->items[i], indent + STEP, out);
		else
			branch(tree->items[i], indent + STEP, true, out);
	}
}

void tree_yaml(const struct tree *tree, struct zl_buf *out)
{
	if (is_leaf(tree))
		leaf(tree, STEP, out);
	else
		branch(tree, 0, false, out);
}
