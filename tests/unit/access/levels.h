/* Every route of an API with the role that it takes, as docs/reference/api.md has it: who
 * adds a route says here whom it is for. */
#pragma once

#include "http/http.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

struct level {
	const char *route; /* "GET /path" */
	enum http_access access;
};

static inline void levels_are(const struct http_route *routes, size_t count,
			      const struct level *levels, size_t level_count)
{
	char route[128];

	for (size_t i = 0; i < count; i++) {
		size_t k = 0;
		(void)snprintf(route, sizeof(route), "%s %s", routes[i].method,
			       routes[i].pattern);
		while (k < level_count && strcmp(levels[k].route, route) != 0)
			k++;
		if (k == level_count)
			fail_msg("%s has no level in this test", route);
		if (levels[k].access != routes[i].access)
			fail_msg("%s has another level than this test says", route);
	}
	assert_int_equal(count, level_count);
}
