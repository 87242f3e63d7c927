/* ctl/secure.h - how a server proves who it is, and how we do.
 *
 * By https a server shows a certificate of the mesh's authority (--ca), with the identity
 * that is expected (--identity): a token for global must not go to a zone. Host names do
 * not count. We show a bearer token (--token-file), never in the clear to another
 * machine.
 *
 * Threads:  one.
 * Lifetime: in ctl's arena; struct secure until the transfer is over.
 */
#pragma once

#include "ctl/context.h"

#include <curl/curl.h>

struct secure {
	const struct server *server;
	CURL *curl;
	const char *wanted; /* the URI that the server has to have */
	char found[256];    /* another one; "" */
};

/* Is it a URL by TLS? */
bool secure_is_https(const struct server *server);

/* *token is NULL if there is none. CTL_USAGE it must not be sent to this server,
 * CTL_UNREADABLE the file cannot be read, is not private or holds no token. */
enum ctl_exit secure_token(const struct ctl *ctl, const struct server *server,
			   const char **token);

/* Let curl check the server. CTL_USAGE: it is not said against what. */
enum ctl_exit secure_set(const struct ctl *ctl, struct secure *secure, CURL *curl,
			 const struct server *server);
/* Why the transfer failed, if TLS is why: CTL_UNREACHABLE after a message, else
 * CTL_OK. detail is curl's text. */
enum ctl_exit secure_failed(const struct secure *secure, CURLcode code,
			    const char *detail);
