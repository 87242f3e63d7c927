/* The config of an ingress. */
#include "sample.h"

#include "proto/envoy.pb-c.h"

#include <string.h>

#define AT_EAST(address_) AT("east", address_, 80, 1, 0, { 0 })
#define NAMES(...) LIST(struct passage, __VA_ARGS__)

static const struct zone_ingress_spec AT_TEN = { .address = "10.0.0.1", .port = 10001 };
static const struct backend ALL =
	TO("backend", "default:backend", 1, AT_EAST("1.1.1.1"), AT_EAST("1.1.1.2"));
static const struct backend V1 =
	TO("backend", "default:backend-154693772bc47249", 1, AT_EAST("1.1.1.2"));
static const struct backend OBJECT = TO("db", "kri_msvc_default_east__db_sql", 1,
					AT_EAST("fd00::1"), AT_EAST("db.example.org"));
static const struct backend NOBODY = TO_NOBODY("other:backend", 1);

static struct envoy_config *config_of(const struct zone_ingress_spec *spec,
				      const struct passage *passages, size_t count)
{
	const struct resource proxy = {
		.key = { KIND_ZONE_INGRESS, "", "", "", "ingress" }, .ingress = spec
	};
	const struct zone_routes routes = { .proxy = &proxy,
					    .zone = "east",
					    .passages = passages,
					    .passage_count = count };

	return envoy_build_ingress(&routes);
}

#define SNI_ALL "backend{mesh=default}"
#define SNI_V1 "backend{mesh=default,version=v1}"
#define SNI_OBJECT "sni.msvc.default.east.db.sql"

static void chains_by_server_name(void **state)
{
	struct envoy_config *config = config_of(
		&AT_TEN,
		NAMES({ "default", "backend{kuma.io/zone=east,mesh=default}", &ALL },
		      { "default", SNI_V1, &V1 }, { "default", SNI_ALL, &ALL },
		      { "other", "backend{mesh=other}", &NOBODY },
		      { "default", SNI_OBJECT, &OBJECT }));

	(void)state;
	sample_whole(config);
	sample_golden(config, "ingress");
}

static Envoy__Listener *listener_of(const struct envoy_config *config)
{
	const struct envoy_resource *found =
		envoy_config_find(config, ENVOY_LISTENER, "inbound:10.0.0.1:10001");

	assert_non_null(found);
	return envoy__listener__unpack(NULL, found->len, found->bytes);
}

static bool equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	struct zl_buf one = { 0 };
	struct zl_buf other = { 0 };
	uint8_t bytes[4096];

	assert_true(protobuf_c_message_get_packed_size(a) <= sizeof(bytes));
	zl_buf_add(&one, bytes, protobuf_c_message_pack(a, bytes));
	assert_true(protobuf_c_message_get_packed_size(b) <= sizeof(bytes));
	zl_buf_add(&other, bytes, protobuf_c_message_pack(b, bytes));
	bool same = one.len == other.len && memcmp(one.data, other.data, one.len) == 0;
	zl_buf_free(&one);
	zl_buf_free(&other);
	return same;
}

/* Connections live as long as their chain and the listener keep their bytes. */
static void a_chain_tells_only_its_name(void **state)
{
	struct envoy_config *before = config_of(
		&AT_TEN, NAMES({ "default", SNI_V1, &V1 }, { "default", SNI_ALL, &ALL }));
	struct envoy_config *after =
		config_of(&AT_TEN, NAMES({ "default", SNI_ALL, &NOBODY },
					 { "default", SNI_OBJECT, &OBJECT }));
	Envoy__Listener *old = listener_of(before);
	Envoy__Listener *now = listener_of(after);

	(void)state;
	assert_true(equal(&old->filter_chains[1]->base, &now->filter_chains[0]->base));
	old->n_filter_chains = now->n_filter_chains = 0;
	assert_true(equal(&old->base, &now->base));
	old->n_filter_chains = now->n_filter_chains = 2;
	envoy__listener__free_unpacked(old, NULL);
	envoy__listener__free_unpacked(now, NULL);
	envoy_config_drop(&before);
	envoy_config_drop(&after);
}

static void expect_nothing(struct envoy_config *config)
{
	size_t count;

	for (int type = 0; type < ENVOY_TYPES; type++) {
		(void)envoy_config_list(config, (enum envoy_type)type, &count);
		assert_int_equal(count, 0);
	}
	envoy_config_drop(&config);
}

static void no_listener_that_envoy_would_refuse(void **state)
{
	static const struct zone_ingress_spec NAMED = { .address = "in.example.org",
							.port = 10001 };

	(void)state;
	expect_nothing(config_of(&AT_TEN, NULL, 0));
	expect_nothing(config_of(&NAMED, NAMES({ "default", SNI_ALL, &ALL })));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_by_server_name),
		cmocka_unit_test(a_chain_tells_only_its_name),
		cmocka_unit_test(no_listener_that_envoy_would_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
