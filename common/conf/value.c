/* A value's text and its type. */
#include "conf/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit TIMES[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { NULL, 0 }
};
static const struct unit SIZES[] = {
	{ "", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { NULL, 0 }
};

static bool has_range(const struct conf_key *key)
{
	return key->min != 0 || key->max != 0;
}

/* number as whoever reads the message would write it: the greatest unit that fits. */
static const char *with_unit(const struct unit *units, int64_t number,
			     struct zl_arena *arena)
{
	const struct unit *best = units;

	for (const struct unit *unit = units; unit->name != NULL; unit++)
		if (number != 0 && (uint64_t)number % unit->factor == 0)
			best = unit;
	return zl_arena_format(arena, "%" PRIu64 "%s", (uint64_t)number / best->factor,
			       best->name);
}

const char *conf_form(const struct conf_key *key, struct zl_arena *arena)
{
	struct zl_buf names = { 0 };
	const char *form;

	switch (key->type) {
	case CONF_TEXT:
		return "text";
	case CONF_LABEL:
		return "a name of a-z, 0-9 and '-' that begins with a letter, at most 63";
	case CONF_ADDRS:
		return "HOST:PORT, [V6]:PORT or unix:PATH, or several with commas";
	case CONF_BOOL:
		return "true or false";
	case CONF_ENUM:
		for (const char *const *name = key->values; *name != NULL; name++)
			zl_buf_format(&names, "%s%s", names.len > 0 ? ", " : "", *name);
		form = zl_arena_format(arena, "one of %s", zl_buf_text(&names));
		zl_buf_free(&names);
		return form;
	case CONF_INT:
		if (!has_range(key))
			return "a whole number";
		return zl_arena_format(arena, "a whole number, %" PRId64 " to %" PRId64,
				       key->min, key->max);
	case CONF_MS:
		if (!has_range(key))
			return "a time such as 250ms, 5s, 2m, 1h";
		return zl_arena_format(arena, "a time such as 250ms or 5s, %s to %s",
				       with_unit(TIMES, key->min, arena),
				       with_unit(TIMES, key->max, arena));
	case CONF_BYTES:
		if (!has_range(key))
			return "a size such as 4096, 64KiB, 1MiB, 2GiB";
		return zl_arena_format(arena, "a size such as 64KiB or 1MiB, %s to %s",
				       with_unit(SIZES, key->min, arena),
				       with_unit(SIZES, key->max, arena));
	}
	return "";
}

static enum zl_code refuse(const struct conf_key *key, const char *text,
			   struct zl_arena *arena, struct zl_err *err)
{
	return zl_fail(err, ZL_EINVAL, "\"%s\" is not %s", text, conf_form(key, arena));
}

static bool in_range(const struct conf_key *key, int64_t number)
{
	return !has_range(key) || (number >= key->min && number <= key->max);
}

static bool to_int(const struct conf_key *key, const char *text, int64_t *number)
{
	char *end;
	size_t sign = *text == '-';

	if (text[sign] < '0' || text[sign] > '9')
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && in_range(key, *number);
}

static bool to_quantity(const struct conf_key *key, const struct unit *units,
			const char *text, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	uint64_t count = strtoull(text, &end, 10);
	for (const struct unit *unit = units; errno == 0 && unit->name != NULL; unit++) {
		if (strcmp(end, unit->name) != 0 && !(count == 0 && *end == '\0'))
			continue;
		if (__builtin_mul_overflow(count, unit->factor, number) ||
		    *number > INT64_MAX)
			return false;
		return in_range(key, (int64_t)*number);
	}
	return false;
}

static bool is_label(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= 63 && text[len] == '\0' && text[0] >= 'a' &&
	       text[0] <= 'z' && text[len - 1] != '-';
}

static bool is_one_of(const char *const *values, const char *text)
{
	for (; *values != NULL; values++)
		if (strcmp(*values, text) == 0)
			return true;
	return false;
}

static enum zl_code to_addrs(const char *text, struct zl_arena *arena,
			     struct conf_addrs *addrs, struct zl_err *err)
{
	size_t most = 1;
	char *copy = zl_arena_strdup(arena, text);
	char *rest = copy;
	char *one;

	for (const char *c = text; *c != '\0'; c++)
		most += *c == ',';
	*addrs = (struct conf_addrs){ zl_arena_alloc(arena, most, sizeof(struct zl_addr)),
				      0 };
	while (*copy != '\0' && (one = strsep(&rest, ",")) != NULL) {
		one += strspn(one, " ");
		one[strcspn(one, " ")] = '\0';
		if (zl_addr_parse(one, &addrs->items[addrs->count++], err) != ZL_OK)
			return ZL_EINVAL;
	}
	return ZL_OK;
}

/* The types that are kept as text. Empty means none. */
static enum zl_code to_text(const struct conf_key *key, const char *text,
			    struct zl_arena *arena, const char **field,
			    struct zl_err *err)
{
	if ((key->type == CONF_LABEL && *text != '\0' && !is_label(text)) ||
	    (key->type == CONF_ENUM && !is_one_of(key->values, text)))
		return refuse(key, text, arena, err);
	*field = *text != '\0' ? zl_arena_strdup(arena, text) : NULL;
	return ZL_OK;
}

enum zl_code conf_value(const struct conf_key *key, const char *text,
			struct zl_arena *arena, void *values, struct zl_err *err)
{
	void *field = (char *)values + key->offset;
	bool *flag = field;
	bool good = false;

	switch (key->type) {
	case CONF_TEXT:
	case CONF_LABEL:
	case CONF_ENUM:
		return to_text(key, text, arena, field, err);
	case CONF_ADDRS:
		return to_addrs(text, arena, field, err);
	case CONF_BOOL:
		*flag = strcmp(text, "true") == 0;
		good = *flag || strcmp(text, "false") == 0;
		break;
	case CONF_INT:
		good = to_int(key, text, field);
		break;
	case CONF_MS:
		good = to_quantity(key, TIMES, text, field);
		break;
	case CONF_BYTES:
		good = to_quantity(key, SIZES, text, field);
		break;
	}
	return good ? ZL_OK : refuse(key, text, arena, err);
}
