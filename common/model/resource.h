/* model/resource.h - a typed resource, and how a document becomes one.
 *
 * The canonical form of a resource is the canonical JSON (tree_json) of its Universal
 * document: {"labels":{...},"mesh":"default","name":"x","spec":{...},"type":"T"}, with
 * the fields of flat kinds beside name, without defaults filled in, with the deprecated
 * aliases resolved. That is what is stored, hashed, replicated and shown.
 *
 * Threads:  holders may be on different threads (the count is atomic); content is
 *           immutable after resource_new.
 * Lifetime: counted.
 */
#pragma once

#include "model/key.h"
#include "model/labels.h"
#include "model/spec.h"
#include "model/tree.h"

enum origin { ORIGIN_GLOBAL, ORIGIN_ZONE };

struct resource {
	_Atomic unsigned holders;
	struct zl_arena *arena; /* owned; holds this struct and all below */
	struct key key;
	struct labels labels;
	enum origin origin;           /* from the label; absent = global */
	uint64_t mod_rev, create_rev; /* 0: not stored yet */
	uint64_t mod_wall_us;         /* only shown; 0: unknown */
	const char *json;             /* canonical form */
	size_t json_len;
	union {
		const void *spec;
		const struct mesh_spec *mesh;
		const struct zone_spec *zone;
		const struct dataplane_spec *dataplane;
		const struct zone_ingress_spec *ingress;
		const struct tcp_route_spec *tcp_route;
		const struct secret_spec *secret;
		const struct mesh_service_spec *mesh_service;
		const struct multi_zone_spec *multi_zone;
		const struct mesh_external_spec *mesh_external;
		const struct external_spec *external;
		const struct http_route_spec *http_route;
		const struct traffic_route_spec *traffic_route;
		const struct mesh_gateway_spec *gateway;
		const struct zone_egress_spec *egress;
		const struct balancing_spec *balancing;
		const struct attached_spec *attached; /* kind_attaches */
		const struct legacy_spec *legacy;     /* kind_is_legacy */
	};
};

/* ---- findings ---- */
struct finding {
	size_t document;         /* from 1; 0: not from a stream */
	const char *file;        /* "" */
	const char *kind, *name; /* "" where unknown */
	const char *field, *reason;
	unsigned line, column; /* 0: unknown */
};

struct findings {
	struct zl_arena *arena;     /* borrowed; texts are copied into it */
	struct finding *violations; /* owned by arena */
	size_t violation_count, violation_room;
	struct finding *warnings;
	size_t warning_count, warning_room;
	struct finding at; /* document, file, kind, name put on each new one */
};

struct findings findings_in(struct zl_arena *arena);
void findings_violation(struct findings *to, const char *field, const struct tree *where,
			const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void findings_warning(struct findings *to, const char *field, const struct tree *where,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* ---- making ---- */
enum writer { WRITER_ANY, WRITER_GLOBAL, WRITER_ZONE };

struct resource_rules {
	enum writer
		writer;   /* whose origin, zone and place rules hold; ANY: syntax only */
	const char *zone; /* of WRITER_ZONE; "" otherwise */
	const char *want_mesh; /* from the URL, NULL: not checked */
	const char *want_name;
	enum kind want_kind; /* KIND_NONE: not checked */
	bool alone; /* of WRITER_ZONE: no global, so it may write what global writes */
};

/* NULL, or why this writer may not write this kind, in arena: "kind Mesh is written at
 * global", "kind Dataplane is written in a zone". resource_from_doc tells it too. */
char *kind_place_violation(struct zl_arena *arena, enum kind kind, enum writer writer);

/* Check doc (either form) completely and make the resource; all violations and warnings
 * are added to found, in the order of spec 2.4. Returns NULL if there was a violation.
 * The caller holds the result. With WRITER_GLOBAL and WRITER_ZONE the labels
 * kuma.io/origin, kuma.io/zone, kuma.io/display-name and kuma.io/policy-role are set as
 * spec 1.4 and D36 say. */
struct resource *resource_from_doc(const struct tree *doc,
				   const struct resource_rules *rules,
				   struct findings *found);

/* From canonical JSON that was checked when it was written: store, replication. Unknown
 * fields are kept in json and otherwise ignored. ZL_EINVAL: not understood; key tells
 * what it should be. */
ZL_MUST_USE enum zl_code resource_from_json(const void *json, size_t len,
					    struct resource **out, struct zl_err *err);

/* A copy with labels set (value NULL: removed); canonical form and key follow. */
struct resource *resource_relabel(const struct resource *from, const struct label *set,
				  size_t count);

/* Kinds whose status is kept with them: Zone, MeshService, MeshMultiZoneService,
 * MeshExternalService. What a client writes there is dropped, so it is the control
 * plane's own word. */
bool kind_keeps_status(enum kind kind);

/* A copy of such a resource with this status, or without one (NULL). */
struct resource *resource_with_status(const struct resource *from, struct tree *status);

/* A copy of a Zone with this status; none for ZONE_ONLINE. */
struct resource *zone_with_condition(const struct resource *zone,
				     enum zone_condition condition, const char *since);

struct resource *resource_hold(const struct resource *res);
void resource_drop(struct resource **resp); /* sets *resp to NULL; accepts NULL */

/* The canonical document as a tree in arena, for printing. */
struct tree *resource_tree(const struct resource *res, struct zl_arena *arena);
