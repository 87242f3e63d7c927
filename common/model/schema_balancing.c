#include "model/schemas.h"

static const char *const FAILOVERS[] = { "Any", "None", "Only", "AnyExcept", NULL };

static const struct field AFFINITY_TAG[] = {
	{ .name = "key",
	  .type = FIELD_TEXT,
	  STORED(affinity_tag, key),
	  .flags = F_OWN_CHECK,
	  .doc = "Instances that have the client's value of this tag are one group.",
	  .example = "rack" },
	{ .name = "weight",
	  .type = FIELD_INT,
	  STORED(affinity_tag, weight),
	  .flags = F_WIDE | F_OWN_CHECK,
	  .min = 1,
	  .max = UINT32_MAX,
	  .doc = "Share of the group; 9x10^(n-i-1) when absent, for all entries or none.",
	  .example = "9" },
};
static const struct schema AFFINITY_TAG_SCHEMA = { .name = "AffinityTag",
						   .size = sizeof(struct affinity_tag),
						   FIELDS(AFFINITY_TAG),
						   .check = check_affinity_tag };

static const struct field LOCAL_ZONE[] = {
	{ .name = "affinityTags",
	  .type = FIELD_LIST,
	  .sub = &AFFINITY_TAG_SCHEMA,
	  STORED(locality, tags),
	  .flags = F_AT_MOST,
	  .max = 128,
	  .doc = "The nearest first: an instance belongs to the first that fits; the "
		 "rest weighs 1." },
};

/* 9, 90, 900... from the last tag up; a sum beyond 32 bits is refused by the check. */
static void default_weights(struct affinity_tag *tags, size_t count)
{
	uint64_t weight = 9;

	for (size_t i = count; i-- > 0;) {
		tags[i].weight = weight;
		if (weight < UINT32_MAX)
			weight *= 10;
	}
}

static void finish_local_zone(struct decode *dec, const struct tree *tree, void *made)
{
	struct locality *locality = made;
	const struct tree *list = tree_get(tree, "affinityTags");

	locality->has_tags = list != NULL;
	if (list == NULL || locality->tag_count == 0)
		return;
	for (size_t i = 0; i < locality->tag_count; i++)
		if (tree_get(list->items[i], "weight") != NULL)
			return;
	struct affinity_tag *tags = zl_arena_memdup(dec->arena, locality->tags,
						    locality->tag_count * sizeof(*tags));
	default_weights(tags, locality->tag_count);
	locality->tags = tags;
}

static const struct schema LOCAL_ZONE_SCHEMA = { .name = "LocalZone",
						 .size = sizeof(struct locality),
						 FIELDS(LOCAL_ZONE),
						 .finish = finish_local_zone,
						 .check = check_local_zone };

static const struct field FAILOVER_FROM[] = {
	{ .name = "zones",
	  .type = FIELD_LIST,
	  STORED(failover, from),
	  .doc = "Names of zones, at least one.",
	  .example = "[east]" },
};
static const struct schema FAILOVER_FROM_SCHEMA = { .name = "FailoverFrom",
						    .size = sizeof(struct failover),
						    FIELDS(FAILOVER_FROM),
						    .check = check_failover_from };

static const struct field FAILOVER_TO[] = {
	{ .name = "type",
	  .type = FIELD_ENUM,
	  STORED(failover, type),
	  .flags = F_REQUIRED | F_OWN_CHECK,
	  .values = FAILOVERS,
	  .doc = "Any, None, Only or AnyExcept.",
	  .example = "Only" },
	{ .name = "zones",
	  .type = FIELD_LIST,
	  STORED(failover, zones),
	  .doc = "Names of zones, with Only and AnyExcept.",
	  .example = "[west]" },
};
static const struct schema FAILOVER_TO_SCHEMA = { .name = "FailoverTo",
						  .size = sizeof(struct failover),
						  FIELDS(FAILOVER_TO),
						  .check = check_failover_to };

static const struct field FAILOVER[] = {
	{ .name = "from",
	  .type = FIELD_OBJECT,
	  .sub = &FAILOVER_FROM_SCHEMA,
	  .doc = "Clients of which zones; of every zone when absent." },
	{ .name = "to",
	  .type = FIELD_OBJECT,
	  .sub = &FAILOVER_TO_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "The zones that their connections may go to." },
};
static const struct schema FAILOVER_SCHEMA = { .name = "Failover",
					       .size = sizeof(struct failover),
					       FIELDS(FAILOVER) };

static const struct field THRESHOLD[] = {
	{ .name = "percentage",
	  .type = FIELD_MIXED,
	  .fallback = "50",
	  .doc = "Fewer healthy instances than this, in percent: some connections go on "
		 "to the next zones. A number or a decimal as text; above 0, at most "
		 "100.",
	  .example = "70" },
};

static void finish_threshold(struct decode *dec, const struct tree *tree, void *made)
{
	struct locality *locality = made;
	const struct tree *percentage = tree_get(tree, "percentage");
	double value;

	(void)dec;
	if (percentage != NULL && percentage_read(percentage, &value))
		locality->threshold = value;
}

static const struct schema THRESHOLD_SCHEMA = { .name = "FailoverThreshold",
						.size = sizeof(struct locality),
						FIELDS(THRESHOLD),
						.finish = finish_threshold,
						.check = check_threshold };

static const struct field CROSS_ZONE[] = {
	{ .name = "failover",
	  .type = FIELD_LIST,
	  .sub = &FAILOVER_SCHEMA,
	  STORED(locality, failovers),
	  .flags = F_AT_MOST,
	  .max = 128,
	  .doc = "Tried in this order; zones that no rule fits get nothing." },
	{ .name = "failoverThreshold",
	  .type = FIELD_OBJECT,
	  .sub = &THRESHOLD_SCHEMA,
	  .doc = "When connections leave their zone." },
};

static void finish_cross_zone(struct decode *dec, const struct tree *tree, void *made)
{
	struct locality *locality = made;

	(void)dec;
	locality->has_failover = tree_get(tree, "failover") != NULL;
}

static const struct schema CROSS_ZONE_SCHEMA = { .name = "CrossZone",
						 .size = sizeof(struct locality),
						 FIELDS(CROSS_ZONE),
						 .finish = finish_cross_zone };

static const struct field LOCALITY[] = {
	{ .name = "disabled",
	  .type = FIELD_BOOL,
	  STORED(locality, disabled),
	  .fallback = "false",
	  .doc = "true: instances of all zones alike." },
	{ .name = "localZone",
	  .type = FIELD_OBJECT,
	  .sub = &LOCAL_ZONE_SCHEMA,
	  .doc = "Which instances of the client's zone are preferred; without crossZone, "
		 "traffic then stays in the zone." },
	{ .name = "crossZone",
	  .type = FIELD_OBJECT,
	  .sub = &CROSS_ZONE_SCHEMA,
	  .doc = "Which zones follow when the client's own has not enough." },
};

static void finish_locality(struct decode *dec, const struct tree *tree, void *made)
{
	struct locality *locality = made;

	(void)dec;
	locality->has_disabled = tree_get(tree, "disabled") != NULL;
	locality->has_local = tree_get(tree, "localZone") != NULL;
	locality->has_cross = tree_get(tree, "crossZone") != NULL;
}

static const struct schema LOCALITY_SCHEMA = { .name = "LocalityAwareness",
					       .size = sizeof(struct locality),
					       FIELDS(LOCALITY),
					       .finish = finish_locality };

static const struct field DEFAULT[] = {
	{ .name = "localityAwareness",
	  .type = FIELD_OBJECT,
	  .sub = &LOCALITY_SCHEMA,
	  STORED(balancing_to, locality),
	  .doc = "Order and weight of instances by where they are." },
	{ .name = "loadBalancer",
	  .type = FIELD_REFUSED,
	  .doc = "Refused: the algorithm within a place is Zonelink's own." },
	{ .name = "hashPolicies",
	  .type = FIELD_REFUSED,
	  .doc = "Refused: as loadBalancer." },
};
static const struct schema DEFAULT_SCHEMA = { .name = "BalancingDefault",
					      .size = sizeof(struct balancing_to),
					      FIELDS(DEFAULT) };

static const struct field TO[] = {
	{ .name = "targetRef",
	  .type = FIELD_OBJECT,
	  .sub = &BALANCED_REF_SCHEMA,
	  STORED(balancing_to, target),
	  .flags = F_REQUIRED,
	  .doc = "The services whose instances are meant." },
	{ .name = "default",
	  .type = FIELD_OBJECT,
	  .sub = &DEFAULT_SCHEMA,
	  .flags = F_REQUIRED,
	  .doc = "How connections to them are spread." },
};
static const struct schema TO_SCHEMA = { .name = "BalancingTo",
					 .size = sizeof(struct balancing_to),
					 FIELDS(TO),
					 .check = check_balancing_to };

static const struct field BALANCING[] = {
	{ .name = "targetRef",
	  .type = FIELD_OBJECT,
	  .sub = &TOP_REF_SCHEMA,
	  STORED(balancing_spec, target),
	  .flags = F_SHOWN_ONLY,
	  .fallback = "{kind: Mesh}",
	  .doc = "The proxies that the policy configures." },
	{ .name = "to",
	  .type = FIELD_LIST,
	  .sub = &TO_SCHEMA,
	  STORED(balancing_spec, to),
	  .flags = F_AT_MOST,
	  .max = 1024,
	  .doc = "The services and how they are balanced; 1 to 1024 entries." },
};

static void finish_balancing(struct decode *dec, const struct tree *tree, void *made)
{
	struct balancing_spec *spec = made;

	(void)dec;
	if (tree_get(tree, "targetRef") == NULL)
		spec->target.kind = REF_MESH;
}

const struct schema SCHEMA_MESH_LOAD_BALANCING_STRATEGY = {
	.name = "MeshLoadBalancingStrategy",
	.size = sizeof(struct balancing_spec),
	FIELDS(BALANCING),
	.finish = finish_balancing,
	.check = check_balancing
};
