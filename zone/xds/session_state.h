/* zone/xds/session_state.h - inside a session: shared by session.c (what comes in) and
 * session_send.c (what goes out). Nobody else includes it. */
#pragma once

#include "zone/xds/session.h"
#include "zone/xds/shelf.h"

struct xds_session {
	struct xds_shelf shelves[ENVOY_TYPES];
	struct envoy_config *config; /* held; NULL: none yet */
	uint64_t revision;
	bool settled_told; /* at this revision */
	bool eager;        /* asks for all clusters and had none: types need not ask */
	uint64_t last_nonce;
	size_t untold;             /* refused items that nobody was told of */
	struct xds_counts *counts; /* borrowed */
	struct zl_buf side;        /* responses about types that are none of ours */
};

/* True for the types that are removed by name; the others are only forgotten. */
static inline bool xds_removable(enum envoy_type type)
{
	return type == ENVOY_CLUSTER || type == ENVOY_LISTENER;
}

/* Nothing left to send, and nothing in flight. */
bool xds_item_synced(enum envoy_type type, const struct xds_item *item);

/* The proxy refused these very bytes. */
bool xds_item_quarantined(const struct xds_item *item);

/* True if the proxy wants this: asked for it, for all of its type, or for all clusters,
 * which stands for all that they and the listeners need. */
bool xds_session_concerns(const struct xds_session *session, enum envoy_type type,
			  const struct xds_item *item);

/* True if all that the proxy wants of type is acknowledged. */
bool xds_shelf_settled(const struct xds_session *session, enum envoy_type type);
