/* Lines on their way to receivers that are there, go, and come back. */
#include "support/test.h"

#include "zone/logs/logs.h"

#include "base/addr.h"
#include "loop/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, STEP_MS = 5 };

struct fixture {
	struct loop *loop;
	struct loop_timer *step, *end;
	struct logs *logs;
	struct zl_addr addr;
	char target[ZL_ADDR_TEXT];
	int listener, link; /* -1: none */
	struct zl_buf got;
	bool (*done)(struct fixture *fix);
	bool late;
};

static void listen_at(struct fixture *fix)
{
	struct zl_err err = { 0 };

	assert_int_equal(zl_addr_listen(&fix->addr, &fix->listener, &err), ZL_OK);
	zl_addr_text(&fix->addr, fix->target);
}

static void hang_up(struct fixture *fix)
{
	if (fix->link >= 0)
		close(fix->link);
	fix->link = -1;
}

/* Take what there is to be had. */
static void on_step(void *arg)
{
	struct fixture *fix = arg;
	char bytes[4096];
	ssize_t got;

	if (fix->link < 0 && fix->listener >= 0)
		fix->link = accept(fix->listener, NULL, NULL);
	while (fix->link >= 0 &&
	       (got = recv(fix->link, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		zl_buf_add(&fix->got, bytes, (size_t)got);
	if (fix->done(fix))
		loop_stop(fix->loop);
	else
		loop_timer_set(fix->step, STEP_MS);
}

static void on_end(void *arg)
{
	struct fixture *fix = arg;

	fix->late = true;
	loop_stop(fix->loop);
}

static void run_until(struct fixture *fix, bool (*done)(struct fixture *fix))
{
	fix->done = done;
	loop_timer_set(fix->step, 0);
	loop_timer_set(fix->end, PATIENCE_MS);
	loop_run(fix->loop);
	assert_false(fix->late);
}

static void add(struct fixture *fix, const char *text)
{
	logs_add(fix->logs, fix->target, text, strlen(text));
}

static struct logs_view view(const struct fixture *fix)
{
	struct zl_arena *arena = zl_arena_new();
	size_t count;
	const struct logs_view *views = logs_views(fix->logs, arena, &count);
	struct logs_view first = { 0 };

	if (count > 0)
		first = views[0];
	first.target = NULL;
	zl_arena_free(&arena);
	return first;
}

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));
	struct zl_err err = { 0 };

	assert_int_equal(loop_open(&fix->loop, &err), ZL_OK);
	fix->step = loop_timer_new(fix->loop, on_step, fix);
	fix->end = loop_timer_new(fix->loop, on_end, fix);
	fix->link = fix->listener = -1;
	const struct logs_setup logs = {
		.loop = fix->loop, .max_bytes = 1000, .idle_ms = 50, .rest_ms = 20
	};
	fix->logs = logs_open(&logs);
	assert_int_equal(zl_addr_parse("127.0.0.1:0", &fix->addr, &err), ZL_OK);
	listen_at(fix);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	logs_close(&fix->logs);
	hang_up(fix);
	if (fix->listener >= 0)
		close(fix->listener);
	zl_buf_free(&fix->got);
	loop_timer_free(&fix->step);
	loop_timer_free(&fix->end);
	loop_close(&fix->loop);
	free(fix);
	return 0;
}

static bool has_two(struct fixture *fix)
{
	return view(fix).delivered == 2 && fix->got.len == 4;
}

static bool is_idle(struct fixture *fix)
{
	return !view(fix).connected;
}

static void lines_arrive_and_idle_ends(void **state)
{
	struct fixture *fix = *state;

	add(fix, "a\n");
	add(fix, "b\n");
	run_until(fix, has_two);
	assert_string_equal(fix->got.data, "a\nb\n");
	assert_int_equal(view(fix).queued, 0);
	run_until(fix, is_idle);
	assert_int_equal(view(fix).dropped, 0);
}

static bool has_three(struct fixture *fix)
{
	return view(fix).delivered == 3;
}

/* Nobody reads what comes after it hung up. */
static void lines_survive_a_hang_up(void **state)
{
	struct fixture *fix = *state;

	add(fix, "a\n");
	add(fix, "b\n");
	run_until(fix, has_two);
	hang_up(fix);
	zl_buf_drain(&fix->got, fix->got.len);
	add(fix, "c\n");
	run_until(fix, has_three);
	run_until(fix, is_idle);
	assert_string_equal(zl_buf_text(&fix->got), "c\n");
	assert_int_equal(view(fix).dropped, 0);
}

static bool has_all(struct fixture *fix)
{
	struct logs_view now = view(fix);

	return now.queued == 0 && now.delivered + now.dropped == 100;
}

static void what_does_not_fit_is_counted(void **state)
{
	struct fixture *fix = *state;
	char line[16];

	close(fix->listener);
	fix->listener = -1;
	for (int i = 0; i < 100; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		add(fix, line);
	}
	assert_true(view(fix).dropped > 0);
	assert_true(view(fix).queued <= 1000);
	listen_at(fix);
	run_until(fix, has_all);
	run_until(fix, is_idle);
	assert_true(view(fix).delivered > 20);
	assert_non_null(strstr(fix->got.data, "line 99\n"));
	assert_null(strstr(fix->got.data, "line 0\n"));
}

static void targets_are_limited(void **state)
{
	struct fixture *fix = *state;
	struct zl_arena *arena = zl_arena_new();
	size_t count;

	close(fix->listener);
	fix->listener = -1;
	for (int i = 0; i < LOGS_TARGETS + 3; i++) {
		char target[32];
		(void)snprintf(target, sizeof(target), "127.0.0.1:%d", i + 1);
		logs_add(fix->logs, target, "x\n", 2);
	}
	const struct logs_view *views = logs_views(fix->logs, arena, &count);
	assert_int_equal(count, LOGS_TARGETS + 1);
	assert_string_equal(views[LOGS_TARGETS].target, "other");
	assert_int_equal(views[LOGS_TARGETS].dropped, 3);
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_arrive_and_idle_ends, setup,
						teardown),
		cmocka_unit_test_setup_teardown(lines_survive_a_hang_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_counted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(targets_are_limited, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
