#include "mpi_hooks/heap/filter.h"

#define FULL UINT8_MAX /* stays */
#define PART 4096      /* slots; what was never written to in the table is not touched */

_Alignas(PART) _Atomic uint8_t ml_filter[ML_FILTER_SLOTS];

static _Atomic uint8_t used[ML_FILTER_SLOTS / PART];

static void set(uint32_t slot, uint8_t count)
{
    ML_STORE(used[slot / PART], 1);
    ML_STORE(ml_filter[slot], count);
}

void ml_filter_add(const void *p)
{
    uint32_t slot = ml_filter_slot(p);
    uint8_t count = ML_LOAD(ml_filter[slot]);
    if (count != FULL)
        set(slot, count + 1);
}

void ml_filter_remove(const void *p)
{
    uint32_t slot = ml_filter_slot(p);
    uint8_t count = ML_LOAD(ml_filter[slot]);
    if (count != FULL)
        set(slot, count - 1);
}

void ml_filter_clear(void)
{
    for (uint32_t part = 0; part < ML_FILTER_SLOTS / PART; part++) {
        for (uint32_t i = 0; ML_LOAD(used[part]) && i < PART; i++)
            ML_STORE(ml_filter[part * PART + i], 0);
        ML_STORE(used[part], 0);
    }
}

void ml_filter_always(const void *p)
{
    set(ml_filter_slot(p), FULL);
}
