#include "model/checks.h"

#include <string.h>

void check_tags(struct decode *dec, const struct tree *tree, struct labels tags,
		const struct path *at, enum tag_rule rule)
{
	for (size_t i = 0; i < tags.count; i++) {
		const struct label *tag = &tags.items[i];
		struct path here = { .up = at, .name = tag->key, .is_key = true };
		const struct tree *where = tree_get(tree, tag->key);
		const char *key_fault = tag_fault_key(tag->key);
		const char *value_fault = tag_fault_value(tag->value, rule);
		if (tag->key[0] == '\0')
			decode_bad(dec, at, NULL, where, "tag name must be non-empty");
		if (key_fault != NULL)
			decode_bad(dec, &here, NULL, where, "%s", key_fault);
		if (value_fault != NULL)
			decode_bad(dec, &here, NULL, where, "%s", value_fault);
	}
}

void check_service_tags(struct decode *dec, const struct tree *tree, struct labels tags,
			const struct path *at)
{
	struct path list = { .up = at, .name = "tags" };
	struct path protocol_at = { .up = &list, .name = TAG_PROTOCOL, .is_key = true };
	struct path zone_at = { .up = &list, .name = TAG_ZONE, .is_key = true };
	struct path service_at = { .up = &list, .name = TAG_SERVICE, .is_key = true };
	const char *service = labels_get(tags, TAG_SERVICE);
	const char *protocol = labels_get(tags, TAG_PROTOCOL);
	const char *zone = labels_get(tags, TAG_ZONE);
	const struct tree *map = tree_get(tree, "tags");

	if (is_mistyped(tree, "tags", TREE_MAP))
		return;
	check_tags(dec, map, tags, &list, TAGS_EXACT);
	/* Its certificate would say that it is the zone's egress. */
	if (service != NULL && strcmp(service, "zone-egress") == 0)
		decode_bad(dec, &service_at, NULL, tree_get(map, TAG_SERVICE),
			   "zone-egress is who a ZoneEgress is; choose another name");
	if (protocol != NULL && protocol[0] != '\0' && !protocol_is_known(protocol))
		decode_bad(
			dec, &protocol_at, NULL, NULL,
			"tag \"kuma.io/protocol\" has an invalid value \"%s\". Allowed "
			"values: grpc, http, http2, kafka, tcp",
			protocol);
	if (zone != NULL && dec->zone[0] != '\0' && dec->kind == KIND_DATAPLANE &&
	    strcmp(zone, dec->zone) != 0)
		decode_bad(dec, &zone_at, NULL, tree_get(map, TAG_ZONE),
			   "kuma.io/zone tag should have %s value", dec->zone);
}

void check_has_service(struct decode *dec, const struct tree *tree, const struct path *at,
		       struct labels tags, bool inbound)
{
	struct path list = { .up = at, .name = "tags" };
	struct path tag = { .up = &list, .name = TAG_SERVICE, .is_key = true };

	if (is_mistyped(tree, "tags", TREE_MAP) || labels_get(tags, TAG_SERVICE) != NULL)
		return;
	const struct tree *where = tree_get(tree, "tags");
	if (inbound)
		decode_bad(dec, &tag, NULL, where != NULL ? where : tree,
			   "tag has to exist");
	else
		decode_bad(dec, &list, NULL, where != NULL ? where : tree,
			   "mandatory tag \"kuma.io/service\" is missing");
}

bool is_mistyped(const struct tree *tree, const char *field, enum tree_type want)
{
	const struct tree *value = tree_get(tree, field);

	return value != NULL && value->type != want;
}

void check_range(struct decode *dec, const struct path *at, const struct tree *object,
		 const char *field, int64_t min, int64_t max, const char *reason)
{
	const struct tree *value = tree_get(object, field);

	if (value == NULL)
		return;
	/* A real number in digits only is one beyond int64. */
	bool huge = value->type == TREE_REAL && strpbrk(value->text, ".eE") == NULL;
	bool out =
		value->type == TREE_INT && (value->integer < min || value->integer > max);
	if (huge || out)
		decode_bad(dec, at, field, value, "%s", reason);
}

static bool sum_of(const struct tree *list, uint64_t *sum)
{
	*sum = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct tree *weight = tree_get(list->items[i], "weight");
		if (weight == NULL)
			*sum += 1;
		else if (weight->type == TREE_INT && weight->integer >= 0 &&
			 weight->integer <= UINT32_MAX)
			*sum += (uint64_t)weight->integer;
		else
			return false; /* told at the weight itself */
	}
	return true;
}

void check_weights(struct decode *dec, const struct tree *list, const struct path *at,
		   const char *field, const char *none)
{
	uint64_t sum;

	if (list->type != TREE_LIST || !sum_of(list, &sum))
		return;
	if (sum > UINT32_MAX)
		decode_bad(dec, at, field, list,
			   "sum of weights must be in inclusive range [0, 4294967295]");
	if (sum == 0 && none != NULL)
		decode_warn(dec, at, field, list, "%s", none);
}

/* T3, T4 and T6, with the sentence for a destination in between. */
static void check_selector_tag(struct decode *dec, const struct label *tag,
			       const struct path *at, const struct tree *where,
			       enum selector_rule rule)
{
	static const char *const PLAIN[] = { TAG_SERVICE, TAG_ZONE, TAG_PROTOCOL,
					     "kuma.io/external-service-name" };
	struct path here = { .up = at, .name = tag->key, .is_key = true };
	const char *key_fault = tag_fault_key(tag->key);
	const char *value_fault = tag_fault_value(tag->value, TAGS_SELECTOR);

	if (tag->key[0] == '\0')
		decode_bad(dec, at, NULL, where, "tag name must be non-empty");
	if (key_fault != NULL)
		decode_bad(dec, &here, NULL, where, "%s", key_fault);
	if (rule == SELECTOR_ONLY_SERVICE && strcmp(tag->key, TAG_SERVICE) != 0)
		decode_bad(dec, &here, NULL, where, "tag \"%s\" is not allowed",
			   tag->key);
	for (size_t i = 0; rule == SELECTOR_PLAIN && i < sizeof(PLAIN) / sizeof(*PLAIN);
	     i++)
		if (strcmp(tag->key, PLAIN[i]) == 0)
			decode_bad(dec, &here, NULL, where, "tag name must not be \"%s\"",
				   tag->key);
	if (value_fault != NULL)
		decode_bad(dec, &here, NULL, where, "%s", value_fault);
}

void check_selector(struct decode *dec, const struct tree *object, const char *field,
		    struct labels tags, const struct path *at, enum selector_rule rule)
{
	struct path here = { .up = at, .name = field };
	const struct tree *map = tree_get(object, field);
	bool has_service = labels_get(tags, TAG_SERVICE) != NULL;

	if (is_mistyped(object, field, TREE_MAP))
		return;
	const struct tree *where = map != NULL ? map : object;
	if ((rule == SELECTOR_SERVICE || rule == SELECTOR_ANY) && tags.count == 0)
		decode_bad(dec, &here, NULL, where, "must have at least one tag");
	if (rule == SELECTOR_ONLY_SERVICE && (tags.count != 1 || !has_service))
		decode_bad(dec, &here, NULL, where,
			   "must consist of exactly one tag \"kuma.io/service\"");
	for (size_t i = 0; i < tags.count; i++)
		check_selector_tag(dec, &tags.items[i], &here,
				   tree_get(map, tags.items[i].key), rule);
	/* A tag without a text as its value was told. */
	if ((rule == SELECTOR_SERVICE || rule == SELECTOR_ONLY_SERVICE) && !has_service &&
	    tree_get(map, TAG_SERVICE) == NULL)
		decode_bad(dec, &here, NULL, where,
			   "mandatory tag \"kuma.io/service\" is missing");
}

void check_filled(struct decode *dec, const struct tree *object, const struct path *at,
		  const char *field, const char *reason)
{
	const struct tree *list = tree_get(object, field);

	if (list == NULL || (list->type == TREE_LIST && list->count == 0))
		decode_bad(dec, at, field, list != NULL ? list : object, "%s", reason);
}
