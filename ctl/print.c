#include "ctl/ctl.h"

#include <stdio.h>

void ctl_print_tree(const struct tree *tree, enum ctl_output as)
{
	struct zl_buf text = { 0 };

	if (as == OUT_YAML) {
		tree_yaml(tree, &text);
	} else {
		tree_json_pretty(tree, &text);
		zl_buf_char(&text, '\n');
	}
	(void)fwrite(zl_buf_text(&text), 1, text.len, stdout);
	zl_buf_free(&text);
}
