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
#include <sys/stat.h>
#include <unistd.h>

enum {
	BUSY_MS = 50,  /* look again at files that are being written */
	LOST_MS = 1000 /* look again for a folder that is not there */
};

static const uint32_t EVENTS = IN_CLOSE_WRITE | IN_CREATE | IN_ATTRIB | IN_MOVED_TO |
			       IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |
			       IN_ONLYDIR;

struct folder {
	struct loop *loop; /* borrowed */
	char *dir, *zone;  /* owned */
	void (*changed)(void *owner);
	void *owner;
	int fd;     /* owned; of inotify */
	int marker; /* of the folder in it; -1: it was lost */
	struct loop_watch *watch;
	struct loop_timer *again; /* runs while a file is busy or the folder is lost */
	struct file *files;       /* owned; sorted by name */
	size_t count, room;
	char **busy; /* owned; names of files that are being written */
	size_t busy_count, busy_room;
	bool alone;
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

static struct resource *find_in(const struct file *file, const struct key *key)
{
	size_t low = 0;
	size_t high = file->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = key_compare(key, &file->resources[mid]->key);
		if (order == 0)
			return file->resources[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
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

/* Let the first file that holds key have its say. res is what the file that changed has
 * of it now, or NULL. */
static void settle(const struct folder *folder, struct set_edit *edit,
		   const struct key *key, const struct resource *res)
{
	if (res == NULL || set_get(folder->set, key) != NULL) /* others may have it */
		(void)winner(folder, key, &res);
	if (res != NULL)
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

/* What did not change stays the same object, so that nobody looks at it again. */
static void keep_equal(const struct file *old, struct file *now)
{
	for (size_t i = 0; i < now->count; i++) {
		struct resource *was = find_in(old, &now->resources[i]->key);
		if (was == NULL || was->json_len != now->resources[i]->json_len ||
		    memcmp(was->json, now->resources[i]->json, was->json_len) != 0)
			continue;
		resource_drop(&now->resources[i]);
		now->resources[i] = resource_hold(was);
	}
}

/* Settle every key on which old and now differ; true if there was one. */
static bool settle_all(struct folder *folder, const struct file *old,
		       const struct file *now)
{
	struct set_edit *edit = set_edit(folder->set);
	bool any = false;

	for (size_t i = 0; i < old->count; i++) {
		const struct key *key = &old->resources[i]->key;
		if (find_in(now, key) != NULL)
			continue;
		settle(folder, edit, key, NULL);
		any = true;
	}
	for (size_t i = 0; i < now->count; i++) {
		const struct resource *res = now->resources[i];
		if (find_in(old, &res->key) == res)
			continue;
		settle(folder, edit, &res->key, res);
		any = true;
	}
	set_drop(&folder->set);
	folder->set = set_done(&edit);
	return any;
}

/* Put now, which is taken, in the place of the file of its name. True if that changed
 * anything. */
static bool replace(struct folder *folder, struct file *now)
{
	bool found;
	size_t at = place_of(folder, now->name, &found);
	struct file old = { 0 };
	bool gone = now->count == 0 && now->fault == NULL;

	if (found)
		old = folder->files[at];
	bool any =
		found ? gone || (old.fault == NULL) != (now->fault == NULL) ||
				(now->fault != NULL && strcmp(old.fault, now->fault) != 0)
		      : !gone;
	if (now->fault != NULL) { /* what it brought stays until it is good again */
		now->resources = old.resources;
		now->count = old.count;
		old.resources = NULL;
		old.count = 0;
	} else {
		keep_equal(&old, now);
	}
	if (found && gone)
		remove_at(folder, at);
	else if (found)
		folder->files[at] = *now;
	else if (!gone)
		insert(folder, at, now);
	if (now->fault == NULL)
		any = settle_all(folder, &old, now) || any;
	if (gone)
		file_drop(now);
	file_drop(&old);
	return any;
}

static void be_busy(struct folder *folder, const char *name)
{
	loop_timer_set(folder->again, BUSY_MS);
	for (size_t i = 0; i < folder->busy_count; i++)
		if (strcmp(folder->busy[i], name) == 0)
			return;
	if (folder->busy_count == folder->busy_room) {
		folder->busy_room = folder->busy_room ? folder->busy_room * 2 : 16;
		folder->busy = zl_realloc(folder->busy, folder->busy_room,
					  sizeof(*folder->busy));
	}
	folder->busy[folder->busy_count++] = zl_strdup(name);
}

/* Name in the log what is wrong with the file. */
static void tell(const struct folder *folder, const char *name)
{
	bool found;
	size_t at = place_of(folder, name, &found);
	const struct file *file = &folder->files[at];

	if (!found)
		return;
	if (file->fault != NULL)
		zl_log(ZL_WARN, "folder", "file not used", "file=%q err=%q", name,
		       file->fault);
	for (size_t i = 0; i < file->count; i++) {
		const struct key *key = &file->resources[i]->key;
		const struct resource *res = set_get(folder->set, key);
		if (res == file->resources[i])
			continue;
		const struct file *first = winner(folder, key, &res);
		zl_log(ZL_WARN, "folder", "resource not used: another file has it",
		       "file=%q name=%q other=%q", name, key->name,
		       first != NULL ? first->name : "");
		return;
	}
}

/* Read one file anew. True if that changed anything. */
static bool refresh(struct folder *folder, const char *name)
{
	struct file now;

	file_read(folder->dir, name, folder->zone, folder->alone, &now);
	if (now.busy) {
		file_drop(&now);
		be_busy(folder, name);
		return false;
	}
	bool any = replace(folder, &now);
	if (any)
		tell(folder, name);
	return any;
}

static int is_ours(const struct dirent *entry)
{
	return file_is_ours(entry->d_name);
}

/* Forget the files that are gone. */
static bool forget(struct folder *folder)
{
	bool any = false;

	for (size_t i = folder->count; i-- > 0;) {
		char *name = zl_strdup(folder->files[i].name);
		char *path = zl_format("%s/%s", folder->dir, name);
		if (access(path, F_OK) != 0)
			any = refresh(folder, name) || any;
		free(path);
		free(name);
	}
	return any;
}

/* Read every file. */
static bool scan(struct folder *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder->dir, &entries, is_ours, alphasort);

	if (count < 0) {
		zl_log(ZL_ERROR, "folder", "folder cannot be read; what it held stays",
		       "dir=%q err=%q", folder->dir, strerror(errno));
		return false;
	}
	bool any = forget(folder);
	for (int i = 0; i < count; i++) {
		any = refresh(folder, entries[i]->d_name) || any;
		free(entries[i]);
	}
	free(entries);
	return any;
}

/* The folder of this name is gone or another one: watch what is there now. */
static bool find_again(struct folder *folder)
{
	if (folder->marker >= 0)
		(void)inotify_rm_watch(folder->fd, folder->marker);
	folder->marker = inotify_add_watch(folder->fd, folder->dir, EVENTS);
	if (folder->marker < 0) {
		loop_timer_set(folder->again, LOST_MS);
		return false;
	}
	zl_log(ZL_INFO, "folder", "folder is watched again", "dir=%q", folder->dir);
	return scan(folder);
}

static bool lose(struct folder *folder)
{
	zl_log(ZL_ERROR, "folder", "folder is gone; what it held stays", "dir=%q",
	       folder->dir);
	return find_again(folder);
}

static void on_again(void *arg)
{
	struct folder *folder = arg;
	char **names = folder->busy;
	size_t count = folder->busy_count;
	bool any = false;

	folder->busy = NULL;
	folder->busy_count = folder->busy_room = 0;
	if (folder->marker < 0)
		any = find_again(folder);
	for (size_t i = 0; i < count; i++) {
		any = refresh(folder, names[i]) || any;
		free(names[i]);
	}
	free(names);
	if (any)
		folder->changed(folder->owner);
}

/* A new name may be a file that its writer has only begun: that one's close is another
 * event. A link is complete. */
static bool is_complete(const struct folder *folder, const char *name)
{
	char *path = zl_format("%s/%s", folder->dir, name);
	struct stat info;
	bool link =
		lstat(path, &info) == 0 &&
		(S_ISLNK(info.st_mode) || (S_ISREG(info.st_mode) && info.st_nlink > 1));

	free(path);
	return link;
}

static bool on_event(struct folder *folder, const struct inotify_event *event)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		return scan(folder);
	if (event->wd != folder->marker)
		return false; /* of a folder that was here before */
	if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) !=
	    0)
		return lose(folder);
	if (event->len == 0)
		return false;
	if (strcmp(event->name, "..data") == 0) /* a mounted ConfigMap changed */
		return scan(folder);
	if (!file_is_ours(event->name))
		return false;
	if ((event->mask & IN_CREATE) != 0 && !is_complete(folder, event->name))
		return false;
	return refresh(folder, event->name);
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
	folder->marker =
		folder->fd >= 0 ? inotify_add_watch(folder->fd, dir, EVENTS) : -1;
	if (folder->marker < 0) {
		code = zl_fail(err, zl_code_from_errno(errno), "watch folder %s: %s", dir,
			       strerror(errno));
		goto fail;
	}
	code = loop_watch_new(&folder->watch, loop, folder->fd, LOOP_READ, on_readable,
			      folder, err);
	if (code != ZL_OK)
		goto fail;
	(void)scan(folder); /* after the watch: what comes meanwhile is an event */
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
	for (size_t i = 0; i < folder->busy_count; i++)
		free(folder->busy[i]);
	free(folder->busy);
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
	for (size_t i = 0; *file->fault == '\0' && i < from->count; i++)
		if (set_get(folder->set, &from->resources[i]->key) != from->resources[i])
			file->fault = "another file, earlier by name, holds the same "
				      "resource: that one counts";
	return true;
}
