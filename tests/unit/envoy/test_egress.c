/* The config of an egress, and of who sends by way of it. */
#include "sample.h"

#include "envoy/json.h"

#include "proto/envoy.pb-c.h"

#include <stdio.h>
#include <string.h>

#define FAR(address_, port_)                                                   \
	{                                                                      \
		.zone = NULL, .address = address_, .port = port_, .weight = 1, \
		.via = VIA_EXTERNAL                                            \
	}
#define LISTENER "inbound:10.0.0.9:10002"

static const struct zone_egress_spec AT_TEN = { .address = "10.0.0.9", .port = 10002 };
static const struct external_tls PLAIN = {
	.server_name = "", .ca = { "", "" }, .cert = { "", "" }, .key = { "", "" }
};
static const struct external_tls CHECKED = { .enabled = true,
					     .server_name = "",
					     .ca = { "", "" },
					     .cert = { "", "" },
					     .key = { "", "" } };
static const struct external_tls MUTUAL = { .enabled = true,
					    .server_name = "",
					    .ca = { "ca", "" },
					    .cert = { "cert", "" },
					    .key = { "key", "" } };

static struct backend outside(const char *cluster, const char *protocol,
			      const struct external_tls *tls,
			      const struct endpoint *endpoint)
{
	struct backend backend = TO_NOBODY("ext", 1);

	backend.cluster = cluster;
	backend.protocol = protocol;
	backend.outside = tls;
	backend.endpoints = endpoint;
	backend.endpoint_count = 1;
	return backend;
}

/* ---- two meshes, of which both send outside ---- */

static const struct endpoint BY_NAME[] = { FAR("api.example.com", 443) };
static const struct endpoint BY_IP[] = { FAR("10.9.0.1", 9090) };
static const struct endpoint FAR_AWAY[] = { AT("west", "2.2.2.2", 1, 3, 0, { 0 }),
					    AT("north", "2.2.2.3", 1, 1, 1, { 0 }) };
static const struct mesh_backend SIGNS[] = {
	{ .name = "ca", .type = "builtin", .mode = "STRICT" },
	{ .name = "old", .type = "builtin", .mode = "STRICT" }
};
static const struct mesh_spec MESH = {
	.mtls_backend = "ca", .backends = SIGNS, .backend_count = 2, .zone_egress = true
};
static const char *const URIS[] = { "spiffe://a/zone-egress", "spiffe://b/zone-egress" };
static const struct zone_mesh MESHES[] = { { "a", &MESH, &URIS[0], 1 },
					   { "b", &MESH, &URIS[1], 1 } };

struct world {
	struct backend far, plain, checked, mutual;
	struct passage passages[4];
	struct resource proxy;
	struct zone_routes routes;
};

static void world_of(struct world *world, const struct zone_egress_spec *spec)
{
	*world = (struct world){ 0 };
	world->far = TO_NOBODY("far", 1);
	world->far.cluster = "a:far";
	world->far.endpoints = FAR_AWAY;
	world->far.endpoint_count = 2;
	world->plain = outside("a:ext", "tcp", &PLAIN, BY_IP);
	world->checked = outside("b:ext", "http2", &CHECKED, BY_NAME);
	world->mutual = outside("kri_extsvc_b___ext_90", "tcp", &MUTUAL, BY_IP);
	world->passages[0] = (struct passage){ "a", "ext{mesh=a}", &world->plain };
	world->passages[1] = (struct passage){ "b", "ext{mesh=b}", &world->checked };
	world->passages[2] = (struct passage){ "a", "far{mesh=a}", &world->far };
	world->passages[3] =
		(struct passage){ "b", "sni.extsvc.b.ext.90", &world->mutual };
	world->proxy = (struct resource){ .key = { KIND_ZONE_EGRESS, "", "", "", "e" },
					  .egress = spec };
	world->routes = (struct zone_routes){ .proxy = &world->proxy,
					      .zone = "east",
					      .passages = world->passages,
					      .passage_count = 4,
					      .meshes = MESHES,
					      .mesh_count = 2 };
}

/* In place of owner: who has an identity, of "a", "b". */
static bool identify(void *owner, const struct envoy_holder *holder,
		     struct envoy_identity *out)
{
	assert_ptr_equal(holder->mesh, &MESH);
	assert_int_equal(holder->uri_count, 1);
	assert_int_equal(strncmp(holder->uris[0], "spiffe://", 9), 0);
	assert_int_equal(holder->uris[0][9], holder->mesh_name[0]);
	if (strstr(owner, holder->mesh_name) == NULL)
		return false;
	zl_buf_format(&out->chain, "chain of %s", holder->mesh_name);
	zl_buf_str(&out->key, "key");
	zl_buf_format(&out->roots, "roots of %s", holder->mesh_name);
	return true;
}

/* Secrets are those of the mesh that dials. */
static bool read_of_b(void *owner, const char *mesh, const char *name,
		      struct zl_buf *content)
{
	(void)owner;
	assert_string_equal(mesh, "b");
	(void)name;
	(void)content;
	return false;
}

static size_t count_of(const struct envoy_config *config, enum envoy_type type)
{
	size_t count;

	(void)envoy_config_list(config, type, &count);
	return count;
}

static void what_is_outside_ends_in_its_mesh(void **state)
{
	char both[] = "ab";
	const struct envoy_secrets secrets = { read_of_b, identify, both };
	struct world world;

	(void)state;
	world_of(&world, &AT_TEN);
	sample_golden(envoy_build_egress(&world.routes, &secrets), "egress");
}

static void has_chain(const struct envoy_config *config, const char *sni, bool is_there)
{
	char name[128];

	(void)snprintf(name, sizeof(name), LISTENER "/%s", sni);
	assert_int_equal(envoy_config_find(config, ENVOY_EXTENSION, name) != NULL,
			 is_there);
}

/* Others are served all the same. */
static void without_an_identity_nothing_ends_here(void **state)
{
	char one[] = "b";
	char none[] = "";
	struct envoy_secrets secrets = { read_of_b, identify, one };
	struct world world;

	(void)state;
	world_of(&world, &AT_TEN);
	struct envoy_config *config = envoy_build_egress(&world.routes, &secrets);
	sample_whole(config);
	has_chain(config, "ext{mesh=a}", false);
	has_chain(config, "ext{mesh=b}", true);
	has_chain(config, "far{mesh=a}", true);
	assert_null(envoy_config_find(config, ENVOY_CLUSTER, "a:ext"));
	assert_int_equal(count_of(config, ENVOY_SECRET), 2);
	envoy_config_drop(&config);

	secrets.owner = none;
	config = envoy_build_egress(&world.routes, &secrets);
	sample_whole(config);
	assert_int_equal(count_of(config, ENVOY_EXTENSION), 1);
	assert_int_equal(count_of(config, ENVOY_SECRET), 0);
	envoy_config_drop(&config);

	/* Envoy takes no listener without a chain. */
	world.routes.passage_count = 2;
	config = envoy_build_egress(&world.routes, &secrets);
	assert_int_equal(count_of(config, ENVOY_LISTENER), 0);
	assert_int_equal(count_of(config, ENVOY_CLUSTER), 0);
	envoy_config_drop(&config);
}

static void no_address_no_listener(void **state)
{
	static const struct zone_egress_spec NAMED = { .address = "out.example.org",
						       .port = 10002 };
	struct world world;

	(void)state;
	world_of(&world, &NAMED);
	struct envoy_config *config = envoy_build_egress(&world.routes, NULL);
	for (enum envoy_type type = 0; type < ENVOY_TYPES; type++)
		assert_int_equal(count_of(config, type), 0);
	envoy_config_drop(&config);
}

static void the_secrets_that_are_needed(void **state)
{
	static const char WANT[] = "b\0ca\0b\0cert\0b\0key\0"
				   "a\0a.ca-builtin-cert-ca\0a\0a.ca-builtin-key-ca\0"
				   "a\0a.ca-builtin-cert-old\0"
				   "b\0b.ca-builtin-cert-ca\0b\0b.ca-builtin-key-ca\0"
				   "b\0b.ca-builtin-cert-old";
	struct world world;
	struct zl_buf names = { 0 };

	(void)state;
	world_of(&world, &AT_TEN);
	envoy_zone_secrets_named(&world.routes, &names);
	assert_int_equal(names.len, sizeof(WANT));
	assert_memory_equal(names.data, WANT, sizeof(WANT));
	zl_buf_free(&names);
}

/* ---- who sends by way of it ---- */

/* The options of the cluster's HTTP, 0 for none; and its host name. */
static void expect_client(const char *protocol, const char *host, const char *want)
{
	struct backend backend =
		TO("ext", "ext", 1, AT("east", "10.0.0.9", 10002, 1, 0, { 0 }));
	struct outbound_route outbound = OUTBOUND(10001, "ext", UNRESOLVED("", 1));
	struct zl_buf text = { 0 };

	backend.relayed = true;
	backend.host = host;
	backend.protocol = protocol;
	outbound.backends = &backend;
	outbound.http = strcmp(protocol, "tcp") != 0;
	const struct http_match any = { .method = "" };
	const struct request_route all = { .match = &any,
					   .backends = &backend,
					   .backend_count = 1 };
	outbound.rules = &all;
	outbound.rule_count = outbound.http ? 1 : 0;
	struct envoy_config *config = sample_config(&outbound, 1);
	sample_whole(config);
	envoy_config_json(config, &text);
	const char *json = zl_buf_text(&text);
	struct zl_buf found = { 0 };
	if (strstr(json, "httpProtocolOptions") != NULL)
		zl_buf_str(&found, "1");
	if (strstr(json, "http2ProtocolOptions") != NULL)
		zl_buf_str(&found, "2");
	if (strstr(json, "autoHostRewrite") != NULL)
		zl_buf_str(&found, " rewritten");
	if (strstr(json, "\"hostname\": \"api.example.com\"") != NULL)
		zl_buf_str(&found, " named");
	assert_string_equal(zl_buf_text(&found), want);
	zl_buf_free(&found);
	zl_buf_free(&text);
	envoy_config_drop(&config);
}

/* The egress does not look at it, so the other end gets it as it is. */
static void clients_speak_what_the_other_end_does(void **state)
{
	(void)state;
	expect_client("tcp", NULL, "");
	expect_client("tcp", "api.example.com", " named");
	expect_client("http", "api.example.com", "1 rewritten named");
	expect_client("http2", NULL, "2 rewritten");
	expect_client("grpc", NULL, "2 rewritten");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_outside_ends_in_its_mesh),
		cmocka_unit_test(without_an_identity_nothing_ends_here),
		cmocka_unit_test(no_address_no_listener),
		cmocka_unit_test(the_secrets_that_are_needed),
		cmocka_unit_test(clients_speak_what_the_other_end_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
