#include "analyze/analysis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* fix with name in place of {}. */
static const char *fill(struct zl_arena *arena, const char *fix, const char *name)
{
	const char *hole = strstr(fix, "{}");

	if (hole == NULL)
		return fix;
	return zl_arena_format(arena, "%.*s%s%s", (int)(hole - fix), fix, name, hole + 2);
}

void analysis_add(struct analysis *at, enum rule rule, const struct spot *spot,
		  const char *fmt, ...)
{
	char what[1024];
	va_list ap;

	at->found = zl_arena_more(at->arena, at->found, at->count, &at->room,
				  sizeof(*at->found));
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);

	struct analyze_finding *finding = &at->found[at->count++];
	finding->rule = &ANALYZE_RULES[rule];
	finding->res = spot->res;
	finding->field = spot->field;
	finding->fix = fill(at->arena, finding->rule->fix, spot->name);
	if (spot->near == NULL)
		finding->what = zl_arena_strdup(at->arena, what);
	else
		finding->what = zl_arena_format(at->arena, "%s (did you mean \"%s\"?)",
						what, spot->near);
}

const char *analysis_join(struct analysis *at, const char *list, const char *name)
{
	const char *found = strstr(list, name);
	size_t len = strlen(name);

	/* "a, b": a name is followed by a comma or the end. */
	for (; found != NULL; found = strstr(found + 1, name))
		if ((found == list || found[-1] == ' ') &&
		    (found[len] == ',' || found[len] == '\0'))
			return list;
	return zl_arena_format(at->arena, "%s%s%s", list, list[0] == '\0' ? "" : ", ",
			       name);
}

/* ---- order ---- */

/* Indexes count as numbers: to[2] comes before to[10]. */
static int compare_fields(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b && *a != '[')
		a++, b++;
	if (*a != '[' || *b != '[')
		return (unsigned char)*a - (unsigned char)*b;

	char *a_end;
	char *b_end;
	unsigned long one = strtoul(a + 1, &a_end, 10);
	unsigned long other = strtoul(b + 1, &b_end, 10);
	return one != other ? (one > other) - (one < other)
			    : compare_fields(a_end, b_end);
}

static int by_place(const void *one, const void *other)
{
	const struct analyze_finding *a = one;
	const struct analyze_finding *b = other;
	int order = key_compare(&a->res->key, &b->res->key);

	if (order == 0)
		order = strcmp(a->rule->code, b->rule->code);
	if (order == 0)
		order = compare_fields(a->field, b->field);
	return order != 0 ? order : strcmp(a->what, b->what);
}

/* Several zones see the same things. */
static size_t sort_findings(struct analyze_finding *found, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(found, count, sizeof(*found), by_place);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || by_place(&found[kept - 1], &found[i]) != 0)
			found[kept++] = found[i];
	return kept;
}

static void check_policies(struct analysis *at)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_END; kind++) {
		struct set_iter each = set_each(at->set, kind, NULL);
		const struct resource *policy;

		while ((policy = set_next(&each)) != NULL) {
			if (kind_info(kind)->policy || kind_is_legacy(kind))
				analyze_shadow(at, policy);
			if (kind_info(kind)->policy)
				analyze_references(at, policy);
			if (kind == KIND_TRAFFIC_ROUTE)
				analyze_traffic_references(at, policy);
		}
	}
}

struct analyze_result analyze_set(const struct set *set, const char *zone,
				  struct zl_arena *arena)
{
	struct analysis at = { .set = set, .arena = arena };

	at.blind = set_count(set, KIND_DATAPLANE) == 0 &&
		   set_count(set, KIND_ZONE_INGRESS) == 0;
	views_open(&at, zone);
	check_policies(&at);
	analyze_standings(&at);
	analyze_attached(&at);
	analyze_services(&at);
	analyze_objects(&at);
	analyze_zones(&at);
	views_close(&at);
	return (struct analyze_result){ .findings = at.found,
					.count = sort_findings(at.found, at.count),
					.blind = at.blind };
}
