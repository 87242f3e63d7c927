/* The text of --help, from the table. */
#include "conf/parts.h"

void conf_help(const struct conf_program *program, FILE *to)
{
	struct zl_arena *arena = zl_arena_new();

	fprintf(to,
		"%s: %s\n\n"
		"Usage: %s [--config FILE] [--set KEY=VALUE]...\n\n"
		"  --config FILE      read keys from FILE (YAML)%s%s\n"
		"  --set KEY=VALUE    set a key; stronger than file and environment\n"
		"  --ready-file FILE  write FILE when every address is bound\n"
		"  --check-config     check the configuration and exit\n"
		"  --print-config     print each key with its value and origin and exit\n"
		"  --version          print the version and exit\n"
		"  --help             print this and exit\n\n"
		"Keys, in order of strength: default, file, environment (zone.name is\n"
		"ZONELINK_ZONE_NAME), --set.\n\n",
		program->name, program->about, program->name,
		program->default_file != NULL ? "; otherwise " : "",
		program->default_file != NULL ? program->default_file : "");
	for (size_t i = 0; i < program->count; i++) {
		const struct conf_key *key = &program->keys[i];

		fprintf(to, "  %s\n      %s\n      %s", key->name, key->help,
			conf_form(key, arena));
		if (key->required)
			fprintf(to, "; must be given\n");
		else if (key->fallback != NULL)
			fprintf(to, "; default: %s\n", key->fallback);
		else
			fprintf(to, "\n");
	}
	zl_arena_free(&arena);
}
