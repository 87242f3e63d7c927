/* A world of a few Dataplanes, ZoneIngresses, Zones and service objects that changes at
 * random, for tests of what follows it.
 */
#pragma once

#include "support/test.h"
#include "support/world.h"

#include "inventory/inventory.h"

static inline void add_dataplane(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const LABELS[] = {
		"", ", labels: {kuma.io/origin: zone, kuma.io/zone: east}",
		", labels: {kuma.io/origin: zone, kuma.io/zone: west}"
	};
	static const char *const STATES[] = { "Ready", "Ready", "NotReady", "Ignored" };
	static const char *const TAGS[] = { "", "", ", kuma.io/zone: mars, v: '1'",
					    ", app: a", ", app: b, v: '0'" };
	size_t inbounds = dice_below(dice, 4);

	zl_buf_format(yaml,
		      "---\n{type: Dataplane, mesh: %s, name: d%u%s, networking: "
		      "{address: 1.1.1.%u, inbound: [",
		      dice_chance(dice, 80) ? "default" : "m2",
		      (unsigned)dice_below(dice, 8), LABELS[dice_below(dice, 3)],
		      (unsigned)dice_below(dice, 3));
	for (size_t i = 0; i < inbounds; i++)
		zl_buf_format(yaml,
			      "%s{port: %u, state: %s, tags: {kuma.io/service: s%u, "
			      "kuma.io/protocol: %s%s}}",
			      i == 0 ? "" : ", ", (unsigned)(i + 1),
			      STATES[dice_below(dice, 4)], (unsigned)dice_below(dice, 4),
			      dice_chance(dice, 50) ? "http" : "tcp",
			      TAGS[dice_below(dice, ARRAY_LEN(TAGS))]);
	zl_buf_str(yaml, "]}}\n");
}

static inline void add_ingress(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const ZONES[] = { "west", "south", "east" };
	size_t records = dice_below(dice, 5);

	zl_buf_format(yaml,
		      "---\n{type: ZoneIngress, name: i%u, zone: %s, networking: "
		      "{address: 9.9.9.9, port: 1%s}, availableServices: [",
		      (unsigned)dice_below(dice, 4), ZONES[dice_below(dice, 3)],
		      dice_chance(dice, 80)
			      ? ", advertisedAddress: 2.2.2.2, advertisedPort: 3"
			      : "");
	for (size_t i = 0; i < records; i++)
		zl_buf_format(yaml,
			      "%s{mesh: default, instances: %u, tags: {kuma.io/service: "
			      "s%u, v: '%u'}}",
			      i == 0 ? "" : ", ", (unsigned)dice_below(dice, 3),
			      (unsigned)dice_below(dice, 6),
			      (unsigned)dice_below(dice, 2));
	zl_buf_str(yaml, "]}\n");
}

static const char *const LABELLED[] = {
	"",
	", labels: {app: a}",
	", labels: {app: b, kuma.io/origin: zone, kuma.io/zone: east}",
	", labels: {app: a, kuma.io/origin: zone, kuma.io/zone: west}",
	", labels: {team: t, kuma.io/origin: zone, kuma.io/zone: west}",
	", labels: {app: b, kuma.io/origin: zone, kuma.io/zone: south}",
	", labels: {app: a, kuma.io/zone: east, kuma.io/origin: global}",
};

static inline void add_service(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const SELECTORS[] = {
		"{}",
		"{dataplaneRef: {name: d1}}",
		"{dataplaneTags: {app: a}}",
		"{dataplaneTags: {v: '0'}}",
		"{dataplaneTags: {v: '1', kuma.io/service: s1}}",
		"{dataplaneTags: {kuma.io/service: s2}}",
		"{dataplaneTags: {kuma.io/protocol: http}}",
	};

	zl_buf_format(
		yaml,
		"---\n{type: MeshService, mesh: %s, name: s%u%s, spec: {state: %s, "
		"selector: %s, ports: [{port: %u, name: p}, {port: 9, targetPort: "
		"%u}]}}\n",
		dice_chance(dice, 80) ? "default" : "m2", (unsigned)dice_below(dice, 4),
		LABELLED[dice_below(dice, ARRAY_LEN(LABELLED))],
		dice_chance(dice, 50) ? "Available" : "Unavailable",
		SELECTORS[dice_below(dice, ARRAY_LEN(SELECTORS))],
		(unsigned)dice_below(dice, 3) + 1, (unsigned)dice_below(dice, 3) + 1);
}

static inline void add_object(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const TLS[] = { "", "", ", tls: {enabled: true}" };
	static const char *const TAGS[] = { "", "", ", kuma.io/zone: west" };
	uint64_t what = dice_below(dice, 6);
	unsigned number = (unsigned)dice_below(dice, 4);

	if (what < 3)
		add_service(dice, yaml);
	else if (what == 3)
		zl_buf_format(yaml,
			      "---\n{type: MeshMultiZoneService, name: m%u, spec: "
			      "{selector: {meshService: {matchLabels: {%s}}}, ports: "
			      "[{port: 1, name: p}, {port: 2}]}}\n",
			      number, dice_chance(dice, 50) ? "app: a" : "app: b");
	else if (what == 4)
		zl_buf_format(yaml,
			      "---\n{type: MeshExternalService, name: x%u%s, spec: "
			      "{match: {port: 1}}}\n",
			      number, LABELLED[dice_below(dice, ARRAY_LEN(LABELLED))]);
	else
		zl_buf_format(yaml,
			      "---\n{type: ExternalService, name: e%u, tags: "
			      "{kuma.io/service: s%u%s}, networking: {address: "
			      "'1.1.1.1:%u'%s}}\n",
			      number, (unsigned)dice_below(dice, 8),
			      TAGS[dice_below(dice, ARRAY_LEN(TAGS))], number + 1,
			      TLS[dice_below(dice, ARRAY_LEN(TLS))]);
}

static inline void remove_one(struct dice *dice, const struct set *set,
			      struct set_edit *edit)
{
	static const enum kind KINDS[] = { KIND_DATAPLANE,
					   KIND_DATAPLANE,
					   KIND_ZONE_INGRESS,
					   KIND_ZONE,
					   KIND_MESH_SERVICE,
					   KIND_MESH_SERVICE,
					   KIND_MESH_MULTI_ZONE_SERVICE,
					   KIND_MESH_EXTERNAL_SERVICE,
					   KIND_EXTERNAL_SERVICE };
	enum kind kind = KINDS[dice_below(dice, ARRAY_LEN(KINDS))];
	struct set_iter each = set_each(set, kind, NULL);
	const struct resource *res = NULL;

	if (set_count(set, kind) == 0)
		return;
	for (uint64_t skip = dice_below(dice, set_count(set, kind)) + 1; skip > 0; skip--)
		res = set_next(&each);
	if (res != NULL)
		(void)set_del(edit, &res->key);
}

static const char *const CONDITIONS[] = { "Online", "Stale", "Offline" };

static inline struct set *change(struct dice *dice, const struct set *set)
{
	struct zl_arena *arena = zl_arena_new();
	struct set_edit *edit = set_edit(set);
	struct zl_buf yaml = { 0 };

	for (uint64_t i = 1 + dice_below(dice, 3); i > 0; i--) {
		uint64_t what = dice_below(dice, 14);

		if (what < 5)
			add_dataplane(dice, &yaml);
		else if (what < 7)
			add_ingress(dice, &yaml);
		else if (what < 8)
			zl_buf_format(&yaml,
				      "---\n{type: Zone, name: %s, enabled: %s, status: "
				      "{condition: %s}}\n",
				      dice_chance(dice, 50) ? "west" : "south",
				      dice_chance(dice, 60) ? "true" : "false",
				      CONDITIONS[dice_below(dice, 3)]);
		else if (what < 11)
			add_object(dice, &yaml);
		else
			remove_one(dice, set, edit);
	}
	if (yaml.len > 0)
		world_read(arena, edit, zl_buf_text(&yaml), NULL);
	zl_buf_free(&yaml);
	zl_arena_free(&arena);
	return set_done(&edit);
}
