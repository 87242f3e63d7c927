/* global/api/api.h - global's HTTP API and diagnostics (docs/reference/api.md).
 *
 * Threads:  the loop's.
 * Lifetime: api_close before what the setup lends.
 */
#pragma once

#include "base/addr.h"
#include "global/joining/joining.h"
#include "global/replication/hub.h"
#include "http/http.h"
#include "store/write.h"

struct api;
struct loop;
struct keeper;
struct pki_signer;
struct pki_tls;
struct secrets;
struct vips;

/* What the API takes, and from whom. */
extern const struct http_route API_ROUTES[];
extern const size_t API_ROUTE_COUNT;

struct api_setup {
	struct loop *loop; /* borrowed, as all below */
	struct store *store;
	const char *data_dir; /* snapshots are made there */
	struct hub *hub;
	const struct keeper *keeper;
	struct joining *joining;
	struct zl_addr *listen; /* ports 0 are replaced */
	size_t listen_count;
	struct zl_addr *diagnostics; /* the same */
	size_t diagnostics_count;
	struct pki_tls *tls;            /* of the API; NULL: plain, so local only */
	const struct pki_signer *users; /* of user tokens; NULL: none are taken */
	const struct secrets *secrets;  /* NULL: Secrets are refused */
	struct vips *vips;              /* addresses of services */
	bool local_is_admin;
	const struct set *(*set)(void *owner);    /* what is known now */
	struct position (*position)(void *owner); /* where it stands */
	void *owner;
};

ZL_MUST_USE enum zl_code api_open(struct api **out, const struct api_setup *setup,
				  struct zl_err *err);
/* Refuse writes, answer who waits, close idle connections. */
void api_drain(struct api *api);
/* True when all who asked have their answers. */
bool api_is_drained(const struct api *api);
void api_close(struct api **apip);

/* The API's certificate is now that of tls, which is held. */
void api_set_tls(struct api *api, struct pki_tls *tls);

/* A result of the store that is a write of the API or its tokens, after the set has it.
 */
void api_result(struct api *api, const struct store_result *result);
/* Revision rev is durable; for the times that answers name. */
void api_committed(struct api *api, uint64_t rev);
/* Does somebody wait, now or with a write under way, for what zones have? */
bool api_is_waited(const struct api *api);
/* What the hub knows of a zone has changed: look whether somebody waited for it. */
void api_zone_changed(struct api *api);
