#include "support/test.h"
#include "support/world.h"

#include "inventory/inventory.h"

#include <string.h>

/* An inventory that followed changes is the one that is built of what they led to. */

enum { STEPS = 12 };

static void add_dataplane(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const LABELS[] = {
		"", ", labels: {kuma.io/origin: zone, kuma.io/zone: east}",
		", labels: {kuma.io/origin: zone, kuma.io/zone: west}"
	};
	static const char *const STATES[] = { "Ready", "Ready", "NotReady", "Ignored" };
	size_t inbounds = dice_below(dice, 4);

	zl_buf_format(yaml,
		      "---\n{type: Dataplane, mesh: %s, name: d%u%s, networking: "
		      "{address: 1.1.1.%u, inbound: [",
		      dice_chance(dice, 80) ? "default" : "m2",
		      (unsigned)dice_below(dice, 8), LABELS[dice_below(dice, 3)],
		      (unsigned)dice_below(dice, 3));
	for (size_t i = 0; i < inbounds; i++)
		zl_buf_format(yaml,
			      "%s{port: %u, state: %s, tags: {kuma.io/service: s%u, "
			      "kuma.io/protocol: %s%s}}",
			      i == 0 ? "" : ", ", (unsigned)(i + 1),
			      STATES[dice_below(dice, 4)], (unsigned)dice_below(dice, 4),
			      dice_chance(dice, 50) ? "http" : "tcp",
			      dice_chance(dice, 30) ? ", kuma.io/zone: mars, v: a" : "");
	zl_buf_str(yaml, "]}}\n");
}

static void add_ingress(struct dice *dice, struct zl_buf *yaml)
{
	static const char *const ZONES[] = { "west", "south", "east" };
	size_t records = dice_below(dice, 5);

	zl_buf_format(yaml,
		      "---\n{type: ZoneIngress, name: i%u, zone: %s, networking: "
		      "{address: 9.9.9.9, port: 1%s}, availableServices: [",
		      (unsigned)dice_below(dice, 4), ZONES[dice_below(dice, 3)],
		      dice_chance(dice, 80)
			      ? ", advertisedAddress: 2.2.2.2, advertisedPort: 3"
			      : "");
	for (size_t i = 0; i < records; i++)
		zl_buf_format(yaml,
			      "%s{mesh: default, instances: %u, tags: {kuma.io/service: "
			      "s%u, v: '%u'}}",
			      i == 0 ? "" : ", ", (unsigned)dice_below(dice, 3),
			      (unsigned)dice_below(dice, 6),
			      (unsigned)dice_below(dice, 2));
	zl_buf_str(yaml, "]}\n");
}

static void remove_one(struct dice *dice, const struct set *set, struct set_edit *edit)
{
	static const enum kind KINDS[] = { KIND_DATAPLANE, KIND_DATAPLANE,
					   KIND_ZONE_INGRESS, KIND_ZONE };
	enum kind kind = KINDS[dice_below(dice, ARRAY_LEN(KINDS))];
	struct set_iter each = set_each(set, kind, NULL);
	const struct resource *res = NULL;

	if (set_count(set, kind) == 0)
		return;
	for (uint64_t skip = dice_below(dice, set_count(set, kind)) + 1; skip > 0; skip--)
		res = set_next(&each);
	if (res != NULL)
		(void)set_del(edit, &res->key);
}

static const char *const CONDITIONS[] = { "Online", "Stale", "Offline" };

static struct set *change(struct dice *dice, const struct set *set)
{
	struct zl_arena *arena = zl_arena_new();
	struct set_edit *edit = set_edit(set);
	struct zl_buf yaml = { 0 };

	for (uint64_t i = 1 + dice_below(dice, 3); i > 0; i--) {
		uint64_t what = dice_below(dice, 10);

		if (what < 5)
			add_dataplane(dice, &yaml);
		else if (what < 7)
			add_ingress(dice, &yaml);
		else if (what < 8)
			zl_buf_format(&yaml,
				      "---\n{type: Zone, name: %s, enabled: %s, status: "
				      "{condition: %s}}\n",
				      dice_chance(dice, 50) ? "west" : "south",
				      dice_chance(dice, 60) ? "true" : "false",
				      CONDITIONS[dice_below(dice, 3)]);
		else
			remove_one(dice, set, edit);
	}
	if (yaml.len > 0)
		world_read(arena, edit, zl_buf_text(&yaml), NULL);
	zl_buf_free(&yaml);
	zl_arena_free(&arena);
	return set_done(&edit);
}

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
		    !same_remotes(one, other))
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
