/* What an admin does with a zone: revoke, disable, enable, look at its certificates. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "global/joining/inside.h"
#include "model/resource.h"

#include <stdlib.h>
#include <string.h>

/* ---- revoke ---- */

size_t joining_revoke_all(struct joining *joining, const char *zone, uint64_t now_s,
			  struct store_job *job, size_t *tokens)
{
	struct ledger_token *token = joining->ledger.tokens;
	size_t count = 0;

	*tokens = 0;
	for (struct ledger_certificate *at = joining->ledger.certificates; at != NULL;
	     at = at->next) {
		if (strcmp(at->zone, zone) != 0 || at->revoked_s != 0 ||
		    at->ends_s <= now_s)
			continue;
		count++;
		if (job == NULL)
			continue;
		at->revoked_s = now_s;
		joining_put_certificate(job, at);
	}
	/* Used ones too: the key that used one could ask with it again. */
	while (token != NULL) {
		struct ledger_token *next = token->next;
		if (strcmp(token->zone, zone) == 0) {
			*tokens += token->used_s == 0 && now_s < token->expires_s;
			if (job != NULL) {
				store_local_put(job, LEDGER_TOKENS_SPACE, token->id, NULL,
						0);
				ledger_drop_token(&joining->ledger, token->id);
			}
		}
		token = next;
	}
	return count;
}

void joining_unrevoke(struct joining *joining, const char *zone, uint64_t at_s)
{
	for (struct ledger_certificate *at = joining->ledger.certificates; at != NULL;
	     at = at->next)
		if (strcmp(at->zone, zone) == 0 && at->revoked_s == at_s)
			at->revoked_s = 0;
}

static void on_revoked(struct pending *pending, const struct store_result *result)
{
	if (result->code != ZL_OK) {
		joining_unrevoke(pending->joining, pending->zone, pending->at_s);
		pending_refuse(pending, result);
		return;
	}
	zl_log(ZL_WARN, "joining", "all certificates of a zone are revoked",
	       "zone=%q by=%q", pending->zone, http_caller_text(pending->req));
	http_json(pending->req, 200, pending->text);
}

/* True if there is or was such a zone; else a 404 was sent. */
static bool is_known(const struct joining *joining, struct http_request *req)
{
	const char *name = http_param(req, "name");
	const struct ledger_certificate *at = joining->ledger.certificates;

	while (at != NULL && strcmp(at->zone, name) != 0)
		at = at->next;
	if (at != NULL || joining_zone(joining, name) != NULL)
		return true;
	http_refuse(req, 404, "no zone \"%s\"", name);
	return false;
}

void joining_revoke(struct joining *joining, struct http_request *req)
{
	if (!is_known(joining, req))
		return;
	struct pending *pending = pending_new(joining, req, on_revoked);
	struct store_job *job = store_local_new(pending);
	size_t tokens;
	size_t count =
		joining_revoke_all(joining, pending->zone, pending->at_s, job, &tokens);
	pending->text = zl_format("{\"zone\":\"%s\",\"certificates\":%zu,\"tokens\":%zu}",
				  pending->zone, count, tokens);
	/* Before it is durable: whoever asks for this is in a hurry. */
	joining->setup.cut(joining->setup.owner, pending->zone);
	(void)pending_submit(pending, &job);
}

/* ---- enable, disable ---- */

static void on_enabled(struct pending *pending, const struct store_result *result)
{
	if (result->code != ZL_OK) {
		pending_refuse(pending, result);
		return;
	}
	char *body = zl_format("%s,\"revision\":%llu}", pending->text,
			       (unsigned long long)result->position.rev);
	zl_log(ZL_INFO, "joining", "a zone was enabled or disabled", "zone=%q by=%q",
	       pending->zone, http_caller_text(pending->req));
	http_json(pending->req, 200, body);
	free(body);
}

/* zone with another "enabled", held. */
static struct resource *with_enabled(const struct resource *zone, bool enabled)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct zl_arena *arena = zl_arena_new();
	struct findings found = findings_in(arena);
	struct tree *doc = resource_tree(zone, arena);

	tree_set(arena, doc, "enabled", tree_bool(arena, enabled));
	struct resource *made = resource_from_doc(doc, &rules, &found);
	if (made != NULL && zone->zone->condition != ZONE_ONLINE) {
		struct resource *plain = made;
		made = zone_with_condition(plain, zone->zone->condition,
					   zone->zone->since);
		resource_drop(&plain);
	}
	zl_arena_free(&arena);
	return made;
}

void joining_enable(struct joining *joining, struct http_request *req, bool enabled)
{
	const char *name = http_param(req, "name");
	const struct resource *zone = joining_zone(joining, name);
	struct zl_buf key = { 0 };

	if (zone == NULL) {
		http_refuse(req, 404, "no zone \"%s\"", name);
		return;
	}
	struct resource *made = with_enabled(zone, enabled);
	if (made == NULL) {
		http_refuse(req, 500,
			    "zone \"%s\" is stored in a form that is not "
			    "understood; PUT it anew",
			    name);
		return;
	}
	struct pending *pending = pending_new(joining, req, on_enabled);
	struct store_job *job =
		store_commit_new(pending, zl_wall_us(), http_caller_text(req),
				 enabled ? "enabled" : "disabled");
	pending->text = zl_format("{\"zone\":\"%s\",\"enabled\":%s", pending->zone,
				  enabled ? "true" : "false");
	key_bytes(&made->key, &key);
	store_commit_put(job, key.data, key.len, made->json, made->json_len, STORE_AT_REV,
			 zone->mod_rev);
	zl_buf_free(&key);
	resource_drop(&made);
	(void)pending_submit(pending, &job);
}

/* ---- show ---- */

static struct tree *certificate_tree(struct zl_arena *arena,
				     const struct ledger_certificate *one,
				     const struct ledger *ledger)
{
	static const char *const STATES[] = { [LEDGER_GOOD] = "good",
					      [LEDGER_EXPIRED] = "expired",
					      [LEDGER_REVOKED] = "revoked" };
	struct tree *out = tree_map(arena);
	enum ledger_verdict verdict =
		ledger_judge_certificate(ledger, one->zone, one->serial, joining_now_s());

	tree_set(arena, out, "serial", tree_text(arena, one->serial));
	tree_set(arena, out, "state", tree_text(arena, STATES[verdict]));
	tree_set(arena, out, "begins", joining_time(arena, one->begins_s));
	tree_set(arena, out, "expires", joining_time(arena, one->ends_s));
	if (one->revoked_s != 0)
		tree_set(arena, out, "revoked", joining_time(arena, one->revoked_s));
	tree_set(arena, out, "key", tree_text(arena, one->key));
	return out;
}

static struct tree *token_tree(struct zl_arena *arena, const struct ledger_token *token)
{
	struct tree *out = tree_map(arena);
	const char *state = token->used_s != 0                   ? "used"
			    : joining_now_s() < token->expires_s ? "good"
								 : "expired";

	tree_set(arena, out, "id", tree_text(arena, token->id));
	tree_set(arena, out, "state", tree_text(arena, state));
	tree_set(arena, out, "made", joining_time(arena, token->made_s));
	tree_set(arena, out, "expires", joining_time(arena, token->expires_s));
	if (token->used_s != 0) {
		tree_set(arena, out, "used", joining_time(arena, token->used_s));
		tree_set(arena, out, "key", tree_text(arena, token->key));
	}
	return out;
}

void joining_certificates(const struct joining *joining, struct http_request *req)
{
	const char *name = http_param(req, "name");
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	struct tree *certificates = tree_list(arena);
	struct tree *tokens = tree_list(arena);

	if (!is_known(joining, req)) {
		zl_arena_free(&arena);
		return;
	}
	for (const struct ledger_certificate *at = joining->ledger.certificates;
	     at != NULL; at = at->next)
		if (strcmp(at->zone, name) == 0)
			tree_push(arena, certificates,
				  certificate_tree(arena, at, &joining->ledger));
	for (const struct ledger_token *at = joining->ledger.tokens; at != NULL;
	     at = at->next)
		if (strcmp(at->zone, name) == 0)
			tree_push(arena, tokens, token_tree(arena, at));
	tree_set(arena, out, "zone", tree_text(arena, name));
	tree_set(arena, out, "certificates", certificates);
	tree_set(arena, out, "tokens", tokens);
	joining_answer(req, 200, out);
	zl_arena_free(&arena);
}
