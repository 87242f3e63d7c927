/* model/schema_access.h - what the files of MeshAccessLog and MeshTrafficPermission
 * share. Private to the room.
 *
 * Threads:  constant data; pure.
 */
#pragma once

#include "model/decode.h"

void check_log_json(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
void check_log_attribute(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);
void check_log_lines(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made);
void check_log_file(struct decode *dec, const struct tree *tree, const struct path *at,
		    const void *made);
void check_log_tcp(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made);
void check_log_telemetry(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made);
void check_log_backend(struct decode *dec, const struct tree *tree, const struct path *at,
		       const void *made);

void check_spiffe(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made);
void check_permission_lists(struct decode *dec, const struct tree *tree,
			    const struct path *at, const void *made);
