#include "envoy/build_parts.h"

#include <stdlib.h>
#include <string.h>

/* What the permissions of MeshTrafficPermissions are called in Envoy. */
#define OWN_POLICY "MeshTrafficPermission"
/* The name of nobody: no certificate has it. */
#define NOBODY "zonelink:nobody"

/* ---- clients ---- */

static Envoy__Principal *new_principal(struct zl_arena *arena,
				       Envoy__Principal__IdentifierCase identifier)
{
	Envoy__Principal *principal = pb_new(arena, &envoy__principal__descriptor);

	principal->identifier_case = identifier;
	return principal;
}

static Envoy__Principal *anybody(struct zl_arena *arena)
{
	Envoy__Principal *principal =
		new_principal(arena, ENVOY__PRINCIPAL__IDENTIFIER_ANY);

	principal->any = true;
	return principal;
}

static Envoy__StringMatcher *matcher_of(struct zl_arena *arena,
					const struct expected_name *name)
{
	Envoy__StringMatcher *matcher = pb_new(arena, &envoy__string_matcher__descriptor);

	matcher->match_pattern_case =
		name->prefix ? ENVOY__STRING_MATCHER__MATCH_PATTERN_PREFIX
			     : ENVOY__STRING_MATCHER__MATCH_PATTERN_EXACT;
	if (name->prefix)
		matcher->prefix = zl_arena_strdup(arena, name->value);
	else
		matcher->exact = zl_arena_strdup(arena, name->value);
	return matcher;
}

static Envoy__Principal *named(struct zl_arena *arena, const struct expected_name *name)
{
	Envoy__Principal *principal =
		new_principal(arena, ENVOY__PRINCIPAL__IDENTIFIER_AUTHENTICATED);

	principal->authenticated =
		pb_new(arena, &envoy__principal__authenticated__descriptor);
	principal->authenticated->principal_name = matcher_of(arena, name);
	return principal;
}

static Envoy__Principal__Set *new_set(struct zl_arena *arena, size_t room)
{
	Envoy__Principal__Set *set = pb_new(arena, &envoy__principal__set__descriptor);

	set->ids = pb_list(arena, room);
	return set;
}

static Envoy__Principal *both(struct zl_arena *arena, Envoy__Principal__Set *of)
{
	Envoy__Principal *principal =
		new_principal(arena, ENVOY__PRINCIPAL__IDENTIFIER_AND_IDS);

	principal->and_ids = of;
	return principal;
}

static Envoy__Principal *clients(struct zl_arena *arena, const struct client_set *set)
{
	Envoy__Principal__Set *all;

	if (set->name_count == 0)
		return anybody(arena);
	if (set->name_count == 1)
		return named(arena, &set->names[0]);
	all = new_set(arena, set->name_count);
	for (size_t i = 0; i < set->name_count; i++)
		all->ids[all->n_ids++] = named(arena, &set->names[i]);
	return both(arena, all);
}

static Envoy__Principal *none_of(struct zl_arena *arena, const struct client_set *sets,
				 size_t count)
{
	Envoy__Principal *any = new_principal(arena, ENVOY__PRINCIPAL__IDENTIFIER_OR_IDS);
	Envoy__Principal *principal =
		new_principal(arena, ENVOY__PRINCIPAL__IDENTIFIER_NOT_ID);

	any->or_ids = new_set(arena, count);
	for (size_t i = 0; i < count; i++)
		any->or_ids->ids[any->or_ids->n_ids++] = clients(arena, &sets[i]);
	principal->not_id = any;
	return principal;
}

static Envoy__Principal *granted(struct zl_arena *arena, Envoy__Principal *who,
				 const struct grant *grant)
{
	Envoy__Principal__Set *all;

	if (grant->except_count == 0)
		return who;
	all = new_set(arena, 2);
	all->ids[all->n_ids++] = who;
	all->ids[all->n_ids++] = none_of(arena, grant->except, grant->except_count);
	return both(arena, all);
}

/* Grants from which the same is taken, as it is from all of rules: it is written once,
 * since of a thousand allowed and a thousand denied there would be a million principals.
 * Which they are is told by the list, that they share. */
static bool is_alike(const struct grant *a, const struct grant *b)
{
	return a->except == b->except && a->except_count == b->except_count;
}

static Envoy__Principal *granted_alike(struct zl_arena *arena, const struct grant *grants,
				       size_t count)
{
	Envoy__Principal *any;
	size_t alike = 0;

	for (size_t i = 0; grants[0].except_count > 0 && i < count; i++)
		alike += is_alike(&grants[0], &grants[i]);
	if (alike <= 1)
		return granted(arena, clients(arena, &grants[0].who), &grants[0]);
	any = new_principal(arena, ENVOY__PRINCIPAL__IDENTIFIER_OR_IDS);
	any->or_ids = new_set(arena, alike);
	for (size_t i = 0; i < count; i++)
		if (is_alike(&grants[0], &grants[i]))
			any->or_ids->ids[any->or_ids->n_ids++] =
				clients(arena, &grants[i].who);
	return granted(arena, any, &grants[0]);
}

/* True if one before grants[at] wrote it. */
static bool is_granted(const struct grant *grants, size_t at)
{
	for (size_t i = 0; grants[at].except_count > 0 && i < at; i++)
		if (is_alike(&grants[i], &grants[at]))
			return true;
	return false;
}

/* ---- rules ---- */

static Envoy__Rbac__Policy *new_policy(struct zl_arena *arena, size_t room)
{
	Envoy__Rbac__Policy *policy = pb_new(arena, &envoy__rbac__policy__descriptor);
	Envoy__Permission *permission = pb_new(arena, &envoy__permission__descriptor);

	permission->rule_case = ENVOY__PERMISSION__RULE_ANY;
	permission->any = true;
	policy->permissions = pb_list(arena, 1);
	policy->permissions[policy->n_permissions++] = permission;
	policy->principals = pb_list(arena, room);
	return policy;
}

static void add_policy(struct zl_arena *arena, Envoy__Rbac *to, const char *name,
		       Envoy__Rbac__Policy *policy)
{
	Envoy__Rbac__PoliciesEntry *entry =
		pb_new(arena, &envoy__rbac__policies_entry__descriptor);

	entry->key = zl_arena_strdup(arena, name);
	entry->value = policy;
	to->policies[to->n_policies++] = entry;
}

static void add_grants(struct zl_arena *arena, Envoy__Rbac__Policy *to,
		       const struct grant *grants, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_granted(grants, i))
			to->principals[to->n_principals++] =
				granted_alike(arena, &grants[i], count - i);
}

/* A policy for each that says so; grants are sorted by it. Envoy takes no policy without
 * clients, and lets nobody in where it has none. */
static Envoy__Rbac *rules_of(struct zl_arena *arena, const struct grant *grants,
			     size_t count)
{
	Envoy__Rbac *rules = pb_new(arena, &envoy__rbac__descriptor);
	size_t end;

	rules->policies = pb_list(arena, count);
	for (size_t i = 0; i < count; i = end) {
		const struct resource *legacy = grants[i].legacy;
		Envoy__Rbac__Policy *policy;
		for (end = i; end < count && grants[end].legacy == legacy;)
			end++;
		policy = new_policy(arena, end - i);
		add_grants(arena, policy, &grants[i], end - i);
		add_policy(arena, rules, legacy != NULL ? legacy->key.name : OWN_POLICY,
			   policy);
	}
	return rules;
}

/* Who is let in: without an entry of policies nobody is, as where the mesh does so by
 * default. */
static Envoy__Rbac *enforced(struct zl_arena *arena, const struct permission *permission)
{
	static const struct grant ALL = { .who = { .name_count = 0 } };

	if (permission->mode == PERMISSION_OPEN)
		return rules_of(arena, &ALL, 1);
	return rules_of(arena, permission->allow, permission->allow_count);
}

Envoy__Filter *build_permission(struct build *build, const char *listener,
				const struct permission *permission)
{
	struct zl_arena *arena = build->arena;
	const char *name = zl_arena_format(arena, "%s/rbac", listener);
	Envoy__NetworkRbac *filter = pb_new(arena, &envoy__network_rbac__descriptor);

	filter->stat_prefix =
		zl_arena_format(arena, "%s.", build_stat_prefix(build, listener));
	filter->rules = enforced(arena, permission);
	if (permission->shadow_count > 0) {
		filter->shadow_rules =
			rules_of(arena, permission->shadow, permission->shadow_count);
		filter->shadow_rules->action = ENVOY__RBAC__ACTION__DENY;
	}
	build_extension(build, name, &filter->base);
	return build_filter_by_name(arena, name, RBAC_URL);
}

/* ---- the gate ---- */

static int compare_names(const void *one, const void *other)
{
	const struct expected_name *a = one;
	const struct expected_name *b = other;
	int order = strcmp(a->value, b->value);

	return order != 0 ? order : a->prefix - b->prefix;
}

/* Names of which every client that is let in has one; who has one and is not let in is
 * left to the filter. Never empty: Envoy takes that for everybody. */
static struct expected_name *
gate_names(struct build *build, const struct permission *permission, size_t *count)
{
	struct expected_name *names =
		zl_arena_alloc(build->arena, permission->allow_count + 1, sizeof(*names));
	const struct expected_name all = {
		.prefix = true,
		.value = zl_arena_format(build->arena, "spiffe://%s/", build->mesh)
	};
	size_t kept = 0;

	*count = 0;
	if (permission->mode == PERMISSION_OPEN)
		names[(*count)++] = all;
	for (size_t i = 0; i < permission->allow_count; i++) {
		const struct client_set *who = &permission->allow[i].who;
		names[(*count)++] = who->name_count == 0 ? all : who->names[0];
	}
	if (*count == 0)
		names[(*count)++] = (struct expected_name){ .value = NOBODY };
	qsort(names, *count, sizeof(*names), compare_names);
	for (size_t i = 1; i < *count; i++)
		if (compare_names(&names[kept], &names[i]) != 0)
			names[++kept] = names[i];
	*count = kept + 1;
	return names;
}

const char *build_gate(struct build *build, const struct inbound_route *inbound)
{
	const char *name = build_listener_name(build, "inbound_gate", inbound->address,
					       inbound->inbound->port);
	size_t count;
	const struct expected_name *names =
		gate_names(build, &inbound->permission, &count);

	if (build->trust.root_text != NULL)
		build_check_secret(build, name, build->trust.root_text, names, count);
	return name;
}
