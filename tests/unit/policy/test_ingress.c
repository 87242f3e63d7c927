/* Which server names an ingress takes connections for, and where they go. */
#include "support/test.h"
#include "unit/policy/east.h"

#include <stdio.h>
#include <string.h>

#define INGRESS                                                                       \
	"---\n{type: ZoneIngress, name: mine, networking: {address: 10.9.9.9, port: " \
	"10001}}\n"
#define MESH_OF(name)                                     \
	"---\n{type: Mesh, name: " name                   \
	", mtls: {enabledBackend: ca, backends: [{name: " \
	"ca, type: builtin}]}}\n"
#define AT(name, address, tags)                                                 \
	"---\n{type: Dataplane, name: " name ", networking: {address: " address \
	", inbound: [{port: 80, tags: {kuma.io/service: " tags "}}]}}\n"

/* "mesh sni -> cluster address:port address:port", then "!warning". */
static void tell(const struct zone_routes *routes, struct zl_buf *out)
{
	for (size_t i = 0; i < routes->passage_count; i++) {
		const struct passage *passage = &routes->passages[i];
		const struct backend *backend = passage->backend;

		assert_true(backend->resolved);
		assert_null(backend->sni);
		zl_buf_format(out, "%s %s -> %s", passage->mesh, passage->sni,
			      backend->cluster);
		for (size_t k = 0; k < backend->endpoint_count; k++) {
			const struct endpoint *endpoint = &backend->endpoints[k];

			assert_int_equal(endpoint->weight, 1);
			assert_int_equal(endpoint->priority, 0);
			assert_string_equal(endpoint->zone, "east");
			zl_buf_format(out, " %s:%u", endpoint->address, endpoint->port);
		}
		zl_buf_char(out, '\n');
	}
	for (size_t i = 0; i < routes->warning_count; i++)
		zl_buf_format(out, "!%s\n", routes->warnings[i]);
}

static void expect(const char *first, const char *second, const char *want)
{
	for (unsigned seed = 0; seed < 3; seed++) {
		struct dice dice = { seed };
		struct tools tools = tools_of(first, second, seed > 0 ? &dice : NULL);
		struct zl_buf text = { 0 };

		tell(policy_ingress(tools.index, tools.inventory,
				    world_get(&tools.world, KIND_ZONE_INGRESS, "mine"),
				    tools.world.arena),
		     &text);
		assert_string_equal(zl_buf_text(&text), want);
		zl_buf_free(&text);
		tools_end(&tools);
	}
}

static void each_service_and_its_subsets(void **state)
{
	(void)state;
	expect(BASE, INGRESS,
#define BACKEND "default backend{"
#define V0 " -> default:backend-b49a4e4b30420345 1.1.1.1:80\n"
#define V1 " -> default:backend-154693772bc47249 1.1.1.2:80\n"
#define ALL " -> default:backend 1.1.1.1:80 1.1.1.2:80\n"
	       BACKEND
	       "kuma.io/zone=east,mesh=default,version=v0}" V0 BACKEND
	       "kuma.io/zone=east,mesh=default,version=v1}" V1 BACKEND
	       "kuma.io/zone=east,mesh=default}" ALL BACKEND
	       "mesh=default,version=v0}" V0 BACKEND "mesh=default,version=v1}" V1 BACKEND
	       "mesh=default}" ALL
	       "default other{kuma.io/zone=east,mesh=default} -> default:other "
	       "1.1.1.3:80\n"
	       "default other{mesh=default} -> default:other 1.1.1.3:80\n"
	       /* Nobody is Ready: the names stay, so that only endpoints come and go. */
	       "default sleepy{kuma.io/zone=east,mesh=default} -> default:sleepy\n"
	       "default sleepy{mesh=default} -> default:sleepy\n"
	       "default web{kuma.io/zone=east,mesh=default} -> default:web 9.9.9.9:80\n"
	       "default web{mesh=default} -> default:web 9.9.9.9:80\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_service_and_its_subsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
