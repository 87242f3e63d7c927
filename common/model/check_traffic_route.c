/* The rules of TrafficRoute: kinds-spec 12. */
#include "model/checks.h"
#include "model/schemas.h"

static const char NO_ELEMENT[] = "must have at least one element";

void check_traffic_source(struct decode *dec, const struct tree *tree,
			  const struct path *at, const void *made)
{
	const struct tag_selector *source = made;

	check_selector(dec, tree, "match", source->match, at, SELECTOR_SERVICE);
}

void check_traffic_destination(struct decode *dec, const struct tree *tree,
			       const struct path *at, const void *made)
{
	const struct tag_selector *destination = made;

	check_selector(dec, tree, "match", destination->match, at, SELECTOR_ONLY_SERVICE);
}

void check_traffic_split(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	const struct traffic_split *split = made;

	if (tree_get(tree, "weight") == NULL)
		decode_bad(dec, at, "weight", tree, "needs to be defined");
	check_selector(dec, tree, "destination", split->destination, at,
		       SELECTOR_SERVICE);
}

/* A split that sends nothing anywhere; wrong weights were told at themselves. */
static void check_sum(struct decode *dec, const struct tree *split, const struct path *at)
{
	bool some = false;

	for (size_t i = 0; i < split->count; i++) {
		const struct tree *weight = tree_get(split->items[i], "weight");
		some = some || weight == NULL || weight->type != TREE_INT ||
		       weight->integer != 0;
	}
	if (split->count == 0)
		decode_bad(dec, at, "split", split, "%s", NO_ELEMENT);
	else if (!some)
		decode_bad(dec, at, "split", split,
			   "there must be at least one split entry with weight above 0");
	else
		check_weights(dec, split, at, "split", NULL);
}

/* In Kuma one of these is chosen by being there, also empty. */
static void check_balancer(struct decode *dec, const struct tree *balancer,
			   const struct path *at)
{
	static const char *const OTHERS[] = { "leastRequest", "ringHash", "random",
					      "maglev" };
	struct path here = { .up = at, .name = "loadBalancer" };

	for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
		const struct tree *other = tree_get(balancer, OTHERS[i]);
		if (other != NULL && other->type == TREE_MAP && other->count == 0)
			decode_bad(dec, &here, OTHERS[i], other,
				   "%s is not part of Zonelink", OTHERS[i]);
	}
}

void check_traffic_conf(struct decode *dec, const struct tree *tree,
			const struct path *at, const void *made)
{
	const struct traffic_route_spec *route = made;
	const struct tree *split = tree_get(tree, "split");
	const struct tree *destination = tree_get(tree, "destination");

	check_balancer(dec, tree_get(tree, "loadBalancer"), at);
	if (split == NULL && destination == NULL)
		decode_bad(dec, at, NULL, tree,
			   "requires either \"destination\" or \"split\"");
	if (split != NULL && destination != NULL)
		decode_bad(dec, at, NULL, tree,
			   "\"split\" cannot be defined at the same time as "
			   "\"destination\"");
	if (split != NULL && split->type == TREE_LIST)
		check_sum(dec, split, at);
	if (split == NULL && destination != NULL && route->split_count == 1)
		check_selector(dec, tree, "destination", route->split[0].destination, at,
			       SELECTOR_SERVICE);
}

void check_traffic_route(struct decode *dec, const struct tree *tree,
			 const struct path *at, const void *made)
{
	(void)made;
	check_filled(dec, tree, at, "sources", NO_ELEMENT);
	check_filled(dec, tree, at, "destinations", NO_ELEMENT);
	if (tree_get(tree, "conf") == NULL)
		decode_bad(dec, at, "conf", tree, "cannot be empty");
}
