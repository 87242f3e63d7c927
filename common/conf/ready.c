#include "conf/ready.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Addresses are host names, IPs, ports and paths that conf has checked; a path may still
 * hold what JSON escapes. */
static void add_text(struct zl_buf *out, const char *text)
{
	zl_buf_char(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			zl_buf_format(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			zl_buf_format(out, "\\u%04x", (unsigned)*text);
		else
			zl_buf_char(out, *text);
	}
	zl_buf_char(out, '"');
}

static void add_addrs(struct zl_buf *out, const char *name,
		      const struct conf_addrs *addrs)
{
	char text[ZL_ADDR_TEXT];

	zl_buf_format(out, ",\"%s\":[", name);
	for (size_t i = 0; addrs != NULL && i < addrs->count; i++) {
		zl_addr_text(&addrs->items[i], text);
		zl_buf_str(out, i > 0 ? "," : "");
		add_text(out, text);
	}
	zl_buf_char(out, ']');
}

enum zl_code conf_write_ready(const char *path, const struct conf_ready *ready,
			      struct zl_err *err)
{
	struct zl_buf out = { 0 };

	zl_buf_format(&out, "{\"pid\":%d,\"role\":\"%s\"", (int)getpid(), ready->role);
	add_addrs(&out, "api", ready->api);
	add_addrs(&out, "sync", ready->sync);
	add_addrs(&out, "diagnostics", ready->diagnostics);
	add_addrs(&out, "xds", ready->xds);
	zl_buf_str(&out, "}\n");
	enum zl_code code = conf_write_file(path, out.data, err);
	zl_buf_free(&out);
	return code;
}

enum zl_code conf_make_folder(const char *path, struct zl_err *err)
{
	struct stat info;

	if (mkdir(path, 0700) == 0)
		return ZL_OK;
	if (errno != EEXIST)
		return zl_fail(err, zl_code_from_errno(errno), "make folder %s: %s", path,
			       strerror(errno));
	if (stat(path, &info) != 0)
		return zl_fail(err, zl_code_from_errno(errno), "folder %s: %s", path,
			       strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return zl_fail(err, ZL_EINVAL, "%s is no folder", path);
	return ZL_OK;
}
