#include "convert/words.h"

#include <string.h>

/* ---- the words of each protocol, one over the other ---- */
static struct tree *member_of(struct tree *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->members[i].key, key) == 0)
			return map->members[i].value;
	return NULL;
}

/* Add what other says. False: it says something else of a member. */
static bool add_words(struct tree *made, const struct tree *other, struct zl_arena *arena)
{
	for (size_t i = 0; other != NULL && i < other->count; i++) {
		const struct tree_member *member = &other->members[i];
		struct tree *mine = member_of(made, member->key);
		if (mine == NULL)
			tree_set(arena, made, member->key,
				 tree_copy(member->value, arena));
		else if (mine->type == TREE_MAP && member->value->type == TREE_MAP) {
			if (!add_words(mine, member->value, arena))
				return false;
		} else if (!tree_equal(mine, member->value)) {
			return false;
		}
	}
	return true;
}

/* ---- Timeout: three sections become one and a half ---- */
static void add_note(struct words *words, const char *text)
{
	if (words->note_count < WORD_NOTES_MAX)
		words->notes[words->note_count++] = text;
}

static void check_times(struct words *words, const struct tree *conf,
			struct zl_arena *arena)
{
	static const char *const OF_STREAMS[] = { "streamIdleTimeout",
						  "maxStreamDuration" };
	const struct tree *http = tree_get(conf, "http");
	const struct tree *grpc = tree_get(conf, "grpc");
	const struct tree *of_tcp = tree_get(tree_get(conf, "tcp"), "idleTimeout");
	const struct tree *of_http = tree_get(http, "idleTimeout");

	if (of_tcp != NULL && of_http != NULL && !tree_equal(of_tcp, of_http))
		words->why = "conf.tcp.idleTimeout and conf.http.idleTimeout differ, and "
			     "a MeshTimeout has one idleTimeout: write two policies for "
			     "the destinations of each protocol";
	else if ((of_tcp == NULL) != (of_http == NULL))
		add_note(words,
			 of_tcp != NULL
				 ? "idleTimeout, which was of tcp, is now of http too"
				 : "idleTimeout, which was of http, is now of tcp too");
	for (size_t i = 0; i < sizeof(OF_STREAMS) / sizeof(OF_STREAMS[0]); i++) {
		const struct tree *one = tree_get(http, OF_STREAMS[i]);
		const struct tree *other = tree_get(grpc, OF_STREAMS[i]);
		if (one != NULL && other != NULL && !tree_equal(one, other))
			words->why = zl_arena_format(
				arena,
				"conf.http.%s and conf.grpc.%s differ, and a MeshTimeout "
				"has one: write two policies for the destinations of "
				"each protocol",
				OF_STREAMS[i], OF_STREAMS[i]);
		else if (one == NULL && other != NULL)
			add_note(words,
				 zl_arena_format(arena,
						 "%s, which was of grpc, is now of http "
						 "and http2 too",
						 OF_STREAMS[i]));
	}
}

/* ---- CircuitBreaker ---- */

/* {} stood for Envoy's number. */
static void fill_detectors(struct tree *right, struct zl_arena *arena)
{
	enum { ENVOYS_NUMBER = 5 };
	static const char *const COUNTED[] = { "totalFailures", "gatewayFailures",
					       "localOriginFailures" };
	struct tree *detection = member_of(right, "outlierDetection");
	struct tree *detectors =
		detection != NULL ? member_of(detection, "detectors") : NULL;

	for (size_t i = 0; detectors != NULL && i < sizeof(COUNTED) / sizeof(COUNTED[0]);
	     i++) {
		struct tree *one = member_of(detectors, COUNTED[i]);
		if (one != NULL && one->count == 0)
			tree_set(arena, one, "consecutive",
				 tree_int(arena, ENVOYS_NUMBER));
	}
}

/* ---- TrafficLog ---- */
static const char *no_backend(const struct resource *policy, struct zl_arena *arena)
{
	const struct tree *name = tree_get(policy->legacy->conf, "backend");

	if (name == NULL)
		return zl_arena_format(arena,
				       "it names no backend, and no Mesh \"%s\" with "
				       "logging.defaultBackend is among the documents",
				       policy->key.mesh);
	return zl_arena_format(arena,
			       "no Mesh \"%s\" with a backend \"%s\" in logging.backends "
			       "is among the documents",
			       policy->key.mesh, name->text);
}

struct words words_of(const struct resource *policy, const struct mesh_spec *mesh,
		      struct zl_arena *arena)
{
	static const char *const PROTOCOLS[] = { "tcp", "http", "grpc" };
	struct tree *right = tree_map(arena);
	struct words words = { .right = right };

	if (policy->key.kind == KIND_TIMEOUT)
		check_times(&words, policy->legacy->conf, arena);
	for (size_t i = 0;
	     words.why == NULL && i < sizeof(PROTOCOLS) / sizeof(PROTOCOLS[0]); i++)
		if (!add_words(right, conf_of_legacy(policy, PROTOCOLS[i], mesh, arena),
			       arena))
			words.why = "what it says to protocols differs where the new "
				    "kind has one field";
	if (policy->key.kind == KIND_CIRCUIT_BREAKER)
		fill_detectors(right, arena);
	if (words.why == NULL && policy->key.kind == KIND_TRAFFIC_LOG &&
	    right->count == 0)
		words.why = no_backend(policy, arena);
	return words;
}
