#include "ctl/columns.h"

#include "ctl/columns_parts.h"
#include "ctl/json.h"
#include "ctl/observed.h"

#include <string.h>

const struct tree *columns_spec(const struct tree *doc)
{
	const struct tree *spec = tree_get(doc, "spec");

	return spec != NULL ? spec : doc;
}

const char *columns_label(const struct tree *doc, const char *key)
{
	return json_find(tree_get(doc, "labels"), key);
}

const char *columns_ref(const struct tree *ref)
{
	const char *name = json_find(ref, "name");

	return name != NULL ? name : json_find(ref, "kind");
}

static const char *tag_text(const struct tree *value)
{
	return value->text != NULL ? value->text : "?";
}

void columns_add(struct zl_buf *out, const char *text)
{
	if (out->len > 0)
		zl_buf_char(out, ' ');
	zl_buf_str(out, text != NULL ? text : "?");
}

/* Weights as people read them: "backend{version=v1}=90 other=10". */
static void add_backends(struct zl_buf *out, const struct tree *to)
{
	const struct tree *rules = json_list(to, "rules");

	if (rules->count == 0) {
		columns_add(out, "itself");
		return;
	}
	const struct tree *refs =
		json_list(tree_get(rules->items[0], "default"), "backendRefs");
	for (size_t i = 0; i < refs->count; i++) {
		const struct tree *tags = tree_get(refs->items[i], "tags");
		size_t count = tags != NULL && tags->type == TREE_MAP ? tags->count : 0;
		const char *weight = json_find(refs->items[i], "weight");
		columns_add(out, columns_ref(refs->items[i]));
		for (size_t t = 0; t < count; t++)
			zl_buf_format(out, "%s%s=%s", t == 0 ? "{" : ",",
				      tags->members[t].key,
				      tag_text(tags->members[t].value));
		zl_buf_format(out, "%s=%s", count > 0 ? "}" : "",
			      weight != NULL ? weight : "1");
	}
}

static void row_route(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const struct tree *target = tree_get(spec, "targetRef");
	const struct tree *to = json_list(spec, "to");
	struct zl_buf services = { 0 };
	struct zl_buf backends = { 0 };

	for (size_t i = 0; i < to->count; i++) {
		columns_add(&services, columns_ref(tree_get(to->items[i], "targetRef")));
		add_backends(&backends, to->items[i]);
	}
	const char *cells[] = { json_find(doc, "name"),
				target != NULL ? columns_ref(target) : "Mesh",
				zl_buf_text(&services),
				zl_buf_text(&backends),
				columns_label(doc, "kuma.io/origin"),
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision"),
				ctl->output == OUT_WIDE
					? observed_of(ctl, json_find(doc, "name"))
					: NULL };
	table_row(table, cells);
	zl_buf_free(&services);
	zl_buf_free(&backends);
}

static void row_dataplane(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *net = tree_get(columns_spec(doc), "networking");
	const struct tree *inbound = json_list(net, "inbound");
	const struct tree *outbound = json_list(net, "outbound");
	struct zl_buf services = { 0 };

	for (size_t i = 0; i < inbound->count; i++)
		columns_add(&services, json_find(tree_get(inbound->items[i], "tags"),
						 "kuma.io/service"));
	const char *cells[] = { json_find(doc, "name"),
				zl_buf_text(&services),
				json_find(net, "address"),
				zl_arena_format(ctl->arena, "%zu", outbound->count),
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision") };
	table_row(table, cells);
	zl_buf_free(&services);
}

static void row_ingress(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *net = tree_get(columns_spec(doc), "networking");
	const struct tree *services = tree_get(columns_spec(doc), "availableServices");
	const char *zone = json_find(columns_spec(doc), "zone");
	const char *host = json_find(net, "advertisedAddress");
	const char *port = json_find(net, "advertisedPort");
	const char *cells[] = { json_find(doc, "name"),
				zone != NULL ? zone : columns_label(doc, "kuma.io/zone"),
				host != NULL ? zl_arena_format(ctl->arena, "%s:%s", host,
							       port != NULL ? port : "?")
					     : NULL,
				/* in its own zone nothing is written into it */
				services != NULL ? zl_arena_format(ctl->arena, "%zu",
								   services->count)
						 : NULL,
				json_find(doc, "revision") };
	table_row(table, cells);
}

static void row_egress(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *net = tree_get(columns_spec(doc), "networking");
	const char *zone = json_find(columns_spec(doc), "zone");
	const char *host = json_find(net, "address");
	const char *port = json_find(net, "port");
	const char *cells[] = { json_find(doc, "name"),
				zone != NULL ? zone : columns_label(doc, "kuma.io/zone"),
				host != NULL ? zl_arena_format(ctl->arena, "%s:%s", host,
							       port != NULL ? port : "?")
					     : NULL,
				json_find(doc, "revision") };
	table_row(table, cells);
}

static void row_mesh(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *routing = tree_get(columns_spec(doc), "routing");
	const char *unresolved = json_find(routing, "unresolvedBackends");
	const char *mtls =
		json_find(tree_get(columns_spec(doc), "mtls"), "enabledBackend");
	const char *cells[] = { json_find(doc, "name"), mtls != NULL ? mtls : "off",
				unresolved != NULL ? unresolved : "Blackhole",
				json_true(routing, "zoneEgress") ? "on" : "off",
				json_find(doc, "revision") };
	(void)ctl;
	table_row(table, cells);
}

static void row_zone(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *enabled = tree_get(columns_spec(doc), "enabled");
	const char *cells[] = { json_find(doc, "name"),
				enabled != NULL && enabled->type == TREE_BOOL &&
						!enabled->boolean
					? "false"
					: "true",
				json_find(doc, "revision") };
	(void)ctl;
	table_row(table, cells);
}

static void row_secret(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *status = tree_get(doc, "status");
	const char *version = json_find(doc, "version");
	const char *cells[] = { json_find(doc, "name"),
				version != NULL
					? zl_arena_format(ctl->arena, "%.8s", version)
					: NULL,
				json_find(status, "bytes"), json_find(status, "usedBy"),
				json_find(doc, "revision") };
	table_row(table, cells);
}

/* ---- other routes and gateways ---- */

/* "backend{version=v1}": a selector of tags, whose service comes first. */
static void add_selector(struct zl_buf *out, const struct tree *tags)
{
	size_t count = tags != NULL && tags->type == TREE_MAP ? tags->count : 0;
	size_t shown = 0;

	columns_add(out, json_find(tags, "kuma.io/service"));
	for (size_t i = 0; i < count; i++)
		if (strcmp(tags->members[i].key, "kuma.io/service") != 0)
			zl_buf_format(out, "%s%s=%s", shown++ == 0 ? "{" : ",",
				      tags->members[i].key,
				      tag_text(tags->members[i].value));
	if (shown > 0)
		zl_buf_char(out, '}');
}

void columns_selectors(struct zl_buf *out, const struct tree *list)
{
	for (size_t i = 0; i < list->count; i++)
		add_selector(out, tree_get(list->items[i], "match"));
}

static void row_http_route(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const struct tree *target = tree_get(spec, "targetRef");
	const struct tree *to = json_list(spec, "to");
	struct zl_buf services = { 0 };
	size_t rules = 0;

	for (size_t i = 0; i < to->count; i++) {
		columns_add(&services, columns_ref(tree_get(to->items[i], "targetRef")));
		rules += json_list(to->items[i], "rules")->count;
	}
	const char *cells[] = { json_find(doc, "name"),
				target != NULL ? columns_ref(target) : "Mesh",
				zl_buf_text(&services),
				zl_arena_format(ctl->arena, "%zu", rules),
				columns_label(doc, "kuma.io/origin"),
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision") };
	table_row(table, cells);
	zl_buf_free(&services);
}

/* The parts that are written; "off": instances of all zones alike. */
static const char *locality_text(const struct tree *locality)
{
	bool near = tree_get(locality, "localZone") != NULL;
	bool zones = tree_get(locality, "crossZone") != NULL;

	if (json_true(locality, "disabled"))
		return "off";
	if (near)
		return zones ? "localZone,crossZone" : "localZone";
	return zones ? "crossZone" : "-";
}

static void row_balancing(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const struct tree *target = tree_get(spec, "targetRef");
	const struct tree *to = json_list(spec, "to");
	struct zl_buf services = { 0 };
	struct zl_buf locality = { 0 };

	for (size_t i = 0; i < to->count; i++) {
		const struct tree *right = tree_get(to->items[i], "default");
		columns_add(&services, columns_ref(tree_get(to->items[i], "targetRef")));
		columns_add(&locality,
			    locality_text(tree_get(right, "localityAwareness")));
	}
	const char *cells[] = { json_find(doc, "name"),
				target != NULL ? columns_ref(target) : "Mesh",
				zl_buf_text(&services),
				zl_buf_text(&locality),
				columns_label(doc, "kuma.io/origin"),
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision") };
	table_row(table, cells);
	zl_buf_free(&services);
	zl_buf_free(&locality);
	(void)ctl;
}

static void row_traffic_route(struct ctl *ctl, struct table *table,
			      const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const struct tree *conf = tree_get(spec, "conf");
	const struct tree *split = json_list(conf, "split");
	struct zl_buf sources = { 0 };
	struct zl_buf destinations = { 0 };
	struct zl_buf backends = { 0 };

	columns_selectors(&sources, json_list(spec, "sources"));
	columns_selectors(&destinations, json_list(spec, "destinations"));
	if (tree_get(conf, "destination") != NULL) {
		add_selector(&backends, tree_get(conf, "destination"));
		zl_buf_str(&backends, "=1");
	}
	for (size_t i = 0; i < split->count; i++) {
		const char *weight = json_find(split->items[i], "weight");
		add_selector(&backends, tree_get(split->items[i], "destination"));
		zl_buf_format(&backends, "=%s", weight != NULL ? weight : "?");
	}
	const char *cells[] = { json_find(doc, "name"), zl_buf_text(&sources),
				zl_buf_text(&destinations), zl_buf_text(&backends),
				json_find(doc, "revision") };
	table_row(table, cells);
	zl_buf_free(&sources);
	zl_buf_free(&destinations);
	zl_buf_free(&backends);
	(void)ctl;
}

static void row_gateway(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const struct tree *list = json_list(tree_get(spec, "conf"), "listeners");
	struct zl_buf proxies = { 0 };
	struct zl_buf listeners = { 0 };

	columns_selectors(&proxies, json_list(spec, "selectors"));
	for (size_t i = 0; i < list->count; i++) {
		const char *port = json_find(list->items[i], "port");
		const char *hostname = json_find(list->items[i], "hostname");
		columns_add(&listeners, json_find(list->items[i], "protocol"));
		zl_buf_format(&listeners, ":%s", port != NULL ? port : "?");
		if (hostname != NULL)
			zl_buf_format(&listeners, "/%s", hostname);
	}
	const char *cells[] = { json_find(doc, "name"), zl_buf_text(&proxies),
				zl_buf_text(&listeners),
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision") };
	table_row(table, cells);
	zl_buf_free(&proxies);
	zl_buf_free(&listeners);
	(void)ctl;
}

/* ---- services ---- */

/* "5432/sql 80": each port with its name. */
static void add_ports(struct zl_buf *out, const struct tree *ports)
{
	for (size_t i = 0; i < ports->count; i++) {
		const char *name = json_find(ports->items[i], "name");
		columns_add(out, json_find(ports->items[i], "port"));
		if (name != NULL)
			zl_buf_format(out, "/%s", name);
	}
}

/* The first text at key of a list of objects in status; NULL: none. */
static const char *status_text(const struct tree *doc, const char *list, const char *key)
{
	const struct tree *items = json_list(tree_get(doc, "status"), list);

	return items->count > 0 ? json_find(items->items[0], key) : NULL;
}

static void row_service(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const char *state = json_find(spec, "state");
	struct zl_buf ports = { 0 };

	add_ports(&ports, json_list(spec, "ports"));
	const char *cells[] = { json_find(doc, "name"),
				zl_buf_text(&ports),
				state != NULL ? state : "Unavailable",
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision"),
				status_text(doc, "vips", "ip"),
				status_text(doc, "addresses", "hostname") };
	table_row(table, cells);
	zl_buf_free(&ports);
	(void)ctl;
}

static void row_multi_zone(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const struct tree *match = tree_get(
		tree_get(tree_get(spec, "selector"), "meshService"), "matchLabels");
	struct zl_buf ports = { 0 };
	struct zl_buf labels = { 0 };

	add_ports(&ports, json_list(spec, "ports"));
	for (size_t i = 0; match != NULL && match->type == TREE_MAP && i < match->count;
	     i++)
		zl_buf_format(&labels, "%s%s=%s", i > 0 ? "," : "", match->members[i].key,
			      tag_text(match->members[i].value));
	const char *cells[] = {
		json_find(doc, "name"),         zl_buf_text(&ports),
		zl_buf_text(&labels),           json_find(doc, "revision"),
		status_text(doc, "vips", "ip"), status_text(doc, "addresses", "hostname")
	};
	table_row(table, cells);
	zl_buf_free(&ports);
	zl_buf_free(&labels);
	(void)ctl;
}

static void row_mesh_external(struct ctl *ctl, struct table *table,
			      const struct tree *doc)
{
	const struct tree *spec = columns_spec(doc);
	const struct tree *list = json_list(spec, "endpoints");
	struct zl_buf endpoints = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		const char *port = json_find(list->items[i], "port");
		columns_add(&endpoints, json_find(list->items[i], "address"));
		zl_buf_format(&endpoints, ":%s", port != NULL ? port : "?");
	}
	const char *cells[] = { json_find(doc, "name"),
				json_find(tree_get(spec, "match"), "port"),
				zl_buf_text(&endpoints),
				json_true(tree_get(spec, "tls"), "enabled") ? "on"
									    : "off",
				columns_label(doc, "kuma.io/zone"),
				json_find(doc, "revision"),
				json_find(tree_get(tree_get(doc, "status"), "vip"), "ip"),
				status_text(doc, "addresses", "hostname") };
	table_row(table, cells);
	zl_buf_free(&endpoints);
	(void)ctl;
}

static void row_external(struct ctl *ctl, struct table *table, const struct tree *doc)
{
	const struct tree *net = tree_get(columns_spec(doc), "networking");
	const char *cells[] = { json_find(doc, "name"),
				json_find(tree_get(columns_spec(doc), "tags"),
					  "kuma.io/service"),
				json_find(net, "address"),
				json_true(tree_get(net, "tls"), "enabled") ? "on" : "off",
				json_find(doc, "revision") };
	table_row(table, cells);
	(void)ctl;
}

/* Policies that attach to what routes make, and their legacy forms. */
#define ATTACHED(sets)                                                                   \
	{                                                                                \
		{ "NAME", "TARGET", "TO", sets, "ORIGIN", "ZONE", "REV" }, row_attached, \
			0                                                                \
	}
#define LEGACY                                                                      \
	{                                                                           \
		{ "NAME", "SOURCES", "DESTINATIONS", "SETS", "REV" }, row_legacy, 0 \
	}

static const struct columns COLUMNS[KIND_END] = {
	[KIND_MESH] = { { "NAME", "MTLS", "UNRESOLVED", "EGRESS", "REV" }, row_mesh, 0 },
	[KIND_ZONE] = { { "NAME", "ENABLED", "REV" }, row_zone, 0 },
	[KIND_DATAPLANE] = { { "NAME", "SERVICES", "ADDRESS", "OUTBOUNDS", "ZONE",
			       "REV" },
			     row_dataplane,
			     0 },
	[KIND_ZONE_INGRESS] = { { "NAME", "ZONE", "ADVERTISED", "SERVICES", "REV" },
				row_ingress,
				0 },
	[KIND_ZONE_EGRESS] = { { "NAME", "ZONE", "ADDRESS", "REV" }, row_egress, 0 },
	[KIND_MESH_TCP_ROUTE] = { { "NAME", "TARGET", "TO", "BACKENDS", "ORIGIN", "ZONE",
				    "REV", "OBSERVED" },
				  row_route,
				  7 },
	[KIND_MESH_HTTP_ROUTE] = { { "NAME", "TARGET", "TO", "RULES", "ORIGIN", "ZONE",
				     "REV" },
				   row_http_route,
				   0 },
	[KIND_MESH_LOAD_BALANCING_STRATEGY] = { { "NAME", "TARGET", "TO", "LOCALITY",
						  "ORIGIN", "ZONE", "REV" },
						row_balancing,
						0 },
	[KIND_MESH_TIMEOUT] = ATTACHED("SETS"),
	[KIND_MESH_RETRY] = ATTACHED("SETS"),
	[KIND_MESH_HEALTH_CHECK] = ATTACHED("SETS"),
	[KIND_MESH_CIRCUIT_BREAKER] = ATTACHED("SETS"),
	[KIND_MESH_ACCESS_LOG] = ATTACHED("BACKENDS"),
	[KIND_MESH_TRAFFIC_PERMISSION] = ATTACHED("ACTION"),
	[KIND_TIMEOUT] = LEGACY,
	[KIND_RETRY] = LEGACY,
	[KIND_HEALTH_CHECK] = LEGACY,
	[KIND_CIRCUIT_BREAKER] = LEGACY,
	[KIND_TRAFFIC_LOG] = LEGACY,
	[KIND_TRAFFIC_PERMISSION] = LEGACY,
	[KIND_TRAFFIC_ROUTE] = { { "NAME", "SOURCES", "DESTINATIONS", "BACKENDS", "REV" },
				 row_traffic_route,
				 0 },
	[KIND_MESH_GATEWAY] = { { "NAME", "PROXIES", "LISTENERS", "ZONE", "REV" },
				row_gateway,
				0 },
	[KIND_SECRET] = { { "NAME", "VERSION", "BYTES", "USED BY", "REV" },
			  row_secret,
			  0 },
	[KIND_MESH_SERVICE] = { { "NAME", "PORTS", "STATE", "ZONE", "REV", "VIP",
				  "HOSTNAME" },
				row_service,
				5 },
	[KIND_MESH_MULTI_ZONE_SERVICE] = { { "NAME", "PORTS", "MATCH", "REV", "VIP",
					     "HOSTNAME" },
					   row_multi_zone,
					   4 },
	[KIND_MESH_EXTERNAL_SERVICE] = { { "NAME", "PORT", "ENDPOINTS", "TLS", "ZONE",
					   "REV", "VIP", "HOSTNAME" },
					 row_mesh_external,
					 6 },
	[KIND_EXTERNAL_SERVICE] = { { "NAME", "SERVICE", "ADDRESS", "TLS", "REV" },
				    row_external,
				    0 },
};

const struct columns *columns_of(enum kind kind)
{
	return &COLUMNS[kind];
}
