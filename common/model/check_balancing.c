/* The rules of MeshLoadBalancingStrategy: kinds-spec 15. */
#include "model/checks.h"
#include "model/scalar.h"
#include "model/schemas.h"

#include <string.h>

/* ---- localZone ---- */

void check_affinity_tag(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct affinity_tag *tag = made;
	const struct tree *weight = tree_get(tree, "weight");

	if (tag->key[0] == '\0' && !is_mistyped(tree, "key", TREE_TEXT))
		decode_bad(dec, at, "key", tree, "must not be empty");
	if (weight != NULL && ((weight->type == TREE_INT && weight->integer <= 0) ||
			       (weight->type == TREE_REAL && weight->real < 0)))
		decode_bad(dec, at, "weight", weight, "must be greater than 0");
}

void check_local_zone(struct decode *dec, const struct tree *tree, const struct path *at,
		      const void *made)
{
	const struct locality *locality = made;
	const struct tree *tags = tree_get(tree, "affinityTags");
	uint64_t sum = 0;
	size_t weighed = 0;

	if (tags == NULL || tags->type != TREE_LIST)
		return;
	for (size_t i = 0; i < locality->tag_count; i++) {
		weighed += tree_get(tags->items[i], "weight") != NULL;
		sum += locality->tags[i].weight < UINT32_MAX ? locality->tags[i].weight
							     : UINT32_MAX;
	}
	if (weighed > 0 && weighed < tags->count)
		decode_bad(dec, at, "affinityTags", tags,
			   "all or none affinity tags should have weight");
	/* Envoy adds them up in 32 bits, with 1 for the instances that no tag fits. */
	else if (sum >= UINT32_MAX)
		decode_bad(dec, at, "affinityTags", tags,
			   "sum of weights must be in inclusive range [0, %llu]",
			   (unsigned long long)UINT32_MAX - 1);
}

/* ---- crossZone ---- */

void check_failover_from(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct tree *zones = tree_get(tree, "zones");
	struct path list = { .up = at, .name = "zones" };

	(void)made;
	check_filled(dec, tree, at, "zones", "must not be empty");
	for (size_t i = 0; zones != NULL && zones->type == TREE_LIST && i < zones->count;
	     i++) {
		struct path here = { .up = &list, .index = i };
		if (zones->items[i]->type == TREE_TEXT &&
		    zones->items[i]->text[0] == '\0')
			decode_bad(dec, &here, NULL, zones->items[i],
				   "must not be empty");
	}
}

void check_failover_to(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	const struct failover *failover = made;
	const struct tree *type = tree_get(tree, "type");
	const struct tree *zones = tree_get(tree, "zones");
	bool listed =
		failover->type == FAILOVER_ONLY || failover->type == FAILOVER_ANY_EXCEPT;

	if (type == NULL || type->type != TREE_TEXT)
		return; /* was told */
	/* Nothing is stored of an unknown type, so that it looks like the first. */
	if (failover->type == FAILOVER_ANY && strcmp(type->text, "Any") != 0) {
		decode_bad(dec, at, "type", type, "unrecognized type");
		return;
	}
	if (zones != NULL && zones->type != TREE_LIST)
		return;
	bool empty = zones == NULL || zones->count == 0;
	if (listed && empty)
		decode_bad(dec, at, "zones", zones != NULL ? zones : tree,
			   "must not be empty when type is %s", type->text);
	if (!listed && !empty)
		decode_bad(dec, at, "zones", zones, "must be empty when type is %s",
			   type->text);
}

bool percentage_read(const struct tree *tree, double *value)
{
	struct tree number = { .type = TREE_TEXT };
	const struct tree *read = tree;

	if (tree->type == TREE_TEXT) {
		if (!scalar_read(tree->text, &number))
			return false;
		read = &number;
	}
	if (read->type == TREE_INT)
		*value = (double)read->integer;
	else if (read->type == TREE_REAL && tree->type == TREE_TEXT)
		*value = read->real;
	else
		return false;
	return true;
}

void check_threshold(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	const struct tree *percentage = tree_get(tree, "percentage");
	double value;

	(void)made;
	if (percentage == NULL ||
	    (percentage->type != TREE_INT && percentage->type != TREE_TEXT))
		return;
	if (!percentage_read(percentage, &value))
		decode_bad(dec, at, "percentage", percentage,
			   "string must be a valid number");
	else if (value < 0 || value > 100)
		decode_bad(dec, at, "percentage", percentage,
			   "must be in inclusive range [0.0, 100.0]");
	else if (value == 0)
		decode_bad(dec, at, "percentage", percentage, "must be greater than 0");
}

/* ---- to ---- */

void check_balancing_to(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct balancing_to *to = made;
	const struct target_ref *ref = &to->target;
	const struct tree *right = tree_get(tree, "default");
	const struct tree *cross =
		tree_get(tree_get(right, "localityAwareness"), "crossZone");
	struct path right_at = { .up = at, .name = "default" };
	struct path locality_at = { .up = &right_at, .name = "localityAwareness" };

	if (cross != NULL && ref->kind == REF_MESH_SERVICE &&
	    (ref->labels.count > 0 || ref->section[0] != '\0'))
		decode_bad(dec, &locality_at, "crossZone", cross,
			   "must not be set: MeshService traffic is local");
}

void check_balancing(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	(void)made;
	check_filled(dec, tree, at, "to", "needs at least one item");
}
