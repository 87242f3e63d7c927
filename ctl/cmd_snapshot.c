#include "backup/backup.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char KEYS[] =
	"not in it: the keys in DATA_DIR/pki and the key file of global; keep a copy of "
	"them apart (docs/reference/backup.md)";

/* What is wrong with a file is the file's fault, unless the system said it. */
static enum ctl_exit exit_of(enum zl_code code, enum ctl_exit damaged)
{
	switch (code) {
	case ZL_OK:
		return CTL_OK;
	case ZL_ECORRUPT:
		return damaged;
	case ZL_ECONFLICT:
		return CTL_CONFLICT;
	case ZL_EACCES:
		return CTL_FORBIDDEN;
	default:
		return CTL_UNREADABLE;
	}
}

static const char *hex(const struct ctl *ctl, const void *data, size_t len)
{
	char *text = zl_arena_alloc(ctl->arena, 2 * len + 1, 1);

	zl_hex(data, len, text);
	return text;
}

static const char *when(const struct ctl *ctl, uint64_t seconds)
{
	char *text = zl_arena_alloc(ctl->arena, 32, 1);
	time_t time = (time_t)seconds;
	struct tm parts;

	if (gmtime_r(&time, &parts) == NULL)
		return "-";
	(void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return text;
}

static void print_facts(const struct ctl *ctl, const char *file,
			const struct backup_facts *facts)
{
	struct zl_arena *arena = ctl->arena;
	struct tree *out = tree_map(arena);
	uint8_t digest[ZL_SHA256];

	digest_bytes(&facts->digest, digest);
	tree_set(arena, out, "file", tree_text(arena, file));
	tree_set(arena, out, "made", tree_text(arena, when(ctl, facts->made_s)));
	tree_set(arena, out, "version", tree_text(arena, facts->version));
	tree_set(arena, out, "epoch",
		 tree_text(arena, hex(ctl, facts->position.epoch, POSITION_EPOCH)));
	tree_set(arena, out, "revision", tree_int(arena, (int64_t)facts->position.rev));
	tree_set(arena, out, "digest", tree_text(arena, hex(ctl, digest, ZL_SHA256)));
	tree_set(arena, out, "records", tree_int(arena, (int64_t)facts->records));
	tree_set(arena, out, "bytes", tree_int(arena, (int64_t)facts->file_bytes));
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(out, ctl->output);
		return;
	}
	for (size_t i = 0; i < out->count; i++)
		(void)printf("%-9s %s\n", out->members[i].key,
			     out->members[i].value->text);
}

/* ---- save ---- */

static enum ctl_exit download(struct ctl *ctl, const char *part)
{
	struct ask ask = { .method = "GET", .path = "/_snapshot" };
	struct answer answer;
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	ask.to = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (ask.to == NULL)
		return ctl_fail(CTL_UNREADABLE, "%s: %m", part);
	enum ctl_exit code = client_ask(ctl, &ask, &answer);
	if (code == CTL_OK && (fflush(ask.to) != 0 || fsync(fd) != 0))
		code = ctl_fail(CTL_UNREADABLE, "%s: %m", part);
	(void)fclose(ask.to);
	return code;
}

static enum ctl_exit save(struct ctl *ctl, const char *file)
{
	const char *part = zl_arena_format(ctl->arena, "%s.part", file);
	struct backup_facts facts;
	struct zl_err err = { 0 };

	enum ctl_exit code = download(ctl, part);
	if (code == CTL_OK && backup_check(part, &facts, &err) != ZL_OK)
		code = ctl_fail(CTL_SERVER, "what came is no snapshot: %s", err.msg);
	if (code == CTL_OK && rename(part, file) != 0)
		code = ctl_fail(CTL_UNREADABLE, "%s: %m", file);
	if (code != CTL_OK) {
		(void)unlink(part);
		return code;
	}
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		print_facts(ctl, file, &facts);
	} else if (!ctl->quiet) {
		(void)printf("%s: revision %" PRIu64 ", %" PRIu64 " records, %" PRIu64
			     " bytes\n%s\n",
			     file, facts.position.rev, facts.records, facts.file_bytes,
			     KEYS);
	}
	return CTL_OK;
}

/* ---- the file alone ---- */

static enum ctl_exit inspect(struct ctl *ctl, const char *file)
{
	struct backup_facts facts;
	struct zl_err err = { 0 };
	enum zl_code code = backup_read(file, &facts, &err);

	if (code != ZL_OK)
		return ctl_fail(exit_of(code, CTL_NO), "%s", err.msg);
	print_facts(ctl, file, &facts);
	return CTL_OK;
}

static enum ctl_exit verify(struct ctl *ctl, const char *file)
{
	const char *tmp = getenv("TMPDIR");
	struct backup_facts facts;
	struct zl_err err = { 0 };
	char *dir = zl_arena_format(ctl->arena, "%s/zonelinkctl-XXXXXX",
				    tmp != NULL && *tmp != '\0' ? tmp : "/tmp");

	if (mkdtemp(dir) == NULL)
		return ctl_fail(CTL_UNREADABLE, "%s: %m (TMPDIR names another place)",
				dir);
	const char *work = zl_arena_format(ctl->arena, "%s/store", dir);
	enum zl_code code = backup_verify(file, work, &facts, &err);
	(void)rmdir(dir);
	if (code != ZL_OK)
		return ctl_fail(exit_of(code, CTL_NO), "%s", err.msg);
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML)
		print_facts(ctl, file, &facts);
	else if (!ctl->quiet)
		(void)printf("%s is sound: revision %" PRIu64 ", %" PRIu64 " records\n",
			     file, facts.position.rev, facts.records);
	return CTL_OK;
}

static enum ctl_exit restore(struct ctl *ctl, const char *file)
{
	struct backup_facts facts;
	struct zl_err err = { 0 };
	char *aside;

	if (ctl->data_dir == NULL)
		return ctl_fail(CTL_USAGE, "usage: zonelinkctl snapshot restore FILE "
					   "--data-dir DIR [--force]");
	if (mkdir(ctl->data_dir, 0700) != 0 && errno != EEXIST)
		return ctl_fail(CTL_UNREADABLE, "--data-dir %s: %m", ctl->data_dir);
	const char *dir = zl_arena_format(ctl->arena, "%s/store", ctl->data_dir);
	enum zl_code code = backup_restore(file, dir, ctl->force, &facts, &aside, &err);
	if (code != ZL_OK) {
		if (aside != NULL)
			(void)fprintf(stderr, "zonelinkctl: the old store is now %s\n",
				      aside);
		free(aside);
		return ctl_fail(exit_of(code, CTL_INVALID), "%s", err.msg);
	}
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		print_facts(ctl, dir, &facts);
	} else if (!ctl->quiet) {
		(void)printf("%s: revision %" PRIu64 ", %" PRIu64
			     " records, in the new epoch %s\n",
			     dir, facts.position.rev, facts.records,
			     hex(ctl, facts.position.epoch, POSITION_EPOCH));
		if (aside != NULL)
			(void)printf("the store that was there is now %s\n", aside);
		(void)puts("what was revoked after the snapshot was made is good again: "
			   "revoke it again");
	}
	free(aside);
	return CTL_OK;
}

enum ctl_exit cmd_snapshot(struct ctl *ctl)
{
	static const struct {
		const char *verb;
		enum ctl_exit (*run)(struct ctl *ctl, const char *file);
	} VERBS[] = { { "save", save },
		      { "inspect", inspect },
		      { "verify", verify },
		      { "restore", restore } };
	bool for_restore = ctl->data_dir != NULL || ctl->force;

	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++) {
		if (strcmp(ctl->args[0], VERBS[i].verb) != 0)
			continue;
		if (for_restore && VERBS[i].run != restore)
			return ctl_fail(CTL_USAGE,
					"snapshot %s takes no --data-dir and "
					"no --force",
					VERBS[i].verb);
		return VERBS[i].run(ctl, ctl->args[1]);
	}
	return ctl_fail(CTL_USAGE,
			"usage: zonelinkctl snapshot save|inspect|verify|restore FILE");
}
