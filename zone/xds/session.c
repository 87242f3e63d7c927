#include "base/mem.h"
#include "zone/xds/response.h"
#include "zone/xds/session_state.h"

#include <stdlib.h>
#include <string.h>

/* Envoy quotes the refused message before it says what is wrong with it. */
enum { NACK_TEXT_MAX = 300 };

struct xds_session *xds_session_new(struct xds_counts *counts)
{
	struct xds_session *session = zl_alloc(1, sizeof(*session));

	session->counts = counts;
	return session;
}

void xds_session_free(struct xds_session **sessionp)
{
	struct xds_session *session = *sessionp;

	*sessionp = NULL;
	if (session == NULL)
		return;
	for (int type = 0; type < ENVOY_TYPES; type++) {
		if (session->shelves[type].nonce != 0)
			session->counts->pending_acks--;
		xds_shelf_free(&session->shelves[type]);
	}
	envoy_config_drop(&session->config);
	zl_buf_free(&session->side);
	free(session);
}

bool xds_item_quarantined(const struct xds_item *item)
{
	return item->want != NULL && item->refused[0] != '\0' &&
	       strcmp(item->want->version, item->refused) == 0;
}

bool xds_item_synced(enum envoy_type type, const struct xds_item *item)
{
	if (item->nonce != 0 || item->due)
		return false;
	if (item->want == NULL)
		return !(item->held && xds_removable(type));
	return item->declined ||
	       (!item->unknown && strcmp(item->want->version, item->acked) == 0);
}

bool xds_session_concerns(const struct xds_session *session, enum envoy_type type,
			  const struct xds_item *item)
{
	const struct xds_shelf *shelf = &session->shelves[type];

	if (item->subscribed || shelf->wildcard)
		return true;
	if (!session->shelves[ENVOY_CLUSTER].wildcard)
		return false;
	return type != ENVOY_LISTENER || !shelf->opened;
}

bool xds_shelf_settled(const struct xds_session *session, enum envoy_type type)
{
	const struct xds_shelf *shelf = &session->shelves[type];
	size_t wanted;

	/* Sent before it was asked for, and no longer wanted: it may never be answered.
	 * Listeners are always asked for in the end. */
	(void)envoy_config_list(session->config, type, &wanted);
	if (!shelf->opened && wanted == 0 && !xds_removable(type))
		return true;
	if (shelf->nonce != 0)
		return false;
	for (size_t i = 0; i < shelf->todo_count; i++)
		if (!xds_item_synced(type, shelf->todo[i]) &&
		    xds_session_concerns(session, type, shelf->todo[i]))
			return false;
	return true;
}

/* Where item stands after its config, or what the proxy has, changed. */
static void consider(struct xds_session *session, enum envoy_type type,
		     struct xds_item *item)
{
	const struct xds_shelf *clusters = &session->shelves[ENVOY_CLUSTER];

	if (session->config != NULL && item->want == NULL && item->held &&
	    item->nonce == 0 && !xds_removable(type)) {
		const struct xds_item *cluster =
			type == ENVOY_ENDPOINTS ? xds_shelf_find(clusters, item->name)
						: NULL;
		if (cluster == NULL || cluster->want == NULL)
			xds_item_forget(item);
		else if (!item->emptied)
			item->due = true; /* a cluster without endpoints */
	}
	if (!xds_item_synced(type, item))
		xds_shelf_queue(&session->shelves[type], item);
}

static void tidy(struct xds_shelf *shelf, enum envoy_type type)
{
	size_t kept = 0;

	for (size_t i = 0; i < shelf->todo_count; i++) {
		struct xds_item *item = shelf->todo[i];
		item->queued = !xds_item_synced(type, item);
		if (item->queued)
			shelf->todo[kept++] = item;
		else if (item->want == NULL)
			shelf->sweep = true;
	}
	shelf->todo_count = kept;
	xds_shelf_sweep(shelf);
}

void xds_session_config(struct xds_session *session, struct envoy_config *config,
			uint64_t revision)
{
	struct envoy_config *old = session->config;

	session->revision = revision;
	session->settled_told = false;
	if (old == config)
		return;
	session->config = envoy_config_hold(config);
	for (int type = 0; type < ENVOY_TYPES; type++) {
		size_t count;
		const struct envoy_resource *list =
			envoy_config_list(config, (enum envoy_type)type, &count);
		xds_shelf_want(&session->shelves[type], list, count);
	}
	envoy_config_drop(&old);

	for (int type = 0; type < ENVOY_TYPES; type++) {
		struct xds_shelf *shelf = &session->shelves[type];
		for (size_t i = 0; i < shelf->count; i++)
			consider(session, (enum envoy_type)type, shelf->items[i]);
		tidy(shelf, (enum envoy_type)type);
	}
}

static void accepted(struct xds_item *item, uint64_t now)
{
	memcpy(item->acked, item->sent, XDS_VERSION);
	item->acked_at = now;
	item->unknown = item->alone = false;
	item->held = item->usable = item->sent[0] != '\0'; /* or it was removed */
	item->refused[0] = '\0';
	free(item->nack);
	item->nack = NULL;
}

static char *last_of(const char *reason)
{
	size_t len = strlen(reason);

	if (len > NACK_TEXT_MAX) {
		reason += len - NACK_TEXT_MAX;
		while (((unsigned char)*reason & 0xc0) == 0x80)
			reason++; /* not in the middle of a character */
	}
	return zl_strdup(reason);
}

static void quarantine(struct xds_session *session, struct xds_item *item,
		       const char *reason, uint64_t now)
{
	free(item->nack);
	item->nack = last_of(reason);
	item->nacked_at = now;
	item->unknown = true;
	item->alone = item->due = false;
	memcpy(item->refused, item->sent, XDS_VERSION);
	if (item->sent[0] == '\0')
		xds_item_forget(item); /* a refused removal: nothing more can be done */
	if (!item->untold)
		session->untold++;
	item->untold = true;
}

/* The proxy answers the response in flight. What was wrong in one of several names is
 * not known, nor what of the others was applied: each is sent again alone. */
static void take_answer(struct xds_session *session, enum envoy_type type,
			const struct xds_request *request, uint64_t now)
{
	struct xds_shelf *shelf = &session->shelves[type];
	char nonce[XDS_NONCE_TEXT];

	xds_nonce_text(shelf->nonce, nonce);
	if (shelf->nonce == 0 || strcmp(request->nonce, nonce) != 0)
		return;
	for (size_t i = 0; i < shelf->todo_count; i++) {
		struct xds_item *item = shelf->todo[i];
		if (item->nonce != shelf->nonce)
			continue;
		item->nonce = 0;
		if (!request->refuses) {
			accepted(item, now);
		} else if (shelf->in_flight == 1) {
			quarantine(session, item, request->reason, now);
		} else {
			item->unknown = item->alone = true;
			item->held = true;
			item->due = item->want == NULL && !xds_removable(type);
		}
		consider(session, type, item);
	}
	shelf->nonce = 0;
	session->counts->pending_acks--;
	if (request->refuses)
		session->counts->nacks[type]++;
	else
		session->counts->acks[type]++;
}

/* What was sent before the proxy asked for this type may have been dropped. */
static void call_back(struct xds_session *session, struct xds_shelf *shelf)
{
	if (shelf->nonce == 0)
		return;
	for (size_t i = 0; i < shelf->todo_count; i++)
		if (shelf->todo[i]->nonce == shelf->nonce) {
			shelf->todo[i]->nonce = 0;
			shelf->todo[i]->due = true;
		}
	shelf->nonce = 0;
	session->counts->pending_acks--;
}

static void take_initial(struct xds_session *session, enum envoy_type type,
			 const struct xds_request *request)
{
	struct xds_shelf *shelf = &session->shelves[type];
	size_t count = request->initial_count;
	const char **names = zl_alloc(count + 1, sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = request->initial[i].name;
	xds_shelf_add(shelf, names, count);
	free(names);
	for (size_t i = 0; i < count; i++) {
		struct xds_item *item = xds_shelf_find(shelf, request->initial[i].name);
		const char *version = request->initial[i].version;
		size_t len = strnlen(version, XDS_VERSION);
		item->held = item->usable = true;
		item->acked[0] = '\0'; /* a version that cannot be ours */
		if (len < XDS_VERSION)
			memcpy(item->acked, version, len + 1);
	}
}

static void open_type(struct xds_session *session, enum envoy_type type,
		      const struct xds_request *request)
{
	struct xds_shelf *shelf = &session->shelves[type];

	shelf->opened = true;
	shelf->answered = false;
	call_back(session, shelf);
	shelf->wildcard = xds_removable(type) && request->subscribe_count == 0;
	take_initial(session, type, request);
}

static void unsubscribe(struct xds_session *session, enum envoy_type type,
			const char *name)
{
	struct xds_shelf *shelf = &session->shelves[type];
	struct xds_item *item = xds_shelf_find(shelf, name);

	if (strcmp(name, "*") == 0)
		shelf->wildcard = false;
	if (item == NULL)
		return;
	if (item->subscribed)
		shelf->subscribed--;
	item->subscribed = false;
	if (shelf->wildcard) {
		item->due = item->nonce == 0; /* it stays in what "*" stands for */
	} else {
		item->declined = item->want != NULL;
		item->due = false;
		if (item->nonce == 0)
			xds_item_forget(item);
		shelf->sweep = true;
	}
	consider(session, type, item);
}

static void subscribe(struct xds_session *session, enum envoy_type type, const char *name,
		      bool first)
{
	struct xds_shelf *shelf = &session->shelves[type];
	struct xds_item *item = xds_shelf_find(shelf, name);

	if (!item->subscribed)
		shelf->subscribed++;
	item->subscribed = true;
	item->declined = false;
	if (item->nonce == 0 && !(first && item->held))
		item->due = true;
	consider(session, type, item);
}

static void take_subscriptions(struct xds_session *session, enum envoy_type type,
			       const struct xds_request *request, bool first)
{
	struct xds_shelf *shelf = &session->shelves[type];
	const char **names = zl_alloc(request->subscribe_count + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < request->unsubscribe_count; i++)
		unsubscribe(session, type, request->unsubscribe[i]);
	for (size_t i = 0; i < request->subscribe_count; i++) {
		if (strcmp(request->subscribe[i], "*") == 0)
			shelf->wildcard = true;
		else
			names[count++] = request->subscribe[i];
	}
	xds_shelf_add(shelf, names, count);
	for (size_t i = 0; i < count; i++)
		subscribe(session, type, names[i], first);
	free(names);
}

/* A type that we never have: say so, or the proxy waits for it. */
static void answer_foreign(struct xds_session *session, const struct xds_request *request)
{
	if (request->subscribe_count == 0)
		return;
	xds_response_write(
		&session->side,
		&(struct xds_response){ .type_url = request->type_url,
					.nonce = ++session->last_nonce,
					.revision = session->revision,
					.removed = request->subscribe,
					.removed_count = request->subscribe_count });
}

enum zl_code xds_session_request(struct xds_session *session,
				 const struct xds_request *request, uint64_t now,
				 struct zl_err *err)
{
	enum envoy_type type = envoy_type_of(request->type_url);

	if (type == ENVOY_TYPES) {
		answer_foreign(session, request);
		return ZL_OK;
	}
	struct xds_shelf *shelf = &session->shelves[type];
	bool first = !shelf->opened;
	if (shelf->subscribed + request->subscribe_count > XDS_NAMES_MAX)
		return zl_fail(err, ZL_ELIMIT, "more than %d names of type %s",
			       XDS_NAMES_MAX, request->type_url);

	take_answer(session, type, request, now);
	if (first)
		open_type(session, type, request);
	take_subscriptions(session, type, request, first);
	for (size_t i = 0; first && i < request->initial_count; i++)
		consider(session, type, xds_shelf_find(shelf, request->initial[i].name));
	if (first && type == ENVOY_CLUSTER)
		session->eager = shelf->wildcard && request->initial_count == 0;
	tidy(shelf, type);
	return ZL_OK;
}
