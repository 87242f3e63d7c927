#include "global/trust/trust.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "pki/authority.h"
#include "pki/pair.h"
#include "pki/vault.h"
#include "support/test.h"
#include "support/tmp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench {
	struct tmp tmp;
	struct loop *loop;
	struct pki_vault *vault;
	char *folder;
	unsigned renewals;
};

static void on_renewed(void *owner)
{
	struct bench *bench = owner;

	bench->renewals++;
	loop_stop(bench->loop);
}

static int setup(void **state)
{
	struct bench *bench = zl_alloc(1, sizeof(*bench));
	struct zl_err err = { 0 };

	tmp_make(&bench->tmp);
	bench->folder = zl_strdup(tmp_path(&bench->tmp, "pki"));
	assert_int_equal(loop_open(&bench->loop, &err), ZL_OK);
	assert_int_equal(
		pki_vault_open(&bench->vault, tmp_path(&bench->tmp, "key"), true, &err),
		ZL_OK);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	pki_vault_close(&bench->vault);
	loop_close(&bench->loop);
	tmp_remove(&bench->tmp);
	free(bench->folder);
	free(bench);
	return 0;
}

static struct trust *trust_at(struct bench *bench, uint32_t life_s)
{
	const struct trust_setup setting = { .loop = bench->loop,
					     .folder = bench->folder,
					     .vault = bench->vault,
					     .certificate_s = life_s,
					     .renewed = on_renewed,
					     .owner = bench };
	struct trust *trust;
	struct zl_err err = { 0 };

	if (trust_open(&trust, &setting, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return trust;
}

static struct pki_facts own(const struct bench *bench)
{
	const struct pki_place place = { bench->vault, bench->folder, "global" };
	struct pki_pair pair;
	struct zl_err err = { 0 };

	if (pki_pair_load(&pair, &place, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	struct pki_facts facts = pair.facts;
	pki_pair_fini(&pair);
	return facts;
}

static void it_is_made_once(void **state)
{
	struct bench *bench = *state;
	struct trust *trust = trust_at(bench, 3600);
	char *first = zl_strdup(trust_fingerprint(trust));
	struct pki_facts facts = own(bench);

	assert_string_equal(facts.identity, "spiffe://zonelink/global");
	assert_non_null(trust_hub(trust));
	assert_non_null(trust_api(trust));
	assert_non_null(trust_joins(trust));
	assert_non_null(trust_users(trust));
	trust_close(&trust);
	trust = trust_at(bench, 3600);
	assert_string_equal(trust_fingerprint(trust), first);
	assert_string_equal(own(bench).serial, facts.serial);
	trust_close(&trust);
	free(first);
}

static void a_certificate_that_is_no_good_is_made_anew(void **state)
{
	struct bench *bench = *state;
	struct trust *trust = trust_at(bench, 3600);
	struct pki_facts facts = own(bench);

	trust_close(&trust);
	assert_int_equal(unlink(tmp_path(&bench->tmp, "pki/global.key")), 0);
	trust = trust_at(bench, 3600);
	assert_string_not_equal(own(bench).serial, facts.serial);
	trust_close(&trust);
}

static void another_authority_has_another_certificate(void **state)
{
	struct bench *bench = *state;
	struct trust *trust = trust_at(bench, 3600);
	struct pki_facts facts = own(bench);

	trust_close(&trust);
	assert_int_equal(unlink(tmp_path(&bench->tmp, "pki/ca.key")), 0);
	assert_int_equal(unlink(tmp_path(&bench->tmp, "pki/ca.crt")), 0);
	trust = trust_at(bench, 3600);
	assert_string_not_equal(own(bench).serial, facts.serial);
	trust_close(&trust);
}

static void it_is_renewed_in_time(void **state)
{
	struct bench *bench = *state;
	struct trust *trust = trust_at(bench, 3);
	struct pki_facts first = own(bench);

	loop_deadline(15);
	loop_run(bench->loop);
	assert_int_equal(bench->renewals, 1);
	struct pki_facts second = own(bench);
	assert_string_not_equal(second.serial, first.serial);
	assert_true(second.ends_s > first.ends_s);
	trust_close(&trust);
}

static void a_lost_key_is_told(void **state)
{
	struct bench *bench = *state;
	struct trust *trust = trust_at(bench, 3600);
	struct trust_setup setting = { .loop = bench->loop,
				       .folder = bench->folder,
				       .vault = bench->vault,
				       .certificate_s = 3600 };
	struct zl_err err = { 0 };

	trust_close(&trust);
	assert_int_equal(unlink(tmp_path(&bench->tmp, "pki/ca.key")), 0);
	assert_int_equal(trust_open(&trust, &setting, &err), ZL_ECORRUPT);
	assert_null(trust);
	assert_non_null(strstr(err.msg, "ca.key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_made_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_certificate_that_is_no_good_is_made_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(another_authority_has_another_certificate,
						setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_renewed_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_key_is_told, setup, teardown),
	};
	return cmocka_run_group_tests_name("global/trust", tests, NULL, NULL);
}
