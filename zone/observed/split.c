#include "zone/observed/split.h"

#include <stdlib.h>
#include <string.h>

/* "backend", "ns/backend", "backend{version=v1,zone=west}" */
static const char *name_of(struct zl_arena *arena, const struct backend *backend)
{
	struct zl_buf text = { 0 };

	if (backend->ns[0] != '\0')
		zl_buf_format(&text, "%s/", backend->ns);
	zl_buf_str(&text, backend->name);
	for (size_t i = 0; i < backend->tags.count; i++)
		zl_buf_format(&text, "%s%s=%s", i == 0 ? "{" : ",",
			      backend->tags.items[i].key, backend->tags.items[i].value);
	if (backend->tags.count > 0)
		zl_buf_char(&text, '}');
	const char *name = zl_arena_strdup(arena, zl_buf_text(&text));
	zl_buf_free(&text);
	return name;
}

static void fill_parts(struct splits *to, struct split *split, enum unresolved mode,
		       const struct backend *backends, size_t count)
{
	struct zl_arena *scratch = zl_arena_new();
	const struct part *parts =
		split_of(mode, backends, count, scratch, &split->part_count);

	split->parts =
		zl_arena_alloc(to->arena, split->part_count, sizeof(*split->parts));
	for (size_t i = 0; i < split->part_count; i++) {
		const struct backend *backend = parts[i].backend;
		struct part_of *part = &split->parts[i];
		part->split = split;
		part->weight = parts[i].weight;
		part->backend = part->cluster = part->other = "";
		part->why = OBSERVED_BLACKHOLE;
		if (backend == NULL)
			continue;
		part->backend = name_of(to->arena, backend);
		part->cluster = zl_arena_strdup(to->arena, backend->cluster);
		part->why = backend->endpoint_count > 0 ? OBSERVED_YES
							: OBSERVED_NO_ENDPOINTS;
		to->cluster_count++;
	}
	zl_arena_free(&scratch);
}

static const char *route_of(struct splits *to, enum route_owner owner,
			    const struct contributor *policies, size_t count)
{
	if (owner != OWNER_TCP_ROUTE || count == 0)
		return "";
	return zl_arena_strdup(to->arena, policies[count - 1].policy->key.name);
}

static void add_outbound(struct splits *to, const struct outbound_route *outbound)
{
	const char *place = zl_arena_format(
		to->arena, strchr(outbound->address, ':') != NULL ? "[%s]:%u" : "%s:%u",
		outbound->address, outbound->port);
	const char *destination = zl_arena_strdup(to->arena, outbound->destination.name);
	const char *route =
		route_of(to, outbound->owner, outbound->policies, outbound->policy_count);
	size_t rules = outbound->http ? outbound->rule_count : 0;

	for (size_t i = 0; i < (rules > 0 ? rules : 1); i++) {
		const struct request_route *rule = rules > 0 ? &outbound->rules[i] : NULL;
		if (rule != NULL && i > 0 && rule[-1].backends == rule->backends)
			continue; /* one more match of the same rule */
		struct split *split = &to->list[to->count++];
		split->outbound = place;
		split->rule = rule != NULL ? (unsigned)i + 1 : 0;
		split->destination = destination;
		split->route = route;
		fill_parts(to, split, outbound->unresolved,
			   rule != NULL ? rule->backends : outbound->backends,
			   rule != NULL ? rule->backend_count : outbound->backend_count);
	}
}

static void add_listener(struct splits *to, const struct listener_route *route)
{
	struct split *split = &to->list[to->count++];

	split->outbound = zl_arena_format(to->arena, ":%u", route->listener->port);
	split->destination = zl_arena_strdup(to->arena, route->gateway->key.name);
	if (strcmp(route->listener->hostname, "*") != 0)
		split->outbound =
			zl_arena_format(to->arena, ":%u %s", route->listener->port,
					route->listener->hostname);
	split->route = route_of(to, route->owner, route->policies, route->policy_count);
	fill_parts(to, split, route->unresolved, route->backends, route->backend_count);
}

static int by_cluster(const void *a, const void *b)
{
	const struct part_of *const *one = a;
	const struct part_of *const *other = b;

	return strcmp((*one)->cluster, (*other)->cluster);
}

static const char *place_of(struct splits *splits, const struct split *split)
{
	return split->rule == 0 ? split->outbound
				: zl_arena_format(splits->arena, "%s rule %u",
						  split->outbound, split->rule);
}

/* Find clusters by name, and those that several splits lead to. */
static void sort_clusters(struct splits *splits)
{
	size_t count = 0;

	splits->by_cluster = zl_arena_alloc(splits->arena, splits->cluster_count,
					    sizeof(*splits->by_cluster));
	for (size_t i = 0; i < splits->count; i++)
		for (size_t j = 0; j < splits->list[i].part_count; j++)
			if (splits->list[i].parts[j].cluster[0] != '\0')
				splits->by_cluster[count++] = &splits->list[i].parts[j];
	qsort(splits->by_cluster, count, sizeof(*splits->by_cluster), by_cluster);
	for (size_t i = 0; i < count; i++) {
		struct part_of *part = splits->by_cluster[i];
		size_t other = count;
		if (i > 0 && by_cluster(&part, &splits->by_cluster[i - 1]) == 0)
			other = i - 1;
		else if (i + 1 < count &&
			 by_cluster(&part, &splits->by_cluster[i + 1]) == 0)
			other = i + 1;
		if (other == count)
			continue;
		part->why = OBSERVED_SHARED;
		part->other = place_of(splits, splits->by_cluster[other]->split);
	}
}

struct splits *splits_of(const struct routes *routes)
{
	struct splits *splits = zl_alloc(1, sizeof(*splits));
	size_t most = routes->listener_count;

	splits->arena = zl_arena_new();
	splits->mesh = zl_arena_strdup(splits->arena, routes->proxy->key.mesh);
	for (size_t i = 0; i < routes->outbound_count; i++)
		most += routes->outbounds[i].http && routes->outbounds[i].rule_count > 0
				? routes->outbounds[i].rule_count
				: 1;
	splits->list = zl_arena_alloc(splits->arena, most, sizeof(*splits->list));
	for (size_t i = 0; i < routes->outbound_count; i++)
		add_outbound(splits, &routes->outbounds[i]);
	for (size_t i = 0; i < routes->listener_count; i++)
		add_listener(splits, &routes->listeners[i]);
	sort_clusters(splits);
	return splits;
}

void splits_free(struct splits **splitsp)
{
	struct splits *splits = *splitsp;

	*splitsp = NULL;
	if (splits == NULL)
		return;
	for (size_t i = 0; i < splits->count; i++)
		for (size_t j = 0; j < splits->list[i].part_count; j++)
			part_fini(&splits->list[i].parts[j]);
	zl_arena_free(&splits->arena);
	free(splits);
}

static bool is_at(const struct split *one, const struct split *other)
{
	return one->rule == other->rule && strcmp(one->outbound, other->outbound) == 0;
}

bool split_is_same(const struct split *one, const struct split *other)
{
	if (!is_at(one, other) || one->part_count != other->part_count ||
	    strcmp(one->destination, other->destination) != 0 ||
	    strcmp(one->route, other->route) != 0)
		return false;
	for (size_t i = 0; i < one->part_count; i++) {
		const struct part_of *a = &one->parts[i];
		const struct part_of *b = &other->parts[i];
		if (a->weight != b->weight || a->why != b->why ||
		    strcmp(a->cluster, b->cluster) != 0 ||
		    strcmp(a->backend, b->backend) != 0 ||
		    strcmp(a->other, b->other) != 0)
			return false;
	}
	return true;
}

bool splits_are_same(const struct splits *one, const struct splits *other)
{
	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++)
		if (!split_is_same(&one->list[i], &other->list[i]))
			return false;
	return true;
}

/* Most stand where they stood. */
struct split *splits_find(const struct splits *splits, const struct split *split,
			  size_t hint)
{
	if (hint < splits->count && is_at(&splits->list[hint], split))
		return &splits->list[hint];
	for (size_t i = 0; i < splits->count; i++)
		if (is_at(&splits->list[i], split))
			return &splits->list[i];
	return NULL;
}

size_t splits_first(const struct splits *splits, const char *cluster)
{
	size_t low = 0;
	size_t high = splits->cluster_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(splits->by_cluster[mid]->cluster, cluster) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < splits->cluster_count &&
	    strcmp(splits->by_cluster[low]->cluster, cluster) == 0)
		return low;
	return splits->cluster_count;
}
