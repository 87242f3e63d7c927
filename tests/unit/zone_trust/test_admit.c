/* Whose token opens which configuration. */
#include "zone/proxies/admit.h"

#include "base/clock.h"
#include "loop/loop.h"
#include "pki/vault.h"
#include "support/tmp.h"
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>

/* The Dataplanes of east, and two ids that two meshes could claim. */
static const char DOCUMENTS[] =
	"{type: Dataplane, mesh: default, name: web-01, networking: {address: 10.0.0.1, "
	"inbound: [{port: 80, tags: {kuma.io/service: web}}, {port: 81, tags: "
	"{kuma.io/service: web-admin}}]}}\n---\n"
	"{type: Dataplane, mesh: default, name: db-01, networking: {address: 10.0.0.2, "
	"inbound: [{port: 80, tags: {kuma.io/service: db}}]}}\n---\n"
	"{type: Dataplane, mesh: other, name: web-01, networking: {address: 10.0.0.3, "
	"inbound: [{port: 80, tags: {kuma.io/service: web}}]}}\n---\n"
	"{type: Dataplane, mesh: default, name: edge-01, networking: {address: 10.0.0.4, "
	"gateway: {type: BUILTIN, tags: {kuma.io/service: edge}}}}\n---\n"
	"{type: Dataplane, mesh: a, name: b.c, networking: {address: 10.0.0.5, inbound: "
	"[{port: 80, tags: {kuma.io/service: abc}}]}}\n---\n"
	"{type: ZoneIngress, name: in-1, networking: {address: 10.0.0.9, port: 10001}}\n"
	"---\n{type: ZoneIngress, name: default.in-3, networking: {address: 10.0.0.9, "
	"port: 10003}}\n---\n"
	"{type: ZoneEgress, name: out-1, networking: {address: 10.0.0.9, port: 10002}}\n";

struct fixture {
	struct tmp tmp;
	struct loop *loop;
	struct trust *trust;
	struct world world;
	struct zl_err err;
};

static struct trust *trust_of(const struct fixture *f, const char *folder,
			      const char *zone)
{
	char *path = zl_strdup(tmp_path(&f->tmp, folder));
	const struct trust_setup setup = {
		.loop = f->loop, .folder = path, .zone = zone, .certificate_s = 3600
	};
	struct trust *trust;
	struct zl_err err = { 0 };

	if (trust_open(&trust, &setup, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	free(path);
	return trust;
}

static int setup(void **state)
{
	struct fixture *f = zl_alloc(1, sizeof(*f));

	tmp_make(&f->tmp);
	assert_int_equal(loop_open(&f->loop, NULL), ZL_OK);
	f->trust = trust_of(f, "pki", "east");
	f->world = world_of(DOCUMENTS, "", NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	world_end(&f->world);
	trust_close(&f->trust);
	loop_close(&f->loop);
	tmp_remove(&f->tmp);
	free(f);
	return 0;
}

static char *token_by(const struct trust *trust, struct pki_claims claims)
{
	char *token;

	assert_int_equal(trust_token(trust, &claims, 60, &token, NULL, NULL), ZL_OK);
	return token;
}

static const struct resource *registered_of(const struct fixture *f, const char *id)
{
	static const enum kind KINDS[] = { KIND_DATAPLANE, KIND_ZONE_INGRESS,
					   KIND_ZONE_EGRESS };
	char own[256];

	for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
		struct set_iter iter = set_each(f->world.set, KINDS[i], NULL);
		const struct resource *res;

		while ((res = set_next(&iter)) != NULL) {
			(void)snprintf(own, sizeof(own), "%s%s%s", res->key.mesh,
				       i == 0 ? "." : "", res->key.name);
			if (strcmp(own, id) == 0)
				return res;
		}
	}
	return NULL;
}

static enum xds_verdict come(struct fixture *f, const char *id, const char *token)
{
	const struct xds_stranger who = { .proxy = id, .cluster = "", .token = token };

	f->err = (struct zl_err){ 0 };
	return admit(f->trust, &who, id != NULL ? registered_of(f, id) : NULL, &f->err);
}

#define DATAPLANE(m, n, s)    \
	((struct pki_claims){ \
		.kind = PKI_TOKEN_DATAPLANE, .mesh = (m), .name = (n), .service = (s) })
#define ZONE_PROXY(p, n) \
	((struct pki_claims){ .kind = PKI_TOKEN_ZONE_PROXY, .proxy = (p), .name = (n) })

/* clang-format off */
static const struct pair {
	struct pki_claims claims;
	const char *id;
	enum trust_reason reason;
} PAIRS[] = {
	{ DATAPLANE("default", "web-01", ""),    "default.web-01",  TRUST_ADMITTED },
	{ DATAPLANE("default", "web-01", ""),    "default.db-01",   TRUST_WRONG_PROXY },
	{ DATAPLANE("default", "web-01", ""),    "other.web-01",    TRUST_WRONG_PROXY },
	{ DATAPLANE("default", "web-01", ""),    "in-1",            TRUST_WRONG_KIND },
	{ DATAPLANE("default", "web", ""),       "default.web-01",  TRUST_WRONG_PROXY },
	{ DATAPLANE("default", "", "web"),       "default.web-01",  TRUST_ADMITTED },
	{ DATAPLANE("default", "", "web-admin"), "default.web-01",  TRUST_ADMITTED },
	{ DATAPLANE("default", "", "edge"),      "default.edge-01", TRUST_ADMITTED },
	{ DATAPLANE("default", "", "web"),       "default.db-01",   TRUST_WRONG_PROXY },
	{ DATAPLANE("default", "", "web"),       "other.web-01",    TRUST_WRONG_PROXY },
	{ DATAPLANE("other", "", "web"),         "other.web-01",    TRUST_ADMITTED },
	{ DATAPLANE("default", "", "web"),       "default.new-01",  TRUST_UNKNOWN_PROXY },
	{ DATAPLANE("default", "new-01", ""),    "default.new-01",  TRUST_ADMITTED },
	{ DATAPLANE("default", "", ""),          "default.web-01",  TRUST_WRONG_PROXY },
	{ DATAPLANE("a", "b.c", ""),             "a.b.c",           TRUST_ADMITTED },
	{ DATAPLANE("a.b", "c", ""),             "a.b.c",           TRUST_WRONG_PROXY },
	{ DATAPLANE("x", "y.z", ""),             "x.y.z",           TRUST_UNKNOWN_PROXY },
	{ ZONE_PROXY("ingress", "in-1"),         "in-1",            TRUST_ADMITTED },
	{ ZONE_PROXY("ingress", ""),             "in-1",            TRUST_ADMITTED },
	{ ZONE_PROXY("ingress", "in-2"),         "in-1",            TRUST_WRONG_PROXY },
	{ ZONE_PROXY("egress", ""),              "in-1",            TRUST_WRONG_PROXY },
	{ ZONE_PROXY("ingress", ""),             "in-2",            TRUST_UNKNOWN_PROXY },
	{ ZONE_PROXY("ingress", ""),             "default.web-01",  TRUST_WRONG_KIND },
	{ ZONE_PROXY("ingress", "in-1"),         "default.in-1",    TRUST_WRONG_KIND },
	{ ZONE_PROXY("ingress", "default.in-3"), "default.in-3",    TRUST_ADMITTED },
	{ DATAPLANE("default", "in-3", ""),      "default.in-3",    TRUST_WRONG_KIND },
	{ ZONE_PROXY("egress", "out-1"),         "out-1",           TRUST_ADMITTED },
	{ ZONE_PROXY("egress", ""),              "out-1",           TRUST_ADMITTED },
	{ ZONE_PROXY("ingress", "out-1"),        "out-1",           TRUST_WRONG_PROXY },
	{ DATAPLANE("default", "web-01", ""),    NULL,              TRUST_ADMITTED },
	{ ZONE_PROXY("ingress", ""),             NULL,              TRUST_ADMITTED },
	{ { .kind = PKI_TOKEN_USER, .name = "web-01", .role = "admin" },
	                                         "default.web-01",  TRUST_BAD_TOKEN },
	{ { .kind = PKI_TOKEN_JOIN },            NULL,              TRUST_BAD_TOKEN },
};
/* clang-format on */

static void each_token_opens_what_it_is_for(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(PAIRS); i++) {
		const struct pair *pair = &PAIRS[i];
		uint64_t before[TRUST_REASONS + 1];
		char *token = token_by(f->trust, pair->claims);

		memcpy(before, trust_counts(f->trust), sizeof(uint64_t) * TRUST_REASONS);
		enum xds_verdict verdict = come(f, pair->id, token);
		if ((verdict == XDS_ADMITTED) != (pair->reason == TRUST_ADMITTED))
			fail_msg("pair %zu: verdict %d, %s", i, (int)verdict, f->err.msg);
		if (pair->reason != TRUST_ADMITTED) {
			if (trust_counts(f->trust)[pair->reason] !=
			    before[pair->reason] + 1)
				fail_msg("pair %zu: not for %s but: %s", i,
					 trust_reason_name(pair->reason), f->err.msg);
			assert_string_not_equal(f->err.msg, "");
			assert_int_equal(verdict, pair->reason == TRUST_BAD_TOKEN
							  ? XDS_NOT_KNOWN
							  : XDS_NOT_ALLOWED);
		}
		free(token);
	}
}

static void what_is_no_token_opens_nothing(void **state)
{
	struct fixture *f = *state;
	const uint64_t *counts = trust_counts(f->trust);
	struct trust *other = trust_of(f, "other", "east");
	char *token = token_by(other, DATAPLANE("default", "web-01", ""));

	assert_int_equal(come(f, "default.web-01", NULL), XDS_NOT_KNOWN);
	assert_int_equal(come(f, "default.web-01", ""), XDS_NOT_KNOWN);
	assert_int_equal(come(f, NULL, NULL), XDS_NOT_KNOWN);
	assert_int_equal(counts[TRUST_NO_TOKEN], 3);
	assert_int_equal(come(f, "default.web-01", "a.b.c"), XDS_NOT_KNOWN);
	assert_int_equal(come(f, "default.web-01", token), XDS_NOT_KNOWN);
	assert_int_equal(counts[TRUST_BAD_TOKEN], 2);
	free(token);
	trust_close(&other);
}

/* A zone that was renamed, or whose folder was copied: the same keys, another zone. */
static void another_zones_token_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct trust *west = trust_of(f, "pki", "west");
	char *token = token_by(west, DATAPLANE("default", "web-01", ""));

	assert_int_equal(come(f, "default.web-01", token), XDS_NOT_ALLOWED);
	assert_int_equal(trust_counts(f->trust)[TRUST_WRONG_ZONE], 1);
	free(token);
	trust_close(&west);
}

static void its_time_ends_a_token(void **state)
{
	struct fixture *f = *state;
	struct pki_claims claims = DATAPLANE("default", "web-01", "");
	char *token;

	assert_int_equal(trust_token(f->trust, &claims, 1, &token, NULL, NULL), ZL_OK);
	uint64_t end = zl_now_ms() + 5000;
	while (come(f, "default.web-01", token) == XDS_ADMITTED && zl_now_ms() < end)
		;
	assert_int_equal(come(f, "default.web-01", token), XDS_NOT_KNOWN);
	assert_non_null(strstr(f->err.msg, "expired"));
	assert_int_equal(trust_counts(f->trust)[TRUST_EXPIRED], 2);
	assert_int_equal(trust_counts(f->trust)[TRUST_BAD_TOKEN], 0);
	free(token);
}

static bool is_revoked(void *owner, const char *id)
{
	return strcmp(owner, id) == 0;
}

static void a_token_can_be_taken_back(void **state)
{
	struct fixture *f = *state;
	struct pki_claims claims = DATAPLANE("default", "web-01", "");
	char id[PKI_TOKEN_ID];
	char *token;

	assert_int_equal(trust_token(f->trust, &claims, 60, &token, id, NULL), ZL_OK);
	trust_revoked(f->trust, is_revoked, "0123");
	assert_int_equal(come(f, "default.web-01", token), XDS_ADMITTED);
	trust_revoked(f->trust, is_revoked, id);
	assert_int_equal(come(f, "default.web-01", token), XDS_NOT_KNOWN);
	assert_int_equal(trust_counts(f->trust)[TRUST_REVOKED], 1);
	free(token);
}

static void a_unix_socket_needs_no_token(void **state)
{
	struct fixture *f = *state;
	const struct xds_stranger who = { .proxy = "default.web-01", .is_local = true };

	assert_int_equal(admit(f->trust, &who, NULL, NULL), XDS_ADMITTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_token_opens_what_it_is_for),
		TEST(what_is_no_token_opens_nothing),
		TEST(another_zones_token_opens_nothing),
		TEST(its_time_ends_a_token),
		TEST(a_token_can_be_taken_back),
		TEST(a_unix_socket_needs_no_token),
	};

	return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
