#include "model/nearest.h"
#include "model/schemas.h"

#include <string.h>

const struct schema *schema_of(enum kind kind)
{
	static const struct schema *const SCHEMAS[KIND_END] = {
		[KIND_MESH] = &SCHEMA_MESH,
		[KIND_ZONE] = &SCHEMA_ZONE,
		[KIND_DATAPLANE] = &SCHEMA_DATAPLANE,
		[KIND_ZONE_INGRESS] = &SCHEMA_ZONE_INGRESS,
		[KIND_MESH_TCP_ROUTE] = &SCHEMA_MESH_TCP_ROUTE,
		[KIND_SECRET] = &SCHEMA_SECRET,
		[KIND_MESH_SERVICE] = &SCHEMA_MESH_SERVICE,
		[KIND_MESH_MULTI_ZONE_SERVICE] = &SCHEMA_MESH_MULTI_ZONE_SERVICE,
		[KIND_MESH_EXTERNAL_SERVICE] = &SCHEMA_MESH_EXTERNAL_SERVICE,
		[KIND_EXTERNAL_SERVICE] = &SCHEMA_EXTERNAL_SERVICE,
		[KIND_MESH_HTTP_ROUTE] = &SCHEMA_MESH_HTTP_ROUTE,
		[KIND_TRAFFIC_ROUTE] = &SCHEMA_TRAFFIC_ROUTE,
		[KIND_MESH_GATEWAY] = &SCHEMA_MESH_GATEWAY,
		[KIND_ZONE_EGRESS] = &SCHEMA_ZONE_EGRESS,
		[KIND_MESH_LOAD_BALANCING_STRATEGY] =
			&SCHEMA_MESH_LOAD_BALANCING_STRATEGY,
		[KIND_MESH_TIMEOUT] = &SCHEMA_MESH_TIMEOUT,
		[KIND_MESH_RETRY] = &SCHEMA_MESH_RETRY,
		[KIND_MESH_HEALTH_CHECK] = &SCHEMA_MESH_HEALTH_CHECK,
		[KIND_MESH_CIRCUIT_BREAKER] = &SCHEMA_MESH_CIRCUIT_BREAKER,
		[KIND_MESH_ACCESS_LOG] = &SCHEMA_MESH_ACCESS_LOG,
		[KIND_MESH_TRAFFIC_PERMISSION] = &SCHEMA_MESH_TRAFFIC_PERMISSION,
		[KIND_TIMEOUT] = &SCHEMA_TIMEOUT,
		[KIND_RETRY] = &SCHEMA_RETRY,
		[KIND_HEALTH_CHECK] = &SCHEMA_HEALTH_CHECK,
		[KIND_CIRCUIT_BREAKER] = &SCHEMA_CIRCUIT_BREAKER,
		[KIND_TRAFFIC_LOG] = &SCHEMA_TRAFFIC_LOG,
		[KIND_TRAFFIC_PERMISSION] = &SCHEMA_TRAFFIC_PERMISSION,
	};

	return kind > KIND_NONE && kind < KIND_END ? SCHEMAS[kind] : NULL;
}

/* The next word of a dotted path, into word; NULL: no word or one too long. */
static const char *next_word(const char *path, char word[64])
{
	size_t len = strcspn(path, ".");

	if (len == 0 || len >= 64)
		return NULL;
	memcpy(word, path, len);
	word[len] = '\0';
	return path[len] == '.' ? path + len + 1 : path + len;
}

static const struct field *field_named(const struct schema *schema, const char *name)
{
	for (size_t i = 0; schema != NULL && i < schema->count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

const struct field *schema_find(const char *path, const struct schema **object)
{
	char word[64];
	const struct field *field = NULL;
	const char *rest = next_word(path, word);

	*object = rest != NULL ? schema_of(kind_by_word(word)) : NULL;
	if (*object == NULL)
		return NULL;
	for (bool first = true; *rest != '\0'; first = false) {
		rest = next_word(rest, word);
		if (rest == NULL) {
			*object = NULL;
			return NULL;
		}
		if (first && strcmp(word, "spec") == 0 && !field_named(*object, "spec"))
			continue;
		if (field != NULL)
			*object = field->sub;
		field = field_named(*object, word);
		if (field == NULL) {
			*object = NULL;
			return NULL;
		}
	}
	return field;
}

const char *schema_nearest(const struct schema *object, const char *name)
{
	struct nearest nearest = nearest_to(name);

	for (size_t i = 0; i < object->count; i++) {
		const struct field *field = &object->fields[i];
		if (!(field->flags & F_HIDDEN) && field->type != FIELD_REFUSED &&
		    field->type != FIELD_IGNORED)
			nearest_try(&nearest, field->name);
	}
	return nearest.found;
}

bool schema_is_required(const struct field *field)
{
	return (field->flags & F_REQUIRED) != 0;
}

bool schema_is_shown(const struct field *field)
{
	return !(field->flags & F_HIDDEN);
}

const char *const *schema_values(const struct field *field)
{
	return field->flags & F_OWN_CHECK ? NULL : field->values;
}
