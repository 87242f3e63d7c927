#include "model/key.h"

#include "model/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct kind_info KINDS[KIND_END] = {
	[KIND_MESH] = { .kind = KIND_MESH,
			.name = "Mesh",
			.plural = "meshes",
			.shorthand = "m",
			.scope = SCOPE_GLOBAL,
			.places = AT_GLOBAL,
			.flat = true,
			.to_zones = true },
	[KIND_ZONE] = { .kind = KIND_ZONE,
			.name = "Zone",
			.plural = "zones",
			.shorthand = "",
			.scope = SCOPE_GLOBAL,
			.places = AT_GLOBAL,
			.flat = true,
			.to_zones = true },
	[KIND_DATAPLANE] = { .kind = KIND_DATAPLANE,
			     .name = "Dataplane",
			     .plural = "dataplanes",
			     .shorthand = "dp",
			     .scope = SCOPE_MESH,
			     .places = IN_ZONE,
			     .flat = true,
			     .to_global = true },
	[KIND_ZONE_INGRESS] = { .kind = KIND_ZONE_INGRESS,
				.name = "ZoneIngress",
				.plural = "zoneingresses",
				.shorthand = "zi",
				.scope = SCOPE_GLOBAL,
				.places = IN_ZONE,
				.flat = true,
				.to_zones = true,
				.to_global = true },
	[KIND_MESH_TCP_ROUTE] = { .kind = KIND_MESH_TCP_ROUTE,
				  .name = "MeshTCPRoute",
				  .plural = "meshtcproutes",
				  .shorthand = "mtcpr",
				  .scope = SCOPE_MESH,
				  .places = AT_GLOBAL | IN_ZONE,
				  .to_zones = true,
				  .to_global = true,
				  .policy = true },
	/* What is stored and travels is a version; the content is kept apart. */
	[KIND_SECRET] = { .kind = KIND_SECRET,
			  .name = "Secret",
			  .plural = "secrets",
			  .shorthand = "",
			  .scope = SCOPE_MESH,
			  .places = AT_GLOBAL,
			  .flat = true,
			  .to_zones = true },
	[KIND_MESH_SERVICE] = { .kind = KIND_MESH_SERVICE,
				.name = "MeshService",
				.plural = "meshservices",
				.shorthand = "msvc",
				.scope = SCOPE_MESH,
				.places = IN_ZONE,
				.to_zones = true,
				.to_global = true },
	[KIND_MESH_MULTI_ZONE_SERVICE] = { .kind = KIND_MESH_MULTI_ZONE_SERVICE,
					   .name = "MeshMultiZoneService",
					   .plural = "meshmultizoneservices",
					   .shorthand = "mzsvc",
					   .scope = SCOPE_MESH,
					   .places = AT_GLOBAL,
					   .to_zones = true },
	[KIND_MESH_EXTERNAL_SERVICE] = { .kind = KIND_MESH_EXTERNAL_SERVICE,
					 .name = "MeshExternalService",
					 .plural = "meshexternalservices",
					 .shorthand = "extsvc",
					 .scope = SCOPE_MESH,
					 .places = AT_GLOBAL | IN_ZONE,
					 .to_zones = true,
					 .to_global = true },
	[KIND_EXTERNAL_SERVICE] = { .kind = KIND_EXTERNAL_SERVICE,
				    .name = "ExternalService",
				    .plural = "external-services",
				    .shorthand = "",
				    .scope = SCOPE_MESH,
				    .places = AT_GLOBAL,
				    .flat = true,
				    .to_zones = true },
	[KIND_MESH_HTTP_ROUTE] = { .kind = KIND_MESH_HTTP_ROUTE,
				   .name = "MeshHTTPRoute",
				   .plural = "meshhttproutes",
				   .shorthand = "mhttpr",
				   .scope = SCOPE_MESH,
				   .places = AT_GLOBAL | IN_ZONE,
				   .to_zones = true,
				   .to_global = true,
				   .policy = true },
	[KIND_TRAFFIC_ROUTE] = { .kind = KIND_TRAFFIC_ROUTE,
				 .name = "TrafficRoute",
				 .plural = "traffic-routes",
				 .shorthand = "",
				 .scope = SCOPE_MESH,
				 .places = AT_GLOBAL,
				 .flat = true,
				 .to_zones = true },
	[KIND_MESH_GATEWAY] = { .kind = KIND_MESH_GATEWAY,
				.name = "MeshGateway",
				.plural = "meshgateways",
				.shorthand = "mgw",
				.scope = SCOPE_MESH,
				.places = AT_GLOBAL | IN_ZONE,
				.flat = true,
				.to_zones = true,
				.to_global = true },
	[KIND_ZONE_EGRESS] = { .kind = KIND_ZONE_EGRESS,
			       .name = "ZoneEgress",
			       .plural = "zoneegresses",
			       .shorthand = "ze",
			       .scope = SCOPE_GLOBAL,
			       .places = IN_ZONE,
			       .flat = true,
			       .to_global = true },
	[KIND_MESH_LOAD_BALANCING_STRATEGY] = { .kind = KIND_MESH_LOAD_BALANCING_STRATEGY,
						.name = "MeshLoadBalancingStrategy",
						.plural = "meshloadbalancingstrategies",
						.shorthand = "mlbs",
						.scope = SCOPE_MESH,
						.places = AT_GLOBAL | IN_ZONE,
						.to_zones = true,
						.to_global = true,
						.policy = true },
	[KIND_MESH_TIMEOUT] = { .kind = KIND_MESH_TIMEOUT,
				.name = "MeshTimeout",
				.plural = "meshtimeouts",
				.shorthand = "mt",
				.scope = SCOPE_MESH,
				.places = AT_GLOBAL | IN_ZONE,
				.to_zones = true,
				.to_global = true,
				.policy = true },
	[KIND_MESH_RETRY] = { .kind = KIND_MESH_RETRY,
			      .name = "MeshRetry",
			      .plural = "meshretries",
			      .shorthand = "mr",
			      .scope = SCOPE_MESH,
			      .places = AT_GLOBAL | IN_ZONE,
			      .to_zones = true,
			      .to_global = true,
			      .policy = true },
	[KIND_MESH_HEALTH_CHECK] = { .kind = KIND_MESH_HEALTH_CHECK,
				     .name = "MeshHealthCheck",
				     .plural = "meshhealthchecks",
				     .shorthand = "mhc",
				     .scope = SCOPE_MESH,
				     .places = AT_GLOBAL | IN_ZONE,
				     .to_zones = true,
				     .to_global = true,
				     .policy = true },
	[KIND_MESH_CIRCUIT_BREAKER] = { .kind = KIND_MESH_CIRCUIT_BREAKER,
					.name = "MeshCircuitBreaker",
					.plural = "meshcircuitbreakers",
					.shorthand = "mcb",
					.scope = SCOPE_MESH,
					.places = AT_GLOBAL | IN_ZONE,
					.to_zones = true,
					.to_global = true,
					.policy = true },
	[KIND_MESH_ACCESS_LOG] = { .kind = KIND_MESH_ACCESS_LOG,
				   .name = "MeshAccessLog",
				   .plural = "meshaccesslogs",
				   .shorthand = "mal",
				   .scope = SCOPE_MESH,
				   .places = AT_GLOBAL | IN_ZONE,
				   .to_zones = true,
				   .to_global = true,
				   .policy = true },
	[KIND_MESH_TRAFFIC_PERMISSION] = { .kind = KIND_MESH_TRAFFIC_PERMISSION,
					   .name = "MeshTrafficPermission",
					   .plural = "meshtrafficpermissions",
					   .shorthand = "mtp",
					   .scope = SCOPE_MESH,
					   .places = AT_GLOBAL | IN_ZONE,
					   .to_zones = true,
					   .to_global = true,
					   .policy = true },
	[KIND_TIMEOUT] = { .kind = KIND_TIMEOUT,
			   .name = "Timeout",
			   .plural = "timeouts",
			   .shorthand = "",
			   .scope = SCOPE_MESH,
			   .places = AT_GLOBAL,
			   .flat = true,
			   .to_zones = true },
	[KIND_RETRY] = { .kind = KIND_RETRY,
			 .name = "Retry",
			 .plural = "retries",
			 .shorthand = "",
			 .scope = SCOPE_MESH,
			 .places = AT_GLOBAL,
			 .flat = true,
			 .to_zones = true },
	[KIND_HEALTH_CHECK] = { .kind = KIND_HEALTH_CHECK,
				.name = "HealthCheck",
				.plural = "health-checks",
				.shorthand = "",
				.scope = SCOPE_MESH,
				.places = AT_GLOBAL,
				.flat = true,
				.to_zones = true },
	[KIND_CIRCUIT_BREAKER] = { .kind = KIND_CIRCUIT_BREAKER,
				   .name = "CircuitBreaker",
				   .plural = "circuit-breakers",
				   .shorthand = "",
				   .scope = SCOPE_MESH,
				   .places = AT_GLOBAL,
				   .flat = true,
				   .to_zones = true },
	[KIND_TRAFFIC_LOG] = { .kind = KIND_TRAFFIC_LOG,
			       .name = "TrafficLog",
			       .plural = "traffic-logs",
			       .shorthand = "",
			       .scope = SCOPE_MESH,
			       .places = AT_GLOBAL,
			       .flat = true,
			       .to_zones = true },
	[KIND_TRAFFIC_PERMISSION] = { .kind = KIND_TRAFFIC_PERMISSION,
				      .name = "TrafficPermission",
				      .plural = "traffic-permissions",
				      .shorthand = "",
				      .scope = SCOPE_MESH,
				      .places = AT_GLOBAL,
				      .flat = true,
				      .to_zones = true },
};

/* Kuma's kinds that are not in KINDS, sorted by bytes; names that end in Insight or
 * Overview need not be listed. */
static const char *const FOREIGN[] = {
	"AccessAudit",
	"AccessRole",
	"AccessRoleBinding",
	"Config",
	"ContainerPatch",
	"FaultInjection",
	"GlobalSecret",
	"HostnameGenerator",
	"MeshFaultInjection",
	"MeshGatewayConfig",
	"MeshGatewayInstance",
	"MeshGatewayRoute",
	"MeshGlobalRateLimit",
	"MeshIdentity",
	"MeshMetric",
	"MeshOPA",
	"MeshOpenTelemetryBackend",
	"MeshPassthrough",
	"MeshProxyPatch",
	"MeshRateLimit",
	"MeshTLS",
	"MeshTrace",
	"MeshTrust",
	"MeshZoneAddress",
	"OPAPolicy",
	"ProxyTemplate",
	"RateLimit",
	"TrafficTrace",
	"VirtualOutbound",
	"Workload",
};

const struct kind_info *kind_info(enum kind kind)
{
	assert(kind > KIND_NONE && kind < KIND_END);
	return &KINDS[kind];
}

enum kind kind_by_name(const char *name)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		if (strcmp(KINDS[kind].name, name) == 0)
			return kind;
	return KIND_NONE;
}

enum kind kind_by_plural(const char *plural)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		if (strcmp(KINDS[kind].plural, plural) == 0)
			return kind;
	return KIND_NONE;
}

/* "traffic-route": people write the singular of such a plural; of the others it is the
 * name. */
static bool is_singular(const char *plural, const char *word)
{
	size_t len = strlen(word);

	return strchr(plural, '-') != NULL && strncasecmp(plural, word, len) == 0 &&
	       strcmp(plural + len, "s") == 0;
}

enum kind kind_by_word(const char *word)
{
	if (*word == '\0') /* the short form of kinds that have none */
		return KIND_NONE;
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		if (strcasecmp(KINDS[kind].name, word) == 0 ||
		    strcasecmp(KINDS[kind].plural, word) == 0 ||
		    strcasecmp(KINDS[kind].shorthand, word) == 0 ||
		    is_singular(KINDS[kind].plural, word))
			return kind;
	return KIND_NONE;
}

bool kind_is_zone_proxy(enum kind kind)
{
	return kind == KIND_ZONE_INGRESS || kind == KIND_ZONE_EGRESS;
}

bool kind_attaches(enum kind kind)
{
	return kind >= KIND_MESH_TIMEOUT && kind <= KIND_MESH_TRAFFIC_PERMISSION;
}

bool kind_is_legacy(enum kind kind)
{
	return kind >= KIND_TIMEOUT && kind <= KIND_TRAFFIC_PERMISSION;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int by_bytes(const void *name, const void *item)
{
	const char *const *other = item;

	return strcmp(name, *other);
}

bool kind_is_foreign(const char *name)
{
	return ends_with(name, "Insight") || ends_with(name, "Overview") ||
	       bsearch(name, FOREIGN, sizeof(FOREIGN) / sizeof(FOREIGN[0]),
		       sizeof(FOREIGN[0]), by_bytes) != NULL;
}

int key_compare(const struct key *a, const struct key *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int order = strcmp(a->mesh, b->mesh);
	if (order == 0)
		order = strcmp(a->zone, b->zone);
	if (order == 0)
		order = strcmp(a->ns, b->ns);
	return order != 0 ? order : strcmp(a->name, b->name);
}

void key_bytes(const struct key *key, struct zl_buf *out)
{
	assert(key->kind > KIND_NONE && key->kind < KIND_END);
	zl_buf_char(out, (char)key->kind);
	zl_buf_add(out, key->mesh, strlen(key->mesh) + 1);
	zl_buf_add(out, key->zone, strlen(key->zone) + 1);
	zl_buf_add(out, key->ns, strlen(key->ns) + 1);
	zl_buf_str(out, key->name);
}

enum zl_code key_parse(const void *bytes, size_t len, struct zl_arena *arena,
		       struct key *key, struct zl_err *err)
{
	const unsigned char *kind = bytes;

	*key = (struct key){ KIND_NONE, "", "", "", "" };
	if (len < 2 || len > ENTRY_KEY_MAX)
		return zl_fail(err, ZL_ECORRUPT, "a key of %zu bytes", len);
	if (*kind == KIND_NONE || *kind >= KIND_END)
		return zl_fail(err, ZL_ECORRUPT, "a key of the unknown kind %u", *kind);

	/* The copy ends in a NUL, so a part that is missing is seen at the end. */
	const char *parts[4];
	const char *at = zl_arena_strndup(arena, (const char *)bytes + 1, len - 1);
	const char *end = at + len - 1;
	for (size_t i = 0; i < 4; i++) {
		if (at > end)
			return zl_fail(err, ZL_ECORRUPT, "a key of %zu parts, not 4", i);
		parts[i] = at;
		at += strlen(at) + 1;
	}
	if (at != end + 1)
		return zl_fail(err, ZL_ECORRUPT, "a key of more than 4 parts");
	if (*parts[3] == '\0')
		return zl_fail(err, ZL_ECORRUPT, "a key without a name");
	*key = (struct key){ (enum kind) * kind, parts[0], parts[1], parts[2], parts[3] };
	return ZL_OK;
}

void key_kri(const struct key *key, const char *section, struct zl_buf *out)
{
	const struct kind_info *info = kind_info(key->kind);

	/* The plural keeps apart the kinds to which Kuma gives no short form. */
	zl_buf_format(out, "kri_%s_%s_%s_%s_%s_%s",
		      *info->shorthand != '\0' ? info->shorthand : info->plural,
		      key->mesh, key->zone, key->ns, key->name, section);
}
