/* What the heap profiler in the node's processes tells: which call stacks allocate, and what lives
 * of it; as rows of /heap_samples. */
#ifndef ML_HEAP_HEAP_H
#define ML_HEAP_HEAP_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ml_heap;

struct ml_heap_setup {
    void *context;
    /* The number of the process that has PID, or had it last; -1: there is none. */
    int (*of_pid)(void *context, pid_t pid);
    /* Packed rows of ml_table_heap_samples; sites are numbered through the node's processes. */
    void (*samples)(void *context, int64_t now_ns, const void *rows, size_t size);
    /* Has ORDER answered (stack/sites.h): names for the calls of some sites. False: not now. */
    bool (*name)(void *context, const struct ml_buffer *order);
    /* PID's allocator has HELD_B from the kernel, of which USED_B are in blocks that the program
     * has, by what it told within the last second and samples since; -1: it does not say. */
    void (*allocator)(void *context, pid_t pid, int64_t used_B, int64_t held_B);
    /* What the user should know of PROCESS. */
    void (*note)(void *context, int process, const char *text);
};

/* Pages for N processes at once. MEAN_B: between two samples, at first; SHARE: of a process's CPU
 * time that they may cost. */
enum ml_status ml_heap_open(const struct ml_heap_setup *setup, size_t n, int64_t mean_B,
                            double share, struct ml_heap **out_heap, struct ml_error *err);

/* The entry of a process's environment that leads there; free it. */
char *ml_heap_environment(const struct ml_heap *heap);

/* Reads all pages, at NOW_NS. */
void ml_heap_tick(struct ml_heap *heap, int64_t now_ns);

/* The stacks of N sites are known: pairs of varints, site and stack. */
void ml_heap_answered(struct ml_heap *heap, const void *pairs, size_t size);

/* Who was to answer is gone: what is not answered yet is asked for again. */
void ml_heap_ask_again(struct ml_heap *heap);

/* Sampling ends: all that has changed, and whose names are still to be asked for. */
void ml_heap_stop(struct ml_heap *heap, int64_t now_ns);

void ml_heap_close(struct ml_heap *heap); /* NULL is fine */

#endif
