/* The edges of names, label values and addresses (spec 1.6, kinds-spec 0.3), through
 * documents. */
#include "doc.h"

static bool takes_name(const char *name)
{
	struct zl_buf yaml = { 0 };

	zl_buf_format(&yaml, "{type: MeshTCPRoute, name: '%s', spec: {}}", name);
	struct doc doc = doc_of(zl_buf_text(&yaml));
	bool taken = doc.res != NULL;
	if (!taken) {
		assert_int_equal(doc.found.violation_count, 1);
		assert_string_equal(doc.found.violations[0].field, "name");
	}
	doc_free(&doc);
	zl_buf_free(&yaml);
	return taken;
}

static void names_are_subdomains(void **state)
{
	static const char *const GOOD[] = { "a", "1", "a-b", "a.b", "a--b.c1", "0.0" };
	static const char *const BAD[] = { "",   "foo_bar", "Foo",  "a..b",
					   "-a", "a-",      "a.-b", ".a",
					   "a.", "a b",     "a/b",  "\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
		assert_true(takes_name(GOOD[i]));
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		assert_false(takes_name(BAD[i]));
}

static void a_name_has_at_most_253_characters(void **state)
{
	char name[255];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[253] = '\0';
	assert_true(takes_name(name));
	name[253] = 'a';
	name[254] = '\0';
	assert_false(takes_name(name));
}

/* In a zone the name needs room for the zone's beside it. */
static void a_zone_takes_shorter_names(void **state)
{
	struct resource_rules east = { .writer = WRITER_ZONE, .zone = "east" };

	(void)state;
	for (int len = 247; len <= 248; len++) {
		char name[256] = "";
		struct zl_buf yaml = { 0 };
		memset(name, 'a', (size_t)len);
		zl_buf_format(&yaml,
			      "{type: Dataplane, name: %s, networking: {address: a}}",
			      name);
		struct doc doc = doc_by(zl_buf_text(&yaml), east);
		assert_string_equal(
			doc_violations(&doc),
			len == 247 ? "" : "name: the length of the name must be shorter");
		doc_free(&doc);
		zl_buf_free(&yaml);
	}
}

/* A long name becomes a display name, which is read back. */
static void long_names_survive_being_written_back(void **state)
{
	struct resource_rules global = { .writer = WRITER_GLOBAL, .zone = "" };
	char name[254] = "";
	struct zl_buf yaml = { 0 };

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	zl_buf_format(&yaml, "{type: MeshTCPRoute, name: %s, spec: {}}", name);
	struct doc doc = doc_by(zl_buf_text(&yaml), global);
	assert_non_null(doc.res);
	struct doc again = doc_by(doc.res->json, global);
	assert_string_equal(doc_violations(&again), "");
	assert_string_equal(again.res->json, doc.res->json);
	doc_free(&again);
	doc_free(&doc);
	zl_buf_free(&yaml);
}

static size_t label_faults(const char *key, const char *value)
{
	struct zl_buf yaml = { 0 };

	zl_buf_format(&yaml, "{type: Zone, name: z, labels: {'%s': '%s'}}", key, value);
	struct doc doc = doc_of(zl_buf_text(&yaml));
	size_t count = doc.found.violation_count;
	doc_free(&doc);
	zl_buf_free(&yaml);
	return count;
}

static void labels_have_qualified_names(void **state)
{
	char word[65] = "";

	(void)state;
	memset(word, 'w', 63);
	assert_int_equal(label_faults("a", ""), 0);
	assert_int_equal(label_faults("a.b/A_b.c-d", "A_b.c-d"), 0);
	assert_int_equal(label_faults(word, word), 0);
	memset(word, 'w', 64);
	assert_int_equal(label_faults(word, word), 2);
	assert_int_equal(label_faults("", "a"), 1);
	assert_int_equal(label_faults("/a", "a"), 1);
	assert_int_equal(label_faults("a/", "a"), 1);
	assert_int_equal(label_faults("A/a", "a"), 1);
	assert_int_equal(label_faults("a/b/c", "a"), 1);
	assert_int_equal(label_faults("a_", "-a"), 2);
	assert_int_equal(label_faults("a", "a/b"), 1);
}

static bool takes_address(const char *address)
{
	struct zl_buf yaml = { 0 };

	zl_buf_format(&yaml, "{type: Dataplane, name: d, networking: {address: '%s'}}",
		      address);
	struct doc doc = doc_of(zl_buf_text(&yaml));
	bool taken = doc.res != NULL;
	doc_free(&doc);
	zl_buf_free(&yaml);
	return taken;
}

static void addresses_are_ips_or_dns_names(void **state)
{
	static const char *const GOOD[] = { "10.0.0.1", "::1", "2001:db8::1", "localhost",
					    "a.example.org" };
	static const char *const BAD[] = { "0.0.0.0", "::", "a_b",        "A.org",
					   "a..b",    "-a", "10.0.0.1:80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
		assert_true(takes_address(GOOD[i]));
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		assert_false(takes_address(BAD[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_subdomains),
		cmocka_unit_test(a_name_has_at_most_253_characters),
		cmocka_unit_test(a_zone_takes_shorter_names),
		cmocka_unit_test(long_names_survive_being_written_back),
		cmocka_unit_test(labels_have_qualified_names),
		cmocka_unit_test(addresses_are_ips_or_dns_names),
	};
	return cmocka_run_group_tests_name("model/names", tests, NULL, NULL);
}
