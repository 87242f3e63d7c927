#include "zone/proxies/admit.h"

#include <string.h>

static bool offers(const void *resource, const char *service)
{
	const struct resource *dataplane = resource;
	const struct dataplane_spec *spec = dataplane->dataplane;
	const char *tag = labels_get(spec->gateway_tags, TAG_SERVICE);

	if (tag != NULL && strcmp(tag, service) == 0)
		return true;
	for (size_t i = 0; i < spec->inbound_count; i++) {
		tag = labels_get(spec->inbounds[i].tags, TAG_SERVICE);
		if (tag != NULL && strcmp(tag, service) == 0)
			return true;
	}
	return false;
}

/* Who is registered, or what the id alone says. */
static struct trust_proxy proxy_of(const char *id, const struct resource *registered)
{
	struct trust_proxy proxy = { .id = id, .offers = offers, .resource = registered };

	if (registered == NULL) {
		if (strchr(id, '.') == NULL)
			proxy.kind = ""; /* no Dataplane, be it what it may */
		return proxy;
	}
	proxy.name = registered->key.name;
	if (registered->key.kind == KIND_DATAPLANE)
		proxy.mesh = registered->key.mesh;
	else
		proxy.kind =
			registered->key.kind == KIND_ZONE_INGRESS ? "ingress" : "egress";
	return proxy;
}

enum xds_verdict admit(struct trust *trust, const struct xds_stranger *who,
		       const struct resource *registered, struct zl_err *err)
{
	if (who->is_local)
		return XDS_ADMITTED;
	const struct trust_proxy proxy =
		proxy_of(who->proxy != NULL ? who->proxy : "", registered);
	enum trust_reason reason =
		trust_admit(trust, who->proxy != NULL ? &proxy : NULL, who->token, err);
	switch (reason) {
	case TRUST_ADMITTED:
		return XDS_ADMITTED;
	case TRUST_NO_TOKEN:
	case TRUST_BAD_TOKEN:
	case TRUST_EXPIRED:
	case TRUST_REVOKED:
		return XDS_NOT_KNOWN;
	default:
		return XDS_NOT_ALLOWED;
	}
}
