/* policy/effect.h - which fields of policies that attach to routes have an effect where
 * (the tables of policies-spec 2), and the settings that they make there.
 *
 * Threads:  pure.
 * Lifetime: in the arena of resolving.
 */
#pragma once

#include "policy/merge.h"
#include "policy/target.h"

/* The kinds that make settings: all of kind_attaches but permissions. */
enum { ATTACHED_KINDS = KIND_MESH_ACCESS_LOG - KIND_MESH_TIMEOUT + 1 };
enum kind attached_kind(size_t index);

enum place { PLACE_LISTENER, PLACE_ROUTE, PLACE_CLUSTER, PLACE_INBOUND };

/* How traffic is carried at a place. */
struct use {
	enum place place;
	bool tcp, http;       /* as connections; request by request. A cluster: or both */
	const char *protocol; /* of the service */
	bool one_way;         /* of a listener: all connections go to one cluster */
};

/* What policies of one kind say at a place. */
struct said {
	const struct merged *merged; /* NULL: nothing */
	enum setting_source source;
	const char *from; /* inherited: from whom; else "" */
};

/* QUIET: it is needed there for the effect that it has elsewhere, or switches something
 * off that is not there. */
enum effect { EFFECT_NONE, EFFECT_QUIET, EFFECT_SHOWN };

/* What the field of what is said of kind does there. */
enum effect effect_of(enum kind kind, const char *field, const struct merged *merged,
		      const struct use *use);

/* The settings of a place of what is said per attached_kind; NULL: none. Notes which
 * leaves are used, and warns of those that people will be surprised by. */
const struct settings *effect_settings(struct resolving *at,
				       const struct said said[ATTACHED_KINDS],
				       const struct use *use);

/* Warn of the field of a policy: reason says why. */
void effect_warn(struct resolving *at, const struct leaf *leaf, const char *field,
		 const char *reason);
