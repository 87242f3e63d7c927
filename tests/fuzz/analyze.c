/* Bytes -> documents -> set -> findings: in any order of the documents the same ones,
 * each about a resource of the set. */
#include "analyze/analyze.h"
#include "model/read.h"
#include "model/set.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct set *set_of(const struct docs *docs, struct zl_arena *arena, bool backwards)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct findings found = findings_in(arena);
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	for (size_t i = 0; i < docs->count; i++) {
		size_t at = backwards ? docs->count - 1 - i : i;
		struct resource *res = resource_from_doc(docs->items[at], &rules, &found);
		if (res != NULL)
			set_put(edit, res);
		resource_drop(&res);
	}
	set_drop(&empty);
	return set_done(&edit);
}

static void tell(const struct set *set, const char *zone, struct zl_arena *arena,
		 struct zl_buf *out)
{
	const struct analyze_result result = analyze_set(set, zone, arena);

	for (size_t i = 0; i < result.count; i++) {
		const struct analyze_finding *at = &result.findings[i];

		assert(set_get(set, &at->res->key) == at->res);
		zl_buf_format(out, "%s %s %s %s %s\n", at->rule->code, at->res->key.name,
			      at->field, at->what, at->fix);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ZONES[] = { "", "east" };
	struct zl_arena *arena = zl_arena_new();
	struct docs docs = { 0 };
	struct zl_err err = { 0 };

	if (size < 16384 && read_yaml(data, size, arena, &docs, &err) == ZL_OK &&
	    docs.count <= 32) {
		struct set *set = set_of(&docs, arena, false);
		struct set *again = set_of(&docs, arena, true);
		size_t same = 0;
		for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
			same += set_count(set, (enum kind)kind);
		for (size_t i = 0; i < 2 && same == docs.count; i++) { /* no key twice */
			struct zl_buf forth = { 0 };
			struct zl_buf back = { 0 };
			tell(set, ZONES[i], arena, &forth);
			tell(again, ZONES[i], arena, &back);
			assert(strcmp(zl_buf_text(&forth), zl_buf_text(&back)) == 0);
			zl_buf_free(&forth);
			zl_buf_free(&back);
		}
		set_drop(&again);
		set_drop(&set);
	}
	zl_arena_free(&arena);
	return 0;
}
