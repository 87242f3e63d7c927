#include "policy/inbounds.h"

#include "policy/attach.h"
#include "policy/index.h"
#include "policy/permit.h"
#include "policy/select.h"

#include "model/conf.h"

#include <stdlib.h>
#include <string.h>

/* One inbound, and what is said of its clients so far. */
struct asking {
	struct resolving *at;
	struct inbound_route *inbound;
	struct permit_sayings sayings;
	struct contributor *policies;
	enum attached_list *lists;
	size_t policy_count, policy_room;
};

static void note_policy(struct asking *asking, const struct resource *policy, size_t item,
			enum attached_list list)
{
	struct zl_arena *arena = asking->at->arena;
	size_t room = asking->policy_room; /* of both */

	asking->lists = zl_arena_more(arena, asking->lists, asking->policy_count, &room,
				      sizeof(*asking->lists));
	asking->policies = zl_arena_more(arena, asking->policies, asking->policy_count,
					 &asking->policy_room, sizeof(*asking->policies));
	asking->policies[asking->policy_count] = (struct contributor){ policy, item };
	asking->lists[asking->policy_count++] = list;
}

static const struct permission_conf *read_conf(const struct asking *asking,
					       const struct attached_item *item)
{
	return conf_read(KIND_MESH_TRAFFIC_PERMISSION, item->conf, asking->at->arena);
}

/* ---- MeshTrafficPermissions ---- */

static struct client_set clients_of(const struct asking *asking,
				    const struct target_ref *ref)
{
	struct labels tags = ref->tags;

	if (ref->kind != REF_MESH && ref->name[0] != '\0')
		tags = labels_with(asking->at->arena, tags, TAG_SERVICE, ref->name);
	return permit_clients(asking->at, tags);
}

static void say_from(struct asking *asking, const struct resource *policy)
{
	const struct attached_items *from = &policy->attached->from;

	for (size_t i = 0; i < from->count; i++) {
		const struct attached_item *item = &from->items[i];

		permit_say(asking->at->arena, &asking->sayings,
			   clients_of(asking, &item->target),
			   read_conf(asking, item)->action, NULL);
		note_policy(asking, policy, i, LIST_FROM);
	}
}

static void warn_of_prefix(struct asking *asking, const struct resource *policy,
			   const struct expected_name *name)
{
	if (!name->prefix || name->value[strlen(name->value) - 1] == '/')
		return;
	resolving_warn(asking->at,
		       zl_arena_format(asking->at->arena,
				       "MeshTrafficPermission \"%s\": prefix \"%s\" does "
				       "not end in \"/\"; it also matches longer names",
				       policy->key.name, name->value));
}

static void say_names(struct asking *asking, const struct resource *policy,
		      const struct expected_name *names, size_t count,
		      enum permission_action action)
{
	for (size_t i = 0; i < count; i++) {
		/* A newer version may know clients otherwise: what is not understood lets
		 * nobody in. */
		bool understood = names[i].value[0] != '\0';

		if (!understood && action != ACTION_DENY)
			continue;
		if (understood)
			warn_of_prefix(asking, policy, &names[i]);
		permit_say(asking->at->arena, &asking->sayings,
			   (struct client_set){ &names[i], understood ? 1 : 0 }, action,
			   NULL);
	}
}

static void say_rules(struct asking *asking, const struct resource *policy,
		      enum permission_action action)
{
	const struct attached_items *rules = &policy->attached->rules;

	for (size_t i = 0; i < rules->count; i++) {
		const struct permission_conf *conf = read_conf(asking, &rules->items[i]);

		if (action == ACTION_ALLOW)
			say_names(asking, policy, conf->allow, conf->allow_count, action);
		else if (action == ACTION_SHADOW_DENY)
			say_names(asking, policy, conf->shadow, conf->shadow_count,
				  action);
		else
			say_names(asking, policy, conf->deny, conf->deny_count, action);
	}
}

/* A policy with rules takes the say from all that have none (P13). */
static void displace(struct asking *asking, const struct resource *policy,
		     const struct resource *by)
{
	resolving_warn(asking->at,
		       zl_arena_format(asking->at->arena,
				       "MeshTrafficPermission \"%s\": from has no "
				       "effect: \"%s\" selects the same inbound with "
				       "rules",
				       policy->key.name, by->key.name));
}

/* Any deny beats every allow (P12), which is to say that it comes last; and allow beats
 * no shadow. */
static void say_all_rules(struct asking *asking, const struct resource *const *policies,
			  size_t count)
{
	static const enum permission_action ORDER[] = { ACTION_ALLOW, ACTION_SHADOW_DENY,
							ACTION_DENY };

	for (size_t k = 0; k < sizeof(ORDER) / sizeof(ORDER[0]); k++)
		for (size_t i = 0; i < count; i++)
			say_rules(asking, policies[i], ORDER[k]);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < policies[i]->attached->rules.count; k++)
			note_policy(asking, policies[i], k, LIST_RULES);
}

/* What rules deny, for people. */
static void tell_denied(const struct asking *asking, struct permission *to)
{
	const struct permit_sayings *sayings = &asking->sayings;
	struct client_set *denied =
		zl_arena_alloc(asking->at->arena, sayings->count, sizeof(*denied));
	size_t count = 0;

	for (size_t i = 0; i < sayings->count; i++)
		if (sayings->items[i].action == ACTION_DENY)
			denied[count++] = sayings->items[i].who;
	to->deny = denied;
	to->deny_count = permit_sort(denied, count);
}

/* True if some MeshTrafficPermission selects the inbound. */
static bool ask_attached(struct asking *asking)
{
	struct resolving *at = asking->at;
	size_t count;
	const struct entry *entries = index_inbound(at->index, at->mesh_name,
						    KIND_MESH_TRAFFIC_PERMISSION, &count);
	const struct resource **all = zl_arena_alloc(at->arena, count, sizeof(*all));
	const struct resource **strict = zl_arena_alloc(at->arena, count, sizeof(*all));
	size_t found = 0;
	size_t strict_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct resource *policy = entries[i].rank.route;

		if (!select_inbound(policy, at->proxy, at->zone,
				    asking->inbound->inbound))
			continue;
		all[found++] = policy;
		if (policy->attached->rules.count > 0)
			strict[strict_count++] = policy;
	}
	for (size_t i = 0; i < found; i++) {
		if (strict_count == 0)
			say_from(asking, all[i]);
		else if (all[i]->attached->rules.count == 0)
			displace(asking, all[i], strict[strict_count - 1]);
	}
	say_all_rules(asking, strict, strict_count);
	if (strict_count > 0)
		tell_denied(asking, &asking->inbound->permission);
	return found > 0;
}

/* ---- TrafficPermissions ---- */

static bool has_destination(const struct resource *policy, const struct inbound *inbound,
			    const char *zone)
{
	const struct legacy_spec *spec = policy->legacy;

	for (size_t i = 0; i < spec->destination_count; i++)
		if (select_tags(spec->destinations[i].match, inbound->tags, zone))
			return true;
	return false;
}

static void say_sources(struct asking *asking, const struct resource *policy)
{
	const struct legacy_spec *spec = policy->legacy;

	for (size_t i = 0; i < spec->source_count; i++)
		permit_say(asking->at->arena, &asking->sayings,
			   permit_clients(asking->at, spec->sources[i].match),
			   ACTION_ALLOW, policy);
	note_policy(asking, policy, 0, LIST_LEGACY);
}

static int by_rank(const void *one, const void *other)
{
	const struct entry *const *a = one;
	const struct entry *const *b = other;

	return rank_compare(&(*a)->rank, &(*b)->rank);
}

/* What may be about the inbound, by what its destinations name, in the order of all
 * policies; one policy may be there more than once. */
static const struct entry **legacy_about_service(const struct asking *asking,
						 size_t *count)
{
	const struct resolving *at = asking->at;
	const char *const names[] = { asking->inbound->service, "*", "" };
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	const struct entry *lists[NAMES];
	size_t counts[NAMES];
	size_t room = 0;

	for (size_t k = 0; k < NAMES; k++) {
		lists[k] = index_legacy(at->index, at->mesh_name, names[k], &counts[k]);
		room += counts[k];
	}
	const struct entry **all =
		zl_arena_alloc(at->arena, room, sizeof(const struct entry *));
	*count = 0;
	for (size_t k = 0; k < NAMES; k++)
		for (size_t i = 0; i < counts[k]; i++)
			if (lists[k][i].rank.route->key.kind == KIND_TRAFFIC_PERMISSION)
				all[(*count)++] = &lists[k][i];
	if (*count > 1)
		qsort(all, *count, sizeof(*all), by_rank);
	return all;
}

/* True if some TrafficPermission is about the inbound: all of them have a say. */
static bool ask_legacy(struct asking *asking)
{
	size_t count;
	const struct entry **entries = legacy_about_service(asking, &count);
	const struct resource *last = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct resource *policy = entries[i]->rank.route;

		if (policy != last &&
		    has_destination(policy, asking->inbound->inbound, asking->at->zone))
			say_sources(asking, policy);
		last = policy;
	}
	return asking->policy_count > 0;
}

/* ---- inbounds ---- */

static void warn_of_default(struct asking *asking)
{
	const struct resolving *at = asking->at;
	const char *address = asking->inbound->address;
	bool v6 = strchr(address, ':') != NULL;
	const char *place = zl_arena_format(at->arena, v6 ? "[%s]:%u" : "%s:%u", address,
					    asking->inbound->inbound->port);

	resolving_warn(
		asking->at,
		zl_arena_format(at->arena,
				at->mesh->let_in
					? "mesh \"%s\": everybody is let in: no "
					  "MeshTrafficPermission selects inbound %s"
					: "mesh \"%s\": nobody is let in: no "
					  "MeshTrafficPermission selects inbound %s (set "
					  "Mesh.mtls.defaultPermission: Allow to let "
					  "everybody in)",
				at->mesh_name, place));
}

static void permit(struct asking *asking)
{
	struct permission *to = &asking->inbound->permission;

	if (ask_attached(asking) || ask_legacy(asking)) {
		to->mode = PERMISSION_ENFORCED;
		permit_decide(asking->at->arena, &asking->sayings, to);
	} else {
		to->mode = asking->at->mesh->let_in ? PERMISSION_OPEN : PERMISSION_DENIED;
		warn_of_default(asking);
	}
	to->policies = asking->policies;
	to->lists = asking->lists;
	to->policy_count = asking->policy_count;
}

/* Policies that would be enforced, had the mesh mTLS. */
static void warn_of_plain(struct resolving *at, const struct inbound *inbound)
{
	size_t count;
	const struct entry *entries = index_inbound(at->index, at->mesh_name,
						    KIND_MESH_TRAFFIC_PERMISSION, &count);

	for (size_t i = 0; i < count; i++) {
		const struct resource *policy = entries[i].rank.route;

		if (select_inbound(policy, at->proxy, at->zone, inbound))
			resolving_warn(
				at, zl_arena_format(at->arena,
						    "MeshTrafficPermission \"%s\" has no "
						    "effect: mesh \"%s\" has no mTLS",
						    policy->key.name, at->mesh_name));
	}
}

static struct inbound_route inbound_of(const struct resolving *at,
				       const struct inbound *inbound)
{
	/* A newer version may store one without. */
	const char *service = labels_get(inbound->tags, TAG_SERVICE);
	const char *protocol = labels_get(inbound->tags, TAG_PROTOCOL);
	bool own = inbound->address[0] != '\0';

	return (struct inbound_route){
		.inbound = inbound,
		.address = own ? inbound->address : at->proxy->dataplane->address,
		.service = service != NULL ? service : "",
		.protocol = protocol != NULL ? protocol : "unknown",
	};
}

void inbounds_resolve(struct resolving *at, struct routes *routes)
{
	const struct dataplane_spec *spec = at->proxy->dataplane;
	const struct mesh_backend *signer = mesh_signer(at->mesh);
	struct inbound_route *inbounds =
		zl_arena_alloc(at->arena, spec->inbound_count, sizeof(*inbounds));

	for (size_t i = 0; i < spec->inbound_count; i++) {
		if (spec->inbounds[i].state == INBOUND_IGNORED)
			continue;
		struct inbound_route *inbound = &inbounds[routes->inbound_count++];
		*inbound = inbound_of(at, &spec->inbounds[i]);
		inbound->settings =
			attach_inbound(at, inbound->inbound, inbound->protocol);
		if (signer == NULL) {
			warn_of_plain(at, inbound->inbound);
			continue;
		}
		struct asking asking = { .at = at, .inbound = inbound };
		permit(&asking);
	}
	routes->inbounds = inbounds;
	if (signer != NULL && signer->permissive && routes->inbound_count > 0)
		resolving_warn(at, zl_arena_format(at->arena,
						   "mesh \"%s\": plain text connections "
						   "are not checked: mesh \"%s\" is "
						   "PERMISSIVE",
						   at->mesh_name, at->mesh_name));
}
