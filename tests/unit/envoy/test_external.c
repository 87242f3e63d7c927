/* Services outside the mesh: their addresses stand in the cluster, and so does TLS. */
#include "sample.h"

#include "base/mem.h"
#include "envoy/json.h"

#include "proto/envoy.pb-c.h"

#include <stdlib.h>
#include <string.h>

static const struct external_tls PLAIN = {
	.server_name = "", .ca = { "", "" }, .cert = { "", "" }, .key = { "", "" }
};

/* clang-format off */
#define SECRET(name_) ((struct data_source){ name_, "" })
#define WRITTEN(pem_) ((struct data_source){ "", pem_ })
#define NONE SECRET("")
#define TLS(server_, ca_, cert_, key_, ...)                                           \
	(&(const struct external_tls){ .enabled = true, .server_name = server_,       \
				       .ca = ca_, .cert = cert_, .key = key_,         \
				       __VA_ARGS__ })
#define SNI "sni.example.com"
#define FAR(address_, port_)                                                          \
	{ .zone = NULL, .address = address_, .port = port_, .weight = 1,                \
	  .via = VIA_EXTERNAL }
/* clang-format on */

static struct outbound_route leads_to(uint32_t port, struct backend *backend,
				      const char *protocol)
{
	static const struct label TAGS[] = { { TAG_SERVICE, "ext" } };
	struct outbound_route outbound = OUTBOUND(port, "ext", UNRESOLVED("", 1));

	backend->protocol = protocol;
	outbound.tags = (struct labels){ TAGS, 1 };
	outbound.backends = backend;
	outbound.http = strcmp(protocol, "tcp") != 0;
	return outbound;
}

struct world {
	struct backend backends[8];
	struct outbound_route outbounds[8];
	size_t count;
};

static void add(struct world *world, const char *name, const char *protocol,
		const struct external_tls *tls, const struct endpoint *endpoints,
		size_t count)
{
	size_t at = world->count++;

	world->backends[at] = TO_NOBODY("", 1);
	world->backends[at].cluster = world->backends[at].name = name;
	world->backends[at].outside = tls;
	world->backends[at].endpoints = endpoints;
	world->backends[at].endpoint_count = count;
	world->outbounds[at] =
		leads_to(10001 + (uint32_t)at, &world->backends[at], protocol);
}

static const struct endpoint BY_IP[] = { FAR("10.9.0.1", 9090), FAR("fd00::9", 9090) };
static const struct endpoint BY_NAME[] = { FAR("10.9.0.2", 443),
					   FAR("db.example.com", 443) };

static struct envoy_config *config_of(const struct world *world,
				      const struct envoy_secrets *secrets)
{
	static const struct dataplane_spec CLIENT = { .address = "192.168.0.1",
						      .advertised = "" };
	const struct routes routes = { .proxy = sample_proxy(&CLIENT),
				       .zone = "east",
				       .outbounds = world->outbounds,
				       .outbound_count = world->count };

	return envoy_build_proxy(&routes, secrets);
}

static void addresses_and_protocols(void **state)
{
	struct world world = { 0 };

	(void)state;
	add(&world, "ip", "tcp", &PLAIN, BY_IP, 2);
	add(&world, "name", "tcp", &PLAIN, BY_NAME, 2);
	add(&world, "none", "tcp", &PLAIN, NULL, 0);
	add(&world, "http", "http", &PLAIN, BY_NAME, 2);
	add(&world, "http2", "http2", &PLAIN, BY_IP, 1);
	add(&world, "grpc", "grpc", TLS("", NONE, NONE, NONE, .verify = VERIFY_SECURED),
	    BY_NAME + 1, 1);
	sample_golden(config_of(&world, NULL), "external");
}

static void every_way_to_verify(void **state)
{
	static const struct expected_name NAMES[] = { { false, "a.example.com" },
						      { true, "b." } };
	struct world world = { 0 };

	(void)state;
	add(&world, "secured-name", "tcp",
	    TLS(SNI, NONE, NONE, NONE, .verify = VERIFY_SECURED), BY_NAME, 2);
	add(&world, "secured-ip", "tcp",
	    TLS("", NONE, NONE, NONE, .names = NAMES, .name_count = 2), BY_IP, 2);
	add(&world, "skip-san", "tcp",
	    TLS(SNI, NONE, NONE, NONE, .verify = VERIFY_SKIP_SAN, .min = TLS_12,
		.max = TLS_12),
	    BY_NAME + 1, 1);
	add(&world, "skip-ca", "tcp",
	    TLS(SNI, SECRET("not-looked-at"), NONE, NONE, .verify = VERIFY_SKIP_CA,
		.min = TLS_13),
	    BY_IP, 2);
	add(&world, "skip-all", "tcp",
	    TLS("", NONE, NONE, NONE, .verify = VERIFY_SKIP_ALL, .max = TLS_11,
		.renegotiation = true),
	    BY_NAME + 1, 1);
	sample_golden(config_of(&world, NULL), "external-tls");
}

/* ---- Secrets ---- */

static bool has_endpoints(const struct envoy_config *config, const char *name)
{
	const struct envoy_resource *found =
		envoy_config_find(config, ENVOY_CLUSTER, name);
	Envoy__Cluster *cluster;
	bool has;

	assert_non_null(found);
	cluster = envoy__cluster__unpack(NULL, found->len, found->bytes);
	has = cluster->load_assignment->n_endpoints > 0;
	assert_int_equal(has, cluster->transport_socket != NULL);
	envoy__cluster__free_unpacked(cluster, NULL);
	return has;
}

/* True if name is a Secret whose key and certificates are these. */
static bool holds(const struct envoy_config *config, const char *name, const char *text)
{
	const struct envoy_resource *found =
		envoy_config_find(config, ENVOY_SECRET, name);

	return found != NULL && memmem(found->bytes, found->len, text, strlen(text));
}

#define MUTUAL \
	TLS("", SECRET("ca"), SECRET("cert"), SECRET("key"), .verify = VERIFY_SECURED)

static void certificates_come_from_secrets(void **state)
{
	char *pair = sample_pair(false);
	const char *const list[] = { "ca", pair, "cert", pair, "key", pair, NULL };
	const struct envoy_secrets secrets = sample_secrets(list);
	struct world world = { 0 };
	struct zl_buf json = { 0 };
	struct envoy_config *config;

	(void)state;
	add(&world, "ext", "tcp", MUTUAL, BY_NAME, 2);
	config = config_of(&world, &secrets);
	sample_whole(config);
	assert_true(has_endpoints(config, "ext"));
	assert_true(holds(config, "external_ca:ext", pair));
	assert_true(holds(config, "external_cert:ext", pair));
	envoy_config_json(config, &json);
	assert_null(strstr(zl_buf_text(&json), "PRIVATE"));
	assert_null(strstr(zl_buf_text(&json), "inlineBytes"));
	zl_buf_free(&json);
	sample_golden(config, "external-mutual");
	free(pair);
}

static void certificates_in_the_document(void **state)
{
	char *pair = sample_pair(true);
	struct world world = { 0 };
	struct envoy_config *config;

	(void)state;
	add(&world, "ext", "tcp",
	    TLS("", WRITTEN(pair), WRITTEN(pair), WRITTEN(pair),
		.verify = VERIFY_SECURED),
	    BY_IP, 1);
	config = config_of(&world, NULL);
	sample_whole(config);
	assert_true(has_endpoints(config, "ext"));
	assert_true(holds(config, "external_cert:ext", pair));
	envoy_config_drop(&config);
	free(pair);
}

/* K18, and the same for what Envoy would refuse. */
static void without_its_certificates_nothing_is_dialled(void **state)
{
	char *pair = sample_pair(false);
	char *other = sample_pair(false);
	const char *const lists[][7] = {
		{ NULL },
		{ "ca", pair, "cert", pair, NULL },
		{ "cert", pair, "key", pair, NULL },
		{ "ca", "no PEM", "cert", pair, "key", pair, NULL },
		{ "ca", pair, "cert", pair, "key", other, NULL },
		{ "ca", pair, "cert", pair, "key", "", NULL },
	};
	struct world world = { 0 };
	size_t count;

	(void)state;
	add(&world, "ext", "tcp", MUTUAL, BY_NAME, 2);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct envoy_secrets secrets = sample_secrets(lists[i]);
		struct envoy_config *config = config_of(&world, &secrets);
		sample_whole(config);
		assert_false(has_endpoints(config, "ext"));
		(void)envoy_config_list(config, ENVOY_SECRET, &count);
		assert_int_equal(count, 0);
		envoy_config_drop(&config);
	}
	free(other);
	free(pair);
}

static void the_secrets_that_are_needed(void **state)
{
	static const struct dataplane_spec CLIENT = { .address = "192.168.0.1",
						      .advertised = "" };
	static const char WANT[] = "ca\0cert\0key";
	struct world world = { 0 };
	struct zl_buf names = { 0 };

	(void)state;
	add(&world, "ext", "tcp", MUTUAL, BY_NAME, 2);
	add(&world, "ext", "tcp", MUTUAL, BY_NAME, 2);
	add(&world, "plain", "tcp", &PLAIN, BY_NAME, 2);
	const struct routes routes = { .proxy = sample_proxy(&CLIENT),
				       .zone = "east",
				       .outbounds = world.outbounds,
				       .outbound_count = world.count };
	envoy_secrets_named(&routes, &names);
	assert_int_equal(names.len, sizeof(WANT));
	assert_memory_equal(names.data, WANT, sizeof(WANT));
	zl_buf_free(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_protocols),
		cmocka_unit_test(every_way_to_verify),
		cmocka_unit_test(certificates_come_from_secrets),
		cmocka_unit_test(certificates_in_the_document),
		cmocka_unit_test(without_its_certificates_nothing_is_dialled),
		cmocka_unit_test(the_secrets_that_are_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
