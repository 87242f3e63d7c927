#include "base/last_words.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const char *program_name, *folder;
static char stack[16384]; /* the fault may be that the other one is full */

/* No stdio and no memory here: a signal handler may not have either. */
static void say(const char *text)
{
	ssize_t wrote = write(STDERR_FILENO, text, strlen(text));

	(void)wrote;
}

/* It was installed for one time: the fault comes back with its usual effect. */
static void on_fault(int number)
{
	say(program_name);
	if (number == SIGBUS) {
		say(": SIGBUS: a page of a file could not be read, most likely of a "
		    "store: "
		    "check the disk and the kernel's log, then run zonelinkctl store "
		    "verify ");
		say(folder);
	} else {
		say(number == SIGSEGV  ? ": SIGSEGV"
		    : number == SIGFPE ? ": SIGFPE"
				       : ": SIGILL");
		say(": a defect of this program, or of the machine; what was "
		    "acknowledged "
		    "is on the disk");
	}
	say("\n");
}

void zl_last_words(const char *program, const char *data_dir)
{
	static const int FAULTS[] = { SIGBUS, SIGSEGV, SIGFPE, SIGILL };
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction ours = { .sa_handler = on_fault,
				  .sa_flags = (int)SA_RESETHAND | SA_ONSTACK };
	struct sigaction theirs;

	program_name = program;
	folder = data_dir;
	(void)sigaltstack(&own, NULL);
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++)
		if (sigaction(FAULTS[i], NULL, &theirs) == 0 &&
		    theirs.sa_handler == SIG_DFL)
			(void)sigaction(FAULTS[i], &ours, NULL);
}
