#include "zone/secrets/keeper.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/write.h"

#include <stdlib.h>
#include <string.h>

/* A Secret that the zone has a use for. */
struct need {
	struct resource *res; /* held */
	bool wanted;          /* else it is kept if it is here, and not asked for */
	bool here;
	bool refused;          /* global has none to give */
	struct zl_buf content; /* in use, that came since the start */
	struct zl_buf next;    /* that came, and is in use when all have come */
};

struct keeper {
	struct keeper_setup setup;
	struct need *needs; /* owned, in order of keys */
	size_t count, room;
	bool swept;
};

struct keeper *keeper_open(const struct keeper_setup *setup)
{
	struct keeper *keeper = zl_alloc(1, sizeof(*keeper));

	keeper->setup = *setup;
	return keeper;
}

static void needs_free(struct need *needs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		resource_drop(&needs[i].res);
		secrets_wipe(&needs[i].content);
		secrets_wipe(&needs[i].next);
	}
	free(needs);
}

void keeper_close(struct keeper **keeperp)
{
	struct keeper *keeper = *keeperp;

	*keeperp = NULL;
	if (keeper == NULL)
		return;
	needs_free(keeper->needs, keeper->count);
	free(keeper);
}

/* ---- what is needed ---- */

static struct need *find(struct need *needs, size_t count, const struct key *key)
{
	for (size_t i = 0; i < count; i++)
		if (key_compare(&needs[i].res->key, key) == 0)
			return &needs[i];
	return NULL;
}

static bool is_here(const struct keeper *keeper, const struct resource *res)
{
	struct zl_buf content = { 0 };
	struct zl_err err = { 0 };
	enum zl_code code = secrets_read(&keeper->setup.secrets, res, &content, &err);

	secrets_wipe(&content);
	if (code != ZL_OK && code != ZL_ENOENT)
		zl_log(ZL_WARN, "secrets",
		       "kept content is of no use and asked for again",
		       "secret=%q err=%q", res->key.name, err.msg);
	return code == ZL_OK;
}

static void add(struct keeper *keeper, const struct resource *res, bool wanted,
		struct need *before)
{
	bool same = before != NULL &&
		    strcmp(before->res->secret->version, res->secret->version) == 0;
	bool here = wanted && ((same && before->here) || is_here(keeper, res));

	if (keeper->count == keeper->room) {
		keeper->room = keeper->room == 0 ? 4 : 2 * keeper->room;
		keeper->needs =
			zl_realloc(keeper->needs, keeper->room, sizeof(*keeper->needs));
	}
	keeper->needs[keeper->count++] =
		(struct need){ .res = resource_hold(res),
			       .wanted = wanted,
			       .here = here,
			       .refused = same && before->refused };
	if (before != NULL) {
		struct need *now = &keeper->needs[keeper->count - 1];
		now->content = before->content;
		now->next = before->next;
		before->content = before->next = (struct zl_buf){ 0 };
	}
}

/* Content of what is needed no more, also if that happened while nobody looked. */
static void sweep(const struct keeper *keeper)
{
	const struct resource **keep =
		zl_alloc(keeper->count + 1, sizeof(struct resource *));
	struct store_job *job = store_local_new(NULL);
	struct zl_err err = { 0 };

	for (size_t i = 0; i < keeper->count; i++)
		keep[i] = keeper->needs[i].res;
	enum zl_code code =
		secrets_sweep(&keeper->setup.secrets, keep, keeper->count, job, &err);
	if (code == ZL_OK)
		code = store_submit(keeper->setup.secrets.store, &job, &err);
	if (code != ZL_OK)
		zl_log(ZL_WARN, "secrets", "content that is not needed stays", "err=%q",
		       err.msg);
	store_job_free(&job);
	free(keep);
}

/* Ask for all that is missing. */
static void ask(const struct keeper *keeper)
{
	struct sync_secret *list = zl_alloc(keeper->count + 1, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < keeper->count; i++) {
		const struct resource *res = keeper->needs[i].res;
		if (keeper->needs[i].wanted && !keeper->needs[i].here)
			list[count++] =
				(struct sync_secret){ res->key.mesh, res->key.name,
						      res->secret->version };
	}
	keeper->setup.want(keeper->setup.owner, list, count);
	free(list);
}

static bool is_same(const struct keeper *keeper, const struct need *before, size_t count)
{
	bool same = count == keeper->count;

	for (size_t i = 0; same && i < count; i++)
		same = before[i].res == keeper->needs[i].res &&
		       before[i].wanted == keeper->needs[i].wanted;
	return same;
}

static bool is_wanted(const struct keeper *keeper, const struct set *set,
		      const struct resource *res)
{
	const struct keeper_setup *setup = &keeper->setup;

	return secret_is_for(set, res, setup->zone) ||
	       (setup->is_needed != NULL &&
		setup->is_needed(setup->owner, res->key.mesh, res->key.name));
}

/* Put in use what has come, once all that was asked for is here: a certificate and its
 * key that are replaced in one step are never seen half. */
static void put_in_use(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->count; i++) {
		const struct need *need = &keeper->needs[i];
		if (need->wanted && !need->here && !need->refused)
			return;
	}
	bool *came = zl_alloc(keeper->count + 1, sizeof(*came));
	for (size_t i = 0; i < keeper->count; i++) {
		struct need *need = &keeper->needs[i];
		came[i] = need->next.len > 0;
		if (!came[i])
			continue;
		secrets_wipe(&need->content);
		need->content = need->next;
		need->next = (struct zl_buf){ 0 };
	}
	for (size_t i = 0; keeper->setup.came != NULL && i < keeper->count; i++)
		if (came[i])
			keeper->setup.came(keeper->setup.owner, keeper->needs[i].res);
	free(came);
}

void keeper_update(struct keeper *keeper, const struct set *set)
{
	struct need *before = keeper->needs;
	size_t count = keeper->count;
	struct set_iter each = set_each(set, KIND_SECRET, NULL);
	const struct resource *res;

	keeper->needs = NULL;
	keeper->count = keeper->room = 0;
	while ((res = set_next(&each)) != NULL) {
		bool wanted = is_wanted(keeper, set, res);
		if (wanted || secret_may_be_for(set, res, keeper->setup.zone))
			add(keeper, res, wanted, find(before, count, &res->key));
	}
	if (!keeper->swept || !is_same(keeper, before, count)) {
		keeper->swept = true;
		sweep(keeper);
		ask(keeper);
	}
	needs_free(before, count);
	put_in_use(keeper); /* what the others waited for may be needed no more */
}

/* ---- what comes ---- */

static enum zl_code keep(struct keeper *keeper, const struct resource *res,
			 const void *content, size_t len, struct zl_err *err)
{
	struct store_job *job = store_local_new(NULL);
	enum zl_code code =
		secrets_take(&keeper->setup.secrets, res, content, len, job, err);

	if (code == ZL_OK)
		code = store_submit(keeper->setup.secrets.store, &job, err);
	store_job_free(&job);
	return code;
}

void keeper_take(struct keeper *keeper, const struct sync_secret *secret,
		 const void *content, size_t len, const char *why)
{
	const struct key key = { KIND_SECRET, secret->mesh, "", "", secret->name };
	struct need *need = find(keeper->needs, keeper->count, &key);
	struct zl_err err = { 0 };

	if (content == NULL) {
		zl_log(ZL_WARN, "secrets", "global gives no content",
		       "mesh=%q secret=%q why=%q", secret->mesh, secret->name, why);
		if (need != NULL) {
			need->refused = true;
			put_in_use(keeper);
		}
		return;
	}
	if (need == NULL || strcmp(need->res->secret->version, secret->version) != 0)
		return; /* another version is needed by now, or none */
	if (keep(keeper, need->res, content, len, &err) != ZL_OK) {
		zl_log(ZL_WARN, "secrets", "content cannot be kept", "secret=%q err=%q",
		       secret->name, err.msg);
		ask(keeper);
		return;
	}
	need->here = true;
	need->refused = false;
	secrets_wipe(&need->next); /* what the store gets is on its way to the disk */
	zl_buf_add(&need->next, content, len);
	zl_log(ZL_INFO, "secrets", "content has come", "mesh=%q secret=%q", secret->mesh,
	       secret->name);
	put_in_use(keeper);
}

bool keeper_read(struct keeper *keeper, const struct set *set, const char *mesh,
		 const char *name, struct zl_buf *content)
{
	const struct key key = { KIND_SECRET, mesh, "", "", name };
	const struct resource *res = set_get(set, &key);
	struct need *need = find(keeper->needs, keeper->count, &key);
	struct zl_buf kept = { 0 };

	if (res == NULL)
		return false;
	if (need != NULL && need->content.len > 0) {
		zl_buf_add(content, need->content.data, need->content.len);
		return true;
	}
	if (secrets_read_last(&keeper->setup.secrets, res, &kept, NULL) != ZL_OK)
		return false;
	zl_buf_add(content, kept.data, kept.len);
	if (need != NULL) { /* a new one that is stored is not in use yet */
		secrets_wipe(&need->content);
		need->content = kept;
		kept = (struct zl_buf){ 0 };
	}
	secrets_wipe(&kept);
	return true;
}

uint64_t keeper_awaited(const struct keeper *keeper)
{
	uint64_t rev = UINT64_MAX;

	for (size_t i = 0; i < keeper->count; i++) {
		const struct need *need = &keeper->needs[i];
		/* One that waits for others has come, but nobody has it yet. */
		bool awaited = need->wanted && !need->refused &&
			       (!need->here || need->next.len > 0);
		if (awaited && need->res->mod_rev < rev)
			rev = need->res->mod_rev;
	}
	return rev;
}

struct keeper_counts keeper_counts(const struct keeper *keeper)
{
	struct keeper_counts counts = { 0 };

	for (size_t i = 0; i < keeper->count; i++) {
		const struct need *need = &keeper->needs[i];
		counts.needed += need->wanted;
		counts.missing += need->wanted && !need->here;
	}
	return counts;
}
