/* analyze/analyze.h - what is valid, and yet most likely not what its author meant.
 *
 * A set is looked at with the eyes of one zone, or of every zone that wrote something in
 * it, by the resolver that zones run. Each finding is of a rule with a number that never
 * changes its meaning; docs/reference/findings.md is printed from the table of rules.
 *
 * Pure: the same set and zone give the same findings, in the same order.
 *
 * Threads:  pure; the table is constant.
 * Lifetime: findings live in the arena and borrow from the set.
 */
#pragma once

#include "model/set.h"

enum analyze_severity { ANALYZE_INFO, ANALYZE_WARNING, ANALYZE_ERROR };

struct analyze_rule {
	const char *code; /* "ZL012" */
	enum analyze_severity severity;
	const char *title; /* what is odd, in a few words */
	const char *why;   /* why it matters */
	const char *fix;   /* what to do; {} stands for the name in question */
};

struct analyze_finding {
	const struct analyze_rule *rule;
	const struct resource *res; /* where it stands */
	const char *field;          /* path in it, as of a violation; "": all of it */
	const char *what;           /* what is odd here */
	const char *fix;            /* of the rule, with names filled in */
};

struct analyze_result {
	const struct analyze_finding *findings; /* in key order of res, then by code */
	size_t count;
	bool blind; /* neither Dataplane nor ZoneIngress: nobody can tell what is offered
		     * and whom policies select, so the rules about that were skipped */
};

/* zone "": every zone that a Dataplane or a policy of the set is labelled with. */
struct analyze_result analyze_set(const struct set *set, const char *zone,
				  struct zl_arena *arena);

/* All rules by code, *count of them. */
const struct analyze_rule *analyze_rules(size_t *count);

const char *analyze_severity_name(enum analyze_severity severity); /* "warning" */
/* False: no such word; *severity is as it was. */
bool analyze_severity_parse(const char *word, enum analyze_severity *severity);
