#include "envoy/build_log.h"

#define FILE_LOG "envoy.access_loggers.file"

Envoy__AccessLog *log_new(struct zl_arena *arena, const char *name,
			  const ProtobufCMessage *config)
{
	Envoy__AccessLog *log = pb_new(arena, &envoy__access_log__descriptor);

	log->name = zl_arena_strdup(arena, name);
	log->config_type_case = ENVOY__ACCESS_LOG__CONFIG_TYPE_TYPED_CONFIG;
	log->typed_config = pb_any(arena, config);
	return log;
}

static Envoy__Struct *json_of(struct zl_arena *arena, const struct word *words,
			      const struct log_backend *backend)
{
	struct label *labels =
		zl_arena_alloc(arena, backend->pair_count, sizeof(*labels));

	for (size_t i = 0; i < backend->pair_count; i++)
		labels[i] = (struct label){ backend->pairs[i].key,
					    log_filled(arena, words,
						       backend->pairs[i].value) };
	return pb_labels(arena, (struct labels){ labels, backend->pair_count }, "");
}

static Envoy__AccessLog *to_file(struct zl_arena *arena, const struct word *words,
				 const struct log_backend *backend, bool http)
{
	Envoy__FileAccessLog *file = pb_new(arena, &envoy__file_access_log__descriptor);
	Envoy__SubstitutionFormatString *format =
		pb_new(arena, &envoy__substitution_format_string__descriptor);

	if (backend->json) {
		format->format_case =
			ENVOY__SUBSTITUTION_FORMAT_STRING__FORMAT_JSON_FORMAT;
		format->json_format = json_of(arena, words, backend);
	} else {
		format->format_case =
			ENVOY__SUBSTITUTION_FORMAT_STRING__FORMAT_TEXT_FORMAT_SOURCE;
		format->text_format_source =
			pb_new(arena, &envoy__data_source__descriptor);
		format->text_format_source->specifier_case =
			ENVOY__DATA_SOURCE__SPECIFIER_INLINE_STRING;
		format->text_format_source->inline_string = zl_arena_format(
			arena, "%s\n", log_line(arena, words, backend, http));
	}
	format->omit_empty_values = backend->omit_empty;
	file->path = zl_arena_strdup(arena, backend->path);
	file->access_log_format_case =
		ENVOY__FILE_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT;
	file->log_format = format;
	return log_new(arena, FILE_LOG, &file->base);
}

static Envoy__AccessLog *log_to(struct build *build, const struct word *words,
				const struct log_backend *backend, bool http)
{
	switch (backend->type) {
	case LOG_FILE:
		if (build_is_muted(build, backend->path))
			return NULL;
		return to_file(build->arena, words, backend, http);
	case LOG_TCP:
		return log_to_address(build->arena, words, backend, http);
	case LOG_OPEN_TELEMETRY:
		return log_to_collector(build, words, backend, http);
	}
	return NULL;
}

Envoy__AccessLog **build_logs(struct build *build, const struct stream *stream, bool http,
			      size_t *count)
{
	const struct log_conf *conf =
		stream->settings != NULL ? stream->settings->log : NULL;
	size_t most = conf != NULL ? conf->count : 0;
	Envoy__AccessLog **logs = pb_list(build->arena, most);
	struct word words[WORDS];

	*count = 0;
	if (most > 0)
		log_words(build, stream, words);
	for (size_t i = 0; i < most; i++) {
		Envoy__AccessLog *log = log_to(build, words, &conf->backends[i], http);
		if (log != NULL)
			logs[(*count)++] = log;
	}
	return logs;
}
