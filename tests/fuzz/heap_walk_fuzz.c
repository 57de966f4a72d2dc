/* libFuzzer: unwind tables as the walker of the heap's library reads them. The last 8 bytes are
 * where the header is, and which place is asked for. */
#include "mpi_hooks/heap/walk_expression.h"
#include "mpi_hooks/heap/walk_tables.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t ask[2];
    struct ml_heap_walk_entry entry;
    struct ml_heap_walk_rule rule;
    struct ml_heap_walk_value value;
    if (size < sizeof ask)
        return 0;
    memcpy(ask, data + size - sizeof ask, sizeof ask);
    uintptr_t start = (uintptr_t)data, end = start + size;
    struct ml_heap_walk_segments segments = {
        .n = 1, .list = {{.start = start, .end = end, .readable = true}}};
    uintptr_t pc = start + (uintptr_t)(intptr_t)(int32_t)ask[1];
    if (ml_heap_walk_find_entry(&segments, start + ask[0] % size, pc, &entry)) {
        must(entry.address >= start && end - entry.address >= 16);
        must(entry.start <= pc && pc < entry.end);
        if (ml_heap_walk_work_out(&entry, pc, &rule))
            must(rule.flags || rule.cfa_register <= ML_HEAP_WALK_RSP);
    }
    struct ml_heap_walk_bytes bytes = {.at = data, .end = data + size};
    ml_heap_walk_expression(bytes, pc, NULL, &value);
    return 0;
}
