#include "policy/http.h"

#include "policy/order.h"

#include <stdlib.h>
#include <string.h>

/* ---- keys: equal for rules whose matches are the same ---- */

struct key_part {
	const void *data;
	size_t len;
};

static int compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_parts(const struct key_part *a, const struct key_part *b)
{
	int order = compare_sizes(a->len, b->len);

	return order != 0 ? order : memcmp(a->data, b->data, a->len);
}

static int by_part(const void *one, const void *other)
{
	return compare_parts(one, other);
}

/* Everything stands behind its length, so no two keys run together. */
static void add_part(struct zl_buf *out, struct key_part part)
{
	zl_buf_add(out, &part.len, sizeof(part.len));
	zl_buf_add(out, part.data, part.len);
}

static void add_text(struct zl_buf *out, const char *text)
{
	add_part(out, (struct key_part){ text, strlen(text) });
}

/* All parts in one order, whatever their own. */
static void add_sorted(struct zl_buf *out, struct key_part *parts, size_t count)
{
	if (count > 1)
		qsort(parts, count, sizeof(*parts), by_part);
	zl_buf_add(out, &count, sizeof(count));
	for (size_t i = 0; i < count; i++)
		add_part(out, parts[i]);
}

/* What buf holds, in arena; buf is empty again. */
static struct key_part taken(struct zl_buf *buf, struct zl_arena *arena)
{
	struct key_part part = { zl_arena_memdup(arena, buf->data, buf->len), buf->len };

	zl_buf_free(buf);
	return part;
}

static void add_fields(struct zl_buf *out, const struct http_field *fields, size_t count,
		       struct zl_arena *arena)
{
	struct key_part *parts = zl_arena_alloc(arena, count, sizeof(*parts));

	for (size_t i = 0; i < count; i++) {
		struct zl_buf buf = { 0 };

		add_text(&buf, fields[i].name);
		add_text(&buf, fields[i].value);
		zl_buf_char(&buf, (char)fields[i].type);
		parts[i] = taken(&buf, arena);
	}
	add_sorted(out, parts, count);
}

static struct key_part key_of_match(const struct http_match *match,
				    struct zl_arena *arena)
{
	struct zl_buf buf = { 0 };

	zl_buf_char(&buf, (char)match->path_type);
	add_text(&buf, match->path);
	add_text(&buf, match->method);
	add_fields(&buf, match->headers, match->header_count, arena);
	add_fields(&buf, match->params, match->param_count, arena);
	return taken(&buf, arena);
}

static struct key_part key_of_rule(const struct http_rule *rule, struct zl_arena *arena)
{
	struct key_part *parts = zl_arena_alloc(arena, rule->match_count, sizeof(*parts));
	struct zl_buf buf = { 0 };

	for (size_t i = 0; i < rule->match_count; i++)
		parts[i] = key_of_match(&rule->matches[i], arena);
	add_sorted(&buf, parts, rule->match_count);
	return taken(&buf, arena);
}

/* ---- merging ---- */

struct merged {
	const struct http_rule *rule;
	const struct contributor *from;
	struct key_part key;
	size_t place;                   /* of its entry, as ties are told apart */
	size_t walked;                  /* how many rules were met before it */
	const struct backend *backends; /* once it has come through */
	size_t backend_count;
};

static const struct http_to *entry_of(const struct contributor *from)
{
	return &from->policy->http_route->to[from->to];
}

static int by_key(const void *one, const void *other)
{
	const struct merged *a = one;
	const struct merged *b = other;
	int order = compare_parts(&a->key, &b->key);

	return order != 0 ? order : compare_sizes(a->walked, b->walked);
}

/* Of rules with one key that of the last policy stays: of its own, the first. Returns how
 * many there are. */
static size_t leave_one_each(struct merged *rules, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(rules, count, sizeof(*rules), by_key);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || compare_parts(&rules[kept - 1].key, &rules[i].key) != 0)
			rules[kept++] = rules[i];
		else if (rules[kept - 1].from->policy != rules[i].from->policy)
			rules[kept - 1] = rules[i];
	}
	return kept;
}

/* Where entries stand: those of one policy that only their indexes tell apart stand
 * together. */
static size_t place_of(const struct contributor *entries, size_t at, size_t before)
{
	const struct rank rank = rank_of(entries[at].policy);

	if (at > 0 && entries[at - 1].policy == entries[at].policy &&
	    rank_ties(&rank, entries[at - 1].to, &rank, entries[at].to))
		return before;
	return at;
}

static struct merged *merge(const struct contributor *entries, size_t count,
			    struct zl_arena *arena, size_t *rule_count)
{
	size_t room = 0;
	size_t used = 0;
	size_t place = 0;

	for (size_t i = 0; i < count; i++)
		room += entry_of(&entries[i])->rule_count;
	struct merged *rules = zl_arena_alloc(arena, room, sizeof(*rules));

	for (size_t i = 0; i < count; i++) {
		const struct http_to *entry = entry_of(&entries[i]);

		place = place_of(entries, i, place);
		for (size_t j = 0; j < entry->rule_count; j++, used++)
			rules[used] = (struct merged){
				.rule = &entry->rules[j],
				.from = &entries[i],
				.key = key_of_rule(&entry->rules[j], arena),
				.place = place,
				.walked = used,
			};
	}
	*rule_count = leave_one_each(rules, used);
	return rules;
}

/* ---- order ---- */

/* One match of a rule that came through. */
struct attempt {
	const struct http_match *match;
	const struct merged *rule;
};

/* The more exact path is tried first, of two alike the longer one. */
static int compare_paths(const struct http_match *a, const struct http_match *b)
{
	static const unsigned TURNS[] = { [HTTP_PATH_EXACT] = 0,
					  [HTTP_PATH_PREFIX] = 1,
					  [HTTP_PATH_REGEX] = 2,
					  [HTTP_PATH_NONE] = 3 };
	int order = compare_sizes(TURNS[a->path_type], TURNS[b->path_type]);

	if (order != 0 || a->path_type == HTTP_PATH_EXACT)
		return order;
	return compare_sizes(strlen(b->path), strlen(a->path));
}

/* The match that asks for more is tried first. */
static int compare_demands(const struct http_match *a, const struct http_match *b)
{
	int order = compare_sizes(b->method[0] != '\0', a->method[0] != '\0');

	if (order == 0)
		order = compare_sizes(b->header_count, a->header_count);
	return order != 0 ? order : compare_sizes(b->param_count, a->param_count);
}

/* The stronger policy's is tried first, then the earlier of one policy. */
static int compare_writers(const struct attempt *a, const struct attempt *b)
{
	int order = compare_sizes(b->rule->place, a->rule->place);

	return order != 0 ? order : compare_sizes(a->rule->walked, b->rule->walked);
}

static int by_turn(const void *one, const void *other)
{
	const struct attempt *a = one;
	const struct attempt *b = other;
	int order = compare_paths(a->match, b->match);

	if (order == 0)
		order = compare_demands(a->match, b->match);
	if (order == 0)
		order = compare_writers(a, b);
	/* Of one rule: they stand side by side in it. */
	return order != 0 ? order : (a->match > b->match) - (a->match < b->match);
}

static struct attempt *sorted(const struct merged *rules, size_t count,
			      struct zl_arena *arena, size_t *attempt_count)
{
	size_t room = 0;
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		room += rules[i].rule->match_count;
	struct attempt *attempts = zl_arena_alloc(arena, room, sizeof(*attempts));

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < rules[i].rule->match_count; j++)
			attempts[used++] =
				(struct attempt){ &rules[i].rule->matches[j], &rules[i] };
	if (used > 0)
		qsort(attempts, used, sizeof(*attempts), by_turn);
	*attempt_count = used;
	return attempts;
}

static bool takes_all(const struct http_match *match)
{
	if (match->method[0] != '\0' || match->header_count > 0 || match->param_count > 0)
		return false;
	return match->path_type == HTTP_PATH_NONE ||
	       (match->path_type == HTTP_PATH_PREFIX && strcmp(match->path, "/") == 0);
}

/* ---- resolving ---- */

/* The destination as its own backend, once, and only where a rule leads to it: it has
 * warnings of its own. */
struct itself {
	const struct outbound *outbound;
	const struct outbound_route *to;
	struct backend *made; /* NULL: not asked for yet */
};

static const struct backend *get_itself(struct resolving *at, struct itself *itself)
{
	if (itself->made == NULL) {
		itself->made = zl_arena_alloc(at->arena, 1, sizeof(*itself->made));
		*itself->made = target_of_destination(at, itself->outbound, itself->to);
		resolving_made(at, itself->made, 1);
	}
	return itself->made;
}

static void set_backends(struct resolving *at, struct merged *rule, struct itself *itself)
{
	size_t count = rule->rule->ref_count;
	struct backend *backends = zl_arena_alloc(at->arena, count, sizeof(*backends));

	for (size_t i = 0; i < count; i++)
		backends[i] =
			target_of_ref(at, rule->from->policy, &rule->rule->refs[i].ref,
				      rule->rule->refs[i].weight);
	resolving_made(at, backends, count);
	rule->backends = count > 0 ? backends : get_itself(at, itself);
	rule->backend_count = count > 0 ? count : 1;
}

void http_resolve(struct resolving *at, const struct outbound *outbound,
		  const struct contributor *entries, size_t count,
		  struct outbound_route *to)
{
	static const struct http_match REST = { .path_type = HTTP_PATH_PREFIX,
						.path = "/",
						.method = "" };
	struct itself itself = { outbound, to, NULL };
	size_t merged_count;
	size_t attempt_count;
	bool all = false;
	struct merged *merged = merge(entries, count, at->arena, &merged_count);

	for (size_t i = 0; i < merged_count; i++)
		set_backends(at, &merged[i], &itself);
	const struct attempt *attempts =
		sorted(merged, merged_count, at->arena, &attempt_count);
	struct request_route *rules =
		zl_arena_alloc(at->arena, attempt_count + 1, sizeof(*rules));
	for (size_t i = 0; i < attempt_count; i++) {
		rules[i] =
			(struct request_route){ .match = attempts[i].match,
						.from = attempts[i].rule->from,
						.backends = attempts[i].rule->backends,
						.backend_count =
							attempts[i].rule->backend_count };
		all = all || takes_all(attempts[i].match);
	}
	if (!all)
		rules[attempt_count++] =
			(struct request_route){ .match = &REST,
						.backends = get_itself(at, &itself),
						.backend_count = 1 };
	to->http = true;
	to->rules = rules;
	to->rule_count = attempt_count;
}
