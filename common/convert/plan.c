#include "convert/plan.h"

#include <stdlib.h>
#include <string.h>

static bool is_any(const char *value)
{
	return strcmp(value, "*") == 0;
}

/* ---- services ---- */
static void add_service(struct plan *plan, struct labels tags)
{
	const char *name = labels_get(tags, TAG_SERVICE);

	if (name != NULL && name[0] != '\0' && !is_any(name))
		*PLAN_PUSH(plan, plan->services) = name;
}

/* What the routes name; true: one of them is about all. */
static bool add_named(struct plan *plan)
{
	struct set_iter each = set_each(plan->set, KIND_TRAFFIC_ROUTE, plan->mesh);
	const struct resource *route;
	bool all = false;

	while ((route = set_next(&each)) != NULL) {
		const struct traffic_route_spec *spec = route->traffic_route;
		for (size_t i = 0; i < spec->destination_count; i++) {
			struct labels match = spec->destinations[i].match;
			all = all || is_any(labels_get(match, TAG_SERVICE));
			add_service(plan, match);
		}
	}
	return all;
}

static void add_known(struct plan *plan)
{
	struct set_iter each = set_each(plan->set, KIND_DATAPLANE, plan->mesh);
	const struct resource *res;

	while ((res = set_next(&each)) != NULL) {
		for (size_t i = 0; i < res->dataplane->outbound_count; i++)
			add_service(plan, res->dataplane->outbounds[i].tags);
		for (size_t i = 0; i < res->dataplane->inbound_count; i++)
			add_service(plan, res->dataplane->inbounds[i].tags);
	}
	each = set_each(plan->set, KIND_ZONE_INGRESS, NULL);
	while ((res = set_next(&each)) != NULL)
		for (size_t i = 0; i < res->ingress->service_count; i++)
			if (strcmp(res->ingress->services[i].mesh, plan->mesh) == 0)
				add_service(plan, res->ingress->services[i].tags);
	each = set_each(plan->set, KIND_EXTERNAL_SERVICE, plan->mesh);
	while ((res = set_next(&each)) != NULL)
		add_service(plan, res->external->tags);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void plan_services(struct plan *plan)
{
	const char **items;
	size_t kept = 0;

	plan->services.count = 0;
	if (add_named(plan))
		add_known(plan);
	items = plan->services.items;
	if (plan->services.count > 1)
		qsort(items, plan->services.count, sizeof(*items), by_text);
	for (size_t i = 0; i < plan->services.count; i++)
		if (kept == 0 || strcmp(items[kept - 1], items[i]) != 0)
			items[kept++] = items[i];
	plan->services.count = kept;
}

/* ---- fits ---- */
static size_t count_tags(struct labels match)
{
	size_t count = 0;

	for (size_t i = 0; i < match.count; i++)
		count += !is_any(match.items[i].value);
	return count;
}

/* The most tags of a destination of route that is service; false: none is. */
static bool is_destination(const struct traffic_route_spec *spec, const char *service,
			   size_t *tags)
{
	bool found = false;

	*tags = 0;
	for (size_t i = 0; i < spec->destination_count; i++) {
		const char *name = labels_get(spec->destinations[i].match, TAG_SERVICE);
		if (!is_any(name) && strcmp(name, service) != 0)
			continue;
		found = true;
		*tags += !is_any(name) && *tags == 0;
	}
	return found;
}

static int by_fit(const void *one, const void *other)
{
	const struct fit *a = one;
	const struct fit *b = other;

	if (a->source_tags != b->source_tags)
		return a->source_tags > b->source_tags ? -1 : 1;
	if (a->destination_tags != b->destination_tags)
		return a->destination_tags > b->destination_tags ? -1 : 1;
	int order = strcmp(a->route->key.name, b->route->key.name);
	if (order == 0)
		order = key_compare(&a->route->key, &b->route->key);
	return order != 0 ? order : labels_compare(a->source, b->source);
}

const struct fit *plan_fits(const struct plan *plan, const char *service, size_t *count)
{
	struct set_iter each = set_each(plan->set, KIND_TRAFFIC_ROUTE, plan->mesh);
	struct {
		struct fit *items;
		size_t count, room;
	} fits = { 0 };
	const struct resource *route;
	size_t tags;

	while ((route = set_next(&each)) != NULL) {
		const struct traffic_route_spec *spec = route->traffic_route;
		if (!is_destination(spec, service, &tags))
			continue;
		for (size_t i = 0; i < spec->source_count; i++)
			*PLAN_PUSH(plan, fits) =
				(struct fit){ .route = route,
					      .source = spec->sources[i].match,
					      .source_tags =
						      count_tags(spec->sources[i].match),
					      .destination_tags = tags };
	}
	if (fits.count > 1)
		qsort(fits.items, fits.count, sizeof(*fits.items), by_fit);
	*count = fits.count;
	return fits.items;
}

/* ---- what a MeshTCPRoute cannot say ---- */
/* True if there may be a MeshService object of that name: written or derived. */
static bool has_object(const struct plan *plan, const char *name)
{
	struct set_iter each = set_each(plan->set, KIND_MESH_SERVICE, plan->mesh);
	const struct resource *res;

	if (set_mesh(plan->set, plan->mesh)->services != MESH_SERVICES_DISABLED)
		return true;
	while ((res = set_next(&each)) != NULL)
		if (strcmp(res->key.name, name) == 0)
			return true;
	return false;
}

/* An outbound of proxy for which a list means something else; NULL: none. */
static const char *refusal_of(const struct plan *plan, const struct resource *proxy,
			      const char *service, bool objects)
{
	for (size_t i = 0; i < proxy->dataplane->outbound_count; i++) {
		const struct outbound *out = &proxy->dataplane->outbounds[i];
		const char *name = labels_get(out->tags, TAG_SERVICE);
		if (objects && out->has_backend && out->backend.kind == REF_MESH_SERVICE)
			return zl_arena_format(
				plan->arena,
				"a MeshTCPRoute would lead the outbound %u of Dataplane "
				"\"%s\" as well, which asks for a MeshService object",
				out->port, proxy->key.name);
		if (out->has_backend || name == NULL || strcmp(name, service) != 0)
			continue;
		if (labels_without(plan->arena, out->tags, LABEL_MESH).count > 1)
			return zl_arena_format(
				plan->arena,
				"the outbound %u of Dataplane \"%s\" asks for %s, and a "
				"MeshTCPRoute cannot add these tags to its backends",
				out->port, proxy->key.name, plan_text(plan, out->tags));
	}
	return NULL;
}

const char *plan_refusal(const struct plan *plan, const char *service)
{
	struct set_iter each = set_each(plan->set, KIND_DATAPLANE, plan->mesh);
	const struct mesh_spec *mesh = set_mesh(plan->set, plan->mesh);
	bool objects = has_object(plan, service);
	const struct resource *proxy;
	const char *why = NULL;

	/* There is no owner for what is not there (K17), but a TrafficRoute for it. */
	if (mesh->services == MESH_SERVICES_EXCLUSIVE)
		return "in a mesh with meshServices.mode Exclusive no MeshTCPRoute is "
		       "about "
		       "a service without a MeshService object";
	while (why == NULL && (proxy = set_next(&each)) != NULL)
		why = refusal_of(plan, proxy, service, objects);
	return why;
}

bool plan_is_about(const struct resource *route, size_t to, const char *service)
{
	const struct target_ref *target = &route->tcp_route->to[to].target;
	const char *effect = labels_get(route->labels, LABEL_EFFECT);

	if (effect != NULL && strcmp(effect, "shadow") == 0)
		return false;
	return target->kind == REF_MESH_SERVICE && strcmp(target->name, service) == 0 &&
	       target->ns[0] == '\0' && target->section[0] == '\0' && target->port == 0;
}

bool plan_has_all(const struct resource *route)
{
	const struct target_ref *top = &route->tcp_route->target;
	const char *role = labels_get(route->labels, LABEL_ROLE);

	return top->kind == REF_MESH && top->sidecar && top->gateway &&
	       route->key.zone[0] == '\0' &&
	       (role == NULL || strcmp(role, "system") == 0);
}

const char *plan_text(const struct plan *plan, struct labels labels)
{
	struct zl_buf text = { 0 };

	for (size_t i = 0; i < labels.count; i++)
		zl_buf_format(&text, "%s%s: %s", i > 0 ? ", " : "{", labels.items[i].key,
			      labels.items[i].value);
	zl_buf_str(&text, labels.count > 0 ? "}" : "{}");
	const char *copy = zl_arena_strdup(plan->arena, zl_buf_text(&text));
	zl_buf_free(&text);
	return copy;
}
