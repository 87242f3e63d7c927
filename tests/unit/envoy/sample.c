#include "sample.h"

#include "envoy/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct resource *sample_proxy(const struct dataplane_spec *spec)
{
	static struct resource proxy;

	proxy.key = (struct key){ KIND_DATAPLANE, "default", "", "", "web-01" };
	proxy.dataplane = spec;
	return &proxy;
}

struct envoy_config *sample_config(const struct outbound_route *outbounds, size_t count)
{
	static const struct dataplane_spec CLIENT = { .address = "192.168.0.1",
						      .advertised = "" };
	struct routes routes = { .proxy = sample_proxy(&CLIENT),
				 .zone = "east",
				 .outbounds = outbounds,
				 .outbound_count = count };

	return envoy_build_proxy(&routes, NULL);
}

static void file_read(const char *path, struct zl_buf *out)
{
	FILE *file = fopen(path, "r");
	char part[4096];
	size_t len;

	if (file == NULL)
		fail_msg("no golden %s; ZL_GOLDEN=write makes it", path);
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		zl_buf_add(out, part, len);
	(void)fclose(file);
}

static void file_write(const char *path, const struct zl_buf *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		fail_msg("cannot write %s", path);
	assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
	assert_int_equal(fclose(file), 0);
}

void sample_golden_text(const struct zl_buf *text, const char *file)
{
	const char *folder = getenv("ZL_SOURCE_DIR");
	const char *mode = getenv("ZL_GOLDEN");
	struct zl_buf want = { 0 };
	char *path =
		zl_format("%s/tests/unit/envoy/golden/%s", folder ? folder : ".", file);

	if (mode != NULL && strcmp(mode, "write") == 0)
		file_write(path, text);
	file_read(path, &want);
	assert_string_equal(zl_buf_text(text), zl_buf_text(&want));
	zl_buf_free(&want);
	free(path);
}

void sample_golden(struct envoy_config *config, const char *name)
{
	struct zl_buf text = { 0 };
	char *file = zl_format("%s.json", name);

	sample_whole(config);
	envoy_config_json(config, &text);
	sample_golden_text(&text, file);
	zl_buf_free(&text);
	free(file);
	envoy_config_drop(&config);
}
