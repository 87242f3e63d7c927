/* global/joining/joining.h - how zones come to belong to this global, and leave it.
 *
 * An admin makes a token for a zone; the zone's process shows it with a request for a
 * certificate for a key of its own, and from then on is known by that certificate, with
 * which it also asks for the next one. All of it is durable before it is answered. What
 * is revoked or retired is cut off at once.
 *
 * Threads:  the loop's.
 * Lifetime: joining_close before what the setup lends. What was submitted lives until
 *           joining_result.
 */
#pragma once

#include "http/http.h"
#include "store/write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct joining;
struct set;
struct trust;

struct joining_setup {
	struct store *store;       /* borrowed, as trust */
	const struct trust *trust; /* global/trust/trust.h */
	uint32_t certificate_s;    /* life of a zone's certificate */
	/* What is known now; borrowed for the call. */
	const struct set *(*set)(void *owner);
	/* End the connections of zone, and forget what it has under way. */
	void (*cut)(void *owner, const char *zone);
	/* True while zone is connected. */
	bool (*is_connected)(void *owner, const char *zone);
	void *owner;
};

/* Read what was issued and revoked. ZL_ECORRUPT, ZL_EIO. */
ZL_MUST_USE enum zl_code
joining_open(struct joining **out, const struct joining_setup *setup, struct zl_err *err);
void joining_close(struct joining **joiningp);

/* May who shows the certificate of this serial, which is valid, come in as zone? serial
 * NULL: may who came in with one that has expired stay? Who has another one by now. */
bool joining_admit(struct joining *joining, const char *zone, const char *serial);

/* The requests (docs/reference/api.md): {name} is the zone. */
void joining_token(struct joining *joining, struct http_request *req);
void joining_join(struct joining *joining, struct http_request *req); /* HTTP_OPEN */
void joining_revoke(struct joining *joining, struct http_request *req);
void joining_enable(struct joining *joining, struct http_request *req, bool enabled);
void joining_retire(struct joining *joining, struct http_request *req);
void joining_certificates(const struct joining *joining, struct http_request *req);

/* A result of the store, after the set has it: true if it was this room's. */
bool joining_result(struct joining *joining, const struct store_result *result);

/* What came of all who wanted to join, renew or come in, for metrics. */
enum joining_outcome {
	JOINING_JOINED,
	JOINING_RENEWED,
	JOINING_ADOPTED, /* with a certificate that an older store knew */
	JOINING_BAD_REQUEST,
	JOINING_NO_PROOF,  /* neither token nor certificate */
	JOINING_BAD_TOKEN, /* forged, damaged, another global's */
	JOINING_EXPIRED,
	JOINING_USED,
	JOINING_WRONG_ZONE,
	JOINING_UNKNOWN, /* a token: withdrawn, or older than this store */
	JOINING_REVOKED,
	JOINING_OUTCOMES
};
const char *joining_outcome_name(enum joining_outcome outcome); /* "joined" */
const uint64_t *joining_counts(const struct joining *joining);
/* Certificates that are good now. */
size_t joining_good(const struct joining *joining);
