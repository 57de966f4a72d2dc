#include "mpi_hooks/heap/walk_stack.h"

#include <sys/auxv.h>

enum {
    PAGE_B = 4096,    /* no system has smaller ones */
    NEW_PAGES = 2048, /* that one walk may find to be the thread's own: 8 MiB */
    TRIES = 512,
    RED_ZONE_B = 128 /* below the stack pointer, a function's own (the ABI of x86_64, 3.2.2) */
};

static uintptr_t main_end;

/* What is known of the thread's own stack: [low, high) can be read. A signal may come between two
 * stores: low is never valid for another high. */
static _Thread_local struct {
    volatile uintptr_t low, high;
} own __attribute__((tls_model("initial-exec")));

static uintptr_t page_of(uintptr_t address)
{
    return address & ~(uintptr_t)(PAGE_B - 1);
}

static bool page_is_there(uintptr_t page)
{
    uint8_t byte;
    return ml_heap_walk_peek(page, &byte, 1);
}

void ml_heap_walk_stack_open(void)
{
    main_end = getauxval(AT_RANDOM) & ~(uintptr_t)7;
}

static uintptr_t thread_pointer(void)
{
#if defined __x86_64__ /* %fs:0 holds its own address (the ABI's TLS supplement) */
    uintptr_t pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
#else
    return (uintptr_t)__builtin_thread_pointer();
#endif
}

/* Where the stack with SP ends if it is the thread's own. */
static uintptr_t own_end(uintptr_t sp)
{
    uintptr_t pointer = thread_pointer() & ~(uintptr_t)7;
    return sp < pointer && !(main_end > sp && main_end < pointer) ? pointer : main_end;
}

/* Down to the page of SP, as far as all pages are there. */
static uintptr_t lowest_reached(uintptr_t low, uintptr_t sp)
{
    uintptr_t page = page_of(sp);
    if (low > page && (low - page) / PAGE_B <= NEW_PAGES)
        while (low > page && page_is_there(low - PAGE_B))
            low -= PAGE_B;
    return low;
}

static bool is_own(uintptr_t sp)
{
    uintptr_t high = own_end(sp);
    if (high <= sp)
        return false;
    uintptr_t low = own.high == high ? own.low : page_of(high - 1) + PAGE_B;
    low = lowest_reached(low, sp);
    if (low > high)
        return false;
    own.high = 0;
    own.low = low;
    own.high = high;
    return low <= sp;
}

void ml_heap_walk_stack_begin(struct ml_heap_walk_stack *stack)
{
    *stack = (struct ml_heap_walk_stack){.tries_left = TRIES};
}

bool ml_heap_walk_stack_enter(struct ml_heap_walk_stack *stack, uintptr_t sp)
{
    uintptr_t high = own.high;
    stack->floor = sp > RED_ZONE_B ? sp - RED_ZONE_B : 0;
    stack->low = stack->high = sp;
    if (!(high && sp >= own.low && sp < high) && !is_own(sp))
        return true;
    stack->high = own.high;
    if (stack->own_sp == 0)
        stack->own_sp = sp;
    return sp >= stack->own_sp;
}

/* The window goes to the page of ADDRESS. */
bool ml_heap_walk_stack_try(struct ml_heap_walk_stack *stack, uintptr_t address, uintptr_t *out)
{
    uintptr_t page = page_of(address);
    if (address % sizeof address || address < stack->floor || stack->tries_left == 0)
        return false;
    stack->tries_left--;
    if (!ml_heap_walk_peek(address, out, sizeof *out))
        return false;
    if (page != stack->high)
        stack->low = page > stack->floor ? page : stack->floor;
    stack->high = page + PAGE_B;
    return true;
}
