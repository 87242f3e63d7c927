#include "base/hash.h"
#include "ctl/ctl.h"
#include "store/read.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The stores that a data_dir may hold, and how to go on when one is damaged. */
struct place {
	const char *name, *what, *remedy;
};
static const struct place PLACES[] = {
	{ "store", "global's store",
	  "stop global and restore a snapshot: zonelinkctl snapshot restore FILE "
	  "--data-dir DIR --force" },
	{ "replica", "the zone's copy of global's store",
	  "restart the zone: it moves the damaged copy aside and takes a new one from "
	  "global" },
	{ "local", "what was written in the zone",
	  "stop the zone and put a copy of this folder back, or move it away: then what "
	  "was written in the zone has to be written again" },
	{ "", "a store", "put a copy of it back" },
};

struct report {
	const struct place *place;
	const char *dir;
	enum zl_code code;
	struct zl_err err;
	struct position position;
	struct digest digest;
	struct store_status status;
};

static void check(struct report *report)
{
	const struct store_options options = { .read_only = true };
	struct store_view *view;
	struct store *store;

	report->code = store_open(&store, report->dir, &options, &report->err);
	if (report->code != ZL_OK)
		return;
	report->code = store_verify(store, &report->err);
	if (report->code == ZL_OK)
		report->code = store_view_open(store, &view, &report->err);
	if (report->code == ZL_OK) {
		store_position(view, &report->position, &report->digest);
		store_view_close(&view);
		store_status(store, &report->status);
	}
	store_close(&store);
}

static const char *digest_text(const struct ctl *ctl, const struct digest *digest)
{
	uint8_t bytes[ZL_SHA256];
	char *text = zl_arena_alloc(ctl->arena, 2 * sizeof(bytes) + 1, 1);

	digest_bytes(digest, bytes);
	zl_hex(bytes, sizeof(bytes), text);
	return text;
}

static struct tree *tree_of(const struct ctl *ctl, const struct report *report)
{
	struct zl_arena *arena = ctl->arena;
	struct tree *out = tree_map(arena);

	tree_set(arena, out, "dir", tree_text(arena, report->dir));
	tree_set(arena, out, "sound", tree_bool(arena, report->code == ZL_OK));
	if (report->code != ZL_OK) {
		tree_set(arena, out, "error", tree_text(arena, report->err.msg));
		if (report->code == ZL_ECORRUPT)
			tree_set(arena, out, "remedy",
				 tree_text(arena, report->place->remedy));
		return out;
	}
	tree_set(arena, out, "revision", tree_int(arena, (int64_t)report->position.rev));
	tree_set(arena, out, "records", tree_int(arena, (int64_t)report->status.records));
	tree_set(arena, out, "logEntries",
		 tree_int(arena, (int64_t)report->status.log_entries));
	tree_set(arena, out, "digest",
		 tree_text(arena, digest_text(ctl, &report->digest)));
	return out;
}

static void print(const struct ctl *ctl, const struct report *report)
{
	if (report->code == ZL_OK) {
		if (!ctl->quiet)
			(void)printf("sound    %s (%s): revision %" PRIu64 ", %" PRIu64
				     " records, %" PRIu64 " log entries\n",
				     report->dir, report->place->what,
				     report->position.rev, report->status.records,
				     report->status.log_entries);
		return;
	}
	(void)printf("%s %s (%s): %s\n",
		     report->code == ZL_ECORRUPT ? "DAMAGED " : "UNKNOWN ", report->dir,
		     report->place->what, report->err.msg);
	if (report->code == ZL_ECORRUPT)
		(void)printf("         %s\n", report->place->remedy);
}

static bool is_store(const struct ctl *ctl, const char *dir)
{
	static const char *const MARKS[] = { "data.mdb", "store-id" };
	struct stat file;
	bool found = false;

	for (size_t i = 0; i < sizeof(MARKS) / sizeof(MARKS[0]); i++)
		found = found || stat(zl_arena_format(ctl->arena, "%s/%s", dir, MARKS[i]),
				      &file) == 0;
	return found;
}

static enum ctl_exit exit_of(enum zl_code code)
{
	return code == ZL_ECORRUPT    ? CTL_NO
	       : code == ZL_EACCES    ? CTL_FORBIDDEN
	       : code == ZL_ECONFLICT ? CTL_CONFLICT
				      : CTL_UNREADABLE;
}

enum ctl_exit cmd_store(struct ctl *ctl)
{
	struct tree *list = tree_list(ctl->arena);
	enum ctl_exit worst = CTL_OK;
	size_t found = 0;

	if (strcmp(ctl->args[0], "verify") != 0)
		return ctl_fail(CTL_USAGE, "usage: zonelinkctl store verify DIR");
	for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
		const char *dir = ctl->args[1];
		if (*PLACES[i].name != '\0')
			dir = zl_arena_format(ctl->arena, "%s/%s", dir, PLACES[i].name);
		struct report report = { .place = &PLACES[i], .dir = dir };
		if (!is_store(ctl, dir))
			continue;
		found++;
		check(&report);
		if (ctl->output == OUT_JSON || ctl->output == OUT_YAML)
			tree_push(ctl->arena, list, tree_of(ctl, &report));
		else
			print(ctl, &report);
		if (report.code != ZL_OK && worst != CTL_NO)
			worst = exit_of(report.code);
	}
	if (found == 0)
		return ctl_fail(CTL_ABSENT, "%s: there is no store, nor a data_dir's",
				ctl->args[1]);
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		struct tree *out = tree_map(ctl->arena);
		tree_set(ctl->arena, out, "stores", list);
		ctl_print_tree(out, ctl->output);
	}
	return worst;
}
