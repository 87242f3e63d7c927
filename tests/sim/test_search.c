/* Every state that two zones and a global can come to within some choices of chance, from
 * where both zones are live: three writes, and a loss, a double, a death and a copy put
 * back wherever they can happen. In none may a zone show or hold what global never
 * committed; from each, be it quiet or not, all come to the same if nothing else goes
 * wrong.
 *
 * A state is found again by its choices from the start, fewest first, so that of failures
 * the shortest is told. ZL_SIZE=C or L goes deeper. */
#include "play.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { DEPTH_MAX = 64 };

static const struct play_budget BUDGET = {
	.writes = 3, .losses = 1, .doubles = 1, .crashes = 1, .restores = 1, .waits = 3
};

struct state {
	UT_hash_handle hh;
	uint8_t hash[16];
	struct state *next; /* to be looked at after this one */
	const struct state *from;
	unsigned choice, depth;
};

struct search {
	struct state *known; /* owned */
	struct state *last;
	size_t states, steps, quiet;
	unsigned depth, depth_max;
	const char *wrong;
};

static struct play *replay(const struct state *state)
{
	unsigned choices[DEPTH_MAX];
	unsigned count = 0;
	struct play *play = play_new(&BUDGET);

	for (; state->from != NULL; state = state->from)
		choices[count++] = state->choice;
	while (count > 0)
		play_choose(play, choices[--count]);
	return play;
}

static void print_path(const struct state *state)
{
	unsigned choices[DEPTH_MAX];
	unsigned count = 0;
	struct play *play = play_new(&BUDGET);

	for (; state->from != NULL; state = state->from)
		choices[count++] = state->choice;
	while (count > 0) {
		print_message("  %s\n", play_name(play, choices[--count]));
		play_choose(play, choices[count]);
	}
	play_free(play);
}

static struct state *add(struct search *search, const struct play *play,
			 const struct state *from, unsigned choice)
{
	struct state *state = zl_alloc(1, sizeof(*state)), *found;

	play_hash(play, state->hash);
	HASH_FIND(hh, search->known, state->hash, sizeof(state->hash), found);
	if (found != NULL) {
		free(state);
		return NULL;
	}
	state->from = from;
	state->choice = choice;
	state->depth = from != NULL ? from->depth + 1 : 0;
	HASH_ADD(hh, search->known, hash, sizeof(state->hash), state);
	if (search->last != NULL)
		search->last->next = state;
	search->last = state;
	search->states++;
	return state;
}

/* A new state: is it right, and does all come right from here? It is used up. */
static void look(struct search *search, struct play *play, const struct state *state)
{
	const char *wrong = play_wrong(play);

	search->quiet += play_is_quiet(play);
	if (wrong == NULL)
		wrong = play_settle(play);
	if (wrong == NULL)
		return;
	search->wrong = wrong;
	print_message("%s, after\n", wrong);
	print_path(state);
}

static void expand(struct search *search, const struct state *from)
{
	struct play *play = replay(from);
	size_t choices = play_choices(play);

	for (unsigned i = 0; i < choices && search->wrong == NULL; i++) {
		if (play == NULL)
			play = replay(from);
		play_choose(play, i);
		search->steps++;
		struct state *state = add(search, play, from, i);
		if (state != NULL)
			look(search, play, state);
		play_free(play);
		play = NULL;
	}
	if (play != NULL)
		play_free(play);
}

static unsigned depth_of_size(void)
{
	const char *size = getenv("ZL_SIZE");

	if (size != NULL && strcmp(size, "L") == 0)
		return 7;
	return size != NULL && strcmp(size, "C") == 0 ? 6 : 5;
}

static void every_state_is_right(void **unused)
{
	struct search search = { .depth_max = depth_of_size() };
	struct play *play = play_new(&BUDGET);

	(void)unused;
	struct state *at = add(&search, play, NULL, 0);
	look(&search, play, at);
	play_free(play);
	for (; at != NULL && search.wrong == NULL; at = at->next) {
		if (at->depth > search.depth) {
			search.depth = at->depth;
			print_message("depth %u: %zu states\n", search.depth,
				      search.states);
		}
		if (at->depth < search.depth_max)
			expand(&search, at);
	}
	print_message("%zu states, %zu of them quiet, %zu steps, depth %u\n",
		      search.states, search.quiet, search.steps, search.depth_max);
	struct state *state, *next;
	HASH_ITER (hh, search.known, state, next) {
		HASH_DEL(search.known, state);
		free(state);
	}
	assert_null(search.wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_right),
	};
	return cmocka_run_group_tests_name("sim/search", tests, NULL, NULL);
}
