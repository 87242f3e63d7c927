/* rest/body.h - what a client sent, as checked resources.
 *
 * Threads:  the loop's.
 * Lifetime: documents and findings in the arena; resources are held by the caller.
 */
#pragma once

#include "http/http.h"
#include "model/resource.h"

/* The one document of the body; NULL after a 400. */
const struct tree *body_doc(struct http_request *req, struct zl_arena *arena);

/* All documents of the body: a YAML stream, or a JSON list or document. False after a
 * 400. */
struct body_docs {
	const struct tree **items;
	size_t *numbers; /* place of each, from 1 */
	size_t count;
};
bool body_docs(struct http_request *req, struct zl_arena *arena, struct body_docs *docs);

/* Answer 400 with the violations; with_document puts their document numbers in. */
void body_refuse(struct http_request *req, const struct findings *found,
		 bool with_document);

/* The warnings as a list. */
struct tree *body_warnings(const struct findings *found, struct zl_arena *arena);
