/* policy/merge.h - what several policies say together (RFC 7396, policies-spec 1.3): the
 * `default` of the stronger one wins member by member, a list as a whole; and whose it
 * is.
 *
 * Threads:  pure.
 * Lifetime: in the arena; values are those of the policies.
 */
#pragma once

#include "policy/routes.h"

#include "model/tree.h"

/* What one entry says. */
struct saying {
	const struct tree *conf;
	struct contributor from;
	enum attached_list list;
};

/* A value that is no object, or an empty one. */
struct leaf {
	const char *field; /* dotted: "http.requestTimeout" */
	const struct tree *value;
	struct contributor from; /* whose value it is */
	enum attached_list list;
	bool used; /* it has an effect somewhere */
};

struct reading;

struct merged {
	struct leaf *leaves; /* by field */
	size_t count;
	struct reading **readings; /* what was made of it (effect.c) */
};

/* Of sayings in increasing precedence, all of them stronger than those that base, which
 * may be NULL, is of. */
struct merged merge_sayings(const struct merged *base, const struct saying *sayings,
			    size_t count, struct zl_arena *arena);

/* The stronger one over the weaker one. */
struct merged merge_two(const struct merged *weak, const struct merged *strong,
			struct zl_arena *arena);

/* The leaf of that field, or NULL. */
struct leaf *merged_leaf(const struct merged *merged, const char *field);

/* True if field is section, or a part of it. */
bool field_is_in(const char *field, const char *section);

/* The document that has these leaves. */
const struct tree *merged_tree(struct leaf *const *leaves, size_t count,
			       struct zl_arena *arena);
