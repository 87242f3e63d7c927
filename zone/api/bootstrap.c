/* What the Envoy of a proxy starts with. */
#include "envoy/bootstrap.h"
#include "base/log.h"
#include "model/tree.h"
#include "zone/api/inside.h"
#include "zone/trust/trust.h"

#include <stdlib.h>

/* node.cluster: the first service of a Dataplane, else the proxy's name. */
static const char *service_of(const struct resource *proxy)
{
	if (proxy->key.kind != KIND_DATAPLANE)
		return proxy->key.name;
	const struct dataplane_spec *spec = proxy->dataplane;
	const char *service = spec->inbound_count > 0
				      ? labels_get(spec->inbounds[0].tags, TAG_SERVICE)
				      : labels_get(spec->gateway_tags, TAG_SERVICE);

	return service != NULL ? service : proxy->key.name;
}

/* With the authority to trust and a token for the one proxy; to a unix socket neither is
 * of use. */
static void answer_bootstrap(struct http_request *req, const struct trust *trust,
			     struct envoy_bootstrap bootstrap, struct pki_claims claims,
			     const char *ttl, uint64_t seconds)
{
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
		       "id=%q mesh=%q name=%q proxy=%q ttl=%q by=%q", id, claims.mesh,
		       claims.name, claims.proxy, ttl, http_caller_text(req));
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

/* networking.admin.port of a proxy of any kind; 0: it has none. */
static uint16_t admin_port(const struct resource *proxy)
{
	struct zl_arena *arena = zl_arena_new();
	const struct tree *doc = resource_tree(proxy, arena);
	const struct tree *net = tree_get(doc, "networking");
	const struct tree *admin = net != NULL ? tree_get(net, "admin") : NULL;
	const struct tree *port = admin != NULL ? tree_get(admin, "port") : NULL;
	uint16_t number =
		port != NULL && port->type == TREE_INT ? (uint16_t)port->integer : 0;

	zl_arena_free(&arena);
	return number;
}

static struct pki_claims claims_of(const struct resource *proxy)
{
	bool is_dataplane = proxy->key.kind == KIND_DATAPLANE;

	return (struct pki_claims){ .kind = is_dataplane ? PKI_TOKEN_DATAPLANE
							 : PKI_TOKEN_ZONE_PROXY,
				    .id = "",
				    .mesh = proxy->key.mesh,
				    .name = proxy->key.name,
				    .service = "",
				    .proxy = is_dataplane ? ""
					     : proxy->key.kind == KIND_ZONE_INGRESS
						     ? "ingress"
						     : "egress",
				    .role = "",
				    .ca = "" };
}

void proxy_bootstrap(struct http_request *req, const struct api *api, enum kind kind)
{
	const struct resource *proxy = proxy_of(req, api, kind);
	struct zl_addr admin = { .host = "127.0.0.1", .port = 9901 };
	struct zl_err err = { 0 };
	uint64_t seconds;

	if (proxy == NULL) /* the request is answered, and gone */
		return;
	const char *asked = http_query(req, "admin");
	const char *ttl = http_query(req, "ttl");
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
	if (asked == NULL && admin_port(proxy) != 0)
		admin.port = admin_port(proxy);
	const struct envoy_bootstrap bootstrap = { .mesh = proxy->key.mesh,
						   .name = proxy->key.name,
						   .service = service_of(proxy),
						   .ads = *api->setup.xds,
						   .admin = &admin };
	answer_bootstrap(req, api->setup.trust, bootstrap, claims_of(proxy), ttl,
			 seconds);
}
