#include "pki/pair.h"

#include "base/mem.h"
#include "pki/vault.h"
#include "pki/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *path_of(const struct pki_place *place, const char *end)
{
	return zl_format("%s/%s.%s", place->folder, place->name, end);
}

/* What the key is sealed for: the name of its owner. */
static char *context_of(const struct pki_place *place)
{
	return zl_format("key of %s", place->name);
}

static void wipe(char **textp)
{
	char *text = *textp;

	*textp = NULL;
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static enum zl_code write_key(const struct pki_place *place, const char *path,
			      const char *key, struct zl_err *err)
{
	char *context = context_of(place);
	enum zl_code code =
		pki_file_keep(path, place->vault, context, key, strlen(key), err);

	free(context);
	return code;
}

static enum zl_code read_key(const struct pki_place *place, const char *path, char **key,
			     struct zl_err *err)
{
	struct zl_buf open = { 0 };
	char *context = context_of(place);
	enum zl_code code = pki_file_kept(path, place->vault, context, &open, err);

	*key = code == ZL_OK ? zl_strdup(zl_buf_text(&open)) : NULL;
	pki_wipe(&open);
	free(context);
	return code;
}

static bool is_pair(const char *chain, const char *key)
{
	X509 *certificate = x509_read(chain);
	EVP_PKEY *own = x509_read_key(key);
	bool same = certificate != NULL && own != NULL &&
		    X509_check_private_key(certificate, own) == 1;

	EVP_PKEY_free(own);
	X509_free(certificate);
	return same;
}

static enum zl_code promote(const struct pki_place *place, struct zl_err *err)
{
	char *from = path_of(place, "key.next");
	char *to = path_of(place, "key");
	enum zl_code code = ZL_OK;

	if (rename(from, to) != 0)
		code = zl_fail(err, zl_code_from_errno(errno), "rename %s: %s", from,
			       strerror(errno));
	int fd = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (code == ZL_OK && (fd < 0 || fsync(fd) != 0))
		code = zl_fail(err, ZL_EIO, "sync %s: %s", place->folder,
			       strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	free(from);
	free(to);
	return code;
}

/* The key of pair->chain: the present one, or the next one if the process ended while
 * the pair was changed. */
static enum zl_code find_key(struct pki_pair *pair, const struct pki_place *place,
			     struct zl_err *err)
{
	char *present = path_of(place, "key");
	char *next = path_of(place, "key.next");
	struct zl_err ignored;

	enum zl_code code = read_key(place, present, &pair->key, err);
	if (code != ZL_OK || !is_pair(pair->chain, pair->key)) {
		wipe(&pair->key);
		if (read_key(place, next, &pair->key, &ignored) == ZL_OK &&
		    is_pair(pair->chain, pair->key))
			code = promote(place, err);
		else if (code == ZL_OK || code == ZL_ENOENT)
			code = zl_fail(err, ZL_ECORRUPT,
				       "%s is not the key of the certificate beside it",
				       present);
	}
	free(present);
	free(next);
	return code;
}

enum zl_code pki_pair_load(struct pki_pair *out, const struct pki_place *place,
			   struct zl_err *err)
{
	char *path = path_of(place, "crt");

	*out = (struct pki_pair){ 0 };
	enum zl_code code = pki_file_read(path, &out->chain, NULL, err);
	if (code == ZL_OK) {
		code = pki_read(out->chain, &out->facts, err);
		if (code != ZL_OK) {
			code = zl_fail(err, ZL_ECORRUPT, "%s: no certificate", path);
		} else {
			code = find_key(out, place, err);
		}
	}
	if (code != ZL_OK)
		pki_pair_fini(out);
	free(path);
	return code;
}

void pki_pair_fini(struct pki_pair *pair)
{
	wipe(&pair->key);
	free(pair->chain);
	*pair = (struct pki_pair){ 0 };
}

enum zl_code pki_pair_next(const struct pki_place *place, char **key, struct zl_err *err)
{
	char *path = path_of(place, "key.next");

	enum zl_code code = read_key(place, path, key, err);
	if (code == ZL_ENOENT || code == ZL_ECORRUPT) { /* nobody depends on it */
		code = pki_key_new(key, err);
		if (code == ZL_OK)
			code = write_key(place, path, *key, err);
	}
	if (code != ZL_OK)
		wipe(key);
	free(path);
	return code;
}

enum zl_code pki_pair_keep(const struct pki_place *place, const char *chain,
			   struct zl_err *err)
{
	char *next = path_of(place, "key.next");
	char *path = path_of(place, "crt");
	char *key = NULL;

	enum zl_code code = read_key(place, next, &key, err);
	if (code == ZL_OK && !is_pair(chain, key))
		code = zl_fail(err, ZL_EINVAL,
			       "the certificate is not for the key that was asked for");
	if (code == ZL_OK)
		code = pki_file_write(path, chain, strlen(chain), err);
	if (code == ZL_OK)
		code = promote(place, err);
	wipe(&key);
	free(next);
	free(path);
	return code;
}

uint64_t pki_renew_s(const struct pki_facts *facts)
{
	uint64_t life = facts->ends_s - facts->begins_s;

	life = life > PKI_EARLY_S ? life - PKI_EARLY_S : 0;
	return facts->ends_s - life / 3;
}
