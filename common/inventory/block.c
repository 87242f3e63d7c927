#include "inventory/block.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *one, const void *other)
{
	const struct block *a = one;
	const struct block *b = other;
	int order = strcmp(a->service.mesh, b->service.mesh);

	return order != 0 ? order : strcmp(a->service.name, b->service.name);
}

static void hold(void *item)
{
	struct block *block = item;

	atomic_fetch_add_explicit(&block->holders, 1, memory_order_relaxed);
}

static void drop(void *item)
{
	struct block *block = item;

	if (atomic_fetch_sub(&block->holders, 1) != 1)
		return;
	free(block->locals);
	free(block->remotes);
	free(block->tags);
	free(block->zone);
	free(block->offer);
	free(block->externals);
	free(block->counted);
	free(block->left_out);
	free(block->marks);
	free(block);
}

const struct pmap_ops BLOCK_OPS = { compare, hold, drop };

/* ---- merging ---- */

static void merge_locals(struct block *block, const struct service *old,
			 const struct rows *rows, const struct local_row *new,
			 size_t new_count)
{
	struct service *to = &block->service;
	size_t i = 0;
	size_t j = 0;

	block->locals = zl_alloc(old->local_count + new_count + 1, sizeof(struct local));
	while (i < old->local_count || j < new_count) {
		if (i < old->local_count && rows_gone(rows, old->locals[i].dataplane))
			i++;
		else if (j == new_count ||
			 (i < old->local_count &&
			  local_compare(&old->locals[i], &new[j].local) < 0))
			block->locals[to->local_count++] = old->locals[i++];
		else
			block->locals[to->local_count++] = new[j++].local;
	}
	to->locals = block->locals;
}

static void merge_remotes(struct block *block, const struct service *old,
			  const struct rows *rows, const struct remote_row *new,
			  size_t new_count)
{
	struct service *to = &block->service;
	size_t i = 0;
	size_t j = 0;

	block->remotes =
		zl_alloc(old->remote_count + new_count + 1, sizeof(struct remote));
	while (i < old->remote_count || j < new_count) {
		if (i < old->remote_count && rows_gone(rows, old->remotes[i].ingress))
			i++;
		else if (j == new_count ||
			 (i < old->remote_count &&
			  remote_compare(&old->remotes[i], &new[j].remote) < 0))
			block->remotes[to->remote_count++] = old->remotes[i++];
		else
			block->remotes[to->remote_count++] = new[j++].remote;
	}
	to->remotes = block->remotes;
}

static void merge_externals(struct block *block, const struct block *before,
			    const struct rows *rows, const struct external_row *new,
			    size_t new_count)
{
	size_t old_count = before != NULL ? before->external_count : 0;
	size_t i = 0;
	size_t j = 0;

	block->externals =
		zl_alloc(old_count + new_count + 1, sizeof(const struct resource *));
	while (i < old_count || j < new_count) {
		const struct resource *old = i < old_count ? before->externals[i] : NULL;

		if (old != NULL && rows_gone(rows, old))
			i++;
		else if (j == new_count ||
			 (old != NULL &&
			  key_compare(&old->key, &new[j].external->key) < 0))
			block->externals[block->external_count++] =
				before->externals[i++];
		else
			block->externals[block->external_count++] = new[j++].external;
	}
}

/* ---- tags ---- */

static bool says(struct labels tags, const char *zone)
{
	const char *value = labels_get(tags, TAG_ZONE);

	return value != NULL && strcmp(value, zone) == 0;
}

/* tags with the zone; made at *next where they do not say it themselves. */
static struct labels with_zone(struct labels tags, const char *zone, struct label **next)
{
	struct label *to = *next;
	size_t count = 0;
	size_t i = 0;

	if (says(tags, zone))
		return tags;
	while (i < tags.count && strcmp(tags.items[i].key, TAG_ZONE) < 0)
		to[count++] = tags.items[i++];
	to[count++] = (struct label){ TAG_ZONE, zone };
	if (i < tags.count && strcmp(tags.items[i].key, TAG_ZONE) == 0)
		i++;
	while (i < tags.count)
		to[count++] = tags.items[i++];
	*next += count;
	return (struct labels){ to, count };
}

/* Rows of before have the tags that before made for them: make them anew. */
static void set_tags(struct block *block)
{
	const struct service *service = &block->service;
	size_t room = 0;

	for (size_t i = 0; i < service->local_count; i++)
		room += block->locals[i].inbound->tags.count + 1;
	for (size_t i = 0; i < service->remote_count; i++)
		room += block->remotes[i].record->tags.count + 1;
	struct label *next = block->tags = zl_alloc(room, sizeof(*next));
	for (size_t i = 0; i < service->local_count; i++)
		block->locals[i].tags =
			with_zone(block->locals[i].inbound->tags, block->zone, &next);
	for (size_t i = 0; i < service->remote_count; i++)
		block->remotes[i].tags = with_zone(block->remotes[i].record->tags,
						   block->remotes[i].zone, &next);
}

/* ---- protocol ---- */

static const char *join(const char *common, struct labels tags)
{
	const char *tag = labels_get(tags, TAG_PROTOCOL);

	return protocol_common(common == NULL ? tag : common, tag);
}

/* The protocol that all endpoints of service have in common. */
static const char *common_protocol(const struct service *service)
{
	const char *common = NULL;

	for (size_t i = 0; i < service->local_count; i++)
		if (service->locals[i].ready)
			common = join(common, service->locals[i].tags);
	for (size_t i = 0; i < service->remote_count; i++)
		if (service->remotes[i].address[0] != '\0' &&
		    service->remotes[i].instances > 0)
			common = join(common, service->remotes[i].tags);
	for (size_t i = 0; i < service->external_count; i++)
		common = join(common, service->externals[i]->external->tags);
	return common == NULL ? "unknown" : common;
}

/* ---- making ---- */

static void set_name(struct block *block)
{
	struct service *service = &block->service;
	struct labels tags;

	if (service->local_count > 0) {
		service->mesh = service->locals[0].dataplane->key.mesh;
		tags = service->locals[0].tags;
	} else if (service->remote_count > 0) {
		service->mesh = service->remotes[0].record->mesh;
		tags = service->remotes[0].tags;
	} else {
		service->mesh = block->externals[0]->key.mesh;
		tags = block->externals[0]->external->tags;
	}
	service->name = labels_get(tags, TAG_SERVICE);
}

struct block *block_merge(const struct block *before, const struct rows *rows,
			  struct rows_at first, struct rows_at end)
{
	static const struct service NONE;
	const struct service *old = before != NULL ? &before->service : &NONE;
	struct block *block = zl_alloc(1, sizeof(*block));
	struct service *service = &block->service;

	block->holders = 1;
	block->zone = zl_strdup(rows->zone);
	merge_locals(block, old, rows, rows->locals + first.local,
		     end.local - first.local);
	merge_remotes(block, old, rows, rows->remotes + first.remote,
		      end.remote - first.remote);
	merge_externals(block, before, rows, rows->externals + first.external,
			end.external - first.external);
	if (service->local_count + service->remote_count + block->external_count == 0) {
		drop(block);
		return NULL;
	}
	set_tags(block);
	set_name(block);
	block_externals(block);
	service->protocol = common_protocol(service);
	block_offer(block);
	block_marks(block);
	return block;
}
