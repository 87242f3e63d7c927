#include "zone/logs/lines.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct line {
	struct line *after;
	size_t len;
	char text[];
};

static size_t cost(size_t len)
{
	return sizeof(struct line) + len;
}

/* The one behind before, or the first. */
static void take_out(struct lines *lines, struct line *before)
{
	struct line **at = before != NULL ? &before->after : &lines->first;
	struct line *line = *at;

	*at = line->after;
	if (lines->last == line)
		lines->last = before;
	if (lines->next == line)
		lines->next = line->after;
	lines->bytes -= cost(line->len);
	free(line);
}

/* The last line that stays whatever comes: what is written, or in part; NULL: none. */
static struct line *last_that_stays(const struct lines *lines)
{
	const struct line *end = lines->next;
	struct line *at = lines->first;

	if (end != NULL && lines->offset > 0)
		end = end->after;
	if (at == end)
		return NULL;
	while (at->after != end)
		at = at->after;
	return at;
}

/* Drop the oldest until so many bytes fit. False: they never will. */
static bool make_room(struct lines *lines, size_t bytes)
{
	if (lines->bytes + bytes <= lines->max)
		return true;
	struct line *before = last_that_stays(lines);
	while (lines->bytes + bytes > lines->max) {
		if ((before != NULL ? before->after : lines->first) == NULL)
			return false;
		take_out(lines, before);
		lines->dropped++;
	}
	return true;
}

void lines_add(struct lines *lines, const char *text, size_t len)
{
	if (!make_room(lines, cost(len))) {
		lines->dropped++;
		return;
	}
	struct line *line = zl_alloc(1, cost(len));
	line->len = len;
	memcpy(line->text, text, len);
	if (lines->last != NULL)
		lines->last->after = line;
	else
		lines->first = line;
	lines->last = line;
	if (lines->next == NULL)
		lines->next = line;
	lines->bytes += cost(len);
}

bool lines_empty(const struct lines *lines)
{
	return lines->first == NULL;
}

size_t lines_peek(const struct lines *lines, struct iovec *runs, size_t most)
{
	size_t count = 0;
	size_t skip = lines->offset;

	for (struct line *at = lines->next; at != NULL && count < most; at = at->after) {
		runs[count++] = (struct iovec){ at->text + skip, at->len - skip };
		skip = 0;
	}
	return count;
}

void lines_written(struct lines *lines, size_t count)
{
	lines->flight += count;
	while (lines->next != NULL && count >= lines->next->len - lines->offset) {
		count -= lines->next->len - lines->offset;
		lines->next = lines->next->after;
		lines->offset = 0;
	}
	lines->offset += count;
}

void lines_left(struct lines *lines, size_t left)
{
	while (lines->first != lines->next && lines->flight >= lines->first->len + left) {
		lines->flight -= lines->first->len;
		take_out(lines, NULL);
		lines->delivered++;
	}
}

void lines_again(struct lines *lines)
{
	lines->next = lines->first;
	lines->offset = lines->flight = 0;
}

void lines_drop(struct lines *lines)
{
	while (lines->first != NULL) {
		take_out(lines, NULL);
		lines->dropped++;
	}
	lines_again(lines);
}
