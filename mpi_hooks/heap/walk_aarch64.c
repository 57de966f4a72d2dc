/* CMake takes this file for aarch64; analysers look at it on other machines too. */
#if defined __aarch64__

#include "mpi_hooks/heap/walk_frames.h"
#include "mpi_hooks/heap/walk_stack.h"

/* Takes the signature off a return address (pointer authentication): xpaclri, which processors
 * without it take for a hint. */
static uintptr_t plain(uintptr_t pc)
{
    register uintptr_t link __asm__("x30") = pc;
    __asm__("hint #7" : "+r"(link));
    return link;
}

void ml_heap_walk_frames_open(void)
{
}

void ml_heap_walk_frames_refresh(void)
{
}

/* Frame records: the caller's frame pointer and the return address (AAPCS64, 6.4.6). Each lies
 * above the one before; the kernel puts one into a signal's frame, so the chain goes through it,
 * from an alternate stack to another place, once or twice. */
size_t ml_heap_walk_frames(const struct ml_heap_walk_start *start, uintptr_t *out_pcs, size_t max)
{
    struct ml_heap_walk_stack stack;
    uintptr_t pc = plain(start->pc), fp = start->fp, sp = start->sp;
    unsigned jumps_left = 16;
    size_t n = 0;
    ml_heap_walk_stack_begin(&stack);
    ml_heap_walk_stack_enter(&stack, sp);
    while (n < max && pc) {
        uintptr_t caller;
        out_pcs[n++] = pc;
        if (fp < sp) {
            if (fp == 0 || jumps_left-- == 0 || !ml_heap_walk_stack_enter(&stack, fp))
                break;
        }
        if (fp % 16 || !ml_heap_walk_stack_read(&stack, fp, &caller) ||
            !ml_heap_walk_stack_read(&stack, fp + 8, &pc))
            break;
        sp = fp + 16;
        fp = caller;
        pc = plain(pc);
    }
    return n;
}

#endif
