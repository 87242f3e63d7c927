/* Protobuf's JSON of messages that no build makes yet. */
#include "envoy/json.h"
#include "support/test.h"

#include "proto/envoy.pb-c.h"

#include <string.h>

/* The JSON of a config with this one resource. */
static struct zl_buf json_of(enum envoy_type type, const ProtobufCMessage *message)
{
	uint8_t bytes[2048];
	struct envoy_resource item = { .type = type, .name = "x", .bytes = bytes };
	struct zl_buf text = { 0 };
	struct envoy_config *config;

	assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(bytes));
	item.len = protobuf_c_message_pack(message, bytes);
	config = envoy_config_new(&item, 1);
	envoy_config_json(config, &text);
	envoy_config_drop(&config);
	return text;
}

static void shows(struct zl_buf text, const char *part)
{
	if (strstr(zl_buf_text(&text), part) == NULL)
		fail_msg("%s is not in %s", part, zl_buf_text(&text));
}

static void an_empty_config_has_its_four_lists(void **state)
{
	struct envoy_config *config = envoy_config_new(NULL, 0);
	struct zl_buf text = { 0 };

	(void)state;
	envoy_config_json(config, &text);
	assert_string_equal(zl_buf_text(&text), "{\n"
						"  \"listeners\": [],\n"
						"  \"clusters\": [],\n"
						"  \"endpoints\": [],\n"
						"  \"extensions\": []\n"
						"}\n");
	zl_buf_free(&text);
	envoy_config_drop(&config);
}

static void durations_have_0_3_6_or_9_digits(void **state)
{
	static const struct {
		int64_t seconds;
		int32_t nanos;
		const char *text;
	} CASES[] = {
		{ 0, 0, "\"0s\"" },
		{ 5, 0, "\"5s\"" },
		{ 0, 250000000, "\"0.250s\"" },
		{ 1, 1000, "\"1.000001s\"" },
		{ 3600, 1, "\"3600.000000001s\"" },
		{ 0, 10000000, "\"0.010s\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		Envoy__Cluster cluster = ENVOY__CLUSTER__INIT;
		Envoy__Duration timeout = ENVOY__DURATION__INIT;
		timeout.seconds = CASES[i].seconds;
		timeout.nanos = CASES[i].nanos;
		cluster.connect_timeout = &timeout;
		struct zl_buf text = json_of(ENVOY_CLUSTER, &cluster.base);
		shows(text, "\"connectTimeout\": ");
		shows(text, CASES[i].text);
		zl_buf_free(&text);
	}
}

static void wrappers_show_their_zero_and_fields_do_not(void **state)
{
	Envoy__Listener listener = ENVOY__LISTENER__INIT;
	Envoy__BoolValue no = ENVOY__BOOL_VALUE__INIT;
	Envoy__UInt32Value zero = ENVOY__UINT32_VALUE__INIT;

	(void)state;
	listener.bind_to_port = &no;
	listener.per_connection_buffer_limit_bytes = &zero;
	struct zl_buf text = json_of(ENVOY_LISTENER, &listener.base);
	shows(text, "\"listeners\": [\n    {\n"
		    "      \"perConnectionBufferLimitBytes\": 0,\n"
		    "      \"bindToPort\": false\n    }\n  ]");
	zl_buf_free(&text);
}

static void enums_bytes_and_numbers(void **state)
{
	static uint8_t bytes[] = { 0xff, 0x00, 0xfe, 0x01 };
	Envoy__Cluster cluster = ENVOY__CLUSTER__INIT;
	Envoy__HealthCheck check = ENVOY__HEALTH_CHECK__INIT;
	Envoy__HealthCheck *checks[] = { &check };
	Envoy__HealthCheck__TcpHealthCheck tcp =
		ENVOY__HEALTH_CHECK__TCP_HEALTH_CHECK__INIT;
	Envoy__HealthCheck__Payload payload = ENVOY__HEALTH_CHECK__PAYLOAD__INIT;
	Envoy__Cluster__CommonLbConfig common = ENVOY__CLUSTER__COMMON_LB_CONFIG__INIT;
	Envoy__Percent percent = ENVOY__PERCENT__INIT;

	(void)state;
	payload.payload_case = ENVOY__HEALTH_CHECK__PAYLOAD__PAYLOAD_BINARY;
	payload.binary.data = bytes;
	tcp.send = &payload;
	check.health_checker_case = ENVOY__HEALTH_CHECK__HEALTH_CHECKER_TCP_HEALTH_CHECK;
	check.tcp_health_check = &tcp;
	cluster.health_checks = checks;
	cluster.n_health_checks = 1;
	cluster.lb_policy = 99;
	cluster.dns_lookup_family = ENVOY__CLUSTER__DNS_LOOKUP_FAMILY__V4_PREFERRED;
	percent.value = 12.5;
	common.healthy_panic_threshold = &percent;
	cluster.common_lb_config = &common;
	/* clang-format off */
	static const struct { size_t len; const char *text; } BASE64[] = {
		{ 0, "\"binary\": \"\"" },     { 1, "\"binary\": \"/w==\"" },
		{ 2, "\"binary\": \"/wA=\"" }, { 3, "\"binary\": \"/wD+\"" },
		{ 4, "\"binary\": \"/wD+AQ==\"" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(BASE64); i++) {
		payload.binary.len = BASE64[i].len;
		struct zl_buf text = json_of(ENVOY_CLUSTER, &cluster.base);
		shows(text, BASE64[i].text);
		shows(text, "\"lbPolicy\": 99");
		shows(text, "\"dnsLookupFamily\": \"V4_PREFERRED\"");
		shows(text, "\"value\": 12.5");
		zl_buf_free(&text);
	}
}

static void a_struct_is_an_object(void **state)
{
	Envoy__Value yes = ENVOY__VALUE__INIT;
	Envoy__Value nothing = ENVOY__VALUE__INIT;
	Envoy__Value *values[] = { &yes, &nothing };
	Envoy__ListValue list = ENVOY__LIST_VALUE__INIT;
	Envoy__Value list_value = ENVOY__VALUE__INIT;
	Envoy__Struct__FieldsEntry field = ENVOY__STRUCT__FIELDS_ENTRY__INIT;
	Envoy__Struct__FieldsEntry *fields[] = { &field };
	Envoy__Struct map = ENVOY__STRUCT__INIT;
	Envoy__Cluster__LbSubsetConfig subset = ENVOY__CLUSTER__LB_SUBSET_CONFIG__INIT;
	Envoy__Cluster cluster = ENVOY__CLUSTER__INIT;
	char key[] = "a \"key\"";

	(void)state;
	yes.kind_case = ENVOY__VALUE__KIND_BOOL_VALUE;
	yes.bool_value = 1;
	nothing.kind_case = ENVOY__VALUE__KIND_NULL_VALUE;
	list.values = values;
	list.n_values = 2;
	list_value.kind_case = ENVOY__VALUE__KIND_LIST_VALUE;
	list_value.list_value = &list;
	field.key = key;
	field.value = &list_value;
	map.fields = fields;
	map.n_fields = 1;
	subset.default_subset = &map;
	cluster.lb_subset_config = &subset;
	struct zl_buf text = json_of(ENVOY_CLUSTER, &cluster.base);
	shows(text, "\"defaultSubset\": {\n"
		    "          \"a \\\"key\\\"\": [\n"
		    "            true,\n"
		    "            null\n"
		    "          ]\n");
	zl_buf_free(&text);
}

static void an_any_of_a_foreign_type_is_shown_as_bytes(void **state)
{
	static char url[] = "type.googleapis.com/other.Type";
	static uint8_t bytes[] = { 1, 2, 3 };
	Envoy__TypedExtensionConfig extension = ENVOY__TYPED_EXTENSION_CONFIG__INIT;
	Envoy__Any any = ENVOY__ANY__INIT;

	(void)state;
	any.type_url = url;
	any.value = (ProtobufCBinaryData){ sizeof(bytes), bytes };
	extension.typed_config = &any;
	struct zl_buf text = json_of(ENVOY_EXTENSION, &extension.base);
	shows(text, "\"@type\": \"type.googleapis.com/other.Type\",\n"
		    "        \"value\": \"AQID\"");
	zl_buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_config_has_its_four_lists),
		cmocka_unit_test(durations_have_0_3_6_or_9_digits),
		cmocka_unit_test(wrappers_show_their_zero_and_fields_do_not),
		cmocka_unit_test(enums_bytes_and_numbers),
		cmocka_unit_test(a_struct_is_an_object),
		cmocka_unit_test(an_any_of_a_foreign_type_is_shown_as_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
