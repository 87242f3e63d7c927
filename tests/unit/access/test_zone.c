#include "levels.h"

#include "zone/api/api.h"

static const struct level LEVELS[] = {
	{ "GET /", HTTP_VIEW },
	{ "GET /_status", HTTP_VIEW },
	{ "GET /_wait", HTTP_VIEW },
	{ "POST /_apply", HTTP_OPERATE },
	{ "POST /_tokens/user", HTTP_ADMIN },
	{ "POST /_tokens/dataplane", HTTP_OPERATE },
	{ "POST /_tokens/zone-proxy", HTTP_ADMIN },
	{ "POST /_tokens/_revoke", HTTP_ADMIN },
	{ "POST /_accept", HTTP_OPERATE },
	{ "GET /meshes/{mesh}/dataplanes/{name}/_routes", HTTP_VIEW },
	{ "GET /meshes/{mesh}/dataplanes/{name}/_config", HTTP_VIEW },
	{ "GET /meshes/{mesh}/dataplanes/{name}/_xds", HTTP_VIEW },
	{ "GET /meshes/{mesh}/dataplanes/{name}/_bootstrap", HTTP_OPERATE },
	{ "GET /meshes/{mesh}/_observed", HTTP_VIEW },
	{ "GET /meshes/{mesh}/_denials", HTTP_VIEW },
	{ "GET /zoneingresses/{name}/_routes", HTTP_VIEW },
	{ "GET /zoneingresses/{name}/_config", HTTP_VIEW },
	{ "GET /zoneingresses/{name}/_xds", HTTP_VIEW },
	{ "GET /zoneingresses/{name}/_bootstrap", HTTP_ADMIN },
	{ "GET /zoneegresses/{name}/_routes", HTTP_VIEW },
	{ "GET /zoneegresses/{name}/_config", HTTP_VIEW },
	{ "GET /zoneegresses/{name}/_xds", HTTP_VIEW },
	{ "GET /zoneegresses/{name}/_bootstrap", HTTP_ADMIN },
	{ "GET /{plural}", HTTP_VIEW },
	{ "GET /{plural}/{name}", HTTP_VIEW },
	{ "PUT /{plural}/{name}", HTTP_OPERATE },
	{ "DELETE /{plural}/{name}", HTTP_OPERATE },
	{ "GET /meshes/{mesh}/{plural}", HTTP_VIEW },
	{ "GET /meshes/{mesh}/{plural}/{name}", HTTP_VIEW },
	{ "PUT /meshes/{mesh}/{plural}/{name}", HTTP_OPERATE },
	{ "DELETE /meshes/{mesh}/{plural}/{name}", HTTP_OPERATE },
};

static void every_route_has_its_level(void **state)
{
	(void)state;
	levels_are(API_ROUTES, API_ROUTE_COUNT, LEVELS, ARRAY_LEN(LEVELS));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_route_has_its_level) };
	return cmocka_run_group_tests_name("access/zone", tests, NULL, NULL);
}
