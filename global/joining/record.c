/* Tokens and certificates as they are stored. */
#include "global/joining/ledger.h"
#include "model/read.h"

#include <string.h>

static void set_time(struct zl_arena *arena, struct tree *map, const char *key,
		     uint64_t seconds)
{
	if (seconds != 0)
		tree_set(arena, map, key, tree_int(arena, (int64_t)seconds));
}

static void set_text(struct zl_arena *arena, struct tree *map, const char *key,
		     const char *text)
{
	if (*text != '\0')
		tree_set(arena, map, key, tree_text(arena, text));
}

void ledger_write_token(const struct ledger_token *token, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *map = tree_map(arena);

	set_text(arena, map, "zone", token->zone);
	set_time(arena, map, "made", token->made_s);
	set_time(arena, map, "expires", token->expires_s);
	set_time(arena, map, "used", token->used_s);
	set_text(arena, map, "key", token->key);
	tree_json(map, out);
	zl_arena_free(&arena);
}

void ledger_write_certificate(const struct ledger_certificate *one, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *map = tree_map(arena);

	set_text(arena, map, "zone", one->zone);
	set_time(arena, map, "begins", one->begins_s);
	set_time(arena, map, "ends", one->ends_s);
	set_time(arena, map, "revoked", one->revoked_s);
	set_text(arena, map, "key", one->key);
	tree_json(map, out);
	zl_arena_free(&arena);
}

static uint64_t get_time(const struct tree *map, const char *key)
{
	const struct tree *found = tree_get(map, key);

	return found != NULL && found->type == TREE_INT && found->integer > 0
		       ? (uint64_t)found->integer
		       : 0;
}

/* False: too long for to. */
static bool get_text(const struct tree *map, const char *key, char *to, size_t size)
{
	const struct tree *found = tree_get(map, key);

	*to = '\0';
	if (found == NULL || found->type != TREE_TEXT)
		return true;
	if (strlen(found->text) >= size)
		return false;
	memcpy(to, found->text, strlen(found->text) + 1);
	return true;
}

bool ledger_read_token(const char *id, const void *bytes, size_t len,
		       struct ledger_token *token)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *map;

	*token = (struct ledger_token){ .is_durable = true };
	bool ok = strlen(id) < sizeof(token->id) &&
		  read_json(bytes, len, arena, &map, NULL) == ZL_OK &&
		  get_text(map, "zone", token->zone, sizeof(token->zone)) &&
		  get_text(map, "key", token->key, sizeof(token->key));
	if (ok) {
		memcpy(token->id, id, strlen(id) + 1);
		token->made_s = get_time(map, "made");
		token->expires_s = get_time(map, "expires");
		token->used_s = get_time(map, "used");
	}
	zl_arena_free(&arena);
	return ok && *token->zone != '\0' && token->expires_s != 0;
}

bool ledger_read_certificate(const char *serial, const void *bytes, size_t len,
			     struct ledger_certificate *one)
{
	struct zl_arena *arena = zl_arena_new();
	struct tree *map;

	*one = (struct ledger_certificate){ 0 };
	bool ok = strlen(serial) < sizeof(one->serial) &&
		  read_json(bytes, len, arena, &map, NULL) == ZL_OK &&
		  get_text(map, "zone", one->zone, sizeof(one->zone)) &&
		  get_text(map, "key", one->key, sizeof(one->key));
	if (ok) {
		memcpy(one->serial, serial, strlen(serial) + 1);
		one->begins_s = get_time(map, "begins");
		one->ends_s = get_time(map, "ends");
		one->revoked_s = get_time(map, "revoked");
	}
	zl_arena_free(&arena);
	return ok && *one->zone != '\0' && one->ends_s != 0;
}
