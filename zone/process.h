/* zone/process.h - zonelink-zone put together: stores, registry, uplink, proxies, API on
 * one loop.
 *
 * Threads:  one, beside those of the rooms.
 * Lifetime: process_open, process_run, process_close.
 */
#pragma once

#include "zone/config.h"

struct process;

/* Open the stores, verify them, load what is known, bind all listeners. */
ZL_MUST_USE enum zl_code process_open(struct process **out, struct config *config,
				      struct zl_err *err);
/* Write the ready file if path is not NULL. */
ZL_MUST_USE enum zl_code process_ready(const struct process *process, const char *path,
				       struct zl_err *err);
/* Serve until TERM or INT, then end in order. */
void process_run(struct process *process);
void process_close(struct process **processp);
