#include "envoy/build_parts.h"

#include <stdlib.h>
#include <string.h>

const char *build_content(struct build *build, const struct data_source *source)
{
	const struct envoy_secrets *secrets = build->secrets;
	struct zl_buf content = { 0 };
	const char *text = NULL;

	if (source->secret[0] == '\0')
		return source->text[0] != '\0' ? source->text : NULL;
	if (secrets == NULL ||
	    !secrets->read(secrets->owner, build->mesh, source->secret, &content))
		return NULL;
	if (strlen(zl_buf_text(&content)) == content.len) /* PEM has no NUL */
		text = zl_arena_strdup(build->arena, zl_buf_text(&content));
	if (content.len > 0)
		explicit_bzero(content.data, content.len);
	zl_buf_free(&content);
	return text;
}

static Envoy__DataSource *data_of(struct zl_arena *arena, const char *text)
{
	Envoy__DataSource *data = pb_new(arena, &envoy__data_source__descriptor);

	data->specifier_case = ENVOY__DATA_SOURCE__SPECIFIER_INLINE_BYTES;
	data->inline_bytes.len = strlen(text);
	data->inline_bytes.data = zl_arena_memdup(arena, text, strlen(text));
	return data;
}

static Envoy__Secret *new_secret(struct zl_arena *arena, const char *name)
{
	Envoy__Secret *secret = pb_new(arena, &envoy__secret__descriptor);

	secret->name = zl_arena_strdup(arena, name);
	return secret;
}

void build_pair_secret(struct build *build, const char *name, const char *chain,
		       const char *key)
{
	struct zl_arena *arena = build->arena;
	Envoy__Secret *secret = new_secret(arena, name);

	secret->type_case = ENVOY__SECRET__TYPE_TLS_CERTIFICATE;
	secret->tls_certificate = pb_new(arena, &envoy__tls_certificate__descriptor);
	secret->tls_certificate->certificate_chain = data_of(arena, chain);
	secret->tls_certificate->private_key = data_of(arena, key);
	build_add(build, ENVOY_SECRET, name, &secret->base);
}

void build_roots_secret(struct build *build, const char *name, const char *roots)
{
	build_check_secret(build, name, roots, NULL, 0);
}

void build_check_secret(struct build *build, const char *name, const char *roots,
			const struct expected_name *names, size_t count)
{
	struct zl_arena *arena = build->arena;
	Envoy__Secret *secret = new_secret(arena, name);

	secret->type_case = ENVOY__SECRET__TYPE_VALIDATION_CONTEXT;
	secret->validation_context =
		pb_new(arena, &envoy__certificate_validation_context__descriptor);
	secret->validation_context->trusted_ca = data_of(arena, roots);
	secret->validation_context->match_typed_subject_alt_names = pb_list(arena, count);
	for (size_t i = 0; i < count; i++)
		build_expect_name(arena, secret->validation_context,
				  ENVOY__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__URI,
				  &names[i]);
	build_add(build, ENVOY_SECRET, name, &secret->base);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

void build_sort_named(struct build *build)
{
	if (build->named_count > 1)
		qsort(build->named, build->named_count, sizeof(*build->named), by_text);
}

bool build_is_named(const struct build *build, const char *secret)
{
	return build->named_count > 0 &&
	       bsearch(&secret, build->named, build->named_count, sizeof(*build->named),
		       by_text) != NULL;
}

/* Each cluster names its mesh's, and perhaps two of its own. */
static bool is_just_named(const struct build *build, const char *secret)
{
	size_t first = build->named_count > 4 ? build->named_count - 4 : 0;

	for (size_t i = first; i < build->named_count; i++)
		if (strcmp(build->named[i], secret) == 0)
			return true;
	return false;
}

static void note(struct build *build, const char *secret)
{
	if (is_just_named(build, secret))
		return;
	build->named = zl_arena_more(build->arena, build->named, build->named_count,
				     &build->named_room, sizeof(*build->named));
	build->named[build->named_count++] = secret;
}

Envoy__SdsSecretConfig *build_secret_ref(struct build *build, const char *name)
{
	Envoy__SdsSecretConfig *ref =
		pb_new(build->arena, &envoy__sds_secret_config__descriptor);

	ref->name = zl_arena_strdup(build->arena, name);
	note(build, ref->name);
	ref->sds_config = pb_ads(build->arena);
	return ref;
}
