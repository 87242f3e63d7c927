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
	size_t wins;
	const struct resource *winner; /* over it, on some outbound */
	const struct resource *tied;   /* the winner, when only names decided */
};

struct standings {
	struct analysis *at;
	struct standing *items; /* sorted by key */
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

/* policies are in increasing precedence. */
static void count_outbound(struct standings *all, const struct outbound_route *outbound)
{
	const struct contributor *last;

	if (outbound->policy_count == 0)
		return;
	last = &outbound->policies[outbound->policy_count - 1];
	standing_of(all, last->policy)->wins++;
	for (size_t i = 0; i < outbound->policy_count; i++) {
		const struct contributor *one = &outbound->policies[i];
		struct standing *standing = standing_of(all, one->policy);

		standing->contributes++;
		if (one->policy == last->policy)
			continue;
		standing->winner = last->policy;
		if (policy_ties(one->policy, one->to, last->policy, last->to))
			standing->tied = last->policy;
	}
}

static bool leads_elsewhere(const struct outbound_route *outbound)
{
	const struct contributor *last;

	if (outbound->policy_count == 0)
		return false;
	last = &outbound->policies[outbound->policy_count - 1];
	return last->policy->tcp_route->to[last->to].has_rule;
}

static void count_proxy(struct standings *all, const struct routes *routes)
{
	for (size_t i = 0; i < routes->considered_count; i++)
		if (routes->considered[i].selected)
			standing_of(all, routes->considered[i].policy)->selected++;
	for (size_t i = 0; i < routes->outbound_count; i++) {
		count_outbound(all, &routes->outbounds[i]);
		if (!leads_elsewhere(&routes->outbounds[i]))
			analyze_outbound(all->at, routes->proxy, i);
	}
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
	const struct target_ref *top = &route->tcp_route->target;
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
	const struct tcp_route_spec *spec = route->tcp_route;

	for (size_t i = 0; i < spec->to_count; i++)
		if (ref_is_by_name(&spec->to[i].target) &&
		    views_know(at, route->key.mesh, spec->to[i].target.name))
			return spec->to[i].target.name;
	return NULL;
}

static void tell_standing(struct analysis *at, const struct standing *standing)
{
	struct spot spot = { .res = standing->route, .field = "spec.to" };
	const char *service = known_destination(at, standing->route);

	if (standing->selected == 0) {
		tell_unselected(at, standing->route);
		return;
	}
	spot.name = service;
	if (standing->contributes == 0 && service != NULL)
		analysis_add(at, RULE_NO_OUTBOUND, &spot,
			     "%zu %s selected, none with an outbound to a destination of "
			     "the policy",
			     standing->selected,
			     standing->selected == 1 ? "proxy is" : "proxies are");
	spot.field = "spec.targetRef";
	if (standing->tied != NULL) {
		spot.name = standing->tied->key.name;
		analysis_add(
			at, RULE_TIE, &spot,
			"MeshTCPRoute \"%s\" has the same precedence and wins by its "
			"name",
			spot.name);
	}
	if (standing->contributes > 0 && standing->wins == 0) {
		spot.name = standing->winner->key.name;
		analysis_add(at, RULE_NEVER_WINS, &spot,
			     "stronger policies, MeshTCPRoute \"%s\" among them, replace "
			     "it on every outbound",
			     spot.name);
	}
}

void analyze_standings(struct analysis *at)
{
	struct standings all = { .at = at };
	struct set_iter each = set_each(at->set, KIND_MESH_TCP_ROUTE, NULL);
	const struct resource *route;

	if (at->blind)
		return;
	all.items = zl_arena_alloc(at->arena, set_count(at->set, KIND_MESH_TCP_ROUTE),
				   sizeof(*all.items));
	while ((route = set_next(&each)) != NULL)
		all.items[all.count++].route = route;
	for (size_t i = 0; i < at->view_count; i++)
		count_view(&all, &at->views[i]);
	for (size_t i = 0; i < all.count; i++)
		tell_standing(at, &all.items[i]);
}
