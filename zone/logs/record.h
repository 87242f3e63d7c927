/* zone/logs/record.h - what a record of an access log asks of the zone: to write a line
 * somewhere, or to take note of somebody who was denied.
 *
 * What peers put in is bounded, and what would end a line or move a cursor is written as
 * \xNN.
 *
 * Threads:  pure.
 */
#pragma once

#include "base/mem.h"
#include "zone/xds/xds.h"

enum { RECORD_LINE_MAX = 64 * 1024, RECORD_TEXT_MAX = 512 };

/* The value of an attribute; NULL: there is none. */
const char *record_attribute(const struct xds_log_record *record, const char *key);

/* The body as a line with its newline; a list as one JSON object. Appends. */
void record_line(const struct xds_log_record *record, struct zl_buf *out);

enum denial_mode { DENIAL_ENFORCED, DENIAL_SHADOW };
const char *denial_mode_name(enum denial_mode mode); /* "enforced" */

struct record_denial {
	enum denial_mode mode;
	const char *inbound; /* the listener's name */
	const char *client;  /* its URIs; "": none is known */
	const char *why;     /* in Envoy's words */
};
/* False: nobody was denied. In arena. */
bool record_denial(const struct xds_log_record *record, struct zl_arena *arena,
		   struct record_denial *out);
