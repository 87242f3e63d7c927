#include "pki/vault.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY = 32, NONCE = 12, TAG = 16, HEAD = 4, FILE_MAX = 1 << 20 };

_Static_assert(HEAD + NONCE + TAG == PKI_SEALED_MORE, "what sealing adds");

static const uint8_t MARK[HEAD] = { 'Z', 'S', 1, 0 };

struct pki_vault {
	uint8_t key[KEY];
};

/* ---- files ---- */

static enum zl_code fail_file(struct zl_err *err, const char *what, const char *path)
{
	enum zl_code code = errno == ENOENT                     ? ZL_ENOENT
			    : errno == EACCES || errno == EPERM ? ZL_EACCES
			    : errno == ENOSPC                   ? ZL_ENOSPC
								: ZL_EIO;

	return zl_fail(err, code, "%s %s: %s", what, path, strerror(errno));
}

static bool write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t done = write(fd, at, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		len -= (size_t)done;
	}
	return fsync(fd) == 0;
}

/* A rename is there after a power cut when its folder is. */
static bool sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL   ? zl_strdup(".")
		       : slash == path ? zl_strdup("/")
				       : zl_format("%.*s", (int)(slash - path), path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	free(folder);
	return ok;
}

enum zl_code pki_file_write(const char *path, const void *bytes, size_t len,
			    struct zl_err *err)
{
	char *part = zl_format("%s.part", path);
	enum zl_code code = ZL_OK;

	(void)unlink(part);
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write_all(fd, bytes, len);
	if (!ok)
		code = fail_file(err, "write", part);
	if (fd >= 0 && close(fd) != 0 && code == ZL_OK)
		code = fail_file(err, "write", part);
	if (code == ZL_OK && rename(part, path) != 0)
		code = fail_file(err, "write", path);
	if (code != ZL_OK)
		(void)unlink(part);
	else if (!sync_folder(path))
		code = fail_file(err, "write", path);
	free(part);
	return code;
}

static enum zl_code read_all(int fd, const char *path, char **text, size_t *len,
			     struct zl_err *err)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return fail_file(err, "read", path);
	if (!S_ISREG(file.st_mode) || file.st_size > FILE_MAX)
		return zl_fail(err, ZL_EINVAL, "%s: not a file of at most %d bytes", path,
			       FILE_MAX);
	size_t size = (size_t)file.st_size;
	char *to = zl_alloc(1, size + 1);
	size_t have = 0;
	while (have < size) {
		ssize_t got = read(fd, to + have, size - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	to[have] = '\0';
	*text = to;
	*len = have;
	return ZL_OK;
}

enum zl_code pki_file_read(const char *path, char **text, size_t *len, struct zl_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size;

	*text = NULL;
	if (fd < 0)
		return fail_file(err, "read", path);
	enum zl_code code = read_all(fd, path, text, len != NULL ? len : &size, err);
	(void)close(fd);
	return code;
}

/* ---- the key file ---- */

/* ZL_EACCES: somebody else may read or change it. */
static enum zl_code check_owner(const char *path, struct zl_err *err)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return fail_file(err, "read", path);
	if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return zl_fail(
			err, ZL_EACCES,
			"key file %s: others may read it (mode %03o); make it 0600 "
			"and, if it was exposed, think of it as known",
			path, (unsigned)file.st_mode & 0777);
	return ZL_OK;
}

static enum zl_code make_key(const char *path, struct zl_err *err)
{
	uint8_t key[KEY];

	zl_random(key, sizeof(key));
	enum zl_code code = pki_file_write(path, key, sizeof(key), err);
	OPENSSL_cleanse(key, sizeof(key));
	return code;
}

static enum zl_code load_key(struct pki_vault *vault, const char *path,
			     struct zl_err *err)
{
	char *text = NULL;
	size_t len = 0;

	enum zl_code code = check_owner(path, err);
	if (code == ZL_OK)
		code = pki_file_read(path, &text, &len, err);
	if (code != ZL_OK)
		return code;
	if (len == KEY)
		memcpy(vault->key, text, KEY);
	else
		code = zl_fail(err, ZL_EINVAL,
			       "key file %s: %zu bytes, it must have %d random ones",
			       path, len, KEY);
	OPENSSL_cleanse(text, len);
	free(text);
	return code;
}

enum zl_code pki_vault_open(struct pki_vault **out, const char *path, bool make,
			    struct zl_err *err)
{
	struct pki_vault *vault = zl_alloc(1, sizeof(*vault));
	enum zl_code code = ZL_OK;

	*out = NULL;
	if (make && access(path, F_OK) != 0 && errno == ENOENT)
		code = make_key(path, err);
	if (code == ZL_OK)
		code = load_key(vault, path, err);
	if (code != ZL_OK)
		pki_vault_close(&vault);
	*out = vault;
	return code;
}

void pki_vault_close(struct pki_vault **vaultp)
{
	struct pki_vault *vault = *vaultp;

	*vaultp = NULL;
	if (vault == NULL)
		return;
	OPENSSL_cleanse(vault->key, sizeof(vault->key));
	free(vault);
}

/* ---- sealing ---- */

/* The key of a context, from the vault's. */
static bool derive(const struct pki_vault *vault, const char *context, uint8_t key[KEY])
{
	static const char SALT[] = "zonelink vault 1";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	size_t len = KEY;
	bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
		  EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
		  EVP_PKEY_CTX_set1_hkdf_salt(ctx, (const unsigned char *)SALT,
					      (int)strlen(SALT)) == 1 &&
		  EVP_PKEY_CTX_set1_hkdf_key(ctx, vault->key, KEY) == 1 &&
		  EVP_PKEY_CTX_add1_hkdf_info(ctx, (const unsigned char *)context,
					      (int)strlen(context)) == 1 &&
		  EVP_PKEY_derive(ctx, key, &len) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* AES-256-GCM of len bytes; what is authenticated besides is the mark and the context. */
static bool gcm(bool seal, const uint8_t key[KEY], const char *context,
		const uint8_t nonce[NONCE], const uint8_t *from, size_t len, uint8_t *to,
		uint8_t tag[TAG])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t none[1];
	int done;
	bool ok =
		ctx != NULL &&
		EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), key, nonce, seal, NULL) == 1 &&
		EVP_CipherUpdate(ctx, NULL, &done, MARK, HEAD) == 1 &&
		EVP_CipherUpdate(ctx, NULL, &done, (const unsigned char *)context,
				 (int)strlen(context)) == 1 &&
		EVP_CipherUpdate(ctx, len > 0 ? to : none, &done, from, (int)len) == 1;

	if (ok && !seal)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1;
	ok = ok && EVP_CipherFinal_ex(ctx, none, &done) == 1;
	if (ok && seal)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

enum zl_code pki_seal(const struct pki_vault *vault, const char *context,
		      const void *bytes, size_t len, struct zl_buf *sealed,
		      struct zl_err *err)
{
	uint8_t *body = zl_alloc(1, len + 1);
	uint8_t key[KEY];
	uint8_t nonce[NONCE];
	uint8_t tag[TAG];

	zl_random(nonce, sizeof(nonce));
	bool ok = len <= FILE_MAX && derive(vault, context, key) &&
		  gcm(true, key, context, nonce, bytes, len, body, tag);
	if (ok) {
		zl_buf_add(sealed, MARK, HEAD);
		zl_buf_add(sealed, nonce, NONCE);
		zl_buf_add(sealed, body, len);
		zl_buf_add(sealed, tag, TAG);
	}
	OPENSSL_cleanse(key, sizeof(key));
	free(body);
	return ok ? ZL_OK : zl_fail(err, ZL_EIO, "%s: cannot be sealed", context);
}

enum zl_code pki_unseal(const struct pki_vault *vault, const char *context,
			const void *sealed, size_t len, struct zl_buf *open,
			struct zl_err *err)
{
	const uint8_t *from = sealed;
	uint8_t key[KEY];
	uint8_t tag[TAG];

	if (len < PKI_SEALED_MORE || len > FILE_MAX + PKI_SEALED_MORE ||
	    memcmp(from, MARK, HEAD) != 0)
		return zl_fail(err, ZL_ECORRUPT, "%s: not sealed", context);
	size_t size = len - PKI_SEALED_MORE;
	uint8_t *body = zl_alloc(1, size + 1);
	memcpy(tag, from + len - TAG, TAG);
	bool ok =
		derive(vault, context, key) && gcm(false, key, context, from + HEAD,
						   from + HEAD + NONCE, size, body, tag);
	if (ok)
		zl_buf_add(open, body, size);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(body, size);
	free(body);
	if (ok)
		return ZL_OK;
	return zl_fail(err, ZL_ECORRUPT, "%s: damaged, or sealed under another key file",
		       context);
}

/* ---- files that only we may know ---- */

enum zl_code pki_file_keep(const char *path, const struct pki_vault *vault,
			   const char *context, const void *bytes, size_t len,
			   struct zl_err *err)
{
	struct zl_buf sealed = { 0 };

	if (vault == NULL)
		return pki_file_write(path, bytes, len, err);
	enum zl_code code = pki_seal(vault, context, bytes, len, &sealed, err);
	if (code == ZL_OK)
		code = pki_file_write(path, sealed.data, sealed.len, err);
	zl_buf_free(&sealed);
	return code;
}

enum zl_code pki_file_kept(const char *path, const struct pki_vault *vault,
			   const char *context, struct zl_buf *open, struct zl_err *err)
{
	char *bytes = NULL;
	size_t len = 0;

	enum zl_code code = pki_file_read(path, &bytes, &len, err);
	if (code != ZL_OK)
		return code;
	if (vault == NULL)
		zl_buf_add(open, bytes, len);
	else
		code = pki_unseal(vault, context, bytes, len, open, err);
	if (code != ZL_OK)
		zl_wrap(err, "%s", path);
	OPENSSL_cleanse(bytes, len);
	free(bytes);
	return code;
}

void pki_wipe(struct zl_buf *buf)
{
	if (buf->data != NULL)
		OPENSSL_cleanse(buf->data, buf->len);
	zl_buf_free(buf);
}
