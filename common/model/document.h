/* model/document.h - what stands round the spec, in either form. Private to the room.
 *
 * Threads:  pure.
 * Lifetime: a head borrows from its document and from the arena it was made in.
 */
#pragma once

#include "model/decode.h"

struct head {
	bool k8s;
	enum kind kind; /* KIND_NONE: unknown, and told */
	const struct kind_info *info;
	const char *name;          /* "" */
	const char *mesh;          /* "" of global kinds */
	const char *ns;            /* metadata.namespace; "" */
	struct labels labels;      /* as written */
	const struct tree *spec;   /* NULL: absent */
	const struct tree *status; /* whoever wrote it; NULL: absent, or kept nowhere */
	bool below_spec;           /* the path of its fields begins with spec */
	const struct tree *type_at, *name_at, *mesh_at, *ns_at,
		*labels_at; /* NULL: absent */
};

/* Read the head of doc, a map. dec->found NULL: of canonical JSON, leniently. */
void head_read(struct decode *dec, const struct tree *doc, struct zl_arena *arena,
	       struct head *head);

/* Check the head against rules and settle the labels: head->labels are then those of the
 * resource. Finds the role of a policy. */
void head_check(struct decode *dec, struct head *head, const struct resource_rules *rules,
		struct zl_arena *arena);

/* The field of a Universal head that looks most like name; NULL: none. */
const char *head_nearest(const char *name);

/* The identity of a resource with these labels. */
struct key head_key(const struct head *head);

/* The Universal document, aliases resolved, in arena; shares parts with head->spec. */
struct tree *head_document(const struct head *head, struct zl_arena *arena);
