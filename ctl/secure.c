#include "ctl/secure.h"

#include "base/addr.h"
#include "pki/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TOKEN_MAX = 4096 };

bool secure_is_https(const struct server *server)
{
	return strncmp(server->url, "https://", 8) == 0;
}

/* Does the URL lead to this machine? */
static bool is_local(const char *url)
{
	struct zl_addr addr = { 0 };
	const char *host = strstr(url, "://");

	if (strncmp(url, "unix:", 5) == 0)
		return true;
	host = host != NULL ? host + 3 : url;
	bool v6 = *host == '[';
	size_t len = strcspn(host + v6, v6 ? "]" : ":/");
	if (len >= sizeof(addr.host))
		return false;
	memcpy(addr.host, host + v6, len);
	return zl_addr_is_local(&addr);
}

static enum ctl_exit read_token(const struct ctl *ctl, const char *path,
				const char **token)
{
	static const char GOOD[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_.";
	char text[TOKEN_MAX + 2];
	struct stat info;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return ctl_fail(CTL_UNREADABLE, "--token-file %s: %m", path);
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	bool failed = ferror(file) != 0 || fstat(fileno(file), &info) != 0;
	(void)fclose(file);
	if (failed)
		return ctl_fail(CTL_UNREADABLE, "--token-file %s: cannot be read", path);
	if ((info.st_mode & 077) != 0)
		return ctl_fail(CTL_UNREADABLE,
				"--token-file %s: must be private: chmod 600 %s", path,
				path);
	text[len] = '\0';
	size_t used = strspn(text, GOOD);
	if (used == 0 || used > TOKEN_MAX || used + strspn(text + used, " \t\r\n") != len)
		return ctl_fail(CTL_UNREADABLE, "--token-file %s: holds no token", path);
	*token = zl_arena_strndup(ctl->arena, text, used);
	return CTL_OK;
}

enum ctl_exit secure_token(const struct ctl *ctl, const struct server *server,
			   const char **token)
{
	*token = NULL;
	if (server->token_file == NULL)
		return CTL_OK;
	if (!secure_is_https(server) && !is_local(server->url))
		return ctl_fail(CTL_USAGE,
				"%s: a token is not sent in the clear to another "
				"machine: use https://",
				server->url);
	return read_token(ctl, server->token_file, token);
}

/* The handshake is done, nothing has been sent: is it whom we mean? */
static int check_identity(void *ctx,
			  char *ip,       /* NOLINT(readability-non-const-parameter) */
			  char *local_ip, /* NOLINT(readability-non-const-parameter) */
			  int port, int local_port)
{
	struct secure *secure = ctx;
	const struct curl_tlssessioninfo *info = NULL;
	struct pki_facts facts = { 0 };

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	if (curl_easy_getinfo(secure->curl, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK ||
	    info == NULL || info->internals == NULL ||
	    !pki_tls_peer(info->internals, &facts) || *facts.identity == '\0')
		(void)snprintf(facts.identity, sizeof(facts.identity), "nobody");
	if (strcmp(facts.identity, secure->wanted) == 0)
		return CURL_PREREQFUNC_OK;
	(void)snprintf(secure->found, sizeof(secure->found), "%s", facts.identity);
	return CURL_PREREQFUNC_ABORT;
}

enum ctl_exit secure_set(const struct ctl *ctl, struct secure *secure, CURL *curl,
			 const struct server *server)
{
	const char *identity = server->identity != NULL ? server->identity : "global";

	*secure = (struct secure){ .server = server, .curl = curl };
	if (!secure_is_https(server))
		return CTL_OK;
	if (server->ca == NULL)
		return ctl_fail(CTL_USAGE,
				"%s: say --ca FILE, the certificate of the mesh's "
				"authority (at global: pki/ca.crt in its data_dir)",
				server->url);
	secure->wanted = zl_arena_format(ctl->arena, "spiffe://zonelink/%s", identity);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* nobody else's authorities */
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L); /* the identity says more */
	curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, check_identity);
	curl_easy_setopt(curl, CURLOPT_PREREQDATA, secure);
	return CTL_OK;
}

enum ctl_exit secure_failed(const struct secure *secure, CURLcode code,
			    const char *detail)
{
	const char *url = secure->server->url;

	if (*secure->found != '\0')
		return ctl_fail(CTL_UNREACHABLE,
				"%s: this is %s, not %s; nothing was sent (--identity "
				"says who is meant: global or zone/NAME)",
				url, secure->found, secure->wanted);
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return ctl_fail(CTL_UNREACHABLE,
				"%s: its certificate is not good for --ca %s: %s", url,
				secure->server->ca, detail);
	case CURLE_SSL_CACERT_BADFILE:
		return ctl_fail(CTL_UNREACHABLE, "--ca %s: %s", secure->server->ca,
				detail);
	case CURLE_SSL_CONNECT_ERROR:
		return ctl_fail(CTL_UNREACHABLE, "%s: no TLS connection: %s", url,
				detail);
	default:
		return CTL_OK;
	}
}
