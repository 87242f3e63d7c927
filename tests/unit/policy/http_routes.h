/* unit/policy/http_routes.h - MeshHTTPRoutes about service other of east.h, which is
 * http, and their rules as texts. */
#pragma once

#include "unit/policy/east.h"

/* A client of other. */
#define SHOPPER                                                                  \
	"---\n{type: Dataplane, name: shopper, labels: {app: web}, networking: " \
	"{address: "                                                             \
	"9.9.9.7, outbound: [{port: 1, tags: {kuma.io/service: other}}]}}\n"

/* A route named NAME with TOP whose only entry is about SERVICE; RULES has its items. */
#define HTTP_OF(name, top, service, rules)                                          \
	"---\n{type: MeshHTTPRoute, name: " name ", spec: {targetRef: " top         \
	", to: [{targetRef: {kind: MeshService, name: " service "}, rules: [" rules \
	"]}]}}\n"
#define HTTP(rules) HTTP_OF("h", MESH, "other", rules)
/* MATCHES and REFS have their items. */
#define WHEN(matches, refs) "{matches: [" matches "], default: {backendRefs: [" refs "]}}"
#define PATH(type, value) "path: {type: " type ", value: " value "}"
#define EXACT(path) "{" PATH("Exact", path) "}"
#define PREFIX(path) "{" PATH("PathPrefix", path) "}"
#define REGEX(path) "{" PATH("RegularExpression", path) "}"

/* "PathPrefix /api GET +x-env 0 canary ?v 0 2": the numbers are enum http_value. */
static inline void match_describe(const struct http_match *match, struct zl_buf *out)
{
	static const char *const PATHS[] = { "any", "Exact", "PathPrefix",
					     "RegularExpression" };

	zl_buf_str(out, PATHS[match->path_type]);
	if (match->path[0] != '\0')
		zl_buf_format(out, " %s", match->path);
	if (match->method[0] != '\0')
		zl_buf_format(out, " %s", match->method);
	for (size_t i = 0; i < match->header_count; i++)
		zl_buf_format(out, " +%s %u %s", match->headers[i].name,
			      (unsigned)match->headers[i].type, match->headers[i].value);
	for (size_t i = 0; i < match->param_count; i++)
		zl_buf_format(out, " ?%s %u %s", match->params[i].name,
			      (unsigned)match->params[i].type, match->params[i].value);
}

/* "MATCH = h/0 other 90, !gone 10": the names of backends with their weights. */
static inline void rule_describe(const struct request_route *rule, struct zl_buf *out)
{
	match_describe(rule->match, out);
	if (rule->from == NULL)
		zl_buf_str(out, " = rest");
	else
		zl_buf_format(out, " = %s/%zu", rule->from->policy->key.name,
			      rule->from->to);
	for (size_t i = 0; i < rule->backend_count; i++)
		zl_buf_format(out, "%s %s%s %u", i == 0 ? "" : ",",
			      rule->backends[i].resolved ? "" : "!",
			      rule->backends[i].name, (unsigned)rule->backends[i].weight);
}
