/* The function calls at an address, inlined ones too, by DWARF. */
#ifndef ML_SYMBOLS_DWARF_CALLS_H
#define ML_SYMBOLS_DWARF_CALLS_H

#include "symbols/dwarf_units.h"

/* Of calls that are inlined in each other, no more than these are told, the outer ones. */
#define ML_DWARF_CALLS_MAX 64

struct ml_dwarf_call {
    char *function; /* NULL: unknown */
    char *file;     /* NULL: unknown */
    int line;       /* -1: unknown */
};

/* The calls at ADDRESS, innermost first; their texts are the caller's. None if no function's debug
 * information covers it; the innermost file and line may be known even then: *OUT_PLACE, whose
 * function is NULL. */
size_t ml_dwarf_calls_at(struct ml_dwarf_units *units, uint64_t address,
                         struct ml_dwarf_call out_calls[ML_DWARF_CALLS_MAX],
                         struct ml_dwarf_call *out_place);

#endif
