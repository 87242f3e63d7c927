/* What policies refer to, and the weights of routes. */
#include "analyze/analysis.h"

#include "policy/refs.h"

#include <inttypes.h>
#include <string.h>

static struct spot spot_of(struct analysis *at, const struct reference *in,
			   const char *member)
{
	return (struct spot){ .res = in->route,
			      .field = member[0] == '\0' || in->whole
					       ? in->field
					       : zl_arena_format(at->arena, "%s.%s",
								 in->field, member),
			      .name = in->ref->name };
}

/* `MeshServiceSubset "backend" {version: v1}` */
static const char *ref_text(struct analysis *at, const struct target_ref *ref)
{
	struct labels more = ref->tags.count > 0 ? ref->tags : ref->labels;

	return zl_arena_format(at->arena, "%s%s%s%s%s%s", ref_kind_name(ref->kind),
			       ref->name[0] != '\0' ? " \"" : "", ref->name,
			       ref->name[0] != '\0' ? "\"" : "",
			       more.count > 0 ? " " : "",
			       more.count > 0 ? labels_text(more, at->arena) : "");
}

/* ---- the top-level ref ---- */

/* A Dataplane by a name that several have, in several namespaces or zones. */
static void check_top_name(struct analysis *at, const struct reference *top)
{
	const struct target_ref *ref = top->ref;
	struct set_iter each = set_each(at->set, KIND_DATAPLANE, top->route->key.mesh);
	struct spot spot = spot_of(at, top, "name");
	const struct resource *res;
	size_t same = 0;

	if (ref->kind != REF_DATAPLANE || ref->name[0] == '\0' || ref->ns[0] != '\0')
		return;
	while ((res = set_next(&each)) != NULL)
		same += strcmp(res->key.name, ref->name) == 0;
	if (same > 1)
		analysis_add(at, RULE_AMBIGUOUS, &spot,
			     "the name \"%s\" fits %zu Dataplanes, and all are selected",
			     ref->name, same);
}

static void check_top(struct analysis *at, const struct resource *route)
{
	const struct target_ref *ref = route_top(route);
	const struct reference top = { route, ref, "spec.targetRef", false };
	struct spot whole = spot_of(at, &top, "");
	struct spot kind = spot_of(at, &top, "kind");

	check_top_name(at, &top);
	if (ref->kind != REF_MESH_SUBSET && ref->kind != REF_MESH_SERVICE &&
	    ref->kind != REF_MESH_SERVICE_SUBSET)
		return;
	kind.name = ref_text(at, ref);
	analysis_add(at, RULE_DEPRECATED_TOP, &kind,
		     "kind %s is deprecated at the top of a policy",
		     ref_kind_name(ref->kind));
	if (ref->tags.count > 0)
		return;
	if (ref->kind == REF_MESH_SUBSET)
		analysis_add(at, RULE_SUBSET_OF_ALL, &whole,
			     "MeshSubset has no tags and selects every proxy");
	if (ref->kind == REF_MESH_SERVICE_SUBSET)
		analysis_add(at, RULE_SUBSET_UNTAGGED, &whole,
			     "MeshServiceSubset \"%s\" has no tags", ref->name);
}

/* ---- services by name ---- */

/* True if the service is known; else a finding of rule, or of the disabled zone that has
 * it. */
static bool is_known(struct analysis *at, const struct reference *in, enum rule rule)
{
	const char *mesh = in->route->key.mesh;
	const char *name = in->ref->name;
	struct spot spot = spot_of(at, in, "name");
	const char *zone;

	if (at->blind || views_know(at, mesh, name))
		return true;
	zone = views_disabled(at, mesh, name);
	if (zone != NULL) {
		spot.name = zone;
		analysis_add(at, RULE_DISABLED_ZONE, &spot,
			     "only zone \"%s\", which is disabled, offers service \"%s\"",
			     zone, name);
		return false;
	}
	spot.near = views_nearest(at, mesh, name);
	analysis_add(at, rule, &spot, "nobody offers service \"%s\" in mesh \"%s\"", name,
		     mesh);
	return false;
}

/* The zone of a subset that is disabled, or NULL. */
static const char *disabled_zone_of(const struct analysis *at, struct labels tags)
{
	const char *zone = labels_get(tags, TAG_ZONE);

	return zone != NULL && !zone_is_enabled(at->set, zone) ? zone : NULL;
}

/* True if somebody offers the subset. */
static bool has_subset(struct analysis *at, const struct reference *in,
		       struct labels tags)
{
	struct spot spot = spot_of(at, in, "tags");
	const char *zone = disabled_zone_of(at, tags);

	if (views_offer(at, in->route->key.mesh, in->ref->name, tags))
		return true;
	if (zone != NULL) {
		spot.name = zone;
		analysis_add(at, RULE_DISABLED_ZONE, &spot,
			     "the subset is of zone \"%s\", which is disabled", zone);
	} else {
		analysis_add(at, RULE_NO_SUCH_SUBSET, &spot,
			     "no instance of service \"%s\" has the tags %s",
			     in->ref->name, labels_text(tags, at->arena));
	}
	return false;
}

/* meant: the object that it is; NULL: a tag service, with tags. */
static void check_endpoints(struct analysis *at, const struct reference *in,
			    const struct meant *meant, struct labels tags)
{
	const char *mesh = in->route->key.mesh;
	const char *name = in->ref->name;
	bool plain = set_mesh(at->set, mesh)->mtls_backend[0] == '\0';
	struct spot spot = spot_of(at, in, "");
	struct reach all = { 0 };

	for (size_t i = 0; i < at->view_count; i++) {
		const struct view *view = &at->views[i];
		struct reach here = meant != NULL ? view_object_reach(at, view, meant)
						  : view_reach(view, mesh, name, tags);

		all.local += here.local;
		all.remote += here.remote;
		if (!plain || here.local > 0 || here.remote == 0)
			continue;
		spot.name = mesh;
		analysis_add(
			at, RULE_REMOTE_PLAIN, &spot,
			"%s has no endpoint in %s%s, only in other zones, and mTLS of "
			"mesh \"%s\" is off",
			ref_text(at, in->ref),
			view->zone[0] == '\0' ? "the own zone" : "zone ", view->zone,
			mesh);
	}
	spot.name = meant != NULL ? meant->object->key.name : name;
	if (all.local + all.remote == 0)
		analysis_add(at, RULE_NO_ENDPOINT, &spot, "%s has no endpoint",
			     ref_text(at, in->ref));
}

/* ---- backendRefs ---- */
static void check_backend_tags(struct analysis *at, const struct reference *in)
{
	const char *other = labels_get(in->ref->tags, TAG_SERVICE);
	struct spot spot = spot_of(at, in, "");

	if (in->ref->kind != REF_MESH_SERVICE_SUBSET)
		return;
	if (in->ref->tags.count == 0)
		analysis_add(at, RULE_SUBSET_UNTAGGED, &spot,
			     "MeshServiceSubset \"%s\" has no tags", in->ref->name);
	if (other == NULL || strcmp(other, in->ref->name) == 0)
		return;
	spot = spot_of(at, in, "tags");
	spot.name = TAG_SERVICE;
	analysis_add(at, RULE_AMBIGUOUS, &spot,
		     "the name says service \"%s\", the tag kuma.io/service \"%s\"; the "
		     "name counts",
		     in->ref->name, other);
}

/* A ref that leads to an object: which, which port of it, and who is behind. */
static void check_backend_object(struct analysis *at, const struct reference *in,
				 const struct meant *meant)
{
	const struct key *key = &meant->object->key;
	struct spot spot = spot_of(at, in, "");

	if (meant->candidates > 1) {
		spot.name = ref_text(at, in->ref);
		analysis_add(at, RULE_AMBIGUOUS, &spot,
			     "%s fits %zu objects, of which \"%s\"%s%s%s is taken",
			     spot.name, meant->candidates, key->name,
			     key->zone[0] != '\0' ? " of zone \"" : "", key->zone,
			     key->zone[0] != '\0' ? "\"" : "");
	}
	spot.name = key->name;
	if (!meant->has_port)
		analysis_add(at, RULE_BACKEND_NO_PORT, &spot,
			     "%s \"%s\" has no such port, or several and none is named",
			     kind_info(key->kind)->name, key->name);
	else if (key->kind == KIND_MESH_SERVICE && !at->blind)
		check_endpoints(at, in, meant, (struct labels){ 0 });
}

static void check_backend(struct analysis *at, const struct reference *in)
{
	struct labels tags = labels_without(at->arena, in->ref->tags, TAG_SERVICE);
	struct spot spot = spot_of(at, in, "");
	struct meant meant = views_object(at, in->route->key.mesh,
					  route_namespace(in->route), in->ref);

	check_backend_tags(at, in);
	if (meant.object != NULL) {
		check_backend_object(at, in, &meant);
		return;
	}
	if (!ref_is_by_name(in->ref)) {
		analysis_add(at, RULE_BACKEND_NO_OBJECT, &spot, "%s",
			     ref_missing(in->ref, in->route->key.mesh, at->arena));
		return;
	}
	if (at->blind || !is_known(at, in, RULE_BACKEND_UNKNOWN))
		return;
	if (tags.count == 0 || has_subset(at, in, tags))
		check_endpoints(at, in, NULL, tags);
}

/* True if both lead to the same place whatever is offered. */
static bool same_target(struct analysis *at, const struct target_ref *a,
			const struct target_ref *b)
{
	if (!ref_is_by_name(a) || !ref_is_by_name(b))
		return a->kind == b->kind && strcmp(a->name, b->name) == 0 &&
		       strcmp(a->ns, b->ns) == 0 && strcmp(a->section, b->section) == 0 &&
		       a->port == b->port && labels_compare(a->labels, b->labels) == 0 &&
		       labels_compare(a->tags, b->tags) == 0;
	return strcmp(a->name, b->name) == 0 &&
	       labels_compare(labels_without(at->arena, a->tags, TAG_SERVICE),
			      labels_without(at->arena, b->tags, TAG_SERVICE)) == 0;
}

static void check_sum(struct analysis *at, const struct ref_list *list, uint64_t sum)
{
	const struct spot spot = { .res = list->route, .field = list->field, .name = "" };

	if (list->count > 0 && sum == 0)
		analysis_add(at, RULE_ALL_WEIGHTS_0, &spot,
			     "every weight of the list is 0");
	else if (list->count > 1 && sum != 100)
		analysis_add(at, RULE_NOT_100, &spot, "the sum of weights is %" PRIu64,
			     sum);
}

/* What is written as "the destination itself" has no kind. */
static void check_item(struct analysis *at, const struct ref_list *list, size_t i,
		       uint64_t sum)
{
	const struct target_ref *ref = &list->refs[i].ref;
	const struct reference in = {
		list->route, ref, zl_arena_format(at->arena, "%s[%zu]", list->field, i),
		list->whole
	};
	struct spot spot = spot_of(at, &in, "weight");
	size_t j = 0;

	if (ref->kind == REF_NONE)
		return;
	if (list->refs[i].weight == 0 && sum > 0)
		analysis_add(at, RULE_WEIGHT_0, &spot, "%s has weight 0",
			     ref_text(at, ref));
	if (list->refs[i].weight > 0)
		check_backend(at, &in);
	while (j < i && !same_target(at, &list->refs[j].ref, ref))
		j++;
	spot = spot_of(at, &in, "");
	if (j < i)
		analysis_add(at, RULE_BACKEND_TWICE, &spot,
			     "%s is the target of %s[%zu] too", ref_text(at, ref),
			     list->whole ? "split" : "backendRefs", j);
}

void analyze_list(struct analysis *at, const struct ref_list *list)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < list->count; i++)
		sum += list->refs[i].weight;
	check_sum(at, list, sum);
	for (size_t i = 0; i < list->count; i++)
		check_item(at, list, i, sum);
}

/* The lists of one entry: of its only rule, or of each. */
static void check_lists(struct analysis *at, const struct resource *route, size_t entry)
{
	bool tcp = route->key.kind == KIND_MESH_TCP_ROUTE;
	const struct http_to *http = tcp ? NULL : &route->http_route->to[entry];
	size_t count = tcp ? 1 : http->rule_count;

	for (size_t i = 0; i < count; i++) {
		struct ref_list list = { .route = route };

		list.field = zl_arena_format(
			at->arena, "spec.to[%zu].rules[%zu].default.backendRefs", entry,
			i);
		list.refs = tcp ? route->tcp_route->to[entry].refs : http->rules[i].refs;
		list.count = tcp ? route->tcp_route->to[entry].ref_count
				 : http->rules[i].ref_count;
		analyze_list(at, &list);
	}
}

/* ---- destinations ---- */

/* True if a Dataplane has an outbound to the service: then the name may be there only to
 * be routed elsewhere. */
static bool is_called(const struct analysis *at, const char *mesh, const char *service)
{
	struct set_iter each = set_each(at->set, KIND_DATAPLANE, mesh);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		const struct dataplane_spec *spec = res->dataplane;

		for (size_t i = 0; i < spec->outbound_count; i++) {
			const char *name =
				labels_get(spec->outbounds[i].tags, TAG_SERVICE);

			if (name != NULL && strcmp(name, service) == 0)
				return true;
		}
	}
	return false;
}

/* True if there is a MeshHTTPRoute that ref means. */
static bool finds_route(const struct analysis *at, const struct reference *in)
{
	struct set_iter each =
		set_each(at->set, KIND_MESH_HTTP_ROUTE, in->route->key.mesh);
	const struct resource *route;

	while ((route = set_next(&each)) != NULL)
		if (in->ref->has_labels
			    ? labels_match(in->ref->labels, route->labels, false)
			    : strcmp(route->key.name, in->ref->name) == 0)
			return true;
	return false;
}

/* True if entry names something: the mesh, an object, or what may be a tag service. */
static bool finds_any(const struct analysis *at, const struct reference *in)
{
	if (in->ref->kind == REF_MESH_HTTP_ROUTE)
		return finds_route(at, in);
	return in->ref->kind == REF_MESH || ref_is_by_name(in->ref) ||
	       views_object(at, in->route->key.mesh, route_namespace(in->route), in->ref)
			       .object != NULL;
}

/* A later entry of the same destination, which replaces this one; rules of requests are
 * joined instead. 0: none. */
static size_t replaced_by(struct analysis *at, const struct resource *route, size_t entry)
{
	const struct target_ref *target = route_to(route, entry);

	if (route->key.kind != KIND_MESH_TCP_ROUTE)
		return 0;
	for (size_t later = entry + 1; later < route_to_count(route); later++)
		if (same_target(at, target, route_to(route, later)))
			return later;
	return 0;
}

static void check_to(struct analysis *at, const struct resource *route, size_t entry)
{
	const struct reference in = {
		route, route_to(route, entry),
		zl_arena_format(at->arena, "spec.to[%zu].targetRef", entry), false
	};
	const char *mesh = route->key.mesh;
	struct spot spot = spot_of(at, &in, "");
	size_t later = replaced_by(at, route, entry);
	bool balances = route->key.kind == KIND_MESH_LOAD_BALANCING_STRATEGY;

	if (!finds_any(at, &in))
		analysis_add(at, RULE_TO_NO_OBJECT, &spot, "%s",
			     ref_missing(in.ref, mesh, at->arena));
	else if (ref_is_by_name(in.ref) && !views_know(at, mesh, in.ref->name) &&
		 views_object(at, mesh, "", in.ref).object == NULL &&
		 (balances || !is_called(at, mesh, in.ref->name)))
		(void)is_known(at, &in, RULE_TO_UNKNOWN);
	if (later > 0)
		analysis_add(at, RULE_TO_TWICE, &spot,
			     "spec.to[%zu] is about %s too, and replaces this entry",
			     later, ref_text(at, in.ref));
}

void analyze_shadow(struct analysis *at, const struct resource *policy)
{
	const char *effect = labels_get(policy->labels, LABEL_EFFECT);
	const struct spot shadow = { .res = policy,
				     .field = "labels[\"" LABEL_EFFECT "\"]",
				     .name = "" };

	if (effect != NULL && strcmp(effect, "shadow") == 0)
		analysis_add(at, RULE_SHADOW, &shadow, "it configures no proxy");
}

void analyze_references(struct analysis *at, const struct resource *route)
{
	check_top(at, route);
	for (size_t i = 0; i < route_to_count(route); i++) {
		check_to(at, route, i);
		if (route_is_route(route))
			check_lists(at, route, i);
	}
}
