/* model/source.h - certificates and keys in documents (DataSource of kinds-spec 0.3), for
 * every kind that has them. Private to the room.
 *
 * Each schema fills a struct data_source and checks it where it stands:
 *
 *     { .name = "caCert", .type = FIELD_OBJECT, .sub = &SOURCE_SCHEMA, STORED(...) }
 *     { .name = "certificates", .type = FIELD_LIST, .sub = &SOURCE_SCHEMA, STORED(...) }
 *
 * An absent source has neither secret nor text.
 *
 * Threads:  pure.
 */
#pragma once

#include "model/decode.h"

extern const struct schema SOURCE_SCHEMA;
/* Of a mTLS backend of a Mesh, which checks it itself: by its type. */
extern const struct schema CA_SOURCE_SCHEMA;

/* Exactly one of secret, inline and inlineString; none is the text for that. */
void check_one_source(struct decode *dec, const struct tree *tree, const struct path *at,
		      const char *none);

/* False: it has no content and names no Secret. */
bool source_is_given(const struct data_source *source);
