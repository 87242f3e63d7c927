#include "zone/inventory/file.h"

#include "base/mem.h"
#include "model/read.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_is_ours(const char *name)
{
	static const char *const ENDINGS[] = { ".yaml", ".yml", ".json" };
	const char *dot = strrchr(name, '.');

	if (name[0] == '.' || dot == NULL)
		return false;
	for (size_t i = 0; i < sizeof(ENDINGS) / sizeof(ENDINGS[0]); i++)
		if (strcmp(dot, ENDINGS[i]) == 0)
			return true;
	return false;
}

enum hold { HELD, BUSY, FREE };

/* Keep writers out of the file while it is read: the kernel grants a read lease where
 * nobody has it open for writing, and lets who then opens it wait until we let go. FREE:
 * it grants none here (another owner, some file systems). */
static enum hold hold_file(int fd)
{
	/* A writer who waits is told by this signal, which is ignored unless asked for;
	 * SIGIO, the usual one, would end the process. */
	(void)fcntl(fd, F_SETSIG, SIGURG);
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return HELD;
	return errno == EAGAIN ? BUSY : FREE;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

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

static void fault(struct file *file, const char *text)
{
	if (file->fault == NULL)
		file->fault = zl_strdup(text);
}

/* The first violation as a fault: "3:5: document 1: networking.adress: unknown field". */
static void fault_finding(struct file *file, const struct findings *found)
{
	const struct finding *first = &found->violations[0];
	struct zl_buf text = { 0 };

	if (first->line > 0)
		zl_buf_format(&text, "%u:%u: ", first->line, first->column);
	zl_buf_format(&text, "document %zu: ", first->document);
	if (*first->field != '\0')
		zl_buf_format(&text, "%s: ", first->field);
	zl_buf_str(&text, first->reason);
	if (found->violation_count > 1)
		zl_buf_format(&text, " (and %zu more)", found->violation_count - 1);
	fault(file, zl_buf_text(&text));
	zl_buf_free(&text);
}

struct made {
	struct resource *res;
	size_t index; /* of its document */
};

static int by_key(const void *a, const void *b)
{
	const struct made *x = a;
	const struct made *y = b;
	int order = key_compare(&x->res->key, &y->res->key);

	return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* A second document of one identity is a violation of that one. */
static void find_doubles(const struct made *made, size_t count, const struct docs *docs,
			 struct findings *found)
{
	for (size_t i = 1, first = 0; i < count; i++) {
		if (key_compare(&made[first].res->key, &made[i].res->key) != 0) {
			first = i;
			continue;
		}
		found->at.document = docs->numbers[made[i].index];
		findings_violation(found, "name", docs->items[made[i].index],
				   "already defined in document %zu",
				   docs->numbers[made[first].index]);
	}
}

/* The resources of all documents, sorted by key; none if one of them has a fault. */
static void make_resources(struct file *file, const struct docs *docs, const char *zone,
			   bool alone, struct zl_arena *arena)
{
	const struct resource_rules rules = { .writer = WRITER_ZONE,
					      .zone = zone,
					      .alone = alone };
	struct findings found = findings_in(arena);
	struct made *made = zl_arena_alloc(arena, docs->count, sizeof(*made));
	size_t count = 0;

	for (size_t i = 0; i < docs->count; i++) {
		found.at = (struct finding){ .document = docs->numbers[i],
					     .file = file->name,
					     .kind = "",
					     .name = "" };
		struct resource *res = resource_from_doc(docs->items[i], &rules, &found);
		/* Its content would be for everyone to see who may ask this zone. */
		if (res != NULL && res->key.kind == KIND_SECRET)
			findings_violation(&found, "type", docs->items[i],
					   "kind Secret is not kept in a folder");
		if (res != NULL)
			made[count++] = (struct made){ res, i };
	}
	if (count > 0)
		qsort(made, count, sizeof(*made), by_key);
	find_doubles(made, count, docs, &found);
	bool good = found.violation_count == 0;
	if (good)
		file->resources = zl_alloc(count, sizeof(struct resource *));
	else
		fault_finding(file, &found);
	for (size_t i = 0; i < count; i++) {
		if (good)
			file->resources[file->count++] = made[i].res;
		else
			resource_drop(&made[i].res);
	}
}

static void read_bytes(struct file *file, const struct zl_buf *bytes, const char *zone,
		       bool alone)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_err err = { 0 };
	struct docs docs;

	if (read_yaml(bytes->data, bytes->len, arena, &docs, &err) != ZL_OK)
		fault(file, err.msg);
	else
		make_resources(file, &docs, zone, alone, arena);
	zl_arena_free(&arena);
}

static void read_open(struct file *file, int fd, const struct stat *before,
		      const char *zone, bool alone)
{
	enum hold hold = hold_file(fd);
	struct zl_buf bytes = { 0 };
	struct stat after = { 0 };

	bool whole = hold != BUSY && slurp(fd, &bytes);
	int number = errno;
	if (hold == HELD)
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	if (hold == BUSY || fstat(fd, &after) != 0 || !same_file(before, &after))
		file->busy = true;
	else if (!whole)
		fault(file, strerror(number));
	else
		read_bytes(file, &bytes, zone, alone);
	zl_buf_free(&bytes);
}

void file_read(const char *dir, const char *name, const char *zone, bool alone,
	       struct file *file)
{
	char *path = zl_format("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int number = errno;
	struct stat info;

	*file = (struct file){ .name = zl_strdup(name) };
	free(path);
	if (fd < 0) {
		if (number != ENOENT)
			fault(file, strerror(number));
		return;
	}
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		fault(file, "not a regular file");
	else
		read_open(file, fd, &info, zone, alone);
	close(fd);
}

void file_drop(struct file *file)
{
	for (size_t i = 0; i < file->count; i++)
		resource_drop(&file->resources[i]);
	free(file->resources);
	free(file->fault);
	free(file->name);
	*file = (struct file){ 0 };
}
