/* Handshakes of two contexts with each other, in memory. */
#include "made.h"

#include "pki/vault.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#define GLOBAL "spiffe://zonelink/global"
#define EAST "spiffe://zonelink/zone/east"

struct fixture {
	struct tmp tmp;
	struct pki_authority *own, *other;
	struct made global, east, stranger, expired, future, self_signed, server_only;
	char fingerprint[PKI_FINGERPRINT];
};

/* Sign the first certificate of made anew, by the key in PEM, after change. */
static void sign_again(struct made *made, const char *key_pem,
		       void (*change)(X509 *certificate))
{
	BIO *in = BIO_new_mem_buf(made->certificate.chain, -1);
	BIO *key_in = BIO_new_mem_buf(key_pem, -1);
	BIO *out = BIO_new(BIO_s_mem());
	X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
	X509 *root = PEM_read_bio_X509(in, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_in, NULL, NULL, NULL);
	char *data;

	change(leaf);
	assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(out, leaf), 1);
	assert_int_equal(PEM_write_bio_X509(out, root), 1);
	free(made->certificate.chain);
	long len = BIO_get_mem_data(out, &data);
	made->certificate.chain = zl_strndup(data, (size_t)len);
	EVP_PKEY_free(key);
	X509_free(root);
	X509_free(leaf);
	BIO_free(out);
	BIO_free(key_in);
	BIO_free(in);
}

static void make_future(X509 *certificate)
{
	(void)X509_gmtime_adj(X509_getm_notBefore(certificate), 3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(certificate), 7200);
}

static void make_own_issuer(X509 *certificate)
{
	(void)X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
}

static int setup(void **state)
{
	struct fixture *f = zl_alloc(1, sizeof(*f));

	tmp_make(&f->tmp);
	f->own = authority_at(tmp_path(&f->tmp, "own"));
	f->other = authority_at(tmp_path(&f->tmp, "other"));
	f->global = made_for(f->own, (struct pki_grant){ GLOBAL, 3600, true, true });
	f->east = made_for(f->own, (struct pki_grant){ EAST, 3600, false, true });
	f->stranger = made_for(f->other, (struct pki_grant){ EAST, 3600, true, true });
	f->expired = made_for(f->own, (struct pki_grant){ EAST, 0, true, true });
	f->future = made_for(f->own, (struct pki_grant){ EAST, 3600, true, true });
	char *key;
	assert_int_equal(pki_file_read(tmp_path(&f->tmp, "own/ca.key"), &key, NULL, NULL),
			 ZL_OK);
	sign_again(&f->future, key, make_future);
	free(key);
	f->self_signed = made_for(f->own, (struct pki_grant){ EAST, 3600, true, true });
	sign_again(&f->self_signed, f->self_signed.key, make_own_issuer);
	f->server_only = made_for(f->own, (struct pki_grant){ EAST, 3600, true, false });
	assert_int_equal(
		pki_fingerprint(pki_authority_root(f->own), f->fingerprint, NULL), ZL_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct made *all[] = { &f->global, &f->east,        &f->stranger,   &f->expired,
			       &f->future, &f->self_signed, &f->server_only };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		made_free(all[i]);
	pki_authority_close(&f->own);
	pki_authority_close(&f->other);
	tmp_remove(&f->tmp);
	free(f);
	return 0;
}

/* Two sessions that hear each other. */
struct talk {
	SSL *server, *client;
	bool done;                             /* both are through with the handshake */
	char server_why[256], client_why[256]; /* why not */
};

static struct pki_tls *tls_of(const struct pki_tls_setup *setup)
{
	struct pki_tls *tls;
	struct zl_err err = { 0 };

	if (pki_tls_new(&tls, setup, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return tls;
}

/* One step of a handshake; false once it has failed. */
static bool step(SSL *session, char *why, size_t size)
{
	char none;
	int done = SSL_is_init_finished(session) ? SSL_peek(session, &none, 1)
						 : SSL_do_handshake(session);
	int error = SSL_get_error(session, done);

	if (done > 0 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return true;
	pki_tls_why(session, why, size);
	return false;
}

static struct talk talk_of(const struct pki_tls_setup *server,
			   const struct pki_tls_setup *client)
{
	struct pki_tls *ours = tls_of(server);
	struct pki_tls *theirs = tls_of(client);
	struct talk talk = { pki_tls_session(ours), pki_tls_session(theirs), false, "",
			     "" };
	BIO *one;
	BIO *two;
	bool well = true;

	/* Sessions outlive those who made their contexts. */
	pki_tls_drop(&ours);
	pki_tls_drop(&theirs);
	assert_int_equal(BIO_new_bio_pair(&one, 0, &two, 0), 1);
	SSL_set_bio(talk.server, one, one);
	SSL_set_bio(talk.client, two, two);
	SSL_set_accept_state(talk.server);
	SSL_set_connect_state(talk.client);
	for (int i = 0; well && i < 20; i++) {
		bool client_well =
			step(talk.client, talk.client_why, sizeof(talk.client_why));
		bool server_well =
			step(talk.server, talk.server_why, sizeof(talk.server_why));
		well = client_well && server_well;
	}
	talk.done = well && SSL_is_init_finished(talk.server) &&
		    SSL_is_init_finished(talk.client);
	return talk;
}

static void talk_end(struct talk *talk)
{
	SSL_free(talk->server);
	SSL_free(talk->client);
}

static struct pki_tls_setup server_of(const struct fixture *f)
{
	return (struct pki_tls_setup){ .server = true,
				       .chain = f->global.certificate.chain,
				       .key = f->global.key,
				       .roots = pki_authority_root(f->own),
				       .peer = PKI_PEER_REQUIRED };
}

static struct pki_tls_setup client_of(const struct fixture *f, const struct made *made)
{
	return (struct pki_tls_setup){ .chain = made != NULL ? made->certificate.chain
							     : NULL,
				       .key = made != NULL ? made->key : NULL,
				       .roots = pki_authority_root(f->own),
				       .peer_identity = GLOBAL };
}

static void both_know_each_other(void **state)
{
	const struct fixture *f = *state;
	struct pki_tls_setup server = server_of(f);
	struct pki_tls_setup client = client_of(f, &f->east);
	struct talk talk = talk_of(&server, &client);
	struct pki_facts facts;

	assert_true(talk.done);
	assert_true(pki_tls_peer(talk.server, &facts));
	assert_string_equal(facts.identity, EAST);
	assert_string_equal(facts.serial, f->east.certificate.serial);
	assert_true(pki_tls_peer(talk.client, &facts));
	assert_string_equal(facts.identity, GLOBAL);
	assert_int_equal(SSL_version(talk.server), TLS1_3_VERSION);
	talk_end(&talk);
}

static void clients_that_are_not_ours_are_refused(void **state)
{
	const struct fixture *f = *state;
	const struct {
		const struct made *made;
		const char *why;
	} cases[] = {
		{ NULL, "did not return a certificate" },
		{ &f->stranger, "self-signed certificate in certificate chain" },
		{ &f->expired, "expired" },
		{ &f->future, "not yet valid" },
		{ &f->self_signed, "local issuer" },
		{ &f->server_only, "purpose" },
	};
	struct pki_tls_setup server = server_of(f);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pki_tls_setup client = client_of(f, cases[i].made);
		struct talk talk = talk_of(&server, &client);
		assert_false(talk.done);
		if (strstr(talk.server_why, cases[i].why) == NULL)
			fail_msg("%zu: %s", i, talk.server_why);
		talk_end(&talk);
	}
}

static void servers_that_are_not_global_are_refused(void **state)
{
	const struct fixture *f = *state;
	const struct {
		const struct made *made;
		const char *why;
	} cases[] = {
		{ &f->stranger, "self-signed" },  { &f->expired, "expired" },
		{ &f->future, "not yet valid" },  { &f->self_signed, "local issuer" },
		{ &f->server_only, "another's" }, /* a zone that plays global */
		{ &f->east, "purpose" },
	};
	struct pki_tls_setup client = client_of(f, &f->east);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pki_tls_setup server = server_of(f);
		server.chain = cases[i].made->certificate.chain;
		server.key = cases[i].made->key;
		struct talk talk = talk_of(&server, &client);
		assert_false(talk.done);
		if (strstr(talk.client_why, cases[i].why) == NULL)
			fail_msg("%zu: %s", i, talk.client_why);
		talk_end(&talk);
	}
}

static void who_need_not_tell_may_but_truly(void **state)
{
	const struct fixture *f = *state;
	struct pki_tls_setup server = server_of(f);
	struct pki_facts facts;

	server.peer = PKI_PEER_OPTIONAL;
	struct pki_tls_setup client = client_of(f, NULL);
	struct talk talk = talk_of(&server, &client);
	assert_true(talk.done);
	assert_false(pki_tls_peer(talk.server, &facts));
	talk_end(&talk);
	client = client_of(f, &f->east);
	talk = talk_of(&server, &client);
	assert_true(talk.done);
	assert_true(pki_tls_peer(talk.server, &facts));
	talk_end(&talk);
	client = client_of(f, &f->stranger);
	talk = talk_of(&server, &client);
	assert_false(talk.done);
	talk_end(&talk);
}

static void a_fingerprint_is_enough_for_a_client(void **state)
{
	const struct fixture *f = *state;
	struct pki_tls_setup server = server_of(f);
	struct pki_tls_setup client = { .root_fingerprint = f->fingerprint,
					.peer_identity = GLOBAL };

	server.peer = PKI_PEER_OPTIONAL;
	struct talk talk = talk_of(&server, &client);
	assert_true(talk.done);
	talk_end(&talk);
	/* An impostor can show the right root, but not be signed by it. */
	char *leaf = zl_strndup(
		f->stranger.certificate.chain,
		(size_t)(strstr(f->stranger.certificate.chain + 1, "-----BEGIN") -
			 f->stranger.certificate.chain));
	char *chain = zl_format("%s%s", leaf, pki_authority_root(f->own));
	server.chain = chain;
	server.key = f->stranger.key;
	talk = talk_of(&server, &client);
	assert_false(talk.done);
	talk_end(&talk);
	free(chain);
	free(leaf);
	server.chain = f->stranger.certificate.chain;
	talk = talk_of(&server, &client);
	assert_false(talk.done);
	talk_end(&talk);
}

static void only_tls_1_3_is_spoken(void **state)
{
	const struct fixture *f = *state;
	struct pki_tls_setup server = server_of(f);
	struct pki_tls *tls = tls_of(&server);
	SSL *session = pki_tls_session(tls);
	SSL_CTX *old = SSL_CTX_new(TLS_client_method());
	BIO *one;
	BIO *two;
	char why[256] = "";

	assert_int_equal(SSL_CTX_set_max_proto_version(old, TLS1_2_VERSION), 1);
	SSL *client = SSL_new(old);
	assert_int_equal(BIO_new_bio_pair(&one, 0, &two, 0), 1);
	SSL_set_bio(session, one, one);
	SSL_set_bio(client, two, two);
	SSL_set_accept_state(session);
	SSL_set_connect_state(client);
	(void)SSL_do_handshake(client);
	ERR_clear_error();
	assert_false(step(session, why, sizeof(why)));
	assert_non_null(strstr(why, "protocol"));
	SSL_free(client);
	SSL_free(session);
	SSL_CTX_free(old);
	pki_tls_drop(&tls);
}

static void protocols_are_agreed_on(void **state)
{
	const struct fixture *f = *state;
	struct pki_tls_setup server = server_of(f);
	struct pki_tls_setup client = client_of(f, &f->east);
	const unsigned char *name;
	unsigned len;

	server.alpn = client.alpn = "h2";
	struct talk talk = talk_of(&server, &client);
	assert_true(talk.done);
	SSL_get0_alpn_selected(talk.server, &name, &len);
	assert_int_equal(len, 2);
	talk_end(&talk);
	client.alpn = "http/1.1";
	talk = talk_of(&server, &client);
	assert_false(talk.done);
	talk_end(&talk);
}

static void a_setup_that_does_not_fit_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct pki_tls_setup cases[5];
	static const char *const WHY[] = { "needs a certificate", "no private key",
					   "not that of the certificate",
					   "no root certificate", "no certificate" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cases[i] = server_of(f);
	cases[0].chain = NULL;
	cases[1].key = "no key";
	cases[2].key = f->east.key;
	cases[3].roots = "no root";
	cases[4].chain = "no chain";
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pki_tls *tls;
		struct zl_err err = { 0 };
		assert_int_equal(pki_tls_new(&tls, &cases[i], &err), ZL_EINVAL);
		if (strstr(err.msg, WHY[i]) == NULL)
			fail_msg("%zu: %s", i, err.msg);
		assert_null(tls);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(both_know_each_other),
		TEST(clients_that_are_not_ours_are_refused),
		TEST(servers_that_are_not_global_are_refused),
		TEST(who_need_not_tell_may_but_truly),
		TEST(a_fingerprint_is_enough_for_a_client),
		TEST(only_tls_1_3_is_spoken),
		TEST(protocols_are_agreed_on),
		TEST(a_setup_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
