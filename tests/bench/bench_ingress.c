/* What an ingress costs its zone: bench-ingress prints a table of times
 * of the processor.
 *
 * A world has services with instances of three versions, half of them with a route that
 * splits over two of these.
 */
#include "envoy/build.h"
#include "policy/policy.h"
#include "resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { VERSIONS = 3, ROUNDS = 10 };

struct bench {
	struct set *set; /* held, as the others */
	struct inventory *inventory;
	struct policy_index *index;
	const struct resource *ingress;
};

static void put(struct set_edit *edit, struct zl_buf *json)
{
	struct resource *res = bench_resource(json);

	set_put(edit, res);
	resource_drop(&res);
}

static void put_instance(struct set_edit *edit, size_t service, size_t number,
			 unsigned port)
{
	struct zl_buf json = { 0 };

	zl_buf_format(&json,
		      "{\"mesh\":\"default\",\"name\":\"e-%zu-%zu\",\"networking\":{"
		      "\"address\":\"10.%zu.%zu.%zu\",\"inbound\":[{\"port\":%u,"
		      "\"tags\":{\"kuma.io/protocol\":\"tcp\",\"kuma.io/service\":"
		      "\"s-%05zu\",\"version\":\"v%zu\"}}]},\"type\":\"Dataplane\"}",
		      service, number, service >> 8 & 255, service & 255, number, port,
		      service, number % VERSIONS);
	put(edit, &json);
}

static void put_route(struct set_edit *edit, size_t service)
{
	struct zl_buf json = { 0 };

	zl_buf_format(&json,
		      "{\"mesh\":\"default\",\"name\":\"r-%zu\",\"spec\":{\"to\":[{"
		      "\"rules\":[{\"default\":{\"backendRefs\":[{\"kind\":"
		      "\"MeshServiceSubset\",\"name\":\"s-%05zu\",\"tags\":{\"version\":"
		      "\"v0\"},\"weight\":90},{\"kind\":\"MeshServiceSubset\",\"name\":"
		      "\"s-%05zu\",\"tags\":{\"version\":\"v1\"},\"weight\":10}]}}],"
		      "\"targetRef\":{\"kind\":\"MeshService\",\"name\":\"s-%05zu\"}}]},"
		      "\"type\":\"MeshTCPRoute\"}",
		      service, service, service, service);
	put(edit, &json);
}

static void put_text(struct set_edit *edit, const char *text)
{
	struct zl_buf json = { 0 };

	zl_buf_str(&json, text);
	put(edit, &json);
}

static struct bench bench_new(size_t services, size_t instances)
{
	const struct key key = { KIND_ZONE_INGRESS, "", "", "", "in" };
	struct bench b = { 0 };
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	put_text(edit, "{\"mtls\":{\"backends\":[{\"name\":\"ca\",\"type\":\"builtin\"}],"
		       "\"enabledBackend\":\"ca\"},\"name\":\"default\",\"type\":"
		       "\"Mesh\"}");
	put_text(edit, "{\"name\":\"in\",\"networking\":{\"address\":\"10.0.0.1\","
		       "\"port\":10001},\"type\":\"ZoneIngress\"}");
	for (size_t i = 0; i < services; i++) {
		for (size_t k = 0; k < instances; k++)
			put_instance(edit, i, k, 8080);
		if (i % 2 == 0)
			put_route(edit, i);
	}
	b.set = set_done(&edit);
	set_drop(&empty);
	b.inventory = inventory_build(b.set, "east");
	b.index = policy_index_new(b.set, "east");
	b.ingress = set_get(b.set, &key);
	return b;
}

static void bench_drop(struct bench *b)
{
	policy_index_drop(&b->index);
	inventory_drop(&b->inventory);
	set_drop(&b->set);
}

static void measure(size_t services, size_t instances)
{
	struct bench b = bench_new(services, instances);
	struct set_edit *edit = set_edit(b.set);
	clock_t spent[3] = { 0 };
	size_t passages = 0;

	/* One instance changes: the last, so that all others are compared too. */
	put_instance(edit, services - 1, 0, 9090);
	struct set *changed = set_done(&edit);
	struct inventory *after = inventory_update(b.inventory, changed);

	for (size_t i = 0; i < ROUNDS; i++) {
		struct zl_arena *arena = zl_arena_new();
		clock_t start = clock();
		const struct zone_routes *routes =
			policy_ingress(b.index, b.inventory, b.ingress, arena);
		clock_t resolved = clock();
		struct envoy_config *config = envoy_build_ingress(routes);
		clock_t built = clock();
		if (policy_ingress_endures(b.inventory, after))
			abort();
		spent[0] += resolved - start;
		spent[1] += built - resolved;
		spent[2] += clock() - built;
		passages = routes->passage_count;
		envoy_config_drop(&config);
		zl_arena_free(&arena);
	}
	printf("%8zu %9zu %8zu %13.2f %11.2f %15.2f\n", services, instances, passages,
	       (double)spent[0] / ROUNDS * 1e3 / CLOCKS_PER_SEC,
	       (double)spent[1] / ROUNDS * 1e3 / CLOCKS_PER_SEC,
	       (double)spent[2] / ROUNDS * 1e3 / CLOCKS_PER_SEC);
	inventory_drop(&after);
	set_drop(&changed);
	bench_drop(&b);
}

int main(void)
{
	printf("%8s %9s %8s %13s %11s %15s\n", "services", "instances", "passages",
	       "resolving, ms", "config, ms", "comparing, ms");
	measure(100, 3);
	measure(1000, 3);
	measure(1000, 10);
	measure(1000, 100);
	return 0;
}
