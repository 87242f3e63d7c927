/* The rules of MeshTCPRoute, and of the references of all policies: spec 2.4 as D40
 * chose. */
#include "model/checks.h"
#include "model/schemas.h"

#include <string.h>

#define BIT(kind) (1U << (kind))

enum {
	KINDS_TOP = BIT(REF_MESH) | BIT(REF_MESH_SUBSET) | BIT(REF_MESH_GATEWAY) |
		    BIT(REF_MESH_SERVICE) | BIT(REF_MESH_SERVICE_SUBSET) |
		    BIT(REF_DATAPLANE),
	KINDS_TO = BIT(REF_MESH_SERVICE) | BIT(REF_MESH_EXTERNAL_SERVICE) |
		   BIT(REF_MESH_MULTI_ZONE_SERVICE),
	KINDS_BALANCED =
		BIT(REF_MESH) | BIT(REF_MESH_SERVICE) | BIT(REF_MESH_MULTI_ZONE_SERVICE),
	KINDS_LOGGED = BIT(REF_MESH) | KINDS_TO,
	KINDS_ROUTED = KINDS_LOGGED | BIT(REF_MESH_HTTP_ROUTE),
	KINDS_GATEWAY = BIT(REF_MESH) | BIT(REF_MESH_EXTERNAL_SERVICE),
	KINDS_PERMITTED = BIT(REF_MESH) | BIT(REF_MESH_SUBSET) | BIT(REF_MESH_SERVICE) |
			  BIT(REF_MESH_SERVICE_SUBSET),
	KINDS_BACKEND = KINDS_TO | BIT(REF_MESH_SERVICE_SUBSET),
	KINDS_BY_NAME = KINDS_BACKEND | BIT(REF_MESH_GATEWAY) | BIT(REF_DATAPLANE),
	KINDS_DEPRECATED = BIT(REF_MESH_SUBSET) | BIT(REF_MESH_SERVICE) |
			   BIT(REF_MESH_SERVICE_SUBSET)
};

/* ---- one reference ---- */
struct ref_check {
	struct decode *dec;
	const struct tree *tree;
	const struct path *at;
	const struct target_ref *ref;
};

static bool is_set(const struct ref_check *check, const char *field)
{
	const struct tree *value = tree_get(check->tree, field);

	if (value == NULL)
		return false;
	if (value->type == TREE_TEXT)
		return value->text[0] != '\0';
	if (value->type == TREE_LIST || value->type == TREE_MAP)
		return value->count > 0;
	return false; /* a wrong type, which was told */
}

static void refuse(const struct ref_check *check, const char *field)
{
	if (is_set(check, field))
		decode_bad(check->dec, check->at, field, tree_get(check->tree, field),
			   "must not be set with kind %s",
			   ref_kind_name(check->ref->kind));
}

static void require_name(const struct ref_check *check)
{
	if (check->ref->name[0] == '\0' && !is_mistyped(check->tree, "name", TREE_TEXT))
		decode_bad(check->dec, check->at, "name", check->tree,
			   "must be set when kind is %s",
			   ref_kind_name(check->ref->kind));
}

static void check_ref_name(const struct ref_check *check)
{
	const char *fault = name_fault_ref(check->ref->name);

	if (fault != NULL)
		decode_bad(check->dec, check->at, "name", tree_get(check->tree, "name"),
			   "%s", fault);
}

static void check_ref_tags(const struct ref_check *check, enum tag_rule rule)
{
	struct path at = { .up = check->at, .name = "tags" };

	check_tags(check->dec, tree_get(check->tree, "tags"), check->ref->tags, &at,
		   rule);
}

static void check_proxy_types(const struct ref_check *check)
{
	const struct tree *types = tree_get(check->tree, "proxyTypes");

	if (types != NULL && types->type == TREE_LIST && types->count == 0)
		decode_bad(check->dec, check->at, "proxyTypes", types,
			   "must be undefined or have at least one element");
}

static void check_ref_mesh(const struct ref_check *check)
{
	if (is_set(check, "name"))
		decode_bad(check->dec, check->at, "name", tree_get(check->tree, "name"),
			   "using name with kind Mesh is not yet supported");
	refuse(check, "mesh");
	refuse(check, "tags");
	refuse(check, "labels");
	refuse(check, "namespace");
	refuse(check, "sectionName");
	check_proxy_types(check);
}

static void check_ref_mesh_subset(const struct ref_check *check)
{
	refuse(check, "name");
	refuse(check, "mesh");
	check_ref_tags(check, TAGS_STAR);
	refuse(check, "labels");
	refuse(check, "namespace");
	refuse(check, "sectionName");
	check_proxy_types(check);
	if (!is_set(check, "tags") && !is_mistyped(check->tree, "tags", TREE_MAP))
		decode_warn(check->dec, check->at, NULL, check->tree,
			    "MeshSubset without tags selects every proxy of the mesh");
}

/* It says something of what comes in to proxies, so that one inbound can be meant. */
static bool is_inbound_policy(const struct decode *dec)
{
	return kind_attaches(dec->kind) && (tree_get(dec->spec, "from") != NULL ||
					    tree_get(dec->spec, "rules") != NULL);
}

static void check_ref_dataplane(const struct ref_check *check)
{
	check_ref_name(check);
	refuse(check, "mesh");
	refuse(check, "tags");
	if (is_set(check, "labels") &&
	    (is_set(check, "name") || is_set(check, "namespace")))
		decode_bad(check->dec, check->at, "labels",
			   tree_get(check->tree, "labels"),
			   "either labels or name and namespace must be specified");
	if (is_set(check, "sectionName") && !is_inbound_policy(check->dec))
		decode_bad(check->dec, check->at, "sectionName",
			   tree_get(check->tree, "sectionName"),
			   "can only be used with inbound policies");
	refuse(check, "proxyTypes");
}

/* MeshService, MeshExternalService, MeshMultiZoneService, MeshHTTPRoute. */
static void check_ref_object(const struct ref_check *check)
{
	bool service = check->ref->kind == REF_MESH_SERVICE;
	bool mistyped = is_mistyped(check->tree, "name", TREE_TEXT) ||
			is_mistyped(check->tree, "labels", TREE_MAP);

	if (!is_set(check, "name") && !is_set(check, "labels") && !mistyped)
		decode_bad(check->dec, check->at, NULL, check->tree,
			   "name or labels must be set when kind is %s",
			   ref_kind_name(check->ref->kind));
	check_ref_name(check);
	refuse(check, "mesh");
	refuse(check, "tags");
	if (is_set(check, "labels") &&
	    (is_set(check, "name") || is_set(check, "namespace")))
		decode_bad(
			check->dec, check->at, "labels", tree_get(check->tree, "labels"),
			"%s",
			service ? "either labels or name and namespace must be specified"
				: "either labels or name must be specified");
	if (check->ref->kind == REF_MESH_EXTERNAL_SERVICE ||
	    check->ref->kind == REF_MESH_HTTP_ROUTE)
		refuse(check, "sectionName");
	refuse(check, "proxyTypes");
}

static void check_ref_selector(const struct ref_check *check)
{
	require_name(check);
	check_ref_name(check);
	refuse(check, "mesh");
	check_ref_tags(check, TAGS_SELECTOR);
	refuse(check, "labels");
	refuse(check, "namespace");
	refuse(check, "sectionName");
	refuse(check, "proxyTypes");
	if (check->ref->kind == REF_MESH_SERVICE_SUBSET && !is_set(check, "tags") &&
	    !is_mistyped(check->tree, "tags", TREE_MAP))
		decode_warn(check->dec, check->at, NULL, check->tree,
			    "MeshServiceSubset without tags equals MeshService");
}

static void check_port(const struct ref_check *check)
{
	const struct tree *alias = tree_get(check->tree, "_port");

	check_range(check->dec, check->at, check->tree, "port", 1, 65535, PORT_TEXT_D20);
	check_range(check->dec, check->at, check->tree, "_port", 1, 65535, PORT_TEXT_D20);
	if (alias != NULL)
		decode_warn(check->dec, check->at, "_port", alias,
			    "_port is deprecated, use port instead");
}

/* V1, V2. False: of this reference nothing more is checked. */
static bool check_kind(const struct ref_check *check, unsigned kinds)
{
	const struct tree *kind = tree_get(check->tree, "kind");

	if (kind != NULL && kind->type != TREE_TEXT)
		return false;
	if (kind == NULL || kind->text[0] == '\0') {
		decode_bad(check->dec, check->at, "kind",
			   kind != NULL ? kind : check->tree, "must be defined");
		return false;
	}
	if (check->ref->kind == REF_NONE || !(kinds & BIT(check->ref->kind))) {
		decode_bad(check->dec, check->at, "kind", kind,
			   "value '%s' is not supported", kind->text);
		return false;
	}
	return true;
}

static void check_ref(const struct ref_check *check, unsigned kinds)
{
	if (!check_kind(check, kinds))
		return;
	switch (check->ref->kind) {
	case REF_MESH:
		check_ref_mesh(check);
		return;
	case REF_MESH_SUBSET:
		check_ref_mesh_subset(check);
		return;
	case REF_DATAPLANE:
		check_ref_dataplane(check);
		return;
	case REF_MESH_SERVICE_SUBSET:
	case REF_MESH_GATEWAY:
		check_ref_selector(check);
		return;
	default:
		check_ref_object(check);
		return;
	}
}

/* ---- the places of references ---- */

/* The kinds of spec.targetRef. What attaches configures gateways by what they connect
 * to, so only with a to, which a policy of another role than workload-owner has. */
static unsigned kinds_of_top(const struct decode *dec)
{
	bool system = strcmp(dec->role, "system") == 0;
	bool gateway = kind_attaches(dec->kind)
			       ? dec->kind != KIND_MESH_TRAFFIC_PERMISSION &&
					 strcmp(dec->role, "workload-owner") != 0
			       : dec->kind == KIND_MESH_TCP_ROUTE && system;

	return gateway ? KINDS_TOP : KINDS_TOP & ~BIT(REF_MESH_GATEWAY);
}

void check_top_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made)
{
	const struct target_ref *ref = made;
	struct ref_check check = { dec, tree, at, ref };

	check_ref(&check, kinds_of_top(dec));
	if (KINDS_DEPRECATED & BIT(ref->kind))
		decode_warn(dec, at, "kind", tree_get(tree, "kind"),
			    "%s value for 'targetRef.kind' is deprecated, use Dataplane "
			    "with labels instead",
			    ref_kind_name(ref->kind));
}

/* The kinds of to[].targetRef. The top kind of a policy that is never on a gateway was
 * refused. */
static unsigned kinds_of_to(const struct decode *dec)
{
	bool gateway = dec->top->kind == REF_MESH_GATEWAY;

	switch (dec->kind) {
	case KIND_MESH_TCP_ROUTE:
		return gateway ? BIT(REF_MESH) : KINDS_TO;
	case KIND_MESH_TIMEOUT:
	case KIND_MESH_RETRY:
		return gateway ? KINDS_GATEWAY : KINDS_ROUTED;
	case KIND_MESH_ACCESS_LOG:
		return gateway ? KINDS_GATEWAY : KINDS_LOGGED;
	case KIND_MESH_HEALTH_CHECK:
	case KIND_MESH_CIRCUIT_BREAKER:
		return gateway ? BIT(REF_MESH) : KINDS_BALANCED;
	case KIND_MESH_LOAD_BALANCING_STRATEGY:
		return KINDS_BALANCED;
	default:
		return KINDS_TO;
	}
}

void check_to_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made)
{
	struct ref_check check = { dec, tree, at, made };

	check_ref(&check, kinds_of_to(dec));
	check_port(&check);
	if (check.ref->kind == REF_MESH_HTTP_ROUTE && tree_get(tree, "port") != NULL)
		decode_bad(dec, at, "port", tree_get(tree, "port"),
			   "must not be set with kind MeshHTTPRoute");
}

/* from[]: clients are known by what their certificates say, which is no label. */
void check_from_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	struct ref_check check = { dec, tree, at, made };
	bool permits = dec->kind == KIND_MESH_TRAFFIC_PERMISSION;

	if (check.ref->kind == REF_MESH_SERVICE && permits) {
		refuse(&check, "labels");
		refuse(&check, "namespace");
		refuse(&check, "sectionName");
		decode_warn(dec, at, "kind", tree_get(tree, "kind"),
			    "MeshService value for 'from[].targetRef.kind' is "
			    "deprecated, use MeshSubset with 'kuma.io/service' instead");
	}
	check_ref(&check, permits ? KINDS_PERMITTED : BIT(REF_MESH));
}

void check_backend_ref(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	const struct backend_ref *backend = made;
	struct ref_check check = { dec, tree, at, &backend->ref };

	check_ref(&check, KINDS_BACKEND);
	if (backend->ref.kind == REF_MESH_MULTI_ZONE_SERVICE &&
	    tree_get(tree, "port") == NULL && tree_get(tree, "_port") == NULL)
		decode_bad(dec, at, "port", tree,
			   "must be defined with kind MeshMultiZoneService");
	check_port(&check);
	check_range(dec, at, tree, "weight", 0, UINT32_MAX,
		    "must be in inclusive range [0, 4294967295]");
}

/* ---- rules ---- */
void check_route_default(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct tree *refs = tree_get(tree, "backendRefs");

	(void)made;
	if (refs == NULL || (refs->type == TREE_LIST && refs->count == 0)) {
		decode_bad(dec, at, "backendRefs", refs != NULL ? refs : tree,
			   "must be defined");
		return;
	}
	check_weights(dec, refs, at, "backendRefs",
		      "the sum of weights is 0: every connection will be closed");
}

void check_route_to(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	const struct tree *misplaced = tree_get(tree, "default");
	struct path rules = { .up = at, .name = "rules" };
	struct path rule = { .up = &rules };
	struct path right = { .up = &rule, .name = "default" };
	struct zl_buf text = { 0 };

	(void)made;
	if (misplaced == NULL)
		return;
	path_text(&right, &text);
	decode_bad(dec, at, "default", misplaced, "belongs under rules: %s",
		   zl_buf_text(&text));
	zl_buf_free(&text);
}

void check_route(struct decode *dec, const struct tree *tree, const struct path *at,
		 const void *made)
{
	const struct tree *to = tree_get(tree, "to");

	(void)made;
	if (to != NULL && to->type == TREE_LIST && to->count == 0)
		decode_bad(dec, at, "to", to,
			   "must be undefined or have at least one element");
	if (tree_get(tree, "from") != NULL)
		decode_bad(dec, at, "from", tree_get(tree, "from"),
			   "%s is an outbound policy: use spec.to",
			   kind_info(dec->kind)->name);
}
