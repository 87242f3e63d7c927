/* unit/sync/newer.h - messages of a release that is newer than this one. In a program
 * that is linked with --wrap=sync_encode every message, and each one in it, has fields
 * more, and a HELLO speaks of a version and of features that nobody here has.
 *
 * Threads: one.
 */
#pragma once

#include "sync/codec.h"

/* Two messages that this release has no idea of: one of a type, one of a version. */
enum { NEWER_TYPE = 60, NEWER_VERSION = SYNC_PROTO + 1 };
#define NEWER_BUILD "99.0.0"

/* Bit i: a message of type i has been made. */
uint64_t newer_types(void);
