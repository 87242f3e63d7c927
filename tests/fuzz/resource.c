/* Bytes -> documents -> resources -> canonical JSON -> the same resources. */
#include "model/resource.h"
#include "model/conf.h"
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

/* Of a stored document the confs are not checked. */
static void read_confs(const struct resource *res, struct zl_arena *arena)
{
	static const char *const PROTOCOLS[] = { "tcp", "http", "grpc" };
	enum kind kind = res->key.kind;

	if (kind_attaches(kind)) {
		const struct attached_items *lists[] = { &res->attached->to,
							 &res->attached->from,
							 &res->attached->rules };
		for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
			for (size_t i = 0; i < lists[l]->count; i++)
				assert(conf_read(kind, lists[l]->items[i].conf, arena) !=
				       NULL);
	}
	for (size_t i = 0; kind_is_legacy(kind) && i < 3; i++) {
		const struct tree *conf =
			conf_of_legacy(res, PROTOCOLS[i], &MESH_DEFAULTS, arena);
		if (conf != NULL)
			assert(conf_read(kind_replaces(kind), conf, arena) != NULL);
	}
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
			if (res != NULL) {
				there_and_back(res, arena);
				read_confs(res, arena);
			}
			resource_drop(&res);
		}
	}
	/* Stored bytes that were damaged. */
	struct resource *res = NULL;
	if (resource_from_json(data, size, &res, &err) == ZL_OK)
		read_confs(res, arena);
	resource_drop(&res);
	zl_arena_free(&arena);
	return 0;
}
