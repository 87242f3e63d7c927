/* Whom policies select, and which of them have the last word. */
#include "analyze/analysis.h"

#include "policy/refs.h"

#include <stdlib.h>
#include <string.h>

/* What became of a route, over all proxies of all views. */
struct standing {
	const struct resource *route;
	size_t selected;    /* proxies */
	size_t contributes; /* outbounds */
	size_t idle;        /* outbounds that carry no requests */
	size_t wins;
	const struct resource *winner; /* over it, on some outbound */
	const struct resource *tied;   /* the winner, when only names decided */
	struct carried carried;        /* of a TrafficRoute */
	struct attachment attachment;  /* of kind_attaches and kind_is_legacy */
};

struct standings {
	struct analysis *at;
	struct standing *items; /* sorted by key, and so by kind */
	size_t count;
};

static int by_key(const void *key, const void *item)
{
	const struct standing *standing = item;

	return key_compare(key, &standing->route->key);
}

static struct standing *standing_of(const struct standings *all,
				    const struct resource *route)
{
	return bsearch(&route->key, all->items, all->count, sizeof(*all->items), by_key);
}

/* policies are in increasing precedence, and a list replaces those before it. */
static void count_list(struct standings *all, const struct contributor *policies,
		       size_t count)
{
	const struct contributor *last = &policies[count - 1];

	standing_of(all, last->policy)->wins++;
	for (size_t i = 0; i < count; i++) {
		const struct contributor *one = &policies[i];
		struct standing *standing = standing_of(all, one->policy);

		standing->contributes++;
		if (one->policy == last->policy)
			continue;
		standing->winner = last->policy;
		if (policy_ties(one->policy, one->to, last->policy, last->to))
			standing->tied = last->policy;
	}
}

/* Rules of requests are joined: a policy wins where one of its rules is left, or where it
 * has none and only makes the requests routed. */
static void count_rules(struct standings *all, const struct outbound_route *outbound)
{
	for (size_t i = 0; i < outbound->policy_count; i++) {
		const struct contributor *one = &outbound->policies[i];
		struct standing *standing = standing_of(all, one->policy);
		bool left = one->policy->http_route->to[one->to].rule_count == 0;

		for (size_t j = 0; j < outbound->rule_count; j++) {
			const struct contributor *from = outbound->rules[j].from;

			left = left || (from != NULL && from->policy == one->policy);
			if (from != NULL && from->policy != one->policy)
				standing->winner = from->policy;
		}
		standing->contributes++;
		standing->wins += left;
	}
}

/* True if a policy says where the connections of an outbound go. */
static bool leads_elsewhere(const struct outbound_route *outbound)
{
	const struct contributor *last;

	if (outbound->policy_count == 0)
		return false;
	last = &outbound->policies[outbound->policy_count - 1];
	if (outbound->owner == OWNER_TCP_ROUTE)
		return last->policy->tcp_route->to[last->to].has_rule;
	for (size_t i = 0; i < outbound->rule_count; i++)
		if (outbound->rules[i].from == NULL)
			return false;
	return true;
}

static bool is_http(const char *protocol)
{
	return strcmp(protocol, "http") == 0 || strcmp(protocol, "http2") == 0 ||
	       strcmp(protocol, "grpc") == 0;
}

/* Entries of a selected MeshHTTPRoute about what is not HTTP. */
static size_t tell_idle(struct analysis *at, const struct resource *route,
			const struct outbound_route *outbound)
{
	size_t idle = 0;

	for (size_t i = 0; i < route->http_route->to_count; i++) {
		const struct target_ref *target = &route->http_route->to[i].target;
		const struct spot spot = {
			.res = route,
			.field = zl_arena_format(at->arena, "spec.to[%zu].targetRef", i),
			.name = outbound->destination.name
		};

		if (target->kind != outbound->destination.kind ||
		    strcmp(target->name, spot.name) != 0)
			continue;
		idle++;
		analysis_add(at, RULE_HTTP_IDLE, &spot,
			     "the protocol of \"%s\" is %s: the entry has no effect on "
			     "connections to it",
			     spot.name, outbound->destination.protocol);
	}
	return idle;
}

static void count_selected(struct standings *all, const struct routes *routes,
			   const struct resource *policy)
{
	struct standing *standing = standing_of(all, policy);

	standing->selected++;
	if (policy->key.kind == KIND_TRAFFIC_ROUTE)
		carried_count(all->at, &standing->carried, routes);
	if (kind_attaches(policy->key.kind) || kind_is_legacy(policy->key.kind))
		attachment_count(all->at, &standing->attachment, routes);
	for (size_t i = 0;
	     policy->key.kind == KIND_MESH_HTTP_ROUTE && i < routes->outbound_count; i++)
		if (!is_http(routes->outbounds[i].destination.protocol))
			standing->idle +=
				tell_idle(all->at, policy, &routes->outbounds[i]);
}

static void count_proxy(struct standings *all, const struct routes *routes)
{
	for (size_t i = 0; i < routes->considered_count; i++)
		if (routes->considered[i].selected)
			count_selected(all, routes, routes->considered[i].policy);
	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *outbound = &routes->outbounds[i];

		if (outbound->owner == OWNER_TCP_ROUTE)
			count_list(all, outbound->policies, outbound->policy_count);
		if (outbound->owner == OWNER_HTTP_ROUTE)
			count_rules(all, outbound);
		if (outbound->owner != OWNER_TRAFFIC_ROUTE && !leads_elsewhere(outbound))
			analyze_outbound(all->at, routes->proxy, i);
	}
	attached_files(all->at, routes);
	for (size_t i = 0; i < routes->listener_count; i++)
		if (routes->listeners[i].policy_count > 0)
			count_list(all, routes->listeners[i].policies,
				   routes->listeners[i].policy_count);
}

static void count_view(struct standings *all, const struct view *view)
{
	static const struct policy_options EXPLAIN = { .explain = true };
	struct set_iter each = set_each(all->at->set, KIND_DATAPLANE, NULL);
	struct zl_arena *arena = zl_arena_new();
	const struct resource *proxy;

	while ((proxy = set_next(&each)) != NULL) {
		if (!dataplane_is_local(proxy, view->zone))
			continue;
		count_proxy(all, policy_resolve(view->index, view->inventory, proxy,
						&EXPLAIN, arena));
		zl_arena_reset(arena);
	}
	zl_arena_free(&arena);
}

/* ---- findings ---- */
static bool is_shadow(const struct resource *route)
{
	const char *effect = labels_get(route->labels, LABEL_EFFECT);

	return effect != NULL && strcmp(effect, "shadow") == 0;
}

/* A ref to a zone, seen by one that has no name. */
static bool is_undecided(const struct analysis *at, const struct target_ref *top)
{
	return at->views[0].zone[0] == '\0' &&
	       (labels_get(top->tags, TAG_ZONE) != NULL ||
		labels_get(top->labels, TAG_ZONE) != NULL);
}

static void tell_unselected(struct analysis *at, const struct resource *route)
{
	const struct target_ref *top = route_top(route);
	const struct spot spot = { .res = route, .field = "spec.targetRef", .name = "" };
	bool withdrawn =
		route->key.zone[0] != '\0' && !zone_is_enabled(at->set, route->key.zone);

	if (is_shadow(route) || withdrawn || is_undecided(at, top) ||
	    set_count(at->set, KIND_DATAPLANE) == 0)
		return;
	analysis_add(at, RULE_SELECTS_NONE, &spot,
		     "no Dataplane of mesh \"%s\" is selected by kind %s%s%s",
		     route->key.mesh, ref_kind_name(top->kind),
		     top->name[0] != '\0' ? " " : "", top->name);
}

/* The first destination that somebody offers, or NULL: the others were told. */
static const char *known_destination(struct analysis *at, const struct resource *route)
{
	for (size_t i = 0; i < route_to_count(route); i++) {
		const struct target_ref *target = route_to(route, i);

		if (ref_is_by_name(target) &&
		    views_know(at, route->key.mesh, target->name))
			return target->name;
	}
	return NULL;
}

/* What is legacy has neither top nor order: its sources select, its tags decide. A
 * TrafficPermission is selected by inbounds, which are its destinations. */
static void tell_traffic(struct analysis *at, const struct standing *standing)
{
	const struct spot spot = { .res = standing->route,
				   .field = "sources",
				   .name = "" };

	if (standing->selected == 0 && set_count(at->set, KIND_DATAPLANE) > 0 &&
	    standing->route->key.kind != KIND_TRAFFIC_PERMISSION)
		analysis_add(at, RULE_SELECTS_NONE, &spot,
			     "no Dataplane of mesh \"%s\" is one of its sources",
			     standing->route->key.mesh);
	if (standing->route->key.kind == KIND_TRAFFIC_ROUTE)
		carried_tell(at, &standing->carried);
	else
		attachment_tell(at, &standing->attachment);
}

/* It may be about an outbound, and about what an outbound leads to. */
static void tell_attached(struct analysis *at, const struct standing *standing)
{
	const char *service = known_destination(at, standing->route);
	const struct spot spot = { .res = standing->route,
				   .field = "spec.to",
				   .name = service };

	if (standing->attachment.about == 0 && service != NULL)
		analysis_add(at, RULE_NO_OUTBOUND, &spot,
			     "%zu %s selected, none with an outbound to a destination of "
			     "the policy",
			     standing->selected,
			     standing->selected == 1 ? "proxy is" : "proxies are");
	attachment_tell(at, &standing->attachment);
}

static void tell_standing(struct analysis *at, const struct standing *standing)
{
	struct spot spot = { .res = standing->route, .field = "spec.to" };
	const char *service = known_destination(at, standing->route);

	if (standing->selected == 0) {
		tell_unselected(at, standing->route);
		return;
	}
	if (standing->route->key.kind == KIND_MESH_LOAD_BALANCING_STRATEGY)
		return; /* it is about services, whichever outbound leads to them */
	if (kind_attaches(standing->route->key.kind)) {
		tell_attached(at, standing);
		return;
	}
	spot.name = service;
	if (standing->contributes + standing->idle == 0 && service != NULL)
		analysis_add(at, RULE_NO_OUTBOUND, &spot,
			     "%zu %s selected, none with an outbound to a destination of "
			     "the policy",
			     standing->selected,
			     standing->selected == 1 ? "proxy is" : "proxies are");
	spot.field = "spec.targetRef";
	if (standing->tied != NULL) {
		spot.name = standing->tied->key.name;
		analysis_add(at, RULE_TIE, &spot,
			     "%s \"%s\" has the same precedence and wins by its name",
			     kind_info(standing->tied->key.kind)->name, spot.name);
	}
	if (standing->contributes > 0 && standing->wins == 0 &&
	    standing->winner != NULL) {
		spot.name = standing->winner->key.name;
		analysis_add(at, RULE_NEVER_WINS, &spot,
			     "stronger policies, %s \"%s\" among them, replace it on "
			     "every outbound",
			     kind_info(standing->winner->key.kind)->name, spot.name);
	}
}

static void add_standings(struct standings *all, enum kind kind)
{
	struct set_iter each = set_each(all->at->set, kind, NULL);
	const struct resource *route;

	while ((route = set_next(&each)) != NULL)
		all->items[all->count++] =
			(struct standing){ .route = route,
					   .carried = { .route = route, .services = "" },
					   .attachment = { .policy = route } };
}

static bool has_standing(enum kind kind)
{
	return kind == KIND_TRAFFIC_ROUTE || kind_info(kind)->policy ||
	       kind_is_legacy(kind);
}

void analyze_standings(struct analysis *at)
{
	struct standings all = { .at = at };
	size_t room = 0;

	if (at->blind)
		return;
	/* By number, as keys are. */
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		room += has_standing(kind) ? set_count(at->set, kind) : 0;
	all.items = zl_arena_alloc(at->arena, room, sizeof(*all.items));
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++)
		if (has_standing(kind))
			add_standings(&all, kind);
	for (size_t i = 0; i < at->view_count; i++)
		count_view(&all, &at->views[i]);
	for (size_t i = 0; i < all.count; i++)
		if (kind_info(all.items[i].route->key.kind)->policy)
			tell_standing(at, &all.items[i]);
		else
			tell_traffic(at, &all.items[i]);
}
