/* Secret: kinds-spec 14. */
#include "model/schemas.h"

#include "base/base64.h"

#include <string.h>

static const struct field SECRET[] = {
	{ .name = "data",
	  .type = FIELD_TEXT,
	  STORED(secret_spec, data),
	  .doc = "The content in base64 (standard alphabet, padded), at most 64 KiB. It "
		 "is "
		 "kept encrypted and shown to administrators alone.",
	  .example = "LS0tLS1CRUdJTi4uLg==" },
	/* In place of data, in what is stored. */
	{ .name = "version",
	  .type = FIELD_TEXT,
	  STORED(secret_spec, version),
	  .flags = F_HIDDEN,
	  .doc = "Which content it is; made by the control plane." },
};

void check_secret(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made)
{
	const struct secret_spec *spec = made;
	const struct tree *data = tree_get(tree, "data");
	const char *field = dec->k8s ? "data.value" : "data";
	struct zl_buf content = { 0 };

	if (data == NULL)
		decode_bad(dec, at, field, tree, "must be defined");
	else if (data->type != TREE_TEXT)
		return; /* told */
	else if (zl_base64_read(spec->data, strlen(spec->data), &content, NULL) != ZL_OK)
		decode_bad(dec, at, field, data, "must be base64");
	else if (content.len > SECRET_BYTES_MAX)
		decode_bad(dec, at, field, data, "must not be larger than %d bytes",
			   SECRET_BYTES_MAX);
	zl_buf_free(&content);
}

const struct schema SCHEMA_SECRET = { .name = "Secret",
				      .size = sizeof(struct secret_spec),
				      FIELDS(SECRET),
				      .check = check_secret };
