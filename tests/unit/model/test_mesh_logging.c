/* mtls.defaultPermission and logging of a Mesh (policies-spec P23), and the formats of
 * access logs (2.5). */
#include "doc.h"

#define MESH(fields) "{type: Mesh, name: m, " fields "}"
#define LOGS(list) MESH("logging: {backends: " list "}")
#define FORMAT(text) LOGS("[{name: f, type: file, conf: {path: /l}, format: " text "}]")
#define AT "logging.backends[0]"

/* clang-format off */
static const struct doc_case CASES[] = {
	{ MESH("mtls: {defaultPermission: Allow}"), NULL, NULL },
	{ MESH("mtls: {defaultPermission: allow}"), "mtls.defaultPermission: value 'allow' is not supported", NULL },
	{ MESH("mtls: {defaultPermission: true}"), "mtls.defaultPermission: must be a string, not a boolean: quote it, \"true\"", NULL },
	{ MESH("logging: {}"), NULL, NULL },
	{ MESH("logging: {defaultBackend: f, backends: [{name: f, type: file, conf: {path: /var/log/m}}, {name: t, type: tcp, format: '%DURATION%', conf: {address: 'logs:5000'}}]}"), NULL, NULL },
	{ MESH("logging: {defaultBackend: x, backends: [{name: f, type: file, conf: {path: /l}}]}"), "logging.defaultBackend: has to be set to one of the logging backend in mesh", NULL },
	{ LOGS("[{name: f, type: file, conf: {path: /l}}, {name: f, type: file, conf: {path: /k}}]"), "logging.backends[1].name: \"f\" name is already used for another backend", NULL },
	{ LOGS("[{}]"), AT ".name: cannot be empty\n" AT ".type: unknown backend type. Available backends: \"tcp\", \"file\"", NULL },
	{ LOGS("[{name: f, type: File, conf: {path: /l}}]"), AT ".type: unknown backend type. Available backends: \"tcp\", \"file\"", NULL },
	{ LOGS("[{name: f, type: 1, conf: {path: /l}}]"), AT ".type: must be a string, not a number: quote it, \"1\"", NULL },
	{ LOGS("[{name: f, type: file}]"), AT ".conf.path: cannot be empty", NULL },
	{ LOGS("[{name: f, type: file, conf: {path: ''}}]"), AT ".conf.path: cannot be empty", NULL },
	{ LOGS("[{name: f, type: file, conf: {path: l}}]"), AT ".conf.path: has to be an absolute path", NULL },
	{ LOGS("[{name: f, type: file, conf: {path: /a/../b}}]"), AT ".conf.path: has to be an absolute path", NULL },
	{ LOGS("[{name: f, type: file, conf: {path: /a/..}}]"), AT ".conf.path: has to be an absolute path", NULL },
	{ LOGS("[{name: f, type: file, conf: {path: /a/..b}}]"), NULL, NULL },
	{ LOGS("[{name: f, type: file, conf: {path: /l, address: 'a:1'}}]"), AT ".conf.address: must not be set with type file", NULL },
	{ LOGS("[{name: f, type: tcp}]"), AT ".conf.address: cannot be empty", NULL },
	{ LOGS("[{name: f, type: tcp, conf: {address: logs}}]"), AT ".conf.address: has to be in format of HOST:PORT", NULL },
	{ LOGS("[{name: f, type: tcp, conf: {address: 'logs:0'}}]"), AT ".conf.address: has to be in format of HOST:PORT", NULL },
	{ LOGS("[{name: f, type: tcp, conf: {address: 'http://logs:80'}}]"), AT ".conf.address: has to be in format of HOST:PORT", NULL },
	{ LOGS("[{name: f, type: tcp, conf: {address: 'unix:/run/logs'}}]"), AT ".conf.address: has to be in format of HOST:PORT", NULL },
	{ LOGS("[{name: f, type: tcp, conf: {address: '[fd00::1]:5000'}}]"), NULL, NULL },
	{ LOGS("[{name: f, type: tcp, conf: {address: 'log_host:5000'}}]"), NULL, NULL },
	{ LOGS("[{name: f, typ: tcp, type: tcp, conf: {address: 'a:1'}}]"), AT ".typ: unknown field, did you mean \"type\"?", NULL },

	{ FORMAT("'%%'"), NULL, NULL },
	{ FORMAT("'100%% of %BYTES_SENT% %KUMA_MESH%%KUMA_SOURCE_SERVICE%'"), NULL, NULL },
	{ FORMAT("'[%START_TIME%] %START_TIME(%Y/%m/%dT%H:%M:%S%z)% %EMIT_TIME(%s)%'"), NULL, NULL },
	{ FORMAT("'%REQ(:AUTHORITY?X-Y):10% %RESP(a)% %TRAILER(a)% %PROTOCOL% %ROUTE_NAME%'"), NULL, NULL },
	{ FORMAT("'%FILTER_STATE(k:PLAIN):3% %FILTER_STATE(k:FIELD:a)% %DYNAMIC_METADATA(a:b)%'"), NULL, NULL },
	{ FORMAT("'%FOO% %foo(a)% %DURATION%'"), AT ".format: unknown operator %FOO%\n" AT ".format: unknown operator %foo%", NULL },
	{ FORMAT("'%KUMA_ZONE%'"), AT ".format: unknown operator %KUMA_ZONE%", NULL },
	{ FORMAT("'100% sure'"), AT ".format: unbalanced %", NULL },
	{ FORMAT("'%DURATION %'"), AT ".format: unbalanced %", NULL },
	{ FORMAT("'%DURATION'"), AT ".format: unbalanced %", NULL },
	{ FORMAT("'%%%'"), AT ".format: unbalanced %", NULL },
	{ FORMAT("'%REQ(a'"), AT ".format: unbalanced %", NULL },
	{ FORMAT("'%REQ(a):%'"), AT ".format: unbalanced %", NULL },
	{ FORMAT("'%REQ%'"), AT ".format: operator %REQ% needs a parameter in parentheses", NULL },
	{ FORMAT("'%FILTER_STATE()%'"), AT ".format: operator %FILTER_STATE% needs a parameter in parentheses", NULL },
	{ FORMAT("'%DYNAMIC_METADATA%'"), AT ".format: operator %DYNAMIC_METADATA% needs a parameter in parentheses", NULL },
	{ FORMAT("'%DURATION(ms)%'"), AT ".format: operator %DURATION% takes no parameter", NULL },
	{ FORMAT("'%HOSTNAME:4%'"), AT ".format: operator %HOSTNAME% takes no length", NULL },
	{ FORMAT("'%START_TIME(%s):4%'"), AT ".format: operator %START_TIME% takes no length", NULL },
	{ FORMAT("'%REQ(a b)%'"), AT ".format: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("'%REQ(a?b?c)%'"), AT ".format: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("'%FILTER_STATE(k:X)%'"), AT ".format: operator %FILTER_STATE% cannot have this parameter", NULL },
	{ FORMAT("\"%START_TIME(\\n)%\""), AT ".format: operator %START_TIME% cannot have this parameter", NULL },
	{ FORMAT("'%REQ(a):99999999999999999999%'"), AT ".format: operator %REQ% cannot have this length", NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

static void a_mesh_has_its_logs(void **state)
{
	struct doc doc = doc_of(MESH("mtls: {defaultPermission: Allow}, logging: "
				     "{defaultBackend: t, backends: [{name: t, type: "
				     "tcp, conf: {address: 'logs:5000'}}, {name: f, "
				     "type: file, format: '%DURATION%', conf: {path: "
				     "/var/log/m}}]}"));
	const struct mesh_spec *mesh = doc.res->mesh;

	(void)state;
	assert_true(mesh->let_in);
	assert_string_equal(mesh->log_backend, "t");
	assert_int_equal(mesh->log_count, 2);
	assert_true(mesh->logs[0].tcp);
	assert_string_equal(mesh->logs[0].address, "logs:5000");
	assert_string_equal(mesh->logs[0].format, "");
	assert_false(mesh->logs[1].tcp);
	assert_string_equal(mesh->logs[1].path, "/var/log/m");
	assert_string_equal(mesh->logs[1].format, "%DURATION%");
	doc_free(&doc);

	doc = doc_of("{type: Mesh, name: m}");
	assert_false(doc.res->mesh->let_in);
	assert_string_equal(doc.res->mesh->log_backend, "");
	assert_int_equal(doc.res->mesh->log_count, 0);
	assert_string_equal(MESH_DEFAULTS.log_backend, "");
	doc_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
		cmocka_unit_test(a_mesh_has_its_logs),
	};
	return cmocka_run_group_tests_name("model/mesh_logging", tests, NULL, NULL);
}
