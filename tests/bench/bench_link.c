/* What the link costs: the time from asking to the answer, and from publishing to
 * hearing, through both gates, hub and uplink on one loop; with TLS and without.
 *
 *     bench-link [rounds]
 */
#include "base/mem.h"
#include "loop/loop.h"
#include "pki/tls.h"
#include "wire/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 20000, WARM_UP = 500 };

struct bench {
	struct loop *loop;
	struct link_hub *hub;
	struct link_uplink *uplink;
	struct loop_timer *timer;
	size_t len;
	unsigned char *bytes; /* owned */
	double start_us;
	double *took_us; /* owned */
	size_t count, rounds;
	bool publishes;
};

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void next(struct bench *bench)
{
	bench->start_us = now_us();
	if (bench->publishes)
		link_hub_publish(bench->hub, bench->bytes, bench->len);
	else
		link_uplink_request(bench->uplink, bench->count, bench->bytes, bench->len,
				    5000);
}

static void took(struct bench *bench)
{
	bench->took_us[bench->count++] = now_us() - bench->start_us;
	if (bench->count == bench->rounds)
		loop_stop(bench->loop);
	else
		next(bench);
}

static void on_request(void *arg, uint64_t handle, const char *identity,
		       const void *bytes, size_t len)
{
	const struct bench *bench = arg;

	(void)identity;
	link_hub_reply(bench->hub, handle, bytes, len);
}

static void on_published(void *arg, const void *bytes, size_t len)
{
	struct bench *bench = arg;

	(void)bytes;
	if (bench->publishes && len == bench->len)
		took(bench);
}

static void on_replied(void *arg, uint64_t id, const void *bytes, size_t len)
{
	(void)id, (void)bytes, (void)len;
	took(arg);
}

static void on_lost(void *arg, uint64_t id)
{
	(void)arg, (void)id;
	(void)fprintf(stderr, "a request was lost\n");
	exit(1);
}

static void on_pipe(void *arg, bool up)
{
	(void)arg, (void)up;
}

static int by_time(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(struct bench *bench, const char *way, size_t len, size_t rounds,
		    bool publishes)
{
	bench->len = len;
	bench->publishes = publishes;
	bench->count = 0;
	bench->rounds = WARM_UP + rounds;
	bench->bytes = realloc(bench->bytes, len);
	bench->took_us = realloc(bench->took_us, bench->rounds * sizeof(double));
	if (bench->bytes == NULL || bench->took_us == NULL)
		abort();
	memset(bench->bytes, 'x', len);
	next(bench);
	loop_run(bench->loop);
	qsort(bench->took_us + WARM_UP, rounds, sizeof(double), by_time);
	printf("%-4s %-8s %8zu bytes  p50 %7.0f us  p99 %7.0f us  max %7.0f us\n", way,
	       publishes ? "publish" : "request", len,
	       bench->took_us[WARM_UP + rounds / 2],
	       bench->took_us[WARM_UP + rounds * 99 / 100],
	       bench->took_us[WARM_UP + rounds - 1]);
}

static void on_timer(void *arg)
{
	struct bench *bench = arg;

	loop_stop(bench->loop);
}

static void fail(const struct zl_err *err)
{
	(void)fprintf(stderr, "%s\n", err->msg);
	exit(1);
}

/* The two ends, with certificates. */
struct ends {
	struct pki_tls *global, *zone;
};

static struct pki_tls *make_end(const struct pki_authority *authority,
				const char *identity, bool server)
{
	const struct pki_grant grant = { .identity = identity,
					 .lifetime_s = 3600,
					 .server = server,
					 .client = !server };
	struct pki_tls_setup setup = { .server = server,
				       .roots = pki_authority_root(authority),
				       .peer = PKI_PEER_REQUIRED };
	struct pki_certificate made = { 0 };
	struct zl_err err = { 0 };
	char *key = NULL, *request = NULL;
	struct pki_tls *tls;

	if (pki_key_new(&key, &err) != ZL_OK ||
	    pki_request_new(key, identity, &request, &err) != ZL_OK ||
	    pki_sign(authority, request, &grant, &made, &err) != ZL_OK)
		fail(&err);
	setup.chain = made.chain;
	setup.key = key;
	if (pki_tls_new(&tls, &setup, &err) != ZL_OK)
		fail(&err);
	pki_certificate_fini(&made);
	free(key);
	free(request);
	return tls;
}

static void run(const char *folder, const char *way, bool is_unix, const struct ends *tls,
		size_t rounds)
{
	struct bench bench = { 0 };
	const struct link_hub_setup setup = { .folder = folder,
					      .message_max = 2 << 20,
					      .connections_max = 16,
					      .tls = tls != NULL ? tls->global : NULL,
					      .allow_plain = true };
	const struct link_hub_handlers answers = { .request = on_request, .arg = &bench };
	const struct link_uplink_handlers hears = { .published = on_published,
						    .replied = on_replied,
						    .lost = on_lost,
						    .pipe = on_pipe,
						    .arg = &bench };
	struct zl_addr addr = { .is_unix = is_unix, .host = "127.0.0.1" };
	struct zl_err err = { 0 };

	if (is_unix)
		(void)snprintf(addr.host, sizeof(addr.host), "%s/front", folder);
	struct link_uplink_setup uplink = { .addrs = &addr,
					    .count = 1,
					    .message_max = 2 << 20,
					    .tls = tls != NULL ? tls->zone : NULL,
					    .allow_plain = true };
	if (loop_open(&bench.loop, &err) != ZL_OK ||
	    link_hub_open(&bench.hub, bench.loop, &setup, &answers, &err) != ZL_OK ||
	    link_hub_listen(bench.hub, &addr, &err) != ZL_OK)
		fail(&err);
	uplink.folder = folder;
	if (link_uplink_open(&bench.uplink, bench.loop, &uplink, &hears, &err) != ZL_OK)
		fail(&err);
	bench.timer = loop_timer_new(bench.loop, on_timer, &bench);
	loop_timer_set(bench.timer, 500); /* both sockets are connected by then */
	loop_run(bench.loop);
	measure(&bench, way, 100, rounds, false);
	measure(&bench, way, 1 << 20, rounds / 20 + 1, false);
	measure(&bench, way, 101, rounds, true);
	measure(&bench, way, 64 << 10, rounds / 4 + 1, true);
	loop_timer_free(&bench.timer);
	link_uplink_close(&bench.uplink);
	link_hub_close(&bench.hub);
	loop_close(&bench.loop);
	(void)unlink(addr.host);
	free(bench.bytes);
	free(bench.took_us);
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;
	char folder[] = P_tmpdir "/bench-link.XXXXXX";

	if (rounds == 0 || mkdtemp(folder) == NULL) {
		(void)fprintf(stderr, "usage: bench-link [rounds]\n");
		return 1;
	}
	struct pki_authority *authority;
	struct zl_err err = { 0 };
	char *ca = zl_format("%s/ca", folder);
	if (pki_authority_open(&authority, ca, "bench", NULL, &err) != ZL_OK)
		fail(&err);
	struct ends ends = { make_end(authority, "spiffe://zonelink/global", true),
			     make_end(authority, "spiffe://zonelink/zone/a", false) };
	run(folder, "tls", false, &ends, rounds);
	run(folder, "tcp", false, NULL, rounds);
	run(folder, "unix", true, NULL, rounds);
	pki_tls_drop(&ends.global);
	pki_tls_drop(&ends.zone);
	pki_authority_close(&authority);
	free(ca);
	return 0;
}
