/* The rules of Mesh: kinds-spec 1. */
#include "model/checks.h"
#include "model/schemas.h"

#include <stdlib.h>
#include <string.h>

enum { BACKENDS_MAX = 2, CERT_NAME_MAX = 255 };

/* One whole number and one unit of ms s m h d w y, or 0. False: no duration. */
static bool long_duration(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} UNITS[] = { { "ms", 1 },         { "s", 1000 },     { "m", 60000 },
		      { "h", 3600000 },    { "d", 86400000 }, { "w", 604800000 },
		      { "y", 31536000000 } };
	size_t digits = strspn(text, "0123456789");

	*ms = 0;
	if (strcmp(text, "0") == 0)
		return true;
	if (digits == 0 || digits > 9)
		return false;
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		if (strcmp(text + digits, UNITS[i].unit) != 0)
			continue;
		*ms = strtoull(text, NULL, 10) * UNITS[i].ms;
		return true;
	}
	return false;
}

static void check_duration(struct decode *dec, const struct path *at,
			   const struct tree *object, const char *field, uint64_t least)
{
	const struct tree *value = tree_get(object, field);
	uint64_t ms;

	if (value == NULL || value->type != TREE_TEXT)
		return;
	if (!long_duration(value->text, &ms))
		decode_bad(dec, at, field, value, "has to be a valid format");
	else if (ms < least)
		decode_bad(dec, at, field, value, "must be at least 1m");
}

/* Exactly one source. */
static void check_source(struct decode *dec, const struct tree *conf,
			 const struct path *at, const char *field)
{
	static const char *const SOURCES[] = { "secret", "inline", "inlineString" };
	const struct tree *source = tree_get(conf, field);
	size_t count = 0;

	if (source == NULL) {
		decode_bad(dec, at, field, conf, "has to be defined");
		return;
	}
	if (source->type != TREE_MAP)
		return;
	for (size_t i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++) {
		const struct tree *value = tree_get(source, SOURCES[i]);
		count += value != NULL &&
			 !(value->type == TREE_TEXT && value->text[0] == '\0');
	}
	if (count == 0 && tree_get(source, "file") == NULL)
		decode_bad(dec, at, field, source,
			   "data source has to be chosen. Available sources: secret, "
			   "inline");
	if (count > 1)
		decode_bad(dec, at, field, source, "must have only one source");
}

/* Fields that the other type of CA has. */
static void check_conf(struct decode *dec, const struct tree *tree, const struct path *at,
		       bool builtin)
{
	static const struct tree NO_CONF = { .type = TREE_MAP };
	struct path here = { .up = at, .name = "conf" };
	struct path ca_cert = { .up = &here, .name = "caCert" };
	const struct tree *conf = tree_get(tree, "conf");

	if (conf != NULL && conf->type != TREE_MAP)
		return;
	conf = conf != NULL ? conf : &NO_CONF;
	const char *const *foreign =
		builtin ? (const char *const[]){ "cert", "key", NULL }
			: (const char *const[]){ "caCert", NULL };
	for (; *foreign != NULL; foreign++)
		if (tree_get(conf, *foreign) != NULL)
			decode_bad(dec, &here, *foreign, tree_get(conf, *foreign),
				   "must not be set with type %s",
				   builtin ? "builtin" : "provided");
	if (builtin) {
		check_duration(dec, &ca_cert, tree_get(conf, "caCert"), "expiration", 0);
	} else {
		check_source(dec, conf, &here, "cert");
		check_source(dec, conf, &here, "key");
	}
}

static void check_backend_name(struct decode *dec, const struct tree *tree,
			       const struct path *at, const char *name)
{
	size_t len = strlen(dec->name) + strlen(".ca-builtin-cert-") + strlen(name);
	const struct tree *where = tree_get(tree, "name");

	if (where == NULL || where->type != TREE_TEXT)
		return;
	if (!name_is_dns(name))
		decode_bad(dec, at, "name", where, "\"%s\" name must be valid dns name",
			   name);
	else if (len > CERT_NAME_MAX)
		decode_bad(dec, at, "name", where,
			   "\"%s\" name is too long: the name of its Secret, "
			   "%s.ca-builtin-cert-%s, must have at most 255 characters",
			   name, dec->name, name);
}

void check_mesh_backend(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct mesh_backend *backend = made;
	bool builtin = strcmp(backend->type, "builtin") == 0;
	const struct tree *type = tree_get(tree, "type");
	struct path dp_cert = { .up = at, .name = "dpCert" };
	struct path rotation = { .up = &dp_cert, .name = "rotation" };

	check_backend_name(dec, tree, at, backend->name);
	if (type == NULL || type->type != TREE_TEXT)
		return;
	check_duration(dec, &rotation, tree_get(tree_get(tree, "dpCert"), "rotation"),
		       "expiration", 60000);
	if (builtin || strcmp(backend->type, "provided") == 0)
		check_conf(dec, tree, at, builtin);
	else
		decode_bad(dec, at, "type", type,
			   "could not find installed plugin for this type");
}

void check_mesh_mtls(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	const struct mesh_spec *mesh = made;
	struct path list = { .up = at, .name = "backends" };
	bool found = mesh->mtls_backend[0] == '\0';

	if (mesh->backend_count > BACKENDS_MAX)
		decode_bad(dec, &list, NULL, tree_get(tree, "backends"),
			   "cannot have more than 2 backends");
	for (size_t i = 0; i < mesh->backend_count; i++) {
		const char *name = mesh->backends[i].name;
		struct path here = { .up = &list, .index = i };
		bool used = false;
		for (size_t j = 0; j < i && j <= BACKENDS_MAX; j++)
			used = used || strcmp(mesh->backends[j].name, name) == 0;
		if (used && name[0] != '\0')
			decode_bad(dec, &here, "name", tree_get(tree, "backends"),
				   "\"%s\" name is already used for another backend",
				   name);
		found = found || strcmp(name, mesh->mtls_backend) == 0;
	}
	if (!found)
		decode_bad(dec, at, "enabledBackend", tree_get(tree, "enabledBackend"),
			   "has to be set to one of the backends in the mesh");
}

void check_mesh(struct decode *dec, const struct tree *tree, const struct path *at,
		const void *made)
{
	const struct mesh_spec *mesh = made;
	const struct tree *where = tree_get(tree, "mtls");

	if (mesh->zone_egress && mesh->mtls_backend[0] == '\0')
		decode_bad(dec, at, "mtls", where != NULL ? where : tree,
			   "has to be set when zoneEgress enabled");
}
