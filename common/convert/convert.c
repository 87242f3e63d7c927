#include "convert/plan.h"

#include "policy/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_PART = 80 }; /* of a service or route in a name */

/* ---- growing lists ---- */
static void note(struct plan *plan, const struct fit *fit, const char *service, bool kept,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void note(struct plan *plan, const struct fit *fit, const char *service, bool kept,
		 const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct convert_note *slot = PLAN_PUSH(plan, plan->notes);
	*slot = (struct convert_note){ .route = fit->route,
				       .service = service,
				       .text = zl_arena_strdup(plan->arena, text),
				       .kept = kept };
	plan->kept_count += kept;
}

/* ---- one document ---- */
static bool is_any(const char *value)
{
	return strcmp(value, "*") == 0;
}

static struct tree *tags_tree(struct zl_arena *arena, struct labels tags)
{
	struct tree *map = tree_map(arena);

	for (size_t i = 0; i < tags.count; i++)
		tree_set(arena, map, tags.items[i].key,
			 tree_text(arena, tags.items[i].value));
	return map;
}

static struct tree *ref_tree(struct zl_arena *arena, const char *kind, const char *name)
{
	struct tree *ref = tree_map(arena);

	tree_set(arena, ref, "kind", tree_text(arena, kind));
	if (name != NULL)
		tree_set(arena, ref, "name", tree_text(arena, name));
	return ref;
}

static struct tree *backend_tree(const struct plan *plan, const char *service,
				 const struct traffic_split *split)
{
	struct zl_arena *arena = plan->arena;
	const char *name = labels_get(split->destination, TAG_SERVICE);
	struct labels tags = labels_without(arena, split->destination, TAG_SERVICE);

	for (size_t i = 0; i < split->destination.count; i++)
		if (is_any(split->destination.items[i].value))
			tags = labels_without(arena, tags,
					      split->destination.items[i].key);
	name = is_any(name) ? service : name;
	struct tree *ref = ref_tree(
		arena, tags.count > 0 ? "MeshServiceSubset" : "MeshService", name);
	if (tags.count > 0)
		tree_set(arena, ref, "tags", tags_tree(arena, tags));
	tree_set(arena, ref, "weight", tree_int(arena, (int64_t)split->weight));
	return ref;
}

static struct tree *spec_tree(const struct plan *plan, const char *service,
			      const struct fit *fit)
{
	const struct traffic_route_spec *route = fit->route->traffic_route;
	struct zl_arena *arena = plan->arena;
	struct tree *spec = tree_map(arena);
	struct tree *top = ref_tree(arena, "MeshSubset", NULL);
	struct tree *refs = tree_list(arena);
	struct tree *rule = tree_map(arena);
	struct tree *rules = tree_list(arena);
	struct tree *item = tree_map(arena);
	struct tree *to = tree_list(arena);
	struct tree *list = tree_map(arena);

	for (size_t i = 0; i < route->split_count; i++)
		tree_push(arena, refs, backend_tree(plan, service, &route->split[i]));
	tree_set(arena, list, "backendRefs", refs);
	tree_set(arena, rule, "default", list);
	tree_push(arena, rules, rule);
	tree_set(arena, item, "targetRef", ref_tree(arena, "MeshService", service));
	tree_set(arena, item, "rules", rules);
	tree_push(arena, to, item);
	tree_set(arena, top, "tags", tags_tree(arena, fit->source));
	tree_set(arena, spec, "targetRef", top);
	tree_set(arena, spec, "to", to);
	return spec;
}

/* At most NAME_PART bytes of text that a name may have; false: not all of it. */
static bool add_part(struct zl_buf *name, const char *text)
{
	bool whole = true;
	size_t len = strlen(text);

	for (size_t i = 0; i < len && i < NAME_PART; i++) {
		char byte = text[i];
		bool fits = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
		char shown[2] = { byte, '\0' };

		zl_buf_str(name, fits ? shown : "-");
		whole = whole && (fits || byte == '-');
	}
	return whole && len <= NAME_PART;
}

/* True if a part of text between dashes is a number: with it, the name of a route could
 * be one of another service. */
static bool has_number(const char *text)
{
	for (const char *at = strchr(text, '-'); at != NULL; at = strchr(at + 1, '-')) {
		size_t digits = strspn(at + 1, "0123456789");

		if (digits > 0 && (at[digits + 1] == '\0' || at[digits + 1] == '-'))
			return true;
	}
	return false;
}

/* The smaller name wins (spec 3.2): number 0 is what fits best. digits: as many for all
 * of a service. */
static const char *name_of(const struct plan *plan, const char *service,
			   const struct fit *fit, size_t number, int digits)
{
	struct zl_buf name = { 0 };
	unsigned hash = 5381;

	zl_buf_str(&name, "traffic-");
	bool whole = add_part(&name, service);
	for (const char *at = service; *at != '\0'; at++)
		hash = hash * 33 + (unsigned char)*at;
	if (!whole || has_number(service)) /* another service may look the same */
		zl_buf_format(&name, "-%08x", hash);
	zl_buf_format(&name, "-%0*zu-", digits, number);
	(void)add_part(&name, fit->route->key.name);
	while (name.len > 0 && name.data[name.len - 1] == '-')
		name.len--;
	const char *text = zl_arena_strndup(plan->arena, name.data, name.len);
	zl_buf_free(&name);
	return text;
}

/* The MeshTCPRoute of a fit; NULL: it cannot be said, *why tells. The caller holds it. */
static struct resource *route_of(const struct plan *plan, const char *service,
				 const struct fit *fit, const char *name,
				 const char **why)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct findings found = findings_in(plan->arena);
	struct tree *doc = tree_map(plan->arena);

	tree_set(plan->arena, doc, "type", tree_text(plan->arena, "MeshTCPRoute"));
	tree_set(plan->arena, doc, "mesh", tree_text(plan->arena, plan->mesh));
	tree_set(plan->arena, doc, "name", tree_text(plan->arena, name));
	tree_set(plan->arena, doc, "spec", spec_tree(plan, service, fit));
	struct resource *made = resource_from_doc(doc, &rules, &found);
	if (made == NULL)
		*why = zl_arena_format(plan->arena, "no MeshTCPRoute can say it: %s %s",
				       found.violations[0].field,
				       found.violations[0].reason);
	return made;
}

/* ---- what is there already ---- */

/* A proxy that MeshTCPRoutes are about now must go on as they say: they must win over
 * made. Sets *owned for one that has every proxy, so that made would have none. */
static const struct resource *in_the_way(const struct plan *plan, const char *service,
					 const struct resource *made, bool *owned)
{
	struct set_iter each = set_each(plan->set, KIND_MESH_TCP_ROUTE, plan->mesh);
	const struct resource *other;
	const struct resource *found = NULL;

	*owned = false;
	while ((other = set_next(&each)) != NULL) {
		for (size_t i = 0; i < other->tcp_route->to_count; i++) {
			if (!plan_is_about(other, i, service))
				continue;
			if (policy_compare_entries(other, i, made, 0) <= 0)
				found = other;
			if (plan_has_all(other)) {
				*owned = true;
				return other;
			}
		}
	}
	return found;
}

/* ---- one service ---- */
struct service_plan {
	struct plan *plan;
	const char *service;
	const struct fit *fits; /* the best first */
	size_t count;
	struct resource **made; /* of those that can have an effect */
	size_t made_count;
};

static bool is_same_source(const struct fit *a, const struct fit *b)
{
	return labels_compare(a->source, b->source) == 0;
}

/* The fit before number that always wins over it; NULL: none. */
static const struct fit *winner_over(const struct service_plan *at, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (is_same_source(&at->fits[i], &at->fits[number]))
			return &at->fits[i];
	return NULL;
}

static void drop_made(struct service_plan *at)
{
	for (size_t i = 0; i < at->made_count; i++)
		resource_drop(&at->made[i]);
	at->made_count = 0;
}

/* Say of each route about the service once why it stays, or why it need not. */
static void note_all(const struct service_plan *at, bool kept, const char *why)
{
	for (size_t i = 0; i < at->count; i++) {
		bool told = false;
		for (size_t j = 0; j < i; j++)
			told = told || at->fits[j].route == at->fits[i].route;
		if (!told)
			note(at->plan, &at->fits[i], at->service, kept, "%s", why);
	}
}

/* Make the routes; false: told why not. */
static bool make_all(struct service_plan *at)
{
	struct plan *plan = at->plan;
	const char *why = plan_refusal(plan, at->service);
	int digits = 1;

	for (size_t most = at->count; most >= 10; most /= 10)
		digits++;
	for (size_t i = 0; why == NULL && i < at->count; i++) {
		const struct fit *fit = &at->fits[i];
		if (winner_over(at, i) != NULL)
			continue;
		const char *name =
			name_of(plan, at->service, fit, at->made_count, digits);
		struct resource *made = route_of(plan, at->service, fit, name, &why);
		if (made != NULL)
			at->made[at->made_count++] = made;
	}
	if (why != NULL)
		note_all(at, true, why);
	return why == NULL;
}

/* True if those that are made may be written beside what is there; else told why not. */
static bool check_others(struct service_plan *at)
{
	for (size_t i = 0; i < at->made_count; i++) {
		bool owned;
		const struct resource *other =
			in_the_way(at->plan, at->service, at->made[i], &owned);
		if (other == NULL)
			continue;
		note_all(at, !owned,
			 zl_arena_format(
				 at->plan->arena,
				 owned ? "nothing is written for it: MeshTCPRoute \"%s\" "
					 "has it for every proxy already"
				       : "MeshTCPRoute \"%s\" has it for some proxies "
					 "and would lose to what is written for it: "
					 "change its targetRef to MeshSubset, or "
					 "delete one of the two",
				 other->key.name));
		return false;
	}
	return true;
}

static void convert_service(struct plan *plan, const char *service)
{
	struct service_plan at = { .plan = plan, .service = service };

	at.fits = plan_fits(plan, service, &at.count);
	at.made = zl_arena_alloc(plan->arena, at.count, sizeof(struct resource *));
	if (!make_all(&at) || !check_others(&at)) {
		drop_made(&at);
		return;
	}
	for (size_t i = 0; i < at.count; i++) {
		const struct fit *winner = winner_over(&at, i);
		if (winner != NULL && winner->route != at.fits[i].route)
			note(plan, &at.fits[i], service, false,
			     "it has no effect for source %s: TrafficRoute \"%s\" wins",
			     plan_text(plan, at.fits[i].source), winner->route->key.name);
	}
	for (size_t i = 0; i < at.made_count; i++)
		*PLAN_PUSH(plan, plan->routes) = at.made[i];
}

/* ---- a mesh ---- */
static bool has_any_destination(const struct resource *route)
{
	const struct traffic_route_spec *spec = route->traffic_route;

	for (size_t i = 0; i < spec->destination_count; i++)
		if (is_any(labels_get(spec->destinations[i].match, TAG_SERVICE)))
			return true;
	return false;
}

static void convert_mesh(struct plan *plan)
{
	struct set_iter each = set_each(plan->set, KIND_TRAFFIC_ROUTE, plan->mesh);
	const struct resource *route;

	plan_services(plan);
	while ((route = set_next(&each)) != NULL) {
		const struct fit fit = { .route = route };
		if (!has_any_destination(route))
			continue;
		if (plan->services.count == 0)
			note(plan, &fit, "*", true,
			     "no Dataplane says which services there are");
		else
			note(plan, &fit, "*", false,
			     "its destination * is written out for the %zu services "
			     "that are known here: one that comes later needs a route "
			     "of its own",
			     plan->services.count);
	}
	for (size_t i = 0; i < plan->services.count; i++)
		convert_service(plan, plan->services.items[i]);
}

struct conversion convert_traffic(const struct set *set, struct zl_arena *arena)
{
	struct plan plan = { .set = set, .arena = arena };
	struct set_iter each = set_each(set, KIND_TRAFFIC_ROUTE, NULL);
	const struct resource *route;

	while ((route = set_next(&each)) != NULL) {
		if (plan.mesh != NULL && strcmp(plan.mesh, route->key.mesh) == 0)
			continue;
		plan.mesh = route->key.mesh;
		convert_mesh(&plan);
	}
	return (struct conversion){ .routes = plan.routes.items,
				    .count = plan.routes.count,
				    .notes = plan.notes.items,
				    .note_count = plan.notes.count,
				    .kept_count = plan.kept_count };
}

void conversion_drop(struct conversion *conversion)
{
	for (size_t i = 0; i < conversion->count; i++) {
		struct resource *route = conversion->routes[i];
		resource_drop(&route);
	}
	*conversion = (struct conversion){ 0 };
}
