/* model/schema.h - the one table of fields: what the parser accepts, what `zonelinkctl
 * schema` and the reference pages show.
 *
 * Threads:  constant data.
 */
#pragma once

#include "model/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree;
struct zl_arena;

enum field_type {
	FIELD_TEXT,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_ENUM,
	FIELD_OBJECT,
	FIELD_LIST,     /* of objects (sub) or of texts (no sub) */
	FIELD_LABELS,   /* map of text to text */
	FIELD_MIXED,    /* a number or a text; read by the finish of its object */
	FIELD_DURATION, /* a text such as 1h30m, into a struct span */
	FIELD_INTS,     /* list of whole numbers */
	FIELD_ANY,      /* kept, not looked into */
	FIELD_IGNORED,  /* K1: accepted with a warning, no effect */
	FIELD_REFUSED   /* K1: refused by name, unless empty or false */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;            /* of the member in the struct of spec.h */
	const struct schema *sub; /* of FIELD_OBJECT, FIELD_LIST */
	const char *const
		*values;      /* of FIELD_ENUM; NULL-terminated, index = stored value */
	const char *fallback; /* default as people write it; NULL: none */
	int64_t min, max; /* of FIELD_INT, when checks says so; of each of FIELD_INTS */
	const char *doc;  /* one sentence */
	const char *example; /* NULL: none */
	unsigned flags;      /* private to the room */
	/* Private to the room: what is wrong with a value, of a list of texts with each
	 * (faults.h). */
	const char *(*fault)(const struct tree *value, struct zl_arena *arena);
};

struct decode;
struct path;

struct schema {
	const char *name;
	size_t size; /* of the struct of spec.h */
	const struct field *fields;
	size_t count;
	/* Private to the room. finish: complete what was decoded, tree is NULL for an
	 * absent object. check: what the fields alone do not tell. */
	void (*finish)(struct decode *dec, const struct tree *tree, void *made);
	void (*check)(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made);
};

/* The fields of a kind's spec. */
const struct schema *schema_of(enum kind kind);
/* "meshtcproute.spec.to.rules.default.backendRefs.weight" (a kind's word, then field
 * names; "spec" may be left out, list indexes are not written). NULL: no such field. A
 * path of the kind alone gives *object and NULL. */
const struct field *schema_find(const char *path, const struct schema **object);
/* The name of object that looks most like name; NULL: none is close. */
const char *schema_nearest(const struct schema *object, const char *name);
/* False: the object may lack the field. */
bool schema_is_required(const struct field *field);
/* False: an alias, or a field that is only there to be refused with a hint. */
bool schema_is_shown(const struct field *field);
/* The values that are taken, ended by NULL, where "" stands for absence; NULL: any, or
 * those that doc names. */
const char *const *schema_values(const struct field *field);
