/* What a zone keeps of its membership, and what goes into a request and comes out of an
 * answer. */
#include "base/log.h"
#include "model/read.h"
#include "pki/tls.h"
#include "pki/token.h"
#include "pki/vault.h"
#include "zone/join/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char ROOTS[] = "global-ca.crt";
static const char GLOBAL[] = "spiffe://zonelink/global";

void keep_wipe(char **textp)
{
	char *text = *textp;

	*textp = NULL;
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static char *roots_path(const struct join *join)
{
	return zl_format("%s/%s", join->place.folder, ROOTS);
}

static enum zl_code use_pair(struct join *join, struct pki_pair *pair, struct zl_err *err)
{
	const struct pki_tls_setup setup = { .chain = pair->chain,
					     .key = pair->key,
					     .roots = join->roots,
					     .peer_identity = GLOBAL,
					     .peer = PKI_PEER_REQUIRED };
	struct pki_tls *tls;

	enum zl_code code = pki_tls_new(&tls, &setup, err);
	if (code != ZL_OK)
		return code;
	pki_tls_drop(&join->tls);
	join->tls = tls;
	join->facts = pair->facts;
	return ZL_OK;
}

/* A certificate that cannot be used is none: the zone joins again. */
static enum zl_code cannot_use(struct join *join, struct zl_err *err)
{
	zl_log(ZL_ERROR, "join", "the certificate in data_dir cannot be used", "err=%q",
	       err->msg);
	free(join->roots);
	join->roots = NULL;
	return ZL_OK;
}

enum zl_code keep_load(struct join *join, struct zl_err *err)
{
	char *path = roots_path(join);
	struct pki_pair pair;

	if (mkdir(join->place.folder, 0700) != 0 && errno != EEXIST) {
		free(path);
		return zl_fail(err, zl_code_from_errno(errno), "make folder %s: %s",
			       join->place.folder, strerror(errno));
	}
	enum zl_code code = pki_pair_load(&pair, &join->place, err);
	if (code == ZL_OK)
		code = pki_file_read(path, &join->roots, NULL, err);
	free(path);
	const char *zone = code == ZL_OK ? pki_zone_of(pair.facts.identity) : NULL;
	if (code == ZL_OK && (zone == NULL || strcmp(zone, join->setup.zone) != 0))
		code = zl_fail(
			err, ZL_EINVAL,
			"%s holds the certificate of %s, but zone.name is %s: give "
			"each zone a data_dir of its own",
			join->place.folder, pair.facts.identity, join->setup.zone);
	else if (code == ZL_ECORRUPT ||
		 (code == ZL_OK && use_pair(join, &pair, err) != ZL_OK))
		code = cannot_use(join, err);
	else if (code == ZL_ENOENT)
		code = ZL_OK;
	pki_pair_fini(&pair);
	return code;
}

/* ---- asking ---- */

char *keep_token(const struct join *join, struct zl_err *err)
{
	const char *path = join->setup.token_file;
	char *text = NULL;
	size_t len;

	if (path == NULL) {
		(void)zl_fail(err, ZL_ENOENT,
			      "no certificate, and global.token_file is not set "
			      "(zonelinkctl token create --zone %s makes a token)",
			      join->setup.zone);
		return NULL;
	}
	if (pki_file_read(path, &text, &len, err) != ZL_OK) {
		zl_wrap(err, "global.token_file");
		return NULL;
	}
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		text[--len] = '\0';
	if (len > 0)
		return text;
	/* What "token create >FILE" leaves when it failed. */
	free(text);
	(void)zl_fail(
		err, ZL_EINVAL,
		"global.token_file: %s is empty (zonelinkctl token create --zone %s "
		"makes a token)",
		path, join->setup.zone);
	return NULL;
}

enum zl_code keep_request(const struct join *join, char **body, struct zl_err *err)
{
	char *identity = zl_format("spiffe://zonelink/zone/%s", join->setup.zone);
	struct zl_arena *arena = zl_arena_new();
	struct tree *doc = tree_map(arena);
	struct zl_buf text = { 0 };
	char *key = NULL;
	char *csr = NULL;

	enum zl_code code = pki_pair_next(&join->place, &key, err);
	if (code == ZL_OK)
		code = pki_request_new(key, identity, &csr, err);
	if (code == ZL_OK) {
		tree_set(arena, doc, "csr", tree_text(arena, csr));
		if (join->token != NULL)
			tree_set(arena, doc, "token", tree_text(arena, join->token));
		tree_json(doc, &text);
	}
	*body = text.data;
	keep_wipe(&key);
	free(csr);
	free(identity);
	zl_arena_free(&arena);
	return code;
}

/* ---- the answer ---- */

static const struct tree *read_answer(const struct ask_answer *answer,
				      struct zl_arena *arena)
{
	struct tree *doc = NULL;

	return read_json(answer->body, answer->len, arena, &doc, NULL) == ZL_OK ? doc
										: NULL;
}

static const char *text_of(const struct tree *doc, const char *name)
{
	const struct tree *found = tree_get(doc, name);

	return found != NULL && found->type == TREE_TEXT ? found->text : "";
}

const char *keep_detail(const struct ask_answer *answer, struct zl_arena *arena)
{
	const struct tree *doc = read_answer(answer, arena);
	const char *detail = text_of(doc, "detail");

	return zl_arena_format(arena, "%u%s%s", answer->status,
			       *detail != '\0' ? ": " : "", detail);
}

/* Is it our zone's, and from the authority that we trust? */
static enum zl_code check(const struct join *join, const char *chain, const char *roots,
			  struct zl_err *err)
{
	char fingerprint[PKI_FINGERPRINT];
	struct pki_facts facts;

	enum zl_code code = pki_fingerprint(roots, fingerprint, err);
	if (code == ZL_OK && strcmp(fingerprint, join->fingerprint) != 0)
		code = zl_fail(err, ZL_EINVAL,
			       "its authority is not the one we trust (%.16s, not %.16s)",
			       fingerprint, join->fingerprint);
	if (code == ZL_OK)
		code = pki_read(chain, &facts, err);
	if (code != ZL_OK)
		return code;
	const char *zone = pki_zone_of(facts.identity);
	if (zone == NULL || strcmp(zone, join->setup.zone) != 0)
		return zl_fail(err, ZL_EINVAL, "the certificate is for %s",
			       facts.identity);
	return ZL_OK;
}

/* Who may be global is written first: a certificate without it would be of no use. */
static enum zl_code keep(struct join *join, const char *chain, const char *roots,
			 struct zl_err *err)
{
	char *path = roots_path(join);
	struct pki_pair pair = { 0 };

	enum zl_code code = check(join, chain, roots, err);
	if (code == ZL_OK)
		code = pki_file_write(path, roots, strlen(roots), err);
	if (code == ZL_OK)
		code = pki_pair_keep(&join->place, chain, err);
	if (code == ZL_OK)
		code = pki_pair_load(&pair, &join->place, err);
	if (code == ZL_OK) {
		free(join->roots);
		join->roots = zl_strdup(roots);
		code = use_pair(join, &pair, err);
	}
	pki_pair_fini(&pair);
	free(path);
	return code;
}

enum zl_code keep_answer(struct join *join, const struct ask_answer *answer,
			 struct zl_err *err)
{
	struct zl_arena *arena = zl_arena_new();
	const struct tree *doc = read_answer(answer, arena);

	enum zl_code code =
		keep(join, text_of(doc, "certificate"), text_of(doc, "ca"), err);
	if (code != ZL_OK)
		zl_wrap(err, "global's answer");
	zl_arena_free(&arena);
	return code;
}
