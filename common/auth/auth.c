#include "auth/auth.h"

#include "auth/inside.h"
#include "base/mem.h"
#include "pki/authority.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	enum http_access role;
} ROLES[] = {
	{ "viewer", HTTP_VIEW },
	{ "operator", HTTP_OPERATE },
	{ "admin", HTTP_ADMIN },
};

bool auth_role(const char *word, enum http_access *role)
{
	for (size_t i = 0; i < sizeof(ROLES) / sizeof(ROLES[0]); i++) {
		if (strcmp(ROLES[i].word, word) != 0)
			continue;
		*role = ROLES[i].role;
		return true;
	}
	return false;
}

static bool by_token(const struct auth *auth, const char *token, struct zl_arena *arena,
		     struct http_caller *caller, const char **why)
{
	struct pki_claims claims = { 0 };
	struct zl_err err = { 0 };

	*why = "this server takes no user tokens";
	if (auth->setup.signer == NULL)
		return false;
	if (pki_token_check(auth->setup.signer, token, strlen(token), PKI_TOKEN_USER,
			    wall_s(), arena, &claims, &err) != ZL_OK) {
		*why = zl_arena_strdup(arena, err.msg);
		return false;
	}
	*why = zl_arena_format(arena, "token %s was revoked", claims.id);
	if (auth_is_revoked(auth, claims.id))
		return false;
	*why = "its role is unknown";
	caller->kind = HTTP_USER;
	caller->name = claims.name;
	return auth_role(claims.role, &caller->role);
}

bool auth_authorize(void *arg, const struct http_proof *proof, struct zl_arena *arena,
		    struct http_caller *caller, const char **why)
{
	const struct auth *auth = arg;
	const char *zone = proof->identity != NULL ? pki_zone_of(proof->identity) : NULL;

	if (proof->token != NULL)
		return by_token(auth, proof->token, arena, caller, why);
	if (proof->is_local && auth->setup.local_is_admin)
		*caller = (struct http_caller){ HTTP_LOCAL, HTTP_ADMIN, "" };
	else if (zone != NULL)
		*caller = (struct http_caller){ HTTP_ZONE, HTTP_OPEN, zone };
	return true;
}

enum zl_code auth_open(struct auth **out, const struct auth_setup *setup,
		       struct zl_err *err)
{
	struct auth *auth = zl_alloc(1, sizeof(*auth));

	auth->setup = *setup;
	enum zl_code code = revoked_load(auth, err);
	if (code != ZL_OK) {
		zl_wrap(err, "revoked tokens");
		auth_close(&auth);
	}
	*out = auth;
	return code;
}

void auth_close(struct auth **authp)
{
	struct auth *auth = *authp;
	struct revoking *one;

	*authp = NULL;
	if (auth == NULL)
		return;
	while ((one = auth->revoking) != NULL) { /* whose result never came */
		auth->revoking = one->next;
		free(one);
	}
	free(auth->revoked);
	free(auth);
}
