/* libFuzzer: unwind tables as the walker of the heap's library reads them; and the same bytes as
 * instructions, and as an expression. The last 8 bytes are where the header is, and which place is
 * asked for. */
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

static void look_up(const uint8_t *data, size_t size, uintptr_t header, uintptr_t pc)
{
    struct ml_heap_walk_entry entry;
    struct ml_heap_walk_rule rule;
    uintptr_t start = (uintptr_t)data, end = start + size;
    struct ml_heap_walk_segments segments = {
        .n = 1, .list = {{.start = start, .end = end, .readable = true}}};
    if (!ml_heap_walk_find_entry(&segments, header, pc, &entry))
        return;
    must(entry.address >= start && end - entry.address >= 16);
    must(entry.start <= pc && pc < entry.end);
    ml_heap_walk_work_out(&entry, pc, &rule);
}

static void run_instructions(const uint8_t *data, size_t size, uintptr_t pc)
{
    struct ml_heap_walk_rule rule;
    const struct ml_heap_walk_entry entry = {.start = pc - pc % 256,
                                             .end = UINTPTR_MAX,
                                             .code_align = 1,
                                             .data_align = -8,
                                             .first = {.at = data, .end = data + size / 4},
                                             .then = {.at = data + size / 4, .end = data + size}};
    if (ml_heap_walk_work_out(&entry, pc, &rule))
        must(rule.flags || rule.cfa_register <= ML_HEAP_WALK_RSP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t ask[2];
    struct ml_heap_walk_value value;
    if (size < sizeof ask)
        return 0;
    memcpy(ask, data + size - sizeof ask, sizeof ask);
    uintptr_t pc = (uintptr_t)data + (uintptr_t)(intptr_t)(int32_t)ask[1];
    look_up(data, size, (uintptr_t)data + ask[0] % size, pc);
    run_instructions(data, size, pc);
    struct ml_heap_walk_bytes bytes = {.at = data, .end = data + size};
    ml_heap_walk_expression(bytes, pc, NULL, &value);
    return 0;
}
