#include "loop/mailbox.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	size_t letter_size, capacity;
	int bell; /* owned eventfd: 1 while posted != taken, else 0 */

	pthread_mutex_t lock; /* guards the rest, and keeps bell in step with it */
	unsigned char *slots; /* owned: capacity letters, a ring */
	size_t posted, taken; /* letters ever; the difference is in the ring */
};

enum zl_code mailbox_open(struct mailbox **out, size_t letter_size, size_t capacity,
			  struct zl_err *err)
{
	assert(letter_size > 0 && capacity > 0);
	*out = NULL;

	int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (bell < 0)
		return zl_fail(err, zl_code_from_errno(errno), "open mailbox: %m");

	struct mailbox *box = zl_alloc(1, sizeof(*box));
	box->letter_size = letter_size;
	box->capacity = capacity;
	box->bell = bell;
	box->slots = zl_alloc(capacity, letter_size);
	pthread_mutex_init(&box->lock, NULL);
	*out = box;
	return ZL_OK;
}

void mailbox_close(struct mailbox **boxp)
{
	struct mailbox *box = *boxp;

	*boxp = NULL;
	if (box == NULL)
		return;
	close(box->bell);
	pthread_mutex_destroy(&box->lock);
	free(box->slots);
	free(box);
}

int mailbox_fd(const struct mailbox *box)
{
	return box->bell;
}

static unsigned char *slot(struct mailbox *box, size_t number)
{
	return box->slots + number % box->capacity * box->letter_size;
}

bool mailbox_post(struct mailbox *box, const void *letter)
{
	pthread_mutex_lock(&box->lock);
	bool was_empty = box->posted == box->taken;
	bool has_room = box->posted - box->taken < box->capacity;

	if (has_room)
		memcpy(slot(box, box->posted++), letter, box->letter_size);
	if (was_empty) /* so there was room: the first letter rings */
		eventfd_write(box->bell, 1);
	pthread_mutex_unlock(&box->lock);
	return has_room;
}

bool mailbox_take(struct mailbox *box, void *letter)
{
	pthread_mutex_lock(&box->lock);
	bool has_letter = box->posted != box->taken;

	if (has_letter)
		memcpy(letter, slot(box, box->taken++), box->letter_size);
	if (has_letter && box->posted == box->taken) {
		eventfd_t rung;
		eventfd_read(box->bell, &rung);
	}
	pthread_mutex_unlock(&box->lock);
	return has_letter;
}
