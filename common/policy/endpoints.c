#include "policy/endpoints.h"

#include <stdlib.h>
#include <string.h>

enum { WEIGHT_MAX = UINT32_MAX };

/* An ingress that offers what is asked for. */
struct gate {
	const char *zone, *address;
	uint32_t port;
	uint64_t instances;            /* behind the whole zone, once zones are counted */
	uint64_t siblings;             /* gates of its zone */
	struct labels tags;            /* that all instances have */
	enum zone_condition condition; /* of its zone */
	unsigned level;                /* priority, which may yet be closed up */
};

struct gates {
	struct gate *items;
	size_t count;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_places(const struct gate *a, const struct gate *b)
{
	int order = strcmp(a->address, b->address);

	return order != 0 ? order : compare_numbers(a->port, b->port);
}

static int by_place(const void *one, const void *other)
{
	const struct gate *a = one;
	const struct gate *b = other;
	int order = compare_places(a, b);

	if (order == 0)
		order = compare_numbers(a->condition, b->condition);
	return order != 0 ? order : strcmp(a->zone, b->zone);
}

static int by_zone(const void *one, const void *other)
{
	const struct gate *a = one;
	const struct gate *b = other;
	int order = strcmp(a->zone, b->zone);

	return order != 0 ? order : compare_places(a, b);
}

static int by_rank(const void *one, const void *other)
{
	const struct endpoint *a = one;
	const struct endpoint *b = other;
	int order = compare_numbers(a->priority, b->priority);

	if (order == 0)
		order = strcmp(a->zone, b->zone);
	if (order == 0)
		order = strcmp(a->address, b->address);
	return order != 0 ? order : compare_numbers(a->port, b->port);
}

/* The items that a and b share; in arena, or a where nothing is lost. */
static struct labels shared(struct labels a, struct labels b, struct zl_arena *arena)
{
	for (size_t i = 0; i < a.count;) {
		const char *value = labels_get(b, a.items[i].key);

		if (value != NULL && strcmp(value, a.items[i].value) == 0)
			i++;
		else
			a = labels_without(arena, a, a.items[i].key);
	}
	return a;
}

/* Collect the gates of service for tags: one for each place that zones advertise. What a
 * gate counts is what the longest of its ingresses' lists counts. */
static struct gates collect(const struct service *service, struct labels tags,
			    struct zl_arena *arena)
{
	struct gates to = {
		zl_arena_alloc(arena, service->remote_count, sizeof(*to.items)), 0
	};
	const struct remote *last = NULL;
	uint64_t sum = 0;

	for (size_t i = 0; i < service->remote_count; i++) {
		const struct remote *at = &service->remotes[i];
		struct gate *gate = to.count == 0 ? NULL : &to.items[to.count - 1];
		struct gate here = { .zone = at->zone,
				     .address = at->address,
				     .port = at->port,
				     .tags = at->tags,
				     .condition = at->condition };

		if (at->address[0] == '\0' || at->instances == 0 ||
		    !labels_match(tags, at->tags, true))
			continue;
		sum = last != NULL && last->ingress == at->ingress ? sum : 0;
		sum += at->instances;
		if (gate == NULL || by_zone(gate, &here) != 0) {
			to.items[to.count] = here;
			gate = &to.items[to.count++];
		}
		gate->instances = sum > gate->instances ? sum : gate->instances;
		gate->tags = shared(gate->tags, at->tags, arena);
		last = at;
	}
	return to;
}

/* Two zones that advertise one place have one endpoint: of the one in the better
 * condition, then of the first by name. */
static void drop_doubles(struct gates *gates)
{
	size_t kept = 0;

	if (gates->count < 2)
		return;
	qsort(gates->items, gates->count, sizeof(*gates->items), by_place);
	for (size_t i = 0; i < gates->count; i++)
		if (kept == 0 ||
		    compare_places(&gates->items[kept - 1], &gates->items[i]) != 0)
			gates->items[kept++] = gates->items[i];
	gates->count = kept;
	qsort(gates->items, gates->count, sizeof(*gates->items), by_zone);
}

static uint64_t common_multiple(uint64_t a, uint64_t b)
{
	uint64_t divisor = a;
	uint64_t rest = b;

	while (rest != 0) {
		uint64_t next = divisor % rest;
		divisor = rest;
		rest = next;
	}
	uint64_t product = a / divisor * b;
	/* Past any exact weight; what is left of the ratios is as good as it gets. */
	return product > WEIGHT_MAX ? WEIGHT_MAX : product;
}

/* Let each gate know its zone: how many gates, the largest count (D27). Returns L. */
static uint64_t count_zones(struct gates *gates)
{
	uint64_t multiple = 1;

	for (size_t i = 0, end = 0; i < gates->count; i = end) {
		uint64_t instances = 0;

		for (end = i; end < gates->count; end++) {
			const struct gate *gate = &gates->items[end];

			if (strcmp(gate->zone, gates->items[i].zone) != 0)
				break;
			if (gate->instances > instances)
				instances = gate->instances;
		}
		for (size_t j = i; j < end; j++) {
			gates->items[j].instances = instances;
			gates->items[j].siblings = end - i;
		}
		multiple = common_multiple(multiple, end - i);
	}
	return multiple;
}

static size_t put_locals(struct endpoint *to, const struct service *service,
			 struct labels tags, const char *zone)
{
	size_t count = 0;

	for (size_t i = 0; i < service->local_count; i++) {
		const struct local *at = &service->locals[i];
		const struct endpoint *last = count == 0 ? NULL : &to[count - 1];

		if (!at->ready || !labels_match(tags, at->tags, true))
			continue;
		/* One place is one endpoint, also while its Dataplane is renamed. */
		if (last != NULL && last->port == at->port &&
		    strcmp(last->address, at->address) == 0)
			continue;
		to[count++] = (struct endpoint){ .zone = zone,
						 .address = at->address,
						 .port = at->port,
						 .via = VIA_DIRECT,
						 .tags = at->tags };
	}
	return count;
}

static size_t put_gates(struct endpoint *to, const struct gates *gates, uint64_t multiple)
{
	for (size_t i = 0; i < gates->count; i++) {
		const struct gate *gate = &gates->items[i];
		unsigned __int128 weight =
			(unsigned __int128)multiple * gate->instances / gate->siblings;

		to[i] = (struct endpoint){ .zone = gate->zone,
					   .address = gate->address,
					   .port = gate->port,
					   .weight = weight > UINT64_MAX
							     ? UINT64_MAX
							     : (uint64_t)weight,
					   .priority = gate->level,
					   .via = VIA_INGRESS,
					   .tags = gate->tags };
	}
	return gates->count;
}

/* Give each gate its level, and take out those that have none: behind what is silent
 * nothing stands, and without mTLS the own zone comes first whatever is said (D17). */
static void set_levels(struct gates *gates, const char *own, const struct mesh_spec *mesh,
		       const struct balance *balance, struct endpoints *to)
{
	bool plain = mesh->mtls_backend[0] == '\0';
	size_t kept = 0;

	for (size_t i = 0; i < gates->count; i++) {
		struct gate *gate = &gates->items[i];

		gate->level = balance_level(balance, own, gate->zone,
					    plain || mesh->locality_aware);
		if (gate->level == LEVEL_OUT) {
			to->barred = true;
			continue;
		}
		if (gate->level == 0 && plain)
			gate->level = 1;
		if (gate->condition != ZONE_ONLINE)
			gate->level = LEVEL_LAST;
		gates->items[kept++] = *gate;
	}
	gates->count = kept;
}

/* Take out the gates of Offline zones where something else remains. Tells of all zones
 * that are not Online. */
static void withdraw(struct gates *gates, bool others, struct endpoints *to,
		     struct zl_arena *arena)
{
	struct demotion *list = zl_arena_alloc(arena, gates->count, sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; i < gates->count; i++)
		others = others || gates->items[i].condition != ZONE_OFFLINE;
	for (size_t i = 0; i < gates->count; i++) {
		const struct gate *gate = &gates->items[i];
		bool out = others && gate->condition == ZONE_OFFLINE;
		const struct demotion *last =
			to->demotion_count == 0 ? NULL : &list[to->demotion_count - 1];

		if (gate->condition != ZONE_ONLINE &&
		    (last == NULL || strcmp(last->zone, gate->zone) != 0))
			list[to->demotion_count++] =
				(struct demotion){ gate->zone, gate->condition, out };
		if (!out)
			gates->items[kept++] = *gate;
	}
	gates->count = kept;
	to->demotions = list;
}

/* Envoy takes no more than 2^32-1 for the weights of one priority: shrink what is more,
 * keeping ratios as well as whole numbers can. items are of one priority. */
static void fit_weights(struct endpoint *items, size_t count)
{
	unsigned __int128 sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += items[i].weight;
	if (sum <= WEIGHT_MAX)
		return;
	for (size_t i = 0; i < count; i++) {
		unsigned __int128 room = WEIGHT_MAX - count;

		items[i].weight = 1 + (uint64_t)(items[i].weight * room / sum);
	}
}

/* Own ones, and gates, are in order by themselves. */
static bool is_sorted(const struct endpoint *items, size_t locals, size_t count)
{
	if (locals > 0 && locals < count && items[locals].priority == 0)
		return false;
	for (size_t i = locals + 1; i < count; i++)
		if (items[i].priority < items[i - 1].priority)
			return false;
	return true;
}

/* Priorities have no holes. */
static void close_up(struct endpoint *items, size_t count)
{
	unsigned priority = 0;

	for (size_t i = 0, end = 0; i < count; i = end, priority++) {
		for (end = i + 1; end < count; end++)
			if (items[end].priority != items[i].priority)
				break;
		fit_weights(items + i, end - i);
		for (size_t j = i; j < end; j++)
			items[j].priority = priority;
	}
}

/* Beside groups each other zone is one too, and weighs what its endpoints do. */
static void weigh_zones(struct endpoint *items, size_t count)
{
	for (size_t i = 0, end = 0; i < count; i = end) {
		uint64_t sum = 0;

		for (end = i; end < count; end++) {
			if (items[end].priority != items[i].priority ||
			    strcmp(items[end].zone, items[i].zone) != 0)
				break;
			sum += items[end].weight;
		}
		for (size_t j = i; j < end; j++)
			if (items[j].group_weight == 0)
				items[j].group_weight = sum;
	}
}

struct endpoints endpoints_of(const struct service *service, struct labels tags,
			      const char *zone, const struct mesh_spec *mesh,
			      const struct balance *balance, struct zl_arena *arena)
{
	struct endpoints to = { 0 };

	if (service == NULL)
		return to;

	struct gates gates = collect(service, tags, arena);
	drop_doubles(&gates);
	set_levels(&gates, zone, mesh, balance, &to);
	struct endpoint *items =
		zl_arena_alloc(arena, service->local_count + gates.count, sizeof(*items));
	size_t locals = put_locals(items, service, tags, zone);
	withdraw(&gates, locals > 0, &to, arena);
	uint64_t multiple = count_zones(&gates);
	for (size_t i = 0; i < locals; i++)
		items[i].weight = multiple;
	if (balance_has_groups(balance))
		for (size_t i = 0; i < locals; i++)
			balance_group(balance, &items[i], arena);
	to.count = locals + put_gates(items + locals, &gates, multiple);
	if (!is_sorted(items, locals, to.count))
		qsort(items, to.count, sizeof(*items), by_rank);
	close_up(items, to.count);
	if (balance_has_groups(balance))
		weigh_zones(items, to.count);

	to.items = items;
	to.remote_zone = gates.count > 0 ? gates.items[0].zone : NULL;
	return to;
}
