/* Zonelink: PUT of a route at global, GET /_wait at each zone. */
#include "side.h"

#include "base/mem.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct zonelink {
	struct zl_buf in[WATCHERS_MAX + 1];
	uint64_t seen[WATCHERS_MAX + 1];
	bool armed[WATCHERS_MAX + 1];
};

static void send_put(struct side *side, uint64_t count, const char *query)
{
	char body[VALUE_BYTES * 2], request[VALUE_BYTES * 3];
	size_t len = value_make(body, sizeof(body), count);
	int whole = snprintf(request, sizeof(request),
			     "PUT /meshes/default/meshtcproutes/bench%s HTTP/1.1\r\n"
			     "Host: localhost\r\nContent-Type: application/json\r\n"
			     "Content-Length: %zu\r\n\r\n%s",
			     query, len, body);

	send_all(side->fds[0], request, (size_t)whole);
}

static void put(struct side *side, uint64_t count)
{
	send_put(side, count, "");
}

static void look(struct side *side, uint64_t count)
{
	send_put(side, count, "?dry_run=server");
}

static void arm(struct side *side, size_t link)
{
	struct zonelink *state = side->state;
	char request[160];
	int len = snprintf(request, sizeof(request),
			   "GET /_wait?revision=%llu&timeout=10m HTTP/1.1\r\n"
			   "Host: localhost\r\n\r\n",
			   (unsigned long long)state->seen[link] + 1);

	state->armed[link] = true;
	send_all(side->fds[link], request, (size_t)len);
}

static void rest(struct side *side)
{
	const struct zonelink *state = side->state;

	for (size_t i = 1; i <= side->watchers; i++)
		if (!state->armed[i])
			arm(side, i);
}

static uint64_t number_behind(const char *text, const char *word)
{
	const char *found = strstr(text, word);

	return found != NULL ? strtoull(found + strlen(word), NULL, 10) : 0;
}

static uint64_t take(struct side *side, size_t link)
{
	struct zonelink *state = side->state;
	struct zl_buf *in = &state->in[link];
	char chunk[16384];

	ssize_t len = recv(side->fds[link], chunk, sizeof(chunk), MSG_DONTWAIT);
	if (len <= 0)
		errx(1, "zonelink: link %zu ended", link);
	zl_buf_add(in, chunk, (size_t)len);
	const char *body = strstr(zl_buf_text(in), "\r\n\r\n");
	if (body == NULL)
		return 0;
	size_t head = (size_t)(body + 4 - in->data);
	size_t want = number_behind(in->data, "Content-Length: ");
	if (in->len < head + want)
		return 0;
	if (strncmp(in->data + 9, "20", 2) != 0)
		errx(1, "zonelink: %s", in->data);
	uint64_t rev = number_behind(in->data + head, "\"revision\":");
	zl_buf_drain(in, head + want);
	state->seen[link] = rev;
	state->armed[link] = false;
	return rev;
}

struct side *side_zonelink(const char *const *addresses, size_t count)
{
	struct side *side = zl_alloc(1, sizeof(*side));

	*side = (struct side){ .name = "zonelink",
			       .watchers = count - 1,
			       .put = put,
			       .look = look,
			       .take = take,
			       .rest = rest,
			       .state = zl_alloc(1, sizeof(struct zonelink)) };
	for (size_t i = 0; i < count; i++)
		side->fds[i] = dial(addresses[i]);
	return side;
}
