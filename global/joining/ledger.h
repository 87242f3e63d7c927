/* global/joining/ledger.h - which join tokens there are, which certificates zones have,
 * and what follows from that. No store, no clock, no socket.
 *
 * A token is used once: it belongs to the key that joined with it. The same key may come
 * again, for an answer that was lost on its way; another one is refused. A certificate is
 * in the ledger as long as it lasts, revoked or not.
 *
 * In the store's local records each token and each certificate is a JSON object under its
 * id or serial:
 *
 *     "join-tokens"        {"zone","made","expires"[,"used","key"]}
 *     "zone-certificates"  {"zone","begins","ends","key"[,"revoked"]}
 *
 * Threads:  the loop's.
 * Lifetime: what is found is borrowed until it is removed.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "pki/authority.h"
#include "pki/token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LEDGER_ZONE = 64,
	/* Good certificates of one zone; for another one the oldest is revoked. */
	LEDGER_CERTIFICATES = 16
};

#define LEDGER_TOKENS_SPACE "join-tokens"
#define LEDGER_CERTIFICATES_SPACE "zone-certificates"

/* Times are seconds of wall time, 0: it has not happened. */
struct ledger_token {
	struct ledger_token *next; /* owned */
	char id[PKI_TOKEN_ID];
	char zone[LEDGER_ZONE];
	uint64_t made_s, expires_s, used_s;
	char key[PKI_FINGERPRINT]; /* that joined with it */
	bool is_durable;           /* what used_s and key say is */
};

struct ledger_certificate {
	struct ledger_certificate *next; /* owned */
	char serial[PKI_SERIAL];
	char zone[LEDGER_ZONE];
	uint64_t begins_s, ends_s, revoked_s;
	char key[PKI_FINGERPRINT];
	uint64_t told_ms; /* when its refusal was last logged */
};

struct ledger {
	struct ledger_token *tokens;
	struct ledger_certificate *certificates; /* the newest first */
};

void ledger_free(struct ledger *ledger);

/* Copies of what is given. */
struct ledger_token *ledger_add_token(struct ledger *ledger,
				      const struct ledger_token *token);
struct ledger_certificate *ledger_add_certificate(struct ledger *ledger,
						  const struct ledger_certificate *one);
struct ledger_token *ledger_token(const struct ledger *ledger, const char *id);
struct ledger_certificate *ledger_certificate(const struct ledger *ledger,
					      const char *serial);
/* Those that are there; not: none. */
void ledger_drop_token(struct ledger *ledger, const char *id);
void ledger_drop_certificate(struct ledger *ledger, const char *serial);

/* What may be said to whoever has shown that the token or the key is his. */
enum ledger_verdict {
	LEDGER_GOOD,
	LEDGER_UNKNOWN,
	LEDGER_WRONG_ZONE,
	LEDGER_EXPIRED,
	LEDGER_USED,
	LEDGER_REVOKED
};

/* May key join as zone with the token of this id? */
enum ledger_verdict ledger_judge_token(const struct ledger *ledger, const char *id,
				       const char *zone, const char *key, uint64_t now_s);
/* May who has the certificate of this serial come in as zone? */
enum ledger_verdict ledger_judge_certificate(const struct ledger *ledger,
					     const char *zone, const char *serial,
					     uint64_t now_s);

/* The certificate that zone has to give up for another one; NULL: none. */
struct ledger_certificate *ledger_oldest(const struct ledger *ledger, const char *zone,
					 uint64_t now_s);

/* Is the record only of the past: over for more than a day (a token: a week, so that who
 * uses it late is told why)? */
bool ledger_token_is_old(const struct ledger_token *token, uint64_t now_s);
bool ledger_certificate_is_old(const struct ledger_certificate *one, uint64_t now_s);

/* As they are stored. False: not understood. */
void ledger_write_token(const struct ledger_token *token, struct zl_buf *out);
void ledger_write_certificate(const struct ledger_certificate *one, struct zl_buf *out);
bool ledger_read_token(const char *id, const void *bytes, size_t len,
		       struct ledger_token *token);
bool ledger_read_certificate(const char *serial, const void *bytes, size_t len,
			     struct ledger_certificate *one);
