/* global/joining/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "global/joining/joining.h"
#include "global/joining/ledger.h"
#include "model/set.h"
#include "model/tree.h"

/* A change on its way to the disk: the tag of its job. */
struct pending {
	struct pending *next; /* owned */
	struct joining *joining;
	struct http_request *req;
	char zone[LEDGER_ZONE];
	/* It is durable, or (code) it is not: answer req. */
	void (*done)(struct pending *pending, const struct store_result *result);
	bool renews;                        /* a join by certificate */
	char token[PKI_TOKEN_ID];           /* that is made or used; "" */
	struct pki_certificate certificate; /* owned */
	struct ledger_certificate issued;   /* what the ledger gets of it */
	char *text;                         /* owned; the answer, when it is durable */
	uint64_t at_s;                      /* when it was asked for */
};

struct joining {
	struct joining_setup setup;
	struct ledger ledger;
	struct pending *pending; /* owned */
	uint64_t counts[JOINING_OUTCOMES];
};

uint64_t joining_now_s(void);

struct pending *pending_new(struct joining *joining, struct http_request *req,
			    void (*done)(struct pending *, const struct store_result *));
/* Hand *jobp over, whose tag is pending. False: it was refused, req has been answered and
 * pending is gone. */
bool pending_submit(struct pending *pending, struct store_job **jobp);
/* What answers a result that is no success. */
void pending_refuse(const struct pending *pending, const struct store_result *result);

/* Put the record in job, or (delete) take it out. */
void joining_put_token(struct store_job *job, const struct ledger_token *token);
void joining_put_certificate(struct store_job *job, const struct ledger_certificate *one);

/* May who shows this certificate, which is valid, be zone? It is taken over when it is
 * not in the ledger. */
enum ledger_verdict joining_judge(struct joining *joining, const char *zone,
				  const char *serial);
/* What a verdict that is not good counts as. */
enum joining_outcome joining_outcome_of(enum ledger_verdict verdict);

/* What is over for long leaves the ledger, and by job the store. */
void joining_sweep(struct joining *joining, struct store_job *job);

/* Revoke the certificates of zone that are good and withdraw its tokens, in the ledger
 * and by job; job NULL: only count them. Returns how many certificates, and how many
 * tokens could have been used. */
size_t joining_revoke_all(struct joining *joining, const char *zone, uint64_t now_s,
			  struct store_job *job, size_t *tokens);
/* What joining_revoke_all did at at_s did not become durable. Tokens stay withdrawn until
 * the next start. */
void joining_unrevoke(struct joining *joining, const char *zone, uint64_t at_s);

/* The Zone of name, or NULL. */
const struct resource *joining_zone(const struct joining *joining, const char *name);

/* The document of the body, if it is an object with no members but those known; an empty
 * body is an empty object. NULL after a 400. */
const struct tree *joining_body(struct http_request *req, struct zl_arena *arena,
				const char *const *known);
/* A text of the body; NULL: it is not there. */
const char *joining_text(const struct tree *doc, const char *name);
void joining_answer(struct http_request *req, unsigned status, const struct tree *out);
/* A second of wall time as people read it. */
struct tree *joining_time(struct zl_arena *arena, uint64_t seconds);
