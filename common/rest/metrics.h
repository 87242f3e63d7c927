/* rest/metrics.h - what the diagnostics of global and zones have in common.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "base/mem.h"
#include "http/http.h"

/* HELP and TYPE lines; appends, as all here. */
void metrics_head(struct zl_buf *out, const char *name, const char *type,
		  const char *help);
/* The same with one value without labels. */
void metrics_number(struct zl_buf *out, const char *name, const char *type,
		    const char *help, uint64_t value);
/* zonelink_build_info */
void metrics_build(struct zl_buf *out, const char *role);

/* Answers by the first digit of their status, and who was not let in. */
struct metrics_answers {
	uint64_t by_class[6];
	uint64_t denied[HTTP_DENIALS];
};
void metrics_count(struct metrics_answers *answers, const struct http_seen *seen);
void metrics_answers(const struct metrics_answers *answers, struct zl_buf *out);

/* Answer with the page. */
void metrics_send(struct http_request *req, const struct zl_buf *page);
/* GET /livez: whoever answers lives. */
void metrics_live(struct http_request *req, void *arg);
