/* Names of keys, and names that are almost one. */
#include "conf/parts.h"

#include <stdlib.h>
#include <string.h>

const struct conf_key *conf_find(const struct conf_program *program, const char *name)
{
	for (size_t i = 0; i < program->count; i++)
		if (strcmp(program->keys[i].name, name) == 0)
			return &program->keys[i];
	return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be put in, left out or changed to make b of a (Levenshtein), one
 * row of the table at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t len = strlen(b);
	size_t *row = zl_alloc(len + 1, sizeof(*row));

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t above_left = row[0];
		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1,
				       above_left + (a[i - 1] != b[j - 1]));
			above_left = above;
		}
	}
	size_t result = row[len];
	free(row);
	return result;
}

/* The key whose name differs from name by at most limit letters; NULL if none does. */
static const char *nearest(const struct conf_program *program, const char *name,
			   size_t limit)
{
	const char *best = NULL;

	if (strlen(name) > 128) /* is nobody's slip of the finger */
		return NULL;
	for (size_t i = 0; i < program->count; i++) {
		size_t far = distance(name, program->keys[i].name);
		if (far <= limit) {
			best = program->keys[i].name;
			limit = far > 0 ? far - 1 : 0;
		}
		if (far == 0)
			break;
	}
	return best;
}

/* The first key of the group that name is; NULL if it is none. */
static const char *group_of(const struct conf_program *program, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < program->count; i++) {
		const char *key = program->keys[i].name;
		if (strncmp(key, name, len) == 0 && key[len] == '.')
			return key;
	}
	return NULL;
}

enum zl_code conf_unknown(const struct conf_program *program, const char *name,
			  struct zl_err *err)
{
	const char *inside = group_of(program, name);
	const char *near = nearest(program, name, 2 + strlen(name) / 4);

	if (inside != NULL)
		return zl_fail(
			err, ZL_EINVAL,
			"key \"%s\" is a group and takes no value; one of its keys "
			"is \"%s\"",
			name, inside);
	if (near != NULL)
		return zl_fail(err, ZL_EINVAL, "unknown key \"%s\"; did you mean \"%s\"?",
			       name, near);
	return zl_fail(err, ZL_EINVAL, "unknown key \"%s\"; --help lists all keys", name);
}
