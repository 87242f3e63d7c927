/* What traffic between zones needs, and does not find. */
#include "analyze/analysis.h"

#include "policy/refs.h"

#include <string.h>

/* ---- egresses ---- */
static bool has_proxy(const struct analysis *at, const struct view *view,
		      const char *mesh)
{
	struct set_iter each = set_each(at->set, KIND_DATAPLANE, mesh);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		if (dataplane_is_local(res, view->zone))
			return true;
	return false;
}

static bool has_egress(const struct analysis *at, const struct view *view)
{
	size_t count = set_count(at->set, KIND_ZONE_EGRESS);

	if (view->zone[0] != '\0')
		(void)inventory_egresses(view->inventory, at->arena, &count);
	return count > 0; /* of a zone without a name any may be the one */
}

static void check_egress(struct analysis *at, const struct resource *mesh,
			 const struct view *view)
{
	const struct spot spot = { .res = mesh,
				   .field = "routing.zoneEgress",
				   .name = view->zone };

	if (mesh->mesh->zone_egress && has_proxy(at, view, mesh->key.name) &&
	    !has_egress(at, view))
		analysis_add(at, RULE_NO_EGRESS, &spot,
			     "%s%s has proxies of the mesh and no ZoneEgress",
			     view->zone[0] == '\0' ? "the zone" : "zone ", view->zone);
}

/* ---- ingresses ---- */
static bool offers(const struct analysis *at, const struct view *view, const char *mesh)
{
	size_t count;
	const struct available_service *all =
		inventory_offer(view->inventory, at->arena, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].mesh, mesh) == 0 && all[i].instances > 0)
			return true;
	return false;
}

/* *others: somebody speaks of another zone. */
static bool has_ingress(const struct analysis *at, const char *zone, bool *others)
{
	struct set_iter each = set_each(at->set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;
	bool found = false;

	*others = at->view_count > 1;
	while ((res = set_next(&each)) != NULL) {
		bool own = strcmp(ingress_zone(res, ""), zone) == 0;

		found = found || own;
		*others = *others || !own;
	}
	each = set_each(at->set, KIND_ZONE, NULL);
	while ((res = set_next(&each)) != NULL)
		*others = *others || strcmp(res->key.name, zone) != 0;
	return found;
}

/* One that is not advertised is told of by itself. */
static void check_ingress(struct analysis *at, const struct resource *mesh,
			  const struct view *view)
{
	const struct spot spot = { .res = mesh,
				   .field = "mtls.enabledBackend",
				   .name = view->zone };
	bool others;

	if (view->zone[0] == '\0' || mesh->mesh->mtls_backend[0] == '\0' ||
	    !zone_is_enabled(at->set, view->zone) ||
	    has_ingress(at, view->zone, &others) || !others ||
	    !offers(at, view, mesh->key.name))
		return;
	analysis_add(at, RULE_NO_INGRESS, &spot,
		     "zone \"%s\" has instances in the mesh and no ZoneIngress",
		     view->zone);
}

/* ---- order of zones ---- */
static void check_cross_zone(struct analysis *at, const struct resource *policy)
{
	const struct balancing_spec *spec = policy->balancing;

	if (spec->target.kind == REF_MESH ||
	    !set_mesh(at->set, policy->key.mesh)->zone_egress)
		return;
	for (size_t i = 0; i < spec->to_count; i++) {
		struct spot spot = { .res = policy,
				     .name = ref_kind_name(spec->target.kind) };

		if (!spec->to[i].locality.has_cross)
			continue;
		spot.field = zl_arena_format(
			at->arena, "spec.to[%zu].default.localityAwareness.crossZone", i);
		analysis_add(at, RULE_CROSS_ZONE_PART, &spot,
			     "the egresses of mesh \"%s\" do not read it below kind %s",
			     policy->key.mesh, spot.name);
	}
}

void analyze_zones(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_MESH, NULL);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL)
		for (size_t i = 0; i < at->view_count; i++) {
			check_egress(at, res, &at->views[i]);
			check_ingress(at, res, &at->views[i]);
		}
	each = set_each(at->set, KIND_MESH_LOAD_BALANCING_STRATEGY, NULL);
	while ((res = set_next(&each)) != NULL)
		check_cross_zone(at, res);
}
