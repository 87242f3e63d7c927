/* model/regex_read.h - an expression while it is read, and its characters and classes.
 * Private to regex.c.
 *
 * What returns false has set the fault.
 *
 * Threads:  pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BYTES_MAX = 1024,
	REPEAT_MAX = 1000, /* of one repetition, and of those in it together */
	NAMES_MAX = BYTES_MAX / 6,
	RUNE_MAX = 0xff, /* Envoy reads bytes, not UTF-8 */
	/* RE2 gives up at about 87,000 instructions; below is counted upwards. */
	SIZE_MAX_TOTAL = 80000,
	SIZE_ANY = 12,
	SIZE_ASCII = 2, /* of characters below 0x80 */
	SIZE_FOLDED = 8,
	SIZE_RANGE = 24,
	SIZE_GROUP = 1300 /* of a Unicode group such as \pL */
};

/* What was read, as RE2 will count it. */
struct part {
	uint64_t size;   /* instructions, at most */
	unsigned repeat; /* product of the repetitions in it */
};

struct name {
	const char *text;
	size_t len;
};

struct regex {
	const char *at;
	const char *fault; /* NULL: none yet */
	bool fold;         /* (?i): letters may have more than one form */
	struct name names[NAMES_MAX];
	size_t name_count;
};

/* False, for return. The first fault counts. */
bool regex_fail(struct regex *regex, const char *fault);

bool regex_is_digit(char byte);
bool regex_is_word(char byte);
/* One character, which is a byte: so Envoy has RE2 read them. */
uint32_t regex_rune(struct regex *regex);
/* Behind a backslash: what stands for one character. */
bool regex_escape(struct regex *regex, uint32_t *rune);
/* What characters up to rune are counted as. */
unsigned regex_size(const struct regex *regex, uint32_t rune);

bool regex_is_perl_class(const char *at); /* \d and the like */
bool regex_is_group(const char *at);      /* \p, \P */
/* Behind \p or \P: "L", "{Greek}", "{^Greek}". */
bool regex_group(struct regex *regex);
/* Behind [. */
bool regex_class(struct regex *regex, struct part *part);
