/* The memfd through which the heap profiler in the node's processes tells us what they allocate:
 * made here, read here. The application can write anything into it at any time: what is read is
 * checked, and wrong at worst. */
#ifndef ML_HEAP_HEAP_FILE_H
#define ML_HEAP_HEAP_FILE_H

#include "base/error.h"
#include "mpi_hooks/heap/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_heap_file_map {
    struct ml_heap_file *file; /* and its pages behind it; NULL: none */
    size_t size, n_pages;
    int fd;
};

/* Makes a file of N pages; samples are MEAN_B apart at first, and may cost a process SHARE of its
 * CPU time. The descriptor must stay open as long as processes start; nothing is left when all have
 * closed it. */
enum ml_status ml_heap_file_create(size_t n, int64_t mean_B, double share,
                                   struct ml_heap_file_map *out_map, struct ml_error *err);

/* "MEMLOG_HEAP_PAGES=/proc/PID/fd/FD" for the application's environment; free it. PID is the
 * process that holds the file, which must be dumpable and of the same user. */
char *ml_heap_file_environment(const struct ml_heap_file_map *map, int pid);

/* The first page from I on that was ever written to since it was free, n_pages: there is none. The
 * others are holes, which reading through the map would fill. */
size_t ml_heap_file_next(const struct ml_heap_file_map *map, size_t i);

struct ml_heap_page *ml_heap_page_at(const struct ml_heap_file_map *map, size_t i);

/* Another process may claim PAGE, in which nothing is left. Only when that which had claimed it has
 * gone. */
void ml_heap_page_free(struct ml_heap_page *page);

void ml_heap_file_close(struct ml_heap_file_map *map);

/* What a page says of the process and its samples; of the file's beginning, while nobody claims it,
 * all 0. */
struct ml_heap_look {
    int pid;
    uint64_t image;
    uint64_t changes; /* goes up with each of the stacks' amounts */
    uint32_t n_stacks, n_modules, flags;
    int64_t n_samples, n_lost;
    int64_t used_B, held_B; /* the allocator's blocks; -1: it does not say */
};
void ml_heap_page_look(const struct ml_heap_page *page, struct ml_heap_look *out_look);

/* What a stack has by now, and ever had. */
struct ml_heap_bytes {
    int64_t live, allocated;
};

/* What goes with these bytes. Blocks are whole ones. */
struct ml_heap_details {
    int64_t live_blocks, allocated_blocks;
    float live_variance, allocated_variance; /* of the bytes, squared */
    int32_t kind;                            /* enum ml_site_kind of record/tables.h */
};

/* The standard error of bytes that have VARIANCE. */
int64_t ml_heap_error_B(double variance);

/* Stack I < n_stacks. False: it is not there yet. Stack 0 has no calls. */
bool ml_heap_page_site(const struct ml_heap_page *page, uint32_t i, struct ml_heap_bytes *out_bytes,
                       struct ml_heap_details *out_details);

/* A bit for each of the 64 stacks from 64 GROUP on, GROUP < ML_HEAP_STACK_GROUPS: whether it has
 * changed since the last call. */
uint64_t ml_heap_page_moved(struct ml_heap_page *page, uint32_t group);

/* The program counters of stack I, innermost first: the number of them, at most ML_HEAP_DEPTH. */
size_t ml_heap_page_calls(const struct ml_heap_page *page, uint32_t i,
                          uint64_t out_pcs[ML_HEAP_DEPTH]);

/* Whether all calls of stack I lie in one of the first N_MODULES modules. */
bool ml_heap_page_knows(const struct ml_heap_page *page, uint32_t n_modules, uint32_t i);

/* Module I < n_modules; the path, of ML_HEAP_PATH_B bytes, is ended by a NUL. */
void ml_heap_page_module(const struct ml_heap_page *page, uint32_t i,
                         struct ml_heap_module *out_module);

#endif
