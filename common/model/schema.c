#include "model/schemas.h"

#include <ctype.h>
#include <string.h>

const struct schema *schema_of(enum kind kind)
{
	switch (kind) {
	case KIND_MESH:
		return &SCHEMA_MESH;
	case KIND_ZONE:
		return &SCHEMA_ZONE;
	case KIND_DATAPLANE:
		return &SCHEMA_DATAPLANE;
	case KIND_ZONE_INGRESS:
		return &SCHEMA_ZONE_INGRESS;
	case KIND_MESH_TCP_ROUTE:
		return &SCHEMA_MESH_TCP_ROUTE;
	default:
		return NULL;
	}
}

/* The next word of a dotted path, into word; NULL: no word or one too long. */
static const char *next_word(const char *path, char word[64])
{
	size_t len = strcspn(path, ".");

	if (len == 0 || len >= 64)
		return NULL;
	memcpy(word, path, len);
	word[len] = '\0';
	return path[len] == '.' ? path + len + 1 : path + len;
}

static const struct field *field_named(const struct schema *schema, const char *name)
{
	for (size_t i = 0; schema != NULL && i < schema->count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

const struct field *schema_find(const char *path, const struct schema **object)
{
	char word[64];
	const struct field *field = NULL;
	const char *rest = next_word(path, word);

	*object = rest != NULL ? schema_of(kind_by_word(word)) : NULL;
	if (*object == NULL)
		return NULL;
	for (bool first = true; *rest != '\0'; first = false) {
		rest = next_word(rest, word);
		if (rest == NULL) {
			*object = NULL;
			return NULL;
		}
		if (first && strcmp(word, "spec") == 0 && !field_named(*object, "spec"))
			continue;
		if (field != NULL)
			*object = field->sub;
		field = field_named(*object, word);
		if (field == NULL) {
			*object = NULL;
			return NULL;
		}
	}
	return field;
}

enum { WORD = 48 };

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to insert, drop, change or swap with the next; case does not count. */
static size_t distance(const char *a, const char *b)
{
	size_t table[WORD + 1][WORD + 1];
	size_t height = strlen(a);
	size_t width = strlen(b);

	for (size_t i = 0; i <= height; i++)
		table[i][0] = i;
	for (size_t j = 0; j <= width; j++)
		table[0][j] = j;
	for (size_t i = 1; i <= height; i++) {
		for (size_t j = 1; j <= width; j++) {
			size_t best = table[i - 1][j - 1] + !same(a[i - 1], b[j - 1]);
			best = least(best, table[i - 1][j] + 1);
			best = least(best, table[i][j - 1] + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				best = least(best, table[i - 2][j - 2] + 1);
			table[i][j] = best;
		}
	}
	return table[height][width];
}

const char *schema_nearest(const struct schema *object, const char *name)
{
	size_t len = strlen(name);
	size_t nearest = len > 9 ? 4 : len > 5 ? 3 : 2; /* so far is not close */
	const char *found = NULL;

	if (len == 0 || len > WORD)
		return NULL;
	for (size_t i = 0; i < object->count; i++) {
		const struct field *field = &object->fields[i];
		if (field->flags & F_HIDDEN || field->type == FIELD_REFUSED ||
		    field->type == FIELD_IGNORED || strlen(field->name) > WORD)
			continue;
		size_t apart = distance(name, field->name);
		if (apart < nearest && apart < len) {
			nearest = apart;
			found = field->name;
		}
	}
	return found;
}
