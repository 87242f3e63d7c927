#include "policy/select.h"

#include "policy/refs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct selection {
	const struct resource *route, *proxy;
	const char *zone;
	const struct inbound
		*inbound;          /* this one alone; NULL: any, or the proxy itself */
	const struct labels *tags; /* of one listener of a builtin gateway; NULL: none is
				    * asked about */
	struct zl_arena *arena;    /* NULL: nobody asks why */
	const char *reason;
};

/* Give the verdict with its reason. */
static bool because(struct selection *at, bool verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool because(struct selection *at, bool verdict, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (at->arena == NULL)
		return verdict;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	at->reason = zl_arena_strdup(at->arena, text);
	return verdict;
}

/* As labels_match with stars, where have also holds the zone. */
bool select_tags(struct labels want, struct labels have, const char *zone)
{
	for (size_t i = 0; i < want.count; i++) {
		const char *key = want.items[i].key;
		const char *value =
			strcmp(key, TAG_ZONE) == 0 ? zone : labels_get(have, key);

		if (value == NULL || (strcmp(want.items[i].value, "*") != 0 &&
				      strcmp(want.items[i].value, value) != 0))
			return false;
	}
	return true;
}

/* True if a tag set of the proxy has all of want and, unless NULL, that service. A proxy
 * without inbounds is known by its gateway's tags, else by its labels (D14). */
static bool any_tags(struct selection *at, struct labels want, const char *service)
{
	const struct dataplane_spec *spec = at->proxy->dataplane;
	const struct label named = { TAG_SERVICE, service };
	const struct labels name = { &named, service == NULL ? 0 : 1 };
	bool inbounds = false;

	for (size_t i = 0; i < spec->inbound_count; i++) {
		const struct inbound *in = &spec->inbounds[i];

		if (in->state == INBOUND_IGNORED ||
		    (at->inbound != NULL && at->inbound != in))
			continue;
		inbounds = true;
		if (select_tags(want, in->tags, at->zone) &&
		    select_tags(name, in->tags, at->zone))
			return because(at, true, "inbound %u has these tags", in->port);
	}
	if (inbounds)
		return because(at, false, "no inbound of the proxy has these tags");

	bool gateway = spec->gateway != GATEWAY_NONE;
	struct labels have = at->tags != NULL ? *at->tags
			     : gateway        ? spec->gateway_tags
					      : at->proxy->labels;
	bool found =
		select_tags(want, have, at->zone) && select_tags(name, have, at->zone);
	return because(at, found, "the %s%s match",
		       at->tags != NULL ? "tags of the listener"
		       : gateway        ? "gateway tags of the proxy"
					: "labels of the proxy",
		       found ? "" : " do not");
}

/* A label of the proxy, also one that nobody wrote because it is part of the identity. */
static const char *proxy_label(const struct selection *at, const char *key)
{
	const char *value = labels_get(at->proxy->labels, key);

	if (strcmp(key, LABEL_DISPLAY_NAME) == 0)
		return at->proxy->key.name;
	if (strcmp(key, LABEL_ZONE) == 0)
		return at->zone;
	if (strcmp(key, LABEL_MESH) == 0)
		return at->proxy->key.mesh;
	return value;
}

static bool select_labels(struct selection *at, struct labels want)
{
	for (size_t i = 0; i < want.count; i++) {
		const char *key = want.items[i].key;
		const char *value = proxy_label(at, key);

		if (value == NULL)
			return because(at, false, "the proxy has no label %s", key);
		if (strcmp(value, want.items[i].value) != 0)
			return because(at, false, "the proxy has %s: %s", key, value);
	}
	return because(at, true, "the proxy has these labels");
}

/* By name; the namespace is the ref's, else the policy's unless it stands above all. */
static bool select_name(struct selection *at, const struct target_ref *ref)
{
	const char *role = labels_get(at->route->labels, LABEL_ROLE);
	bool system = role == NULL || strcmp(role, "system") == 0;
	const char *ns = ref->ns;

	if (ns[0] == '\0' && !system)
		ns = at->route->key.ns;
	if (ref->name[0] != '\0' && strcmp(ref->name, at->proxy->key.name) != 0)
		return because(at, false, "the proxy has another name");
	if (ns[0] != '\0' && strcmp(ns, at->proxy->key.ns) != 0)
		return because(at, false, "the proxy is not in namespace \"%s\"", ns);
	return because(at, true, "that is the proxy");
}

/* True if inbound goes by this name: its own, or its port where it has none. */
static bool is_called(const struct inbound *inbound, const char *section)
{
	char port[16];

	if (inbound->name[0] != '\0')
		return strcmp(inbound->name, section) == 0;
	(void)snprintf(port, sizeof(port), "%u", inbound->port);
	return strcmp(port, section) == 0;
}

/* True if one of the inbounds that are asked about goes by this name. */
static bool has_section(const struct selection *at, const char *section)
{
	const struct dataplane_spec *spec = at->proxy->dataplane;

	for (size_t i = 0; i < spec->inbound_count; i++) {
		const struct inbound *in = &spec->inbounds[i];

		if (in->state != INBOUND_IGNORED &&
		    (at->inbound == NULL || at->inbound == in) && is_called(in, section))
			return true;
	}
	return false;
}

static bool select_dataplane(struct selection *at)
{
	const struct target_ref *ref = route_top(at->route);

	if (at->proxy->dataplane->gateway == GATEWAY_BUILTIN)
		return because(at, false, "the proxy is a builtin gateway");
	if (ref->section[0] != '\0' && !has_section(at, ref->section))
		return because(at, false, "no inbound of the proxy is called \"%s\"",
			       ref->section);
	if (ref->labels.count > 0)
		return select_labels(at, ref->labels);
	if (ref->name[0] != '\0' || ref->ns[0] != '\0')
		return select_name(at, ref);
	return because(at, true, "without labels it selects every proxy");
}

/* proxyTypes of Mesh and MeshSubset; a client without inbounds is a sidecar (D39). */
static bool right_type(struct selection *at)
{
	const struct target_ref *ref = route_top(at->route);
	bool gateway = at->proxy->dataplane->gateway != GATEWAY_NONE;

	if (gateway ? ref->gateway : ref->sidecar)
		return true;
	return because(at, false, "the proxy is a %s, which its proxyTypes leave out",
		       gateway ? "gateway" : "sidecar");
}

static bool is_builtin(const struct resource *proxy)
{
	return proxy->dataplane->gateway == GATEWAY_BUILTIN;
}

/* On a builtin gateway only routes about its listeners have a say (D9). */
static bool by_kind(struct selection *at)
{
	const struct target_ref *ref = route_top(at->route);

	if (is_builtin(at->proxy) && ref->kind != REF_MESH_GATEWAY &&
	    route_is_route(at->route))
		return because(at, false,
			       "listeners of a builtin gateway take those of kind "
			       "MeshGateway only");
	if (!is_builtin(at->proxy) && ref->kind == REF_MESH_GATEWAY)
		return because(at, false, "the proxy is no builtin gateway");
	switch (ref->kind) {
	case REF_MESH:
		if (!right_type(at))
			return false;
		return because(at, true, "it selects every proxy");
	case REF_MESH_GATEWAY:
		return because(at, true, "the proxy is a builtin gateway");
	case REF_DATAPLANE:
		return select_dataplane(at);
	case REF_MESH_SUBSET:
		return right_type(at) && any_tags(at, ref->tags, NULL);
	default:
		if (ref_is_by_name(ref))
			return any_tags(at, ref->tags, ref->name);
		return because(at, false, "there is no such object");
	}
}

/* "MeshServiceSubset web {version: v1}" before what because said. */
static void name_target(struct selection *at)
{
	const struct target_ref *ref = route_top(at->route);
	struct labels named = ref->tags.count > 0 ? ref->tags : ref->labels;

	if (at->arena == NULL)
		return;
	at->reason = zl_arena_format(
		at->arena, "targetRef %s%s%s%s%s: %s", ref_kind_name(ref->kind),
		ref->name[0] != '\0' ? " " : "", ref->name, named.count > 0 ? " " : "",
		named.count > 0 ? labels_text(named, at->arena) : "", at->reason);
}

/* Policies of a zone are for its own proxies, unless they go with a service. */
static bool zone_passes(struct selection *at, const char *role)
{
	const struct resource *route = at->route;

	if (route->origin != ORIGIN_ZONE || route->key.zone[0] == '\0' ||
	    strcmp(route->key.zone, at->zone) == 0 || strcmp(role, "producer") == 0)
		return true;
	return because(at, false, "it was written in zone \"%s\", for its proxies",
		       route->key.zone);
}

static bool namespace_passes(struct selection *at, const char *role)
{
	const struct resource *route = at->route;

	if (strcmp(role, "consumer") != 0 && strcmp(role, "workload-owner") != 0)
		return true;
	if (route->key.ns[0] != '\0' && strcmp(route->key.ns, at->proxy->key.ns) == 0)
		return true;
	return because(at, false, "it is a %s policy for proxies of namespace \"%s\"",
		       role, route->key.ns);
}

bool select_is_shadow(const struct resource *route)
{
	const char *effect = labels_get(route->labels, LABEL_EFFECT);

	return effect != NULL && strcmp(effect, "shadow") == 0;
}

static const char *role_of(const struct resource *route)
{
	const char *role = labels_get(route->labels, LABEL_ROLE);

	return role != NULL ? role : "system";
}

bool select_mesh(const struct resource *route, const char *zone)
{
	struct selection at = { .route = route, .zone = zone };
	const char *role = role_of(route);

	return route_top(route)->kind == REF_MESH && !select_is_shadow(route) &&
	       zone_passes(&at, role) && strcmp(role, "consumer") != 0 &&
	       strcmp(role, "workload-owner") != 0;
}

/* A producer's policy goes with its service to whoever asks for it, but what it says of
 * inbounds is for those of its own zone and namespace. */
static const char *role_here(const struct selection *at)
{
	const char *role = role_of(at->route);

	return at->inbound != NULL && strcmp(role, "producer") == 0 ? "workload-owner"
								    : role;
}

static bool is_selected(struct selection *at)
{
	const char *role = role_here(at);
	bool selected = false;

	if (select_is_shadow(at->route)) {
		(void)because(at, false, "it is a shadow policy");
	} else if (zone_passes(at, role) && namespace_passes(at, role)) {
		selected = by_kind(at);
		name_target(at);
	}
	return selected;
}

bool select_proxy(const struct resource *route, const struct resource *proxy,
		  const char *zone, struct zl_arena *arena, const char **reason)
{
	struct selection at = {
		.route = route, .proxy = proxy, .zone = zone, .arena = arena, .reason = ""
	};
	bool selected = is_selected(&at);

	if (reason != NULL)
		*reason = at.reason;
	return selected;
}

bool select_inbound(const struct resource *route, const struct resource *proxy,
		    const char *zone, const struct inbound *inbound)
{
	struct selection at = {
		.route = route, .proxy = proxy, .zone = zone, .inbound = inbound
	};

	return is_selected(&at);
}

bool select_listener(const struct resource *policy, const struct resource *proxy,
		     const char *zone, struct labels tags, struct zl_arena *arena,
		     const char **reason)
{
	struct selection at = { .route = policy,
				.proxy = proxy,
				.zone = zone,
				.tags = &tags,
				.arena = arena,
				.reason = "" };
	bool selected = is_selected(&at);

	if (reason != NULL)
		*reason = at.reason;
	return selected;
}

bool select_by_tags(const struct resource *proxy, const char *zone, struct labels want,
		    struct zl_arena *arena, const char **reason)
{
	struct selection at = {
		.proxy = proxy, .zone = zone, .arena = arena, .reason = ""
	};
	bool selected = any_tags(&at, want, NULL);

	if (reason != NULL)
		*reason = at.reason;
	return selected;
}
