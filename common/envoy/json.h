/* envoy/json.h - a config as people and tests read it: `simulate -o envoy`.
 *
 *     {"listeners":[...],"clusters":[...],"endpoints":[...],"extensions":[...]}
 *
 * and "routes" if there are any. Each list is sorted by name and holds the messages as
 * protobuf's JSON has them: lowerCamelCase, enums by name, what an Any holds beside its
 * "@type", Duration as "0.250s", wrappers as plain values, 64-bit integers as text, bytes
 * as base64, defaults left out. Secrets never appear.
 *
 * Threads:  pure.
 * Lifetime: nothing is kept.
 */
#pragma once

#include "base/mem.h"
#include "envoy/config.h"

/* Append config as JSON, indented by two spaces, with a newline at the end. Equal
 * configs give equal text. */
void envoy_config_json(const struct envoy_config *config, struct zl_buf *out);
