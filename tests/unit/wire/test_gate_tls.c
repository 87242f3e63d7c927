/* The gate's TLS: who comes in, who does not and why, and what strangers can take up. */
#include "peer_tls.h"

#include "wire/frame.h"
#include "wire/gate.h"

#include <fcntl.h>

#define REQ "\0SP\0\0\x30\0\0"
#define REP "\0SP\0\0\x31\0\0"
#define HELLO                        \
	"\x01\0\0\0\0\0\0\0\x05\x80" \
	"ello" /* a request, by its id */
enum { HEADER = 8, FRAME = 14, HEADER_MS = 2000 };

struct rig {
	struct tmp tmp;
	struct loop *loop;
	struct certs certs, others;
	struct pki_tls *tls, *east;
	struct gate *gate;
	struct zl_addr outer, inner;
	int inner_fd;
	char serial[PKI_SERIAL]; /* of east's */
	char revoked[PKI_SERIAL];
	bool renewed;            /* who has a certificate that expired has another one */
	unsigned asked;          /* whether it has */
	char zone[PKI_IDENTITY]; /* the last that was let in */
};

static enum zl_code on_inner(void *arg, const char *zone, int protocol,
			     char path[GATE_INNER], struct zl_err *err)
{
	struct rig *rig = arg;

	(void)err;
	assert_int_equal(protocol, FRAME_REQ);
	(void)snprintf(rig->zone, sizeof(rig->zone), "%s", zone);
	(void)snprintf(path, GATE_INNER, "%.100s", rig->inner.host);
	return ZL_OK;
}

static bool on_admit(void *arg, const char *zone, const char *serial)
{
	struct rig *rig = arg;

	if (serial == NULL) {
		rig->asked++;
		return rig->renewed;
	}
	return strcmp(zone, "retired") != 0 && strcmp(serial, rig->revoked) != 0;
}

static void rig_open(struct rig *rig, struct gate_setup setup)
{
	struct zl_err err = { 0 };

	*rig = (struct rig){ .outer = { .host = "127.0.0.1" },
			     .inner = { .is_unix = true } };
	tmp_make(&rig->tmp);
	assert_int_equal(loop_open(&rig->loop, &err), ZL_OK);
	certs_make(&rig->certs, &rig->tmp, "ca");
	certs_make(&rig->others, &rig->tmp, "others");
	rig->tls = certs_server(&rig->certs);
	rig->east = certs_tls(&rig->certs, &rig->certs, EAST, 3600, false, rig->serial);
	(void)snprintf(rig->inner.host, sizeof(rig->inner.host), "%s",
		       tmp_path(&rig->tmp, "inner"));
	assert_int_equal(zl_addr_listen(&rig->inner, &rig->inner_fd, &err), ZL_OK);
	setup.tls = rig->tls;
	setup.message_max = setup.published_max = 4096;
	if (setup.connections_max == 0)
		setup.connections_max = 64;
	if (setup.header_ms == 0)
		setup.header_ms =
			PATIENCE_MS; /* no deadline decides, but where it is tested */
	setup.admit = on_admit;
	setup.inner = on_inner;
	setup.arg = rig;
	rig->gate = gate_open(rig->loop, &setup);
	if (gate_listen(rig->gate, &rig->outer, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static void rig_close(struct rig *rig)
{
	gate_close(&rig->gate);
	pki_tls_drop(&rig->tls);
	pki_tls_drop(&rig->east);
	certs_free(&rig->certs);
	certs_free(&rig->others);
	loop_close(&rig->loop);
	close(rig->inner_fd);
	tmp_remove(&rig->tmp);
}

static bool accepted(int listener, int *fd)
{
	*fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return *fd >= 0;
}

static bool came(int fd, const void *bytes, size_t len)
{
	char got[256];

	if (recv(fd, got, len, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)len)
		return false;
	assert_int_equal(recv(fd, got, len, MSG_DONTWAIT), len);
	assert_memory_equal(got, bytes, len);
	return true;
}

/* A zone's connection with its inner side, greeted. */
static struct peer join(struct rig *rig, struct pki_tls *tls, int *inner)
{
	struct peer peer = peer_tls(&rig->outer, tls);

	UNTIL(rig->loop, peer_shaken(&peer));
	assert_false(peer.ended);
	peer_write(&peer, REQ, HEADER);
	UNTIL(rig->loop, accepted(rig->inner_fd, inner));
	UNTIL(rig->loop, came(*inner, REQ, HEADER));
	peer_say(*inner, REP, HEADER);
	UNTIL(rig->loop, peer_came(&peer, REP, HEADER));
	return peer;
}

static uint64_t refused_for(const struct rig *rig, const char *why)
{
	uint64_t count;
	const char *text;

	for (size_t i = 0; (text = gate_refusal(rig->gate, i, &count)) != NULL; i++)
		if (strcmp(text, why) == 0)
			return count;
	return 0;
}

static void expect_refused(struct rig *rig, const char *why, uint64_t count)
{
	UNTIL(rig->loop, gate_refused(rig->gate) >= count);
	if (refused_for(rig, why) != count) {
		uint64_t n;
		const char *text;
		for (size_t i = 0; (text = gate_refusal(rig->gate, i, &n)) != NULL; i++)
			print_message("%s: %llu\n", text, (unsigned long long)n);
		fail_msg("not refused because \"%s\"", why);
	}
}

static void a_zone_comes_in_under_its_name(void **state)
{
	struct rig rig;
	int inner;

	(void)state;
	rig_open(&rig, (struct gate_setup){ .header_ms = HEADER_MS });
	struct peer peer = join(&rig, rig.east, &inner);
	assert_string_equal(rig.zone, "east");
	peer_write(&peer, HELLO, FRAME);
	UNTIL(rig.loop, came(inner, HELLO, FRAME));
	peer_say(inner, HELLO, FRAME);
	UNTIL(rig.loop, peer_came(&peer, HELLO, FRAME));
	turn_for(rig.loop, HEADER_MS + 50); /* the deadline was that of the greeting */
	peer_write(&peer, HELLO, FRAME);
	UNTIL(rig.loop, came(inner, HELLO, FRAME));
	assert_int_equal(gate_connections(rig.gate), 1);
	peer_close(&peer);
	UNTIL(rig.loop, peer_ended(inner));
	UNTIL(rig.loop, gate_connections(rig.gate) == 0);
	assert_int_equal(gate_refused(rig.gate), 0);
	close(inner);
	rig_close(&rig);
}

/* A client of identity, or without a certificate, whatever the server's name is. */
static struct pki_tls *client(const struct certs *certs, const struct certs *roots,
			      const char *identity, uint32_t lifetime_s)
{
	struct pki_tls_setup setup = { .roots = pki_authority_root(roots->authority),
				       .peer = PKI_PEER_REQUIRED };
	struct pki_tls *tls = NULL;
	struct zl_err err = { 0 };

	if (identity != NULL)
		return certs_tls(certs, roots, identity, lifetime_s, false, NULL);
	if (pki_tls_new(&tls, &setup, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return tls;
}

static void wrong_certificates_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *name, *identity, *why;
		bool other, revoked;
		uint32_t lifetime_s;
	} CASES[] = {
		/* clang-format off */
		{ "none",            NULL,                            "peer did not return a certificate", false, false, 60 },
		{ "another CA's",    EAST,                            "self-signed certificate in certificate chain", true, false, 60 },
		{ "expired",         EAST,                            "certificate has expired", false, false, 0 },
		{ "global's",        GLOBAL,                          "not the certificate of a zone", false, false, 60 },
		{ "a user's",        "spiffe://zonelink/user/eve",    "not the certificate of a zone", false, false, 60 },
		{ "no zone's",       "spiffe://zonelink/zones/east",  "not the certificate of a zone", false, false, 60 },
		{ "another trust's", "spiffe://elsewhere/zone/east",  "not the certificate of a zone", false, false, 60 },
		{ "a retired zone's", "spiffe://zonelink/zone/retired", "zone or certificate not admitted", false, false, 60 },
		{ "revoked",         EAST,                            "zone or certificate not admitted", false, true, 60 },
		/* clang-format on */
	};
	struct rig rig;
	int inner;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		print_message("%s\n", CASES[i].name);
		rig_open(&rig, (struct gate_setup){ 0 });
		const struct certs *by = CASES[i].other ? &rig.others : &rig.certs;
		struct pki_tls *tls =
			client(by, &rig.certs, CASES[i].identity, CASES[i].lifetime_s);
		if (CASES[i].revoked) {
			memcpy(rig.revoked, rig.serial, PKI_SERIAL);
			pki_tls_drop(&tls);
			tls = pki_tls_hold(rig.east);
		}
		if (CASES[i].lifetime_s == 0)
			turn_for(rig.loop, 1100);
		struct peer peer = peer_tls(&rig.outer, tls);
		UNTIL(rig.loop, peer_shaken(&peer));
		if (!peer.ended)
			(void)SSL_write(peer.ssl, REQ, HEADER);
		expect_refused(&rig, CASES[i].why, 1);
		UNTIL(rig.loop, peer_gone(&peer));
		assert_false(accepted(rig.inner_fd, &inner));
		assert_int_equal(gate_connections(rig.gate), 0);
		peer_close(&peer);
		pki_tls_drop(&tls);
		rig_close(&rig);
	}
}

/* The first flight of a handshake, as bytes. */
static size_t client_hello(const struct rig *rig, char *bytes, size_t size)
{
	SSL *ssl = pki_tls_session(rig->east);
	BIO *to = BIO_new(BIO_s_mem());

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), to);
	SSL_set_connect_state(ssl);
	(void)SSL_do_handshake(ssl);
	int len = BIO_read(to, bytes, (int)size);
	SSL_free(ssl);
	ERR_clear_error();
	assert_true(len > 100);
	return (size_t)len;
}

enum end { STAYS, CLOSES, RESETS, SHUTS };

static void strangers_get_no_further(void **state)
{
	static const char HTTP[] = "GET / HTTP/1.1\r\n\r\n";
	static const struct {
		const char *name, *bytes;
		size_t len; /* SIZE_MAX: a ClientHello; SIZE_MAX / 2: half of one */
		enum end end;
		const char *why;
	} CASES[] = {
		/* clang-format off */
		{ "nothing",              "",   0,            STAYS,  "was silent for too long" },
		{ "nothing, close",       "",   0,            CLOSES, "went away in the handshake" },
		{ "nothing, reset",       "",   0,            RESETS, "went away in the handshake" },
		{ "SP header",            REQ,  HEADER,       STAYS,  "wrong version number" },
		{ "HTTP",                 HTTP, 18,           STAYS,  "http request" },
		{ "hello",                NULL, SIZE_MAX,     STAYS,  "was silent for too long" },
		{ "half a hello",         NULL, SIZE_MAX / 2, STAYS,  "was silent for too long" },
		{ "hello, close",         NULL, SIZE_MAX,     CLOSES, "went away in the handshake" },
		{ "hello, reset",         NULL, SIZE_MAX,     RESETS, "went away in the handshake" },
		{ "half a hello, reset",  NULL, SIZE_MAX / 2, RESETS, "went away in the handshake" },
		{ "hello, end of sending", NULL, SIZE_MAX,    SHUTS,  "went away in the handshake" },
		/* clang-format on */
	};
	char hello[4096];
	struct rig rig;
	int inner;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		print_message("%s\n", CASES[i].name);
		bool is_silent = strstr(CASES[i].why, "silent") != NULL;
		rig_open(&rig,
			 (struct gate_setup){ .header_ms = is_silent ? HEADER_MS : 0 });
		size_t len = client_hello(&rig, hello, sizeof(hello));
		if (CASES[i].len != SIZE_MAX)
			len = CASES[i].bytes == NULL ? len / 2 : CASES[i].len;
		uint64_t start = zl_now_ms();
		int peer = peer_dial(&rig.outer);
		peer_say(peer, CASES[i].bytes != NULL ? CASES[i].bytes : hello, len);
		if (CASES[i].end == CLOSES)
			close(peer);
		else if (CASES[i].end == RESETS)
			peer_reset(peer);
		else if (CASES[i].end == SHUTS)
			assert_int_equal(shutdown(peer, SHUT_WR), 0);
		expect_refused(&rig, CASES[i].why, 1);
		assert_true(!is_silent || zl_now_ms() - start >= HEADER_MS);
		if (CASES[i].end == STAYS || CASES[i].end == SHUTS) {
			UNTIL(rig.loop, peer_ended(peer));
			close(peer);
		}
		assert_false(accepted(rig.inner_fd, &inner));
		rig_close(&rig);
	}
}

/* Who has a certificate has to keep to the protocol all the same. */
static void a_zone_must_greet_too(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		const char *why;
	} CASES[] = {
		/* clang-format off */
		{ "silence",         "",             0,              "was silent for too long" },
		{ "half a header",   REQ,            4,              "was silent for too long" },
		{ "HTTP",            "GET / HT",     HEADER,         "no SP header of a zone" },
		{ "a hub's header",  REP,            HEADER,         "no SP header of a zone" },
		{ "too much at once", REQ HELLO,     HEADER + FRAME, "spoke before it was answered" },
		/* clang-format on */
	};
	struct rig rig;
	int inner;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		print_message("%s\n", CASES[i].name);
		bool is_silent = strstr(CASES[i].why, "silent") != NULL;
		rig_open(&rig,
			 (struct gate_setup){ .header_ms = is_silent ? HEADER_MS : 0 });
		struct peer peer = peer_tls(&rig.outer, rig.east);
		UNTIL(rig.loop, peer_shaken(&peer));
		if (CASES[i].len > 0)
			peer_write(&peer, CASES[i].bytes, CASES[i].len);
		expect_refused(&rig, CASES[i].why, 1);
		UNTIL(rig.loop, peer_gone(&peer));
		assert_false(accepted(rig.inner_fd, &inner));
		peer_close(&peer);
		rig_close(&rig);
	}
}

/* One byte after the other, in TLS records of their own, does not put the deadline off.
 */
static void a_dripping_header_is_cut_off(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, (struct gate_setup){ .header_ms = HEADER_MS });
	uint64_t start = zl_now_ms();
	struct peer peer = peer_tls(&rig.outer, rig.east);
	UNTIL(rig.loop, peer_shaken(&peer));
	for (size_t i = 0; i < HEADER - 1 && gate_refused(rig.gate) == 0; i++) {
		peer_write(&peer, &REQ[i], 1);
		turn_for(rig.loop, HEADER_MS / 6);
	}
	expect_refused(&rig, "was silent for too long", 1);
	assert_true(zl_now_ms() - start >= HEADER_MS);
	peer_close(&peer);
	rig_close(&rig);
}

/* Those of one address have so many places, and so have all. The last who came stay. */
static void strangers_have_places_of_their_own(void **state)
{
	enum { PLACES = 4, COME = 10 };
	int peers[COME], inner;
	struct rig rig;

	(void)state;
	for (int all = 0; all < 2; all++) {
		rig_open(&rig, (struct gate_setup){
				       .header_ms = 60000,
				       .strangers_max = all ? PLACES : 100,
				       .of_a_source_max = all ? 100 : PLACES,
			       });
		for (int i = 0; i < COME; i++) {
			peers[i] = peer_dial(&rig.outer);
			turn(rig.loop);
		}
		expect_refused(&rig,
			       all ? "too many strangers"
				   : "too many strangers from its address",
			       COME - PLACES);
		for (int i = 0; i < COME; i++)
			assert_int_equal(peer_ended(peers[i]), i < COME - PLACES);
		/* A zone comes in all the same, and gives its place back. */
		for (int n = 0; n < 3; n++) {
			struct peer peer = join(&rig, rig.east, &inner);
			assert_int_equal(gate_refused(rig.gate), COME - PLACES + 1);
			peer_close(&peer);
			UNTIL(rig.loop, peer_ended(inner));
			close(inner);
		}
		for (int i = 0; i < COME; i++)
			close(peers[i]);
		rig_close(&rig);
	}
}

static void a_zone_has_so_many_connections(void **state)
{
	struct peer peers[4];
	int inner[4], nobody;
	struct rig rig;

	(void)state;
	rig_open(&rig, (struct gate_setup){ .zone_max = 2, .connections_max = 3 });
	struct pki_tls *west = certs_zone(&rig.certs, "west");
	struct pki_tls *north = certs_zone(&rig.certs, "north");
	peers[0] = join(&rig, west, &inner[0]);
	for (int i = 1; i < 4; i++)
		peers[i] = join(&rig, rig.east, &inner[i]);
	UNTIL(rig.loop, peer_gone(&peers[1])); /* east's oldest */
	UNTIL(rig.loop, peer_ended(inner[1]));
	expect_refused(&rig, "too many connections of its zone", 1);
	assert_int_equal(gate_connections(rig.gate), 3);
	peer_write(&peers[0], HELLO, FRAME);
	UNTIL(rig.loop, came(inner[0], HELLO, FRAME));
	/* All places are taken. */
	struct peer more = peer_tls(&rig.outer, north);
	UNTIL(rig.loop, peer_shaken(&more));
	peer_write(&more, REQ, HEADER);
	UNTIL(rig.loop, peer_gone(&more));
	assert_int_equal(refused_for(&rig, "too many connections of zones"), 1);
	assert_false(accepted(rig.inner_fd, &nobody));
	peer_close(&more);
	for (int i = 0; i < 4; i++) {
		peer_close(&peers[i]);
		close(inner[i]);
	}
	pki_tls_drop(&west);
	pki_tls_drop(&north);
	rig_close(&rig);
}

static void server_serial(const struct peer *peer, char serial[PKI_SERIAL])
{
	struct pki_facts facts;

	assert_true(pki_tls_peer(peer->ssl, &facts));
	memcpy(serial, facts.serial, PKI_SERIAL);
}

static void a_new_certificate_drops_nobody(void **state)
{
	char old[PKI_SERIAL], new[PKI_SERIAL], made[PKI_SERIAL];
	int inner[2];
	struct rig rig;

	(void)state;
	rig_open(&rig, (struct gate_setup){ 0 });
	struct peer first = join(&rig, rig.east, &inner[0]);
	struct peer half = peer_tls(&rig.outer, rig.east); /* in the middle of it */
	struct pki_tls *tls = certs_tls(&rig.certs, &rig.certs, GLOBAL, 3600, true, made);
	turn(rig.loop);
	gate_set_tls(rig.gate, tls);
	pki_tls_drop(&tls);
	struct peer second = join(&rig, rig.east, &inner[1]);
	UNTIL(rig.loop, peer_shaken(&half));
	assert_false(half.ended);
	server_serial(&first, old);
	server_serial(&second, new);
	assert_string_equal(new, made);
	assert_string_not_equal(old, new);
	peer_write(&first, HELLO, FRAME);
	UNTIL(rig.loop, came(inner[0], HELLO, FRAME));
	assert_int_equal(gate_connections(rig.gate), 2);
	peer_close(&first);
	peer_close(&second);
	peer_close(&half);
	close(inner[0]);
	close(inner[1]);
	rig_close(&rig);
}

static void a_zone_can_be_cut_off(void **state)
{
	int inner[2];
	struct rig rig;

	(void)state;
	rig_open(&rig, (struct gate_setup){ 0 });
	struct pki_tls *west = certs_zone(&rig.certs, "west");
	struct peer cut = join(&rig, rig.east, &inner[0]);
	struct peer stays = join(&rig, west, &inner[1]);
	struct peer comes = peer_tls(&rig.outer, rig.east);
	UNTIL(rig.loop, peer_shaken(&comes));
	turn_for(rig.loop, 20); /* it has proved who it is, and not greeted yet */
	gate_cut(rig.gate, "east");
	assert_int_equal(gate_connections(rig.gate), 1);
	UNTIL(rig.loop, peer_gone(&cut));
	UNTIL(rig.loop, peer_gone(&comes));
	UNTIL(rig.loop, peer_ended(inner[0]));
	peer_write(&stays, HELLO, FRAME);
	UNTIL(rig.loop, came(inner[1], HELLO, FRAME));
	peer_close(&cut);
	peer_close(&stays);
	peer_close(&comes);
	close(inner[0]);
	close(inner[1]);
	pki_tls_drop(&west);
	rig_close(&rig);
}

/* No connection outlives the certificate that it came in with, unless its zone has
 * another one. */
static void a_certificate_that_expires_ends_its_connection(void **state)
{
	struct rig rig;
	int inner;

	(void)state;
	rig_open(&rig, (struct gate_setup){ 0 });
	struct pki_tls *brief = certs_tls(&rig.certs, &rig.certs, EAST, 3, false, NULL);
	uint64_t start = zl_now_ms();
	struct peer peer = join(&rig, brief, &inner);
	UNTIL(rig.loop, peer_gone(&peer));
	assert_true(zl_now_ms() - start >= 500); /* not before it expired */
	UNTIL(rig.loop, peer_ended(inner));
	peer_close(&peer);
	close(inner);
	pki_tls_drop(&brief);
	rig_close(&rig);
}

static void who_has_renewed_stays(void **state)
{
	struct rig rig;
	int inner;

	(void)state;
	rig_open(&rig, (struct gate_setup){ 0 });
	rig.renewed = true;
	struct pki_tls *brief = certs_tls(&rig.certs, &rig.certs, EAST, 3, false, NULL);
	struct peer peer = join(&rig, brief, &inner);
	UNTIL(rig.loop, rig.asked > 0);
	peer_write(&peer, HELLO, FRAME);
	UNTIL(rig.loop, came(inner, HELLO, FRAME));
	assert_false(peer_gone(&peer));
	peer_close(&peer);
	close(inner);
	pki_tls_drop(&brief);
	rig_close(&rig);
}

/* A storm of refusals is a line a second for each reason, with the count. */
static void refusals_do_not_fill_the_log(void **state)
{
	enum { STORM = 300 };
	char text[65536];
	struct rig rig;
	unsigned lines = 0, told = 0;

	(void)state;
	rig_open(&rig, (struct gate_setup){ 0 });
	int file = open(tmp_path(&rig.tmp, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int old = dup(STDERR_FILENO);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	uint64_t start = zl_now_ms();
	for (int i = 0; i < STORM; i++) {
		int peer = peer_dial(&rig.outer);
		close(peer);
		turn(rig.loop);
	}
	expect_refused(&rig, "went away in the handshake", STORM);
	turn_for(rig.loop, 1100); /* the rest is told */
	uint64_t seconds = (zl_now_ms() - start) / 1000 + 2;
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	ssize_t len = pread(file, text, sizeof(text) - 1, 0);
	assert_in_range(len, 1, sizeof(text) - 1);
	text[len] = '\0';
	for (const char *at = text; (at = strstr(at, " count=")) != NULL; lines++) {
		at += strlen(" count=");
		told += (unsigned)strtoul(at, NULL, 10);
		assert_non_null(strstr(at, "peer=\"127.0.0.1:"));
	}
	assert_in_range(lines, 2, seconds);
	assert_int_equal(told, STORM);
	close(file);
	close(old);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_comes_in_under_its_name),
		cmocka_unit_test(wrong_certificates_are_refused_with_the_reason),
		cmocka_unit_test(strangers_get_no_further),
		cmocka_unit_test(a_zone_must_greet_too),
		cmocka_unit_test(a_dripping_header_is_cut_off),
		cmocka_unit_test(strangers_have_places_of_their_own),
		cmocka_unit_test(a_zone_has_so_many_connections),
		cmocka_unit_test(a_new_certificate_drops_nobody),
		cmocka_unit_test(a_zone_can_be_cut_off),
		cmocka_unit_test(a_certificate_that_expires_ends_its_connection),
		cmocka_unit_test(who_has_renewed_stays),
		cmocka_unit_test(refusals_do_not_fill_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
