#include "policy/print_inbounds.h"

#include "policy/answer.h"
#include "policy/claims.h"

#include <string.h>

/* ---- clients in words ---- */

/* "spiffe://default/web and kuma://version/v1", a star behind what all
 * begin with, a star for everybody. */
static const char *clients_text(const struct client_set *set, struct zl_arena *arena)
{
	const char *text = set->name_count == 0 ? "*" : "";

	for (size_t i = 0; i < set->name_count; i++)
		text = zl_arena_format(arena, "%s%s%s%s", text, i == 0 ? "" : " and ",
				       set->names[i].value,
				       set->names[i].prefix ? "*" : "");
	return text;
}

/* "... except ...": of a thousand grants a thousand may be taken, which nobody reads. */
static const char *grant_text(const struct grant *grant, struct zl_arena *arena)
{
	enum { TOLD = 64 };
	struct zl_buf out = { 0 };
	const char *text;

	zl_buf_str(&out, clients_text(&grant->who, arena));
	for (size_t i = 0; i < grant->except_count && i < TOLD; i++)
		zl_buf_format(&out, "%s%s", i == 0 ? " except " : ", ",
			      clients_text(&grant->except[i], arena));
	if (grant->except_count > TOLD)
		zl_buf_format(&out, ", and %zu more", grant->except_count - TOLD);
	text = zl_arena_strdup(arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

/* ---- JSON ---- */

static struct tree *grants_tree(const struct grant *grants, size_t count,
				struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < count; i++)
		tree_push(arena, list, tree_text(arena, grant_text(&grants[i], arena)));
	return list;
}

static struct tree *policies_tree(const struct permission *permission,
				  struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < permission->policy_count; i++)
		tree_push(arena, list,
			  answer_policy(&permission->policies[i], permission->lists[i],
					arena));
	return list;
}

static struct tree *permission_tree(const struct permission *permission,
				    struct zl_arena *arena)
{
	struct tree *to = tree_map(arena);
	struct tree *deny = tree_list(arena);

	tree_set(arena, to, "mode",
		 tree_text(arena, permission_mode_name(permission->mode)));
	tree_set(arena, to, "allow",
		 grants_tree(permission->allow, permission->allow_count, arena));
	tree_set(arena, to, "shadow",
		 grants_tree(permission->shadow, permission->shadow_count, arena));
	for (size_t i = 0; i < permission->deny_count; i++)
		tree_push(arena, deny,
			  tree_text(arena, clients_text(&permission->deny[i], arena)));
	tree_set(arena, to, "deny", deny);
	tree_set(arena, to, "policies", policies_tree(permission, arena));
	return to;
}

/* In a mesh without mTLS nobody is asked who he is. */
static bool is_worth_telling(const struct policy_answer *answer,
			     const struct inbound_route *inbound)
{
	return (inbound->permission.mode != PERMISSION_PLAIN ||
		inbound->settings != NULL) &&
	       (answer->to == NULL || answer->to[0] == '\0' ||
		strcmp(answer->to, inbound->service) == 0);
}

struct tree *inbounds_json(const struct policy_answer *answer,
			   const struct routes *routes, struct zl_arena *arena)
{
	struct tree *list = NULL;

	for (size_t i = 0; i < routes->inbound_count; i++) {
		const struct inbound_route *inbound = &routes->inbounds[i];
		struct tree *to = tree_map(arena);

		if (!is_worth_telling(answer, inbound))
			continue;
		tree_set(arena, to, "address", tree_text(arena, inbound->address));
		tree_set(arena, to, "port",
			 tree_int(arena, (int64_t)inbound->inbound->port));
		tree_set(arena, to, "service", tree_text(arena, inbound->service));
		tree_set(arena, to, "permission",
			 permission_tree(&inbound->permission, arena));
		if (inbound->settings != NULL)
			tree_set(arena, to, "applied",
				 answer_applied(inbound->settings, arena));
		if (list == NULL)
			list = tree_list(arena);
		tree_push(arena, list, to);
	}
	return list;
}

/* ---- for people ---- */

static void print_grants(const char *what, const struct grant *grants, size_t count,
			 struct zl_arena *arena, struct zl_buf *out)
{
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out, "    %s%s\n", what, grant_text(&grants[i], arena));
}

/* Once for each policy. */
static void print_policies(const struct permission *permission, struct zl_buf *out)
{
	const struct resource *last = NULL;

	for (size_t i = 0; i < permission->policy_count; i++) {
		const struct resource *policy = permission->policies[i].policy;

		if (policy == last)
			continue;
		zl_buf_format(out, "%s%s \"%s\"", last == NULL ? ", by " : ", ",
			      kind_info(policy->key.kind)->name, policy->key.name);
		last = policy;
	}
}

/* In a few words: what follows says it in full. */
static const char *allowed_words(const struct permission *permission)
{
	for (size_t i = 0; i < permission->allow_count; i++)
		if (permission->allow[i].who.name_count == 0 &&
		    permission->allow[i].except_count == 0)
			return "everybody in the mesh";
	return permission->allow_count == 0 ? "nobody" : "only these";
}

static void print_enforced(const struct permission *permission, struct zl_arena *arena,
			   struct zl_buf *out)
{
	zl_buf_str(out, allowed_words(permission));
	print_policies(permission, out);
	zl_buf_str(out, ":\n");
	print_grants("", permission->allow, permission->allow_count, arena, out);
	for (size_t i = 0; i < permission->deny_count; i++)
		zl_buf_format(out, "    denied: %s\n",
			      clients_text(&permission->deny[i], arena));
	print_grants("would be denied, and is counted so: ", permission->shadow,
		     permission->shadow_count, arena, out);
	zl_buf_str(out,
		   "    A permission that is withdrawn does not end what is open.\n");
}

static void print_permission(const struct permission *permission, struct zl_arena *arena,
			     struct zl_buf *out)
{
	static const char *const WITHOUT[] = {
		[PERMISSION_PLAIN] = "everybody, as the mesh has no mTLS",
		[PERMISSION_OPEN] = "everybody in the mesh, as no MeshTrafficPermission "
				    "selects it",
		[PERMISSION_DENIED] = "nobody, as no MeshTrafficPermission selects it",
	};

	if (permission->mode == PERMISSION_ENFORCED)
		print_enforced(permission, arena, out);
	else
		zl_buf_format(out, "%s\n", WITHOUT[permission->mode]);
}

void inbounds_text(const struct policy_answer *answer, const struct routes *routes,
		   struct zl_arena *arena, struct zl_buf *out)
{
	for (size_t i = 0; i < routes->inbound_count; i++) {
		const struct inbound_route *inbound = &routes->inbounds[i];

		if (!is_worth_telling(answer, inbound))
			continue;
		zl_buf_format(out, "  Who may connect to %s:%u (%s): ", inbound->service,
			      inbound->inbound->port, inbound->address);
		print_permission(&inbound->permission, arena, out);
		answer_settings(inbound->settings,
				protocol_is_http(inbound->protocol) ? SETTINGS_OF_REQUESTS
								    : SETTINGS_OF_INBOUND,
				"    ", arena, out);
	}
}
