#include "global/joining/ledger.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 24 * 3600, WEEK_S = 7 * DAY_S };

void ledger_free(struct ledger *ledger)
{
	while (ledger->tokens != NULL) {
		struct ledger_token *token = ledger->tokens;
		ledger->tokens = token->next;
		free(token);
	}
	while (ledger->certificates != NULL) {
		struct ledger_certificate *one = ledger->certificates;
		ledger->certificates = one->next;
		free(one);
	}
}

struct ledger_token *ledger_add_token(struct ledger *ledger,
				      const struct ledger_token *token)
{
	struct ledger_token *copy = zl_memdup(token, sizeof(*token));

	copy->next = ledger->tokens;
	ledger->tokens = copy;
	return copy;
}

struct ledger_certificate *ledger_add_certificate(struct ledger *ledger,
						  const struct ledger_certificate *one)
{
	struct ledger_certificate *copy = zl_memdup(one, sizeof(*one));

	copy->next = ledger->certificates;
	ledger->certificates = copy;
	return copy;
}

struct ledger_token *ledger_token(const struct ledger *ledger, const char *id)
{
	struct ledger_token *at = ledger->tokens;

	while (at != NULL && strcmp(at->id, id) != 0)
		at = at->next;
	return at;
}

struct ledger_certificate *ledger_certificate(const struct ledger *ledger,
					      const char *serial)
{
	struct ledger_certificate *at = ledger->certificates;

	while (at != NULL && strcmp(at->serial, serial) != 0)
		at = at->next;
	return at;
}

void ledger_drop_token(struct ledger *ledger, const char *id)
{
	struct ledger_token **at = &ledger->tokens;

	while (*at != NULL && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	struct ledger_token *found = *at;
	if (found != NULL)
		*at = found->next;
	free(found);
}

void ledger_drop_certificate(struct ledger *ledger, const char *serial)
{
	struct ledger_certificate **at = &ledger->certificates;

	while (*at != NULL && strcmp((*at)->serial, serial) != 0)
		at = &(*at)->next;
	struct ledger_certificate *found = *at;
	if (found != NULL)
		*at = found->next;
	free(found);
}

enum ledger_verdict ledger_judge_token(const struct ledger *ledger, const char *id,
				       const char *zone, const char *key, uint64_t now_s)
{
	const struct ledger_token *token = ledger_token(ledger, id);

	if (token == NULL)
		return LEDGER_UNKNOWN;
	if (strcmp(token->zone, zone) != 0)
		return LEDGER_WRONG_ZONE;
	if (token->used_s != 0 && strcmp(token->key, key) != 0)
		return LEDGER_USED;
	return now_s < token->expires_s ? LEDGER_GOOD : LEDGER_EXPIRED;
}

static enum ledger_verdict judge(const struct ledger_certificate *one, const char *zone,
				 uint64_t now_s)
{
	if (strcmp(one->zone, zone) != 0)
		return LEDGER_WRONG_ZONE;
	if (one->revoked_s != 0)
		return LEDGER_REVOKED;
	return now_s < one->ends_s ? LEDGER_GOOD : LEDGER_EXPIRED;
}

enum ledger_verdict ledger_judge_certificate(const struct ledger *ledger,
					     const char *zone, const char *serial,
					     uint64_t now_s)
{
	const struct ledger_certificate *one = ledger_certificate(ledger, serial);

	return one != NULL ? judge(one, zone, now_s) : LEDGER_UNKNOWN;
}

struct ledger_certificate *ledger_oldest(const struct ledger *ledger, const char *zone,
					 uint64_t now_s)
{
	struct ledger_certificate *last = NULL;
	size_t count = 0;

	for (struct ledger_certificate *at = ledger->certificates; at != NULL;
	     at = at->next) {
		if (judge(at, zone, now_s) != LEDGER_GOOD)
			continue;
		count++;
		if (last == NULL || at->begins_s <= last->begins_s)
			last = at;
	}
	return count >= LEDGER_CERTIFICATES ? last : NULL;
}

bool ledger_token_is_old(const struct ledger_token *token, uint64_t now_s)
{
	return token->expires_s + WEEK_S < now_s;
}

bool ledger_certificate_is_old(const struct ledger_certificate *one, uint64_t now_s)
{
	return one->ends_s + DAY_S < now_s;
}
