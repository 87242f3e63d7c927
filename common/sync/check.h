/* sync/check.h - what a message must keep, told by the descriptors of its type.
 *
 * Private to the room.
 *
 * Threads:  pure.
 */
#pragma once

#include "base/err.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* Texts in packed bytes of type, before they are unpacked: UTF-8, no NUL, not too long;
 * nothing nested deeper than our messages are. ZL_EINVAL. */
ZL_MUST_USE enum zl_code check_packed(const ProtobufCMessageDescriptor *type,
				      const uint8_t *bytes, size_t len,
				      struct zl_err *err);

/* Lengths and presence in an unpacked message. ZL_EINVAL. */
ZL_MUST_USE enum zl_code check_message(const ProtobufCMessage *message,
				       struct zl_err *err);

bool check_utf8(const uint8_t *text, size_t len);
