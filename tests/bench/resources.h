/* resources.h - what the benchmarks of pure rooms make their worlds of. */
#pragma once

#include "base/mem.h"
#include "model/resource.h"

#include <stdio.h>
#include <stdlib.h>

/* The resource of this JSON, which is freed; who gave none ends the program. */
static inline struct resource *bench_resource(struct zl_buf *json)
{
	struct resource *res = NULL;
	struct zl_err err = { 0 };

	if (resource_from_json(json->data, json->len, &res, &err) != ZL_OK) {
		(void)fprintf(stderr, "%s: %s\n", err.msg, zl_buf_text(json));
		exit(1);
	}
	zl_buf_free(json);
	return res;
}
