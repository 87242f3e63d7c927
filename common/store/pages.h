/* store/pages.h - is each page of the data file what LMDB takes it for?
 *
 * LMDB trusts its file: a damaged page can lead it outside of the map. This walk reads
 * the file, not the map, and follows the newest state from its root: page numbers, kinds,
 * offsets and sizes, order of keys, pages used twice, free pages, the file's end. After
 * it LMDB can read the file without harm; what values hold is for their checksums.
 *
 * Threads:  any; the walk holds a read transaction.
 * Lifetime: keeps nothing.
 */
#pragma once

#include "base/err.h"

#include <lmdb.h>
#include <stdbool.h>

/* Before LMDB opens it: do the header pages of data.mdb in dir make sense? A file that is
 * not there or empty is fine. ZL_ECORRUPT. */
ZL_MUST_USE enum zl_code pages_check_header(const char *dir, struct zl_err *err);

/* ZL_ECORRUPT: err says what is wrong where. extend: a file that ends before its last
 * page, none of which is in use, is made longer (LMDB leaves such files). */
ZL_MUST_USE enum zl_code pages_check(MDB_env *env, const char *dir, bool extend,
				     struct zl_err *err);
