/* What the resolver costs as the world grows.
 *
 *   bench-resolve                     a table of times
 *   bench-resolve count WHAT SIZE [objects|policies]
 *                                     for tests/bench/instructions: do WHAT ROUNDS times,
 *                                     and let callgrind look at nothing else
 *
 * A world of size n has n endpoints, n routes and n/10 services, so that what one change
 * touches is always the same. The world of the promise (issue 4) has 1,000 routes, 1,000
 * services and 100,000 endpoints; that of issue 6 beside it a MeshService for each of
 * them, which selects by a tag that is not the service's name, so that all refs and
 * outbounds lead to objects. The last world is that of the promise with 1,000 policies
 * that attach to routes: one for each service, and one in ten about the mesh.
 */
#include "base/clock.h"
#include "policy/policy.h"
#include "resources.h"
#include "zone/inventory/registry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

enum { PER_SERVICE = 10, ROUNDS = 20, POLICIES = 1000 };

struct bench {
	size_t endpoints, service_count, routes;
	bool objects, policies;
	struct set *set; /* held: what global and the zone know, one part for all */
	struct registry registry;
	struct policy_index *index;
	struct resource *narrow, *wide; /* held; with 10 and 100 outbounds */
	struct zl_buf services;         /* that narrow leads to */
	unsigned version;
};

/* ---- resources ---- */

static struct resource *endpoint(const struct bench *b, size_t number, unsigned version)
{
	struct zl_buf json = { 0 };
	size_t service = number % b->service_count;

	zl_buf_format(&json,
		      "{\"mesh\":\"default\",\"name\":\"e-%06zu\",\"networking\":{"
		      "\"address\":\"10.%zu.%zu.%zu\",\"inbound\":[{\"port\":8080,"
		      "\"tags\":{",
		      number, number >> 16 & 255, number >> 8 & 255, number & 255);
	if (b->objects)
		zl_buf_format(&json, "\"app\":\"a-%zu\",", service);
	zl_buf_format(&json,
		      "\"kuma.io/protocol\":\"tcp\",\"kuma.io/service\":"
		      "\"s-%05zu\",\"version\":\"v%u\"}}]},\"type\":\"Dataplane\"}",
		      service, version);
	return bench_resource(&json);
}

static struct resource *route(size_t number, size_t services, unsigned version)
{
	struct zl_buf json = { 0 };
	size_t service = number % services;

	zl_buf_format(&json,
		      "{\"mesh\":\"default\",\"name\":\"r-%06zu\",\"spec\":{\"to\":[{"
		      "\"rules\":[{\"default\":{\"backendRefs\":[{\"kind\":"
		      "\"MeshService\",\"name\":\"s-%05zu\",\"weight\":%u},{\"kind\":"
		      "\"MeshService\",\"name\":\"s-%05zu\",\"weight\":10}]}}],"
		      "\"targetRef\":{\"kind\":\"MeshService\",\"name\":\"s-%05zu\"}}]},"
		      "\"type\":\"MeshTCPRoute\"}",
		      number, service, 1 + version % 90, (service + 1) % services,
		      service);
	return bench_resource(&json);
}

static struct resource *object(size_t service)
{
	struct zl_buf json = { 0 };

	zl_buf_format(&json,
		      "{\"labels\":{\"kuma.io/display-name\":\"s-%05zu\","
		      "\"kuma.io/origin\":\"zone\",\"kuma.io/zone\":\"east\"},"
		      "\"mesh\":\"default\",\"name\":\"s-%05zu\",\"spec\":{"
		      "\"ports\":[{\"port\":80,\"targetPort\":8080}],\"selector\":{"
		      "\"dataplaneTags\":{\"app\":\"a-%zu\"}}},"
		      "\"type\":\"MeshService\"}",
		      service, service, service);
	return bench_resource(&json);
}

/* A MeshTimeout, a MeshCircuitBreaker and so on in turn. */
static struct resource *policy(size_t number, size_t services)
{
	static const char *const KINDS[][2] = {
		{ "MeshTimeout",
		  "{\"connectionTimeout\":\"2s\",\"idleTimeout\":\"1m\"}" },
		{ "MeshRetry", "{\"tcp\":{\"maxConnectAttempt\":3}}" },
		{ "MeshHealthCheck", "{\"interval\":\"1s\",\"tcp\":{}}" },
		{ "MeshCircuitBreaker", "{\"connectionLimits\":{\"maxConnections\":9}}" },
		{ "MeshAccessLog",
		  "{\"backends\":[{\"type\":\"File\",\"file\":{\"path\":\"/log\"}}]}" },
	};
	const char *const *kind = KINDS[number % 5];
	struct zl_buf json = { 0 };

	zl_buf_format(&json,
		      "{\"mesh\":\"default\",\"name\":\"p-%06zu\",\"spec\":{\"to\":[{"
		      "\"default\":%s,\"targetRef\":{\"kind\":",
		      number, kind[1]);
	if (number / 5 % 10 == 9)
		zl_buf_str(&json, "\"Mesh\"}}]},");
	else
		zl_buf_format(&json, "\"MeshService\",\"name\":\"s-%05zu\"}}]},",
			      number % services);
	zl_buf_format(&json, "\"type\":\"%s\"}", kind[0]);
	return bench_resource(&json);
}

static void add_outbound(const struct bench *b, size_t number, struct zl_buf *json)
{
	size_t service = number % b->service_count;

	zl_buf_format(json, "%s{\"port\":%zu,", number == 0 ? "" : ",", 10000 + number);
	if (b->objects)
		zl_buf_format(json,
			      "\"backendRef\":{\"kind\":\"MeshService\",\"name\":"
			      "\"s-%05zu\",\"port\":80}}",
			      service);
	else
		zl_buf_format(json, "\"tags\":{\"kuma.io/service\":\"s-%05zu\"}}",
			      service);
}

static struct resource *client(const struct bench *b, const char *name, size_t outbounds)
{
	struct zl_buf json = { 0 };

	assert(b->service_count > 0);
	zl_buf_format(&json,
		      "{\"mesh\":\"default\",\"name\":\"%s\",\"networking\":{\"address\":"
		      "\"11.0.0.1\",\"outbound\":[",
		      name);
	for (size_t i = 0; i < outbounds; i++)
		add_outbound(b, i, &json);
	zl_buf_str(&json, "]},\"type\":\"Dataplane\"}");
	return bench_resource(&json);
}

/* ---- the world ---- */

static void put(struct set_edit *edit, struct resource *res)
{
	set_put(edit, res);
	resource_drop(&res);
}

static void fill(struct bench *b)
{
	struct set *empty = set_empty();
	struct set_edit *edit = set_edit(empty);

	for (size_t i = 0; i < b->endpoints; i++)
		put(edit, endpoint(b, i, 0));
	for (size_t i = 0; i < b->routes; i++)
		put(edit, route(i, b->service_count, 0));
	for (size_t i = 0; b->objects && i < b->service_count; i++)
		put(edit, object(i));
	for (size_t i = 0; b->policies && i < POLICIES; i++)
		put(edit, policy(i, b->service_count));
	b->narrow = client(b, "narrow", 10);
	b->wide = client(b, "wide", 100);
	set_put(edit, b->narrow);
	set_put(edit, b->wide);
	b->set = set_done(&edit);
	set_drop(&empty);
}

/* What a zone does with a set that is new to it. */
static void learn(struct bench *b)
{
	struct registry_changes changes = { 0 };

	registry_init(&b->registry, "east");
	registry_update(&b->registry, REGISTRY_LOCAL, b->set, &changes);
	registry_changes_free(&changes);
	b->index = policy_index_new(b->registry.all, "east");
}

static void forget(struct bench *b)
{
	policy_index_drop(&b->index);
	registry_fini(&b->registry);
}

static void resolve(struct bench *b, const struct resource *proxy)
{
	struct zl_arena *arena = zl_arena_new();
	const struct routes *routes =
		policy_resolve(b->index, b->registry.inventory, proxy, NULL, arena);

	zl_buf_drain(&b->services, b->services.len);
	policy_services(routes, &b->services);
	zl_arena_free(&arena);
}

static struct bench world(size_t endpoints, size_t services, size_t routes, bool objects,
			  bool policies)
{
	struct bench b = { .endpoints = endpoints,
			   .service_count = services,
			   .routes = routes,
			   .objects = objects,
			   .policies = policies };

	fill(&b);
	learn(&b);
	resolve(&b, b.narrow);
	return b;
}

static void end(struct bench *b)
{
	forget(b);
	zl_buf_free(&b->services);
	resource_drop(&b->narrow);
	resource_drop(&b->wide);
	set_drop(&b->set);
}

/* ---- what is measured ---- */

/* The set with one resource that is new, which costs the store or the link, not us. */
static struct set *with(const struct bench *b, struct resource *res)
{
	struct set_edit *edit = set_edit(b->set);

	put(edit, res);
	return set_done(&edit);
}

/* What a zone does with a change: the part, the union, the inventory, the index, and
 * which proxies it is about. */
static void follow(struct bench *b, struct set *set, bool *touched)
{
	struct registry_changes changes = { 0 };
	struct inventory *inventory = inventory_hold(b->registry.inventory);
	struct policy_index *index = b->index;

	registry_update(&b->registry, REGISTRY_LOCAL, set, &changes);
	b->index = policy_index_update(index, b->registry.all);
	*touched = !policy_endures(&b->services, "default", inventory,
				   b->registry.inventory);
	for (size_t i = 0; i < changes.count; i++)
		if (policy_touches(changes.items[i].now, b->narrow, "east"))
			*touched = true;
	if (*touched)
		resolve(b, b->narrow);
	registry_changes_free(&changes);
	inventory_drop(&inventory);
	policy_index_drop(&index);
	set_drop(&b->set);
	b->set = set;
}

/* What the changes are, of resources all over the world: */
enum what { ROUTE, FAR_ROUTE, ENDPOINT, FAR_ENDPOINT, NARROW, WIDE, WHAT_END };

static const struct {
	const char *word, *text;
	bool touches; /* narrow, which leads to the first 11 services */
} WHAT[] = {
	[ROUTE] = { "route", "one route changes that the proxy uses", true },
	[FAR_ROUTE] = { "far-route", "one route changes, unrelated", false },
	[ENDPOINT] = { "endpoint", "one Dataplane changes that the proxy uses", true },
	[FAR_ENDPOINT] = { "far-endpoint", "one Dataplane changes, unrelated", false },
	[NARROW] = { "narrow", "a proxy of 10 outbounds, cold", false },
	[WIDE] = { "wide", "a proxy of 100 outbounds, cold", false },
};

static struct resource *changed(struct bench *b, enum what what)
{
	bool near = what == ROUTE || what == ENDPOINT;
	size_t count = what == ROUTE || what == FAR_ROUTE ? b->routes : b->endpoints;
	size_t service = near ? b->version % 10 : 20 + b->version % 70;
	size_t layers = count / b->service_count;

	b->version++;
	size_t number = service + b->service_count * ((size_t)b->version * 7 % layers);
	return what == ROUTE || what == FAR_ROUTE
		       ? route(number, b->service_count, b->version)
		       : endpoint(b, number, b->version);
}

/* Do it ROUNDS times; returns the middle time in microseconds. */
static int by_size(const void *one, const void *other)
{
	const uint64_t *a = one;
	const uint64_t *b = other;

	return (*a > *b) - (*a < *b);
}

static uint64_t measure(struct bench *b, enum what what)
{
	uint64_t taken[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		bool change = what != NARROW && what != WIDE;
		bool touched = false;
		struct set *set = change ? with(b, changed(b, what)) : NULL;
		uint64_t start = zl_now_us();

		CALLGRIND_START_INSTRUMENTATION;
		if (change)
			follow(b, set, &touched);
		else
			resolve(b, what == WIDE ? b->wide : b->narrow);
		CALLGRIND_STOP_INSTRUMENTATION;
		taken[i] = zl_now_us() - start;
		if (touched != WHAT[what].touches) {
			(void)fprintf(stderr, "%s: not what it says\n", WHAT[what].word);
			exit(1);
		}
	}
	resolve(b, b->narrow);
	qsort(taken, ROUNDS, sizeof(*taken), by_size);
	return taken[ROUNDS / 2];
}

/* ---- programs ---- */

static void tell(const char *name, struct bench *b, uint64_t *column)
{
	forget(b);
	uint64_t start = zl_now_us();
	learn(b);
	column[WHAT_END] = zl_now_us() - start;
	for (enum what what = 0; what < WHAT_END; what++)
		column[what] = measure(b, what);
	(void)fprintf(stderr, "%s: done\n", name);
	end(b);
}

static int print_table(void)
{
	enum { WORLDS = 6, PROMISE = 3, OBJECTS = 4, WITH_POLICIES = 5 };
	static const char *const NAMES[] = { "n = 1,000",    "n = 10,000",
					     "n = 100,000",  "the promise",
					     "with objects", "with policies" };
	static const size_t SIZES[][3] = {
		{ 1000, 100, 1000 },    { 10000, 1000, 10000 }, { 100000, 10000, 100000 },
		{ 100000, 1000, 1000 }, { 100000, 1000, 1000 }, { 100000, 1000, 1000 }
	};
	uint64_t figures[WORLDS][WHAT_END + 1];

	for (size_t i = 0; i < WORLDS; i++) {
		struct bench b = world(SIZES[i][0], SIZES[i][1], SIZES[i][2],
				       i == OBJECTS, i == WITH_POLICIES);

		tell(NAMES[i], &b, figures[i]);
	}
	(void)printf("%-45s", "microseconds");
	for (size_t i = 0; i < WORLDS; i++)
		(void)printf(" %13s", NAMES[i]);
	(void)printf("\n");
	for (size_t what = 0; what <= WHAT_END; what++) {
		(void)printf("%-45s", what < WHAT_END ? WHAT[what].text
						      : "all from nothing, cold");
		for (size_t i = 0; i < WORLDS; i++)
			(void)printf(" %13llu", (unsigned long long)figures[i][what]);
		(void)printf("\n");
	}
	/* The promise: 1 ms and 20 ms. */
	for (size_t i = PROMISE; i < WORLDS; i++)
		if (figures[i][FAR_ROUTE] >= 1000 || figures[i][FAR_ENDPOINT] >= 1000 ||
		    figures[i][WIDE] >= 20000)
			return 1;
	return 0;
}

static int count(const char *word, size_t size, const char *more)
{
	for (enum what what = 0; what < WHAT_END; what++) {
		if (strcmp(word, WHAT[what].word) != 0)
			continue;
		struct bench b = world(size, size / PER_SERVICE, size,
				       strcmp(more, "objects") == 0,
				       strcmp(more, "policies") == 0);

		(void)measure(&b, what);
		end(&b);
		return 0;
	}
	(void)fprintf(stderr, "nothing is called \"%s\"\n", word);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return print_table();
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "count") == 0)
		return count(argv[2], strtoul(argv[3], NULL, 10),
			     argc == 5 ? argv[4] : "");
	(void)fprintf(stderr,
		      "usage: bench-resolve [count WHAT SIZE [objects|policies]]\n");
	return 2;
}
