/* What proxies log: lines for the receivers that policies name, and who was denied. */
#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "envoy/build.h"
#include "zone/proxies/inside.h"

#include <string.h>

/* Receivers of one proxy that are remembered. */
enum { RECEIVERS_BYTES = 16 * 1024 };

static bool has_text(const struct zl_buf *texts, const char *text)
{
	for (size_t at = 0; at < texts->len; at += strlen(texts->data + at) + 1)
		if (strcmp(texts->data + at, text) == 0)
			return true;
	return false;
}

/* A connection logs as it was to when it began, so what a proxy was ever told to log to
 * stays allowed while it is registered. Of very many the oldest goes. */
static void allow(struct zl_buf *receivers, const char *address)
{
	size_t len = strlen(address) + 1;

	if (has_text(receivers, address))
		return;
	while (receivers->len > 0 && receivers->len + len > RECEIVERS_BYTES)
		zl_buf_drain(receivers, strlen(receivers->data) + 1);
	zl_buf_add(receivers, address, len);
}

static void allow_settings(struct zl_buf *receivers, const struct settings *settings)
{
	const struct log_conf *conf = settings != NULL ? settings->log : NULL;

	for (size_t i = 0; conf != NULL && i < conf->count; i++)
		if (conf->backends[i].type == LOG_TCP)
			allow(receivers, conf->backends[i].address);
}

void logging_want(struct proxy *proxy, const struct routes *routes)
{
	struct zl_buf *receivers = &proxy->receivers;

	for (size_t i = 0; i < routes->outbound_count; i++)
		allow_settings(receivers, routes->outbounds[i].settings);
	for (size_t i = 0; i < routes->inbound_count; i++)
		allow_settings(receivers, routes->inbounds[i].settings);
	for (size_t i = 0; i < routes->listener_count; i++)
		allow_settings(receivers, routes->listeners[i].settings);
}

static void refuse(struct proxies *proxies, const char *id, const char *target)
{
	if (proxies->counts.refused_logs++ == 0)
		zl_log(ZL_WARN, "logs",
		       "a proxy logs to an address that no policy names for it; what it "
		       "sends there is dropped and counted",
		       "proxy=%q target=%q", id, target);
}

static void pass_on(struct proxies *proxies, const struct proxy *proxy,
		    const struct xds_log_record *record, const char *target)
{
	struct zl_buf line = { 0 };

	if (!has_text(&proxy->receivers, target)) {
		refuse(proxies, proxy->id, target);
		return;
	}
	record_line(record, &line);
	logs_add(proxies->logs, target, line.data, line.len);
	zl_buf_free(&line);
}

/* The inbound whose listener is called so; NULL: it is none of this proxy. An address
 * that is a name was resolved since. */
static const struct inbound *inbound_of(const struct dataplane_spec *spec,
					const char *listener)
{
	static const char BEFORE[] = "inbound:";
	struct zl_addr addr;
	struct zl_err err;

	if (strncmp(listener, BEFORE, sizeof(BEFORE) - 1) != 0 ||
	    zl_addr_parse(listener + sizeof(BEFORE) - 1, &addr, &err) != ZL_OK)
		return NULL;
	for (size_t i = 0; i < spec->inbound_count; i++) {
		const struct inbound *inbound = &spec->inbounds[i];
		const char *address =
			inbound->address[0] != '\0' ? inbound->address : spec->address;
		if (inbound->port == addr.port &&
		    (strcmp(address, addr.host) == 0 || !zl_is_ip(address)))
			return inbound;
	}
	return NULL;
}

static void note_denial(struct proxies *proxies, const struct proxy *proxy,
			const struct xds_log_record *record)
{
	const struct resource *resource = proxy->resource;
	struct zl_arena *arena = zl_arena_new();
	struct record_denial denial;
	const struct inbound *inbound;

	if (record_denial(record, arena, &denial) &&
	    (inbound = inbound_of(resource->dataplane, denial.inbound)) != NULL) {
		const char *service = labels_get(inbound->tags, TAG_SERVICE);
		const struct denial one = { .time_us = record->time_ns != 0
							       ? record->time_ns / 1000
							       : zl_wall_us(),
					    .mode = denial.mode,
					    .mesh = resource->key.mesh,
					    .service = service != NULL ? service : "",
					    .proxy = resource->key.name,
					    .inbound = denial.inbound,
					    .client = denial.client,
					    .why = denial.why };
		denials_add(proxies->denials, &one);
	}
	zl_arena_free(&arena);
}

void logging_take(void *owner, const char *id, const struct xds_log_record *record)
{
	struct proxies *proxies = owner;
	const struct proxy *proxy = proxies_find(proxies, id);
	const char *target = record_attribute(record, ENVOY_LOG_ADDRESS);

	if (proxy == NULL || !proxy_is_dataplane(proxy))
		return;
	if (target != NULL)
		pass_on(proxies, proxy, record, target);
	else
		note_denial(proxies, proxy, record);
}

const struct logs *proxies_logs(const struct proxies *proxies)
{
	return proxies->logs;
}

const struct denials *proxies_denials(const struct proxies *proxies)
{
	return proxies->denials;
}
