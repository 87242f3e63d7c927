/* What proxies log: lines for the receivers that policies name, and who was denied. */
#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "envoy/build.h"
#include "zone/proxies/inside.h"

#include <string.h>

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

	if (!receivers_has(&proxy->receivers, target)) {
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
