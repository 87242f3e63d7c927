#include "model/resource.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct findings findings_in(struct zl_arena *arena)
{
	return (struct findings){ .arena = arena,
				  .at = { .file = "", .kind = "", .name = "" } };
}

static struct finding *next(struct zl_arena *arena, struct finding **list, size_t *count,
			    size_t *room)
{
	*list = zl_arena_more(arena, *list, *count, room, sizeof(**list));
	return &(*list)[(*count)++];
}

static void fill(const struct findings *to, struct finding *finding, const char *field,
		 const struct tree *where, const char *reason)
{
	*finding = to->at;
	finding->file = zl_arena_strdup(to->arena, to->at.file);
	finding->kind = zl_arena_strdup(to->arena, to->at.kind);
	finding->name = zl_arena_strdup(to->arena, to->at.name);
	finding->field = zl_arena_strdup(to->arena, field);
	finding->reason = zl_arena_strdup(to->arena, reason);
	finding->line = where != NULL ? where->line : 0;
	finding->column = where != NULL ? where->column : 0;
}

void findings_violation(struct findings *to, const char *field, const struct tree *where,
			const char *fmt, ...)
{
	struct finding *finding = next(to->arena, &to->violations, &to->violation_count,
				       &to->violation_room);
	char *reason = NULL;
	va_list args;

	va_start(args, fmt);
	int len = vasprintf(&reason, fmt, args);
	va_end(args);
	if (len < 0)
		abort(); /* out of memory, as in base/mem.h */
	fill(to, finding, field, where, reason);
	free(reason);
}

void findings_warning(struct findings *to, const char *field, const struct tree *where,
		      const char *fmt, ...)
{
	struct finding *finding =
		next(to->arena, &to->warnings, &to->warning_count, &to->warning_room);
	char *reason = NULL;
	va_list args;

	va_start(args, fmt);
	int len = vasprintf(&reason, fmt, args);
	va_end(args);
	if (len < 0)
		abort(); /* out of memory, as in base/mem.h */
	fill(to, finding, field, where, reason);
	free(reason);
}
