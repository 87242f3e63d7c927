#include "global/config.h"

static const char *const LEVELS[] = { "error", "warn", "info", "debug", NULL };
static const char *const FORMATS[] = { "logfmt", "json", NULL };

static const struct conf_key KEYS[] = {
	{ .name = "data_dir",
	  .type = CONF_TEXT,
	  .offset = offsetof(struct config, data_dir),
	  .fallback = "/var/lib/zonelink/global",
	  .help = "folder of the store; made with mode 0700" },
	{ .name = "key_file",
	  .type = CONF_TEXT,
	  .offset = offsetof(struct config, key_file),
	  .help = "seals keys and secrets; made at the first start (default: key in "
		  "data_dir)" },
	{ .name = "api.listen",
	  .type = CONF_ADDRS,
	  .offset = offsetof(struct config, api_listen),
	  .fallback = "127.0.0.1:5681,unix:/run/zonelink/api.sock",
	  .help = "HTTP API; TCP addresses take TLS, and plain requests from loopback" },
	{ .name = "api.localhost_is_admin",
	  .type = CONF_BOOL,
	  .offset = offsetof(struct config, localhost_is_admin),
	  .fallback = "true",
	  .help = "a caller by unix socket or plain loopback needs no token" },
	{ .name = "diagnostics.listen",
	  .type = CONF_ADDRS,
	  .offset = offsetof(struct config, diagnostics_listen),
	  .fallback = "127.0.0.1:5680",
	  .help = "/livez /readyz /startupz /metrics" },
	{ .name = "sync.listen",
	  .type = CONF_ADDRS,
	  .offset = offsetof(struct config, sync_listen),
	  .fallback = "127.0.0.1:5685",
	  .help = "where zones connect; loopback addresses and unix sockets" },
	{ .name = "log.level",
	  .type = CONF_ENUM,
	  .offset = offsetof(struct config, log_level),
	  .fallback = "info",
	  .values = LEVELS,
	  .help = "the least important lines that are written" },
	{ .name = "log.format",
	  .type = CONF_ENUM,
	  .offset = offsetof(struct config, log_format),
	  .fallback = "logfmt",
	  .values = FORMATS,
	  .help = "how lines are written" },
};

const struct conf_program CONFIG_PROGRAM = {
	.name = "zonelink-global",
	.about = "stores the policies of all zones and replicates them",
	.default_file = "/etc/zonelink/global.yaml",
	.keys = KEYS,
	.count = sizeof(KEYS) / sizeof(KEYS[0]),
	.size = sizeof(struct config),
};
