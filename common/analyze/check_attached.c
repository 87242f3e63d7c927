/* Policies that attach to routes, and their legacy forms: where they are in effect, and
 * what keeps them from it. */
#include "analyze/analysis.h"

#include "policy/refs.h"

#include <string.h>

/* ---- what is in effect ---- */

/* Call visit for what holds at each place of routes. */
typedef void visit_settings(void *ctx, const struct settings *settings);

static void visit_backends(const struct backend *backends, size_t count,
			   visit_settings *visit, void *ctx)
{
	for (size_t i = 0; i < count; i++)
		if (backends[i].settings != NULL)
			visit(ctx, backends[i].settings);
}

static void visit_one(const struct settings *settings, visit_settings *visit, void *ctx)
{
	if (settings != NULL)
		visit(ctx, settings);
}

static void visit_outbound(const struct outbound_route *outbound, visit_settings *visit,
			   void *ctx)
{
	visit_one(outbound->settings, visit, ctx);
	visit_backends(outbound->backends, outbound->backend_count, visit, ctx);
	for (size_t i = 0; i < outbound->rule_count; i++) {
		visit_one(outbound->rules[i].settings, visit, ctx);
		visit_backends(outbound->rules[i].backends,
			       outbound->rules[i].backend_count, visit, ctx);
	}
}

static void visit_all(const struct routes *routes, visit_settings *visit, void *ctx)
{
	for (size_t i = 0; i < routes->outbound_count; i++)
		visit_outbound(&routes->outbounds[i], visit, ctx);
	for (size_t i = 0; i < routes->listener_count; i++) {
		visit_one(routes->listeners[i].settings, visit, ctx);
		visit_backends(routes->listeners[i].backends,
			       routes->listeners[i].backend_count, visit, ctx);
	}
	for (size_t i = 0; i < routes->inbound_count; i++)
		visit_one(routes->inbounds[i].settings, visit, ctx);
}

/* How many fields of policy are in effect. */
struct fields_of {
	const struct resource *policy;
	size_t count;
};

static void count_fields(void *ctx, const struct settings *settings)
{
	struct fields_of *fields = ctx;

	for (size_t i = 0; i < settings->applied_count; i++)
		fields->count += settings->applied[i].policy.policy == fields->policy;
}

/* ---- policies with to ---- */
static bool is_backend(const struct backend *backends, size_t count, const char *service)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(backends[i].name, service) == 0)
			return true;
	return false;
}

/* True if outbound, or what it leads to, is what target asks for by name, or target is
 * the mesh. */
static bool is_about(const struct outbound_route *outbound,
		     const struct target_ref *target)
{
	bool leads =
		is_backend(outbound->backends, outbound->backend_count, target->name);

	for (size_t i = 0; i < outbound->rule_count && !leads; i++)
		leads = is_backend(outbound->rules[i].backends,
				   outbound->rules[i].backend_count, target->name);
	return target->kind == REF_MESH ||
	       (ref_is_by_name(target) &&
		(leads || strcmp(outbound->destination.name, target->name) == 0));
}

static size_t count_about(const struct resource *policy, const struct routes *routes)
{
	size_t count = routes->listener_count;

	for (size_t i = 0; i < routes->outbound_count; i++) {
		bool about = false;
		for (size_t t = 0; t < route_to_count(policy); t++)
			about = about ||
				is_about(&routes->outbounds[i], route_to(policy, t));
		count += about;
	}
	return count;
}

/* ---- legacy policies ---- */
static bool is_destination(const struct resource *policy,
			   const struct outbound_route *outbound)
{
	const struct legacy_spec *spec = policy->legacy;

	for (size_t i = 0; outbound->tags.count > 0 && i < spec->destination_count; i++) {
		const char *name = labels_get(spec->destinations[i].match, TAG_SERVICE);
		if (name != NULL && (strcmp(name, "*") == 0 ||
				     strcmp(name, outbound->destination.name) == 0))
			return true;
	}
	return false;
}

/* The policy of the new kind that says something at settings. */
struct successor {
	enum kind kind;
	const struct resource *policy; /* NULL: none */
};

static void find_successor(void *ctx, const struct settings *settings)
{
	struct successor *successor = ctx;

	for (size_t i = 0; i < settings->applied_count; i++)
		if (settings->applied[i].kind == successor->kind &&
		    settings->applied[i].list != LIST_LEGACY)
			successor->policy = settings->applied[i].policy.policy;
}

/* Why policy has no say on outbound; NULL: it has, or another of its kind fits better. */
static const char *why_lost(struct analysis *at, const struct resource *policy,
			    const struct outbound_route *outbound)
{
	struct successor successor = { .kind = kind_replaces(policy->key.kind) };

	if (outbound->owner == OWNER_DEFAULT)
		return "no TrafficRoute";
	if (outbound->owner != OWNER_TRAFFIC_ROUTE)
		return route_owner_name(outbound->owner);
	visit_outbound(outbound, find_successor, &successor);
	return successor.policy == NULL ? NULL
					: zl_arena_format(at->arena, "%s \"%s\"",
							  kind_info(successor.kind)->name,
							  successor.policy->key.name);
}

static void count_lost(struct analysis *at, struct attachment *attachment,
		       const char *owner, const char *service)
{
	size_t i = 0;

	while (i < attachment->lost_count &&
	       strcmp(attachment->lost[i].owner, owner) != 0)
		i++;
	if (i == ATTACHMENT_OWNERS)
		return;
	if (i == attachment->lost_count)
		attachment->lost[attachment->lost_count++] = (struct attachment_lost){
			.owner = zl_arena_strdup(at->arena, owner), .services = ""
		};
	attachment->lost[i].outbounds++;
	attachment->lost[i].services =
		analysis_join(at, attachment->lost[i].services, service);
}

void attachment_count(struct analysis *at, struct attachment *attachment,
		      const struct routes *routes)
{
	const struct resource *policy = attachment->policy;
	struct fields_of fields = { .policy = policy };

	visit_all(routes, count_fields, &fields);
	attachment->applied += fields.count;
	if (!kind_is_legacy(policy->key.kind)) {
		attachment->about += count_about(policy, routes);
		return;
	}
	for (size_t i = 0; i < routes->outbound_count; i++) {
		const struct outbound_route *outbound = &routes->outbounds[i];
		if (policy->key.kind == KIND_TRAFFIC_PERMISSION ||
		    !is_destination(policy, outbound))
			continue;
		const char *owner = why_lost(at, policy, outbound);
		attachment->about += owner == NULL;
		if (owner != NULL)
			count_lost(at, attachment, owner, outbound->destination.name);
	}
}

static void tell_lost(struct analysis *at, const struct attachment *attachment)
{
	const struct spot spot = {
		.res = attachment->policy,
		.field = "destinations",
		.name = kind_info(kind_replaces(attachment->policy->key.kind))->name
	};

	for (size_t i = 0; i < attachment->lost_count; i++) {
		const struct attachment_lost *lost = &attachment->lost[i];
		analysis_add(at, RULE_LEGACY_LOST, &spot,
			     "it does not reach %zu outbound%s, to %s: %s owns %s",
			     lost->outbounds, lost->outbounds == 1 ? "" : "s",
			     lost->services, lost->owner,
			     lost->outbounds == 1 ? "it" : "them");
	}
}

void attachment_tell(struct analysis *at, const struct attachment *attachment)
{
	const struct resource *policy = attachment->policy;
	bool legacy = kind_is_legacy(policy->key.kind);
	bool in = !legacy && policy->attached->to.count == 0;
	const struct spot spot = { .res = policy,
				   .field = legacy ? "conf" : "spec.to",
				   .name = policy->key.name };

	if (legacy)
		tell_lost(at, attachment);
	if (in || attachment->about == 0 || attachment->applied > 0)
		return;
	analysis_add(at, RULE_IDLE, &spot,
		     "it is about %zu outbound%s or listener%s of selected proxies, and "
		     "nothing of it is in effect",
		     attachment->about, attachment->about == 1 ? "" : "s",
		     attachment->about == 1 ? "" : "s");
}

/* ---- files of access logs ---- */
struct log_file {
	const char *path;
	struct contributor from;
	enum attached_list list;
	size_t backend; /* index in backends */
};

struct log_files {
	struct analysis *at;
	struct log_file *items;
	size_t count, room;
};

static bool is_same_file(const struct log_file *a, const struct log_file *b)
{
	/* Several TrafficLogs may name one backend of the mesh. */
	bool legacy = a->list == LIST_LEGACY && b->list == LIST_LEGACY;

	return legacy || (a->from.policy == b->from.policy && a->from.to == b->from.to &&
			  a->list == b->list && a->backend == b->backend);
}

static void tell_twice(struct analysis *at, const struct log_file *a,
		       const struct log_file *b)
{
	bool later = key_compare(&a->from.policy->key, &b->from.policy->key) > 0 ||
		     (a->from.policy == b->from.policy &&
		      (a->from.to > b->from.to ||
		       (a->from.to == b->from.to && a->backend > b->backend)));
	const struct log_file *here = later ? a : b;
	const struct log_file *there = later ? b : a;
	const struct spot spot = {
		.res = here->from.policy,
		.field = here->list == LIST_LEGACY
				 ? "conf.backend"
				 : zl_arena_format(
					   at->arena,
					   "spec.%s[%zu].default.backends[%zu].file.path",
					   attached_list_name(here->list), here->from.to,
					   here->backend),
		.name = here->path
	};

	analysis_add(at, RULE_LOG_TWICE, &spot, "%s \"%s\" has a proxy write \"%s\" too",
		     kind_info(there->from.policy->key.kind)->name,
		     there->from.policy->key.name, here->path);
}

static void add_file(struct log_files *files, const struct log_file *file)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct log_file *other = &files->items[i];
		if (strcmp(other->path, file->path) != 0)
			continue;
		if (is_same_file(other, file))
			return;
		tell_twice(files->at, other, file);
	}
	files->items = zl_arena_more(files->at->arena, files->items, files->count,
				     &files->room, sizeof(*files->items));
	files->items[files->count++] = *file;
}

static void add_files(void *ctx, const struct settings *settings)
{
	const struct applied *from = NULL;

	for (size_t i = 0; i < settings->applied_count; i++)
		if (settings->applied[i].kind == KIND_MESH_ACCESS_LOG)
			from = &settings->applied[i];
	for (size_t i = 0;
	     settings->log != NULL && from != NULL && i < settings->log->count; i++) {
		const struct log_backend *backend = &settings->log->backends[i];
		const struct log_file file = { .path = backend->path,
					       .from = from->policy,
					       .list = from->list,
					       .backend = i };
		if (backend->type == LOG_FILE)
			add_file(ctx, &file);
	}
}

void attached_files(struct analysis *at, const struct routes *routes)
{
	struct log_files files = { .at = at };

	visit_all(routes, add_files, &files);
}

/* ---- what needs something of the mesh ---- */
static bool has_mtls(const struct analysis *at, const struct resource *res)
{
	return set_mesh(at->set, res->key.mesh)->mtls_backend[0] != '\0';
}

static void check_plain(struct analysis *at, enum kind kind)
{
	struct set_iter each = set_each(at->set, kind, NULL);
	const struct resource *policy;

	while ((policy = set_next(&each)) != NULL) {
		const struct spot spot = { .res = policy,
					   .field = "",
					   .name = policy->key.mesh };
		if (!has_mtls(at, policy))
			analysis_add(at, RULE_PERMISSION_PLAIN, &spot,
				     "mesh \"%s\" has no mTLS: everybody is let in",
				     policy->key.mesh);
	}
}

static void check_log_backends(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_TRAFFIC_LOG, NULL);
	const struct resource *policy;

	while ((policy = set_next(&each)) != NULL) {
		const struct mesh_spec *mesh = set_mesh(at->set, policy->key.mesh);
		const struct tree *name = tree_get(policy->legacy->conf, "backend");
		const struct spot spot = { .res = policy,
					   .field = "conf.backend",
					   .name = policy->key.mesh };
		if (conf_of_legacy(policy, "tcp", mesh, at->arena) == NULL)
			analysis_add(at, RULE_LOG_NO_BACKEND, &spot,
				     name != NULL
					     ? "mesh \"%s\" has no logging backend \"%s\""
					     : "it names none, and mesh \"%s\" has no "
					       "default one%s",
				     policy->key.mesh, name != NULL ? name->text : "");
	}
}

static bool has_any(const struct analysis *at, enum kind kind, const char *mesh)
{
	struct set_iter each = set_each(at->set, kind, mesh);

	return set_next(&each) != NULL;
}

static size_t count_inbounds(const struct analysis *at, const char *mesh)
{
	struct set_iter each = set_each(at->set, KIND_DATAPLANE, mesh);
	const struct resource *proxy;
	size_t count = 0;

	while ((proxy = set_next(&each)) != NULL)
		for (size_t i = 0; i < proxy->dataplane->inbound_count; i++)
			count += proxy->dataplane->inbounds[i].state != INBOUND_IGNORED;
	return count;
}

static void check_closed(struct analysis *at)
{
	struct set_iter each = set_each(at->set, KIND_MESH, NULL);
	const struct resource *mesh;

	while ((mesh = set_next(&each)) != NULL) {
		const char *name = mesh->key.name;
		const struct spot spot = { .res = mesh,
					   .field = "mtls.defaultPermission",
					   .name = name };
		size_t inbounds = count_inbounds(at, name);
		if (mesh->mesh->mtls_backend[0] == '\0' || mesh->mesh->let_in ||
		    inbounds == 0 || has_any(at, KIND_MESH_TRAFFIC_PERMISSION, name) ||
		    has_any(at, KIND_TRAFFIC_PERMISSION, name))
			continue;
		analysis_add(at, RULE_NOBODY_LET_IN, &spot,
			     "mTLS is on, and no MeshTrafficPermission lets anybody in: "
			     "%zu inbound%s closed",
			     inbounds, inbounds == 1 ? " is" : "s are");
	}
}

void analyze_attached(struct analysis *at)
{
	check_plain(at, KIND_MESH_TRAFFIC_PERMISSION);
	check_plain(at, KIND_TRAFFIC_PERMISSION);
	check_log_backends(at);
	check_closed(at);
}
