#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static enum zl_code refuse(const char *text, struct zl_err *err)
{
	return zl_fail(err, ZL_EINVAL,
		       "address \"%s\": must be HOST:PORT, [V6]:PORT or unix:PATH", text);
}

static bool port_parse(const char *text, uint16_t *port)
{
	unsigned long value = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 5 || text[digits] != '\0')
		return false;
	value = strtoul(text, NULL, 10);
	*port = (uint16_t)value;
	return value <= UINT16_MAX;
}

enum zl_code zl_addr_parse(const char *text, struct zl_addr *addr, struct zl_err *err)
{
	const char *host = text;
	const char *end = strrchr(text, ':');

	*addr = (struct zl_addr){ 0 };
	if (strncmp(text, "unix:", 5) == 0) {
		struct sockaddr_un sun;
		addr->is_unix = true;
		if (text[5] == '\0')
			return refuse(text, err);
		if (strlen(text + 5) >= sizeof(sun.sun_path))
			return zl_fail(err, ZL_EINVAL,
				       "address \"%s\": a unix socket's path has at most "
				       "%zu bytes",
				       text, sizeof(sun.sun_path) - 1);
		memcpy(addr->host, text + 5, strlen(text + 5) + 1);
		return ZL_OK;
	}
	if (end == NULL || !port_parse(end + 1, &addr->port))
		return refuse(text, err);
	if (*host == '[') {
		if (end[-1] != ']')
			return refuse(text, err);
		host++;
		end--;
	}
	size_t len = (size_t)(end - host);
	if (len == 0 || len >= sizeof(addr->host))
		return refuse(text, err);
	memcpy(addr->host, host, len);
	if (strchr(addr->host, ':') != NULL && host == text)
		return refuse(text, err);
	return ZL_OK;
}

void zl_addr_text(const struct zl_addr *addr, char text[ZL_ADDR_TEXT])
{
	if (addr->is_unix)
		(void)snprintf(text, ZL_ADDR_TEXT, "unix:%s", addr->host);
	else if (strchr(addr->host, ':') != NULL)
		(void)snprintf(text, ZL_ADDR_TEXT, "[%s]:%u", addr->host, addr->port);
	else
		(void)snprintf(text, ZL_ADDR_TEXT, "%s:%u", addr->host, addr->port);
}

bool zl_addr_is_local(const struct zl_addr *addr)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (addr->is_unix || strcmp(addr->host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, addr->host, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, addr->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool zl_is_ip(const char *text)
{
	unsigned char any[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, any) == 1 || inet_pton(AF_INET6, text, any) == 1;
}

union sock {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static socklen_t sock_fill(const struct zl_addr *addr, union sock *sock)
{
	memset(sock, 0, sizeof(*sock));
	if (addr->is_unix) {
		sock->un.sun_family = AF_UNIX;
		memcpy(sock->un.sun_path, addr->host, strlen(addr->host) + 1);
		return sizeof(sock->un);
	}
	const char *host =
		strcmp(addr->host, "localhost") == 0 ? "127.0.0.1" : addr->host;
	if (inet_pton(AF_INET, host, &sock->v4.sin_addr) == 1) {
		sock->v4.sin_family = AF_INET;
		sock->v4.sin_port = htons(addr->port);
		return sizeof(sock->v4);
	}
	if (inet_pton(AF_INET6, host, &sock->v6.sin6_addr) == 1) {
		sock->v6.sin6_family = AF_INET6;
		sock->v6.sin6_port = htons(addr->port);
		return sizeof(sock->v6);
	}
	return 0;
}

/* Remove the socket file that a process which has ended left behind. */
static void unlink_stale(const union sock *sock, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	if (connect(fd, &sock->any, len) != 0 && errno == ECONNREFUSED)
		(void)unlink(sock->un.sun_path);
	close(fd);
}

/* Make the folder that the socket file is to be in; those above it must be there. */
static void make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path || (size_t)(slash - path) >= sizeof(folder))
		return;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	(void)mkdir(folder, 0755); /* it is there, or bind says what is wrong */
}

static void port_read_back(int fd, struct zl_addr *addr)
{
	union sock sock = { 0 };
	socklen_t len = sizeof(sock);

	if (addr->is_unix || getsockname(fd, &sock.any, &len) != 0)
		return;
	addr->port = ntohs(sock.any.sa_family == AF_INET ? sock.v4.sin_port
							 : sock.v6.sin6_port);
}

enum zl_code zl_addr_listen(struct zl_addr *addr, int *fd, struct zl_err *err)
{
	char text[ZL_ADDR_TEXT];
	union sock sock;
	const int on = 1;
	socklen_t len = sock_fill(addr, &sock);

	*fd = -1;
	zl_addr_text(addr, text);
	if (len == 0)
		return zl_fail(err, ZL_EINVAL, "listen on %s: not an IP address", text);
	if (addr->is_unix) {
		make_folder(addr->host);
		unlink_stale(&sock, len);
	}

	*fd = socket(sock.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(*fd, &sock.any, len) != 0 || listen(*fd, BACKLOG) != 0) {
		int number = errno;
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		return zl_fail(err, zl_code_from_errno(number), "listen on %s: %s", text,
			       strerror(number));
	}
	port_read_back(*fd, addr);
	return ZL_OK;
}
