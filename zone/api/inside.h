/* zone/api/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "auth/auth.h"
#include "http/http.h"
#include "rest/metrics.h"
#include "rest/rest.h"
#include "zone/api/api.h"

struct tree;
struct waiter;

struct api {
	struct api_setup setup;
	struct rest rest;
	struct http_server *http, *diagnostics;
	struct auth *auth;
	struct waiter *waiters;   /* owned */
	struct loop_timer *timer; /* of the earliest deadline of waiters */
	bool draining;
	struct metrics_answers answers;
};

/* proxy.c: what is known about one Dataplane, ZoneIngress or ZoneEgress */
/* That of the path, of this zone; NULL after an answer. */
const struct resource *proxy_of(struct http_request *req, const struct api *api,
				enum kind kind);
void proxy_routes(struct http_request *req, const struct api *api, enum kind kind);
void proxy_config(struct http_request *req, const struct api *api, enum kind kind);
void proxy_xds(struct http_request *req, const struct api *api, enum kind kind);

/* observed.c */
void observed_handle(struct http_request *req, void *arg);
void observed_metrics(const struct api *api, struct zl_buf *out);

/* logging.c */
void denials_handle(struct http_request *req, void *arg);
void logging_metrics(const struct api *api, struct zl_buf *out);
/* The files that a proxy cannot open, or all: the first MUTED_SHOWN. */
enum { MUTED_SHOWN = 100 };
struct tree *muted_tree(const struct api *api, const char *id, struct zl_arena *arena);

/* bootstrap.c */
void proxy_bootstrap(struct http_request *req, const struct api *api, enum kind kind);

/* tokens.c: what proxies show to the xDS server. How long it lasts if nobody says. */
#define TOKEN_TTL "720h"
#define TOKEN_TTL_RULE "must be a time from 1m to 366d, like 90s, 30m, 24h or 7d"
void dataplane_token_handle(struct http_request *req, void *arg);
void zone_proxy_token_handle(struct http_request *req, void *arg);

/* status.c */
void root_handle(struct http_request *req, void *arg);
void status_handle(struct http_request *req, void *arg);
void accept_handle(struct http_request *req, void *arg);

/* waits.c */
void wait_handle(struct http_request *req, void *arg);
void waits_look(struct api *api);
void waits_end(struct api *api);

/* metrics.c */
extern const struct http_route DIAGNOSTIC_ROUTES[];
extern const size_t DIAGNOSTIC_ROUTE_COUNT;
