/* A zone that is connected, and one that comes, while strangers do to the gate what they
 * can: thousands of handshakes that break off, then hundreds of silent connections.
 *
 * ZL_SIZE S: 400 and 60, C: 2,000 and 200, L: 8,000 and 500. */
#include "certs.h"
#include "turn.h"

#include "crash/size.h"
#include "wire/link.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { MESSAGE_MAX = 1 << 20, EACH_MS = 4, SILENT_MAX = 500, SAMPLES_MAX = 20000 };

struct samples {
	uint32_t took_us[SAMPLES_MAX];
	size_t count;
};

struct zone {
	struct link_uplink *uplink;
	struct samples *samples; /* of what is heard now; NULL: none */
	bool up, heard;
	unsigned downs;
};

struct rig {
	struct tmp tmp;
	struct loop *loop;
	struct certs certs;
	struct pki_tls *tls;
	struct link_hub *hub;
	struct zl_addr addr;
	struct zone east, west;
};

static void on_request(void *arg, uint64_t handle, const char *identity,
		       const void *bytes, size_t len)
{
	(void)arg, (void)handle, (void)identity, (void)bytes, (void)len;
}

static void on_published(void *arg, const void *bytes, size_t len)
{
	struct zone *zone = arg;
	uint64_t sent_us;

	assert_int_equal(len, sizeof(sent_us));
	memcpy(&sent_us, bytes, sizeof(sent_us));
	zone->heard = true;
	if (sent_us != 0 && zone->samples != NULL && zone->samples->count < SAMPLES_MAX)
		zone->samples->took_us[zone->samples->count++] =
			(uint32_t)(zl_now_us() - sent_us);
}

static void on_replied(void *arg, uint64_t id, const void *bytes, size_t len)
{
	(void)arg, (void)id, (void)bytes, (void)len;
}

static void on_lost(void *arg, uint64_t id)
{
	(void)arg, (void)id;
}

static void on_pipe(void *arg, bool up)
{
	struct zone *zone = arg;

	zone->up = up;
	zone->downs += !up;
}

static void zone_open(struct rig *rig, struct zone *zone, const char *name)
{
	const struct link_uplink_handlers handlers = { .published = on_published,
						       .replied = on_replied,
						       .lost = on_lost,
						       .pipe = on_pipe,
						       .arg = zone };
	struct pki_tls *tls = certs_zone(&rig->certs, name);
	struct link_uplink_setup setup = {
		.addrs = &rig->addr, .count = 1, .message_max = MESSAGE_MAX, .tls = tls
	};
	struct zl_err err = { 0 };
	char folder[200];

	(void)snprintf(folder, sizeof(folder), "%s", tmp_path(&rig->tmp, name));
	setup.folder = folder;
	if (link_uplink_open(&zone->uplink, rig->loop, &setup, &handlers, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	pki_tls_drop(&tls);
}

static void rig_open(struct rig *rig)
{
	const struct link_hub_handlers handlers = { .request = on_request };
	struct link_hub_setup setup = { .message_max = MESSAGE_MAX,
					.connections_max = 64 };
	struct zl_err err = { 0 };
	struct rlimit files;
	char folder[200];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	*rig = (struct rig){ .addr = { .host = "127.0.0.1" } };
	tmp_make(&rig->tmp);
	assert_int_equal(loop_open(&rig->loop, &err), ZL_OK);
	certs_make(&rig->certs, &rig->tmp, "ca");
	rig->tls = certs_server(&rig->certs);
	(void)snprintf(folder, sizeof(folder), "%s", tmp_path(&rig->tmp, "hub"));
	setup.folder = folder;
	setup.tls = rig->tls;
	if (link_hub_open(&rig->hub, rig->loop, &setup, &handlers, &err) != ZL_OK ||
	    link_hub_listen(rig->hub, &rig->addr, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	zone_open(rig, &rig->east, "east");
	UNTIL(rig->loop, rig->east.up);
}

static void rig_close(struct rig *rig)
{
	link_uplink_close(&rig->east.uplink);
	link_uplink_close(&rig->west.uplink);
	link_hub_close(&rig->hub);
	pki_tls_drop(&rig->tls);
	certs_free(&rig->certs);
	loop_close(&rig->loop);
	tmp_remove(&rig->tmp);
	assert_int_equal(link_left_behind(), 0);
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Publish at a steady pace for ms, or until *over: the zone hears all of it. How long
 * that takes is said, not judged: it depends on the machine. */
static void expect_heard(struct rig *rig, const char *name, uint64_t ms,
			 const _Atomic bool *over)
{
	static struct samples samples;
	uint64_t end = zl_now_ms() + ms, next = 0;
	size_t published = 0;

	samples.count = 0;
	rig->east.samples = &samples;
	while (published < SAMPLES_MAX && (over != NULL ? !*over : zl_now_ms() < end)) {
		if (zl_now_ms() >= next) {
			uint64_t now_us = zl_now_us();
			link_hub_publish(rig->hub, &now_us, sizeof(now_us));
			published++;
			next = zl_now_ms() + EACH_MS;
		}
		turn(rig->loop);
	}
	UNTIL(rig->loop, samples.count == published);
	rig->east.samples = NULL;
	qsort(samples.took_us, samples.count, sizeof(samples.took_us[0]), by_value);
	print_message("%-8s %6zu messages: p50 %6u us  p99 %6u us  max %6u us\n", name,
		      samples.count, samples.took_us[samples.count / 2],
		      samples.took_us[samples.count * 99 / 100],
		      samples.took_us[samples.count - 1]);
}

/* nng adds a pipe a moment after it is up. */
static void hear_first(struct rig *rig)
{
	const uint64_t none = 0;
	uint64_t next = 0;

	while (!rig->east.heard) {
		if (zl_now_ms() >= next) {
			link_hub_publish(rig->hub, &none, sizeof(none));
			next = zl_now_ms() + 200;
		}
		turn(rig->loop);
	}
}

/* ---- the strangers, on a thread of their own ---- */

struct storm {
	struct zl_addr addr;
	size_t count;
	char hello[4096]; /* a ClientHello */
	size_t len;
	size_t came; /* of them, those that got through to the kernel */
	_Atomic bool over;
};

/* A connection from 127.0.<n>: one of as many addresses. */
static int dial_from(const struct zl_addr *addr, unsigned n)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x100 + n);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
			peer_connect(fd, addr) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void *storm_thread(void *arg)
{
	struct storm *storm = arg;
	char answer[64];

	for (size_t i = 0; i < storm->count; i++) {
		int fd = dial_from(&storm->addr, (unsigned)(i % 50));
		if (fd < 0)
			continue;
		storm->came++;
		size_t len = i % 4 == 3 ? storm->len / 2 : storm->len;
		if (i % 8 != 7)
			(void)send(fd, storm->hello, len, MSG_NOSIGNAL);
		if (i % 2 == 0) /* after the gate has done its sums */
			(void)recv(fd, answer, i % 8 == 7 ? 0 : sizeof(answer), 0);
		if (i % 3 == 0)
			close(fd);
		else
			peer_reset(fd);
	}
	storm->over = true;
	return NULL;
}

static void make_hello(const struct rig *rig, struct storm *storm)
{
	struct pki_tls *tls = certs_zone(&rig->certs, "eve");
	SSL *ssl = pki_tls_session(tls);
	BIO *to = BIO_new(BIO_s_mem());

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), to);
	SSL_set_connect_state(ssl);
	(void)SSL_do_handshake(ssl);
	int len = BIO_read(to, storm->hello, sizeof(storm->hello));
	assert_true(len > 0);
	storm->len = (size_t)len;
	SSL_free(ssl);
	pki_tls_drop(&tls);
}

static void a_zone_hears_through_storms(void **state)
{
	const size_t silent = by_size(60, 200, SILENT_MAX);
	struct storm storm = { .count = by_size(400, 2000, 8000) };
	int fds[SILENT_MAX];
	struct rig rig;
	pthread_t thread;

	(void)state;
	rig_open(&rig);
	storm.addr = rig.addr;
	make_hello(&rig, &storm);
	hear_first(&rig);
	expect_heard(&rig, "calm", 1500, NULL);

	uint64_t start = zl_now_ms();
	assert_int_equal(pthread_create(&thread, NULL, storm_thread, &storm), 0);
	zone_open(&rig, &rig.west, "west"); /* it comes in the middle of it */
	expect_heard(&rig, "storm", 0, &storm.over);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("%zu handshakes broken off in %llu ms\n", storm.count,
		      (unsigned long long)(zl_now_ms() - start));
	UNTIL(rig.loop, rig.west.up);
	assert_true(storm.came > 0);
	UNTIL(rig.loop, link_hub_refused(rig.hub) >= storm.came);
	assert_int_equal(rig.west.downs, 0);

	start = zl_now_ms();
	for (size_t i = 0; i < silent; i++) {
		fds[i] = dial_from(&rig.addr, (unsigned)i);
		assert_true(fds[i] >= 0);
		if (i % 8 == 0)
			turn(rig.loop);
	}
	expect_heard(&rig, "crowded", 1500, NULL);
	UNTIL(rig.loop, link_hub_refused(rig.hub) >= storm.came + silent);
	assert_true(zl_now_ms() - start >= 4900); /* 5 s after each came */
	for (size_t i = 0; i < silent; i++) {
		assert_true(peer_ended(fds[i]));
		close(fds[i]);
	}

	assert_int_equal(rig.east.downs, 0);
	assert_int_equal(link_hub_connections(rig.hub), 4);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_hears_through_storms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
