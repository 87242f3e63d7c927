/* The rows of policies-spec 2.5: MeshAccessLog. */
#include "doc.h"

#define LOG(spec) "{type: MeshAccessLog, name: a, mesh: default, spec: " spec "}"
#define MESH "targetRef: {kind: Mesh}"
#define TO(backends) \
	LOG("{" MESH ", to: [{" MESH ", default: {backends: " backends "}}]}")
#define FILE_LOG(rest) TO("[{type: File, file: {path: /l" rest "}}]")
#define FORMAT(format) FILE_LOG(", format: {" format "}")
#define OTEL(rest) TO("[{type: OpenTelemetry, openTelemetry: {endpoint: o" rest "}}]")
#define BODY(body) OTEL(", body: {" body "}")
#define RULES(backends) LOG("{" MESH ", rules: [{default: {backends: " backends "}}]}")
#define RIGHT "spec.to[0].default"
#define AT RIGHT ".backends[0]"
#define LINES AT ".file.format"
#define NO_BODY                                                             \
	AT ".openTelemetry.body: must be a text, or an OTLP value such as " \
	   "{kvlistValue: {values: [{key: a, value: {stringValue: b}}]}}"
#define DEPRECATED "spec.from: 'from' field is deprecated, use 'rules' instead"

/* clang-format off */
static const struct doc_case CASES[] = {
	/* the lists */
	{ LOG("{" MESH "}"), "spec: at least one of 'from', 'to' or 'rules' has to be defined", NULL },
	{ LOG("{" MESH ", to: [{" MESH ", default: {backends: []}}], rules: [{default: {backends: []}}]}"), "spec: fields 'to' and 'from' must be empty when 'rules' is defined", NULL },
	{ LOG("{" MESH ", from: [{" MESH ", default: {backends: []}}]}"), NULL, DEPRECATED },
	{ LOG("{" MESH ", from: [{targetRef: {kind: MeshSubset, tags: {a: b}}, default: {backends: []}}]}"), "spec.from[0].targetRef.kind: value 'MeshSubset' is not supported", DEPRECATED },
	{ LOG("{to: [{targetRef: {kind: MeshExternalService, name: e}, default: {backends: []}}]}"), NULL, NULL },
	{ LOG("{to: [{targetRef: {kind: MeshHTTPRoute, name: e}, default: {backends: []}}]}"), "spec.to[0].targetRef.kind: value 'MeshHTTPRoute' is not supported", NULL },
	{ LOG("{to: [{" MESH "}]}"), RIGHT ": must be defined", NULL },
	{ LOG("{to: [{default: {backends: []}}]}"), "spec.to[0].targetRef: must be defined", NULL },
	{ LOG("{rules: [{}]}"), "spec.rules[0].default: must be defined", NULL },

	/* backends */
	{ TO("[]"), NULL, NULL },
	{ RULES("[]"), NULL, NULL },
	{ LOG("{to: [{" MESH ", default: {}}]}"), RIGHT ".backends: must be defined", NULL },
	{ LOG("{rules: [{default: {}}]}"), "spec.rules[0].default.backends: must be defined", NULL },
	{ LOG("{from: [{" MESH ", default: {}}]}"), "spec.from[0].default.backends: must be defined", DEPRECATED },
	{ TO("{}"), RIGHT ".backends: must be a list, not an object", NULL },
	{ TO("[{}]"), AT ".type: must be defined", NULL },
	{ TO("[{type: file}]"), AT ".type: value 'file' is not supported", NULL },
	{ TO("[{type: File}]"), AT ".file: must be defined", NULL },
	{ TO("[{type: Tcp}]"), AT ".tcp: must be defined", NULL },
	{ TO("[{type: OpenTelemetry}]"), AT ".openTelemetry: must be defined", NULL },
	{ TO("[{type: File, file: {path: /l}, tcp: {address: 'a:1'}}]"), NULL, AT ".tcp: tcp has no effect with type File" },
	{ RULES("[{type: Tcp, tcp: {address: a}}]"), "spec.rules[0].default.backends[0].tcp.address: tcp backend requires valid address", NULL },

	/* file */
	{ FILE_LOG(""), NULL, NULL },
	{ TO("[{type: File, file: {}}]"), AT ".file.path: file backend requires a valid path", NULL },
	{ TO("[{type: File, file: {path: ''}}]"), AT ".file.path: file backend requires a valid path", NULL },
	{ TO("[{type: File, file: {path: l}}]"), AT ".file.path: file backend requires a valid path", NULL },
	{ TO("[{type: File, file: {path: /a/../l}}]"), AT ".file.path: file backend requires a valid path", NULL },
	{ TO("[{type: File, file: {path: 1}}]"), AT ".file.path: must be a string, not a number: quote it, \"1\"", NULL },
	{ TO("[{type: File, file: {pat: /l, path: /l}}]"), AT ".file.pat: unknown field, did you mean \"path\"?", NULL },

	/* tcp */
	{ TO("[{type: Tcp, tcp: {address: 'logs:5000'}}]"), NULL, NULL },
	{ TO("[{type: Tcp, tcp: {address: '127.0.0.1:5000'}}]"), NULL, NULL },
	{ TO("[{type: Tcp, tcp: {}}]"), AT ".tcp.address: tcp backend requires valid address", NULL },
	{ TO("[{type: Tcp, tcp: {address: logs}}]"), AT ".tcp.address: tcp backend requires valid address", NULL },
	{ TO("[{type: Tcp, tcp: {address: 'logs:70000'}}]"), AT ".tcp.address: tcp backend requires valid address", NULL },
	{ TO("[{type: Tcp, tcp: {address: '-:1'}}]"), AT ".tcp.address: tcp backend requires valid address", NULL },

	{ TO("[{type: Tcp, tcp: {address: 'logs:1', format: {type: Plain, plain: x, omitEmptyValues: true}}}]"), NULL, AT ".tcp.format.omitEmptyValues: omitEmptyValues has no effect with type Tcp" },

	/* format */
	{ FORMAT("type: Plain, plain: '%DURATION%', omitEmptyValues: true"), NULL, NULL },
	{ FORMAT("type: Json, json: [{key: k, value: '%DURATION%'}]"), NULL, NULL },
	{ FORMAT("type: Json, json: [{key: k, value: 'a\\n\\u00e4'}]"), NULL, NULL },
	{ FORMAT(""), LINES ".type: must be defined", NULL },
	{ FORMAT("type: plain, plain: x"), LINES ".type: value 'plain' is not supported", NULL },
	{ FORMAT("type: Plain"), LINES ".plain: must be defined", NULL },
	{ FORMAT("type: Plain, plain: ''"), LINES ".plain: must not be empty", NULL },
	{ FORMAT("type: Json"), LINES ".json: must be defined", NULL },
	{ FORMAT("type: Json, json: []"), LINES ".json: must not be empty", NULL },
	{ FORMAT("type: Plain, plain: x, json: [{key: k, value: v}]"), NULL, LINES ".json: json has no effect with type Plain" },
	{ FORMAT("type: Json, json: [{key: k, value: v}], plain: x"), NULL, LINES ".plain: plain has no effect with type Json" },
	{ FORMAT("type: Plain, plain: '%NO% %REQ%'"), LINES ".plain: unknown operator %NO%\n" LINES ".plain: operator %REQ% needs a parameter in parentheses", NULL },
	{ FORMAT("type: Plain, plain: 'a % b'"), LINES ".plain: unbalanced %", NULL },
	{ FORMAT("type: Plain, plain: '%REQ(:METHOD)% %REQ(X-A?:PATH):5% %RESP(a?)% %START_TIME(%Y %3f %s%%)% %FILTER_STATE(a:FIELD:b)%'"), NULL, NULL },
	{ FORMAT("type: Plain, plain: '%REQ(a(b)%'"), LINES ".plain: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%REQ(a/b)%'"), LINES ".plain: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%RESP(a[b])%'"), LINES ".plain: operator %RESP% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%TRAILER(a\\b)%'"), LINES ".plain: operator %TRAILER% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%REQ(a?b;c)%'"), LINES ".plain: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%REQ(a?b?c)%'"), LINES ".plain: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%REQ(::a)%'"), LINES ".plain: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%REQ(a:)%'"), LINES ".plain: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%REQ(\303\244)%'"), LINES ".plain: operator %REQ% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%START_TIME(%n)%'"), LINES ".plain: operator %START_TIME% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%START_TIME(%Y%-3n)%'"), LINES ".plain: operator %START_TIME% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%EMIT_TIME(%%n)%'"), LINES ".plain: operator %EMIT_TIME% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: '%FILTER_STATE(a:FIELD::b)%'"), LINES ".plain: operator %FILTER_STATE% cannot have this parameter", NULL },
	{ FORMAT("type: Plain, plain: x, omitEmptyValues: 1"), LINES ".omitEmptyValues: must be a boolean (true or false), not a number", NULL },
	{ FORMAT("type: Json, json: [{}]"), LINES ".json[0].key: key cannot be empty\n" LINES ".json[0].value: value cannot be empty", NULL },
	{ FORMAT("type: Json, json: [{key: a, value: b}, {key: k, value: 'say \"x\"'}]"), LINES ".json[1]: is not a valid JSON object", NULL },
	{ FORMAT("type: Json, json: [{key: 'k\"', value: v}]"), LINES ".json[0]: is not a valid JSON object", NULL },
	{ FORMAT("type: Json, json: [{key: k, value: '\\x'}]"), LINES ".json[0]: is not a valid JSON object", NULL },
	{ FORMAT("type: Json, json: [{key: k, value: '\\'}]"), LINES ".json[0]: is not a valid JSON object", NULL },
	{ FORMAT("type: Json, json: [{key: k, value: \"a\\nb\"}]"), LINES ".json[0]: is not a valid JSON object", NULL },
	{ FORMAT("type: Json, json: [{key: k, value: '%NO%'}]"), LINES ".json[0].value: unknown operator %NO%", NULL },
	{ FORMAT("type: Json, json: [{key: k, value: 1}]"), LINES ".json[0].value: must be a string, not a number: quote it, \"1\"", NULL },

	/* OpenTelemetry */
	{ OTEL(""), NULL, NULL },
	{ OTEL(", attributes: [{key: mesh, value: '%KUMA_MESH%'}], body: '%DURATION%'"), NULL, NULL },
	{ TO("[{type: OpenTelemetry, openTelemetry: {}}]"), AT ".openTelemetry.endpoint: must be defined", NULL },
	{ TO("[{type: OpenTelemetry, openTelemetry: {endpoint: ''}}]"), AT ".openTelemetry.endpoint: must be defined", NULL },
	{ TO("[{type: OpenTelemetry, openTelemetry: {endpoint: 'http://o:4317'}}]"), AT ".openTelemetry.endpoint: must be HOST or HOST:PORT", NULL },
	{ TO("[{type: OpenTelemetry, openTelemetry: {endpoint: 'o:x'}}]"), AT ".openTelemetry.endpoint: must be HOST or HOST:PORT", NULL },
	{ OTEL(", attributes: [{key: '', value: '%NO%'}]"), AT ".openTelemetry.attributes[0].key: key cannot be empty\n" AT ".openTelemetry.attributes[0].value: unknown operator %NO%", NULL },
	{ OTEL(", body: '%'"), AT ".openTelemetry.body: unbalanced %", NULL },
	{ OTEL(", body: 1"), NO_BODY, NULL },
	{ BODY("stringValue: '%NO%'"), AT ".openTelemetry.body.stringValue: unknown operator %NO%", NULL },
	{ BODY("kvlistValue: {values: [{key: a, value: {stringValue: '%DURATION%'}}, {key: b, value: {arrayValue: {values: [{intValue: 1}, {boolValue: true}, {doubleValue: 1.5}]}}}]}"), NULL, NULL },
	{ BODY("kvlistValue: {values: [{key: a, value: {stringValue: '%NO%'}}]}"), AT ".openTelemetry.body.kvlistValue.values[0].value.stringValue: unknown operator %NO%", NULL },
	{ BODY("kvlistValue: {values: [{value: {stringValue: a}}]}"), NO_BODY, NULL },
	{ BODY("kvlistValue: {}"), NO_BODY, NULL },
	{ BODY("arrayValue: {values: [a]}"), NO_BODY, NULL },
	{ BODY("intValue: a"), NO_BODY, NULL },
	{ BODY("stringValue: a, boolValue: true"), NO_BODY, NULL },
	{ BODY("bytesValue: aGk="), NO_BODY, NULL },
};
/* clang-format on */

static void each_row_has_its_field_and_text(void **state)
{
	(void)state;
	doc_cases(CASES, ARRAY_LEN(CASES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_field_and_text),
	};
	return cmocka_run_group_tests_name("model/access_log", tests, NULL, NULL);
}
