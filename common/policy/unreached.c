#include "policy/policy.h"

#include <string.h>

/* What the ingresses of one other zone come to. */
struct ways {
	size_t count;
	size_t advertised;
	bool offers; /* something in the mesh */
};

static bool offers_in(const struct zone_ingress_spec *ingress, const char *mesh)
{
	for (size_t i = 0; i < ingress->service_count; i++)
		if (strcmp(ingress->services[i].mesh, mesh) == 0)
			return true;
	return false;
}

static struct ways ways_into(const struct set *set, const char *zone, const char *own,
			     const char *mesh)
{
	struct set_iter each = set_each(set, KIND_ZONE_INGRESS, NULL);
	const struct resource *res;
	struct ways ways = { 0 };

	while ((res = set_next(&each)) != NULL) {
		if (strcmp(ingress_zone(res, own), zone) != 0)
			continue;
		ways.count++;
		if (res->ingress->advertised[0] == '\0')
			continue;
		ways.advertised++;
		ways.offers = ways.offers || offers_in(res->ingress, mesh);
	}
	return ways;
}

/* Why nothing of zone is reached, or NULL. */
static const char *why_unreached(const struct set *set, const char *zone, const char *own,
				 const char *mesh, struct zl_arena *arena)
{
	struct ways ways = ways_into(set, zone, own, mesh);

	if (!zone_is_enabled(set, zone))
		return "it is disabled, and what it offers withdrawn";
	if (ways.count == 0)
		return "it has no ZoneIngress";
	if (ways.advertised == 0)
		return "no ZoneIngress of it has an advertised address "
		       "(networking.advertisedAddress, advertisedPort)";
	if (!ways.offers)
		return zl_arena_format(arena, "it offers nothing in mesh \"%s\"", mesh);
	return NULL;
}

const char *const *policy_unreached(const struct set *set, const char *own,
				    const char *mesh, struct zl_arena *arena,
				    size_t *count)
{
	struct set_iter each = set_each(set, KIND_ZONE, NULL);
	const char **notes =
		zl_arena_alloc(arena, set_count(set, KIND_ZONE), sizeof(*notes));
	const struct resource *zone;

	*count = 0;
	while ((zone = set_next(&each)) != NULL) {
		const char *name = zone->key.name;
		if (strcmp(name, own) == 0)
			continue;
		const char *why = why_unreached(set, name, own, mesh, arena);
		if (why != NULL)
			notes[(*count)++] = zl_arena_format(
				arena, "nothing in zone \"%s\" is reached: %s", name,
				why);
	}
	return notes;
}
