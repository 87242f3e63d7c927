#include "backup/inside.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FIRST[] = "zonelink snapshot 1\n";

void header_write(const struct backup_facts *facts, char to[BACKUP_HEAD])
{
	char epoch[2 * POSITION_EPOCH + 1];
	char chain[2 * POSITION_CHAIN + 1];
	char sum[2 * ZL_SHA256 + 1];
	uint8_t digest[ZL_SHA256];

	digest_bytes(&facts->digest, digest);
	zl_hex(facts->position.epoch, POSITION_EPOCH, epoch);
	zl_hex(facts->position.chain, POSITION_CHAIN, chain);
	zl_hex(digest, sizeof(digest), sum);
	memset(to, '\n', BACKUP_HEAD);
	int len = snprintf(
		to, BACKUP_HEAD,
		"%sversion: %s\nmade: %" PRIu64 "\nepoch: %s\nrevision: %" PRIu64
		"\nchain: %s\ndigest: %s\nrecords: %" PRIu64 "\nbytes: %" PRIu64 "\n",
		FIRST, facts->version, facts->made_s, epoch, facts->position.rev, chain,
		sum, facts->records, facts->data_bytes);
	to[len] = '\n'; /* where snprintf put its end */
}

/* The value of a line, up to its end; NULL: there is no such line. */
static const char *line(const char *text, const char *name, size_t *len)
{
	char *start = zl_format("\n%s: ", name);
	const char *at = strstr(text, start);

	if (at != NULL) {
		at += strlen(start);
		*len = strcspn(at, "\n");
	}
	free(start);
	return at;
}

static bool read_number(const char *text, const char *name, uint64_t *out)
{
	size_t len = 0;
	const char *at = line(text, name, &len);
	char *end;

	if (at == NULL || len == 0 || *at < '0' || *at > '9')
		return false;
	errno = 0;
	*out = strtoull(at, &end, 10);
	return end == at + len && errno == 0;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *text, const char *name, uint8_t *to, size_t size)
{
	size_t len = 0;
	const char *at = line(text, name, &len);

	if (at == NULL || len != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = digit(at[2 * i]);
		int low = digit(at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool header_read(const char from[BACKUP_HEAD], struct backup_facts *facts)
{
	char *text = zl_strndup(from, BACKUP_HEAD);
	uint8_t digest[ZL_SHA256];
	size_t len = 0;

	*facts = (struct backup_facts){ 0 };
	const char *version = line(text, "version", &len);
	bool ok = strncmp(text, FIRST, sizeof(FIRST) - 1) == 0 && version != NULL &&
		  len < sizeof(facts->version) &&
		  read_number(text, "made", &facts->made_s) &&
		  read_number(text, "revision", &facts->position.rev) &&
		  read_number(text, "records", &facts->records) &&
		  read_number(text, "bytes", &facts->data_bytes) &&
		  facts->data_bytes < UINT64_C(1) << 50 &&
		  read_hex(text, "epoch", facts->position.epoch, POSITION_EPOCH) &&
		  read_hex(text, "chain", facts->position.chain, POSITION_CHAIN) &&
		  read_hex(text, "digest", digest, sizeof(digest));
	if (ok) {
		memcpy(facts->version, version, len);
		digest_from_bytes(&facts->digest, digest);
	}
	free(text);
	return ok;
}
