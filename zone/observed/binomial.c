#include "zone/observed/binomial.h"

#include <math.h>

/* Of the 0.1 % that are too far, half on each side. */
#define TAIL 0.0005
#define TINY 1e-300
#define EXACT 1e-14

enum { STEPS_MAX = 200000 }; /* some times sqrt(n) are needed */

/* Lentz's continued fraction of the incomplete beta function. */
static double fraction(double a, double b, double x)
{
	double c = 1;
	double d = 1 - (a + b) * x / (a + 1);

	d = 1 / (fabs(d) < TINY ? TINY : d);
	double result = d;
	for (int step = 1; step <= STEPS_MAX; step++) {
		double m = step;
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = fabs(c) < TINY ? TINY : c;
		result *= d * c;
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = fabs(c) < TINY ? TINY : c;
		result *= d * c;
		if (fabs(d * c - 1) < EXACT)
			break;
	}
	return result;
}

/* I_x(a, b), for a and b of at least 1. */
static double incomplete_beta(double a, double b, double x)
{
	int sign;

	if (x <= 0 || x >= 1)
		return x <= 0 ? 0 : 1;
	double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) -
			   lgamma_r(b, &sign) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * fraction(a, b, x) / a;
	return 1 - front * fraction(b, a, 1 - x) / b;
}

double binomial_at_most(uint64_t n, uint64_t k, double p)
{
	if (k >= n)
		return 1;
	return incomplete_beta((double)(n - k), (double)k + 1, 1 - p);
}

static double at_least(uint64_t n, uint64_t k, double p)
{
	if (k == 0)
		return 1;
	if (k > n)
		return 0;
	return incomplete_beta((double)k, (double)(n - k) + 1, p);
}

bool binomial_explains(uint64_t n, uint64_t k, double p)
{
	return binomial_at_most(n, k, p) > TAIL && at_least(n, k, p) > TAIL;
}

void binomial_interval(uint64_t n, double p, uint64_t *low, uint64_t *high)
{
	uint64_t below = 0;
	uint64_t above = n;

	while (below < above) { /* the smallest count that is not too small */
		uint64_t mid = below + (above - below) / 2;
		if (binomial_at_most(n, mid, p) > TAIL)
			above = mid;
		else
			below = mid + 1;
	}
	*low = below;
	above = n;
	while (below < above) { /* the largest that is not too large */
		uint64_t mid = above - (above - below) / 2;
		if (at_least(n, mid, p) > TAIL)
			below = mid;
		else
			above = mid - 1;
	}
	*high = below;
}
