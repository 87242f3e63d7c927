#include "made.h"

#include "pki/pair.h"
#include "pki/vault.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pki_grant EAST = { "spiffe://zonelink/zone/east", 3600, false, true };

struct bench {
	struct tmp tmp;
	struct pki_vault *vault;
	struct pki_authority *authority;
	struct pki_place place;
	char *folder;
};

static int setup(void **state)
{
	struct bench *bench = zl_alloc(1, sizeof(*bench));
	struct zl_err err = { 0 };

	tmp_make(&bench->tmp);
	bench->folder = zl_strdup(tmp_path(&bench->tmp, "pki"));
	assert_int_equal(mkdir(bench->folder, 0700), 0);
	if (pki_vault_open(&bench->vault, tmp_path(&bench->tmp, "key"), true, &err) !=
	    ZL_OK)
		fail_msg("%s", err.msg);
	bench->authority = authority_at(tmp_path(&bench->tmp, "ca"));
	bench->place = (struct pki_place){ bench->vault, bench->folder, "zone" };
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	pki_authority_close(&bench->authority);
	pki_vault_close(&bench->vault);
	tmp_remove(&bench->tmp);
	free(bench->folder);
	free(bench);
	return 0;
}

static char *signed_for(const struct bench *bench, const char *key)
{
	struct pki_certificate made = { 0 };
	struct zl_err err = { 0 };
	char *request = NULL;

	if (pki_request_new(key, EAST.identity, &request, &err) != ZL_OK ||
	    pki_sign(bench->authority, request, &EAST, &made, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	free(request);
	return made.chain;
}

static char *next_key(const struct bench *bench)
{
	struct zl_err err = { 0 };
	char *key;

	if (pki_pair_next(&bench->place, &key, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return key;
}

static void a_pair_comes_in_two_steps(void **state)
{
	struct bench *bench = *state;
	struct pki_pair pair;
	struct zl_err err = { 0 };

	assert_int_equal(pki_pair_load(&pair, &bench->place, &err), ZL_ENOENT);
	char *key = next_key(bench);
	char *again = next_key(bench);
	assert_string_equal(key, again);
	char *chain = signed_for(bench, key);
	assert_int_equal(pki_pair_keep(&bench->place, chain, &err), ZL_OK);
	assert_int_equal(pki_pair_load(&pair, &bench->place, &err), ZL_OK);
	assert_string_equal(pair.key, key);
	assert_string_equal(pair.chain, chain);
	assert_string_equal(pair.facts.identity, EAST.identity);
	pki_pair_fini(&pair);

	free(again);
	again = next_key(bench);
	assert_string_not_equal(key, again);
	free(key);
	free(again);
	free(chain);
}

static void the_key_on_disk_is_sealed(void **state)
{
	struct bench *bench = *state;
	struct zl_err err = { 0 };
	struct stat file;
	char *key = next_key(bench);
	char *bytes;
	size_t len;

	assert_int_equal(pki_file_read(tmp_path(&bench->tmp, "pki/zone.key.next"), &bytes,
				       &len, &err),
			 ZL_OK);
	assert_null(memmem(bytes, len, "PRIVATE KEY", 11));
	assert_int_equal(stat(tmp_path(&bench->tmp, "pki/zone.key.next"), &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	free(bytes);
	free(key);
}

static void another_keys_certificate_is_not_kept(void **state)
{
	struct bench *bench = *state;
	struct zl_err err = { 0 };
	struct pki_pair pair;
	char *key = next_key(bench);
	char *other;

	assert_int_equal(pki_key_new(&other, &err), ZL_OK);
	char *chain = signed_for(bench, other);
	assert_int_equal(pki_pair_keep(&bench->place, chain, &err), ZL_EINVAL);
	assert_int_equal(pki_pair_load(&pair, &bench->place, &err), ZL_ENOENT);
	free(chain);
	free(other);
	free(key);
}

/* The process ended after the certificate was written and before its key was renamed. */
static void a_half_made_change_is_finished(void **state)
{
	struct bench *bench = *state;
	struct zl_err err = { 0 };
	struct pki_pair pair;

	for (int old = 0; old < 2; old++) {
		char *key = next_key(bench);
		char *chain = signed_for(bench, key);
		assert_int_equal(pki_file_write(tmp_path(&bench->tmp, "pki/zone.crt"),
						chain, strlen(chain), &err),
				 ZL_OK);
		assert_int_equal(pki_pair_load(&pair, &bench->place, &err), ZL_OK);
		assert_string_equal(pair.key, key);
		pki_pair_fini(&pair);
		assert_int_equal(access(tmp_path(&bench->tmp, "pki/zone.key.next"), F_OK),
				 -1);
		free(chain);
		free(key);
	}
}

static void a_pair_that_does_not_fit_is_named(void **state)
{
	struct bench *bench = *state;
	struct zl_err err = { 0 };
	struct pki_pair pair;
	char *key = next_key(bench);
	char *other;

	assert_int_equal(pki_key_new(&other, &err), ZL_OK);
	char *chain = signed_for(bench, other);
	assert_int_equal(pki_file_write(tmp_path(&bench->tmp, "pki/zone.crt"), chain,
					strlen(chain), &err),
			 ZL_OK);
	assert_int_equal(pki_pair_load(&pair, &bench->place, &err), ZL_ECORRUPT);
	assert_non_null(strstr(err.msg, "zone.key"));
	free(chain);
	free(other);
	free(key);
}

static void renewal_is_due_after_two_thirds(void **state)
{
	/* begins five minutes before it was made */
	const struct pki_facts facts = { .begins_s = 10000, .ends_s = 10300 + 900 };

	(void)state;
	assert_int_equal(pki_renew_s(&facts), 10300 + 600);
}

static void the_key_of_a_request_is_known(void **state)
{
	struct bench *bench = *state;
	struct zl_err err = { 0 };
	char first[PKI_FINGERPRINT], second[PKI_FINGERPRINT], third[PKI_FINGERPRINT];
	char *key = next_key(bench);
	char *other, *request;

	assert_int_equal(pki_key_new(&other, &err), ZL_OK);
	assert_int_equal(pki_request_new(key, "a", &request, &err), ZL_OK);
	assert_int_equal(pki_request_key(request, first, &err), ZL_OK);
	free(request);
	assert_int_equal(pki_request_new(key, "b", &request, &err), ZL_OK);
	assert_int_equal(pki_request_key(request, second, &err), ZL_OK);
	free(request);
	assert_int_equal(pki_request_new(other, "a", &request, &err), ZL_OK);
	assert_int_equal(pki_request_key(request, third, &err), ZL_OK);
	free(request);
	assert_string_equal(first, second);
	assert_string_not_equal(first, third);
	assert_int_equal(pki_request_key("nonsense", first, &err), ZL_EINVAL);
	free(other);
	free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pair_comes_in_two_steps, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_key_on_disk_is_sealed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_keys_certificate_is_not_kept,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_half_made_change_is_finished, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_pair_that_does_not_fit_is_named, setup,
						teardown),
		cmocka_unit_test(renewal_is_due_after_two_thirds),
		cmocka_unit_test_setup_teardown(the_key_of_a_request_is_known, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
