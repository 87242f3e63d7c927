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

/* The id of a ZoneIngress is its name. */
static void find_ingress(const struct set *set, const char *zone,
			 struct trust_proxy *proxy)
{
	struct set_iter iter = set_each(set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;

	if (strchr(proxy->id, '.') == NULL)
		proxy->kind = ""; /* no Dataplane, be it what it may */
	while ((res = set_next(&iter)) != NULL) {
		const char *of = *res->key.zone != '\0' ? res->key.zone : zone;
		if (strcmp(res->key.name, proxy->id) != 0 || strcmp(of, zone) != 0)
			continue;
		proxy->kind = "ingress";
		proxy->name = res->key.name;
		return;
	}
}

enum xds_verdict admit(struct trust *trust, const struct set *set, const char *zone,
		       const struct xds_stranger *who, const struct resource *dataplane,
		       struct zl_err *err)
{
	struct trust_proxy proxy = { .id = who->proxy,
				     .offers = offers,
				     .resource = dataplane };

	if (who->is_local)
		return XDS_ADMITTED;
	if (dataplane != NULL) {
		proxy.mesh = dataplane->key.mesh;
		proxy.name = dataplane->key.name;
	} else if (who->proxy != NULL) {
		find_ingress(set, zone, &proxy);
	}
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
