#include "backup/inside.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

enum zl_code backup_errno(struct zl_err *err, const char *what, const char *path)
{
	int number = errno;

	return zl_fail(err, zl_code_from_errno(number), "%s %s: %s", what, path,
		       strerror(number));
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

enum zl_code copy_bytes(int in, const char *from, int out, const char *to, uint64_t len,
			struct zl_hash *hash, struct zl_err *err)
{
	char *piece = zl_alloc(1, PIECE);
	enum zl_code code = ZL_OK;

	while (len > 0 && code == ZL_OK) {
		ssize_t n = read(in, piece, len < PIECE ? (size_t)len : PIECE);
		if (n < 0)
			code = backup_errno(err, "read", from);
		else if (n == 0)
			code = zl_fail(err, ZL_ECORRUPT, "%s ends too early", from);
		else if (zl_hash_add(hash, piece, (size_t)n),
			 out >= 0 && !write_all(out, piece, (size_t)n))
			code = backup_errno(err, "write", to);
		len -= n > 0 ? (uint64_t)n : 0;
	}
	free(piece);
	return code;
}

static enum zl_code compare_sum(int fd, const char *path, struct zl_hash **hash,
				struct zl_err *err)
{
	uint8_t want[ZL_SHA256];
	uint8_t sum[ZL_SHA256];

	zl_hash_end(hash, sum);
	if (read(fd, want, sizeof(want)) != sizeof(want))
		return zl_fail(err, ZL_ECORRUPT, "%s ends too early", path);
	return memcmp(sum, want, sizeof(sum)) == 0
		       ? ZL_OK
		       : zl_fail(err, ZL_ECORRUPT,
				 "%s is damaged: its SHA-256 is not the one at its end",
				 path);
}

enum zl_code sync_folder(const char *dir, struct zl_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum zl_code code = ZL_OK;

	if (fd < 0 || fsync(fd) != 0)
		code = backup_errno(err, "sync folder", dir);
	if (fd >= 0)
		close(fd);
	return code;
}

enum zl_code unpack(const char *path, const struct backup_facts *facts, const char *dir,
		    struct zl_err *err)
{
	char *data = dir != NULL ? zl_format("%s/data.mdb", dir) : NULL;
	int in = open(path, O_RDONLY | O_CLOEXEC);
	int out = data == NULL
			  ? -1
			  : open(data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct zl_hash *hash = zl_hash_new();
	enum zl_code code = ZL_OK;

	if (in < 0)
		code = backup_errno(err, "open", path);
	else if (data != NULL && out < 0)
		code = backup_errno(err, "make", data);
	if (code == ZL_OK)
		code = copy_bytes(in, path, -1, "", BACKUP_HEAD, hash, err);
	if (code == ZL_OK)
		code = copy_bytes(in, path, out, data, facts->data_bytes, hash, err);
	if (code == ZL_OK)
		code = compare_sum(in, path, &hash, err);
	if (code == ZL_OK && out >= 0 && fsync(out) != 0)
		code = backup_errno(err, "sync", data);
	zl_hash_end(&hash, NULL);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(data);
	return code;
}

void remove_store(const char *dir)
{
	static const char *const NAMES[] = { "data.mdb", "data.mdb.part", "lock.mdb",
					     "owner", "store-id" };

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		char *path = zl_format("%s/%s", dir, NAMES[i]);
		(void)unlink(path);
		free(path);
	}
	(void)rmdir(dir);
}
