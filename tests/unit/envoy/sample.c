#include "sample.h"

#include "envoy/json.h"

#include "proto/envoy.pb-c.h"

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

static void named_cluster(const struct envoy_config *config, const char *name)
{
	if (envoy_config_find(config, ENVOY_CLUSTER, name) == NULL)
		fail_msg("an extension names the cluster %s, which is not there", name);
}

static void whole_extension(const struct envoy_config *config,
			    const struct envoy_resource *item)
{
	Envoy__TypedExtensionConfig *extension =
		envoy__typed_extension_config__unpack(NULL, item->len, item->bytes);
	assert_non_null(extension);
	assert_string_equal(extension->name, item->name);
	Envoy__TcpProxy *proxy =
		envoy__tcp_proxy__unpack(NULL, extension->typed_config->value.len,
					 extension->typed_config->value.data);
	assert_non_null(proxy);
	assert_string_not_equal(proxy->stat_prefix, "");

	if (proxy->cluster_specifier_case ==
	    ENVOY__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER) {
		named_cluster(config, proxy->cluster);
	} else {
		assert_true(proxy->weighted_clusters->n_clusters > 1);
		for (size_t i = 0; i < proxy->weighted_clusters->n_clusters; i++) {
			named_cluster(config,
				      proxy->weighted_clusters->clusters[i]->name);
			assert_int_not_equal(
				proxy->weighted_clusters->clusters[i]->weight, 0);
		}
	}
	envoy__tcp_proxy__free_unpacked(proxy, NULL);
	envoy__typed_extension_config__free_unpacked(extension, NULL);
}

static void whole_cluster(const struct envoy_config *config,
			  const struct envoy_resource *item)
{
	Envoy__Cluster *cluster = envoy__cluster__unpack(NULL, item->len, item->bytes);
	bool has_endpoints =
		envoy_config_find(config, ENVOY_ENDPOINTS, item->name) != NULL;

	assert_non_null(cluster);
	assert_string_equal(cluster->name, item->name);
	assert_int_equal(has_endpoints,
			 cluster->type == ENVOY__CLUSTER__DISCOVERY_TYPE__EDS);
	assert_non_null(cluster->circuit_breakers);
	envoy__cluster__free_unpacked(cluster, NULL);
}

void sample_whole(const struct envoy_config *config)
{
	const struct envoy_resource *items;
	size_t count;
	size_t listeners;

	items = envoy_config_list(config, ENVOY_EXTENSION, &count);
	for (size_t i = 0; i < count; i++) {
		whole_extension(config, &items[i]);
		assert_non_null(envoy_config_find(config, ENVOY_LISTENER, items[i].name));
	}
	(void)envoy_config_list(config, ENVOY_LISTENER, &listeners);
	assert_int_equal(listeners, count);
	items = envoy_config_list(config, ENVOY_CLUSTER, &count);
	for (size_t i = 0; i < count; i++)
		whole_cluster(config, &items[i]);
}
