/* Names parts of a program for memlog-mpi: regions become phases of the recording, marks points in
 * time. For C and C++, with MPI or without. Nothing to link (before glibc 2.34: -ldl); where the
 * program is not recorded, these do nothing.
 *
 *   memlog_region_begin("assemble");
 *   ...
 *   memlog_region_end("assemble");
 *
 * Regions belong to the process: they nest, and the one that was begun last counts, whichever
 * thread began it. Texts count up to 63 bytes. */
#ifndef MEMLOG_H
#define MEMLOG_H

#include <dlfcn.h>

/* Looks a function of the preloaded library up, once for each place that it is called from. The
 * null handle is RTLD_DEFAULT, whose name is hidden without _GNU_SOURCE. */
#define MEMLOG_CALL_(symbol, text)                                                                 \
    do {                                                                                           \
        static void (*memlog_found_)(const char *);                                                \
        static int memlog_looked_up_;                                                              \
        if (!__atomic_load_n(&memlog_looked_up_, __ATOMIC_ACQUIRE)) {                              \
            void *memlog_address_ = dlsym((void *)0, symbol);                                      \
            __atomic_store_n((void **)&memlog_found_, memlog_address_, __ATOMIC_RELAXED);          \
            __atomic_store_n(&memlog_looked_up_, 1, __ATOMIC_RELEASE);                             \
        }                                                                                          \
        if (memlog_found_)                                                                         \
            memlog_found_(text);                                                                   \
    } while (0)

static inline void memlog_region_begin(const char *name)
{
    MEMLOG_CALL_("memlog_hook_region_begin", name);
}

/* Ends the innermost region of that name, and those that were begun in it. */
static inline void memlog_region_end(const char *name)
{
    MEMLOG_CALL_("memlog_hook_region_end", name);
}

static inline void memlog_mark(const char *text)
{
    MEMLOG_CALL_("memlog_hook_mark", text);
}

#endif
