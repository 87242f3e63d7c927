#include "global/api/api.h"

#include "base/clock.h"
#include "base/hash.h"
#include "global/api/authorities.h"
#include "global/api/inside.h"
#include "loop/loop.h"
#include "model/tree.h"
#include "vips/vips.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { APPLY_BODY = 16 << 20, JOIN_BODY = 32 << 10 };

static void root_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct position position = api->setup.position(api->setup.owner);
	struct zl_arena *arena = zl_arena_new();
	struct tree *out = tree_map(arena);
	struct zl_buf body = { 0 };
	char epoch[2 * POSITION_EPOCH + 1];

	zl_hex(position.epoch, POSITION_EPOCH, epoch);
	tree_set(arena, out, "product", tree_text(arena, "Zonelink"));
	tree_set(arena, out, "role", tree_text(arena, "global"));
	tree_set(arena, out, "version", tree_text(arena, ZL_VERSION));
	tree_set(arena, out, "epoch", tree_text(arena, epoch));
	tree_set(arena, out, "revision", tree_int(arena, (int64_t)position.rev));
	tree_json_pretty(out, &body);
	http_json(req, 200, body.data);
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

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
HANDLER(apply, rest_apply(&api->rest, req))
HANDLER(token_new, auth_token_new(api->auth, req))
HANDLER(token_revoke, auth_token_revoke(api->auth, req))

HANDLER(zone_token, joining_token(api->setup.joining, req))
HANDLER(zone_join, joining_join(api->setup.joining, req))
HANDLER(zone_revoke, joining_revoke(api->setup.joining, req))
HANDLER(zone_disable, joining_enable(api->setup.joining, req, false))
HANDLER(zone_enable, joining_enable(api->setup.joining, req, true))
HANDLER(zone_retire, joining_retire(api->setup.joining, req))
HANDLER(zone_certificates, joining_certificates(api->setup.joining, req))

/* A literal segment goes before a {param}. */
const struct http_route API_ROUTES[] = {
	{ "GET", "/", HTTP_VIEW, 0, root_handle },
	{ "GET", "/_wait", HTTP_VIEW, 0, wait_handle },
	{ "GET", "/_snapshot", HTTP_ADMIN, 0, snapshot_handle },
	{ "POST", "/_apply", HTTP_OPERATE, APPLY_BODY, apply },
	{ "POST", "/_tokens/user", HTTP_ADMIN, 0, token_new },
	{ "POST", "/_tokens/_revoke", HTTP_ADMIN, 0, token_revoke },
	{ "GET", "/zones/_overview", HTTP_VIEW, 0, zones_handle },
	{ "POST", "/zones/{name}/_accept", HTTP_OPERATE, 0, zone_accept_handle },
	{ "POST", "/zones/{name}/_release", HTTP_OPERATE, 0, zone_release_handle },
	{ "POST", "/zones/{name}/_tokens", HTTP_ADMIN, 0, zone_token },
	{ "POST", "/zones/{name}/_join", HTTP_OPEN, JOIN_BODY, zone_join },
	{ "POST", "/zones/{name}/_revoke", HTTP_ADMIN, 0, zone_revoke },
	{ "POST", "/zones/{name}/_disable", HTTP_OPERATE, 0, zone_disable },
	{ "POST", "/zones/{name}/_enable", HTTP_OPERATE, 0, zone_enable },
	{ "POST", "/zones/{name}/_retire", HTTP_ADMIN, 0, zone_retire },
	{ "GET", "/zones/{name}/_certificates", HTTP_VIEW, 0, zone_certificates },
	{ "GET", "/meshes/{mesh}/_observed", HTTP_VIEW, 0, observed_handle },
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

	return api->setup.set(api->setup.owner);
}

/* Is anything of mesh left that it must outlive? */
static const struct resource *first_of_mesh(const struct api *api, const char *mesh)
{
	const struct set *set = api->setup.set(api->setup.owner);

	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(set, (enum kind)kind, mesh);
		if (kind_info((enum kind)kind)->scope != SCOPE_MESH)
			continue;
		const struct resource *res = set_next(&each);
		while (res != NULL && authorities_own(&res->key)) /* they go with it */
			res = set_next(&each);
		if (res != NULL)
			return res;
	}
	return NULL;
}

static bool may_delete(const struct api *api, const struct resource *old,
		       unsigned *status, struct zl_err *err)
{
	struct sync_session_view zone;

	if (old->key.kind == KIND_ZONE &&
	    hub_zone(api->setup.hub, old->key.name, &zone) && zone.state == SYNC_ACTIVE) {
		*status = 409;
		(void)zl_fail(err, ZL_ECONFLICT,
			      "unable to delete Zone, Zone CP is still connected, please "
			      "shut it down first");
		return false;
	}
	if (!secrets_may_go(api, old, status, err))
		return false;
	const struct resource *left =
		old->key.kind == KIND_MESH ? first_of_mesh(api, old->key.name) : NULL;
	if (left == NULL)
		return true;
	*status = 409;
	(void)zl_fail(err, ZL_ECONFLICT,
		      "unable to delete mesh, it still has %s \"%s\": delete that first",
		      kind_info(left->key.kind)->name, left->key.name);
	return false;
}

static const struct resource *written_beside(void *owner, const struct key *key)
{
	const struct api *api = owner;

	return rest_beside(&api->rest, key);
}

static bool may_change(void *owner, const struct resource *old,
		       const struct resource *now, unsigned *status, struct zl_err *err)
{
	const struct api *api = owner;
	const struct resource *any = now == NULL ? old : now;
	const struct authorities there = { .set = current_set(owner),
					   .secrets = api->setup.secrets,
					   .beside = written_beside,
					   .owner = owner };

	*status = 405;
	if (now != NULL && old != NULL)
		any = old; /* what is there says whose it is */
	if ((kind_info(any->key.kind)->places & AT_GLOBAL) == 0) {
		(void)zl_fail(err, ZL_EINVAL, "kind %s is written in a zone",
			      kind_info(any->key.kind)->name);
		return false;
	}
	if (any->origin == ORIGIN_ZONE) {
		(void)zl_fail(
			err, ZL_EINVAL, "%s \"%s\" belongs to zone %s: change it there",
			kind_info(any->key.kind)->name, any->key.name, any->key.zone);
		return false;
	}
	if (!authorities_allow(&there, old, now, status, err))
		return false;
	return now == NULL ? may_delete(api, old, status, err) : true;
}

/* Who writes a Zone has no say in its condition, nor in the address of a service. */
static struct resource *with_status(void *owner, const struct resource *old,
				    const struct resource *now)
{
	const struct api *api = owner;

	if (now->key.kind != KIND_ZONE)
		return vips_complete(api->setup.vips, now);
	if (old == NULL || old->zone->condition == ZONE_ONLINE)
		return NULL;
	return zone_with_condition(now, old->zone->condition, old->zone->since);
}

static void rows_beside(void *owner, const struct resource *now, struct store_job *local)
{
	const struct api *api = owner;

	vips_beside(api->setup.vips, now, local);
}

/* With a Zone goes all that it owns: nobody else could take it away. */
static void add_owned(const struct set *set, const struct resource *zone,
		      rest_add_fn *add, void *arg)
{

	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(set, (enum kind)kind, NULL);
		const struct resource *res;
		struct resource *none = NULL;
		if (!kind_info((enum kind)kind)->to_global)
			continue;
		while ((res = set_next(&each)) != NULL)
			if (strcmp(res->key.zone, zone->key.name) == 0)
				add(arg, &res->key, &none);
	}
}

static bool goes_with(void *owner, const struct resource *old, const struct resource *now,
		      rest_add_fn *add, void *arg, struct zl_err *err)
{
	const struct set *set = current_set(owner);

	if (now == NULL && old->key.kind == KIND_ZONE)
		add_owned(set, old, add, arg);
	return authorities_with(set, old, now, add, arg, err);
}

static void written(void *owner, struct http_request *req, uint64_t rev, unsigned status,
		    const char *wait, uint64_t timeout_ms, const char *body)
{
	const struct wait_answer then = { status, body };

	wait_begin(owner, req, rev, wait, timeout_ms, &then);
}

static const struct rest_ops REST_OPS = {
	.set = current_set,
	.allow = may_change,
	.complete = with_status,
	.beside = rows_beside,
	.with = goes_with,
	.written = written,
	.keep = secrets_hold,
	.show = secrets_show,
};

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

static void on_timer(void *arg)
{
	waits_look(arg);
}

enum zl_code api_open(struct api **out, const struct api_setup *setup, struct zl_err *err)
{
	struct api *api = zl_alloc(1, sizeof(*api));
	struct http_options http = { .routes = API_ROUTES,
				     .count = API_ROUTE_COUNT,
				     .arg = api,
				     .seen = seen,
				     .authorize = auth_authorize,
				     .denied = denied,
				     .answer_ms = UINT64_C(11) * 60 * 1000 };
	const struct http_options diagnostics = { .routes = DIAGNOSTIC_ROUTES,
						  .count = DIAGNOSTIC_ROUTE_COUNT,
						  .arg = api };

	*out = NULL;
	api->setup = *setup;
	api->started_ms = zl_now_ms();
	api->rest = (struct rest){ .ops = &REST_OPS,
				   .owner = api,
				   .store = setup->store,
				   .writer = WRITER_GLOBAL,
				   .zone = "" };
	api->timer = loop_timer_new(setup->loop, on_timer, api);
	const struct auth_setup auth = { .store = setup->store,
					 .signer = setup->users,
					 .local_is_admin = setup->local_is_admin };
	enum zl_code code = auth_open(&api->auth, &auth, err);
	http.auth_arg = api->auth;
	if (code == ZL_OK)
		code = snapshot_open(&api->snapshot, setup, err);
	if (code == ZL_OK)
		code = http_open(&api->http, setup->loop, &http, err);
	if (code == ZL_OK && setup->tls != NULL)
		http_set_tls(api->http, setup->tls);
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
	waits_end(api);
	snapshot_close(&api->snapshot);
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

void api_set_tls(struct api *api, struct pki_tls *tls)
{
	http_set_tls(api->http, tls);
}

void api_committed(struct api *api, uint64_t rev)
{
	api->commits[rev % COMMIT_TIMES].rev = rev;
	api->commits[rev % COMMIT_TIMES].us = zl_now_us();
}

bool api_is_waited(const struct api *api)
{
	return api->waiters != NULL || api->rest.waits > 0;
}

void api_zone_changed(struct api *api)
{
	waits_look(api);
}
