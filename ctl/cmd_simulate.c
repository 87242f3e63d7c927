#include "ctl/ctl.h"
#include "ctl/derived.h"
#include "ctl/files.h"

#include "base/base64.h"
#include "envoy/build.h"
#include "envoy/json.h"
#include "inventory/inventory.h"
#include "model/set.h"
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

/* All that a run of the resolver needs, made of the files. */
struct scene {
	struct set *set;
	struct inventory *inventory;
	struct policy_index *index;
	struct derived derived; /* of the mesh that is asked for */
};

static struct scene scene_make(const struct ctl *ctl, const struct files *files)
{
	struct scene scene = { 0 };
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	for (size_t i = 0; i < files->count; i++)
		set_put(edit, files->items[i].res);
	scene.set = set_done(&edit);
	set_drop(&empty);
	scene.derived = derived_add(&scene.set, ctl->zone, ctl->mesh, ctl->arena);
	scene.inventory = inventory_build(scene.set, ctl->zone);
	scene.index = policy_index_new(scene.set, ctl->zone);
	return scene;
}

static void scene_drop(struct scene *scene)
{
	policy_index_drop(&scene->index);
	inventory_drop(&scene->inventory);
	set_drop(&scene->set);
}

/* The content of a Secret among the files. */
static bool read_secret(void *owner, const char *mesh, const char *name,
			struct zl_buf *content)
{
	const struct scene *scene = owner;
	const struct key key = { KIND_SECRET, mesh, "", "", name };
	const struct resource *res = set_get(scene->set, &key);

	return res != NULL && zl_base64_read(res->secret->data, strlen(res->secret->data),
					     content, NULL) == ZL_OK;
}

static bool is_asked(const struct ctl *ctl, const struct resource *res)
{
	return ctl->proxy == NULL || strcmp(res->key.name, ctl->proxy) == 0;
}

/* The ZoneIngress or ZoneEgress of the zone that --proxy names, or NULL. */
static const struct resource *find_zone_proxy(const struct ctl *ctl,
					      const struct scene *scene)
{
	struct set_iter ingresses = set_each(scene->set, KIND_ZONE_INGRESS, NULL);
	struct set_iter egresses = set_each(scene->set, KIND_ZONE_EGRESS, NULL);
	const struct resource *res;

	while ((res = set_next(&ingresses)) != NULL)
		if (strcmp(ingress_zone(res, ctl->zone), ctl->zone) == 0 &&
		    is_asked(ctl, res))
			return res;
	while ((res = set_next(&egresses)) != NULL)
		if (strcmp(egress_zone(res, ctl->zone), ctl->zone) == 0 &&
		    is_asked(ctl, res))
			return res;
	return NULL;
}

static void print_routes(const struct ctl *ctl, const struct scene *scene,
			 const struct routes **routes, size_t count)
{
	struct zl_buf text = { 0 };
	struct policy_answer answer = { .zone = ctl->zone,
					.mesh = ctl->mesh,
					.routes = routes,
					.route_count = count,
					.to = ctl->to };

	answer.unreached = policy_unreached(scene->set, ctl->zone, ctl->mesh, ctl->arena,
					    &answer.unreached_count);
	answer.warnings = derived_warnings(&scene->derived,
					   policy_warnings(scene->index, scene->inventory,
							   ctl->mesh, ctl->arena,
							   &answer.warning_count),
					   &answer.warning_count);
	if (ctl->output == OUT_JSON)
		policy_json(&answer, &text);
	else
		policy_text(&answer, &text);
	(void)fwrite(zl_buf_text(&text), 1, text.len, stdout);
	zl_buf_free(&text);
}

static void print_config(struct envoy_config *config)
{
	struct zl_buf text = { 0 };

	envoy_config_json(config, &text);
	(void)fwrite(zl_buf_text(&text), 1, text.len, stdout);
	zl_buf_free(&text);
	envoy_config_drop(&config);
}

/* Resolve every proxy of the mesh that was asked for. */
static const struct routes **resolve_all(struct ctl *ctl, const struct scene *scene,
					 size_t *count)
{
	const struct policy_options options = { .explain = ctl->output != OUT_JSON };
	struct set_iter each = set_each(scene->set, KIND_DATAPLANE, ctl->mesh);
	const struct routes **routes =
		zl_arena_alloc(ctl->arena, set_count(scene->set, KIND_DATAPLANE),
			       sizeof(struct routes *));
	const struct resource *res;

	*count = 0;
	while ((res = set_next(&each)) != NULL)
		if (dataplane_is_local(res, ctl->zone) && is_asked(ctl, res))
			routes[(*count)++] =
				policy_resolve(scene->index, scene->inventory, res,
					       &options, ctl->arena);
	return routes;
}

static void print_zone_proxy(const struct ctl *ctl, const struct zone_routes *routes)
{
	struct zl_buf text = { 0 };

	if (ctl->output == OUT_JSON)
		policy_zone_json(routes, &text);
	else
		policy_zone_text(routes, &text);
	(void)fwrite(zl_buf_text(&text), 1, text.len, stdout);
	zl_buf_free(&text);
}

/* --proxy names no Dataplane, so perhaps a proxy of the zone. */
static enum ctl_exit simulate_zone_proxy(const struct ctl *ctl, struct scene *scene)
{
	const struct envoy_secrets secrets = { .read = read_secret, .owner = scene };
	const struct resource *proxy = find_zone_proxy(ctl, scene);
	const struct zone_routes *routes;
	bool leaving;

	if (ctl->proxy == NULL || proxy == NULL)
		return ctl_fail(CTL_ABSENT, "no %s%s%s of zone %s in mesh %s",
				ctl->output == OUT_ENVOY ? "proxy" : "Dataplane",
				ctl->proxy != NULL ? " " : "",
				ctl->proxy != NULL ? ctl->proxy : "", ctl->zone,
				ctl->mesh);
	leaving = proxy->key.kind == KIND_ZONE_EGRESS;
	routes =
		leaving ? policy_egress(scene->index, scene->inventory, proxy, ctl->arena)
			: policy_ingress(scene->index, scene->inventory, proxy,
					 ctl->arena);
	if (ctl->output != OUT_ENVOY)
		print_zone_proxy(ctl, routes);
	else
		print_config(leaving ? envoy_build_egress(routes, &secrets)
				     : envoy_build_ingress(routes));
	return CTL_OK;
}

static enum ctl_exit simulate(struct ctl *ctl, struct scene *scene)
{
	const struct envoy_secrets secrets = { .read = read_secret, .owner = scene };
	bool as_config = ctl->output == OUT_ENVOY;
	size_t count;
	const struct routes **routes = resolve_all(ctl, scene, &count);

	if (count == 0 && (as_config || ctl->proxy != NULL))
		return simulate_zone_proxy(ctl, scene);
	if (as_config && count > 1)
		return ctl_fail(CTL_USAGE,
				"-o envoy prints one proxy of %zu: name it by "
				"--proxy NAME",
				count);
	if (as_config)
		print_config(envoy_build_proxy(routes[0], &secrets));
	else
		print_routes(ctl, scene, routes, count);
	return CTL_OK;
}

enum ctl_exit cmd_simulate(struct ctl *ctl)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct files files;

	if (ctl->file_count == 0)
		return ctl_fail(CTL_USAGE, "simulate: -f FILE, DIR or - is missing");
	if (ctl->zone == NULL)
		return ctl_fail(CTL_USAGE, "simulate: --zone ZONE is missing: whose eyes "
					   "to see the files with");
	files_read(ctl, &rules, files_as_own, &files);
	enum ctl_exit code = files_exit(&files);
	if (code != CTL_OK) {
		files_print_findings(&files, false);
	} else {
		struct scene scene = scene_make(ctl, &files);
		code = simulate(ctl, &scene);
		scene_drop(&scene);
	}
	files_drop(&files);
	return code;
}
