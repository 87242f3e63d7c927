/* Bytes -> documents -> set -> inventory -> routes -> Envoy resources and all that prints
 * them: what the zone does with whatever validation lets through. */
#include "policy/policy.h"
#include "base/base64.h"
#include "envoy/build.h"
#include "envoy/json.h"
#include "inventory/inventory.h"
#include "model/read.h"
#include "model/set.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* base with count documents, the first of which is the one at from; backwards from the
 * last one. */
static struct set *set_of(const struct set *base, const struct docs *docs, size_t from,
			  size_t count, bool backwards)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct zl_arena *arena = zl_arena_new();
	struct findings found = findings_in(arena);
	struct set_edit *edit = set_edit(base);

	for (size_t i = 0; i < count; i++) {
		size_t at = from + (backwards ? count - 1 - i : i);
		struct resource *res = resource_from_doc(docs->items[at], &rules, &found);
		if (res != NULL)
			set_put(edit, res);
		resource_drop(&res);
	}
	zl_arena_free(&arena);
	return set_done(&edit);
}

/* The content of a Secret of the set. */
static bool read_secret(void *owner, const char *mesh, const char *name,
			struct zl_buf *content)
{
	const struct key key = { KIND_SECRET, mesh, "", "", name };
	const struct resource *res = set_get(*(const struct set **)owner, &key);

	return res != NULL && zl_base64_read(res->secret->data, strlen(res->secret->data),
					     content, NULL) == ZL_OK;
}

/* True if something that a listener of this name asks for is there: an extension or route
 * table of its name, or an extension of one of its chains. */
static bool is_served(const struct envoy_config *config, const char *name)
{
	size_t count;
	const struct envoy_resource *list =
		envoy_config_list(config, ENVOY_EXTENSION, &count);
	size_t len = strlen(name);

	for (size_t i = 0; i < count; i++)
		if (strncmp(list[i].name, name, len) == 0 &&
		    (list[i].name[len] == '\0' || list[i].name[len] == '/'))
			return true;
	return envoy_config_find(config, ENVOY_ROUTES, name) != NULL;
}

/* What names something has it beside it: I6 within one config. */
static void check_config(const struct envoy_config *config)
{
	size_t count;
	const struct envoy_resource *list =
		envoy_config_list(config, ENVOY_LISTENER, &count);

	for (size_t i = 0; i < count; i++)
		assert(is_served(config, list[i].name));
	list = envoy_config_list(config, ENVOY_ROUTES, &count);
	for (size_t i = 0; i < count; i++)
		assert(envoy_config_find(config, ENVOY_LISTENER, list[i].name) != NULL);
	list = envoy_config_list(config, ENVOY_ENDPOINTS, &count);
	for (size_t i = 0; i < count; i++)
		assert(envoy_config_find(config, ENVOY_CLUSTER, list[i].name) != NULL);
}

/* All that the zone says of one proxy, as text. */
static void describe(const struct set *set, const struct policy_index *index,
		     const struct inventory *inventory, const struct resource *proxy,
		     struct zl_buf *out)
{
	const struct envoy_secrets secrets = { .read = read_secret, .owner = &set };
	const struct policy_options options = { .explain = true };
	struct zl_arena *arena = zl_arena_new();
	const struct routes *routes =
		policy_resolve(index, inventory, proxy, &options, arena);
	const struct policy_answer answer = { .zone = "east",
					      .mesh = proxy->key.mesh,
					      .routes = &routes,
					      .route_count = 1 };
	struct envoy_config *config = envoy_build_proxy(routes, &secrets);

	check_config(config);
	policy_json(&answer, out);
	policy_text(&answer, out);
	envoy_config_json(config, out);
	envoy_config_drop(&config);
	zl_arena_free(&arena);
}

static void describe_all(const struct set *set, struct zl_buf *out)
{
	struct inventory *inventory = inventory_build(set, "east");
	struct policy_index *index = policy_index_new(set, "east");
	struct set_iter each = set_each(set, KIND_DATAPLANE, NULL);
	const struct resource *proxy;

	while ((proxy = set_next(&each)) != NULL)
		describe(set, index, inventory, proxy, out);
	policy_index_drop(&index);
	inventory_drop(&inventory);
}

/* ---- a change ---- */

struct change {
	const struct resource *proxy;
	bool all;     /* it is about every proxy */
	bool touches; /* it is about this one */
};

static void on_change(void *ctx, const struct resource *old, const struct resource *now)
{
	const struct resource *const both[] = { old, now };
	struct change *to = ctx;

	for (size_t i = 0; i < 2; i++) {
		if (both[i] == NULL)
			continue;
		/* Warnings tell of Secrets, which change nothing of the routes. */
		to->all = to->all || both[i]->key.kind == KIND_MESH ||
			  both[i]->key.kind == KIND_ZONE ||
			  both[i]->key.kind == KIND_SECRET;
		to->touches = to->touches || both[i] == to->proxy ||
			      policy_touches(both[i], to->proxy, "east");
	}
}

static void say(const struct policy_index *index, const struct inventory *inventory,
		const struct resource *proxy, struct zl_buf *leads, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	const struct routes *routes =
		policy_resolve(index, inventory, proxy, NULL, arena);
	const struct policy_answer answer = { .zone = "east",
					      .mesh = proxy->key.mesh,
					      .routes = &routes,
					      .route_count = 1 };

	policy_services(routes, leads);
	policy_json(&answer, out);
	zl_arena_free(&arena);
}

/* A change that the zone takes for none of the proxy's leaves its routes as they are. */
static void check_change(const struct set *before, const struct set *after)
{
	struct inventory *old = inventory_build(before, "east");
	struct inventory *now = inventory_update(old, after);
	struct policy_index *was = policy_index_new(before, "east");
	struct policy_index *is = policy_index_update(was, after);
	struct set_iter each = set_each(before, KIND_DATAPLANE, NULL);
	const struct resource *proxy;

	while ((proxy = set_next(&each)) != NULL) {
		struct change change = { .proxy = proxy };
		struct zl_buf leads = { 0 };
		struct zl_buf others = { 0 };
		struct zl_buf first = { 0 };
		struct zl_buf second = { 0 };

		for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
			set_diff(before, after, (enum kind)kind, on_change, &change);
		say(was, old, proxy, &leads, &first);
		say(is, now, proxy, &others, &second);
		assert(change.all || change.touches ||
		       !policy_endures(&leads, proxy->key.mesh, old, now) ||
		       strcmp(zl_buf_text(&first), zl_buf_text(&second)) == 0);
		zl_buf_free(&leads);
		zl_buf_free(&others);
		zl_buf_free(&first);
		zl_buf_free(&second);
	}
	policy_index_drop(&was);
	policy_index_drop(&is);
	inventory_drop(&old);
	inventory_drop(&now);
}

/* The same set, made in another order, gives the same bytes. Its last document is what
 * changed since there was none of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf forth = { 0 };
	struct zl_buf back = { 0 };
	struct docs docs = { 0 };
	struct zl_err err = { 0 };

	if (size < 16384 && read_yaml(data, size, arena, &docs, &err) == ZL_OK &&
	    docs.count > 0 && docs.count <= 32) {
		struct set *empty = set_empty();
		struct set *less = set_of(empty, &docs, 0, docs.count - 1, false);
		struct set *set = set_of(less, &docs, docs.count - 1, 1, false);
		struct set *again = set_of(empty, &docs, 0, docs.count, true);
		describe_all(set, &forth);
		size_t same = 0;
		for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
			same += set_count(set, (enum kind)kind);
		if (same == docs.count) { /* no key twice */
			describe_all(again, &back);
			assert(forth.len == back.len &&
			       memcmp(zl_buf_text(&forth), zl_buf_text(&back),
				      forth.len) == 0);
		}
		check_change(less, set);
		set_drop(&empty);
		set_drop(&less);
		set_drop(&again);
		set_drop(&set);
	}
	zl_buf_free(&forth);
	zl_buf_free(&back);
	zl_arena_free(&arena);
	return 0;
}
