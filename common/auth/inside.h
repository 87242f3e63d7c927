/* auth/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "auth/auth.h"
#include "pki/token.h"

enum { LIFETIME_MIN = 60, LIFETIME_MAX = 366 * 86400 };

/* A token that was taken back. */
struct revoked;

/* A revocation on its way to the disk: the tag of its job. */
struct revoking {
	struct revoking *next;
	struct http_request *req;
	char id[PKI_TOKEN_ID];
	uint64_t until_s;
};

struct auth {
	struct auth_setup setup;
	struct revoked *revoked; /* owned; sorted by id */
	size_t revoked_count;
	struct revoking *revoking; /* owned */
};

/* The role that word names. False: none. */
bool auth_role(const char *word, enum http_access *role);

/* revoked.c. until_s: when any token of today has ended. */
extern const char REVOKED_SPACE[];
void revoked_add(struct auth *auth, const char *id, uint64_t until_s);
/* Forget those whose time is over, in memory and, by job, in the store. */
void revoked_sweep(struct auth *auth, uint64_t now_s, struct store_job *job);
enum zl_code revoked_load(struct auth *auth, struct zl_err *err);
uint64_t wall_s(void);
