/* policy/print_inbounds.h - who may connect to the inbounds of a proxy, as JSON has it
 * and for people.
 *
 * Threads:  pure.
 * Lifetime: in the arena.
 */
#pragma once

#include "policy/policy.h"

#include "model/tree.h"

/* Of the inbounds that the answer is about: the list `inbounds` of policies-spec 1.6;
 * NULL: there is nothing to be said. */
struct tree *inbounds_json(const struct policy_answer *answer,
			   const struct routes *routes, struct zl_arena *arena);
/* Lines; none where there is nothing to be said. */
void inbounds_text(const struct policy_answer *answer, const struct routes *routes,
		   struct zl_arena *arena, struct zl_buf *out);
