/* Runs a fuzz target on every file of a corpus, so that each input that once was worth
 * keeping is tried with every build. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *dir, const char *name)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = len < (int)sizeof(path) ? fopen(path, "rb") : NULL;

	if (file == NULL) {
		perror(name);
		return -1;
	}
	/* A block of exactly its size, so that ASan sees a read behind the end. */
	(void)fseek(file, 0, SEEK_END);
	size_t size = (size_t)ftell(file);
	rewind(file);
	uint8_t *data = malloc(size > 0 ? size : 1);
	int failed = data == NULL || fread(data, 1, size, file) != size;
	(void)fclose(file);
	if (failed)
		(void)fprintf(stderr, "%s: cannot be read\n", path);
	else
		(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	size_t count = 0;

	if (dir == NULL) {
		(void)fprintf(stderr, "usage: %s <folder of inputs>\n", argv[0]);
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay(argv[1], entry->d_name) != 0)
			return 1;
		count++;
	}
	(void)closedir(dir);
	(void)printf("%zu inputs\n", count);
	return count > 0 ? 0 : 1;
}
