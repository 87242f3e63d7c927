#include "pki/token.h"

#include "pki/vault.h"

#include "support/test.h"
#include "support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1800000000 };

struct fixture {
	struct tmp tmp;
	struct pki_signer *signer;
	struct zl_arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = zl_alloc(1, sizeof(*f));
	struct zl_err err = { 0 };

	tmp_make(&f->tmp);
	f->arena = zl_arena_new();
	if (pki_signer_open(&f->signer, tmp_path(&f->tmp, "a.key"), NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pki_signer_close(&f->signer);
	zl_arena_free(&f->arena);
	tmp_remove(&f->tmp);
	free(f);
	return 0;
}

static const struct pki_claims JOIN = { .kind = PKI_TOKEN_JOIN,
					.zone = "east",
					.ca = "0123",
					.issued_s = NOW,
					.expires_s = NOW + 3600 };

static char *token_of(const struct fixture *f, const struct pki_claims *claims)
{
	char *token;
	struct zl_err err = { 0 };

	if (pki_token_sign(f->signer, claims, &token, NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return token;
}

static enum zl_code check(const struct fixture *f, const char *token, uint64_t now,
			  struct pki_claims *claims, struct zl_err *err)
{
	*err = (struct zl_err){ 0 };
	return pki_token_check(f->signer, token, strlen(token), PKI_TOKEN_JOIN, now,
			       f->arena, claims, err);
}

static void refused(const struct fixture *f, const char *token, const char *why)
{
	struct pki_claims claims;
	struct zl_err err;

	if (check(f, token, NOW, &claims, &err) != ZL_EACCES)
		fail_msg("taken: %s", token);
	if (strstr(err.msg, why) == NULL)
		fail_msg("\"%s\", not \"%s\"", err.msg, why);
	assert_int_equal(claims.kind, PKI_TOKEN_KINDS);
}

static void what_was_signed_is_said(void **state)
{
	const struct fixture *f = *state;
	struct pki_claims claims;
	struct zl_err err;
	char *token;
	char id[PKI_TOKEN_ID];

	assert_int_equal(pki_token_sign(f->signer, &JOIN, &token, id, &err), ZL_OK);
	assert_int_equal(check(f, token, NOW, &claims, &err), ZL_OK);
	assert_int_equal(claims.kind, PKI_TOKEN_JOIN);
	assert_string_equal(claims.zone, "east");
	assert_string_equal(claims.ca, "0123");
	assert_string_equal(claims.mesh, "");
	assert_string_equal(claims.id, id);
	assert_int_equal(strlen(id), PKI_TOKEN_ID - 1);
	assert_int_equal(claims.expires_s, NOW + 3600);
	assert_int_equal(pki_token_peek(token, strlen(token), f->arena, &claims, &err),
			 ZL_OK);
	assert_string_equal(claims.zone, "east");
	free(token);
}

static void the_key_is_kept(void **state)
{
	struct fixture *f = *state;
	char *token = token_of(f, &JOIN);
	struct pki_claims claims;
	struct pki_vault *vault;
	struct pki_signer *sealed;
	struct zl_err err = { 0 };

	pki_signer_close(&f->signer);
	assert_int_equal(
		pki_signer_open(&f->signer, tmp_path(&f->tmp, "a.key"), NULL, &err),
		ZL_OK);
	assert_int_equal(check(f, token, NOW, &claims, &err), ZL_OK);
	assert_int_equal(pki_vault_open(&vault, tmp_path(&f->tmp, "key"), true, &err),
			 ZL_OK);
	for (int i = 0; i < 2; i++) { /* made, then loaded */
		assert_int_equal(
			pki_signer_open(&sealed, tmp_path(&f->tmp, "b.key"), vault, &err),
			ZL_OK);
		pki_signer_close(&sealed);
	}
	/* The other one's file is not sealed. */
	assert_int_equal(
		pki_signer_open(&sealed, tmp_path(&f->tmp, "a.key"), vault, &err),
		ZL_ECORRUPT);
	pki_vault_close(&vault);
	free(token);
}

static void times_are_kept_to(void **state)
{
	const struct fixture *f = *state;
	char *token = token_of(f, &JOIN);
	struct pki_claims claims;
	struct zl_err err;

	assert_int_equal(check(f, token, NOW + 3599, &claims, &err), ZL_OK);
	assert_int_equal(check(f, token, NOW + 3600, &claims, &err), ZL_EACCES);
	assert_string_equal(err.msg, "token: expired");
	assert_int_equal(check(f, token, NOW - 60, &claims, &err), ZL_OK);
	assert_int_equal(check(f, token, NOW - 61, &claims, &err), ZL_EACCES);
	assert_non_null(strstr(err.msg, "in the future"));
	free(token);
}

static void another_signer_or_kind_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pki_claims user = JOIN;
	struct pki_signer *own = f->signer;
	struct zl_err err = { 0 };

	user.kind = PKI_TOKEN_USER;
	char *token = token_of(f, &user);
	refused(f, token, "for something else");
	free(token);
	assert_int_equal(
		pki_signer_open(&f->signer, tmp_path(&f->tmp, "c.key"), NULL, &err),
		ZL_OK);
	token = token_of(f, &JOIN);
	pki_signer_close(&f->signer);
	f->signer = own;
	refused(f, token, "another key");
	free(token);
}

/* base64url of text, as a part of a token. */
static void add_part(struct zl_buf *to, const char *text)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_";
	size_t len = strlen(text);

	for (size_t bit = 0; bit < 8 * len; bit += 6) {
		unsigned value = 0;
		for (size_t i = bit; i < bit + 6; i++)
			value = value << 1 |
				(i < 8 * len ? (unsigned)text[i / 8] >> (7 - i % 8) & 1
					     : 0);
		zl_buf_char(to, DIGITS[value]);
	}
}

/* A forged token: header and claims as given, the signature of a good one. */
static char *forged(const struct fixture *f, const char *header, const char *claims)
{
	char *good = token_of(f, &JOIN);
	struct zl_buf made = { 0 };

	if (header != NULL)
		add_part(&made, header);
	else
		zl_buf_add(&made, good, strcspn(good, "."));
	zl_buf_char(&made, '.');
	add_part(&made, claims);
	zl_buf_str(&made, strrchr(good, '.'));
	char *token = zl_strdup(made.data);
	zl_buf_free(&made);
	free(good);
	return token;
}

static void forgeries_are_refused(void **state)
{
	static const char CLAIMS[] =
		"{\"aud\":\"zonelink/join\",\"exp\":1900000000,\"iat\":"
		"1800000000,\"jti\":\"x\",\"zone\":\"west\"}";
	static const struct {
		const char *header, *why;
	} CASES[] = {
		{ "{\"alg\":\"none\",\"typ\":\"JWT\"}", "not signed with EdDSA" },
		{ "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "not signed with EdDSA" },
		{ "{\"alg\":\"eddsa\",\"typ\":\"JWT\"}", "not signed with EdDSA" },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"../../a.key\",\"typ\":\"JWT\"}",
		  "another key" },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"crit\":[\"x\"]}", "critical" },
		{ "{\"alg\":\"EdDSA\"}", "not a JWT" },
		{ "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
		  "not a token" },
		{ "[\"EdDSA\"]", "not a token" },
		{ "", "not a token" },
		{ NULL, "signature" },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		char *token = forged(f, CASES[i].header, CLAIMS);
		refused(f, token, CASES[i].why);
		free(token);
	}
}

/* Also where the signature is good: readers differ in which of two they take. */
static void doubled_claims_are_refused(void **state)
{
	const struct fixture *f = *state;
	struct pki_claims claims;
	struct zl_err err = { 0 };
	char *token =
		forged(f, NULL,
		       "{\"aud\":\"zonelink/join\",\"exp\":1900000000,\"iat\":"
		       "1800000000,\"jti\":\"x\",\"zone\":\"east\",\"zone\":\"west\"}");

	assert_int_equal(pki_token_peek(token, strlen(token), f->arena, &claims, &err),
			 ZL_EINVAL);
	assert_string_equal(err.msg, "token: not a token");
	free(token);
	token = forged(f, NULL,
		       "{\"aud\":\"zonelink/join\",\"exp\":1900000000,\"iat\":1800000000,"
		       "\"jti\":\"x\",\"zone\":\"west\"}");
	assert_int_equal(pki_token_peek(token, strlen(token), f->arena, &claims, &err),
			 ZL_OK);
	assert_string_equal(claims.zone, "west");
	free(token);
}

static void each_changed_byte_is_noticed(void **state)
{
	const struct fixture *f = *state;
	char *token = token_of(f, &JOIN);
	struct pki_claims claims;
	struct zl_err err;

	for (size_t i = 0; token[i] != '\0'; i++)
		for (int bit = 0; bit < 7; bit++) {
			token[i] = (char)(token[i] ^ 1 << bit);
			if (pki_token_check(f->signer, token, strlen(token),
					    PKI_TOKEN_JOIN, NOW, f->arena, &claims,
					    &err) == ZL_OK)
				fail_msg("byte %zu bit %d", i, bit);
			token[i] = (char)(token[i] ^ 1 << bit);
			zl_arena_reset(f->arena);
		}
	for (size_t len = 0; len < strlen(token); len++)
		assert_int_equal(pki_token_check(f->signer, token, len, PKI_TOKEN_JOIN,
						 NOW, f->arena, &claims, &err),
				 ZL_EACCES);
	assert_int_equal(check(f, token, NOW, &claims, &err), ZL_OK);
	free(token);
}

static void what_is_no_token_is_refused_fast(void **state)
{
	const struct fixture *f = *state;
	size_t len = 1 << 20;
	char *large = zl_alloc(1, len + 1);

	memset(large, 'a', len);
	refused(f, large, "not a token");
	memset(large, '.', len);
	refused(f, large, "not a token");
	refused(f, "", "not a token");
	refused(f, "..", "not a token");
	refused(f, "a.b", "not a token");
	refused(f, "a.b.c.d", "not a token");
	free(large);
}

static void a_token_has_its_limit(void **state)
{
	const struct fixture *f = *state;
	struct pki_claims claims = JOIN;
	struct zl_err err = { 0 };
	char *name = zl_alloc(1, PKI_TOKEN_MAX);
	char *token;

	memset(name, 'n', PKI_TOKEN_MAX - 1);
	claims.name = name;
	assert_int_equal(pki_token_sign(f->signer, &claims, &token, NULL, &err),
			 ZL_ELIMIT);
	assert_null(token);
	free(name);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_signed_is_said),
		TEST(the_key_is_kept),
		TEST(times_are_kept_to),
		TEST(another_signer_or_kind_is_refused),
		TEST(forgeries_are_refused),
		TEST(doubled_claims_are_refused),
		TEST(each_changed_byte_is_noticed),
		TEST(what_is_no_token_is_refused_fast),
		TEST(a_token_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
