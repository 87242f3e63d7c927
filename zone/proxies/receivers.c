#include "zone/proxies/receivers.h"

#include <string.h>

/* Receivers of one proxy that are remembered. */
enum { RECEIVERS_BYTES = 16 * 1024 };

bool receivers_has(const struct zl_buf *receivers, const char *address)
{
	for (size_t at = 0; at < receivers->len; at += strlen(receivers->data + at) + 1)
		if (strcmp(receivers->data + at, address) == 0)
			return true;
	return false;
}

/* A connection logs as it was to when it began, so what a proxy was ever told to log to
 * stays allowed while it is registered. Of very many the oldest goes. */
static void allow(struct zl_buf *receivers, const char *address)
{
	size_t len = strlen(address) + 1;

	if (receivers_has(receivers, address))
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

void receivers_allow(struct zl_buf *receivers, const struct routes *routes)
{
	for (size_t i = 0; i < routes->outbound_count; i++)
		allow_settings(receivers, routes->outbounds[i].settings);
	for (size_t i = 0; i < routes->inbound_count; i++)
		allow_settings(receivers, routes->inbounds[i].settings);
	for (size_t i = 0; i < routes->listener_count; i++)
		allow_settings(receivers, routes->listeners[i].settings);
}
