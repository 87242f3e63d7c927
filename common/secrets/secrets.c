#include "secrets/secrets.h"

#include "base/base64.h"
#include "base/hash.h"
#include "pki/vault.h"
#include "store/read.h"

#include <stdlib.h>
#include <string.h>

enum { RANDOM = 16, VERSION = 2 * RANDOM, NAME_TEXT = 2 * ZL_SHA256 + 1 };

static const char SPACE[] = "secrets";

/* The name of a Secret's record. */
static void record_name(const struct key *key, char name[NAME_TEXT])
{
	const struct zl_run runs[] = { { key->mesh, strlen(key->mesh) + 1 },
				       { key->name, strlen(key->name) } };
	uint8_t hash[ZL_SHA256];

	zl_sha256(runs, 2, hash);
	zl_hex(hash, sizeof(hash), name);
}

/* What the content is sealed for: it cannot be put in another's place. */
static char *context_of(const struct key *key, const char *version)
{
	return zl_format("secret %s/%s %s", key->mesh, key->name, version);
}

void secrets_wipe(struct zl_buf *content)
{
	pki_wipe(content);
}

/* ---- reading ---- */

/* Open the record, whose version must be text; NULL: any. */
static enum zl_code open_record(const struct secrets *secrets, const struct key *key,
				const char *text, const struct store_item *item,
				struct zl_buf *content, struct zl_err *err)
{
	const char *value = item->value;

	if (item->value_len < VERSION ||
	    (text != NULL &&
	     (strlen(text) != VERSION || memcmp(value, text, VERSION) != 0)))
		return zl_fail(err, ZL_ENOENT, "its content is not here");
	char *version = zl_strndup(value, VERSION);
	char *context = context_of(key, version);
	enum zl_code code = pki_unseal(secrets->vault, context, value + VERSION,
				       item->value_len - VERSION, content, err);
	free(context);
	free(version);
	return code;
}

static enum zl_code read_version(const struct secrets *secrets,
				 const struct resource *res, const char *version,
				 struct zl_buf *content, struct zl_err *err)
{
	struct store_view *view;
	struct store_item item;
	char name[NAME_TEXT];
	enum zl_code code = store_view_open(secrets->store, &view, err);

	if (code != ZL_OK)
		return code;
	record_name(&res->key, name);
	code = store_local_get(view, SPACE, name, &item, err);
	if (code == ZL_OK)
		code = open_record(secrets, &res->key, version, &item, content, err);
	else if (code == ZL_ENOENT)
		code = zl_fail(err, ZL_ENOENT, "its content is not here");
	store_view_close(&view);
	return code;
}

enum zl_code secrets_read(const struct secrets *secrets, const struct resource *res,
			  struct zl_buf *content, struct zl_err *err)
{
	return read_version(secrets, res, res->secret->version, content, err);
}

enum zl_code secrets_read_last(const struct secrets *secrets, const struct resource *res,
			       struct zl_buf *content, struct zl_err *err)
{
	return read_version(secrets, res, NULL, content, err);
}

/* ---- writing ---- */

static enum zl_code put_record(const struct secrets *secrets, const struct key *key,
			       const char *version, const void *content, size_t len,
			       struct store_job *local, struct zl_err *err)
{
	struct zl_buf value = { 0 };
	char name[NAME_TEXT];

	record_name(key, name);
	zl_buf_add(&value, version, VERSION);
	char *context = context_of(key, version);
	enum zl_code code = pki_seal(secrets->vault, context, content, len, &value, err);
	if (code == ZL_OK)
		store_local_put(local, SPACE, name, value.data, value.len);
	free(context);
	zl_buf_free(&value);
	return code;
}

/* The document of a Secret with a version in place of its content. */
static enum zl_code without_content(const struct resource *now, const char *version,
				    struct resource **kept, struct zl_err *err)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *doc = resource_tree(now, arena);
	struct tree *rest = tree_map(arena);
	struct zl_buf json = { 0 };

	for (size_t i = 0; i < doc->count; i++)
		if (strcmp(doc->members[i].key, "data") != 0)
			tree_set(arena, rest, doc->members[i].key, doc->members[i].value);
	tree_set(arena, rest, "version", tree_text(arena, version));
	tree_json(rest, &json);
	enum zl_code code = resource_from_json(json.data, json.len, kept, err);
	zl_buf_free(&json);
	zl_arena_free(&arena);
	return code;
}

/* Is content what old has? What cannot be read is replaced. */
static bool is_same(const struct secrets *secrets, const struct resource *old,
		    const struct zl_buf *content)
{
	struct zl_buf has = { 0 };
	bool same = old != NULL && secrets_read(secrets, old, &has, NULL) == ZL_OK &&
		    has.len == content->len &&
		    (has.len == 0 || memcmp(has.data, content->data, has.len) == 0);

	secrets_wipe(&has);
	return same;
}

/* A new one, unless old says the same. */
static void choose_version(const struct secrets *secrets, const struct resource *old,
			   const struct zl_buf *content, char version[VERSION + 1])
{
	uint8_t dice[RANDOM];

	zl_random(dice, sizeof(dice));
	zl_hex(dice, sizeof(dice), version);
	if (is_same(secrets, old, content))
		memcpy(version, old->secret->version, VERSION);
}

enum zl_code secrets_keep(const struct secrets *secrets, const struct resource *old,
			  const struct resource *now, struct resource **kept,
			  struct store_job *local, struct zl_err *err)
{
	const char *data = now->secret->data;
	struct zl_buf content = { 0 };
	char version[VERSION + 1];

	*kept = NULL;
	enum zl_code code = zl_base64_read(data, strlen(data), &content, err);
	if (code == ZL_OK) {
		choose_version(secrets, old, &content, version);
		/* Also of an old version: a write before this one may replace it yet. */
		code = put_record(secrets, &now->key, version, content.data, content.len,
				  local, err);
	}
	if (code == ZL_OK)
		code = without_content(now, version, kept, err);
	secrets_wipe(&content);
	return code;
}

enum zl_code secrets_take(const struct secrets *secrets, const struct resource *res,
			  const void *content, size_t len, struct store_job *local,
			  struct zl_err *err)
{
	if (strlen(res->secret->version) != VERSION)
		return zl_fail(err, ZL_EINVAL, "Secret %s: its version is none",
			       res->key.name);
	return put_record(secrets, &res->key, res->secret->version, content, len, local,
			  err);
}

void secrets_drop(const struct resource *old, struct store_job *local)
{
	char name[NAME_TEXT];

	record_name(&old->key, name);
	store_local_put(local, SPACE, name, NULL, 0);
}

struct sweep {
	const struct resource *const *keep;
	size_t count;
	struct store_job *local;
};

static bool sweep_one(void *ctx, const struct store_item *item)
{
	const struct sweep *sweep = ctx;
	char name[NAME_TEXT];
	bool kept = false;

	for (size_t i = 0; !kept && i < sweep->count; i++) {
		record_name(&sweep->keep[i]->key, name);
		kept = item->key_len == strlen(name) &&
		       memcmp(item->key, name, item->key_len) == 0;
	}
	if (kept || item->key_len >= sizeof(name))
		return true;
	memcpy(name, item->key, item->key_len);
	name[item->key_len] = '\0';
	store_local_put(sweep->local, SPACE, name, NULL, 0);
	return true;
}

enum zl_code secrets_sweep(const struct secrets *secrets,
			   const struct resource *const *keep, size_t count,
			   struct store_job *local, struct zl_err *err)
{
	struct sweep sweep = { keep, count, local };
	struct store_view *view;
	enum zl_code code = store_view_open(secrets->store, &view, err);

	if (code != ZL_OK)
		return code;
	code = store_local_each(view, SPACE, sweep_one, &sweep, err);
	store_view_close(&view);
	return code;
}

/* ---- who uses one ---- */

static bool names(const struct data_source *source, const char *name)
{
	return source->secret[0] != '\0' && strcmp(source->secret, name) == 0;
}

bool secret_is_used(const struct set *set, const struct resource *secret,
		    struct secret_use *use)
{
	const struct key key = { KIND_MESH, "", "", "", secret->key.mesh };
	const struct resource *mesh = set_get(set, &key);

	struct zl_arena *arena = zl_arena_new();
	bool used = false;

	for (size_t i = 0; mesh != NULL && !used && i < mesh->mesh->backend_count; i++) {
		const struct mesh_backend *backend = &mesh->mesh->backends[i];
		for (int is_key = 0; is_key < 2 && !used; is_key++)
			used = strcmp(mesh_backend_secret(mesh->key.name, backend,
							  is_key == 1, arena),
				      secret->key.name) == 0;
		if (used)
			*use = (struct secret_use){ mesh->key.name, backend->name };
	}
	zl_arena_free(&arena);
	return used;
}

static bool tls_names(const struct external_tls *tls, const char *name)
{
	return tls->enabled && (names(&tls->ca, name) || names(&tls->cert, name) ||
				names(&tls->key, name));
}

static bool gateway_names(const struct mesh_gateway_spec *gateway, const char *name)
{
	for (size_t i = 0; i < gateway->listener_count; i++)
		for (size_t k = 0; k < gateway->listeners[i].cert_count; k++)
			if (names(&gateway->listeners[i].certs[k], name))
				return true;
	return false;
}

bool secret_is_named(const struct set *set, const struct resource *secret)
{
	const char *mesh = secret->key.mesh;
	const char *name = secret->key.name;
	struct set_iter each = set_each(set, KIND_MESH_GATEWAY, mesh);
	const struct resource *res;
	struct secret_use use;

	if (secret_is_used(set, secret, &use))
		return true;
	while ((res = set_next(&each)) != NULL)
		if (gateway_names(res->gateway, name))
			return true;
	each = set_each(set, KIND_MESH_EXTERNAL_SERVICE, mesh);
	while ((res = set_next(&each)) != NULL)
		if (tls_names(&res->mesh_external->tls, name))
			return true;
	each = set_each(set, KIND_EXTERNAL_SERVICE, mesh);
	while ((res = set_next(&each)) != NULL)
		if (tls_names(&res->external->tls, name))
			return true;
	return false;
}

static bool has_dataplanes(const struct set *set, const char *mesh, const char *zone)
{
	struct set_iter each = set_each(set, KIND_DATAPLANE, mesh);
	const struct resource *proxy;

	while ((proxy = set_next(&each)) != NULL)
		if (strcmp(proxy->key.zone, zone) == 0)
			return true;
	return false;
}

bool secret_may_be_for(const struct set *set, const struct resource *secret,
		       const char *zone)
{
	return secret_is_named(set, secret) &&
	       has_dataplanes(set, secret->key.mesh, zone);
}

bool secret_is_for(const struct set *set, const struct resource *secret, const char *zone)
{
	struct secret_use use;

	return secret_is_used(set, secret, &use) &&
	       has_dataplanes(set, secret->key.mesh, zone);
}
