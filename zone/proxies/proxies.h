/* zone/proxies/proxies.h - the proxies of a zone: what each is to have, and what each has
 * acknowledged.
 *
 * Every Dataplane of the zone is a proxy, named "<mesh>.<name>" as its Envoy's node, and
 * every ZoneIngress and ZoneEgress is, by its name. What a connected one is to have is
 * worked out when something that it depends on changes, the others' when they connect.
 * Each push has a number; the revision of global that it brings in force is remembered
 * with it, so that "all proxies have revision N" can be said.
 *
 * Threads:  the loop's.
 * Lifetime: proxies_close before the loop is closed.
 */
#pragma once

#include "base/addr.h"
#include "envoy/build.h"
#include "model/set.h"
#include "sync/sync.h"
#include "zone/inventory/registry.h"
#include "zone/xds/xds.h"

struct proxies;
struct denials;
struct logs;
struct loop;
struct observed;
struct trust;

struct proxies_setup {
	struct loop *loop;               /* borrowed, as registry */
	const struct registry *registry; /* what is known now */
	const char *zone;
	struct zl_addr *listen; /* of xDS; ports 0 are replaced */
	size_t listen_count;
	size_t max_connections;       /* of xDS */
	struct trust *trust;          /* borrowed; who is admitted */
	struct envoy_secrets secrets; /* contents that are here */
	/* The first revision that is not whole yet: it names contents that are on their
	 * way. UINT64_MAX: all are. NULL: so they are always. */
	uint64_t (*awaited)(void *owner);
	/* What proxies_need_secret says has changed. */
	void (*needs)(void *owner);
	/* What proxies_report says has changed. */
	void (*reported)(void *owner);
	void *owner;
};

ZL_MUST_USE enum zl_code
proxies_open(struct proxies **out, const struct proxies_setup *setup, struct zl_err *err);
void proxies_close(struct proxies **proxiesp);

/* The registry changed, by global's revision rev or by the zone itself. */
void proxies_update(struct proxies *proxies, const struct registry_changes *changes,
		    uint64_t rev);

/* Until this is called nothing is sent: so that a zone that starts can first hear what
 * is new. Has no effect the second time. */
void proxies_begin(struct proxies *proxies);

/* True if what a proxy was sent is made of this Secret, or would be. */
bool proxies_need_secret(const struct proxies *proxies, const char *mesh,
			 const char *name);
/* Its content has come: the proxies that need it have it now. */
void proxies_secret_came(struct proxies *proxies, const struct resource *secret);

/* The identities of mesh are due: its proxies have new ones now. */
void proxies_identities_due(struct proxies *proxies, const char *mesh);

/* acked_rev, counts and troubles as of now; texts live in arena, those of observed until
 * the loop's next turn. */
void proxies_report(const struct proxies *proxies, struct zl_arena *arena,
		    struct sync_report *report);

/* The routes of a Dataplane of the zone, in arena; explain: with the reasons. */
const struct routes *proxies_routes(const struct proxies *proxies,
				    const struct resource *dataplane, bool explain,
				    struct zl_arena *arena);
/* Findings about the routes of mesh; *count of them. In arena. */
const char *const *proxies_warnings(const struct proxies *proxies, const char *mesh,
				    struct zl_arena *arena, size_t *count);

/* What it is to have, of these routes; the caller holds it. */
struct envoy_config *proxies_config(const struct proxies *proxies,
				    const struct routes *routes);

/* The same of a ZoneIngress or ZoneEgress of the zone. */
const struct zone_routes *proxies_zone_routes(const struct proxies *proxies,
					      const struct resource *proxy,
					      struct zl_arena *arena);
struct envoy_config *proxies_zone_config(const struct proxies *proxies,
					 const struct zone_routes *routes);

/* How the ZoneIngresses and ZoneEgresses of the zone stand, by kind and name. In arena;
 * *count of them. */
struct zone_proxy_view {
	enum kind kind;
	const char *name;
	bool connected;
	bool acked;   /* it has all that it is to have */
	bool serving; /* of a ZoneEgress: proxies send to it */
};
const struct zone_proxy_view *proxies_zone_views(const struct proxies *proxies,
						 struct zl_arena *arena, size_t *count);

/* The id of its Envoy's node: "<mesh>.<name>" of a Dataplane, else its name. In arena. */
const char *proxies_id(const struct resource *proxy, struct zl_arena *arena);

/* How its proxies really share their connections. */
const struct observed *proxies_observed(const struct proxies *proxies);
/* Where their access logs go, and who was denied at their inbounds. */
const struct logs *proxies_logs(const struct proxies *proxies);
const struct denials *proxies_denials(const struct proxies *proxies);

/* Files that Envoys cannot open, so that nothing is logged there. id NULL: of all; in
 * arena, *count of them. */
struct proxies_mute {
	const char *proxy;
	enum envoy_type type;
	const char *resource, *path, *error;
	const char *policy; /* "MeshAccessLog \"to-backend\"" */
};
const struct proxies_mute *proxies_mutes(const struct proxies *proxies, const char *id,
					 struct zl_arena *arena, size_t *count);

/* This one is to report each endpoint for the next minute. */
void proxies_ask_endpoints(struct proxies *proxies, const char *id);

struct xds_server *proxies_xds(const struct proxies *proxies);

struct proxies_counts {
	uint64_t resolves, pushes; /* since the start */
	uint64_t resolve_us;       /* spent in them */
	uint64_t refused_logs; /* lines to addresses that no policy names for the proxy */
};
struct proxies_counts proxies_counts(const struct proxies *proxies);
