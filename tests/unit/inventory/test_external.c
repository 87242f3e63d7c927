#include "support/test.h"
#include "support/world.h"

#include "inventory/objects.h"

#include <stdlib.h>

/* What services say of ExternalServices, one line a service; the zone is east. */
static char *describe(const struct world *world)
{
	static const char *const WHY[] = { [LEFT_OUT_DATAPLANES] = "dataplanes",
					   [LEFT_OUT_ZONE] = "zone",
					   [LEFT_OUT_TLS] = "tls" };
	struct inventory *inventory = inventory_build(world->set, "east");
	struct zl_buf out = { 0 };

	for (size_t i = 0; i < inventory_count(inventory); i++) {
		const struct service *at = inventory_at(inventory, i);

		assert_ptr_equal(inventory_find(inventory, at->mesh, at->name), at);
		zl_buf_format(&out, "%s/%s %s:", at->mesh, at->name, at->protocol);
		for (size_t j = 0; j < at->external_count; j++) {
			zl_buf_format(&out, " %s", at->externals[j]->key.name);
			assert_true(object_is_local(inventory, at->externals[j]));
		}
		for (size_t j = 0; j < at->left_out_count; j++)
			zl_buf_format(&out, " -%s(%s)",
				      at->left_out[j].external->key.name,
				      WHY[at->left_out[j].why]);
		zl_buf_format(&out, "%s\n", at->outdone ? " outdone" : "");
	}
	size_t count;
	(void)inventory_offer(inventory, world->arena, &count);
	zl_buf_format(&out, "offers %zu\n", count);
	inventory_drop(&inventory);
	char *text = zl_arena_strdup(world->arena, zl_buf_text(&out));
	zl_buf_free(&out);
	return text;
}

static void expect(const char *yaml, const char *more, const char *want)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct dice dice = { seed };
		struct world world = world_of(yaml, more, seed == 0 ? NULL : &dice);

		assert_string_equal(describe(&world), want);
		world_end(&world);
	}
}

static const char THREE[] =
	"{type: ExternalService, name: b, tags: {kuma.io/service: s, kuma.io/protocol:\n"
	"  http}, networking: {address: '1.1.1.1:80'}}\n"
	"---\n"
	"{type: ExternalService, name: a, tags: {kuma.io/service: s, kuma.io/protocol:\n"
	"  tcp}, networking: {address: '1.1.1.2:80', tls: {enabled: false}}}\n"
	"---\n"
	"{type: ExternalService, name: c, tags: {kuma.io/service: t, kuma.io/protocol:\n"
	"  grpc}, networking: {address: '1.1.1.3:80'}}\n"
	"---\n"
	"{type: ExternalService, mesh: other, name: a, tags: {kuma.io/service: s},\n"
	"  networking: {address: '1.1.1.4:80'}}\n";

static void found_by_their_tag(void **state)
{
	(void)state;
	expect(THREE, "",
	       "default/s tcp: a b\n"
	       "default/t grpc: c\n"
	       "other/s unknown: a\n"
	       "offers 0\n");
}

static void dataplanes_come_first(void **state)
{
	(void)state;
	expect(THREE,
	       "{type: Dataplane, name: d, networking: {address: 1.1.1.1, inbound: [\n"
	       "  {port: 1, state: Ignored, tags: {kuma.io/service: s}}]}}",
	       "default/s unknown: -a(dataplanes) -b(dataplanes) outdone\n"
	       "default/t grpc: c\n"
	       "other/s unknown: a\n"
	       "offers 1\n");
	expect(THREE,
	       "{type: ZoneIngress, name: i, zone: west, networking: {address: 1.1.1.1,\n"
	       "  port: 1}, availableServices: [{instances: 0, tags: {kuma.io/service:\n"
	       "  t}}]}",
	       "default/s tcp: a b\n"
	       "default/t unknown: -c(dataplanes) outdone\n"
	       "other/s unknown: a\n"
	       "offers 0\n");
}

static void another_zone_s(void **state)
{
	(void)state;
	expect("{type: ExternalService, name: a, tags: {kuma.io/service: s,\n"
	       "  kuma.io/zone: west}, networking: {address: '1.1.1.1:80'}}\n"
	       "---\n"
	       "{type: ExternalService, name: b, tags: {kuma.io/service: s,\n"
	       "  kuma.io/zone: east}, networking: {address: '1.1.1.2:80'}}\n",
	       "", "default/s unknown: b -a(zone)\noffers 0\n");
}

/* Each beside one that has all of it. */
static void other_tls(void **state)
{
	/* clang-format off */
	static const struct {
		const char *tls;
		bool same;
	} CASES[] = {
		{ "{enabled: true, serverName: x, caCert: {secret: ca}, clientCert: "
		  "{secret: c}, clientKey: {secret: k}}", true },
		{ "{enabled: false, serverName: x, caCert: {secret: ca}, clientCert: "
		  "{secret: c}, clientKey: {secret: k}}", false },
		{ "{enabled: true, serverName: y, caCert: {secret: ca}, clientCert: "
		  "{secret: c}, clientKey: {secret: k}}", false },
		{ "{enabled: true, serverName: x, caCert: {secret: cb}, clientCert: "
		  "{secret: c}, clientKey: {secret: k}}", false },
		{ "{enabled: true, serverName: x, caCert: {inlineString: ca}, clientCert: "
		  "{secret: c}, clientKey: {secret: k}}", false },
		{ "{enabled: true, serverName: x, caCert: {secret: ca}, clientCert: "
		  "{secret: d}, clientKey: {secret: k}}", false },
		{ "{enabled: true, serverName: x, caCert: {secret: ca}, clientCert: "
		  "{secret: c}, clientKey: {secret: l}}", false },
		{ "{enabled: true, serverName: x, caCert: {secret: ca}, clientCert: "
		  "{secret: c}, clientKey: {secret: k}, skipHostnameVerification: true}",
		  false },
		{ "{enabled: true, serverName: x, caCert: {secret: ca}, clientCert: "
		  "{secret: c}, clientKey: {secret: k}, allowRenegotiation: true}",
		  false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		char *yaml = zl_format(
			"{type: ExternalService, name: a, tags: {kuma.io/service: s},\n"
			"  networking: {address: '1.1.1.1:80', tls: %s}}\n"
			"---\n"
			"{type: ExternalService, name: b, tags: {kuma.io/service: s},\n"
			"  networking: {address: '1.1.1.1:80', tls: %s}}\n",
			CASES[0].tls, CASES[i].tls);

		expect(yaml, "",
		       CASES[i].same ? "default/s unknown: a b\noffers 0\n"
				     : "default/s unknown: a -b(tls)\noffers 0\n");
		free(yaml);
	}
}

/* What a MeshExternalService can say beside, by hand: the legacy kind cannot. */
static struct resource *made(const char *name, const struct external_tls *tls)
{
	struct zl_arena *arena = zl_arena_new();
	struct resource *res = zl_arena_alloc(arena, 1, sizeof(*res));
	struct external_spec *spec = zl_arena_alloc(arena, 1, sizeof(*spec));
	static const struct label TAG = { TAG_SERVICE, "s" };

	res->holders = 1;
	res->arena = arena;
	res->key = (struct key){ KIND_EXTERNAL_SERVICE, "default", "", "",
				 zl_arena_strdup(arena, name) };
	spec->tags = (struct labels){ &TAG, 1 };
	spec->tls = *tls;
	res->external = spec;
	return res;
}

static void tls_in_all_its_parts(void **state)
{
	static const struct expected_name EXACT = { false, "x" };
	static const struct expected_name OTHER = { false, "y" };
	static const struct expected_name PREFIX = { true, "x" };
	const struct data_source none = { "", "" };
	const struct external_tls base = { .enabled = true,
					   .server_name = "",
					   .names = &EXACT,
					   .name_count = 1,
					   .ca = none,
					   .cert = none,
					   .key = none };
	struct external_tls all[7];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i] = base;
	all[1].min = TLS_12;
	all[2].max = TLS_12;
	all[3].names = &OTHER;
	all[4].names = &PREFIX;
	all[5].name_count = 0;
	all[6].ca.text = "PEM";
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct set *empty = set_empty();
		struct set_edit *edit = set_edit(empty);
		struct resource *one = made("a", &base);
		struct resource *other = made("b", &all[i]);

		set_put(edit, one);
		set_put(edit, other);
		struct set *set = set_done(&edit);
		struct inventory *inventory = inventory_build(set, "east");
		const struct service *found = inventory_find(inventory, "default", "s");
		assert_int_equal(found->external_count, i == 0 ? 2 : 1);
		assert_int_equal(found->left_out_count, i == 0 ? 0 : 1);
		inventory_drop(&inventory);
		set_drop(&set);
		set_drop(&empty);
		resource_drop(&one);
		resource_drop(&other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_their_tag),
		cmocka_unit_test(dataplanes_come_first),
		cmocka_unit_test(another_zone_s),
		cmocka_unit_test(other_tls),
		cmocka_unit_test(tls_in_all_its_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
