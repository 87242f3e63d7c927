/* The ADS server with a script for an owner, for clients that are no C programs.
 *
 *   ads_server_for_test unix:PATH
 *
 * It prints what happens, one line an event, and reads commands:
 *
 *   add TYPE NAME HEX         a resource for the next config; TYPE counts from 0 as
 *                             enum envoy_type does
 *   set PROXY REVISION        the config of all resources added since the last set
 *   refuse PROXY              admit it no more
 *   forget PROXY
 *   status PROXY              prints "status ..." and a line for each resource
 *   counts                    prints "counts ..."
 *   close                     GOAWAY and out, as the end of its input
 */
#include "base/mem.h"
#include "zone/xds/xds.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/util.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct script {
	struct event_base *base;
	struct xds_server *server;
	struct zl_arena *arena;
	struct envoy_resource *added;
	size_t count;
	char refused[256];
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	(void)putchar('\n');
	(void)fflush(stdout);
}

static enum xds_verdict admit(void *owner, const struct xds_stranger *who,
			      struct zl_err *err)
{
	const struct script *script = owner;

	if (who->proxy == NULL || strcmp(who->proxy, script->refused) != 0)
		return XDS_ADMITTED;
	(void)zl_fail(err, ZL_EACCES, "%s is a thief", who->proxy);
	return XDS_NOT_ALLOWED;
}

static void connected(void *owner, const char *proxy)
{
	(void)owner;
	say("connected %s", proxy);
}

static void disconnected(void *owner, const char *proxy)
{
	(void)owner;
	say("disconnected %s", proxy);
}

static void acked(void *owner, const char *proxy, uint64_t revision)
{
	(void)owner;
	say("acked %s %lu", proxy, (unsigned long)revision);
}

/* Text on one line. Valid until the next call. */
static const char *on_one_line(const char *text)
{
	static char line[512];
	size_t len = 0;

	for (; text != NULL && *text != '\0' && len + 1 < sizeof(line); text++)
		line[len++] = (char)(*text == '\n' ? ' ' : *text);
	line[len] = '\0';
	return line;
}

static void nacked(void *owner, const char *proxy, const struct xds_resource_status *what)
{
	(void)owner;
	say("nacked %s %d %s %s", proxy, (int)what->type, what->name,
	    on_one_line(what->nack));
}

static void show(void *to, const struct xds_proxy_status *status)
{
	(void)to;
	say("status %s streams=%u wanted=%lu acked=%lu resources=%zu", status->proxy,
	    status->streams, (unsigned long)status->wanted, (unsigned long)status->acked,
	    status->resources);
	for (size_t i = 0; i < status->resources; i++)
		say("resource %d %s %s %s", (int)status->list[i].type,
		    status->list[i].name, xds_state_text(status->list[i].state),
		    on_one_line(status->list[i].nack));
}

static void add(struct script *script, int type, const char *name, const char *hex)
{
	size_t len = strlen(hex) / 2;
	unsigned char *bytes = zl_arena_alloc(script->arena, len + 1, 1);

	for (size_t i = 0; i < len; i++) {
		const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };
		bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	script->added =
		zl_realloc(script->added, script->count + 1, sizeof(*script->added));
	script->added[script->count++] =
		(struct envoy_resource){ .type = (enum envoy_type)type,
					 .name = zl_arena_strdup(script->arena, name),
					 .bytes = bytes,
					 .len = len };
}

static void set(struct script *script, const char *proxy, const char *revision)
{
	struct envoy_config *config = envoy_config_new(script->added, script->count);

	xds_server_set(script->server, proxy, config, strtoull(revision, NULL, 10));
	envoy_config_drop(&config);
	script->count = 0;
	zl_arena_reset(script->arena);
}

static void obey(struct script *script, char *line)
{
	char *rest = NULL;
	const char *verb = strtok_r(line, " ", &rest);
	const char *first = strtok_r(NULL, " ", &rest);
	const char *second = strtok_r(NULL, " ", &rest);
	const char *third = strtok_r(NULL, " ", &rest);
	struct xds_counts counts;

	if (verb == NULL)
		return;
	if (strcmp(verb, "add") == 0 && second != NULL) {
		add(script, (int)strtol(first, NULL, 10), second,
		    third != NULL ? third : "");
	} else if (strcmp(verb, "set") == 0 && second != NULL) {
		set(script, first, second);
	} else if (strcmp(verb, "refuse") == 0 && first != NULL) {
		(void)snprintf(script->refused, sizeof(script->refused), "%s", first);
	} else if (strcmp(verb, "forget") == 0 && first != NULL) {
		xds_server_forget(script->server, first);
	} else if (strcmp(verb, "status") == 0 && first != NULL) {
		if (!xds_server_proxy(script->server, first, show, NULL))
			say("status none");
	} else if (strcmp(verb, "counts") == 0) {
		xds_server_counts(script->server, &counts);
		say("counts connections=%zu streams=%zu pending=%zu refused=%lu "
		    "dropped=%lu",
		    counts.connections, counts.streams, counts.pending_acks,
		    (unsigned long)counts.refused_streams,
		    (unsigned long)counts.dropped_connections);
	} else if (strcmp(verb, "close") == 0) {
		event_base_loopbreak(script->base);
	} else {
		say("error what is %s?", verb);
	}
}

static void on_input(struct bufferevent *bev, void *arg)
{
	char *line;

	while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL,
				       EVBUFFER_EOL_LF)) != NULL) {
		obey(arg, line);
		free(line);
	}
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct script *script = arg;

	(void)bev;
	(void)what;
	event_base_loopbreak(script->base);
}

int main(int argc, char **argv)
{
	static const struct xds_ops OPS = { .admit = admit,
					    .connected = connected,
					    .disconnected = disconnected,
					    .acked = acked,
					    .nacked = nacked };
	struct event_config *poll = event_config_new();
	struct script script = { .arena = zl_arena_new() };
	struct zl_addr addr;
	struct xds_setup setup = { .addrs = &addr, .count = 1, .ops = &OPS };
	struct zl_err err;
	char text[ZL_ADDR_TEXT];

	event_config_avoid_method(poll, "epoll"); /* takes no files for input */
	script.base = event_base_new_with_config(poll);
	setup.base = script.base;
	setup.owner = &script;
	if (argc != 2 || zl_addr_parse(argv[1], &addr, &err) != ZL_OK ||
	    xds_server_open(&script.server, &setup, &err) != ZL_OK) {
		(void)fprintf(stderr, "ads_server_for_test: %s\n",
			      argc == 2 ? err.msg : "usage: ADDRESS");
		return 1;
	}
	(void)evutil_make_socket_nonblocking(0);
	struct bufferevent *input = bufferevent_socket_new(script.base, 0, 0);
	bufferevent_setcb(input, on_input, NULL, on_end, &script);
	bufferevent_enable(input, EV_READ);
	zl_addr_text(&addr, text);
	say("listening %s", text);
	event_base_dispatch(script.base);

	bufferevent_free(input);
	xds_server_close(&script.server);
	event_base_free(script.base);
	event_config_free(poll);
	zl_arena_free(&script.arena);
	free(script.added);
	return 0;
}
