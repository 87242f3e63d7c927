#include "model/document.h"

#include <string.h>

/* Heads of documents. The schema of a head is only used for its names. */
static const struct field UNIVERSAL[] = {
	{ .name = "type", .type = FIELD_TEXT },
	{ .name = "name", .type = FIELD_TEXT },
	{ .name = "mesh", .type = FIELD_TEXT },
	{ .name = "labels", .type = FIELD_LABELS },
	{ .name = "spec", .type = FIELD_OBJECT },
	/* what a server adds when it is read */
	{ .name = "creationTime", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "modificationTime", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "creationRevision", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "revision", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "kri", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "status", .type = FIELD_ANY, .flags = F_HIDDEN },
};
static const struct schema UNIVERSAL_HEAD = { .name = "document", FIELDS(UNIVERSAL) };

static const struct field KUBERNETES[] = {
	{ .name = "apiVersion", .type = FIELD_TEXT },
	{ .name = "kind", .type = FIELD_TEXT },
	{ .name = "metadata", .type = FIELD_OBJECT },
	{ .name = "mesh", .type = FIELD_TEXT },
	{ .name = "spec", .type = FIELD_OBJECT },
	{ .name = "status", .type = FIELD_ANY, .flags = F_HIDDEN },
};
static const struct schema KUBERNETES_HEAD = { .name = "document", FIELDS(KUBERNETES) };

/* A Secret in Kubernetes form is one of its own kinds of object. */
static const struct field K8S_SECRET[] = {
	{ .name = "apiVersion", .type = FIELD_TEXT },
	{ .name = "kind", .type = FIELD_TEXT },
	{ .name = "type", .type = FIELD_TEXT },
	{ .name = "metadata", .type = FIELD_OBJECT },
	{ .name = "data", .type = FIELD_OBJECT },
	{ .name = "immutable", .type = FIELD_ANY, .flags = F_HIDDEN },
};
static const struct schema K8S_SECRET_HEAD = { .name = "document", FIELDS(K8S_SECRET) };

static const struct field K8S_SECRET_DATA[] = {
	{ .name = "value", .type = FIELD_TEXT },
};
static const struct schema K8S_SECRET_DATA_HEAD = { .name = "data",
						    FIELDS(K8S_SECRET_DATA) };

static const struct field METADATA[] = {
	{ .name = "name", .type = FIELD_TEXT },
	{ .name = "namespace", .type = FIELD_TEXT },
	{ .name = "labels", .type = FIELD_LABELS },
	{ .name = "annotations", .type = FIELD_ANY },
	/* what an API server adds */
	{ .name = "uid", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "resourceVersion", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "generation", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "creationTimestamp", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "managedFields", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "ownerReferences", .type = FIELD_ANY, .flags = F_HIDDEN },
	{ .name = "finalizers", .type = FIELD_ANY, .flags = F_HIDDEN },
};
static const struct schema METADATA_HEAD = { .name = "metadata", FIELDS(METADATA) };

static bool is_named(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return true;
	return false;
}

static void unknown(struct decode *dec, const struct path *at,
		    const struct tree_member *member, const char *below, const char *near)
{
	struct tree where = { .line = member->line, .column = member->column };

	if (near != NULL)
		decode_bad(dec, at, member->key, &where,
			   "unknown field, did you mean \"%s%s\"?", below, near);
	else
		decode_bad(dec, at, member->key, &where, "unknown field");
}

const char *head_nearest(const char *name)
{
	return schema_nearest(&UNIVERSAL_HEAD, name);
}

/* Tell what map has and head has not. spec, when given, is where it may belong. */
static void tell_unknown(struct decode *dec, const struct tree *map,
			 const struct schema *head, const struct schema *spec,
			 const struct path *at)
{
	if (dec->found == NULL || map == NULL)
		return;
	for (size_t i = 0; i < map->count; i++) {
		const struct tree_member *member = &map->members[i];
		const char *near = schema_nearest(head, member->key);
		if (is_named(head, member->key))
			continue;
		if (spec != NULL && is_named(spec, member->key))
			unknown(dec, at, member, "spec.", member->key);
		else
			unknown(dec, at, member, "", near);
	}
}

static const char *text_of(struct decode *dec, const struct tree *map, const char *key,
			   const struct path *at, const struct tree **where)
{
	const struct tree *tree = tree_get(map, key);
	struct path here = { .up = at, .name = key };

	if (where != NULL)
		*where = tree;
	if (tree == NULL)
		return "";
	if (tree->type == TREE_TEXT)
		return tree->text;
	decode_wrong_type(dec, &here, tree, FIELD_TEXT);
	return "";
}

static struct labels labels_of(struct decode *dec, const struct tree *map,
			       const struct path *at, struct zl_arena *arena,
			       const struct tree **where)
{
	const struct tree *tree = tree_get(map, "labels");
	struct path here = { .up = at, .name = "labels" };
	struct decode scratch = *dec;
	struct labels labels = { 0 };

	*where = tree;
	scratch.arena = arena;
	if (tree != NULL)
		labels = decode_labels(&scratch, tree, &here);
	dec->failed = dec->failed || scratch.failed;
	return labels;
}

static void find_kind(struct decode *dec, const char *field, const char *name,
		      struct head *head)
{
	if (head->type_at != NULL && head->type_at->type != TREE_TEXT)
		return;
	if (name[0] == '\0') {
		decode_bad(dec, NULL, field, head->type_at, "must be defined");
		return;
	}
	head->kind = kind_by_name(name);
	if (head->kind != KIND_NONE) {
		head->info = kind_info(head->kind);
		return;
	}
	enum kind near = kind_by_word(name);
	if (kind_is_foreign(name))
		decode_bad(dec, NULL, field, head->type_at,
			   "kind %s is not part of Zonelink", name);
	else if (near != KIND_NONE)
		decode_bad(dec, NULL, field, head->type_at,
			   "unknown kind \"%s\", did you mean \"%s\"?", name,
			   kind_info(near)->name);
	else
		decode_bad(dec, NULL, field, head->type_at, "unknown kind \"%s\"", name);
}

/* The fields of a flat kind that stand beside name, as one map. */
static struct tree *flat_fields(const struct tree *doc, struct zl_arena *arena)
{
	struct tree *fields = tree_map(arena);

	fields->line = doc->line;
	fields->column = doc->column;
	fields->members = zl_arena_alloc(arena, doc->count, sizeof(*fields->members));
	for (size_t i = 0; i < doc->count; i++)
		if (!is_named(&UNIVERSAL_HEAD, doc->members[i].key))
			fields->members[fields->count++] = doc->members[i];
	return fields;
}

/* The map below spec; NULL when it is absent or no map. */
static void find_spec(struct decode *dec, const struct tree *doc, struct head *head)
{
	const struct tree *spec = tree_get(doc, "spec");
	struct path here = { .name = "spec" };

	head->below_spec = true;
	if (spec != NULL && spec->type != TREE_MAP)
		decode_wrong_type(dec, &here, spec, FIELD_OBJECT);
	else
		head->spec = spec;
	if (spec == NULL && !head->info->flat)
		decode_bad(dec, &here, NULL, doc, "must be defined");
}

/* What stands beside name although there is a spec. */
static void tell_both_places(struct decode *dec, const struct head *head,
			     const struct tree *fields)
{
	const struct schema *schema = schema_of(head->kind);

	for (size_t i = 0; i < fields->count; i++) {
		const struct tree_member *member = &fields->members[i];
		if (is_named(schema, member->key))
			decode_bad(dec, NULL, member->key, member->value,
				   "fields stand beside name or under spec, not in both "
				   "places");
		else
			unknown(dec, NULL, member, "", head_nearest(member->key));
	}
}

bool kind_keeps_status(enum kind kind)
{
	return kind == KIND_ZONE || kind == KIND_MESH_SERVICE ||
	       kind == KIND_MESH_MULTI_ZONE_SERVICE || kind == KIND_MESH_EXTERNAL_SERVICE;
}

static void read_universal(struct decode *dec, const struct tree *doc,
			   struct zl_arena *arena, struct head *head)
{
	const char *type = text_of(dec, doc, "type", NULL, &head->type_at);

	head->name = text_of(dec, doc, "name", NULL, &head->name_at);
	if (dec->found != NULL) {
		dec->found->at.kind = type;
		dec->found->at.name = head->name;
	}
	find_kind(dec, "type", type, head);
	if (head->kind == KIND_NONE)
		return;
	head->labels = labels_of(dec, doc, NULL, arena, &head->labels_at);
	if (head->info->scope == SCOPE_MESH)
		head->mesh = text_of(dec, doc, "mesh", NULL, &head->mesh_at);
	else if (tree_get(doc, "mesh") != NULL)
		decode_bad(dec, NULL, "mesh", tree_get(doc, "mesh"), "unknown field");

	const struct tree *status = tree_get(doc, "status");
	if (kind_keeps_status(head->kind) && status != NULL && status->type == TREE_MAP)
		head->status = status;
	struct tree *fields = flat_fields(doc, arena);
	bool has_spec = tree_get(doc, "spec") != NULL;
	if (!head->info->flat || has_spec)
		find_spec(dec, doc, head);
	else
		head->spec = fields;
	if (head->info->flat && has_spec)
		tell_both_places(dec, head, fields);
	if (!head->info->flat)
		tell_unknown(dec, doc, &UNIVERSAL_HEAD, schema_of(head->kind), NULL);
}

/* Kinds that are flat in Universal form have the mesh beside kind. */
static void read_k8s_mesh(struct decode *dec, const struct tree *doc, struct head *head)
{
	const struct tree *written = tree_get(doc, "mesh");
	const char *label = labels_get(head->labels, LABEL_MESH);
	bool takes = head->info->flat && head->info->scope == SCOPE_MESH;

	if (written != NULL && !takes)
		decode_bad(dec, NULL, "mesh", written, "unknown field%s",
			   head->info->scope == SCOPE_MESH
				   ? ", did you mean the label \"kuma.io/mesh\"?"
				   : "");
	if (head->info->scope != SCOPE_MESH)
		return;
	if (takes)
		head->mesh = text_of(dec, doc, "mesh", NULL, &head->mesh_at);
	if (head->mesh[0] == '\0' && label != NULL)
		head->mesh = label;
	else if (label != NULL && strcmp(label, head->mesh) != 0)
		decode_bad(dec, NULL, "mesh", head->mesh_at,
			   "must not differ from the label kuma.io/mesh");
}

/* The map below key; NULL when it is absent or no map. */
static const struct tree *map_of(struct decode *dec, const struct tree *doc,
				 const char *key)
{
	const struct tree *map = tree_get(doc, key);
	struct path at = { .name = key };

	if (map == NULL || map->type == TREE_MAP)
		return map;
	decode_wrong_type(dec, &at, map, FIELD_OBJECT);
	return NULL;
}

/* What both kinds of object have in metadata. */
static void read_metadata(struct decode *dec, const struct tree *meta,
			  struct zl_arena *arena, struct head *head)
{
	struct path at = { .name = "metadata" };

	tell_unknown(dec, meta, &METADATA_HEAD, NULL, &at);
	head->ns = text_of(dec, meta, "namespace", &at, &head->ns_at);
	head->labels = labels_of(dec, meta, &at, arena, &head->labels_at);
}

static void read_k8s(struct decode *dec, const struct tree *doc, struct zl_arena *arena,
		     struct head *head)
{
	const char *kind = text_of(dec, doc, "kind", NULL, &head->type_at);
	const struct tree *meta = map_of(dec, doc, "metadata");
	struct path at = { .name = "metadata" };

	head->name = text_of(dec, meta, "name", &at, &head->name_at);
	if (dec->found != NULL) {
		dec->found->at.kind = kind;
		dec->found->at.name = head->name;
	}
	find_kind(dec, "kind", kind, head);
	if (head->kind == KIND_NONE)
		return;
	if (head->kind == KIND_SECRET) {
		decode_bad(dec, NULL, "apiVersion", tree_get(doc, "apiVersion"),
			   "must be v1");
		head->kind = KIND_NONE;
		return;
	}
	tell_unknown(dec, doc, &KUBERNETES_HEAD, schema_of(head->kind), NULL);
	read_metadata(dec, meta, arena, head);
	read_k8s_mesh(dec, doc, head);
	find_spec(dec, doc, head);
}

/* Kubernetes' own Secret, of Kuma's type: data.value is what Universal form calls data.
 */
static void read_k8s_secret(struct decode *dec, const struct tree *doc,
			    struct zl_arena *arena, struct head *head)
{
	static const char TYPE[] = "system.kuma.io/secret";
	const struct tree *meta = map_of(dec, doc, "metadata");
	const struct tree *data = map_of(dec, doc, "data");
	struct path at = { .name = "metadata" };
	struct path below_data = { .name = "data" };
	const struct tree *type_at;

	head->kind = KIND_SECRET;
	head->info = kind_info(KIND_SECRET);
	head->type_at = tree_get(doc, "kind");
	head->name = text_of(dec, meta, "name", &at, &head->name_at);
	if (dec->found != NULL) {
		dec->found->at.kind = "Secret";
		dec->found->at.name = head->name;
	}
	const char *type = text_of(dec, doc, "type", NULL, &type_at);
	if (type[0] == '\0' && type_at == NULL)
		decode_bad(dec, NULL, "type", doc, "must be %s", TYPE);
	else if (type_at->type == TREE_TEXT && strcmp(type, TYPE) != 0)
		decode_bad(dec, NULL, "type", type_at, "value '%s' is not supported",
			   type);
	tell_unknown(dec, doc, &K8S_SECRET_HEAD, NULL, NULL);
	tell_unknown(dec, data, &K8S_SECRET_DATA_HEAD, NULL, &below_data);
	read_metadata(dec, meta, arena, head);
	const char *mesh = labels_get(head->labels, LABEL_MESH);
	if (mesh != NULL)
		head->mesh = mesh;

	struct tree *spec = tree_map(arena);
	const char *value = text_of(dec, data, "value", &below_data, NULL);
	if (tree_get(data, "value") != NULL)
		tree_set(arena, spec, "data", tree_text(arena, value));
	head->spec = spec;
}

void head_read(struct decode *dec, const struct tree *doc, struct zl_arena *arena,
	       struct head *head)
{
	const struct tree *version = tree_get(doc, "apiVersion");
	bool text = version != NULL && version->type == TREE_TEXT;

	const struct tree *kind = tree_get(doc, "kind");
	bool secret = text && strcmp(version->text, "v1") == 0 && kind != NULL &&
		      kind->type == TREE_TEXT && strcmp(kind->text, "Secret") == 0;

	*head = (struct head){ .name = "", .mesh = "", .ns = "" };
	head->k8s = secret || (text && strncmp(version->text, "kuma.io/", 8) == 0);
	dec->k8s = head->k8s;
	if (secret) {
		read_k8s_secret(dec, doc, arena, head);
	} else if (head->k8s) {
		read_k8s(dec, doc, arena, head);
	} else if (version != NULL && tree_get(doc, "type") == NULL) {
		decode_bad(dec, NULL, "apiVersion", version, "must be kuma.io/v1alpha1");
	} else {
		read_universal(dec, doc, arena, head);
	}
	if (head->kind != KIND_NONE && head->info->scope == SCOPE_MESH &&
	    head->mesh[0] == '\0')
		head->mesh = "default";
}

struct key head_key(const struct head *head)
{
	const char *origin = labels_get(head->labels, LABEL_ORIGIN);
	const char *zone = labels_get(head->labels, LABEL_ZONE);
	const char *ns = labels_get(head->labels, LABEL_NAMESPACE);
	const char *shown = labels_get(head->labels, LABEL_DISPLAY_NAME);
	bool of_zone = ((origin != NULL && strcmp(origin, "zone") == 0) ||
			head->info->places == IN_ZONE) &&
		       head->info->places & IN_ZONE;
	const struct tree *field = tree_get(head->spec, "zone");

	if (zone == NULL && kind_is_zone_proxy(head->kind) && field != NULL &&
	    field->type == TREE_TEXT)
		zone = field->text;
	return (struct key){ .kind = head->kind,
			     .mesh = head->mesh,
			     .zone = of_zone && zone != NULL ? zone : "",
			     .ns = ns != NULL ? ns : "",
			     .name = origin != NULL && shown != NULL ? shown
								     : head->name };
}
