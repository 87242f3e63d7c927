/* etcd: Put and Watch of its gRPC interface, each watcher on a connection of its own. */
#include "side.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <err.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static const char KEY[] = "/bench/route";

struct link {
	nghttp2_session *session;
	struct zl_buf in;      /* gRPC messages as they come */
	struct zl_buf request; /* of the newest stream, and how much of it is sent */
	size_t sent;
	bool stays_open; /* a watch: the stream does not end with the request */
	size_t messages; /* that came */
};

struct etcd {
	struct link links[WATCHERS_MAX + 1];
};

/* ---- protobuf, as much as is needed ---- */

static void add_varint(struct zl_buf *to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		zl_buf_char(to, (char)(value | 0x80));
	zl_buf_char(to, (char)value);
}

static void add_bytes(struct zl_buf *to, unsigned field, const void *bytes, size_t len)
{
	add_varint(to, field << 3 | 2);
	add_varint(to, len);
	zl_buf_add(to, bytes, len);
}

struct field {
	unsigned number;
	uint64_t value; /* a varint, or the length of bytes */
	const char *bytes;
};

static uint64_t varint(const char **at, const char *end)
{
	uint64_t value = 0;

	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

static bool next_field(const char **at, const char *end, struct field *field)
{
	if (*at >= end)
		return false;
	uint64_t tag = varint(at, end);
	field->number = (unsigned)(tag >> 3);
	field->value = varint(at, end);
	field->bytes = *at;
	if ((tag & 7) == 2)
		*at += field->value;
	else if ((tag & 7) != 0)
		errx(1, "etcd: a message is not understood");
	return *at <= end;
}

/* The number in field within, of the message in field outside; 0: neither. */
static uint64_t inner(const struct field *outside, unsigned within)
{
	const char *at = outside->bytes;
	struct field field;

	while (next_field(&at, outside->bytes + outside->value, &field))
		if (field.number == within)
			return field.value;
	return 0;
}

/* PutResponse {1: header {3: revision}}; WatchResponse {11: events {2: kv {3: revision}}}
 */
static uint64_t revision_of(const char *message, size_t len, bool watch)
{
	const char *at = message;
	struct field field, kv;
	uint64_t rev = 0;

	while (next_field(&at, message + len, &field)) {
		if (!watch && field.number == 1)
			rev = inner(&field, 3);
		if (!watch || field.number != 11)
			continue;
		const char *event = field.bytes;
		while (next_field(&event, field.bytes + field.value, &kv))
			if (kv.number == 2)
				rev = inner(&kv, 3);
	}
	return rev;
}

/* ---- gRPC ---- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t len,
		       int flags, void *arg)
{
	(void)session, (void)flags;
	send_all(*(const int *)arg, data, len);
	return (ssize_t)len;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream,
		   const uint8_t *data, size_t len, void *arg)
{
	struct link *link = nghttp2_session_get_stream_user_data(session, stream);

	(void)flags, (void)arg;
	zl_buf_add(&link->in, data, len);
	return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *out,
			    size_t room, uint32_t *flags, nghttp2_data_source *source,
			    void *arg)
{
	struct link *link = source->ptr;
	size_t left = link->request.len - link->sent;
	size_t len = left < room ? left : room;

	(void)session, (void)stream, (void)arg;
	if (len == 0 && link->stays_open)
		return NGHTTP2_ERR_DEFERRED;
	memcpy(out, link->request.data + link->sent, len);
	link->sent += len;
	if (link->sent == link->request.len && !link->stays_open)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

static nghttp2_nv header(const char *name, const char *value)
{
	/* nghttp2 copies them, its type has no const */
	return (nghttp2_nv){ .name = (uint8_t *)zl_strdup(name),
			     .value = (uint8_t *)zl_strdup(value),
			     .namelen = strlen(name),
			     .valuelen = strlen(value),
			     .flags = NGHTTP2_NV_FLAG_NONE };
}

static void call(struct link *link, const char *path, const struct zl_buf *message)
{
	static nghttp2_nv headers[6];
	uint8_t frame[5] = { 0 };
	const nghttp2_data_provider body = { .source.ptr = link,
					     .read_callback = read_request };

	if (headers[0].name == NULL) {
		headers[0] = header(":method", "POST");
		headers[1] = header(":scheme", "http");
		headers[2] = header(":authority", "localhost");
		headers[4] = header("content-type", "application/grpc");
		headers[5] = header("te", "trailers");
	}
	headers[3] = header(":path", path);
	zl_put_be32(frame + 1, (uint32_t)message->len);
	zl_buf_free(&link->request);
	zl_buf_add(&link->request, frame, sizeof(frame));
	zl_buf_add(&link->request, message->data, message->len);
	link->sent = 0;
	if (nghttp2_submit_request(link->session, NULL, headers, 6, &body, link) < 0 ||
	    nghttp2_session_send(link->session) != 0)
		errx(1, "etcd: a request cannot be sent");
}

static void open_link(struct side *side, size_t i, const char *address)
{
	struct etcd *state = side->state;
	struct link *link = &state->links[i];
	const nghttp2_settings_entry settings = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
						  1 << 20 };
	nghttp2_session_callbacks *callbacks;

	side->fds[i] = dial(address);
	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		errx(1, "etcd: no memory");
	nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	if (nghttp2_session_client_new(&link->session, callbacks, &side->fds[i]) != 0 ||
	    nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, &settings, 1) != 0)
		errx(1, "etcd: no session");
	nghttp2_session_callbacks_del(callbacks);
}

/* ---- the side ---- */

static void put(struct side *side, uint64_t count)
{
	struct etcd *state = side->state;
	struct zl_buf message = { 0 };
	char value[VALUE_BYTES * 2];
	size_t len = value_make(value, sizeof(value), count);

	add_bytes(&message, 1, KEY, strlen(KEY));
	add_bytes(&message, 2, value, len);
	call(&state->links[0], "/etcdserverpb.KV/Put", &message);
	zl_buf_free(&message);
}

static void look(struct side *side, uint64_t count)
{
	struct etcd *state = side->state;
	struct zl_buf message = { 0 };

	(void)count;
	add_bytes(&message, 1, KEY, strlen(KEY));
	add_varint(&message, 7 << 3); /* serializable */
	add_varint(&message, 1);
	call(&state->links[0], "/etcdserverpb.KV/Range", &message);
	zl_buf_free(&message);
}

static void watch(struct link *link)
{
	struct zl_buf create = { 0 }, message = { 0 };

	link->stays_open = true;
	add_bytes(&create, 1, KEY, strlen(KEY));
	add_bytes(&message, 1, create.data, create.len);
	call(link, "/etcdserverpb.Watch/Watch", &message);
	zl_buf_free(&create);
	zl_buf_free(&message);
}

static uint64_t take(struct side *side, size_t i)
{
	struct etcd *state = side->state;
	struct link *link = &state->links[i];
	uint8_t chunk[16384];
	uint64_t rev = 0;

	ssize_t len = recv(side->fds[i], chunk, sizeof(chunk), MSG_DONTWAIT);
	if (len <= 0)
		errx(1, "etcd: link %zu ended", i);
	if (nghttp2_session_mem_recv(link->session, chunk, (size_t)len) < 0 ||
	    nghttp2_session_send(link->session) != 0)
		errx(1, "etcd: link %zu is broken", i);
	while (link->in.len >= 5) {
		size_t want = zl_get_be32((const uint8_t *)link->in.data + 1);
		if (link->in.len < 5 + want)
			break;
		uint64_t now = revision_of(link->in.data + 5, want, link->stays_open);
		rev = now > rev ? now : rev;
		link->messages++;
		zl_buf_drain(&link->in, 5 + want);
	}
	return rev;
}

static void rest(struct side *side)
{
	(void)side;
}

static void wait_and_take(struct side *side, size_t i)
{
	struct pollfd ready = { .fd = side->fds[i], .events = POLLIN };

	if (poll(&ready, 1, 5000) != 1)
		errx(1, "etcd: watcher %zu gets no answer", i);
	(void)take(side, i);
}

struct side *side_etcd(const char *address, size_t watchers)
{
	struct side *side = zl_alloc(1, sizeof(*side));
	struct etcd *state = zl_alloc(1, sizeof(*state));

	*side = (struct side){ .name = "etcd",
			       .watchers = watchers,
			       .put = put,
			       .look = look,
			       .take = take,
			       .rest = rest,
			       .state = state };
	for (size_t i = 0; i <= watchers; i++)
		open_link(side, i, address);
	for (size_t i = 1; i <= watchers; i++)
		watch(&state->links[i]);
	for (size_t i = 1; i <= watchers; i++) /* the first says that it is there */
		while (state->links[i].messages == 0)
			wait_and_take(side, i);
	return side;
}
