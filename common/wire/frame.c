#include "wire/frame.h"

#include <string.h>

static const uint8_t MAGIC[4] = { 0, 'S', 'P', 0 };
enum { MESSAGE = 1 };

void frame_header(int protocol, uint8_t header[FRAME_HEADER])
{
	memcpy(header, MAGIC, sizeof(MAGIC));
	header[4] = 0;
	header[5] = (uint8_t)protocol;
	header[6] = header[7] = 0;
}

int frame_protocol(const uint8_t header[FRAME_HEADER])
{
	int protocol = header[4] << 8 | header[5];

	if (memcmp(header, MAGIC, sizeof(MAGIC)) != 0 || header[6] != 0 || header[7] != 0)
		return 0;
	switch (protocol) {
	case FRAME_PUB:
	case FRAME_SUB:
	case FRAME_REQ:
	case FRAME_REP:
		return protocol;
	default:
		return 0;
	}
}

size_t frame_size(const uint8_t head[FRAME_HEAD], size_t max)
{
	uint64_t len = 0;

	for (int i = 1; i < FRAME_HEAD; i++)
		len = len << 8 | head[i];
	return head[0] == MESSAGE && len <= max ? FRAME_HEAD + (size_t)len : 0;
}

bool frame_has_id(const uint8_t *bytes, size_t len)
{
	enum { WORD = 4, LAST = 0x80 };

	for (size_t at = 0; at < FRAME_IDS; at += WORD) {
		if (len < at + WORD)
			return false;
		if ((bytes[at] & LAST) != 0)
			return true;
	}
	return true; /* nng drops it: it went through too many hands */
}
