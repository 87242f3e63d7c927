/* base/last_words.h - a process that is ended by a fault says so before.
 *
 * LMDB reads its file through a map: a page that the disk cannot give is a SIGBUS, at
 * which no error can be returned any more. The message names the signal and what to look
 * at; then the signal does what it does without us.
 *
 * Threads:  any may fault; to be called once, before there are others.
 * Lifetime: the texts are borrowed for good.
 */
#pragma once

/* program and data_dir as they are to stand in the message, which is a line on standard
 * error. A handler that is there already, a sanitizer's, stays. */
void zl_last_words(const char *program, const char *data_dir);
