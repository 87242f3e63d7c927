/* zone/inventory/folder.h - the watched folder: files of YAML or JSON as resources.
 *
 * Each *.yaml, *.yml and *.json file of the folder, not of those below it, may hold
 * Dataplanes, ZoneIngresses and zone-origin policies. A file is read when it is complete:
 * renamed into the folder, or closed by its last writer. A file with any fault is named
 * with the reason and changes nothing: what it brought while it was good stays until it
 * is good again, is removed, or the process starts anew. The other files are not harmed.
 * Of two files with the same resource the first by name counts, the other is at fault.
 * A folder that goes away leaves what it held until one of its name is there again.
 *
 * Threads:  the loop's.
 * Lifetime: folder_close before loop_close.
 */
#pragma once

#include "base/err.h"
#include "model/set.h"

#include <stdbool.h>
#include <stddef.h>

struct folder;
struct loop;

/* Watch dir for the resources of zone; alone: it has no global, so the files may hold
 * what is written at global as well. changed is called after each change of folder_set or
 * of the faults, never from inside folder_open. A file that is read again and says the
 * same keeps its resource objects. *out is the caller's; NULL on failure:
 * ZL_ENOENT no such folder, ZL_EACCES, ZL_ELIMIT, ZL_EIO. */
ZL_MUST_USE enum zl_code folder_open(struct folder **out, struct loop *loop,
				     const char *dir, const char *zone, bool alone,
				     void (*changed)(void *owner), void *owner,
				     struct zl_err *err);
void folder_close(struct folder **folderp);

/* What all good files hold. Borrowed until the next turn. */
const struct set *folder_set(const struct folder *folder);

/* The name of the file that holds key, or NULL. */
const char *folder_file_of(const struct folder *folder, const struct key *key);

/* Files by name: fault is "" for a good one. Returns false past the last. */
struct folder_file {
	const char *name, *fault;
	size_t resources;
};
bool folder_file(const struct folder *folder, size_t index, struct folder_file *file);
