/* One sampled allocation, and what it stands for (Horvitz and Thompson): with the probability p
 * that it was taken, for 1 / p blocks and size / p bytes, of a variance of size^2 (1 - p) / p^2. */
#ifndef ML_HOOKS_HEAP_SAMPLE_H
#define ML_HOOKS_HEAP_SAMPLE_H

#include <stdint.h>

struct ml_sample {
    uint64_t size_B;
    float probability; /* > 0 */
    uint32_t stack;    /* index into the page's stacks */
};

static inline double ml_sample_B(const struct ml_sample *sample)
{
    return (double)sample->size_B / (double)sample->probability;
}

static inline double ml_sample_variance(const struct ml_sample *sample)
{
    double B = ml_sample_B(sample);
    return B * B * (1 - (double)sample->probability);
}

#endif
