/* A file on its way to a client: read as fast as the client takes it. */
#include "http/inside.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 256 << 10 };

struct http_source {
	int fd; /* owned */
	uint64_t left;
};

struct http_source *http_source_new(int fd, uint64_t len)
{
	struct http_source *source = zl_alloc(1, sizeof(*source));

	source->fd = fd;
	source->left = len;
	return source;
}

void http_source_free(struct http_source **sourcep)
{
	struct http_source *source = *sourcep;

	*sourcep = NULL;
	if (source == NULL)
		return;
	close(source->fd);
	free(source);
}

uint64_t http_source_left(const struct http_source *source)
{
	return source->left;
}

bool http_source_feed(struct http_source *source, struct evbuffer *out)
{
	size_t want = source->left < PIECE ? (size_t)source->left : PIECE;
	char *piece = zl_alloc(1, want);
	ssize_t got = read(source->fd, piece, want);

	if (got > 0) {
		evbuffer_add(out, piece, (size_t)got);
		source->left -= (uint64_t)got;
	}
	free(piece);
	return got > 0;
}
