#include "model/travel.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_kept_home(const struct resource *res)
{
	const char *sync = labels_get(res->labels, LABEL_KDS_SYNC);

	return sync != NULL && strcmp(sync, "disabled") == 0;
}

enum { NAME_PART = 236, NAME_HASH = 16 }; /* of a travel_name */

/* Dataplanes stay: an offer is counted in the ZoneIngress that it is reached by. */
static bool kind_goes_up(enum kind kind)
{
	return kind_info(kind)->to_global && kind != KIND_DATAPLANE;
}

/* What a zone wrote and other zones need as well. */
static bool goes_on(const struct resource *res)
{
	const char *role = labels_get(res->labels, LABEL_ROLE);
	enum kind kind = res->key.kind;

	if (kind == KIND_MESH_GATEWAY || kind == KIND_MESH_EXTERNAL_SERVICE ||
	    kind == KIND_ZONE_EGRESS)
		return false;
	return !kind_info(kind)->policy ||
	       (role != NULL && strcmp(role, "producer") == 0);
}

bool travel_goes_up(const struct resource *res, const char *zone)
{
	return kind_goes_up(res->key.kind) && strcmp(res->key.zone, zone) == 0 &&
	       !is_kept_home(res);
}

bool travel_comes_down(const struct resource *res, const char *zone)
{
	if (is_kept_home(res))
		return false;
	if (*res->key.zone == '\0')
		return true;
	if (strcmp(res->key.zone, zone) == 0)
		return false;
	return goes_on(res);
}

size_t travel_size(const struct resource *res)
{
	struct zl_buf key = { 0 };

	key_bytes(&res->key, &key);
	size_t size = res->json_len + key.len;
	zl_buf_free(&key);
	return size;
}

const char *travel_overload(const struct travel_load *load, size_t size, unsigned slack)
{
	_Static_assert(TRAVEL_RESOURCES_MAX == 5000 && TRAVEL_BYTES_MAX == 7 << 20,
		       "the texts name the limits");

	if (load->resources >= (size_t)slack * TRAVEL_RESOURCES_MAX)
		return "over the 5000 resources that a zone may have at global";
	if (load->bytes + size > (size_t)slack * TRAVEL_BYTES_MAX)
		return "over the 7 MiB that a zone may have at global";
	return NULL;
}

void travel_name(const struct key *key, struct zl_buf *out)
{
	static const char LETTERS[] = "bcdfghjklmnpqrstvwxz2456789";
	struct zl_buf input = { 0 };
	char hex[17];

	zl_buf_str(&input, key->mesh);
	zl_buf_str(&input, key->name);
	zl_buf_str(&input, key->zone);
	zl_buf_str(&input, key->ns);
	(void)snprintf(hex, sizeof(hex), "%016" PRIx64,
		       zl_fnv64a(zl_buf_text(&input), input.len));
	zl_buf_free(&input);
	size_t len = strlen(key->name);
	zl_buf_add(out, key->name, len < NAME_PART ? len : NAME_PART);
	zl_buf_char(out, '-');
	for (const char *at = hex; *at != '\0'; at++)
		zl_buf_char(out, LETTERS[(size_t)*at % (sizeof(LETTERS) - 1)]);
}

bool travel_is_name(const struct key *key, const char *name)
{
	size_t len = strlen(name);
	size_t part = strlen(key->name) < NAME_PART ? strlen(key->name) : NAME_PART;
	struct zl_buf own = { 0 };

	/* Most differ here, before anything is hashed. */
	if (len != part + 1 + NAME_HASH || strncmp(name, key->name, part) != 0)
		return false;
	travel_name(key, &own);
	bool same = strcmp(zl_buf_text(&own), name) == 0;
	zl_buf_free(&own);
	return same;
}
