/* POST /zones/{name}/_retire: a zone that is no more. What it has at global goes with its
 * Zone and its certificates, in one commit; a dry run shows what that would be. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "global/joining/inside.h"
#include "model/resource.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 1000 };

static bool is_of_zone(const struct resource *res, const char *zone)
{
	if (res->key.kind == KIND_ZONE)
		return strcmp(res->key.name, zone) == 0;
	return kind_info(res->key.kind)->to_global && strcmp(res->key.zone, zone) == 0;
}

/* fn for all that zone has here. */
static void each_of(const struct set *set, const char *zone,
		    void (*fn)(void *arg, const struct resource *res), void *arg)
{
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(set, (enum kind)kind, NULL);
		const struct resource *res;
		while ((res = set_next(&each)) != NULL)
			if (is_of_zone(res, zone))
				fn(arg, res);
	}
}

struct showing {
	struct zl_arena *arena;
	struct tree *items, *kinds;
	size_t count;
};

static void show_one(void *arg, const struct resource *res)
{
	struct showing *to = arg;
	const char *kind = kind_info(res->key.kind)->name;
	const struct tree *so_far = tree_get(to->kinds, kind);
	struct zl_buf kri = { 0 };

	tree_set(to->arena, to->kinds, kind,
		 tree_int(to->arena, so_far != NULL ? so_far->integer + 1 : 1));
	if (++to->count > SHOWN)
		return;
	key_kri(&res->key, "", &kri);
	tree_push(to->arena, to->items, tree_text(to->arena, zl_buf_text(&kri)));
	zl_buf_free(&kri);
}

static struct tree *plan_tree(struct joining *joining, const char *zone, bool dry_run,
			      struct zl_arena *arena)
{
	struct showing to = { arena, tree_list(arena), tree_map(arena), 0 };
	struct tree *out = tree_map(arena);
	void *owner = joining->setup.owner;
	size_t tokens;
	size_t certificates =
		joining_revoke_all(joining, zone, joining_now_s(), NULL, &tokens);

	each_of(joining->setup.set(owner), zone, show_one, &to);
	tree_set(arena, out, "zone", tree_text(arena, zone));
	tree_set(arena, out, "dryRun", tree_bool(arena, dry_run));
	tree_set(arena, out, "connected",
		 tree_bool(arena, joining->setup.is_connected(owner, zone)));
	tree_set(arena, out, "count", tree_int(arena, (int64_t)to.count));
	tree_set(arena, out, "kinds", to.kinds);
	tree_set(arena, out, "certificates", tree_int(arena, (int64_t)certificates));
	tree_set(arena, out, "tokens", tree_int(arena, (int64_t)tokens));
	tree_set(arena, out, "resources", to.items);
	return out;
}

static void delete_one(void *arg, const struct resource *res)
{
	struct zl_buf key = { 0 };

	key_bytes(&res->key, &key);
	store_commit_delete(arg, key.data, key.len, STORE_ANY, 0);
	zl_buf_free(&key);
}

static void count_one(void *arg, const struct resource *res)
{
	size_t *count = arg;

	(void)res;
	(*count)++;
}

static void submit(struct pending *pending);

static void on_retired(struct pending *pending, const struct store_result *result)
{
	struct joining *joining = pending->joining;
	size_t left = 0;

	if (result->code != ZL_OK) {
		joining_unrevoke(joining, pending->zone, pending->at_s);
		pending_refuse(pending, result);
		return;
	}
	/* What it wrote was on its way to the disk when it was cut off. */
	each_of(joining->setup.set(joining->setup.owner), pending->zone, count_one,
		&left);
	if (left > 0) {
		struct pending *again = pending_new(joining, pending->req, on_retired);
		again->text = pending->text;
		again->at_s = pending->at_s;
		pending->text = NULL;
		submit(again);
		return;
	}
	zl_log(ZL_WARN, "joining", "a zone is retired", "zone=%q by=%q", pending->zone,
	       http_caller_text(pending->req));
	http_json(pending->req, 200, pending->text);
}

static void submit(struct pending *pending)
{
	struct joining *joining = pending->joining;
	struct store_job *job = store_commit_new(
		pending, zl_wall_us(), http_caller_text(pending->req), "zone retired");
	struct store_job *local = store_local_new(NULL);
	size_t tokens;

	each_of(joining->setup.set(joining->setup.owner), pending->zone, delete_one, job);
	(void)joining_revoke_all(joining, pending->zone, pending->at_s, local, &tokens);
	store_commit_also(job, &local);
	joining->setup.cut(joining->setup.owner, pending->zone);
	(void)pending_submit(pending, &job);
}

void joining_retire(struct joining *joining, struct http_request *req)
{
	const char *name = http_param(req, "name");
	const char *said = http_query(req, "dry_run");
	bool dry_run = said != NULL && strcmp(said, "1") == 0;

	if (said != NULL && !dry_run) {
		http_refuse(req, 400, "dry_run=%s: must be 1", said);
		return;
	}
	if (joining_zone(joining, name) == NULL) {
		http_refuse(req, 404, "no zone \"%s\"", name);
		return;
	}
	struct zl_arena *arena = zl_arena_new();
	const struct tree *plan = plan_tree(joining, name, dry_run, arena);
	if (dry_run) {
		joining_answer(req, 200, plan);
	} else {
		struct pending *pending = pending_new(joining, req, on_retired);
		struct zl_buf body = { 0 };
		tree_json_pretty(plan, &body);
		pending->text = body.data;
		submit(pending);
	}
	zl_arena_free(&arena);
}
