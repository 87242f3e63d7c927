/* model/key.h - the kinds and the identity of a resource.
 *
 * Identity = (kind, mesh, zone, namespace, name); parts that do not apply are "". zone is
 * the label kuma.io/zone of what a zone wrote, namespace the label k8s.kuma.io/namespace,
 * name the display name. Its text form is the KRI, its stored form the key bytes:
 *
 *     kind u8 | mesh | 0x00 | zone | 0x00 | namespace | 0x00 | name
 *
 * so that all of one kind, and of one kind and mesh, stand together in order. At most
 * ENTRY_KEY_MAX bytes, which validation ensures.
 *
 * Threads:  pure; the kind table is constant.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are stored; never change one. */
enum kind {
	KIND_NONE = 0,
	KIND_MESH = 1,
	KIND_ZONE = 2,
	KIND_DATAPLANE = 3,
	KIND_ZONE_INGRESS = 4,
	KIND_MESH_TCP_ROUTE = 5,
	KIND_SECRET = 6,
	KIND_MESH_SERVICE = 7,
	KIND_MESH_MULTI_ZONE_SERVICE = 8,
	KIND_MESH_EXTERNAL_SERVICE = 9,
	KIND_EXTERNAL_SERVICE = 10,
	KIND_MESH_HTTP_ROUTE = 11,
	KIND_TRAFFIC_ROUTE = 12,
	KIND_MESH_GATEWAY = 13,
	KIND_ZONE_EGRESS = 14,
	KIND_MESH_LOAD_BALANCING_STRATEGY = 15,
	KIND_MESH_TIMEOUT = 16,
	KIND_MESH_RETRY = 17,
	KIND_MESH_HEALTH_CHECK = 18,
	KIND_MESH_CIRCUIT_BREAKER = 19,
	KIND_MESH_ACCESS_LOG = 20,
	KIND_MESH_TRAFFIC_PERMISSION = 21,
	KIND_TIMEOUT = 22,
	KIND_RETRY = 23,
	KIND_HEALTH_CHECK = 24,
	KIND_CIRCUIT_BREAKER = 25,
	KIND_TRAFFIC_LOG = 26,
	KIND_TRAFFIC_PERMISSION = 27,
	KIND_END
};

enum kind_scope { SCOPE_GLOBAL, SCOPE_MESH };

enum kind_place { AT_GLOBAL = 1, IN_ZONE = 2 }; /* who may write it; a set */

struct kind_info {
	enum kind kind;
	enum kind_scope scope;
	const char *name;      /* "MeshTCPRoute" */
	const char *plural;    /* in API paths: "meshtcproutes" */
	const char *shorthand; /* in KRIs and on the command line: "mtcpr"; "" for none */
	unsigned places;       /* of kind_place */
	bool flat;             /* fields may stand beside name, instead of under spec */
	bool to_zones;         /* what global holds of it is replicated to zones */
	bool to_global;        /* what a zone writes of it is pushed to global */
	bool policy;           /* has targetRef and to, and so a role (spec 1.5) */
};

/* Never NULL for a kind below KIND_END other than KIND_NONE. */
const struct kind_info *kind_info(enum kind kind);
/* By exact name, by plural, or for people: any case of name, plural, singular or short
 * form. KIND_NONE: no such kind. */
enum kind kind_by_name(const char *name);
enum kind kind_by_plural(const char *plural);
enum kind kind_by_word(const char *word);
/* A ZoneIngress or a ZoneEgress: an Envoy of a zone, which its field zone names. */
bool kind_is_zone_proxy(enum kind kind);
/* MeshTimeout to MeshTrafficPermission: policies that attach to what routes make, whose
 * spec is a struct attached_spec. */
bool kind_attaches(enum kind kind);
/* Timeout to TrafficPermission: their legacy forms, whose spec is a struct legacy_spec.
 */
bool kind_is_legacy(enum kind kind);
/* True for a kind that Kuma has and Zonelink has not (D25). */
bool kind_is_foreign(const char *name);

struct key {
	enum kind kind;
	const char *mesh, *zone, *ns, *name; /* never NULL */
};

int key_compare(const struct key *a, const struct key *b); /* in order of key bytes */
void key_bytes(const struct key *key, struct zl_buf *out); /* appends */
/* Parts point into arena. ZL_ECORRUPT: no key. */
ZL_MUST_USE enum zl_code key_parse(const void *bytes, size_t len, struct zl_arena *arena,
				   struct key *key, struct zl_err *err);
/* kri_<short>_<mesh>_<zone>_<namespace>_<name>_<section>; appends. section may be "". */
void key_kri(const struct key *key, const char *section, struct zl_buf *out);
