/* ctl/paths.h - the API path of what people name.
 *
 * Threads:  one.  Lifetime: in ctl's arena.
 */
#pragma once

#include "ctl/ctl.h"
#include "model/key.h"

/* The kind of word ("mtcpr", "MeshTCPRoute", "meshtcproutes"...); KIND_NONE after a
 * message that lists the kinds. */
enum kind paths_kind(const char *word);
/* "meshtcproute/NAME", for people and for -o name. type: "MeshTCPRoute". */
const char *paths_label(const struct ctl *ctl, const char *type, const char *name);
/* /meshes/MESH/PLURAL[/NAME] or /PLURAL[/NAME]; name NULL: the list. Of one resource,
 * --zone and
 * --namespace are in the query. */
const char *paths_of(const struct ctl *ctl, enum kind kind, const char *name);
