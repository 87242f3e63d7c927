/* zone/xds/session.h - one delta ADS stream: requests and configs in, responses out.
 *
 * A pure state machine: no socket, no clock. Give it an event (xds_session_request,
 * xds_session_config), then take what follows: xds_session_flush, and then
 * xds_session_settled and xds_session_take_refused.
 *
 *  - Order of a flush: CDS, EDS, SDS, LDS, ECDS, RDS, without waiting for subscriptions.
 *    Endpoints follow each cluster that was sent. A stream that begins with
 *    initial_resource_versions is a reconnected one: its types wait for their own first
 *    request, which says what they have.
 *  - One response per type is in flight; what changes meanwhile is sent after its answer,
 *    in its newest version.
 *  - What names a new cluster waits until that is acknowledged; the rest does not. Envoy
 *    withholds the ACK of CDS while a cluster warms: until its endpoints and Secrets came
 *    (which wait for nothing), names were looked up and endpoints had their first check.
 *  - Each subscription is answered. One that arrives while the name is in flight is
 *    answered by that response. The first request of a type calls back what was sent
 *    before it, as Envoy drops, without an answer, what it does not know to want.
 *  - Clusters are removed when no listener, split or route table is left to be
 *    acknowledged. Other types but listeners are never removed, only forgotten.
 *  - A refused response is taken apart: each resource is sent again alone; the one that
 *    is refused then is left out until its bytes change.
 *
 * Lifetime: new/free. The config is held; counts are borrowed.
 */
#pragma once

#include "zone/xds/request.h"
#include "zone/xds/xds.h"

struct xds_session;

struct xds_session *xds_session_new(struct xds_counts *counts);
/* Accepts a pointer to NULL. */
void xds_session_free(struct xds_session **sessionp);

/* A request came. now: microseconds since 1970, only shown. ZL_ELIMIT: it asks for too
 * many names; the stream is to end. */
ZL_MUST_USE enum zl_code xds_session_request(struct xds_session *session,
					     const struct xds_request *request,
					     uint64_t now, struct zl_err *err);

/* The proxy is to have config, which is held. Until the first one nothing is sent. */
void xds_session_config(struct xds_session *session, struct envoy_config *config,
			uint64_t revision);

/* Add to out, as gRPC messages, all that may be sent now. */
void xds_session_flush(struct xds_session *session, struct zl_buf *out, uint64_t now);

/* True, once a revision, when all that was wanted at *revision is acknowledged. */
bool xds_session_settled(struct xds_session *session, uint64_t *revision);

/* The next resource that was refused when it was sent alone; false: no more. */
bool xds_session_take_refused(struct xds_session *session,
			      struct xds_resource_status *what);

/* A list of what the stream has or should have, sorted by (type, name); free() it. */
struct xds_resource_status *xds_session_status(const struct xds_session *session,
					       size_t *count);
