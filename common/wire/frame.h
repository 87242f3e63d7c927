/* wire/frame.h - how nng talks on a unix socket: a greeting, then messages.
 *
 *     header   0x00 'S' 'P' 0x00 | protocol, u16 big-endian | 0x00 0x00
 *     frame    0x01 | length, u64 big-endian | that many bytes
 *
 * Both gates speak it too, over TLS: so nng on either end talks to a unix socket.
 *
 * Threads:  any.
 * Lifetime: pure.  Private to the room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Protocols of peers, as SP numbers them. */
enum { FRAME_PUB = 32, FRAME_SUB = 33, FRAME_REQ = 48, FRAME_REP = 49 };

enum { FRAME_HEADER = 8, FRAME_HEAD = 9 };

void frame_header(int protocol, uint8_t header[FRAME_HEADER]);
/* The protocol that header names; 0: it is none of the four, or no header. */
int frame_protocol(const uint8_t header[FRAME_HEADER]);

/* Bytes of the frame that begins with head, head and all; 0: it is no frame, or its
 * message has more than max bytes. */
size_t frame_size(const uint8_t head[FRAME_HEAD], size_t max);

/* REQ and REP begin a message with words of four bytes, of which the last has its highest
 * bit set: the request's id. Of a message that begins with these bytes, of which it is
 * enough to see FRAME_IDS: whether it does. */
enum { FRAME_IDS = 32 };
bool frame_has_id(const uint8_t *bytes, size_t len);
