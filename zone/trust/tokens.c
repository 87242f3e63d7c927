/* Tokens of proxies: made, and judged. */
#include "base/mem.h"
#include "zone/trust/inside.h"

#include <string.h>

const char *trust_reason_name(enum trust_reason reason)
{
	static const char *const NAMES[] = {
		[TRUST_NO_TOKEN] = "no_token",
		[TRUST_BAD_TOKEN] = "bad_token",
		[TRUST_EXPIRED] = "expired_token",
		[TRUST_REVOKED] = "revoked_token",
		[TRUST_WRONG_KIND] = "wrong_kind",
		[TRUST_WRONG_ZONE] = "wrong_zone",
		[TRUST_WRONG_PROXY] = "wrong_proxy",
		[TRUST_UNKNOWN_PROXY] = "unknown_proxy",
		[TRUST_ADMITTED] = "admitted",
	};

	return NAMES[reason];
}

enum zl_code trust_token(const struct trust *trust, struct pki_claims *claims,
			 uint64_t seconds, char **token, char id[PKI_TOKEN_ID],
			 struct zl_err *err)
{
	claims->zone = trust->setup.zone;
	claims->issued_s = trust_wall_s();
	claims->expires_s = claims->issued_s + seconds;
	return pki_token_sign(trust->signer, claims, token, id, err);
}

/* ---- judging ---- */

struct showing {
	struct trust *trust;
	const struct trust_proxy *proxy;
	const char *token;
	size_t len;
	struct zl_arena *arena;
	struct pki_claims claims; /* once they are proven */
	struct zl_err *err;
};

static enum trust_reason refuse(struct showing *showing, enum trust_reason reason,
				const char *why)
{
	(void)zl_fail(showing->err, ZL_EACCES, "%s", why);
	return reason;
}

static bool is_signed(struct showing *showing, enum pki_token_kind kind, uint64_t now_s)
{
	return pki_token_check(showing->trust->signer, showing->token, showing->len, kind,
			       now_s, showing->arena, &showing->claims, NULL) == ZL_OK;
}

/* A token that was not taken: is it a true one that is out of date, or of the other kind?
 * err has what the check said and keeps it. */
static enum trust_reason why_not(struct showing *showing, enum pki_token_kind wanted)
{
	enum pki_token_kind other = wanted == PKI_TOKEN_DATAPLANE ? PKI_TOKEN_ZONE_PROXY
								  : PKI_TOKEN_DATAPLANE;
	uint64_t now = trust_wall_s();
	struct pki_claims said;

	if (is_signed(showing, other, now))
		return TRUST_WRONG_KIND;
	if (pki_token_peek(showing->token, showing->len, showing->arena, &said, NULL) ==
		    ZL_OK &&
	    said.expires_s <= now && is_signed(showing, wanted, said.issued_s))
		return TRUST_EXPIRED;
	return TRUST_BAD_TOKEN;
}

static enum trust_reason judge_dataplane(struct showing *showing)
{
	const struct trust_proxy *proxy = showing->proxy;
	const struct pki_claims *claims = &showing->claims;

	if (claims->name[0] != '\0') {
		const char *id = zl_arena_format(showing->arena, "%s.%s", claims->mesh,
						 claims->name);
		const char *mesh = proxy->mesh != NULL ? proxy->mesh : claims->mesh;
		if (strcmp(id, proxy->id) != 0 || strcmp(claims->mesh, mesh) != 0)
			return refuse(showing, TRUST_WRONG_PROXY,
				      "the token is for another Dataplane");
		/* "a.b.c" is c of mesh a.b as well as b.c of mesh a. */
		if (proxy->mesh == NULL && strchr(id, '.') != strrchr(id, '.'))
			return refuse(showing, TRUST_UNKNOWN_PROXY,
				      "no such Dataplane is registered yet");
		return TRUST_ADMITTED;
	}
	if (claims->service[0] == '\0')
		return refuse(showing, TRUST_WRONG_PROXY,
			      "the token is for no name and no service");
	if (proxy->mesh == NULL)
		return refuse(showing, TRUST_UNKNOWN_PROXY,
			      "the token is for a service, and no such Dataplane is "
			      "registered yet");
	if (strcmp(claims->mesh, proxy->mesh) != 0)
		return refuse(showing, TRUST_WRONG_PROXY,
			      "the token is for another mesh");
	if (!proxy->offers(proxy->resource, claims->service))
		return refuse(showing, TRUST_WRONG_PROXY,
			      "the token is for a service that the Dataplane does not "
			      "offer");
	return TRUST_ADMITTED;
}

static enum trust_reason judge_zone_proxy(struct showing *showing)
{
	const struct trust_proxy *proxy = showing->proxy;
	const struct pki_claims *claims = &showing->claims;

	if (proxy->name == NULL)
		return refuse(showing, TRUST_UNKNOWN_PROXY,
			      "no such ZoneIngress or ZoneEgress is registered");
	if (strcmp(claims->proxy, proxy->kind) != 0)
		return refuse(showing, TRUST_WRONG_PROXY,
			      "the token is for the other kind of zone proxy");
	if (claims->name[0] != '\0' && strcmp(claims->name, proxy->name) != 0)
		return refuse(showing, TRUST_WRONG_PROXY,
			      "the token is for another zone proxy");
	return TRUST_ADMITTED;
}

/* Is the token one of this zone, for what is wanted? */
static enum trust_reason judge_token(struct showing *showing, enum pki_token_kind wanted)
{
	const struct trust *trust = showing->trust;

	if (showing->token == NULL || showing->len == 0)
		return refuse(showing, TRUST_NO_TOKEN, "no token was shown");
	if (pki_token_check(trust->signer, showing->token, showing->len, wanted,
			    trust_wall_s(), showing->arena, &showing->claims,
			    showing->err) != ZL_OK)
		return why_not(showing, wanted);
	if (strcmp(showing->claims.zone, trust->setup.zone) != 0)
		return refuse(showing, TRUST_WRONG_ZONE, "the token is for another zone");
	if (trust->revoked != NULL &&
	    trust->revoked(trust->revoked_owner, showing->claims.id))
		return refuse(showing, TRUST_REVOKED, "the token was taken back");
	return TRUST_ADMITTED;
}

static enum trust_reason judge(struct showing *showing)
{
	const struct trust_proxy *proxy = showing->proxy;
	bool is_dataplane = proxy == NULL || proxy->kind == NULL;
	enum trust_reason reason = judge_token(
		showing, is_dataplane ? PKI_TOKEN_DATAPLANE : PKI_TOKEN_ZONE_PROXY);

	if (proxy == NULL && reason == TRUST_WRONG_KIND)
		return judge_token(showing, PKI_TOKEN_ZONE_PROXY);
	if (proxy == NULL || reason != TRUST_ADMITTED)
		return reason;
	return is_dataplane ? judge_dataplane(showing) : judge_zone_proxy(showing);
}

enum trust_reason trust_admit(struct trust *trust, const struct trust_proxy *proxy,
			      const char *token, struct zl_err *err)
{
	struct showing showing = { .trust = trust,
				   .proxy = proxy,
				   .token = token,
				   .len = token != NULL ? strlen(token) : 0,
				   .arena = zl_arena_new(),
				   .err = err };
	enum trust_reason reason = judge(&showing);

	if (reason != TRUST_ADMITTED)
		trust->counts[reason]++;
	zl_arena_free(&showing.arena);
	return reason;
}
