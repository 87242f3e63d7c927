#include "pki/mesh.h"

#include "made.h"

#include "base/clock.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

struct pair {
	char *chain, *key;
};

static struct pair root_of(uint32_t rsa_bits, uint64_t lifetime_s)
{
	const struct pki_mesh_wish wish = { "default", rsa_bits, lifetime_s };
	struct pair pair;
	struct zl_err err = { 0 };

	if (pki_mesh_root(&wish, &pair.chain, &pair.key, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return pair;
}

static void pair_free(struct pair *pair)
{
	free(pair->chain);
	free(pair->key);
}

static X509 *first_of(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *found = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(found);
	return found;
}

/* Alternative names and nothing else, joined by spaces. */
static void uris_of(X509 *certificate, char *to, size_t room)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	*to = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		assert_int_equal(name->type, GEN_URI);
		size_t len = strlen(to);
		(void)snprintf(to + len, room - len, "%s%.*s", i > 0 ? " " : "",
			       ASN1_STRING_length(name->d.ia5),
			       (const char *)ASN1_STRING_get0_data(name->d.ia5));
	}
	GENERAL_NAMES_free(names);
}

static void no_fault(void *ctx, int index, const char *reason)
{
	(void)ctx;
	fail_msg("%d: %s", index, reason);
}

static void a_root_says_whose_it_is(void **state)
{
	static const uint32_t BITS[] = { 0, 2048 };
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(BITS); i++) {
		struct pair pair = root_of(BITS[i], 3600);
		X509 *root = first_of(pair.chain);
		EVP_PKEY *key = X509_get0_pubkey(root);

		assert_true(EVP_PKEY_is_a(key, BITS[i] == 0 ? "EC" : "RSA"));
		assert_int_equal(EVP_PKEY_get_bits(key), BITS[i] == 0 ? 256 : BITS[i]);
		(void)X509_NAME_oneline(X509_get_subject_name(root), text, sizeof(text));
		assert_string_equal(text, "/O=Kuma/OU=Mesh/CN=default");
		assert_int_equal(X509_check_issued(root, root), X509_V_OK);
		assert_int_equal(X509_verify(root, key), 1);
		uris_of(root, text, sizeof(text));
		assert_string_equal(text, "spiffe://default");
		assert_true(pki_mesh_check(pair.chain, pair.key, no_fault, NULL));
		X509_free(root);
		pair_free(&pair);
	}
}

static struct pki_identity identity_of(const struct pair *pair, uint32_t lifetime_s)
{
	static const char *const URIS[] = { "spiffe://default/web", "kuma://version/v1" };
	const struct pki_workload wish = { URIS, 2, lifetime_s };
	struct pki_identity identity;
	struct zl_err err = { 0 };

	if (pki_workload_new(pair->chain, pair->key, &wish, &identity, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return identity;
}

/* beside: another root that is trusted, NULL: none. */
static void expect_verified(X509 *leaf, X509 *root, X509 *beside, int purpose, bool yes)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (beside != NULL)
		assert_int_equal(X509_STORE_add_cert(store, beside), 1);
	assert_int_equal(X509_STORE_add_cert(store, root), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
	assert_int_equal(X509_STORE_CTX_set_purpose(ctx, purpose), 1);
	assert_int_equal(X509_verify_cert(ctx), yes ? 1 : 0);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

static void an_identity_is_checked_against_its_root(void **state)
{
	struct pair pair = root_of(0, 3600);
	struct pair other = root_of(0, 3600);
	struct pki_identity identity = identity_of(&pair, 600);
	X509 *leaf = first_of(identity.chain);
	X509 *root = first_of(pair.chain);
	X509 *stranger = first_of(other.chain);
	char text[256];

	(void)state;
	expect_verified(leaf, root, NULL, X509_PURPOSE_SSL_SERVER, true);
	expect_verified(leaf, root, NULL, X509_PURPOSE_SSL_CLIENT, true);
	expect_verified(leaf, stranger, NULL, X509_PURPOSE_SSL_SERVER, false);
	/* Both have one name; the key tells them apart. */
	expect_verified(leaf, root, stranger, X509_PURPOSE_SSL_SERVER, true);
	assert_int_equal(X509_check_issued(root, leaf), X509_V_OK);
	assert_int_not_equal(X509_check_issued(stranger, leaf), X509_V_OK);
	uris_of(leaf, text, sizeof(text));
	assert_string_equal(text, "spiffe://default/web kuma://version/v1");
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(leaf)), 0);
	assert_int_equal(X509_check_ca(leaf), 0);
	/* The root is not sent along. */
	assert_null(strstr(strstr(identity.chain, "END CERT"), "BEGIN"));
	assert_in_range(identity.ends_s - identity.begins_s, 600, 600 + 301);
	X509_free(leaf);
	X509_free(root);
	X509_free(stranger);
	pki_identity_fini(&identity);
	assert_null(identity.key);
	pair_free(&pair);
	pair_free(&other);
}

static void an_identity_ends_with_its_authority(void **state)
{
	struct pair pair = root_of(0, 100);
	struct pki_identity identity = identity_of(&pair, 600);
	uint64_t now_s = zl_wall_us() / 1000000;

	(void)state;
	assert_in_range(identity.ends_s, now_s + 60, now_s + 101);
	pki_identity_fini(&identity);
	pair_free(&pair);
}

static void what_is_no_authority_signs_nothing(void **state)
{
	static const char *const URIS[] = { "spiffe://default/web" };
	const struct pki_workload wish = { URIS, 1, 600 };
	struct pair pair = root_of(0, 3600);
	struct pair other = root_of(0, 3600);
	struct pair over = root_of(0, 0);
	struct pki_identity identity;
	struct zl_err err = { 0 };

	(void)state;
	assert_int_equal(pki_workload_new("", pair.key, &wish, &identity, &err),
			 ZL_EINVAL);
	assert_int_equal(pki_workload_new(pair.chain, "", &wish, &identity, &err),
			 ZL_EINVAL);
	assert_int_equal(pki_workload_new(pair.chain, other.key, &wish, &identity, &err),
			 ZL_EINVAL);
	assert_string_equal(err.msg,
			    "the mesh's authority is no key pair: key values mismatch");
	assert_int_equal(pki_workload_new(over.chain, over.key, &wish, &identity, &err),
			 ZL_EINVAL);
	assert_string_equal(err.msg, "the mesh's authority has expired");
	assert_null(identity.chain);
	pki_identity_fini(&identity);
	pair_free(&pair);
	pair_free(&other);
	pair_free(&over);
}

struct faults {
	int index;
	char text[4][200];
	size_t count;
};

static void note_fault(void *ctx, int index, const char *reason)
{
	struct faults *faults = ctx;

	assert_true(faults->count < ARRAY_LEN(faults->text));
	faults->index = index;
	(void)snprintf(faults->text[faults->count++], sizeof(faults->text[0]), "%s",
		       reason);
}

static void each_fault_is_told(void **state)
{
	struct pair pair = root_of(0, 3600);
	struct pair other = root_of(0, 3600);
	struct pki_identity leaf = identity_of(&pair, 600);
	struct faults faults = { 0 };

	(void)state;
	assert_false(pki_mesh_check("", pair.key, note_fault, &faults));
	assert_false(pki_mesh_check(pair.chain, "", note_fault, &faults));
	assert_false(pki_mesh_check(pair.chain, other.key, note_fault, &faults));
	assert_int_equal(faults.count, 3);
	assert_int_equal(faults.index, -1);
	for (size_t i = 0; i < faults.count; i++)
		assert_memory_equal(faults.text[i], "not a valid TLS key pair: ", 26);

	faults = (struct faults){ 0 };
	assert_false(pki_mesh_check(leaf.chain, leaf.key, note_fault, &faults));
	assert_int_equal(faults.count, 2);
	assert_int_equal(faults.index, 0);
	assert_memory_equal(faults.text[0], "basic constraint 'CA'", 21);
	assert_memory_equal(faults.text[1], "key usage extension 'keyCertSign'", 33);
	pki_identity_fini(&leaf);
	pair_free(&pair);
	pair_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_root_says_whose_it_is),
		cmocka_unit_test(an_identity_is_checked_against_its_root),
		cmocka_unit_test(an_identity_ends_with_its_authority),
		cmocka_unit_test(what_is_no_authority_signs_nothing),
		cmocka_unit_test(each_fault_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
