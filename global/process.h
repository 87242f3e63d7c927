/* global/process.h - zonelink-global put together: store, set, hub, API on one loop.
 *
 * Threads:  one, beside those of the rooms.
 * Lifetime: process_open, process_run, process_close.
 */
#pragma once

#include "global/config.h"

struct process;

/* Open the store, verify it, load the set, bind all listeners. */
ZL_MUST_USE enum zl_code process_open(struct process **out, struct config *config,
				      struct zl_err *err);
/* Write the ready file if path is not NULL. */
ZL_MUST_USE enum zl_code process_ready(const struct process *process, const char *path,
				       struct zl_err *err);
/* Serve until TERM or INT, then end in order. */
void process_run(struct process *process);
void process_close(struct process **processp);
