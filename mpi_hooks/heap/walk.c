#include "mpi_hooks/heap/walk.h"
#include "mpi_hooks/heap/walk_frames.h"
#include "mpi_hooks/heap/walk_stack.h"

#include <errno.h>

void ml_heap_walk_open(void)
{
    int saved_errno = errno;
    ml_heap_walk_frames_open();
    ml_heap_walk_stack_open();
    errno = saved_errno;
}

void ml_heap_walk_refresh(void)
{
    int saved_errno = errno;
    ml_heap_walk_frames_refresh();
    errno = saved_errno;
}

/* Both processors' ABIs have the caller's frame pointer and the return address at a frame's
 * beginning, where a function keeps a frame pointer, as this one does. */
__attribute__((noinline)) size_t ml_heap_walk(uintptr_t *out_pcs, size_t max)
{
    int saved_errno = errno;
    const uintptr_t *frame = __builtin_frame_address(0);
    struct ml_heap_walk_start start = {
        .pc = (uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0)),
        .sp = (uintptr_t)(frame + 2),
        .fp = frame[0],
    };
#if defined __x86_64__
    __asm__ volatile("leaq 0(%%rip), %%rax\n\t"
                     "movq %%rax, (%0)\n\t"
                     "movq %%rsp, 8(%0)\n\t"
                     "movq %%rbp, 16(%0)\n\t"
                     "movq %%rbx, 24(%0)\n\t"
                     "movq %%r12, 32(%0)\n\t"
                     "movq %%r13, 40(%0)\n\t"
                     "movq %%r14, 48(%0)\n\t"
                     "movq %%r15, 56(%0)"
                     :
                     : "r"(start.inside)
                     : "rax", "memory");
#endif
    size_t n = ml_heap_walk_frames(&start, out_pcs, max);
    errno = saved_errno;
    return n;
}
