#include "ctl/files.h"

#include "base/err.h"
#include "model/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void unreadable(struct files *files, const char *name, const char *why)
{
	files->unreadable = true;
	/* "FILE:LINE:COLUMN: ..." as tools read it, when why begins with a place */
	(void)ctl_fail(CTL_UNREADABLE, "%s:%s%s", name,
		       *why >= '0' && *why <= '9' ? "" : " ", why);
}

/* All bytes of fd, one more than a stream may have at the most. */
static bool slurp(int fd, struct zl_buf *out)
{
	char part[65536];
	ssize_t got = 1;

	while (got > 0 && out->len <= READ_STREAM_BYTES_MAX) {
		do
			got = read(fd, part, sizeof(part));
		while (got < 0 && errno == EINTR);
		if (got > 0)
			zl_buf_add(out, part, (size_t)got);
	}
	return got >= 0;
}

static void add_doc(struct ctl *ctl, const struct resource_rules *rules,
		    struct files *files, const char *name, const struct tree *doc,
		    size_t number)
{
	files->found.at = (struct finding){
		.document = number, .file = name, .kind = "", .name = ""
	};
	if (files->count == files->room) {
		size_t room = files->room ? files->room * 2 : 16;
		struct files_item *items =
			zl_arena_alloc(ctl->arena, room, sizeof(*items));
		if (files->count > 0)
			memcpy(items, files->items, files->count * sizeof(*items));
		files->items = items;
		files->room = room;
	}
	files->items[files->count++] =
		(struct files_item){ name, number, doc,
				     resource_from_doc(doc, rules, &files->found) };
}

static void adopt_all(const struct ctl *ctl, files_adopt_fn *adopt, struct files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		struct resource *res = files->items[i].res;
		if (res == NULL)
			continue;
		files->items[i].res = adopt(ctl, res);
		resource_drop(&res);
	}
}

static void read_fd(struct ctl *ctl, const struct resource_rules *rules,
		    struct files *files, const char *name, int fd)
{
	struct zl_buf bytes = { 0 };
	struct zl_err err = { 0 };
	struct docs docs;

	if (!slurp(fd, &bytes)) {
		unreadable(files, name, strerror(errno));
	} else if (read_yaml(bytes.data, bytes.len, ctl->arena, &docs, &err) != ZL_OK) {
		unreadable(files, name, err.msg);
	} else {
		for (size_t i = 0; i < docs.count; i++)
			add_doc(ctl, rules, files, name, docs.items[i], docs.numbers[i]);
	}
	zl_buf_free(&bytes);
}

static void read_file(struct ctl *ctl, const struct resource_rules *rules,
		      struct files *files, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		unreadable(files, name, strerror(errno));
		return;
	}
	read_fd(ctl, rules, files, name, fd);
	close(fd);
}

static int is_document(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 ||
		strcmp(dot, ".json") == 0);
}

static void read_folder(struct ctl *ctl, const struct resource_rules *rules,
			struct files *files, const char *name)
{
	struct dirent **entries = NULL;
	int count = scandir(name, &entries, is_document, alphasort);

	if (count < 0) {
		unreadable(files, name, strerror(errno));
		return;
	}
	if (count == 0)
		unreadable(files, name, "no *.yaml, *.yml or *.json in this folder");
	for (int i = 0; i < count; i++) {
		read_file(ctl, rules, files,
			  zl_arena_format(ctl->arena, "%s/%s", name, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
}

static int by_key(const void *a, const void *b)
{
	const struct files_item *const *x = a;
	const struct files_item *const *y = b;
	int order = key_compare(&(*x)->res->key, &(*y)->res->key);

	return order != 0 ? order : *x < *y ? -1 : *x > *y;
}

/* A second document of one identity is a violation of that one. */
static void find_doubles(struct ctl *ctl, struct files *files)
{
	struct files_item **sorted =
		zl_arena_alloc(ctl->arena, files->count, sizeof(struct files_item *));
	size_t count = 0;

	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].res != NULL)
			sorted[count++] = &files->items[i];
	if (count > 0)
		qsort(sorted, count, sizeof(struct files_item *), by_key);
	for (size_t i = 1, first = 0; i < count; i++) {
		struct files_item *item = sorted[i];
		if (key_compare(&sorted[first]->res->key, &item->res->key) != 0) {
			first = i;
			continue;
		}
		files->found.at =
			(struct finding){ .document = item->document,
					  .file = item->file,
					  .kind = kind_info(item->res->key.kind)->name,
					  .name = zl_arena_strdup(ctl->arena,
								  item->res->key.name) };
		if (strcmp(sorted[first]->file, item->file) == 0)
			findings_violation(&files->found, "name", item->doc,
					   "already defined in document %zu",
					   sorted[first]->document);
		else
			findings_violation(&files->found, "name", item->doc,
					   "already defined in document %zu of %s",
					   sorted[first]->document, sorted[first]->file);
	}
}

/* Stable: findings of one document keep their order. */
static void sort_findings(struct zl_arena *arena, struct finding *list, size_t count)
{
	struct finding *from = list;
	struct finding *to = zl_arena_alloc(arena, count, sizeof(*to));

	for (size_t width = 1; width < count; width *= 2) {
		for (size_t low = 0; low < count; low += 2 * width) {
			size_t mid = low + width < count ? low + width : count;
			size_t end = low + 2 * width < count ? low + 2 * width : count;
			for (size_t a = low, b = mid, k = low; k < end; k++) {
				int order = a == mid ? 1
					    : b == end
						    ? -1
						    : strcmp(from[a].file, from[b].file);
				if (order == 0)
					order = from[a].document > from[b].document;
				to[k] = order <= 0 ? from[a++] : from[b++];
			}
		}
		struct finding *swap = from;
		from = to;
		to = swap;
	}
	if (from != list)
		memcpy(list, from, count * sizeof(*list));
}

void files_read(struct ctl *ctl, const struct resource_rules *rules,
		files_adopt_fn *adopt, struct files *files)
{
	struct stat info;

	*files = (struct files){ .found = findings_in(ctl->arena) };
	for (size_t i = 0; i < ctl->file_count; i++) {
		const char *name = ctl->files[i];
		if (strcmp(name, "-") == 0)
			read_fd(ctl, rules, files, "-", STDIN_FILENO);
		else if (stat(name, &info) == 0 && S_ISDIR(info.st_mode))
			read_folder(ctl, rules, files, name);
		else
			read_file(ctl, rules, files, name);
	}
	if (files->count == 0 && !files->unreadable)
		unreadable(files, ctl->files[0], "nothing to read: no document");
	if (adopt != NULL)
		adopt_all(ctl, adopt, files);
	find_doubles(ctl, files);
	sort_findings(ctl->arena, files->found.violations, files->found.violation_count);
	sort_findings(ctl->arena, files->found.warnings, files->found.warning_count);
}

struct resource *files_as_own(const struct ctl *ctl, const struct resource *res)
{
	const char *origin = labels_get(res->labels, LABEL_ORIGIN);
	const struct label own[] = { { LABEL_ZONE, ctl->zone },
				     { LABEL_ORIGIN, origin != NULL ? origin : "zone" } };

	bool ours = res->key.zone[0] == '\0' || strcmp(res->key.zone, ctl->zone) == 0;
	bool service = res->key.kind == KIND_MESH_SERVICE &&
		       (origin == NULL || strcmp(origin, "zone") == 0);

	if (ours && (res->key.kind == KIND_DATAPLANE || service))
		return resource_relabel(res, own, 2);
	if (kind_is_zone_proxy(res->key.kind) && res->key.zone[0] == '\0')
		return resource_relabel(res, own, 1);
	return resource_hold(res);
}

void files_drop(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		resource_drop(&files->items[i].res);
}

enum ctl_exit files_exit(const struct files *files)
{
	if (files->unreadable)
		return CTL_UNREADABLE;
	return files->found.violation_count > 0 ? CTL_INVALID : CTL_OK;
}

/* "FILE:LINE:COLUMN: document N: [warning: ]KIND NAME: FIELD: REASON" */
static void print_list(const struct finding *list, size_t count, const char *what)
{
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &list[i];
		(void)printf("%s", f->file);
		if (f->line > 0)
			(void)printf(":%u:%u", f->line, f->column);
		(void)printf(": document %zu: %s", f->document, what);
		if (*f->kind != '\0')
			(void)printf("%s ", f->kind);
		if (*f->name != '\0')
			(void)printf("%s: ", f->name);
		if (*f->field != '\0')
			(void)printf("%s: ", f->field);
		(void)printf("%s\n", f->reason);
	}
}

void files_print_findings(const struct files *files, bool warnings_too)
{
	print_list(files->found.violations, files->found.violation_count, "");
	if (warnings_too)
		print_list(files->found.warnings, files->found.warning_count,
			   "warning: ");
}

static struct tree *list_tree(struct zl_arena *arena, const struct finding *list,
			      size_t count)
{
	struct tree *out = tree_list(arena);

	for (size_t i = 0; i < count; i++) {
		struct tree *item = tree_map(arena);
		tree_set(arena, item, "file", tree_text(arena, list[i].file));
		tree_set(arena, item, "document",
			 tree_int(arena, (int64_t)list[i].document));
		tree_set(arena, item, "kind", tree_text(arena, list[i].kind));
		tree_set(arena, item, "name", tree_text(arena, list[i].name));
		tree_set(arena, item, "field", tree_text(arena, list[i].field));
		tree_set(arena, item, "reason", tree_text(arena, list[i].reason));
		tree_push(arena, out, item);
	}
	return out;
}

struct tree *files_findings_tree(const struct ctl *ctl, const struct files *files)
{
	struct tree *out = tree_map(ctl->arena);

	tree_set(ctl->arena, out, "valid",
		 tree_bool(ctl->arena, files_exit(files) == CTL_OK));
	tree_set(ctl->arena, out, "violations",
		 list_tree(ctl->arena, files->found.violations,
			   files->found.violation_count));
	tree_set(
		ctl->arena, out, "warnings",
		list_tree(ctl->arena, files->found.warnings, files->found.warning_count));
	return out;
}
