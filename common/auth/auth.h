/* auth/auth.h - who may use the HTTP API of a process, and the tokens that say so.
 *
 * A caller on this machine is an admin, if the setting says so; others show a user token
 * (pki/token.h, PKI_TOKEN_USER), whose role is what they may do. A zone that shows its
 * certificate is known by it, and may call what is open to all. A token ends by its time,
 * or when an admin takes it back: its id is then kept, in the store and in memory, for as
 * long as any token could last.
 *
 * Threads:  the loop's.
 * Lifetime: auth_close after http_close of the server that asks, before what the setup
 *           lends. A revocation that was submitted lives until auth_result.
 */
#pragma once

#include "http/http.h"
#include "store/write.h"

struct auth;
struct pki_signer;

struct auth_setup {
	struct store *store; /* borrowed, as all: keeps what was taken back */
	const struct pki_signer
		*signer; /* of user tokens; NULL: none are made or taken */
	bool local_is_admin;
};

/* ZL_ECORRUPT, ZL_EIO: the store cannot say what was taken back. */
ZL_MUST_USE enum zl_code auth_open(struct auth **out, const struct auth_setup *setup,
				   struct zl_err *err);
void auth_close(struct auth **authp);

/* For http_options; arg is the struct auth. */
http_authorize auth_authorize;

/* True if the token with this id was taken back, whatever its kind. */
bool auth_is_revoked(const struct auth *auth, const char *id);

/* POST /_tokens/user: {"name","role","ttl"} -> 201 {"token","id","expires",...}. */
void auth_token_new(struct auth *auth, struct http_request *req);
/* POST /_tokens/_revoke: {"id"} -> 200 when it is durable. */
void auth_token_revoke(struct auth *auth, struct http_request *req);

/* A result of the store: true if it was this room's, whose client is then answered. */
bool auth_result(struct auth *auth, const struct store_result *result);

/* "90s", "30m", "24h", "7d" as seconds, from a minute to a year. False: none of these. */
bool auth_lifetime(const char *text, uint64_t *seconds);
