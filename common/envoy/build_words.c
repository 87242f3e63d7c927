#include "envoy/build_log.h"

#include <ctype.h>
#include <string.h>

#define UNKNOWN "unknown"

#define TCP_FORMAT                                                             \
	"[%START_TIME%] %RESPONSE_FLAGS% %KUMA_MESH% "                         \
	"%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%(%KUMA_SOURCE_SERVICE%)->"          \
	"%UPSTREAM_HOST%(%KUMA_DESTINATION_SERVICE%) took %DURATION%ms, sent " \
	"%BYTES_SENT% bytes, received: %BYTES_RECEIVED% bytes"
#define HTTP_FORMAT                                                                \
	"[%START_TIME%] %KUMA_MESH% \"%REQ(:METHOD)% "                             \
	"%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "         \
	"%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "               \
	"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "        \
	"\"%REQ(USER-AGENT)%\" \"%REQ(X-B3-TRACEID?X-DATADOG-TRACEID)%\" "         \
	"\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%KUMA_SOURCE_SERVICE%\" " \
	"\"%KUMA_DESTINATION_SERVICE%\" \"%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%\" "   \
	"\"%UPSTREAM_HOST%\""

const char *log_service(const struct build *build)
{
	const struct dataplane_spec *spec = build->routes->proxy->dataplane;
	struct labels tags = spec->gateway_tags;
	const char *service;

	if (spec->inbound_count > 0)
		tags = spec->inbounds[0].tags;
	service = labels_get(tags, TAG_SERVICE);
	return service != NULL ? service : UNKNOWN;
}

static const char *with_port(struct zl_arena *arena, const char *address)
{
	return zl_arena_format(arena, strchr(address, ':') != NULL ? "[%s]:0" : "%s:0",
			       address);
}

void log_words(struct build *build, const struct stream *stream, struct word words[WORDS])
{
	const char *client = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%";
	const char *own = build->routes->proxy->dataplane->address;
	const bool out = !stream->inbound;
	const struct word all[WORDS] = {
		{ "%KUMA_MESH%", build->mesh, true },
		{ "%KUMA_SOURCE_SERVICE%", out ? log_service(build) : UNKNOWN, true },
		{ "%KUMA_DESTINATION_SERVICE%", stream->destination, true },
		{ "%KUMA_SOURCE_ADDRESS%",
		  out ? with_port(build->arena, own)
		      : zl_arena_format(build->arena, "%s:0", client),
		  out },
		{ "%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%", out ? own : client, out },
		{ "%KUMA_TRAFFIC_DIRECTION%", out ? "OUTBOUND" : "INBOUND", true },
	};

	memcpy(words, all, sizeof(all));
}

/* Of the operator that starts here, with both its percent signs; what is none is one
 * character. */
static size_t operator_length(const char *at)
{
	const char *end = at + 1;

	if (*end == '%') /* a percent sign */
		return 2;
	while (isupper((unsigned char)*end) || isdigit((unsigned char)*end) ||
	       *end == '_')
		end++;
	if (*end == '(')
		end += strcspn(end, ")") + (strchr(end, ')') != NULL);
	if (*end == ':')
		end += 1 + strspn(end + 1, "0123456789");
	return *end == '%' ? (size_t)(end - at) + 1 : 1;
}

static void add_word(struct zl_buf *out, const struct word *word)
{
	for (const char *c = word->value; *c != '\0'; c++) {
		if (word->is_text && *c == '%')
			zl_buf_char(out, '%');
		zl_buf_char(out, *c);
	}
}

static void add_operator(struct zl_buf *out, const struct word *words, const char *at,
			 size_t len)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (strlen(words[i].name) == len &&
		    strncmp(words[i].name, at, len) == 0) {
			add_word(out, &words[i]);
			return;
		}
	}
	zl_buf_add(out, at, len);
}

char *log_filled(struct zl_arena *arena, const struct word *words, const char *format)
{
	struct zl_buf out = { 0 };
	char *text;

	for (const char *at = format; *at != '\0';) {
		size_t len = *at == '%' ? operator_length(at) : strcspn(at, "%");
		if (*at == '%')
			add_operator(&out, words, at, len);
		else
			zl_buf_add(&out, at, len);
		at += len;
	}
	text = zl_arena_strdup(arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

char *log_line(struct zl_arena *arena, const struct word *words,
	       const struct log_backend *backend, bool http)
{
	const char *format = backend->plain;
	char *line;
	size_t len;

	if (format == NULL || format[0] == '\0')
		format = http ? HTTP_FORMAT : TCP_FORMAT;
	line = log_filled(arena, words, format);
	len = strlen(line);
	if (len > 0 && line[len - 1] == '\n')
		line[len - 1] = '\0';
	return line;
}
