/* model/checks.h - what the checks of several kinds share. Private to the room.
 *
 * Threads:  pure.
 */
#pragma once

#include "model/decode.h"
#include "model/names.h"

/* V22 to V25 over sorted tags; tree and at are the map. */
void check_tags(struct decode *dec, const struct tree *tree, struct labels tags,
		const struct path *at, enum tag_rule rule);
/* T1 to T7 for the tags of an instance, an inbound or an outbound: member `tags` of at.
 */
void check_service_tags(struct decode *dec, const struct tree *tree, struct labels tags,
			const struct path *at);
/* T5: kuma.io/service must be among the tags, member `tags` of at. inbound: with the text
 * for those. */
void check_has_service(struct decode *dec, const struct tree *tree, const struct path *at,
		       struct labels tags, bool inbound);
/* Tell reason at field of at if number (NULL: absent) is not within min and max; a wrong
 * type was told already. */
void check_range(struct decode *dec, const struct path *at, const struct tree *object,
		 const char *field, int64_t min, int64_t max, const char *reason);
/* The texts of P1 and D20. */
#define PORT_TEXT "port must be in the range [1, 65535]"
#define PORT_TEXT_D20 "must be in inclusive range [1, 65535]"
/* True if field of tree is there with a wrong type, which was told already. */
bool is_mistyped(const struct tree *tree, const char *field, enum tree_type want);

/* D20: the sum of the weights of list, which is field of at; an absent weight is 1. none:
 * the warning for a sum of 0, NULL for none. */
void check_weights(struct decode *dec, const struct tree *list, const struct path *at,
		   const char *field, const char *none);

/* T2 to T6 for the map field of object, which decoded into tags. SERVICE: kuma.io/service
 * is needed; ONLY_SERVICE: and nothing else; PLAIN: tags of a gateway, without those that
 * a Dataplane has. ANY: at least one tag. */
enum selector_rule {
	SELECTOR_SERVICE,
	SELECTOR_ONLY_SERVICE,
	SELECTOR_PLAIN,
	SELECTOR_ANY
};
void check_selector(struct decode *dec, const struct tree *object, const char *field,
		    struct labels tags, const struct path *at, enum selector_rule rule);
/* Tell reason at field if the list field of object is absent or empty. */
void check_filled(struct decode *dec, const struct tree *object, const struct path *at,
		  const char *field, const char *reason);
/* A name that Envoy takes for a header. */
bool header_name_is_valid(const char *name);
/* What MeshRetry's http.retryOn may name. */
bool retry_on_is_known(const char *text);
