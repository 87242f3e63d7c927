/* The rules of MeshGateway: kinds-spec 13. */
#include "model/checks.h"
#include "model/schemas.h"

#include <string.h>

enum {
	CERTIFICATES_MAX = 2,
	HOSTNAME_MAX = 253,
	LISTENERS_MAX = 256 /* of a list that is not refused for its length */
};

static const char *protocol_text(enum gateway_protocol protocol)
{
	static const char *const TEXTS[] = { [GATEWAY_TCP] = "TCP",
					     [GATEWAY_TLS] = "TLS",
					     [GATEWAY_HTTP] = "HTTP",
					     [GATEWAY_HTTPS] = "HTTPS" };

	return TEXTS[protocol];
}

void check_gateway_selector(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	const struct tag_selector *selector = made;

	check_selector(dec, tree, "match", selector->match, at, SELECTOR_SERVICE);
}

/* ---- one listener ---- */
static const char *hostname_fault(const char *name)
{
	if (strcmp(name, "*") == 0)
		return NULL;
	if (strlen(name) > HOSTNAME_MAX)
		return "must be at most 253 characters";
	if (strncmp(name, "*.", 2) == 0)
		return name_is_dns(name + 2) ? NULL : "invalid wildcard domain";
	return name_is_dns(name) ? NULL : "invalid hostname";
}

static void check_hostname(struct decode *dec, const struct tree *tree,
			   const struct path *at, const struct gateway_listener *listener,
			   bool tcp)
{
	const char *fault = hostname_fault(listener->hostname);
	const struct tree *where = tree_get(tree, "hostname");

	if (fault != NULL)
		decode_bad(dec, at, "hostname", where, "%s", fault);
	else if (tcp && strcmp(listener->hostname, "*") != 0)
		decode_bad(dec, at, "hostname", where,
			   "must not be set with protocol TCP");
}

static void check_certificates(struct decode *dec, const struct tree *tls,
			       const struct path *at,
			       const struct gateway_listener *listener)
{
	const struct tree *certs = tree_get(tls, "certificates");
	const struct tree *where = certs != NULL ? certs : tls;

	if (certs != NULL && certs->type != TREE_LIST)
		return;
	if (listener->tls == GATEWAY_TLS_PASSTHROUGH && listener->cert_count > 0)
		decode_bad(dec, at, "certificates", where,
			   "must not be set with mode PASSTHROUGH");
	if (listener->tls == GATEWAY_TLS_TERMINATE && listener->cert_count == 0)
		decode_bad(dec, at, "certificates", where,
			   "cannot be empty in TLS termination mode");
	if (listener->tls == GATEWAY_TLS_TERMINATE &&
	    listener->cert_count > CERTIFICATES_MAX)
		decode_bad(dec, at, "certificates", where,
			   "cannot have more than 2 certificates");
}

static void check_tls_mode(struct decode *dec, const struct tree *tls,
			   const struct path *at, const struct gateway_listener *listener)
{
	const struct tree *mode = tree_get(tls, "mode");

	if (mode != NULL && mode->type != TREE_TEXT)
		return;
	if (mode == NULL || mode->text[0] == '\0')
		decode_bad(dec, at, "mode", mode != NULL ? mode : tls, "cannot be empty");
	else if (listener->tls == GATEWAY_TLS_NONE)
		decode_bad(dec, at, "mode", mode, "value '%s' is not supported",
			   mode->text);
	else if (listener->protocol == GATEWAY_HTTPS &&
		 listener->tls == GATEWAY_TLS_PASSTHROUGH)
		decode_bad(dec, at, "mode", mode,
			   "mode is not supported on HTTPS listeners");
}

static void check_tls(struct decode *dec, const struct tree *tree, const struct path *at,
		      const struct gateway_listener *listener)
{
	const struct tree *tls = tree_get(tree, "tls");
	struct path here = { .up = at, .name = "tls" };
	bool takes =
		listener->protocol == GATEWAY_TLS || listener->protocol == GATEWAY_HTTPS;

	if (tls != NULL && tls->type != TREE_MAP)
		return;
	if (takes && tls == NULL) {
		decode_bad(dec, at, "tls", tree, "cannot be empty");
	} else if (!takes && tls != NULL) {
		decode_bad(dec, at, "tls", tls, "must not be set with protocol %s",
			   protocol_text(listener->protocol));
	} else if (tls != NULL) {
		check_tls_mode(dec, tls, &here, listener);
		check_certificates(dec, tls, &here, listener);
	}
}

/* True if the listener has a protocol, so that the rest can be checked by it. */
static bool check_protocol(struct decode *dec, const struct tree *tree,
			   const struct path *at, const struct gateway_listener *listener)
{
	const struct tree *protocol = tree_get(tree, "protocol");

	if (protocol == NULL) {
		decode_bad(dec, at, "protocol", tree, "cannot be empty");
		return false;
	}
	if (protocol->type != TREE_TEXT ||
	    strcmp(protocol->text, protocol_text(listener->protocol)) != 0)
		return false; /* told as a value that is not supported */
	if (listener->protocol == GATEWAY_HTTP || listener->protocol == GATEWAY_HTTPS)
		decode_warn(dec, at, "protocol", protocol,
			    "a listener with protocol %s has no effect in Zonelink",
			    protocol->text);
	return true;
}

void check_gateway_listener(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made)
{
	const struct gateway_listener *listener = made;
	bool known = check_protocol(dec, tree, at, listener);

	check_hostname(dec, tree, at, listener,
		       known && listener->protocol == GATEWAY_TCP);
	if (known)
		check_tls(dec, tree, at, listener);
	check_selector(dec, tree, "tags", listener->tags, at, SELECTOR_PLAIN);
}

/* ---- listeners together ---- */
static void check_neighbours(struct decode *dec, const struct tree *list,
			     const struct path *at, const struct mesh_gateway_spec *spec,
			     size_t i)
{
	const struct gateway_listener *one = &spec->listeners[i];
	struct path here = { .up = at, .index = i };
	bool protocol = false;
	bool hostname = false;

	for (size_t j = 0; one->port != 0 && j < spec->listener_count; j++) {
		const struct gateway_listener *other = &spec->listeners[j];
		if (j == i || other->port != one->port)
			continue;
		protocol = protocol || other->protocol != one->protocol;
		hostname = hostname || strcmp(other->hostname, one->hostname) == 0;
	}
	if (protocol)
		decode_bad(dec, &here, NULL, list->items[i],
			   "protocol conflicts with other listeners on this port");
	if (hostname)
		decode_bad(dec, &here, NULL, list->items[i],
			   "multiple listeners for hostname on this port");
}

void check_gateway_conf(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct mesh_gateway_spec *spec = made;
	const struct tree *list = tree_get(tree, "listeners");
	struct path here = { .up = at, .name = "listeners" };

	check_filled(dec, tree, at, "listeners", "cannot be empty");
	if (list == NULL || list->type != TREE_LIST)
		return;
	for (size_t i = 0;
	     i < spec->listener_count && spec->listener_count <= LISTENERS_MAX; i++)
		check_neighbours(dec, list, &here, spec, i);
}

void check_mesh_gateway(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct mesh_gateway_spec *spec = made;

	check_filled(dec, tree, at, "selectors", "must have at least one element");
	check_selector(dec, tree, "tags", spec->tags, at, SELECTOR_PLAIN);
	if (tree_get(tree, "conf") == NULL)
		decode_bad(dec, at, "conf", tree, "cannot be empty");
}
