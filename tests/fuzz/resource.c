/* Bytes -> documents -> resources -> canonical JSON -> the same resources. */
#include "model/resource.h"
#include "model/read.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const struct resource *res, struct zl_arena *arena)
{
	struct resource *again = NULL;
	struct zl_err err = { 0 };
	struct zl_buf json = { 0 };

	enum zl_code code = resource_from_json(res->json, res->json_len, &again, &err);
	assert(code == ZL_OK);
	assert(key_compare(&again->key, &res->key) == 0);
	assert(labels_compare(again->labels, res->labels) == 0);
	tree_json(resource_tree(again, arena), &json);
	assert(json.len == res->json_len);
	assert(memcmp(json.data, res->json, json.len) == 0);

	/* What a server gave may be written back. */
	struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct findings found = findings_in(arena);
	struct resource *written =
		resource_from_doc(resource_tree(again, arena), &rules, &found);
	assert(written != NULL);
	assert(strcmp(written->json, res->json) == 0);
	resource_drop(&written);
	resource_drop(&again);
	zl_buf_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct resource_rules RULES[] = {
		{ .writer = WRITER_ANY, .zone = "" },
		{ .writer = WRITER_GLOBAL, .zone = "" },
		{ .writer = WRITER_ZONE, .zone = "east" },
	};
	struct zl_arena *arena = zl_arena_new();
	struct docs docs = { 0 };
	struct zl_err err = { 0 };

	if (read_yaml(data, size, arena, &docs, &err) != ZL_OK)
		docs.count = 0;
	for (size_t i = 0; i < docs.count; i++) {
		for (size_t r = 0; r < sizeof(RULES) / sizeof(RULES[0]); r++) {
			struct findings found = findings_in(arena);
			struct resource *res =
				resource_from_doc(docs.items[i], &RULES[r], &found);
			assert((res == NULL) == (found.violation_count > 0));
			if (res != NULL)
				there_and_back(res, arena);
			resource_drop(&res);
		}
	}
	/* Stored bytes that were damaged. */
	struct resource *res = NULL;
	if (resource_from_json(data, size, &res, &err) == ZL_OK)
		resource_drop(&res);
	zl_arena_free(&arena);
	return 0;
}
