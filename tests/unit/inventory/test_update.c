#include "changes.h"

#include <string.h>

/* An inventory that followed changes is the one that is built of what they led to. */

enum { STEPS = 12 };

static bool same_locals(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < a->local_count; i++)
		if (a->locals[i].inbound != b->locals[i].inbound ||
		    a->locals[i].dataplane != b->locals[i].dataplane ||
		    a->locals[i].port != b->locals[i].port ||
		    a->locals[i].ready != b->locals[i].ready ||
		    strcmp(a->locals[i].address, b->locals[i].address) != 0 ||
		    labels_compare(a->locals[i].tags, b->locals[i].tags) != 0)
			return false;
	return true;
}

static bool same_remotes(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < a->remote_count; i++)
		if (a->remotes[i].record != b->remotes[i].record ||
		    a->remotes[i].ingress != b->remotes[i].ingress ||
		    a->remotes[i].port != b->remotes[i].port ||
		    a->remotes[i].instances != b->remotes[i].instances ||
		    a->remotes[i].condition != b->remotes[i].condition ||
		    strcmp(a->remotes[i].zone, b->remotes[i].zone) != 0 ||
		    strcmp(a->remotes[i].address, b->remotes[i].address) != 0 ||
		    labels_compare(a->remotes[i].tags, b->remotes[i].tags) != 0)
			return false;
	return true;
}

static bool same_externals(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < a->left_out_count; i++)
		if (a->left_out[i].why != b->left_out[i].why)
			return false;
	return a->outdone == b->outdone;
}

static bool same_offers(const struct inventory *a, const struct inventory *b)
{
	struct zl_arena *arena = zl_arena_new();
	size_t a_count;
	size_t b_count;
	const struct available_service *one = inventory_offer(a, arena, &a_count);
	const struct available_service *other = inventory_offer(b, arena, &b_count);
	bool same = a_count == b_count;

	for (size_t i = 0; same && i < a_count; i++)
		same = strcmp(one[i].mesh, other[i].mesh) == 0 &&
		       labels_compare(one[i].tags, other[i].tags) == 0 &&
		       one[i].instances == other[i].instances;
	zl_arena_free(&arena);
	return same;
}

static const char *compare(const struct inventory *a, const struct inventory *b)
{
	if (!same_offers(a, b))
		return "another offer";
	if (inventory_count(a) != inventory_count(b))
		return "another number of services";
	for (size_t i = 0; i < inventory_count(a); i++) {
		const struct service *one = inventory_at(a, i);
		const struct service *other = inventory_at(b, i);

		if (strcmp(one->mesh, other->mesh) != 0 ||
		    strcmp(one->name, other->name) != 0)
			return "other services";
		if (!service_same(one, other) || !same_locals(one, other) ||
		    !same_remotes(one, other) || !same_externals(one, other))
			return "a service with other rows";
		if (strcmp(one->protocol, other->protocol) != 0)
			return "another protocol";
	}
	return NULL;
}

/* A service keeps its object exactly while nothing that offers it changes. */
static const char *shared(const struct inventory *before, const struct inventory *now)
{
	for (size_t i = 0; i < inventory_count(now); i++) {
		const struct service *at = inventory_at(now, i);
		const struct service *was = inventory_find(before, at->mesh, at->name);

		if (was != at && service_same(was, at))
			return "a service was made anew for nothing";
	}
	return NULL;
}

static const char *follow(uint64_t seed)
{
	struct dice dice = { seed };
	struct set *set = set_empty();
	struct inventory *inventory = inventory_build(set, "east");
	const char *what = NULL;

	for (unsigned step = 0; what == NULL && step < STEPS; step++) {
		struct inventory *before = inventory;
		struct set *next = change(&dice, set);

		set_drop(&set);
		set = next;
		inventory = inventory_update(before, set);
		what = shared(before, inventory);
		inventory_drop(&before);
		struct inventory *anew = inventory_build(set, "east");
		what = what != NULL ? what : compare(inventory, anew);
		inventory_drop(&anew);
	}
	inventory_drop(&inventory);
	set_drop(&set);
	return what;
}

static void an_inventory_follows_changes(void **state)
{
	(void)state;
	seeds_run(2000, follow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inventory_follows_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
