/* Which addresses names have, when they are asked for, and when they are forgotten. */
#include "support/test.h"

#include "zone/names/names.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "wire/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 60000, QUESTIONS = 64 };

struct fixture;

/* A name that is being asked for. */
struct question {
	struct fixture *fix; /* NULL: free */
	char name[32];
	void (*done)(void *arg, const struct resolve_list *list);
	void *arg;
};

struct fixture {
	struct loop *loop;
	struct loop_timer *end;
	struct names *names;
	struct question questions[QUESTIONS];
	size_t asked, open; /* in all, now */
	size_t wanted;      /* the loop stops when so many were asked */
	struct zl_buf told;
	const char *unwanted; /* may be forgotten */
	bool dumb;            /* nobody can be asked */
	bool late;
};

/* The fixture that ask serves; a test has one. */
static struct fixture *asking;

static void *ask(struct loop *loop, const char *name,
		 void (*done)(void *arg, const struct resolve_list *list), void *arg)
{
	struct fixture *fix = asking;
	struct question *to = fix->questions;

	assert_ptr_equal(loop, fix->loop);
	fix->asked++;
	if (fix->asked == fix->wanted)
		loop_stop(loop);
	if (fix->dumb)
		return NULL;
	while (to->fix != NULL)
		to++;
	*to = (struct question){ .fix = fix, .done = done, .arg = arg };
	(void)snprintf(to->name, sizeof(to->name), "%s", name);
	fix->open++;
	return to;
}

static void end(void *asked)
{
	struct question *question = asked;

	question->fix->open--;
	question->fix = NULL;
}

static const struct names_ops OPS = { ask, end };

static void on_changed(void *owner, const char *name)
{
	struct fixture *fix = owner;

	zl_buf_format(&fix->told, "%s=%s ", name, names_address(fix->names, name));
}

static bool is_wanted(void *owner, const char *name)
{
	const struct fixture *fix = owner;

	return fix->unwanted == NULL || strcmp(fix->unwanted, name) != 0;
}

static void on_end(void *arg)
{
	struct fixture *fix = arg;

	fix->late = true;
	loop_stop(fix->loop);
}

static void open_names(struct fixture *fix, const struct names_ops *ops)
{
	const struct names_setup names = { .loop = fix->loop,
					   .ops = ops,
					   .again_ms = 20,
					   .retry_ms = 5,
					   .changed = on_changed,
					   .wanted = is_wanted,
					   .owner = fix };

	names_close(&fix->names);
	fix->names = names_open(&names);
}

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));
	struct zl_err err = { 0 };

	assert_int_equal(loop_open(&fix->loop, &err), ZL_OK);
	fix->end = loop_timer_new(fix->loop, on_end, fix);
	open_names(fix, &OPS);
	asking = fix;
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	names_close(&fix->names);
	assert_null(fix->names);
	names_close(&fix->names);
	assert_int_equal(fix->open, 0);
	loop_timer_free(&fix->end);
	loop_close(&fix->loop);
	zl_buf_free(&fix->told);
	free(fix);
	return 0;
}

/* Turn until so many were asked in all. */
static void turn(struct fixture *fix, size_t asked)
{
	fix->wanted = asked;
	loop_timer_set(fix->end, PATIENCE_MS);
	while (fix->asked < asked && !fix->late)
		loop_run(fix->loop);
	assert_false(fix->late);
}

static void add_address(struct resolve_list *list, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_storage *at = &list->at[list->count++];

	*at = (struct sockaddr_storage){ .ss_family = AF_UNIX };
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		memcpy(at, &in, sizeof(in));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(at, &in6, sizeof(in6));
}

/* name has the addresses of text, between blanks; "": none. */
static void answer(struct fixture *fix, const char *name, const char *text)
{
	struct resolve_list list = { .why = "no such name" };
	char word[64];
	int used;

	for (; sscanf(text, "%63s%n", word, &used) == 1; text += used)
		add_address(&list, word);
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct question *at = &fix->questions[i];

		if (at->fix != NULL && strcmp(at->name, name) == 0) {
			at->done(at->arg, &list);
			return;
		}
	}
	fail_msg("%s is not asked for", name);
}

static void expect(struct fixture *fix, const char *name, const char *address)
{
	const char *found = names_address(fix->names, name);

	assert_string_equal(found != NULL ? found : "", address);
}

static void the_last_answer_stays(void **state)
{
	struct fixture *fix = *state;

	expect(fix, "a", "");
	turn(fix, 1);
	expect(fix, "a", "");
	answer(fix, "a", "");
	assert_string_equal(zl_buf_text(&fix->told), "");
	turn(fix, 2);
	answer(fix, "a", "10.0.0.1");
	expect(fix, "a", "10.0.0.1");
	turn(fix, 3);
	answer(fix, "a", "");
	expect(fix, "a", "10.0.0.1");
	turn(fix, 4);
	answer(fix, "a", "10.0.0.1");
	turn(fix, 5);
	answer(fix, "a", "10.0.0.2");
	expect(fix, "a", "10.0.0.2");
	assert_string_equal(zl_buf_text(&fix->told), "a=10.0.0.1 a=10.0.0.2 ");
}

static void one_of_several(void **state)
{
	struct fixture *fix = *state;

	expect(fix, "a", "");
	turn(fix, 1);
	answer(fix, "a", "::1 10.0.0.9 10.0.0.3 10.0.0.7");
	expect(fix, "a", "10.0.0.3");
	turn(fix, 2);
	answer(fix, "a", "10.0.0.1 10.0.0.3");
	expect(fix, "a", "10.0.0.3");
	turn(fix, 3);
	answer(fix, "a", "fd00::2 unix fd00::1");
	expect(fix, "a", "fd00::1");
	turn(fix, 4);
	answer(fix, "a", "unix");
	expect(fix, "a", "fd00::1");
}

static void a_few_at_a_time(void **state)
{
	struct fixture *fix = *state;
	char name[32];

	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		expect(fix, name, "");
	}
	turn(fix, 8);
	assert_int_equal(fix->open, 8);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(fix->open <= 8);
		for (size_t j = 0; j < QUESTIONS; j++)
			if (fix->questions[j].fix != NULL) {
				(void)snprintf(name, sizeof(name), "%s",
					       fix->questions[j].name);
				break;
			}
		answer(fix, name, "10.0.0.1");
		turn(fix, 9 + i);
	}
}

static void what_nobody_wants_is_forgotten(void **state)
{
	struct fixture *fix = *state;

	expect(fix, "a", "");
	expect(fix, "b", "");
	turn(fix, 2);
	answer(fix, "a", "10.0.0.1");
	answer(fix, "b", "10.0.0.2");
	fix->unwanted = "a";
	turn(fix, 3);
	answer(fix, "b", "10.0.0.2");
	turn(fix, 4);
	expect(fix, "b", "10.0.0.2");
	/* Wanted again, it is a new one. */
	expect(fix, "a", "");
	fix->unwanted = NULL;
	turn(fix, 5);
	answer(fix, "a", "10.0.0.3");
	expect(fix, "a", "10.0.0.3");
}

static void nobody_can_be_asked(void **state)
{
	struct fixture *fix = *state;

	fix->dumb = true;
	expect(fix, "a", "");
	turn(fix, 3);
	fix->dumb = false;
	turn(fix, 4);
	answer(fix, "a", "10.0.0.1");
	expect(fix, "a", "10.0.0.1");
}

static void stop_when_told(void *owner, const char *name)
{
	struct fixture *fix = owner;

	on_changed(owner, name);
	loop_stop(fix->loop);
}

static void the_library_is_asked(void **state)
{
	struct fixture *fix = *state;
	const struct names_setup names = { .loop = fix->loop,
					   .again_ms = NAMES_AGAIN_MS,
					   .retry_ms = NAMES_RETRY_MS,
					   .changed = stop_when_told,
					   .wanted = is_wanted,
					   .owner = fix };

	names_close(&fix->names);
	fix->names = names_open(&names);
	expect(fix, "localhost", "");
	loop_timer_set(fix->end, PATIENCE_MS);
	loop_run(fix->loop);
	assert_false(fix->late);
	const char *found = names_address(fix->names, "localhost");
	assert_true(strcmp(found, "127.0.0.1") == 0 || strcmp(found, "::1") == 0);
	/* One that is still being asked for. */
	expect(fix, "localhost.", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_last_answer_stays), TEST(one_of_several),
		TEST(a_few_at_a_time),       TEST(what_nobody_wants_is_forgotten),
		TEST(nobody_can_be_asked),   TEST(the_library_is_asked),
	};
	return cmocka_run_group_tests_name("zone_names/names", tests, NULL, NULL);
}
