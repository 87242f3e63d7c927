/* zone/xds/xds.h - the Delta ADS server that Envoys of the zone connect to.
 *
 * The owner says what each proxy is to have (xds_server_set); the server brings every
 * stream of that proxy there: only differences, in the order make before break, with
 * what the proxy refuses kept apart from the rest. A proxy is named by the id of its
 * Envoy's node. What a proxy has is never emptied: not by a proxy that is unknown yet,
 * not by one that is forgotten, not by a close.
 *
 * A proxy may have several streams (hot restart, a half-open old connection): all are
 * served; the status and the acknowledgements are those of the newest.
 *
 * What a config must hold: a ClusterLoadAssignment has the name of its cluster; a
 * listener that names an extension or a route table brings it along. A proxy that asks
 * for an extension that its config lacks, as a listener that is on its way out may, gets
 * a filter that lets nobody through: of "inbound:1.2.3.4:80/rbac" an RBAC that denies
 * all, of "outbound:1.2.3.4:80/http" an HTTP connection manager without routes, of any
 * other name a TcpProxy to the cluster "blackhole", which every config therefore should
 * hold, without endpoints.
 *
 * Beside ADS it takes what a proxy tells of its traffic (xds_ops.reported, logged): load
 * reports (LRS, gRPC service LoadReportingService) every 2 s, and access logs (OTLP's
 * LogsService). Who sends them is admitted as for ADS: of LRS the node says who it is, of
 * OTLP, which has none, the header "zonelink-node", which the bootstrap makes every Envoy
 * send.
 *
 * A TCP address takes TLS 1.3 alone (ALPN h2); a unix socket, which its file's mode
 * protects, takes HTTP/2 as it is. Each stream says who it is and shows a token; the
 * owner judges (xds_ops.admit). A connection on which nobody was admitted within 5 s is
 * closed. A peer that is refused is told that it is, not why.
 *
 * Threads:  all on the thread that runs the event_base; so are the calls of xds_ops.
 * Lifetime: close the server before freeing the event_base. What xds_ops and the status
 *           functions are given is borrowed until they return.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"
#include "envoy/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct pki_tls;
struct xds_server;

enum xds_state {
	XDS_NOT_SENT, /* wanted; nothing of it was sent on this stream, and it has none */
	XDS_STALE,    /* a version is on its way, or waits for its turn */
	XDS_SYNCED,   /* the proxy has what is wanted */
	XDS_NACKED    /* the proxy refused what is wanted; sent again when it changes */
};

const char *xds_state_text(enum xds_state state); /* "NotSent", "Stale" and so on */

struct xds_resource_status {
	enum envoy_type type;
	const char *name;
	enum xds_state state;
	char wanted[17];   /* version; "": to be removed */
	char sent[17];     /* the newest version sent; "": none, or the removal */
	char acked[17];    /* what the proxy is known to have; "": none */
	const char *nack;  /* Envoy's text, its last 300 bytes; NULL: not refused */
	uint64_t sent_at;  /* microseconds since 1970; 0: never */
	uint64_t acked_at; /* on this stream */
	uint64_t nacked_at;
};

struct xds_proxy_status {
	const char *proxy;
	const char *cluster;   /* of its node; "" while it never connected */
	unsigned streams;      /* 0: not connected */
	bool configured;       /* xds_server_set was called */
	uint64_t connected_at; /* of the newest stream; microseconds since 1970 */
	uint64_t wanted;       /* revision of the last xds_server_set */
	uint64_t acked;        /* newest revision wholly acknowledged; 0: none */
	size_t counts[4];      /* resources by enum xds_state */
	size_t resources;      /* entries at list */
	const struct xds_resource_status *list; /* by (type, name); empty if no stream */
};

/* Who asks for a stream, by its own word. */
struct xds_stranger {
	const char *proxy, *cluster; /* of its node; NULL: it has not said it yet */
	const char *token;           /* what stood behind "Bearer"; NULL: nothing did */
	bool is_local;               /* came by a unix socket */
};

enum xds_verdict {
	XDS_ADMITTED,
	XDS_NOT_KNOWN,  /* it did not prove who it is: UNAUTHENTICATED */
	XDS_NOT_ALLOWED /* it is somebody else: PERMISSION_DENIED */
};

/* What a proxy says of one of its endpoints. */
struct xds_endpoint_load {
	const char *address; /* an IP address, or the path of a unix socket */
	uint16_t port;
	uint64_t issued, in_progress;
};

/* What a proxy says of one of its clusters. Of TCP, issued counts connections that were
 * established to an endpoint; of HTTP, requests. */
struct xds_load {
	const char *cluster;
	uint64_t issued;                           /* since its last report */
	uint64_t in_progress;                      /* as it is now */
	uint64_t interval_ms;                      /* that issued is of */
	const struct xds_endpoint_load *endpoints; /* see xds_server_detail */
	size_t endpoint_count;
};

struct xds_log_field {
	const char *key, *value; /* a number or bool as text; "": no such value */
};

/* A line of an access log, as its format made it. What is no UTF-8 is '?'. */
struct xds_log_record {
	uint64_t time_ns;                   /* since 1970; 0: not said */
	const char *text;                   /* the body; NULL: it is a list */
	const struct xds_log_field *fields; /* the body, in its order */
	size_t field_count;
	const struct xds_log_field *attributes;
	size_t attribute_count;
};

/* What the server asks and tells its owner. All may be called inside xds_server_set, and
 * may call it. Each may be NULL. */
struct xds_ops {
	/* Asked twice for each stream: when it begins, so that who shows no token of ours
	 * costs no more than that, and when it said who it is. Also a proxy that is not
	 * known yet may be admitted: it waits for its first xds_server_set. A refusal is
	 * logged with err's message. NULL: all are admitted. */
	enum xds_verdict (*admit)(void *owner, const struct xds_stranger *who,
				  struct zl_err *err);
	/* The first stream of a proxy came; the last one went. */
	void (*connected)(void *owner, const char *proxy);
	void (*disconnected)(void *owner, const char *proxy);
	/* All that was wanted at revision is acknowledged, or needed no change. Once a
	 * revision and stream; revisions that were overtaken are left out. Not while a
	 * resource is XDS_NACKED. */
	void (*acked)(void *owner, const char *proxy, uint64_t revision);
	/* The proxy refused a resource that was sent to it alone. */
	void (*nacked)(void *owner, const char *proxy,
		       const struct xds_resource_status *what);
	/* The proxy said something: its status may be another. Before acked. */
	void (*heard)(void *owner, const char *proxy);
	/* A load report: every cluster that the proxy has, each at least once. Only from
	 * an admitted proxy, as logged. */
	void (*reported)(void *owner, const char *proxy, const struct xds_load *loads,
			 size_t count);
	/* A record of an access log. It may come by any connection of the proxy. */
	void (*logged)(void *owner, const char *proxy,
		       const struct xds_log_record *record);
};

struct xds_setup {
	struct event_base *base; /* borrowed while the server is open */
	struct zl_addr *addrs;   /* to listen on; a port 0 becomes the kernel's choice */
	size_t count;
	struct pki_tls *tls; /* held; NULL: unix sockets only */
	const struct xds_ops *ops;
	void *owner;
	size_t max_connections; /* 0: 16384 */
	size_t max_strangers;   /* connections without an admitted stream; 0: 1024 */
};

/* *out is the caller's; NULL on failure: ZL_EINVAL an address that needs TLS where there
 * is none, else that of zl_addr_listen. */
ZL_MUST_USE enum zl_code xds_server_open(struct xds_server **out,
					 const struct xds_setup *setup,
					 struct zl_err *err);

/* The certificate that new connections see from now on; those that are there go on. */
void xds_server_tls(struct xds_server *server, struct pki_tls *tls);

/* Say GOAWAY to all, close, set *serverp to NULL. Tells nothing to the owner. Accepts
 * NULL. */
void xds_server_close(struct xds_server **serverp);

/* What proxy is to have from now on. The config is held, not copied; the bytes are on
 * their way to the kernel when this returns. A config equal to the last one costs little:
 * call it for each revision that is to be acknowledged. */
void xds_server_set(struct xds_server *server, const char *proxy,
		    struct envoy_config *config, uint64_t revision);

/* The proxy is no longer registered: its streams stay open with what they have, and wait
 * as unknown ones do. Unknown: nothing happens. */
void xds_server_forget(struct xds_server *server, const char *proxy);

/* The name is another proxy's from now on: its streams end, and who comes again is judged
 * again. Unknown: nothing happens. */
void xds_server_expel(struct xds_server *server, const char *proxy);

/* Load reports of proxy tell of each endpoint from now on, or no more. Holds for the
 * streams that are there; one that comes anew does not tell. */
void xds_server_detail(struct xds_server *server, const char *proxy, bool on);

/* Call each for every proxy that is configured or connected, sorted by name. */
void xds_server_proxies(struct xds_server *server,
			void (*each)(void *to, const struct xds_proxy_status *status),
			void *to);
/* The same for one. False: there is none of this name. */
bool xds_server_proxy(struct xds_server *server, const char *proxy,
		      void (*each)(void *to, const struct xds_proxy_status *status),
		      void *to);

/* For the metrics: gauges as they are now, the rest counts since the start. */
struct xds_counts {
	size_t connections, streams; /* gauges */
	size_t strangers;            /* gauge: connections with nobody admitted yet */
	size_t pending_acks;         /* gauge: responses not yet answered */
	uint64_t responses[ENVOY_TYPES];
	uint64_t acks[ENVOY_TYPES];
	uint64_t nacks[ENVOY_TYPES];
	uint64_t resource_bytes[ENVOY_TYPES]; /* sent */
	uint64_t refused_streams;             /* bad request, bad path, not admitted */
	uint64_t dropped_connections;         /* by a limit or deadline of ours */
	uint64_t failed_handshakes;           /* plain text and other protocols as well */
	uint64_t changed_nodes; /* streams that became another proxy's, and ended */
	uint64_t load_reports, log_records;
};
void xds_server_counts(const struct xds_server *server, struct xds_counts *counts);
