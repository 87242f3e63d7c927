/* The rules of MeshExternalService and ExternalService: kinds-spec 8 and 9. */
#include "model/checks.h"
#include "model/schemas.h"
#include "model/source.h"

#include "base/addr.h"

#include <stdlib.h>
#include <string.h>

enum { SERVER_NAME_MAX = 255 }; /* what Envoy takes */

#define EXTERNAL_PORT_TEXT "port must be a valid (1-65535)"
#define VERSIONS_TEXT "[\"TLSAuto\", \"TLS10\", \"TLS11\", \"TLS12\", \"TLS13\"]"

/* True if field of tree is written as a text that is none of values. */
static bool is_odd(const struct tree *tree, const char *field, const char *const *values)
{
	const struct tree *value = tree_get(tree, field);

	if (value == NULL || value->type != TREE_TEXT)
		return false;
	for (; *values != NULL; values++)
		if (strcmp(*values, value->text) == 0)
			return false;
	return true;
}

/* ---- MeshExternalService ---- */
void check_external_match(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	static const char *const TYPES[] = { "HostnameGenerator", NULL };
	static const char *const PROTOCOLS[] = { "tcp", "grpc", "http", "http2", NULL };
	const struct tree *type = tree_get(tree, "type");

	(void)made;
	if (is_odd(tree, "type", TYPES))
		decode_bad(dec, at, "type", type,
			   "unrecognized type '%s' - only 'HostnameGenerator' is "
			   "supported",
			   type->text);
	check_range(dec, at, tree, "port", 1, 65535, EXTERNAL_PORT_TEXT);
	if (is_odd(tree, "protocol", PROTOCOLS))
		decode_bad(dec, at, "protocol", tree_get(tree, "protocol"),
			   "\"protocol\" must be one of [\"tcp\", \"grpc\", \"http\", "
			   "\"http2\"]");
}

void check_external_endpoint(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made)
{
	const struct external_address *endpoint = made;
	const struct tree *address = tree_get(tree, "address");

	if (address != NULL && address->type == TREE_TEXT &&
	    !zl_is_ip(endpoint->address) && !name_is_dns(endpoint->address))
		decode_bad(dec, at, "address", address,
			   "address has to be a valid IP or hostname");
	check_range(dec, at, tree, "port", 1, 65535, EXTERNAL_PORT_TEXT);
}

void check_tls_version(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made)
{
	static const char *const VERSIONS[] = { "TLSAuto", "TLS10", "TLS11",
						"TLS12",   "TLS13", NULL };
	const struct external_tls *tls = made;
	enum tls_version min = tls->min == TLS_AUTO ? TLS_12 : tls->min;
	enum tls_version max = tls->max == TLS_AUTO ? TLS_13 : tls->max;
	bool odd = false;

	for (int i = 0; i < 2; i++) {
		const char *field = i == 0 ? "min" : "max";
		if (!is_odd(tree, field, VERSIONS))
			continue;
		odd = true;
		decode_bad(dec, at, field, tree_get(tree, field),
			   "\"%s\" must be one of " VERSIONS_TEXT, field);
	}
	if (!odd && min > max)
		decode_bad(dec, at, "min", tree, "min version must be lower than max");
}

void check_tls_name(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	static const char *const TYPES[] = { "Exact", "Prefix", NULL };
	const struct tree *value = tree_get(tree, "value");

	(void)made;
	if (is_odd(tree, "type", TYPES))
		decode_bad(dec, at, "type", tree_get(tree, "type"),
			   "\"type\" must be one of [\"Prefix\", \"Exact\"]");
	/* Envoy refuses the cluster. */
	if (value != NULL && value->type == TREE_TEXT && value->text[0] == '\0')
		decode_bad(dec, at, "value", value, "must not be empty");
}

/* A certificate and its key come together. A key in the document is no secret. */
static void check_pair(struct decode *dec, const struct tree *tree, const struct path *at,
		       const struct external_tls *tls)
{
	const struct tree *cert = tree_get(tree, "clientCert");
	const struct tree *key = tree_get(tree, "clientKey");

	if (cert != NULL && key == NULL)
		decode_bad(dec, at, "clientKey", tree,
			   "must be defined when clientCert is defined");
	if (key != NULL && cert == NULL)
		decode_bad(dec, at, "clientCert", tree,
			   "must be defined when clientKey is defined");
	if (tls->key.text[0] != '\0')
		decode_warn(dec, at, "clientKey", key,
			    "a key in the document can be read by all who may read the "
			    "document: name a Secret instead");
}

void check_tls_verification(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	static const char *const MODES[] = { "Secured", "SkipSAN", "SkipCA", "SkipAll",
					     NULL };
	const struct external_tls *tls = made;
	const struct tree *mode = tree_get(tree, "mode");
	const struct tree *name = tree_get(tree, "serverName");

	if (is_odd(tree, "mode", MODES))
		decode_bad(dec, at, "mode", mode,
			   "\"mode\" must be one of [\"SkipSAN\", \"SkipCA\", "
			   "\"SkipAll\", \"Secured\"]");
	if (name != NULL && name->type == TREE_TEXT && !name_is_dns(tls->server_name))
		decode_bad(dec, at, "serverName", name, "must be a valid DNS name");
	check_pair(dec, tree, at, tls);
	if (tls->verify == VERIFY_SKIP_CA || tls->verify == VERIFY_SKIP_ALL)
		decode_warn(dec, at, "mode", mode,
			    "%s takes the certificate of anybody: what answers may be "
			    "something else",
			    mode->text);
}

void check_mesh_external(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct mesh_external_spec *spec = made;
	const struct tree *list = tree_get(tree, "endpoints");

	if (spec->endpoint_count == 0)
		decode_warn(dec, at, "endpoints", list != NULL ? list : tree,
			    "without endpoints every connection will be closed");
}

/* ---- ExternalService ---- */

/* Go's SplitHostPort, which Kuma reads them with: the colon of the port is the last, and
 * the only one outside brackets. */
static const char *split(const char *text, struct external_host *host, const char **port)
{
	bool bracket = text[0] == '[';
	const char *colon;

	host->name = text + bracket;
	if (bracket) {
		const char *end = strchr(text, ']');
		host->name_len = end != NULL ? (size_t)(end - host->name) : 0;
		colon = end != NULL && end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = strchr(text, ':');
		host->name_len = colon != NULL ? (size_t)(colon - text) : 0;
	}
	if (colon == NULL || strpbrk(colon + 1, ":[]") != NULL)
		return "unable to parse address";
	*port = colon + 1;
	return NULL;
}

const char *external_host_read(const char *text, struct external_host *host)
{
	char name[256] = "";
	const char *port = NULL;

	if (text[0] == '\0')
		return "address can't be empty";
	const char *fault = split(text, host, &port);
	if (fault != NULL)
		return fault;
	if (host->name_len < sizeof(name))
		memcpy(name, host->name, host->name_len);
	if (!zl_is_ip(name) && !name_is_dns(name))
		return "address has to be a valid IP address or a domain name";
	if (port[0] == '\0' || port[strspn(port, "0123456789")] != '\0')
		return "unable to parse port in address";
	host->port = strlen(port) <= 9 ? (uint32_t)strtoul(port, NULL, 10) : 0;
	return host->port == 0 || host->port > UINT16_MAX ? PORT_TEXT : NULL;
}

void check_external_tls(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct tree *name = tree_get(tree, "serverName");

	if (name != NULL && name->type == TREE_TEXT && name->text[0] == '\0')
		decode_bad(dec, at, "serverName", name, "cannot be empty");
	if (name != NULL && name->type == TREE_TEXT &&
	    strlen(name->text) > SERVER_NAME_MAX)
		decode_bad(dec, at, "serverName", name,
			   "must not be longer than %d bytes", SERVER_NAME_MAX);
	check_pair(dec, tree, at, made);
}

void check_external_networking(struct decode *dec, const struct tree *tree,
			       const struct path *at, const void *made)
{
	const struct tree *address = tree_get(tree, "address");
	struct external_host host;

	(void)made;
	if (address != NULL && address->type != TREE_TEXT)
		return;
	const char *fault =
		external_host_read(address != NULL ? address->text : "", &host);
	if (fault != NULL)
		decode_bad(dec, at, "address", address != NULL ? address : tree, "%s",
			   fault);
}

void check_external(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made)
{
	const struct external_spec *spec = made;
	const struct tree *networking = tree_get(tree, "networking");
	const struct tree *address = tree_get(networking, "address");
	const char *service = labels_get(spec->tags, TAG_SERVICE);
	struct path tags = { .up = at, .name = "tags" };
	struct path tag = { .up = &tags, .name = TAG_SERVICE, .is_key = true };

	if (networking == NULL)
		decode_bad(dec, at, "networking", tree, "should have networking");
	check_has_service(dec, tree, at, spec->tags, false);
	check_service_tags(dec, tree, spec->tags, at);
	if (service != NULL && address != NULL && address->type == TREE_TEXT &&
	    strcmp(service, address->text) == 0)
		decode_bad(dec, &tag, NULL, tree_get(tree, "tags"),
			   "cannot be the same as networking.address");
}
