/* analyze/analysis.h - one run: what is looked at, and what was found.
 *
 * Threads:  pure.
 * Lifetime: in the arena of the run.
 */
#pragma once

#include "analyze/rules.h"
#include "inventory/objects.h"
#include "model/conf.h"
#include "policy/policy.h"

/* The set with the eyes of one zone. */
struct view {
	const char *zone; /* "": a zone that is not named */
	struct inventory *inventory;
	struct policy_index *index;
};

struct analysis {
	const struct set *set; /* with what zones derive */
	struct set *derived;   /* the same; NULL: they derive nothing */
	struct zl_arena *arena;
	struct view *views; /* at least one */
	size_t view_count;
	bool blind; /* see struct analyze_result */
	struct analyze_finding *found;
	size_t count, room;
};

/* Where a finding stands, and what its texts name. */
struct spot {
	const struct resource *res;
	const char *field;
	const char *name; /* for {} in the fix */
	const char *near; /* what was meant, perhaps; NULL: nobody knows */
};

/* Add a finding; fmt makes its what. */
void analysis_add(struct analysis *at, enum rule rule, const struct spot *spot,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* list with name, unless it is in it: "a, b". In the arena of the run. */
const char *analysis_join(struct analysis *at, const char *list, const char *name);

/* ---- what is offered: views.c ---- */
void views_open(struct analysis *at, const char *zone);
void views_close(struct analysis *at);

/* True if some view knows the service. */
bool views_know(const struct analysis *at, const char *mesh, const char *service);
/* True if somebody offers the service with all of tags, in whatever state. */
bool views_offer(const struct analysis *at, const char *mesh, const char *service,
		 struct labels tags);
/* The disabled zone whose ingress lists the service, or NULL. */
const char *views_disabled(const struct analysis *at, const char *mesh,
			   const char *service);
/* The known service whose name looks most like this one, or NULL. */
const char *views_nearest(const struct analysis *at, const char *mesh,
			  const char *service);
/* The endpoints that a zone has for a service and tags, counted. */
struct reach {
	size_t local, remote;
};
struct reach view_reach(const struct view *view, const char *mesh, const char *service,
			struct labels tags);

/* The object that a ref means, in the first zone that finds it with its port. */
struct meant {
	const struct resource *object; /* NULL: none */
	bool has_port;
	struct object_port port;
	size_t candidates; /* by labels */
};
/* The kind of object that refs of this kind mean; KIND_NONE: none. */
enum kind object_kind_of(enum ref_kind kind);
/* ns: where a ref without a namespace looks; "": anywhere. */
struct meant views_object(const struct analysis *at, const char *mesh, const char *ns,
			  const struct target_ref *ref);
struct reach view_object_reach(const struct analysis *at, const struct view *view,
			       const struct meant *meant);

/* ---- the checks ---- */
/* Tell of the label by which it configures nothing. */
void analyze_shadow(struct analysis *at, const struct resource *policy);
void analyze_references(struct analysis *at, const struct resource *route);
void analyze_standings(struct analysis *at);
/* Outbound number i of proxy, which no list of a route leads elsewhere. */
void analyze_outbound(struct analysis *at, const struct resource *proxy, size_t i);
void analyze_services(struct analysis *at);
void analyze_objects(struct analysis *at);
void analyze_zones(struct analysis *at);
/* What a TrafficRoute refers to. */
void analyze_traffic_references(struct analysis *at, const struct resource *route);

/* ---- references: check_references.c ---- */

/* One reference of a policy, and where it stands. */
struct reference {
	const struct resource *route;
	const struct target_ref *ref;
	const char *field; /* its path */
	bool whole;        /* findings name no member of it: it is written otherwise */
};
/* A list of backendRefs at field; items are at field[i]. */
struct ref_list {
	const struct resource *route;
	const char *field;
	const struct backend_ref *refs;
	size_t count;
	bool whole; /* as of its references */
};
void analyze_list(struct analysis *at, const struct ref_list *list);

/* ---- what became of TrafficRoutes: check_traffic.c ---- */
struct carried {
	const struct resource *route;
	size_t outbounds, lost;           /* that it is about */
	const char *services;             /* those of outbounds; "" */
	const struct resource *successor; /* a policy that has one of lost */
};
/* Look at what routes, of a proxy that route selects, make of it. */
void carried_count(struct analysis *at, struct carried *carried,
		   const struct routes *routes);
void carried_tell(struct analysis *at, const struct carried *carried);

/* ---- policies that attach to routes: check_attached.c ---- */
enum { ATTACHMENT_OWNERS = 8 };

/* Where one that is selected, and its legacy form, is in effect. */
struct attachment {
	const struct resource *policy;
	size_t about;   /* outbounds and listeners that it may have a say on */
	size_t applied; /* fields at all places */
	struct attachment_lost {
		const char *owner; /* of outbounds that a legacy policy does not reach */
		const char *services; /* their destinations */
		size_t outbounds;
	} lost[ATTACHMENT_OWNERS];
	size_t lost_count;
};
/* Look at what routes, of a proxy that the policy selects, make of it. */
void attachment_count(struct analysis *at, struct attachment *attachment,
		      const struct routes *routes);
void attachment_tell(struct analysis *at, const struct attachment *attachment);
/* Files that two access logs of a proxy write to. */
void attached_files(struct analysis *at, const struct routes *routes);
/* What the policies need of their meshes, and meshes of them. */
void analyze_attached(struct analysis *at);
