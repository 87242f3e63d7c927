/* POST /zones/{name}/_join: a certificate for a zone's process, by a token or by the
 * certificate it has. Who can show neither learns nothing but that. */
#include "base/log.h"
#include "base/mem.h"
#include "global/joining/inside.h"
#include "global/trust/trust.h"
#include "pki/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request that may be refused for many reasons. */
struct asking {
	struct joining *joining;
	struct http_request *req;
	struct zl_arena *arena;
	const char *zone, *csr, *token;
	char key[PKI_FINGERPRINT];       /* of csr */
	const struct ledger_token *used; /* the token, when it is in the ledger */
};

static void count_and_log(const struct asking *at, enum joining_outcome outcome,
			  const char *id, const char *detail)
{
	char *earlier = NULL;

	at->joining->counts[outcome]++;
	if (at->used != NULL && at->used->used_s != 0) {
		struct tree *time = joining_time(at->arena, at->used->used_s);
		earlier = zl_arena_format(at->arena, "%s by key %.16s", time->text,
					  at->used->key);
	}
	zl_log(ZL_WARN, "joining", "a zone may not join",
	       "zone=%q reason=%s id=%q key=%s earlier=%q detail=%q request=%q", at->zone,
	       joining_outcome_name(outcome), id, at->key, earlier != NULL ? earlier : "",
	       detail, http_id(at->req));
}

static void refuse(const struct asking *at, enum joining_outcome outcome, const char *id,
		   unsigned status, const char *detail)
{
	count_and_log(at, outcome, id, detail);
	http_refuse(at->req, status, "%s", detail);
}

/* ---- issuing ---- */

static void forget(struct pending *pending)
{
	struct ledger *ledger = &pending->joining->ledger;
	struct ledger_token *token = ledger_token(ledger, pending->token);

	ledger_drop_certificate(ledger, pending->issued.serial);
	if (token != NULL && !token->is_durable) {
		token->used_s = 0;
		*token->key = '\0';
	}
}

static void on_issued(struct pending *pending, const struct store_result *result)
{
	struct joining *joining = pending->joining;
	struct ledger_token *token = ledger_token(&joining->ledger, pending->token);
	const struct ledger_certificate *one = &pending->issued;
	struct zl_arena *arena;

	if (result->code != ZL_OK) {
		forget(pending);
		pending_refuse(pending, result);
		return;
	}
	if (token != NULL)
		token->is_durable = true;
	joining->counts[pending->renews ? JOINING_RENEWED : JOINING_JOINED]++;
	zl_log(ZL_INFO, "joining", pending->renews ? "a zone renewed" : "a zone joined",
	       "zone=%q serial=%s key=%s token=%q", one->zone, one->serial, one->key,
	       pending->token);
	arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	tree_set(arena, out, "zone", tree_text(arena, one->zone));
	tree_set(arena, out, "serial", tree_text(arena, one->serial));
	tree_set(arena, out, "expires", joining_time(arena, one->ends_s));
	tree_set(arena, out, "certificate", tree_text(arena, pending->certificate.chain));
	tree_set(arena, out, "ca",
		 tree_text(arena,
			   pki_authority_root(trust_authority(joining->setup.trust))));
	joining_answer(pending->req, 200, out);
	zl_arena_free(&arena);
}

/* The ledger has it at once, so that nobody else uses the token meanwhile; the zone when
 * it is durable. */
static void record(struct asking *at, struct pending *pending)
{
	struct joining *joining = at->joining;
	struct ledger_certificate *issued = &pending->issued;
	struct ledger_token *token = ledger_token(&joining->ledger, pending->token);
	struct ledger_certificate *oldest =
		ledger_oldest(&joining->ledger, at->zone, pending->at_s);
	struct store_job *job = store_local_new(pending);

	(void)snprintf(issued->serial, sizeof(issued->serial), "%s",
		       pending->certificate.serial);
	(void)snprintf(issued->zone, sizeof(issued->zone), "%s", pending->zone);
	(void)snprintf(issued->key, sizeof(issued->key), "%s", at->key);
	issued->begins_s = pending->certificate.begins_s;
	issued->ends_s = pending->certificate.ends_s;
	joining_sweep(joining, job);
	if (oldest != NULL) {
		oldest->revoked_s = pending->at_s;
		joining_put_certificate(job, oldest);
	}
	joining_put_certificate(job, issued);
	(void)ledger_add_certificate(&joining->ledger, issued);
	if (token != NULL && token->used_s == 0) {
		token->used_s = pending->at_s;
		(void)snprintf(token->key, sizeof(token->key), "%s", at->key);
	}
	if (token != NULL)
		joining_put_token(job, token);
	(void)pending_submit(pending, &job);
}

static void issue(struct asking *at, const char *token)
{
	struct joining *joining = at->joining;
	const struct pki_authority *authority = trust_authority(joining->setup.trust);
	char *identity = zl_format("spiffe://zonelink/zone/%s", at->zone);
	const struct pki_grant grant = { .identity = identity,
					 .lifetime_s = joining->setup.certificate_s,
					 .client = true };
	struct pending *pending = pending_new(joining, at->req, on_issued);
	struct zl_err err = { 0 };

	enum zl_code code =
		pki_sign(authority, at->csr, &grant, &pending->certificate, &err);
	free(identity);
	if (code != ZL_OK) {
		http_refuse(at->req, http_status(code), "%s", err.msg);
		free(pending);
		return;
	}
	(void)snprintf(pending->token, sizeof(pending->token), "%s", token);
	pending->renews = *token == '\0';
	record(at, pending);
}

/* ---- by a token ---- */

/* Is the token ours, whatever its time says? What is in it is told to nobody else. */
static bool is_ours(struct asking *at, struct pki_claims *claims)
{
	const struct pki_signer *signer = trust_joins(at->joining->setup.trust);
	size_t len = strlen(at->token);
	struct zl_err err = { 0 };

	if (pki_token_peek(at->token, len, at->arena, claims, &err) == ZL_OK &&
	    pki_token_check(signer, at->token, len, PKI_TOKEN_JOIN, claims->issued_s,
			    at->arena, claims, &err) == ZL_OK)
		return true;
	count_and_log(at, JOINING_BAD_TOKEN, "", err.msg);
	http_refuse(at->req, 401, "the token is not accepted");
	return false;
}

static void refuse_token(struct asking *at, enum ledger_verdict verdict,
			 const struct pki_claims *claims)
{
	const char *when = at->used != NULL && at->used->used_s != 0
				   ? joining_time(at->arena, at->used->used_s)->text
				   : "";

	switch (verdict) {
	case LEDGER_WRONG_ZONE:
		refuse(at, JOINING_WRONG_ZONE, claims->id, 403,
		       zl_arena_format(at->arena, "the token is for zone %s, not %s",
				       claims->zone, at->zone));
		break;
	case LEDGER_EXPIRED:
		refuse(at, JOINING_EXPIRED, claims->id, 401,
		       zl_arena_format(at->arena,
				       "the token expired at %s; zonelinkctl "
				       "token create --zone makes another one",
				       joining_time(at->arena, claims->expires_s)->text));
		break;
	case LEDGER_USED:
		refuse(at, JOINING_USED, claims->id, 409,
		       zl_arena_format(
			       at->arena,
			       "the token was used at %s by another key, and it is "
			       "good for one join: if that was not you, zonelinkctl "
			       "zone revoke %s",
			       when, at->zone));
		break;
	default:
		refuse(at, JOINING_UNKNOWN, claims->id, 403,
		       "the token was withdrawn, or is older than what this global "
		       "knows");
		break;
	}
}

static void by_token(struct asking *at)
{
	struct joining *joining = at->joining;
	uint64_t now = joining_now_s();
	struct pki_claims claims = { 0 };

	if (!is_ours(at, &claims))
		return;
	at->used = ledger_token(&joining->ledger, claims.id);
	if (strcmp(claims.ca, trust_fingerprint(joining->setup.trust)) != 0) {
		refuse(at, JOINING_BAD_TOKEN, claims.id, 403,
		       "the token is for another authority");
		return;
	}
	enum ledger_verdict verdict =
		strcmp(claims.zone, at->zone) != 0
			? LEDGER_WRONG_ZONE
			: ledger_judge_token(&joining->ledger, claims.id, at->zone,
					     at->key, now);
	if (verdict == LEDGER_UNKNOWN && now >= claims.expires_s)
		verdict = LEDGER_EXPIRED;
	if (verdict == LEDGER_GOOD && joining_zone(joining, at->zone) == NULL)
		verdict = LEDGER_UNKNOWN;
	if (verdict == LEDGER_GOOD)
		issue(at, claims.id);
	else
		refuse_token(at, verdict, &claims);
}

/* ---- by the certificate ---- */

static void by_certificate(struct asking *at)
{
	struct joining *joining = at->joining;
	const struct pki_facts *facts = http_peer(at->req);
	const char *own = facts != NULL ? pki_zone_of(facts->identity) : NULL;

	if (own == NULL) {
		refuse(at, JOINING_NO_PROOF, "", 401,
		       "this takes a join token, or by https the zone's certificate");
		return;
	}
	if (strcmp(own, at->zone) != 0) {
		refuse(at, JOINING_WRONG_ZONE, facts->serial, 403,
		       "the certificate is another zone's");
		return;
	}
	enum ledger_verdict verdict = joining_judge(joining, at->zone, facts->serial);
	if (verdict == LEDGER_GOOD) {
		issue(at, "");
		return;
	}
	refuse(at, joining_outcome_of(verdict), facts->serial, 403,
	       verdict == LEDGER_REVOKED
		       ? "the zone's certificate was revoked: a new join token is needed"
		       : "the zone's certificate is no good here: a new join token is "
			 "needed");
}

/* Whoever may ask, its request must be one; strangers first show that they may. */
static void judge(struct asking *at)
{
	struct zl_err err = { 0 };

	if (at->csr != NULL && pki_request_key(at->csr, at->key, &err) == ZL_OK) {
		if (at->token != NULL)
			by_token(at);
		else
			by_certificate(at);
		return;
	}
	refuse(at, JOINING_BAD_REQUEST, "", 400,
	       at->csr == NULL ? "csr is missing: a certificate request in PEM form"
			       : zl_arena_format(at->arena, "csr: %s", err.msg));
}

void joining_join(struct joining *joining, struct http_request *req)
{
	static const char *const KNOWN[] = { "csr", "token", NULL };
	struct zl_arena *arena = zl_arena_new();
	const struct tree *doc = joining_body(req, arena, KNOWN);

	if (doc != NULL) {
		struct asking at = { .joining = joining,
				     .req = req,
				     .arena = arena,
				     .zone = http_param(req, "name"),
				     .csr = joining_text(doc, "csr"),
				     .token = joining_text(doc, "token") };
		http_add_header(req, "Cache-Control", "no-store");
		judge(&at);
	}
	zl_arena_free(&arena);
}
