/* global/api/inside.h - what the files of this room share. Private to it.
 *
 * Threads:  the loop's.
 */
#pragma once

#include "auth/auth.h"
#include "global/api/api.h"
#include "http/http.h"
#include "rest/metrics.h"
#include "rest/rest.h"

enum { COMMIT_TIMES = 4096 };

struct snapshot;
struct waiter;

struct api {
	struct api_setup setup;
	struct rest rest;
	struct http_server *http, *diagnostics;
	struct auth *auth;
	struct snapshot *snapshot;
	struct waiter *waiters;   /* owned */
	struct loop_timer *timer; /* of the earliest deadline of waiters */
	bool draining;
	uint64_t started_ms;
	/* When revisions became durable (zl_now_us), by rev modulo COMMIT_TIMES. */
	struct {
		uint64_t rev, us;
	} commits[COMMIT_TIMES];
	struct metrics_answers answers;
};

/* What a write is answered with: a JSON object. */
struct wait_answer {
	unsigned status;
	const char *body;
};

/* waits.c: answer req when rev is where it should be: with then, to which "wait" is
 * added, or, without it, with what would be added. */
void wait_begin(struct api *api, struct http_request *req, uint64_t rev, const char *what,
		uint64_t timeout_ms, const struct wait_answer *then);
void waits_look(struct api *api);
void waits_end(struct api *api);
void wait_handle(struct http_request *req, void *arg);

/* snapshot.c: close waits for the one that is being made, and answers its client. */
ZL_MUST_USE enum zl_code snapshot_open(struct snapshot **out,
				       const struct api_setup *setup, struct zl_err *err);
void snapshot_close(struct snapshot **snapshotp);
void snapshot_handle(struct http_request *req, void *arg);

/* zones.c */
void zones_handle(struct http_request *req, void *arg);
void zone_accept_handle(struct http_request *req, void *arg);
void zone_release_handle(struct http_request *req, void *arg);
enum zone_condition zones_condition(const struct api *api, const char *zone);
const char *zones_state(const struct api *api, const struct sync_session_view *view);
/* True for a zone that is away and that nobody expects: its Zone was deleted. */
bool zones_is_gone(const struct api *api, const struct sync_session_view *view);

/* observed.c */
void observed_handle(struct http_request *req, void *arg);

/* secrets.c: what rest asks for; false: old may not be deleted. */
bool secrets_hold(void *owner, const struct resource *old, const struct resource *now,
		  struct resource **kept, struct store_job *local, struct zl_err *err);
void secrets_show(void *owner, struct http_request *req, const struct resource *res,
		  struct tree *doc, struct zl_arena *arena);
bool secrets_may_go(const struct api *api, const struct resource *old, unsigned *status,
		    struct zl_err *err);

/* metrics.c */
extern const struct http_route DIAGNOSTIC_ROUTES[];
extern const size_t DIAGNOSTIC_ROUTE_COUNT;
