/* A session and a model of Envoy, with chance between them: configs change, messages
 * wait, resources are refused, streams break. In between nothing may be cut, at the end
 * both must agree. */
#include "base/bytes.h"
#include "base/mem.h"
#include "proto/envoy.pb-c.h"
#include "support/seeds.h"
#include "support/test.h"
#include "zone/xds/grpc_frame.h"
#include "zone/xds/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLUSTERS = 5, LISTENERS = 3, QUEUE = 64, EVENTS = 60 };

struct cluster {
	char version[17]; /* "": it has none */
	char endpoints[17];
	bool answered; /* its endpoints came since it was added or changed */
	bool warm;     /* ... and were found to be well, or not */
	bool usable;   /* in this version or an older one */
	bool refused;
};

struct listener {
	char version[17];
	char split[17];
	unsigned targets; /* bits: clusters that the split names */
};

struct asked {
	enum envoy_type type;
	bool refuses, wildcard, initial;
	char nonce[24];
	unsigned subscribe, unsubscribe; /* bits: clusters or listeners */
};

struct world {
	struct dice dice;
	struct xds_counts counts;
	struct xds_session *session;
	struct envoy_config *config;
	uint64_t revision;
	bool settled;
	struct zl_buf to_envoy[QUEUE];
	size_t to_envoy_count;
	struct asked to_server[QUEUE];
	size_t to_server_count;
	struct cluster clusters[CLUSTERS];
	struct listener listeners[LISTENERS];
	bool asked_for[ENVOY_TYPES]; /* on this stream */
	bool had_listeners;          /* all clusters were warm once */
	bool late_clusters;          /* CDS is not asked for while a cluster warms */
	char late_ack[24];           /* of CDS, while a cluster warms */
	const char *wrong;
};

static const char *const CLUSTER_NAMES[] = { "c0", "c1", "c2", "c3", "c4" };
static const char *const LISTENER_NAMES[] = { "l0", "l1", "l2" };

static const char *name_of(enum envoy_type type, size_t i)
{
	if (type == ENVOY_CLUSTER || type == ENVOY_ENDPOINTS)
		return CLUSTER_NAMES[i];
	return i < LISTENERS ? LISTENER_NAMES[i] : "";
}

static size_t index_of(const char *name)
{
	return (size_t)(name[1] - '0');
}

static bool wrong(struct world *world, bool is, const char *what)
{
	if (is && world->wrong == NULL)
		world->wrong = what;
	return is;
}

/* ---- configs ------------------------------------------------------------------------
 */

static void add(struct envoy_resource *list, size_t *count, struct zl_arena *arena,
		enum envoy_type type, size_t i, const char *bytes)
{
	list[(*count)++] =
		(struct envoy_resource){ .type = type,
					 .name = name_of(type, i),
					 .bytes = zl_arena_strdup(arena, bytes),
					 .len = strlen(bytes) };
}

/* A split in bytes: "c1 c3 v2", perhaps "bad". Listeners and clusters change seldom. */
static void new_config(struct world *world, bool may_be_bad)
{
	struct zl_arena *arena = zl_arena_new();
	struct envoy_resource list[2 * CLUSTERS + 2 * LISTENERS];
	struct dice *dice = &world->dice;
	size_t count = 0;
	unsigned there = (unsigned)dice_below(dice, 1U << CLUSTERS);
	char bytes[64];

	for (size_t i = 0; i < CLUSTERS; i++) {
		if ((there >> i & 1) == 0)
			continue;
		(void)snprintf(bytes, sizeof(bytes), "%u%s",
			       (unsigned)dice_below(dice, 2),
			       may_be_bad && dice_chance(dice, 5) ? " bad" : "");
		add(list, &count, arena, ENVOY_CLUSTER, i, bytes);
		(void)snprintf(bytes, sizeof(bytes), "e%u",
			       (unsigned)dice_below(dice, 3));
		add(list, &count, arena, ENVOY_ENDPOINTS, i, bytes);
	}
	for (size_t i = 0; i < LISTENERS; i++) {
		if (dice_chance(dice, 20))
			continue;
		add(list, &count, arena, ENVOY_LISTENER, i,
		    dice_chance(dice, 10) ? "l2" : "l1");
		size_t len = (size_t)snprintf(
			bytes, sizeof(bytes), "v%u%s", (unsigned)dice_below(dice, 3),
			may_be_bad && dice_chance(dice, 5) ? " bad" : "");
		for (size_t c = 0; c < CLUSTERS; c++)
			if ((there >> c & 1) != 0 && dice_chance(dice, 50))
				len += (size_t)snprintf(bytes + len, sizeof(bytes) - len,
							" %s", CLUSTER_NAMES[c]);
		add(list, &count, arena, ENVOY_EXTENSION, i, bytes);
	}
	envoy_config_drop(&world->config);
	world->config = envoy_config_new(list, count);
	world->settled = false;
	xds_session_config(world->session, world->config, ++world->revision);
	zl_arena_free(&arena);
}

/* ---- the model of Envoy ---------------------------------------------------------------
 */

static struct asked *ask(struct world *world, enum envoy_type type)
{
	static struct asked none;

	if (wrong(world, world->to_server_count == QUEUE, "Envoy has too much to say"))
		return &none;
	struct asked *asked = &world->to_server[world->to_server_count++];
	*asked = (struct asked){ .type = type };
	world->asked_for[type] = true;
	return asked;
}

static bool all_warm(const struct world *world)
{
	for (size_t i = 0; i < CLUSTERS; i++)
		if (world->clusters[i].version[0] != '\0' && !world->clusters[i].warm)
			return false;
	return true;
}

static bool is_bad(const Envoy__Resource *resource)
{
	return memmem(resource->resource->value.data, resource->resource->value.len,
		      "bad", 3) != NULL;
}

static unsigned targets_of(const Envoy__Resource *resource)
{
	unsigned targets = 0;

	for (size_t c = 0; c < CLUSTERS; c++)
		if (memmem(resource->resource->value.data, resource->resource->value.len,
			   CLUSTER_NAMES[c], 2) != NULL)
			targets |= 1U << c;
	return targets;
}

static void warm_up(struct cluster *cluster)
{
	cluster->warm = cluster->usable = true;
}

static bool take_clusters(struct world *world, const Envoy__DeltaDiscoveryResponse *from)
{
	bool refused = false;

	for (size_t i = 0; i < from->n_resources; i++) {
		size_t c = index_of(from->resources[i]->name);
		struct cluster *cluster = &world->clusters[c];
		if (is_bad(from->resources[i])) {
			refused = cluster->refused = true;
			continue;
		}
		if (cluster->version[0] == '\0')
			ask(world, ENVOY_ENDPOINTS)->subscribe = 1U << c;
		cluster->answered = cluster->warm = cluster->refused = false;
		(void)snprintf(cluster->version, 17, "%s", from->resources[i]->version);
	}
	for (size_t i = 0; i < from->n_removed_resources; i++) {
		size_t c = index_of(from->removed_resources[i]);
		for (size_t l = 0; l < LISTENERS; l++)
			wrong(world,
			      world->listeners[l].version[0] != '\0' &&
				      (world->listeners[l].targets >> c & 1) != 0,
			      "a cluster went that a split still names");
		if (world->clusters[c].version[0] != '\0')
			ask(world, ENVOY_ENDPOINTS)->unsubscribe = 1U << c;
		world->clusters[c] = (struct cluster){ 0 };
	}
	return refused;
}

static bool take_endpoints(struct world *world, const Envoy__DeltaDiscoveryResponse *from)
{
	for (size_t i = 0; i < from->n_resources; i++) {
		struct cluster *cluster =
			&world->clusters[index_of(from->resources[i]->name)];
		if (cluster->version[0] == '\0')
			continue; /* not watched */
		cluster->answered = true;
		if (dice_chance(&world->dice, 50)) /* there is nothing to be checked */
			warm_up(cluster);
		(void)snprintf(cluster->endpoints, 17, "%s", from->resources[i]->version);
	}
	return false;
}

static bool take_listeners(struct world *world, const Envoy__DeltaDiscoveryResponse *from)
{
	for (size_t i = 0; i < from->n_resources; i++) {
		size_t l = index_of(from->resources[i]->name);
		struct listener *listener = &world->listeners[l];
		if (listener->version[0] == '\0')
			ask(world, ENVOY_EXTENSION)->subscribe = 1U << l;
		(void)snprintf(listener->version, 17, "%s", from->resources[i]->version);
	}
	for (size_t i = 0; i < from->n_removed_resources; i++) {
		size_t l = index_of(from->removed_resources[i]);
		if (world->listeners[l].version[0] != '\0')
			ask(world, ENVOY_EXTENSION)->unsubscribe = 1U << l;
		world->listeners[l] = (struct listener){ 0 };
	}
	return false;
}

/* Those after the bad one are not applied. */
static bool take_extensions(struct world *world,
			    const Envoy__DeltaDiscoveryResponse *from)
{
	wrong(world, from->n_removed_resources > 0, "an extension was removed");
	for (size_t i = 0; i < from->n_resources; i++) {
		struct listener *listener =
			&world->listeners[index_of(from->resources[i]->name)];
		if (is_bad(from->resources[i]))
			return true;
		if (listener->version[0] == '\0')
			continue;
		(void)snprintf(listener->split, 17, "%s", from->resources[i]->version);
		listener->targets = targets_of(from->resources[i]);
		for (size_t c = 0; c < CLUSTERS; c++)
			wrong(world,
			      (listener->targets >> c & 1) != 0 &&
				      !world->clusters[c].usable &&
				      !world->clusters[c].refused,
			      "a split names a cluster that is not warm");
	}
	return false;
}

/* All clusters are warm: what waited for that is said. */
static void end_warming(struct world *world)
{
	struct asked *asked;

	if (!all_warm(world))
		return;
	if (world->late_clusters) {
		asked = ask(world, ENVOY_CLUSTER);
		asked->wildcard = asked->initial = true;
		world->late_clusters = false;
	}
	if (world->late_ack[0] != '\0')
		memcpy(ask(world, ENVOY_CLUSTER)->nonce, world->late_ack,
		       sizeof(world->late_ack));
	world->late_ack[0] = '\0';
	if (!world->had_listeners)
		ask(world, ENVOY_LISTENER)->wildcard = true;
	world->had_listeners = true;
}

/* The first checks of a cluster's endpoints have an end. */
static bool warm_one(struct world *world)
{
	for (size_t i = 0; i < CLUSTERS; i++) {
		struct cluster *cluster = &world->clusters[i];
		if (!cluster->answered || cluster->warm)
			continue;
		warm_up(cluster);
		end_warming(world);
		return true;
	}
	return false;
}

static void envoy_takes(struct world *world, const struct zl_buf *message)
{
	Envoy__DeltaDiscoveryResponse *from = envoy__delta_discovery_response__unpack(
		NULL, message->len, (const uint8_t *)message->data);
	enum envoy_type type = envoy_type_of(from->type_url);
	bool refused = false;

	if (!world->asked_for[type]) { /* dropped, and not acknowledged */
		envoy__delta_discovery_response__free_unpacked(from, NULL);
		return;
	}
	if (type == ENVOY_CLUSTER)
		refused = take_clusters(world, from);
	else if (type == ENVOY_ENDPOINTS)
		refused = take_endpoints(world, from);
	else if (type == ENVOY_LISTENER)
		refused = take_listeners(world, from);
	else
		refused = take_extensions(world, from);
	if (type == ENVOY_CLUSTER && !refused) {
		wrong(world, world->late_ack[0] != '\0', "two CDS responses in flight");
		(void)snprintf(world->late_ack, sizeof(world->late_ack), "%s",
			       from->nonce);
	} else {
		struct asked *asked = ask(world, type);
		(void)snprintf(asked->nonce, sizeof(asked->nonce), "%s", from->nonce);
		asked->refuses = refused;
	}
	end_warming(world);
	envoy__delta_discovery_response__free_unpacked(from, NULL);
}

static unsigned names_that_envoy_has(const struct world *world, enum envoy_type type)
{
	unsigned names = 0;

	if (type == ENVOY_ENDPOINTS)
		for (size_t i = 0; i < CLUSTERS; i++)
			names |= (unsigned)(world->clusters[i].version[0] != '\0') << i;
	else
		for (size_t i = 0; i < LISTENERS; i++)
			names |= (unsigned)(world->listeners[i].version[0] != '\0') << i;
	return names;
}

/* A new stream: what Envoy has is known to the server only from what it says. */
static void reconnect(struct world *world)
{
	xds_session_free(&world->session);
	world->session = xds_session_new(&world->counts);
	for (size_t i = 0; i < world->to_envoy_count; i++)
		zl_buf_free(&world->to_envoy[i]);
	world->to_envoy_count = world->to_server_count = 0;
	memset(world->asked_for, 0, sizeof(world->asked_for));
	world->late_ack[0] = '\0';
	world->settled = false;
	for (size_t i = 0; i < CLUSTERS; i++) {
		struct cluster *cluster = &world->clusters[i];
		/* Envoy takes the endpoints that it knows, after 15 s. */
		cluster->answered = cluster->endpoints[0] != '\0';
		cluster->refused = false;
	}
	world->late_clusters = !all_warm(world);
	for (int type = 0; type < ENVOY_TYPES; type++) {
		unsigned names = names_that_envoy_has(world, (enum envoy_type)type);
		bool all = (type == ENVOY_CLUSTER && !world->late_clusters) ||
			   (type == ENVOY_LISTENER && world->had_listeners);
		bool some = (type == ENVOY_ENDPOINTS || type == ENVOY_EXTENSION) &&
			    names != 0;
		if (!all && !some)
			continue;
		struct asked *asked = ask(world, (enum envoy_type)type);
		asked->wildcard = all;
		asked->initial = true;
		asked->subscribe = all ? 0 : names;
	}
	if (world->config != NULL)
		xds_session_config(world->session, world->config, world->revision);
}

/* ---- between them ---------------------------------------------------------------------
 */

static size_t names_in(enum envoy_type type, unsigned bits, const char **names)
{
	size_t count = 0;

	for (size_t i = 0; i < CLUSTERS; i++)
		if ((bits >> i & 1) != 0)
			names[count++] = name_of(type, i);
	return count;
}

static size_t versions_of(const struct world *world, enum envoy_type type,
			  struct xds_named_version *to)
{
	size_t count = 0;

	for (size_t i = 0; i < CLUSTERS; i++) {
		const char *version = "";
		if (type == ENVOY_CLUSTER)
			version = world->clusters[i].version;
		else if (type == ENVOY_ENDPOINTS)
			version = world->clusters[i].endpoints;
		else if (i < LISTENERS)
			version = type == ENVOY_LISTENER ? world->listeners[i].version
							 : world->listeners[i].split;
		if (version[0] != '\0')
			to[count++] =
				(struct xds_named_version){ name_of(type, i), version };
	}
	return count;
}

static void server_takes(struct world *world, const struct asked *asked)
{
	const char *subscribe[CLUSTERS];
	const char *unsubscribe[CLUSTERS];
	struct xds_named_version initial[CLUSTERS];
	struct xds_request request = {
		.type_url = envoy_type_url(asked->type),
		.nonce = asked->nonce,
		.refuses = asked->refuses,
		.reason = "bad",
		.subscribe = subscribe,
		.subscribe_count = names_in(asked->type, asked->subscribe, subscribe),
		.unsubscribe = unsubscribe,
		.unsubscribe_count =
			names_in(asked->type, asked->unsubscribe, unsubscribe),
		.initial = initial,
		.initial_count =
			asked->initial ? versions_of(world, asked->type, initial) : 0
	};
	struct zl_err err;

	if (xds_session_request(world->session, &request, 1, &err) != ZL_OK)
		wrong(world, true, "a request was refused");
}

/* What is checked as it leaves: no name twice. */
static void check_sent(struct world *world, const Envoy__DeltaDiscoveryResponse *sent)
{
	for (size_t i = 0; i < sent->n_resources; i++) {
		const char *name = sent->resources[i]->name;
		for (size_t j = 0; j < i; j++)
			wrong(world, strcmp(name, sent->resources[j]->name) == 0,
			      "a name came twice");
		for (size_t j = 0; j < sent->n_removed_resources; j++)
			wrong(world, strcmp(name, sent->removed_resources[j]) == 0,
			      "a name came and went");
	}
}

static void flush(struct world *world)
{
	struct zl_buf out = { 0 };
	struct xds_resource_status what;
	uint64_t revision;
	size_t at = 0;

	xds_session_flush(world->session, &out, 1);
	while (at < out.len) {
		const uint8_t *message = (const uint8_t *)out.data + at + XDS_FRAME_HEAD;
		size_t len = zl_get_be32(message - 4);
		Envoy__DeltaDiscoveryResponse *sent =
			envoy__delta_discovery_response__unpack(NULL, len, message);
		check_sent(world, sent);
		envoy__delta_discovery_response__free_unpacked(sent, NULL);
		if (!wrong(world, world->to_envoy_count == QUEUE, "too much in flight"))
			zl_buf_add(&world->to_envoy[world->to_envoy_count++], message,
				   len);
		at += XDS_FRAME_HEAD + len;
	}
	zl_buf_free(&out);
	while (xds_session_take_refused(world->session, &what))
		wrong(world, what.nack == NULL, "refused without a reason");
	if (xds_session_settled(world->session, &revision))
		world->settled = revision == world->revision;
}

static bool deliver_to_envoy(struct world *world)
{
	if (world->to_envoy_count == 0)
		return false;
	struct zl_buf message = world->to_envoy[0];
	world->to_envoy_count--;
	memmove(world->to_envoy, world->to_envoy + 1,
		world->to_envoy_count * sizeof(message));
	world->to_envoy[world->to_envoy_count] = (struct zl_buf){ 0 };
	envoy_takes(world, &message);
	zl_buf_free(&message);
	return true;
}

static bool deliver_to_server(struct world *world)
{
	if (world->to_server_count == 0)
		return false;
	struct asked asked = world->to_server[0];
	world->to_server_count--;
	memmove(world->to_server, world->to_server + 1,
		world->to_server_count * sizeof(asked));
	server_takes(world, &asked);
	if (world->to_server_count == 0 || dice_chance(&world->dice, 50))
		flush(world);
	return true;
}

/* ---- the end --------------------------------------------------------------------------
 */

static bool agrees(const struct world *world, enum envoy_type type, size_t i,
		   const char *version)
{
	const struct envoy_resource *want =
		envoy_config_find(world->config, type, name_of(type, i));

	return strcmp(want != NULL ? want->version : "", version) == 0;
}

static void check_end(struct world *world)
{
	for (size_t i = 0; i < CLUSTERS; i++) {
		const struct cluster *cluster = &world->clusters[i];
		wrong(world, !agrees(world, ENVOY_CLUSTER, i, cluster->version),
		      "a cluster differs at the end");
		wrong(world, !agrees(world, ENVOY_ENDPOINTS, i, cluster->endpoints),
		      "endpoints differ at the end");
	}
	for (size_t i = 0; i < LISTENERS; i++) {
		const struct listener *listener = &world->listeners[i];
		wrong(world, !agrees(world, ENVOY_LISTENER, i, listener->version),
		      "a listener differs at the end");
		wrong(world, !agrees(world, ENVOY_EXTENSION, i, listener->split),
		      "a split differs at the end");
	}
	wrong(world, !all_warm(world), "a cluster warms for ever");
	wrong(world, !world->settled, "not settled at the end");
}

static const char *run(uint64_t seed)
{
	struct world world = { .dice = { seed } };
	struct dice *dice = &world.dice;

	world.session = xds_session_new(&world.counts);
	reconnect(&world);
	for (int i = 0; i < EVENTS && world.wrong == NULL; i++) {
		uint64_t chance = dice_below(dice, 100);
		if (chance < 15)
			new_config(&world, true);
		else if (chance < 18)
			reconnect(&world);
		else if (chance < 25)
			(void)warm_one(&world);
		else if (chance < 60)
			(void)deliver_to_envoy(&world);
		else
			(void)deliver_to_server(&world);
		if (chance < 15)
			flush(&world);
	}
	new_config(&world, false);
	flush(&world);
	for (int i = 0; i < 1000 && world.wrong == NULL; i++)
		if (!deliver_to_envoy(&world) && !deliver_to_server(&world) &&
		    !warm_one(&world))
			break;
	if (world.wrong == NULL)
		check_end(&world);
	for (size_t i = 0; i < world.to_envoy_count; i++)
		zl_buf_free(&world.to_envoy[i]);
	xds_session_free(&world.session);
	envoy_config_drop(&world.config);
	wrong(&world, world.counts.pending_acks != 0, "responses are counted wrongly");
	return world.wrong;
}

static void all_seeds_converge(void **state)
{
	(void)state;
	seeds_run(10000, run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_seeds_converge),
	};
	return cmocka_run_group_tests_name("converge", tests, NULL, NULL);
}
