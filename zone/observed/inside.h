/* zone/observed/inside.h - what the files of this room share. Private to it. */
#pragma once

#include "zone/observed/split.h"

#include <uthash.h>

struct watched {
	UT_hash_handle hh;
	struct splits *force;  /* owned; NULL: nothing was acknowledged yet */
	struct splits *wanted; /* owned; NULL: what is in force */
	uint64_t number;       /* of the push that brought wanted first */
	char id[];
};

struct total {
	UT_hash_handle hh;
	uint64_t connections;
	char key[]; /* mesh, destination and backend, each with its NUL */
};

struct observed {
	struct watched *all;  /* owned, by id */
	struct total *totals; /* owned, by key */
};

/* Connections of the observable clusters, and the sum of their weights. */
void split_sums(const struct split *split, uint64_t now_ms, uint64_t *connections,
		uint64_t *weights);
