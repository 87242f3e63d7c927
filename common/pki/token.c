#include "pki/token.h"

#include "base/base64.h"
#include "base/hash.h"
#include "pki/vault.h"
#include "pki/x509.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SEED = 32, /* of an Ed25519 key */
	SIGNATURE = 64,
	KEY_ID = 16,
	SKEW_S = 60,
};

static const char SEED_CONTEXT[] = "token key";

static const char *const KINDS[PKI_TOKEN_KINDS] = {
	[PKI_TOKEN_JOIN] = "zonelink/join",
	[PKI_TOKEN_DATAPLANE] = "zonelink/dataplane",
	[PKI_TOKEN_ZONE_PROXY] = "zonelink/zone-proxy",
	[PKI_TOKEN_USER] = "zonelink/user",
};

struct pki_signer {
	EVP_PKEY *key;
	char id[KEY_ID + 1];
};

/* ---- base64url, without padding ---- */

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789-_";

/* Only the one form that zl_base64_url makes. */
static bool decode(const char *text, size_t len, struct zl_buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = text[i] != '\0' ? strchr(DIGITS, text[i]) : NULL;
		if (at == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(at - DIGITS);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		zl_buf_char(out, (char)(bits >> have & 255));
	}
	return len % 4 != 1 && (bits & ((1U << have) - 1)) == 0;
}

/* ---- the signer ---- */

static bool name_key(struct pki_signer *signer)
{
	uint8_t public[SEED];
	size_t len = sizeof(public);
	uint8_t hash[ZL_SHA256];

	if (EVP_PKEY_get_raw_public_key(signer->key, public, &len) != 1)
		return false;
	const struct zl_run run = { public, len };
	zl_sha256(&run, 1, hash);
	zl_hex(hash, KEY_ID / 2, signer->id);
	return true;
}

static enum zl_code make_seed(const char *path, const struct pki_vault *vault,
			      struct zl_err *err)
{
	uint8_t seed[SEED];

	zl_random(seed, sizeof(seed));
	enum zl_code code =
		pki_file_keep(path, vault, SEED_CONTEXT, seed, sizeof(seed), err);
	OPENSSL_cleanse(seed, sizeof(seed));
	return code;
}

static enum zl_code load_seed(struct pki_signer *signer, const char *path,
			      const struct pki_vault *vault, struct zl_err *err)
{
	struct zl_buf seed = { 0 };

	enum zl_code code = pki_file_kept(path, vault, SEED_CONTEXT, &seed, err);
	if (code == ZL_OK && seed.len == SEED)
		signer->key = EVP_PKEY_new_raw_private_key(
			EVP_PKEY_ED25519, NULL, (const unsigned char *)seed.data, SEED);
	if (code == ZL_OK && (signer->key == NULL || !name_key(signer)))
		code = zl_fail(err, ZL_ECORRUPT, "%s: no key for tokens", path);
	pki_wipe(&seed);
	return code;
}

enum zl_code pki_signer_open(struct pki_signer **out, const char *path,
			     const struct pki_vault *vault, struct zl_err *err)
{
	struct pki_signer *signer = zl_alloc(1, sizeof(*signer));
	enum zl_code code = ZL_OK;

	*out = NULL;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		code = make_seed(path, vault, err);
	if (code == ZL_OK)
		code = load_seed(signer, path, vault, err);
	if (code != ZL_OK)
		pki_signer_close(&signer);
	*out = signer;
	return code;
}

void pki_signer_close(struct pki_signer **signerp)
{
	struct pki_signer *signer = *signerp;

	*signerp = NULL;
	if (signer == NULL)
		return;
	EVP_PKEY_free(signer->key);
	free(signer);
}

/* ---- claims ---- */

/* Each text claim and where it stands. */
static const struct claim {
	const char *name;
	size_t offset;
} CLAIMS[] = {
	{ "jti", offsetof(struct pki_claims, id) },
	{ "zone", offsetof(struct pki_claims, zone) },
	{ "mesh", offsetof(struct pki_claims, mesh) },
	{ "name", offsetof(struct pki_claims, name) },
	{ "service", offsetof(struct pki_claims, service) },
	{ "proxy", offsetof(struct pki_claims, proxy) },
	{ "role", offsetof(struct pki_claims, role) },
	{ "ca", offsetof(struct pki_claims, ca) },
};
enum { CLAIM_COUNT = sizeof(CLAIMS) / sizeof(CLAIMS[0]) };

static const char **claim_at(struct pki_claims *claims, const struct claim *claim)
{
	return (const char **)(void *)((char *)claims + claim->offset);
}

static const char *claim_text(const struct pki_claims *claims, const struct claim *claim)
{
	const char *text;

	memcpy(&text, (const char *)claims + claim->offset, sizeof(text));
	return text != NULL ? text : "";
}

static void encode_json(json_t *json, struct zl_buf *out)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	if (text != NULL)
		zl_base64_url(text, strlen(text), out);
	free(text);
	json_decref(json);
}

static json_t *claims_json(const struct pki_claims *claims, const char *id)
{
	json_t *json = json_object();

	(void)json_object_set_new(json, "aud", json_string(KINDS[claims->kind]));
	(void)json_object_set_new(json, "iat",
				  json_integer((json_int_t)claims->issued_s));
	(void)json_object_set_new(json, "exp",
				  json_integer((json_int_t)claims->expires_s));
	for (size_t i = 0; i < CLAIM_COUNT; i++) {
		const char *text = claim_text(claims, &CLAIMS[i]);
		if (text[0] != '\0')
			(void)json_object_set_new(json, CLAIMS[i].name,
						  json_string(text));
	}
	(void)json_object_set_new(json, "jti", json_string(id));
	return json;
}

static bool sign(const struct pki_signer *signer, struct zl_buf *token)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[SIGNATURE];
	size_t len = sizeof(signature);
	bool ok = ctx != NULL &&
		  EVP_DigestSignInit(ctx, NULL, NULL, NULL, signer->key) == 1 &&
		  EVP_DigestSign(ctx, signature, &len, (const uint8_t *)token->data,
				 token->len) == 1;

	EVP_MD_CTX_free(ctx);
	if (ok) {
		zl_buf_char(token, '.');
		zl_base64_url(signature, len, token);
	}
	return ok;
}

enum zl_code pki_token_sign(const struct pki_signer *signer,
			    const struct pki_claims *claims, char **token,
			    char id[PKI_TOKEN_ID], struct zl_err *err)
{
	struct zl_buf made = { 0 };
	char own[PKI_TOKEN_ID];
	uint8_t dice[PKI_TOKEN_ID / 2];

	*token = NULL;
	zl_random(dice, sizeof(dice));
	zl_hex(dice, sizeof(dice), own);
	if (claims->id != NULL && claims->id[0] != '\0')
		(void)snprintf(own, sizeof(own), "%s", claims->id);
	encode_json(json_pack("{s:s, s:s, s:s}", "alg", "EdDSA", "kid", signer->id, "typ",
			      "JWT"),
		    &made);
	zl_buf_char(&made, '.');
	encode_json(claims_json(claims, own), &made);
	enum zl_code code = ZL_OK;
	if (!sign(signer, &made))
		code = x509_fail(err, ZL_EIO, "the token cannot be signed");
	else if (made.len > PKI_TOKEN_MAX)
		code = zl_fail(err, ZL_ELIMIT, "a token of more than %d bytes",
			       PKI_TOKEN_MAX);
	if (code == ZL_OK) {
		*token = zl_strdup(made.data);
		if (id != NULL)
			memcpy(id, own, PKI_TOKEN_ID);
	}
	zl_buf_free(&made);
	return code;
}

/* ---- reading ---- */

struct parts {
	const char *at[3];
	size_t len[3];
};

static bool split(const char *token, size_t len, struct parts *parts)
{
	size_t part = 0;

	*parts = (struct parts){ .at = { token } };
	if (len > PKI_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (token[i] != '.') {
			parts->len[part]++;
			continue;
		}
		if (++part > 2)
			return false;
		parts->at[part] = token + i + 1;
	}
	return part == 2;
}

/* One part as a JSON object without doubled keys; the caller's. NULL: it is none. */
static json_t *part_json(const struct parts *parts, size_t part)
{
	struct zl_buf text = { 0 };
	json_t *json = NULL;

	if (decode(parts->at[part], parts->len[part], &text) && text.len > 0)
		json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	zl_buf_free(&text);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

static const char *text_at(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text != NULL ? text : "";
}

/* The header must say what we write and nothing that we do not know. */
static const char *header_fault(const struct parts *parts, const char *kid)
{
	json_t *json = part_json(parts, 0);
	const char *fault = NULL;

	if (json == NULL)
		return "not a token";
	if (strcmp(text_at(json, "alg"), "EdDSA") != 0)
		fault = "not signed with EdDSA";
	else if (json_object_get(json, "crit") != NULL)
		fault = "critical headers are not known";
	else if (strcmp(text_at(json, "typ"), "JWT") != 0)
		fault = "not a JWT";
	else if (kid != NULL && strcmp(text_at(json, "kid"), kid) != 0)
		fault = "signed with another key";
	json_decref(json);
	return fault;
}

static bool is_signed(const struct pki_signer *signer, const char *token,
		      const struct parts *parts)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct zl_buf signature = { 0 };
	size_t body = (size_t)(parts->at[2] - token) - 1;
	bool ok = ctx != NULL && decode(parts->at[2], parts->len[2], &signature) &&
		  signature.len == SIGNATURE &&
		  EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, signer->key) == 1 &&
		  EVP_DigestVerify(ctx, (const uint8_t *)signature.data, signature.len,
				   (const uint8_t *)token, body) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	zl_buf_free(&signature);
	return ok;
}

static bool time_at(const json_t *json, const char *name, uint64_t *out)
{
	const json_t *value = json_object_get(json, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static enum pki_token_kind kind_of(const char *audience)
{
	enum pki_token_kind kind = 0;

	while (kind < PKI_TOKEN_KINDS && strcmp(KINDS[kind], audience) != 0)
		kind++;
	return kind;
}

/* NULL, or what is wrong with the claims themselves. */
static const char *read_claims(const struct parts *parts, struct zl_arena *arena,
			       struct pki_claims *out)
{
	json_t *json = part_json(parts, 1);
	const char *fault = NULL;

	*out = (struct pki_claims){ .kind = PKI_TOKEN_KINDS };
	if (json == NULL)
		return "not a token";
	out->kind = kind_of(text_at(json, "aud"));
	for (size_t i = 0; i < CLAIM_COUNT; i++) {
		const json_t *value = json_object_get(json, CLAIMS[i].name);
		if (value != NULL && !json_is_string(value))
			fault = "a claim that is no text";
		*claim_at(out, &CLAIMS[i]) =
			zl_arena_strdup(arena, text_at(json, CLAIMS[i].name));
	}
	if (out->kind == PKI_TOKEN_KINDS || out->id[0] == '\0' ||
	    !time_at(json, "iat", &out->issued_s) ||
	    !time_at(json, "exp", &out->expires_s))
		fault = "claims are missing";
	json_decref(json);
	return fault;
}

static const char *claims_fault(const struct pki_claims *claims, enum pki_token_kind kind,
				uint64_t now_s)
{
	if (claims->kind != kind)
		return "a token for something else";
	if (claims->issued_s > now_s + SKEW_S)
		return "not yet valid: issued in the future, do the clocks differ?";
	if (claims->expires_s <= now_s)
		return "expired";
	return NULL;
}

enum zl_code pki_token_check(const struct pki_signer *signer, const char *token,
			     size_t len, enum pki_token_kind kind, uint64_t now_s,
			     struct zl_arena *arena, struct pki_claims *out,
			     struct zl_err *err)
{
	struct parts parts;
	const char *fault = NULL;

	*out = (struct pki_claims){ .kind = PKI_TOKEN_KINDS };
	if (!split(token, len, &parts))
		fault = "not a token";
	if (fault == NULL)
		fault = header_fault(&parts, signer->id);
	if (fault == NULL && !is_signed(signer, token, &parts))
		fault = "its signature is wrong";
	if (fault == NULL)
		fault = read_claims(&parts, arena, out);
	if (fault == NULL)
		fault = claims_fault(out, kind, now_s);
	if (fault == NULL)
		return ZL_OK;
	*out = (struct pki_claims){ .kind = PKI_TOKEN_KINDS };
	return zl_fail(err, ZL_EACCES, "token: %s", fault);
}

enum zl_code pki_token_peek(const char *token, size_t len, struct zl_arena *arena,
			    struct pki_claims *out, struct zl_err *err)
{
	struct parts parts;
	const char *fault = NULL;

	*out = (struct pki_claims){ .kind = PKI_TOKEN_KINDS };
	if (!split(token, len, &parts))
		fault = "not a token";
	if (fault == NULL)
		fault = header_fault(&parts, NULL);
	if (fault == NULL)
		fault = read_claims(&parts, arena, out);
	return fault == NULL ? ZL_OK : zl_fail(err, ZL_EINVAL, "token: %s", fault);
}
