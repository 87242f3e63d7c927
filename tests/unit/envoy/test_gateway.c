/* Builtin gateways: a listener for each port, a chain for each hostname. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

static const struct resource EDGE = { .key = { KIND_MESH_GATEWAY, "default", "", "",
					       "edge" } };

/* clang-format off */
#define ON(port_, protocol_, hostname_, ...)                                          \
	(&(const struct gateway_listener){ .port = port_, .protocol = protocol_,      \
					   .hostname = hostname_, __VA_ARGS__ })
#define CERTS(...)                                                                    \
	.tls = GATEWAY_TLS_TERMINATE,                                                 \
	.certs = (const struct data_source[]){ __VA_ARGS__ },                         \
	.cert_count = sizeof((const struct data_source[]){ __VA_ARGS__ }) /           \
		      sizeof(struct data_source)
#define PASSED .tls = GATEWAY_TLS_PASSTHROUGH
#define LISTENER(on_, ...)                                                            \
	{ .gateway = &EDGE, .listener = on_,                                          \
	  .backends = (const struct backend[]){ __VA_ARGS__ },                        \
	  .backend_count = sizeof((const struct backend[]){ __VA_ARGS__ }) /          \
			   sizeof(struct backend) }
#define LISTENER_TO_NOBODY(on_) { .gateway = &EDGE, .listener = on_ }
/* clang-format on */

static struct envoy_config *config_of(const struct listener_route *listeners,
				      size_t count, const struct envoy_secrets *secrets)
{
	const struct dataplane_spec spec = { .address = "192.168.0.9",
					     .advertised = "",
					     .gateway = GATEWAY_BUILTIN,
					     .gateway_tags = SERVICE("edge") };
	const struct routes routes = { .proxy = sample_proxy(&spec),
				       .zone = "east",
				       .is_gateway = true,
				       .listeners = listeners,
				       .listener_count = count };

	return envoy_build_proxy(&routes, secrets);
}

static bool has(const struct envoy_config *config, enum envoy_type type, const char *name)
{
	return envoy_config_find(config, type, name) != NULL;
}

static void tcp_and_tls(void **state)
{
	char *rsa = sample_pair(true);
	char *ecdsa = sample_pair(false);
	const char *const list[] = { "cert-a", rsa, "cert-b", ecdsa, NULL };
	const struct envoy_secrets secrets = sample_secrets(list);
	const struct listener_route listeners[] = {
		LISTENER(ON(9080, GATEWAY_TCP, "*"), TO("backend", BACKEND_EU, 90, EU),
			 TO("backend", BACKEND_US, 10, US)),
		LISTENER_TO_NOBODY(ON(9081, GATEWAY_TCP, "*")),
		LISTENER_TO_NOBODY(ON(9082, GATEWAY_HTTP, "*")),
		LISTENER(ON(9443, GATEWAY_TLS, "*",
			    CERTS({ "", ecdsa }, { "cert-a", "" })),
			 TO("backend", "backend", 1, EU)),
		LISTENER(ON(9443, GATEWAY_TLS, "*.b.org", PASSED),
			 TO("backend", "backend", 1, EU), UNRESOLVED("gone", 1)),
		LISTENER(ON(9443, GATEWAY_TLS, "a.example.org",
			    CERTS({ "cert-a", "" }, { "cert-b", "" })),
			 TO("other-backend", "other-backend", 1, OTHER)),
	};

	(void)state;
	sample_golden(config_of(listeners, ARRAY_LEN(listeners), &secrets), "gateway");
	free(ecdsa);
	free(rsa);
}

static void weights_leave_the_listener(void **state)
{
	const struct listener_route before[] = { LISTENER(
		ON(9080, GATEWAY_TCP, "*"), TO("backend", BACKEND_EU, 90, EU),
		TO("backend", BACKEND_US, 10, US)) };
	const struct listener_route after[] = { LISTENER_TO_NOBODY(
		ON(9080, GATEWAY_TCP, "*")) };
	const char *name = "edge:TCP:9080";
	struct envoy_config *first = config_of(before, 1, NULL);
	struct envoy_config *second = config_of(after, 1, NULL);

	(void)state;
	assert_string_equal(envoy_config_find(first, ENVOY_LISTENER, name)->version,
			    envoy_config_find(second, ENVOY_LISTENER, name)->version);
	assert_string_not_equal(
		envoy_config_find(first, ENVOY_EXTENSION, name)->version,
		envoy_config_find(second, ENVOY_EXTENSION, name)->version);
	envoy_config_drop(&first);
	envoy_config_drop(&second);
}

/* K18 */
static void without_a_certificate_there_is_no_chain(void **state)
{
	char *pair = sample_pair(false);
	const char *const none[] = { "broken", "no PEM", NULL };
	const char *const some[] = { "broken", "no PEM", "cert", pair, NULL };
	const struct listener_route listeners[] = {
		LISTENER(ON(9443, GATEWAY_TLS, "a.org", CERTS({ "cert", "" })),
			 TO("backend", "backend", 1, EU)),
		LISTENER(ON(9443, GATEWAY_TLS, "b.org", CERTS({ "broken", "" })),
			 TO("backend", "backend", 1, EU)),
		LISTENER(ON(9443, GATEWAY_TLS, "c.org",
			    CERTS({ "absent", "" }, { "cert", "" })),
			 TO("backend", "backend", 1, EU)),
	};
	struct envoy_secrets secrets = sample_secrets(none);
	struct envoy_config *config =
		config_of(listeners, ARRAY_LEN(listeners), &secrets);
	size_t count;

	(void)state;
	sample_whole(config);
	(void)envoy_config_list(config, ENVOY_LISTENER, &count);
	assert_int_equal(count, 0);
	envoy_config_drop(&config);

	secrets = sample_secrets(some);
	config = config_of(listeners, ARRAY_LEN(listeners), &secrets);
	sample_whole(config);
	assert_true(has(config, ENVOY_LISTENER, "edge:TLS:9443"));
	assert_true(has(config, ENVOY_EXTENSION, "edge:TLS:9443/a.org"));
	assert_false(has(config, ENVOY_EXTENSION, "edge:TLS:9443/b.org"));
	assert_true(has(config, ENVOY_EXTENSION, "edge:TLS:9443/c.org"));
	(void)envoy_config_list(config, ENVOY_SECRET, &count);
	assert_int_equal(count, 1);
	envoy_config_drop(&config);
	free(pair);
}

/* Two ports may have two certificates for one hostname in the document. */
static void certificates_in_the_document_keep_apart(void **state)
{
	char *one = sample_pair(false);
	char *two = sample_pair(false);
	const struct listener_route listeners[] = {
		LISTENER_TO_NOBODY(ON(9443, GATEWAY_TLS, "a.org", CERTS({ "", one }))),
		LISTENER_TO_NOBODY(ON(9444, GATEWAY_TLS, "a.org", CERTS({ "", two }))),
		LISTENER_TO_NOBODY(ON(9445, GATEWAY_TLS, "a.org", CERTS({ "", one }))),
	};
	struct envoy_config *config = config_of(listeners, ARRAY_LEN(listeners), NULL);
	size_t count;

	(void)state;
	sample_whole(config);
	(void)envoy_config_list(config, ENVOY_SECRET, &count);
	assert_int_equal(count, 3);
	assert_true(has(config, ENVOY_SECRET, "cert.ecdsa:inline:a.org"));
	assert_true(has(config, ENVOY_SECRET, "cert.ecdsa:inline:a.org:9444"));
	envoy_config_drop(&config);
	free(two);
	free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_and_tls),
		cmocka_unit_test(weights_leave_the_listener),
		cmocka_unit_test(without_a_certificate_there_is_no_chain),
		cmocka_unit_test(certificates_in_the_document_keep_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
