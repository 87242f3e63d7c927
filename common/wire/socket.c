#include "wire/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

enum { IDLE_S = 10, EACH_S = 3, COUNT = 3, UNACKED_MS = 20000 };

static void set_tcp(int fd, int option, int value)
{
	(void)setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

void socket_tune(int fd)
{
	const int on = 1;

	set_tcp(fd, TCP_NODELAY, on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	set_tcp(fd, TCP_KEEPIDLE, IDLE_S);
	set_tcp(fd, TCP_KEEPINTVL, EACH_S);
	set_tcp(fd, TCP_KEEPCNT, COUNT);
	set_tcp(fd, TCP_USER_TIMEOUT, UNACKED_MS);
}

void socket_text(const struct sockaddr_storage *addr, char text[SOCKET_TEXT])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;
	char ip[INET6_ADDRSTRLEN] = "";

	if (addr->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
		(void)snprintf(text, SOCKET_TEXT, "%s:%u", ip, ntohs(v4->sin_port));
	} else if (addr->ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
		(void)snprintf(text, SOCKET_TEXT, "[%s]:%u", ip, ntohs(v6->sin6_port));
	} else {
		(void)snprintf(text, SOCKET_TEXT, "a unix socket");
	}
}

void socket_source(const struct sockaddr_storage *addr, struct in6_addr *source)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;

	memset(source, 0, sizeof(*source));
	if (addr->ss_family == AF_INET) {
		source->s6_addr[10] = source->s6_addr[11] = 0xff;
		memcpy(&source->s6_addr[12], &v4->sin_addr, 4);
	} else if (addr->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		*source = v6->sin6_addr;
	} else if (addr->ss_family == AF_INET6) {
		/* Who has one IPv6 address has its whole /64. */
		memcpy(source->s6_addr, &v6->sin6_addr, 8);
	}
}
