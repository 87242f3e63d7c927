/* The rows of policies-spec 3.1: MeshTrafficPermission. */
#include "doc.h"

#define PERMISSION(spec) \
	"{type: MeshTrafficPermission, name: p, mesh: default, spec: " spec "}"
#define FROM(ref, action) \
	PERMISSION("{from: [{targetRef: " ref ", default: {action: " action "}}]}")
#define RULES(lists) PERMISSION("{rules: [{default: {" lists "}}]}")
#define ALLOW(spiffe) RULES("allow: [{spiffeID: {" spiffe "}}]")
#define EXACT(value) ALLOW("type: Exact, value: '" value "'")
#define PREFIX(value) ALLOW("type: Prefix, value: '" value "'")
#define CLIENT "spec.from[0].targetRef"
#define ID "spec.rules[0].default.allow[0].spiffeID"
#define NO_ID ID ": must be a valid Spiffe ID"
#define NONE                                                                            \
	"spec.rules[0]: at least one of 'allow', 'allowWithShadowDeny', 'deny' has to " \
	"be defined"

/* clang-format off */
static const struct doc_case CASES[] = {
	/* the lists */
	{ PERMISSION("{}"), "spec: at least one of 'from' or 'rules' has to be defined", NULL },
	{ PERMISSION("{from: []}"), "spec: at least one of 'from' or 'rules' has to be defined", NULL },
	{ PERMISSION("{from: [{targetRef: {kind: Mesh}, default: {action: Allow}}], rules: [{default: {deny: [{spiffeID: {type: Exact, value: 'spiffe://d/a'}}]}}]}"), "spec: field 'from' must be empty when 'rules' is defined", NULL },
	{ PERMISSION("{to: [], from: [{targetRef: {kind: Mesh}, default: {action: Allow}}]}"), "spec.to: unknown field", NULL },
	{ PERMISSION("{targetRef: {kind: MeshGateway, name: g}, from: [{targetRef: {kind: Mesh}, default: {action: Allow}}]}"), "spec.targetRef.kind: value 'MeshGateway' is not supported", NULL },
	{ PERMISSION("{targetRef: {kind: Dataplane, name: d, sectionName: http}, from: [{targetRef: {kind: Mesh}, default: {action: Allow}}]}"), NULL, NULL },

	/* from */
	{ FROM("{kind: Mesh}", "Allow"), NULL, NULL },
	{ FROM("{kind: Mesh}", "Deny"), NULL, NULL },
	{ FROM("{kind: Mesh}", "AllowWithShadowDeny"), NULL, NULL },
	{ FROM("{kind: Mesh}", "allow"), "spec.from[0].default.action: value 'allow' is not supported", NULL },
	{ PERMISSION("{from: [{targetRef: {kind: Mesh}, default: {}}]}"), "spec.from[0].default.action: must be defined", NULL },
	{ PERMISSION("{from: [{targetRef: {kind: Mesh}}]}"), "spec.from[0].default: must be defined", NULL },
	{ PERMISSION("{from: [{default: {action: Allow}}]}"), CLIENT ": must be defined", NULL },
	{ PERMISSION("{from: [{targetRef: {kind: Mesh}, default: {allow: []}}]}"), "spec.from[0].default.allow: unknown field\nspec.from[0].default.action: must be defined", NULL },
	{ FROM("{kind: MeshSubset, tags: {kuma.io/service: web, version: '*'}}", "Allow"), NULL, NULL },
	{ FROM("{kind: MeshSubset}", "Allow"), NULL, CLIENT ": MeshSubset without tags selects every proxy of the mesh" },
	{ FROM("{kind: MeshServiceSubset, name: web, tags: {version: v1}}", "Allow"), NULL, NULL },
	{ FROM("{kind: MeshService, name: web}", "Allow"), NULL, CLIENT ".kind: MeshService value for 'from[].targetRef.kind' is deprecated, use MeshSubset with 'kuma.io/service' instead" },
	{ FROM("{kind: MeshGateway, name: web}", "Allow"), CLIENT ".kind: value 'MeshGateway' is not supported", NULL },
	{ FROM("{kind: Dataplane, name: web}", "Allow"), CLIENT ".kind: value 'Dataplane' is not supported", NULL },
	{ FROM("{kind: Mesh, name: web}", "Allow"), CLIENT ".name: using name with kind Mesh is not yet supported", NULL },

	/* rules */
	{ EXACT("spiffe://default/web"), NULL, NULL },
	{ EXACT("spiffe://default/proxy/web-1.a_B"), NULL, NULL },
	{ PREFIX("spiffe://default/"), NULL, NULL },
	{ PREFIX("spiffe://default/ns/"), NULL, NULL },
	{ PREFIX("spiffe://default"), NULL, ID ".value: prefix \"spiffe://default\" does not end in \"/\"; it also matches longer names" },
	{ PREFIX("spiffe://default/we"), NULL, ID ".value: prefix \"spiffe://default/we\" does not end in \"/\"; it also matches longer names" },
	{ RULES("allow: [{spiffeID: {type: Exact, value: 'spiffe://d/a'}}], deny: [{spiffeID: {type: Exact, value: 'spiffe://d/b'}}], allowWithShadowDeny: [{spiffeID: {type: Exact, value: 'spiffe://d/c'}}]"), NULL, NULL },
	{ RULES(""), NONE, NULL },
	{ RULES("allow: [], deny: []"), NONE, NULL },
	{ PERMISSION("{rules: [{}]}"), "spec.rules[0].default: must be defined", NULL },
	{ RULES("action: Allow"), "spec.rules[0].default.action: unknown field\n" NONE, NULL },
	{ RULES("allow: [{}]"), ID ": must be defined", NULL },
	{ RULES("deny: [{}]"), "spec.rules[0].default.deny[0].spiffeID: must be defined", NULL },
	{ ALLOW("value: 'spiffe://default/a'"), ID ".type: must be defined", NULL },
	{ ALLOW("type: exact, value: 'spiffe://default/a'"), ID ".type: value 'exact' is not supported", NULL },
	{ ALLOW("type: Exact"), NO_ID, NULL },
	{ ALLOW("type: Exact, value: 1"), ID ".value: must be a string, not a number: quote it, \"1\"", NULL },
	{ EXACT("spiffe://default"), NO_ID, NULL },
	{ EXACT("spiffe://default/"), NO_ID, NULL },
	{ EXACT("spiffe://default/a/"), NO_ID, NULL },
	{ EXACT("spiffe://default/a//b"), NO_ID, NULL },
	{ EXACT("spiffe://default/../b"), NO_ID, NULL },
	{ EXACT("spiffe://default/."), NO_ID, NULL },
	{ EXACT("spiffe://default/..a"), NULL, NULL },
	{ EXACT("spiffe:///a"), NO_ID, NULL },
	{ EXACT("spiffe://Default/a"), NO_ID, NULL },
	{ EXACT("spiffe://default:80/a"), NO_ID, NULL },
	{ EXACT("spiffe://default/a b"), NO_ID, NULL },
	{ EXACT("https://default/a"), NO_ID, NULL },
	{ PREFIX("spiffe://"), NO_ID, NULL },
	{ PREFIX("spiffe://default//"), NO_ID, NULL },
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
	return cmocka_run_group_tests_name("model/permission", tests, NULL, NULL);
}
