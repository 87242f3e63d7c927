/* Contents of Secrets in a real store. */
#include "secrets/secrets.h"

#include "model/read.h"
#include "pki/vault.h"
#include "store/read.h"

#include "support/test.h"
#include "support/tmp.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct tmp tmp;
	struct store *store;
	struct pki_vault *vault;
	struct secrets secrets;
	struct zl_arena *arena;
};

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
	static const struct store_options OPTIONS = { .map_size = 16 << 20 };
	struct fixture *f = zl_alloc(1, sizeof(*f));
	struct zl_err err = { 0 };

	tmp_make(&f->tmp);
	f->arena = zl_arena_new();
	f->vault = vault_at(tmp_path(&f->tmp, "key"));
	if (store_open(&f->store, tmp_path(&f->tmp, "store"), &OPTIONS, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	f->secrets = (struct secrets){ f->store, f->vault };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	pki_vault_close(&f->vault);
	zl_arena_free(&f->arena);
	tmp_remove(&f->tmp);
	free(f);
	return 0;
}

static struct resource *resource_of(struct fixture *f, const char *yaml)
{
	const struct resource_rules rules = { .writer = WRITER_GLOBAL, .zone = "" };
	struct findings found = findings_in(f->arena);
	struct docs docs;
	struct zl_err err = { 0 };

	assert_int_equal(read_yaml(yaml, strlen(yaml), f->arena, &docs, &err), ZL_OK);
	struct resource *res = resource_from_doc(docs.items[0], &rules, &found);
	if (res == NULL)
		fail_msg("%s", found.violations[0].reason);
	return res;
}

/* A Dataplane of mesh default that zone wrote. */
static struct resource *proxy_of(struct fixture *f, const char *zone)
{
	static const char YAML[] =
		"{type: Dataplane, name: p, networking: {address: 1.1.1.1, inbound: "
		"[{port: 80, tags: {kuma.io/service: web}}]}}";
	const struct resource_rules rules = { .writer = WRITER_ZONE, .zone = zone };
	struct findings found = findings_in(f->arena);
	struct docs docs;

	assert_int_equal(read_yaml(YAML, strlen(YAML), f->arena, &docs, NULL), ZL_OK);
	struct resource *res = resource_from_doc(docs.items[0], &rules, &found);
	assert_non_null(res);
	return res;
}

static struct resource *secret_of(struct fixture *f, const char *name, const char *data)
{
	char *yaml = zl_format("{type: Secret, name: %s, data: %s}", name, data);
	struct resource *res = resource_of(f, yaml);

	free(yaml);
	return res;
}

static void run(struct fixture *f, struct store_job *job)
{
	struct zl_err err = { 0 };

	if (store_run(f->store, &job, NULL, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

/* Write data under name over old; what is stored is the caller's. */
static struct resource *written(struct fixture *f, const struct resource *old,
				const char *name, const char *data)
{
	struct resource *now = secret_of(f, name, data);
	struct store_job *local = store_local_new(NULL);
	struct resource *kept;
	struct zl_err err = { 0 };

	if (secrets_keep(&f->secrets, old, now, &kept, local, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	run(f, local);
	resource_drop(&now);
	return kept;
}

static void expect(const struct fixture *f, const struct resource *res, const char *want)
{
	struct zl_buf content = { 0 };
	struct zl_err err = { 0 };

	if (secrets_read(&f->secrets, res, &content, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	assert_string_equal(zl_buf_text(&content), want);
	secrets_wipe(&content);
	assert_null(content.data);
}

static void what_is_stored_has_no_content(void **state)
{
	struct fixture *f = *state;
	struct resource *kept = written(f, NULL, "cert", "aGVsbG8=");

	assert_int_equal(strlen(kept->secret->version), 32);
	assert_string_equal(kept->secret->data, "");
	assert_null(strstr(kept->json, "aGVsbG8"));
	assert_null(strstr(kept->json, "data"));
	assert_non_null(strstr(kept->json, "\"kuma.io/origin\":\"global\""));
	expect(f, kept, "hello");
	resource_drop(&kept);
}

static bool has_text(void *ctx, const struct store_item *item)
{
	bool *found = ctx;

	*found = *found || memmem(item->value, item->value_len, "hello", 5) != NULL ||
		 memmem(item->value, item->value_len, "aGVsbG8", 7) != NULL;
	return true;
}

static void what_is_kept_is_sealed(void **state)
{
	struct fixture *f = *state;
	struct resource *kept = written(f, NULL, "cert", "aGVsbG8=");
	struct store_view *view;
	bool found = false;

	assert_int_equal(store_view_open(f->store, &view, NULL), ZL_OK);
	assert_int_equal(store_local_each(view, "secrets", has_text, &found, NULL),
			 ZL_OK);
	assert_false(found);
	store_view_close(&view);
	resource_drop(&kept);
}

static void each_content_has_a_version(void **state)
{
	struct fixture *f = *state;
	struct resource *one = written(f, NULL, "cert", "b25l");
	struct resource *same = written(f, one, "cert", "b25l");
	struct resource *two = written(f, one, "cert", "dHdv");
	struct zl_buf content = { 0 };
	struct zl_err err = { 0 };

	assert_int_equal(same->json_len, one->json_len);
	assert_memory_equal(same->json, one->json, one->json_len);
	assert_string_not_equal(one->secret->version, two->secret->version);
	expect(f, two, "two");
	assert_int_equal(secrets_read(&f->secrets, one, &content, &err), ZL_ENOENT);
	resource_drop(&one);
	resource_drop(&same);
	resource_drop(&two);
}

/* As if content had come from global. */
static void put_content(struct fixture *f, const struct resource *res, const char *text)
{
	struct store_job *local = store_local_new(NULL);

	assert_int_equal(secrets_take(&f->secrets, res, text, strlen(text), local, NULL),
			 ZL_OK);
	run(f, local);
}

/* Two writes that know the same old one: the last one's content is the one that is there,
 * even if it is that of the old one. */
static void the_last_write_wins(void **state)
{
	struct fixture *f = *state;
	struct resource *old = written(f, NULL, "cert", "b25l");
	struct resource *first = written(f, old, "cert", "dHdv");

	struct resource *now = secret_of(f, "cert", "b25l");
	struct store_job *local = store_local_new(NULL);
	struct resource *last;
	/* It is prepared while the content of old is still there, and done after first.
	 */
	put_content(f, old, "one");
	assert_int_equal(secrets_keep(&f->secrets, old, now, &last, local, NULL), ZL_OK);
	put_content(f, first, "two");
	run(f, local);
	assert_string_equal(last->secret->version, old->secret->version);
	expect(f, last, "one");
	resource_drop(&old);
	resource_drop(&first);
	resource_drop(&last);
	resource_drop(&now);
}

static void another_key_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct resource *kept = written(f, NULL, "cert", "aGVsbG8=");
	struct pki_vault *other = vault_at(tmp_path(&f->tmp, "other"));
	const struct secrets secrets = { f->store, other };
	struct zl_buf content = { 0 };
	struct zl_err err = { 0 };

	assert_int_equal(secrets_read(&secrets, kept, &content, &err), ZL_ECORRUPT);
	assert_non_null(strstr(err.msg, "another key file"));
	assert_null(strstr(err.msg, "hello"));
	pki_vault_close(&other);
	resource_drop(&kept);
}

static void what_is_dropped_is_gone(void **state)
{
	struct fixture *f = *state;
	struct resource *kept = written(f, NULL, "cert", "aGVsbG8=");
	struct resource *stays = written(f, NULL, "key", "aGVsbG8=");
	struct store_job *local = store_local_new(NULL);
	struct zl_buf content = { 0 };

	secrets_drop(kept, local);
	run(f, local);
	assert_int_equal(secrets_read(&f->secrets, kept, &content, NULL), ZL_ENOENT);
	expect(f, stays, "hello");
	resource_drop(&kept);
	resource_drop(&stays);
}

static void what_nobody_keeps_is_swept(void **state)
{
	struct fixture *f = *state;
	struct resource *goes = written(f, NULL, "cert", "aGVsbG8=");
	struct resource *stays = written(f, NULL, "key", "aGVsbG8=");
	const struct resource *const keep[] = { stays };
	struct store_job *local = store_local_new(NULL);
	struct zl_buf content = { 0 };

	assert_int_equal(secrets_sweep(&f->secrets, keep, 1, local, NULL), ZL_OK);
	run(f, local);
	assert_int_equal(secrets_read(&f->secrets, goes, &content, NULL), ZL_ENOENT);
	expect(f, stays, "hello");
	resource_drop(&goes);
	resource_drop(&stays);
}

static void a_mesh_uses_what_its_backends_name(void **state)
{
	struct fixture *f = *state;
	struct resource *mesh = resource_of(
		f, "{type: Mesh, name: default, mtls: {backends: [{name: a, type: "
		   "builtin}, {name: b, type: provided, conf: {cert: {secret: cert}, "
		   "key: {secret: key}}}]}}");
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);
	static const struct {
		const char *name;
		bool used;
	} CASES[] = { { "cert", true }, { "key", true }, { "other", false } };

	set_put(edit, mesh);
	struct set *set = set_done(&edit);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct resource *secret = secret_of(f, CASES[i].name, "aGk=");
		struct secret_use use;
		assert_int_equal(secret_is_used(set, secret, &use), CASES[i].used);
		if (CASES[i].used) {
			assert_string_equal(use.mesh, "default");
			assert_string_equal(use.backend, "b");
		}
		resource_drop(&secret);
	}
	set_drop(&set);
	set_drop(&empty);
	resource_drop(&mesh);
}

static void a_zone_has_use_for_those_of_its_meshes(void **state)
{
	static const struct {
		const char *mesh, *name, *zone;
		bool is_for;
	} CASES[] = {
		{ "default", "cert", "east", true },
		{ "default", "cert", "west", false }, /* no Dataplane there */
		{ "default", "other", "east", false },
		{ "empty", "cert", "east", false },
	};
	struct fixture *f = *state;
	static const char *const DOCS[] = {
		"{type: Mesh, name: default, mtls: {backends: [{name: b, type: provided, "
		"conf: {cert: {secret: cert}, key: {secret: key}}}]}}",
		"{type: Mesh, name: empty, mtls: {backends: [{name: b, type: provided, "
		"conf: {cert: {secret: cert}, key: {secret: key}}}]}}",
	};
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	for (size_t i = 0; i < ARRAY_LEN(DOCS); i++) {
		struct resource *res = resource_of(f, DOCS[i]);
		set_put(edit, res);
		resource_drop(&res);
	}
	struct resource *proxy = proxy_of(f, "east");
	set_put(edit, proxy);
	resource_drop(&proxy);
	struct set *set = set_done(&edit);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		char *yaml = zl_format("{type: Secret, mesh: %s, name: %s, data: aGk=}",
				       CASES[i].mesh, CASES[i].name);
		struct resource *secret = resource_of(f, yaml);
		assert_int_equal(secret_is_for(set, secret, CASES[i].zone),
				 CASES[i].is_for);
		resource_drop(&secret);
		free(yaml);
	}
	set_drop(&set);
	set_drop(&empty);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_stored_has_no_content),
		TEST(what_is_kept_is_sealed),
		TEST(each_content_has_a_version),
		TEST(the_last_write_wins),
		TEST(another_key_opens_nothing),
		TEST(what_is_dropped_is_gone),
		TEST(what_nobody_keeps_is_swept),
		TEST(a_mesh_uses_what_its_backends_name),
		TEST(a_zone_has_use_for_those_of_its_meshes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
