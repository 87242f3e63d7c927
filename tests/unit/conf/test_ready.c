/* The ready file and the folder of a process. */
#include "conf/ready.h"

#include "base/mem.h"
#include "support/test.h"
#include "support/tmp.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int setup(void **state)
{
	struct tmp *tmp = zl_alloc(1, sizeof(*tmp));

	tmp_make(tmp);
	*state = tmp;
	return 0;
}

static int teardown(void **state)
{
	tmp_remove(*state);
	free(*state);
	return 0;
}

static struct zl_addr addr(const char *text)
{
	struct zl_addr made;
	struct zl_err err = { 0 };

	assert_int_equal(zl_addr_parse(text, &made, &err), ZL_OK);
	return made;
}

static void read_back(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	(void)fclose(file);
}

static void the_ready_file_is_as_promised(void **state)
{
	struct zl_addr api[] = { addr("127.0.0.1:5681"), addr("unix:/run/a \"b\"\\c") };
	struct zl_addr sync[] = { addr("[::1]:5678") };
	const struct conf_addrs apis = { api, 2 };
	const struct conf_addrs syncs = { sync, 1 };
	const struct conf_addrs none = { NULL, 0 };
	const struct conf_ready ready = { "global", &apis, &syncs, &none, NULL };
	struct zl_err err = { 0 };
	char text[512];
	char want[512];
	char *path = zl_strdup(tmp_path(*state, "ready"));

	for (int i = 0; i < 2; i++) /* also over the one of an earlier start */
		assert_int_equal(conf_write_ready(path, &ready, &err), ZL_OK);
	read_back(path, text, sizeof(text));
	(void)snprintf(want, sizeof(want),
		       "{\"pid\":%d,\"role\":\"global\",\"api\":[\"127.0.0.1:5681\","
		       "\"unix:/run/a \\\"b\\\"\\\\c\"],\"sync\":[\"[::1]:5678\"],"
		       "\"diagnostics\":[],\"xds\":[]}\n",
		       (int)getpid());
	assert_string_equal(text, want);
	free(path);
}

static void nothing_is_left_of_a_failure(void **state)
{
	const struct conf_addrs none = { NULL, 0 };
	const struct conf_ready ready = { "zone", &none, &none, &none, &none };
	struct zl_err err = { 0 };
	char *folder = zl_strdup(tmp_path(*state, "folder"));
	char *below = zl_format("%s/x", folder);
	const struct dirent *entry;
	size_t count = 0;

	assert_int_equal(conf_write_ready(below, &ready, &err), ZL_ENOENT);
	assert_non_null(strstr(err.msg, below));
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(mkdir(below, 0755), 0);
	assert_int_not_equal(conf_write_ready(below, &ready, &err), ZL_OK);
	DIR *dir = opendir(folder);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(dir);
	assert_int_equal(count, 1); /* no half of it beside */
	free(folder);
	free(below);
}

static void a_folder_is_made_for_its_owner(void **state)
{
	struct zl_err err = { 0 };
	struct stat info;
	char *path = zl_strdup(tmp_path(*state, "data"));
	char *below = zl_format("%s/a/b", path);
	char *file = zl_format("%s/file", path);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(conf_make_folder(path, &err), ZL_OK);
		assert_int_equal(stat(path, &info), 0);
		assert_int_equal(info.st_mode & 0777, 0700);
	}
	assert_int_equal(conf_make_folder(below, &err), ZL_ENOENT);
	assert_non_null(strstr(err.msg, below));
	(void)fclose(fopen(file, "we"));
	assert_int_equal(conf_make_folder(file, &err), ZL_EINVAL);
	assert_non_null(strstr(err.msg, "is no folder"));
	free(path);
	free(below);
	free(file);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_ready_file_is_as_promised),
		TEST(nothing_is_left_of_a_failure),
		TEST(a_folder_is_made_for_its_owner),
	};
	return cmocka_run_group_tests_name("conf/ready", tests, NULL, NULL);
}
