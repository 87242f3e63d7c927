#include "model/schema_access.h"
#include "model/schema_attached.h"

#include <string.h>

static const char *const ACTIONS[] = { [ACTION_ALLOW] = "Allow",
				       [ACTION_DENY] = "Deny",
				       [ACTION_SHADOW_DENY] = "AllowWithShadowDeny",
				       NULL };
static const char *const NAME_TYPES[] = { "Exact", "Prefix", NULL };

/* ---- from: an action ---- */
static const struct field ACTION[] = {
	{ .name = "action",
	  .type = FIELD_ENUM,
	  STORED(permission_conf, action),
	  .flags = F_REQUIRED,
	  .values = ACTIONS,
	  .doc = "Allow, Deny, or AllowWithShadowDeny: let in, and counted as what would "
		 "be denied.",
	  .example = "Allow" },
};

/* What is not understood lets nobody in. */
static void finish_action(struct decode *dec, const struct tree *tree, void *made)
{
	struct permission_conf *conf = made;
	const struct tree *action = tree_get(tree, "action");

	(void)dec;
	if (action == NULL || action->type != TREE_TEXT ||
	    strcmp(action->text, ACTIONS[conf->action]) != 0)
		conf->action = ACTION_DENY;
}

const struct schema ACTION_DEFAULT_SCHEMA = { .name = "PermissionAction",
					      .size = sizeof(struct permission_conf),
					      FIELDS(ACTION),
					      .finish = finish_action };

/* ---- rules: lists of SPIFFE ids ---- */
static const struct field SPIFFE[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  .flags = F_REQUIRED | F_UNSTORED,
	  .values = NAME_TYPES,
	  .doc = "Exact, or Prefix: all that begin so.",
	  .example = "Exact" },
	{ .name = "value",
	  .type = FIELD_TEXT,
	  STORED(expected_name, value),
	  .doc = "spiffe://MESH/SERVICE; a Prefix should end in a slash.",
	  .example = "spiffe://default/web" },
};

static void finish_spiffe(struct decode *dec, const struct tree *tree, void *made)
{
	struct expected_name *name = made;
	const struct tree *type = tree_get(tree, "type");

	(void)dec;
	name->prefix = type != NULL && type->type == TREE_TEXT &&
		       strcmp(type->text, "Prefix") == 0;
}

static const struct schema SPIFFE_SCHEMA = { .name = "SpiffeID",
					     .size = sizeof(struct expected_name),
					     FIELDS(SPIFFE),
					     .finish = finish_spiffe,
					     .check = check_spiffe };

static const struct field MATCH[] = {
	{ .name = "spiffeID",
	  .type = FIELD_OBJECT,
	  .sub = &SPIFFE_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "What the client's certificate says." },
};
static const struct schema MATCH_SCHEMA = { .name = "PermissionMatch",
					    .size = sizeof(struct expected_name),
					    FIELDS(MATCH) };

static const struct field LISTS[] = {
	{ .name = "allow",
	  .type = FIELD_LIST,
	  .sub = &MATCH_SCHEMA,
	  STORED(permission_conf, allow),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "Clients that are let in." },
	{ .name = "allowWithShadowDeny",
	  .type = FIELD_LIST,
	  .sub = &MATCH_SCHEMA,
	  STORED(permission_conf, shadow),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "Clients that are let in, and counted as what would be denied." },
	{ .name = "deny",
	  .type = FIELD_LIST,
	  .sub = &MATCH_SCHEMA,
	  STORED(permission_conf, deny),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "Clients that are kept out, whatever any other policy allows." },
};
/* They are no action; where they were taken for one, nobody is let in. */
static void finish_lists(struct decode *dec, const struct tree *tree, void *made)
{
	struct permission_conf *conf = made;

	(void)dec;
	(void)tree;
	conf->action = ACTION_DENY;
}

const struct schema PERMISSION_DEFAULT_SCHEMA = { .name = "PermissionLists",
						  .size = sizeof(struct permission_conf),
						  FIELDS(LISTS),
						  .finish = finish_lists,
						  .check = check_permission_lists };

ATTACHED_ITEM(FROM, "PermissionFrom", PERMITTED_REF_SCHEMA, ACTION_DEFAULT_SCHEMA,
	      "The clients.");
ATTACHED_RULE(RULE, "PermissionRule", PERMISSION_DEFAULT_SCHEMA);

static const struct field SPEC[] = {
	ATTACHED_TARGET,
	ATTACHED_FROM(FROM),
	ATTACHED_RULES(RULE),
};

const struct schema SCHEMA_MESH_TRAFFIC_PERMISSION = { .name = "MeshTrafficPermission",
						       .size = sizeof(
							       struct attached_spec),
						       FIELDS(SPEC),
						       .finish = finish_attached,
						       .check = check_attached };
