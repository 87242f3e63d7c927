/* Any bytes as a token: checking and peeking read nothing past them, agree with each
 * other, and take nothing that the signer did not sign. Bytes that begin with '!' change
 * one byte of a true token instead: place (2 bytes), what is put there. */
#include "pki/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOW = 1800000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static struct pki_signer *signer_new(void)
{
	char path[] = P_tmpdir "/zonelink-fuzz-XXXXXX";
	struct pki_signer *signer;
	int fd = mkstemp(path);

	require(fd >= 0 && close(fd) == 0 && unlink(path) == 0);
	require(pki_signer_open(&signer, path, NULL, NULL) == ZL_OK);
	require(unlink(path) == 0);
	return signer;
}

static const struct pki_claims TRUE_CLAIMS = { .kind = PKI_TOKEN_DATAPLANE,
					       .zone = "east",
					       .mesh = "default",
					       .name = "web-01",
					       .issued_s = NOW,
					       .expires_s = NOW + 60 };

static bool is_taken(const struct pki_signer *signer, const char *token, size_t len)
{
	struct zl_arena *arena = zl_arena_new();
	struct pki_claims claims;
	struct pki_claims peeked;
	struct zl_err err = { 0 };
	bool taken = false;

	enum zl_code peek = pki_token_peek(token, len, arena, &peeked, &err);
	require(peek == ZL_OK ||
		(peek == ZL_EINVAL && strncmp(err.msg, "token: ", 7) == 0));
	for (int kind = 0; kind < PKI_TOKEN_KINDS; kind++) {
		enum zl_code code =
			pki_token_check(signer, token, len, (enum pki_token_kind)kind,
					NOW, arena, &claims, &err);
		require(code == ZL_OK || (code == ZL_EACCES && err.msg[0] != '\0' &&
					  claims.kind == PKI_TOKEN_KINDS));
		if (code != ZL_OK)
			continue;
		require(peek == ZL_OK && strcmp(peeked.id, claims.id) == 0);
		taken = true;
	}
	zl_arena_free(&arena);
	return taken;
}

/* Made once: each run is about the bytes. */
static struct pki_signer *signer;
static char *true_token;

static void change_one(const uint8_t *data, size_t size)
{
	size_t len = strlen(true_token);
	char *token = strdup(true_token);

	if (size >= 4) {
		size_t place = ((size_t)data[1] << 8 | data[2]) % len;
		token[place] = (char)data[3];
		require(is_taken(signer, token, len) ==
			(token[place] == true_token[place]));
	}
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (signer == NULL) {
		signer = signer_new();
		require(pki_token_sign(signer, &TRUE_CLAIMS, &true_token, NULL, NULL) ==
			ZL_OK);
		require(is_taken(signer, true_token, strlen(true_token)));
	}
	if (size > 0 && data[0] == '!') {
		change_one(data, size);
		return 0;
	}
	char *token = malloc(size > 0 ? size : 1);
	if (size > 0)
		memcpy(token, data, size);
	require(!is_taken(signer, token, size));
	free(token);
	return 0;
}
