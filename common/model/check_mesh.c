/* The rules of Mesh: kinds-spec 1. */
#include "model/checks.h"
#include "model/log_format.h"
#include "model/schemas.h"
#include "model/source.h"

#include "base/span.h"

#include <stdlib.h>
#include <string.h>

enum { BACKENDS_MAX = 2, CERT_NAME_MAX = 255 };

static void check_duration(struct decode *dec, const struct path *at,
			   const struct tree *object, const char *field, uint64_t least)
{
	const struct tree *value = tree_get(object, field);
	uint64_t ms = 0;

	if (value == NULL || value->type != TREE_TEXT)
		return;
	if (strcmp(value->text, "0") != 0 && !zl_span_ms(value->text, &ms))
		decode_bad(dec, at, field, value, "has to be a valid format");
	else if (ms < least)
		decode_bad(dec, at, field, value, "must be at least 1m");
}

static void check_source(struct decode *dec, const struct tree *conf,
			 const struct path *at, const char *field)
{
	const struct tree *source = tree_get(conf, field);
	struct path here = { .up = at, .name = field };

	if (source == NULL)
		decode_bad(dec, at, field, conf, "has to be defined");
	else if (source->type == TREE_MAP)
		check_one_source(dec, source, &here,
				 "data source has to be chosen. Available sources: "
				 "secret, inline");
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

/* Without an authority no proxy would have an identity, and none would listen. */
static void check_alone(struct decode *dec, const struct tree *tree,
			const struct path *at, const struct mesh_backend *signer)
{
	bool builtin = strcmp(signer->type, "builtin") == 0;

	if (builtin || signer->conf.cert.secret[0] != '\0' ||
	    signer->conf.key.secret[0] != '\0')
		decode_bad(dec, at, "enabledBackend", tree_get(tree, "enabledBackend"),
			   "the authority of \"%s\" %s, and a zone that runs alone keeps "
			   "no Secrets: let the zone follow a global, or give a provided "
			   "authority inline",
			   signer->name,
			   builtin ? "is made by global" : "is in a Secret");
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
	if (dec->alone && mesh_signer(mesh) != NULL)
		check_alone(dec, tree, at, mesh_signer(mesh));
	if (!found)
		decode_bad(dec, at, "enabledBackend", tree_get(tree, "enabledBackend"),
			   "has to be set to one of the backends in the mesh");
}

/* ---- logging ---- */
static void check_log_conf(struct decode *dec, const struct tree *tree,
			   const struct path *at, const struct mesh_log *log)
{
	struct path here = { .up = at, .name = "conf" };
	const struct tree *conf = tree_get(tree, "conf");
	const char *field = log->tcp ? "address" : "path";
	const char *text = log->tcp ? log->address : log->path;
	const struct tree *value = tree_get(conf, field);
	const struct tree *other = tree_get(conf, log->tcp ? "path" : "address");

	if ((conf != NULL && conf->type != TREE_MAP) ||
	    is_mistyped(conf, field, TREE_TEXT))
		return;
	if (text[0] == '\0')
		decode_bad(dec, &here, field,
			   value != NULL  ? value
			   : conf != NULL ? conf
					  : tree,
			   "cannot be empty");
	else if (log->tcp && !log_address_is_valid(text))
		decode_bad(dec, &here, field, value, "has to be in format of HOST:PORT");
	else if (!log->tcp && !log_path_is_valid(text))
		decode_bad(dec, &here, field, value, "has to be an absolute path");
	if (other != NULL)
		decode_bad(dec, &here, log->tcp ? "path" : "address", other,
			   "must not be set with type %s", log->tcp ? "tcp" : "file");
}

void check_mesh_log(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	const struct mesh_log *log = made;
	const struct tree *name = tree_get(tree, "name");
	const struct tree *type = tree_get(tree, "type");
	const struct tree *format = tree_get(tree, "format");

	if (log->name[0] == '\0' && !is_mistyped(tree, "name", TREE_TEXT))
		decode_bad(dec, at, "name", name != NULL ? name : tree,
			   "cannot be empty");
	if (format != NULL && format->type == TREE_TEXT)
		log_format_check(dec, at, "format", format);
	if (type != NULL && type->type != TREE_TEXT)
		return;
	if (type != NULL && (log->tcp || strcmp(type->text, "file") == 0))
		check_log_conf(dec, tree, at, log);
	else
		decode_bad(dec, at, "type", type != NULL ? type : tree,
			   "unknown backend type. Available backends: \"tcp\", \"file\"");
}

void check_mesh_logging(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct mesh_spec *mesh = made;
	struct path list = { .up = at, .name = "backends" };
	bool found = mesh->log_backend[0] == '\0';

	for (size_t i = 0; i < mesh->log_count; i++) {
		const char *name = mesh->logs[i].name;
		struct path here = { .up = &list, .index = i };
		bool used = false;
		for (size_t j = 0; j < i && !used; j++)
			used = name[0] != '\0' && strcmp(mesh->logs[j].name, name) == 0;
		if (used)
			decode_bad(dec, &here, "name", tree_get(tree, "backends"),
				   "\"%s\" name is already used for another backend",
				   name);
		found = found || strcmp(name, mesh->log_backend) == 0;
	}
	if (!found)
		decode_bad(dec, at, "defaultBackend", tree_get(tree, "defaultBackend"),
			   "has to be set to one of the logging backend in mesh");
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
