/* The last denials, and how many there were. */
#include "support/test.h"

#include "zone/logs/denials.h"

#include <stdio.h>
#include <string.h>

static void add(struct denials *denials, uint64_t time, const char *service,
		enum denial_mode mode)
{
	char client[32];
	const struct denial one = { .time_us = time,
				    .mode = mode,
				    .mesh = "default",
				    .service = service,
				    .proxy = "backend",
				    .inbound = "inbound:10.0.0.1:80",
				    .client = client,
				    .why = "why" };

	(void)snprintf(client, sizeof(client), "c%d", (int)time);
	denials_add(denials, &one);
}

static void the_last_ones_are_kept(void **state)
{
	struct denials *denials = denials_new();

	(void)state;
	assert_null(denials_get(denials, 0));
	for (uint64_t i = 0; i < DENIALS_KEPT + 5; i++)
		add(denials, i, "a", DENIAL_ENFORCED);
	assert_string_equal(denials_get(denials, 0)->client, "c1004");
	assert_string_equal(denials_get(denials, DENIALS_KEPT - 1)->client, "c5");
	assert_string_equal(denials_get(denials, 0)->why, "why");
	assert_null(denials_get(denials, DENIALS_KEPT));
	denials_free(&denials);
}

static void all_are_counted(void **state)
{
	struct denials *denials = denials_new();
	struct zl_arena *arena = zl_arena_new();
	size_t count;

	(void)state;
	add(denials, 1, "a", DENIAL_ENFORCED);
	add(denials, 2, "a", DENIAL_SHADOW);
	add(denials, 3, "a", DENIAL_ENFORCED);
	const struct denial_count *counts = denials_counts(denials, arena, &count);
	assert_int_equal(count, 2);
	assert_int_equal(counts[0].count, 2);
	assert_int_equal(counts[0].mode, DENIAL_ENFORCED);
	assert_string_equal(counts[1].service, "a");
	assert_int_equal(counts[1].count, 1);
	zl_arena_free(&arena);
	denials_free(&denials);
}

static void services_without_end_are_one(void **state)
{
	struct denials *denials = denials_new();
	struct zl_arena *arena = zl_arena_new();
	uint64_t others = 0;
	size_t count;

	(void)state;
	for (int i = 0; i < DENIALS_COUNTED + 7; i++) {
		char service[16];
		(void)snprintf(service, sizeof(service), "s%d", i);
		add(denials, 1, service, DENIAL_ENFORCED);
	}
	const struct denial_count *counts = denials_counts(denials, arena, &count);
	assert_int_equal(count, DENIALS_COUNTED + 1);
	for (size_t i = 0; i < count; i++)
		others += strcmp(counts[i].service, "other") == 0 ? counts[i].count : 0;
	assert_int_equal(others, 7);
	zl_arena_free(&arena);
	denials_free(&denials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_ones_are_kept),
		cmocka_unit_test(all_are_counted),
		cmocka_unit_test(services_without_end_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
