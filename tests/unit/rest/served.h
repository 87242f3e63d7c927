/* Resources over HTTP on a thread of their own: a real server on a unix socket, a real
 * store in a folder, and a client. A test includes this once; `fixture` is its state.
 */
#pragma once

#include "rest/rest.h"

#include "loop/loop.h"
#include "loop/mailbox.h"
#include "model/apply.h"
#include "model/read.h"
#include "support/test.h"
#include "support/tmp.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 120000 };

struct letter {
	struct store_result *results; /* owned; NULL: end */
};

struct fixture {
	struct tmp tmp;
	struct loop *loop;
	struct http_server *server;
	struct store *store;
	struct mailbox *box;
	struct loop_watch *watch;
	struct rest_ops ops;
	struct rest rest;
	struct set *set;
	struct zl_addr addr;
	pthread_t thread;
	atomic_bool close_at_next; /* rest.closed from the next request on */
	/* what the client got */
	struct zl_arena *arena;
	unsigned status;
	char *head; /* owned */
	struct tree *json;
};

/* ---- the owner ---- */

static inline const struct set *fix_set(void *owner)
{
	struct fixture *fix = owner;

	return fix->set;
}

/* What is called "locked" may not be changed, unless a Mesh "key" comes with it. */
static inline bool fix_allow(void *owner, const struct resource *old,
			     const struct resource *now, unsigned *status,
			     struct zl_err *err)
{
	static const struct key KEY = { KIND_MESH, "", "", "", "key" };
	const struct resource *any = old != NULL ? old : now;
	const struct fixture *fix = owner;

	if (strcmp(any->key.name, "locked") != 0 || rest_beside(&fix->rest, &KEY) != NULL)
		return true;
	*status = 409;
	(void)zl_fail(err, ZL_ECONFLICT, "\"%s\" is locked", any->key.name);
	return false;
}

static inline void fix_written(void *owner, struct http_request *req, uint64_t rev,
			       unsigned status, const char *wait, uint64_t timeout_ms,
			       const char *body)
{
	(void)owner;
	http_add_header(req, "X-Waited", "%s %llu %llu", wait, (unsigned long long)rev,
			(unsigned long long)timeout_ms);
	http_json(req, status, body);
}

static inline void fix_odd(void *ctx, const struct key *key, uint64_t rev,
			   const char *why)
{
	(void)ctx;
	(void)rev;
	fail_msg("%s: %s", key->name, why);
}

static inline void fix_take(struct fixture *fix, const struct store_result *result)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };
	struct entry entry;

	if (result->code == ZL_OK && result->entry != NULL) {
		assert_int_equal(entry_unpack(result->entry, result->entry_len, arena,
					      &entry, &err),
				 ZL_OK);
		struct set_edit *edit = set_edit(fix->set);
		apply_entry(edit, fix->set, &entry, result->position.rev, fix_odd, NULL);
		set_drop(&fix->set);
		fix->set = set_done(&edit);
	}
	zl_arena_free(&arena);
	rest_finish(&fix->rest, result);
}

static inline void fix_on_letter(void *arg, unsigned events)
{
	struct fixture *fix = arg;
	struct letter letter;

	(void)events;
	while (mailbox_take(fix->box, &letter)) {
		if (letter.results == NULL)
			loop_stop(fix->loop);
		for (struct store_result *r = letter.results; r != NULL; r = r->next)
			fix_take(fix, r);
		store_results_free(&letter.results);
	}
}

static inline void fix_done(void *ctx, struct store_result *results)
{
	struct fixture *fix = ctx;

	assert_true(mailbox_post(fix->box, &(struct letter){ results }));
}

/* ---- routes ---- */

#define FIX_HANDLER(name, call)                                      \
	static inline void name(struct http_request *req, void *arg) \
	{                                                            \
		struct fixture *fix = arg;                           \
		if (atomic_load(&fix->close_at_next))                \
			fix->rest.closed = true;                     \
		call;                                                \
	}
FIX_HANDLER(fix_get, rest_get(&fix->rest, req, false))
FIX_HANDLER(fix_get_in, rest_get(&fix->rest, req, true))
FIX_HANDLER(fix_list, rest_list(&fix->rest, req, false))
FIX_HANDLER(fix_list_in, rest_list(&fix->rest, req, true))
FIX_HANDLER(fix_put, rest_put(&fix->rest, req, false))
FIX_HANDLER(fix_put_in, rest_put(&fix->rest, req, true))
FIX_HANDLER(fix_delete, rest_delete(&fix->rest, req, false))
FIX_HANDLER(fix_delete_in, rest_delete(&fix->rest, req, true))
FIX_HANDLER(fix_apply, rest_apply(&fix->rest, req))

static const struct http_route FIX_ROUTES[] = {
	{ "POST", "/_apply", HTTP_OPERATE, 16 << 20, fix_apply },
	{ "GET", "/{plural}", HTTP_VIEW, 0, fix_list },
	{ "GET", "/{plural}/{name}", HTTP_VIEW, 0, fix_get },
	{ "PUT", "/{plural}/{name}", HTTP_OPERATE, 0, fix_put },
	{ "DELETE", "/{plural}/{name}", HTTP_OPERATE, 0, fix_delete },
	{ "GET", "/meshes/{mesh}/{plural}", HTTP_VIEW, 0, fix_list_in },
	{ "GET", "/meshes/{mesh}/{plural}/{name}", HTTP_VIEW, 0, fix_get_in },
	{ "PUT", "/meshes/{mesh}/{plural}/{name}", HTTP_OPERATE, 0, fix_put_in },
	{ "DELETE", "/meshes/{mesh}/{plural}/{name}", HTTP_OPERATE, 0, fix_delete_in },
};

static inline void *fix_run(void *arg)
{
	struct fixture *fix = arg;

	loop_run(fix->loop);
	return NULL;
}

/* ---- begin and end ---- */

static inline int fix_begin(void **state, enum writer writer, const char *zone)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));
	const struct http_options http = { .routes = FIX_ROUTES,
					   .count = ARRAY_LEN(FIX_ROUTES),
					   .arg = fix,
					   .body_ms = PATIENCE_MS,
					   .answer_ms = PATIENCE_MS };
	struct zl_err err = { 0 };

	tmp_make(&fix->tmp);
	fix->arena = zl_arena_new();
	fix->set = set_empty();
	fix->ops = (struct rest_ops){ .set = fix_set,
				      .allow = fix_allow,
				      .written = fix_written };
	assert_int_equal(mailbox_open(&fix->box, sizeof(struct letter), 4096, &err),
			 ZL_OK);
	const struct store_options options = { .map_size = 64 << 20,
					       .done = fix_done,
					       .ctx = fix };
	assert_int_equal(
		store_open(&fix->store, tmp_path(&fix->tmp, "store"), &options, &err),
		ZL_OK);
	fix->rest = (struct rest){ .ops = &fix->ops,
				   .owner = fix,
				   .store = fix->store,
				   .writer = writer,
				   .zone = zone };
	assert_int_equal(loop_open(&fix->loop, &err), ZL_OK);
	assert_int_equal(loop_watch_new(&fix->watch, fix->loop, mailbox_fd(fix->box),
					LOOP_READ, fix_on_letter, fix, &err),
			 ZL_OK);
	assert_int_equal(http_open(&fix->server, fix->loop, &http, &err), ZL_OK);
	char *path = zl_format("unix:%s", tmp_path(&fix->tmp, "api.sock"));
	assert_int_equal(zl_addr_parse(path, &fix->addr, &err), ZL_OK);
	free(path);
	assert_int_equal(http_listen(fix->server, &fix->addr, &err), ZL_OK);
	assert_int_equal(pthread_create(&fix->thread, NULL, fix_run, fix), 0);
	*state = fix;
	return 0;
}

static inline int at_global(void **state)
{
	return fix_begin(state, WRITER_GLOBAL, "");
}

static inline int in_zone(void **state)
{
	return fix_begin(state, WRITER_ZONE, "east");
}

static inline int teardown(void **state)
{
	struct fixture *fix = *state;

	assert_true(mailbox_post(fix->box, &(struct letter){ NULL }));
	pthread_join(fix->thread, NULL);
	store_close(&fix->store);
	http_close(&fix->server);
	loop_watch_free(&fix->watch);
	loop_close(&fix->loop);
	mailbox_close(&fix->box);
	set_drop(&fix->set);
	zl_arena_free(&fix->arena);
	free(fix->head);
	tmp_remove(&fix->tmp);
	free(fix);
	return 0;
}

/* ---- the client ---- */

static inline void send_whole(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
		assert_true(sent > 0);
		bytes += sent;
		len -= (size_t)sent;
	}
}

/* One request on a connection of its own. headers: lines with their ends, or "". The
 * status; head and json of fix are those of the answer. */
static inline unsigned ask_with(struct fixture *fix, const char *method, const char *path,
				const char *headers, const char *body)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct zl_buf text = { 0 };
	struct zl_err err = { 0 };
	char chunk[8192];
	ssize_t len = 1;

	assert_true(strlen(fix->addr.host) < sizeof(sun.sun_path));
	memcpy(sun.sun_path, fix->addr.host, strlen(fix->addr.host));
	assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	zl_buf_format(&text,
		      "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		      "Content-Length: %zu\r\n%s\r\n",
		      method, path, strlen(body), headers);
	zl_buf_str(&text, body);
	send_whole(fd, text.data, text.len);
	zl_buf_free(&text);
	while (len > 0) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
		len = recv(fd, chunk, sizeof(chunk), 0);
		if (len > 0)
			zl_buf_add(&text, chunk, (size_t)len);
	}
	close(fd);
	assert_memory_equal(zl_buf_text(&text), "HTTP/1.1 ", 9);
	fix->status = (unsigned)strtoul(text.data + 9, NULL, 10);
	const char *end = strstr(text.data, "\r\n\r\n");
	assert_non_null(end);
	free(fix->head);
	fix->head = zl_strndup(text.data, (size_t)(end - text.data) + 2);
	fix->json = NULL;
	if (end[4] != '\0')
		assert_int_equal(read_json_large(end + 4, strlen(end + 4), fix->arena,
						 &fix->json, &err),
				 ZL_OK);
	zl_buf_free(&text);
	return fix->status;
}

static inline unsigned ask(struct fixture *fix, const char *method, const char *path,
			   const char *body)
{
	return ask_with(fix, method, path, "", body);
}

static inline bool has_head(const struct fixture *fix, const char *line)
{
	return strstr(fix->head, line) != NULL;
}

/* The value of a dotted path in the answer, "0" for the first of a list; numbers and
 * booleans as text; "" if it is not there. */
static inline const char *at(const struct fixture *fix, const char *path)
{
	const struct tree *tree = fix->json;
	char name[64];

	while (*path != '\0' && tree != NULL) {
		size_t len = strcspn(path, ".");
		assert_true(len < sizeof(name));
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '.');
		size_t index = strtoul(name, NULL, 10);
		if (tree->type == TREE_LIST)
			tree = index < tree->count ? tree->items[index] : NULL;
		else
			tree = tree_get(tree, name);
	}
	if (tree == NULL || tree->type == TREE_MAP)
		return "";
	if (tree->type == TREE_BOOL)
		return tree->boolean ? "true" : "false";
	if (tree->type == TREE_LIST)
		return zl_arena_format(fix->arena, "[%zu]", tree->count);
	return tree->text;
}

/* "field: reason" of violation n. */
static inline const char *flaw(const struct fixture *fix, size_t n)
{
	char field[64];
	char reason[64];

	(void)snprintf(field, sizeof(field), "invalid_parameters.%zu.field", n);
	(void)snprintf(reason, sizeof(reason), "invalid_parameters.%zu.reason", n);
	return zl_arena_format(fix->arena, "%s: %s", at(fix, field), at(fix, reason));
}

static inline void expect(struct fixture *fix, unsigned status)
{
	if (fix->status == status)
		return;
	struct zl_buf text = { 0 };
	if (fix->json != NULL)
		tree_json(fix->json, &text);
	fail_msg("status %u, not %u: %s", fix->status, status, zl_buf_text(&text));
}
