#include "conf/conf.h"

#include "conf/parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum origin { ORIGIN_NONE, ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENV, ORIGIN_SET };

/* The text of a key and where it comes from. */
struct given {
	const char *text;
	enum origin origin;
	unsigned line; /* in the file */
};

struct conf {
	const struct conf_program *program;
	struct zl_arena *arena; /* owned: of all texts */
	struct given *given;    /* of each key */
	const char *file, *ready_file;
	const char **sets;
	size_t set_count;
	bool check, print;
};

static struct conf *conf_new(const struct conf_program *program)
{
	struct conf *conf = zl_alloc(1, sizeof(*conf));

	conf->program = program;
	conf->arena = zl_arena_new();
	conf->given = zl_arena_alloc(conf->arena, program->count, sizeof(*conf->given));
	return conf;
}

void conf_free(struct conf **confp)
{
	struct conf *conf = *confp;

	*confp = NULL;
	if (conf == NULL)
		return;
	zl_arena_free(&conf->arena);
	free(conf);
}

const char *conf_ready_file(const struct conf *conf)
{
	return conf->ready_file;
}

static void give(struct conf *conf, const struct conf_key *key, const char *text,
		 enum origin origin, unsigned line)
{
	conf->given[key - conf->program->keys] = (struct given){ text, origin, line };
}

static const char *origin_text(const struct conf *conf, const struct conf_key *key,
			       const struct given *given);

/* The sources, weakest first. */

static enum zl_code from_file(struct conf *conf, struct zl_err *err)
{
	const char *path = conf->file;
	struct conf_lines lines = { 0 };
	enum zl_code code;

	if (path == NULL) {
		path = conf->program->default_file;
		if (path == NULL || access(path, F_OK) != 0)
			return ZL_OK;
	}
	code = conf_file(path, conf->arena, &lines, err);
	for (size_t i = 0; i < lines.count && code == ZL_OK; i++) {
		const struct conf_line *line = &lines.items[i];
		const struct conf_key *key = conf_find(conf->program, line->name);

		if (key == NULL)
			code = conf_unknown(conf->program, line->name, err);
		else if (line->is_list && key->type != CONF_ADDRS)
			code = zl_fail(err, ZL_EINVAL, "%s: must be a single value",
				       line->name);
		else
			give(conf, key, line->text, ORIGIN_FILE, line->line);
		if (code != ZL_OK)
			zl_wrap(err, "%s:%u", path, line->line);
	}
	free(lines.items);
	conf->file = path;
	return code;
}

/* "zone.name" is ZONELINK_ZONE_NAME. */
static const char *env_name(const struct conf *conf, const struct conf_key *key)
{
	char *name = zl_arena_format(conf->arena, "ZONELINK_%s", key->name);

	for (char *c = name; *c != '\0'; c++) {
		if (*c == '.')
			*c = '_';
		else
			*c = (char)toupper((unsigned char)*c);
	}
	return name;
}

static void from_env(struct conf *conf)
{
	for (size_t i = 0; i < conf->program->count; i++) {
		const struct conf_key *key = &conf->program->keys[i];
		const char *text = getenv(env_name(conf, key));

		if (text != NULL)
			give(conf, key, zl_arena_strdup(conf->arena, text), ORIGIN_ENV,
			     0);
	}
}

static enum zl_code from_sets(struct conf *conf, struct zl_err *err)
{
	for (size_t i = 0; i < conf->set_count; i++) {
		const char *equals = strchr(conf->sets[i], '=');
		const char *name = zl_arena_strndup(conf->arena, conf->sets[i],
						    (size_t)(equals - conf->sets[i]));
		const struct conf_key *key = conf_find(conf->program, name);

		if (key == NULL) {
			enum zl_code code = conf_unknown(conf->program, name, err);
			zl_wrap(err, "--set %s", conf->sets[i]);
			return code;
		}
		give(conf, key, equals + 1, ORIGIN_SET, 0);
	}
	return ZL_OK;
}

/* All sources together, checked, into *values; which is unchanged on failure. */
static enum zl_code gather(struct conf *conf, void *values, struct zl_err *err)
{
	const struct conf_program *program = conf->program;
	enum zl_code code;

	for (size_t i = 0; i < program->count; i++)
		if (program->keys[i].fallback != NULL)
			give(conf, &program->keys[i], program->keys[i].fallback,
			     ORIGIN_DEFAULT, 0);
	if ((code = from_file(conf, err)) != ZL_OK)
		return code;
	from_env(conf);
	if ((code = from_sets(conf, err)) != ZL_OK)
		return code;

	void *fresh = zl_arena_alloc(conf->arena, 1, program->size);
	for (size_t i = 0; i < program->count; i++) {
		const struct conf_key *key = &program->keys[i];
		const struct given *given = &conf->given[i];
		bool none = given->text == NULL || *given->text == '\0';

		if (none && key->required)
			return zl_fail(err, ZL_EINVAL,
				       "%s: must be given (%s), in the file, as "
				       "--set %s=VALUE or as %s",
				       key->name, conf_form(key, conf->arena), key->name,
				       env_name(conf, key));
		if (given->text == NULL)
			continue;
		code = conf_value(key, given->text, conf->arena, fresh, err);
		if (code != ZL_OK) {
			zl_wrap(err, "%s: %s", origin_text(conf, key, given), key->name);
			return code;
		}
	}
	memcpy(values, fresh, program->size);
	return ZL_OK;
}

/* For messages and --print-config. */
static const char *origin_text(const struct conf *conf, const struct conf_key *key,
			       const struct given *given)
{
	switch (given->origin) {
	case ORIGIN_NONE:
		return "not set";
	case ORIGIN_DEFAULT:
		return "default";
	case ORIGIN_FILE:
		return zl_arena_format(conf->arena, "%s:%u", conf->file, given->line);
	case ORIGIN_ENV:
		return env_name(conf, key);
	case ORIGIN_SET:
		return "--set";
	}
	return "";
}

/* As it can be read back: quoted where YAML would take it for something else. */
static void print_value(FILE *to, const char *text)
{
	size_t plain = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._,:");
	size_t len = strlen(text);

	if (plain == len && len > 0 && text[len - 1] != ':' && text[0] != ',' &&
	    text[0] != ':') {
		fputs(text, to);
		return;
	}
	fputc('"', to);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			fprintf(to, "\\x%02x", (unsigned)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

void conf_print(const struct conf *conf, FILE *to)
{
	for (size_t i = 0; i < conf->program->count; i++) {
		const struct conf_key *key = &conf->program->keys[i];
		const struct given *given = &conf->given[i];

		fprintf(to, "%s: ", key->name);
		print_value(to, given->text != NULL ? given->text : "");
		fprintf(to, "  # %s\n", origin_text(conf, key, given));
	}
}

enum zl_code conf_reload(const struct conf *old, struct conf **out, void *values,
			 struct zl_err *err)
{
	struct conf *conf = conf_new(old->program);
	struct zl_arena *arena = conf->arena;

	*out = NULL;
	conf->file = old->file != NULL ? zl_arena_strdup(arena, old->file) : NULL;
	conf->ready_file =
		old->ready_file != NULL ? zl_arena_strdup(arena, old->ready_file) : NULL;
	conf->sets = zl_arena_alloc(arena, old->set_count, sizeof(*conf->sets));
	for (; conf->set_count < old->set_count; conf->set_count++)
		conf->sets[conf->set_count] =
			zl_arena_strdup(arena, old->sets[conf->set_count]);

	enum zl_code code = gather(conf, values, err);
	if (code != ZL_OK)
		conf_free(&conf);
	*out = conf;
	return code;
}

/* The command line. */

static int misused(const struct conf_program *program, const char *what, const char *arg)
{
	fprintf(stderr, "%s: %s%s\ntry: %s --help\n", program->name, what, arg,
		program->name);
	return CONF_USAGE;
}

/* One option with its value. CONF_GO: taken. */
static int take_value(struct conf *conf, const char *option, const char *value)
{
	if (strcmp(option, "--set") == 0) {
		const char *equals = strchr(value, '=');
		if (equals == NULL || equals == value)
			return misused(conf->program, "--set takes KEY=VALUE, not ",
				       value);
		conf->sets[conf->set_count++] = value;
	} else if (strcmp(option, "--config") == 0) {
		conf->file = value;
	} else {
		conf->ready_file = value;
	}
	return CONF_GO;
}

static bool takes_value(const char *option)
{
	return strcmp(option, "--set") == 0 || strcmp(option, "--config") == 0 ||
	       strcmp(option, "--ready-file") == 0;
}

static int command_line(struct conf *conf, int argc, char *const *argv)
{
	const struct conf_program *program = conf->program;

	conf->sets = zl_arena_alloc(conf->arena, (size_t)argc, sizeof(*conf->sets));
	for (int i = 1; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		const char *option =
			zl_arena_strndup(conf->arena, argv[i], strcspn(argv[i], "="));

		if (takes_value(option)) {
			if (equals == NULL && ++i == argc)
				return misused(program, "a value must follow ", option);
			int status = take_value(
				conf, option,
				zl_arena_strdup(conf->arena,
						equals != NULL ? equals + 1 : argv[i]));
			if (status != CONF_GO)
				return status;
		} else if (strcmp(argv[i], "--check-config") == 0) {
			conf->check = true;
		} else if (strcmp(argv[i], "--print-config") == 0) {
			conf->print = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			conf_help(program, stdout);
			return CONF_DONE;
		} else if (strcmp(argv[i], "--version") == 0) {
			printf("%s %s\n", program->name, ZL_VERSION);
			return CONF_DONE;
		} else {
			return misused(program, "unknown argument ", argv[i]);
		}
	}
	return CONF_GO;
}

static int failed(const struct conf_program *program, const struct zl_err *err)
{
	fprintf(stderr, "%s: %s\n", program->name, err->msg);
	return err->code == ZL_EINVAL ? CONF_INVALID : CONF_SYNTAX;
}

int conf_load(struct conf **out, const struct conf_program *program, int argc,
	      char *const *argv, void *values)
{
	struct conf *conf = conf_new(program);
	struct zl_err err = { 0 };
	int status = command_line(conf, argc, argv);

	*out = NULL;
	if (status == CONF_GO && gather(conf, values, &err) != ZL_OK)
		status = failed(program, &err);
	else if (status == CONF_GO && conf->print)
		conf_print(conf, stdout);
	else if (status == CONF_GO && conf->check)
		puts("the configuration is valid");

	if (status == CONF_GO && (conf->print || conf->check))
		status = CONF_DONE;
	if (status == CONF_GO)
		*out = conf;
	else
		conf_free(&conf);
	return status;
}
