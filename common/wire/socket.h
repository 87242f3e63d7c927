/* wire/socket.h - what both gates do with sockets.
 *
 * Threads:  any.
 * Lifetime: nothing is kept.  Private to the room.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

/* A peer that has vanished is noticed within half a minute; small messages go at once. */
void socket_tune(int fd);

/* "192.0.2.1:4711", "[2001:db8::1]:4711", "a unix socket". */
enum { SOCKET_TEXT = 64 };
void socket_text(const struct sockaddr_storage *addr, char text[SOCKET_TEXT]);
/* The IP address, IPv4 mapped; zero for a unix socket. */
void socket_source(const struct sockaddr_storage *addr, struct in6_addr *source);
