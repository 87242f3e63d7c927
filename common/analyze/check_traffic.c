/* TrafficRoutes: what they refer to, what they still carry, and who has the rest. */
#include "analyze/analysis.h"

#include "policy/refs.h"

#include <string.h>

static bool is_any(const char *value)
{
	return strcmp(value, "*") == 0;
}

/* A target of a split as a backendRef: tags whose value is * fall away; the destination
 * itself has no kind. */
static struct backend_ref ref_of(struct analysis *at, const struct traffic_split *split)
{
	struct labels tags = labels_without(at->arena, split->destination, TAG_SERVICE);
	const char *service = labels_get(split->destination, TAG_SERVICE);

	for (size_t i = 0; i < split->destination.count; i++)
		if (is_any(split->destination.items[i].value))
			tags = labels_without(at->arena, tags,
					      split->destination.items[i].key);
	struct target_ref ref = { .kind = tags.count > 0 ? REF_MESH_SERVICE_SUBSET
							 : REF_MESH_SERVICE,
				  .name = service,
				  .ns = "",
				  .section = "",
				  .tags = tags };
	if (is_any(service))
		ref.kind = REF_NONE;
	return (struct backend_ref){ .ref = ref, .weight = split->weight };
}

void analyze_traffic_references(struct analysis *at, const struct resource *route)
{
	const struct traffic_route_spec *spec = route->traffic_route;
	struct backend_ref *refs =
		zl_arena_alloc(at->arena, spec->split_count, sizeof(*refs));
	const struct ref_list list = { .route = route,
				       .field = "conf.split",
				       .refs = refs,
				       .count = spec->split_count,
				       .whole = true };

	for (size_t i = 0; i < spec->split_count; i++)
		refs[i] = ref_of(at, &spec->split[i]);
	analyze_list(at, &list);
}

/* ---- what is left of them ---- */
static bool is_about(const struct resource *route, const struct outbound_route *outbound)
{
	const struct traffic_route_spec *spec = route->traffic_route;

	/* Only outbounds by tags are led. */
	if (outbound->tags.count == 0)
		return false;
	for (size_t i = 0; i < spec->destination_count; i++) {
		const char *name = labels_get(spec->destinations[i].match, TAG_SERVICE);

		if (is_any(name) || strcmp(name, outbound->destination.name) == 0)
			return true;
	}
	return false;
}

void carried_count(struct analysis *at, struct carried *carried,
		   const struct routes *routes)
{
	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *outbound = &routes->outbounds[i];
		const struct contributor *last =
			outbound->policy_count > 0
				? &outbound->policies[outbound->policy_count - 1]
				: NULL;

		if (last == NULL || !is_about(carried->route, outbound))
			continue;
		if (last->policy == carried->route) {
			carried->outbounds++;
			carried->services = analysis_join(at, carried->services,
							  outbound->destination.name);
		} else {
			carried->lost++;
			carried->successor = last->policy;
		}
	}
}

void carried_tell(struct analysis *at, const struct carried *carried)
{
	struct spot spot = { .res = carried->route,
			     .field = "destinations",
			     .name = carried->route->key.name };

	if (carried->outbounds > 0)
		analysis_add(at, RULE_TRAFFIC_CARRIES, &spot,
			     "it has %zu outbound%s, to %s", carried->outbounds,
			     carried->outbounds == 1 ? "" : "s", carried->services);
	if (carried->lost == 0)
		return;
	spot.name = carried->successor->key.name;
	analysis_add(at, RULE_TRAFFIC_SHADOWED, &spot,
		     "%s \"%s\" has %s%zu outbound%s in its place%s",
		     kind_info(carried->successor->key.kind)->name, spot.name,
		     carried->lost == 1 ? "" : "some of ", carried->lost,
		     carried->lost == 1 ? "" : "s",
		     carried->outbounds == 0 ? ", and nothing is left to it" : "");
}
