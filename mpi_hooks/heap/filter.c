#include "mpi_hooks/heap/filter.h"

#define FULL UINT8_MAX /* stays */

_Alignas(64) _Atomic uint32_t ml_filter[ML_FILTER_SLOTS / 32];

/* Sampled blocks of each slot. */
static _Atomic uint8_t counts[ML_FILTER_SLOTS];

static uint32_t bit_of(uint32_t slot)
{
    return 1U << slot % 32;
}

static void set(uint32_t slot)
{
    atomic_fetch_or_explicit(&ml_filter[slot / 32], bit_of(slot), memory_order_relaxed);
}

void ml_filter_add(const void *p)
{
    uint32_t slot = ml_filter_slot(p);
    if (ML_LOAD(counts[slot]) != FULL)
        ML_BUMP(counts[slot], 1);
    set(slot);
}

void ml_filter_remove(const void *p)
{
    uint32_t slot = ml_filter_slot(p);
    uint8_t count = ML_LOAD(counts[slot]);
    if (count == FULL)
        return;
    ML_STORE(counts[slot], count - 1);
    if (count == 1)
        atomic_fetch_and_explicit(&ml_filter[slot / 32], ~bit_of(slot), memory_order_relaxed);
}

void ml_filter_clear(void)
{
    for (uint32_t slot = 0; slot < ML_FILTER_SLOTS; slot++)
        ML_STORE(counts[slot], 0);
    for (uint32_t i = 0; i < ML_FILTER_SLOTS / 32; i++)
        ML_STORE(ml_filter[i], 0);
}

void ml_filter_always(const void *p)
{
    uint32_t slot = ml_filter_slot(p);
    ML_STORE(counts[slot], FULL);
    set(slot);
}
