#include "sample.h"

#include "proto/envoy.pb-c.h"

#include <stdio.h>
#include <string.h>

#define UNPACK(type, from) type##__unpack(NULL, (from)->value.len, (from)->value.data)

/* How many of each type were named by something. */
struct walk {
	const struct envoy_config *config;
	size_t extensions, tables, secrets;
};

static void named(const struct walk *walk, enum envoy_type type, const char *name)
{
	if (envoy_config_find(walk->config, type, name) == NULL)
		fail_msg("%s is named and not there: %s", name, envoy_type_url(type));
}

static void whole_tls(struct walk *walk, const Envoy__CommonTlsContext *common)
{
	for (size_t i = 0; i < common->n_tls_certificate_sds_secret_configs; i++) {
		named(walk, ENVOY_SECRET,
		      common->tls_certificate_sds_secret_configs[i]->name);
		walk->secrets++;
	}
	if (common->validation_context_type_case ==
	    ENVOY__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_COMBINED_VALIDATION_CONTEXT) {
		named(walk, ENVOY_SECRET,
		      common->combined_validation_context
			      ->validation_context_sds_secret_config->name);
		walk->secrets++;
	}
}

/* ---- listeners ---- */

/* Valid until the next call. */
static const char *type_of_extension(const struct envoy_config *config, const char *name)
{
	static char type[128];
	const struct envoy_resource *item =
		envoy_config_find(config, ENVOY_EXTENSION, name);
	Envoy__TypedExtensionConfig *extension =
		envoy__typed_extension_config__unpack(NULL, item->len, item->bytes);

	assert_non_null(extension);
	(void)snprintf(type, sizeof(type), "%s", extension->typed_config->type_url);
	envoy__typed_extension_config__free_unpacked(extension, NULL);
	return type;
}

/* Nothing that may change stands in a listener. */
static void whole_filter(struct walk *walk, const Envoy__Filter *filter)
{
	assert_int_equal(filter->config_type_case,
			 ENVOY__FILTER__CONFIG_TYPE_CONFIG_DISCOVERY);
	named(walk, ENVOY_EXTENSION, filter->name);
	assert_int_equal(filter->config_discovery->n_type_urls, 1);
	assert_string_equal(filter->config_discovery->type_urls[0],
			    type_of_extension(walk->config, filter->name));
	walk->extensions++;
}

/* An inbound that takes plain text and mTLS does the same with both. */
static bool is_again(const Envoy__Listener *listener, size_t chain, const char *filter)
{
	for (size_t i = 0; i < chain; i++)
		for (size_t k = 0; k < listener->filter_chains[i]->n_filters; k++)
			if (strcmp(listener->filter_chains[i]->filters[k]->name,
				   filter) == 0)
				return true;
	return false;
}

static void whole_listener(struct walk *walk, const struct envoy_resource *item)
{
	Envoy__Listener *listener = envoy__listener__unpack(NULL, item->len, item->bytes);

	assert_non_null(listener);
	assert_string_equal(listener->name, item->name);
	assert_int_not_equal(listener->n_filter_chains, 0);
	for (size_t i = 0; i < listener->n_filter_chains; i++) {
		const Envoy__FilterChain *chain = listener->filter_chains[i];
		assert_int_not_equal(chain->n_filters, 0);
		for (size_t k = 0; k < chain->n_filters; k++)
			if (!is_again(listener, i, chain->filters[k]->name))
				whole_filter(walk, chain->filters[k]);
		if (chain->transport_socket == NULL)
			continue;
		Envoy__DownstreamTlsContext *context =
			UNPACK(envoy__downstream_tls_context,
			       chain->transport_socket->typed_config);
		whole_tls(walk, context->common_tls_context);
		envoy__downstream_tls_context__free_unpacked(context, NULL);
	}
	envoy__listener__free_unpacked(listener, NULL);
}

/* ---- what leads to clusters ---- */

static void whole_proxy(const struct walk *walk, const Envoy__Any *any)
{
	Envoy__TcpProxy *proxy = UNPACK(envoy__tcp_proxy, any);

	assert_non_null(proxy);
	assert_string_not_equal(proxy->stat_prefix, "");
	if (proxy->cluster_specifier_case ==
	    ENVOY__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER) {
		named(walk, ENVOY_CLUSTER, proxy->cluster);
	} else {
		assert_true(proxy->weighted_clusters->n_clusters > 1);
		for (size_t i = 0; i < proxy->weighted_clusters->n_clusters; i++) {
			named(walk, ENVOY_CLUSTER,
			      proxy->weighted_clusters->clusters[i]->name);
			assert_int_not_equal(
				proxy->weighted_clusters->clusters[i]->weight, 0);
		}
	}
	envoy__tcp_proxy__free_unpacked(proxy, NULL);
}

/* The table is that of the listener, for ever. */
static void whole_manager(struct walk *walk, const Envoy__Any *any, const char *name)
{
	Envoy__HttpConnectionManager *manager =
		UNPACK(envoy__http_connection_manager, any);
	size_t len = strlen(name) - strlen("/http");

	assert_non_null(manager);
	assert_string_not_equal(manager->stat_prefix, "");
	assert_int_equal(manager->n_http_filters, 1);
	named(walk, ENVOY_ROUTES, manager->rds->route_config_name);
	assert_string_equal(name + len, "/http");
	assert_int_equal(strlen(manager->rds->route_config_name), len);
	assert_memory_equal(name, manager->rds->route_config_name, len);
	walk->tables++;
	envoy__http_connection_manager__free_unpacked(manager, NULL);
}

/* Without rules it would let everybody in. */
static void whole_rbac(const Envoy__Any *any)
{
	Envoy__NetworkRbac *rbac = UNPACK(envoy__network_rbac, any);

	assert_non_null(rbac);
	assert_non_null(rbac->rules);
	assert_string_not_equal(rbac->stat_prefix, "");
	for (size_t i = 0; i < rbac->rules->n_policies; i++) {
		assert_int_not_equal(rbac->rules->policies[i]->value->n_principals, 0);
		assert_int_equal(rbac->rules->policies[i]->value->n_permissions, 1);
	}
	envoy__network_rbac__free_unpacked(rbac, NULL);
}

static void whole_extension(struct walk *walk, const struct envoy_resource *item)
{
	Envoy__TypedExtensionConfig *extension =
		envoy__typed_extension_config__unpack(NULL, item->len, item->bytes);

	assert_non_null(extension);
	assert_string_equal(extension->name, item->name);
	const char *type = strrchr(extension->typed_config->type_url, '.');
	if (strcmp(type, ".HttpConnectionManager") == 0)
		whole_manager(walk, extension->typed_config, item->name);
	else if (strcmp(type, ".RBAC") == 0)
		whole_rbac(extension->typed_config);
	else
		whole_proxy(walk, extension->typed_config);
	envoy__typed_extension_config__free_unpacked(extension, NULL);
}

static void whole_route(const struct walk *walk, const Envoy__Route *route)
{
	const Envoy__RouteAction *action = route->route;

	assert_string_not_equal(route->name, "");
	assert_int_not_equal(route->match->path_specifier_case, 0);
	if (action->cluster_specifier_case ==
	    ENVOY__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER) {
		named(walk, ENVOY_CLUSTER, action->cluster);
		return;
	}
	assert_true(action->weighted_clusters->n_clusters > 1);
	for (size_t i = 0; i < action->weighted_clusters->n_clusters; i++) {
		named(walk, ENVOY_CLUSTER, action->weighted_clusters->clusters[i]->name);
		assert_int_not_equal(
			action->weighted_clusters->clusters[i]->weight->value, 0);
	}
}

static void whole_table(const struct walk *walk, const struct envoy_resource *item)
{
	Envoy__RouteConfiguration *table =
		envoy__route_configuration__unpack(NULL, item->len, item->bytes);
	const Envoy__VirtualHost *host;

	assert_non_null(table);
	assert_string_equal(table->name, item->name);
	assert_int_equal(table->n_virtual_hosts, 1);
	host = table->virtual_hosts[0];
	assert_int_not_equal(host->n_routes, 0);
	for (size_t i = 0; i < host->n_routes; i++)
		whole_route(walk, host->routes[i]);
	assert_string_equal(host->routes[host->n_routes - 1]->match->prefix, "/");
	envoy__route_configuration__free_unpacked(table, NULL);
}

static void whole_cluster(struct walk *walk, const struct envoy_resource *item)
{
	Envoy__Cluster *cluster = envoy__cluster__unpack(NULL, item->len, item->bytes);
	bool has_endpoints =
		envoy_config_find(walk->config, ENVOY_ENDPOINTS, item->name) != NULL;

	assert_non_null(cluster);
	assert_string_equal(cluster->name, item->name);
	assert_int_equal(has_endpoints,
			 cluster->type == ENVOY__CLUSTER__DISCOVERY_TYPE__EDS);
	assert_int_equal(has_endpoints, cluster->load_assignment == NULL);
	assert_non_null(cluster->circuit_breakers);
	if (cluster->transport_socket != NULL) {
		Envoy__UpstreamTlsContext *context =
			UNPACK(envoy__upstream_tls_context,
			       cluster->transport_socket->typed_config);
		/* Without one Envoy takes any certificate. */
		assert_int_not_equal(
			context->common_tls_context->validation_context_type_case, 0);
		whole_tls(walk, context->common_tls_context);
		envoy__upstream_tls_context__free_unpacked(context, NULL);
	}
	envoy__cluster__free_unpacked(cluster, NULL);
}

void sample_whole(const struct envoy_config *config)
{
	struct walk walk = { .config = config };
	const struct envoy_resource *items;
	size_t count;

	items = envoy_config_list(config, ENVOY_LISTENER, &count);
	for (size_t i = 0; i < count; i++)
		whole_listener(&walk, &items[i]);
	items = envoy_config_list(config, ENVOY_EXTENSION, &count);
	assert_int_equal(count, walk.extensions);
	for (size_t i = 0; i < count; i++)
		whole_extension(&walk, &items[i]);
	items = envoy_config_list(config, ENVOY_ROUTES, &count);
	assert_int_equal(count, walk.tables);
	for (size_t i = 0; i < count; i++)
		whole_table(&walk, &items[i]);
	items = envoy_config_list(config, ENVOY_CLUSTER, &count);
	for (size_t i = 0; i < count; i++)
		whole_cluster(&walk, &items[i]);
	(void)envoy_config_list(config, ENVOY_SECRET, &count);
	assert_true(count <= walk.secrets);
}
