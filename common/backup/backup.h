/* backup/backup.h - a store as one file, and back.
 *
 *   0      4096 bytes of text: the line "zonelink snapshot 1", then lines "name: value"
 *          (version, made, epoch, revision, chain, digest, records, bytes), then newlines
 *   4096   the store's data.mdb, compact: as many bytes as the header says
 *   then   32 bytes: the SHA-256 of all before
 *
 * It is what one store holds: resources, the log, and the small records of the process
 * (sessions, tokens, revocations). Keys stand beside the store and are not in it.
 *
 * Threads:  any; each call works for itself and may take seconds.
 * Lifetime: keeps nothing.
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "model/position.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

struct backup_facts {
	char version[32];    /* of the program that made it */
	uint64_t made_s;     /* wall clock, seconds */
	uint64_t file_bytes; /* of the whole file */
	uint64_t data_bytes; /* of the store in it */
	uint64_t records;
	struct position position;
	struct digest digest;
};

/* Write a backup of store, which may be in use, to file path. Beside it the folder
 * path.d is used for the work, and emptied before and after. The copy is verified before
 * it is called a backup. ZL_ENOSPC, ZL_EIO, ZL_ECORRUPT: the store is damaged. */
ZL_MUST_USE enum zl_code backup_make(struct store *store, const char *path,
				     struct backup_facts *facts, struct zl_err *err);

/* What the header of path says. ZL_ECORRUPT: no backup, or not whole; ZL_ENOENT... */
ZL_MUST_USE enum zl_code backup_read(const char *path, struct backup_facts *facts,
				     struct zl_err *err);

/* The same, and is every byte as it was made, by the SHA-256 at the end? */
ZL_MUST_USE enum zl_code backup_check(const char *path, struct backup_facts *facts,
				      struct zl_err *err);

/* Is every byte of path as it was made, and what it holds a sound store at the position
 * that the header says? work: a folder that is not there yet; it is gone afterwards. */
ZL_MUST_USE enum zl_code backup_verify(const char *path, const char *work,
				       struct backup_facts *facts, struct zl_err *err);

/* Make the store in folder dir what path holds, in a new epoch, after all checks of
 * backup_verify. ZL_ECONFLICT: there is a store already and force was not given, or a
 * process has it open. force: it is moved aside, to the name that *aside gets, which is
 * the caller's (free); *aside is NULL if there was none. facts->position has the new
 * epoch. */
ZL_MUST_USE enum zl_code backup_restore(const char *path, const char *dir, bool force,
					struct backup_facts *facts, char **aside,
					struct zl_err *err);
