#include "global/trust/trust.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/authority.h"
#include "pki/pair.h"
#include "pki/tls.h"
#include "pki/token.h"

#include <stdlib.h>
#include <string.h>

static const char IDENTITY[] = "spiffe://zonelink/global";

enum {
	LOOK_S = 3600,  /* wall time may jump: look at it that often */
	AGAIN_S = 60,   /* after a renewal that failed */
	AGAIN_PART = 30 /* but no later than this part of the certificate's life */
};

struct trust {
	struct trust_setup setup;
	char *folder; /* owned */
	struct pki_authority *authority;
	char fingerprint[PKI_FINGERPRINT];
	struct pki_signer *joins, *users;
	struct pki_facts facts;    /* of the own certificate */
	struct pki_tls *hub, *api; /* held */
	struct loop_timer *timer;
};

static uint64_t wall_s(void)
{
	return zl_wall_us() / 1000000;
}

static struct pki_place place_of(const struct trust *trust)
{
	return (struct pki_place){ trust->setup.vault, trust->folder, "global" };
}

/* ---- the own certificate ---- */

static enum zl_code use_pair(struct trust *trust, const struct pki_pair *pair,
			     struct zl_err *err)
{
	struct pki_tls_setup setup = { .server = true,
				       .chain = pair->chain,
				       .key = pair->key,
				       .roots = pki_authority_root(trust->authority),
				       .peer = PKI_PEER_REQUIRED };
	struct pki_tls *hub = NULL;
	struct pki_tls *api = NULL;

	enum zl_code code = pki_tls_new(&hub, &setup, err);
	setup.peer = PKI_PEER_OPTIONAL;
	if (code == ZL_OK)
		code = pki_tls_new(&api, &setup, err);
	if (code != ZL_OK) {
		pki_tls_drop(&hub);
		return code;
	}
	pki_tls_drop(&trust->hub);
	pki_tls_drop(&trust->api);
	trust->hub = hub;
	trust->api = api;
	trust->facts = pair->facts;
	return ZL_OK;
}

/* Is it still good, and of the authority that there is? */
static bool is_good(const struct trust *trust, const struct pki_pair *pair)
{
	uint64_t now = wall_s();

	return strcmp(pair->facts.identity, IDENTITY) == 0 &&
	       now >= pair->facts.begins_s && now < pki_renew_s(&pair->facts) &&
	       strstr(pair->chain, pki_authority_root(trust->authority)) != NULL;
}

static enum zl_code make_pair(const struct trust *trust, struct zl_err *err)
{
	const struct pki_place place = place_of(trust);
	const struct pki_grant grant = { .identity = IDENTITY,
					 .lifetime_s = trust->setup.certificate_s,
					 .server = true };
	struct pki_certificate made = { 0 };
	char *key = NULL;
	char *request = NULL;

	enum zl_code code = pki_pair_next(&place, &key, err);
	if (code == ZL_OK)
		code = pki_request_new(key, IDENTITY, &request, err);
	if (code == ZL_OK)
		code = pki_sign(trust->authority, request, &grant, &made, err);
	if (code == ZL_OK)
		code = pki_pair_keep(&place, made.chain, err);
	pki_certificate_fini(&made);
	free(request);
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
	return code;
}

/* Use the certificate that is there, or another one when it is not good any more. */
static enum zl_code take_pair(struct trust *trust, struct zl_err *err)
{
	const struct pki_place place = place_of(trust);
	struct pki_pair pair;

	enum zl_code code = pki_pair_load(&pair, &place, err);
	if (code == ZL_OK && is_good(trust, &pair)) {
		code = use_pair(trust, &pair, err);
		pki_pair_fini(&pair);
		return code;
	}
	/* Damaged or another authority's: what is signed here needs nobody's help. */
	pki_pair_fini(&pair);
	code = make_pair(trust, err);
	if (code == ZL_OK)
		code = pki_pair_load(&pair, &place, err);
	if (code != ZL_OK)
		return code;
	code = use_pair(trust, &pair, err);
	zl_log(ZL_INFO, "trust", "new certificate of global", "serial=%s expires_s=%llu",
	       pair.facts.serial, (unsigned long long)pair.facts.ends_s);
	pki_pair_fini(&pair);
	return code;
}

static void look_later(struct trust *trust)
{
	uint64_t now = wall_s();
	uint64_t due = pki_renew_s(&trust->facts);
	uint64_t wait = due > now ? due - now : 0;

	loop_timer_set(trust->timer, 1000 * (wait < LOOK_S ? wait : LOOK_S));
}

static void on_timer(void *arg)
{
	struct trust *trust = arg;
	struct zl_err err = { 0 };
	uint64_t again = trust->setup.certificate_s / AGAIN_PART + 1;

	if (wall_s() < pki_renew_s(&trust->facts)) {
		look_later(trust);
		return;
	}
	if (take_pair(trust, &err) == ZL_OK) {
		trust->setup.renewed(trust->setup.owner);
		look_later(trust);
		return;
	}
	zl_log(ZL_ERROR, "trust", "the certificate of global cannot be renewed", "err=%q",
	       err.msg);
	loop_timer_set(trust->timer, 1000 * (again < AGAIN_S ? again : AGAIN_S));
}

/* ---- the room ---- */

static enum zl_code open_signer(const struct trust *trust, struct pki_signer **out,
				const char *name, struct zl_err *err)
{
	char *path = zl_format("%s/%s", trust->folder, name);
	enum zl_code code = pki_signer_open(out, path, trust->setup.vault, err);

	free(path);
	return code;
}

enum zl_code trust_open(struct trust **out, const struct trust_setup *setup,
			struct zl_err *err)
{
	struct trust *trust = zl_alloc(1, sizeof(*trust));
	enum zl_code code;

	trust->setup = *setup;
	trust->folder = zl_strdup(setup->folder);
	trust->timer = loop_timer_new(setup->loop, on_timer, trust);
	(void)((code = pki_authority_open(&trust->authority, setup->folder,
					  "Zonelink zones", setup->vault, err)) !=
		       ZL_OK ||
	       (code = pki_fingerprint(pki_authority_root(trust->authority),
				       trust->fingerprint, err)) != ZL_OK ||
	       (code = open_signer(trust, &trust->joins, "joins.key", err)) != ZL_OK ||
	       (code = open_signer(trust, &trust->users, "users.key", err)) != ZL_OK ||
	       (code = take_pair(trust, err)) != ZL_OK);
	if (code == ZL_OK)
		look_later(trust);
	else
		trust_close(&trust);
	*out = trust;
	return code;
}

void trust_close(struct trust **trustp)
{
	struct trust *trust = *trustp;

	*trustp = NULL;
	if (trust == NULL)
		return;
	loop_timer_free(&trust->timer);
	pki_tls_drop(&trust->hub);
	pki_tls_drop(&trust->api);
	pki_signer_close(&trust->joins);
	pki_signer_close(&trust->users);
	pki_authority_close(&trust->authority);
	free(trust->folder);
	free(trust);
}

const struct pki_authority *trust_authority(const struct trust *trust)
{
	return trust->authority;
}

const char *trust_fingerprint(const struct trust *trust)
{
	return trust->fingerprint;
}

const struct pki_signer *trust_joins(const struct trust *trust)
{
	return trust->joins;
}

const struct pki_signer *trust_users(const struct trust *trust)
{
	return trust->users;
}

struct pki_tls *trust_hub(const struct trust *trust)
{
	return trust->hub;
}

struct pki_tls *trust_api(const struct trust *trust)
{
	return trust->api;
}
