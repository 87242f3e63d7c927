#include "policy/answer.h"
#include "policy/refs.h"

#include <string.h>

const char *answer_policy_name(const struct resource *policy, struct zl_arena *arena)
{
	const char *ns = policy->key.ns;
	const char *zone = policy->origin == ORIGIN_ZONE ? policy->key.zone : "";

	return zl_arena_format(arena, "%s \"%s\"%s%s (%s%s%s)",
			       kind_info(policy->key.kind)->name, policy->key.name,
			       ns[0] == '\0' ? "" : " of namespace ", ns,
			       origin_name(policy), zone[0] == '\0' ? "" : " ", zone);
}

/* Where an entry stands: `MeshTimeout "t" (global), spec.to[0]`. */
static const char *writer_of(const struct applied *applied, struct zl_arena *arena)
{
	const char *name = answer_policy_name(applied->policy.policy, arena);

	if (applied->list == LIST_LEGACY)
		return name;
	return zl_arena_format(arena, "%s, spec.%s[%zu]", name,
			       attached_list_name(applied->list), applied->policy.to);
}

static void print_source(const struct applied *applied, struct zl_buf *out)
{
	switch (applied->source) {
	case SOURCE_OWN:
		zl_buf_str(out, ", about it");
		break;
	case SOURCE_INHERITED:
		zl_buf_format(out, ", inherited from \"%s\"", applied->from);
		break;
	case SOURCE_MESH:
		zl_buf_str(out, ", about the mesh");
		break;
	default:
		break;
	}
}

/* What holds where a policy speaks of other fields (policies-spec 2.0). */
static const struct {
	enum setting_place place;
	const char *field, *value, *by;
} DEFAULTS[] = {
	{ SETTINGS_OF_CONNECTIONS, "tcp.maxConnectAttempt", "1", "Envoy" },
	{ SETTINGS_OF_CONNECTIONS, "idleTimeout", "\"1h\"", "Envoy" },
	{ SETTINGS_OF_REQUESTS, "http.streamIdleTimeout", "\"5m\"", "Envoy" },
	{ SETTINGS_OF_CLUSTER, "connectionTimeout", "\"5s\"", "Envoy" },
	/* Longer than the client's side, which then ends first. */
	{ SETTINGS_OF_INBOUND, "idleTimeout", "\"2h\"", "Zonelink" },
};

static bool has_field(const struct settings *settings, const char *field)
{
	for (size_t i = 0; i < settings->applied_count; i++)
		if (strcmp(settings->applied[i].field, field) == 0)
			return true;
	return false;
}

void answer_settings(const struct settings *settings, enum setting_place place,
		     const char *indent, struct zl_arena *arena, struct zl_buf *out)
{
	if (settings == NULL || settings->applied_count == 0)
		return;
	for (size_t i = 0; i < settings->applied_count; i++) {
		const struct applied *applied = &settings->applied[i];

		zl_buf_format(out, "%s%s ", indent, applied->field);
		tree_json(applied->value, out);
		zl_buf_format(out, ": %s", writer_of(applied, arena));
		print_source(applied, out);
		zl_buf_char(out, '\n');
	}
	for (size_t i = 0; i < sizeof(DEFAULTS) / sizeof(DEFAULTS[0]); i++)
		if (DEFAULTS[i].place == place && !has_field(settings, DEFAULTS[i].field))
			zl_buf_format(out, "%s%s %s: default (%s)\n", indent,
				      DEFAULTS[i].field, DEFAULTS[i].value,
				      DEFAULTS[i].by);
}

bool answer_has_settings(const struct request_route *rule)
{
	for (size_t i = 0; rule->settings != NULL && i < rule->settings->applied_count;
	     i++) {
		const struct applied *at = &rule->settings->applied[i];

		if (route_to(at->policy.policy, at->policy.to)->kind ==
		    REF_MESH_HTTP_ROUTE)
			return true;
	}
	return false;
}
