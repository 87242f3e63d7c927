#include "policy/order.h"

#include "policy/policy.h"
#include "policy/refs.h"

#include <string.h>

static unsigned role_rank(const struct resource *route)
{
	static const char *const ROLES[] = { "system", "producer", "consumer",
					     "workload-owner" };
	const char *role = labels_get(route->labels, LABEL_ROLE);

	for (unsigned i = 1; role != NULL && i < sizeof(ROLES) / sizeof(ROLES[0]); i++)
		if (strcmp(role, ROLES[i]) == 0)
			return i;
	return 0;
}

/* A Dataplane by its name is more exact than by labels; how many labels is all one. One
 * of its inbounds is more exact still. */
static unsigned detail_rank(const struct target_ref *top)
{
	return top->kind == REF_DATAPLANE && (top->name[0] != '\0' || top->ns[0] != '\0');
}

struct rank rank_of(const struct resource *route)
{
	/* A legacy policy has no top: how well it fits is another matter. */
	if (route->key.kind == KIND_TRAFFIC_ROUTE || kind_is_legacy(route->key.kind))
		return (struct rank){ route, 0 };

	const struct target_ref *top = route_top(route);
	uint64_t tags = top->kind == REF_MESH_GATEWAY ? top->tags.count : 0;
	const struct {
		uint64_t value;
		unsigned bits;
	} keys[] = { /* the first counts most */
		     { top->kind, 8 },
		     { top->kind == REF_DATAPLANE && top->section[0] != '\0', 1 },
		     { detail_rank(top), 1 },
		     { route->origin == ORIGIN_ZONE, 1 },
		     { tags, 32 },
		     { role_rank(route), 2 }
	};
	uint64_t strength = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		strength = strength << keys[i].bits | keys[i].value;
	return (struct rank){ route, strength };
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By KRI, as texts. */
static int compare_identities(const struct key *a, const struct key *b)
{
	struct zl_buf one = { 0 };
	struct zl_buf other = { 0 };

	key_kri(a, "", &one);
	key_kri(b, "", &other);
	int order = strcmp(zl_buf_text(&one), zl_buf_text(&other));
	zl_buf_free(&one);
	zl_buf_free(&other);
	/* The separator of KRIs may stand in the name of a mesh. */
	return order != 0 ? order : key_compare(a, b);
}

/* The smaller name wins, then the larger KRI. */
static int compare_routes(const struct resource *a, const struct resource *b)
{
	if (a == b)
		return 0;
	int order = strcmp(b->key.name, a->key.name);
	return order != 0 ? order : compare_identities(&a->key, &b->key);
}

int rank_compare(const struct rank *a, const struct rank *b)
{
	int order = compare_numbers(a->strength, b->strength);

	return order != 0 ? order : compare_routes(a->route, b->route);
}

/* Ports of services, not of external ones, are told apart by a section (B11), or by their
 * number (D1). */
static size_t section_rank(const struct target_ref *target)
{
	return (target->kind == REF_MESH_SERVICE ||
		target->kind == REF_MESH_MULTI_ZONE_SERVICE) &&
	       (target->section[0] != '\0' || target->port != 0);
}

/* All that counts before names. */
static int compare_strengths(const struct rank *a, size_t a_to, const struct rank *b,
			     size_t b_to)
{
	const struct target_ref *one = route_to(a->route, a_to);
	const struct target_ref *other = route_to(b->route, b_to);
	int order = compare_numbers(a->strength, b->strength);

	if (order == 0)
		order = compare_numbers(one->kind, other->kind);
	return order != 0 ? order
			  : compare_numbers(section_rank(one), section_rank(other));
}

int rank_compare_entries(const struct rank *a, size_t a_to, const struct rank *b,
			 size_t b_to)
{
	int order = compare_strengths(a, a_to, b, b_to);

	if (order == 0)
		order = compare_routes(a->route, b->route);
	return order != 0 ? order : compare_numbers(a_to, b_to);
}

bool rank_ties(const struct rank *a, size_t a_to, const struct rank *b, size_t b_to)
{
	return compare_strengths(a, a_to, b, b_to) == 0;
}

int policy_compare(const struct resource *a, const struct resource *b)
{
	const struct rank one = rank_of(a);
	const struct rank other = rank_of(b);

	return rank_compare(&one, &other);
}

int policy_compare_entries(const struct resource *a, size_t a_to,
			   const struct resource *b, size_t b_to)
{
	const struct rank one = rank_of(a);
	const struct rank other = rank_of(b);

	return rank_compare_entries(&one, a_to, &other, b_to);
}

bool policy_ties(const struct resource *a, size_t a_to, const struct resource *b,
		 size_t b_to)
{
	const struct rank one = rank_of(a);
	const struct rank other = rank_of(b);

	return a != b && rank_ties(&one, a_to, &other, b_to);
}
