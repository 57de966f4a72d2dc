#include "mpi_hooks/heap/chance.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define LN2 0.69314718055994530942
#define FARTHEST 0x1p62

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

uint64_t ml_chance_seed(const void *unique)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t now = (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
    return mix(mix(now) ^ mix((uintptr_t)unique) ^ (uint64_t)getpid() << 40) | 1;
}

double ml_chance_uniform(uint64_t *state)
{
    uint64_t x = *state; /* xorshift64* */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (double)((x * UINT64_C(0x2545f4914f6cdd1d) >> 11) + 1) * 0x1p-53;
}

/* Of X in (0, 1]: the exponent, and 2 atanh((m - 1) / (m + 1)) of the mantissa. */
static double natural_logarithm(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff0000000000000);
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.41421356237309504880) {
        m /= 2;
        exponent++;
    }
    double z = (m - 1) / (m + 1), square = z * z, sum = 0;
    for (int k = 19; k >= 1; k -= 2)
        sum = sum * square + 1.0 / k;
    return 2 * z * sum + exponent * LN2;
}

uint64_t ml_chance_distance(uint64_t *state, double mean)
{
    double distance = -natural_logarithm(ml_chance_uniform(state)) * mean;
    return distance < FARTHEST ? (uint64_t)distance + 1 : (uint64_t)FARTHEST;
}

/* exp(-x) = 2^-k exp(-r) with |r| <= ln 2 / 2; exp(-r) - 1 by its series, which loses nothing where
 * x is small. */
double ml_chance_hit(double x)
{
    if (x > 40)
        return 1;
    int k = (int)(x / LN2 + 0.5);
    double r = x - k * LN2, less = 0;
    for (int i = 14; i >= 1; i--)
        less = -r / i * (1 + less);
    return k == 0 ? -less : 1 - (1 + less) / (double)(UINT64_C(1) << k);
}
