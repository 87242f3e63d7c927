#include "play.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/mem.h"
#include "proto/envoy.pb-c.h"
#include "support/test.h"
#include "zone/xds/grpc_frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char TYPES[] = "CESLXR";

static enum envoy_type type_of(char letter)
{
	const char *at = strchr(TYPES, letter);

	assert_non_null(at);
	return (enum envoy_type)(at - TYPES);
}

void play_begin(struct play *play)
{
	*play = (struct play){ .now = 1000 };
	play->session = xds_session_new(&play->counts);
}

void play_end(struct play *play)
{
	xds_session_free(&play->session);
	assert_int_equal(play->counts.pending_acks, 0);
}

void play_config(struct play *play, const char *text)
{
	struct zl_arena *arena = zl_arena_new();
	struct envoy_resource list[128];
	size_t count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(zl_arena_strdup(arena, text), " ", &rest);
	     word != NULL; word = strtok_r(NULL, " ", &rest)) {
		char *colon = strchr(word, ':');
		*colon = '\0';
		char *bytes = zl_arena_format(arena, "%s %s", word + 1, colon + 1);
		list[count++] = (struct envoy_resource){ .type = type_of(*word),
							 .name = word + 1,
							 .bytes = bytes,
							 .len = strlen(bytes) };
	}
	struct envoy_config *config = envoy_config_new(list, count);
	xds_session_config(play->session, config, ++play->revision);
	envoy_config_drop(&config);
	zl_arena_free(&arena);
}

static size_t split(char *text, const char **words)
{
	char *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	return count;
}

static void request(struct play *play, char letter, const struct xds_request *with)
{
	struct xds_request request = *with;
	struct zl_err err;

	request.type_url = envoy_type_url(type_of(letter));
	if (request.nonce == NULL)
		request.nonce = "";
	if (request.reason == NULL)
		request.reason = "";
	if (xds_session_request(play->session, &request, play->now, &err) != ZL_OK)
		fail_msg("refused: %s", err.msg);
}

void play_ask(struct play *play, char type, const char *names)
{
	char *text = zl_strdup(names != NULL ? names : "");
	const char *words[64];
	size_t count = split(text, words);

	request(play, type,
		&(struct xds_request){ .subscribe = words, .subscribe_count = count });
	free(text);
}

void play_drop(struct play *play, char type, const char *names)
{
	char *text = zl_strdup(names);
	const char *words[64];
	size_t count = split(text, words);

	request(play, type,
		&(struct xds_request){ .unsubscribe = words,
				       .unsubscribe_count = count });
	free(text);
}

void play_return(struct play *play, char type, const char *initial, bool wildcard)
{
	struct zl_arena *arena = zl_arena_new();
	struct xds_named_version versions[64];
	const char *words[64];
	size_t count = split(zl_arena_strdup(arena, initial), words);

	for (size_t i = 0; i < count; i++) {
		char *name = zl_arena_strdup(arena, words[i]);
		char *version = strchr(name, '=');
		*version++ = '\0';
		const char *bytes = zl_arena_format(arena, "%s 1", name);
		if (strcmp(version, "ok") == 0)
			version = zl_arena_format(arena, "%016" PRIx64,
						  zl_xxh3(bytes, strlen(bytes)));
		versions[i] = (struct xds_named_version){ name, version };
		words[i] = name;
	}
	request(play, type,
		&(struct xds_request){ .subscribe = words,
				       .subscribe_count = wildcard ? 0 : count,
				       .initial = versions,
				       .initial_count = count });
	zl_arena_free(&arena);
}

void play_ack(struct play *play, const char *types)
{
	for (; *types != '\0'; types++)
		request(play, *types,
			&(struct xds_request){ .nonce = play->nonces[type_of(*types)] });
}

void play_nack(struct play *play, char type, const char *reason)
{
	request(play, type,
		&(struct xds_request){ .nonce = play->nonces[type_of(type)],
				       .refuses = true,
				       .reason = reason });
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

static void note(char *to, size_t size, const char *text, const char *more)
{
	size_t len = strlen(to);

	(void)snprintf(to + len, size - len, "%s%s", text, more);
}

static void note_names(struct play *play, const char *sign, const char **names,
		       size_t count)
{
	qsort(names, count, sizeof(*names), by_text);
	for (size_t i = 0; i < count; i++)
		note(play->got, sizeof(play->got), sign, names[i]);
}

static void note_response(struct play *play,
			  const Envoy__DeltaDiscoveryResponse *response)
{
	enum envoy_type type = envoy_type_of(response->type_url);
	char letter[] = "?";
	const char *names[128];

	if (type < ENVOY_TYPES)
		letter[0] = TYPES[type];

	note(play->got, sizeof(play->got), play->got[0] != '\0' ? " " : "", letter);
	for (size_t i = 0; i < response->n_resources; i++) {
		const Envoy__Resource *resource = response->resources[i];
		names[i] = resource->name;
		assert_string_equal(resource->resource->type_url, response->type_url);
		note(play->versions, sizeof(play->versions), resource->name, "=");
		note(play->versions, sizeof(play->versions), resource->version, " ");
	}
	note_names(play, "+", names, response->n_resources);
	for (size_t i = 0; i < response->n_removed_resources; i++)
		names[i] = response->removed_resources[i];
	note_names(play, "-", names, response->n_removed_resources);
	if (type < ENVOY_TYPES)
		(void)snprintf(play->nonces[type], sizeof(play->nonces[type]), "%s",
			       response->nonce);
}

const char *play_sent(struct play *play)
{
	struct zl_buf out = { 0 };
	size_t at = 0;

	play->got[0] = play->versions[0] = '\0';
	xds_session_flush(play->session, &out, play->now++);
	while (at < out.len) {
		const uint8_t *head = (const uint8_t *)out.data + at;
		size_t len = zl_get_be32(head + 1);
		assert_int_equal(head[0], 0);
		assert_true(at + XDS_FRAME_HEAD + len <= out.len);
		Envoy__DeltaDiscoveryResponse *response =
			envoy__delta_discovery_response__unpack(NULL, len,
								head + XDS_FRAME_HEAD);
		assert_non_null(response);
		note_response(play, response);
		envoy__delta_discovery_response__free_unpacked(response, NULL);
		at += XDS_FRAME_HEAD + len;
	}
	zl_buf_free(&out);
	return play->got;
}

bool play_settled(struct play *play)
{
	uint64_t revision;

	if (!xds_session_settled(play->session, &revision))
		return false;
	assert_int_equal(revision, play->revision);
	return true;
}

const char *play_state(struct play *play, char letter, const char *name)
{
	static char text[512];
	size_t count;
	struct xds_resource_status *list = xds_session_status(play->session, &count);

	(void)snprintf(text, sizeof(text), "none");
	for (size_t i = 0; i < count; i++)
		if (list[i].type == type_of(letter) && strcmp(list[i].name, name) == 0)
			(void)snprintf(text, sizeof(text), "%s%s%s",
				       xds_state_text(list[i].state),
				       list[i].nack != NULL ? ": " : "",
				       list[i].nack != NULL ? list[i].nack : "");
	free(list);
	return text;
}

void begin_with_one(struct play *play)
{
	play_begin(play);
	play_config(play, ONE);
	play_ask(play, 'C', NULL);
	sends(play, "C+a E+a L+l");
	play_ack(play, "C");
	play_ask(play, 'E', "a");
	play_ask(play, 'L', NULL);
	play_ask(play, 'X', "l");
	sends(play, "E+a L+l X+l");
	play_ack(play, "ELX");
	sends(play, "");
	assert_true(play_settled(play));
}
