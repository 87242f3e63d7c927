/* What proxies tell of their traffic: LoadStatsRequests after a zero byte, records of
 * access logs after any other. */
#include "zone/xds/load.h"
#include "zone/xds/logs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_fields(const struct xds_log_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert(strlen(fields[i].key) < 1 << 20 &&
		       strlen(fields[i].value) < 1 << 20);
}

static void look(void *to, const struct xds_log_record *record)
{
	++*(uint64_t *)to;
	assert(record->text == NULL || strlen(record->text) < 1 << 20);
	assert(record->text == NULL || record->field_count == 0);
	look_at_fields(record->fields, record->field_count);
	look_at_fields(record->attributes, record->attribute_count);
}

static void read_report(const uint8_t *data, size_t size)
{
	struct zl_arena *arena = zl_arena_new();
	struct xds_report report;

	if (xds_report_read(&report, arena, data, size, NULL) == ZL_OK)
		for (size_t i = 0; i < report.count; i++) {
			assert(strlen(report.loads[i].cluster) <= size);
			for (size_t j = 0; j < report.loads[i].endpoint_count; j++)
				assert(report.loads[i].endpoints[j].address != NULL);
		}
	zl_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t seen = 0;
	uint64_t counted = 0;

	if (size == 0)
		return 0;
	uint8_t *copy = zl_memdup(data + 1, size - 1); /* its end is watched */
	if (data[0] == 0)
		read_report(copy, size - 1);
	else
		(void)!xds_logs_read(copy, size - 1, look, &seen, &counted, NULL);
	assert(seen == counted);
	free(copy);
	return 0;
}
