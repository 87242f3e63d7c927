#include "backup/inside.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/read.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum zl_code look(const char *dir, struct backup_facts *facts, struct zl_err *err)
{
	const struct store_options options = { .read_only = true };
	struct store_status status;
	struct store_view *view;
	struct store *store;

	enum zl_code code = store_open(&store, dir, &options, err);
	if (code != ZL_OK)
		return code;
	code = store_verify(store, err);
	if (code == ZL_OK)
		code = store_view_open(store, &view, err);
	if (code == ZL_OK) {
		store_position(view, &facts->position, &facts->digest);
		store_view_close(&view);
		store_status(store, &status);
		facts->records = status.records;
	}
	store_close(&store);
	return code;
}

/* Header, store and sum as one file. */
static enum zl_code pack(const char *data, const char *path, struct backup_facts *facts,
			 struct zl_err *err)
{
	int in = open(data, O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct zl_hash *hash = zl_hash_new();
	enum zl_code code = ZL_OK;
	char head[BACKUP_HEAD];
	uint8_t sum[ZL_SHA256];
	struct stat file;

	if (in < 0 || out < 0 || fstat(in, &file) != 0) {
		code = backup_errno(err, "write", path);
	} else {
		facts->data_bytes = (uint64_t)file.st_size;
		facts->file_bytes = BACKUP_HEAD + facts->data_bytes + ZL_SHA256;
		header_write(facts, head);
		zl_hash_add(hash, head, sizeof(head));
		if (write(out, head, sizeof(head)) != sizeof(head))
			code = backup_errno(err, "write", path);
		else
			code = copy_bytes(in, data, out, path, facts->data_bytes, hash,
					  err);
	}
	zl_hash_end(&hash, sum);
	if (code == ZL_OK &&
	    (write(out, sum, sizeof(sum)) != sizeof(sum) || fsync(out) != 0))
		code = backup_errno(err, "write", path);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return code;
}

enum zl_code backup_make(struct store *store, const char *path,
			 struct backup_facts *facts, struct zl_err *err)
{
	char *dir = zl_format("%s.d", path);
	char *data = zl_format("%s/data.mdb", dir);
	enum zl_code code = ZL_OK;

	*facts = (struct backup_facts){ .made_s = zl_wall_us() / 1000000 };
	(void)snprintf(facts->version, sizeof(facts->version), "%s", ZL_VERSION);
	remove_store(dir); /* of one that was cut short */
	if (mkdir(dir, 0700) != 0)
		code = backup_errno(err, "make folder", dir);
	if (code == ZL_OK)
		code = store_copy(store, data, err);
	if (code == ZL_OK)
		code = look(dir, facts, err);
	if (code == ZL_OK)
		code = pack(data, path, facts, err);
	if (code != ZL_OK)
		(void)unlink(path);
	remove_store(dir);
	free(data);
	free(dir);
	return code;
}
