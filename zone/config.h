/* zone/config.h - the configuration keys of zonelink-zone.
 *
 * Threads:  constant data.
 */
#pragma once

#include "conf/conf.h"

struct config {
	const char *data_dir, *zone_name;
	const char *key_file;       /* NULL: DATA_DIR/key */
	const char *token_file;     /* NULL: none */
	const char *dataplanes_dir; /* NULL: no folder is watched */
	struct conf_addrs global_sync, global_api;
	struct conf_addrs api_listen, diagnostics_listen, xds_listen;
	struct conf_addrs xds_advertise; /* one or none */
	int64_t xds_max_connections;
	uint64_t xds_certificate_ms;
	uint64_t services_grace_ms;
	const char *vips_service, *vips_external, *vips_multi_zone;
	bool localhost_is_admin;
	const char *log_level, *log_format;
};

extern const struct conf_program CONFIG_PROGRAM;
