/* rest/find.h - from a request to a kind and a key.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "http/http.h"
#include "model/key.h"

#include <stdbool.h>
#include <stdint.h>

/* The kind of {plural} for a list: a kind of scope mesh may be asked for without {mesh},
 * which means all meshes. KIND_NONE after a 404. */
enum kind find_kind(struct http_request *req, bool with_mesh);
/* The same for one resource, whose mesh must be said. */
enum kind find_item_kind(struct http_request *req, bool with_mesh);

/* What If-Match and If-None-Match ask for. */
struct condition {
	enum { ALWAYS, AT_REV, EXISTS, ABSENT } on;
	uint64_t rev; /* of AT_REV */
};

/* False after a 400. */
bool find_condition(struct http_request *req, struct condition *condition);
