/* policy/answer.h - what the printers need of an answer.
 *
 * Threads:  pure.
 * Lifetime: in the arena.
 */
#pragma once

#include "policy/policy.h"

#include "model/tree.h"

struct answered {
	const struct routes *routes;
};

/* The routes of answer, sorted by name of the proxy. */
const struct answered *answer_routes(const struct policy_answer *answer,
				     struct zl_arena *arena);
/* All warnings, sorted, without doubles; *count of them. */
const char **answer_warnings(const struct policy_answer *answer, struct zl_arena *arena,
			     size_t *count);
/* True if the answer is about this outbound. */
bool answer_has(const struct policy_answer *answer, const struct outbound_route *route);
/* The same for a listener, which leads to the service. */
bool answer_has_listener(const struct policy_answer *answer,
			 const struct listener_route *route);

const char *unresolved_name(enum unresolved mode);      /* "Blackhole" */
const char *origin_name(const struct resource *policy); /* "global" */
const char *http_path_name(enum http_path type);        /* "PathPrefix" */
const char *http_value_name(enum http_value type);      /* "Exact" */

/* An endpoint, as JSON has it and as a line of text. */
struct tree *answer_endpoint(const struct endpoint *endpoint, struct zl_arena *arena);
void answer_endpoint_line(const struct endpoint *endpoint, struct zl_buf *out);
