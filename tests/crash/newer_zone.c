/* newer-zone: the zone program of a newer release, as far as a global can tell. It is
 * this one, linked with --wrap: its messages have fields more (unit/sync/newer.c), it
 * offers what its own store has of kinds that this release does not know (newer-release
 * puts that there), and it asks what no release can answer yet. An offer of a resource
 * with the name one-less takes the last of the new kinds away. For
 * tests/multizone/scenarios_skew.py. */
#include "newer.h"

#include "model/apply.h"
#include "wire/link.h"
#include "zone/inventory/registry.h"

#include <string.h>

enum { OWN_MAX = 16 };

static const char ONE_LESS[] = "one-less";

/* What the store has of new kinds; never freed. */
static struct op own[OWN_MAX];
static size_t own_count;

void __real_apply_record(struct set_edit *edit, const struct apply_record *record,
			 apply_odd_fn *odd, void *ctx);
void __wrap_apply_record(struct set_edit *edit, const struct apply_record *record,
			 apply_odd_fn *odd, void *ctx);
const struct op *__real_registry_offer(struct registry *registry, bool full,
				       struct zl_arena *arena, size_t *count);
const struct op *__wrap_registry_offer(struct registry *registry, bool full,
				       struct zl_arena *arena, size_t *count);
void __real_link_uplink_request(struct link_uplink *uplink, uint64_t id,
				const void *bytes, size_t len, uint32_t deadline_ms);
void __wrap_link_uplink_request(struct link_uplink *uplink, uint64_t id,
				const void *bytes, size_t len, uint32_t deadline_ms);

/* Of a kind that this release has not, and written in a zone: kind, mesh, NUL, zone. */
static bool is_own(const struct apply_record *record)
{
	const uint8_t *key = record->key;
	const uint8_t *end = memchr(key + 1, '\0', record->key_len - 1);

	return *key >= KIND_END && end != NULL && end[1] != '\0';
}

void __wrap_apply_record(struct set_edit *edit, const struct apply_record *record,
			 apply_odd_fn *odd, void *ctx)
{
	if (!is_own(record) || own_count == OWN_MAX) {
		__real_apply_record(edit, record, odd, ctx);
		return;
	}
	own[own_count++] =
		(struct op){ .key = zl_memdup(record->key, record->key_len),
			     .key_len = record->key_len,
			     .value = zl_memdup(record->value, record->value_len),
			     .value_len = record->value_len };
}

static bool has_name(const struct op *op, const char *name)
{
	size_t len = strlen(name);

	return op->key_len > len &&
	       memcmp((const char *)op->key + op->key_len - len, name, len) == 0;
}

const struct op *__wrap_registry_offer(struct registry *registry, bool full,
				       struct zl_arena *arena, size_t *count)
{
	const struct op *ops = __real_registry_offer(registry, full, arena, count);
	struct op *more = zl_arena_alloc(arena, *count + OWN_MAX, sizeof(*more));
	size_t before = *count;

	if (before > 0)
		memcpy(more, ops, before * sizeof(*more));
	for (size_t i = 0; full && i < own_count; i++)
		more[(*count)++] = own[i];
	for (size_t i = 0; !full && i < before && own_count > 0; i++)
		if (has_name(&more[i], ONE_LESS)) {
			more[*count] = own[--own_count];
			more[(*count)++].deleted = true;
			break;
		}
	return more;
}

void __wrap_link_uplink_request(struct link_uplink *uplink, uint64_t id,
				const void *bytes, size_t len, uint32_t deadline_ms)
{
	static const uint8_t TYPE[] = { 'Z', 'L', SYNC_PROTO, NEWER_TYPE, 8, 1 };
	static const uint8_t VERSION[] = { 'Z', 'L', NEWER_VERSION, SYNC_MSG_LEASE };

	if (((const uint8_t *)bytes)[3] == SYNC_MSG_LEASE) {
		__real_link_uplink_request(uplink, UINT64_MAX, TYPE, sizeof(TYPE),
					   deadline_ms);
		__real_link_uplink_request(uplink, UINT64_MAX - 1, VERSION,
					   sizeof(VERSION), deadline_ms);
	}
	__real_link_uplink_request(uplink, id, bytes, len, deadline_ms);
}
