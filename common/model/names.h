/* model/names.h - which names, labels, tags and addresses may be written. Private.
 *
 * Each function returns NULL, or the text of the violation.
 *
 * Threads:  pure.
 */
#pragma once

#include <stdbool.h>

enum { MESH_NAME_MAX = 63, NAME_MAX_LEN = 253, LABEL_MAX = 63 };

const char *name_fault(const char *name);      /* spec 1.6: a DNS-1123 subdomain */
const char *name_fault_1035(const char *name); /* Zone and services */
const char *name_fault_mesh(const char *name); /* of a Mesh, or as "mesh" of others */
const char *name_fault_namespace(const char *name);
const char *name_fault_ref(const char *name); /* V21 */
const char *label_fault_key(const char *key);
const char *label_fault_value(const char *value);

/* V22 to V25. Keys first: a fault of the key is told before the value is looked at.
 * TAGS_SELECTOR takes slashes and "*" in values, TAGS_STAR "*" alone. */
enum tag_rule { TAGS_EXACT, TAGS_STAR, TAGS_SELECTOR };
const char *tag_fault_key(const char *key);
const char *tag_fault_value(const char *value, enum tag_rule rule);

bool name_is_dns(const char *text);            /* lower-case DNS name, at most 253 */
bool name_is_system_namespace(const char *ns); /* D19; also "" */
bool protocol_is_known(const char *protocol);  /* 0.3, any case */

/* A1 to A3. */
const char *address_fault(const char *address);
