/* What is written for TrafficRoutes, and what is said of those that stay. */
#include "support/world.h"

#include "convert/convert.h"

#define WEB                                                                           \
	"---\n{type: Dataplane, name: web, networking: {address: 10.0.0.1, inbound: " \
	"[{port: 80, tags: {kuma.io/service: web}}], outbound: [{port: 1, tags: "     \
	"{kuma.io/service: backend}}, {port: 2, tags: {kuma.io/service: db}}]}}\n"
#define ROUTE(name, source, destination, conf)                                           \
	"---\n{type: TrafficRoute, name: " name ", sources: [{match: {" source           \
	"}}], destinations: [{match: {kuma.io/service: " destination "}}], conf: {" conf \
	"}}\n"
#define ALL "kuma.io/service: '*'"
#define TO(service) "destination: {kuma.io/service: " service "}"
#define TCP(top, service)                                               \
	"---\n{type: MeshTCPRoute, name: other, spec: {targetRef: " top \
	", to: [{targetRef: {kind: MeshService, name: " service "}}]}}\n"

struct result {
	struct world world;
	struct conversion conversion;
	const char *text;
};

/* Canonical JSON of what is written and all notes, a line each. */
static struct result result_of(const char *yaml)
{
	struct result result = { .world = world_of(yaml, "", NULL) };
	struct zl_buf text = { 0 };

	result.conversion = convert_traffic(result.world.set, result.world.arena);
	const struct conversion *conversion = &result.conversion;
	for (size_t i = 0; i < conversion->count; i++)
		zl_buf_format(&text, "%s\n", conversion->routes[i]->json);
	for (size_t i = 0; i < conversion->note_count; i++)
		zl_buf_format(&text, "%s%s %s: %s\n",
			      conversion->notes[i].kept ? "kept: " : "",
			      conversion->notes[i].route->key.name,
			      conversion->notes[i].service, conversion->notes[i].text);
	result.text = zl_arena_strdup(result.world.arena, zl_buf_text(&text));
	zl_buf_free(&text);
	return result;
}

static void result_end(struct result *result)
{
	conversion_drop(&result->conversion);
	world_end(&result->world);
}

static void expect(const char *yaml, const char *text)
{
	struct result result = result_of(yaml);

	assert_string_equal(result.text, text);
	result_end(&result);
}

static const char *fragment(const char *yaml, const char *part, struct result *result)
{
	*result = result_of(yaml);
	if (strstr(result->text, part) == NULL)
		fail_msg("no %s in: %s", part, result->text);
	return result->text;
}

static void one_route_for_each_destination_and_source(void **state)
{
	(void)state;
	expect(WEB "---\n{type: TrafficRoute, name: old, sources: [{match: {" ALL
		   "}}, {match: {kuma.io/service: web}}], destinations: [{match: "
		   "{kuma.io/service: backend}}, {match: {kuma.io/service: db}}], conf: "
		   "{split: [{weight: 90, destination: {" ALL ", version: v1}}, {weight: "
		   "0, destination: {kuma.io/service: db}}]}}\n",
#define WRITTEN(name, source, service)                                               \
	"{\"mesh\":\"default\",\"name\":\"" name                                     \
	"\",\"spec\":{\"targetRef\":{\"kind\":\"MeshSubset\",\"tags\":{\"kuma.io/"   \
	"service\":\"" source                                                        \
	"\"}},\"to\":[{\"rules\":[{\"default\":{\"backendRefs\":[{\"kind\":"         \
	"\"MeshServiceSubset\",\"name\":\"" service                                  \
	"\",\"tags\":{\"version\":\"v1\"},\"weight\":90},{\"kind\":\"MeshService\"," \
	"\"name\":\"db\",\"weight\":0}]}}],\"targetRef\":{\"kind\":\"MeshService\"," \
	"\"name\":\"" service "\"}}]},\"type\":\"MeshTCPRoute\"}\n"
	       WRITTEN("traffic-backend-0-old", "web", "backend")
		       WRITTEN("traffic-backend-1-old", "*", "backend")
			       WRITTEN("traffic-db-0-old", "web", "db")
				       WRITTEN("traffic-db-1-old", "*", "db"));
}

static void what_is_written_out_or_idle_is_said(void **state)
{
	struct result result;

	(void)state;
	fragment(WEB ROUTE("all", ALL, "'*'", TO("'*'")),
		 "all *: its destination * is written out for the 3 services", &result);
	assert_int_equal(result.conversion.count, 3);
	assert_int_equal(result.conversion.kept_count, 0);
	result_end(&result);
	fragment(WEB ROUTE("a", ALL, "db", TO("db")) ROUTE("b", ALL, "db", TO("web")),
		 "b db: it has no effect for source {kuma.io/service: *}: TrafficRoute "
		 "\"a\" wins",
		 &result);
	assert_int_equal(result.conversion.count, 1);
	result_end(&result);
	fragment(ROUTE("all", ALL, "'*'", TO("'*'")),
		 "kept: all *: no Dataplane says which services there are", &result);
	result_end(&result);
}

static void what_cannot_be_said_is_kept(void **state)
{
	static const char *const CASES[][2] = {
		{ WEB ROUTE("r", ALL, "Backend", TO("db")),
		  "kept: r Backend: no MeshTCPRoute can say it: "
		  "spec.to[0].targetRef.name invalid characters" },
		{ WEB ROUTE("r", "kuma.io/service: a/b", "db", TO("db")),
		  "kept: r db: no MeshTCPRoute can say it: "
		  "spec.targetRef.tags[\"kuma.io/service\"] tag value must" },
		{ WEB ROUTE("r", ALL, "db", TO("db")) TCP("{kind: Dataplane}", "db"),
		  "kept: r db: MeshTCPRoute \"other\" has it for some proxies and would "
		  "lose" },
		{ WEB ROUTE("r", ALL, "db", TO("db"))
			  TCP("{kind: Mesh, proxyTypes: [Sidecar]}", "db"),
		  "kept: r db: MeshTCPRoute \"other\" has it for some proxies" },
		{ WEB ROUTE("r", ALL, "db", TO("db")) TCP("{kind: Mesh}", "db"),
		  "\nr db: nothing is written for it: MeshTCPRoute \"other\" has it for "
		  "every proxy already" +
			  1 },
		{ "---\n{type: Mesh, name: default, meshServices: {mode: "
		  "Exclusive}}\n" WEB ROUTE("r", ALL, "db", TO("db")),
		  "kept: r db: in a mesh with meshServices.mode Exclusive" },
		{ WEB ROUTE("r", ALL, "db",
			    TO("db")) "---\n{type: Dataplane, name: x, networking: "
				      "{address: 10.0.0.2, "
				      "outbound: [{port: 7, tags: {kuma.io/service: db, "
				      "version: v1}}]}}\n",
		  "kept: r db: the outbound 7 of Dataplane \"x\" asks for "
		  "{kuma.io/service: db, version: v1}, and" },
		{ "---\n{type: Mesh, name: default, meshServices: {mode: "
		  "Everywhere}}\n" WEB ROUTE(
			  "r", ALL, "db", TO("db")) "---\n{type: Dataplane, name: x, "
						    "networking: {address: 10.0.0.2, "
						    "outbound: [{port: 7, backendRef: "
						    "{kind: MeshService, name: db, port: "
						    "1}}]}}\n",
		  "kept: r db: a MeshTCPRoute would lead the outbound 7 of Dataplane "
		  "\"x\" as well" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct result result;
		fragment(CASES[i][0], CASES[i][1], &result);
		assert_int_equal(result.conversion.count, 0);
		assert_int_equal(result.conversion.kept_count,
				 strncmp(CASES[i][1], "kept", 4) == 0);
		result_end(&result);
	}
}

static void names_tell_services_apart(void **state)
{
	struct result result = result_of(
		WEB ROUTE("r", ALL, "a_b", TO("db")) ROUTE("s", ALL, "a-b", TO("db"))
			ROUTE("t", ALL, "a.b", TO("db")) ROUTE("0-u", ALL, "c", TO("db"))
				ROUTE("u", ALL, "c-0", TO("db")));

	(void)state;
	assert_int_equal(result.conversion.count, 5);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(result.conversion.routes[i]->key.name,
						result.conversion.routes[j]->key.name);
	result_end(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_route_for_each_destination_and_source),
		cmocka_unit_test(what_is_written_out_or_idle_is_said),
		cmocka_unit_test(what_cannot_be_said_is_kept),
		cmocka_unit_test(names_tell_services_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
