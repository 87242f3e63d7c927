/* zone/join/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "base/mem.h"
#include "pki/authority.h"
#include "pki/pair.h"
#include "zone/join/ask.h"
#include "zone/join/join.h"

struct join {
	struct join_setup setup;
	char *folder;           /* owned */
	struct pki_place place; /* in folder */
	struct pki_tls *tls;    /* held; NULL: no certificate */
	struct pki_facts facts; /* of the certificate */
	char *roots;            /* owned; who may be global; NULL: not known yet */
	bool refused;           /* global does not want the certificate any more */
	bool told_expired;      /* to the log */

	struct ask *ask;     /* owned; NULL: nothing is under way */
	char *token;         /* owned; what ask shows; NULL: the certificate */
	char *refused_token; /* owned; it is of no use */
	char fingerprint[PKI_FINGERPRINT]; /* of the root that the answer must have */
	size_t at;                         /* of the address to be asked next */
	unsigned failures;                 /* in a row */
	struct loop_timer *timer;
	bool is_up;        /* the link */
	uint64_t probe_ms; /* when to ask whether global still wants us; 0: never */
	unsigned probes;   /* since the link went down */
	char error[320];
};

/* keep.c: load what is in the folder. ZL_EINVAL: it is another zone's. */
enum zl_code keep_load(struct join *join, struct zl_err *err);
/* Take global's answer: check it, keep it on disk, use it. */
enum zl_code keep_answer(struct join *join, const struct ask_answer *answer,
			 struct zl_err *err);
/* The body of a request, with a key that stays the same until its certificate has come;
 * the caller's, who wipes it. */
enum zl_code keep_request(const struct join *join, char **body, struct zl_err *err);
/* What a problem document says; in arena. */
const char *keep_detail(const struct ask_answer *answer, struct zl_arena *arena);
/* The token of the token file, the caller's; NULL: err says why there is none. */
char *keep_token(const struct join *join, struct zl_err *err);
void keep_wipe(char **textp);
