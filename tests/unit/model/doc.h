/* One YAML document through the reader and resource_from_doc, for the tests of this
 * folder. */
#pragma once

#include "model/read.h"
#include "model/resource.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

struct doc {
	struct zl_arena *arena;
	struct findings found;
	struct resource *res; /* NULL: there was a violation */
};

static inline struct doc doc_by(const char *yaml, struct resource_rules rules)
{
	struct doc doc = { .arena = zl_arena_new() };
	struct docs docs;
	struct zl_err err = { 0 };

	if (read_yaml(yaml, strlen(yaml), doc.arena, &docs, &err) != ZL_OK)
		fail_msg("%s in: %s", err.msg, yaml);
	assert_int_equal(docs.count, 1);
	doc.found = findings_in(doc.arena);
	doc.res = resource_from_doc(docs.items[0], &rules, &doc.found);
	assert_int_equal(doc.res == NULL, doc.found.violation_count > 0);
	return doc;
}

static inline struct doc doc_of(const char *yaml)
{
	return doc_by(yaml, (struct resource_rules){ .writer = WRITER_ANY, .zone = "" });
}

static inline void doc_free(struct doc *doc)
{
	resource_drop(&doc->res);
	zl_arena_free(&doc->arena);
}

/* "field: reason" of each, joined by newlines, as one text in the document's arena. */
static inline const char *doc_list(struct doc *doc, const struct finding *list,
				   size_t count)
{
	struct zl_buf text = { 0 };

	for (size_t i = 0; i < count; i++)
		zl_buf_format(&text, "%s%s: %s", i > 0 ? "\n" : "", list[i].field,
			      list[i].reason);
	const char *copy = zl_arena_strdup(doc->arena, zl_buf_text(&text));
	zl_buf_free(&text);
	return copy;
}

static inline const char *doc_violations(struct doc *doc)
{
	return doc_list(doc, doc->found.violations, doc->found.violation_count);
}

static inline const char *doc_warnings(struct doc *doc)
{
	return doc_list(doc, doc->found.warnings, doc->found.warning_count);
}

/* A row of a table: the document and exactly the findings it must have. */
struct doc_case {
	const char *yaml;
	const char *violations, *warnings; /* as of doc_list; NULL: none */
};

static inline void doc_cases(const struct doc_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct doc doc = doc_of(cases[i].yaml);
		const char *violations =
			cases[i].violations != NULL ? cases[i].violations : "";
		const char *warnings = cases[i].warnings != NULL ? cases[i].warnings : "";
		if (strcmp(doc_violations(&doc), violations) != 0)
			fail_msg("%s\ngave:\n%s\nnot:\n%s", cases[i].yaml,
				 doc_violations(&doc), violations);
		if (strcmp(doc_warnings(&doc), warnings) != 0)
			fail_msg("%s\nwarned:\n%s\nnot:\n%s", cases[i].yaml,
				 doc_warnings(&doc), warnings);
		doc_free(&doc);
	}
}
