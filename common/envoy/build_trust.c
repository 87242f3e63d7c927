#include "envoy/build_parts.h"

#include <string.h>

/* What a mesh's TLS says that it carries, so that an inbound that takes plain connections
 * too tells it from the TLS of applications. */
#define ALPN_MESH "kuma"

const char *envoy_identity_name(const char *mesh, struct zl_arena *arena)
{
	return zl_arena_format(arena, "identity_cert:secret:%s", mesh);
}

static void fini(struct envoy_identity *identity)
{
	if (identity->key.len > 0)
		explicit_bzero(identity->key.data, identity->key.len);
	zl_buf_free(&identity->key);
	zl_buf_free(&identity->chain);
	zl_buf_free(&identity->roots);
}

void build_trust(struct build *build, const struct envoy_holder *holder)
{
	const struct envoy_secrets *secrets = build->secrets;
	struct trust *trust = &build->trust;
	struct envoy_identity identity = { 0 };

	if (holder->uri_count == 0)
		return;
	const char *mesh = holder->mesh_name;
	trust->on = true;
	trust->permissive = mesh_signer(holder->mesh)->permissive;
	trust->identity = envoy_identity_name(mesh, build->arena);
	trust->roots = zl_arena_format(build->arena, "mesh_ca:secret:%s", mesh);
	if (secrets == NULL || secrets->identity == NULL) {
		trust->has_identity = true;
		return;
	}
	trust->has_identity = secrets->identity(secrets->owner, holder, &identity);
	if (trust->has_identity) {
		build_pair_secret(build, trust->identity, zl_buf_text(&identity.chain),
				  zl_buf_text(&identity.key));
		trust->root_text =
			zl_arena_strdup(build->arena, zl_buf_text(&identity.roots));
		build_roots_secret(build, trust->roots, trust->root_text);
	}
	fini(&identity);
}

Envoy__TransportSocket *build_tls_socket(struct zl_arena *arena,
					 const ProtobufCMessage *context)
{
	Envoy__TransportSocket *socket =
		pb_new(arena, &envoy__transport_socket__descriptor);

	socket->name = zl_arena_strdup(arena, TLS_SOCKET);
	socket->config_type_case = ENVOY__TRANSPORT_SOCKET__CONFIG_TYPE_TYPED_CONFIG;
	socket->typed_config = pb_any(arena, context);
	return socket;
}

/* The other end has one of these names, or those that roots tell of as well, by an
 * authority of the mesh. */
static void set_check(struct build *build, Envoy__CommonTlsContext *common,
		      const struct expected_name *names, size_t count, const char *roots)
{
	struct zl_arena *arena = build->arena;
	Envoy__CertificateValidationContext *check =
		pb_new(arena, &envoy__certificate_validation_context__descriptor);

	check->match_typed_subject_alt_names = pb_list(arena, count);
	for (size_t i = 0; i < count; i++)
		build_expect_name(arena, check,
				  ENVOY__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__URI,
				  &names[i]);
	common->validation_context_type_case =
		ENVOY__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_COMBINED_VALIDATION_CONTEXT;
	common->combined_validation_context = pb_new(
		arena,
		&envoy__common_tls_context__combined_certificate_validation_context__descriptor);
	common->combined_validation_context->default_validation_context = check;
	common->combined_validation_context->validation_context_sds_secret_config =
		build_secret_ref(build, roots);
}

/* Both ends: who one is, and who the other has to be. */
static Envoy__CommonTlsContext *common_of(struct build *build,
					  const struct expected_name *names, size_t count,
					  const char *roots)
{
	struct zl_arena *arena = build->arena;
	Envoy__CommonTlsContext *common =
		pb_new(arena, &envoy__common_tls_context__descriptor);

	/* A client that is told nothing stops at TLS 1.2. */
	common->tls_params = pb_new(arena, &envoy__tls_parameters__descriptor);
	common->tls_params->tls_minimum_protocol_version =
		ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_2;
	common->tls_params->tls_maximum_protocol_version =
		ENVOY__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_3;
	set_check(build, common, names, count, roots);
	common->tls_certificate_sds_secret_configs = pb_list(arena, 1);
	common->tls_certificate_sds_secret_configs
		[common->n_tls_certificate_sds_secret_configs++] =
		build_secret_ref(build, build->trust.identity);
	return common;
}

Envoy__TransportSocket *build_mesh_client(struct build *build,
					  const struct backend *target)
{
	struct zl_arena *arena = build->arena;
	Envoy__UpstreamTlsContext *context =
		pb_new(arena, &envoy__upstream_tls_context__descriptor);
	Envoy__CommonTlsContext *common =
		common_of(build, target->names, target->name_count, build->trust.roots);

	common->alpn_protocols = pb_list(arena, 1);
	common->alpn_protocols[common->n_alpn_protocols++] =
		zl_arena_strdup(arena, ALPN_MESH);
	context->common_tls_context = common;
	context->sni = zl_arena_strdup(arena, target->sni);
	return build_tls_socket(arena, &context->base);
}

Envoy__TransportSocket *build_mesh_server(struct build *build, const char *gate)
{
	struct zl_arena *arena = build->arena;
	const struct expected_name mesh = { .prefix = true,
					    .value = zl_arena_format(
						    arena, "spiffe://%s/", build->mesh) };
	Envoy__DownstreamTlsContext *context =
		pb_new(arena, &envoy__downstream_tls_context__descriptor);

	/* What stands beside the gate's list would be joined to it. */
	context->common_tls_context =
		gate != NULL ? common_of(build, NULL, 0, gate)
			     : common_of(build, &mesh, 1, build->trust.roots);
	context->require_client_certificate = pb_bool(arena, true);
	return build_tls_socket(arena, &context->base);
}

void build_match_mesh(struct zl_arena *arena, Envoy__FilterChainMatch *match)
{
	match->application_protocols = pb_list(arena, 1);
	match->application_protocols[match->n_application_protocols++] =
		zl_arena_strdup(arena, ALPN_MESH);
}

void build_look_into_tls(struct zl_arena *arena, Envoy__Listener *listener)
{
	Envoy__ListenerFilter *filter =
		pb_new(arena, &envoy__listener_filter__descriptor);
	const Envoy__TlsInspector *options =
		pb_new(arena, &envoy__tls_inspector__descriptor);

	filter->name = zl_arena_strdup(arena, TLS_INSPECTOR);
	filter->config_type_case = ENVOY__LISTENER_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->typed_config = pb_any(arena, &options->base);
	listener->listener_filters = pb_list(arena, 1);
	listener->listener_filters[listener->n_listener_filters++] = filter;
}
