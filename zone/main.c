/* zonelink-zone: one per cluster. Resolves policies for its proxies and serves them xDS.
 */
#include "zone/process.h"

#include "base/last_words.h"
#include "base/log.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	struct config config;
	struct conf *conf;
	struct process *process;
	struct zl_err err = { 0 };

	int status = conf_load(&conf, &CONFIG_PROGRAM, argc, argv, &config);
	if (status != CONF_GO)
		return status;
	(void)zl_log_set_level(config.log_level);
	(void)zl_log_set_format(config.log_format);
	zl_last_words("zonelink-zone", config.data_dir);

	status = 1;
	if (process_open(&process, &config, &err) == ZL_OK) {
		if (process_ready(process, conf_ready_file(conf), &err) == ZL_OK) {
			process_run(process);
			status = 0;
		}
		process_close(&process);
	}
	if (status != 0)
		(void)fprintf(stderr, "zonelink-zone: %s\n", err.msg);
	conf_free(&conf);
	return status;
}
