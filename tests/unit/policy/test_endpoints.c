#include "support/test.h"
#include "support/world.h"

#include "policy/policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How endpoints of one service come about: local and remote, weights, priorities (D17,
 * D21, D27). A case is a few words for Dataplanes and ZoneIngresses of service b:
 *
 *     l ADDRESS [TAGS]                 a Ready inbound here
 *     d ADDRESS [TAGS]                 one that is not Ready
 *     NAME ZONE ADDRESS N [TAGS, N..]  an ingress that counts N instances; ADDRESS "-":
 *                                      not advertised
 *     z ZONE CONDITION                 what global says of a zone
 */
#define MTLS "mtls: {enabledBackend: ca, backends: [{name: ca, type: builtin}]}"
static const char ON[] = "{type: Mesh, name: default, " MTLS "}\n";
static const char OFF[] = "{type: Mesh, name: default}\n";
static const char FLAT[] = "{type: Mesh, name: default, " MTLS
			   ", routing: {localityAwareLoadBalancing: false}}\n";
static const char FLAT_OFF[] =
	"{type: Mesh, name: default, routing: {localityAwareLoadBalancing: false}}\n";

static void local(struct zl_buf *out, const char *line, size_t number)
{
	char address[32];
	char tags[64] = "";

	(void)sscanf(line + 2, "%31s %63[^\n]", address, tags);
	zl_buf_format(
		out,
		"---\n{type: Dataplane, name: l-%zu, networking: {address: %s, "
		"inbound: [{port: 80, tags: {kuma.io/service: b%s%s}, state: %s}]}}\n",
		number, address, tags[0] == '\0' ? "" : ", ", tags,
		line[0] == 'l' ? "Ready" : "NotReady");
}

static void ingress(struct zl_buf *out, const char *line)
{
	char name[32];
	char zone[32];
	char address[32];
	char rest[256] = "";

	(void)sscanf(line, "%31s %31s %31s %255[^\n]", name, zone, address, rest);
	zl_buf_format(
		out,
		"---\n{type: ZoneIngress, name: %s, zone: %s, networking: {address: "
		"10.0.0.1, port: 10001",
		name, zone);
	if (address[0] != '-')
		zl_buf_format(out, ", advertisedAddress: %s, advertisedPort: 10001",
			      address);
	zl_buf_str(out, "}, availableServices: [");
	char *next = rest;
	for (char *word; (word = strsep(&next, ",")) != NULL;) {
		char instances[32];
		char tags[64] = "";

		(void)sscanf(word, " %31s %63[^\n]", instances, tags);
		zl_buf_format(out, "{instances: %s, tags: {kuma.io/service: b%s%s}}, ",
			      instances, tags[0] == '\0' ? "" : ", ", tags);
	}
	zl_buf_str(out, "]}\n");
}

static void zone(struct zl_buf *out, const char *line)
{
	char name[32];
	char condition[32];

	(void)sscanf(line + 2, "%31s %31s", name, condition);
	zl_buf_format(out, "---\n{type: Zone, name: %s, status: {condition: %s}}\n", name,
		      condition);
}

static char *yaml_of(const char *mesh, const char *words, const char *tags)
{
	struct zl_buf out = { 0 };
	char *text = zl_strdup(words);
	char *next = text;
	size_t number = 0;

	zl_buf_str(&out, mesh);
	zl_buf_str(&out, "---\n{type: Dataplane, name: web, networking: {address: "
			 "9.9.9.9, outbound: [{port: 10001, tags: {kuma.io/service: b");
	zl_buf_format(&out, "%s%s}}]}}\n", tags[0] == '\0' ? "" : ", ", tags);
	for (char *line; (line = strsep(&next, "\n")) != NULL;) {
		if ((line[0] == 'l' || line[0] == 'd') && line[1] == ' ')
			local(&out, line, number++);
		else if (line[0] == 'z' && line[1] == ' ')
			zone(&out, line);
		else if (line[0] != '\0')
			ingress(&out, line);
	}
	free(text);
	char *yaml = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return yaml;
}

/* clang-format off */
static const struct {
	const char *why, *mesh, *words, *tags, *endpoints;
} CASES[] = {
	{ "one local", ON, "l 1.1.1.1", "", "0 east 1.1.1.1 1" },
	{ "sorted by address as text", ON, "l 1.1.1.9\nl 1.1.1.10\nl 1.1.1.1", "",
	  "0 east 1.1.1.1 1, 0 east 1.1.1.10 1, 0 east 1.1.1.9 1" },
	{ "down is no endpoint", ON, "l 1.1.1.1\nd 1.1.1.2", "", "0 east 1.1.1.1 1" },
	{ "nobody is up", ON, "d 1.1.1.2", "", "" },
	{ "one place is one endpoint", ON, "l 1.1.1.1\nl 1.1.1.1", "", "0 east 1.1.1.1 1" },

	{ "two places of one address or one port", ON, "l 1.1.1.1\nl 1.1.1.1 v: a\nl 1.1.1.2", "",
	  "0 east 1.1.1.1 1, 0 east 1.1.1.2 1" },
	{ "locals only, all zones are one", FLAT, "l 1.1.1.1", "", "0 east 1.1.1.1 1" },

	{ "design.md 7", ON, "l 1.1.1.1\nw west 2.2.2.2 3", "", "0 east 1.1.1.1 1, 1 west 2.2.2.2 3" },
	{ "D27: remote only, no hole", ON, "w west 2.2.2.2 3", "", "0 west 2.2.2.2 3" },
	{ "D27: remote only, also without mTLS", OFF, "w west 2.2.2.2 3", "", "0 west 2.2.2.2 3" },
	{ "local ones are down: no hole", ON, "d 1.1.1.1\nw west 2.2.2.2 3", "", "0 west 2.2.2.2 3" },
	{ "D17: without mTLS always behind", OFF, "l 1.1.1.1\nw west 2.2.2.2 3", "",
	  "0 east 1.1.1.1 1, 1 west 2.2.2.2 3" },
	{ "D17: even when all zones are one", FLAT_OFF, "l 1.1.1.1\nw west 2.2.2.2 3", "",
	  "0 east 1.1.1.1 1, 1 west 2.2.2.2 3" },
	{ "D21: all zones are one", FLAT, "l 1.1.1.1\nw west 2.2.2.2 3", "",
	  "0 east 1.1.1.1 1, 0 west 2.2.2.2 3" },
	{ "the own zone has no first place among equals", FLAT, "l 1.1.1.1\na anywhere 2.2.2.2 3", "",
	  "0 anywhere 2.2.2.2 3, 0 east 1.1.1.1 1" },

	{ "spec 6.5: 2 here, 3 behind 2 ingresses", FLAT,
	  "l 1.1.1.1\nl 1.1.1.2\nw1 west 2.2.2.1 3\nw2 west 2.2.2.2 3", "",
	  "0 east 1.1.1.1 2, 0 east 1.1.1.2 2, 0 west 2.2.2.1 3, 0 west 2.2.2.2 3" },
	{ "L of 2 and 3 is 6", FLAT,
	  "l 1.1.1.1\nw1 west 2.2.2.1 5\nw2 west 2.2.2.2 5\n"
	  "n1 north 3.3.3.1 4\nn2 north 3.3.3.2 4\nn3 north 3.3.3.3 4", "",
	  "0 east 1.1.1.1 6, 0 north 3.3.3.1 8, 0 north 3.3.3.2 8, 0 north 3.3.3.3 8, "
	  "0 west 2.2.2.1 15, 0 west 2.2.2.2 15" },
	{ "L of 2 and 4 is 4", FLAT,
	  "l 1.1.1.1\nw1 west 2.2.2.1 1\nw2 west 2.2.2.2 1\n"
	  "n1 north 3.3.3.1 1\nn2 north 3.3.3.2 1\nn3 north 3.3.3.3 1\nn4 north 3.3.3.4 1", "",
	  "0 east 1.1.1.1 4, 0 north 3.3.3.1 1, 0 north 3.3.3.2 1, 0 north 3.3.3.3 1, "
	  "0 north 3.3.3.4 1, 0 west 2.2.2.1 2, 0 west 2.2.2.2 2" },
	{ "D27: L is over the zones that offer it", FLAT,
	  "l 1.1.1.1\nw1 west 2.2.2.1 5\nw2 west 2.2.2.2 5\n"
	  "n1 north 3.3.3.1 0\nn2 north 3.3.3.2 0\nn3 north 3.3.3.3 0", "",
	  "0 east 1.1.1.1 2, 0 west 2.2.2.1 5, 0 west 2.2.2.2 5" },
	{ "D27: different counts, the largest", FLAT,
	  "l 1.1.1.1\nw1 west 2.2.2.1 3\nw2 west 2.2.2.2 5", "",
	  "0 east 1.1.1.1 2, 0 west 2.2.2.1 5, 0 west 2.2.2.2 5" },
	{ "an ingress without an address is skipped", FLAT,
	  "l 1.1.1.1\nw1 west 2.2.2.1 3\nw2 west - 5", "",
	  "0 east 1.1.1.1 1, 0 west 2.2.2.1 3" },
	{ "one place of two objects is one endpoint", FLAT,
	  "l 1.1.1.1\nw1 west 2.2.2.2 3\nw2 west 2.2.2.2 5\nw3 west 2.2.2.2 4", "",
	  "0 east 1.1.1.1 1, 0 west 2.2.2.2 5" },
	{ "and of two zones too", FLAT, "w west 2.2.2.2 3\nn north 2.2.2.2 4", "",
	  "0 north 2.2.2.2 4" },
	{ "the zone that loses one keeps the other", FLAT,
	  "w1 west 2.2.2.1 3\nw2 west 2.2.2.2 3\nn north 2.2.2.2 4", "",
	  "0 north 2.2.2.2 4, 0 west 2.2.2.1 3" },

	{ "records of other tags add up", ON, "w west 2.2.2.2 3 v: a, 2 v: b", "", "0 west 2.2.2.2 5" },
	{ "a subset counts its own", ON, "w west 2.2.2.2 3 v: a, 2 v: b", "v: b", "0 west 2.2.2.2 2" },
	{ "records add up before the largest is taken", ON,
	  "w1 west 2.2.2.1 3 v: a, 2 v: b\nw2 west 2.2.2.2 4 v: a", "",
	  "0 west 2.2.2.1 5, 0 west 2.2.2.2 5" },
	{ "a subset here", ON, "l 1.1.1.1 v: a\nl 1.1.1.2 v: b", "v: a", "0 east 1.1.1.1 1" },
	{ "a zone as a tag", ON, "l 1.1.1.1\nw west 2.2.2.2 3", "kuma.io/zone: west", "0 west 2.2.2.2 3" },
	{ "the own zone as a tag", ON, "l 1.1.1.1\nw west 2.2.2.2 3", "kuma.io/zone: east", "0 east 1.1.1.1 1" },
	{ "a zone that is not", ON, "l 1.1.1.1\nw west 2.2.2.2 3", "kuma.io/zone: mars", "" },
	{ "only the zones that offer the subset count", FLAT,
	  "l 1.1.1.1 v: a\nw1 west 2.2.2.1 3 v: a\nw2 west 2.2.2.2 3 v: a\nn1 north 3.3.3.1 1 v: b\n"
	  "n2 north 3.3.3.2 1 v: b\nn3 north 3.3.3.3 1 v: b", "v: a",
	  "0 east 1.1.1.1 2, 0 west 2.2.2.1 3, 0 west 2.2.2.2 3" },

	{ "D13: a silent zone comes last", ON, "l 1.1.1.1\nw west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Stale", "",
	  "0 east 1.1.1.1 1, 1 north 3.3.3.3 2, 2 west 2.2.2.2 3" },
	{ "also where all zones are one", FLAT, "l 1.1.1.1\nw west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Stale", "",
	  "0 east 1.1.1.1 1, 0 north 3.3.3.3 2, 1 west 2.2.2.2 3" },
	{ "behind the own zone alone", FLAT, "l 1.1.1.1\nw west 2.2.2.2 3\nz west Stale", "",
	  "0 east 1.1.1.1 1, 1 west 2.2.2.2 3" },
	{ "behind another zone, no hole", ON, "w west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Stale", "",
	  "0 north 3.3.3.3 2, 1 west 2.2.2.2 3" },
	{ "behind local ones, no hole", ON, "l 1.1.1.1\nw west 2.2.2.2 3\nz west Stale", "",
	  "0 east 1.1.1.1 1, 1 west 2.2.2.2 3" },
	{ "alone it is the first", ON, "w west 2.2.2.2 3\nz west Stale", "", "0 west 2.2.2.2 3" },
	{ "all are silent", ON, "w west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Stale\nz north Stale", "",
	  "0 north 3.3.3.3 2, 0 west 2.2.2.2 3" },
	{ "a word is a word", ON, "w west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Online", "",
	  "0 north 3.3.3.3 2, 0 west 2.2.2.2 3" },
	{ "D13: withdrawn where there is a local one", ON, "l 1.1.1.1\nw west 2.2.2.2 3\nz west Offline", "",
	  "0 east 1.1.1.1 1" },
	{ "withdrawn where there is another zone", ON, "w west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Offline", "",
	  "0 north 3.3.3.3 2" },
	{ "withdrawn where that one is silent", ON,
	  "w west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Offline\nz north Stale", "", "0 north 3.3.3.3 2" },
	{ "what is withdrawn has no weight in L", FLAT,
	  "l 1.1.1.1\nw1 west 2.2.2.1 3\nw2 west 2.2.2.2 3\nz west Offline", "", "0 east 1.1.1.1 1" },
	{ "panic floor: nothing else there", ON, "d 1.1.1.1\nw west 2.2.2.2 3\nz west Offline", "",
	  "0 west 2.2.2.2 3" },
	{ "panic floor: all are away", ON, "w west 2.2.2.2 3\nn north 3.3.3.3 2\nz west Offline\nz north Offline", "",
	  "0 north 3.3.3.3 2, 0 west 2.2.2.2 3" },
	{ "panic floor of a subset", ON, "l 1.1.1.1\nw west 2.2.2.2 3\nz west Offline", "kuma.io/zone: west",
	  "0 west 2.2.2.2 3" },
	{ "of two zones at one place the better one", ON,
	  "w west 2.2.2.2 3\nn north 2.2.2.2 4\nz north Stale", "", "0 west 2.2.2.2 3" },
	{ "the own zone's condition is not asked", ON, "l 1.1.1.1\nz east Offline", "", "0 east 1.1.1.1 1" },
	{ "silent ones have weights that fit", ON,
	  "l 1.1.1.1\nw west 2.2.2.2 4294967295\nn north 3.3.3.3 4294967295\nz west Stale\nz north Stale", "",
	  "0 east 1.1.1.1 1, 1 north 3.3.3.3 2147483647, 1 west 2.2.2.2 2147483647" },

	{ "weights that fit", ON, "w west 2.2.2.2 4294967295", "", "0 west 2.2.2.2 4294967295" },
	{ "weights that do not fit are shrunk", ON, "w west 2.2.2.2 4294967295\nn north 3.3.3.3 4294967295", "",
	  "0 north 3.3.3.3 2147483647, 0 west 2.2.2.2 2147483647" },
	{ "and never to nothing", FLAT, "l 1.1.1.1\nw west 2.2.2.2 4294967295\nn north 3.3.3.3 4294967295", "",
	  "0 east 1.1.1.1 1, 0 north 3.3.3.3 2147483646, 0 west 2.2.2.2 2147483646" },
	{ "each priority by itself", ON, "l 1.1.1.1\nw west 2.2.2.2 4294967295\nn north 3.3.3.3 4294967295", "",
	  "0 east 1.1.1.1 1, 1 north 3.3.3.3 2147483647, 1 west 2.2.2.2 2147483647" },
};
/* clang-format on */

static char *describe(const struct backend *backend)
{
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < backend->endpoint_count; i++) {
		const struct endpoint *at = &backend->endpoints[i];

		assert_int_equal(at->via, strcmp(at->zone, "east") == 0 ? VIA_DIRECT
									: VIA_INGRESS);
		assert_int_equal(at->port, at->via == VIA_DIRECT ? 80 : 10001);
		assert_string_equal(labels_get(at->tags, TAG_SERVICE), "b");
		zl_buf_format(&out, "%s%u %s %s %" PRIu64, i == 0 ? "" : ", ",
			      at->priority, at->zone, at->address, at->weight);
	}
	char *text = zl_strdup(zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void run_case(size_t number, struct dice *dice)
{
	char *yaml = yaml_of(CASES[number].mesh, CASES[number].words, CASES[number].tags);
	struct world world = world_of(yaml, "", dice);
	struct policy_index *index = policy_index_new(world.set, "east");
	struct inventory *inventory = inventory_build(world.set, "east");
	const struct routes *routes =
		policy_resolve(index, inventory, world_get(&world, KIND_DATAPLANE, "web"),
			       NULL, world.arena);

	assert_int_equal(routes->outbound_count, 1);
	assert_int_equal(routes->outbounds[0].backend_count, 1);
	char *text = describe(&routes->outbounds[0].backends[0]);
	if (strcmp(text, CASES[number].endpoints) != 0)
		fail_msg("%s: %s", CASES[number].why, text);
	free(text);
	free(yaml);
	policy_index_drop(&index);
	inventory_drop(&inventory);
	world_end(&world);
}

static void weights_and_priorities(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		run_case(i, NULL);
}

static const char *in_any_order(uint64_t seed)
{
	struct dice dice = { seed };

	run_case(dice_below(&dice, ARRAY_LEN(CASES)), &dice);
	return NULL;
}

static void the_order_of_documents_does_not_matter(void **state)
{
	(void)state;
	seeds_run(200, in_any_order);
}

/* What all instances behind an ingress have in common is what its endpoint has. */
static void tags_of_endpoints(void **state)
{
	struct world world = world_of(
		ON,
		"{type: ZoneIngress, name: w, zone: west, networking: {address: "
		"1.1.1.1,\n"
		"  port: 1, advertisedAddress: 2.2.2.2, advertisedPort: 10001},\n"
		"  availableServices: [\n"
		"  {instances: 1, tags: {kuma.io/service: b, v: a, x: y, only: here}},\n"
		"  {instances: 1, tags: {kuma.io/service: b, v: c, x: y}}]}\n"
		"---\n"
		"{type: Dataplane, name: web, networking: {address: 9.9.9.9, outbound: "
		"[\n"
		"  {port: 1, tags: {kuma.io/service: b}},\n"
		"  {port: 2, tags: {kuma.io/service: b, v: a}}]}}\n",
		NULL);
	struct policy_index *index = policy_index_new(world.set, "east");
	struct inventory *inventory = inventory_build(world.set, "east");
	const struct routes *routes =
		policy_resolve(index, inventory, world_get(&world, KIND_DATAPLANE, "web"),
			       NULL, world.arena);
	struct labels both = routes->outbounds[0].backends[0].endpoints[0].tags;
	struct labels one = routes->outbounds[1].backends[0].endpoints[0].tags;

	(void)state;
	assert_int_equal(both.count, 3);
	assert_string_equal(labels_get(both, "x"), "y");
	assert_string_equal(labels_get(both, TAG_ZONE), "west");
	assert_string_equal(labels_get(both, TAG_SERVICE), "b");
	assert_int_equal(one.count, 5);
	policy_index_drop(&index);
	inventory_drop(&inventory);
	world_end(&world);
}

/* Zones with 7, 11, 13 .. ingresses have no common multiple that Envoy would take. */
static void no_multiple_small_enough(void **state)
{
	static const unsigned INGRESSES[] = { 1, 7, 11, 13, 17, 19, 23, 29, 31 };
	struct zl_buf words = { 0 };

	(void)state;
	zl_buf_str(&words, "l 1.1.1.1\n");
	for (unsigned zone = 0; zone < ARRAY_LEN(INGRESSES); zone++)
		for (unsigned i = 0; i < INGRESSES[zone]; i++)
			zl_buf_format(&words, "z%u-%u z%u 2.2.%u.%u %s\n", zone, i, zone,
				      zone, i,
				      zone == 0 ? "4294967295, 4294967295 v: a" : "5");
	char *yaml = yaml_of(FLAT, zl_buf_text(&words), "");
	struct world world = world_of(yaml, "", NULL);
	struct policy_index *index = policy_index_new(world.set, "east");
	struct inventory *inventory = inventory_build(world.set, "east");
	const struct routes *routes =
		policy_resolve(index, inventory, world_get(&world, KIND_DATAPLANE, "web"),
			       NULL, world.arena);
	const struct backend *backend = &routes->outbounds[0].backends[0];
	uint64_t sum = 0;

	assert_int_equal(backend->endpoint_count, 152);
	for (size_t i = 0; i < backend->endpoint_count; i++) {
		assert_true(backend->endpoints[i].weight > 0);
		sum += backend->endpoints[i].weight;
	}
	assert_true(sum <= UINT32_MAX);
	/* The zone with far more instances has far more of the weight. */
	assert_true(backend->endpoints[1].weight > sum / 2);
	assert_string_equal(backend->endpoints[1].zone, "z0");
	free(yaml);
	zl_buf_free(&words);
	policy_index_drop(&index);
	inventory_drop(&inventory);
	world_end(&world);
}

/* One address, two ports: by number, not as text. */
static void ports_in_order(void **state)
{
	struct world world = world_of(
		FLAT,
		"{type: Dataplane, name: a, networking: {address: 1.1.1.1, inbound: [\n"
		"  {port: 900, tags: {kuma.io/service: b}},\n"
		"  {port: 8000, tags: {kuma.io/service: b}}]}}\n"
		"---\n"
		"{type: ZoneIngress, name: w, zone: west, networking: {address: "
		"1.1.1.1,\n"
		"  port: 1, advertisedAddress: 2.2.2.2, advertisedPort: 10001},\n"
		"  availableServices: [{instances: 1, tags: {kuma.io/service: b}}]}\n"
		"---\n"
		"{type: Dataplane, name: web, networking: {address: 9.9.9.9, outbound: "
		"[\n"
		"  {port: 1, tags: {kuma.io/service: b}}]}}\n",
		NULL);
	struct policy_index *index = policy_index_new(world.set, "east");
	struct inventory *inventory = inventory_build(world.set, "east");
	const struct routes *routes =
		policy_resolve(index, inventory, world_get(&world, KIND_DATAPLANE, "web"),
			       NULL, world.arena);
	const struct endpoint *items = routes->outbounds[0].backends[0].endpoints;

	(void)state;
	assert_int_equal(routes->outbounds[0].backends[0].endpoint_count, 3);
	assert_int_equal(items[0].port, 900);
	assert_int_equal(items[1].port, 8000);
	assert_string_equal(items[2].zone, "west");
	policy_index_drop(&index);
	inventory_drop(&inventory);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_and_priorities),
		cmocka_unit_test(the_order_of_documents_does_not_matter),
		cmocka_unit_test(tags_of_endpoints),
		cmocka_unit_test(no_multiple_small_enough),
		cmocka_unit_test(ports_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
