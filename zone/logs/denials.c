#include "zone/logs/denials.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { TEXTS = 6 };

struct kept {
	struct denial said;
	char *texts; /* owned; of said */
};

struct counted {
	UT_hash_handle hh;
	struct denial_count said;
	char key[]; /* mode, mesh and service, each text with its NUL */
};

struct denials {
	struct kept kept[DENIALS_KEPT]; /* a ring */
	size_t next, count;
	struct counted *counts; /* owned, by key */
};

struct denials *denials_new(void)
{
	return zl_alloc(1, sizeof(struct denials));
}

void denials_free(struct denials **denialsp)
{
	struct denials *denials = *denialsp;
	struct counted *at;
	struct counted *next;

	*denialsp = NULL;
	if (denials == NULL)
		return;
	for (size_t i = 0; i < DENIALS_KEPT; i++)
		free(denials->kept[i].texts);
	HASH_ITER (hh, denials->counts, at, next) {
		HASH_DEL(denials->counts, at);
		free(at);
	}
	free(denials);
}

/* In one piece of memory. */
static struct kept copy_of(const struct denial *denial)
{
	struct kept kept = { .said = *denial };
	const char **const texts[TEXTS] = { &kept.said.mesh,   &kept.said.service,
					    &kept.said.proxy,  &kept.said.inbound,
					    &kept.said.client, &kept.said.why };
	struct zl_buf all = { 0 };

	for (size_t i = 0; i < TEXTS; i++)
		zl_buf_add(&all, *texts[i], strlen(*texts[i]) + 1);
	kept.texts = all.data;
	for (size_t i = 0, at = 0; i < TEXTS; i++) {
		*texts[i] = kept.texts + at;
		at += strlen(*texts[i]) + 1;
	}
	return kept;
}

static struct counted *find_or_make(struct denials *denials, enum denial_mode mode,
				    const char *mesh, const char *service)
{
	size_t mesh_len = strlen(mesh) + 1;
	size_t len = 1 + mesh_len + strlen(service) + 1;
	struct counted *made = zl_alloc(1, sizeof(*made) + len);
	struct counted *found;

	made->key[0] = (char)mode;
	memcpy(made->key + 1, mesh, mesh_len);
	memcpy(made->key + 1 + mesh_len, service, strlen(service) + 1);
	made->said =
		(struct denial_count){ made->key + 1, made->key + 1 + mesh_len, mode, 0 };
	HASH_FIND(hh, denials->counts, made->key, len, found);
	if (found == NULL &&
	    (HASH_COUNT(denials->counts) < DENIALS_COUNTED || mesh[0] == '\0')) {
		HASH_ADD(hh, denials->counts, key, len, made);
		return made;
	}
	free(made);
	return found != NULL ? found : find_or_make(denials, mode, "", "other");
}

void denials_add(struct denials *denials, const struct denial *denial)
{
	struct kept *to = &denials->kept[denials->next];

	free(to->texts);
	*to = copy_of(denial);
	denials->next = (denials->next + 1) % DENIALS_KEPT;
	if (denials->count < DENIALS_KEPT)
		denials->count++;
	find_or_make(denials, denial->mode, denial->mesh, denial->service)->said.count++;
}

const struct denial *denials_get(const struct denials *denials, size_t number)
{
	if (number >= denials->count)
		return NULL;
	return &denials->kept[(denials->next + DENIALS_KEPT - 1 - number) % DENIALS_KEPT]
			.said;
}

const struct denial_count *denials_counts(const struct denials *denials,
					  struct zl_arena *arena, size_t *count)
{
	struct denial_count *list =
		zl_arena_alloc(arena, HASH_COUNT(denials->counts), sizeof(*list));

	*count = 0;
	for (const struct counted *at = denials->counts; at != NULL; at = at->hh.next)
		list[(*count)++] = at->said;
	return list;
}
