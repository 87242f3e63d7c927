/* zone/observed/binomial.h - how far chance may go: a target that takes each connection
 * with probability p, and how many of n it gets.
 *
 * Exact, by the incomplete beta function, so also where few connections are expected and
 * a normal curve would be wrong.
 *
 * Threads:  pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The probability that at most k of n go there. */
double binomial_at_most(uint64_t n, uint64_t k, double p);

/* The smallest and the largest count that chance explains at 99.9 %: beyond each of them
 * lies a probability of at most 0.05 %. */
void binomial_interval(uint64_t n, double p, uint64_t *low, uint64_t *high);

/* True if k lies in that interval; cheaper. */
bool binomial_explains(uint64_t n, uint64_t k, double p);
