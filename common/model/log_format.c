/* The operators and addresses of access logs: policies-spec 2.5. What parameters each
 * operator takes was asked of Envoy 1.40.0. */
#include "model/log_format.h"

#include "base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- operators ---- */
enum takes {
	TAKES_NOTHING,
	TAKES_TIME,   /* perhaps a format in parentheses */
	TAKES_HEADER, /* NAME or NAME?OTHER, perhaps a length */
	TAKES_STATE,  /* KEY, KEY:PLAIN, KEY:TYPED, KEY:FIELD:NAME, perhaps a length */
	TAKES_PATH    /* NAMESPACE:KEY:..., perhaps a length */
};

struct command {
	const char *name;
	enum takes takes;
};

/* clang-format off */
static const struct command OPERATORS[] = {
	{ "BYTES_RECEIVED",                         TAKES_NOTHING },
	{ "BYTES_SENT",                             TAKES_NOTHING },
	{ "CONNECTION_ID",                          TAKES_NOTHING },
	{ "CONNECTION_TERMINATION_DETAILS",         TAKES_NOTHING },
	{ "DOWNSTREAM_LOCAL_ADDRESS",               TAKES_NOTHING },
	{ "DOWNSTREAM_LOCAL_URI_SAN",               TAKES_NOTHING },
	{ "DOWNSTREAM_PEER_URI_SAN",                TAKES_NOTHING },
	{ "DOWNSTREAM_REMOTE_ADDRESS",              TAKES_NOTHING },
	{ "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", TAKES_NOTHING },
	{ "DOWNSTREAM_TLS_VERSION",                 TAKES_NOTHING },
	{ "DOWNSTREAM_TRANSPORT_FAILURE_REASON",    TAKES_NOTHING },
	{ "DURATION",                               TAKES_NOTHING },
	{ "DYNAMIC_METADATA",                       TAKES_PATH },
	{ "EMIT_TIME",                              TAKES_TIME },
	{ "FILTER_CHAIN_NAME",                      TAKES_NOTHING },
	{ "FILTER_STATE",                           TAKES_STATE },
	{ "HOSTNAME",                               TAKES_NOTHING },
	{ "KUMA_DESTINATION_SERVICE",               TAKES_NOTHING },
	{ "KUMA_MESH",                              TAKES_NOTHING },
	{ "KUMA_SOURCE_ADDRESS",                    TAKES_NOTHING },
	{ "KUMA_SOURCE_ADDRESS_WITHOUT_PORT",       TAKES_NOTHING },
	{ "KUMA_SOURCE_SERVICE",                    TAKES_NOTHING },
	{ "KUMA_TRAFFIC_DIRECTION",                 TAKES_NOTHING },
	{ "PROTOCOL",                               TAKES_NOTHING },
	{ "REQ",                                    TAKES_HEADER },
	{ "REQUESTED_SERVER_NAME",                  TAKES_NOTHING },
	{ "REQUEST_DURATION",                       TAKES_NOTHING },
	{ "RESP",                                   TAKES_HEADER },
	{ "RESPONSE_CODE",                          TAKES_NOTHING },
	{ "RESPONSE_CODE_DETAILS",                  TAKES_NOTHING },
	{ "RESPONSE_DURATION",                      TAKES_NOTHING },
	{ "RESPONSE_FLAGS",                         TAKES_NOTHING },
	{ "RESPONSE_FLAGS_LONG",                    TAKES_NOTHING },
	{ "ROUTE_NAME",                             TAKES_NOTHING },
	{ "START_TIME",                             TAKES_TIME },
	{ "TRAILER",                                TAKES_HEADER },
	{ "UPSTREAM_CLUSTER",                       TAKES_NOTHING },
	{ "UPSTREAM_CONNECTION_POOL_READY_DURATION", TAKES_NOTHING },
	{ "UPSTREAM_HOST",                          TAKES_NOTHING },
	{ "UPSTREAM_LOCAL_ADDRESS",                 TAKES_NOTHING },
	{ "UPSTREAM_REMOTE_ADDRESS",                TAKES_NOTHING },
	{ "UPSTREAM_REQUEST_ATTEMPT_COUNT",         TAKES_NOTHING },
	{ "UPSTREAM_TRANSPORT_FAILURE_REASON",      TAKES_NOTHING },
};
/* clang-format on */

static const char DIGITS[] = "0123456789";
#define WORDS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz0123456789"
static const char NAMES[] = WORDS;
static const char HOST[] = WORDS ".-";

/* %NAME(parameter):length% */
struct use {
	const char *name, *parameter; /* parameter: NULL without parentheses */
	int name_len;
	size_t parameter_len, length_len; /* length_len: digits of the length */
};

/* Read one use; at is behind its %. NULL: it does not end. Else behind its last %. */
static const char *read_use(const char *at, struct use *use)
{
	*use = (struct use){ .name = at, .name_len = (int)strspn(at, NAMES) };
	at += use->name_len;
	if (use->name_len > 0 && *at == '(') {
		use->parameter = at + 1;
		use->parameter_len = strcspn(at + 1, ")");
		at += 1 + use->parameter_len;
		if (*at != ')')
			return NULL;
		at++;
	}
	if (use->name_len > 0 && *at == ':') {
		use->length_len = strspn(at + 1, DIGITS);
		at += 1 + use->length_len;
		if (use->length_len == 0)
			return NULL;
	}
	return use->name_len > 0 && *at == '%' ? at + 1 : NULL;
}

static const struct command *command_of(const struct use *use)
{
	for (size_t i = 0; i < sizeof(OPERATORS) / sizeof(OPERATORS[0]); i++)
		if (strlen(OPERATORS[i].name) == (size_t)use->name_len &&
		    memcmp(OPERATORS[i].name, use->name, (size_t)use->name_len) == 0)
			return &OPERATORS[i];
	return NULL;
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return true;
	return false;
}

/* The name of a header as HTTP has it; a colon leads those of its first lines. */
static bool is_header_name(const char *text, size_t len)
{
	static const char OTHERS[] = "!#$%&'*+-.^`|~" WORDS;

	if (len == 0)
		return true;
	if (text[0] == ':') {
		text++;
		len--;
	}
	return len > 0 && strspn(text, OTHERS) >= len;
}

static bool is_header(const char *text, size_t len)
{
	const char *other = memchr(text, '?', len);
	size_t first = other == NULL ? len : (size_t)(other - text);

	return is_header_name(text, first) &&
	       (other == NULL || is_header_name(other + 1, len - first - 1));
}

/* Envoy takes no time with a newline in it, which %n stands for. */
static bool is_time(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%')
			continue;
		size_t to = i + 1 + strspn(text + i + 1, "-_^#EO0123456789");
		if (to < len && text[to] == 'n')
			return false;
	}
	return true;
}

static bool is_state(const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	const char *how = colon == NULL ? NULL : colon + 1;
	size_t how_len = colon == NULL ? 0 : len - (size_t)(how - text);

	if (colon == NULL)
		return true;
	return colon != text &&
	       ((how_len == 5 && memcmp(how, "PLAIN", 5) == 0) ||
		(how_len == 5 && memcmp(how, "TYPED", 5) == 0) ||
		(how_len > 6 && memcmp(how, "FIELD:", 6) == 0 && how[6] != ':'));
}

static bool is_parameter(enum takes takes, const char *text, size_t len)
{
	if (has_control(text, len))
		return false;
	switch (takes) {
	case TAKES_TIME:
		return is_time(text, len);
	case TAKES_HEADER:
		return is_header(text, len);
	case TAKES_STATE:
		return is_state(text, len);
	default:
		return true;
	}
}

/* What is wrong with a use of a known operator; NULL: nothing. */
static const char *fault_of(const struct use *use, enum takes takes)
{
	enum { LENGTH_DIGITS = 9 };
	bool needs = takes >= TAKES_HEADER;

	if (needs && use->parameter_len == 0)
		return "needs a parameter in parentheses";
	if (takes == TAKES_NOTHING && use->parameter != NULL)
		return "takes no parameter";
	if (use->parameter != NULL &&
	    !is_parameter(takes, use->parameter, use->parameter_len))
		return "cannot have this parameter";
	if (!needs && use->length_len > 0)
		return "takes no length";
	return use->length_len > LENGTH_DIGITS ? "cannot have this length" : NULL;
}

void log_format_check(struct decode *dec, const struct path *at, const char *field,
		      const struct tree *text)
{
	const char *next = strchr(text->text, '%');

	for (; next != NULL; next = strchr(next, '%')) {
		struct use use;
		if (next[1] == '%') {
			next += 2;
			continue;
		}
		next = read_use(next + 1, &use);
		if (next == NULL) {
			decode_bad(dec, at, field, text, "unbalanced %%");
			return;
		}
		const struct command *known = command_of(&use);
		const char *fault = known == NULL ? NULL : fault_of(&use, known->takes);
		if (known == NULL)
			decode_bad(dec, at, field, text, "unknown operator %%%.*s%%",
				   use.name_len, use.name);
		else if (fault != NULL)
			decode_bad(dec, at, field, text, "operator %%%s%% %s",
				   known->name, fault);
	}
}

/* ---- where lines go ---- */
bool log_path_is_valid(const char *path)
{
	for (const char *part = strstr(path, "/.."); part != NULL;
	     part = strstr(part + 1, "/.."))
		if (part[3] == '/' || part[3] == '\0')
			return false;
	return path[0] == '/' && path[1] != '\0';
}

bool log_address_is_valid(const char *address)
{
	struct zl_addr addr;

	if (zl_addr_parse(address, &addr, NULL) != ZL_OK || addr.is_unix ||
	    addr.port == 0)
		return false;
	/* Some names of hosts have low lines, which DNS has not. */
	return zl_is_ip(addr.host) || (strchr("-.", addr.host[0]) == NULL &&
				       strspn(addr.host, HOST) == strlen(addr.host));
}

const char *log_endpoint(const char *endpoint, unsigned port, struct zl_arena *arena)
{
	const char *colon = strrchr(endpoint, ':');
	bool bare = endpoint[0] != '[' && colon != NULL && strchr(endpoint, ':') != colon;
	const char *whole = endpoint;

	if (bare) /* an IPv6 address */
		whole = zl_arena_format(arena, "[%s]:%u", endpoint, port);
	else if (colon == NULL || (endpoint[0] == '[' && colon[-1] != ']'))
		whole = zl_arena_format(arena, "%s:%u", endpoint, port);
	return log_address_is_valid(whole) ? whole : NULL;
}
