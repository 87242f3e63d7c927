/* What the zone knows from access logs of its proxies: who was denied, and what became of
 * the lines. */
#include "base/clock.h"
#include "model/tree.h"
#include "zone/api/inside.h"
#include "zone/logs/denials.h"
#include "zone/logs/logs.h"

#include <inttypes.h>
#include <string.h>

static void set_text(struct zl_arena *arena, struct tree *to, const char *key,
		     const char *text)
{
	tree_set(arena, to, key, tree_text(arena, text));
}

static struct tree *denial_tree(struct zl_arena *arena, const struct denial *denial)
{
	struct tree *one = tree_map(arena);
	char time[ZL_TIME_TEXT];

	zl_time_text(denial->time_us, time);
	set_text(arena, one, "time", time);
	set_text(arena, one, "mode", denial_mode_name(denial->mode));
	set_text(arena, one, "client", denial->client);
	set_text(arena, one, "service", denial->service);
	set_text(arena, one, "dataplane", denial->proxy);
	set_text(arena, one, "inbound", denial->inbound);
	set_text(arena, one, "reason", denial->why);
	return one;
}

static struct tree *counts_tree(struct zl_arena *arena, const struct denials *denials,
				const char *mesh)
{
	struct tree *list = tree_list(arena);
	size_t count;
	const struct denial_count *counts = denials_counts(denials, arena, &count);

	for (size_t i = 0; i < count; i++) {
		struct tree *one = tree_map(arena);
		if (strcmp(counts[i].mesh, mesh) != 0)
			continue;
		set_text(arena, one, "service", counts[i].service);
		set_text(arena, one, "mode", denial_mode_name(counts[i].mode));
		tree_set(arena, one, "count", tree_int(arena, (int64_t)counts[i].count));
		tree_push(arena, list, one);
	}
	return list;
}

void denials_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	const struct denials *denials = proxies_denials(api->setup.proxies);
	const char *mesh = http_param(req, "mesh");
	struct zl_arena *arena = zl_arena_new();
	struct tree *answer = tree_map(arena);
	struct tree *list = tree_list(arena);
	struct zl_buf body = { 0 };
	const struct denial *denial;

	for (size_t i = 0; (denial = denials_get(denials, i)) != NULL; i++)
		if (strcmp(denial->mesh, mesh) == 0)
			tree_push(arena, list, denial_tree(arena, denial));
	set_text(arena, answer, "zone", api->setup.zone);
	tree_set(arena, answer, "counts", counts_tree(arena, denials, mesh));
	tree_set(arena, answer, "denials", list);
	tree_json_pretty(answer, &body);
	zl_buf_char(&body, '\n');
	http_json(req, 200, zl_buf_text(&body));
	zl_buf_free(&body);
	zl_arena_free(&arena);
}

struct tree *muted_tree(const struct api *api, const char *id, struct zl_arena *arena)
{
	struct tree *list = tree_list(arena);
	size_t count;
	const struct proxies_mute *mutes =
		proxies_mutes(api->setup.proxies, id, arena, &count);

	for (size_t i = 0; i < count && i < MUTED_SHOWN; i++) {
		struct tree *one = tree_map(arena);
		if (id == NULL)
			set_text(arena, one, "proxy", mutes[i].proxy);
		set_text(arena, one, "type", envoy_type_url(mutes[i].type));
		set_text(arena, one, "resource", mutes[i].resource);
		set_text(arena, one, "file", mutes[i].path);
		set_text(arena, one, "policy", mutes[i].policy);
		set_text(arena, one, "error", mutes[i].error);
		tree_push(arena, list, one);
	}
	return list;
}

/* ---- metrics ---- */

static void denial_metrics(const struct api *api, struct zl_arena *arena,
			   struct zl_buf *out)
{
	size_t count;
	const struct denial_count *counts =
		denials_counts(proxies_denials(api->setup.proxies), arena, &count);

	metrics_head(out, "zonelink_permission_denied_total", "counter",
		     "Connections to inbounds that permissions denied (enforced), or "
		     "would have (shadow).");
	for (size_t i = 0; i < count; i++)
		zl_buf_format(
			out,
			"zonelink_permission_denied_total{mesh=\"%s\",service=\"%s\","
			"mode=\"%s\"} %" PRIu64 "\n",
			counts[i].mesh, counts[i].service,
			denial_mode_name(counts[i].mode), counts[i].count);
}

static void target_metrics(const struct logs_view *views, size_t count,
			   struct zl_buf *out)
{
	metrics_head(out, "zonelink_access_log_delivered_total", "counter",
		     "Lines of access logs that receivers have.");
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out,
			      "zonelink_access_log_delivered_total{target=\"%s\"} "
			      "%" PRIu64 "\n",
			      views[i].target, views[i].delivered);
	metrics_head(out, "zonelink_access_log_dropped_total", "counter",
		     "Lines of access logs for which there was no room.");
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out,
			      "zonelink_access_log_dropped_total{target=\"%s\"} %" PRIu64
			      "\n",
			      views[i].target, views[i].dropped);
	metrics_head(out, "zonelink_access_log_queued_bytes", "gauge",
		     "Lines of access logs that wait for their receiver.");
	for (size_t i = 0; i < count; i++)
		zl_buf_format(out,
			      "zonelink_access_log_queued_bytes{target=\"%s\"} %zu\n",
			      views[i].target, views[i].queued);
}

void logging_metrics(const struct api *api, struct zl_buf *out)
{
	const struct proxies *proxies = api->setup.proxies;
	struct zl_arena *arena = zl_arena_new();
	size_t count;
	const struct logs_view *views = logs_views(proxies_logs(proxies), arena, &count);

	denial_metrics(api, arena, out);
	target_metrics(views, count, out);
	metrics_number(out, "zonelink_access_log_refused_total", "counter",
		       "Lines of access logs to addresses that no policy names for the "
		       "proxy.",
		       proxies_counts(proxies).refused_logs);
	(void)proxies_mutes(proxies, NULL, arena, &count);
	metrics_number(out, "zonelink_access_log_muted", "gauge",
		       "Resources that proxies have without files which they cannot "
		       "open.",
		       count);
	zl_arena_free(&arena);
}
