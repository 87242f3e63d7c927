/* backup/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  any.
 */
#pragma once

#include "backup/backup.h"

#include <stddef.h>

enum { BACKUP_HEAD = 4096 };

/* header.c */
void header_write(const struct backup_facts *facts, char to[BACKUP_HEAD]);
/* False: not a header that this program understands. file_bytes is not in it. */
bool header_read(const char from[BACKUP_HEAD], struct backup_facts *facts);

/* make.c: open the store of folder dir to read, verify all of it, say where it stands. */
enum zl_code look(const char *dir, struct backup_facts *facts, struct zl_err *err);

/* "what path: text of errno", with the code that fits. */
enum zl_code backup_errno(struct zl_err *err, const char *what, const char *path);

/* copy.c: copy len bytes from descriptor in to out, adding them to hash; out -1: only
 * add. from and to are the files' names, for messages. */
enum zl_code copy_bytes(int in, const char *from, int out, const char *to, uint64_t len,
			struct zl_hash *hash, struct zl_err *err);
/* Check the SHA-256 of the backup path, which was read into facts, and with dir not NULL
 * put its store there, as data.mdb, durably. */
enum zl_code unpack(const char *path, const struct backup_facts *facts, const char *dir,
		    struct zl_err *err);
/* Remove a folder of this room's making and the files of a store in it. */
void remove_store(const char *dir);
/* fsync a folder. */
enum zl_code sync_folder(const char *dir, struct zl_err *err);
