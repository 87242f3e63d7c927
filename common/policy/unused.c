#include "policy/unused.h"

#include "policy/refs.h"

#include <string.h>

static const char *section_of(const char *field)
{
	static const char *const SECTIONS[] = { "http", "grpc", "tcp" };

	for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++)
		if (field_is_in(field, SECTIONS[i]))
			return SECTIONS[i];
	return NULL;
}

/* True if the section is switched off there. */
static bool is_off(const struct merged *merged, const char *section,
		   struct zl_arena *arena)
{
	const struct leaf *leaf =
		merged_leaf(merged, zl_arena_format(arena, "%s.disabled", section));

	return leaf != NULL && leaf->value->boolean;
}

/* True if what is carried there is not what the section is for. */
static bool is_misplaced(const struct about *about, enum kind kind, const char *section)
{
	bool grpc = strcmp(about->protocol, "grpc") == 0;

	switch (kind) {
	case KIND_MESH_TIMEOUT:
		return !about->http;
	case KIND_MESH_RETRY:
		if (!about->destination)
			return false;
		if (strcmp(section, "tcp") == 0)
			return !about->tcp;
		return !about->http || grpc != (strcmp(section, "grpc") == 0);
	default:
		return about->cluster;
	}
}

static void warn_of_section(const struct abouts *abouts, const struct about *about,
			    enum kind kind, const struct leaf *leaf)
{
	struct resolving *at = abouts->at;
	const struct merged *merged = about->said[kind - KIND_MESH_TIMEOUT];
	const char *section = section_of(leaf->field);

	if (section == NULL || !is_misplaced(about, kind, section) ||
	    is_off(merged, section, at->arena))
		return;
	/* A cluster that is used both ways is checked as one of connections. */
	bool tcp = !about->http || (kind == KIND_MESH_HEALTH_CHECK && about->tcp);
	effect_warn(at, leaf, section,
		    zl_arena_format(at->arena, "%s has no effect: \"%s\" is routed as %s",
				    section, about->subject.name,
				    tcp ? "tcp" : about->protocol));
}

/* Limits of requests, where there are none (W7). */
static void warn_of_limit(const struct abouts *abouts, const struct about *about,
			  const struct leaf *leaf)
{
	static const char *const LIMITS[] = { "maxRequests", "maxRetries",
					      "maxConnectionPools" };
	static const char SECTION[] = "connectionLimits.";

	if (!about->cluster || strncmp(leaf->field, SECTION, sizeof(SECTION) - 1) != 0)
		return;
	for (size_t i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++)
		if (strcmp(leaf->field + sizeof(SECTION) - 1, LIMITS[i]) == 0)
			effect_warn(abouts->at, leaf, leaf->field,
				    zl_arena_format(abouts->at->arena,
						    "%s has no effect on tcp",
						    LIMITS[i]));
}

static void warn_of_kind(const struct abouts *abouts, const struct about *about,
			 size_t kind)
{
	const struct merged *merged = about->said[kind];

	for (size_t i = 0; i < merged->count; i++) {
		const struct leaf *leaf = &merged->leaves[i];

		if (leaf->used ||
		    route_to(leaf->from.policy, leaf->from.to)->kind == REF_MESH)
			continue;
		if (attached_kind(kind) == KIND_MESH_CIRCUIT_BREAKER)
			warn_of_limit(abouts, about, leaf);
		else
			warn_of_section(abouts, about, attached_kind(kind), leaf);
	}
}

void unused_warn(const struct abouts *abouts)
{
	for (size_t i = 0; i < abouts->count; i++)
		for (size_t k = 0; k < ATTACHED_KINDS; k++)
			if (abouts->order[i]->named[k])
				warn_of_kind(abouts, abouts->order[i], k);
}
