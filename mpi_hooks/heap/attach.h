/* The file that the environment names, and this process's page of it. */
#ifndef ML_HOOKS_HEAP_ATTACH_H
#define ML_HOOKS_HEAP_ATTACH_H

#include "mpi_hooks/heap/page.h"

#include <stdbool.h>
#include <sys/types.h>

/* What the head of the file says. */
struct ml_heap_settings {
    int64_t mean_B;
    double share;
};

/* False unless the environment of this program, which is no setuid program, names a file of ours.
 * Once. */
bool ml_heap_attach_open(struct ml_heap_settings *out_settings);

/* Claims a page and maps it: the one that this process had before execve(2), else a free one. NULL
 * where there is none. The page is empty. Safe in a signal handler. */
struct ml_heap_page *ml_heap_attach_claim(void);

void ml_heap_attach_unmap(struct ml_heap_page *page);

/* Whether the file FD is one that our own libraries map. */
bool ml_heap_attach_is_ours(dev_t device, ino_t inode);

#endif
