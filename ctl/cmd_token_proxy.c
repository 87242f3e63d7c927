/* Tokens of proxies, made by their zone. */
#include "ctl/tokens.h"

enum ctl_exit token_create_proxy(struct ctl *ctl)
{
	static const char *const DATAPLANE[] = { "mesh", "name", "service", "ttl" };
	static const char *const ZONE_PROXY[] = { "proxy", "name", "ttl" };
	int asked = (ctl->dataplane != NULL) + (ctl->service != NULL) +
		    (ctl->zone_proxy != NULL);

	if (asked != 1 || (ctl->name != NULL && ctl->zone_proxy == NULL))
		return ctl_fail(
			CTL_USAGE,
			"usage: zonelinkctl token create --dataplane NAME | "
			"--service SERVICE | --zone-proxy ingress|egress [--name NAME] "
			"[--mesh MESH] [--ttl TIME]");
	if (ctl->zone_proxy != NULL) {
		const char *const values[] = { ctl->zone_proxy, ctl->name, ctl->ttl };
		return token_create(ctl, "/_tokens/zone-proxy", ZONE_PROXY, values, 3);
	}
	const char *const values[] = { ctl->mesh, ctl->dataplane, ctl->service,
				       ctl->ttl };
	return token_create(ctl, "/_tokens/dataplane", DATAPLANE, values, 4);
}
