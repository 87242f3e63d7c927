/* policy/leads.h - all that was looked up to resolve a proxy, so that a change of what it
 * leads to is told from any other.
 *
 * One record after the other, each a letter and texts with a NUL behind them; KIND is a
 * byte:
 *
 *     s SERVICE                      a tag service
 *     n KIND NAMESPACE NAME          objects of a name
 *     l KIND KEY VALUE KEY ... ""    objects with labels
 *     o KIND ZONE NAMESPACE NAME     what an object offers
 *     e                              the egresses of the zone; always the last one
 *
 * Threads:  pure.
 * Lifetime: leads_free ends it.
 */
#pragma once

#include "inventory/inventory.h"

enum lead { LEAD_SERVICE, LEAD_NAME, LEAD_LABELS, LEAD_OBJECT, LEAD_END };

struct leads {
	struct zl_buf text;
	struct {
		size_t start, len;
	} last[LEAD_END]; /* the last record of each sort */
};

void leads_to_service(struct leads *leads, const char *service);
void leads_to_name(struct leads *leads, enum kind kind, const char *ns, const char *name);
void leads_to_labels(struct leads *leads, enum kind kind, struct labels want);
void leads_to_object(struct leads *leads, const struct key *object);
void leads_to_egresses(struct leads *leads); /* after all others */
void leads_free(struct leads *leads);

/* True if the egresses are among it. */
bool leads_have_egresses(const struct zl_buf *text);

/* True if all of it, in mesh, is the same in both inventories: cheap, and never true when
 * it is not. */
bool leads_endure(const struct zl_buf *text, const char *mesh,
		  const struct inventory *before, const struct inventory *after);
