/* Files that an Envoy cannot open (policies-spec P15): what names one is refused whole,
 * weights included, so it is sent once more without them. */
#include "base/log.h"
#include "loop/loop.h"
#include "zone/proxies/inside.h"

#include <stdlib.h>
#include <string.h>

/* Resources of one proxy that are remembered; of more the files stay as they are. */
enum { MUTED_MAX = 256 };

static void free_muted(struct muted *muted)
{
	free(muted->name);
	free(muted->path);
	free(muted->error);
	free(muted->policy);
}

void muting_end(struct proxy *proxy)
{
	for (size_t i = 0; i < proxy->muted_count; i++)
		free_muted(&proxy->muted[i]);
	free(proxy->muted);
	proxy->muted = NULL;
	proxy->muted_count = 0;
	envoy_config_drop(&proxy->loud);
	envoy_config_drop(&proxy->quiet);
}

/* Envoy's own words, between whose quotes the path stands. */
char *muting_path(const char *nack)
{
	static const char WORDS[] = "unable to open file '";
	const char *at = nack != NULL ? strstr(nack, WORDS) : NULL;

	if (at == NULL)
		return NULL;
	at += sizeof(WORDS) - 1;
	const char *end = strstr(at, "':");
	return zl_strndup(at, end != NULL ? (size_t)(end - at) : 0);
}

static struct muted *find(const struct proxy *proxy, enum envoy_type type,
			  const char *name, const char *path)
{
	for (size_t i = 0; i < proxy->muted_count; i++) {
		struct muted *at = &proxy->muted[i];
		if (at->type == type && strcmp(at->name, name) == 0 &&
		    strcmp(at->path, path) == 0)
			return at;
	}
	return NULL;
}

bool muting_take(struct proxy *proxy, const struct xds_resource_status *what)
{
	char *path = muting_path(what->nack);

	if (path == NULL || proxy->muted_count == MUTED_MAX ||
	    find(proxy, what->type, what->name, path) != NULL) {
		free(path);
		return false;
	}
	proxy->muted =
		zl_realloc(proxy->muted, proxy->muted_count + 1, sizeof(*proxy->muted));
	proxy->muted[proxy->muted_count++] =
		(struct muted){ .type = what->type,
				.name = zl_strdup(what->name),
				.path = path,
				.error = zl_strdup(what->nack),
				.policy = zl_strdup("") };
	zl_log(ZL_WARN, "xds",
	       "a file cannot be opened; what names it is sent without it",
	       "proxy=%q resource=%q file=%q", proxy->id, what->name, path);
	return true;
}

/* ---- whose file it is ---- */

static const struct applied *applied_of(const struct settings *settings, enum kind kind)
{
	for (size_t i = 0; i < settings->applied_count; i++)
		if (settings->applied[i].kind == kind)
			return &settings->applied[i];
	return NULL;
}

static bool logs_to(const struct log_conf *conf, const char *path)
{
	for (size_t i = 0; conf != NULL && i < conf->count; i++)
		if (conf->backends[i].type == LOG_FILE &&
		    strcmp(conf->backends[i].path, path) == 0)
			return true;
	return false;
}

/* The policy that names path; NULL: none here. */
static const struct resource *policy_in(const struct settings *settings, const char *path)
{
	const struct applied *applied = NULL;

	if (settings == NULL)
		return NULL;
	if (logs_to(settings->log, path))
		applied = applied_of(settings, KIND_MESH_ACCESS_LOG);
	else if (settings->health != NULL && settings->health->event_log != NULL &&
		 strcmp(settings->health->event_log, path) == 0)
		applied = applied_of(settings, KIND_MESH_HEALTH_CHECK);
	return applied != NULL ? applied->policy.policy : NULL;
}

static const struct resource *policy_of_backends(const struct backend *backends,
						 size_t count, const char *path)
{
	const struct resource *found = NULL;

	for (size_t i = 0; i < count && found == NULL; i++)
		found = policy_in(backends[i].settings, path);
	return found;
}

static const struct resource *policy_of_outbound(const struct outbound_route *outbound,
						 const char *path)
{
	const struct resource *found = policy_in(outbound->settings, path);

	if (found == NULL)
		found = policy_of_backends(outbound->backends, outbound->backend_count,
					   path);
	for (size_t i = 0; i < outbound->rule_count && found == NULL; i++)
		found = policy_of_backends(outbound->rules[i].backends,
					   outbound->rules[i].backend_count, path);
	return found;
}

static const struct resource *policy_of(const struct routes *routes, const char *path)
{
	const struct resource *found = NULL;

	for (size_t i = 0; i < routes->outbound_count && found == NULL; i++)
		found = policy_of_outbound(&routes->outbounds[i], path);
	for (size_t i = 0; i < routes->inbound_count && found == NULL; i++)
		found = policy_in(routes->inbounds[i].settings, path);
	for (size_t i = 0; i < routes->listener_count && found == NULL; i++) {
		const struct listener_route *listener = &routes->listeners[i];
		found = policy_in(listener->settings, path);
		if (found == NULL)
			found = policy_of_backends(listener->backends,
						   listener->backend_count, path);
	}
	return found;
}

/* ---- what is sent ---- */

static const char *version_in(const struct envoy_config *config, enum envoy_type type,
			      const char *name)
{
	const struct envoy_resource *found = envoy_config_find(config, type, name);

	return found != NULL ? found->version : "";
}

/* True if some resource of loud differs in quiet and, beside that, in now. now NULL: if
 * one differs in quiet. */
static bool differs(const struct envoy_config *loud, const struct envoy_config *quiet,
		    const struct envoy_config *now)
{
	for (int type = 0; type < ENVOY_TYPES; type++) {
		size_t count;
		const struct envoy_resource *list =
			envoy_config_list(loud, (enum envoy_type)type, &count);
		for (size_t i = 0; i < count; i++) {
			const char *version = list[i].version;
			const char *name = list[i].name;
			if (strcmp(version_in(quiet, list[i].type, name), version) != 0 &&
			    (now == NULL ||
			     strcmp(version_in(now, list[i].type, name), version) != 0))
				return true;
		}
	}
	return false;
}

static void name_policies(struct proxy *proxy, const struct routes *routes)
{
	for (size_t i = 0; i < proxy->muted_count; i++) {
		const struct resource *policy = policy_of(routes, proxy->muted[i].path);
		free(proxy->muted[i].policy);
		proxy->muted[i].policy =
			policy != NULL ? zl_format("%s \"%s\"",
						   kind_info(policy->key.kind)->name,
						   policy->key.name)
				       : zl_strdup("");
	}
}

struct envoy_config *muting_config(const struct proxy *proxy, const struct routes *routes,
				   const struct envoy_secrets *secrets)
{
	const char *paths[MUTED_MAX];
	const struct envoy_mute mute = { paths, proxy->muted_count };

	for (size_t i = 0; i < proxy->muted_count; i++)
		paths[i] = proxy->muted[i].path;
	return envoy_build_muted(routes, secrets, &mute);
}

void muting_apply(struct proxy *proxy, const struct routes *routes,
		  const struct envoy_secrets *secrets, struct envoy_config **config)
{
	struct envoy_config *quiet;

	if (proxy->muted_count == 0)
		return;
	if (proxy->loud != NULL && differs(proxy->loud, proxy->quiet, *config)) {
		muting_end(proxy);
		return;
	}
	quiet = muting_config(proxy, routes, secrets);
	if (!differs(*config, quiet, NULL)) { /* nobody names the files now */
		envoy_config_drop(&quiet);
		muting_end(proxy);
		return;
	}
	name_policies(proxy, routes);
	envoy_config_drop(&proxy->loud);
	envoy_config_drop(&proxy->quiet);
	proxy->loud = *config;
	proxy->quiet = envoy_config_hold(quiet);
	*config = quiet;
}

const struct proxies_mute *proxies_mutes(const struct proxies *proxies, const char *id,
					 struct zl_arena *arena, size_t *count)
{
	struct proxies_mute *list;
	const struct proxy *proxy;
	size_t room = 0;

	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next)
		room += proxy->muted_count;
	list = zl_arena_alloc(arena, room, sizeof(*list));
	*count = 0;
	for (proxy = proxies->all; proxy != NULL; proxy = proxy->hh.next) {
		if (id != NULL && strcmp(id, proxy->id) != 0)
			continue;
		for (size_t i = 0; i < proxy->muted_count; i++) {
			const struct muted *from = &proxy->muted[i];
			list[(*count)++] = (struct proxies_mute){
				.proxy = zl_arena_strdup(arena, proxy->id),
				.type = from->type,
				.resource = zl_arena_strdup(arena, from->name),
				.path = zl_arena_strdup(arena, from->path),
				.policy = zl_arena_strdup(arena, from->policy),
				.error = zl_arena_strdup(arena, from->error),
			};
		}
	}
	return list;
}
