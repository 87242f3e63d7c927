#include "zone/api/api.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "zone/api/inside.h"
#include "zone/trust/trust.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { APPLY_BODY = 16 << 20 };

#define HANDLER(name, call)                                   \
	static void name(struct http_request *req, void *arg) \
	{                                                     \
		struct api *api = arg;                        \
		call;                                         \
	}

HANDLER(get_global, rest_get(&api->rest, req, false))
HANDLER(get_mesh, rest_get(&api->rest, req, true))
HANDLER(list_global, rest_list(&api->rest, req, false))
HANDLER(list_mesh, rest_list(&api->rest, req, true))
HANDLER(put_global, rest_put(&api->rest, req, false))
HANDLER(put_mesh, rest_put(&api->rest, req, true))
HANDLER(delete_global, rest_delete(&api->rest, req, false))
HANDLER(delete_mesh, rest_delete(&api->rest, req, true))

#define PROXY_HANDLERS(name, kind)                           \
	HANDLER(name##_routes, proxy_routes(req, api, kind)) \
	HANDLER(name##_config, proxy_config(req, api, kind)) \
	HANDLER(name##_xds, proxy_xds(req, api, kind))       \
	HANDLER(name##_bootstrap, proxy_bootstrap(req, api, kind))

PROXY_HANDLERS(dataplane, KIND_DATAPLANE)
PROXY_HANDLERS(ingress, KIND_ZONE_INGRESS)
PROXY_HANDLERS(egress, KIND_ZONE_EGRESS)
HANDLER(apply, rest_apply(&api->rest, req))
HANDLER(token_new, auth_token_new(api->auth, req))
HANDLER(token_revoke, auth_token_revoke(api->auth, req))

#define DATAPLANE "/meshes/{mesh}/dataplanes/{name}"
#define INGRESS "/zoneingresses/{name}"
#define EGRESS "/zoneegresses/{name}"

const struct http_route API_ROUTES[] = {
	{ "GET", "/", HTTP_VIEW, 0, root_handle },
	{ "GET", "/_status", HTTP_VIEW, 0, status_handle },
	{ "GET", "/_wait", HTTP_VIEW, 0, wait_handle },
	{ "POST", "/_apply", HTTP_OPERATE, APPLY_BODY, apply },
	{ "POST", "/_tokens/user", HTTP_ADMIN, 0, token_new },
	{ "POST", "/_tokens/dataplane", HTTP_OPERATE, 0, dataplane_token_handle },
	{ "POST", "/_tokens/zone-proxy", HTTP_ADMIN, 0, zone_proxy_token_handle },
	{ "POST", "/_tokens/_revoke", HTTP_ADMIN, 0, token_revoke },
	{ "POST", "/_accept", HTTP_OPERATE, 0, accept_handle },
	{ "GET", DATAPLANE "/_routes", HTTP_VIEW, 0, dataplane_routes },
	{ "GET", DATAPLANE "/_config", HTTP_VIEW, 0, dataplane_config },
	{ "GET", DATAPLANE "/_xds", HTTP_VIEW, 0, dataplane_xds },
	{ "GET", DATAPLANE "/_bootstrap", HTTP_OPERATE, 0, dataplane_bootstrap },
	{ "GET", INGRESS "/_routes", HTTP_VIEW, 0, ingress_routes },
	{ "GET", INGRESS "/_config", HTTP_VIEW, 0, ingress_config },
	{ "GET", INGRESS "/_xds", HTTP_VIEW, 0, ingress_xds },
	{ "GET", INGRESS "/_bootstrap", HTTP_ADMIN, 0, ingress_bootstrap },
	{ "GET", EGRESS "/_routes", HTTP_VIEW, 0, egress_routes },
	{ "GET", EGRESS "/_config", HTTP_VIEW, 0, egress_config },
	{ "GET", EGRESS "/_xds", HTTP_VIEW, 0, egress_xds },
	{ "GET", EGRESS "/_bootstrap", HTTP_ADMIN, 0, egress_bootstrap },
	{ "GET", "/meshes/{mesh}/_observed", HTTP_VIEW, 0, observed_handle },
	{ "GET", "/meshes/{mesh}/_denials", HTTP_VIEW, 0, denials_handle },
	{ "GET", "/{plural}", HTTP_VIEW, 0, list_global },
	{ "GET", "/{plural}/{name}", HTTP_VIEW, 0, get_global },
	{ "PUT", "/{plural}/{name}", HTTP_OPERATE, 0, put_global },
	{ "DELETE", "/{plural}/{name}", HTTP_OPERATE, 0, delete_global },
	{ "GET", "/meshes/{mesh}/{plural}", HTTP_VIEW, 0, list_mesh },
	{ "GET", "/meshes/{mesh}/{plural}/{name}", HTTP_VIEW, 0, get_mesh },
	{ "PUT", "/meshes/{mesh}/{plural}/{name}", HTTP_OPERATE, 0, put_mesh },
	{ "DELETE", "/meshes/{mesh}/{plural}/{name}", HTTP_OPERATE, 0, delete_mesh },
};
const size_t API_ROUTE_COUNT = sizeof(API_ROUTES) / sizeof(API_ROUTES[0]);

static const struct set *current_set(void *owner)
{
	const struct api *api = owner;

	return api->setup.registry->all;
}

static bool refuse(struct zl_err *err, unsigned *status, unsigned code, const char *text,
		   const struct resource *res, const char *more)
{
	*status = code;
	(void)zl_fail(err, ZL_EINVAL, text, kind_info(res->key.kind)->name, res->key.name,
		      more);
	return false;
}

static bool may_change(void *owner, const struct resource *old,
		       const struct resource *now, unsigned *status, struct zl_err *err)
{
	const struct api *api = owner;
	const struct resource *any = old != NULL ? old : now;
	const char *file = api->setup.folder != NULL
				   ? folder_file_of(api->setup.folder, &any->key)
				   : NULL;

	if (file != NULL)
		return refuse(err, status, 409,
			      "%s \"%s\" comes from file %s of the watched folder: "
			      "change it there",
			      any, file);
	if (api->setup.uplink == NULL)
		return true;
	if ((kind_info(any->key.kind)->places & IN_ZONE) == 0) {
		*status = 405;
		(void)zl_fail(err, ZL_EINVAL, "kind %s is written at global",
			      kind_info(any->key.kind)->name);
		return false;
	}
	if (old != NULL && strcmp(old->key.zone, api->setup.zone) != 0)
		return refuse(err, status, 405,
			      "%s \"%s\" was written %s: change it there", old,
			      *old->key.zone == '\0' ? "at global" : "in another zone");
	return true;
}

static const struct rest_ops REST_OPS = { .set = current_set, .allow = may_change };

static void seen(void *arg, const struct http_seen *what)
{
	struct api *api = arg;

	metrics_count(&api->answers, what);
}

static void denied(void *arg, enum http_denial why)
{
	struct api *api = arg;

	api->answers.denied[why]++;
}

/* key: the setting that names the addresses. */
static enum zl_code listen_all(struct http_server *server, const char *key,
			       struct zl_addr *addrs, size_t count, struct zl_err *err)
{
	enum zl_code code = ZL_OK;

	for (size_t i = 0; code == ZL_OK && i < count; i++)
		code = http_listen(server, &addrs[i], err);
	if (code != ZL_OK)
		zl_wrap(err, "%s", key);
	return code;
}

static void on_certificate(void *owner, struct pki_tls *tls)
{
	const struct api *api = owner;

	http_set_tls(api->http, tls);
}

static void trust_begin(struct api *api)
{
	struct trust *trust = api->setup.trust;

	http_set_tls(api->http, trust_api(trust));
	trust_watch_api(trust, on_certificate, api);
}

static void on_timer(void *arg)
{
	waits_look(arg);
}

static bool is_revoked(void *owner, const char *id)
{
	const struct api *api = owner;

	return auth_is_revoked(api->auth, id);
}

enum zl_code api_open(struct api **out, const struct api_setup *setup, struct zl_err *err)
{
	struct api *api = zl_alloc(1, sizeof(*api));
	struct http_options http = { .routes = API_ROUTES,
				     .count = API_ROUTE_COUNT,
				     .arg = api,
				     .seen = seen,
				     .authorize = auth_authorize,
				     .denied = denied };
	const struct http_options diagnostics = { .routes = DIAGNOSTIC_ROUTES,
						  .count = DIAGNOSTIC_ROUTE_COUNT,
						  .arg = api };

	*out = NULL;
	api->setup = *setup;
	api->timer = loop_timer_new(setup->loop, on_timer, api);
	api->rest = (struct rest){ .ops = &REST_OPS,
				   .owner = api,
				   .store = setup->store,
				   .writer = WRITER_ZONE,
				   .zone = setup->zone,
				   .alone = setup->uplink == NULL };
	const struct auth_setup auth = { .store = setup->store,
					 .signer = trust_users(setup->trust),
					 .local_is_admin = setup->local_is_admin };
	enum zl_code code = auth_open(&api->auth, &auth, err);
	if (code == ZL_OK)
		trust_revoked(setup->trust, is_revoked, api);
	http.auth_arg = api->auth;
	if (code == ZL_OK)
		code = http_open(&api->http, setup->loop, &http, err);
	if (code == ZL_OK)
		trust_begin(api);
	if (code == ZL_OK)
		code = http_open(&api->diagnostics, setup->loop, &diagnostics, err);
	if (code == ZL_OK)
		code = listen_all(api->http, "api.listen", setup->listen,
				  setup->listen_count, err);
	if (code == ZL_OK)
		code = listen_all(api->diagnostics, "diagnostics.listen",
				  setup->diagnostics, setup->diagnostics_count, err);
	if (code != ZL_OK)
		api_close(&api);
	*out = api;
	return code;
}

void api_drain(struct api *api)
{
	api->draining = true;
	api->rest.closed = true;
	waits_end(api);
	http_drain(api->http);
}

bool api_is_drained(const struct api *api)
{
	return http_connections(api->http) == 0;
}

void api_close(struct api **apip)
{
	struct api *api = *apip;

	*apip = NULL;
	if (api == NULL)
		return;
	trust_revoked(api->setup.trust, NULL, NULL);
	waits_end(api);
	trust_watch_api(api->setup.trust, NULL, NULL);
	http_close(&api->http);
	http_close(&api->diagnostics);
	auth_close(&api->auth);
	loop_timer_free(&api->timer);
	free(api);
}

void api_result(struct api *api, const struct store_result *result)
{
	if (auth_result(api->auth, result))
		return;
	assert(result->kind == STORE_COMMIT);
	rest_finish(&api->rest, result);
}

void api_moved(struct api *api)
{
	waits_look(api);
}
