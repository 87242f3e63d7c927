/* model/decode.h - a tree and a schema become a struct of spec.h. Private to the room.
 *
 * One walk does it: fields in the order of the schema, then the check of their object. So
 * findings come in the order of spec 2.4, whatever the order in the document.
 *
 * Threads:  pure.
 * Lifetime: what is decoded lives in dec->arena and shares nothing with the tree.
 */
#pragma once

#include "model/resource.h"
#include "model/schema.h"

/* Where in the document the walk is: a list on the stack, written out for findings only.
 */
struct path {
	const struct path *up; /* NULL: the document */
	const char *name;      /* NULL: index counts */
	size_t index;
	bool is_key; /* name is a key of a map: ["name"] */
};

struct decode {
	struct zl_arena *arena;
	struct findings *found; /* NULL: lenient, nothing is checked but types */
	bool failed;            /* of a lenient walk: a type that cannot be understood */
	bool k8s;               /* the document is in Kubernetes form */
	bool alone;             /* a zone without a global writes it */
	enum kind kind;
	const char *name;             /* of the resource */
	const char *role;             /* of a policy; "" for none */
	const char *zone;             /* of a zone that writes; "" otherwise */
	const char *zone_label;       /* "" for none */
	const struct target_ref *top; /* of a policy, being filled; NULL: another kind */
	const struct tree *spec;      /* as written */
};

/* Flags of fields. */
enum {
	F_REQUIRED = 1,     /* absent: "must be defined" */
	F_UNSTORED = 2,     /* checked and kept in the document, not in the struct */
	F_WIDE = 4,         /* FIELD_INT into uint64_t, not uint32_t */
	F_RANGE = 8,        /* FIELD_INT within min and max, with the text of D20 */
	F_PORT = 16,        /* FIELD_INT within min and max, with the text of P1 */
	F_OWN_CHECK = 32,   /* value or range is told by the check of its object */
	F_HIDDEN = 64,      /* never suggested: an alias, or a field of other kinds */
	F_SHOWN_ONLY = 128, /* fallback is for people, not filled in */
	F_FIRST = 256,      /* FIELD_LIST: its first object decodes into the parent */
	F_AT_MOST = 512,    /* FIELD_LIST: at most max elements */
	F_SET = 1024        /* into a struct number (FIELD_INT), fraction (FIELD_MIXED) */
};

/* Fill to, whose size is schema's, from tree; NULL: from the defaults. */
void decode_object(struct decode *dec, const struct schema *schema,
		   const struct tree *tree, const struct path *at, void *to);
/* A map of texts, sorted, in arena. dec->found NULL or not as above. */
struct labels decode_labels(struct decode *dec, const struct tree *tree,
			    const struct path *at);

/* Add a finding below at: at itself (field NULL) or its member. */
void decode_bad(struct decode *dec, const struct path *at, const char *field,
		const struct tree *where, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void decode_warn(struct decode *dec, const struct path *at, const char *field,
		 const struct tree *where, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void decode_wrong_type(struct decode *dec, const struct path *at,
		       const struct tree *where, enum field_type want);
void path_text(const struct path *at, struct zl_buf *out);

#define STORED(type, member) .offset = offsetof(struct type, member)
#define FIELDS(array) .fields = (array), .count = sizeof(array) / sizeof((array)[0])
enum { FIELDS_MAX = 24 }; /* of one object */
