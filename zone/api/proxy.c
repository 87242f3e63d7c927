#include "base/clock.h"
#include "envoy/build.h"
#include "envoy/json.h"
#include "model/read.h"
#include "model/tree.h"
#include "policy/policy.h"
#include "zone/api/inside.h"
#include "zone/observed/observed.h"

#include <string.h>

/* Other zones may have one of this name as well. */
static const struct resource *zone_proxy_of(struct http_request *req,
					    const struct api *api, enum kind kind)
{
	const char *zone = api->setup.zone;
	struct set_iter each = set_each(api->setup.registry->all, kind, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		const char *of = kind == KIND_ZONE_INGRESS ? ingress_zone(res, zone)
							   : egress_zone(res, zone);
		if (strcmp(res->key.name, http_param(req, "name")) == 0 &&
		    strcmp(of, zone) == 0)
			return res;
	}
	http_refuse(req, 404, "no %s \"%s\" of zone \"%s\"", kind_info(kind)->name,
		    http_param(req, "name"), zone);
	return NULL;
}

const struct resource *proxy_of(struct http_request *req, const struct api *api,
				enum kind kind)
{
	if (kind != KIND_DATAPLANE)
		return zone_proxy_of(req, api, kind);
	return rest_find(req, api->setup.registry->all, kind, http_param(req, "mesh"),
			 http_param(req, "name"));
}

/* What is asked for about a Dataplane. */
struct asked {
	const char *to;
	bool text, observed, endpoints;
};

/* Beside what proxy is to do, what it did. */
static void add_observed(const struct api *api, const char *id, const struct asked *asked,
			 struct zl_buf *body, struct zl_arena *arena)
{
	struct proxies *proxies = api->setup.proxies;
	uint64_t now = zl_now_ms();
	struct tree *answer;
	struct zl_err err;
	size_t count;
	const struct observed_split *splits =
		observed_splits(proxies_observed(proxies), id, now, arena, &count);

	if (asked->endpoints)
		proxies_ask_endpoints(proxies, id);
	if (asked->text) {
		observed_text(splits, count, asked->endpoints, now, body);
		return;
	}
	if (read_json_large(body->data, body->len, arena, &answer, &err) != ZL_OK)
		return; /* it is our own */
	observed_put(arena, answer, splits, count, asked->endpoints, now, zl_wall_us());
	zl_buf_drain(body, body->len);
	tree_json_pretty(answer, body);
	zl_buf_char(body, '\n');
}

static void write_routes(const struct api *api, const struct resource *dataplane,
			 const struct asked *asked, struct zl_buf *body)
{
	struct zl_arena *arena = zl_arena_new();
	bool text = asked->text;
	const struct routes *routes =
		proxies_routes(api->setup.proxies, dataplane, text, arena);
	struct policy_answer answer = { .zone = api->setup.zone,
					.mesh = dataplane->key.mesh,
					.routes = &routes,
					.route_count = 1,
					.to = asked->to };

	answer.unreached = policy_unreached(api->setup.registry->all, api->setup.zone,
					    answer.mesh, arena, &answer.unreached_count);
	answer.warnings = proxies_warnings(api->setup.proxies, dataplane->key.mesh, arena,
					   &answer.warning_count);
	if (text)
		policy_text(&answer, body);
	else
		policy_json(&answer, body);
	if (asked->observed)
		add_observed(api, proxies_id(dataplane, arena), asked, body, arena);
	zl_arena_free(&arena);
}

/* A query that is there, and is no word of denial. */
static bool is_asked(struct http_request *req, const char *name)
{
	const char *value = http_query(req, name);

	return value != NULL && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

static void write_passages(const struct api *api, const struct resource *proxy, bool text,
			   struct zl_buf *body)
{
	struct zl_arena *arena = zl_arena_new();
	const struct zone_routes *routes =
		proxies_zone_routes(api->setup.proxies, proxy, arena);

	if (text)
		policy_zone_text(routes, body);
	else
		policy_zone_json(routes, body);
	zl_arena_free(&arena);
}

struct standing {
	struct zl_buf *body;
	size_t streams;
};

static void write_refusals(void *ctx, const struct xds_proxy_status *status)
{
	struct standing *to = ctx;

	to->streams = status->streams;
	for (size_t i = 0; i < status->resources; i++)
		if (status->list[i].state == XDS_NACKED)
			zl_buf_format(
				to->body,
				"\nIts Envoy refused %s, and keeps what it had: %s\n",
				status->list[i].name, status->list[i].nack);
}

/* Nothing but traffic tells else that what is shown reaches nobody, or not as a whole. */
static void write_standing(const struct api *api, const struct resource *proxy,
			   struct zl_buf *body)
{
	struct zl_arena *arena = zl_arena_new();
	const char *id = proxies_id(proxy, arena);
	struct standing to = { .body = body };
	size_t count;
	const struct proxies_mute *mutes =
		proxies_mutes(api->setup.proxies, id, arena, &count);

	(void)xds_server_proxy(proxies_xds(api->setup.proxies), id, write_refusals, &to);
	for (size_t i = 0; i < count; i++)
		zl_buf_format(
			body,
			"\nIts Envoy cannot open the file of %s, so %s is without it: "
			"%s\n",
			mutes[i].policy, mutes[i].resource, mutes[i].error);
	if (to.streams == 0)
		zl_buf_format(body, "\nNo Envoy is connected as %s.\n", id);
	zl_arena_free(&arena);
}

void proxy_routes(struct http_request *req, const struct api *api, enum kind kind)
{
	const struct resource *proxy = proxy_of(req, api, kind);
	struct zl_buf body = { 0 };

	if (proxy == NULL) /* the request is answered, and gone */
		return;
	const char *format = http_query(req, "format");
	bool text = format != NULL && strcmp(format, "text") == 0;
	if (format != NULL && !text && strcmp(format, "json") != 0) {
		http_refuse(req, 400, "format=%s: must be json or text", format);
		return;
	}
	const struct asked asked = { .to = http_query(req, "to"),
				     .text = text,
				     .observed = is_asked(req, "observed"),
				     .endpoints = is_asked(req, "endpoints") };
	if (asked.observed && kind != KIND_DATAPLANE) {
		http_refuse(req, 400, "observed: only Dataplanes split connections");
		return;
	}
	if (kind == KIND_DATAPLANE)
		write_routes(api, proxy, &asked, &body);
	else
		write_passages(api, proxy, text, &body);
	if (text) {
		write_standing(api, proxy, &body);
		http_text(req, 200, zl_buf_text(&body));
	} else {
		http_json(req, 200, zl_buf_text(&body));
	}
	zl_buf_free(&body);
}

void proxy_config(struct http_request *req, const struct api *api, enum kind kind)
{
	const struct proxies *proxies = api->setup.proxies;
	const struct resource *proxy = proxy_of(req, api, kind);
	struct zl_buf body = { 0 };

	if (proxy == NULL)
		return;
	struct zl_arena *arena = zl_arena_new();
	struct envoy_config *config =
		kind == KIND_DATAPLANE
			? proxies_config(proxies,
					 proxies_routes(proxies, proxy, false, arena))
			: proxies_zone_config(proxies,
					      proxies_zone_routes(proxies, proxy, arena));
	envoy_config_json(config, &body);
	http_json(req, 200, zl_buf_text(&body));
	envoy_config_drop(&config);
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

struct printing {
	struct zl_arena *arena;
	struct tree *out;
};

static void set_text(const struct printing *to, struct tree *map, const char *key,
		     const char *text)
{
	if (text != NULL && *text != '\0')
		tree_set(to->arena, map, key, tree_text(to->arena, text));
}

static void set_time(const struct printing *to, struct tree *map, const char *key,
		     uint64_t wall_us)
{
	char text[ZL_TIME_TEXT];

	if (wall_us == 0)
		return;
	zl_time_text(wall_us, text);
	tree_set(to->arena, map, key, tree_text(to->arena, text));
}

/* The words of the interface. */
static const char *const STATES[] = {
	[XDS_NOT_SENT] = "NOT_SENT",
	[XDS_STALE] = "STALE",
	[XDS_SYNCED] = "SYNCED",
	[XDS_NACKED] = "NACKED",
};

static struct tree *resource_status(const struct printing *to,
				    const struct xds_resource_status *from)
{
	struct tree *one = tree_map(to->arena);

	set_text(to, one, "type", envoy_type_url(from->type));
	set_text(to, one, "name", from->name);
	set_text(to, one, "state", STATES[from->state]);
	set_text(to, one, "wanted", from->wanted);
	set_text(to, one, "sent", from->sent);
	set_text(to, one, "acked", from->acked);
	set_text(to, one, "error", from->nack);
	set_time(to, one, "sentAt", from->sent_at);
	set_time(to, one, "ackedAt", from->acked_at);
	set_time(to, one, "nackedAt", from->nacked_at);
	return one;
}

static void print_status(void *ctx, const struct xds_proxy_status *status)
{
	const struct printing *to = ctx;
	struct tree *list = tree_list(to->arena);

	set_text(to, to->out, "proxy", status->proxy);
	tree_set(to->arena, to->out, "streams", tree_int(to->arena, status->streams));
	set_time(to, to->out, "connectedAt", status->connected_at);
	tree_set(to->arena, to->out, "wantedPush",
		 tree_int(to->arena, (int64_t)status->wanted));
	tree_set(to->arena, to->out, "ackedPush",
		 tree_int(to->arena, (int64_t)status->acked));
	for (size_t i = 0; i < status->resources; i++)
		tree_push(to->arena, list, resource_status(to, &status->list[i]));
	tree_set(to->arena, to->out, "resources", list);
}

void proxy_xds(struct http_request *req, const struct api *api, enum kind kind)
{
	const struct resource *proxy = proxy_of(req, api, kind);
	struct zl_buf body = { 0 };

	if (proxy == NULL)
		return;
	struct zl_arena *arena = zl_arena_new();
	struct printing to = { arena, tree_map(arena) };
	const char *id = proxies_id(proxy, arena);
	if (!xds_server_proxy(proxies_xds(api->setup.proxies), id, print_status, &to)) {
		set_text(&to, to.out, "proxy", id);
		tree_set(arena, to.out, "streams", tree_int(arena, 0));
		tree_set(arena, to.out, "resources", tree_list(arena));
	}
	tree_set(arena, to.out, "withoutFiles", muted_tree(api, id, arena));
	tree_json_pretty(to.out, &body);
	http_json(req, 200, body.data);
	zl_buf_free(&body);
	zl_arena_free(&arena);
}
