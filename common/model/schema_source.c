/* DataSource: kinds-spec 0.3. */
#include "model/source.h"

#include "base/base64.h"

#include <string.h>

static const struct field SOURCE[] = {
	{ .name = "secret",
	  .type = FIELD_TEXT,
	  STORED(data_source, secret),
	  .doc = "Name of a Secret of the mesh." },
	{ .name = "inline",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "The content in base64." },
	{ .name = "inlineString",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED,
	  .doc = "The content as text." },
	{ .name = "file",
	  .type = FIELD_REFUSED,
	  .doc = "Refused: global and zones share no disk." },
};

static const char *text_in(const struct tree *tree, const char *field)
{
	const struct tree *text = tree_get(tree, field);

	return text != NULL && text->type == TREE_TEXT ? text->text : "";
}

/* What inline stands for; false: it is not base64, or no text. */
static bool read_inline(const char *coded, struct zl_buf *out)
{
	return zl_base64_read(coded, strlen(coded), out, NULL) == ZL_OK &&
	       (out->len == 0 || memchr(out->data, '\0', out->len) == NULL);
}

static void finish_source(struct decode *dec, const struct tree *tree, void *made)
{
	struct data_source *source = made;
	const char *coded = text_in(tree, "inline");
	struct zl_buf text = { 0 };

	source->text = zl_arena_strdup(dec->arena, text_in(tree, "inlineString"));
	if (coded[0] != '\0' && read_inline(coded, &text))
		source->text = zl_arena_strdup(dec->arena, zl_buf_text(&text));
	zl_buf_free(&text);
}

void check_one_source(struct decode *dec, const struct tree *tree, const struct path *at,
		      const char *none)
{
	static const char *const SOURCES[] = { "secret", "inline", "inlineString" };
	const char *coded = text_in(tree, "inline");
	struct zl_buf text = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++) {
		const struct tree *value = tree_get(tree, SOURCES[i]);
		count += value != NULL &&
			 !(value->type == TREE_TEXT && value->text[0] == '\0');
	}
	if (count == 0 && tree_get(tree, "file") == NULL)
		decode_bad(dec, at, NULL, tree, "%s", none);
	if (count > 1)
		decode_bad(dec, at, NULL, tree, "must have only one source");
	if (coded[0] != '\0' && !read_inline(coded, &text))
		decode_bad(dec, at, "inline", tree_get(tree, "inline"),
			   "must be a text in base64");
	zl_buf_free(&text);
}

bool source_is_given(const struct data_source *source)
{
	return source->secret[0] != '\0' || source->text[0] != '\0';
}

static void check_source(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	(void)made;
	check_one_source(dec, tree, at, "data source cannot be empty");
}

const struct schema SOURCE_SCHEMA = { .name = "DataSource",
				      .size = sizeof(struct data_source),
				      FIELDS(SOURCE),
				      .finish = finish_source,
				      .check = check_source };

const struct schema CA_SOURCE_SCHEMA = { .name = "DataSource",
					 .size = sizeof(struct data_source),
					 FIELDS(SOURCE),
					 .finish = finish_source };
