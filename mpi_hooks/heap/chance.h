/* Random numbers and the mathematics of sampling. Without libm, whose log and exp are of versions
 * that an old glibc does not have. */
#ifndef ML_HOOKS_HEAP_CHANCE_H
#define ML_HOOKS_HEAP_CHANCE_H

#include <stdint.h>

/* A generator's state, never 0, that no other thread or process is likely to have. */
uint64_t ml_chance_seed(const void *unique);

/* Uniform in (0, 1]. */
double ml_chance_uniform(uint64_t *state);

/* Distance to the next event of a Poisson process with one event each MEAN bytes: in whole bytes,
 * at least 1, so that P(distance <= s) = 1 - exp(-s / MEAN) for each whole s. */
uint64_t ml_chance_distance(uint64_t *state, double mean);

/* 1 - exp(-X) for X >= 0. */
double ml_chance_hit(double x);

#endif
