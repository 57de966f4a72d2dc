/* How a frame of x86_64 is left, at one place of the code. */
#ifndef ML_HOOKS_HEAP_WALK_RULE_H
#define ML_HOOKS_HEAP_WALK_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* The registers that a walk follows: what functions save for their callers; and r10, by which
 * functions that align their stack find their arguments, known in interrupted frames only. */
enum ml_heap_walk_register {
    ML_HEAP_WALK_RBP,
    ML_HEAP_WALK_RBX,
    ML_HEAP_WALK_R12,
    ML_HEAP_WALK_R13,
    ML_HEAP_WALK_R14,
    ML_HEAP_WALK_R15,
    ML_HEAP_WALK_SAVED, /* how many are saved */
    ML_HEAP_WALK_R10 = ML_HEAP_WALK_SAVED,
    ML_HEAP_WALK_REGISTERS,
    ML_HEAP_WALK_RSP = ML_HEAP_WALK_REGISTERS /* kept on its own */
};

enum {
    ML_HEAP_WALK_OUTERMOST = 1,  /* nobody called it */
    ML_HEAP_WALK_SIGNAL = 2,     /* the kernel's return from a signal's handler */
    ML_HEAP_WALK_NO_TABLE = 4,   /* by the frame pointer, if at all */
    ML_HEAP_WALK_LOADED_CFA = 8, /* the CFA is what stands at the register plus the offset */
    ML_HEAP_WALK_PLAIN = 16      /* CFA by rsp or rbp, return address before it, rbp by it */
};

/* The canonical frame address (CFA, the caller's stack pointer) is a register plus an offset; the
 * return address and the caller's registers stand at distances from it, in words. */
struct ml_heap_walk_rule {
    int32_t cfa_offset_B;
    int16_t saved_rbp; /* as saved[ML_HEAP_WALK_RBP] */
    uint8_t cfa_register;
    uint8_t flags;
    int16_t saved[ML_HEAP_WALK_SAVED]; /* 0, not from rbp: it has the caller's value still */
    int16_t return_address;
    uint8_t from_rbp; /* bits by register: its distance is from the callee's rbp, not the CFA */
    uint8_t lost;     /* bits by register: nobody can tell what the caller had there */
};

#endif
