/* The rows of kinds-spec 1 (Mesh) and 5 (Zone), and what their specs hold. */
#include "doc.h"

#define MESH(fields) "{type: Mesh, name: m, " fields "}"
#define BACKENDS(list) MESH("mtls: {backends: " list "}")
#define BACKEND "mtls.backends[0]"

/* clang-format off */
static const struct doc_case CASES[] = {
	{ "{type: Mesh, name: m}", NULL, NULL },
	{ MESH("constraints: {}, tracing: {}, logging: {}, metrics: {}, skipCreatingInitialPolicies: ['*'], networking: {outbound: {passthrough: false}}"), NULL, NULL },
	{ MESH("mtls: {enabledBackend: a, backends: [{name: b, type: builtin}, {name: a, type: provided, conf: {cert: {secret: c}, key: {inline: aGk=}}}]}"), NULL, NULL },
	{ MESH("routing: {defaultForbidMeshExternalServiceAccess: false}"), NULL, NULL },
	{ BACKENDS("[{name: a, type: builtin, conf: {caCert: {RSAbits: 2048, expiration: 0}}}]"), BACKEND ".conf.caCert.expiration: must be a string, not a number: quote it, \"0\"", NULL },
	{ BACKENDS("[{name: a, type: builtin}, {name: b, type: builtin}, {name: c, type: builtin}]"), "mtls.backends: cannot have more than 2 backends", NULL },
	{ BACKENDS("[{name: a, type: builtin}, {name: a, type: builtin}]"), "mtls.backends[1].name: \"a\" name is already used for another backend", NULL },
	{ BACKENDS("[{name: A_, type: builtin}]"), BACKEND ".name: \"A_\" name must be valid dns name", NULL },
	{ BACKENDS("[{name: a, type: vault}]"), BACKEND ".type: could not find installed plugin for this type", NULL },
	{ BACKENDS("[{}]"), BACKEND ".name: must be defined\n" BACKEND ".type: must be defined", NULL },
	{ BACKENDS("[{name: a, type: builtin, mode: strict}]"), BACKEND ".mode: value 'strict' is not supported", NULL },
	{ BACKENDS("[{name: a, type: builtin, dpCert: {rotation: {expiration: 1h30m}}}]"), BACKEND ".dpCert.rotation.expiration: has to be a valid format", NULL },
	{ BACKENDS("[{name: a, type: builtin, dpCert: {rotation: {expiration: 59s}}}]"), BACKEND ".dpCert.rotation.expiration: must be at least 1m", NULL },
	{ BACKENDS("[{name: a, type: builtin, dpCert: {requestTimeout: 5s}}]"), NULL, BACKEND ".dpCert.requestTimeout: requestTimeout has no effect in Zonelink" },
	{ BACKENDS("[{name: a, type: builtin, conf: {caCert: {RSAbits: 1024}}}]"), BACKEND ".conf.caCert.RSAbits: must be in inclusive range [2048, 4096]", NULL },
	{ BACKENDS("[{name: a, type: provided}]"), BACKEND ".conf.cert: has to be defined\n" BACKEND ".conf.key: has to be defined", NULL },
	{ BACKENDS("[{name: a, type: provided, conf: {cert: {}, key: {secret: k, inline: aGk=}}}]"),
	  BACKEND ".conf.cert: data source has to be chosen. Available sources: secret, inline\n" BACKEND ".conf.key: must have only one source", NULL },
	{ BACKENDS("[{name: a, type: provided, conf: {cert: {file: /x}, key: {secret: k}}}]"), BACKEND ".conf.cert.file: file is not part of Zonelink", NULL },
	{ BACKENDS("[{name: a, type: builtin, conf: {key: {secret: k}}}]"), BACKEND ".conf.key: must not be set with type builtin", NULL },
	{ MESH("mtls: {enabledBackend: z, backends: [{name: a, type: builtin}]}"), "mtls.enabledBackend: has to be set to one of the backends in the mesh", NULL },
	{ MESH("routing: {zoneEgress: true}"), "mtls: has to be set when zoneEgress enabled", NULL },
	{ "{apiVersion: kuma.io/v1alpha1, kind: Mesh, metadata: {name: m}, spec: {routing: {zoneEgress: true}}}", "spec.mtls: has to be set when zoneEgress enabled", NULL },
	{ MESH("routing: {unresolvedBackends: blackhole}"), "routing.unresolvedBackends: value 'blackhole' is not supported", NULL },
	{ MESH("routing: {localityAwareLoadBalancing: 'true'}"), "routing.localityAwareLoadBalancing: must be a boolean (true or false), without quotes", NULL },
	{ MESH("routing: {zoneEgres: true}"), "routing.zoneEgres: unknown field, did you mean \"zoneEgress\"?", NULL },
	{ MESH("routing: {defaultForbidMeshExternalServiceAccess: true}"), "routing.defaultForbidMeshExternalServiceAccess: defaultForbidMeshExternalServiceAccess is not part of Zonelink", NULL },
	{ MESH("meshServices: {mode: Always}"), "meshServices.mode: value 'Always' is not supported", NULL },
	{ MESH("tracing: {backends: [{}]}"), "tracing: tracing is not part of Zonelink", NULL },
	{ MESH("skipCreatingInitialPolicies: [1]"), "skipCreatingInitialPolicies[0]: must be a string, not a number: quote it, \"1\"", NULL },
	{ "{type: Mesh, name: m123456789012345678901234567890123456789012345678901234567890123}", "name: cannot be longer than 63 characters", NULL },
	{ "{type: Zone, name: east-1}", NULL, NULL },
	{ "{type: Zone, name: east, status: {condition: Online}}", NULL, NULL },
	{ "{type: Zone, name: 1east}", "name: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", NULL },
	{ "{type: Zone, name: east.x}", "name: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", NULL },
	{ "{type: Zone, name: z123456789012345678901234567890123456789012345678901234567890123}", "name: must not be longer than 63 characters", NULL },
	{ "{type: Zone, name: east, enabled: 1}", "enabled: must be a boolean (true or false), not a number", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

/* An authority is made, or its Secret kept, at global. */
static void a_zone_alone_has_the_authority_of_its_document_only(void **state)
{
#define SIGNS(backend) \
	MESH("mtls: {enabledBackend: a, backends: [{name: a, " backend "}]}")
#define REFUSED(why)                                                            \
	"mtls.enabledBackend: the authority of \"a\" " why ", and a zone that " \
	"runs alone keeps no Secrets: let the zone follow a global, or give a " \
	"provided authority inline"
	static const char IN_TEXT[] =
		SIGNS("type: provided, conf: {cert: {inline: aGk=}, "
		      "key: {inlineString: k}}");
	static const struct {
		const char *yaml, *want;
	} ROWS[] = {
		{ SIGNS("type: builtin"), REFUSED("is made by global") },
		{ SIGNS("type: provided, conf: {cert: {secret: c}, key: {inline: aGk=}}"),
		  REFUSED("is in a Secret") },
		{ SIGNS("type: provided, conf: {cert: {inline: aGk=}, key: {secret: k}}"),
		  REFUSED("is in a Secret") },
		{ IN_TEXT, "" },
		{ BACKENDS("[{name: a, type: builtin}]"), "" }, /* mTLS is off */
	};
	const struct resource_rules alone = { .writer = WRITER_ZONE,
					      .zone = "east",
					      .alone = true };
	const struct resource_rules global = { .writer = WRITER_GLOBAL, .zone = "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct doc doc = doc_by(ROWS[i].yaml, alone);
		assert_string_equal(doc_violations(&doc), ROWS[i].want);
		doc_free(&doc);
		doc = doc_by(ROWS[i].yaml, global);
		assert_string_equal(doc_violations(&doc), "");
		doc_free(&doc);
	}
}

static void mesh_has_values_and_defaults(void **state)
{
	struct doc doc = doc_of("{type: Mesh, name: m}");

	(void)state;
	assert_true(doc.res->mesh->locality_aware == MESH_DEFAULTS.locality_aware);
	assert_true(doc.res->mesh->locality_aware);
	assert_false(doc.res->mesh->zone_egress);
	assert_int_equal(doc.res->mesh->unresolved, MESH_DEFAULTS.unresolved);
	assert_string_equal(doc.res->mesh->mtls_backend, "");
	assert_string_equal(doc.res->key.mesh, "");
	assert_string_equal(doc.res->key.name, "m");
	doc_free(&doc);

	doc = doc_of(
		MESH("routing: {localityAwareLoadBalancing: false, "
		     "unresolvedBackends: Renormalise, zoneEgress: true}, mtls: "
		     "{enabledBackend: ca, backends: [{name: ca, type: builtin}, "
		     "{name: cb, type: builtin, mode: PERMISSIVE, dpCert: {rotation: "
		     "{expiration: 90m}}, conf: {caCert: {RSAbits: 3072, "
		     "expiration: 2d}}}]}"));
	const struct mesh_spec *mesh = doc.res->mesh;
	assert_false(mesh->locality_aware);
	assert_true(mesh->zone_egress);
	assert_int_equal(mesh->unresolved, UNRESOLVED_RENORMALISE);
	assert_string_equal(mesh->mtls_backend, "ca");
	assert_int_equal(mesh->backend_count, 2);
	assert_string_equal(mesh->backends[0].mode, "STRICT");
	assert_string_equal(mesh->backends[1].mode, "PERMISSIVE");
	assert_string_equal(mesh->backends[1].type, "builtin");
	assert_false(mesh->backends[0].permissive);
	assert_int_equal(mesh->backends[0].cert_ms, 86400000);
	assert_int_equal(mesh->backends[0].ca_ms, 315360000000);
	assert_int_equal(mesh->backends[0].rsa_bits, 0);
	assert_true(mesh->backends[1].permissive);
	assert_int_equal(mesh->backends[1].cert_ms, 5400000);
	assert_int_equal(mesh->backends[1].ca_ms, 172800000);
	assert_int_equal(mesh->backends[1].rsa_bits, 3072);
	doc_free(&doc);
}

static void zone_is_enabled_unless_it_says_no(void **state)
{
	struct doc doc = doc_of("{type: Zone, name: z}");

	(void)state;
	assert_true(doc.res->zone->enabled);
	doc_free(&doc);
	doc = doc_of("{type: Zone, name: z, enabled: false}");
	assert_false(doc.res->zone->enabled);
	doc_free(&doc);
}

static void the_status_of_a_zone_is_globals_word(void **state)
{
	static const char WRITTEN[] = "{type: Zone, name: z, labels: {a: b}, enabled: "
				      "false, status: {condition: "
				      "Stale, since: yesterday}}";
	static const struct resource_rules GLOBAL = { .writer = WRITER_GLOBAL,
						      .zone = "" };
	struct zl_arena *arena = zl_arena_new();
	struct findings found = findings_in(arena);
	struct docs docs;

	(void)state;
	assert_int_equal(read_yaml(WRITTEN, strlen(WRITTEN), arena, &docs, NULL), ZL_OK);
	struct resource *res = resource_from_doc(docs.items[0], &GLOBAL, &found);
	assert_int_equal(found.violation_count, 0);
	assert_int_equal(res->zone->condition, ZONE_ONLINE);
	assert_null(strstr(res->json, "status"));

	struct resource *stale = zone_with_condition(res, ZONE_STALE, "then");
	assert_int_equal(stale->zone->condition, ZONE_STALE);
	assert_string_equal(stale->zone->since, "then");
	assert_false(stale->zone->enabled);
	assert_int_equal(key_compare(&stale->key, &res->key), 0);
	struct resource *again = NULL;
	assert_int_equal(resource_from_json(stale->json, stale->json_len, &again, NULL),
			 ZL_OK);
	assert_int_equal(again->zone->condition, ZONE_STALE);
	resource_drop(&again);
	again = resource_relabel(stale, &(struct label){ "a", NULL }, 1);
	assert_int_equal(again->zone->condition, ZONE_STALE);
	resource_drop(&again);
	again = zone_with_condition(stale, ZONE_OFFLINE, "then");
	assert_int_equal(again->zone->condition, ZONE_OFFLINE);
	resource_drop(&again);
	again = zone_with_condition(stale, ZONE_ONLINE, "now");
	assert_string_equal(again->json, res->json); /* no trace of it */
	assert_string_equal(again->zone->since, "");
	resource_drop(&again);
	resource_drop(&stale);
	resource_drop(&res);

	struct doc doc = doc_of(WRITTEN); /* what a server shows can be looked at */
	assert_int_equal(doc.res->zone->condition, ZONE_STALE);
	assert_string_equal(doc.res->zone->since, "yesterday");
	doc_free(&doc);
	doc = doc_of("{type: Zone, name: z, status: {condition: Odd, since: x}}");
	assert_int_equal(doc.res->zone->condition, ZONE_ONLINE);
	doc_free(&doc);
	doc = doc_of("{type: Zone, name: z, status: [1]}");
	assert_int_equal(doc.res->zone->condition, ZONE_ONLINE);
	doc_free(&doc);
	assert_string_equal(zone_condition_name(ZONE_OFFLINE), "Offline");
	zl_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(a_zone_alone_has_the_authority_of_its_document_only),
		cmocka_unit_test(mesh_has_values_and_defaults),
		cmocka_unit_test(zone_is_enabled_unless_it_says_no),
		cmocka_unit_test(the_status_of_a_zone_is_globals_word),
	};
	return cmocka_run_group_tests_name("model/mesh", tests, NULL, NULL);
}
