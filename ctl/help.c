#include "ctl/options.h"

#include <stdio.h>
#include <string.h>

enum { LEFT = 36 };

static void print_flag(const struct flag *flag)
{
	bool may = flag->type == FLAG_CHOICE;
	char left[64];

	(void)snprintf(left, sizeof(left), "%s%c%s--%s%s%s%s", flag->letter ? "-" : " ",
		       flag->letter ? flag->letter : ' ', flag->letter ? ", " : "  ",
		       flag->name,
		       flag->value == NULL ? ""
		       : may               ? "[="
					   : " ",
		       flag->value != NULL ? flag->value : "", may ? "]" : "");
	(void)printf("  %-*s %s%s%s%s\n", LEFT, left, flag->help,
		     flag->env != NULL ? " [" : "", flag->env != NULL ? flag->env : "",
		     flag->env != NULL ? "]" : "");
}

void help_print(const struct command *command)
{
	const struct flag *flag;

	if (command != NULL) {
		(void)printf("usage: zonelinkctl %s %s [FLAGS]\n\n%s\n", command->name,
			     command->args, command->help);
	} else {
		(void)puts("usage: zonelinkctl COMMAND [ARGUMENTS] [FLAGS]\n\ncommands:");
		for (const struct command *c = CTL_COMMANDS; c->name != NULL; c++)
			(void)printf("  %-10s %-25s %s\n", c->name, c->args, c->help);
		(void)printf("  %-10s %-25s %s\n", "help", "[COMMAND|exit-codes]",
			     "this text, one command, what exit codes mean");
	}
	(void)puts("\nflags:");
	for (size_t i = 0; (flag = flag_at(i)) != NULL; i++)
		if (command == NULL || flag->only == 0 ||
		    (flag->only & command->flags) != 0)
			print_flag(flag);
}

#define CTL_EXIT_LINE(name, number, meaning) (void)printf("%4d  %s\n", number, meaning);

void help_exit_codes(void)
{
	CTL_EXITS(CTL_EXIT_LINE)
	(void)puts(" 130  interrupted");
}
