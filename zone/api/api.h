/* zone/api/api.h - a zone's HTTP API and diagnostics (docs/reference/api.md).
 *
 * Threads:  the loop's.
 * Lifetime: api_close before what the setup lends.
 */
#pragma once

#include "base/addr.h"
#include "http/http.h"
#include "store/write.h"
#include "zone/inventory/folder.h"
#include "zone/inventory/registry.h"
#include "zone/proxies/proxies.h"
#include "zone/replication/uplink.h"

struct keeper;
struct api;
struct trust;
struct join;
struct loop;

/* What the API takes, and from whom. */
extern const struct http_route API_ROUTES[];
extern const size_t API_ROUTE_COUNT;

struct api_setup {
	struct loop *loop;   /* borrowed, as all below */
	struct store *store; /* of what is written here */
	const struct registry *registry;
	struct proxies *proxies;
	struct folder *folder;       /* NULL: no folder is watched */
	const struct join *join;     /* NULL as uplink */
	struct uplink *uplink;       /* NULL: the zone is alone */
	const struct keeper *keeper; /* of Secrets; NULL: the zone is alone */
	const char *zone;
	const struct zl_addr *xds; /* that bootstraps name */
	struct trust *trust;       /* certifies the API, signs all tokens */
	struct zl_addr *listen;    /* ports 0 are replaced */
	size_t listen_count;
	struct zl_addr *diagnostics; /* the same */
	size_t diagnostics_count;
	bool local_is_admin;
};

ZL_MUST_USE enum zl_code api_open(struct api **out, const struct api_setup *setup,
				  struct zl_err *err);
/* Refuse writes, close idle connections. */
void api_drain(struct api *api);
/* True when all who asked have their answers. */
bool api_is_drained(const struct api *api);
void api_close(struct api **apip);

/* A result of the store that is a write of the API or its tokens, after the registry has
 * it. */
void api_result(struct api *api, const struct store_result *result);
/* Another revision of global is in force: look whether somebody waited for it. */
void api_moved(struct api *api);
