#include "zone/inventory/file.h"

#include "base/mem.h"
#include "model/read.h"

#include <errno.h>
#include <fcntl.h>
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

/* True if somebody has the file open for writing. The kernel grants a read lease only
 * where nobody has; where it grants none at all (another owner, some file systems), the
 * check is left to the events: a writer's close is what makes us read. */
static bool is_being_written(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		return false;
	}
	return errno == EAGAIN;
}

static bool slurp(int fd, struct zl_buf *out)
{
	char part[65536];
	ssize_t got = 1;

	while (got > 0 && out->len <= READ_STREAM_BYTES_MAX) {
		got = read(fd, part, sizeof(part));
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

static void make_resources(struct file *file, const struct docs *docs, const char *zone,
			   bool alone, struct zl_arena *arena)
{
	const struct resource_rules rules = { .writer = WRITER_ZONE,
					      .zone = zone,
					      .alone = alone };
	struct findings found = findings_in(arena);

	file->resources = zl_alloc(docs->count, sizeof(struct resource *));
	for (size_t i = 0; i < docs->count; i++) {
		found.at = (struct finding){ .document = docs->numbers[i],
					     .file = file->name,
					     .kind = "",
					     .name = "" };
		struct resource *res = resource_from_doc(docs->items[i], &rules, &found);
		if (res != NULL)
			file->resources[file->count++] = res;
	}
	if (found.violation_count == 0)
		return;
	fault_finding(file, &found);
	while (file->count > 0)
		resource_drop(&file->resources[--file->count]);
}

static void read_open(int fd, const char *zone, bool alone, struct file *file)
{
	struct zl_arena *arena = zl_arena_new();
	struct zl_buf bytes = { 0 };
	struct zl_err err = { 0 };
	struct docs docs;

	if (is_being_written(fd))
		file->busy = true;
	else if (!slurp(fd, &bytes))
		fault(file, strerror(errno));
	else if (is_being_written(fd))
		file->busy = true; /* a writer came while we read */
	else if (read_yaml(bytes.data, bytes.len, arena, &docs, &err) != ZL_OK)
		fault(file, err.msg);
	else
		make_resources(file, &docs, zone, alone, arena);
	zl_buf_free(&bytes);
	zl_arena_free(&arena);
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
		read_open(fd, zone, alone, file);
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
