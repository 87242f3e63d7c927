#include "zone/trust/trust.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/authority.h"
#include "pki/tls.h"
#include "zone/trust/inside.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS_MAX = 60 * 60 * 1000, LOOK_MS_MIN = 200, RETRY_MS = 60 * 1000 };

uint64_t trust_wall_s(void)
{
	return zl_wall_us() / 1000000;
}

/* ---- the server's certificate ---- */

/* A key that exists in memory only, and a certificate for it. */
static enum zl_code certify(struct trust *trust, char **key,
			    struct pki_certificate *certificate, struct zl_err *err)
{
	const struct pki_grant grant = { .identity = trust->identity,
					 .lifetime_s = trust->setup.certificate_s,
					 .server = true };
	char *request = NULL;

	enum zl_code code = pki_key_new(key, err);
	if (code == ZL_OK)
		code = pki_request_new(*key, trust->identity, &request, err);
	if (code == ZL_OK)
		code = pki_sign(trust->authority, request, &grant, certificate, err);
	free(request);
	return code;
}

static enum zl_code context(const struct pki_certificate *certificate, const char *key,
			    const char *alpn, struct pki_tls **out, struct zl_err *err)
{
	const struct pki_tls_setup setup = { .server = true,
					     .chain = certificate->chain,
					     .key = key,
					     .peer = PKI_PEER_NONE,
					     .alpn = alpn };

	return pki_tls_new(out, &setup, err);
}

/* Whoever listens is told before the old ones are dropped. */
static void take(struct trust *trust, struct pki_tls *tls, struct pki_tls *api)
{
	struct pki_tls *old = trust->tls, *old_api = trust->api;

	trust->tls = tls;
	trust->api = api;
	if (trust->renewed != NULL)
		trust->renewed(trust->owner, tls);
	if (trust->api_renewed != NULL)
		trust->api_renewed(trust->api_owner, api);
	pki_tls_drop(&old);
	pki_tls_drop(&old_api);
}

static enum zl_code renew(struct trust *trust, struct zl_err *err)
{
	struct pki_certificate certificate = { 0 };
	struct pki_tls *tls = NULL, *api = NULL;
	char *key = NULL;

	enum zl_code code = certify(trust, &key, &certificate, err);
	if (code == ZL_OK)
		code = context(&certificate, key, "h2", &tls, err);
	if (code == ZL_OK)
		code = context(&certificate, key, "http/1.1", &api, err);
	if (code == ZL_OK) {
		take(trust, tls, api);
		trust->renew_s = certificate.ends_s - trust->setup.certificate_s / 3;
		zl_log(ZL_INFO, "trust", "the zone's servers have a new certificate",
		       "identity=%q serial=%s seconds=%u", trust->identity,
		       certificate.serial, trust->setup.certificate_s);
	} else {
		pki_tls_drop(&tls);
	}
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
	pki_certificate_fini(&certificate);
	return code;
}

/* Wall time decides, so it is looked at again and again: it may be set meanwhile. */
static void look_again(struct trust *trust, bool failed)
{
	uint64_t now = trust_wall_s();
	uint64_t ms = trust->renew_s > now ? (trust->renew_s - now) * 1000 : LOOK_MS_MIN;

	if (failed)
		ms = RETRY_MS;
	if (ms > LOOK_MS_MAX)
		ms = LOOK_MS_MAX;
	loop_timer_set(trust->look, ms);
}

static void on_look(void *arg)
{
	struct trust *trust = arg;
	struct zl_err err = { 0 };
	bool failed = false;

	if (trust_wall_s() >= trust->renew_s)
		failed = renew(trust, &err) != ZL_OK;
	if (failed)
		zl_log(ZL_ERROR, "trust", "no new certificate for the zone's servers",
		       "err=%q", err.msg);
	look_again(trust, failed);
}

/* ---- life ---- */

static enum zl_code open_all(struct trust *trust, struct zl_err *err)
{
	const struct trust_setup *setup = &trust->setup;
	char *path = zl_format("%s/tokens.key", setup->folder);
	char *users = zl_format("%s/users.key", setup->folder);
	char *name = zl_format("zone %s", setup->zone);

	enum zl_code code = pki_authority_open(&trust->authority, setup->folder, name,
					       setup->vault, err);
	if (code == ZL_OK)
		code = pki_signer_open(&trust->signer, path, setup->vault, err);
	if (code == ZL_OK)
		code = pki_signer_open(&trust->users, users, setup->vault, err);
	if (code == ZL_OK)
		code = renew(trust, err);
	if (code == ZL_OK)
		look_again(trust, false);
	free(name);
	free(path);
	free(users);
	return code;
}

enum zl_code trust_open(struct trust **out, const struct trust_setup *setup,
			struct zl_err *err)
{
	struct trust *trust = zl_alloc(1, sizeof(*trust));

	*out = NULL;
	trust->setup = *setup;
	trust->identity = zl_format("spiffe://zonelink/zone/%s", setup->zone);
	trust->look = loop_timer_new(setup->loop, on_look, trust);
	enum zl_code code = open_all(trust, err);
	if (code != ZL_OK)
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
	loop_timer_free(&trust->look);
	pki_tls_drop(&trust->tls);
	pki_tls_drop(&trust->api);
	pki_signer_close(&trust->users);
	pki_signer_close(&trust->signer);
	pki_authority_close(&trust->authority);
	free(trust->identity);
	free(trust);
}

struct pki_tls *trust_tls(const struct trust *trust)
{
	return trust->tls;
}

void trust_watch(struct trust *trust, void (*renewed)(void *owner, struct pki_tls *tls),
		 void *owner)
{
	trust->renewed = renewed;
	trust->owner = owner;
}

struct pki_tls *trust_api(const struct trust *trust)
{
	return trust->api;
}

void trust_watch_api(struct trust *trust,
		     void (*renewed)(void *owner, struct pki_tls *tls), void *owner)
{
	trust->api_renewed = renewed;
	trust->api_owner = owner;
}

const struct pki_signer *trust_users(const struct trust *trust)
{
	return trust->users;
}

const char *trust_root(const struct trust *trust)
{
	return pki_authority_root(trust->authority);
}

const char *trust_identity(const struct trust *trust)
{
	return trust->identity;
}

void trust_revoked(struct trust *trust, bool (*revoked)(void *owner, const char *id),
		   void *owner)
{
	trust->revoked = revoked;
	trust->revoked_owner = owner;
}

const uint64_t *trust_counts(const struct trust *trust)
{
	return trust->counts;
}
