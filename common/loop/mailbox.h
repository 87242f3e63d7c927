/* loop/mailbox.h - letters from any thread to the thread that runs the loop.
 *
 * Worker threads and the callbacks of libraries never touch what the loop owns: they
 * post a letter, and the loop reads it in its own time. A letter is a small struct that
 * is copied in and copied out; a pointer in it changes its owner with it.
 *
 * Threads:  mailbox_post from any; everything else on the thread that takes.
 * Lifetime: nobody may post any more when mailbox_close is called. What letters that
 *           were not taken own is the caller's to free: take them first.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct mailbox;

/* A box that holds up to capacity letters of letter_size bytes, both above 0. *out is
 * the caller's (mailbox_close), or NULL on failure: ZL_ELIMIT, no descriptor left. */
ZL_MUST_USE enum zl_code mailbox_open(struct mailbox **out, size_t letter_size,
				      size_t capacity, struct zl_err *err);

/* Close *boxp, which may be NULL, and set it to NULL. */
void mailbox_close(struct mailbox **boxp);

/* For poll: readable exactly while a letter is in the box. Borrowed; not to be read. */
int mailbox_fd(const struct mailbox *box);

/* Put a copy of letter behind the others; never blocks on the taker. False: the box is
 * full and the letter is still the caller's. */
ZL_MUST_USE bool mailbox_post(struct mailbox *box, const void *letter);

/* Move the oldest letter to *letter. False: there is none. */
ZL_MUST_USE bool mailbox_take(struct mailbox *box, void *letter);
