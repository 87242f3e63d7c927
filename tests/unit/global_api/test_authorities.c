#include "global/api/authorities.h"

#include "unit/model/doc.h"

#include "model/set.h"
#include "pki/mesh.h"

#include <stdlib.h>

#define BACKEND(name) "{name: " name ", type: builtin}"
#define MESH(enabled, backends)                                  \
	"{type: Mesh, name: m, mtls: {enabledBackend: '" enabled \
	"', backends: [" backends "]}}"

/* A set of what documents say; each is held by it. */
static struct set *set_of(const char *const *yaml, size_t count)
{
	struct set *none = set_empty();
	struct set_edit *edit = set_edit(none);

	for (size_t i = 0; i < count; i++) {
		struct doc doc = doc_of(yaml[i]);
		assert_non_null(doc.res);
		set_put(edit, doc.res);
		doc_free(&doc);
	}
	set_drop(&none);
	return set_done(&edit);
}

struct added {
	char text[512]; /* "+name" or "-name", a space behind each */
};

static void note(void *arg, const struct key *key, struct resource **resp)
{
	struct added *added = arg;
	size_t len = strlen(added->text);

	assert_int_equal(key->kind, KIND_SECRET);
	assert_string_equal(key->mesh, "m");
	if (*resp != NULL)
		assert_int_equal(key_compare(&(*resp)->key, key), 0);
	(void)snprintf(added->text + len, sizeof(added->text) - len, "%c%s ",
		       *resp != NULL ? '+' : '-', key->name);
	resource_drop(resp);
}

/* What goes with a change from old to now (NULL: none), when set is what is there. */
static void expect_with(struct set *set, const char *old, const char *now,
			const char *expected)
{
	struct doc was = doc_of(old != NULL ? old : MESH("", ""));
	struct doc is = doc_of(now != NULL ? now : MESH("", ""));
	struct added added = { "" };
	struct zl_err err = { 0 };

	assert_true(authorities_with(set, old != NULL ? was.res : NULL,
				     now != NULL ? is.res : NULL, note, &added, &err));
	assert_string_equal(added.text, expected);
	doc_free(&was);
	doc_free(&is);
}

static void a_builtin_authority_comes_and_goes_with_its_backend(void **state)
{
	static const char *const BOTH[] = {
		"{type: Secret, mesh: m, name: m.ca-builtin-cert-a, data: YQ==}",
		"{type: Secret, mesh: m, name: m.ca-builtin-key-a, data: YQ==}"
	};
	struct set *none = set_of(NULL, 0);
	struct set *cert = set_of(BOTH, 1);
	struct set *both = set_of(BOTH, 2);

	(void)state;
	expect_with(none, NULL, MESH("a", BACKEND("a")),
		    "+m.ca-builtin-cert-a +m.ca-builtin-key-a ");
	/* One alone is of no use. */
	expect_with(cert, MESH("a", BACKEND("a")), MESH("a", BACKEND("a")),
		    "+m.ca-builtin-cert-a +m.ca-builtin-key-a ");
	expect_with(both, MESH("a", BACKEND("a")), MESH("a", BACKEND("a")), "");
	expect_with(both, MESH("a", BACKEND("a")),
		    MESH("a", BACKEND("a") "," BACKEND("b")),
		    "+m.ca-builtin-cert-b +m.ca-builtin-key-b ");
	expect_with(both, MESH("a", BACKEND("a")), MESH("", ""),
		    "-m.ca-builtin-cert-a -m.ca-builtin-key-a ");
	expect_with(both, MESH("a", BACKEND("a")), NULL,
		    "-m.ca-builtin-cert-a -m.ca-builtin-key-a ");
	set_drop(&none);
	set_drop(&cert);
	set_drop(&both);
}

static bool allowed(const char *old, const char *now, unsigned *status,
		    struct zl_err *err)
{
	struct set *none = set_of(NULL, 0);
	struct doc was = doc_of(old != NULL ? old : MESH("", ""));
	struct doc is = doc_of(now);

	*err = (struct zl_err){ 0 };
	assert_non_null(is.res);
	bool ok = authorities_allow(none, NULL, old != NULL ? was.res : NULL, is.res,
				    status, err);
	doc_free(&was);
	doc_free(&is);
	set_drop(&none);
	return ok;
}

static void another_authority_is_trusted_before_it_signs(void **state)
{
	static const char ONE[] = MESH("a", BACKEND("a"));
	static const char TWO[] = MESH("a", BACKEND("a") "," BACKEND("b"));
	static const char OTHER[] = MESH("b", BACKEND("a") "," BACKEND("b"));
	static const char LAST[] = MESH("b", BACKEND("b"));
	unsigned status = 0;
	struct zl_err err;

	(void)state;
	assert_true(allowed(NULL, ONE, &status, &err));
	assert_true(allowed(ONE, TWO, &status, &err));
	assert_true(allowed(TWO, OTHER, &status, &err));
	assert_true(allowed(OTHER, LAST, &status, &err));
	assert_true(allowed(ONE, MESH("", ""), &status, &err));

	assert_false(allowed(ONE, LAST, &status, &err));
	assert_int_equal(status, 400);
	assert_memory_equal(err.msg,
			    "mtls.enabledBackend: Changing CA when mTLS is enabled is "
			    "forbidden. Disable mTLS first and then change the CA",
			    109);
	assert_false(allowed(ONE, OTHER, &status, &err)); /* both in one step */
	assert_false(allowed(TWO, LAST, &status, &err));
}

static void its_secrets_are_globals(void **state)
{
	unsigned status = 0;
	struct zl_err err;

	(void)state;
	assert_true(allowed(NULL, "{type: Secret, mesh: m, name: x, data: YQ==}", &status,
			    &err));
	assert_true(allowed(NULL,
			    "{type: Secret, mesh: n, name: m.ca-builtin-key-a, data: "
			    "YQ==}",
			    &status, &err));
	assert_false(allowed(NULL,
			     "{type: Secret, mesh: m, name: m.ca-builtin-key-a, data: "
			     "YQ==}",
			     &status, &err));
	assert_int_equal(status, 405);
}

/* A Mesh with a provided authority whose key is that of another one, or not. */
static char *provided(bool right, bool skip)
{
	const struct pki_mesh_wish wish = { "m", 0, 3600 };
	char *chain[2];
	char *key[2];
	struct zl_buf doc = { 0 };
	struct zl_err err = { 0 };

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pki_mesh_root(&wish, &chain[i], &key[i], &err), ZL_OK);
	zl_buf_format(&doc,
		      "{type: Mesh, name: m, mtls: {skipValidation: %s, backends: "
		      "[{name: a, type: provided, conf: {cert: {inlineString: \"",
		      skip ? "true" : "false");
	for (const char *c = chain[0]; *c != '\0'; c++)
		zl_buf_str(&doc, *c == '\n' ? "\\n" : (char[]){ *c, '\0' });
	zl_buf_str(&doc, "\"}, key: {inlineString: \"");
	for (const char *c = key[right ? 0 : 1]; *c != '\0'; c++)
		zl_buf_str(&doc, *c == '\n' ? "\\n" : (char[]){ *c, '\0' });
	zl_buf_str(&doc, "\"}}}]}}");
	for (size_t i = 0; i < 2; i++) {
		free(chain[i]);
		free(key[i]);
	}
	return doc.data;
}

static void a_provided_authority_is_looked_at(void **state)
{
	char *right = provided(true, false);
	char *wrong = provided(false, false);
	char *unseen = provided(false, true);
	unsigned status = 0;
	struct zl_err err;

	(void)state;
	assert_true(allowed(NULL, right, &status, &err));
	assert_true(allowed(NULL, unseen, &status, &err));
	assert_false(allowed(NULL, wrong, &status, &err));
	assert_int_equal(status, 400);
	assert_string_equal(err.msg,
			    "mtls.backends[0].conf.cert: not a valid TLS key pair: "
			    "the key is not that of the first certificate");
	free(right);
	free(wrong);
	free(unseen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_builtin_authority_comes_and_goes_with_its_backend),
		cmocka_unit_test(another_authority_is_trusted_before_it_signs),
		cmocka_unit_test(its_secrets_are_globals),
		cmocka_unit_test(a_provided_authority_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
