/* envoy/build_log.h - what build_logs is made of (policies-spec 2.5, 3.5).
 *
 * Private to the room.
 *
 * Threads:  one build belongs to one thread.
 * Lifetime: all in an arena.
 */
#pragma once

#include "envoy/build_settings.h"

/* ---- build_words.c: what a format says that Envoy does not know ---- */

struct word {
	const char *name;  /* "%KUMA_MESH%" */
	const char *value; /* a text, or Envoy's operators */
	bool is_text;
};
enum { WORDS = 6 };

void log_words(struct build *build, const struct stream *stream,
	       struct word words[WORDS]);
/* The first service of the proxy; "unknown". */
const char *log_service(const struct build *build);
/* format with words in it. */
char *log_filled(struct zl_arena *arena, const struct word *words, const char *format);
/* What backend writes of one connection or request, without the newline behind it. */
char *log_line(struct zl_arena *arena, const struct word *words,
	       const struct log_backend *backend, bool http);

/* ---- build_log.c ---- */

Envoy__AccessLog *log_new(struct zl_arena *arena, const char *name,
			  const ProtobufCMessage *config);

/* ---- build_otlp.c ---- */

/* The zone writes the body to the address, as a line. */
Envoy__AccessLog *log_to_address(struct zl_arena *arena, const struct word *words,
				 const struct log_backend *backend, bool http);
/* NULL: its address is none. */
Envoy__AccessLog *log_to_collector(struct build *build, const struct word *words,
				   const struct log_backend *backend, bool http);
/* "To the zone, over the connection that there is." */
Envoy__OpenTelemetryAccessLogConfig *log_to_zone(struct zl_arena *arena,
						 const char *log_name);
Envoy__AccessLog *log_otlp(struct zl_arena *arena,
			   const Envoy__OpenTelemetryAccessLogConfig *config);
Envoy__AnyValue *log_text(struct zl_arena *arena, const char *text);
Envoy__AnyValue *log_list(struct zl_arena *arena, Envoy__KeyValueList *list);
Envoy__KeyValueList *log_list_new(struct zl_arena *arena, size_t room);
void log_pair(struct zl_arena *arena, Envoy__KeyValueList *list, const char *key,
	      Envoy__AnyValue *value);
