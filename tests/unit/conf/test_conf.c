#include "conf/conf.h"

#include "support/test.h"
#include "support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct values {
	const char *data_dir, *zone, *level;
	struct conf_addrs listen, sync;
	bool verify;
	int64_t workers;
	uint64_t beat_ms, map_bytes, any_bytes;
};

static const char *const LEVELS[] = { "error", "warn", "info", "debug", NULL };

#define AT(field) .offset = offsetof(struct values, field)
static const struct conf_key KEYS[] = {
	{ "data_dir", CONF_TEXT, AT(data_dir), .fallback = "/var/lib/x",
	  .help = "store" },
	{ "zone.name", CONF_LABEL, AT(zone), .required = true, .help = "our zone" },
	{ "log.level", CONF_ENUM, AT(level), .fallback = "info", .values = LEVELS,
	  .help = "what is logged" },
	{ "api.listen", CONF_ADDRS, AT(listen), .fallback = "127.0.0.1:5681",
	  .help = "HTTP API" },
	{ "global.sync", CONF_ADDRS, AT(sync), .help = "addresses of global" },
	{ "store.verify", CONF_BOOL, AT(verify), .fallback = "true", .help = "check" },
	{ "workers", CONF_INT, AT(workers), .fallback = "2", .min = 1, .max = 64,
	  .help = "threads" },
	{ "sync.beat", CONF_MS, AT(beat_ms), .fallback = "1s", .min = 10, .max = 60000,
	  .help = "pause between beats" },
	{ "store.map", CONF_BYTES, AT(map_bytes), .fallback = "64MiB", .min = 1 << 20,
	  .max = INT64_C(1) << 40, .help = "size" },
	{ "store.any", CONF_BYTES, AT(any_bytes), .fallback = "0", .help = "size" },
};

static const struct conf_program PROGRAM = {
	.name = "zonelink-test",
	.about = "a program for this test",
	.keys = KEYS,
	.count = ARRAY_LEN(KEYS),
	.size = sizeof(struct values),
};

/* Runs conf_load with the streams caught. */
struct fixture {
	struct tmp tmp;
	char *file;
	struct conf *conf;
	struct values values;
	char out[8192], err[4096];
};

static int setup(void **state)
{
	static struct fixture fix;

	memset(&fix, 0, sizeof(fix));
	tmp_make(&fix.tmp);
	fix.file = strdup(tmp_path(&fix.tmp, "zone.yaml"));
	unsetenv("ZONELINK_ZONE_NAME");
	unsetenv("ZONELINK_WORKERS");
	*state = &fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	conf_free(&fix->conf);
	free(fix->file);
	tmp_remove(&fix->tmp);
	return 0;
}

static void put_file(const struct fixture *fix, const char *text)
{
	struct zl_err err = { 0 };

	if (conf_write_file(fix->file, text, &err) != ZL_OK)
		fail_msg("%s", err.msg);
}

static int divert(FILE *stream, const char *path)
{
	int old = dup(fileno(stream));

	(void)fflush(stream);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	dup2(fileno(file), fileno(stream));
	(void)fclose(file);
	return old;
}

static void release(FILE *stream, int old, const char *path, char *text, size_t size)
{
	(void)fflush(stream);
	dup2(old, fileno(stream));
	close(old);
	FILE *file = fopen(path, "r");
	size_t len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	(void)fclose(file);
}

/* The arguments end with NULL. */
static int load(struct fixture *fix, ...)
{
	char *argv[16];
	int argc = 0;
	va_list ap;

	va_start(ap, fix);
	argv[argc++] = strdup("zonelink-test");
	for (const char *arg; (arg = va_arg(ap, const char *)) != NULL;)
		argv[argc++] = strdup(arg);
	va_end(ap);
	argv[argc] = NULL;

	char *out_path = strdup(tmp_path(&fix->tmp, "out"));
	char *err_path = strdup(tmp_path(&fix->tmp, "err"));
	int out = divert(stdout, out_path);
	int err = divert(stderr, err_path);
	conf_free(&fix->conf);
	int status = conf_load(&fix->conf, &PROGRAM, argc, argv, &fix->values);
	release(stdout, out, out_path, fix->out, sizeof(fix->out));
	release(stderr, err, err_path, fix->err, sizeof(fix->err));
	free(out_path);
	free(err_path);
	while (argc > 0) /* nothing may point into the arguments */
		free(argv[--argc]);
	return status;
}

static void defaults_fill_what_nobody_gave(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(load(fix, "--set", "zone.name=east", NULL), CONF_GO);
	assert_string_equal(fix->values.zone, "east");
	assert_string_equal(fix->values.data_dir, "/var/lib/x");
	assert_string_equal(fix->values.level, "info");
	assert_int_equal(fix->values.listen.count, 1);
	assert_int_equal(fix->values.listen.items[0].port, 5681);
	assert_int_equal(fix->values.sync.count, 0);
	assert_true(fix->values.verify);
	assert_int_equal(fix->values.workers, 2);
	assert_int_equal(fix->values.beat_ms, 1000);
	assert_int_equal(fix->values.map_bytes, 64 << 20);
	assert_null(conf_ready_file(fix->conf));
	assert_string_equal(fix->err, "");
}

static void later_sources_are_stronger(void **state)
{
	struct fixture *fix = *state;

	put_file(fix, "# a comment\n"
		      "zone: {name: file}\n"
		      "workers: 3\n"
		      "api:\n"
		      "  listen: ['127.0.0.1:1', '[::1]:2', 'unix:/run/api']\n"
		      "store.verify: false\n"
		      "sync:\n  beat: 250ms\n");
	setenv("ZONELINK_ZONE_NAME", "env", 1);
	setenv("ZONELINK_WORKERS", "4", 1);
	assert_int_equal(load(fix, "--config", fix->file, "--set=workers=5",
			      "--ready-file=/r", "--set",
			      "global.sync=10.0.0.1:1, a.example:2", NULL),
			 CONF_GO);
	assert_string_equal(fix->values.zone, "env");
	assert_int_equal(fix->values.workers, 5);
	assert_int_equal(fix->values.beat_ms, 250);
	assert_false(fix->values.verify);
	assert_int_equal(fix->values.listen.count, 3);
	assert_string_equal(fix->values.listen.items[1].host, "::1");
	assert_true(fix->values.listen.items[2].is_unix);
	assert_int_equal(fix->values.sync.count, 2);
	assert_string_equal(fix->values.sync.items[1].host, "a.example");
	assert_string_equal(conf_ready_file(fix->conf), "/r");
}

static void bad_values_name_origin_key_and_form(void **state)
{
	static const struct {
		const char *set, *says;
	} CASES[] = {
		{ "workers=0", "--set: workers: \"0\" is not a whole number, 1 to 64" },
		{ "workers=65", "1 to 64" },
		{ "workers=3x", "\"3x\" is not" },
		{ "workers=", "\"\" is not" },
		{ "workers=99999999999999999999", "is not a whole number" },
		{ "store.verify=yes", "true or false" },
		{ "sync.beat=5", "a time such as 250ms or 5s, 10ms to 1m" },
		{ "sync.beat=5ms", "10ms to 1m" },
		{ "sync.beat=-1s", "\"-1s\" is not" },
		{ "sync.beat=1d", "\"1d\" is not" },
		{ "store.map=1MB", "a size such as 64KiB or 1MiB, 1MiB to 1024GiB" },
		{ "store.any=99999999999GiB", "is not a size" },
		{ "log.level=loud", "one of error, warn, info, debug" },
		{ "zone.name=East", "a name of a-z" },
		{ "zone.name=-east", "a name of a-z" },
		{ "zone.name=", "zone.name: must be given" },
		{ "api.listen=localhost", "address \"localhost\": must be HOST:PORT" },
		{ "api.listen=127.0.0.1:1,", "address \"\": must be" },
		{ "wokers=3", "unknown key \"wokers\"; did you mean \"workers\"?" },
		{ "api.listn=x", "did you mean \"api.listen\"?" },
		{ "api=x", "key \"api\" is a group" },
		{ "something.else=x", "--help lists all keys" },
	};
	struct fixture *fix = *state;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		int status =
			load(fix, "--set", "zone.name=east", "--set", CASES[i].set, NULL);
		if (status != CONF_INVALID || strstr(fix->err, CASES[i].says) == NULL)
			fail_msg("%s: %d, %s", CASES[i].set, status, fix->err);
		assert_null(fix->conf);
	}
}

static void bad_files_name_line_and_column(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *says;
	} CASES[] = {
		{ "zone:\n  name: [east\n", CONF_SYNTAX, "zone.yaml:3:1: " },
		{ "zone:\n  name: east\nzone:\n  name: west\n", CONF_SYNTAX,
		  "zone.yaml:3:1: this key was given before" },
		{ "zone: {name: east}\nzone.name: west\n", CONF_SYNTAX, ":2:1: " },
		{ "zone: &a {name: east}\nlog: *a\n", CONF_SYNTAX, ":2:6: aliases" },
		{ "zone: {name: !t east}\n", CONF_SYNTAX, ":1:14: anchors and tags" },
		{ "- a\n", CONF_SYNTAX, ":1:1: must be a map" },
		{ "east\n", CONF_SYNTAX, ":1:1: must be a map" },
		{ "workers: 1\n---\nworkers: 2\n", CONF_SYNTAX, "second document" },
		{ "api: {listen: [[a]]}\n", CONF_SYNTAX, "must be a single value" },
		{ "? [a]\n: b\n", CONF_SYNTAX, "must be a single value" },
		{ "a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}\n", CONF_SYNTAX,
		  "nested too deeply" },
		{ "workers: \xff\n", CONF_SYNTAX, "zone.yaml: " },
		{ "workers: \"1\\0\"\n", CONF_SYNTAX, "NUL" },
		{ "\n\nworkes: 1\n", CONF_INVALID,
		  "zone.yaml:3: unknown key \"workes\"; did you mean \"workers\"?" },
		{ "workers: [1]\n", CONF_INVALID, "zone.yaml:1: workers: must be a" },
		{ "zone: {name: a}\nworkers: x\n", CONF_INVALID,
		  "zone.yaml:2: workers: \"x\" is not" },
		{ "zone: x\n", CONF_INVALID, "key \"zone\" is a group" },
		{ "", CONF_INVALID, "zone.name: must be given" },
		{ "# nothing\n", CONF_INVALID, "ZONELINK_ZONE_NAME" },
		{ "zone: {name: null}\n", CONF_INVALID, "zone.name: must be given" },
	};
	struct fixture *fix = *state;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		put_file(fix, CASES[i].text);
		int status = load(fix, "--config", fix->file, NULL);
		if (status != CASES[i].status || strstr(fix->err, CASES[i].says) == NULL)
			fail_msg("%s: %d, %s", CASES[i].text, status, fix->err);
	}
	assert_int_equal(load(fix, "--config", "/nowhere/x.yaml", NULL), CONF_SYNTAX);
	assert_non_null(strstr(fix->err, "/nowhere/x.yaml: No such file"));
	assert_int_equal(load(fix, "--config", fix->tmp.dir, NULL), CONF_SYNTAX);
	assert_non_null(strstr(fix->err, "is not a file"));
}

static void a_huge_file_is_refused(void **state)
{
	struct fixture *fix = *state;
	char *text = malloc(300 << 10);

	memset(text, '#', 300 << 10);
	text[(300 << 10) - 1] = '\0';
	put_file(fix, text);
	free(text);
	assert_int_equal(load(fix, "--config", fix->file, NULL), CONF_SYNTAX);
	assert_non_null(strstr(fix->err, "larger than 256 KiB"));
}

static void misuse_is_status_2(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(load(fix, "--set", NULL), CONF_USAGE);
	assert_int_equal(load(fix, "--set", "workers", NULL), CONF_USAGE);
	assert_int_equal(load(fix, "--set", "=3", NULL), CONF_USAGE);
	assert_int_equal(load(fix, "--confg", "x", NULL), CONF_USAGE);
	assert_non_null(strstr(fix->err, "unknown argument --confg"));
	assert_int_equal(load(fix, "serve", NULL), CONF_USAGE);
	assert_int_equal(load(fix, "--check-config=yes", NULL), CONF_USAGE);
}

static void help_and_version(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(load(fix, "--help", NULL), CONF_DONE);
	for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
		assert_non_null(strstr(fix->out, KEYS[i].name));
		assert_non_null(strstr(fix->out, KEYS[i].help));
	}
	assert_int_equal(load(fix, "--version", NULL), CONF_DONE);
	assert_string_equal(fix->out, "zonelink-test " ZL_VERSION "\n");
}

static void print_shows_value_and_origin_and_can_be_read_back(void **state)
{
	struct fixture *fix = *state;

	put_file(fix, "zone: {name: east}\ndata_dir: \"a b\\\"#\"\n");
	setenv("ZONELINK_WORKERS", "4", 1);
	assert_int_equal(load(fix, "--config", fix->file, "--set",
			      "api.listen=[::1]:80,unix:/x", "--print-config", NULL),
			 CONF_DONE);
	assert_non_null(strstr(fix->out, "data_dir: \"a b\\\"#\"  # /"));
	assert_non_null(strstr(fix->out, "zone.yaml:1\n"));
	assert_non_null(strstr(fix->out, "workers: 4  # ZONELINK_WORKERS\n"));
	assert_non_null(strstr(fix->out, "api.listen: \"[::1]:80,unix:/x\"  # --set\n"));
	assert_non_null(strstr(fix->out, "log.level: info  # default\n"));
	assert_non_null(strstr(fix->out, "global.sync: \"\"  # not set\n"));

	unsetenv("ZONELINK_WORKERS");
	put_file(fix, fix->out);
	assert_int_equal(load(fix, "--config", fix->file, NULL), CONF_GO);
	assert_string_equal(fix->values.data_dir, "a b\"#");
	assert_int_equal(fix->values.workers, 4);
	assert_int_equal(fix->values.listen.count, 2);
}

static void check_only_checks(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(load(fix, "--check-config", "--set", "zone.name=a", NULL),
			 CONF_DONE);
	assert_null(fix->conf);
	assert_int_equal(load(fix, "--check-config", NULL), CONF_INVALID);
}

static void reload_reads_again_or_changes_nothing(void **state)
{
	struct fixture *fix = *state;
	struct conf *fresh;
	struct zl_err err = { 0 };
	struct values values;

	put_file(fix, "workers: 3\n");
	assert_int_equal(
		load(fix, "--config", fix->file, "--set", "zone.name=east", NULL),
		CONF_GO);
	values = fix->values;
	put_file(fix, "workers: 300\n");
	assert_int_equal(conf_reload(fix->conf, &fresh, &values, &err), ZL_EINVAL);
	assert_null(fresh);
	assert_memory_equal(&values, &fix->values, sizeof(values));
	put_file(fix, "workers: [\n");
	assert_int_equal(conf_reload(fix->conf, &fresh, &values, &err), ZL_ESYNTAX);
	assert_int_equal(unlink(fix->file), 0);
	assert_int_equal(conf_reload(fix->conf, &fresh, &values, &err), ZL_ENOENT);

	put_file(fix, "workers: 6\n");
	assert_int_equal(conf_reload(fix->conf, &fresh, &values, &err), ZL_OK);
	conf_free(&fix->conf); /* the new one needs nothing of the old one */
	fix->conf = fresh;
	assert_int_equal(values.workers, 6);
	assert_string_equal(values.zone, "east");
}

static void files_are_written_whole_or_not(void **state)
{
	struct fixture *fix = *state;
	struct zl_err err = { 0 };
	struct stat info;

	put_file(fix, "one");
	put_file(fix, "three");
	assert_int_equal(stat(fix->file, &info), 0);
	assert_int_equal(info.st_size, 5);
	assert_int_equal(conf_write_file("/nowhere/x", "a", &err), ZL_ENOENT);
	assert_non_null(strstr(err.msg, "write /nowhere/x: "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(defaults_fill_what_nobody_gave),
		TEST(later_sources_are_stronger),
		TEST(bad_values_name_origin_key_and_form),
		TEST(bad_files_name_line_and_column),
		TEST(a_huge_file_is_refused),
		TEST(misuse_is_status_2),
		TEST(help_and_version),
		TEST(print_shows_value_and_origin_and_can_be_read_back),
		TEST(check_only_checks),
		TEST(reload_reads_again_or_changes_nothing),
		TEST(files_are_written_whole_or_not),
	};
	return cmocka_run_group_tests_name("conf/conf", tests, NULL, NULL);
}
