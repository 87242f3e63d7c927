#include "model/schemas.h"

static const struct field SOURCE[] = {
	{ .name = "match",
	  .type = FIELD_LABELS,
	  STORED(tag_selector, match),
	  .doc = "Tags of the client, kuma.io/service among them; the value * is any.",
	  .example = "{kuma.io/service: web}" },
};
const struct schema TRAFFIC_SOURCE_SCHEMA = { .name = "TrafficSource",
					      .size = sizeof(struct tag_selector),
					      FIELDS(SOURCE),
					      .check = check_traffic_source };

static const struct field DESTINATION[] = {
	{ .name = "match",
	  .type = FIELD_LABELS,
	  STORED(tag_selector, match),
	  .doc = "Exactly kuma.io/service, what the client asks for; the value * is any.",
	  .example = "{kuma.io/service: backend}" },
};
const struct schema TRAFFIC_DESTINATION_SCHEMA = { .name = "TrafficDestination",
						   .size = sizeof(struct tag_selector),
						   FIELDS(DESTINATION),
						   .check = check_traffic_destination };

static const struct field SPLIT[] = {
	{ .name = "weight",
	  .type = FIELD_INT,
	  STORED(traffic_split, weight),
	  .flags = F_WIDE | F_RANGE,
	  .min = 0,
	  .max = UINT32_MAX,
	  .doc = "Share of the connections, in relation to the sum of the list; 0: none.",
	  .example = "90" },
	{ .name = "destination",
	  .type = FIELD_LABELS,
	  STORED(traffic_split, destination),
	  .doc = "Tags of the instances, kuma.io/service among them.",
	  .example = "{kuma.io/service: backend, version: v1}" },
};
static const struct schema SPLIT_SCHEMA = { .name = "TrafficSplit",
					    .size = sizeof(struct traffic_split),
					    FIELDS(SPLIT),
					    .check = check_traffic_split };

static const struct field BALANCER[] = {
	{ .name = "roundRobin",
	  .type = FIELD_ANY,
	  .flags = F_UNSTORED,
	  .doc = "The only one there is: {}." },
	{ .name = "leastRequest",
	  .type = FIELD_REFUSED,
	  .doc = "Refused: roundRobin only." },
	{ .name = "ringHash", .type = FIELD_REFUSED, .doc = "Refused: roundRobin only." },
	{ .name = "random", .type = FIELD_REFUSED, .doc = "Refused: roundRobin only." },
	{ .name = "maglev", .type = FIELD_REFUSED, .doc = "Refused: roundRobin only." },
};
static const struct schema BALANCER_SCHEMA = { .name = "LoadBalancer", FIELDS(BALANCER) };

/* conf decodes into the route. */
static const struct field CONF[] = {
	{ .name = "split",
	  .type = FIELD_LIST,
	  .sub = &SPLIT_SCHEMA,
	  STORED(traffic_route_spec, split),
	  .flags = F_AT_MOST,
	  .max = 128,
	  .doc = "Where connections go, by weight; at most 128 entries." },
	{ .name = "destination",
	  .type = FIELD_LABELS,
	  .flags = F_UNSTORED,
	  .doc = "In place of split: tags of the instances that get all connections.",
	  .example = "{kuma.io/service: backend}" },
	{ .name = "loadBalancer",
	  .type = FIELD_OBJECT,
	  .sub = &BALANCER_SCHEMA,
	  .doc = "roundRobin only." },
	{ .name = "http", .type = FIELD_REFUSED, .doc = "Refused: use MeshHTTPRoute." },
};

static void finish_conf(struct decode *dec, const struct tree *tree, void *made)
{
	struct traffic_route_spec *route = made;
	struct decode quiet = { .arena = dec->arena }; /* what is wrong was told */
	const struct tree *destination = tree_get(tree, "destination");

	if (destination == NULL || route->split_count > 0)
		return;
	struct traffic_split *all = zl_arena_alloc(dec->arena, 1, sizeof(*all));
	*all = (struct traffic_split){ .weight = 1,
				       .destination =
					       decode_labels(&quiet, destination, NULL) };
	route->split = all;
	route->split_count = 1;
}

static const struct schema CONF_SCHEMA = { .name = "TrafficConf",
					   .size = sizeof(struct traffic_route_spec),
					   FIELDS(CONF),
					   .finish = finish_conf,
					   .check = check_traffic_conf };

static const struct field ROUTE[] = {
	{ .name = "sources",
	  .type = FIELD_LIST,
	  .sub = &TRAFFIC_SOURCE_SCHEMA,
	  STORED(traffic_route_spec, sources),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "The clients, any of these; 1 to 1024 entries." },
	{ .name = "destinations",
	  .type = FIELD_LIST,
	  .sub = &TRAFFIC_DESTINATION_SCHEMA,
	  STORED(traffic_route_spec, destinations),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "What they ask for, any of these; 1 to 1024 entries." },
	{ .name = "conf",
	  .type = FIELD_OBJECT,
	  .sub = &CONF_SCHEMA,
	  .doc = "Where the connections go instead." },
};

const struct schema SCHEMA_TRAFFIC_ROUTE = { .name = "TrafficRoute",
					     .size = sizeof(struct traffic_route_spec),
					     FIELDS(ROUTE),
					     .check = check_traffic_route };
