/* ctl/client.h - one HTTP request to the server of --server.
 *
 * Threads:  one.
 * Lifetime: answers live in ctl's arena.
 */
#pragma once

#include "ctl/ctl.h"

#include <stdio.h>

struct answer {
	long status;
	const char *text; /* the body, NUL-terminated */
	size_t len;
	struct tree *json; /* an object; NULL: the body is none */
};

struct ask {
	const char *method, *path; /* path with query, percent-encoded */
	const void *body;          /* NULL: none */
	size_t len;
	const char *if_match; /* revision number; NULL: unconditional */
	bool want_json;       /* an answer that is no JSON object is a failure */
	bool may_be_absent;   /* a 404 is not printed */
	FILE *to; /* gets the body of a 2xx, however large and however long it takes while
		   * it comes; NULL: the answer holds it */
};

/* CTL_OK: the server answered with 2xx. Otherwise the reason was printed to standard
 * error and the code fits the table; *answer still holds what came. */
enum ctl_exit client_ask(const struct ctl *ctl, const struct ask *ask,
			 struct answer *answer);
/* Print what a problem document says. */
void client_problem(const struct ask *ask, const struct answer *answer);

/* text with everything but unreserved characters percent-encoded; in ctl's arena. */
const char *client_escape(const struct ctl *ctl, const char *text);
