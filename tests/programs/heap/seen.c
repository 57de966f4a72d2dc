/* Prints all that a program can see of its allocator: what it returns, errno, usable sizes. Must
 * print the same with a profiler before it. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static void say(const char *what, const void *p)
{
    int error = errno;
    printf("%s: %s, errno %d, %zu bytes\n", what,
           !p                       ? "NULL"
           : p == MAP_FAILED        ? "failed"
           : (uintptr_t)p % 16 == 0 ? "aligned"
                                    : "there",
           error, p && p != MAP_FAILED ? malloc_usable_size((void *)p) : 0);
    errno = 4711;
}

/* How much more than was asked for depends on where the heap begins. */
static void say_aligned(const char *what, const void *p, size_t size)
{
    int error = errno;
    printf("%s: %d, errno %d, %d\n", what, (uintptr_t)p % 64 == 0, error,
           malloc_usable_size((void *)p) >= size);
    errno = 4711;
}

static void say_map(const char *what, const void *p)
{
    int error = errno;
    printf("%s: %s, errno %d\n", what, p == MAP_FAILED ? "failed" : "there", error);
    errno = 4711;
}

static void blocks(size_t size)
{
    volatile size_t huge = SIZE_MAX / 2;
    void *p;
    printf("size %zu\n", size);
    say("malloc", malloc(size));
    say("calloc", calloc(3, size));
    say("calloc too many", calloc(huge, 4));
    say("malloc too much", malloc(huge));
    p = malloc(size);
    memset(p, 7, size);
    p = realloc(p, 2 * size + 1);
    say("realloc", p);
    for (size_t i = 0; i < size; i++)
        if (((char *)p)[i] != 7)
            printf("lost at %zu\n", i);
    say("realloc too much", realloc(p, huge));
    say("reallocarray too many", reallocarray(p, huge, 4));
    say("reallocarray", reallocarray(p, 3, size));
    say("realloc of nothing", realloc(NULL, size));
    p = NULL;
    printf("posix_memalign %d\n", posix_memalign(&p, 64, size));
    say_aligned("posix_memalign", p, size);
    printf("posix_memalign of 3 %d\n", posix_memalign(&p, 3, size));
    say_aligned("aligned_alloc", aligned_alloc(64, size), size);
    say_aligned("memalign", memalign(64, size), size);
    say_aligned("valloc", valloc(size), size);
    say_aligned("pvalloc", pvalloc(size), size);
    errno = 11;
    free(malloc(size));
    free(NULL);
    printf("free: errno %d\n", errno);
}

static void maps(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *p = mmap(NULL, 10 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say_map("mmap", p);
    say_map("mmap of nothing", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    say_map("mmap of no file", mmap(NULL, page, PROT_READ, MAP_SHARED, -1, 0));
    printf("munmap %d\n", munmap(p + 1, page));
    say_map("munmap", p);
    say_map("mremap", mremap(p, 10 * page, 20 * page, MREMAP_MAYMOVE));
    say_map("mremap of nothing", mremap((void *)(16 * page), page, 2 * page, 0));
    say_map("shmat of none", shmat(-1, NULL, 0));
    printf("shmdt of none %d\n", shmdt((void *)page));
    say_map("shmdt", p);
}

int main(void)
{
    static const size_t sizes[] = {0, 1, 24, 1000, 100000, 10000000};
    errno = 4711;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        blocks(sizes[i]);
    maps();
    return 5;
}
