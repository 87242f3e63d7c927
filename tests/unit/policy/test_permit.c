/* Who may connect to an inbound: sets of clients, modes, warnings. */
#include "support/test.h"
#include "unit/policy/east.h"

#include <stdlib.h>
#include <string.h>

#define MTLS(more)                                                                       \
	"---\n{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: [{name: " \
	"ca, type: builtin}]" more "}}\n"
#define PERMISSIVE                                                               \
	"---\n{type: Mesh, name: default, mtls: {enabledBackend: ca, backends: " \
	"[{name: ca, type: builtin, mode: PERMISSIVE}]}}\n"
#define PLAIN "---\n{type: Mesh, name: default}\n"
/* The server p, with the inbounds main (8080) and 9090. */
#define SERVER                                                                       \
	"---\n{type: Dataplane, name: p, labels: {app: p}, networking: {address: "   \
	"9.9.9.8, inbound: [{port: 8080, name: main, tags: {kuma.io/service: p, "    \
	"version: v1}}, {port: 9090, address: '::1', tags: {kuma.io/service: q, "    \
	"kuma.io/protocol: http}}, {port: 7070, tags: {kuma.io/service: r}, state: " \
	"Ignored}]}}\n"
#define PERMIT(name, top, lists)                                                    \
	"---\n{type: MeshTrafficPermission, name: " name ", spec: {targetRef: " top \
	", " lists "}}\n"
#define MAIN "{kind: Dataplane, sectionName: main}"
#define FROM(items) "from: [" items "]"
#define OF(ref, action) "{targetRef: " ref ", default: {action: " action "}}"
#define ALL "{kind: Mesh}"
#define TAGGED(tags) "{kind: MeshSubset, tags: {" tags "}}"
#define RULES(lists) "rules: [{default: {" lists "}}]"
#define IDS(list, ids) list ": [" ids "]"
#define EXACT(uri) "{spiffeID: {type: Exact, value: '" uri "'}}"
#define PREFIX(uri) "{spiffeID: {type: Prefix, value: '" uri "'}}"
#define LEGACY(name, sources, destination)                                  \
	"---\n{type: TrafficPermission, name: " name ", sources: [" sources \
	"], destinations: [{match: {" destination "}}]}\n"
#define MATCH(tags) "{match: {" tags "}}"

static void tell_set(const struct client_set *set, struct zl_buf *out)
{
	zl_buf_str(out, set->name_count == 0 ? " *" : "");
	for (size_t i = 0; i < set->name_count; i++)
		zl_buf_format(out, "%s%s%s", i == 0 ? " " : "&", set->names[i].value,
			      set->names[i].prefix ? "*" : "");
}

static void tell_grants(const struct grant *grants, size_t count, struct zl_buf *out)
{
	for (size_t i = 0; i < count; i++) {
		tell_set(&grants[i].who, out);
		for (size_t k = 0; k < grants[i].except_count; k++) {
			zl_buf_str(out, " -");
			tell_set(&grants[i].except[k], out);
		}
		if (grants[i].legacy != NULL)
			zl_buf_format(out, " (%s)", grants[i].legacy->key.name);
	}
}

static void tell(const struct inbound_route *inbound, struct zl_buf *out)
{
	static const char *const LISTS[] = { "to", "from", "rules", "legacy" };
	const struct permission *said = &inbound->permission;

	zl_buf_format(out, "%s:%u %s %s %s", inbound->address, inbound->inbound->port,
		      inbound->service, inbound->protocol,
		      permission_mode_name(said->mode));
	tell_grants(said->allow, said->allow_count, out);
	if (said->shadow_count > 0)
		zl_buf_str(out, "; shadow");
	tell_grants(said->shadow, said->shadow_count, out);
	if (said->deny_count > 0)
		zl_buf_str(out, "; deny");
	for (size_t i = 0; i < said->deny_count; i++)
		tell_set(&said->deny[i], out);
	for (size_t i = 0; i < said->policy_count; i++)
		zl_buf_format(out, "%s%s.%s[%zu]", i == 0 ? "; by " : ", ",
			      said->policies[i].policy->key.name, LISTS[said->lists[i]],
			      said->policies[i].to);
	zl_buf_char(out, '\n');
}

/* The inbounds of p, then its warnings about them. */
static void expect_all(const char *yaml, const char *want)
{
	char *server = zl_format("%s%s", BASE, SERVER);
	struct tools tools = tools_of(server, yaml, NULL);
	struct zl_buf text = { 0 };
	const struct routes *routes = resolve_all(&tools, "p");

	for (size_t i = 0; i < routes->inbound_count; i++)
		tell(&routes->inbounds[i], &text);
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(&text, "%s\n", routes->warnings[i]);
	assert_string_equal(zl_buf_text(&text), want);
	zl_buf_free(&text);
	tools_end(&tools);
	free(server);
}

/* The first inbound alone, of policies that select no other. */
static void expect(const char *yaml, const char *want)
{
	char *server = zl_format("%s%s", BASE, SERVER);
	struct tools tools = tools_of(server, yaml, NULL);
	struct zl_buf text = { 0 };

	tell(&resolve_all(&tools, "p")->inbounds[0], &text);
	if (strncmp(zl_buf_text(&text), "9.9.9.8:8080 p unknown ", 23) != 0)
		fail_msg("%s", zl_buf_text(&text));
	assert_string_equal(zl_buf_text(&text) + 23, want);
	zl_buf_free(&text);
	tools_end(&tools);
	free(server);
}

static void who_is_let_in_without_a_permission(void **state)
{
	(void)state;
	expect_all("", "9.9.9.8:8080 p unknown denied\n"
		       "::1:9090 q http denied\n"
		       "mesh \"default\": nobody is let in: no MeshTrafficPermission "
		       "selects inbound 9.9.9.8:8080 (set Mesh.mtls.defaultPermission: "
		       "Allow to let everybody in)\n"
		       "mesh \"default\": nobody is let in: no MeshTrafficPermission "
		       "selects inbound [::1]:9090 (set Mesh.mtls.defaultPermission: "
		       "Allow to let everybody in)\n");
	expect_all(MTLS(", defaultPermission: Deny"),
		   "9.9.9.8:8080 p unknown denied\n"
		   "::1:9090 q http denied\n"
		   "mesh \"default\": nobody is let in: no MeshTrafficPermission "
		   "selects inbound 9.9.9.8:8080 (set Mesh.mtls.defaultPermission: "
		   "Allow to let everybody in)\n"
		   "mesh \"default\": nobody is let in: no MeshTrafficPermission "
		   "selects inbound [::1]:9090 (set Mesh.mtls.defaultPermission: "
		   "Allow to let everybody in)\n");
	expect_all(MTLS(", defaultPermission: Allow"),
		   "9.9.9.8:8080 p unknown open\n"
		   "::1:9090 q http open\n"
		   "mesh \"default\": everybody is let in: no MeshTrafficPermission "
		   "selects inbound 9.9.9.8:8080\n"
		   "mesh \"default\": everybody is let in: no MeshTrafficPermission "
		   "selects inbound [::1]:9090\n");
	/* Whoever is selected is asked, whatever the mesh does by default. */
	expect_all(MTLS(", defaultPermission: Allow")
			   PERMIT("m", MAIN, FROM(OF(ALL, "Deny"))),
		   "9.9.9.8:8080 p unknown enforced; by m.from[0]\n"
		   "::1:9090 q http open\n"
		   "mesh \"default\": everybody is let in: no MeshTrafficPermission "
		   "selects inbound [::1]:9090\n");
}

static void which_inbounds_a_policy_selects(void **state)
{
	static const char ALLOWED[] = "enforced *; by m.from[0]\n";
	static const char *const SELECT[] = {
		MAIN,
		ALL,
		"{kind: Dataplane}",
		"{kind: Dataplane, labels: {app: p}}",
		"{kind: Dataplane, name: p, sectionName: main}",
		"{kind: MeshSubset, tags: {version: v1}}",
		"{kind: MeshSubset, tags: {kuma.io/zone: east, version: '*'}}",
		"{kind: MeshService, name: p}",
		"{kind: MeshServiceSubset, name: p, tags: {version: v1}}",
		"{kind: Mesh, proxyTypes: [Sidecar]}",
	};
	static const char *const SPARE[] = {
		"{kind: Dataplane, sectionName: '8080'}",
		"{kind: Dataplane, sectionName: '9090'}",
		"{kind: Dataplane, labels: {app: web}}",
		"{kind: MeshSubset, tags: {version: v2}}",
		"{kind: MeshSubset, tags: {kuma.io/protocol: http}}",
		"{kind: MeshService, name: q}",
		"{kind: MeshService, name: r}",
		"{kind: MeshServiceSubset, name: q, tags: {version: v1}}",
		"{kind: Mesh, proxyTypes: [Gateway]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(SELECT) / sizeof(SELECT[0]); i++) {
		char *yaml =
			zl_format(PERMIT("m", "%s", FROM(OF(ALL, "Allow"))), SELECT[i]);
		expect(yaml, ALLOWED);
		free(yaml);
	}
	for (size_t i = 0; i < sizeof(SPARE) / sizeof(SPARE[0]); i++) {
		char *yaml =
			zl_format(PERMIT("m", "%s", FROM(OF(ALL, "Allow"))), SPARE[i]);
		expect(yaml, "denied\n");
		free(yaml);
	}
	/* Its port is the name of one that has none. */
	expect_all(PERMIT("m", "{kind: Dataplane, sectionName: '9090'}",
			  FROM(OF(ALL, "Allow")))
			   PERMIT("n", MAIN, FROM(OF(ALL, "Allow"))),
		   "9.9.9.8:8080 p unknown enforced *; by n.from[0]\n"
		   "::1:9090 q http enforced *; by m.from[0]\n");
}

static void clients_go_by_their_tags(void **state)
{
	(void)state;
	expect(PERMIT("m", ALL, FROM(OF("{kind: MeshService, name: web}", "Allow"))),
	       "enforced spiffe://default/web; by m.from[0]\n");
	expect(PERMIT("m", ALL, FROM(OF(TAGGED("kuma.io/service: web"), "Allow"))),
	       "enforced spiffe://default/web; by m.from[0]\n");
	expect(PERMIT("m", ALL,
		      FROM(OF(TAGGED("zone: b, kuma.io/service: web, a: x, any: '*'"),
			      "Allow"))),
	       "enforced kuma://a/x&spiffe://default/web&kuma://zone/b; by m.from[0]\n");
	expect(PERMIT("m", ALL, FROM(OF(TAGGED("any: '*'"), "Allow"))),
	       "enforced *; by m.from[0]\n");
	expect(PERMIT("m", ALL,
		      FROM(OF("{kind: MeshServiceSubset, name: web, tags: {v: v1}}",
			      "Allow"))),
	       "enforced spiffe://default/web&kuma://v/v1; by m.from[0]\n");
}

#define A TAGGED("kuma.io/service: a")
#define B TAGGED("kuma.io/service: b")
#define AV TAGGED("kuma.io/service: a, v: v1")

static void the_last_entry_about_a_client_counts(void **state)
{
	(void)state;
	expect(PERMIT("m", ALL,
		      FROM(OF(A, "Allow") ", " OF(B, "Allow") ", " OF(A, "Allow"))),
	       "enforced spiffe://default/a spiffe://default/b; by m.from[0], m.from[1], "
	       "m.from[2]\n");
	expect(PERMIT("m", ALL, FROM(OF(ALL, "Allow") ", " OF(A, "Deny"))),
	       "enforced * - spiffe://default/a; by m.from[0], m.from[1]\n");
	/* What is denied as a whole is not granted at all. */
	expect(PERMIT("m", ALL, FROM(OF(A, "Allow") ", " OF(ALL, "Deny"))),
	       "enforced; by m.from[0], m.from[1]\n");
	expect(PERMIT("m", ALL, FROM(OF(AV, "Allow") ", " OF(A, "Deny"))),
	       "enforced; by m.from[0], m.from[1]\n");
	expect(PERMIT("m", ALL, FROM(OF(A, "Allow") ", " OF(AV, "Deny"))),
	       "enforced spiffe://default/a - spiffe://default/a&kuma://v/v1; by "
	       "m.from[0], m.from[1]\n");
	expect(PERMIT("m", ALL,
		      FROM(OF(ALL, "Deny") ", " OF(B, "Allow") ", " OF(A, "Deny") ", " OF(
			      A, "Allow"))),
	       "enforced spiffe://default/a spiffe://default/b - spiffe://default/a; by "
	       "m.from[0], m.from[1], m.from[2], m.from[3]\n");
	/* Denials that take away: sorted, each once. */
	expect(PERMIT("m", ALL,
		      FROM(OF(ALL, "Allow") ", " OF(B, "Deny") ", " OF(A, "Deny") ", " OF(
			      B, "Deny"))),
	       "enforced * - spiffe://default/a - spiffe://default/b; by m.from[0], "
	       "m.from[1], m.from[2], m.from[3]\n");
}

static void policies_in_their_order(void **state)
{
	(void)state;
	/* The smaller name wins; a more exact top wins over it. */
	expect(PERMIT("x", ALL, FROM(OF(A, "Deny")))
		       PERMIT("y", ALL, FROM(OF(A, "Allow"))),
	       "enforced; by y.from[0], x.from[0]\n");
	expect(PERMIT("x", ALL, FROM(OF(A, "Deny")))
		       PERMIT("y", "{kind: Dataplane}", FROM(OF(A, "Allow"))),
	       "enforced spiffe://default/a; by x.from[0], y.from[0]\n");
	/* A section is more exact than a name. */
	expect(PERMIT("x", "{kind: Dataplane, name: p}", FROM(OF(A, "Deny")))
		       PERMIT("y", MAIN, FROM(OF(A, "Allow"))),
	       "enforced spiffe://default/a; by x.from[0], y.from[0]\n");
}

static void who_would_be_denied_is_let_in_and_told(void **state)
{
	(void)state;
	expect(PERMIT("m", ALL, FROM(OF(ALL, "AllowWithShadowDeny") ", " OF(A, "Allow"))),
	       "enforced * spiffe://default/a; shadow * - spiffe://default/a; by "
	       "m.from[0], m.from[1]\n");
	expect(PERMIT("m", ALL, FROM(OF(A, "AllowWithShadowDeny") ", " OF(ALL, "Deny"))),
	       "enforced; by m.from[0], m.from[1]\n");
	expect(PERMIT("m", ALL, FROM(OF(A, "Deny") ", " OF(A, "AllowWithShadowDeny"))),
	       "enforced spiffe://default/a; shadow spiffe://default/a; by m.from[0], "
	       "m.from[1]\n");
}

static void rules(void **state)
{
	(void)state;
	expect(PERMIT("m", ALL,
		      RULES(IDS("allow", EXACT("spiffe://default/a") ", " PREFIX(
						 "spiffe://default/b/")))),
	       "enforced spiffe://default/a spiffe://default/b/*; by m.rules[0]\n");
	/* Any deny beats every allow, that of the more exact policy too. */
	expect(PERMIT("x", ALL, RULES(IDS("deny", EXACT("spiffe://default/a"))))
		       PERMIT("y", MAIN,
			      RULES(IDS("allow", EXACT("spiffe://default/a") ", " PREFIX(
							 "spiffe://default/")))),
	       "enforced spiffe://default/* - spiffe://default/a; deny "
	       "spiffe://default/a; by x.rules[0], y.rules[0]\n");
	/* All that begins so is denied with a longer or an equal prefix. */
	expect(PERMIT("x", ALL,
		      RULES(IDS("deny", PREFIX("spiffe://default/a/")) ", " IDS(
			      "allow",
			      PREFIX("spiffe://default/a/b/") ", " PREFIX(
				      "spiffe://"
				      "default/a/") ", " EXACT("spiffe://default/"
							       "a/c") ", " PREFIX("spiffe"
										  "://"
										  "defaul"
										  "t"
										  "/")))),
	       "enforced spiffe://default/* - spiffe://default/a/*; deny "
	       "spiffe://default/a/*; by x.rules[0]\n");
	/* An exact name says nothing of those that begin so. */
	expect(PERMIT("x", ALL,
		      RULES(IDS("deny", EXACT("spiffe://default/a")) ", " IDS(
			      "allow", PREFIX("spiffe://default/a")))),
	       "enforced spiffe://default/a* - spiffe://default/a; deny "
	       "spiffe://default/a; by x.rules[0]\n");
	/* Who is let in anyway is counted still: shadow is less deny alone. */
	expect(
		PERMIT(
			"x", ALL,
			RULES(
				IDS("allowWithShadowDeny", EXACT("spiffe://default/a")) ", " IDS(
					"allow",
					EXACT("spiffe://default/a")) ", " IDS("deny",
									      EXACT("spif"
										    "fe:/"
										    "/def"
										    "ault"
										    "/"
										    "b")))),
		"enforced spiffe://default/a - spiffe://default/b; shadow "
		"spiffe://default/a - spiffe://default/b; deny spiffe://default/b; by "
		"x.rules[0]\n");
}

static void rules_displace_from(void **state)
{
	(void)state;
	expect_all(PERMIT("x", MAIN, RULES(IDS("allow", EXACT("spiffe://default/a"))))
			   PERMIT("y", ALL, FROM(OF(B, "Allow"))),
		   "9.9.9.8:8080 p unknown enforced spiffe://default/a; by x.rules[0]\n"
		   "::1:9090 q http enforced spiffe://default/b; by y.from[0]\n"
		   "MeshTrafficPermission \"y\": from has no effect: \"x\" selects the "
		   "same inbound with rules\n");
}

static void prefixes_that_match_longer_names(void **state)
{
	(void)state;
	expect_all(PERMIT("x", ALL,
			  RULES(IDS("allow", PREFIX("spiffe://default/we") ", " PREFIX(
						     "spiffe://default/")))),
		   "9.9.9.8:8080 p unknown enforced spiffe://default/* "
		   "spiffe://default/we*; by x.rules[0]\n"
		   "::1:9090 q http enforced spiffe://default/* spiffe://default/we*; "
		   "by x.rules[0]\n"
		   "MeshTrafficPermission \"x\": prefix \"spiffe://default/we\" does not "
		   "end in \"/\"; it also matches longer names\n");
}

static void what_a_mesh_does_not_check(void **state)
{
	(void)state;
	expect_all(PLAIN PERMIT("x", ALL, FROM(OF(A, "Deny"))),
		   "9.9.9.8:8080 p unknown plain\n"
		   "::1:9090 q http plain\n"
		   "MeshTrafficPermission \"x\" has no effect: mesh \"default\" has no "
		   "mTLS\n");
	expect_all(
		PLAIN PERMIT("x", "{kind: MeshService, name: far}", FROM(OF(A, "Deny"))),
		"9.9.9.8:8080 p unknown plain\n"
		"::1:9090 q http plain\n");
	expect_all(PERMISSIVE PERMIT("x", ALL, FROM(OF(A, "Allow"))),
		   "9.9.9.8:8080 p unknown enforced spiffe://default/a; by x.from[0]\n"
		   "::1:9090 q http enforced spiffe://default/a; by x.from[0]\n"
		   "mesh \"default\": plain text connections are not checked: mesh "
		   "\"default\" is PERMISSIVE\n");
}

/* It goes with a service to all who ask for it, which is no reason to open their doors.
 */
static void what_a_producer_says_of_inbounds_stays_at_home(void **state)
{
	(void)state;
	expect("---\n{type: MeshTrafficPermission, name: m, labels: {test-role: "
	       "producer, "
	       "k8s.kuma.io/namespace: shop}, spec: {targetRef: {kind: Mesh}, " FROM(
		       OF(ALL, "Allow")) "}}\n",
	       "denied\n");
	expect("---\n{type: MeshTrafficPermission, name: m, labels: {test-role: system, "
	       "k8s.kuma.io/namespace: shop}, spec: {targetRef: {kind: Mesh}, " FROM(
		       OF(ALL, "Allow")) "}}\n",
	       "enforced *; by m.from[0]\n");
}

static void legacy_ones_where_no_other_is(void **state)
{
	(void)state;
	expect(LEGACY("t", MATCH("kuma.io/service: web"), "kuma.io/service: p"),
	       "enforced spiffe://default/web (t); by t.legacy[0]\n");
	/* All that match have a say, each once. */
	expect(LEGACY("u", MATCH("kuma.io/service: '*'"), "kuma.io/service: '*'") LEGACY(
		       "t", MATCH("kuma.io/service: web, v: v1") ", " MATCH("v: v2"),
		       "version: v1"),
	       "enforced kuma://v/v2 (t) spiffe://default/web&kuma://v/v1 (t) * (u); by "
	       "u.legacy[0], t.legacy[0]\n");
	expect("---\n{type: TrafficPermission, name: t, sources: [" MATCH(
		       "kuma.io/"
		       "service: web") "], destinations: [" MATCH("kuma.io/service: p") ", " MATCH("kuma.io/service: '*'") "]}\n",
	       "enforced spiffe://default/web (t); by t.legacy[0]\n");
	expect(LEGACY("t", MATCH("kuma.io/service: web"), "kuma.io/service: q")
		       LEGACY("u", MATCH("kuma.io/service: web"), "version: v2"),
	       "denied\n");
	/* In the order of all policies, whatever their destinations name. */
	expect(LEGACY("u", MATCH("kuma.io/service: a"), "kuma.io/service: '*'")
		       LEGACY("t", MATCH("kuma.io/service: a"), "kuma.io/service: p"),
	       "enforced spiffe://default/a (t) spiffe://default/a (u); by u.legacy[0], "
	       "t.legacy[0]\n");
	/* One that is not in effect lets nobody in. */
	expect("---\n{type: TrafficPermission, name: t, labels: {kuma.io/effect: "
	       "shadow}, "
	       "sources: [{match: {kuma.io/service: '*'}}], destinations: [{match: "
	       "{kuma.io/service: '*'}}]}\n",
	       "denied\n");
	expect(LEGACY("t", MATCH("kuma.io/service: web"), "kuma.io/service: p")
		       PERMIT("m", MAIN, FROM(OF(B, "Allow"))),
	       "enforced spiffe://default/b; by m.from[0]\n");
}

/* More than fit into the first room of each list. */
static void many(void **state)
{
	struct zl_buf yaml = { 0 };
	struct zl_buf want = { 0 };

	(void)state;
	zl_buf_str(&yaml, "---\n{type: MeshTrafficPermission, name: m, spec: {from: [\n");
	zl_buf_str(&want, "enforced");
	for (int i = 10; i < 40; i++) {
		zl_buf_format(&yaml,
			      "  {targetRef: {kind: MeshService, name: s%d}, default: "
			      "{action: Allow}},\n",
			      50 - i);
		zl_buf_format(&want, " spiffe://default/s%d", i + 1);
	}
	zl_buf_str(&yaml, "]}}\n");
	for (int i = 0; i < 30; i++)
		zl_buf_format(&want, "%sm.from[%d]", i == 0 ? "; by " : ", ", i);
	zl_buf_char(&want, '\n');
	expect(zl_buf_text(&yaml), zl_buf_text(&want));
	zl_buf_free(&yaml);
	zl_buf_free(&want);
}

/* A thousand for each of a thousand would be more than anybody reads, or holds. */
static void of_very_many_who_are_taken_away_some_are_told(void **state)
{
	struct zl_buf yaml = { 0 };
	struct zl_buf text = { 0 };

	(void)state;
	zl_buf_str(&yaml,
		   SERVER "---\n{type: MeshTrafficPermission, name: m, spec: "
			  "{targetRef: {kind: Mesh}, rules: [{default: {allow: [" EXACT(
				  "spiffe://default/a") "], deny: [");
	for (unsigned i = 0; i < 100; i++)
		zl_buf_format(&yaml, EXACT("spiffe://default/d%u") ", ", i);
	zl_buf_str(&yaml, "]}}]}}\n");
	struct tools tools = tools_of(BASE, zl_buf_text(&yaml), NULL);
	const struct routes *routes = resolve_all(&tools, "p");
	const struct policy_answer answer = {
		.zone = "east", .mesh = "default", .routes = &routes, .route_count = 1
	};
	policy_text(&answer, &text);
	assert_non_null(strstr(zl_buf_text(&text), ", and 36 more\n"));
	zl_buf_free(&text);
	zl_buf_free(&yaml);
	tools_end(&tools);
}

/* Stored by a newer version: clients that it knows by something else. */
static void what_is_not_understood_lets_nobody_in(void **state)
{
	static const char STORED[] =
		"{\"type\":\"MeshTrafficPermission\",\"mesh\":\"default\",\"name\":\"m\","
		"\"spec\":{\"targetRef\":{\"kind\":\"Mesh\"},\"rules\":[{\"default\":{"
		"\"allow\":[{\"dns\":\"a\"},{\"spiffeID\":{\"type\":\"Prefix\"}},"
		"{\"spiffeID\":5},{\"spiffeID\":{\"value\":5}},{},7,"
		"{\"spiffeID\":{\"type\":\"Exact\",\"value\":\"spiffe://default/a\"}}],"
		"\"deny\":[%s]}}]}}";
	static const char *const DENIED[][2] = {
		{ "", "enforced spiffe://default/a; by m.rules[0]\n" },
		{ "{\"dns\":\"a\"}", "enforced; deny *; by m.rules[0]\n" }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(DENIED); i++) {
		struct world world = world_of(BASE, SERVER, NULL);
		char *json = zl_format(STORED, DENIED[i][0]);
		struct set_edit *edit = set_edit(world.set);
		struct resource *policy = NULL;
		struct zl_buf text = { 0 };
		struct zl_err err = { 0 };

		assert_int_equal(resource_from_json(json, strlen(json), &policy, &err),
				 ZL_OK);
		set_put(edit, policy);
		struct tools tools = { .world = { world.arena, set_done(&edit) } };
		tools.index = policy_index_new(tools.world.set, "east");
		tools.inventory = inventory_build(tools.world.set, "east");
		tell(&resolve_all(&tools, "p")->inbounds[0], &text);
		assert_string_equal(zl_buf_text(&text) + 23, DENIED[i][1]);
		zl_buf_free(&text);
		resource_drop(&policy);
		set_drop(&world.set);
		tools_end(&tools);
		free(json);
	}
}

/* So is a proxy whose inbound has no service, and a log whose backend is a number. */
static void what_a_newer_version_stored(void **state)
{
	static const char *const STORED[] = {
		"{\"type\":\"Dataplane\",\"mesh\":\"default\",\"name\":\"p\","
		"\"networking\":{\"address\":\"9.9.9.8\",\"inbound\":["
		"{\"port\":8080,\"tags\":{\"a\":\"b\"}},"
		"{\"port\":81,\"tags\":{\"kuma.io/service\":\"x\"}}],"
		"\"outbound\":[{\"port\":1,\"tags\":{\"kuma.io/service\":\"web\"}}]}}",
		"{\"type\":\"TrafficLog\",\"mesh\":\"default\",\"name\":\"l\","
		"\"sources\":[{"
		"\"match\":{\"kuma.io/service\":\"*\"}}],\"destinations\":[{\"match\":{"
		"\"kuma.io/service\":\"*\"}}],\"conf\":{\"backend\":5}}",
	};
	static const char TRAFFIC[] =
		"---\n{type: TrafficRoute, name: t, sources: [{match: {kuma.io/service: "
		"'*'}}], destinations: [{match: {kuma.io/service: '*'}}], conf: "
		"{destination: {kuma.io/service: web}}}\n";
	struct world world = world_of(BASE, TRAFFIC, NULL);
	struct set_edit *edit = set_edit(world.set);
	struct zl_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(STORED); i++) {
		struct resource *stored = NULL;

		assert_int_equal(
			resource_from_json(STORED[i], strlen(STORED[i]), &stored, &err),
			ZL_OK);
		set_put(edit, stored);
		resource_drop(&stored);
	}
	struct tools tools = { .world = { world.arena, set_done(&edit) } };
	tools.index = policy_index_new(tools.world.set, "east");
	tools.inventory = inventory_build(tools.world.set, "east");
	const struct routes *routes = resolve(&tools, "p");
	assert_string_equal(routes->inbounds[0].service, "");
	size_t told = 0;
	for (size_t i = 0; i < routes->warning_count; i++)
		told += strstr(routes->warnings[i],
			       "TrafficLog \"l\" has no effect: it names no backend") !=
			NULL;
	assert_int_equal(told, 1);
	set_drop(&world.set);
	tools_end(&tools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_let_in_without_a_permission),
		cmocka_unit_test(which_inbounds_a_policy_selects),
		cmocka_unit_test(clients_go_by_their_tags),
		cmocka_unit_test(the_last_entry_about_a_client_counts),
		cmocka_unit_test(policies_in_their_order),
		cmocka_unit_test(who_would_be_denied_is_let_in_and_told),
		cmocka_unit_test(rules),
		cmocka_unit_test(rules_displace_from),
		cmocka_unit_test(prefixes_that_match_longer_names),
		cmocka_unit_test(what_a_mesh_does_not_check),
		cmocka_unit_test(what_a_producer_says_of_inbounds_stays_at_home),
		cmocka_unit_test(legacy_ones_where_no_other_is),
		cmocka_unit_test(what_is_not_understood_lets_nobody_in),
		cmocka_unit_test(what_a_newer_version_stored),
		cmocka_unit_test(many),
		cmocka_unit_test(of_very_many_who_are_taken_away_some_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
