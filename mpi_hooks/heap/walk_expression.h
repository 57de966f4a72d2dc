/* What a DWARF expression says of an address, before the registers are known. */
#ifndef ML_HOOKS_HEAP_WALK_EXPRESSION_H
#define ML_HOOKS_HEAP_WALK_EXPRESSION_H

#include "mpi_hooks/heap/walk_bytes.h"

/* The frame's canonical address, as a register. */
enum { ML_HEAP_WALK_CFA = 17 };

/* A number; or a register and a number; or the word that stands there. */
struct ml_heap_walk_value {
    enum { ML_HEAP_WALK_NUMBER, ML_HEAP_WALK_REGISTER, ML_HEAP_WALK_WORD } kind;
    uint8_t register_number; /* DWARF's */
    uint64_t number;
};

/* Works an expression out (DWARF 4, 2.5) for code at PC, which is what the register rip (16) has:
 * so that of .plt is a register and a number, too, for each of its places. BEGIN, where it is
 * given, is on the stack at first. False for all that is not of the three kinds. */
bool ml_heap_walk_expression(struct ml_heap_walk_bytes bytes, uintptr_t pc,
                             const struct ml_heap_walk_value *begin,
                             struct ml_heap_walk_value *out);

#endif
