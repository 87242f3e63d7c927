/* The same server by TLS: certificates, big bodies, slow and hostile clients. */
#include "served.h"

#include <ifaddrs.h>
#include <net/if.h>

#define GLOBAL "spiffe://zonelink/global"
#define EAST "spiffe://zonelink/zone/east"

enum { BIG = 20 << 20 };

/* An authority, and what it has signed. */
struct mesh {
	struct tmp tmp;
	struct pki_authority *authority;
};

static struct mesh ours, theirs;

static void mesh_make(struct mesh *mesh)
{
	struct zl_err err = { 0 };

	tmp_make(&mesh->tmp);
	if (pki_authority_open(&mesh->authority, tmp_path(&mesh->tmp, ""), "mesh", NULL,
			       &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static void mesh_remove(struct mesh *mesh)
{
	pki_authority_close(&mesh->authority);
	tmp_remove(&mesh->tmp);
}

/* A context of one end, with a new certificate for identity (NULL: none). */
static struct pki_tls *context(const struct mesh *mesh, const char *identity, bool server)
{
	struct pki_certificate certificate = { 0 };
	struct pki_tls *tls = NULL;
	struct zl_err err = { 0 };
	char *key = NULL, *request = NULL;
	const struct pki_grant grant = {
		.identity = identity, .lifetime_s = 3600, .server = true, .client = true
	};

	if (identity != NULL &&
	    (pki_key_new(&key, &err) != ZL_OK ||
	     pki_request_new(key, identity, &request, &err) != ZL_OK ||
	     pki_sign(mesh->authority, request, &grant, &certificate, &err) != ZL_OK))
		fail_msg("%s", err.msg);
	const struct pki_tls_setup setup = {
		.server = server,
		.chain = certificate.chain,
		.key = key,
		.roots = pki_authority_root(ours.authority),
		.peer = server ? PKI_PEER_OPTIONAL : PKI_PEER_REQUIRED,
		.alpn = "http/1.1",
	};
	if (pki_tls_new(&tls, &setup, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	pki_certificate_fini(&certificate);
	free(key);
	free(request);
	return tls;
}

static void prepare(struct fixture *fix)
{
	fix->tls[0] = context(&ours, GLOBAL, true);
	http_set_tls(fix->server, fix->tls[0]);
}

/* Whoever has a certificate is that; who has none is nobody, and may look. */
static bool by_certificate(void *arg, const struct http_proof *proof,
			   struct zl_arena *arena, struct http_caller *caller,
			   const char **why)
{
	const char *zone = proof->identity != NULL ? pki_zone_of(proof->identity) : NULL;

	(void)arg, (void)arena, (void)why;
	*caller = (struct http_caller){ HTTP_NOBODY, HTTP_ADMIN, "" };
	if (zone != NULL)
		*caller = (struct http_caller){ HTTP_ZONE, HTTP_ADMIN, zone };
	else if (proof->is_local)
		caller->kind = HTTP_LOCAL;
	return true;
}

static int setup_tls(void **state)
{
	return setup_ready(state, &(struct http_options){ .authorize = by_certificate },
			   "0.0.0.0:0", prepare);
}

static int setup_tls_quick(void **state)
{
	struct http_options quick = QUICK;

	quick.authorize = by_certificate;
	return setup_ready(state, &quick, "0.0.0.0:0", prepare);
}

/* Connect, and have the session ready. */
static void dial_ssl(struct peer *peer, const struct fixture *fix, struct pki_tls *tls)
{
	dial_tcp(peer, fix, "127.0.0.1");
	peer->ssl = pki_tls_session(tls);
	assert_non_null(peer->ssl);
	SSL_set_fd(peer->ssl, peer->fd);
	SSL_set_connect_state(peer->ssl);
}

static void dial_tls(struct peer *peer, const struct fixture *fix, const char *identity)
{
	struct pki_tls *tls = context(&ours, identity, false);

	dial_ssl(peer, fix, tls);
	assert_int_equal(SSL_do_handshake(peer->ssl), 1);
	pki_tls_drop(&tls);
}

static void one_port_takes_both(void **state)
{
	struct fixture *fix = *state;
	struct peer peer;

	dial_tls(&peer, fix, NULL);
	assert_int_equal(ask(&peer, "GET /echo/a?q=1"), 200);
	assert_string_equal(peer.body, "a|1");
	assert_int_equal(ask(&peer, "GET /who/open"), 200);
	assert_string_equal(peer.body, "nobody|-|-"); /* by TLS even this machine is */
	/* a name in Host is fine where no page can lead a browser by it */
	say(&peer, "GET /echo/b HTTP/1.1\r\nHost: global.example:5681\r\n\r\n");
	assert_int_equal(answer(&peer), 200);
	hang_up(&peer);

	dial_tcp(&peer, fix, "127.0.0.1");
	assert_int_equal(ask(&peer, "GET /who/open"), 200);
	assert_string_equal(peer.body, "local|-|-");
	say(&peer, "GET /echo/b HTTP/1.1\r\nHost: global.example:5681\r\n\r\n");
	assert_int_equal(answer(&peer), 421);
	hang_up(&peer);
}

static void a_certificate_says_who(void **state)
{
	struct peer peer;

	dial_tls(&peer, *state, EAST);
	assert_int_equal(ask(&peer, "GET /who/open"), 200);
	assert_string_equal(peer.body, "zone/east|-|" EAST);
	hang_up(&peer);
}

/* With TLS 1.3 the client learns of it when it reads. */
static void a_strangers_certificate_is_refused(void **state)
{
	struct fixture *fix = *state;
	struct pki_tls *tls = context(&theirs, EAST, false);
	struct peer peer;
	char byte;

	dial_ssl(&peer, fix, tls);
	if (SSL_do_handshake(peer.ssl) == 1)
		assert_true(SSL_read(peer.ssl, &byte, 1) <= 0);
	await(&fix->denied[HTTP_BAD_HANDSHAKE], 1);
	hang_up(&peer);
	pki_tls_drop(&tls);
	dial_tls(&peer, fix, NULL);
	assert_int_equal(ask(&peer, "GET /echo/alive"), 200);
	hang_up(&peer);
}

static const char *other_address(char text[INET_ADDRSTRLEN])
{
	const char *found = NULL;
	struct ifaddrs *all;

	assert_int_equal(getifaddrs(&all), 0);
	for (struct ifaddrs *at = all; at != NULL && found == NULL; at = at->ifa_next) {
		struct sockaddr_in sin;
		if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_INET ||
		    (at->ifa_flags & IFF_LOOPBACK))
			continue;
		memcpy(&sin, at->ifa_addr, sizeof(sin));
		found = inet_ntop(AF_INET, &sin.sin_addr, text, INET_ADDRSTRLEN);
	}
	freeifaddrs(all);
	return found;
}

static void plain_requests_are_for_this_machine(void **state)
{
	struct fixture *fix = *state;
	char text[INET_ADDRSTRLEN];
	const char *host = other_address(text);
	struct peer peer;

	if (host == NULL)
		skip(); /* this machine has no address but loopback */
	dial_tcp(&peer, fix, host);
	assert_int_equal(ask(&peer, "GET /echo/a"), 403);
	assert_non_null(strstr(peer.head, "application/problem+json"));
	assert_non_null(strstr(peer.body, "https only"));
	assert_int_equal(ask(&peer, "GET /nowhere"), 403);
	assert_int_equal(atomic_load(&fix->denied[HTTP_NOT_BY_TLS]), 2);
	hang_up(&peer);
}

/* ---- bytes ---- */

static void big_bodies_both_ways(void **state)
{
	struct peer peer;
	char *head = zl_format(
		"POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BIG);
	char *bytes = zl_alloc(1, BIG);

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i % 253);
	dial_tls(&peer, *state, NULL);
	say(&peer, head);
	say_bytes(&peer, bytes, BIG);
	while (strstr(zl_buf_text(&peer.got), "\r\n\r\n") == NULL)
		assert_true(more(&peer));
	size_t skip_head =
		(size_t)(strstr(peer.got.data, "\r\n\r\n") + 4 - peer.got.data);
	zl_buf_drain(&peer.got, skip_head);
	while (peer.got.len < BIG)
		assert_true(more(&peer));
	assert_int_equal(peer.got.len, BIG);
	assert_memory_equal(peer.got.data, bytes, BIG);
	zl_buf_drain(&peer.got, BIG);
	assert_int_equal(ask(&peer, "GET /echo/still"), 200);
	hang_up(&peer);
	free(bytes);
	free(head);
}

/* Requests behind one that waits are read ahead up to a bound and no further; what lies
 * in OpenSSL by then must not be forgotten. */
static void requests_behind_a_late_one(void **state)
{
	enum { BEHIND = 4000, PADDING = 100 };
	struct fixture *fix = *state;
	struct zl_buf all = { 0 };
	struct peer peer;

	dial_tls(&peer, fix, NULL);
	say(&peer, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	await(&fix->pending, 1);
	for (int i = 0; i < BEHIND; i++)
		zl_buf_format(&all, "GET /echo/%d HTTP/1.1\r\nHost: a\r\nX: %0*d\r\n\r\n",
			      i, PADDING, 0);
	/* More than is read ahead, less than the sockets hold: this does not block. */
	int room = 4 << 20;
	assert_int_equal(setsockopt(peer.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)),
			 0);
	say_bytes(&peer, all.data, all.len);
	tell(fix, ANSWER);
	assert_int_equal(answer(&peer), 200);
	for (int i = 0; i < BEHIND; i++) {
		char want[32];
		(void)snprintf(want, sizeof(want), "%d|-", i);
		assert_int_equal(answer(&peer), 200);
		assert_string_equal(peer.body, want);
	}
	zl_buf_free(&all);
	hang_up(&peer);
}

/* A reader that takes little at a time gets all of it: more than the sockets hold, so the
 * server has to stop and go on many times. */
/* Ask for a file of BIG bytes and take them. */
static void take_file(struct peer *peer)
{
	char *line = zl_format("GET /file/%d HTTP/1.1\r\nHost: a\r\n\r\n", BIG);
	char *length = zl_format("\r\nContent-Length: %d\r\n", BIG);

	say(peer, line);
	while (strstr(zl_buf_text(&peer->got), "\r\n\r\n") == NULL)
		assert_true(more(peer));
	assert_non_null(strstr(zl_buf_text(&peer->got), length));
	zl_buf_drain(&peer->got,
		     (size_t)(strstr(peer->got.data, "\r\n\r\n") + 4 - peer->got.data));
	while (peer->got.len < BIG)
		assert_true(more(peer));
	for (size_t i = 0; i < BIG; i++)
		if ((unsigned char)peer->got.data[i] != i % 251)
			fail_msg("byte %zu", i);
	zl_buf_drain(&peer->got, BIG);
	free(length);
	free(line);
}

static void files_are_sent(void **state)
{
	struct peer peer;

	for (size_t i = 0; i < 2; i++) {
		/* Not before its turn: who says nothing is sent away. */
		if (i == 0)
			dial(&peer, *state);
		else
			dial_tls(&peer, *state, NULL);
		take_file(&peer);
		take_file(&peer);
		assert_int_equal(ask(&peer, "HEAD /file/1000"), 200);
		assert_non_null(strstr(peer.head, "\r\nContent-Length: 1000\r\n"));
		assert_int_equal(ask(&peer, "GET /file/0"), 200);
		assert_int_equal(ask(&peer, "GET /file/3"), 200);
		assert_memory_equal(peer.body, "\0\1\2", 3);
		assert_int_equal(ask(&peer, "GET /echo/still"), 200);
		hang_up(&peer);
	}
}

static void a_file_that_ends_early_ends_the_connection(void **state)
{
	struct peer peer;

	dial(&peer, *state);
	say(&peer, "GET /file/1000?short=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	while (more(&peer))
		continue;
	assert_non_null(strstr(zl_buf_text(&peer.got), "\r\nContent-Length: 2000\r\n"));
	assert_in_range(peer.got.len, 1000, 1999);
	hang_up(&peer);
}

static void a_slow_reader_gets_all(void **state)
{
	char *line = zl_format("GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n", BIG);
	struct peer peer;
	char chunk[977];

	dial_tls(&peer, *state, NULL);
	say(&peer, line);
	while (strstr(zl_buf_text(&peer.got), "\r\n\r\n") == NULL) {
		char byte;
		assert_int_equal(SSL_read(peer.ssl, &byte, 1), 1);
		zl_buf_char(&peer.got, byte);
	}
	for (size_t got = 0; got < BIG;) {
		int len = SSL_read(peer.ssl, chunk, sizeof(chunk));
		assert_true(len > 0);
		for (int i = 0; i < len; i++)
			if ((unsigned char)chunk[i] != (got + (size_t)i) % 251)
				fail_msg("byte %zu", got + (size_t)i);
		got += (size_t)len;
	}
	hang_up(&peer);
	free(line);
}

/* ---- ends ---- */

static void an_end_is_said(void **state)
{
	struct peer peer;
	char byte;

	dial_tls(&peer, *state, NULL);
	say(&peer, "GET /echo/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_int_equal(answer(&peer), 200);
	int rc = SSL_read(peer.ssl, &byte, 1);
	assert_int_equal(SSL_get_error(peer.ssl, rc), SSL_ERROR_ZERO_RETURN);
	hang_up(&peer);
}

/* Who asks and says at once that nothing more comes still gets a big answer. */
static void who_ends_sending_gets_the_answer(void **state)
{
	enum { BYTES = 4 << 20 };
	char *line = zl_format("GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n", BYTES);
	struct peer peer;

	dial_tls(&peer, *state, NULL);
	say(&peer, line);
	assert_int_equal(SSL_shutdown(peer.ssl), 0);
	while (more(&peer))
		;
	assert_true(peer.got.len > BYTES);
	hang_up(&peer);
	free(line);
}

/* Bodies that break off, with and without a word, do not reach a handler. */
static void broken_bodies(void **state)
{
	static const char HALF[] = "POST /body HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 10\r\n\r\nhalf";
	const struct linger reset = { .l_onoff = 1 };
	struct peer peer;

	for (int how = 0; how < 3; how++) {
		dial_tls(&peer, *state, NULL);
		say(&peer, HALF);
		if (how == 0)
			(void)SSL_shutdown(peer.ssl);
		else if (how == 1)
			shutdown(peer.fd, SHUT_WR);
		else
			assert_int_equal(setsockopt(peer.fd, SOL_SOCKET, SO_LINGER,
						    &reset, sizeof(reset)),
					 0);
		if (how < 2)
			expect_end(&peer);
		hang_up(&peer);
	}
	dial_tls(&peer, *state, NULL);
	assert_int_equal(ask(&peer, "GET /echo/alive"), 200);
	hang_up(&peer);
}

/* ---- strangers ---- */

static void garbage_is_sent_away(void **state)
{
	/* clang-format off */
	static const struct {
		const char *bytes;
		size_t len;
	} CASES[] = {
		{ "\x16", 1 },                           /* and no more */
		{ "\x16\x03\x01\x02\x00\x01", 6 },       /* half a ClientHello */
		{ "\x16garbage that is no record\r\n\r\n", 29 },
		{ "\x16\x03\x01\xff\xff", 5 },           /* a record that is too long */
		{ "\x16\x03\x01\x00\x00", 5 },           /* one without content */
	};
	/* clang-format on */
	struct fixture *fix = *state;
	struct peer peer;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		uint64_t began = zl_now_ms();
		dial_tcp(&peer, fix, "127.0.0.1");
		say_bytes(&peer, CASES[i].bytes, CASES[i].len);
		while (more(&peer)) /* perhaps an alert */
			;
		assert_true(zl_now_ms() - began < PATIENCE_MS / 2);
		await(&fix->denied[HTTP_BAD_HANDSHAKE], (int)i + 1);
		hang_up(&peer);
	}
	dial_tcp(&peer, fix, "127.0.0.1"); /* who says nothing */
	expect_end(&peer);
	hang_up(&peer);
	dial_tls(&peer, fix, NULL);
	assert_int_equal(ask(&peer, "GET /echo/alive"), 200);
	hang_up(&peer);
}

/* Who has shaken hands and then sends bytes one by one wins no time. */
static void slow_heads_end(void **state)
{
	struct peer peer;

	dial_tls(&peer, *state, NULL);
	say(&peer, "GET /echo/a HTTP/1.1\r\nHost: a\r\nX: ");
	struct pollfd ready = { .fd = peer.fd, .events = POLLIN };
	while (poll(&ready, 1, 20) == 0)
		say(&peer, "x");
	assert_int_equal(answer(&peer), 408);
	hang_up(&peer);
}

static void silent_strangers_make_room(void **state)
{
	struct fixture *fix = *state;
	struct peer silent[3], peer;

	for (int i = 0; i < 3; i++)
		dial_tcp(&silent[i], fix, "127.0.0.1");
	dial_tls(&peer, fix, NULL);
	assert_int_equal(ask(&peer, "GET /echo/in"), 200);
	hang_up(&peer);
	for (int i = 0; i < 3; i++)
		hang_up(&silent[i]);
}

static int setup_tls_narrow(void **state)
{
	return setup_ready(state, &(struct http_options){ .max_connections = 2 },
			   "127.0.0.1:0", prepare);
}

/* ---- certificates ---- */

static void serial_of(const struct peer *peer, char serial[PKI_SERIAL])
{
	struct pki_facts facts;

	assert_true(pki_tls_peer(peer->ssl, &facts));
	assert_string_equal(facts.identity, GLOBAL);
	memcpy(serial, facts.serial, PKI_SERIAL);
}

static void new_certificates_cut_nothing(void **state)
{
	struct fixture *fix = *state;
	char before[PKI_SERIAL], after[PKI_SERIAL];
	struct peer old, new;

	dial_tls(&old, fix, NULL);
	assert_int_equal(ask(&old, "GET /echo/a"), 200);
	serial_of(&old, before);
	fix->tls[1] = context(&ours, GLOBAL, true);
	tell(fix, SWAP);
	await(&fix->pending, 1);
	dial_tls(&new, fix, NULL);
	serial_of(&new, after);
	assert_string_not_equal(before, after);
	assert_int_equal(ask(&old, "GET /echo/b"), 200);
	assert_int_equal(ask(&new, "GET /echo/c"), 200);
	hang_up(&old);
	hang_up(&new);
}

static int make_meshes(void **state)
{
	(void)state;
	mesh_make(&ours);
	mesh_make(&theirs);
	return 0;
}

static int remove_meshes(void **state)
{
	(void)state;
	mesh_remove(&ours);
	mesh_remove(&theirs);
	return 0;
}

int main(void)
{
#define TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_port_takes_both, setup_tls),
		TEST(a_certificate_says_who, setup_tls),
		TEST(a_strangers_certificate_is_refused, setup_tls),
		TEST(plain_requests_are_for_this_machine, setup_tls),
		TEST(big_bodies_both_ways, setup_tls),
		TEST(files_are_sent, setup_tls),
		TEST(a_file_that_ends_early_ends_the_connection, setup_tls),
		TEST(requests_behind_a_late_one, setup_tls),
		TEST(a_slow_reader_gets_all, setup_tls),
		TEST(an_end_is_said, setup_tls),
		TEST(who_ends_sending_gets_the_answer, setup_tls),
		TEST(broken_bodies, setup_tls),
		TEST(garbage_is_sent_away, setup_tls_quick),
		TEST(slow_heads_end, setup_tls_quick),
		TEST(silent_strangers_make_room, setup_tls_narrow),
		TEST(new_certificates_cut_nothing, setup_tls),
	};
	return cmocka_run_group_tests_name("http/tls", tests, make_meshes, remove_meshes);
}
