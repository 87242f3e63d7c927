/* ctl/files.h - the documents of -f: read, checked, made into resources.
 *
 * Threads:  one.
 * Lifetime: all in ctl's arena; resources are held by the list.
 */
#pragma once

#include "ctl/ctl.h"
#include "model/resource.h"

struct files_item {
	const char *file;
	size_t document; /* place in its file, from 1 */
	const struct tree *doc;
	struct resource *res; /* NULL: it has a violation */
};

struct files {
	struct files_item *items;
	size_t count, room;
	struct findings found;
	bool unreadable; /* a file could not be read, or its syntax is wrong */
};

/* What a resource counts as, held; for files that are seen with the eyes of a zone. */
typedef struct resource *files_adopt_fn(const struct ctl *ctl,
					const struct resource *res);
/* Such a one, for --zone: what does not say otherwise is the zone's own, a Dataplane as
 * well as a ZoneIngress. */
struct resource *files_as_own(const struct ctl *ctl, const struct resource *res);

/* Read every file of ctl->files: a file, a folder (its *.yaml, *.yml and *.json, sorted,
 * not those below), or "-" for standard input. What cannot be read is named on standard
 * error. rules as in resource_from_doc; adopt may be NULL; a second document of one
 * identity is a violation. Violations and warnings end up sorted by file and document. */
void files_read(struct ctl *ctl, const struct resource_rules *rules,
		files_adopt_fn *adopt, struct files *files);
void files_drop(struct files *files);

/* CTL_UNREADABLE, CTL_INVALID or CTL_OK, as the contract of `validate` says. */
enum ctl_exit files_exit(const struct files *files);

/* Violations and warnings for people, on standard output. */
void files_print_findings(const struct files *files, bool warnings_too);
/* The same as {"valid", "violations", "warnings"}. */
struct tree *files_findings_tree(const struct ctl *ctl, const struct files *files);
