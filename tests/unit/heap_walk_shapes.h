/* Functions of all shapes that call a hook. */
#ifndef HEAP_WALK_SHAPES_H
#define HEAP_WALK_SHAPES_H

#include <stdint.h>

typedef void hook(void);

/* Compiled twice: with frame pointers, and without. */
struct shapes {
    void (*recurse)(hook *call, int depth);
    void (*with_alloca)(hook *call, int size_B);
    void (*aligned)(hook *call);
    void (*aligned_with_alloca)(hook *call, int size_B);
    void (*many_registers)(hook *call, long seed);
    void (*big_frame)(hook *call);
    void (*tail)(hook *call);
    void (*sorted)(hook *call);
    void (*without_return)(hook *call); /* its last instruction is a call; CALL must not return */
};
extern const struct shapes shapes_with_pointers, shapes_without_pointers;

/* In assembly. */
void asm_with_table(hook *call);
void asm_without_table(hook *call);
void asm_with_pointer_only(hook *call);
void asm_by_rbx(hook *call);
void asm_return_to(hook *call, uintptr_t pc); /* its table says that PC is where it returns to */
void asm_frame_at(hook *call, uintptr_t rbp); /* its table says that its frame is there */
void asm_interrupt_each(hook *call);          /* a trap at each instruction until it returns */

#endif
