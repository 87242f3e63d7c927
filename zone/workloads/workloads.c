#include "zone/workloads/workloads.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "loop/loop.h"
#include "pki/mesh.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* Wall time may step, so it is looked at this often at least. What cannot be renewed is
 * tried again in a quarter of the time that is left. */
enum { LOOK_MS = 60000, RETRY_MS_MIN = 1000 };

struct held {
	UT_hash_handle hh;
	char *mesh;
	struct pki_identity identity;
	uint8_t authority[ZL_SHA256]; /* of the chain that signed it */
	uint64_t due_ms;              /* zl_now_ms */
	uint64_t due_s;               /* wall time */
	bool old;                     /* it was due: another is to take its place */
	bool asked;                   /* for, since it is old */
	uint8_t name[ZL_SHA256];      /* of the mesh and the URIs */
};

struct workloads {
	struct workloads_setup setup;
	struct held *all; /* owned, by name */
	struct loop_timer *timer;
	uint64_t made, failed;
	char *why; /* the failure that was last logged; owned, NULL: none */
};

static void held_free(struct held *held)
{
	pki_identity_fini(&held->identity);
	free(held->mesh);
	free(held);
}

static bool is_due(const struct held *held)
{
	return zl_now_ms() >= held->due_ms || zl_wall_us() / 1000000 >= held->due_s;
}

static void set_timer(struct workloads *workloads)
{
	uint64_t now = zl_now_ms();
	uint64_t next = now + LOOK_MS;

	if (workloads->all == NULL) {
		loop_timer_clear(workloads->timer);
		return;
	}
	for (const struct held *at = workloads->all; at != NULL; at = at->hh.next)
		if (at->due_ms < next)
			next = at->due_ms;
	loop_timer_set(workloads->timer, next > now ? next - now : 0);
}

/* Until another takes its place it is as good as it was. Who needs it asks again; what
 * nobody has asked for by the next time belongs to a proxy that is gone. False: it has
 * no next time. */
static bool age(struct held *held)
{
	uint64_t wall_s = zl_wall_us() / 1000000;
	bool is_over = held->identity.ends_s <= wall_s;

	if (is_over || (held->old && !held->asked))
		return false;
	uint64_t again_ms = (held->identity.ends_s - wall_s) * 1000 / 4;
	if (again_ms > LOOK_MS)
		again_ms = LOOK_MS;
	if (again_ms < RETRY_MS_MIN)
		again_ms = RETRY_MS_MIN;
	held->old = true;
	held->asked = false;
	held->due_ms = zl_now_ms() + again_ms;
	held->due_s = wall_s + (again_ms + 999) / 1000;
	return true;
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void on_timer(void *arg)
{
	struct workloads *workloads = arg;
	struct zl_arena *arena = zl_arena_new();
	const char **meshes =
		zl_arena_alloc(arena, HASH_COUNT(workloads->all), sizeof(*meshes));
	size_t count = 0;
	struct held *held;
	struct held *next;

	HASH_ITER (hh, workloads->all, held, next) {
		if (!is_due(held))
			continue;
		if (!is_among(meshes, count, held->mesh))
			meshes[count++] = zl_arena_strdup(arena, held->mesh);
		if (!age(held)) {
			HASH_DEL(workloads->all, held);
			held_free(held);
		}
	}
	for (size_t i = 0; i < count; i++)
		workloads->setup.due(workloads->setup.owner, meshes[i]);
	zl_arena_free(&arena);
	set_timer(workloads);
}

struct workloads *workloads_open(const struct workloads_setup *setup)
{
	struct workloads *workloads = zl_alloc(1, sizeof(*workloads));

	workloads->setup = *setup;
	workloads->timer = loop_timer_new(setup->loop, on_timer, workloads);
	return workloads;
}

void workloads_close(struct workloads **workloadsp)
{
	struct workloads *workloads = *workloadsp;
	struct held *held;
	struct held *next;

	*workloadsp = NULL;
	if (workloads == NULL)
		return;
	HASH_ITER (hh, workloads->all, held, next) {
		HASH_DEL(workloads->all, held);
		held_free(held);
	}
	loop_timer_free(&workloads->timer);
	free(workloads->why);
	free(workloads);
}

static void name_of(const struct workload *of, uint8_t name[ZL_SHA256])
{
	struct zl_buf text = { 0 };

	zl_buf_str(&text, of->mesh);
	for (size_t i = 0; i < of->uri_count; i++) {
		zl_buf_char(&text, '\n'); /* no URI has one */
		zl_buf_str(&text, of->uris[i]);
	}
	zl_sha256(&(struct zl_run){ text.data, text.len }, 1, name);
	zl_buf_free(&text);
}

/* Log a failure once, until another one comes or it is over. */
static void tell_failure(struct workloads *workloads, const char *mesh, const char *why)
{
	workloads->failed++;
	if (workloads->why != NULL && strcmp(workloads->why, why) == 0)
		return;
	free(workloads->why);
	workloads->why = zl_strdup(why);
	zl_log(ZL_WARN, "workloads", "proxies get no certificate", "mesh=%q err=%q", mesh,
	       why);
}

static struct held *make(struct workloads *workloads, const struct workload *of)
{
	const struct pki_workload wish = { of->uris, of->uri_count,
					   (uint32_t)(of->lifetime_ms / 1000) };
	struct held *held = zl_alloc(1, sizeof(*held));
	struct zl_err err = { 0 };

	if (pki_workload_new(of->ca_chain, of->ca_key, &wish, &held->identity, &err) !=
	    ZL_OK) {
		tell_failure(workloads, of->mesh, err.msg);
		held_free(held);
		return NULL;
	}
	uint64_t wall_s = zl_wall_us() / 1000000;
	uint64_t ends_s = held->identity.ends_s;
	uint64_t left_s = ends_s > wall_s ? ends_s - wall_s : 0;
	held->mesh = zl_strdup(of->mesh);
	held->due_ms = zl_now_ms() + left_s * 800;
	held->due_s = wall_s + left_s * 4 / 5;
	workloads->made++;
	free(workloads->why);
	workloads->why = NULL;
	return held;
}

bool workloads_identity(struct workloads *workloads, const struct workload *of,
			struct zl_buf *chain, struct zl_buf *key)
{
	uint8_t name[ZL_SHA256];
	uint8_t authority[ZL_SHA256];
	struct held *held;

	name_of(of, name);
	zl_sha256(&(struct zl_run){ of->ca_chain, strlen(of->ca_chain) }, 1, authority);
	HASH_FIND(hh, workloads->all, name, sizeof(name), held);
	if (held != NULL && is_due(held)) /* for all who share it, not for one of them */
		loop_timer_set(workloads->timer, 0);
	if (held != NULL)
		held->asked = true;
	if (held == NULL || held->old ||
	    memcmp(held->authority, authority, sizeof(authority)) != 0) {
		struct held *fresh = make(workloads, of);
		if (fresh == NULL)
			return false;
		if (held != NULL) {
			HASH_DEL(workloads->all, held);
			held_free(held);
		}
		held = fresh;
		memcpy(held->name, name, sizeof(name));
		memcpy(held->authority, authority, sizeof(authority));
		HASH_ADD(hh, workloads->all, name, sizeof(name), held);
		set_timer(workloads);
	}
	zl_buf_str(chain, held->identity.chain);
	zl_buf_str(key, held->identity.key);
	return true;
}

/* The certificates or the key of a backend's authority. */
static bool read_part(const struct workloads *workloads, const char *mesh,
		      const struct mesh_backend *backend, bool key, struct zl_buf *out)
{
	struct zl_arena *arena = zl_arena_new();
	const char *secret = mesh_backend_secret(mesh, backend, key, arena);
	const struct data_source *source = key ? &backend->conf.key : &backend->conf.cert;
	bool here = true;

	if (secret[0] != '\0')
		here = workloads->setup.read(workloads->setup.owner, mesh, secret, out);
	else
		zl_buf_str(out, source->text);
	if (here) /* PEM ends in a line end, or the next would follow on its last line */
		zl_buf_char(out, '\n');
	zl_arena_free(&arena);
	return here;
}

static void wipe(struct zl_buf *text)
{
	if (text->len > 0)
		explicit_bzero(text->data, text->len);
	zl_buf_free(text);
}

/* While no other can be signed, the last one is as good as it was. */
static bool last_identity(const struct workloads *workloads, const struct workload *of,
			  struct envoy_identity *out)
{
	uint8_t name[ZL_SHA256];
	struct held *held;

	name_of(of, name);
	HASH_FIND(hh, workloads->all, name, sizeof(name), held);
	if (held != NULL)
		held->asked = true;
	if (held == NULL || held->identity.ends_s <= zl_wall_us() / 1000000)
		return false;
	zl_buf_str(&out->chain, held->identity.chain);
	zl_buf_str(&out->key, held->identity.key);
	return true;
}

static bool sign(struct workloads *workloads, const struct envoy_holder *holder,
		 const struct mesh_backend *backend, struct envoy_identity *out)
{
	const char *mesh = holder->mesh_name;
	struct zl_buf chain = { 0 };
	struct zl_buf key = { 0 };
	bool ok = read_part(workloads, mesh, backend, false, &chain) &&
		  read_part(workloads, mesh, backend, true, &key);
	const struct workload of = { mesh,
				     holder->uris,
				     holder->uri_count,
				     zl_buf_text(&chain),
				     zl_buf_text(&key),
				     backend->cert_ms };

	ok = (ok && workloads_identity(workloads, &of, &out->chain, &out->key)) ||
	     last_identity(workloads, &of, out);
	wipe(&key);
	zl_buf_free(&chain);
	return ok;
}

bool workloads_answer(struct workloads *workloads, const struct envoy_holder *holder,
		      struct envoy_identity *out)
{
	const struct mesh_spec *mesh = holder->mesh;
	bool ok = false;

	for (size_t i = 0; i < mesh->backend_count; i++) {
		const struct mesh_backend *backend = &mesh->backends[i];
		/* One that is on its way is trusted when it has come. */
		(void)read_part(workloads, holder->mesh_name, backend, false,
				&out->roots);
		if (backend == mesh_signer(mesh))
			ok = sign(workloads, holder, backend, out);
	}
	return ok && out->roots.len > 0;
}

struct workloads_counts workloads_counts(const struct workloads *workloads)
{
	struct workloads_counts counts = { .made = workloads->made,
					   .failed = workloads->failed };

	for (const struct held *at = workloads->all; at != NULL; at = at->hh.next) {
		uint64_t ends_s = at->identity.ends_s;
		counts.held++;
		if (counts.first_ends_s == 0 || ends_s < counts.first_ends_s)
			counts.first_ends_s = ends_s;
	}
	return counts;
}
