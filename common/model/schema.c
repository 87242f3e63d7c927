#include "model/schemas.h"

#include <string.h>
#include <strings.h>

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

/* Edit distance; upper and lower case are the same. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD + 1];
	size_t width = strlen(b);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < width; j++) {
			bool same = strncasecmp(&a[i], &b[j], 1) == 0;
			size_t best = corner + !same;
			corner = row[j + 1];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (corner + 1 < best)
				best = corner + 1;
			row[j + 1] = best;
		}
	}
	return row[width];
}

const char *schema_nearest(const struct schema *object, const char *name)
{
	size_t len = strlen(name);
	size_t least = len <= 3 ? 2 : len / 3 + 2; /* this far is not close any more */
	const char *found = NULL;

	if (len == 0 || len > WORD)
		return NULL;
	for (size_t i = 0; i < object->count; i++) {
		const struct field *field = &object->fields[i];
		if (field->flags & F_HIDDEN || field->type == FIELD_REFUSED ||
		    field->type == FIELD_IGNORED || strlen(field->name) > WORD)
			continue;
		size_t apart = distance(name, field->name);
		if (apart < least) {
			least = apart;
			found = field->name;
		}
	}
	return found;
}
