#include "global/joining/joining.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "global/joining/inside.h"
#include "store/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_MS = 60000 }; /* who knocks again and again is logged that often */

static const char *const OUTCOMES[JOINING_OUTCOMES] = {
	[JOINING_JOINED] = "joined",         [JOINING_RENEWED] = "renewed",
	[JOINING_ADOPTED] = "adopted",       [JOINING_BAD_REQUEST] = "bad_request",
	[JOINING_NO_PROOF] = "no_proof",     [JOINING_BAD_TOKEN] = "bad_token",
	[JOINING_EXPIRED] = "expired",       [JOINING_USED] = "used",
	[JOINING_WRONG_ZONE] = "wrong_zone", [JOINING_UNKNOWN] = "unknown",
	[JOINING_REVOKED] = "revoked",
};

const char *joining_outcome_name(enum joining_outcome outcome)
{
	return OUTCOMES[outcome];
}

const uint64_t *joining_counts(const struct joining *joining)
{
	return joining->counts;
}

uint64_t joining_now_s(void)
{
	return zl_wall_us() / 1000000;
}

size_t joining_good(const struct joining *joining)
{
	uint64_t now = joining_now_s();
	size_t count = 0;

	for (const struct ledger_certificate *at = joining->ledger.certificates;
	     at != NULL; at = at->next)
		count += at->revoked_s == 0 && now < at->ends_s;
	return count;
}

/* ---- opening ---- */

static bool load_token(void *ctx, const struct store_item *item)
{
	struct joining *joining = ctx;
	char *id = zl_strndup(item->key, item->key_len);
	struct ledger_token token;

	if (ledger_read_token(id, item->value, item->value_len, &token))
		(void)ledger_add_token(&joining->ledger, &token);
	else
		zl_log(ZL_ERROR, "joining",
		       "a join token's record is not understood and not used", "id=%q",
		       id);
	free(id);
	return true;
}

static bool load_certificate(void *ctx, const struct store_item *item)
{
	struct joining *joining = ctx;
	char *serial = zl_strndup(item->key, item->key_len);
	struct ledger_certificate one;

	if (ledger_read_certificate(serial, item->value, item->value_len, &one))
		(void)ledger_add_certificate(&joining->ledger, &one);
	else
		zl_log(ZL_ERROR, "joining",
		       "a certificate's record is not understood and not used",
		       "serial=%q", serial);
	free(serial);
	return true;
}

static enum zl_code load(struct joining *joining, struct zl_err *err)
{
	struct store_view *view;
	enum zl_code code = store_view_open(joining->setup.store, &view, err);

	if (code != ZL_OK)
		return code;
	code = store_local_each(view, LEDGER_TOKENS_SPACE, load_token, joining, err);
	if (code == ZL_OK)
		code = store_local_each(view, LEDGER_CERTIFICATES_SPACE, load_certificate,
					joining, err);
	store_view_close(&view);
	return code;
}

enum zl_code joining_open(struct joining **out, const struct joining_setup *setup,
			  struct zl_err *err)
{
	struct joining *joining = zl_alloc(1, sizeof(*joining));

	joining->setup = *setup;
	enum zl_code code = load(joining, err);
	if (code != ZL_OK) {
		zl_wrap(err, "certificates of zones");
		joining_close(&joining);
	}
	*out = joining;
	return code;
}

static void pending_free(struct pending **pendingp)
{
	struct pending *pending = *pendingp;

	*pendingp = NULL;
	pki_certificate_fini(&pending->certificate);
	free(pending->text);
	free(pending);
}

void joining_close(struct joining **joiningp)
{
	struct joining *joining = *joiningp;

	*joiningp = NULL;
	if (joining == NULL)
		return;
	while (joining->pending != NULL) { /* whose result never came */
		struct pending *one = joining->pending;
		joining->pending = one->next;
		pending_free(&one);
	}
	ledger_free(&joining->ledger);
	free(joining);
}

/* ---- who comes in ---- */

enum joining_outcome joining_outcome_of(enum ledger_verdict verdict)
{
	static const enum joining_outcome MEANS[] = {
		[LEDGER_UNKNOWN] = JOINING_UNKNOWN,
		[LEDGER_WRONG_ZONE] = JOINING_WRONG_ZONE,
		[LEDGER_EXPIRED] = JOINING_EXPIRED,
		[LEDGER_USED] = JOINING_USED,
		[LEDGER_REVOKED] = JOINING_REVOKED,
	};

	return MEANS[verdict];
}

static void tell(const char *zone, const char *serial, const char *why,
		 struct ledger_certificate *one)
{
	uint64_t now = zl_now_ms();

	if (one == NULL || (one->told_ms != 0 && now - one->told_ms < TOLD_MS))
		return;
	one->told_ms = now;
	zl_log(ZL_WARN, "joining", "a zone's certificate is refused",
	       "zone=%q serial=%s reason=%s", zone, serial, why);
}

static bool has_good(const struct joining *joining, const char *zone)
{
	uint64_t now = joining_now_s();
	const struct ledger_certificate *at = joining->ledger.certificates;

	while (at != NULL &&
	       (strcmp(at->zone, zone) != 0 || at->revoked_s != 0 || now >= at->ends_s))
		at = at->next;
	return at != NULL;
}

/* The authority signs nothing that is not written down first. So this store has lost what
 * an older one knew: a disk was lost, or a backup was put back. Its zones are not to be
 * lost as well; what that store had revoked, has to be revoked again. */
static void adopt(struct joining *joining, const char *zone, const char *serial)
{
	struct store_job *job = store_local_new(NULL);
	uint64_t now = joining_now_s();
	struct zl_err err = { 0 };
	struct ledger_certificate one = { .begins_s = now,
					  .ends_s = now + joining->setup.certificate_s };

	zl_log(ZL_WARN, "joining",
	       "a certificate is not in the ledger, which is younger: taken over",
	       "zone=%q serial=%s", zone, serial);
	(void)snprintf(one.serial, sizeof(one.serial), "%s", serial);
	(void)snprintf(one.zone, sizeof(one.zone), "%s", zone);
	joining->counts[JOINING_ADOPTED]++;
	(void)ledger_add_certificate(&joining->ledger, &one);
	joining_put_certificate(job, &one);
	/* What cannot be kept is taken over again after a restart. */
	if (store_submit(joining->setup.store, &job, &err) != ZL_OK)
		zl_log(ZL_WARN, "joining", "store takes no job", "err=%q", err.msg);
	store_job_free(&job);
}

enum ledger_verdict joining_judge(struct joining *joining, const char *zone,
				  const char *serial)
{
	if (ledger_certificate(&joining->ledger, serial) == NULL &&
	    strlen(zone) < LEDGER_ZONE)
		adopt(joining, zone, serial);
	return ledger_judge_certificate(&joining->ledger, zone, serial, joining_now_s());
}

bool joining_admit(struct joining *joining, const char *zone, const char *serial)
{
	if (serial == NULL)
		return has_good(joining, zone);
	enum ledger_verdict verdict = joining_judge(joining, zone, serial);
	if (verdict == LEDGER_GOOD)
		return true;
	enum joining_outcome outcome = joining_outcome_of(verdict);
	joining->counts[outcome]++;
	tell(zone, serial, OUTCOMES[outcome],
	     ledger_certificate(&joining->ledger, serial));
	return false;
}

/* ---- on the way to the disk ---- */

struct pending *pending_new(struct joining *joining, struct http_request *req,
			    void (*done)(struct pending *, const struct store_result *))
{
	struct pending *pending = zl_alloc(1, sizeof(*pending));

	pending->joining = joining;
	pending->req = req;
	pending->done = done;
	pending->at_s = joining_now_s();
	(void)strncpy(pending->zone, http_param(req, "name"), LEDGER_ZONE - 1);
	return pending;
}

void joining_sweep(struct joining *joining, struct store_job *job)
{
	uint64_t now = joining_now_s();
	struct ledger_token *token = joining->ledger.tokens;
	struct ledger_certificate *one = joining->ledger.certificates;

	while (token != NULL) {
		struct ledger_token *next = token->next;
		if (ledger_token_is_old(token, now)) {
			store_local_put(job, LEDGER_TOKENS_SPACE, token->id, NULL, 0);
			ledger_drop_token(&joining->ledger, token->id);
		}
		token = next;
	}
	while (one != NULL) {
		struct ledger_certificate *next = one->next;
		if (ledger_certificate_is_old(one, now)) {
			store_local_put(job, LEDGER_CERTIFICATES_SPACE, one->serial, NULL,
					0);
			ledger_drop_certificate(&joining->ledger, one->serial);
		}
		one = next;
	}
}

bool pending_submit(struct pending *pending, struct store_job **jobp)
{
	struct joining *joining = pending->joining;
	struct zl_err err = { 0 };

	enum zl_code code = store_submit(joining->setup.store, jobp, &err);
	store_job_free(jobp);
	if (code == ZL_OK) {
		pending->next = joining->pending;
		joining->pending = pending;
		return true;
	}
	const struct store_result result = { .code = code, .err = err };
	http_add_header(pending->req, "Retry-After", "1");
	pending->done(pending, &result);
	pending_free(&pending);
	return false;
}

void pending_refuse(const struct pending *pending, const struct store_result *result)
{
	unsigned status = result->code == ZL_ELIMIT ? 503 : http_status(result->code);

	zl_log(ZL_WARN, "joining", "store refused a job", "zone=%q err=%q", pending->zone,
	       result->err.msg);
	http_refuse(pending->req, status, "%s; nothing was changed", result->err.msg);
}

bool joining_result(struct joining *joining, const struct store_result *result)
{
	struct pending **at = &joining->pending;

	while (*at != NULL && *at != result->tag)
		at = &(*at)->next;
	struct pending *pending = *at;
	if (pending == NULL)
		return false;
	*at = pending->next;
	pending->next = NULL;
	pending->done(pending, result);
	pending_free(&pending);
	return true;
}

void joining_put_token(struct store_job *job, const struct ledger_token *token)
{
	struct zl_buf bytes = { 0 };

	ledger_write_token(token, &bytes);
	store_local_put(job, LEDGER_TOKENS_SPACE, token->id, bytes.data, bytes.len);
	zl_buf_free(&bytes);
}

void joining_put_certificate(struct store_job *job, const struct ledger_certificate *one)
{
	struct zl_buf bytes = { 0 };

	ledger_write_certificate(one, &bytes);
	store_local_put(job, LEDGER_CERTIFICATES_SPACE, one->serial, bytes.data,
			bytes.len);
	zl_buf_free(&bytes);
}
