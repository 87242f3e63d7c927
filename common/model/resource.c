#include "model/resource.h"

#include "model/document.h"
#include "model/read.h"
#include "model/zone_status.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/* A resource of head, its parts copied into an arena of its own. */
static struct resource *resource_new(const struct head *head)
{
	struct zl_arena *arena = zl_arena_new();
	struct resource *res = zl_arena_alloc(arena, 1, sizeof(*res));
	struct key key = head_key(head);
	const char *origin = labels_get(head->labels, LABEL_ORIGIN);
	struct label *items =
		zl_arena_alloc(arena, head->labels.count, sizeof(struct label));

	atomic_init(&res->holders, 1);
	res->arena = arena;
	res->key = (struct key){ .kind = key.kind,
				 .mesh = zl_arena_strdup(arena, key.mesh),
				 .zone = zl_arena_strdup(arena, key.zone),
				 .ns = zl_arena_strdup(arena, key.ns),
				 .name = zl_arena_strdup(arena, key.name) };
	for (size_t i = 0; i < head->labels.count; i++) {
		const struct label *label = &head->labels.items[i];
		items[i] = (struct label){ zl_arena_strdup(arena, label->key),
					   zl_arena_strdup(arena, label->value) };
	}
	res->labels = (struct labels){ items, head->labels.count };
	res->origin = origin != NULL && strcmp(origin, "zone") == 0 ? ORIGIN_ZONE
								    : ORIGIN_GLOBAL;
	return res;
}

/* Fill res->spec from the head's; with findings when dec has them. */
static void decode_spec(struct decode *dec, const struct head *head, struct resource *res)
{
	const struct schema *schema = schema_of(head->kind);
	struct path at = { .name = "spec" };
	static const struct tree EMPTY = { .type = TREE_MAP };
	const struct tree *spec = head->spec != NULL ? head->spec : &EMPTY;
	void *made = zl_arena_alloc(res->arena, 1, schema->size);

	dec->arena = res->arena;
	dec->kind = head->kind;
	dec->name = head->name;
	dec->spec = spec;
	if (head->info->policy)
		dec->top = made; /* the first member of each policy's spec */
	decode_object(dec, schema, spec, head->below_spec ? &at : NULL, made);
	if (head->kind == KIND_ZONE)
		zone_read_status(head->status, res->arena, made);
	res->spec = made;
}

static void set_json(struct resource *res, const struct tree *doc)
{
	struct zl_buf json = { 0 };

	tree_json(doc, &json);
	res->json = zl_arena_strndup(res->arena, zl_buf_text(&json), json.len);
	res->json_len = json.len;
	zl_buf_free(&json);
}

static struct resource *make_checked(struct decode *dec, struct head *head,
				     const struct resource_rules *rules,
				     struct zl_arena *scratch, size_t before)
{
	head_check(dec, head, rules, scratch);
	const char *zone = labels_get(head->labels, LABEL_ZONE);
	dec->zone_label = zone != NULL ? zone : "";

	struct resource *res = resource_new(head);
	decode_spec(dec, head, res);
	if (dec->found->violation_count > before)
		resource_drop(&res);
	else
		set_json(res, head_document(head, scratch));
	return res;
}

struct resource *resource_from_doc(const struct tree *doc,
				   const struct resource_rules *rules,
				   struct findings *found)
{
	/* Earlier documents may have violations of their own. */
	size_t before = found->violation_count;
	struct finding at = found->at;
	struct zl_arena *scratch = zl_arena_new();
	struct decode dec = { .found = found,
			      .role = "",
			      .alone = rules->writer == WRITER_ZONE && rules->alone,
			      .zone = rules->writer == WRITER_ZONE ? rules->zone : "",
			      .zone_label = "" };
	struct head head;
	struct resource *res = NULL;

	found->at.kind = found->at.name = "";
	if (doc == NULL || doc->type != TREE_MAP) {
		findings_violation(found, "", doc, "a resource must be an object");
	} else {
		head_read(&dec, doc, scratch, &head);
		if (rules->writer != WRITER_ANY)
			head.status = NULL; /* a server's word, whoever repeats it */
		if (head.kind != KIND_NONE)
			res = make_checked(&dec, &head, rules, scratch, before);
	}
	found->at = at;
	zl_arena_free(&scratch);
	return res;
}

enum zl_code resource_from_json(const void *json, size_t len, struct resource **out,
				struct zl_err *err)
{
	struct zl_arena *scratch = zl_arena_new();
	struct decode dec = { .role = "", .zone = "", .zone_label = "" };
	struct tree *doc = NULL;
	struct head head = { 0 };

	*out = NULL;
	enum zl_code code = read_json(json, len, scratch, &doc, err);
	if (code == ZL_OK && doc->type == TREE_MAP)
		head_read(&dec, doc, scratch, &head);
	if (code == ZL_OK && (dec.failed || head.kind == KIND_NONE || head.k8s))
		code = ZL_EINVAL;
	if (code == ZL_OK) {
		*out = resource_new(&head);
		decode_spec(&dec, &head, *out);
		(*out)->json = zl_arena_strndup((*out)->arena, json, len);
		(*out)->json_len = len;
	}
	if (code != ZL_OK || dec.failed) {
		resource_drop(out);
		code = zl_fail(err, ZL_EINVAL, "stored resource: not understood");
	}
	zl_arena_free(&scratch);
	return code;
}

struct tree *resource_tree(const struct resource *res, struct zl_arena *arena)
{
	struct tree *doc = NULL;
	struct zl_err err = { 0 };
	enum zl_code code = read_json(res->json, res->json_len, arena, &doc, &err);

	assert(code == ZL_OK);
	return code == ZL_OK ? doc : NULL;
}

struct resource *resource_with_status(const struct resource *from, struct tree *status)
{
	struct zl_arena *arena = zl_arena_new();
	const struct tree *old = resource_tree(from, arena);
	struct tree *doc = tree_map(arena);
	struct resource *res = NULL;
	struct zl_buf json = { 0 };

	for (size_t i = 0; i < old->count; i++)
		if (strcmp(old->members[i].key, "status") != 0)
			tree_set(arena, doc, old->members[i].key, old->members[i].value);
	if (status != NULL)
		tree_set(arena, doc, "status", status);
	tree_json(doc, &json);
	enum zl_code code = resource_from_json(json.data, json.len, &res, NULL);
	assert(code == ZL_OK); /* from was understood */
	(void)code;
	res->mod_rev = from->mod_rev;
	res->create_rev = from->create_rev;
	res->mod_wall_us = from->mod_wall_us;
	zl_buf_free(&json);
	zl_arena_free(&arena);
	return res;
}

struct resource *resource_relabel(const struct resource *from, const struct label *set,
				  size_t count)
{
	struct zl_arena *scratch = zl_arena_new();
	struct decode dec = { .role = "", .zone = "", .zone_label = "" };
	struct head head;

	head_read(&dec, resource_tree(from, scratch), scratch, &head);
	for (size_t i = 0; i < count; i++)
		head.labels = set[i].value != NULL
				      ? labels_with(scratch, head.labels, set[i].key,
						    set[i].value)
				      : labels_without(scratch, head.labels, set[i].key);
	struct resource *res = resource_new(&head);
	decode_spec(&dec, &head, res);
	set_json(res, head_document(&head, scratch));
	res->mod_rev = from->mod_rev;
	res->create_rev = from->create_rev;
	res->mod_wall_us = from->mod_wall_us;
	zl_arena_free(&scratch);
	return res;
}
