#include "policy/attach.h"

#include "policy/about.h"
#include "policy/claims.h"
#include "policy/gateway.h"
#include "policy/legacy.h"
#include "policy/unused.h"

#include <string.h>

/* One cluster, wherever it is used. */
struct cluster {
	const struct backend *backend; /* the first that leads there */
	struct about *about;           /* of what it is a part of */
	struct about **from;           /* the destinations that lead there; all differ */
	size_t from_count, from_room;
	struct about **traffic; /* those from where a TrafficRoute leads there */
	size_t traffic_count, traffic_room;
	bool tcp, http; /* how it is used */
	const struct settings *settings;
};

struct attaching {
	struct resolving *at;
	struct abouts abouts;
	struct table clusters;     /* by name */
	struct cluster **in_order; /* of all, as they were met */
	size_t cluster_count, cluster_room;
	/* Of places about which nothing else is said than about the mesh, by how they are
	 * used. */
	struct mesh_wide {
		bool known;
		const struct settings *settings;
	} of_mesh[PLACE_INBOUND][2][2][2][3];
};

/* ---- what is used how ---- */

static struct cluster *get_cluster(struct attaching *to, const struct backend *backend)
{
	struct zl_arena *arena = to->at->arena;
	struct cluster *cluster = table_find(&to->clusters, backend->cluster);

	if (cluster != NULL)
		return cluster;
	cluster = zl_arena_alloc(arena, 1, sizeof(*cluster));
	cluster->backend = backend;
	cluster->about = about_backend(&to->abouts, backend);
	table_add(&to->clusters, backend->cluster, cluster, arena);
	to->in_order = zl_arena_more(arena, to->in_order, to->cluster_count,
				     &to->cluster_room, sizeof(*to->in_order));
	to->in_order[to->cluster_count++] = cluster;
	return cluster;
}

/* Add from to *list, unless it is there. */
static void lead_from(struct attaching *to, struct about ***list, size_t *count,
		      size_t *room, struct about *from)
{
	for (size_t i = *count; i > 0; i--)
		if ((*list)[i - 1] == from)
			return;
	*list = zl_arena_more(to->at->arena, *list, *count, room, sizeof(**list));
	(*list)[(*count)++] = from;
}

/* from NULL: a destination of which nothing is said, or none. */
static void use_backends(struct attaching *to, const struct backend *backends,
			 size_t count, bool http, enum route_owner owner,
			 struct about *from)
{
	for (size_t i = 0; i < count; i++) {
		if (!backends[i].resolved)
			continue;
		struct cluster *cluster = get_cluster(to, &backends[i]);

		cluster->tcp = cluster->tcp || !http;
		cluster->http = cluster->http || http;
		if (from == NULL)
			continue;
		lead_from(to, &cluster->from, &cluster->from_count, &cluster->from_room,
			  from);
		if (owner == OWNER_TRAFFIC_ROUTE)
			lead_from(to, &cluster->traffic, &cluster->traffic_count,
				  &cluster->traffic_room, from);
	}
}

/* Note what an outbound leads to. */
static void use_outbound(struct attaching *to, const struct outbound_route *outbound)
{
	struct about *about = about_destination(&to->abouts, outbound);

	if (about != NULL) {
		about->destination = true;
		about->tcp = about->tcp || !outbound->http;
		about->http = about->http || outbound->http;
		about->protocol = outbound->destination.protocol;
		legacy_about(to->at, outbound, about);
	}
	use_backends(to, outbound->backends, outbound->backend_count, outbound->http,
		     outbound->owner, about);
	for (size_t i = 0; i < outbound->rule_count; i++)
		use_backends(to, outbound->rules[i].backends,
			     outbound->rules[i].backend_count, true, outbound->owner,
			     about);
}

/* ---- settings ---- */

/* Where settings of the mesh for places that are used so are kept. */
static struct mesh_wide *mesh_wide(struct attaching *to, const struct use *use)
{
	size_t protocol = protocol_is_http(use->protocol);

	if (strcmp(use->protocol, "grpc") == 0)
		protocol = 2;
	return &to->of_mesh[use->place][use->tcp][use->http][use->one_way][protocol];
}

static const struct settings *settings_of(struct attaching *to, const struct said *said,
					  const struct use *use)
{
	struct mesh_wide *memo = mesh_wide(to, use);

	for (size_t i = 0; i < ATTACHED_KINDS; i++)
		if (said[i].merged != NULL && said[i].merged->count > 0 &&
		    said[i].merged != to->abouts.of_mesh[i])
			return effect_settings(to->at, said, use);
	if (!memo->known)
		*memo = (struct mesh_wide){ true, effect_settings(to->at, said, use) };
	return memo->settings;
}

/* ---- clusters ---- */

/* The first by name of the destinations about which entries of the kind are; NULL: there
 * is none. */
static struct about *inherit(const struct cluster *cluster, size_t kind)
{
	struct about *first = NULL;

	for (size_t i = 0; i < cluster->from_count; i++) {
		struct about *about = cluster->from[i];

		if (about->named[kind] &&
		    (first == NULL || strcmp(about->subject.key, first->subject.key) < 0))
			first = about;
	}
	return first;
}

/* The same of destinations about which a legacy policy is, which a TrafficRoute leads
 * here (P17). */
static struct about *inherit_legacy(const struct cluster *cluster, size_t kind)
{
	struct about *first = NULL;

	for (size_t i = 0; i < cluster->traffic_count; i++) {
		struct about *about = cluster->traffic[i];

		if (about->legacy[kind] != NULL &&
		    (first == NULL || strcmp(about->subject.key, first->subject.key) < 0))
			first = about;
	}
	return first;
}

/* The leaf of merged from *next on that has an effect at use; NULL: no more. */
static const struct leaf *next_leaf(enum kind kind, const struct merged *merged,
				    const struct use *use, size_t *next)
{
	while (*next < merged->count) {
		const struct leaf *leaf = &merged->leaves[(*next)++];

		if (effect_of(kind, leaf->field, merged, use) != EFFECT_NONE)
			return leaf;
	}
	return NULL;
}

/* True if both mean the same at use. */
static bool agree(enum kind kind, const struct merged *a, const struct merged *b,
		  const struct use *use)
{
	size_t i = 0;
	size_t j = 0;

	for (;;) {
		const struct leaf *one = next_leaf(kind, a, use, &i);
		const struct leaf *other = next_leaf(kind, b, use, &j);

		if (one == NULL || other == NULL)
			return one == other;
		if (strcmp(one->field, other->field) != 0 ||
		    !tree_equal(one->value, other->value))
			return false;
	}
}

/* Another of the destinations may ask for something else (W2). */
static void warn_of_other(const struct attaching *to, const struct cluster *cluster,
			  size_t kind, const struct about *taken, const struct use *use)
{
	struct resolving *at = to->at;

	for (size_t i = 0; i < cluster->from_count; i++) {
		const struct about *other = cluster->from[i];

		if (!other->named[kind] || other == taken ||
		    agree(attached_kind(kind), taken->said[kind], other->said[kind], use))
			continue;
		resolving_warn(
			at,
			zl_arena_format(
				at->arena,
				"mesh \"%s\": cluster \"%s\" takes %s from destination "
				"\"%s\"; destination \"%s\" asks for something else",
				at->mesh_name, cluster->backend->cluster,
				kind_info(attached_kind(kind))->name, taken->subject.name,
				other->subject.name));
		return; /* one is enough to see it */
	}
}

/* What legacy policies say, where no others do. */
static struct said say_legacy(const struct cluster *cluster, size_t kind)
{
	const struct about *own = cluster->about;
	const struct about *from = inherit_legacy(cluster, kind);

	if (own->legacy[kind] != NULL && cluster->traffic_count > 0)
		return (struct said){ own->legacy[kind],
				      own->legacy_named[kind] ? SOURCE_OWN : SOURCE_MESH,
				      "" };
	if (from == NULL)
		return (struct said){ NULL, SOURCE_MESH, "" };
	if (!from->legacy_named[kind])
		return (struct said){ from->legacy[kind], SOURCE_MESH, "" };
	return (struct said){ from->legacy[kind], SOURCE_INHERITED, from->subject.name };
}

static struct said say(const struct attaching *to, const struct cluster *cluster,
		       size_t kind, const struct use *use)
{
	const struct about *own = cluster->about;
	const struct about *from;

	if (own->named[kind])
		return (struct said){ own->said[kind], SOURCE_OWN, "" };
	from = inherit(cluster, kind);
	if (from != NULL) {
		warn_of_other(to, cluster, kind, from, use);
		return (struct said){ from->said[kind], SOURCE_INHERITED,
				      from->subject.name };
	}
	if (own->said[kind]->count > 0)
		return (struct said){ own->said[kind], SOURCE_MESH, "" };
	return say_legacy(cluster, kind);
}

static void settle(struct attaching *to, struct cluster *cluster)
{
	const struct use use = { .place = PLACE_CLUSTER,
				 .tcp = cluster->tcp,
				 .http = cluster->http,
				 .protocol = cluster->backend->protocol };
	struct said said[ATTACHED_KINDS];

	cluster->about->cluster = true;
	cluster->about->tcp = cluster->about->tcp || cluster->tcp;
	cluster->about->http = cluster->about->http || cluster->http;
	if (!cluster->about->destination)
		cluster->about->protocol = cluster->backend->protocol;
	for (size_t i = 0; i < ATTACHED_KINDS; i++)
		said[i] = say(to, cluster, i, &use);
	cluster->settings = settings_of(to, said, &use);
}

/* ---- listeners and routes ---- */

/* How many clusters connections to backends go to; *one_way: it is one that is there. */
static size_t count_ways(const struct resolving *at, enum unresolved mode,
			 const struct backend *backends, size_t count, bool *one_way)
{
	size_t parts;
	const struct part *split = split_of(mode, backends, count, at->arena, &parts);

	*one_way = parts == 1 && split[0].backend != NULL;
	return parts;
}

/* Attempts would each take their own way (W1). */
static void warn_of_attempts(struct resolving *at, const struct said *retry,
			     const char *route, size_t ways)
{
	const struct leaf *leaf = merged_leaf(retry->merged, "tcp.maxConnectAttempt");
	const char *why = "no cluster";

	if (leaf == NULL)
		return;
	if (ways > 1)
		why = zl_arena_format(
			at->arena, "%zu clusters, each attempt would pick again", ways);
	effect_warn(at, leaf, leaf->field,
		    zl_arena_format(at->arena,
				    "maxConnectAttempt has no effect: the route %s has "
				    "%s",
				    route, why));
}

/* Of connections; ways and one_way as count_ways says. */
static const struct settings *settings_of_listener(struct attaching *to,
						   const struct said *said,
						   const char *route, size_t ways,
						   bool one_way)
{
	const struct use use = { .place = PLACE_LISTENER,
				 .tcp = true,
				 .protocol = "tcp",
				 .one_way = one_way };

	if (!one_way)
		warn_of_attempts(to->at, &said[KIND_MESH_RETRY - KIND_MESH_TIMEOUT],
				 route, ways);
	return settings_of(to, said, &use);
}

static void set_rules(struct attaching *to, struct outbound_route *outbound,
		      const struct said *said, const struct use *use)
{
	struct zl_arena *arena = to->at->arena;
	struct request_route *rules = zl_arena_memdup(
		arena, outbound->rules, outbound->rule_count * sizeof(*rules));
	const struct settings *common = settings_of(to, said, use);

	for (size_t i = 0; i < outbound->rule_count; i++) {
		struct said more[ATTACHED_KINDS];
		bool plain = true;

		memcpy(more, said, sizeof(more));
		for (size_t k = 0; rules[i].from != NULL && k < ATTACHED_KINDS; k++) {
			const struct merged *own = about_route(
				&to->abouts, rules[i].from->policy, attached_kind(k));
			if (own == NULL || own->count == 0)
				continue;
			struct merged *both = zl_arena_alloc(arena, 1, sizeof(*both));
			*both = merge_two(said[k].merged, own, arena);
			more[k].merged = both;
			plain = false;
		}
		rules[i].settings = plain ? common : effect_settings(to->at, more, use);
	}
	outbound->rules = rules;
}

static void set_outbound(struct attaching *to, struct outbound_route *outbound)
{
	const struct about *about = about_destination(&to->abouts, outbound);
	struct use use = { .place = PLACE_LISTENER,
			   .http = true,
			   .protocol = outbound->destination.protocol };
	struct said said[ATTACHED_KINDS];
	bool one_way;
	size_t ways;

	if (about == NULL)
		return;
	for (size_t i = 0; i < ATTACHED_KINDS; i++) {
		said[i] = (struct said){ about->said[i], SOURCE_DIRECT, "" };
		if (about->legacy[i] != NULL)
			said[i].merged = about->legacy[i];
	}
	if (outbound->http) {
		outbound->settings = settings_of(to, said, &use);
		use.place = PLACE_ROUTE;
		set_rules(to, outbound, said, &use);
		return;
	}
	ways = count_ways(to->at, outbound->unresolved, outbound->backends,
			  outbound->backend_count, &one_way);
	outbound->settings = settings_of_listener(
		to, said,
		zl_arena_format(to->at->arena, "to \"%s\"", outbound->destination.name),
		ways, one_way);
}

static void set_listeners(struct attaching *to, struct routes *routes)
{
	struct zl_arena *arena = to->at->arena;
	struct listener_route *listeners = zl_arena_memdup(
		arena, routes->listeners, routes->listener_count * sizeof(*listeners));

	for (size_t i = 0; i < routes->listener_count; i++) {
		struct listener_route *route = &listeners[i];
		const struct merged *merged[ATTACHED_KINDS];
		struct said said[ATTACHED_KINDS];
		bool one_way;

		if (route->backend_count == 0)
			continue;
		about_listener(&to->abouts, route, merged);
		for (size_t k = 0; k < ATTACHED_KINDS; k++)
			said[k] = (struct said){ merged[k], SOURCE_DIRECT, "" };
		size_t ways = count_ways(to->at, route->unresolved, route->backends,
					 route->backend_count, &one_way);
		route->settings = settings_of_listener(
			to, said,
			zl_arena_format(arena, "of %s",
					gateway_listener_text(route, arena)),
			ways, one_way);
	}
	routes->listeners = listeners;
}

/* ---- all ---- */

static void set_backends(const struct attaching *to)
{
	const struct resolving *at = to->at;

	for (size_t i = 0; i < at->made_count; i++)
		for (size_t j = 0; j < at->made[i].count; j++) {
			struct backend *backend = &at->made[i].items[j];
			const struct cluster *cluster = NULL;

			if (backend->resolved)
				cluster = table_find(&to->clusters, backend->cluster);
			if (cluster != NULL)
				backend->settings = cluster->settings;
		}
}

void attach_all(struct resolving *at, struct outbound_route *outbounds,
		struct routes *routes)
{
	struct attaching to = { .at = at };

	if (!index_attaches(at->index))
		return;
	abouts_begin(&to.abouts, at, routes);
	for (size_t i = 0; i < routes->outbound_count; i++)
		use_outbound(&to, &outbounds[i]);
	for (size_t i = 0; i < routes->listener_count; i++)
		use_backends(&to, routes->listeners[i].backends,
			     routes->listeners[i].backend_count, false,
			     routes->listeners[i].owner, NULL);
	for (size_t i = 0; i < to.cluster_count; i++)
		settle(&to, to.in_order[i]);
	for (size_t i = 0; i < routes->outbound_count; i++)
		set_outbound(&to, &outbounds[i]);
	if (routes->listener_count > 0)
		set_listeners(&to, routes);
	set_backends(&to);
	unused_warn(&to.abouts);
}

const struct settings *attach_inbound(struct resolving *at, const struct inbound *inbound,
				      const char *protocol)
{
	static const enum kind KINDS[] = { KIND_MESH_TIMEOUT, KIND_MESH_CIRCUIT_BREAKER,
					   KIND_MESH_ACCESS_LOG };
	const struct use use = { .place = PLACE_INBOUND,
				 .tcp = !protocol_is_http(protocol),
				 .http = protocol_is_http(protocol),
				 .protocol = protocol };
	struct said said[ATTACHED_KINDS] = { 0 };

	if (!index_attaches(at->index))
		return NULL;
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
		said[KINDS[i] - KIND_MESH_TIMEOUT] =
			(struct said){ about_inbound(at, inbound, KINDS[i]),
				       SOURCE_DIRECT, "" };
	return effect_settings(at, said, &use);
}
