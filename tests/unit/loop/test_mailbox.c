#include "loop/mailbox.h"

#include "support/test.h"

#include <poll.h>
#include <pthread.h>

static struct mailbox *box_of(size_t letter_size, size_t capacity)
{
	struct mailbox *box;
	struct zl_err err = { 0 };

	if (mailbox_open(&box, letter_size, capacity, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return box;
}

static bool rings(const struct mailbox *box)
{
	struct pollfd bell = { .fd = mailbox_fd(box), .events = POLLIN };

	return poll(&bell, 1, 0) == 1;
}

static void letters_keep_their_order_round_the_ring(void **state)
{
	struct mailbox *box = box_of(sizeof(int), 3);
	int next_in = 0, next_out = 0, got;

	(void)state;
	for (int round = 0; round < 10; round++) {
		while (mailbox_post(box, &next_in))
			next_in++;
		assert_int_equal(next_in - next_out, 3);
		for (int i = 0; i <= round % 3; i++) {
			assert_true(mailbox_take(box, &got));
			assert_int_equal(got, next_out++);
		}
	}
	mailbox_close(&box);
	assert_null(box);
	mailbox_close(&box);
}

static void bell_rings_while_a_letter_is_there(void **state)
{
	struct mailbox *box = box_of(1, 2);
	char letter = 'a';

	(void)state;
	assert_false(rings(box));
	assert_false(mailbox_take(box, &letter));
	for (int i = 0; i < 2; i++) {
		assert_true(mailbox_post(box, &letter));
		assert_true(mailbox_post(box, &letter));
		assert_false(mailbox_post(box, &letter));
		assert_true(rings(box));
		assert_true(mailbox_take(box, &letter));
		assert_true(rings(box));
		assert_true(mailbox_take(box, &letter));
		assert_false(rings(box));
	}
	mailbox_close(&box);
}

enum { POSTERS = 4, EACH = 5000 };

struct note {
	int who, number;
};

struct poster {
	struct mailbox *box;
	pthread_t thread;
	int who;
};

static void *post_all(void *arg)
{
	const struct poster *poster = arg;
	struct note note = { .who = poster->who };

	while (note.number < EACH)
		if (mailbox_post(poster->box, &note))
			note.number++;
	return NULL;
}

/* Nothing is lost, doubled or overtaken by a later one of the same thread. */
static void threads_post_at_once(void **state)
{
	struct mailbox *box = box_of(sizeof(struct note), 16);
	struct poster posters[POSTERS];
	struct pollfd bell = { .fd = mailbox_fd(box), .events = POLLIN };
	int next[POSTERS] = { 0 };
	struct note note;

	(void)state;
	for (int i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){ .box = box, .who = i };
		assert_int_equal(
			pthread_create(&posters[i].thread, NULL, post_all, &posters[i]),
			0);
	}
	for (int left = POSTERS * EACH; left > 0;) {
		assert_int_equal(poll(&bell, 1, 10000), 1);
		while (mailbox_take(box, &note)) {
			assert_int_equal(note.number, next[note.who]++);
			left--;
		}
	}
	for (int i = 0; i < POSTERS; i++)
		pthread_join(posters[i].thread, NULL);
	assert_false(rings(box));
	mailbox_close(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_keep_their_order_round_the_ring),
		cmocka_unit_test(bell_rings_while_a_letter_is_there),
		cmocka_unit_test(threads_post_at_once),
	};
	return cmocka_run_group_tests_name("loop/mailbox", tests, NULL, NULL);
}
