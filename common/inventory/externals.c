#include "inventory/block.h"

#include <string.h>

/* ---- equal TLS ---- */

static bool same_source(const struct data_source *a, const struct data_source *b)
{
	return strcmp(a->secret, b->secret) == 0 && strcmp(a->text, b->text) == 0;
}

static bool same_names(const struct external_tls *a, const struct external_tls *b)
{
	if (a->name_count != b->name_count || strcmp(a->server_name, b->server_name) != 0)
		return false;
	for (size_t i = 0; i < a->name_count; i++)
		if (a->names[i].prefix != b->names[i].prefix ||
		    strcmp(a->names[i].value, b->names[i].value) != 0)
			return false;
	return true;
}

static bool same_tls(const struct external_tls *a, const struct external_tls *b)
{
	if (!a->enabled || !b->enabled)
		return a->enabled == b->enabled;
	return a->min == b->min && a->max == b->max &&
	       a->renegotiation == b->renegotiation && a->verify == b->verify &&
	       same_names(a, b) && same_source(&a->ca, &b->ca) &&
	       same_source(&a->cert, &b->cert) && same_source(&a->key, &b->key);
}

/* ---- which count ---- */

/* True if tags bind it to a zone that is not this one. */
static bool is_elsewhere(const struct block *block, const struct resource *external)
{
	const char *zone = labels_get(external->external->tags, TAG_ZONE);

	return zone != NULL && *zone != '\0' && strcmp(zone, block->zone) != 0;
}

void block_externals(struct block *block)
{
	struct service *service = &block->service;
	const struct resource **list = zl_alloc(block->external_count + 1, sizeof(*list));
	bool dataplanes = service->local_count + service->remote_count > 0;

	block->left_out = zl_alloc(block->external_count + 1, sizeof(*block->left_out));
	for (size_t i = 0; i < block->external_count; i++) {
		const struct resource *at = block->externals[i];
		struct left_out *out = &block->left_out[service->left_out_count];

		out->external = at;
		if (dataplanes)
			out->why = LEFT_OUT_DATAPLANES;
		else if (is_elsewhere(block, at))
			out->why = LEFT_OUT_ZONE;
		else if (!same_tls(&block->externals[0]->external->tls,
				   &at->external->tls))
			out->why = LEFT_OUT_TLS;
		else {
			list[service->external_count++] = at;
			continue;
		}
		service->left_out_count++;
	}
	service->outdone = dataplanes && block->external_count > 0;
	block->counted = list;
	service->externals = list;
	service->left_out = block->left_out;
}
