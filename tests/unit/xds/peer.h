/* A server on a loop of its own, and peers that write HTTP/2 frames byte by byte, in TLS.
 */
#pragma once

#include "base/clock.h"
#include "base/mem.h"
#include "pki/authority.h"
#include "pki/tls.h"
#include "support/test.h"
#include "support/tmp.h"
#include "zone/xds/xds.h"

enum {
	DATA = 0,
	HEADERS = 1,
	RST_STREAM = 3,
	SETTINGS = 4,
	PING = 6,
	GOAWAY = 7,
	CONTINUATION = 9,

	END_STREAM = 1,
	ACK = 1,
	END_HEADERS = 4,

	PATIENCE_MS = 60 * 1000
};

#define DELTA                                                     \
	"/envoy.service.discovery.v3.AggregatedDiscoveryService/" \
	"DeltaAggregatedResources"
#define CLUSTER "type.googleapis.com/envoy.config.cluster.v3.Cluster"
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct stage {
	struct tmp tmp;
	struct pki_authority *authority;
	struct event_base *base;
	struct xds_server *server;
	struct zl_addr addr;
	unsigned connected, disconnected;
	uint64_t acked;
	enum xds_verdict verdict; /* on all who come */
	char token[64];           /* that the last of them showed; "-": none */
	unsigned judged;          /* how often */
	char heard[512];          /* what proxies told of their traffic */
};

struct peer {
	struct stage *stage;
	int fd;
	struct ssl_st *tls; /* NULL: plain */
	struct nghttp2_hd_inflater *headers;
	bool over; /* the server closed */
	struct zl_buf in;
	unsigned frames[256]; /* received, by type */
	size_t data;          /* bytes of DATA */
	int status;           /* grpc-status of the last trailers; -1: none came */
};

void stage_open(struct stage *stage);
/* The same with limits; 0: the usual ones. */
void stage_open_small(struct stage *stage, size_t connections, size_t strangers);
/* What proves a server, by a new certificate. */
struct pki_tls *stage_tls(const struct stage *stage);
void stage_close(struct stage *stage);
struct xds_counts counts(const struct stage *stage);

/* A connection that says nothing. */
void peer_open(struct peer *peer, struct stage *stage);
/* Its TLS handshake. */
void peer_secure(struct peer *peer);
/* Open and exchange SETTINGS; the windows are as large as they may be. */
void peer_begin(struct peer *peer, struct stage *stage);
void peer_close(struct peer *peer);

/* Read what there is and count the frames. */
void peer_take(struct peer *peer);
/* The same after a turn of the loop. */
void turn(struct peer *peer);

/* Turn the loop until the condition holds; fail if it never does. */
#define until(peer, condition)                                     \
	do {                                                       \
		uint64_t until_ = zl_now_ms() + PATIENCE_MS;       \
		while (turn(peer), !(condition))                   \
			if (zl_now_ms() > until_)                  \
				fail_msg("never: %s", #condition); \
	} while (0)

/* Write; the loop turns while the socket is full. */
void peer_write(struct peer *peer, const void *bytes, size_t len);
void peer_frame(struct peer *peer, int type, int flags, uint32_t stream,
		const void *payload, size_t len);

/* Literal header fields: one, and those of a request for path. */
void add_header(struct zl_buf *buf, const char *name, const char *value);
void add_head(struct zl_buf *buf, const char *path);

/* A delta ADS stream, and a request on it by the proxy "default.web". */
void peer_stream(struct peer *peer, uint32_t id);
void peer_ask(struct peer *peer, uint32_t id, const char *url, const char *nonce);
