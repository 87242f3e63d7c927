#include "policy/balance.h"

#include "policy/find.h"
#include "policy/index.h"
#include "policy/refs.h"
#include "policy/select.h"

#include <string.h>

/* ---- which policies ---- */

/* One of the lists that may be about a target: of the mesh, of its name, by labels. */
static void add_list(struct entry_lists *to, const struct resolving *at, size_t list,
		     enum ref_kind kind, const char *name)
{
	to->each[list].items = index_balancing(
		at->index, (struct entry_name){ at->mesh_name, kind, name },
		&to->each[list].count);
}

static bool is_about(struct resolving *at, const struct entry *entry,
		     const struct backend *backend)
{
	const struct target_ref *target = route_to(entry->rank.route, entry->to);

	if (target->kind == REF_MESH)
		return true;
	if (backend->object == NULL)
		return ref_is_by_name(target);
	return find_is_about(at, entry->rank.route, target, backend->object,
			     backend->section, backend->port);
}

static bool is_selected(const struct resolving *at, const struct resource *policy)
{
	if (at->proxy->key.kind == KIND_DATAPLANE)
		return select_proxy(policy, at->proxy, at->zone, NULL, NULL);
	return select_mesh(policy, at->zone);
}

static void find_policies(struct resolving *at, const struct backend *backend,
			  struct balance *to)
{
	const struct resource *object = backend->object;
	const char *name = object != NULL ? object->key.name : backend->name;
	enum ref_kind kind = object != NULL ? backend->kind : REF_MESH_SERVICE;
	struct entry_lists lists = { 0 };
	struct contributor *policies;
	const struct entry *entry;
	size_t room = 0;

	add_list(&lists, at, 0, REF_MESH, "");
	add_list(&lists, at, 1, kind, name);
	if (object != NULL)
		add_list(&lists, at, 2, kind, "");
	for (size_t i = 0; i < ENTRY_LISTS_MAX; i++)
		room += lists.each[i].count;
	if (room == 0)
		return;
	policies = zl_arena_alloc(at->arena, room, sizeof(*policies));
	while ((entry = entries_next(&lists)) != NULL)
		if (is_about(at, entry, backend) && is_selected(at, entry->rank.route))
			policies[to->policy_count++] =
				(struct contributor){ entry->rank.route, entry->to };
	to->policies = policies;
}

/* ---- what they say together ---- */

static const struct locality *locality_of(const struct contributor *from)
{
	return &from->policy->balancing->to[from->to].locality;
}

/* As JSON documents merge: objects by their members, lists as a whole. */
static void merge(struct locality *to, const struct locality *more)
{
	if (more->has_disabled) {
		to->has_disabled = true;
		to->disabled = more->disabled;
	}
	to->has_local = to->has_local || more->has_local;
	if (more->has_tags) {
		to->has_tags = true;
		to->tags = more->tags;
		to->tag_count = more->tag_count;
	}
	to->has_cross = to->has_cross || more->has_cross;
	if (more->has_failover) {
		to->has_failover = true;
		to->failovers = more->failovers;
		to->failover_count = more->failover_count;
	}
	if (more->threshold > 0)
		to->threshold = more->threshold;
}

/* What the proxy itself has: as tags of its first inbound that has one, of its gateway,
 * else as a label. */
static const char *own_value(const struct resolving *at, const char *key)
{
	const struct dataplane_spec *spec = at->proxy->dataplane;
	const char *value = NULL;

	if (at->proxy->key.kind != KIND_DATAPLANE)
		return NULL;
	if (strcmp(key, TAG_ZONE) == 0)
		return at->zone;
	for (size_t i = 0; value == NULL && i < spec->inbound_count; i++)
		if (spec->inbounds[i].state != INBOUND_IGNORED)
			value = labels_get(spec->inbounds[i].tags, key);
	if (value == NULL)
		value = labels_get(spec->gateway_tags, key);
	return value != NULL ? value : labels_get(at->proxy->labels, key);
}

/* Behind an egress it is the egress that chooses the zone. */
static void warn_of_egress(struct resolving *at, const struct contributor *from)
{
	if (!locality_of(from)->has_cross || route_top(from->policy)->kind == REF_MESH)
		return;
	resolving_warn(at,
		       zl_arena_format(
			       at->arena,
			       "mesh \"%s\": MeshLoadBalancingStrategy \"%s\": "
			       "spec.to[%zu] does not order zones: a ZoneEgress does, by "
			       "policies whose targetRef is the Mesh",
			       at->mesh_name, from->policy->key.name, from->to));
}

struct balance balance_of(struct resolving *at, const struct backend *backend)
{
	struct balance balance = { 0 };
	const char **own;

	if (!index_balances(at->index))
		return balance;
	find_policies(at, backend, &balance);
	for (size_t i = 0; i < balance.policy_count; i++) {
		merge(&balance.locality, locality_of(&balance.policies[i]));
		if (at->mesh->zone_egress)
			warn_of_egress(at, &balance.policies[i]);
	}
	if (balance.locality.tag_count == 0)
		return balance;
	own = zl_arena_alloc(at->arena, balance.locality.tag_count, sizeof(*own));
	for (size_t i = 0; i < balance.locality.tag_count; i++)
		own[i] = own_value(at, balance.locality.tags[i].key);
	balance.own = own;
	return balance;
}

/* ---- what it means for endpoints ---- */

/* Whether zones are told apart by rules, not by which one is the own. */
static bool has_rules(const struct balance *balance)
{
	const struct locality *locality = &balance->locality;

	return !locality->disabled && (locality->has_local || locality->has_cross);
}

static bool has_zone(struct strings zones, const char *zone)
{
	for (size_t i = 0; i < zones.count; i++)
		if (strcmp(zones.items[i], zone) == 0)
			return true;
	return false;
}

static bool fits(const struct failover *rule, const char *own, const char *zone)
{
	if (rule->from.count > 0 && !has_zone(rule->from, own))
		return false;
	switch (rule->type) {
	case FAILOVER_ANY:
		return true;
	case FAILOVER_ONLY:
		return has_zone(rule->zones, zone);
	case FAILOVER_ANY_EXCEPT:
		return !has_zone(rule->zones, zone);
	default:
		return false;
	}
}

unsigned balance_level(const struct balance *balance, const char *own, const char *zone,
		       bool aware)
{
	const struct locality *locality = &balance->locality;

	if (!has_rules(balance))
		return locality->has_disabled ? !locality->disabled : aware;
	for (size_t i = 0; i < locality->failover_count; i++)
		/* The last level is for zones that are silent. */
		if (fits(&locality->failovers[i], own, zone))
			return i + 1 < LEVEL_LAST ? (unsigned)i + 1 : LEVEL_LAST - 1;
	return LEVEL_OUT;
}

bool balance_has_groups(const struct balance *balance)
{
	return !balance->locality.disabled && balance->locality.tag_count > 0;
}

void balance_group(const struct balance *balance, struct endpoint *endpoint,
		   struct zl_arena *arena)
{
	endpoint->group_weight = 1;
	for (size_t i = 0; i < balance->locality.tag_count; i++) {
		const struct affinity_tag *tag = &balance->locality.tags[i];
		const char *value = labels_get(endpoint->tags, tag->key);

		if (value == NULL || balance->own[i] == NULL ||
		    strcmp(value, balance->own[i]) != 0)
			continue;
		endpoint->sub_zone = zl_arena_format(arena, "%s=%s", tag->key, value);
		endpoint->group_weight = tag->weight;
		return;
	}
}

/* What Envoy multiplies the share of healthy endpoints with, in percent. */
static uint32_t factor_of(const struct locality *locality)
{
	double percent = locality->threshold > 0 ? locality->threshold : 50;
	double factor = 10000 / percent + 0.5; /* cut, it is rounded */

	return factor < UINT32_MAX ? (uint32_t)factor : UINT32_MAX;
}

void balance_tell(const struct balance *balance, struct backend *backend)
{
	const struct locality *locality = &balance->locality;

	backend->balancing = balance->policies;
	backend->balancing_count = balance->policy_count;
	backend->by_group = balance_has_groups(balance);
	if (locality->has_cross && !locality->disabled)
		backend->overprovisioning = factor_of(locality);
}
