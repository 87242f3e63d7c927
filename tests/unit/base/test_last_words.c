/* What a process says when it is ended by a fault. */
#include "base/last_words.h"

#include "support/test.h"
#include "support/tmp.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Read a page that the file no longer has. */
static void read_lost_page(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	volatile char *page = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, 4096) == 0)
		page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED && ftruncate(fd, 0) == 0)
		(void)page[0];
}

/* The text of a child that faults, and how it ended. */
static int hear(const char *path, int number, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int status;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		(void)signal(number, SIG_DFL); /* a sanitizer may have its own */
		zl_last_words("the-program", "/the/data");
		if (number == SIGBUS)
			read_lost_page(path);
		else
			(void)raise(number);
		(void)raise(number); /* the handler was for one time */
		_exit(0);
	}
	(void)close(ends[1]);
	while ((n = read(ends[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void lost_page_names_the_disk(void **state)
{
	struct tmp tmp;
	char text[1024];

	(void)state;
	tmp_make(&tmp);
	int status = hear(tmp_path(&tmp, "file"), SIGBUS, text, sizeof(text));
	tmp_remove(&tmp);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	assert_string_equal(text,
			    "the-program: SIGBUS: a page of a file could not be read, "
			    "most likely of a store: check the disk and the kernel's "
			    "log, then run zonelinkctl store verify /the/data\n");
}

static void other_faults_are_named(void **state)
{
	static const struct {
		int number;
		const char *begin;
	} CASES[] = { { SIGSEGV, "the-program: SIGSEGV: a defect" },
		      { SIGFPE, "the-program: SIGFPE: a defect" },
		      { SIGILL, "the-program: SIGILL: a defect" } };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		int status = hear("", CASES[i].number, text, sizeof(text));
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), CASES[i].number);
		assert_memory_equal(text, CASES[i].begin, strlen(CASES[i].begin));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_page_names_the_disk),
		cmocka_unit_test(other_faults_are_named),
	};
	return cmocka_run_group_tests_name("base/last_words", tests, NULL, NULL);
}
