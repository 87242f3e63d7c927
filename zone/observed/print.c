/* What was observed, as JSON and for people. */
#include "base/clock.h"
#include "model/tree.h"
#include "zone/observed/observed.h"

#include <math.h>
#include <string.h>

static void set_number(struct zl_arena *arena, struct tree *map, const char *key,
		       uint64_t value)
{
	tree_set(arena, map, key, tree_int(arena, (int64_t)value));
}

/* Four digits are more than chance leaves of any share. */
static struct tree *share(struct zl_arena *arena, double value)
{
	struct tree *tree = zl_arena_alloc(arena, 1, sizeof(*tree));

	tree->type = TREE_REAL;
	tree->real = round(value * 10000) / 10000;
	tree->text = zl_arena_format(arena, "%.4g", tree->real);
	return tree;
}

static const char *reason_of(struct zl_arena *arena,
			     const struct observed_backend *backend)
{
	switch (backend->why) {
	case OBSERVED_BLACKHOLE:
		return "blackhole";
	case OBSERVED_NO_ENDPOINTS:
		return "no endpoints";
	case OBSERVED_SHARED:
		return zl_arena_format(arena, "shared with outbound %s", backend->other);
	case OBSERVED_YES:
		break;
	}
	return "";
}

static struct tree *endpoints_tree(struct zl_arena *arena,
				   const struct observed_backend *backend)
{
	struct tree *list = tree_list(arena);

	for (size_t i = 0; i < backend->endpoint_count; i++) {
		const struct observed_endpoint *from = &backend->endpoints[i];
		struct tree *to = tree_map(arena);
		tree_set(arena, to, "address", tree_text(arena, from->address));
		set_number(arena, to, "port", from->port);
		set_number(arena, to, "connections", from->connections);
		set_number(arena, to, "open", from->open);
		tree_push(arena, list, to);
	}
	return list;
}

static void put_counts(struct zl_arena *arena, struct tree *to,
		       const struct observed_backend *backend, bool some)
{
	set_number(arena, to, "connections", backend->connections);
	set_number(arena, to, "open", backend->open);
	if (backend->why != OBSERVED_YES)
		return;
	struct tree *interval = tree_list(arena);
	tree_push(arena, interval, share(arena, backend->low));
	tree_push(arena, interval, share(arena, backend->high));
	if (some)
		tree_set(arena, to, "share", share(arena, backend->share));
	tree_set(arena, to, "expected", share(arena, backend->expected));
	tree_set(arena, to, "interval", interval);
	tree_set(arena, to, "ok", tree_bool(arena, backend->ok));
}

static struct tree *backend_tree(struct zl_arena *arena,
				 const struct observed_split *split,
				 const struct observed_backend *backend, bool endpoints,
				 uint64_t since_us)
{
	struct tree *to = tree_map(arena);
	char since[ZL_TIME_TEXT];

	if (backend->why == OBSERVED_YES || backend->why == OBSERVED_SHARED)
		put_counts(arena, to, backend, split->total > 0);
	if (backend->why != OBSERVED_YES) {
		tree_set(arena, to, "observable", tree_bool(arena, false));
		tree_set(arena, to, "reason",
			 tree_text(arena, reason_of(arena, backend)));
	}
	if (split->since_ms != 0) {
		zl_time_text(since_us, since);
		tree_set(arena, to, "since", tree_text(arena, since));
	}
	if (split->pending)
		tree_set(arena, to, "pending", tree_bool(arena, true));
	if (endpoints && backend->cluster[0] != '\0')
		tree_set(arena, to, "endpoints", endpoints_tree(arena, backend));
	return to;
}

struct putting {
	struct zl_arena *arena;
	const struct observed_split *splits;
	size_t count;
	bool endpoints;
	uint64_t now_ms, wall_us;
};

static const char *text_of(const struct tree *map, const char *key)
{
	const struct tree *value = tree_get(map, key);

	return value != NULL && value->type == TREE_TEXT ? value->text : "";
}

/* What was observed of one backend of the answer; NULL: nothing is to be. */
static struct tree *find(const struct putting *put, const char *outbound,
			 const struct tree *backend)
{
	const char *cluster = text_of(backend, "cluster");
	const struct tree *weight = tree_get(backend, "weight");

	if (weight != NULL && weight->type == TREE_INT && weight->integer == 0)
		return NULL;
	for (size_t i = 0; i < put->count; i++) {
		const struct observed_split *split = &put->splits[i];
		if (strcmp(split->outbound, outbound) != 0)
			continue;
		for (size_t j = 0; j < split->backend_count; j++)
			if (strcmp(split->backends[j].cluster, cluster) == 0)
				return backend_tree(
					put->arena, split, &split->backends[j],
					put->endpoints,
					put->wall_us -
						(put->now_ms - split->since_ms) * 1000);
	}
	return NULL;
}

static void put_backends(const struct putting *put, const char *outbound,
			 const struct tree *of)
{
	const struct tree *backends = tree_get(of, "backends");

	for (size_t i = 0; backends != NULL && i < backends->count; i++) {
		struct tree *seen = find(put, outbound, backends->items[i]);
		if (seen != NULL)
			tree_set(put->arena, backends->items[i], "observed", seen);
	}
}

static const char *place_of(struct zl_arena *arena, const struct tree *route)
{
	const struct tree *port = tree_get(route, "port");
	const char *address = text_of(route, "address");
	const char *hostname = text_of(route, "hostname");
	int number = port != NULL ? (int)port->integer : 0;

	if (address[0] != '\0')
		return zl_arena_format(arena,
				       strchr(address, ':') != NULL ? "[%s]:%d" : "%s:%d",
				       address, number);
	if (hostname[0] == '\0' || strcmp(hostname, "*") == 0)
		return zl_arena_format(arena, ":%d", number);
	return zl_arena_format(arena, ":%d %s", number, hostname);
}

static void put_routes(const struct putting *put, const struct tree *list)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		const struct tree *route = list->items[i];
		const char *place = place_of(put->arena, route);
		const struct tree *rules = tree_get(route, "rules");
		put_backends(put, place, route);
		for (size_t j = 0; rules != NULL && j < rules->count; j++)
			put_backends(put, place, rules->items[j]);
	}
}

void observed_put(struct zl_arena *arena, struct tree *answer,
		  const struct observed_split *splits, size_t count, bool endpoints,
		  uint64_t now_ms, uint64_t wall_us)
{
	const struct putting put = { arena, splits, count, endpoints, now_ms, wall_us };
	const struct tree *proxies = tree_get(answer, "proxies");
	struct tree *warnings = NULL;

	for (size_t i = 0; i < answer->count; i++)
		if (strcmp(answer->members[i].key, "warnings") == 0)
			warnings = answer->members[i].value;
	for (size_t i = 0; proxies != NULL && i < proxies->count; i++) {
		put_routes(&put, tree_get(proxies->items[i], "outbounds"));
		put_routes(&put, tree_get(proxies->items[i], "listeners"));
	}
	for (size_t i = 0; warnings != NULL && i < count; i++)
		if (splits[i].warning[0] != '\0')
			tree_push(
				arena, warnings,
				tree_text(arena, zl_arena_format(arena, "outbound %s, %s",
								 splits[i].outbound,
								 splits[i].warning)));
}

static void text_backend(const struct observed_split *split,
			 const struct observed_backend *backend, bool endpoints,
			 struct zl_arena *arena, struct zl_buf *out)
{
	const char *name = backend->backend[0] != '\0' ? backend->backend : "(blackhole)";

	zl_buf_format(out, "    %s, weight %llu: ", name,
		      (unsigned long long)backend->weight);
	if (backend->why == OBSERVED_YES && split->total > 0)
		zl_buf_format(out,
			      "%llu connections (%.1f %%, configured %.1f %%, by chance "
			      "%.1f to %.1f %%), %llu open%s\n",
			      (unsigned long long)backend->connections,
			      100 * backend->share, 100 * backend->expected,
			      100 * backend->low, 100 * backend->high,
			      (unsigned long long)backend->open,
			      backend->ok ? "" : "  <- not by chance");
	else if (backend->why == OBSERVED_YES)
		zl_buf_format(out, "no connections (configured %.1f %%), %llu open\n",
			      100 * backend->expected, (unsigned long long)backend->open);
	else if (backend->why == OBSERVED_SHARED)
		zl_buf_format(out, "%llu connections, %llu open, %s\n",
			      (unsigned long long)backend->connections,
			      (unsigned long long)backend->open,
			      reason_of(arena, backend));
	else
		zl_buf_format(out, "not observable: %s\n", reason_of(arena, backend));
	for (size_t i = 0; endpoints && i < backend->endpoint_count; i++)
		zl_buf_format(out, "      %s:%u: %llu connections, %llu open\n",
			      backend->endpoints[i].address, backend->endpoints[i].port,
			      (unsigned long long)backend->endpoints[i].connections,
			      (unsigned long long)backend->endpoints[i].open);
}

void observed_text(const struct observed_split *splits, size_t count, bool endpoints,
		   uint64_t now_ms, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();

	zl_buf_str(out, count > 0 ? "\nObserved:\n"
				  : "\nObserved: nothing; its Envoy has not reported, or "
				    "has acknowledged nothing.\n");
	for (size_t i = 0; i < count; i++) {
		const struct observed_split *split = &splits[i];
		zl_buf_format(out, "  %s", split->outbound);
		if (split->rule != 0)
			zl_buf_format(out, " rule %u", split->rule);
		zl_buf_format(out, " to \"%s\"", split->destination);
		if (split->since_ms != 0)
			zl_buf_format(out, ", the last %llu s",
				      (unsigned long long)(now_ms - split->since_ms) /
					      1000);
		zl_buf_str(out, split->pending ? ", before the change that its Envoy has "
						 "not acknowledged:\n"
					       : ":\n");
		for (size_t j = 0; j < split->backend_count; j++)
			text_backend(split, &split->backends[j], endpoints, arena, out);
		if (split->warning[0] != '\0')
			zl_buf_format(out, "    warning: %s\n", split->warning);
	}
	zl_arena_free(&arena);
}

struct tree *observed_sum_tree(struct zl_arena *arena, const struct observed_sum *sum)
{
	const struct observed_split *split = &sum->split;
	struct tree *backends = tree_list(arena);
	struct tree *to = tree_map(arena);

	for (size_t i = 0; i < split->backend_count; i++) {
		const struct observed_backend *from = &split->backends[i];
		struct tree *backend = tree_map(arena);
		tree_set(arena, backend, "backend", tree_text(arena, from->backend));
		set_number(arena, backend, "weight", from->weight);
		put_counts(arena, backend, from, split->total > 0);
		if (from->why != OBSERVED_YES)
			tree_set(arena, backend, "reason",
				 tree_text(arena, reason_of(arena, from)));
		tree_push(arena, backends, backend);
	}
	tree_set(arena, to, "mesh", tree_text(arena, split->mesh));
	tree_set(arena, to, "destination", tree_text(arena, split->destination));
	tree_set(arena, to, "route", tree_text(arena, split->route));
	set_number(arena, to, "proxies", sum->proxies);
	set_number(arena, to, "pending", sum->pending);
	set_number(arena, to, "deviating", sum->deviating);
	set_number(arena, to, "connections", split->total);
	tree_set(arena, to, "backends", backends);
	return to;
}
