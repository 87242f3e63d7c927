/* What a zone proxy does, printed. */
#include "policy/answer.h"
#include "policy/policy.h"

#include "model/tree.h"

static struct tree *passage_tree(const struct passage *passage, struct zl_arena *arena)
{
	struct tree *to = tree_map(arena);
	struct tree *endpoints = tree_list(arena);
	const struct backend *backend = passage->backend;

	for (size_t i = 0; i < backend->endpoint_count; i++)
		tree_push(arena, endpoints,
			  answer_endpoint(&backend->endpoints[i], arena));
	tree_set(arena, to, "mesh", tree_text(arena, passage->mesh));
	tree_set(arena, to, "sni", tree_text(arena, passage->sni));
	tree_set(arena, to, "cluster", tree_text(arena, backend->cluster));
	tree_set(arena, to, "endpoints", endpoints);
	return to;
}

void policy_zone_json(const struct zone_routes *routes, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	const struct key *key = &routes->proxy->key;
	struct tree *to = tree_map(arena);
	struct tree *passages = tree_list(arena);
	struct tree *warnings = tree_list(arena);

	for (size_t i = 0; i < routes->passage_count; i++)
		tree_push(arena, passages, passage_tree(&routes->passages[i], arena));
	for (size_t i = 0; i < routes->warning_count; i++)
		tree_push(arena, warnings, tree_text(arena, routes->warnings[i]));
	tree_set(arena, to, "zone", tree_text(arena, routes->zone));
	tree_set(arena, to, "name", tree_text(arena, key->name));
	tree_set(arena, to, "kind", tree_text(arena, kind_info(key->kind)->name));
	tree_set(arena, to, "passages", passages);
	tree_set(arena, to, "warnings", warnings);
	tree_json_pretty(to, out);
	zl_buf_char(out, '\n');
	zl_arena_free(&arena);
}

void policy_zone_text(const struct zone_routes *routes, struct zl_buf *out)
{
	const struct key *key = &routes->proxy->key;

	zl_buf_format(out, "%s %s, zone %s\n", kind_info(key->kind)->name, key->name,
		      routes->zone);
	for (size_t i = 0; i < routes->passage_count; i++) {
		const struct passage *passage = &routes->passages[i];
		const struct backend *backend = passage->backend;

		zl_buf_format(out, "  %s of mesh %s goes to %s\n", passage->sni,
			      passage->mesh, backend->cluster);
		for (size_t k = 0; k < backend->endpoint_count; k++)
			answer_endpoint_line(&backend->endpoints[k], out);
		if (backend->endpoint_count == 0)
			zl_buf_str(out, "        no endpoints: these connections fail\n");
	}
	if (routes->passage_count == 0)
		zl_buf_format(out,
			      "  It takes connections for no server name: no mesh with "
			      "mTLS %s\n",
			      key->kind == KIND_ZONE_INGRESS
				      ? "has an instance here"
				      : "and routing.zoneEgress has anything elsewhere");
	if (routes->warning_count > 0)
		zl_buf_str(out, "\nWarnings\n");
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(out, "  %s\n", routes->warnings[i]);
}
