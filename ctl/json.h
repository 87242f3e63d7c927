/* ctl/json.h - looking into answers, whatever they hold.
 *
 * Threads:  pure.  Lifetime: of the tree.
 */
#pragma once

#include "model/tree.h"

/* The member as text: a text, or a number as written; "" if there is none. */
const char *json_text(const struct tree *map, const char *key);
/* The same, NULL if there is none. */
const char *json_find(const struct tree *map, const char *key);
bool json_true(const struct tree *map, const char *key);
/* The member if it is a list, else an empty one. */
const struct tree *json_list(const struct tree *map, const char *key);
