/* model/labels.h - sorted string maps: labels of resources, tags of inbounds.
 *
 * Threads:  pure.
 * Lifetime: in the arena of what they belong to.
 */
#pragma once

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

#define LABEL_MESH "kuma.io/mesh"
#define LABEL_DISPLAY_NAME "kuma.io/display-name"
#define LABEL_ORIGIN "kuma.io/origin"
#define LABEL_ZONE "kuma.io/zone"
#define LABEL_ENV "kuma.io/env"
#define LABEL_ROLE "kuma.io/policy-role"
#define LABEL_NAMESPACE "k8s.kuma.io/namespace"
#define LABEL_EFFECT "kuma.io/effect"
#define LABEL_KDS_SYNC "kuma.io/kds-sync"
#define TAG_SERVICE "kuma.io/service"
#define TAG_PROTOCOL "kuma.io/protocol"
#define TAG_ZONE "kuma.io/zone"

struct label {
	const char *key, *value;
};

struct labels {
	const struct label *items; /* sorted by key, keys differ */
	size_t count;
};

/* The value of key, or NULL. */
const char *labels_get(struct labels labels, const char *key);
/* True if each item of want is in have with an equal value; with star, a value "*" of
 * want matches any value that is there. */
bool labels_match(struct labels want, struct labels have, bool star);
int labels_compare(struct labels a, struct labels b);
/* A copy in arena with key set to value. */
struct labels labels_with(struct zl_arena *arena, struct labels labels, const char *key,
			  const char *value);
/* A copy in arena without key. */
struct labels labels_without(struct zl_arena *arena, struct labels labels,
			     const char *key);
