/* The rules of policies that attach to routes, as far as they share them: policies-spec
 * 1.1. */
#include "model/checks.h"
#include "model/schema_attached.h"

#include <string.h>

/* Something is in the list, or it is none, which was told. */
static bool is_filled(const struct tree *spec, const char *list)
{
	const struct tree *value = tree_get(spec, list);

	return value != NULL && (value->type != TREE_LIST || value->count > 0);
}

/* A kind without `from` and `rules` has said of them that they are unknown: nothing else
 * is worth a word. */
static bool takes_inbounds(enum kind kind)
{
	return kind != KIND_MESH_RETRY && kind != KIND_MESH_HEALTH_CHECK;
}

/* PV1, PV3 to PV5: what must be there. */
static void check_any(struct decode *dec, const struct tree *spec, const struct path *at)
{
	bool inbound = is_filled(spec, "from") || is_filled(spec, "rules");

	switch (dec->kind) {
	case KIND_MESH_RETRY:
		check_filled(dec, spec, at, "to", "needs at least one item");
		return;
	case KIND_MESH_HEALTH_CHECK:
		check_filled(dec, spec, at, "to", "must be defined");
		return;
	case KIND_MESH_TRAFFIC_PERMISSION:
		if (!inbound)
			decode_bad(dec, at, NULL, spec,
				   "at least one of 'from' or 'rules' has to be defined");
		return;
	default:
		if (!inbound && !is_filled(spec, "to"))
			decode_bad(dec, at, NULL, spec,
				   "at least one of 'from', 'to' or 'rules' has to be "
				   "defined");
	}
}

/* Gateways have nothing that comes in from the mesh. */
static void check_gateway_lists(struct decode *dec, const struct tree *spec,
				const struct path *at)
{
	static const char *const LISTS[] = { "from", "rules" };

	/* A kind that takes no gateways says that. */
	if (dec->top->kind != REF_MESH_GATEWAY ||
	    dec->kind == KIND_MESH_TRAFFIC_PERMISSION)
		return;
	for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++)
		if (is_filled(spec, LISTS[i]))
			decode_bad(dec, at, LISTS[i], tree_get(spec, LISTS[i]),
				   "must not be defined");
}

void check_attached(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	bool permits = dec->kind == KIND_MESH_TRAFFIC_PERMISSION;
	const struct tree *from = tree_get(tree, "from");

	(void)made;
	check_any(dec, tree, at);
	if (!takes_inbounds(dec->kind))
		return;
	if (is_filled(tree, "rules") &&
	    (is_filled(tree, "from") || (!permits && is_filled(tree, "to"))))
		decode_bad(dec, at, NULL, tree,
			   permits ? "field 'from' must be empty when 'rules' is defined"
				   : "fields 'to' and 'from' must be empty when 'rules' "
				     "is defined");
	check_gateway_lists(dec, tree, at);
	if (is_filled(tree, "from") && !permits)
		decode_warn(dec, at, "from", from,
			    "'from' field is deprecated, use 'rules' instead");
}

bool retry_on_is_known(const char *text)
{
	static const char *const NAMES[] = {
		"5xx",
		"5XX",
		"GatewayError",
		"Reset",
		"Retriable4xx",
		"ConnectFailure",
		"EnvoyRatelimited",
		"RefusedStream",
		"Http3PostConnectFailure",
		"HttpMethodConnect",
		"HttpMethodDelete",
		"HttpMethodGet",
		"HttpMethodHead",
		"HttpMethodOptions",
		"HttpMethodPatch",
		"HttpMethodPost",
		"HttpMethodPut",
		"HttpMethodTrace",
	};
	/* First and last of each run of statuses that have a name. */
	static const char *const STATUSES[][2] = {
		{ "100", "103" }, { "200", "208" }, { "226", "226" }, { "300", "305" },
		{ "307", "308" }, { "400", "418" }, { "421", "426" }, { "428", "429" },
		{ "431", "431" }, { "451", "451" }, { "500", "508" }, { "510", "511" },
	};

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		if (strcmp(NAMES[i], text) == 0)
			return true;
	for (size_t i = 0; i < sizeof(STATUSES) / sizeof(STATUSES[0]); i++)
		if (strlen(text) == 3 && strspn(text, "0123456789") == 3 &&
		    strcmp(text, STATUSES[i][0]) >= 0 &&
		    strcmp(text, STATUSES[i][1]) <= 0)
			return true;
	return false;
}

/* What a timeout of connections or streams says below a route. */
static void warn_of_route(struct decode *dec, const struct tree *http,
			  const struct path *at)
{
	static const char *const UNUSED[] = { "maxStreamDuration",
					      "maxConnectionDuration",
					      "requestHeadersTimeout" };

	for (size_t i = 0; i < sizeof(UNUSED) / sizeof(UNUSED[0]); i++)
		if (tree_get(http, UNUSED[i]) != NULL)
			decode_warn(dec, at, UNUSED[i], tree_get(http, UNUSED[i]),
				    "%s has no effect with kind MeshHTTPRoute: name the "
				    "destination",
				    UNUSED[i]);
}

/* Items elsewhere may not name a MeshHTTPRoute, which is told. */
static bool may_name_route(const struct decode *dec, const struct path *item)
{
	return (dec->kind == KIND_MESH_TIMEOUT || dec->kind == KIND_MESH_RETRY) &&
	       strcmp(item->up->name, "to") == 0;
}

/* A route says what is done with requests; connections are its destination's. */
void check_attached_item(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct attached_item *item = made;
	const struct tree *right = tree_get(tree, "default");
	struct path here = { .up = at, .name = "default" };

	if (item->target.kind != REF_MESH_HTTP_ROUTE || !may_name_route(dec, at) ||
	    right == NULL || right->type != TREE_MAP)
		return;
	for (size_t i = 0; i < right->count; i++) {
		const char *name = right->members[i].key;
		if (strcmp(name, "http") != 0 && strcmp(name, "grpc") != 0 &&
		    right->members[i].value->type != TREE_NULL)
			decode_bad(dec, &here, name, right->members[i].value,
				   "must not be set with kind MeshHTTPRoute");
	}
	struct path http_at = { .up = &here, .name = "http" };
	if (dec->kind == KIND_MESH_TIMEOUT)
		warn_of_route(dec, tree_get(right, "http"), &http_at);
}
