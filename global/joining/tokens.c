/* POST /zones/{name}/_tokens: a token with which a process may join as this zone. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "global/joining/inside.h"
#include "global/trust/trust.h"
#include "model/resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TTL_MAX_S = 30 * 86400 };

static const char TTL_DEFAULT[] = "1h";

/* From a second to thirty days. */
static bool read_ttl(const char *text, uint64_t *seconds)
{
	uint64_t ms;

	if (!zl_span_ms(text, &ms))
		return false;
	*seconds = ms / 1000;
	return *seconds >= 1 && *seconds <= TTL_MAX_S;
}

/* The Zone of name as it is made for it, held; NULL after a 400: it is no name. */
static struct resource *new_zone(struct http_request *req, const char *name,
				 struct zl_arena *arena)
{
	const struct resource_rules rules = { .writer = WRITER_GLOBAL, .zone = "" };
	struct findings found = findings_in(arena);
	struct tree *doc = tree_map(arena);

	tree_set(arena, doc, "type", tree_text(arena, "Zone"));
	tree_set(arena, doc, "name", tree_text(arena, name));
	struct resource *zone = resource_from_doc(doc, &rules, &found);
	if (zone == NULL) {
		const struct http_flaw flaw = { 0, found.violations[0].field,
						found.violations[0].reason };
		http_problem(req, 400, NULL, "no zone can have this name", &flaw, 1);
	}
	return zone;
}

static void on_made(struct pending *pending, const struct store_result *result)
{
	struct joining *joining = pending->joining;

	if (result->code != ZL_OK) {
		ledger_drop_token(&joining->ledger, pending->token);
		pending_refuse(pending, result);
		return;
	}
	zl_log(ZL_INFO, "joining", "join token made", "zone=%q id=%s by=%q",
	       pending->zone, pending->token, http_caller_text(pending->req));
	http_add_header(pending->req, "Cache-Control", "no-store");
	http_json(pending->req, 201, pending->text);
}

/* The token's record is written; with it the Zone, when there is none. */
static void submit(struct pending *pending, const struct ledger_token *token,
		   const struct resource *zone)
{
	struct joining *joining = pending->joining;
	bool is_new = joining_zone(joining, pending->zone) == NULL;
	struct store_job *local = store_local_new(is_new ? NULL : pending);
	struct zl_buf key = { 0 };

	joining_sweep(joining, local);
	joining_put_token(local, token);
	(void)ledger_add_token(&joining->ledger, token);
	if (!is_new) {
		(void)pending_submit(pending, &local);
		return;
	}
	struct store_job *job = store_commit_new(
		pending, zl_wall_us(), http_caller_text(pending->req), "zone is to join");
	key_bytes(&zone->key, &key);
	store_commit_put(job, key.data, key.len, zone->json, zone->json_len, STORE_ABSENT,
			 0);
	zl_buf_free(&key);
	store_commit_also(job, &local);
	(void)pending_submit(pending, &job);
}

static char *answer_of(const struct ledger_token *token, const char *text,
		       const char *fingerprint)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	struct zl_buf body = { 0 };

	tree_set(arena, out, "token", tree_text(arena, text));
	tree_set(arena, out, "id", tree_text(arena, token->id));
	tree_set(arena, out, "zone", tree_text(arena, token->zone));
	tree_set(arena, out, "expires", joining_time(arena, token->expires_s));
	tree_set(arena, out, "ca", tree_text(arena, fingerprint));
	tree_json_pretty(out, &body);
	zl_arena_free(&arena);
	return body.data;
}

static void make(struct joining *joining, struct http_request *req, uint64_t seconds,
		 const struct resource *zone)
{
	const struct trust *trust = joining->setup.trust;
	const char *name = http_param(req, "name");
	struct pending *pending = pending_new(joining, req, on_made);
	struct ledger_token token = { .made_s = pending->at_s,
				      .expires_s = pending->at_s + seconds };
	const struct pki_claims claims = { .kind = PKI_TOKEN_JOIN,
					   .id = "",
					   .zone = name,
					   .mesh = "",
					   .name = "",
					   .service = "",
					   .proxy = "",
					   .role = "",
					   .ca = trust_fingerprint(trust),
					   .issued_s = token.made_s,
					   .expires_s = token.expires_s };
	struct zl_err err = { 0 };
	char *text = NULL;

	if (pki_token_sign(trust_joins(trust), &claims, &text, token.id, &err) != ZL_OK) {
		http_refuse(req, 500, "%s", err.msg);
		free(pending);
		return;
	}
	(void)snprintf(token.zone, sizeof(token.zone), "%s", pending->zone);
	(void)snprintf(pending->token, sizeof(pending->token), "%s", token.id);
	pending->text = answer_of(&token, text, claims.ca);
	free(text);
	submit(pending, &token, zone);
}

void joining_token(struct joining *joining, struct http_request *req)
{
	static const char *const KNOWN[] = { "ttl", NULL };
	struct zl_arena *arena = zl_arena_new();
	const struct tree *doc = joining_body(req, arena, KNOWN);
	struct resource *zone =
		doc != NULL ? new_zone(req, http_param(req, "name"), arena) : NULL;
	uint64_t seconds;

	if (zone != NULL) {
		const char *ttl = joining_text(doc, "ttl");
		if (read_ttl(ttl != NULL ? ttl : TTL_DEFAULT, &seconds))
			make(joining, req, seconds, zone);
		else
			http_refuse(req, 400,
				    "ttl: must be a time from 1s to 30d, like 90s, 30m, "
				    "24h or 7d");
	}
	resource_drop(&zone);
	zl_arena_free(&arena);
}
