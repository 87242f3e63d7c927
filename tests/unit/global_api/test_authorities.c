#include "global/api/authorities.h"

#include "unit/model/doc.h"

#include "base/base64.h"
#include "model/set.h"
#include "pki/mesh.h"

#include <stdlib.h>

#define BACKEND(name) "{name: " name ", type: builtin}"
#define MESH(enabled, backends)                                  \
	"{type: Mesh, name: m, mtls: {enabledBackend: '" enabled \
	"', backends: [" backends "]}}"

static const char FORBIDDEN[] =
	"mtls.enabledBackend: Changing CA when mTLS is enabled is forbidden. Disable "
	"mTLS first and then change the CA";

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

static bool allowed_with(const struct authorities *at, const char *old, const char *now,
			 unsigned *status, struct zl_err *err)
{
	struct doc was = doc_of(old != NULL ? old : MESH("", ""));
	struct doc is = doc_of(now);

	*err = (struct zl_err){ 0 };
	assert_non_null(is.res);
	bool ok =
		authorities_allow(at, old != NULL ? was.res : NULL, is.res, status, err);
	doc_free(&was);
	doc_free(&is);
	return ok;
}

static bool allowed(const char *old, const char *now, unsigned *status,
		    struct zl_err *err)
{
	struct set *none = set_of(NULL, 0);
	const struct authorities at = { .set = none };
	bool ok = allowed_with(&at, old, now, status, err);

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
	assert_memory_equal(err.msg, FORBIDDEN, sizeof(FORBIDDEN) - 1);
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

/* ---- provided authorities ---- */

struct pair {
	char *chain, *key; /* owned */
};

static struct pair pair_new(void)
{
	const struct pki_mesh_wish wish = { "m", 0, 3600 };
	struct zl_err err = { 0 };
	struct pair pair;

	assert_int_equal(pki_mesh_root(&wish, &pair.chain, &pair.key, &err), ZL_OK);
	return pair;
}

static void pair_free(struct pair *pair)
{
	free(pair->chain);
	free(pair->key);
}

static void add_inline(struct zl_buf *doc, const char *pem)
{
	zl_buf_str(doc, "{inlineString: \"");
	for (const char *c = pem; *c != '\0'; c++)
		zl_buf_str(doc, *c == '\n' ? "\\n" : (char[]){ *c, '\0' });
	zl_buf_str(doc, "\"}");
}

/* A Mesh with the authority a; NULL: in the Secrets c and k. */
static char *provided(const char *chain, const char *key, bool skip)
{
	struct zl_buf doc = { 0 };

	zl_buf_format(&doc,
		      "{type: Mesh, name: m, mtls: {skipValidation: %s, enabledBackend: "
		      "a, backends: [{name: a, type: provided, conf: {cert: ",
		      skip ? "true" : "false");
	if (chain != NULL)
		add_inline(&doc, chain);
	else
		zl_buf_str(&doc, "{secret: c}");
	zl_buf_str(&doc, ", key: ");
	if (key != NULL)
		add_inline(&doc, key);
	else
		zl_buf_str(&doc, "{secret: k}");
	zl_buf_str(&doc, "}}]}}");
	return doc.data;
}

static struct doc secret(const char *name, const char *content)
{
	struct zl_buf text = { 0 };

	zl_buf_format(&text, "{type: Secret, mesh: m, name: %s, data: ", name);
	zl_base64(content, strlen(content), &text);
	zl_buf_char(&text, '}');
	struct doc doc = doc_of(zl_buf_text(&text));
	assert_non_null(doc.res);
	zl_buf_free(&text);
	return doc;
}

/* What comes with a Mesh: Secrets, a NULL behind the last. */
static const struct resource *find_beside(void *owner, const struct key *key)
{
	struct doc *const *each = owner;

	for (; *each != NULL; each++)
		if (key_compare(&(*each)->res->key, key) == 0)
			return (*each)->res;
	return NULL;
}

static const char WRONG_KEY[] = "mtls.backends[0].conf.cert: not a valid TLS key pair: "
				"the key is not that of the first certificate";

static void a_provided_authority_is_looked_at(void **state)
{
	struct pair one = pair_new();
	struct pair other = pair_new();
	char *right = provided(one.chain, one.key, false);
	char *wrong = provided(one.chain, other.key, false);
	char *unseen = provided(one.chain, other.key, true);
	unsigned status = 0;
	struct zl_err err;

	(void)state;
	assert_true(allowed(NULL, right, &status, &err));
	assert_true(allowed(NULL, unseen, &status, &err));
	assert_false(allowed(NULL, wrong, &status, &err));
	assert_int_equal(status, 400);
	assert_string_equal(err.msg, WRONG_KEY);
	free(right);
	free(wrong);
	free(unseen);
	pair_free(&one);
	pair_free(&other);
}

/* Not with what is stored, which it replaces. */
static void its_secrets_are_looked_at_as_they_come_with_it(void **state)
{
	struct pair one = pair_new();
	struct pair other = pair_new();
	struct doc c = secret("c", one.chain);
	struct doc k = secret("k", one.key);
	struct doc wrong = secret("k", other.key);
	struct doc *both[] = { &k, &c, NULL };
	struct doc *odd[] = { &c, &wrong, NULL };
	struct set *none = set_of(NULL, 0);
	struct authorities at = { .set = none, .beside = find_beside, .owner = both };
	char *mesh = provided(NULL, NULL, false);
	unsigned status = 0;
	struct zl_err err;

	(void)state;
	assert_true(allowed_with(&at, NULL, mesh, &status, &err));
	at.owner = odd;
	assert_false(allowed_with(&at, NULL, mesh, &status, &err));
	assert_int_equal(status, 400);
	assert_string_equal(err.msg, WRONG_KEY);
	at.owner = &odd[2]; /* nothing is here: nothing can be said */
	assert_true(allowed_with(&at, NULL, mesh, &status, &err));
	free(mesh);
	set_drop(&none);
	doc_free(&c);
	doc_free(&k);
	doc_free(&wrong);
	pair_free(&one);
	pair_free(&other);
}

static void one_name_stays_one_authority(void **state)
{
	static const char BUILTIN[] = MESH("a", BACKEND("a"));
	static const char LONGER[] =
		MESH("a", "{name: a, type: builtin, conf: {caCert: {expiration: 20y}}}");
	struct pair one = pair_new();
	struct pair other = pair_new();
	struct doc c = secret("c", one.chain);
	struct doc changed = secret("c", other.chain);
	struct doc *same[] = { &c, NULL };
	struct doc *not_same[] = { &changed, NULL };
	struct set *none = set_of(NULL, 0);
	struct authorities at = { .set = none, .beside = find_beside, .owner = same };
	char *first = provided(one.chain, one.key, false);
	char *second = provided(other.chain, other.key, false);
	char *kept = provided(NULL, one.key, false);
	unsigned status = 0;
	struct zl_err err;

	(void)state;
	assert_true(allowed_with(&at, first, first, &status, &err));
	assert_true(allowed_with(&at, BUILTIN, LONGER, &status, &err));
	assert_true(allowed_with(&at, first, kept, &status, &err));
	assert_true(allowed_with(&at, kept, second, &status, &err)); /* was not here */
	assert_true(allowed_with(&at, first, MESH("", ""), &status, &err));
	assert_true(allowed_with(&at, MESH("", BACKEND("a")), first, &status, &err));

	assert_false(allowed_with(&at, first, second, &status, &err));
	assert_int_equal(status, 400);
	assert_memory_equal(err.msg, FORBIDDEN, sizeof(FORBIDDEN) - 1);
	assert_false(allowed_with(&at, BUILTIN, first, &status, &err));
	assert_false(allowed_with(&at, first, BUILTIN, &status, &err));
	at.owner = not_same;
	assert_false(allowed_with(&at, first, kept, &status, &err));
	at.owner = &same[1]; /* it names what is not here */
	assert_false(allowed_with(&at, first, kept, &status, &err));
	free(first);
	free(second);
	free(kept);
	set_drop(&none);
	doc_free(&c);
	doc_free(&changed);
	pair_free(&one);
	pair_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_builtin_authority_comes_and_goes_with_its_backend),
		cmocka_unit_test(another_authority_is_trusted_before_it_signs),
		cmocka_unit_test(its_secrets_are_globals),
		cmocka_unit_test(a_provided_authority_is_looked_at),
		cmocka_unit_test(its_secrets_are_looked_at_as_they_come_with_it),
		cmocka_unit_test(one_name_stays_one_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
