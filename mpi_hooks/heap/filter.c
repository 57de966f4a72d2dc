#include "mpi_hooks/heap/filter.h"

#include "mpi_hooks/atomics.h"

_Alignas(64) _Atomic uint8_t ml_filter[ML_FILTER_SIZE];

void ml_filter_add(const void *p)
{
    _Atomic uint8_t *count = ml_filter_of(p);
    if (ML_LOAD(*count) != ML_FILTER_FULL)
        ML_BUMP(*count, 1);
}

void ml_filter_remove(const void *p)
{
    _Atomic uint8_t *count = ml_filter_of(p);
    if (ML_LOAD(*count) != ML_FILTER_FULL)
        ML_BUMP(*count, -1);
}

void ml_filter_clear(void)
{
    for (int i = 0; i < ML_FILTER_SIZE; i++)
        ML_STORE(ml_filter[i], 0);
}

void ml_filter_always(const void *p)
{
    ML_STORE(*ml_filter_of(p), ML_FILTER_FULL);
}
