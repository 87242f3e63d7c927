/* Names, mesh and labels of a document against the rules of its writer (spec 1.4-1.6). */
#include "model/document.h"
#include "model/names.h"

#include <string.h>

static bool is_policy(enum kind kind)
{
	return kind_info(kind)->policy;
}

/* What is named in DNS: for a replica by its display name. */
static bool is_service(enum kind kind)
{
	return kind == KIND_MESH_SERVICE || kind == KIND_MESH_MULTI_ZONE_SERVICE ||
	       kind == KIND_MESH_EXTERNAL_SERVICE;
}

char *kind_place_violation(struct zl_arena *arena, enum kind kind, enum writer writer)
{
	unsigned places = kind_info(kind)->places;
	const char *name = kind_info(kind)->name;

	if (writer == WRITER_GLOBAL && !(places & AT_GLOBAL))
		return zl_arena_format(arena, "kind %s is written in a zone", name);
	if (writer == WRITER_ZONE && !(places & IN_ZONE))
		return zl_arena_format(arena, "kind %s is written at global", name);
	return NULL;
}

/* ---- URL and body; place ---- */
static void check_agreement(struct decode *dec, struct head *head,
			    const struct resource_rules *rules)
{
	const char *type = head->k8s ? "kind" : "type";

	if (rules->want_kind != KIND_NONE && rules->want_kind != head->kind)
		decode_bad(dec, NULL, type, head->type_at,
			   "type from the URL has to be the same as in body");
	if (rules->want_name != NULL && head->name[0] != '\0' &&
	    strcmp(rules->want_name, head->name) != 0)
		decode_bad(dec, NULL, "name", head->name_at,
			   "name from the URL has to be the same as in body");
	if (rules->want_mesh != NULL && head->info->scope == SCOPE_MESH &&
	    strcmp(rules->want_mesh, head->mesh) != 0)
		decode_bad(dec, NULL, "mesh", head->mesh_at,
			   "mesh from the URL has to be the same as in body");
}

static void check_place(struct decode *dec, const struct head *head,
			const struct resource_rules *rules, struct zl_arena *arena)
{
	char *text = rules->alone
			     ? NULL
			     : kind_place_violation(arena, head->kind, rules->writer);

	if (text != NULL)
		decode_bad(dec, NULL, head->k8s ? "kind" : "type", head->type_at, "%s",
			   text);
}

/* ---- names ---- */
static void check_name(struct decode *dec, const struct head *head,
		       const struct resource_rules *rules)
{
	const char *fault = name_fault(head->name);

	if (head->name_at != NULL && head->name_at->type != TREE_TEXT)
		return;
	if (head->kind == KIND_ZONE)
		fault = name_fault_1035(head->name);
	if (is_service(head->kind)) {
		const char *own = name_fault_1035(
			rules->writer == WRITER_ANY ? head_key(head).name : head->name);
		fault = own != NULL ? own : fault;
	}
	if (fault == NULL && head->kind == KIND_MESH)
		fault = name_fault_mesh(head->name);
	if (fault == NULL && rules->writer == WRITER_ZONE && !rules->alone &&
	    strlen(rules->zone) + 1 + strlen(head->name) >= NAME_MAX_LEN)
		fault = "the length of the name must be shorter";
	if (fault != NULL)
		decode_bad(dec, NULL, "name", head->name_at, "%s", fault);
}

static void check_mesh_and_namespace(struct decode *dec, const struct head *head,
				     const struct resource_rules *rules)
{
	const char *fault =
		head->info->scope == SCOPE_MESH ? name_fault_mesh(head->mesh) : NULL;
	struct path meta = { .name = "metadata" };

	if (fault != NULL)
		decode_bad(dec, NULL, "mesh", head->mesh_at, "%s", fault);
	fault = head->ns[0] != '\0' ? name_fault_namespace(head->ns) : NULL;
	if (fault != NULL)
		decode_bad(dec, &meta, "namespace", head->ns_at, "%s", fault);
	else if (rules->writer == WRITER_GLOBAL && is_policy(head->kind) &&
		 !name_is_system_namespace(head->ns))
		decode_bad(dec, &meta, "namespace", head->ns_at,
			   "on Global CP the policy can be created only in the system "
			   "namespace:kuma-system");
}

/* ---- the role of a policy (spec 1.5) ---- */
static const char *text_in(const struct tree *map, const char *key)
{
	const struct tree *text = tree_get(map, key);

	return text != NULL && text->type == TREE_TEXT ? text->text : "";
}

static bool designates_by_labels(const struct tree *labels, const char *ns)
{
	const char *in = text_in(labels, LABEL_NAMESPACE);
	size_t expected = 1 + (in[0] != '\0');

	return text_in(labels, LABEL_DISPLAY_NAME)[0] != '\0' &&
	       labels->count == expected && (in[0] == '\0' || strcmp(in, ns) == 0);
}

/* True for a to item that names one service of the policy's own namespace. */
static bool is_producer_item(const struct tree *item, const char *ns)
{
	const struct tree *ref = tree_get(item, "targetRef");
	const struct tree *labels = tree_get(ref, "labels");
	const char *kind = text_in(ref, "kind");
	const char *in = text_in(ref, "namespace");

	if (strcmp(kind, "MeshService") != 0 && strcmp(kind, "MeshHTTPRoute") != 0)
		return false;
	if (labels != NULL && labels->type == TREE_MAP && labels->count > 0)
		return designates_by_labels(labels, ns);
	return text_in(ref, "name")[0] != '\0' && (in[0] == '\0' || strcmp(in, ns) == 0);
}

/* The role that the document has; NULL: mixed. */
static const char *role_of(const struct head *head, const char *ns)
{
	const struct tree *to = tree_get(head->spec, "to");
	size_t producers = 0;

	if (name_is_system_namespace(ns))
		return "system";
	if (to == NULL || to->type != TREE_LIST || to->count == 0)
		return "workload-owner";
	for (size_t i = 0; i < to->count; i++)
		producers += is_producer_item(to->items[i], ns);
	if (producers == to->count)
		return "producer";
	return producers == 0 ? "consumer" : NULL;
}

static bool is_role(const char *role)
{
	return strcmp(role, "system") == 0 || strcmp(role, "workload-owner") == 0 ||
	       strcmp(role, "producer") == 0 || strcmp(role, "consumer") == 0;
}

/* ---- labels ---- */
static void check_origin(struct decode *dec, const struct head *head,
			 const struct resource_rules *rules)
{
	const char *origin = labels_get(head->labels, LABEL_ORIGIN);
	const char *zone = labels_get(head->labels, LABEL_ZONE);
	bool known = origin == NULL || strcmp(origin, "global") == 0 ||
		     strcmp(origin, "zone") == 0;
	struct path labels = { .name = "labels" };
	struct path origin_at = { .up = &labels, .name = LABEL_ORIGIN, .is_key = true };
	struct path zone_at = { .up = &labels, .name = LABEL_ZONE, .is_key = true };

	if (!known)
		decode_bad(dec, &origin_at, NULL, head->labels_at,
			   "unknown resource origin \"%s\"", origin);
	else if (rules->writer == WRITER_GLOBAL && origin != NULL &&
		 strcmp(origin, "global") != 0)
		decode_bad(dec, &origin_at, NULL, head->labels_at,
			   "the origin label must be set to 'global'");
	else if (rules->writer == WRITER_ZONE && !rules->alone &&
		 (origin == NULL ? is_policy(head->kind) : strcmp(origin, "zone") != 0))
		decode_bad(dec, &origin_at, NULL, head->labels_at,
			   "the origin label must be set to 'zone'");
	if (rules->writer == WRITER_ZONE && zone != NULL &&
	    strcmp(zone, rules->zone) != 0 &&
	    (origin == NULL || strcmp(origin, "global") != 0))
		decode_bad(dec, &zone_at, NULL, head->labels_at,
			   "kuma.io/zone label should have %s value", rules->zone);
}

static void check_mesh_label(struct decode *dec, const struct head *head)
{
	const char *label = labels_get(head->labels, LABEL_MESH);
	struct path labels = { .name = "labels" };
	struct path at = { .up = &labels, .name = LABEL_MESH, .is_key = true };

	if (head->k8s || head->info->scope != SCOPE_MESH || label == NULL ||
	    strcmp(label, head->mesh) == 0)
		return; /* read_k8s_mesh has looked at Kubernetes documents */
	decode_bad(dec, &at, NULL, head->labels_at,
		   "kuma.io/mesh label must not differ from mesh set on resource");
}

/* D36: the role of a replica is kept, any other is computed. */
static void check_role(struct decode *dec, const struct head *head,
		       const struct resource_rules *rules)
{
	const char *given = labels_get(head->labels, LABEL_ROLE);
	const char *ns = labels_get(head->labels, LABEL_NAMESPACE);
	const char *origin = labels_get(head->labels, LABEL_ORIGIN);
	bool replica = rules->writer == WRITER_ANY && origin != NULL &&
		       strcmp(origin, "zone") == 0 && given != NULL && is_role(given);
	struct path labels = { .name = "labels" };
	struct path at = { .up = &labels, .name = LABEL_ROLE, .is_key = true };
	struct path to_at = { .name = "spec" };

	if (!is_policy(head->kind))
		return;
	const char *role = role_of(head, ns != NULL ? ns : "");
	if (replica) {
		dec->role = given;
		return;
	}
	if (role == NULL) {
		decode_bad(dec, &to_at, "to", tree_get(head->spec, "to"),
			   "it's not allowed to mix producer and consumer items in the "
			   "same policy");
		role = "consumer";
	} else if (given != NULL && strcmp(given, role) != 0) {
		decode_bad(dec, &at, NULL, head->labels_at,
			   "kuma.io/policy-role label should have %s value, got %s", role,
			   given);
	}
	dec->role = role;
}

static void check_label_syntax(struct decode *dec, const struct head *head)
{
	struct path labels = { .name = "labels" };

	for (size_t i = 0; i < head->labels.count; i++) {
		const struct label *label = &head->labels.items[i];
		struct path at = { .up = &labels, .name = label->key, .is_key = true };
		const char *key_fault = label_fault_key(label->key);
		/* a display name is a name, which may be longer than a label */
		bool shown = strcmp(label->key, LABEL_DISPLAY_NAME) == 0;
		const char *value_fault = shown ? name_fault(label->value)
						: label_fault_value(label->value);
		const struct tree *where = tree_get(head->labels_at, label->key);
		if (key_fault != NULL)
			decode_bad(dec, &at, NULL, where, "%s", key_fault);
		if (value_fault != NULL)
			decode_bad(dec, &at, NULL, where, "%s", value_fault);
	}
}

static void put(struct head *head, struct zl_arena *arena, const char *key,
		const char *value)
{
	head->labels = labels_with(arena, head->labels, key, value);
}

/* What the control plane writes itself (spec 1.4). */
static void settle(struct decode *dec, struct head *head,
		   const struct resource_rules *rules, struct zl_arena *arena)
{
	bool writes = rules->writer != WRITER_ANY;

	if (writes)
		put(head, arena, LABEL_DISPLAY_NAME, head->name);
	if (rules->writer == WRITER_GLOBAL)
		put(head, arena, LABEL_ORIGIN, "global");
	if (rules->writer == WRITER_ZONE)
		put(head, arena, LABEL_ORIGIN, "zone");
	if (rules->writer == WRITER_ZONE && head->info->places & IN_ZONE)
		put(head, arena, LABEL_ZONE, rules->zone);
	if (dec->role[0] != '\0' && labels_get(head->labels, LABEL_NAMESPACE) != NULL)
		put(head, arena, LABEL_ROLE, dec->role);
}

void head_check(struct decode *dec, struct head *head, const struct resource_rules *rules,
		struct zl_arena *arena)
{
	/* Secrets are found by name and mesh alone, wherever their object stood. */
	bool keeps_ns = (head->info->scope == SCOPE_MESH && head->kind != KIND_SECRET) ||
			kind_is_zone_proxy(head->kind);

	if (head->ns[0] != '\0' && keeps_ns &&
	    labels_get(head->labels, LABEL_NAMESPACE) == NULL)
		put(head, arena, LABEL_NAMESPACE, head->ns);
	if (rules->want_mesh != NULL && head->mesh_at == NULL && !head->k8s &&
	    head->info->scope == SCOPE_MESH)
		head->mesh = rules->want_mesh;
	check_agreement(dec, head, rules);
	check_place(dec, head, rules, arena);
	check_name(dec, head, rules);
	check_mesh_and_namespace(dec, head, rules);
	check_origin(dec, head, rules);
	check_mesh_label(dec, head);
	check_role(dec, head, rules);
	check_label_syntax(dec, head);
	settle(dec, head, rules, arena);
}
