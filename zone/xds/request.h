/* zone/xds/request.h - a DeltaDiscoveryRequest as it came, checked.
 *
 * Threads:  any.  Lifetime: all that a request points to is in its arena.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/* Names in one request, and of one type on one stream. Far above what an Envoy copes
 * with; keeps what a request costs within a few times its bytes. */
enum { XDS_NAMES_MAX = 20000, XDS_NAME_MAX = 1024 };

struct xds_named_version {
	const char *name, *version;
};

struct xds_request {
	const char *node; /* its id; NULL: the request has no node */
	const char *cluster;
	const char *type_url;
	const char *nonce; /* "": none */
	const char **subscribe, **unsubscribe;
	size_t subscribe_count, unsubscribe_count;
	struct xds_named_version *initial;
	size_t initial_count;
	bool refuses;       /* has an error_detail */
	const char *reason; /* its message; "" if it has none */
};

/* ZL_EINVAL damaged, text that is no UTF-8 or holds a NUL, no type URL; ZL_ELIMIT too
 * many or too long names. */
ZL_MUST_USE enum zl_code xds_request_read(struct xds_request *request,
					  struct zl_arena *arena, const void *bytes,
					  size_t len, struct zl_err *err);
