/* global/config.h - the configuration keys of zonelink-global.
 *
 * Threads:  constant data.
 */
#pragma once

#include "conf/conf.h"

struct config {
	const char *data_dir, *key_file; /* key_file NULL: DATA_DIR/key */
	struct conf_addrs api_listen, diagnostics_listen, sync_listen;
	bool localhost_is_admin;
	const char *vips_service, *vips_external, *vips_multi_zone;
	uint64_t stale_after_ms, withdraw_after_ms, certificate_ttl_ms;
	const char *log_level, *log_format;
};

extern const struct conf_program CONFIG_PROGRAM;
