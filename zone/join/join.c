#include "zone/join/join.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "loop/loop.h"
#include "pki/tls.h"
#include "pki/token.h"
#include "zone/join/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char GLOBAL[] = "spiffe://zonelink/global";

enum {
	DEADLINE_MS = 10000, /* of one request */
	LOOK_MS = 2000,      /* at the token file, while a token is wanted */
	AGAIN_MS = 500,      /* after a first failure; then twice that, and so on */
	AGAIN_MAX_MS = 30000,
	PROBE_MS = 10000, /* the link is down so long: does global still want us? */
	PROBE_MAX_MS = 3600 * 1000,
	REFUSED_MS = 60000,    /* global said no: ask again whether that is still so */
	SLEEP_MS = 3600 * 1000 /* wall time may jump: look at it that often */
};

static void look(struct join *join);

static uint64_t wall_s(void)
{
	return zl_wall_us() / 1000000;
}

/* From ms / 2 to ms, so that zones do not come all at once. */
static uint64_t dice(uint64_t ms)
{
	uint64_t random;

	zl_random(&random, sizeof(random));
	return ms / 2 + random % (ms / 2 + 1);
}

static bool is_valid(const struct join *join)
{
	return join->tls != NULL && wall_s() < join->facts.ends_s;
}

static void sleep_for(struct join *join, uint64_t ms)
{
	loop_timer_set(join->timer, ms < SLEEP_MS ? ms : SLEEP_MS);
}

/* Say it once, not at each attempt. */
static void complain(struct join *join, enum zl_level level, const char *what,
		     const char *why)
{
	char now[sizeof(join->error)];

	(void)snprintf(now, sizeof(now), "%s: %s", what, why);
	if (strcmp(now, join->error) != 0)
		zl_log(level, "join", what, "zone=%q err=%q", join->setup.zone, why);
	memcpy(join->error, now, sizeof(now));
}

/* ---- an answer ---- */

static void taken(struct join *join)
{
	bool renewed = join->token == NULL;

	zl_log(ZL_INFO, "join",
	       renewed ? "the zone's certificate is renewed" : "the zone has joined",
	       "zone=%q serial=%s", join->setup.zone, join->facts.serial);
	join->refused = false;
	join->told_expired = false;
	join->failures = 0;
	*join->error = '\0';
	keep_wipe(&join->refused_token);
	join->setup.changed(join->setup.owner, join->tls);
	look(join);
}

static void try_again(struct join *join, const char *why)
{
	unsigned shift = join->failures < 6 ? join->failures : 6;
	uint64_t ms = (uint64_t)AGAIN_MS << shift;

	complain(join, ZL_WARN,
		 join->token != NULL ? "the zone cannot join yet"
				     : "the zone's certificate cannot be renewed yet",
		 why);
	join->failures++;
	join->at = (join->at + 1) % join->setup.api_count;
	sleep_for(join, dice(ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS));
}

/* Asking again would not help: a person has to do something. */
static void turned_away(struct join *join, const char *why)
{
	join->failures = 0;
	if (join->token != NULL) {
		complain(join, ZL_ERROR, "global does not let this zone join", why);
		keep_wipe(&join->refused_token);
		join->refused_token = join->token;
		join->token = NULL;
		sleep_for(join, LOOK_MS);
		return;
	}
	join->refused = true;
	complain(join, ZL_ERROR, "global does not want this zone's certificate", why);
	join->probe_ms = zl_now_ms() + dice(REFUSED_MS);
	look(join);
}

static bool is_final(unsigned status)
{
	return status == 400 || status == 401 || status == 403 || status == 404 ||
	       status == 409;
}

static void on_answer(void *arg, const struct ask_answer *answer)
{
	struct join *join = arg;
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };

	ask_free(&join->ask);
	if (answer->status == 200 && keep_answer(join, answer, &err) == ZL_OK)
		taken(join);
	else if (answer->status == 200)
		try_again(join, err.msg);
	else if (answer->status == 0)
		try_again(join, answer->why);
	else if (is_final(answer->status))
		turned_away(join, keep_detail(answer, arena));
	else
		try_again(join, keep_detail(answer, arena));
	zl_arena_free(&arena);
}

/* ---- a question ---- */

static void send(struct join *join, struct pki_tls *tls)
{
	const struct zl_addr *addr = &join->setup.api[join->at];
	char *path = zl_format("/zones/%s/_join", join->setup.zone);
	char *body = NULL;
	struct zl_err err = { 0 };

	if (keep_request(join, &body, &err) == ZL_OK) {
		const struct ask_setup setup = { .addr = addr,
						 .tls = tls,
						 .path = path,
						 .body = body,
						 .deadline_ms = DEADLINE_MS };
		join->ask = ask_new(join->setup.loop, &setup, on_answer, join);
		if (join->ask == NULL)
			(void)zl_fail(&err, ZL_ELIMIT, "no thread can be had");
	}
	keep_wipe(&body);
	free(path);
	if (join->ask == NULL)
		try_again(join, err.msg);
}

static void ask_by_certificate(struct join *join)
{
	struct zl_err err = { 0 };

	keep_wipe(&join->token);
	if (pki_fingerprint(join->roots, join->fingerprint, &err) == ZL_OK)
		send(join, join->tls);
	else
		try_again(join, err.msg);
}

/* Global is known by the fingerprint that the token carries. */
static enum zl_code pin(struct join *join, struct pki_tls **tls, struct zl_err *err)
{
	struct zl_arena *arena = zl_arena_new();
	struct pki_claims claims = { 0 };
	struct pki_tls_setup setup = { .peer_identity = GLOBAL,
				       .root_fingerprint = join->fingerprint,
				       .peer = PKI_PEER_REQUIRED };

	enum zl_code code =
		pki_token_peek(join->token, strlen(join->token), arena, &claims, err);
	if (code == ZL_OK && claims.kind != PKI_TOKEN_JOIN)
		code = zl_fail(err, ZL_EINVAL, "it is no join token");
	if (code == ZL_OK && strcmp(claims.zone, join->setup.zone) != 0)
		code = zl_fail(err, ZL_EINVAL, "the token is for zone %s", claims.zone);
	if (code == ZL_OK && strlen(claims.ca) != PKI_FINGERPRINT - 1)
		code = zl_fail(err, ZL_EINVAL, "the token names no authority");
	if (code == ZL_OK) {
		(void)snprintf(join->fingerprint, sizeof(join->fingerprint), "%s",
			       claims.ca);
		code = pki_tls_new(tls, &setup, err);
	}
	zl_arena_free(&arena);
	return code;
}

/* False: there is no token, or only the one that was refused. */
static bool take_token(struct join *join)
{
	struct zl_err err = { 0 };

	keep_wipe(&join->token);
	join->token = keep_token(join, &err);
	if (join->token == NULL) {
		if (join->refused_token == NULL && join->tls == NULL)
			complain(join, ZL_WARN, "the zone has not joined", err.msg);
		return false;
	}
	if (join->refused_token != NULL &&
	    strcmp(join->token, join->refused_token) == 0) {
		keep_wipe(&join->token);
		return false;
	}
	return true;
}

static void ask_by_token(struct join *join)
{
	struct pki_tls *tls = NULL;
	struct zl_err err = { 0 };

	if (pin(join, &tls, &err) == ZL_OK)
		send(join, tls);
	else
		turned_away(join, err.msg);
	pki_tls_drop(&tls);
}

/* The certificate is good, as far as we know: when is there something to do? */
static void rest(struct join *join)
{
	uint64_t now_ms = zl_now_ms();
	uint64_t due_s = pki_renew_s(&join->facts);
	uint64_t wall = wall_s();
	uint64_t wait = due_s > wall ? 1000 * (due_s - wall) : 0;

	if (join->probe_ms != 0 && join->probe_ms - now_ms < wait)
		wait = join->probe_ms > now_ms ? join->probe_ms - now_ms : 0;
	sleep_for(join, wait);
}

static bool is_probe_due(struct join *join)
{
	uint64_t now = zl_now_ms();

	if (join->probe_ms == 0 || now < join->probe_ms)
		return false;
	unsigned shift = join->probes < 8 ? join->probes++ : 8;
	uint64_t ms = (uint64_t)REFUSED_MS << shift;
	join->probe_ms = now + dice(ms < PROBE_MAX_MS ? ms : PROBE_MAX_MS);
	return true;
}

/* Do what is to be done now, or sleep until there is something. */
static void look(struct join *join)
{
	bool valid = is_valid(join);

	if (join->ask != NULL)
		return;
	if (valid && !join->refused) {
		if (wall_s() >= pki_renew_s(&join->facts) || is_probe_due(join))
			ask_by_certificate(join);
		else
			rest(join);
		return;
	}
	if (join->tls != NULL && !valid && !join->told_expired) {
		join->told_expired = true;
		complain(join, ZL_ERROR, "the zone's certificate has expired",
			 "it needs a new join token in global.token_file");
	}
	if (take_token(join))
		ask_by_token(join);
	else if (valid && is_probe_due(join))
		ask_by_certificate(join);
	else
		sleep_for(join, LOOK_MS);
}

static void on_timer(void *arg)
{
	look(arg);
}

void join_link(struct join *join, bool up)
{
	if (join->is_up == up)
		return;
	join->is_up = up;
	join->probes = 0;
	join->probe_ms = up ? 0 : zl_now_ms() + dice(PROBE_MS);
	if (join->ask == NULL && join->tls != NULL)
		look(join);
}

/* ---- the room ---- */

static enum zl_code check_addresses(const struct join_setup *setup, struct zl_err *err)
{
	if (setup->api_count == 0)
		return zl_fail(err, ZL_EINVAL,
			       "global.api is not set: a zone joins and renews there");
	for (size_t i = 0; i < setup->api_count; i++)
		if (setup->api[i].is_unix)
			return zl_fail(err, ZL_EINVAL,
				       "global.api unix:%s: a unix socket has no TLS; "
				       "use HOST:PORT",
				       setup->api[i].host);
	return ZL_OK;
}

enum zl_code join_open(struct join **out, const struct join_setup *setup,
		       struct zl_err *err)
{
	struct join *join = zl_alloc(1, sizeof(*join));

	join->setup = *setup;
	join->folder = zl_strdup(setup->folder);
	join->place = (struct pki_place){ setup->vault, join->folder, "zone" };
	join->timer = loop_timer_new(setup->loop, on_timer, join);
	join->probe_ms = zl_now_ms() + dice(PROBE_MS);
	enum zl_code code = check_addresses(setup, err);
	if (code == ZL_OK)
		code = keep_load(join, err);
	if (code == ZL_OK)
		sleep_for(join, 0);
	else
		join_close(&join);
	*out = join;
	return code;
}

void join_close(struct join **joinp)
{
	struct join *join = *joinp;

	*joinp = NULL;
	if (join == NULL)
		return;
	ask_free(&join->ask);
	loop_timer_free(&join->timer);
	pki_tls_drop(&join->tls);
	keep_wipe(&join->token);
	keep_wipe(&join->refused_token);
	free(join->roots);
	free(join->folder);
	free(join);
}

struct pki_tls *join_tls(const struct join *join)
{
	return join->tls;
}

struct join_view join_view(const struct join *join)
{
	const char *state = join->tls == NULL ? "joining"
			    : !is_valid(join) ? "expired"
			    : join->refused   ? "refused"
					      : "joined";

	return (struct join_view){ .state = state,
				   .serial = join->facts.serial,
				   .ends_s = join->facts.ends_s,
				   .error = join->error };
}
