/* The functions that stand behind ours: those of the program without us. */
#ifndef ML_HOOKS_HEAP_NEXT_H
#define ML_HOOKS_HEAP_NEXT_H

#include <stddef.h>
#include <sys/types.h>

/* Until they are found, functions that find them. */
struct ml_next {
    void *(*malloc)(size_t size);
    void (*free)(void *p);
    void *(*calloc)(size_t n, size_t size);
    void *(*realloc)(void *p, size_t size);
    int (*posix_memalign)(void **out, size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
    void (*free_sized)(void *p, size_t size);
    void (*free_aligned_sized)(void *p, size_t alignment, size_t size);
    void *(*mmap)(void *address, size_t size, int protection, int flags, int fd, off_t offset);
    int (*munmap)(void *address, size_t size);
    void *(*mremap)(void *old, size_t old_size, size_t size, int flags, void *address);
    void *(*shmat)(int id, const void *address, int flags);
    int (*shmdt)(const void *address);
};

/* Hidden: found without a table of addresses. */
extern struct ml_next ml_next __attribute__((visibility("hidden")));

/* Looks for them, once; further calls return at once. */
void ml_next_find(void);

#endif
