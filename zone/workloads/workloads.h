/* zone/workloads/workloads.h - the identities of this zone's proxies: a certificate of
 * their mesh's authority, made here (kinds-spec 1, workload certificate).
 *
 * One is made when it is first asked for, and again when 4/5 of its life have passed or
 * its authority is another; while that fails the last one is shown on, to its end. Keys
 * are in memory only: a zone that starts makes new ones, which cuts no connection.
 *
 * Threads:  the loop's.
 * Lifetime: workloads_close before the loop is closed.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "envoy/build.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct workloads;

struct workloads_setup {
	struct loop *loop; /* borrowed */
	/* Append the content of the Secret of this mesh and name. False: it is not here.
	 */
	bool (*read)(void *owner, const char *mesh, const char *name,
		     struct zl_buf *content);
	/* The identities of mesh are due to be asked for again. */
	void (*due)(void *owner, const char *mesh);
	void *owner;
};

struct workloads *workloads_open(const struct workloads_setup *setup);
void workloads_close(struct workloads **workloadsp);

/* Who an identity is for, and who signs it. */
struct workload {
	const char *mesh;
	const char *const *uris; /* sorted; at least one */
	size_t uri_count;
	const char *ca_chain, *ca_key; /* PEM of the authority */
	uint64_t lifetime_ms;
};

/* Append who holder is, and the roots of all authorities of its mesh (see envoy_secrets).
 * False: the authority is not here yet, or can sign none. */
bool workloads_answer(struct workloads *workloads, const struct envoy_holder *holder,
		      struct envoy_identity *out);

/* Append chain and key of its identity. False: the authority can sign none, which is
 * logged. Wipe the key after use. */
bool workloads_identity(struct workloads *workloads, const struct workload *of,
			struct zl_buf *chain, struct zl_buf *key);

struct workloads_counts {
	size_t held;
	uint64_t made, failed; /* since the start */
	uint64_t first_ends_s; /* wall time at which the first of those held ends; 0 */
};
struct workloads_counts workloads_counts(const struct workloads *workloads);
