/* unit/policy/any_policy.h - random policies that attach to routes, and legacy ones, of
 * services s0 to s2, the MeshService o, the MeshHTTPRoutes h0 to h2 and Dataplanes with
 * the label app: a0 or a1. */
#pragma once

#include "support/test.h"
#include "support/world.h"

static inline const char *one_of(struct dice *dice, const char *const *texts,
				 size_t count)
{
	return texts[dice_below(dice, count)];
}

#define ONE_OF(dice, ...)                                  \
	one_of(dice, (const char *const[]){ __VA_ARGS__ }, \
	       ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))

static inline const char *any_labels(struct dice *dice)
{
	return ONE_OF(dice, "", "", "", "", "kuma.io/effect: shadow",
		      "kuma.io/origin: zone, kuma.io/zone: east",
		      "kuma.io/origin: zone, kuma.io/zone: west");
}

static inline const char *any_top(struct dice *dice)
{
	return ONE_OF(dice, "{kind: Mesh}", "{kind: Mesh, proxyTypes: [Sidecar]}",
		      "{kind: Dataplane, labels: {app: a0}}",
		      "{kind: MeshSubset, tags: {version: v1}}",
		      "{kind: MeshService, name: s0}",
		      "{kind: MeshServiceSubset, name: s0, tags: {version: v1}}");
}

static inline const char *any_conf(struct dice *dice, enum kind kind)
{
	switch (kind) {
	case KIND_MESH_TIMEOUT:
		return ONE_OF(dice, "connectionTimeout: 1s", "idleTimeout: 2s",
			      "idleTimeout: 3s, http: {requestTimeout: 1s}",
			      "http: {maxStreamDuration: 4s, streamIdleTimeout: 1s}");
	case KIND_MESH_RETRY:
		return ONE_OF(dice, "tcp: {maxConnectAttempt: 2}",
			      "tcp: {maxConnectAttempt: 3}, http: {numRetries: 1}",
			      "http: {backOff: {baseInterval: 1s}}",
			      "http: {backOff: {maxInterval: 1ms}}");
	case KIND_MESH_HEALTH_CHECK:
		return ONE_OF(dice, "tcp: {}", "tcp: {disabled: true}",
			      "interval: 1s, http: {path: /a}",
			      "healthyPanicThreshold: 10, tcp: {}");
	case KIND_MESH_CIRCUIT_BREAKER:
		return ONE_OF(dice, "connectionLimits: {maxConnections: 2}",
			      "connectionLimits: {maxRequests: 3}",
			      "outlierDetection: {disabled: true, detectors: "
			      "{totalFailures: {}}}",
			      "outlierDetection: {detectors: {gatewayFailures: "
			      "{consecutive: 2}}}");
	default:
		return ONE_OF(dice, "backends: []",
			      "backends: [{type: File, file: {path: /a}}]",
			      "backends: [{type: Tcp, tcp: {address: 'a:1'}}]");
	}
}

static inline const char *any_client(struct dice *dice)
{
	return ONE_OF(dice, "{kind: Mesh}", "{kind: MeshService, name: s0}",
		      "{kind: MeshSubset, tags: {version: v1}}");
}

/* Of MeshTrafficPermission. */
static inline void add_permission(struct dice *dice, struct zl_buf *out)
{
	zl_buf_format(out, "{type: MeshTrafficPermission, name: p%u, labels: {%s}, ",
		      (unsigned)dice_below(dice, 3), any_labels(dice));
	zl_buf_format(out, "spec: {targetRef: %s, ", any_top(dice));
	if (dice_chance(dice, 30))
		zl_buf_format(out,
			      "rules: [{default: {%s: [{spiffeID: {type: Exact, value: "
			      "'spiffe://default/%s'}}]}}]}}\n",
			      ONE_OF(dice, "allow", "deny", "allowWithShadowDeny"),
			      ONE_OF(dice, "s0", "s1"));
	else
		zl_buf_format(out, "from: [{targetRef: %s, default: {action: %s}}]}}\n",
			      any_client(dice),
			      ONE_OF(dice, "Allow", "Deny", "AllowWithShadowDeny"));
}

/* True if kind has from and rules. */
static inline bool any_enters(enum kind kind)
{
	return kind == KIND_MESH_TIMEOUT || kind == KIND_MESH_CIRCUIT_BREAKER ||
	       kind == KIND_MESH_ACCESS_LOG;
}

static inline void any_items(struct dice *dice, enum kind kind, struct zl_buf *out)
{
	bool routes = kind == KIND_MESH_TIMEOUT || kind == KIND_MESH_RETRY;

	if (any_enters(kind) && dice_chance(dice, 20)) {
		zl_buf_format(out, "rules: [{default: {%s}}]", any_conf(dice, kind));
		return;
	}
	if (any_enters(kind) && dice_chance(dice, 20))
		zl_buf_format(out, "from: [{targetRef: {kind: Mesh}, default: {%s}}], ",
			      any_conf(dice, kind));
	if (routes && dice_chance(dice, 20)) {
		zl_buf_format(out, "to: [{targetRef: {kind: MeshHTTPRoute, %s}, ",
			      ONE_OF(dice, "name: h0", "name: h1",
				     "labels: {kuma.io/display-name: h1}"));
		zl_buf_str(out, kind == KIND_MESH_RETRY
					? "default: {http: {numRetries: 7}}}]"
					: "default: {http: {requestTimeout: 7s}}}]");
		return;
	}
	zl_buf_format(out, "to: [{targetRef: {kind: %s}, default: {%s}}]",
		      ONE_OF(dice, "Mesh", "MeshService, name: s0",
			     "MeshService, name: s1", "MeshService, name: o",
			     "MeshService, name: o, sectionName: '80'",
			     "MeshService, labels: {app: s}"),
		      any_conf(dice, kind));
}

/* One of any kind of them, as a document. */
static inline void add_attached(struct dice *dice, struct zl_buf *out)
{
	enum kind kind = (enum kind)(KIND_MESH_TIMEOUT + dice_below(dice, 6));

	if (kind == KIND_MESH_TRAFFIC_PERMISSION) {
		add_permission(dice, out);
		return;
	}
	zl_buf_format(out,
		      "{type: %s, name: p%u, labels: {%s}, spec: ", kind_info(kind)->name,
		      (unsigned)dice_below(dice, 3), any_labels(dice));
	if (dice_chance(dice, 15)) {
		zl_buf_format(out,
			      "{targetRef: {kind: MeshGateway, name: g%u, tags: {%s}}, "
			      "to: [{targetRef: {kind: Mesh}, default: {%s}}]}}\n",
			      (unsigned)dice_below(dice, 2),
			      ONE_OF(dice, "", "port: p0", "port: p1"),
			      any_conf(dice, kind));
		return;
	}
	zl_buf_format(out, "{targetRef: %s, ", any_top(dice));
	any_items(dice, kind, out);
	zl_buf_str(out, "}}\n");
}

static inline const char *any_legacy_conf(struct dice *dice, enum kind kind)
{
	switch (kind) {
	case KIND_TIMEOUT:
		return ONE_OF(dice, "connectTimeout: 1s", "connectTimeout: 2s",
			      "tcp: {idleTimeout: 9s}");
	case KIND_RETRY:
		return ONE_OF(dice, "tcp: {maxConnectAttempts: 4}",
			      "http: {numRetries: 2}");
	case KIND_HEALTH_CHECK:
		return ONE_OF(dice,
			      "interval: 1s, timeout: 1s, unhealthyThreshold: 1, "
			      "healthyThreshold: 1",
			      "interval: 2s, timeout: 1s, unhealthyThreshold: 1, "
			      "healthyThreshold: 1, http: {path: /}");
	case KIND_CIRCUIT_BREAKER:
		return ONE_OF(dice, "thresholds: {maxConnections: 5}",
			      "detectors: {totalErrors: {}}");
	default:
		return ONE_OF(dice, "backend: f", "");
	}
}

/* One of any legacy kind, as a document. */
static inline void add_legacy(struct dice *dice, struct zl_buf *out)
{
	enum kind kind = (enum kind)(KIND_TIMEOUT + dice_below(dice, 6));
	const char *version = dice_chance(dice, 30) ? ", version: v1" : "";
	bool permits = kind == KIND_TRAFFIC_PERMISSION;

	zl_buf_format(out,
		      "{type: %s, name: l%u, labels: {%s}, sources: [{match: "
		      "{kuma.io/service: %s%s}}], "
		      "destinations: [{match: {kuma.io/service: %s%s}}]",
		      kind_info(kind)->name, (unsigned)dice_below(dice, 3),
		      dice_chance(dice, 15) ? "kuma.io/effect: shadow" : "",
		      ONE_OF(dice, "'*'", "s0", "s1"), version,
		      ONE_OF(dice, "'*'", "s0", "s1"), permits ? version : "");
	if (!permits)
		zl_buf_format(out, ", conf: {%s}", any_legacy_conf(dice, kind));
	zl_buf_str(out, "}\n");
}
