#include "ctl/ctl.h"
#include "ctl/files.h"

#include <stdio.h>

enum ctl_exit cmd_validate(struct ctl *ctl)
{
	const struct resource_rules rules = { .writer = WRITER_ANY, .zone = "" };
	struct files files;

	if (ctl->file_count == 0)
		return ctl_fail(CTL_USAGE, "validate: -f FILE, DIR or - is missing");
	files_read(ctl, &rules, NULL, &files);
	enum ctl_exit code = files_exit(&files);
	if (ctl->output == OUT_JSON || ctl->output == OUT_YAML) {
		ctl_print_tree(files_findings_tree(ctl, &files), ctl->output);
	} else {
		files_print_findings(&files, !ctl->quiet);
		if (!ctl->quiet)
			(void)printf("%zu documents, %zu violations, %zu warnings: %s\n",
				     files.count, files.found.violation_count,
				     files.found.warning_count,
				     code == CTL_OK ? "valid" : "not valid");
	}
	files_drop(&files);
	return code;
}
