/* How the proxies of the zone really share their connections. */
#include "zone/observed/observed.h"
#include "base/clock.h"
#include "model/tree.h"
#include "zone/api/inside.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void write_sums(struct http_request *req, const struct api *api, const char *mesh)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *list = tree_list(arena);
	struct tree *answer = tree_map(arena);
	struct zl_buf body = { 0 };
	size_t count;
	const struct observed_sum *sums = observed_sums(
		proxies_observed(api->setup.proxies), mesh, zl_now_ms(), arena, &count);

	for (size_t i = 0; i < count; i++)
		tree_push(arena, list, observed_sum_tree(arena, &sums[i]));
	tree_set(arena, answer, "zone", tree_text(arena, api->setup.zone));
	tree_set(arena, answer, "splits", list);
	tree_json_pretty(answer, &body);
	zl_buf_char(&body, '\n');
	http_json(req, 200, zl_buf_text(&body));
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

void observed_handle(struct http_request *req, void *arg)
{
	write_sums(req, arg, http_param(req, "mesh"));
}

/* How far the share of some backend is from what was asked. */
static double deviation(const struct observed_split *split)
{
	double most = 0;

	for (size_t i = 0; i < split->backend_count; i++) {
		const struct observed_backend *backend = &split->backends[i];
		double off = fabs(backend->share - backend->expected);
		if (backend->why == OBSERVED_YES && off > most)
			most = off;
	}
	return most;
}

/* Of several splits of one destination, that which is furthest off. */
static void deviations(const struct observed_sum *sums, size_t count, struct zl_buf *out)
{
	for (size_t i = 0; i < count;) {
		const struct observed_split *first = &sums[i].split;
		bool any = false;
		double most = 0;
		for (; i < count && strcmp(sums[i].split.mesh, first->mesh) == 0 &&
		       strcmp(sums[i].split.destination, first->destination) == 0;
		     i++) {
			if (sums[i].split.total < OBSERVED_ENOUGH)
				continue;
			any = true;
			most = fmax(most, deviation(&sums[i].split));
		}
		if (any)
			zl_buf_format(out,
				      "zonelink_split_deviation{mesh=\"%s\","
				      "destination=\"%s\"} %.4f\n",
				      first->mesh, first->destination, most);
	}
}

void observed_metrics(const struct api *api, struct zl_buf *out)
{
	const struct observed *observed = proxies_observed(api->setup.proxies);
	struct zl_arena *arena = zl_arena_new();
	size_t count;

	const struct observed_total *totals = observed_totals(observed, arena, &count);
	metrics_head(out, "zonelink_observed_connections_total", "counter",
		     "Connections that proxies of the zone established (requests, of "
		     "HTTP), by where they were to go and where they went.");
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out,
			      "zonelink_observed_connections_total{mesh=\"%s\","
			      "destination=\"%s\",backend=\"%s\"} %" PRIu64 "\n",
			      totals[i].mesh, totals[i].destination, totals[i].backend,
			      totals[i].connections);
	const struct observed_sum *sums =
		observed_sums(observed, NULL, zl_now_ms(), arena, &count);
	metrics_head(out, "zonelink_split_deviation", "gauge",
		     "How far the share of a backend is from what was asked, of at least "
		     "100 connections.");
	deviations(sums, count, out);
	zl_arena_free(&arena);
}
