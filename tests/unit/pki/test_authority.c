#include "made.h"

#include "base/clock.h"
#include "pki/vault.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pki_grant EAST = { "spiffe://zonelink/zone/east", 3600, false, true };

static int setup(void **state)
{
	struct tmp *tmp = malloc(sizeof(*tmp));

	tmp_make(tmp);
	*state = tmp;
	return 0;
}

static int teardown(void **state)
{
	struct tmp *tmp = *state;

	tmp_remove(tmp);
	free(tmp);
	return 0;
}

static void an_authority_is_made_once(void **state)
{
	struct tmp *tmp = *state;
	struct pki_authority *first = authority_at(tmp_path(tmp, "pki"));
	struct pki_authority *second = authority_at(tmp_path(tmp, "pki"));
	struct stat file;

	assert_string_equal(pki_authority_root(first), pki_authority_root(second));
	assert_int_equal(stat(tmp_path(tmp, "pki/ca.key"), &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	pki_authority_close(&first);
	pki_authority_close(&second);
}

static void half_an_authority_is_refused(void **state)
{
	struct tmp *tmp = *state;
	struct pki_authority *one = authority_at(tmp_path(tmp, "pki"));
	struct pki_authority *other = authority_at(tmp_path(tmp, "other"));
	struct zl_err err = { 0 };
	char *key = zl_strdup(tmp_path(tmp, "pki/ca.key"));

	pki_authority_close(&one);
	pki_authority_close(&other);
	assert_int_equal(rename(tmp_path(tmp, "other/ca.key"), key), 0);
	assert_int_equal(pki_authority_open(&one, tmp_path(tmp, "pki"), "x", NULL, &err),
			 ZL_ECORRUPT);
	assert_int_equal(
		pki_authority_open(&one, tmp_path(tmp, "other"), "x", NULL, &err),
		ZL_ECORRUPT);
	assert_non_null(strstr(err.msg, "other/ca.key is not"));
	assert_int_equal(unlink(tmp_path(tmp, "pki/ca.crt")), 0);
	assert_int_equal(pki_authority_open(&one, tmp_path(tmp, "pki"), "x", NULL, &err),
			 ZL_ECORRUPT);
	assert_null(one);
	free(key);
}

static void its_key_can_be_sealed(void **state)
{
	struct tmp *tmp = *state;
	struct pki_vault *vault;
	struct pki_authority *authority;
	struct zl_err err = { 0 };
	char *text;
	size_t len;

	assert_int_equal(pki_vault_open(&vault, tmp_path(tmp, "key"), true, &err), ZL_OK);
	assert_int_equal(
		pki_authority_open(&authority, tmp_path(tmp, "p"), "x", vault, &err),
		ZL_OK);
	pki_authority_close(&authority);
	assert_int_equal(pki_file_read(tmp_path(tmp, "p/ca.key"), &text, &len, &err),
			 ZL_OK);
	assert_null(memmem(text, len, "PRIVATE", 7));
	free(text);
	assert_int_equal(
		pki_authority_open(&authority, tmp_path(tmp, "p"), "x", vault, &err),
		ZL_OK);
	pki_authority_close(&authority);
	assert_int_equal(
		pki_authority_open(&authority, tmp_path(tmp, "p"), "x", NULL, &err),
		ZL_ECORRUPT);
	pki_vault_close(&vault);
}

static void a_certificate_says_what_was_granted(void **state)
{
	struct tmp *tmp = *state;
	struct pki_authority *authority = authority_at(tmp_path(tmp, "pki"));
	struct made made = made_for(authority, EAST);
	struct pki_facts facts;
	struct zl_err err = { 0 };
	uint64_t now = zl_wall_us() / 1000000;

	assert_int_equal(pki_read(made.certificate.chain, &facts, &err), ZL_OK);
	assert_string_equal(facts.identity, EAST.identity); /* not what was asked for */
	assert_string_equal(facts.serial, made.certificate.serial);
	assert_int_equal(strlen(facts.serial), 32);
	assert_in_range(facts.begins_s, now - 310, now - 290);
	assert_in_range(facts.ends_s, now + 3590, now + 3601);
	/* The root follows. */
	const char *second = strstr(made.certificate.chain + 1, "-----BEGIN");
	assert_string_equal(second, pki_authority_root(authority));
	made_free(&made);
	pki_authority_close(&authority);
}

static char *request_with(EVP_PKEY *key, EVP_PKEY *signer)
{
	X509_REQ *request = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;

	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	assert_true(X509_REQ_sign(request, signer, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_REQ(bio, request), 1);
	long len = BIO_get_mem_data(bio, &data);
	char *text = zl_strndup(data, (size_t)len);
	BIO_free(bio);
	X509_REQ_free(request);
	return text;
}

static void bad_requests_are_refused(void **state)
{
	struct tmp *tmp = *state;
	struct pki_authority *authority = authority_at(tmp_path(tmp, "pki"));
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	EVP_PKEY *small = EVP_EC_gen("P-224");
	EVP_PKEY *good = EVP_EC_gen("P-256");
	EVP_PKEY *other = EVP_EC_gen("P-256");
	struct {
		char *text;
		const char *why;
	} cases[] = {
		{ zl_strdup(""), "no certificate request" },
		{ zl_strdup("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END "
			    "CERTIFICATE REQUEST-----\n"),
		  "no certificate request" },
		{ zl_strdup(pki_authority_root(authority)), "no certificate request" },
		{ request_with(weak, weak), "less than 2048" },
		{ request_with(small, small), "less than 256" },
		{ request_with(good, other), "not signed by its own key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pki_certificate made;
		struct zl_err err = { 0 };
		assert_int_equal(pki_sign(authority, cases[i].text, &EAST, &made, &err),
				 ZL_EINVAL);
		if (strstr(err.msg, cases[i].why) == NULL)
			fail_msg("%s", err.msg);
		assert_null(made.chain);
		free(cases[i].text);
	}
	EVP_PKEY_free(weak);
	EVP_PKEY_free(small);
	EVP_PKEY_free(good);
	EVP_PKEY_free(other);
	pki_authority_close(&authority);
}

static void identities_name_zones(void **state)
{
	(void)state;
	assert_string_equal(pki_zone_of("spiffe://zonelink/zone/east"), "east");
	assert_null(pki_zone_of("spiffe://zonelink/global"));
	assert_null(pki_zone_of("spiffe://zonelink/zone/"));
	assert_null(pki_zone_of("spiffe://zonelink/zone/east/x"));
	assert_null(pki_zone_of("spiffe://other/zone/east"));
	assert_null(pki_zone_of(""));
}

static void what_is_no_certificate_is_told(void **state)
{
	char text[PKI_FINGERPRINT];
	struct pki_facts facts;
	struct zl_err err = { 0 };

	(void)state;
	assert_int_equal(pki_fingerprint("x", text, &err), ZL_EINVAL);
	assert_int_equal(pki_read("", &facts, &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "no certificate"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_authority_is_made_once),
		TEST(half_an_authority_is_refused),
		TEST(its_key_can_be_sealed),
		TEST(a_certificate_says_what_was_granted),
		TEST(bad_requests_are_refused),
		TEST(identities_name_zones),
		TEST(what_is_no_certificate_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
