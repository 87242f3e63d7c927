#include "model/schema_attached.h"

static const struct tree EMPTY = { .type = TREE_MAP };

void finish_attached_item(struct decode *dec, const struct tree *tree, void *made)
{
	struct attached_item *item = made;
	const struct tree *right = tree_get(tree, "default");

	/* A wrong type was told. */
	item->conf = right != NULL && right->type == TREE_MAP
			     ? tree_copy(right, dec->arena)
			     : &EMPTY;
}

void finish_attached(struct decode *dec, const struct tree *tree, void *made)
{
	struct attached_spec *spec = made;

	(void)dec;
	if (tree_get(tree, "targetRef") == NULL)
		spec->target.kind = REF_MESH;
}
