#include "base/clock.h"
#include "base/log.h"
#include "envoy/bootstrap.h"
#include "envoy/build.h"
#include "envoy/json.h"
#include "model/tree.h"
#include "policy/policy.h"
#include "zone/api/inside.h"
#include "zone/trust/trust.h"

#include <stdlib.h>
#include <string.h>

/* The Dataplane of the path, of this zone; NULL after an answer. */
static const struct resource *dataplane_of(struct http_request *req,
					   const struct api *api)
{
	return rest_find(req, api->setup.registry->all, KIND_DATAPLANE,
			 http_param(req, "mesh"), http_param(req, "name"));
}

void routes_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	const struct resource *dataplane = dataplane_of(req, api);
	const char *format = http_query(req, "format");
	bool text = format != NULL && strcmp(format, "text") == 0;
	struct zl_buf body = { 0 };

	if (dataplane == NULL)
		return;
	if (format != NULL && !text && strcmp(format, "json") != 0) {
		http_refuse(req, 400, "format=%s: must be json or text", format);
		return;
	}
	struct zl_arena *arena = zl_arena_new();
	const struct routes *routes =
		proxies_routes(api->setup.proxies, dataplane, text, arena);
	struct policy_answer answer = { .zone = api->setup.zone,
					.mesh = dataplane->key.mesh,
					.routes = &routes,
					.route_count = 1,
					.to = http_query(req, "to") };
	answer.warnings = proxies_warnings(api->setup.proxies, dataplane->key.mesh, arena,
					   &answer.warning_count);
	if (text) {
		policy_text(&answer, &body);
		http_text(req, 200, zl_buf_text(&body));
	} else {
		policy_json(&answer, &body);
		http_json(req, 200, zl_buf_text(&body));
	}
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

void config_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	const struct resource *dataplane = dataplane_of(req, api);
	struct zl_buf body = { 0 };

	if (dataplane == NULL)
		return;
	struct zl_arena *arena = zl_arena_new();
	struct envoy_config *config = proxies_config(
		api->setup.proxies,
		proxies_routes(api->setup.proxies, dataplane, false, arena));
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

void xds_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	const struct resource *dataplane = dataplane_of(req, api);
	struct zl_buf body = { 0 };

	if (dataplane == NULL)
		return;
	struct zl_arena *arena = zl_arena_new();
	struct printing to = { arena, tree_map(arena) };
	const char *id = proxies_id(dataplane, arena);
	if (!xds_server_proxy(proxies_xds(api->setup.proxies), id, print_status, &to)) {
		set_text(&to, to.out, "proxy", id);
		tree_set(arena, to.out, "streams", tree_int(arena, 0));
		tree_set(arena, to.out, "resources", tree_list(arena));
	}
	tree_json_pretty(to.out, &body);
	http_json(req, 200, body.data);
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

/* node.cluster: the first service of the proxy, else its name. */
static const char *service_of(const struct resource *dataplane)
{
	const struct dataplane_spec *spec = dataplane->dataplane;
	const char *service = spec->inbound_count > 0
				      ? labels_get(spec->inbounds[0].tags, TAG_SERVICE)
				      : labels_get(spec->gateway_tags, TAG_SERVICE);

	return service != NULL ? service : dataplane->key.name;
}

/* With the authority to trust and a token for the one proxy; to a unix socket neither is
 * of use. */
static void answer_bootstrap(struct http_request *req, const struct trust *trust,
			     struct envoy_bootstrap bootstrap, const char *ttl,
			     uint64_t seconds)
{
	struct pki_claims claims = { .kind = PKI_TOKEN_DATAPLANE,
				     .id = "",
				     .mesh = bootstrap.mesh,
				     .name = bootstrap.name,
				     .service = "",
				     .proxy = "",
				     .role = "",
				     .ca = "" };
	struct zl_err err = { 0 };
	struct zl_buf body = { 0 };
	char *token = NULL;
	char id[PKI_TOKEN_ID];

	if (!bootstrap.ads.is_unix) {
		if (trust_token(trust, &claims, seconds, &token, id, &err) != ZL_OK) {
			http_refuse(req, 500, "%s", err.msg);
			return;
		}
		zl_log(ZL_INFO, "trust", "proxy token made",
		       "id=%q mesh=%q name=%q ttl=%q by=%q", id, claims.mesh, claims.name,
		       ttl, http_caller_text(req));
		bootstrap.ca = trust_root(trust);
		bootstrap.identity = trust_identity(trust);
		bootstrap.token = token;
	}
	envoy_bootstrap_yaml(&bootstrap, &body);
	http_add_header(req, "Cache-Control", "no-store");
	http_answer(req, 200, "application/yaml", body.data, body.len);
	zl_buf_free(&body);
	free(token);
}

void bootstrap_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	const struct resource *dataplane = dataplane_of(req, api);
	const char *asked = http_query(req, "admin");
	const char *ttl = http_query(req, "ttl");
	struct zl_addr admin = { .host = "127.0.0.1", .port = 9901 };
	struct zl_err err = { 0 };
	uint64_t seconds;

	if (dataplane == NULL)
		return;
	if (asked != NULL && zl_addr_parse(asked, &admin, &err) != ZL_OK) {
		http_refuse(req, 400, "admin: %s", err.msg);
		return;
	}
	if (ttl == NULL)
		ttl = TOKEN_TTL;
	if (!auth_lifetime(ttl, &seconds)) {
		http_refuse(req, 400, "ttl=%s: %s", ttl, TOKEN_TTL_RULE);
		return;
	}
	if (asked == NULL && dataplane->dataplane->admin_port != 0)
		admin.port = (uint16_t)dataplane->dataplane->admin_port;
	const struct envoy_bootstrap bootstrap = { .mesh = dataplane->key.mesh,
						   .name = dataplane->key.name,
						   .service = service_of(dataplane),
						   .ads = *api->setup.xds,
						   .admin = &admin };
	answer_bootstrap(req, api->setup.trust, bootstrap, ttl, seconds);
}
