/* Against sums of exact fractions. */
#include "zone/observed/binomial.h"

#include "support/test.h"

#include <math.h>

static void intervals(void **state)
{
	/* clang-format off */
	static const struct {
		uint64_t n;
		double p;
		uint64_t low, high;
	} CASES[] = {
		{ 10,   0.1,   0,   5    },
		{ 100,  0.5,   34,  66   },
		{ 1000, 0.7,   652, 747  },
		{ 240,  0.67,  136, 184  },
		{ 1000, 0.001, 0,   6    },
		{ 1,    0.5,   0,   1    },
		{ 1500, 0.3,   392, 509  },
		{ 100,  1,     100, 100  },
		{ 100,  0,     0,   0    },
		{ 0,    0.5,   0,   0    },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		uint64_t low;
		uint64_t high;
		binomial_interval(CASES[i].n, CASES[i].p, &low, &high);
		assert_int_equal(low, CASES[i].low);
		assert_int_equal(high, CASES[i].high);
		for (uint64_t k = 0; k <= CASES[i].n; k++)
			assert_int_equal(binomial_explains(CASES[i].n, k, CASES[i].p),
					 k >= low && k <= high);
	}
}

static void probabilities(void **state)
{
	(void)state;
	assert_true(fabs(binomial_at_most(100, 33, 0.5) - 0.00043685991845618616) <
		    1e-12);
	assert_true(fabs(binomial_at_most(100, 50, 0.5) - 0.5397946186935894) < 1e-12);
	assert_true(fabs(binomial_at_most(1000, 650, 0.7) - 0.0003738701054403894) <
		    1e-12);
	assert_true(binomial_at_most(5, 5, 0.5) == 1);
}

/* Of as many as a proxy may ever have it still is the normal curve's, whose 99.9 % lie
 * within 3.2905 deviations. */
static void many(void **state)
{
	uint64_t low;
	uint64_t high;

	(void)state;
	binomial_interval(100000000, 0.7, &low, &high);
	double off = 3.290527 * sqrt(100000000 * 0.7 * 0.3);
	assert_true(fabs((double)low - (70000000 - off)) < 3);
	assert_true(fabs((double)high - (70000000 + off)) < 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals),
		cmocka_unit_test(probabilities),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
