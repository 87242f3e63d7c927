/* rest/find.h - from a request to a kind and a key.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "http/http.h"
#include "model/key.h"

#include <stdbool.h>
#include <stdint.h>

/* The kind of {plural}, if its scope fits the pattern; KIND_NONE after a 404. */
enum kind find_kind(struct http_request *req, bool with_mesh);

/* What If-Match and If-None-Match ask for. */
struct condition {
	bool at_rev; /* rev holds */
	bool absent; /* If-None-Match: * */
	uint64_t rev;
};

/* False after a 400. */
bool find_condition(struct http_request *req, struct condition *condition);
