#include "envoy/build_settings.h"

#include <string.h>
#include <strings.h>

#define HTTP_DEFAULT "gateway-error,connect-failure,refused-stream"
#define GRPC_DEFAULT                                              \
	"cancelled,connect-failure,gateway-error,refused-stream," \
	"reset,resource-exhausted,unavailable"
#define BY_STATUS "retriable-status-codes"
#define BY_HEADER "retriable-headers"
#define METHOD "HttpMethod"
#define HOSTS "envoy.retry_host_predicates."
#define PRIORITIES "envoy.retry_priorities.previous_priorities"

enum { BASE_MS = 25 }; /* Envoy's own */

/* What is written, and Envoy's word for it. */
static const char *const WORDS[][2] = {
	{ "5xx", "5xx" },
	{ "GatewayError", "gateway-error" },
	{ "Reset", "reset" },
	{ "Retriable4xx", "retriable-4xx" },
	{ "ConnectFailure", "connect-failure" },
	{ "EnvoyRatelimited", "envoy-ratelimited" },
	{ "RefusedStream", "refused-stream" },
	{ "Http3PostConnectFailure", "http3-post-connect-failure" },
	{ "Canceled", "cancelled" },
	{ "DeadlineExceeded", "deadline-exceeded" },
	{ "Internal", "internal" },
	{ "ResourceExhausted", "resource-exhausted" },
	{ "Unavailable", "unavailable" },
};

static const char *word_of(const char *written)
{
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (strcasecmp(WORDS[i][0], written) == 0)
			return WORDS[i][1];
	return NULL;
}

/* 0: none. */
static uint32_t status_of(const char *written)
{
	uint32_t status = 0;

	if (strspn(written, "0123456789") != 3 || written[3] != '\0')
		return 0;
	for (const char *c = written; *c != '\0'; c++)
		status = 10 * status + (uint32_t)(*c - '0');
	return status;
}

static bool is_method(const char *written)
{
	return strncmp(written, METHOD, strlen(METHOD)) == 0;
}

/* ---- when ---- */

static void say(struct zl_buf *words, const char *word)
{
	if (words->len > 0)
		zl_buf_char(words, ',');
	zl_buf_str(words, word);
}

static void add_methods(struct zl_arena *arena, Envoy__RetryPolicy *policy,
			const struct strings *written)
{
	for (size_t i = 0; i < written->count; i++) {
		struct http_field field = { .name = ":method" };
		char *method;
		if (!is_method(written->items[i]))
			continue;
		method = zl_arena_strdup(arena, written->items[i] + strlen(METHOD));
		for (char *c = method; *c != '\0'; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		field.value = method;
		policy->retriable_request_headers[policy->n_retriable_request_headers++] =
			build_header_matcher(arena, &field);
	}
}

/* The words of what is written; statuses go where Envoy has them, methods say of which
 * requests only. */
static void add_words(struct zl_arena *arena, Envoy__RetryPolicy *policy,
		      const struct strings *written, struct zl_buf *words)
{
	policy->retriable_status_codes =
		zl_arena_alloc(arena, written->count, sizeof(uint32_t));
	for (size_t i = 0; i < written->count; i++) {
		uint32_t status = status_of(written->items[i]);
		const char *word = word_of(written->items[i]);
		if (word != NULL)
			say(words, word);
		if (status == 0)
			continue;
		if (policy->n_retriable_status_codes == 0)
			say(words, BY_STATUS);
		policy->retriable_status_codes[policy->n_retriable_status_codes++] =
			status;
	}
}

static void set_when(struct zl_arena *arena, Envoy__RetryPolicy *policy,
		     const struct request_retry *conf, bool grpc)
{
	struct zl_buf words = { 0 };

	policy->retriable_request_headers =
		pb_list(arena, conf->retry_on.count + conf->request_header_count);
	policy->retriable_headers = pb_list(arena, conf->response_header_count);
	if (conf->has_retry_on) {
		add_words(arena, policy, &conf->retry_on, &words);
		add_methods(arena, policy, &conf->retry_on);
	}
	if (words.len == 0 && (!conf->has_retry_on || conf->retry_on.count > 0))
		say(&words, grpc ? GRPC_DEFAULT : HTTP_DEFAULT);
	for (size_t i = 0; i < conf->request_header_count; i++)
		policy->retriable_request_headers[policy->n_retriable_request_headers++] =
			build_header_matcher(arena, &conf->request_headers[i]);
	for (size_t i = 0; i < conf->response_header_count; i++)
		policy->retriable_headers[policy->n_retriable_headers++] =
			build_header_matcher(arena, &conf->response_headers[i]);
	if (conf->response_header_count > 0) /* without, Envoy does not look at them */
		say(&words, BY_HEADER);
	policy->retry_on = zl_arena_strdup(arena, zl_buf_text(&words));
	zl_buf_free(&words);
}

/* ---- how soon ---- */

/* Envoy takes no greatest pause without a first, nor a lesser one. */
static Envoy__RetryPolicy__RetryBackOff *back_off(struct zl_arena *arena,
						  const struct request_retry *conf)
{
	Envoy__RetryPolicy__RetryBackOff *made;
	uint64_t base = conf->base.set ? conf->base.ms : BASE_MS;

	if (!conf->base.set && !conf->max.set)
		return NULL;
	made = pb_new(arena, &envoy__retry_policy__retry_back_off__descriptor);
	if (conf->max.set && !conf->base.set && conf->max.ms < base)
		base = conf->max.ms;
	made->base_interval = pb_ms(arena, base);
	if (conf->max.set)
		made->max_interval =
			pb_ms(arena, conf->max.ms < base ? base : conf->max.ms);
	return made;
}

static Envoy__RetryPolicy__RateLimitedRetryBackOff *
reset_back_off(struct zl_arena *arena, const struct request_retry *conf)
{
	Envoy__RetryPolicy__RateLimitedRetryBackOff *made;

	if (conf->reset_count == 0)
		return NULL;
	made = pb_new(arena,
		      &envoy__retry_policy__rate_limited_retry_back_off__descriptor);
	made->reset_headers = pb_list(arena, conf->reset_count);
	for (size_t i = 0; i < conf->reset_count; i++) {
		Envoy__RetryPolicy__ResetHeader *header =
			pb_new(arena, &envoy__retry_policy__reset_header__descriptor);
		header->name = zl_arena_strdup(arena, conf->resets[i].name);
		if (conf->resets[i].unix_time)
			header->format =
				ENVOY__RETRY_POLICY__RESET_HEADER_FORMAT__UNIX_TIMESTAMP;
		made->reset_headers[made->n_reset_headers++] = header;
	}
	if (conf->reset_max.set)
		made->max_interval = pb_ms(arena, conf->reset_max.ms);
	return made;
}

/* ---- where to ---- */

static Envoy__RetryPolicy__Extension *extension(struct zl_arena *arena, const char *name,
						const ProtobufCMessage *config)
{
	Envoy__RetryPolicy__Extension *made =
		pb_new(arena, &envoy__retry_policy__extension__descriptor);

	made->name = zl_arena_strdup(arena, name);
	made->config_type_case = ENVOY__RETRY_POLICY__EXTENSION__CONFIG_TYPE_TYPED_CONFIG;
	made->typed_config = pb_any(arena, config);
	return made;
}

static Envoy__RetryPolicy__Extension *omitting(struct zl_arena *arena,
					       const struct host_selection *from)
{
	static const char *const USES[] = { "envoy.lb" };
	Envoy__OmitHostMetadataConfig *config;

	if (from->predicate == OMIT_PREVIOUS_HOSTS)
		return extension(
			arena, HOSTS "previous_hosts",
			pb_new(arena, &envoy__previous_hosts_predicate__descriptor));
	config = pb_new(arena, &envoy__omit_host_metadata_config__descriptor);
	config->metadata_match = pb_metadata(arena, USES, 1, from->tags, "");
	return extension(arena, HOSTS "omit_host_metadata", &config->base);
}

static void set_where(struct zl_arena *arena, Envoy__RetryPolicy *policy,
		      const struct request_retry *conf)
{
	policy->retry_host_predicate = pb_list(arena, conf->selection_count);
	for (size_t i = 0; i < conf->selection_count; i++) {
		const struct host_selection *from = &conf->selections[i];
		Envoy__PreviousPrioritiesConfig *config;
		if (from->predicate != OMIT_PREVIOUS_PRIORITIES) {
			policy->retry_host_predicate[policy->n_retry_host_predicate++] =
				omitting(arena, from);
			continue;
		}
		config = pb_new(arena, &envoy__previous_priorities_config__descriptor);
		config->update_frequency = (int32_t)from->frequency;
		policy->retry_priority = extension(arena, PRIORITIES, &config->base);
	}
	policy->host_selection_retry_max_attempts = (int64_t)conf->selection_attempts;
}

Envoy__RetryPolicy *build_retry(struct build *build, const struct request_retry *conf,
				bool grpc)
{
	struct zl_arena *arena = build->arena;
	Envoy__RetryPolicy *policy;

	if (!conf->set)
		return NULL;
	policy = pb_new(arena, &envoy__retry_policy__descriptor);
	set_when(arena, policy, conf, grpc);
	if (conf->retries.set)
		policy->num_retries = pb_u32(arena, conf->retries.value);
	if (conf->per_try.set)
		policy->per_try_timeout = pb_ms(arena, conf->per_try.ms);
	policy->retry_back_off = back_off(arena, conf);
	policy->rate_limited_retry_back_off = reset_back_off(arena, conf);
	set_where(arena, policy, conf);
	return policy;
}
