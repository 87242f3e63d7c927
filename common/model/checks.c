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
	const char *protocol = labels_get(tags, TAG_PROTOCOL);
	const char *zone = labels_get(tags, TAG_ZONE);
	const struct tree *map = tree_get(tree, "tags");

	if (is_mistyped(tree, "tags", TREE_MAP))
		return;
	check_tags(dec, map, tags, &list, TAGS_EXACT);
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
