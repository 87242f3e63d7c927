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

/* `MeshTCPRoute "r" of namespace n (zone east)`, in arena. */
const char *answer_policy_name(const struct resource *policy, struct zl_arena *arena);

/* A policy and which of its entries, as JSON has them; and the settings of a place. */
struct tree *answer_policy(const struct contributor *from, enum attached_list list,
			   struct zl_arena *arena);
struct tree *answer_applied(const struct settings *settings, struct zl_arena *arena);

/* The settings of a place, a line each, and what holds there where none is. */
enum setting_place {
	SETTINGS_OF_CONNECTIONS,
	SETTINGS_OF_REQUESTS,
	SETTINGS_OF_CLUSTER,
	SETTINGS_OF_INBOUND /* of connections */
};
void answer_settings(const struct settings *settings, enum setting_place place,
		     const char *indent, struct zl_arena *arena, struct zl_buf *out);

/* True if something is said of the rule's MeshHTTPRoute; all else stands at the outbound.
 */
bool answer_has_settings(const struct request_route *rule);

/* An endpoint, as JSON has it and as a line of text. */
struct tree *answer_endpoint(const struct endpoint *endpoint, struct zl_arena *arena);
void answer_endpoint_line(const struct endpoint *endpoint, struct zl_buf *out);
