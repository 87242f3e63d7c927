#include "zone/inventory/folder.h"

#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "zone/inventory/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { BUSY_MS = 50 }; /* look again at a file that is being written */

struct folder {
	struct loop *loop; /* borrowed */
	char *dir, *zone;  /* owned */
	void (*changed)(void *owner);
	void *owner;
	int fd; /* owned; of inotify */
	struct loop_watch *watch;
	struct loop_timer *again; /* runs while a file is busy or the folder was lost */
	struct file *files;       /* owned; sorted by name */
	size_t count, room;
	bool alone, rescan;
	struct set *set; /* held */
};

static size_t place_of(const struct folder *folder, const char *name, bool *found)
{
	size_t low = 0;
	size_t high = folder->count;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, folder->files[mid].name);
		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static const struct resource *find_in(const struct file *file, const struct key *key)
{
	for (size_t i = 0; i < file->count; i++)
		if (key_compare(&file->resources[i]->key, key) == 0)
			return file->resources[i];
	return NULL;
}

/* The first file by name that holds key. */
static const struct file *winner(const struct folder *folder, const struct key *key,
				 const struct resource **res)
{
	for (size_t i = 0; i < folder->count; i++) {
		*res = find_in(&folder->files[i], key);
		if (*res != NULL)
			return &folder->files[i];
	}
	return NULL;
}

static void settle(const struct folder *folder, struct set_edit *edit,
		   const struct key *key)
{
	const struct resource *res;

	if (winner(folder, key, &res) != NULL)
		set_put(edit, res);
	else
		(void)set_del(edit, key);
}

static void insert(struct folder *folder, size_t at, struct file *file)
{
	if (folder->count == folder->room) {
		folder->room = folder->room ? folder->room * 2 : 16;
		folder->files =
			zl_realloc(folder->files, folder->room, sizeof(*folder->files));
	}
	memmove(&folder->files[at + 1], &folder->files[at],
		(folder->count - at) * sizeof(*folder->files));
	folder->files[at] = *file;
	folder->count++;
}

static void remove_at(struct folder *folder, size_t at)
{
	folder->count--;
	memmove(&folder->files[at], &folder->files[at + 1],
		(folder->count - at) * sizeof(*folder->files));
}

/* Put now in the place of the file of its name and settle every key of either. */
static void replace(struct folder *folder, struct file *now)
{
	bool found;
	size_t at = place_of(folder, now->name, &found);
	struct set_edit *edit = set_edit(folder->set);
	struct file old = { 0 };
	bool gone = now->count == 0 && now->fault == NULL;

	if (found)
		old = folder->files[at];
	if (now->fault != NULL) { /* what it brought stays until it is good again */
		now->resources = old.resources;
		now->count = old.count;
		old.resources = NULL;
		old.count = 0;
	}
	if (found && gone)
		remove_at(folder, at);
	else if (found)
		folder->files[at] = *now;
	else if (!gone)
		insert(folder, at, now);
	for (size_t i = 0; i < old.count; i++)
		settle(folder, edit, &old.resources[i]->key);
	for (size_t i = 0; i < now->count; i++)
		settle(folder, edit, &now->resources[i]->key);
	if (gone)
		file_drop(now);
	file_drop(&old);
	set_drop(&folder->set);
	folder->set = set_done(&edit);
}

/* Read one file anew. False: it is being written, nothing was done. */
static bool refresh(struct folder *folder, const char *name)
{
	struct file now;

	file_read(folder->dir, name, folder->zone, folder->alone, &now);
	if (now.busy) {
		file_drop(&now);
		loop_timer_set(folder->again, BUSY_MS);
		folder->rescan = true;
		return false;
	}
	if (now.fault != NULL)
		zl_log(ZL_WARN, "folder", "file not used", "file=%q err=%q", name,
		       now.fault);
	replace(folder, &now);
	return true;
}

/* Read every file, and forget those that are gone. */
static void scan(struct folder *folder)
{
	DIR *dir = opendir(folder->dir);
	const struct dirent *entry;

	folder->rescan = false;
	if (dir == NULL) {
		zl_log(ZL_ERROR, "folder", "folder cannot be read; what it held stays",
		       "dir=%q err=%q", folder->dir, strerror(errno));
		return;
	}
	for (size_t i = folder->count; i-- > 0;) {
		char *name = zl_strdup(folder->files[i].name);
		if (faccessat(dirfd(dir), name, F_OK, 0) != 0)
			(void)refresh(folder, name);
		free(name);
	}
	while ((entry = readdir(dir)) != NULL)
		if (file_is_ours(entry->d_name))
			(void)refresh(folder, entry->d_name);
	(void)closedir(dir);
}

static void on_again(void *arg)
{
	struct folder *folder = arg;

	if (folder->rescan)
		scan(folder);
	folder->changed(folder->owner);
}

static bool on_event(struct folder *folder, const struct inotify_event *event)
{
	if ((event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
		scan(folder);
		return true;
	}
	return event->len > 0 && file_is_ours(event->name) &&
	       refresh(folder, event->name);
}

static void on_readable(void *arg, unsigned events)
{
	struct folder *folder = arg;
	_Alignas(struct inotify_event) char bytes[16384];
	bool any = false;
	ssize_t len;

	(void)events;
	while ((len = read(folder->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < len;) {
			struct inotify_event event;
			memcpy(&event, bytes + at, sizeof(event));
			const void *whole = bytes + at;
			any = on_event(folder, whole) || any;
			at += (ssize_t)(sizeof(event) + event.len);
		}
	}
	if (any)
		folder->changed(folder->owner);
}

enum zl_code folder_open(struct folder **out, struct loop *loop, const char *dir,
			 const char *zone, bool alone, void (*changed)(void *owner),
			 void *owner, struct zl_err *err)
{
	struct folder *folder = zl_alloc(1, sizeof(*folder));
	const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
			      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
	enum zl_code code;

	*out = NULL;
	*folder = (struct folder){ .loop = loop,
				   .alone = alone,
				   .dir = zl_strdup(dir),
				   .zone = zl_strdup(zone),
				   .changed = changed,
				   .owner = owner,
				   .set = set_empty() };
	folder->again = loop_timer_new(loop, on_again, folder);
	folder->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (folder->fd < 0 || inotify_add_watch(folder->fd, dir, mask) < 0) {
		code = zl_fail(err, zl_code_from_errno(errno), "watch folder %s: %s", dir,
			       strerror(errno));
		goto fail;
	}
	code = loop_watch_new(&folder->watch, loop, folder->fd, LOOP_READ, on_readable,
			      folder, err);
	if (code != ZL_OK)
		goto fail;
	scan(folder); /* after the watch: what comes meanwhile is an event */
	*out = folder;
	return ZL_OK;

fail:
	folder_close(&folder);
	return code;
}

void folder_close(struct folder **folderp)
{
	struct folder *folder = *folderp;

	*folderp = NULL;
	if (folder == NULL)
		return;
	loop_watch_free(&folder->watch);
	loop_timer_free(&folder->again);
	if (folder->fd >= 0)
		close(folder->fd);
	for (size_t i = 0; i < folder->count; i++)
		file_drop(&folder->files[i]);
	free(folder->files);
	set_drop(&folder->set);
	free(folder->dir);
	free(folder->zone);
	free(folder);
}

const struct set *folder_set(const struct folder *folder)
{
	return folder->set;
}

const char *folder_file_of(const struct folder *folder, const struct key *key)
{
	const struct resource *res;
	const struct file *file = winner(folder, key, &res);

	return file != NULL ? file->name : NULL;
}

bool folder_file(const struct folder *folder, size_t index, struct folder_file *file)
{
	if (index >= folder->count)
		return false;
	const struct file *from = &folder->files[index];
	*file = (struct folder_file){ from->name, from->fault != NULL ? from->fault : "",
				      from->count };
	for (size_t i = 0; *file->fault == '\0' && i < from->count; i++) {
		const struct resource *res;
		if (winner(folder, &from->resources[i]->key, &res) != from)
			file->fault = "another file, earlier by name, holds the same "
				      "resource: that one counts";
	}
	return true;
}
