#include "global/api/authorities.h"

#include "base/base64.h"
#include "base/mem.h"
#include "model/tree.h"
#include "pki/mesh.h"
#include "secrets/secrets.h"

#include <stdlib.h>
#include <string.h>

static bool is_builtin(const struct mesh_backend *backend)
{
	return strcmp(backend->type, "builtin") == 0;
}

static const struct mesh_backend *backend_of(const struct resource *mesh,
					     const char *name)
{
	for (size_t i = 0; mesh != NULL && i < mesh->mesh->backend_count; i++)
		if (strcmp(mesh->mesh->backends[i].name, name) == 0)
			return &mesh->mesh->backends[i];
	return NULL;
}

/* ---- what may change ---- */

/* The text of a source: in the document, what is written of its Secret in the same
 * revision if that counts (now), or what is stored of it. False: it is not here, and
 * nothing can be said (K18). */
static bool source_text(const struct authorities *at, const char *mesh,
			const struct data_source *source, bool now, struct zl_buf *text)
{
	const struct key key = { KIND_SECRET, mesh, "", "", source->secret };
	struct zl_err err = { 0 };

	if (source->secret[0] == '\0') {
		zl_buf_str(text, source->text);
		return true;
	}
	const struct resource *secret =
		now && at->beside != NULL ? at->beside(at->owner, &key) : NULL;
	if (secret != NULL)
		return zl_base64_read(secret->secret->data, strlen(secret->secret->data),
				      text, &err) == ZL_OK;
	secret = set_get(at->set, &key);
	return secret != NULL && at->secrets != NULL &&
	       secrets_read(at->secrets, secret, text, &err) == ZL_OK;
}

/* True if both name one source, or what was there is what comes. What was not there
 * signed nothing, and may be corrected. */
static bool same_source(const struct authorities *at, const char *mesh,
			const struct data_source *old, const struct data_source *now)
{
	struct zl_buf before = { 0 };
	struct zl_buf after = { 0 };

	if (strcmp(old->secret, now->secret) == 0 && strcmp(old->text, now->text) == 0)
		return true;
	bool same = !source_text(at, mesh, old, false, &before) ||
		    (source_text(at, mesh, now, true, &after) &&
		     strcmp(zl_buf_text(&before), zl_buf_text(&after)) == 0);
	zl_buf_free(&before);
	zl_buf_free(&after);
	return same;
}

/* True if the backend that was stored stays the authority that it was: its certificate
 * says which. That of a builtin one is made once, whatever becomes of its conf. */
static bool same_authority(const struct authorities *at, const char *mesh,
			   const struct mesh_backend *old, const struct mesh_backend *now)
{
	if (old == NULL || now == NULL || strcmp(old->type, now->type) != 0)
		return false;
	return is_builtin(now) || same_source(at, mesh, &old->conf.cert, &now->conf.cert);
}

/* Another authority has to be trusted everywhere before it signs (K4): its backend was
 * stored before, the one that signed until now stays listed, and neither becomes another
 * one meanwhile. */
static bool may_switch(const struct authorities *at, const struct resource *old,
		       const struct resource *now)
{
	const char *from = old->mesh->mtls_backend;
	const char *to = now->mesh->mtls_backend;
	const char *mesh = now->key.name;

	return from[0] == '\0' || to[0] == '\0' ||
	       (same_authority(at, mesh, backend_of(old, to), backend_of(now, to)) &&
		same_authority(at, mesh, backend_of(old, from), backend_of(now, from)));
}

struct place {
	size_t backend;
	struct zl_err *err;
};

/* The first fault is the one that is told. */
static void on_fault(void *ctx, int index, const char *reason)
{
	const struct place *place = ctx;

	if (place->err->msg[0] != '\0')
		return;
	if (index < 0)
		(void)zl_fail(place->err, ZL_EINVAL, "mtls.backends[%zu].conf.cert: %s",
			      place->backend, reason);
	else
		(void)zl_fail(place->err, ZL_EINVAL,
			      "mtls.backends[%zu].conf.cert[%d]: %s", place->backend,
			      index, reason);
}

static bool is_authority(const struct authorities *at, const struct resource *mesh,
			 size_t index, struct zl_err *err)
{
	const struct ca_conf *conf = &mesh->mesh->backends[index].conf;
	struct place place = { index, err };
	struct zl_buf cert = { 0 };
	struct zl_buf key = { 0 };
	bool ok = true;

	if (source_text(at, mesh->key.name, &conf->cert, true, &cert) &&
	    source_text(at, mesh->key.name, &conf->key, true, &key))
		ok = pki_mesh_check(zl_buf_text(&cert), zl_buf_text(&key), on_fault,
				    &place);
	secrets_wipe(&cert);
	secrets_wipe(&key);
	return ok;
}

static bool mesh_allowed(const struct authorities *at, const struct resource *old,
			 const struct resource *now, unsigned *status, struct zl_err *err)
{
	*status = 400;
	if (old != NULL && !may_switch(at, old, now)) {
		(void)zl_fail(err, ZL_EINVAL,
			      "mtls.enabledBackend: Changing CA when mTLS is enabled is "
			      "forbidden. Disable mTLS first and then change the CA, or "
			      "list both backends, and switch when that is stored");
		return false;
	}
	err->msg[0] = '\0';
	for (size_t i = 0; i < now->mesh->backend_count; i++)
		if (!is_builtin(&now->mesh->backends[i]) && !now->mesh->skip_validation &&
		    !is_authority(at, now, i, err))
			return false;
	return true;
}

bool authorities_own(const struct key *secret)
{
	static const char PART[] = ".ca-builtin-";
	size_t len = strlen(secret->mesh);

	return secret->kind == KIND_SECRET &&
	       strncmp(secret->name, secret->mesh, len) == 0 &&
	       strncmp(secret->name + len, PART, strlen(PART)) == 0;
}

bool authorities_allow(const struct authorities *at, const struct resource *old,
		       const struct resource *now, unsigned *status, struct zl_err *err)
{
	const struct key *key = now != NULL ? &now->key : &old->key;

	if (key->kind == KIND_MESH && now != NULL)
		return mesh_allowed(at, old, now, status, err);
	if (!authorities_own(key))
		return true;
	*status = 405;
	(void)zl_fail(err, ZL_EINVAL,
		      "Secret \"%s\" is that of a builtin mTLS backend: it is written by "
		      "global only, with its Mesh",
		      key->name);
	return false;
}

/* ---- what goes with it ---- */

/* A Secret with this content, held; NULL after err. */
static struct resource *secret_of(const char *mesh, const char *name, const char *content,
				  struct zl_err *err)
{
	static const struct resource_rules RULES = { .writer = WRITER_GLOBAL,
						     .zone = "" };
	struct zl_arena *arena = zl_arena_new();
	struct findings found = findings_in(arena);
	struct tree *doc = tree_map(arena);
	struct zl_buf data = { 0 };

	zl_base64(content, strlen(content), &data);
	tree_set(arena, doc, "type", tree_text(arena, "Secret"));
	tree_set(arena, doc, "mesh", tree_text(arena, mesh));
	tree_set(arena, doc, "name", tree_text(arena, name));
	tree_set(arena, doc, "data", tree_text(arena, zl_buf_text(&data)));
	struct resource *made = resource_from_doc(doc, &RULES, &found);
	if (made == NULL)
		(void)zl_fail(err, ZL_EINVAL, "Secret \"%s\": %s: %s", name,
			      found.violations[0].field, found.violations[0].reason);
	secrets_wipe(&data);
	zl_arena_free(&arena);
	return made;
}

struct builtin {
	struct key cert, key;
};

static struct builtin builtin_of(const char *mesh, const struct mesh_backend *backend,
				 struct zl_arena *arena)
{
	const char *cert = mesh_backend_secret(mesh, backend, false, arena);
	const char *key = mesh_backend_secret(mesh, backend, true, arena);

	return (struct builtin){ { KIND_SECRET, mesh, "", "", cert },
				 { KIND_SECRET, mesh, "", "", key } };
}

static bool add_secret(const struct key *key, const char *content, rest_add_fn *add,
		       void *arg, struct zl_err *err)
{
	struct resource *secret = secret_of(key->mesh, key->name, content, err);

	if (secret == NULL)
		return false;
	add(arg, key, &secret);
	return true;
}

static bool make(const char *mesh, const struct mesh_backend *backend,
		 const struct builtin *names, rest_add_fn *add, void *arg,
		 struct zl_err *err)
{
	const struct pki_mesh_wish wish = { mesh, backend->rsa_bits,
					    backend->ca_ms / 1000 };
	char *chain;
	char *key;

	if (pki_mesh_root(&wish, &chain, &key, err) != ZL_OK)
		return false;
	bool ok = add_secret(&names->cert, chain, add, arg, err) &&
		  add_secret(&names->key, key, add, arg, err);
	explicit_bzero(key, strlen(key));
	free(key);
	free(chain);
	return ok;
}

/* Builtin authorities that now has and nobody made yet. */
static bool add_new(const struct set *set, const struct resource *now, rest_add_fn *add,
		    void *arg, struct zl_arena *arena, struct zl_err *err)
{
	for (size_t i = 0; i < now->mesh->backend_count; i++) {
		const struct mesh_backend *backend = &now->mesh->backends[i];
		const struct builtin names = builtin_of(now->key.name, backend, arena);
		if (!is_builtin(backend) || (set_get(set, &names.cert) != NULL &&
					     set_get(set, &names.key) != NULL))
			continue;
		if (!make(now->key.name, backend, &names, add, arg, err))
			return false;
	}
	return true;
}

static void add_gone(const struct set *set, const struct resource *old,
		     const struct resource *now, rest_add_fn *add, void *arg,
		     struct zl_arena *arena)
{
	for (size_t i = 0; i < old->mesh->backend_count; i++) {
		const struct mesh_backend *backend = &old->mesh->backends[i];
		const struct mesh_backend *still = backend_of(now, backend->name);
		const struct builtin names = builtin_of(old->key.name, backend, arena);
		struct resource *none = NULL;
		if (!is_builtin(backend) || (still != NULL && is_builtin(still)))
			continue;
		if (set_get(set, &names.cert) != NULL)
			add(arg, &names.cert, &none);
		if (set_get(set, &names.key) != NULL)
			add(arg, &names.key, &none);
	}
}

bool authorities_with(const struct set *set, const struct resource *old,
		      const struct resource *now, rest_add_fn *add, void *arg,
		      struct zl_err *err)
{
	const struct key *key = now != NULL ? &now->key : &old->key;
	struct zl_arena *arena;
	bool ok = true;

	if (key->kind != KIND_MESH)
		return true;
	arena = zl_arena_new();
	if (old != NULL)
		add_gone(set, old, now, add, arg, arena);
	if (now != NULL)
		ok = add_new(set, now, add, arg, arena, err);
	zl_arena_free(&arena);
	return ok;
}
