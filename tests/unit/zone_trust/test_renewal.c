/* The zone's keys, and the certificate that renews itself. */
#include "zone/trust/trust.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/authority.h"
#include "pki/tls.h"
#include "pki/vault.h"
#include "support/test.h"
#include "support/tmp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct tmp tmp;
	struct loop *loop;
	struct pki_vault *vault;
	char *folder;
	unsigned renewals, api_renewals;
};

static int setup(void **state)
{
	struct fixture *f = zl_alloc(1, sizeof(*f));

	tmp_make(&f->tmp);
	f->folder = zl_strdup(tmp_path(&f->tmp, "pki"));
	assert_int_equal(loop_open(&f->loop, NULL), ZL_OK);
	assert_int_equal(pki_vault_open(&f->vault, tmp_path(&f->tmp, "key"), true, NULL),
			 ZL_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pki_vault_close(&f->vault);
	loop_close(&f->loop);
	tmp_remove(&f->tmp);
	free(f->folder);
	free(f);
	return 0;
}

static enum zl_code open_for(const struct fixture *f, uint32_t seconds,
			     struct trust **trust, struct zl_err *err)
{
	const struct trust_setup setup = { .loop = f->loop,
					   .folder = f->folder,
					   .zone = "east",
					   .vault = f->vault,
					   .certificate_s = seconds };

	*err = (struct zl_err){ 0 };
	return trust_open(trust, &setup, err);
}

static void on_renewed(void *owner, struct pki_tls *tls)
{
	struct fixture *f = owner;

	assert_non_null(tls);
	if (++f->renewals == 2)
		loop_stop(f->loop);
}

static void on_api_renewed(void *owner, struct pki_tls *tls)
{
	struct fixture *f = owner;

	assert_non_null(tls);
	f->api_renewals++;
}

static void a_certificate_is_renewed_before_it_ends(void **state)
{
	struct fixture *f = *state;
	struct trust *trust;
	struct zl_err err;

	assert_int_equal(open_for(f, 3, &trust, &err), ZL_OK);
	assert_string_equal(trust_identity(trust), "spiffe://zonelink/zone/east");
	trust_watch(trust, on_renewed, f);
	trust_watch_api(trust, on_api_renewed, f);
	uint64_t begin = zl_now_ms();
	loop_deadline(20);
	loop_run(f->loop);
	assert_int_equal(f->renewals, 2);
	assert_int_equal(f->api_renewals, 2);
	/* Each when a third is left: after 2 s. Wall time is known to the second. */
	assert_in_range(zl_now_ms() - begin, 2000, 6500);
	trust_close(&trust);
}

static void keys_stay_over_a_restart_and_are_sealed(void **state)
{
	static const char *const FILES[] = { "ca.key", "tokens.key", "users.key" };
	struct fixture *f = *state;
	struct trust *trust;
	struct zl_err err;
	struct stat file;

	assert_int_equal(open_for(f, 3600, &trust, &err), ZL_OK);
	char *root = zl_strdup(trust_root(trust));
	trust_close(&trust);
	assert_int_equal(open_for(f, 3600, &trust, &err), ZL_OK);
	assert_string_equal(trust_root(trust), root);
	trust_close(&trust);
	free(root);
	for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
		char *path = zl_format("%s/%s", f->folder, FILES[i]);
		char *text;
		size_t len;
		assert_int_equal(stat(path, &file), 0);
		assert_int_equal(file.st_mode & 0777, 0600);
		assert_int_equal(pki_file_read(path, &text, &len, NULL), ZL_OK);
		assert_memory_equal(text, "ZS", 2);
		free(text);
		free(path);
	}
}

static void lost_or_foreign_keys_are_said(void **state)
{
	struct fixture *f = *state;
	struct trust *trust;
	struct zl_err err;

	assert_int_equal(open_for(f, 3600, &trust, &err), ZL_OK);
	trust_close(&trust);
	pki_vault_close(&f->vault);
	assert_int_equal(
		pki_vault_open(&f->vault, tmp_path(&f->tmp, "other"), true, NULL), ZL_OK);
	assert_int_equal(open_for(f, 3600, &trust, &err), ZL_ECORRUPT);
	assert_null(trust);
	assert_non_null(strstr(err.msg, "another key file"));
	char *path = zl_format("%s/ca.key", f->folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_for(f, 3600, &trust, &err), ZL_ECORRUPT);
	assert_non_null(strstr(err.msg, "ca.key"));
	free(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_is_renewed_before_it_ends),
		TEST(keys_stay_over_a_restart_and_are_sealed),
		TEST(lost_or_foreign_keys_are_said),
	};

	return cmocka_run_group_tests_name("renewal", tests, NULL, NULL);
}
