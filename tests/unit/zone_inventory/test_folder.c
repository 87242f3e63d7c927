/* The watched folder: what is complete is read, what is bad harms nobody. */
#include "zone/inventory/folder.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "support/test.h"
#include "support/tmp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

#define DATAPLANE(name, address)                                          \
	"type: Dataplane\nname: " name "\nnetworking: {address: " address \
	", inbound: [{port: 80, tags: {kuma.io/service: web}}]}\n"

struct fixture {
	struct tmp tmp;
	struct loop *loop;
	struct folder *folder;
	char *dir; /* owned */
	unsigned changes;
	/* await */
	struct loop_timer *tick;
	bool (*until)(const struct fixture *fix, const char *arg);
	const char *arg;
	uint64_t deadline;
	bool late;
	int turns;
};

static void on_changed(void *owner)
{
	struct fixture *fix = owner;

	fix->changes++;
}

static void on_tick(void *arg)
{
	struct fixture *fix = arg;

	fix->turns++;
	fix->late = zl_now_ms() > fix->deadline;
	if (fix->late || fix->until(fix, fix->arg))
		loop_stop(fix->loop);
	else
		loop_timer_set(fix->tick, 2);
}

static void await(struct fixture *fix,
		  bool (*until)(const struct fixture *fix, const char *arg),
		  const char *arg)
{
	fix->until = until;
	fix->arg = arg;
	fix->deadline = zl_now_ms() + PATIENCE_MS;
	loop_timer_set(fix->tick, 0);
	loop_run(fix->loop);
	if (fix->late)
		fail_msg("waited in vain for %s", arg);
}

static const struct resource *find(const struct fixture *fix, const char *name)
{
	const struct key key = { KIND_DATAPLANE, "default", "east", "", name };

	return set_get(folder_set(fix->folder), &key);
}

static bool is_there(const struct fixture *fix, const char *name)
{
	return find(fix, name) != NULL;
}

static bool is_gone(const struct fixture *fix, const char *name)
{
	return find(fix, name) == NULL;
}

/* The fault of a file; NULL: the folder does not list it. */
static const char *fault_of(const struct fixture *fix, const char *name)
{
	struct folder_file file;

	for (size_t i = 0; folder_file(fix->folder, i, &file); i++)
		if (strcmp(file.name, name) == 0)
			return file.fault;
	return NULL;
}

static bool is_bad(const struct fixture *fix, const char *file)
{
	const char *fault = fault_of(fix, file);

	return fault != NULL && *fault != '\0';
}

static bool is_good(const struct fixture *fix, const char *file)
{
	const char *fault = fault_of(fix, file);

	return fault != NULL && *fault == '\0';
}

static bool is_unlisted(const struct fixture *fix, const char *file)
{
	return fault_of(fix, file) == NULL;
}

/* "name address": the Dataplane has this address. */
static bool has_address(const struct fixture *fix, const char *arg)
{
	char name[32];
	char address[32];

	assert_int_equal(sscanf(arg, "%31s %31s", name, address), 2);
	const struct resource *res = find(fix, name);
	return res != NULL && strstr(res->json, address) != NULL;
}

/* What was readable has been read. */
static bool has_turned(const struct fixture *fix, const char *times)
{
	return fix->turns > strtol(times, NULL, 10);
}

static char *path_of(const struct fixture *fix, const char *name)
{
	return zl_format("%s/%s", fix->dir, name);
}

static int start_file(const struct fixture *fix, const char *name, const char *text)
{
	char *path = path_of(fix, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	free(path);
	return fd;
}

static void write_file(const struct fixture *fix, const char *name, const char *text)
{
	close(start_file(fix, name, text));
}

static void move_file(const struct fixture *fix, const char *from, const char *to)
{
	char *a = path_of(fix, from);
	char *b = path_of(fix, to);

	assert_int_equal(rename(a, b), 0);
	free(a);
	free(b);
}

static void remove_file(const struct fixture *fix, const char *name)
{
	char *path = path_of(fix, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

static void open_folder(struct fixture *fix)
{
	struct zl_err err = { 0 };

	assert_int_equal(folder_open(&fix->folder, fix->loop, fix->dir, "east", false,
				     on_changed, fix, &err),
			 ZL_OK);
	assert_int_equal(fix->changes, 0);
}

/* All events until now have been seen: a file made now has. */
static void settle(struct fixture *fix)
{
	static unsigned count;
	char name[32];
	char file[40];
	char text[256];

	(void)snprintf(name, sizeof(name), "settle-%u", ++count);
	(void)snprintf(file, sizeof(file), "%s.yaml", name);
	(void)snprintf(text, sizeof(text), DATAPLANE("%s", "10.9.9.9"), name);
	write_file(fix, file, text);
	await(fix, is_there, name);
	remove_file(fix, file);
	await(fix, is_gone, name);
}

static int setup(void **state)
{
	struct fixture *fix = zl_alloc(1, sizeof(*fix));
	struct zl_err err = { 0 };

	tmp_make(&fix->tmp);
	fix->dir = zl_strdup(tmp_path(&fix->tmp, "watched"));
	assert_int_equal(mkdir(fix->dir, 0755), 0);
	assert_int_equal(loop_open(&fix->loop, &err), ZL_OK);
	fix->tick = loop_timer_new(fix->loop, on_tick, fix);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	folder_close(&fix->folder);
	loop_timer_free(&fix->tick);
	loop_close(&fix->loop);
	free(fix->dir);
	tmp_remove(&fix->tmp);
	free(fix);
	return 0;
}

static void what_is_there_and_what_comes(void **state)
{
	struct fixture *fix = *state;

	write_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.1"));
	write_file(fix, "b.json",
		   "{\"type\":\"Dataplane\",\"name\":\"b\",\"networking\":{\"address\":"
		   "\"10.0.0.2\",\"inbound\":[{\"port\":80,\"tags\":"
		   "{\"kuma.io/service\":\"web\"}}]}}");
	write_file(fix, ".hidden.yaml", "{");
	write_file(fix, "notes.txt", "{");
	write_file(fix, "empty.yaml", "# nothing yet\n");
	open_folder(fix);
	assert_true(is_there(fix, "a"));
	assert_true(is_there(fix, "b"));
	assert_true(is_good(fix, "b.json"));
	assert_true(is_unlisted(fix, ".hidden.yaml"));
	assert_true(is_unlisted(fix, "notes.txt"));
	assert_string_equal(labels_get(find(fix, "a")->labels, LABEL_ZONE), "east");

	write_file(fix, "c.part", DATAPLANE("c", "10.0.0.3"));
	move_file(fix, "c.part", "c.yml");
	await(fix, is_there, "c");
	write_file(fix, "empty.yaml", DATAPLANE("e", "10.0.0.4"));
	await(fix, is_there, "e");
	move_file(fix, "a.yaml", "a.txt");
	await(fix, is_gone, "a");
	await(fix, is_unlisted, "a.yaml");
	remove_file(fix, "b.json");
	await(fix, is_gone, "b");
	assert_true(is_there(fix, "c"));
	assert_true(fix->changes > 0);
	const struct key c = { KIND_DATAPLANE, "default", "east", "", "c" };
	const struct key b = { KIND_DATAPLANE, "default", "east", "", "b" };
	assert_string_equal(folder_file_of(fix->folder, &c), "c.yml");
	assert_null(folder_file_of(fix->folder, &b));
}

/* What stands in the file so far is valid, and yet it is not read. */
static void a_file_is_not_read_while_it_is_written(void **state)
{
	struct fixture *fix = *state;
	static const char MORE[] = "---\n" DATAPLANE("b", "10.0.0.2");

	int fd = start_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.1"));
	open_folder(fix); /* finds it open */
	settle(fix);
	assert_true(is_gone(fix, "a"));
	assert_true(is_unlisted(fix, "a.yaml"));
	assert_int_equal(write(fd, MORE, strlen(MORE)), strlen(MORE));
	settle(fix);
	assert_true(is_gone(fix, "a"));
	close(fd);
	await(fix, is_there, "b");
	assert_true(is_there(fix, "a"));

	fd = start_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.3")); /* in place */
	settle(fix);
	assert_true(has_address(fix, "a 10.0.0.1"));
	assert_true(is_there(fix, "b"));
	int other = start_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.4"));
	close(fd); /* the other one still writes */
	settle(fix);
	assert_true(has_address(fix, "a 10.0.0.1"));
	close(other);
	await(fix, has_address, "a 10.0.0.4");
	assert_true(is_gone(fix, "b"));

	fd = start_file(fix, "n.part", DATAPLANE("n", "10.0.0.5"));
	move_file(fix, "n.part", "n.yaml"); /* renamed before it was closed */
	settle(fix);
	assert_true(is_gone(fix, "n"));
	close(fd);
	await(fix, is_there, "n");
}

static void a_bad_file_keeps_what_it_had_and_is_named(void **state)
{
	static const struct {
		const char *text, *fault;
	} CASES[] = {
		{ "type: Dataplane\nname: [", NULL },
		{ "type: Dataplane\nname: a\nname: a\n", NULL },
		{ "type: Dataplane\nname: x\nnetwork: {}\n",
		  "3:1: document 1: network: unknown field" },
		{ DATAPLANE("a", "10.0.0.1") "---\n" DATAPLANE("UPPER", "10.0.0.1"),
		  "document 2: name: " },
		{ DATAPLANE("a", "10.0.0.9") "---\n" DATAPLANE("a", "10.0.0.8"),
		  "document 2: name: already defined in document 1" },
		{ "type: Mesh\nname: a\n", "kind Mesh is written at global" },
		{ "type: Secret\nname: a\ndata: aGk=\n",
		  "kind Secret is written at global" },
		{ DATAPLANE("a", "10.0.0.9") "labels: {kuma.io/zone: west}\n", "zone" },
		{ "\xff\xfe", NULL },
		{ "- 1\n", "a resource must be an object" },
	};
	struct fixture *fix = *state;

	write_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.1"));
	write_file(fix, "z.yaml", DATAPLANE("z", "10.0.0.2"));
	open_folder(fix);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		write_file(fix, "a.yaml", CASES[i].text);
		await(fix, is_bad, "a.yaml");
		const char *fault = fault_of(fix, "a.yaml");
		if (CASES[i].fault != NULL && strstr(fault, CASES[i].fault) == NULL)
			fail_msg("%s: not %s", fault, CASES[i].fault);
		assert_true(has_address(fix, "a 10.0.0.1"));
		assert_true(is_good(fix, "z.yaml"));
		assert_true(is_there(fix, "z"));
		write_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.1"));
		await(fix, is_good, "a.yaml");
	}
	write_file(fix, "a.yaml", "{");
	await(fix, is_bad, "a.yaml");
	remove_file(fix, "a.yaml");
	await(fix, is_gone, "a");
	assert_true(is_unlisted(fix, "a.yaml"));
}

static void what_is_no_file_is_named(void **state)
{
	struct fixture *fix = *state;
	char *folder = path_of(fix, "d.yaml");
	char *pipe = path_of(fix, "p.yaml");

	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(mkfifo(pipe, 0644), 0);
	write_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.1"));
	open_folder(fix);
	assert_true(is_there(fix, "a"));
	assert_string_equal(fault_of(fix, "d.yaml"), "not a regular file");
	assert_string_equal(fault_of(fix, "p.yaml"), "not a regular file");
	free(folder);
	free(pipe);
}

static void the_first_of_two_files_counts(void **state)
{
	struct fixture *fix = *state;

	write_file(fix, "m.yaml", DATAPLANE("a", "10.0.0.2"));
	open_folder(fix);
	write_file(fix, "n.yaml", DATAPLANE("a", "10.0.0.3"));
	await(fix, is_bad, "n.yaml");
	assert_true(has_address(fix, "a 10.0.0.2"));
	assert_true(is_good(fix, "m.yaml"));
	write_file(fix, "b.yaml", DATAPLANE("a", "10.0.0.1"));
	await(fix, has_address, "a 10.0.0.1");
	assert_true(is_good(fix, "b.yaml"));
	assert_true(is_bad(fix, "m.yaml"));
	remove_file(fix, "b.yaml");
	await(fix, has_address, "a 10.0.0.2");
	write_file(fix, "m.yaml", DATAPLANE("other", "10.0.0.4"));
	await(fix, has_address, "a 10.0.0.3");
	assert_true(is_good(fix, "n.yaml"));
}

/* Reading the same again is no change: nobody has to look at it. */
static void the_same_again_is_the_same_object(void **state)
{
	struct fixture *fix = *state;

	write_file(fix, "a.yaml",
		   DATAPLANE("a", "10.0.0.1") "---\n" DATAPLANE("b", "10.0.0.2"));
	open_folder(fix);
	const struct resource *a = find(fix, "a");
	write_file(fix, "a.yaml",
		   "# a comment\n" DATAPLANE("b", "10.0.0.3") "---\n" DATAPLANE(
			   "a", "10.0.0.1"));
	await(fix, has_address, "b 10.0.0.3");
	assert_ptr_equal(find(fix, "a"), a);
	settle(fix);
	unsigned changes = fix->changes;
	char *path = path_of(fix, "a.yaml");
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
	settle(fix);
	assert_int_equal(fix->changes, changes + 2); /* those of settle itself */
	assert_ptr_equal(find(fix, "a"), a);
}

static void links_are_read_when_they_appear(void **state)
{
	struct fixture *fix = *state;
	char *target = zl_strdup(tmp_path(&fix->tmp, "target"));
	char *link_path = path_of(fix, "l.yaml");
	char *hard = path_of(fix, "h.yaml");
	char *data = path_of(fix, "..data");
	char *fresh = path_of(fix, "..fresh");

	open_folder(fix);
	write_file(fix, "../target", DATAPLANE("l", "10.0.0.1"));
	assert_int_equal(symlink(target, link_path), 0);
	await(fix, is_there, "l");
	write_file(fix, "../other", DATAPLANE("h", "10.0.0.1"));
	assert_int_equal(link(tmp_path(&fix->tmp, "other"), hard), 0);
	await(fix, is_there, "h");

	/* a ConfigMap: the file stays a link, what it leads through is exchanged */
	assert_int_equal(mkdir(tmp_path(&fix->tmp, "v1"), 0755), 0);
	assert_int_equal(mkdir(tmp_path(&fix->tmp, "v2"), 0755), 0);
	write_file(fix, "../v1/c.yaml", DATAPLANE("c", "10.0.0.1"));
	write_file(fix, "../v2/c.yaml", DATAPLANE("c", "10.0.0.2"));
	char *file = path_of(fix, "c.yaml");
	assert_int_equal(symlink("../v1", data), 0);
	assert_int_equal(symlink("..data/c.yaml", file), 0);
	await(fix, has_address, "c 10.0.0.1");
	assert_int_equal(symlink("../v2", fresh), 0);
	assert_int_equal(rename(fresh, data), 0);
	await(fix, has_address, "c 10.0.0.2");
	free(target);
	free(link_path);
	free(hard);
	free(data);
	free(fresh);
	free(file);
}

static void a_folder_that_goes_and_comes(void **state)
{
	struct fixture *fix = *state;
	char *aside = zl_strdup(tmp_path(&fix->tmp, "aside"));

	write_file(fix, "a.yaml", DATAPLANE("a", "10.0.0.1"));
	write_file(fix, "b.yaml", DATAPLANE("b", "10.0.0.1"));
	open_folder(fix);
	assert_int_equal(rename(fix->dir, aside), 0);
	assert_int_equal(mkdir(fix->dir, 0755), 0);
	write_file(fix, "b.yaml", DATAPLANE("b", "10.0.0.2"));
	await(fix, has_address, "b 10.0.0.2");
	await(fix, is_gone, "a");
	settle(fix);

	remove_file(fix, "b.yaml");
	await(fix, is_gone, "b");
	write_file(fix, "c.yaml", DATAPLANE("c", "10.0.0.1"));
	await(fix, is_there, "c");
	char *lost = zl_strdup(tmp_path(&fix->tmp, "lost"));
	assert_int_equal(rename(fix->dir, lost), 0);
	unsigned changes = fix->changes;
	fix->turns = 0;
	await(fix, has_turned, "5");
	assert_true(is_there(fix, "c")); /* what it held stays */
	assert_int_equal(fix->changes, changes);
	assert_int_equal(mkdir(fix->dir, 0755), 0);
	write_file(fix, "d.yaml", DATAPLANE("d", "10.0.0.1"));
	await(fix, is_there, "d");
	await(fix, is_gone, "c");
	free(aside);
	free(lost);
}

static void a_folder_that_is_none(void **state)
{
	struct fixture *fix = *state;
	struct zl_err err = { 0 };
	char *file = path_of(fix, "file");

	assert_int_equal(folder_open(&fix->folder, fix->loop, "/nowhere/at/all", "east",
				     false, on_changed, fix, &err),
			 ZL_ENOENT);
	assert_null(fix->folder);
	assert_non_null(strstr(err.msg, "/nowhere/at/all"));
	write_file(fix, "file", "");
	assert_int_not_equal(folder_open(&fix->folder, fix->loop, file, "east", false,
					 on_changed, fix, &err),
			     ZL_OK);
	free(file);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_and_what_comes),
		TEST(a_file_is_not_read_while_it_is_written),
		TEST(a_bad_file_keeps_what_it_had_and_is_named),
		TEST(what_is_no_file_is_named),
		TEST(the_first_of_two_files_counts),
		TEST(the_same_again_is_the_same_object),
		TEST(links_are_read_when_they_appear),
		TEST(a_folder_that_goes_and_comes),
		TEST(a_folder_that_is_none),
	};
	return cmocka_run_group_tests_name("zone_inventory/folder", tests, NULL, NULL);
}
