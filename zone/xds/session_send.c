#include "base/mem.h"
#include "zone/xds/response.h"
#include "zone/xds/session_state.h"

#include <stdlib.h>
#include <string.h>

/* A response is closed at this size; the rest follows after its answer. Below the limit
 * of 4 MiB that gRPC clients have by default. */
enum { RESPONSE_MAX = 2 << 20 };

/* What goes into one response. */
struct load {
	enum envoy_type type;
	struct xds_item **items;
	size_t count;
	struct xds_part *parts;
	size_t part_count;
	const char **removed;
	size_t removed_count;
	size_t bytes;
	struct zl_arena *arena;
};

/* True for a cluster that the proxy should have and cannot use yet: what names it before
 * closes connections. Envoy acknowledges a new one when it is warm: it has the endpoints,
 * and has asked those that are to be checked how they are. */
static bool is_coming(const struct xds_session *session, const struct xds_item *cluster)
{
	return cluster->want != NULL && !cluster->usable &&
	       (cluster->nonce != 0 || !xds_item_quarantined(cluster)) &&
	       xds_session_concerns(session, ENVOY_CLUSTER, cluster);
}

/* Names of clusters that are coming. */
struct coming {
	const char *names[64];
	size_t count;
	bool more; /* than are named here */
};

static void find_coming(const struct xds_session *session, struct coming *coming)
{
	const struct xds_shelf *clusters = &session->shelves[ENVOY_CLUSTER];

	coming->count = 0;
	coming->more = false;
	for (size_t i = 0; i < clusters->todo_count && !coming->more; i++) {
		if (!is_coming(session, clusters->todo[i]))
			continue;
		if (coming->count == sizeof(coming->names) / sizeof(coming->names[0]))
			coming->more = true;
		else
			coming->names[coming->count++] = clusters->todo[i]->name;
	}
}

/* Endpoints follow their cluster, which warms by them. */
static bool is_before_cluster(const struct xds_session *session,
			      const struct xds_item *endpoints)
{
	const struct xds_item *cluster =
		xds_shelf_find(&session->shelves[ENVOY_CLUSTER], endpoints->name);

	return cluster != NULL && !cluster->held && is_coming(session, cluster);
}

/* True if item must wait for a cluster. Looks for their names in its bytes: one found by
 * chance only makes the item wait a little. */
static bool waits_for(const struct xds_session *session, enum envoy_type type,
		      const struct xds_item *item, const struct coming *coming)
{
	if (item->want == NULL || type == ENVOY_CLUSTER || type == ENVOY_SECRET)
		return false;
	if (type == ENVOY_ENDPOINTS)
		return coming->count > 0 && is_before_cluster(session, item);
	/* An Envoy that returns says what clusters it has when all of them are warm. */
	if (!session->shelves[ENVOY_CLUSTER].opened)
		return true;
	for (size_t i = 0; i < coming->count && !coming->more; i++)
		if (memmem(item->want->bytes, item->want->len, coming->names[i],
			   strlen(coming->names[i])) != NULL)
			return true;
	return coming->more;
}

static bool may_go(const struct xds_session *session, enum envoy_type type,
		   const struct xds_item *item, const struct coming *coming)
{
	bool asked = session->shelves[type].opened || session->eager ||
		     (type == ENVOY_ENDPOINTS && item->due);

	return asked && item->nonce == 0 && !xds_item_synced(type, item) &&
	       !xds_item_quarantined(item) && xds_session_concerns(session, type, item) &&
	       !waits_for(session, type, item, coming);
}

/* A cluster may go when nothing that could name it is still on its way. */
static bool may_remove_clusters(const struct xds_session *session)
{
	return (session->eager || session->shelves[ENVOY_LISTENER].opened ||
		!session->shelves[ENVOY_CLUSTER].wildcard) &&
	       xds_shelf_settled(session, ENVOY_LISTENER) &&
	       xds_shelf_settled(session, ENVOY_EXTENSION) &&
	       xds_shelf_settled(session, ENVOY_ROUTES);
}

static void load_item(struct load *load, struct xds_item *item)
{
	struct xds_part part = { .name = item->name, .version = "" };

	load->items[load->count++] = item;
	if (item->want != NULL) {
		part.version = item->want->version;
		part.bytes = item->want->bytes;
		part.len = item->want->len;
	} else if (!xds_removable(load->type)) {
		part = xds_response_nothing(load->arena, load->type, item->name);
	}
	if (part.bytes != NULL || item->want != NULL)
		load->parts[load->part_count++] = part;
	else
		load->removed[load->removed_count++] = item->name;
	load->bytes += part.len + strlen(item->name);
	memcpy(item->sent, part.version, strlen(part.version) + 1);
	item->emptied = item->want == NULL;
}

/* Choose what goes: a suspect alone, else all that may. Without removals, what the proxy
 * has stays. */
static void choose(const struct xds_session *session, struct load *load, bool removals)
{
	const struct xds_shelf *shelf = &session->shelves[load->type];
	struct coming coming;

	find_coming(session, &coming);
	for (int suspects = 1; suspects >= 0; suspects--) {
		for (size_t i = 0; i < shelf->todo_count; i++) {
			struct xds_item *item = shelf->todo[i];
			if ((suspects && !item->alone) ||
			    (item->want == NULL && item->held && !removals) ||
			    !may_go(session, load->type, item, &coming))
				continue;
			load_item(load, item);
			if (suspects || load->bytes >= RESPONSE_MAX)
				return;
		}
	}
}

/* Endpoints must follow their cluster, also if they did not change: Envoy warms it. */
static void follow_with_endpoints(struct xds_session *session, const char *cluster)
{
	struct xds_shelf *shelf = &session->shelves[ENVOY_ENDPOINTS];
	struct xds_item *item = xds_shelf_find(shelf, cluster);

	if (item == NULL || (item->want == NULL && !item->subscribed))
		return;
	item->due = true;
	item->declined = false;
	xds_shelf_queue(shelf, item);
}

static void mark_sent(struct xds_session *session, const struct load *load, uint64_t now)
{
	struct xds_shelf *shelf = &session->shelves[load->type];

	shelf->nonce = session->last_nonce;
	shelf->answered = true;
	shelf->in_flight = load->count;
	for (size_t i = 0; i < load->count; i++) {
		struct xds_item *item = load->items[i];
		item->nonce = shelf->nonce;
		item->sent_at = now;
		item->due = false;
		item->held = item->sent[0] != '\0';
		item->usable = item->usable && item->held;
		if (load->type == ENVOY_CLUSTER && item->want != NULL)
			follow_with_endpoints(session, item->name);
	}
	session->counts->responses[load->type]++;
	session->counts->resource_bytes[load->type] += load->bytes;
	session->counts->pending_acks++;
}

static void send_type(struct xds_session *session, enum envoy_type type, bool removals,
		      struct zl_buf *out, uint64_t now)
{
	const struct xds_shelf *shelf = &session->shelves[type];
	size_t most = shelf->todo_count;

	if (shelf->nonce != 0 || most == 0)
		return;
	struct load load = { .type = type, .arena = zl_arena_new() };
	load.items = zl_arena_alloc(load.arena, most, sizeof(struct xds_item *));
	load.parts = zl_arena_alloc(load.arena, most, sizeof(*load.parts));
	load.removed = zl_arena_alloc(load.arena, most, sizeof(*load.removed));
	choose(session, &load, removals);
	if (load.count > 0) {
		xds_response_write(out, &(struct xds_response){
						.type_url = envoy_type_url(type),
						.nonce = ++session->last_nonce,
						.revision = session->revision,
						.parts = load.parts,
						.count = load.part_count,
						.removed = load.removed,
						.removed_count = load.removed_count });
		mark_sent(session, &load, now);
	}
	zl_arena_free(&load.arena);
}

/* Of a type there is nothing at all: say so, or Envoy waits for it until its patience
 * ends (15 s), before it is ready. The acknowledgement is of no use to us. */
static void tell_nothing(struct xds_session *session, enum envoy_type type,
			 struct zl_buf *out)
{
	struct xds_shelf *shelf = &session->shelves[type];

	if (!shelf->opened || !shelf->wildcard || shelf->answered || shelf->count > 0)
		return;
	xds_response_write(out, &(struct xds_response){ .type_url = envoy_type_url(type),
							.nonce = ++session->last_nonce,
							.revision = session->revision });
	shelf->answered = true;
}

void xds_session_flush(struct xds_session *session, struct zl_buf *out, uint64_t now)
{
	if (session->config == NULL)
		return;
	zl_buf_add(out, session->side.data, session->side.len);
	zl_buf_free(&session->side);
	for (int type = 0; type < ENVOY_TYPES; type++)
		send_type(session, (enum envoy_type)type, type != ENVOY_CLUSTER, out,
			  now);
	tell_nothing(session, ENVOY_CLUSTER, out);
	tell_nothing(session, ENVOY_LISTENER, out);
	if (may_remove_clusters(session))
		send_type(session, ENVOY_CLUSTER, true, out, now);
}

bool xds_session_settled(struct xds_session *session, uint64_t *revision)
{
	bool opened = false;

	if (session->config == NULL || session->settled_told)
		return false;
	for (int type = 0; type < ENVOY_TYPES; type++) {
		opened = opened || session->shelves[type].opened;
		if (!xds_shelf_settled(session, (enum envoy_type)type))
			return false;
	}
	session->settled_told = opened;
	*revision = session->revision;
	return opened;
}

static enum xds_state state_of(enum envoy_type type, const struct xds_item *item)
{
	if (xds_item_quarantined(item) && item->nonce == 0)
		return XDS_NACKED;
	if (!item->held && item->nonce == 0)
		return XDS_NOT_SENT;
	return xds_item_synced(type, item) ? XDS_SYNCED : XDS_STALE;
}

static void describe(enum envoy_type type, const struct xds_item *item,
		     struct xds_resource_status *to)
{
	*to = (struct xds_resource_status){ .type = type,
					    .name = item->name,
					    .state = state_of(type, item),
					    .nack = item->nack,
					    .sent_at = item->sent_at,
					    .acked_at = item->acked_at,
					    .nacked_at = item->nacked_at };
	if (item->want != NULL)
		memcpy(to->wanted, item->want->version, sizeof(to->wanted));
	memcpy(to->sent, item->sent, sizeof(to->sent));
	memcpy(to->acked, item->acked, sizeof(to->acked));
}

bool xds_session_take_refused(struct xds_session *session,
			      struct xds_resource_status *what)
{
	for (int type = 0; type < ENVOY_TYPES && session->untold > 0; type++) {
		struct xds_shelf *shelf = &session->shelves[type];
		for (size_t i = 0; i < shelf->count; i++) {
			if (!shelf->items[i]->untold)
				continue;
			shelf->items[i]->untold = false;
			session->untold--;
			describe((enum envoy_type)type, shelf->items[i], what);
			return true;
		}
	}
	return false;
}

struct xds_resource_status *xds_session_status(const struct xds_session *session,
					       size_t *count)
{
	size_t most = 1;

	for (int type = 0; type < ENVOY_TYPES; type++)
		most += session->shelves[type].count;
	struct xds_resource_status *list = zl_alloc(most, sizeof(*list));
	*count = 0;
	for (int type = 0; type < ENVOY_TYPES; type++) {
		const struct xds_shelf *shelf = &session->shelves[type];
		for (size_t i = 0; i < shelf->count; i++) {
			const struct xds_item *item = shelf->items[i];
			bool goes = item->held || item->nonce != 0; /* to be removed */
			if (item->want != NULL ||
			    (goes && xds_removable((enum envoy_type)type)))
				describe((enum envoy_type)type, item, &list[(*count)++]);
		}
	}
	return list;
}
