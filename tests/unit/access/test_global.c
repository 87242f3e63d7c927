#include "levels.h"

#include "global/api/api.h"

static const struct level LEVELS[] = {
	{ "GET /", HTTP_VIEW },
	{ "GET /_wait", HTTP_VIEW },
	{ "GET /_snapshot", HTTP_ADMIN },
	{ "POST /_apply", HTTP_OPERATE },
	{ "POST /_tokens/user", HTTP_ADMIN },
	{ "POST /_tokens/_revoke", HTTP_ADMIN },
	{ "GET /zones/_overview", HTTP_VIEW },
	{ "POST /zones/{name}/_accept", HTTP_OPERATE },
	{ "POST /zones/{name}/_release", HTTP_OPERATE },
	{ "POST /zones/{name}/_tokens", HTTP_ADMIN },
	{ "POST /zones/{name}/_join", HTTP_OPEN },
	{ "POST /zones/{name}/_revoke", HTTP_ADMIN },
	{ "POST /zones/{name}/_disable", HTTP_OPERATE },
	{ "POST /zones/{name}/_enable", HTTP_OPERATE },
	{ "POST /zones/{name}/_retire", HTTP_ADMIN },
	{ "GET /zones/{name}/_certificates", HTTP_VIEW },
	{ "GET /meshes/{mesh}/_observed", HTTP_VIEW },
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
	return cmocka_run_group_tests_name("access/global", tests, NULL, NULL);
}
