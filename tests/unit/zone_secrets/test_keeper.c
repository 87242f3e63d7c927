/* Which contents a zone asks for, and which of them its proxies get. */
#include "zone/secrets/keeper.h"

#include "model/read.h"
#include "pki/vault.h"
#include "store/write.h"

#include "support/test.h"
#include "support/tmp.h"

#include <stdlib.h>
#include <string.h>

#define ONE "00000000000000000000000000000001"
#define TWO "00000000000000000000000000000002"

struct fixture {
	struct tmp tmp;
	struct store *store;
	struct pki_vault *vault;
	struct zl_arena *arena;
	struct keeper *keeper;
	bool needs;          /* proxies need all there is */
	struct zl_buf asked; /* names of the last question */
	unsigned came;       /* contents that were put in use */
	struct set *set;     /* what the zone knows */
};

static void on_want(void *owner, const struct sync_secret *list, size_t count)
{
	struct fixture *f = owner;

	zl_buf_free(&f->asked);
	for (size_t i = 0; i < count; i++)
		zl_buf_format(&f->asked, "%s ", list[i].name);
}

static bool is_needed(void *owner, const char *mesh, const char *name)
{
	const struct fixture *f = owner;

	assert_string_equal(mesh, "default");
	return f->needs && strcmp(name, "unnamed") != 0;
}

static void on_came(void *owner, const struct resource *secret)
{
	struct fixture *f = owner;

	assert_int_equal(secret->key.kind, KIND_SECRET);
	f->came++;
}

static void open_it(struct fixture *f)
{
	const struct keeper_setup keeper = { .secrets = { f->store, f->vault },
					     .zone = "east",
					     .want = on_want,
					     .is_needed = is_needed,
					     .came = on_came,
					     .owner = f };
	f->keeper = keeper_open(&keeper);
}

static int setup(void **state)
{
	static const struct store_options OPTIONS = { .map_size = 16 << 20 };
	struct fixture *f = zl_alloc(1, sizeof(*f));
	struct zl_err err = { 0 };

	tmp_make(&f->tmp);
	f->arena = zl_arena_new();
	f->set = set_empty();
	if (pki_vault_open(&f->vault, tmp_path(&f->tmp, "key"), true, &err) != ZL_OK ||
	    store_open(&f->store, tmp_path(&f->tmp, "store"), &OPTIONS, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	open_it(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	keeper_close(&f->keeper);
	store_close(&f->store);
	pki_vault_close(&f->vault);
	set_drop(&f->set);
	zl_buf_free(&f->asked);
	zl_arena_free(&f->arena);
	tmp_remove(&f->tmp);
	free(f);
	return 0;
}

/* ---- what the zone knows ---- */

static void know(struct fixture *f, struct resource *res)
{
	struct set_edit *edit = set_edit(f->set);

	set_put(edit, res);
	resource_drop(&res);
	set_drop(&f->set);
	f->set = set_done(&edit);
}

static void know_document(struct fixture *f, const char *yaml, enum writer writer)
{
	const struct resource_rules rules = { .writer = writer,
					      .zone = writer == WRITER_ZONE ? "east"
									    : "" };
	struct findings found = findings_in(f->arena);
	struct docs docs;

	assert_int_equal(read_yaml(yaml, strlen(yaml), f->arena, &docs, NULL), ZL_OK);
	struct resource *res = resource_from_doc(docs.items[0], &rules, &found);
	if (res == NULL)
		fail_msg("%s", found.violations[0].reason);
	know(f, res);
}

/* As global replicates it. */
static void know_secret(struct fixture *f, const char *name, const char *version)
{
	char *json =
		zl_format("{\"mesh\":\"default\",\"name\":\"%s\",\"type\":\"Secret\","
			  "\"version\":\"%s\"}",
			  name, version);
	struct resource *res;
	struct zl_err err = { 0 };

	if (resource_from_json(json, strlen(json), &res, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	free(json);
	know(f, res);
}

static void know_all(struct fixture *f)
{
	know_document(
		f,
		"{type: Dataplane, name: p, networking: {address: 1.1.1.1, inbound: "
		"[{port: 80, tags: {kuma.io/service: web}}]}}",
		WRITER_ZONE);
	know_document(f,
		      "{type: MeshExternalService, name: ext, spec: {match: {port: 443}, "
		      "endpoints: [{address: a.example.org, port: 443}], tls: {enabled: "
		      "true, verification: {clientCert: {secret: cert}, clientKey: "
		      "{secret: key}}}}}",
		      WRITER_GLOBAL);
	know_secret(f, "cert", ONE);
	know_secret(f, "key", ONE);
	know_secret(f, "unnamed", ONE);
}

/* ---- contents ---- */

static void take(struct fixture *f, const char *name, const char *version,
		 const char *content)
{
	const struct sync_secret secret = { "default", name, version };

	keeper_take(f->keeper, &secret, content, content != NULL ? strlen(content) : 0,
		    "because");
}

/* Jobs are done in the order in which they came. */
static void all_is_stored(struct fixture *f)
{
	struct store_job *job = store_local_new(NULL);
	struct zl_err err = { 0 };

	if (store_run(f->store, &job, NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static void reads(struct fixture *f, const char *name, const char *want)
{
	struct zl_buf content = { 0 };
	bool found = keeper_read(f->keeper, f->set, "default", name, &content);

	assert_int_equal(found, want != NULL);
	assert_string_equal(zl_buf_text(&content), want != NULL ? want : "");
	secrets_wipe(&content);
}

static void counts(const struct fixture *f, size_t needed, size_t missing)
{
	struct keeper_counts now = keeper_counts(f->keeper);

	assert_int_equal(now.needed, needed);
	assert_int_equal(now.missing, missing);
}

/* Both are here, in version ONE. */
static void begin_with_both(struct fixture *f)
{
	know_all(f);
	f->needs = true;
	keeper_update(f->keeper, f->set);
	take(f, "cert", ONE, "cert-1");
	take(f, "key", ONE, "key-1");
	f->came = 0;
}

/* ---- tests ---- */

static void only_what_a_proxy_needs_is_asked_for(void **state)
{
	struct fixture *f = *state;

	know_all(f);
	keeper_update(f->keeper, f->set);
	assert_string_equal(zl_buf_text(&f->asked), "");
	counts(f, 0, 0);
	assert_true(keeper_awaited(f->keeper) == UINT64_MAX);
	f->needs = true;
	keeper_update(f->keeper, f->set);
	assert_true(keeper_awaited(f->keeper) < UINT64_MAX);
	assert_string_equal(zl_buf_text(&f->asked), "cert key ");
	counts(f, 2, 2);
	reads(f, "cert", NULL);
	take(f, "cert", ONE, "cert-1");
	counts(f, 2, 1);
	assert_int_equal(f->came, 0);
	take(f, "key", ONE, "key-1");
	counts(f, 2, 0);
	assert_true(keeper_awaited(f->keeper) == UINT64_MAX);
	assert_int_equal(f->came, 2);
	reads(f, "cert", "cert-1");
	reads(f, "key", "key-1");
	reads(f, "absent", NULL);
}

static void a_pair_is_replaced_in_one_step(void **state)
{
	struct fixture *f = *state;

	begin_with_both(f);
	know_secret(f, "cert", TWO);
	know_secret(f, "key", TWO);
	keeper_update(f->keeper, f->set);
	assert_string_equal(zl_buf_text(&f->asked), "cert key ");
	reads(f, "cert", "cert-1");
	take(f, "key", TWO, "key-2");
	reads(f, "cert", "cert-1");
	reads(f, "key", "key-1");
	assert_int_equal(f->came, 0);
	take(f, "cert", TWO, "cert-2");
	reads(f, "cert", "cert-2");
	reads(f, "key", "key-2");
	assert_int_equal(f->came, 2);
}

static void what_global_has_not_holds_up_nothing(void **state)
{
	struct fixture *f = *state;

	begin_with_both(f);
	know_secret(f, "cert", TWO);
	know_secret(f, "key", TWO);
	keeper_update(f->keeper, f->set);
	take(f, "key", TWO, "key-2");
	take(f, "cert", TWO, NULL);
	reads(f, "cert", "cert-1");
	reads(f, "key", "key-2");
	assert_int_equal(f->came, 1);
}

/* What has come and waits is awaited as what it waits for, which may go meanwhile. */
static void what_waits_is_in_use_when_the_other_is_gone(void **state)
{
	struct fixture *f = *state;
	const struct key cert = { KIND_SECRET, "default", "", "", "cert" };
	struct set_edit *edit;

	begin_with_both(f);
	know_secret(f, "cert", TWO);
	know_secret(f, "key", TWO);
	keeper_update(f->keeper, f->set);
	const struct key key = { KIND_SECRET, "default", "", "", "key" };
	uint64_t rev = set_get(f->set, &key)->mod_rev;
	take(f, "key", TWO, "key-2");
	assert_true(keeper_awaited(f->keeper) <= rev);
	edit = set_edit(f->set);
	assert_true(set_del(edit, &cert));
	set_drop(&f->set);
	f->set = set_done(&edit);
	keeper_update(f->keeper, f->set);
	assert_int_equal(f->came, 1);
	reads(f, "key", "key-2");
	assert_true(keeper_awaited(f->keeper) == UINT64_MAX);
}

/* A proxy that is away for a while finds its certificate also when global is away. */
static void what_is_named_is_kept_and_what_is_deleted_is_not(void **state)
{
	struct fixture *f = *state;
	const struct key key = { KIND_SECRET, "default", "", "", "key" };
	struct set_edit *edit;

	begin_with_both(f);
	f->needs = false;
	keeper_update(f->keeper, f->set);
	keeper_close(&f->keeper); /* with what it remembers beside the store */
	all_is_stored(f);
	open_it(f);
	keeper_update(f->keeper, f->set);
	all_is_stored(f);
	counts(f, 0, 0);
	reads(f, "key", "key-1");
	edit = set_edit(f->set);
	assert_true(set_del(edit, &key));
	set_drop(&f->set);
	f->set = set_done(&edit);
	keeper_update(f->keeper, f->set);
	reads(f, "key", NULL);
	reads(f, "cert", "cert-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_a_proxy_needs_is_asked_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_pair_is_replaced_in_one_step, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_global_has_not_holds_up_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_waits_is_in_use_when_the_other_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_named_is_kept_and_what_is_deleted_is_not, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
