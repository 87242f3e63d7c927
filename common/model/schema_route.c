#include "model/schema_attached.h"

#include <string.h>

static const char *const REF_KINDS[] = { "",
					 "Mesh",
					 "Dataplane",
					 "MeshSubset",
					 "MeshGateway",
					 "MeshService",
					 "MeshExternalService",
					 "MeshMultiZoneService",
					 "MeshServiceSubset",
					 "MeshHTTPRoute",
					 NULL };
static const char *const PROXY_TYPES[] = { "Sidecar", "Gateway", NULL };

/* The fields that a reference has wherever it stands. type is a struct that begins with
 * a struct target_ref. */
#define REF_FIELDS(kinds, sample)                                                   \
	{ .name = "kind",                                                           \
	  .type = FIELD_ENUM,                                                       \
	  STORED(target_ref, kind),                                                 \
	  .flags = F_OWN_CHECK,                                                     \
	  .values = REF_KINDS,                                                      \
	  .doc = "What is referred to: " kinds ".",                                 \
	  .example = sample },                                                      \
		{ .name = "name",                                                   \
		  .type = FIELD_TEXT,                                               \
		  STORED(target_ref, name),                                         \
		  .doc = "Name of an object, or value of the tag kuma.io/service.", \
		  .example = "backend" },                                           \
		{ .name = "mesh",                                                   \
		  .type = FIELD_TEXT,                                               \
		  .flags = F_UNSTORED,                                              \
		  .doc = "Reserved; no kind takes it." },                           \
		{ .name = "tags",                                                   \
		  .type = FIELD_LABELS,                                             \
		  STORED(target_ref, tags),                                         \
		  .doc = "Tags of proxies, instances or gateway listeners.",        \
		  .example = "{version: v1}" },                                     \
		{ .name = "labels",                                                 \
		  .type = FIELD_LABELS,                                             \
		  STORED(target_ref, labels),                                       \
		  .doc = "Labels of objects.",                                      \
		  .example = "{app: web}" },                                        \
		{ .name = "namespace",                                              \
		  .type = FIELD_TEXT,                                               \
		  STORED(target_ref, ns),                                           \
		  .doc = "Namespace of a Kubernetes object." },                     \
		{ .name = "sectionName",                                            \
		  .type = FIELD_TEXT,                                               \
		  STORED(target_ref, section),                                      \
		  .doc = "Name or number of one port; wins over port." },           \
	{                                                                           \
		.name = "proxyTypes", .type = FIELD_LIST, .flags = F_UNSTORED,      \
		.values = PROXY_TYPES,                                              \
		.doc = "Sidecar, Gateway or both; both when absent."                \
	}

#define PORT_FIELDS                                                                   \
	{ .name = "port",                                                             \
	  .type = FIELD_INT,                                                          \
	  STORED(target_ref, port),                                                   \
	  .flags = F_OWN_CHECK,                                                       \
	  .min = 1,                                                                   \
	  .max = 65535,                                                               \
	  .doc = "Number of one port of an object.",                                  \
	  .example = "8080" },                                                        \
	{                                                                             \
		.name = "_port", .type = FIELD_INT,                                   \
		.flags = F_UNSTORED | F_OWN_CHECK | F_HIDDEN, .min = 1, .max = 65535, \
		.doc = "Deprecated: write port."                                      \
	}

static const struct field TOP_REF[] = {
	REF_FIELDS("Mesh, Dataplane, of some policies MeshGateway; deprecated: "
		   "MeshSubset, MeshService, "
		   "MeshServiceSubset",
		   "Dataplane"),
};
const struct schema TOP_REF_SCHEMA = { .name = "TopTargetRef",
				       .size = sizeof(struct target_ref),
				       FIELDS(TOP_REF),
				       .finish = finish_ref,
				       .check = check_top_ref };

static const struct field TO_REF[] = {
	REF_FIELDS("MeshService, MeshExternalService, MeshMultiZoneService; Mesh below a "
		   "MeshGateway",
		   "MeshService"),
	PORT_FIELDS,
};
const struct schema TO_REF_SCHEMA = { .name = "ToTargetRef",
				      .size = sizeof(struct target_ref),
				      FIELDS(TO_REF),
				      .finish = finish_ref,
				      .check = check_to_ref };

static const struct field BALANCED_REF[] = {
	REF_FIELDS("Mesh, MeshService, MeshMultiZoneService", "MeshService"),
	PORT_FIELDS,
};
const struct schema BALANCED_REF_SCHEMA = { .name = "BalancedTargetRef",
					    .size = sizeof(struct target_ref),
					    FIELDS(BALANCED_REF),
					    .finish = finish_ref,
					    .check = check_to_ref };

static const struct field ROUTED_REF[] = {
	REF_FIELDS("Mesh, MeshService, MeshExternalService, MeshMultiZoneService, "
		   "MeshHTTPRoute",
		   "MeshService"),
	PORT_FIELDS,
};
const struct schema ROUTED_REF_SCHEMA = { .name = "RoutedTargetRef",
					  .size = sizeof(struct target_ref),
					  FIELDS(ROUTED_REF),
					  .finish = finish_ref,
					  .check = check_to_ref };

static const struct field LOGGED_REF[] = {
	REF_FIELDS("Mesh, MeshService, MeshExternalService, MeshMultiZoneService",
		   "MeshService"),
	PORT_FIELDS,
};
const struct schema LOGGED_REF_SCHEMA = { .name = "LoggedTargetRef",
					  .size = sizeof(struct target_ref),
					  FIELDS(LOGGED_REF),
					  .finish = finish_ref,
					  .check = check_to_ref };

static const struct field CLIENTS_REF[] = {
	REF_FIELDS("Mesh", "Mesh"),
};
const struct schema CLIENTS_REF_SCHEMA = { .name = "FromTargetRef",
					   .size = sizeof(struct target_ref),
					   FIELDS(CLIENTS_REF),
					   .finish = finish_ref,
					   .check = check_from_ref };

static const struct field PERMITTED_REF[] = {
	REF_FIELDS("Mesh, MeshSubset, MeshService, MeshServiceSubset", "MeshService"),
};
const struct schema PERMITTED_REF_SCHEMA = { .name = "ClientTargetRef",
					     .size = sizeof(struct target_ref),
					     FIELDS(PERMITTED_REF),
					     .finish = finish_ref,
					     .check = check_from_ref };

static const struct field BACKEND_REF[] = {
	REF_FIELDS("MeshService, MeshServiceSubset, MeshExternalService, "
		   "MeshMultiZoneService",
		   "MeshService"),
	PORT_FIELDS,
	{ .name = "weight",
	  .type = FIELD_INT,
	  STORED(backend_ref, weight),
	  .flags = F_WIDE | F_OWN_CHECK,
	  .min = 0,
	  .max = UINT32_MAX,
	  .fallback = "1",
	  .doc = "Share of the connections, in relation to the sum of the list; 0: none.",
	  .example = "90" },
};
_Static_assert(offsetof(struct backend_ref, ref) == 0, "REF_FIELDS");
const struct schema BACKEND_REF_SCHEMA = { .name = "BackendRef",
					   .size = sizeof(struct backend_ref),
					   FIELDS(BACKEND_REF),
					   .finish = finish_ref,
					   .check = check_backend_ref };

static const struct field DEFAULT[] = {
	{ .name = "backendRefs",
	  .type = FIELD_LIST,
	  .sub = &BACKEND_REF_SCHEMA,
	  STORED(tcp_to, refs),
	  .flags = F_AT_MOST,
	  .max = 128,
	  .doc = "Where connections go instead, by weight; 1 to 128 entries." },
};
static const struct schema DEFAULT_SCHEMA = { .name = "RuleDefault",
					      .size = sizeof(struct tcp_to),
					      FIELDS(DEFAULT),
					      .check = check_route_default };

static const struct field RULE[] = {
	{ .name = "default",
	  .type = FIELD_OBJECT,
	  .sub = &DEFAULT_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "What is done with the connections." },
};
static const struct schema RULE_SCHEMA = { .name = "Rule",
					   .size = sizeof(struct tcp_to),
					   FIELDS(RULE) };

static const struct field TO[] = {
	{ .name = "targetRef",
	  .type = FIELD_OBJECT,
	  .sub = &TO_REF_SCHEMA,
	  STORED(tcp_to, target),
	  .flags = F_REQUIRED,
	  .doc = "The destination whose traffic is routed." },
	{ .name = "rules",
	  .type = FIELD_LIST,
	  .sub = &RULE_SCHEMA,
	  .flags = F_FIRST | F_AT_MOST,
	  .max = 1,
	  .doc = "At most one rule; without one, traffic goes to the destination "
		 "itself." },
	{ .name = "default",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED | F_HIDDEN,
	  .doc = "Refused: belongs under rules." },
};

static void finish_to(struct decode *dec, const struct tree *tree, void *made)
{
	struct tcp_to *to = made;
	const struct tree *rules = tree_get(tree, "rules");

	(void)dec;
	to->has_rule = rules != NULL && rules->type == TREE_LIST && rules->count > 0;
}

static const struct schema TO_SCHEMA = { .name = "To",
					 .size = sizeof(struct tcp_to),
					 FIELDS(TO),
					 .finish = finish_to,
					 .check = check_route_to };

static const struct field ROUTE[] = {
	{ .name = "targetRef",
	  .type = FIELD_OBJECT,
	  .sub = &TOP_REF_SCHEMA,
	  STORED(tcp_route_spec, target),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "{kind: Mesh}",
	  .doc = "The proxies that the policy configures." },
	{ .name = "to",
	  .type = FIELD_LIST,
	  .sub = &TO_SCHEMA,
	  STORED(tcp_route_spec, to),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "The destinations and their rules; 1 to 1024 entries." },
	{ .name = "from",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED | F_HIDDEN,
	  .doc = "Refused: MeshTCPRoute is an outbound policy." },
};

static void finish_route(struct decode *dec, const struct tree *tree, void *made)
{
	struct tcp_route_spec *route = made;

	(void)dec;
	if (tree_get(tree, "targetRef") == NULL)
		route->target.kind = REF_MESH;
}

const struct schema SCHEMA_MESH_TCP_ROUTE = { .name = "MeshTCPRoute",
					      .size = sizeof(struct tcp_route_spec),
					      FIELDS(ROUTE),
					      .finish = finish_route,
					      .check = check_route };

void finish_ref(struct decode *dec, const struct tree *tree, void *made)
{
	struct target_ref *ref = made;
	const struct tree *types = tree_get(tree, "proxyTypes");
	const struct tree *alias = tree_get(tree, "_port");

	(void)dec;
	/* An outbound's backendRef has no such fields. */
	ref->ns = ref->ns == NULL ? "" : ref->ns;
	ref->section = ref->section == NULL ? "" : ref->section;
	ref->has_labels = tree_get(tree, "labels") != NULL;
	ref->sidecar = ref->gateway = types == NULL;
	for (size_t i = 0; types != NULL && types->type == TREE_LIST && i < types->count;
	     i++) {
		const struct tree *type = types->items[i];
		if (type->type != TREE_TEXT)
			continue;
		ref->sidecar = ref->sidecar || strcmp(type->text, "Sidecar") == 0;
		ref->gateway = ref->gateway || strcmp(type->text, "Gateway") == 0;
	}
	if (tree_get(tree, "port") == NULL && alias != NULL && alias->type == TREE_INT &&
	    alias->integer > 0 && alias->integer <= UINT16_MAX)
		ref->port = (uint32_t)alias->integer;
}
