#include "mpi_hooks/heap/modules.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/lookup.h"
#include "mpi_hooks/heap/next.h"
#include "mpi_hooks/heap/self.h"

#include <link.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Where this library lies; the linker's words. */
extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* NOLINT */
extern const char _end[] __attribute__((visibility("hidden")));         /* NOLINT */

struct range {
    uintptr_t inside, begin, end;
};

static struct range allocator;
static _Atomic bool counts_new;

static int is_it(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct range range = {.begin = UINTPTR_MAX}, *sought = context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD)
            continue;
        range.begin = begin < range.begin ? begin : range.begin;
        range.end = begin + segment->p_memsz > range.end ? begin + segment->p_memsz : range.end;
    }
    bool found = sought->inside >= range.begin && sought->inside < range.end;
    if (found) {
        sought->begin = range.begin;
        sought->end = range.end;
    }
    return found;
}

static bool is_in(const struct range *range, uintptr_t address)
{
    return address >= range->begin && address < range->end;
}

static bool has_sanitizer(void)
{
    static const char *const symbols[] = {"__asan_init", "__tsan_init", "__msan_init",
                                          "__hwasan_init", "__lsan_init"};
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (ml_lookup_first(symbols[i]))
            return true;
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "/vgpreload_"); /* valgrind */
}

/* Whether the program's malloc comes to us, at once or through others. */
static bool is_reached(void)
{
    void *(*first_malloc)(size_t) = (void *(*)(size_t))ml_lookup_first("malloc");
    void (*first_free)(void *) = (void (*)(void *))ml_lookup_first("free");
    uint64_t countdown = ml_self.countdown;
    ml_self.countdown = 2;
    first_free(first_malloc(1));
    bool is_counted = ml_self.countdown == 1;
    ml_self.countdown = countdown;
    return is_counted;
}

enum ml_allocator ml_modules_open(void)
{
    uintptr_t libc = (uintptr_t)ml_lookup_first("gnu_get_libc_version");
    bool sanitized = has_sanitizer();
    allocator.inside = (uintptr_t)ml_next.malloc;
    dl_iterate_phdr(is_it, &allocator);
    if (sanitized)
        return ML_ALLOCATOR_SANITIZER;
    if (!is_reached())
        return ML_ALLOCATOR_BEFORE_US;
    return is_in(&allocator, libc) ? ML_ALLOCATOR_GLIBC : ML_ALLOCATOR_OTHER;
}

bool ml_modules_is_allocator(uintptr_t address)
{
    return is_in(&allocator, address);
}

bool ml_modules_allocator_has_new(void)
{
    uintptr_t first_new = (uintptr_t)ml_lookup_first("_Znwm");
    return is_in(&allocator, first_new);
}

void ml_modules_count_new(void)
{
    ML_STORE(counts_new, true);
}

/* jemalloc's aligned new calls aligned_alloc. */
bool ml_modules_is_within_new(uintptr_t caller)
{
    return ML_LOAD(counts_new) && ml_modules_is_allocator(caller);
}

bool ml_modules_is_ours(uintptr_t address)
{
    return address >= (uintptr_t)__ehdr_start && address < (uintptr_t)_end;
}
