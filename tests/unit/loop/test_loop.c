#include "loop/loop.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/notify.h"
#include "support/test.h"
#include "support/tmp.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What happened, one letter each. */
struct diary {
	struct loop *loop;
	char text[64];
	struct loop_timer *timer;
	struct loop_watch *watch;
	int pipe[2];
};

static void note(struct diary *diary, char letter)
{
	size_t len = strlen(diary->text);

	assert_true(len + 1 < sizeof(diary->text));
	diary->text[len] = letter;
}

static int setup(void **state)
{
	static struct diary diary;
	struct zl_err err = { 0 };

	diary = (struct diary){ 0 };
	if (loop_open(&diary.loop, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	*state = &diary;
	return 0;
}

static int teardown(void **state)
{
	struct diary *diary = *state;

	loop_watch_free(&diary->watch);
	loop_timer_free(&diary->timer);
	loop_close(&diary->loop);
	assert_null(diary->loop);
	return 0;
}

static void on_stop(void *arg)
{
	struct diary *diary = arg;

	note(diary, 's');
	loop_stop(diary->loop);
}

static void timers_fire_once_and_can_be_set_again(void **state)
{
	struct diary *diary = *state;
	struct loop_timer *never = loop_timer_new(diary->loop, on_stop, diary);

	diary->timer = loop_timer_new(diary->loop, on_stop, diary);
	assert_false(loop_timer_is_set(diary->timer));
	loop_timer_set(never, 60000);
	for (int i = 0; i < 3; i++) {
		uint64_t began = zl_now_ms();
		loop_timer_set(diary->timer, 60000);
		loop_timer_set(diary->timer, 20);
		assert_true(loop_timer_is_set(diary->timer));
		loop_run(diary->loop);
		assert_in_range(zl_now_ms() - began, 19, 10000);
		assert_false(loop_timer_is_set(diary->timer));
	}
	assert_string_equal(diary->text, "sss");
	loop_timer_clear(never);
	assert_false(loop_timer_is_set(never));
	loop_timer_free(&never);
}

static void on_pipe(void *arg, unsigned events)
{
	struct diary *diary = arg;
	char letter;

	assert_int_equal(events, LOOP_READ);
	assert_int_equal(read(diary->pipe[0], &letter, 1), 1);
	note(diary, letter);
	if (letter == 'q') { /* a watch may be freed by its own callback */
		loop_watch_free(&diary->watch);
		loop_stop(diary->loop);
	}
}

static void a_watch_calls_while_there_is_something(void **state)
{
	struct diary *diary = *state;
	struct zl_err err = { 0 };

	assert_int_equal(pipe(diary->pipe), 0);
	assert_int_equal(write(diary->pipe[1], "abq", 3), 3);
	assert_int_equal(loop_watch_new(&diary->watch, diary->loop, diary->pipe[0],
					LOOP_READ, on_pipe, diary, &err),
			 ZL_OK);
	loop_run(diary->loop);
	assert_string_equal(diary->text, "abq");
	assert_null(diary->watch);
	close(diary->pipe[0]);
	close(diary->pipe[1]);
}

static void a_bad_descriptor_is_an_error(void **state)
{
	struct diary *diary = *state;
	struct zl_err err = { 0 };

	assert_int_equal(loop_watch_new(&diary->watch, diary->loop, 9999, LOOP_READ,
					on_pipe, diary, &err),
			 ZL_EIO);
	assert_null(diary->watch);
	assert_non_null(strstr(err.msg, "9999"));
}

static void third(void *arg)
{
	note(arg, '3');
}

static void second(void *arg)
{
	struct diary *diary = arg;

	note(diary, '2');
	for (int i = 0; i < 20; i++) /* the queue moves while it is worked on */
		loop_defer(diary->loop, third, diary);
	loop_stop(diary->loop);
}

static void on_first(void *arg)
{
	struct diary *diary = arg;

	loop_defer(diary->loop, second, diary);
	note(diary, '1');
}

static void deferred_work_ends_the_turn(void **state)
{
	struct diary *diary = *state;

	diary->timer = loop_timer_new(diary->loop, on_first, diary);
	loop_timer_set(diary->timer, 0);
	loop_run(diary->loop);
	assert_string_equal(diary->text, "1233333333333333333333");
}

static void work_deferred_before_the_first_turn_is_done(void **state)
{
	struct diary *diary = *state;

	loop_defer(diary->loop, on_stop, diary);
	loop_run(diary->loop);
	assert_string_equal(diary->text, "s");
}

static void on_reload(void *arg)
{
	note(arg, 'h');
	raise(SIGTERM);
}

static void signals_are_callbacks(void **state)
{
	struct diary *diary = *state;
	struct zl_err err = { 0 };
	const struct loop_signals signals = { on_stop, on_reload, diary };

	assert_int_equal(loop_signals(diary->loop, &signals, &err), ZL_OK);
	raise(SIGPIPE);
	raise(SIGHUP);
	loop_run(diary->loop);
	assert_string_equal(diary->text, "hs");
}

/* In a child, as it ends the process. */
static int status_of(void (*run)(struct loop *loop))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct loop *loop;
		struct zl_err err;
		close(STDERR_FILENO);
		if (loop_open(&loop, &err) == ZL_OK)
			run(loop);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void stuck(struct loop *loop)
{
	(void)loop;
	loop_deadline(1);
	for (;;)
		pause();
}

static void ignore(void *arg)
{
	(void)arg;
	raise(SIGTERM);
}

static void told_twice(struct loop *loop)
{
	const struct loop_signals signals = { ignore, NULL, NULL };
	struct zl_err err;

	if (loop_signals(loop, &signals, &err) != ZL_OK)
		_exit(98);
	raise(SIGINT);
	loop_run(loop);
}

static void a_shutdown_that_hangs_is_ended(void **state)
{
	(void)state;
	assert_int_equal(status_of(stuck), 1);
	assert_int_equal(status_of(told_twice), 1);
}

/* A service manager's socket in a folder of the test, and what it was sent. */
static int manager_open(struct tmp *tmp)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	tmp_make(tmp);
	const char *path = tmp_path(tmp, "notify");
	assert_true(strlen(path) < sizeof(sun.sun_path));
	memcpy(sun.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	return fd;
}

static void expect_told(int fd, const char *state)
{
	char got[64] = "";

	assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), strlen(state));
	assert_string_equal(got, state);
}

/* Without a watchdog, or one that is another process's or makes no sense. */
static void a_service_manager_is_told(void **state)
{
	static const char *const NOT_OURS[][2] = { { "", "" },
						   { "3s", "" },
						   { "3000000", "1" } };
	struct tmp tmp;
	struct loop *loop = ((struct diary *)*state)->loop;
	int fd = manager_open(&tmp);
	char more;

	for (size_t i = 0; i < ARRAY_LEN(NOT_OURS); i++) {
		setenv("WATCHDOG_USEC", NOT_OURS[i][0], 1);
		if (NOT_OURS[i][1][0] != '\0')
			setenv("WATCHDOG_PID", NOT_OURS[i][1], 1);
		struct loop_manager *manager = loop_manager_new(loop);
		expect_told(fd, "READY=1");
		loop_manager_stopping();
		expect_told(fd, "STOPPING=1");
		assert_int_equal(recv(fd, &more, 1, MSG_DONTWAIT), -1);
		loop_manager_free(&manager);
		assert_null(manager);
	}
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	unsetenv("NOTIFY_SOCKET");
	loop_manager_stopping(); /* to nobody */
	close(fd);
	tmp_remove(&tmp);
}

static void stop_when_told(void *arg, unsigned events)
{
	(void)events;
	loop_stop(arg);
}

static void a_watchdog_is_fed(void **state)
{
	struct tmp tmp;
	struct loop *loop = ((struct diary *)*state)->loop;
	struct loop_watch *watch;
	struct zl_err err;
	int fd = manager_open(&tmp);

	setenv("WATCHDOG_USEC", "20000", 1);
	struct loop_manager *manager = loop_manager_new(loop);
	expect_told(fd, "READY=1");
	expect_told(fd, "WATCHDOG=1");
	assert_int_equal(
		loop_watch_new(&watch, loop, fd, LOOP_READ, stop_when_told, loop, &err),
		ZL_OK);
	for (int i = 0; i < 3; i++) {
		loop_run(loop);
		expect_told(fd, "WATCHDOG=1");
	}
	loop_watch_free(&watch);
	loop_manager_free(&manager);
	unsetenv("WATCHDOG_USEC");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
	tmp_remove(&tmp);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(timers_fire_once_and_can_be_set_again),
		TEST(a_watch_calls_while_there_is_something),
		TEST(a_bad_descriptor_is_an_error),
		TEST(deferred_work_ends_the_turn),
		TEST(work_deferred_before_the_first_turn_is_done),
		TEST(signals_are_callbacks),
		cmocka_unit_test(a_shutdown_that_hangs_is_ended),
		TEST(a_service_manager_is_told),
		TEST(a_watchdog_is_fed),
	};
	return cmocka_run_group_tests_name("loop/loop", tests, NULL, NULL);
}
