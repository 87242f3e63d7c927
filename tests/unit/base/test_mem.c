#include "base/mem.h"

#include "support/seeds.h"
#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void copies_are_copies(void **state)
{
	char text[] = "zone";
	char *whole = zl_strdup(text);
	char *part = zl_strndup(text, 2);
	char *made = zl_format("%s-%d", text, 7);
	void *bytes = zl_memdup(text, 3);

	(void)state;
	text[0] = 'x';
	assert_string_equal(whole, "zone");
	assert_string_equal(part, "zo");
	assert_string_equal(made, "zone-7");
	assert_memory_equal(bytes, "zon", 3);
	free(whole);
	free(part);
	free(made);
	free(bytes);
	free(zl_alloc(0, 8));
	free(zl_memdup(NULL, 0));
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Objects of all sizes are zeroed, aligned, and none lies in another. */
static const char *arena_keeps_objects_apart(uint64_t seed)
{
	enum { COUNT = 200 };
	struct dice dice = { seed };
	struct zl_arena *arena = zl_arena_new();
	unsigned char *objects[COUNT];
	size_t sizes[COUNT], sum = 0;
	const char *wrong = NULL;

	for (int i = 0; i < COUNT; i++) {
		sizes[i] = dice_below(&dice, dice_chance(&dice, 10) ? 9000 : 200);
		objects[i] = zl_arena_alloc(arena, sizes[i], 1);
		sum += sizes[i];
		if (!is_zero(objects[i], sizes[i]) || (uintptr_t)objects[i] % 16 != 0)
			wrong = "not zeroed or not aligned";
		memset(objects[i], i, sizes[i]);
	}
	for (int i = 0; i < COUNT; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			if (objects[i][j] != (unsigned char)i)
				wrong = "overwritten";
	if (zl_arena_used(arena) < sum)
		wrong = "used is less than was given";
	zl_arena_reset(arena);
	if (zl_arena_used(arena) != 0)
		wrong = "not empty after reset";
	if (!is_zero(zl_arena_alloc(arena, 64, 1), 64))
		wrong = "not zeroed after reset";
	zl_arena_free(&arena);
	zl_arena_free(&arena);
	return wrong;
}

static void arenas(void **state)
{
	(void)state;
	seeds_run(50, arena_keeps_objects_apart);
}

/* A list that grows keeps what it has, and moves when it is full only. */
static void arena_lists(void **state)
{
	struct zl_arena *arena = zl_arena_new();
	size_t room = 0, count = 0;
	int *list = NULL;

	(void)state;
	while (count < 1000) {
		const int *old = list;
		bool full = count == room;
		list = zl_arena_more(arena, list, count, &room, sizeof(*list));
		assert_true(room > count);
		assert_true(full == (list != old));
		list[count] = (int)count;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i], i);
	zl_arena_free(&arena);
}

static void arena_texts(void **state)
{
	struct zl_arena *arena = zl_arena_new();

	(void)state;
	assert_string_equal(zl_arena_strdup(arena, "a"), "a");
	assert_string_equal(zl_arena_strndup(arena, "abc", 2), "ab");
	assert_string_equal(zl_arena_strndup(arena, NULL, 0), "");
	assert_string_equal(zl_arena_format(arena, "%05d|%s", 42, "x"), "00042|x");
	assert_memory_equal(zl_arena_memdup(arena, "a\0b", 3), "a\0b", 3);
	zl_arena_free(&arena);
}

static void buffers_grow_and_drain(void **state)
{
	struct zl_buf buf = { 0 };

	(void)state;
	assert_string_equal(zl_buf_text(&buf), "");
	zl_buf_str(&buf, "");
	assert_string_equal(zl_buf_text(&buf), "");
	for (int i = 0; i < 1000; i++)
		zl_buf_format(&buf, "%d,", i);
	assert_int_equal(buf.len, 10 * 2 + 90 * 3 + 900 * 4);
	assert_int_equal(buf.data[buf.len], '\0');
	zl_buf_drain(&buf, buf.len - 4);
	assert_string_equal(buf.data, "999,");
	zl_buf_add(&buf, "\0x", 2);
	zl_buf_char(&buf, 'y');
	assert_int_equal(buf.len, 7);
	assert_memory_equal(buf.data, "999,\0xy", 8);
	zl_buf_drain(&buf, 7);
	assert_int_equal(buf.len, 0);
	zl_buf_free(&buf);
	assert_null(buf.data);
}

static void memory_that_is_not_there_ends_the_process(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		volatile size_t huge = SIZE_MAX / 4;
		close(STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		free(zl_realloc(NULL, huge, 8));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_copies),
		cmocka_unit_test(arenas),
		cmocka_unit_test(arena_lists),
		cmocka_unit_test(arena_texts),
		cmocka_unit_test(buffers_grow_and_drain),
		cmocka_unit_test(memory_that_is_not_there_ends_the_process),
	};
	return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
