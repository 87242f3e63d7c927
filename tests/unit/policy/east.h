/* unit/policy/east.h - the small world of zone east that the tests of policy share. */
#pragma once

#include "support/world.h"

#include "policy/policy.h"

#include <string.h>

/* Zone east: client web, services backend (v0, v1), other, sleepy (not Ready); zone west
 * offers far. mTLS is on. */
static const char BASE[] =
	"{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: [\n"
	"  {name: ca, type: builtin}]}}\n"
	"---\n"
	"{type: Dataplane, name: web, labels: {app: web}, networking: {address: "
	"9.9.9.9,\n"
	"  inbound: [{port: 80, tags: {kuma.io/service: web}}],\n"
	"  outbound: [{port: 10001, tags: {kuma.io/service: backend}}]}}\n"
	"---\n"
	"{type: Dataplane, name: b0, networking: {address: 1.1.1.1, inbound: [{port: "
	"80,\n"
	"  tags: {kuma.io/service: backend, kuma.io/protocol: tcp, version: v0}}]}}\n"
	"---\n"
	"{type: Dataplane, name: b1, networking: {address: 1.1.1.2, inbound: [{port: "
	"80,\n"
	"  tags: {kuma.io/service: backend, kuma.io/protocol: tcp, version: v1}}]}}\n"
	"---\n"
	"{type: Dataplane, name: o, networking: {address: 1.1.1.3, inbound: [{port: 80,\n"
	"  tags: {kuma.io/service: other, kuma.io/protocol: http}},\n"
	"  {port: 81, tags: {kuma.io/service: sleepy}, state: NotReady}]}}\n"
	"---\n"
	"{type: ZoneIngress, name: w, zone: west, networking: {address: 10.0.0.1, port: "
	"1,\n"
	"  advertisedAddress: 2.2.2.2, advertisedPort: 10001}, availableServices: [\n"
	"  {instances: 3, tags: {kuma.io/service: far, kuma.io/protocol: tcp}},\n"
	"  {instances: 0, tags: {kuma.io/service: napping}}]}\n";

/* A route named NAME with LABELS and TOP whose only entry is about SERVICE. */
#define ROUTE_OF(name, labels, top, service, rules)                                \
	"---\n{type: MeshTCPRoute, name: " name ", labels: {" labels               \
	"}, spec: {targetRef: " top                                                \
	", to: [{targetRef: {kind: MeshService, name: " service "}, rules: " rules \
	"}]}}\n"
#define LIST(refs) "[{default: {backendRefs: [" refs "]}}]"
#define MESH "{kind: Mesh}"
#define WEB "{kind: Dataplane, labels: {app: web}}"
#define ROUTE(refs) ROUTE_OF("r", "", MESH, "backend", LIST(refs))
#define MS(name, weight) "{kind: MeshService, name: " name ", weight: " weight "}"
#define SUB(v, weight)                                                \
	"{kind: MeshServiceSubset, name: backend, tags: {version: " v \
	"}, weight: " weight "}"
#define IN_EAST "kuma.io/origin: zone, kuma.io/zone: east"

struct tools {
	struct world world;
	struct policy_index *index;
	struct inventory *inventory;
};

static inline struct tools tools_of(const char *first, const char *second,
				    struct dice *dice)
{
	struct tools tools = { .world = world_of(first, second, dice) };

	tools.index = policy_index_new(tools.world.set, "east");
	tools.inventory = inventory_build(tools.world.set, "east");
	return tools;
}

/* routes without the warnings that nobody may enter, which are of all of them. */
static inline const struct routes *without_entries(const struct routes *routes,
						   struct zl_arena *arena)
{
	struct routes *copy = zl_arena_memdup(arena, routes, sizeof(*routes));
	const char **warnings =
		zl_arena_alloc(arena, routes->warning_count, sizeof(*warnings));

	copy->warning_count = 0;
	for (size_t i = 0; i < routes->warning_count; i++)
		if (strstr(routes->warnings[i], ": nobody is let in: ") == NULL)
			warnings[copy->warning_count++] = routes->warnings[i];
	copy->warnings = warnings;
	return copy;
}

static inline const struct routes *resolve_all(const struct tools *tools,
					       const char *name)
{
	return policy_resolve(tools->index, tools->inventory,
			      world_get(&tools->world, KIND_DATAPLANE, name), NULL,
			      tools->world.arena);
}

static inline const struct routes *resolve(const struct tools *tools, const char *name)
{
	return without_entries(resolve_all(tools, name), tools->world.arena);
}

/* JSON without the space between things; the caller frees it. */
static inline char *dense(const char *json)
{
	struct zl_buf out = { 0 };
	bool quoted = false;

	for (; *json != '\0'; json++) {
		if (*json == '\\')
			zl_buf_char(&out, *json++);
		else if (*json == '"')
			quoted = !quoted;
		if (quoted || strchr(" \n", *json) == NULL)
			zl_buf_char(&out, *json);
	}
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static inline void tools_end(struct tools *tools)
{
	policy_index_drop(&tools->index);
	inventory_drop(&tools->inventory);
	world_end(&tools->world);
}
