/* GET /_snapshot: a backup of the store, made on a thread of its own, one at a time. */
#include "global/api/inside.h"

#include "backup/backup.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct snapshot {
	struct store *store; /* borrowed */
	char *path;          /* owned; the file while it is made */
	struct mailbox *box; /* letters: char, nothing in it */
	struct loop_watch *watch;
	struct http_request *req; /* who waits; NULL: no thread runs */
	pthread_t thread;
	struct backup_facts facts; /* the thread's until it has posted, as code and err */
	enum zl_code code;
	struct zl_err err;
};

static void *work(void *arg)
{
	struct snapshot *snapshot = arg;

	snapshot->code = backup_make(snapshot->store, snapshot->path, &snapshot->facts,
				     &snapshot->err);
	while (!mailbox_post(snapshot->box, "")) /* it has room: one at a time */
		usleep(1000);
	return NULL;
}

static void answer(struct snapshot *snapshot, struct http_request *req)
{
	const struct backup_facts *facts = &snapshot->facts;
	int fd = -1;

	if (snapshot->code == ZL_OK) {
		fd = open(snapshot->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			snapshot->code =
				zl_fail(&snapshot->err, zl_code_from_errno(errno),
					"open %s: %s", snapshot->path, strerror(errno));
	}
	(void)unlink(snapshot->path); /* its bytes stay until they are sent */
	if (fd < 0) {
		zl_log(ZL_ERROR, "snapshot", "not made", "err=%q", snapshot->err.msg);
		http_refuse(req, http_status(snapshot->code), "%s", snapshot->err.msg);
		return;
	}
	zl_log(ZL_INFO, "snapshot", "made", "revision=%llu bytes=%llu who=%q",
	       (unsigned long long)facts->position.rev,
	       (unsigned long long)facts->file_bytes, http_caller_text(req));
	http_add_header(req, "Content-Disposition",
			"attachment; filename=\"zonelink-r%llu.snapshot\"",
			(unsigned long long)facts->position.rev);
	http_answer_file(req, 200, "application/octet-stream", fd, facts->file_bytes);
}

/* The thread is through: take what it made. */
static void finish(struct snapshot *snapshot)
{
	struct http_request *req = snapshot->req;

	if (req == NULL)
		return;
	(void)pthread_join(snapshot->thread, NULL);
	snapshot->req = NULL;
	answer(snapshot, req);
}

static void on_made(void *arg, unsigned events)
{
	struct snapshot *snapshot = arg;
	char letter;

	(void)events;
	while (mailbox_take(snapshot->box, &letter))
		finish(snapshot);
}

enum zl_code snapshot_open(struct snapshot **out, const struct api_setup *setup,
			   struct zl_err *err)
{
	struct snapshot *snapshot = zl_alloc(1, sizeof(*snapshot));

	snapshot->store = setup->store;
	snapshot->path = zl_format("%s/snapshot.new", setup->data_dir);
	(void)unlink(snapshot->path); /* of a process that was killed */
	*out = snapshot;
	enum zl_code code = mailbox_open(&snapshot->box, 1, 2, err);
	if (code == ZL_OK)
		code = loop_watch_new(&snapshot->watch, setup->loop,
				      mailbox_fd(snapshot->box), LOOP_READ, on_made,
				      snapshot, err);
	return code;
}

void snapshot_close(struct snapshot **snapshotp)
{
	struct snapshot *snapshot = *snapshotp;

	*snapshotp = NULL;
	if (snapshot == NULL)
		return;
	finish(snapshot);
	loop_watch_free(&snapshot->watch);
	mailbox_close(&snapshot->box);
	free(snapshot->path);
	free(snapshot);
}

void snapshot_handle(struct http_request *req, void *arg)
{
	const struct api *api = arg;
	struct snapshot *snapshot = api->snapshot;
	sigset_t all;
	sigset_t before;

	if (snapshot->req != NULL) {
		http_add_header(req, "Retry-After", "%d", 5);
		http_refuse(req, 503, "another snapshot is being made; try again");
		return;
	}
	snapshot->err = (struct zl_err){ 0 };
	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&snapshot->thread, NULL, work, snapshot);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		snapshot->req = req;
	else
		http_refuse(req, 503, "no thread for it: %s", strerror(rc));
}
