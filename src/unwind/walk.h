/* From registers and copies of a stack to the frames: libunwind over what was copied, with the
 * unwind tables of the ELF files. The process may run on meanwhile. */
#ifndef ML_UNWIND_WALK_H
#define ML_UNWIND_WALK_H

#include "unwind/registers.h"
#include "unwind/space.h"
#include "unwind/stack_copy.h"

struct ml_frame {
    uint64_t pc;     /* of a Python function: the address of its instruction */
    uint64_t sp;     /* where its part of the stack begins */
    uint64_t code;   /* the code object of a Python function; 0: it is none */
    bool caller;     /* pc is where a call returns to */
    bool trampoline; /* what a signal handler returns to */
    bool evaluates;  /* it runs the Python functions before it */
};

/* How a walk came to its end. */
enum ml_walk_end {
    ML_WALK_WHOLE,   /* at the outermost function, which says of itself that nobody called it */
    ML_WALK_GUESSED, /* also there, but over code without unwind tables, by frame pointers */
    ML_WALK_CUT,     /* before: garbage, unknown registers or code, too deep */
    ML_WALK_STARVED, /* before, because a part of the stack was not copied */
};

struct ml_walk {
    struct ml_frame *frames; /* [n], innermost first, owned */
    size_t n, capacity;
    enum ml_walk_end end;
    bool unknown_code; /* some pc was in no executable mapping: the maps may be old */
    uint64_t missing;  /* ML_WALK_STARVED: the address */
    uint64_t outer_sp; /* the stack pointer of the outermost frame */
};

/* libunwind's view of one process. */
struct ml_walker;

struct ml_walker *ml_walker_open(void);

/* Unwinds from REGISTERS over COPY into OUT_WALK (zeroed, or filled before). LIVE: the thread
 * stands still, and what the copy lacks is copied as it is needed, up to about 1 MiB. */
void ml_walk(struct ml_walker *walker, struct ml_space *space, const struct ml_registers *registers,
             struct ml_stack_copy *copy, bool live, struct ml_walk *out_walk);

void ml_walk_free(struct ml_walk *walk);
void ml_walker_close(struct ml_walker *walker); /* NULL is fine */

#endif
