/* policy/about.h - what policies that attach to routes say about a service or an object,
 * about the mesh as a whole, about a MeshHTTPRoute, about an inbound (policies-spec 1.2).
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving.
 */
#pragma once

#include "policy/effect.h"
#include "policy/index.h"
#include "policy/table.h"

/* A service, or a port of an object. */
struct subject {
	const char *key;               /* its tag, or the KRI with the section */
	const char *name;              /* as people know it */
	const struct resource *object; /* NULL: a tag service */
	const char *section;
	uint32_t port;
};

/* What is said about it, per attached_kind. */
struct about {
	struct subject subject;
	const struct merged *said[ATTACHED_KINDS]; /* never NULL */
	bool named[ATTACHED_KINDS];                /* an entry is about it alone */
	/* By legacy policies, if it is a destination that a TrafficRoute owns and nothing
	 * is said of the kind; NULL: nothing. */
	const struct merged *legacy[ATTACHED_KINDS];
	bool legacy_named[ATTACHED_KINDS];
	bool legacy_known; /* the two are filled in */
	/* How connections to it are carried, once all is known. */
	bool destination, cluster, tcp, http;
	const char *protocol;
};

/* What was found for one proxy. */
struct abouts {
	struct resolving *at;
	const struct routes *routes;
	const struct entry *mesh; /* about the mesh, which select the proxy; in order */
	size_t mesh_count;
	const struct merged *of_mesh[ATTACHED_KINDS]; /* all of them; never NULL */
	struct table known;                           /* struct about by key */
	struct about **order;                         /* as they were met */
	size_t count, room;
};

/* routes has the proxy and its listeners. */
void abouts_begin(struct abouts *abouts, struct resolving *at,
		  const struct routes *routes);

/* The destination of an outbound; NULL: it is missing. */
struct about *about_destination(struct abouts *abouts, const struct outbound_route *to);
/* What backend, which is resolved, leads to: of a subset its service. */
struct about *about_backend(struct abouts *abouts, const struct backend *backend);

/* What is said about the listener of a gateway, by policies about the mesh. */
void about_listener(struct abouts *abouts, const struct listener_route *route,
		    const struct merged *said[ATTACHED_KINDS]);

/* What is said about the routes of a MeshHTTPRoute; NULL: nothing. */
const struct merged *about_route(struct abouts *abouts, const struct resource *route,
				 enum kind kind);

/* What is said about an inbound of at->proxy by policies of kind; NULL: nothing. */
const struct merged *about_inbound(struct resolving *at, const struct inbound *inbound,
				   enum kind kind);
