#include "model/schemas.h"

static const char *const PATH_TYPES[] = { "", "Exact", "PathPrefix", "RegularExpression",
					  NULL };
static const char *const METHODS[] = { "CONNECT", "DELETE", "GET", "HEAD",  "OPTIONS",
				       "PATCH",   "POST",   "PUT", "TRACE", NULL };
static const char *const HEADER_TYPES[] = { "Exact",  "Present", "RegularExpression",
					    "Absent", "Prefix",  NULL };
/* The values of enum http_value that a query parameter may have. */
static const char *const PARAM_TYPES[] = { "Exact", "", "RegularExpression", NULL };

static const struct field PATH[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  STORED(http_match, path_type),
	  .flags = F_REQUIRED | F_OWN_CHECK,
	  .values = PATH_TYPES,
	  .doc = "How the path is compared: Exact, PathPrefix (whole segments) or "
		 "RegularExpression (RE2, the whole path).",
	  .example = "PathPrefix" },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(http_match, path),
	  .flags = F_REQUIRED,
	  .doc = "The path, its prefix without a slash at the end, or the expression.",
	  .example = "/api" },
};
/* A path decodes into the match that has it. */
static const struct schema PATH_SCHEMA = { .name = "PathMatch",
					   .size = sizeof(struct http_match),
					   FIELDS(PATH),
					   .check = check_http_path };

static const struct field HEADER[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  STORED(http_field, type),
	  .values = HEADER_TYPES,
	  .fallback = "Exact",
	  .doc = "How the value is compared; Present and Absent take no value." },
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(http_field, name),
	  .flags = F_REQUIRED,
	  .doc = "Name of the header, in lower case.",
	  .example = "x-env" },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(http_field, value),
	  .doc = "The value, its prefix or the expression.",
	  .example = "canary" },
};
const struct schema HTTP_HEADER_SCHEMA = { .name = "HeaderMatch",
					   .size = sizeof(struct http_field),
					   FIELDS(HEADER),
					   .check = check_http_header };

static const struct field PARAM[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  STORED(http_field, type),
	  .flags = F_REQUIRED | F_OWN_CHECK,
	  .values = PARAM_TYPES,
	  .doc = "How the value is compared: Exact or RegularExpression.",
	  .example = "Exact" },
	{ .name = "name",
	  .type = FIELD_TEXT,
	  STORED(http_field, name),
	  .flags = F_REQUIRED,
	  .doc = "Name of the query parameter.",
	  .example = "v" },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(http_field, value),
	  .flags = F_REQUIRED,
	  .doc = "The value, or the expression.",
	  .example = "2" },
};
static const struct schema PARAM_SCHEMA = { .name = "QueryParamMatch",
					    .size = sizeof(struct http_field),
					    FIELDS(PARAM),
					    .check = check_http_param };

static const struct field MATCH[] = {
	{ .name = "path",
	  .type = FIELD_OBJECT,
	  .sub = &PATH_SCHEMA,
	  .doc = "The path of the request; any when absent." },
	{ .name = "method",
	  .type = FIELD_TEXT,
	  STORED(http_match, method),
	  .values = METHODS,
	  .doc = "The method of the request; any when absent.",
	  .example = "GET" },
	{ .name = "headers",
	  .type = FIELD_LIST,
	  .sub = &HTTP_HEADER_SCHEMA,
	  STORED(http_match, headers),
	  .flags = F_AT_MOST,
	  .max = 16,
	  .doc = "Headers of the request, all of which must match; at most 16." },
	{ .name = "queryParams",
	  .type = FIELD_LIST,
	  .sub = &PARAM_SCHEMA,
	  STORED(http_match, params),
	  .flags = F_AT_MOST,
	  .max = 16,
	  .doc = "Query parameters, all of which must match; at most 16." },
};
static const struct schema MATCH_SCHEMA = { .name = "Match",
					    .size = sizeof(struct http_match),
					    FIELDS(MATCH),
					    .check = check_http_match };

/* A filter is refused by its type; its own object is not looked into. */
#define NOT_LOOKED_INTO(object)                                                      \
	{                                                                            \
		.name = (object), .type = FIELD_ANY, .flags = F_UNSTORED | F_HIDDEN, \
		.doc = "Refused by type."                                            \
	}
static const struct field FILTER[] = {
	{ .name = "type",
	  .type = FIELD_TEXT,
	  .flags = F_UNSTORED | F_REQUIRED,
	  .doc = "Refused: no filter is part of Zonelink." },
	NOT_LOOKED_INTO("requestHeaderModifier"),
	NOT_LOOKED_INTO("responseHeaderModifier"),
	NOT_LOOKED_INTO("requestRedirect"),
	NOT_LOOKED_INTO("urlRewrite"),
	NOT_LOOKED_INTO("requestMirror"),
};
static const struct schema FILTER_SCHEMA = { .name = "Filter",
					     FIELDS(FILTER),
					     .check = check_http_filter };

static const struct field DEFAULT[] = {
	{ .name = "backendRefs",
	  .type = FIELD_LIST,
	  .sub = &BACKEND_REF_SCHEMA,
	  STORED(http_rule, refs),
	  .flags = F_AT_MOST,
	  .max = 128,
	  .doc = "Where requests go instead, by weight; at most 128 entries. None: to "
		 "the destination itself." },
	{ .name = "filters",
	  .type = FIELD_LIST,
	  .sub = &FILTER_SCHEMA,
	  .flags = F_UNSTORED,
	  .doc = "Refused unless empty: no filter is part of Zonelink." },
};
static const struct schema DEFAULT_SCHEMA = { .name = "HttpRuleDefault",
					      .size = sizeof(struct http_rule),
					      FIELDS(DEFAULT),
					      .check = check_http_default };

static const struct field RULE[] = {
	{ .name = "matches",
	  .type = FIELD_LIST,
	  .sub = &MATCH_SCHEMA,
	  STORED(http_rule, matches),
	  .flags = F_REQUIRED | F_AT_MOST,
	  .max = 64,
	  .doc = "Which requests the rule is for: any of these is enough; 1 to 64 "
		 "entries." },
	{ .name = "default",
	  .type = FIELD_OBJECT,
	  .sub = &DEFAULT_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "What is done with the requests." },
};
static const struct schema RULE_SCHEMA = { .name = "HttpRule",
					   .size = sizeof(struct http_rule),
					   FIELDS(RULE),
					   .check = check_http_rule };

static const struct field TO[] = {
	{ .name = "targetRef",
	  .type = FIELD_OBJECT,
	  .sub = &TO_REF_SCHEMA,
	  STORED(http_to, target),
	  .flags = F_REQUIRED,
	  .doc = "The destination whose requests are routed." },
	{ .name = "hostnames",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED | F_HIDDEN,
	  .doc = "Refused: only for a MeshGateway." },
	{ .name = "rules",
	  .type = FIELD_LIST,
	  .sub = &RULE_SCHEMA,
	  STORED(http_to, rules),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "Requests and where they go; what no rule is for goes to the "
		 "destination itself. At most 1024 entries." },
	{ .name = "default",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED | F_HIDDEN,
	  .doc = "Refused: belongs under rules." },
};
static const struct schema TO_SCHEMA = { .name = "HttpTo",
					 .size = sizeof(struct http_to),
					 FIELDS(TO),
					 .check = check_http_to };

static const struct field ROUTE[] = {
	{ .name = "targetRef",
	  .type = FIELD_OBJECT,
	  .sub = &TOP_REF_SCHEMA,
	  STORED(http_route_spec, target),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "{kind: Mesh}",
	  .doc = "The proxies that the policy configures." },
	{ .name = "to",
	  .type = FIELD_LIST,
	  .sub = &TO_SCHEMA,
	  STORED(http_route_spec, to),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "The destinations and their rules; 1 to 1024 entries." },
	{ .name = "from",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED | F_HIDDEN,
	  .doc = "Refused: MeshHTTPRoute is an outbound policy." },
};

static void finish_route(struct decode *dec, const struct tree *tree, void *made)
{
	struct http_route_spec *route = made;

	(void)dec;
	if (tree_get(tree, "targetRef") == NULL)
		route->target.kind = REF_MESH;
}

_Static_assert(offsetof(struct http_route_spec, target) == 0, "decode.top");
const struct schema SCHEMA_MESH_HTTP_ROUTE = { .name = "MeshHTTPRoute",
					       .size = sizeof(struct http_route_spec),
					       FIELDS(ROUTE),
					       .finish = finish_route,
					       .check = check_route };
