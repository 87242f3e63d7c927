/* Files that others wait for. */
#include "conf/conf.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t wrote = write(fd, text, left);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return false;
		text += wrote;
		left -= (size_t)wrote;
	}
	return true;
}

enum zl_code conf_write_file(const char *path, const char *text, struct zl_err *err)
{
	enum zl_code code = ZL_OK;
	char *fresh = zl_format("%s.%d.new", path, (int)getpid());
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || !write_all(fd, text) || rename(fresh, path) != 0) {
		code = zl_fail(err, zl_code_from_errno(errno), "write %s: %m", path);
		(void)unlink(fresh);
	}
	if (fd >= 0)
		close(fd);
	free(fresh);
	return code;
}
