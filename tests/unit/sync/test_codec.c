#include "sync/codec.h"

#include "sync/check.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static Sync__Head head_of(char *zone)
{
	Sync__Head head = SYNC__HEAD__INIT;

	head.zone = zone;
	head.session = 3;
	head.req_id = 4;
	return head;
}

static struct sync_bytes a_fetch(struct zl_arena *arena, char *zone, size_t chain_len)
{
	static Sync__Head head;
	Sync__Fetch fetch = SYNC__FETCH__INIT;
	const struct position at = { .rev = 9 };

	head = head_of(zone);
	fetch.head = &head;
	fetch.position = sync_position_out(arena, &at);
	fetch.position->chain.len = chain_len;
	return sync_encode(arena, SYNC_MSG_FETCH, &fetch);
}

static enum zl_code decode(struct zl_arena *arena, struct sync_bytes bytes,
			   struct sync_message *message)
{
	struct zl_err err;

	return sync_decode(arena, bytes.data, bytes.len, message, &err);
}

static void what_is_sent_is_read(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct sync_message message;

	(void)state;
	assert_int_equal(decode(arena, a_fetch(arena, "east", 16), &message), ZL_OK);
	assert_int_equal(message.type, SYNC_MSG_FETCH);
	const Sync__Fetch *fetch = message.body;
	assert_string_equal(fetch->head->zone, "east");
	assert_int_equal(fetch->position->rev, 9);
	zl_arena_free(&arena);
}

static void limits_are_kept(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct sync_message message;
	char name[SYNC_TEXT_MAX + 2];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(decode(arena, a_fetch(arena, name, 16), &message), ZL_EINVAL);
	assert_int_equal(decode(arena, a_fetch(arena, "e\xff", 16), &message), ZL_EINVAL);
	assert_int_equal(decode(arena, a_fetch(arena, "east", 15), &message), ZL_EINVAL);

	/* A NUL within a text would be cut off silently. */
	struct sync_bytes bytes = a_fetch(arena, "east", 16);
	char *raw = zl_arena_memdup(arena, bytes.data, bytes.len);
	char *at = memmem(raw, bytes.len, "east", 4);
	at[2] = '\0';
	bytes.data = raw;
	assert_int_equal(decode(arena, bytes, &message), ZL_EINVAL);

	/* A part that is needed and is not there. */
	Sync__Nudge nudge = SYNC__NUDGE__INIT;
	assert_int_equal(
		decode(arena, sync_encode(arena, SYNC_MSG_NUDGE, &nudge), &message),
		ZL_EINVAL);
	zl_arena_free(&arena);
}

static void every_cut_of_a_message_is_refused_or_read(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct sync_bytes whole = a_fetch(arena, "east", 16);

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		struct sync_message message;
		assert_int_not_equal(
			decode(arena, (struct sync_bytes){ whole.data, len }, &message),
			ZL_OK);
	}
	zl_arena_free(&arena);
}

/* Two bytes on the wire become a message in memory. */
static void a_small_message_does_not_become_a_great_one(void **state)
{
	static uint8_t raw[1 << 20] = { 'Z', 'L', 1, SYNC_MSG_CHUNK };
	struct zl_arena *arena = zl_arena_new();
	struct sync_message message;

	(void)state;
	for (size_t i = 4; i + 1 < sizeof(raw); i += 2) {
		raw[i] = 3 << 3 | 2; /* an empty record */
		raw[i + 1] = 0;
	}
	assert_int_equal(decode(arena, (struct sync_bytes){ raw, sizeof(raw) }, &message),
			 ZL_EINVAL);
	assert_true(zl_arena_used(arena) <= 8 * sizeof(raw) + (64 << 10));
	zl_arena_free(&arena);
}

/* Bodies of a HELLO that is damaged somewhere; field 7 is a text, 99 is unknown. */
static void damaged_bodies_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *bytes;
		size_t len;
	} ROWS[] = {
		{ "\x3a\x03\xe2\x82\x28", 5 },                         /* no third byte of a character */
		{ "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 }, /* a number without end */
		{ "\x99\x06\x01\x02", 4 },                              /* 8 bytes, of which 2 are there */
		{ "\x99\x06\x01\x02\x03\x04\x05\x06\x07\x08\x9b\x06", 12 }, /* a group */
		{ "\x9d\x06\x01\x02\x03\x04\x9d\x06", 8 },             /* 4 bytes, then none */
		{ "\x00\x01", 2 },                                      /* field 0 */
		{ "\x80\x80\x80\x80\x10\x01", 6 },                      /* a number above all */
	};
	/* clang-format on */
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct sync_message message;
		char bytes[32] = { 'Z', 'L', 1, SYNC_MSG_HELLO };
		memcpy(bytes + 4, ROWS[i].bytes, ROWS[i].len);
		assert_int_equal(decode(arena,
					(struct sync_bytes){ bytes, 4 + ROWS[i].len },
					&message),
				 ZL_EINVAL);
	}
	zl_arena_free(&arena);
}

/* The first question for a copy names no start; each piece of one does. */
static void a_piece_says_where_it_begins(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	Sync__Head head = head_of("east");
	Sync__Snap snap = SYNC__SNAP__INIT;
	Sync__Chunk chunk = SYNC__CHUNK__INIT;
	const struct position at = { .rev = 9 };
	struct sync_message message;

	(void)state;
	snap.head = &head;
	assert_int_equal(
		decode(arena, sync_encode(arena, SYNC_MSG_SNAP, &snap), &message), ZL_OK);
	assert_int_equal(
		decode(arena, sync_encode(arena, SYNC_MSG_CHUNK, &chunk), &message),
		ZL_EINVAL);
	chunk.start = sync_position_out(arena, &at);
	assert_int_equal(
		decode(arena, sync_encode(arena, SYNC_MSG_CHUNK, &chunk), &message),
		ZL_OK);
	zl_arena_free(&arena);
}

static void envelopes_that_are_none_are_refused(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct sync_message message;
	char *great = zl_alloc(SYNC_MESSAGE_MAX + 1, 1);
	char text[SYNC_TEXT_MAX + 2];

	(void)state;
	assert_int_equal(decode(arena, (struct sync_bytes){ "ZX\1\3", 4 }, &message),
			 ZL_EINVAL);
	assert_int_equal(decode(arena, (struct sync_bytes){ "ZL\1\12", 4 }, &message),
			 ZL_EINVAL); /* no such type */
	assert_int_equal(decode(arena, (struct sync_bytes){ "ZL\1\377", 4 }, &message),
			 ZL_EINVAL);
	assert_int_equal(decode(arena, (struct sync_bytes){ great, SYNC_MESSAGE_MAX + 1 },
				&message),
			 ZL_ELIMIT);
	/* A character that the limit would cut is left out. */
	memset(text, 'a', SYNC_TEXT_MAX - 1);
	memcpy(text + SYNC_TEXT_MAX - 1, "\xc3\xa9", 3);
	assert_int_equal(strlen(sync_text_out(arena, text)), SYNC_TEXT_MAX - 1);
	free(great);
	zl_arena_free(&arena);
}

static void unknown_fields_are_skipped(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	struct sync_bytes bytes = a_fetch(arena, "east", 16);
	struct zl_buf more = { 0 };
	struct sync_message message;

	(void)state;
	zl_buf_add(&more, bytes.data, bytes.len);
	zl_buf_add(&more, "\xf8\x06\x01\xfa\x06\x02hi", 8); /* fields 111, 111 */
	assert_int_equal(
		decode(arena, (struct sync_bytes){ more.data, more.len }, &message),
		ZL_OK);
	zl_buf_free(&more);
	zl_arena_free(&arena);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	char text[SYNC_TEXT_MAX + 40];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x8d\x8e", 5);
		const char *cut = sync_text_out(arena, text);
		assert_true(strlen(cut) > SYNC_TEXT_MAX - 4);
		assert_true(check_utf8((const uint8_t *)cut, strlen(cut)));
		assert_memory_equal(cut, text, strlen(cut));
	}
	zl_arena_free(&arena);
}

static void utf8(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} ROWS[] = {
		{ "", true },
		{ "gr\xc3\xbc\xc3\x9f", true },
		{ "\xe2\x82\xac", true },
		{ "\xf0\x9f\x8d\x8e", true },
		{ "\x80", false },
		{ "\xc3", false },
		{ "\xc0\xaf", false },         /* overlong */
		{ "\xe0\x80\xaf", false },     /* overlong */
		{ "\xed\xa0\x80", false },     /* a surrogate */
		{ "\xf4\x90\x80\x80", false }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", false },
		{ "\xe2\x82", false },
		{ "\xe2\x28\xa1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		const char *text = ROWS[i].text;
		assert_int_equal(check_utf8((const uint8_t *)text, strlen(text)),
				 ROWS[i].ok);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_is_read),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(every_cut_of_a_message_is_refused_or_read),
		cmocka_unit_test(a_small_message_does_not_become_a_great_one),
		cmocka_unit_test(damaged_bodies_are_refused),
		cmocka_unit_test(a_piece_says_where_it_begins),
		cmocka_unit_test(envelopes_that_are_none_are_refused),
		cmocka_unit_test(unknown_fields_are_skipped),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(utf8),
	};
	return cmocka_run_group_tests_name("unit/sync/codec", tests, NULL, NULL);
}
