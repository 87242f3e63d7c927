#include "envoy/build_settings.h"

#include "base/addr.h"
#include "pki/pem.h"

#include <string.h>

/* Where the roots are on a proxy's machine: Debian, Alpine and Envoy's own images. */
#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"

/* ---- what TLS is started with ---- */

/* Certificates and keys that a cluster's TLS takes. */
struct contents {
	const char *roots;       /* NULL: the system's */
	const char *chain, *key; /* NULL: it shows none */
};

static bool is_named(const struct data_source *source)
{
	return source->secret[0] != '\0' || source->text[0] != '\0';
}

static bool verifies_chain(const struct external_tls *tls)
{
	return tls->verify == VERIFY_SECURED || tls->verify == VERIFY_SKIP_SAN;
}

static bool verifies_names(const struct external_tls *tls)
{
	return tls->verify == VERIFY_SECURED || tls->verify == VERIFY_SKIP_CA;
}

/* False: something that is named is not to be had, or of no use (K18). */
static bool load(struct build *build, const struct external_tls *tls,
		 struct contents *contents)
{
	if (verifies_chain(tls) && is_named(&tls->ca)) {
		contents->roots = build_content(build, &tls->ca);
		if (contents->roots == NULL || !pki_pem_is_chain(contents->roots))
			return false;
	}
	if (!is_named(&tls->cert) || !is_named(&tls->key))
		return true;
	contents->chain = build_content(build, &tls->cert);
	contents->key = build_content(build, &tls->key);
	return contents->chain != NULL && contents->key != NULL &&
	       pki_pem_pair(contents->chain, contents->key) != PKI_KEY_NONE;
}

static const char *first_address(const struct backend *target)
{
	const struct resource *object = target->object;

	if (object != NULL && object->key.kind == KIND_MESH_EXTERNAL_SERVICE &&
	    object->mesh_external->endpoint_count > 0)
		return object->mesh_external->endpoints[0].address;
	return target->endpoint_count > 0 ? target->endpoints[0].address : "";
}

/* "": none is said. */
static const char *server_name(const struct backend *target)
{
	const char *first = first_address(target);

	if (verifies_names(target->outside) && target->outside->server_name[0] != '\0')
		return target->outside->server_name;
	return zl_is_ip(first) ? "" : first;
}

/* ---- the names that a certificate may have ---- */

void build_expect_name(struct zl_arena *arena, Envoy__CertificateValidationContext *to,
		       Envoy__SubjectAltNameMatcher__SanType type,
		       const struct expected_name *name)
{
	Envoy__SubjectAltNameMatcher *one =
		pb_new(arena, &envoy__subject_alt_name_matcher__descriptor);

	one->san_type = type;
	one->matcher = pb_new(arena, &envoy__string_matcher__descriptor);
	if (name->prefix) {
		one->matcher->match_pattern_case =
			ENVOY__STRING_MATCHER__MATCH_PATTERN_PREFIX;
		one->matcher->prefix = zl_arena_strdup(arena, name->value);
	} else {
		one->matcher->match_pattern_case =
			ENVOY__STRING_MATCHER__MATCH_PATTERN_EXACT;
		one->matcher->exact = zl_arena_strdup(arena, name->value);
	}
	to->match_typed_subject_alt_names[to->n_match_typed_subject_alt_names++] = one;
}

static void add_name(struct zl_arena *arena, Envoy__CertificateValidationContext *to,
		     const struct expected_name *name)
{
	build_expect_name(arena, to, ENVOY__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__DNS,
			  name);
	build_expect_name(arena, to,
			  ENVOY__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__IP_ADDRESS, name);
}

/* The server's name, or where it has none its addresses; and what else was written. */
static void set_names(struct zl_arena *arena, Envoy__CertificateValidationContext *to,
		      const struct backend *target)
{
	const struct external_tls *tls = target->outside;
	size_t most = 1 + target->endpoint_count + tls->name_count;
	struct expected_name own = { .value = server_name(target) };

	to->match_typed_subject_alt_names = pb_list(arena, 2 * most);
	if (own.value[0] != '\0')
		add_name(arena, to, &own);
	for (size_t i = 0; own.value[0] == '\0' && i < target->endpoint_count; i++) {
		const struct expected_name address = {
			.value = target->endpoints[i].address
		};
		add_name(arena, to, &address);
	}
	for (size_t i = 0; i < tls->name_count; i++)
		add_name(arena, to, &tls->names[i]);
}

/* ---- the transport socket ---- */

static Envoy__TlsParameters *versions(struct zl_arena *arena,
				      const struct external_tls *tls)
{
	static const Envoy__TlsParameters__TlsProtocol NUMBERS[] = {
		[TLS_AUTO] = ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLS_AUTO,
		[TLS_10] = ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_0,
		[TLS_11] = ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_1,
		[TLS_12] = ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_2,
		[TLS_13] = ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_3,
	};
	Envoy__TlsParameters *made = pb_new(arena, &envoy__tls_parameters__descriptor);
	enum tls_version max = tls->max == TLS_AUTO ? TLS_13 : tls->max;
	enum tls_version min = tls->min;

	if (min == TLS_AUTO)
		min = max < TLS_12 ? max : TLS_12;
	made->tls_minimum_protocol_version = NUMBERS[min];
	made->tls_maximum_protocol_version = NUMBERS[max];
	return made;
}

/* "The system's" is what system_root_certs says; but Envoy 1.40 does nothing by that
 * alone, and then takes any certificate or refuses the cluster: so the file is named too,
 * which comes first where both are understood. */
static void trust_system(struct zl_arena *arena,
			 Envoy__CertificateValidationContext *context)
{
	context->system_root_certs = pb_new(
		arena,
		&envoy__certificate_validation_context__system_root_certs__descriptor);
	context->trusted_ca = pb_new(arena, &envoy__data_source__descriptor);
	context->trusted_ca->specifier_case = ENVOY__DATA_SOURCE__SPECIFIER_FILENAME;
	context->trusted_ca->filename = zl_arena_strdup(arena, SYSTEM_ROOTS);
}

/* Envoy without a validation context verifies nothing and says nothing: there is always
 * one, and what it leaves out was asked for. */
static void set_validation(struct build *build, Envoy__CommonTlsContext *common,
			   const struct backend *target, const char *roots_name)
{
	struct zl_arena *arena = build->arena;
	Envoy__CertificateValidationContext *context =
		pb_new(arena, &envoy__certificate_validation_context__descriptor);

	if (verifies_names(target->outside))
		set_names(arena, context, target);
	if (!verifies_chain(target->outside))
		context->trust_chain_verification =
			ENVOY__CERTIFICATE_VALIDATION_CONTEXT__TRUST_CHAIN_VERIFICATION__ACCEPT_UNTRUSTED;
	if (roots_name == NULL) {
		if (target->outside->verify != VERIFY_SKIP_ALL)
			trust_system(arena, context);
		common->validation_context_type_case =
			ENVOY__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_VALIDATION_CONTEXT;
		common->validation_context = context;
		return;
	}
	common->validation_context_type_case =
		ENVOY__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_COMBINED_VALIDATION_CONTEXT;
	common->combined_validation_context = pb_new(
		arena,
		&envoy__common_tls_context__combined_certificate_validation_context__descriptor);
	common->combined_validation_context->default_validation_context = context;
	common->combined_validation_context->validation_context_sds_secret_config =
		build_secret_ref(build, roots_name);
}

/* A server that speaks HTTP/2 does so over TLS only with who offers it. */
static void offer_http2(struct zl_arena *arena, Envoy__CommonTlsContext *common)
{
	common->alpn_protocols = pb_list(arena, 1);
	common->alpn_protocols[common->n_alpn_protocols++] = zl_arena_strdup(arena, "h2");
}

static void set_certificate(struct build *build, Envoy__CommonTlsContext *common,
			    const char *name)
{
	common->tls_certificate_sds_secret_configs = pb_list(build->arena, 1);
	common->tls_certificate_sds_secret_configs
		[common->n_tls_certificate_sds_secret_configs++] =
		build_secret_ref(build, name);
}

static Envoy__TransportSocket *tls_socket(struct build *build,
					  const struct backend *target,
					  const struct contents *contents,
					  enum http_version version)
{
	struct zl_arena *arena = build->arena;
	const char *roots = zl_arena_format(arena, "external_ca:%s", target->cluster);
	const char *pair = zl_arena_format(arena, "external_cert:%s", target->cluster);
	Envoy__UpstreamTlsContext *context =
		pb_new(arena, &envoy__upstream_tls_context__descriptor);
	Envoy__CommonTlsContext *common =
		pb_new(arena, &envoy__common_tls_context__descriptor);

	if (contents->roots != NULL)
		build_roots_secret(build, roots, contents->roots);
	if (contents->chain != NULL) {
		build_pair_secret(build, pair, contents->chain, contents->key);
		set_certificate(build, common, pair);
	}
	common->tls_params = versions(arena, target->outside);
	set_validation(build, common, target, contents->roots != NULL ? roots : NULL);
	if (version == HTTP_TWO)
		offer_http2(arena, common);
	context->common_tls_context = common;
	context->sni = zl_arena_strdup(arena, server_name(target));
	context->allow_renegotiation = target->outside->renegotiation;
	return build_tls_socket(arena, &context->base);
}

/* ---- the cluster ---- */

static bool has_host_names(const struct backend *target)
{
	for (size_t i = 0; i < target->endpoint_count; i++)
		if (!zl_is_ip(target->endpoints[i].address))
			return true;
	return false;
}

void build_outside(struct build *build, const struct backend *target)
{
	enum http_version version = build->at_edge && !build->relays
					    ? HTTP_NONE
					    : build_http_version(target->protocol);
	bool by_name = has_host_names(target);
	struct contents contents = { 0 };
	Envoy__Cluster *cluster;
	unsigned priorities;

	if (target->outside->enabled && !load(build, target->outside, &contents)) {
		build_static_cluster(build, target->cluster, NULL, 0, version, NULL);
		return;
	}
	cluster = build_cluster_new(build, target->cluster,
				    by_name ? ENVOY__CLUSTER__DISCOVERY_TYPE__STRICT_DNS
					    : ENVOY__CLUSTER__DISCOVERY_TYPE__STATIC);
	if (by_name) /* without, a name with both kinds of address may get IPv6 alone */
		cluster->dns_lookup_family =
			ENVOY__CLUSTER__DNS_LOOKUP_FAMILY__V4_PREFERRED;
	cluster->load_assignment = build_assignment(build, target, true, &priorities);
	build_set_http(build, cluster, version, target);
	if (target->outside->enabled)
		cluster->transport_socket = tls_socket(build, target, &contents, version);
	build_settle_target(build, cluster, target);
	build_add(build, ENVOY_CLUSTER, target->cluster, &cluster->base);
}
