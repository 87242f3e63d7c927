#include "convert/policies.h"

#include "convert/plan.h"
#include "convert/words.h"
#include "model/conf.h"

#include <string.h>

struct policies {
	const struct set *set;
	struct zl_arena *arena;
	struct {
		struct converted_policy *items;
		size_t count, room;
	} made;
	struct {
		struct policy_note *items;
		size_t count, room;
	} notes;
	size_t kept_count;
};

static void note(struct policies *all, const struct resource *policy, bool kept,
		 const char *text)
{
	*PLAN_PUSH(all, all->notes) =
		(struct policy_note){ .policy = policy, .text = text, .kept = kept };
	all->kept_count += kept;
}

/* ---- references ---- */
static bool is_any_service(struct labels match)
{
	const char *service = labels_get(match, TAG_SERVICE);

	return match.count == 1 && service != NULL && strcmp(service, "*") == 0;
}

static struct tree *kind_tree(struct zl_arena *arena, const char *kind)
{
	struct tree *ref = tree_map(arena);

	tree_set(arena, ref, "kind", tree_text(arena, kind));
	return ref;
}

/* Proxies, inbounds or clients with these tags. */
static struct tree *subset_of(struct zl_arena *arena, struct labels match)
{
	struct tree *ref =
		kind_tree(arena, is_any_service(match) ? "Mesh" : "MeshSubset");
	struct tree *tags = tree_map(arena);

	for (size_t i = 0; i < match.count; i++)
		tree_set(arena, tags, match.items[i].key,
			 tree_text(arena, match.items[i].value));
	if (!is_any_service(match))
		tree_set(arena, ref, "tags", tags);
	return ref;
}

static struct tree *destination_of(struct zl_arena *arena, struct labels match)
{
	struct tree *ref =
		kind_tree(arena, is_any_service(match) ? "Mesh" : "MeshService");

	if (!is_any_service(match))
		tree_set(arena, ref, "name",
			 tree_text(arena, labels_get(match, TAG_SERVICE)));
	return ref;
}

static void push_item(struct zl_arena *arena, struct tree *list, struct tree *ref,
		      const struct tree *right)
{
	struct tree *item = tree_map(arena);

	tree_set(arena, item, "targetRef", ref);
	tree_set(arena, item, "default", tree_copy(right, arena));
	tree_push(arena, list, item);
}

/* ---- one document ---- */

/* For the source number i; of a TrafficPermission the destination. */
static struct tree *spec_of(const struct policies *all, const struct resource *policy,
			    size_t i, const struct tree *right)
{
	const struct legacy_spec *spec = policy->legacy;
	bool permits = policy->key.kind == KIND_TRAFFIC_PERMISSION;
	struct labels top =
		permits ? spec->destinations[i].match : spec->sources[i].match;
	size_t count = permits ? spec->source_count : spec->destination_count;
	struct tree *made = tree_map(all->arena);
	struct tree *list = tree_list(all->arena);

	for (size_t n = 0; n < count; n++)
		push_item(
			all->arena, list,
			permits ? subset_of(all->arena, spec->sources[n].match)
				: destination_of(all->arena, spec->destinations[n].match),
			right);
	tree_set(all->arena, made, "targetRef", subset_of(all->arena, top));
	tree_set(all->arena, made, permits ? "from" : "to", list);
	return made;
}

/* Why no document can be called name; NULL: one can. */
static const char *taken_by(const struct policies *all, const struct resource *policy,
			    enum kind kind, const char *name)
{
	struct set_iter each = set_each(all->set, kind, policy->key.mesh);
	const struct resource *other;

	while ((other = set_next(&each)) != NULL)
		if (strcmp(other->key.name, name) == 0)
			return zl_arena_format(all->arena, "there is a %s \"%s\" already",
					       kind_info(kind)->name, name);
	for (size_t i = 0; i < all->made.count; i++) {
		const struct converted_policy *one = &all->made.items[i];
		if (one->made->key.kind == kind &&
		    strcmp(one->made->key.mesh, policy->key.mesh) == 0 &&
		    strcmp(one->made->key.name, name) == 0)
			return zl_arena_format(
				all->arena,
				"its document would be called \"%s\", as one of %s "
				"\"%s\": rename one of the two",
				name, kind_info(policy->key.kind)->name,
				one->from->key.name);
	}
	return NULL;
}

/* What is not in effect is not to be so in other words. */
static void keep_effect(const struct policies *all, const struct resource *policy,
			struct tree *doc)
{
	const char *effect = labels_get(policy->labels, LABEL_EFFECT);
	struct tree *labels = tree_map(all->arena);

	if (effect == NULL)
		return;
	tree_set(all->arena, labels, LABEL_EFFECT, tree_text(all->arena, effect));
	tree_set(all->arena, doc, "labels", labels);
}

/* The caller holds the result; NULL: it cannot be said, *why tells. */
static struct resource *document_of(const struct policies *all,
				    const struct resource *policy, const char *name,
				    struct tree *spec, const char **why)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	const struct kind_info *info = kind_info(kind_replaces(policy->key.kind));
	struct findings found = findings_in(all->arena);
	struct tree *doc = tree_map(all->arena);

	*why = taken_by(all, policy, info->kind, name);
	if (*why != NULL)
		return NULL;
	tree_set(all->arena, doc, "type", tree_text(all->arena, info->name));
	tree_set(all->arena, doc, "mesh", tree_text(all->arena, policy->key.mesh));
	tree_set(all->arena, doc, "name", tree_text(all->arena, name));
	keep_effect(all, policy, doc);
	tree_set(all->arena, doc, "spec", spec);
	struct resource *made = resource_from_doc(doc, &rules, &found);
	if (made == NULL)
		*why = zl_arena_format(all->arena, "no %s can say it: %s %s", info->name,
				       found.violations[0].field,
				       found.violations[0].reason);
	return made;
}

/* All documents of a policy, or none. */
static void convert_policy(struct policies *all, const struct resource *policy)
{
	const struct legacy_spec *spec = policy->legacy;
	bool permits = policy->key.kind == KIND_TRAFFIC_PERMISSION;
	size_t count = permits ? spec->destination_count : spec->source_count;
	size_t before = all->made.count;
	struct words words =
		words_of(policy, set_mesh(all->set, policy->key.mesh), all->arena);
	const char *why = words.why;

	for (size_t i = 0; i < count && why == NULL; i++) {
		const char *name = count == 1 ? policy->key.name
					      : zl_arena_format(all->arena, "%s-%zu",
								policy->key.name, i + 1);
		struct resource *made = document_of(
			all, policy, name, spec_of(all, policy, i, words.right), &why);
		if (made == NULL)
			break;
		*PLAN_PUSH(all, all->made) =
			(struct converted_policy){ .from = policy, .made = made };
	}
	if (why == NULL) {
		for (size_t i = 0; i < words.note_count; i++)
			note(all, policy, false, words.notes[i]);
		return;
	}
	while (all->made.count > before)
		resource_drop(&all->made.items[--all->made.count].made);
	note(all, policy, true, why);
}

/* ---- policies about the same connections ---- */

/* True if something may have all tags of both. */
static bool may_meet(struct labels a, struct labels b)
{
	for (size_t i = 0; i < a.count; i++) {
		const char *other = labels_get(b, a.items[i].key);
		const char *value = a.items[i].value;
		if (other != NULL && strcmp(other, value) != 0 &&
		    strcmp(other, "*") != 0 && strcmp(value, "*") != 0)
			return false;
	}
	return true;
}

static bool any_meet(const struct tag_selector *a, size_t a_count,
		     const struct tag_selector *b, size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		for (size_t j = 0; j < b_count; j++)
			if (may_meet(a[i].match, b[j].match))
				return true;
	return false;
}

/* Another policy of the kind after this one that may be about a connection that this one
 * is about; NULL: none. Permissions add up in both kinds. */
static const struct resource *rival_of(struct set_iter after,
				       const struct resource *policy)
{
	const struct legacy_spec *a = policy->legacy;
	const struct resource *other;

	while ((other = set_next(&after)) != NULL) {
		const struct legacy_spec *b = other->legacy;
		if (any_meet(a->sources, a->source_count, b->sources, b->source_count) &&
		    any_meet(a->destinations, a->destination_count, b->destinations,
			     b->destination_count))
			return other;
	}
	return NULL;
}

static void note_rival(struct policies *all, struct set_iter after,
		       const struct resource *policy)
{
	const struct resource *rival = policy->key.kind == KIND_TRAFFIC_PERMISSION
					       ? NULL
					       : rival_of(after, policy);

	if (rival != NULL)
		note(all, policy, false,
		     zl_arena_format(all->arena,
				     "%s \"%s\" may be about the same connections: of "
				     "the two one counted, with more tags or the smaller "
				     "name; what is written for them is merged field by "
				     "field",
				     kind_info(policy->key.kind)->name, rival->key.name));
}

struct policy_conversion convert_policies(const struct set *set, struct zl_arena *arena)
{
	struct policies all = { .set = set, .arena = arena };

	for (enum kind kind = KIND_TIMEOUT; kind <= KIND_TRAFFIC_PERMISSION; kind++) {
		const char *mesh = NULL;
		struct set_iter each = set_each(set, kind, NULL);
		struct set_iter after = { 0 };
		const struct resource *policy;
		while ((policy = set_next(&each)) != NULL) {
			if (mesh == NULL || strcmp(mesh, policy->key.mesh) != 0) {
				mesh = policy->key.mesh;
				after = set_each(set, kind, mesh);
			}
			(void)set_next(&after); /* itself */
			convert_policy(&all, policy);
			note_rival(&all, after, policy);
		}
	}
	return (struct policy_conversion){ .policies = all.made.items,
					   .count = all.made.count,
					   .notes = all.notes.items,
					   .note_count = all.notes.count,
					   .kept_count = all.kept_count };
}

void policy_conversion_drop(struct policy_conversion *conversion)
{
	for (size_t i = 0; i < conversion->count; i++) {
		struct resource *made = conversion->policies[i].made;
		resource_drop(&made);
	}
	*conversion = (struct policy_conversion){ 0 };
}
