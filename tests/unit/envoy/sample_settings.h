/* Settings written by hand, as policy_resolve would give them, with every field of every
 * policy said once.
 *
 * Threads: none.  Lifetime: static.
 */
#pragma once

#include "sample.h"

#define SPAN(ms_)                        \
	{                                \
		.set = true, .ms = (ms_) \
	}
#define NUMBER(value_)                         \
	{                                      \
		.set = true, .value = (value_) \
	}

extern const struct timeout_conf EVERY_TIMEOUT;
extern const struct retry_conf EVERY_RETRY;
extern const struct health_conf EVERY_CHECK; /* tcp, http and grpc */
extern const struct breaker_conf EVERY_BREAKER;
extern const struct log_conf EVERY_LOG;

/* All of them; a listener with connect attempts. */
extern const struct settings EVERYTHING;
