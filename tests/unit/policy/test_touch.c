#include "support/test.h"
#include "support/world.h"
#include "unit/policy/any_policy.h"

#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

/* A proxy that no change touches, and whose routes endure it, has the same routes as
 * before; and an index that followed says what a new one says. Random worlds of all
 * kinds, one change after the other. */

enum { STEPS = 16, PROXIES = 5 };

static const char *service(struct dice *dice)
{
	return ONE_OF(dice, "s0", "s1", "s2");
}

static void add_tags(struct dice *dice, struct zl_buf *out, bool any)
{
	zl_buf_format(out, "{kuma.io/service: %s",
		      any && dice_chance(dice, 40) ? "'*'" : service(dice));
	if (dice_chance(dice, 30))
		zl_buf_str(out, ", version: v1");
	zl_buf_char(out, '}');
}

/* Of a port that each of them has for itself. */
static void add_outbounds(struct dice *dice, struct zl_buf *out)
{
	size_t count = 1 + dice_below(dice, 2);

	zl_buf_str(out, ", outbound: [");
	for (size_t i = 0; i < count; i++) {
		zl_buf_format(out, "{port: %zu, ", 10 + i);
		if (dice_chance(dice, 20)) {
			zl_buf_str(out, "backendRef: {kind: MeshService, name: o, port: "
					"80}}, ");
			continue;
		}
		zl_buf_str(out, "tags: ");
		add_tags(dice, out, false);
		zl_buf_str(out, "}, ");
	}
	zl_buf_char(out, ']');
}

static void add_dataplane(struct dice *dice, struct zl_buf *out)
{
	uint64_t number = dice_below(dice, PROXIES);
	const char *protocol = ONE_OF(dice, "http", "http", "tcp");

	zl_buf_format(out,
		      "{type: Dataplane, name: d%u, labels: {app: a%u}, networking: "
		      "{address: 1.1.1.%u",
		      (unsigned)number, (unsigned)dice_below(dice, 2), (unsigned)number);
	if (number < 3) {
		zl_buf_format(out,
			      ", inbound: [{port: 1, tags: {kuma.io/service: %s, "
			      "kuma.io/protocol: %s}}]",
			      service(dice), protocol);
		add_outbounds(dice, out);
	} else if (number == 3) {
		zl_buf_str(out, ", gateway: {type: BUILTIN, tags: ");
		add_tags(dice, out, false);
		zl_buf_char(out, '}');
	} else {
		add_outbounds(dice, out);
	}
	zl_buf_str(out, "}}\n");
}

static void add_refs(struct dice *dice, struct zl_buf *out)
{
	zl_buf_format(out, "backendRefs: [{kind: MeshService, name: %s, weight: %u}, ",
		      service(dice), (unsigned)dice_below(dice, 3));
	if (dice_chance(dice, 20))
		zl_buf_str(out, "{kind: MeshService, name: o, port: 80}, ");
	if (dice_chance(dice, 20))
		zl_buf_str(out, "{kind: MeshService, name: gone}, ");
	zl_buf_char(out, ']');
}

static const char *top(struct dice *dice)
{
	return ONE_OF(dice, "{kind: Mesh}", "{kind: Dataplane, labels: {app: a0}}",
		      "{kind: MeshSubset, tags: {kuma.io/service: s0}}");
}

static const char *labels(struct dice *dice)
{
	return ONE_OF(dice, "", "", "kuma.io/effect: shadow",
		      "kuma.io/origin: zone, kuma.io/zone: east",
		      "kuma.io/origin: zone, kuma.io/zone: west");
}

static void add_tcp_route(struct dice *dice, struct zl_buf *out)
{
	bool gateway = dice_chance(dice, 40);
	const char *tags = ONE_OF(dice, "", "port: p0", "port: '*'");

	zl_buf_format(out, "{type: MeshTCPRoute, name: t%u, labels: {%s}, spec: ",
		      (unsigned)dice_below(dice, 3), labels(dice));
	if (gateway)
		zl_buf_format(out,
			      "{targetRef: {kind: MeshGateway, name: g%u, tags: {%s}}, "
			      "to: [{targetRef: {kind: Mesh}",
			      (unsigned)dice_below(dice, 2), tags);
	else
		zl_buf_format(out,
			      "{targetRef: %s, to: [{targetRef: {kind: MeshService, "
			      "name: %s}",
			      top(dice), ONE_OF(dice, "s0", "s1", "s2", "o"));
	if (dice_chance(dice, 20)) {
		zl_buf_str(out, ", rules: []}]}}\n");
		return;
	}
	zl_buf_str(out, ", rules: [{default: {");
	add_refs(dice, out);
	zl_buf_str(out, "}}]}]}}\n");
}

static void add_http_route(struct dice *dice, struct zl_buf *out)
{
	zl_buf_format(out,
		      "{type: MeshHTTPRoute, name: h%u, labels: {%s}, spec: {targetRef: "
		      "%s, to: [{targetRef: {kind: MeshService, name: %s}, rules: [",
		      (unsigned)dice_below(dice, 3), labels(dice), top(dice),
		      ONE_OF(dice, "s0", "s1", "s2", "o"));
	for (uint64_t i = dice_below(dice, 3); i > 0; i--) {
		zl_buf_format(out, "{matches: [%s], default: {",
			      ONE_OF(dice, "{}", "{method: GET}",
				     "{path: {type: Exact, value: /a}}"));
		if (dice_chance(dice, 70))
			add_refs(dice, out);
		zl_buf_str(out, "}}, ");
	}
	zl_buf_str(out, "]}]}}\n");
}

static void add_traffic_route(struct dice *dice, struct zl_buf *out)
{
	zl_buf_format(out, "{type: TrafficRoute, name: tr%u, sources: [{match: ",
		      (unsigned)dice_below(dice, 3));
	add_tags(dice, out, true);
	zl_buf_format(out,
		      "}], destinations: [{match: {kuma.io/service: %s}}], conf: "
		      "{destination: ",
		      ONE_OF(dice, "s0", "s1", "'*'"));
	add_tags(dice, out, true);
	zl_buf_str(out, "}}\n");
}

static void add_balancing(struct dice *dice, struct zl_buf *out)
{
	zl_buf_format(out,
		      "{type: MeshLoadBalancingStrategy, name: b%u, labels: {%s}, spec: "
		      "{targetRef: %s, to: [{targetRef: {kind: %s}, default: "
		      "{localityAwareness: {%s}}}]}}\n",
		      (unsigned)dice_below(dice, 3), labels(dice), top(dice),
		      ONE_OF(dice, "Mesh", "MeshService, name: s0",
			     "MeshService, name: s1", "MeshService, name: o"),
		      ONE_OF(dice, "disabled: true",
			     "localZone: {affinityTags: [{key: version}]}",
			     "crossZone: {failover: [{to: {type: Any}}]}"));
}

static void add_gateway(struct dice *dice, struct zl_buf *out)
{
	zl_buf_format(out,
		      "{type: MeshGateway, name: g%u, labels: {%s}, selectors: [{match: ",
		      (unsigned)dice_below(dice, 2), labels(dice));
	add_tags(dice, out, true);
	zl_buf_format(out,
		      "}], conf: {listeners: [{port: 80, protocol: %s, tags: {port: "
		      "p%u}}]}}\n",
		      ONE_OF(dice, "TCP", "TCP", "HTTP"), (unsigned)dice_below(dice, 2));
}

static void add_other(struct dice *dice, struct zl_buf *out)
{
	switch (dice_below(dice, 4)) {
	case 0:
		zl_buf_format(out,
			      "{type: MeshService, name: o, labels: {kuma.io/origin: "
			      "zone, kuma.io/zone: east, app: %s}, spec: {selector: "
			      "{dataplaneTags: {kuma.io/service: %s}}, ports: [{port: "
			      "80, targetPort: 1, appProtocol: %s}]}}\n",
			      ONE_OF(dice, "s", "t"), service(dice),
			      ONE_OF(dice, "http", "tcp"));
		return;
	case 1:
		zl_buf_format(out, "{type: Zone, name: west, enabled: %s}\n",
			      ONE_OF(dice, "true", "false"));
		return;
	case 2:
		zl_buf_format(out,
			      "{type: Mesh, name: default, routing: "
			      "{unresolvedBackends: %s}, logging: {backends: [{name: f, "
			      "type: file, conf: {path: /f}}]}, mtls: {enabledBackend: "
			      "ca, backends: [{name: ca, type: builtin}]%s}}\n",
			      ONE_OF(dice, "Blackhole", "Renormalise"),
			      ONE_OF(dice, "", ", defaultPermission: Allow"));
		return;
	default:
		zl_buf_format(out,
			      "{type: MeshHTTPRoute, mesh: m2, name: h, spec: {to: "
			      "[{targetRef: {kind: MeshService, name: %s}, rules: "
			      "[]}]}}\n",
			      service(dice));
	}
}

static void add_any(struct dice *dice, struct zl_buf *out)
{
	static void (*const ADD[])(struct dice * dice, struct zl_buf * out) = {
		add_dataplane,  add_dataplane,     add_tcp_route, add_tcp_route,
		add_http_route, add_traffic_route, add_gateway,   add_other,
		add_balancing,  add_attached,      add_attached,  add_attached,
		add_legacy,     add_legacy,
	};

	zl_buf_str(out, "---\n");
	ADD[dice_below(dice, ARRAY_LEN(ADD))](dice, out);
}

static void remove_any(struct dice *dice, const struct set *set, struct set_edit *edit)
{
	static const enum kind KINDS[] = { KIND_DATAPLANE,
					   KIND_MESH_TCP_ROUTE,
					   KIND_MESH_HTTP_ROUTE,
					   KIND_TRAFFIC_ROUTE,
					   KIND_MESH_GATEWAY,
					   KIND_MESH_SERVICE,
					   KIND_MESH_LOAD_BALANCING_STRATEGY,
					   KIND_MESH_TIMEOUT,
					   KIND_MESH_RETRY,
					   KIND_MESH_HEALTH_CHECK,
					   KIND_MESH_CIRCUIT_BREAKER,
					   KIND_MESH_ACCESS_LOG,
					   KIND_MESH_TRAFFIC_PERMISSION,
					   KIND_TRAFFIC_PERMISSION,
					   KIND_TRAFFIC_LOG,
					   KIND_TIMEOUT };
	enum kind kind = KINDS[dice_below(dice, ARRAY_LEN(KINDS))];
	struct set_iter each = set_each(set, kind, NULL);
	const struct resource *res = set_next(&each);

	if (res != NULL)
		(void)set_del(edit, &res->key);
}

static struct set *change(struct dice *dice, const struct set *set)
{
	struct zl_arena *arena = zl_arena_new();
	struct set_edit *edit = set_edit(set);
	struct zl_buf yaml = { 0 };

	if (dice_chance(dice, 25)) {
		remove_any(dice, set, edit);
	} else {
		add_any(dice, &yaml);
		world_read(arena, edit, zl_buf_text(&yaml), NULL);
	}
	zl_buf_free(&yaml);
	zl_arena_free(&arena);
	return set_done(&edit);
}

/* ---- what a zone knows at one moment ---- */

struct moment {
	struct set *set;
	struct policy_index *index;
	struct inventory *inventory;
};

static struct moment moment_of(struct set *set, const struct moment *before)
{
	struct moment now = { .set = set };

	now.index = before != NULL ? policy_index_update(before->index, set)
				   : policy_index_new(set, "east");
	now.inventory = before != NULL ? inventory_update(before->inventory, set)
				       : inventory_build(set, "east");
	return now;
}

static void moment_end(struct moment *at)
{
	policy_index_drop(&at->index);
	inventory_drop(&at->inventory);
	set_drop(&at->set);
}

/* The routes of a proxy as JSON, and what they lead to unless leads is NULL. */
static char *routes_of(const struct moment *at, const struct resource *proxy,
		       struct zl_buf *leads)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf out = { 0 };
	const struct routes *routes =
		policy_resolve(at->index, at->inventory, proxy, NULL, arena);
	const struct policy_answer answer = {
		.zone = "east", .mesh = "default", .routes = &routes, .route_count = 1
	};

	policy_json(&answer, &out);
	if (leads != NULL)
		policy_services(routes, leads);
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	zl_arena_free(&arena);
	return text;
}

/* ---- what a zone does with a change ---- */

struct touching {
	const struct resource *proxy;
	bool touched;
};

static void on_policy(void *ctx, const struct resource *old, const struct resource *now)
{
	struct touching *at = ctx;

	at->touched = at->touched ||
		      (old != NULL && policy_touches(old, at->proxy, "east")) ||
		      (now != NULL && policy_touches(now, at->proxy, "east"));
}

static bool is_touched(const struct moment *before, const struct moment *after,
		       const struct resource *proxy)
{
	struct touching at = { proxy, false };

	if (!set_same_kind(before->set, after->set, KIND_MESH) ||
	    !set_same_kind(before->set, after->set, KIND_ZONE))
		return true;
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		set_diff(before->set, after->set, kind, on_policy, &at);
	return at.touched;
}

static const char *check_proxy(const struct moment *before, const struct moment *after,
			       const struct resource *proxy, size_t *spared)
{
	struct zl_buf leads = { 0 };
	char *old = routes_of(before, proxy, &leads);
	char *now = routes_of(after, proxy, NULL);
	struct moment anew = moment_of(set_hold(after->set), NULL);
	char *fresh = routes_of(&anew, proxy, NULL);
	const char *wrong = NULL;
	bool touched =
		is_touched(before, after, proxy) ||
		!policy_endures(&leads, "default", before->inventory, after->inventory);

	*spared += !touched;
	if (strcmp(now, fresh) != 0)
		wrong = "an index that followed says something else";
	else if (!touched && strcmp(old, now) != 0)
		wrong = "a change goes by a proxy";
	free(old);
	free(now);
	free(fresh);
	zl_buf_free(&leads);
	moment_end(&anew);
	return wrong;
}

static const char *follow(uint64_t seed)
{
	struct dice dice = { seed };
	struct moment at = moment_of(set_empty(), NULL);
	const char *wrong = NULL;
	size_t spared = 0;

	for (unsigned step = 0; wrong == NULL && step < 8 * STEPS; step++) {
		struct moment next = moment_of(change(&dice, at.set), &at);
		struct set_iter each = set_each(at.set, KIND_DATAPLANE, "default");
		const struct resource *proxy;

		while (wrong == NULL && step >= 4 * STEPS &&
		       (proxy = set_next(&each)) != NULL)
			wrong = check_proxy(&at, &next, proxy, &spared);
		moment_end(&at);
		at = next;
	}
	moment_end(&at);
	if (wrong == NULL && spared == 0)
		wrong = "every change touches every proxy";
	return wrong;
}

static void what_no_change_touches_stays(void **state)
{
	(void)state;
	seeds_run(60, follow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_change_touches_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
