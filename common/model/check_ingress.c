/* The rules of ZoneIngress and ZoneEgress: kinds-spec 3 and 4. */
#include "model/checks.h"
#include "model/schemas.h"

#include <string.h>

static void check_address(struct decode *dec, const struct tree *tree,
			  const struct path *at)
{
	const struct tree *address = tree_get(tree, "address");

	if (address != NULL && address->type != TREE_TEXT)
		return;
	const char *fault = address_fault(address != NULL ? address->text : "");
	if (fault != NULL)
		decode_bad(dec, at, "address", address != NULL ? address : tree, "%s",
			   fault);
}

static void check_advertised(struct decode *dec, const struct tree *tree,
			     const struct path *at)
{
	const struct tree *address = tree_get(tree, "advertisedAddress");
	const struct tree *port = tree_get(tree, "advertisedPort");
	bool empty =
		address != NULL && address->type == TREE_TEXT && address->text[0] == '\0';

	if ((address == NULL || empty) && port != NULL)
		decode_bad(dec, at, "advertisedAddress", address != NULL ? address : port,
			   "has to be defined with advertisedPort");
	else if (address != NULL && address->type == TREE_TEXT && !empty &&
		 address_fault(address->text) != NULL)
		decode_bad(dec, at, "advertisedAddress", address, "%s",
			   address_fault(address->text));
	if (address != NULL && !empty && port == NULL)
		decode_bad(dec, at, "advertisedPort", address,
			   "has to be defined with advertisedAddress");
	check_range(dec, at, tree, "advertisedPort", 1, 65535, PORT_TEXT);
}

/* Where Envoy listens. */
static void check_bound(struct decode *dec, const struct tree *tree,
			const struct path *at)
{
	if (tree_get(tree, "port") == NULL)
		decode_bad(dec, at, "port", tree, "must be defined");
	check_range(dec, at, tree, "port", 1, 65535, PORT_TEXT);
	check_address(dec, tree, at);
}

static void check_admin(struct decode *dec, const struct tree *tree,
			const struct path *at, uint32_t port)
{
	const struct tree *admin_port = tree_get(tree_get(tree, "admin"), "port");
	struct path admin_at = { .up = at, .name = "admin" };

	if (admin_port != NULL && admin_port->type == TREE_INT && port != 0 &&
	    admin_port->integer == port)
		decode_bad(dec, &admin_at, "port", admin_port, "must differ from port");
}

void check_ingress_networking(struct decode *dec, const struct tree *tree,
			      const struct path *at, const void *made)
{
	const struct zone_ingress_spec *spec = made;

	check_bound(dec, tree, at);
	check_advertised(dec, tree, at);
	check_admin(dec, tree, at, spec->port);
}

void check_egress_networking(struct decode *dec, const struct tree *tree,
			     const struct path *at, const void *made)
{
	const struct zone_egress_spec *spec = made;

	check_bound(dec, tree, at);
	check_admin(dec, tree, at, spec->port);
}

void check_available(struct decode *dec, const struct tree *tree, const struct path *at,
		     const void *made)
{
	const struct available_service *service = made;
	struct path list = { .up = at, .name = "tags" };
	const struct tree *tags = tree_get(tree, "tags");
	const char *fault = name_fault_mesh(service->mesh);

	if (fault != NULL)
		decode_bad(dec, at, "mesh", tree_get(tree, "mesh"), "%s", fault);
	if (tags != NULL && tags->type != TREE_MAP)
		return;
	if (labels_get(service->tags, TAG_SERVICE) == NULL)
		decode_bad(dec, &list, NULL, tags != NULL ? tags : tree,
			   "mandatory tag \"kuma.io/service\" is missing");
	check_service_tags(dec, tree, service->tags, at);
}

static void check_zone(struct decode *dec, const struct tree *tree, const struct path *at,
		       const char *zone)
{
	const char *fault = zone[0] != '\0' ? name_fault_1035(zone) : NULL;

	if (fault != NULL)
		decode_bad(dec, at, "zone", tree_get(tree, "zone"), "%s", fault);
	if (zone[0] != '\0' && dec->zone_label[0] != '\0' &&
	    strcmp(zone, dec->zone_label) != 0)
		decode_bad(dec, at, "zone", tree_get(tree, "zone"),
			   "must not differ from the label kuma.io/zone");
}

void check_ingress(struct decode *dec, const struct tree *tree, const struct path *at,
		   const void *made)
{
	const struct zone_ingress_spec *spec = made;

	check_zone(dec, tree, at, spec->zone);
}

void check_egress(struct decode *dec, const struct tree *tree, const struct path *at,
		  const void *made)
{
	const struct zone_egress_spec *spec = made;

	check_zone(dec, tree, at, spec->zone);
}
