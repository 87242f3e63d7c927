/* model/schema_attached.h - what the schemas of policies that attach to routes share:
 * targetRef and the lists to, from and rules, whose items have a default. Private.
 *
 * The default of an item is checked by the schema of its policy, and kept as a tree: the
 * policy room merges trees, and conf_read reads the result by the same schema.
 *
 * Threads:  constant data; pure.
 */
#pragma once

#include "model/schemas.h"

/* The references of to[] and from[]; the kinds that they take are those of the policy
 * (check_attached.c). */
extern const struct schema ROUTED_REF_SCHEMA;    /* of to: with MeshHTTPRoute */
extern const struct schema LOGGED_REF_SCHEMA;    /* with MeshExternalService */
extern const struct schema CLIENTS_REF_SCHEMA;   /* of from: Mesh */
extern const struct schema PERMITTED_REF_SCHEMA; /* of MeshTrafficPermission's from */

/* The defaults, which conf_read reads too. */
extern const struct schema TIMEOUT_DEFAULT_SCHEMA;
extern const struct schema RETRY_DEFAULT_SCHEMA;
extern const struct schema HEALTH_DEFAULT_SCHEMA;
extern const struct schema BREAKER_DEFAULT_SCHEMA;
extern const struct schema LOG_DEFAULT_SCHEMA;
extern const struct schema ACTION_DEFAULT_SCHEMA;     /* of MeshTrafficPermission: from */
extern const struct schema PERMISSION_DEFAULT_SCHEMA; /* the same: rules */

/* A default of the schema right. */
#define ATTACHED_DEFAULT(right)                                                        \
	{                                                                              \
		.name = "default", .type = FIELD_OBJECT, .sub = &(right),              \
		.flags = F_REQUIRED | F_UNSTORED,                                      \
		.doc = "What holds there, unless a policy of greater precedence says " \
		       "otherwise."                                                    \
	}

/* Define the schema of the items of a list: title is its name, ref the schema of its
 * targetRef, right that of its default. */
#define ATTACHED_ITEM(item, title, ref, right, who)                               \
	static const struct field item##_FIELDS[] = {                             \
		{ .name = "targetRef",                                            \
		  .type = FIELD_OBJECT,                                           \
		  .sub = &(ref),                                                  \
		  STORED(attached_item, target),                                  \
		  .flags = F_REQUIRED,                                            \
		  .doc = who },                                                   \
		ATTACHED_DEFAULT(right),                                          \
	};                                                                        \
	static const struct schema item = { .name = (title),                      \
					    .size = sizeof(struct attached_item), \
					    FIELDS(item##_FIELDS),                \
					    .finish = finish_attached_item,       \
					    .check = check_attached_item }

/* The same of rules, whose items have nothing but a default. */
#define ATTACHED_RULE(item, title, right)                                         \
	static const struct field item##_FIELDS[] = {                             \
		ATTACHED_DEFAULT(right),                                          \
	};                                                                        \
	static const struct schema item = { .name = (title),                      \
					    .size = sizeof(struct attached_item), \
					    FIELDS(item##_FIELDS),                \
					    .finish = finish_attached_item }

/* The fields of a spec. */
#define ATTACHED_TARGET                                                            \
	{                                                                          \
		.name = "targetRef", .type = FIELD_OBJECT, .sub = &TOP_REF_SCHEMA, \
		STORED(attached_spec, target), .flags = F_SHOWN_ONLY,              \
		.fallback = "{kind: Mesh}",                                        \
		.doc = "The proxies that the policy configures."                   \
	}
#define ATTACHED_LIST(list, item, text)                                       \
	{                                                                     \
		.name = #list, .type = FIELD_LIST, .sub = &(item),            \
		STORED(attached_spec, list), .flags = F_AT_MOST, .max = 1024, \
		.doc = text                                                   \
	}
#define ATTACHED_TO(item) \
	ATTACHED_LIST(to, item, "What clients connect to; at most 1024 entries.")
#define ATTACHED_FROM(item)                                                    \
	ATTACHED_LIST(from, item,                                              \
		      "What comes in, by who sends it; at most 1024 entries. " \
		      "Deprecated where there are rules.")
#define ATTACHED_RULES(item) \
	ATTACHED_LIST(rules, item, "What comes in; at most 1024 entries.")

/* Keep the default as a tree. */
void finish_attached_item(struct decode *dec, const struct tree *tree, void *made);
/* targetRef may be absent: Mesh. */
void finish_attached(struct decode *dec, const struct tree *tree, void *made);

/* What a to, a from item may not hold for its targetRef. */
void check_attached_item(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);
/* The lists of a spec, of the kind of dec. */
void check_attached(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
