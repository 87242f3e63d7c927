#include "pki/vault.h"

#include "support/test.h"
#include "support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pki_vault *vault_at(const char *path)
{
	struct pki_vault *vault;
	struct zl_err err = { 0 };

	if (pki_vault_open(&vault, path, true, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return vault;
}

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

static void what_is_sealed_can_be_opened_by_the_same_key(void **state)
{
	struct tmp *tmp = *state;
	struct pki_vault *vault = vault_at(tmp_path(tmp, "key"));
	struct pki_vault *again = vault_at(tmp_path(tmp, "key"));
	struct pki_vault *other = vault_at(tmp_path(tmp, "other"));
	struct zl_buf sealed = { 0 };
	struct zl_buf open = { 0 };
	struct zl_err err = { 0 };

	assert_int_equal(pki_seal(vault, "a", "text", 4, &sealed, &err), ZL_OK);
	assert_int_equal(sealed.len, 4 + PKI_SEALED_MORE);
	assert_null(memmem(sealed.data, sealed.len, "text", 4));
	assert_int_equal(pki_unseal(again, "a", sealed.data, sealed.len, &open, &err),
			 ZL_OK);
	assert_string_equal(zl_buf_text(&open), "text");
	assert_int_equal(pki_unseal(vault, "b", sealed.data, sealed.len, &open, &err),
			 ZL_ECORRUPT);
	assert_int_equal(pki_unseal(other, "a", sealed.data, sealed.len, &open, &err),
			 ZL_ECORRUPT);
	assert_int_equal(open.len, 4);
	zl_buf_free(&sealed);
	zl_buf_free(&open);
	pki_vault_close(&vault);
	pki_vault_close(&again);
	pki_vault_close(&other);
}

static void each_flipped_bit_and_each_cut_is_noticed(void **state)
{
	struct tmp *tmp = *state;
	struct pki_vault *vault = vault_at(tmp_path(tmp, "key"));
	struct zl_buf sealed = { 0 };
	struct zl_buf open = { 0 };

	assert_int_equal(pki_seal(vault, "a", "secret", 6, &sealed, NULL), ZL_OK);
	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
		if (pki_unseal(vault, "a", sealed.data, sealed.len, &open, NULL) !=
		    ZL_ECORRUPT)
			fail_msg("bit %zu", bit);
		sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(pki_unseal(vault, "a", sealed.data, len, &open, NULL),
				 ZL_ECORRUPT);
	assert_int_equal(open.len, 0);
	assert_int_equal(pki_unseal(vault, "a", sealed.data, sealed.len, &open, NULL),
			 ZL_OK);
	zl_buf_free(&sealed);
	zl_buf_free(&open);
	pki_vault_close(&vault);
}

static void nothing_can_be_sealed_too(void **state)
{
	struct tmp *tmp = *state;
	struct pki_vault *vault = vault_at(tmp_path(tmp, "key"));
	struct zl_buf sealed = { 0 };
	struct zl_buf open = { 0 };

	assert_int_equal(pki_seal(vault, "a", "", 0, &sealed, NULL), ZL_OK);
	assert_int_equal(pki_unseal(vault, "a", sealed.data, sealed.len, &open, NULL),
			 ZL_OK);
	assert_int_equal(open.len, 0);
	zl_buf_free(&sealed);
	zl_buf_free(&open);
	pki_vault_close(&vault);
}

static void a_key_file_is_the_owners_alone(void **state)
{
	struct tmp *tmp = *state;
	const char *path = tmp_path(tmp, "key");
	struct pki_vault *vault = vault_at(path);
	struct zl_err err = { 0 };
	struct stat file;

	pki_vault_close(&vault);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_int_equal(file.st_size, 32);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(pki_vault_open(&vault, path, true, &err), ZL_EACCES);
	assert_non_null(strstr(err.msg, "others may read it"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 31), 0);
	assert_int_equal(pki_vault_open(&vault, path, true, &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "31 bytes"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(pki_vault_open(&vault, path, false, &err), ZL_ENOENT);
	assert_null(vault);
}

static void files_are_written_whole(void **state)
{
	struct tmp *tmp = *state;
	const char *path = tmp_path(tmp, "file");
	char *text;
	size_t len;
	struct zl_err err = { 0 };

	assert_int_equal(pki_file_write(path, "one", 3, &err), ZL_OK);
	assert_int_equal(pki_file_write(path, "three", 5, &err), ZL_OK);
	assert_int_equal(pki_file_read(path, &text, &len, &err), ZL_OK);
	assert_int_equal(len, 5);
	assert_string_equal(text, "three");
	free(text);
	assert_int_equal(access(tmp_path(tmp, "file.part"), F_OK), -1);
	assert_int_equal(pki_file_read(tmp_path(tmp, "none"), &text, &len, &err),
			 ZL_ENOENT);
	assert_null(text);
	assert_int_not_equal(pki_file_write(tmp_path(tmp, "no/such"), "x", 1, &err),
			     ZL_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_sealed_can_be_opened_by_the_same_key),
		TEST(each_flipped_bit_and_each_cut_is_noticed),
		TEST(nothing_can_be_sealed_too),
		TEST(a_key_file_is_the_owners_alone),
		TEST(files_are_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
