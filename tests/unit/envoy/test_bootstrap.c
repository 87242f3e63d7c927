/* Bootstraps as whole files; what Envoy says to them is for accepted.py. */
#include "sample.h"

#include "envoy/bootstrap.h"

static const struct zl_addr UNIX_ADS = { .is_unix = true, .host = "/run/zone xds.sock" };
static const struct zl_addr IP_ADS = { .host = "127.0.0.1", .port = 5678 };
static const struct zl_addr DNS_ADS = { .host = "localhost", .port = 5678 };
static const struct zl_addr V6_ADS = { .host = "::1", .port = 5678 };
static const struct zl_addr ADMIN = { .host = "127.0.0.2", .port = 0 };
static const struct zl_addr UNIX_ADMIN = { .is_unix = true, .host = "/run/admin.sock" };

/* Good until 2126; nobody has its key. */
static const char CA[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBpDCCAUugAwIBAgIUV2sAw4Q7haVgoOgNaGfaPUC6/1wwCgYIKoZIzj0EAwIw\n"
	"JzERMA8GA1UECgwIWm9uZWxpbmsxEjAQBgNVBAMMCXpvbmUgZWFzdDAgFw0yNjEx\n"
	"MjExMzI3MDVaGA8yMTI2MTAyODEzMjcwNVowJzERMA8GA1UECgwIWm9uZWxpbmsx\n"
	"EjAQBgNVBAMMCXpvbmUgZWFzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPK3\n"
	"iFyDwqa0QQJJktGPx8ep/0tvpBmafHziAephuocGLPktIKR+ogGpIBJVCUNlombh\n"
	"o4tgS1xzCyO0GtfVl4qjUzBRMB0GA1UdDgQWBBTTRFRy5vidaA39kFNcaUVggL8E\n"
	"LDAfBgNVHSMEGDAWgBTTRFRy5vidaA39kFNcaUVggL8ELDAPBgNVHRMBAf8EBTAD\n"
	"AQH/MAoGCCqGSM49BAMCA0cAMEQCIBuVLIbSyyEfLe3scW6Lqp1dgOaEC1I91KWY\n"
	"B+Q+W32LAiBEPEVSjBMM5vJw2ccvuKcF6Q28xsRAYmXOtiPq7mir+w==\n"
	"-----END CERTIFICATE-----\n";

static void golden_yaml(const struct envoy_bootstrap *bootstrap, const char *file)
{
	struct zl_buf text = { 0 };

	envoy_bootstrap_yaml(bootstrap, &text);
	sample_golden_text(&text, file);
	zl_buf_free(&text);
}

static void to_an_address(void **state)
{
	struct envoy_bootstrap bootstrap = {
		.mesh = "default", .name = "web-01", .service = "web", .ads = IP_ADS
	};

	(void)state;
	golden_yaml(&bootstrap, "bootstrap-ip.yaml");
}

static void to_a_host_name(void **state)
{
	struct envoy_bootstrap bootstrap = { .mesh = "default",
					     .name = "yes: [#",
					     .service = "",
					     .ads = DNS_ADS,
					     .admin = &ADMIN };

	(void)state;
	golden_yaml(&bootstrap, "bootstrap-dns.yaml");
}

static void to_a_unix_socket(void **state)
{
	struct envoy_bootstrap bootstrap = {
		.mesh = "", .name = "ingress-west", .ads = UNIX_ADS, .admin = &UNIX_ADMIN
	};

	(void)state;
	golden_yaml(&bootstrap, "bootstrap-unix.yaml");
}

static void as_json(void **state)
{
	struct envoy_bootstrap bootstrap = {
		.mesh = "default", .name = "web-01", .service = "web", .ads = V6_ADS
	};
	struct zl_buf text = { 0 };

	(void)state;
	envoy_bootstrap_json(&bootstrap, &text);
	sample_golden_text(&text, "bootstrap-json.yaml");
	zl_buf_free(&text);
}

static void by_tls_with_a_token(void **state)
{
	struct envoy_bootstrap bootstrap = { .mesh = "default",
					     .name = "web-01",
					     .service = "web",
					     .ads = DNS_ADS,
					     .ca = CA,
					     .identity = "spiffe://zonelink/zone/east",
					     .token = "eyJhbGciOiJFZERTQSJ9.e30.c2ln" };

	(void)state;
	golden_yaml(&bootstrap, "bootstrap-tls.yaml");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_an_address),       cmocka_unit_test(to_a_host_name),
		cmocka_unit_test(to_a_unix_socket),    cmocka_unit_test(as_json),
		cmocka_unit_test(by_tls_with_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
