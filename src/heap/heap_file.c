#include "heap/heap_file.h"

#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOAD(field) atomic_load_explicit(&(field), memory_order_relaxed)
#define ACQUIRE(field) atomic_load_explicit(&(field), memory_order_acquire)

enum ml_status ml_heap_file_create(size_t n, int64_t mean_B, double share,
                                   struct ml_heap_file_map *out_map, struct ml_error *err)
{
    size_t size = ML_HEAP_FIRST + n * ML_HEAP_STRIDE;
    ML_AUTO_FD int fd = memfd_create("memlog-heap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return ml_fail_errno(err, ML_PROCESS_LOST, "pages of the heap profile: memfd_create");
    if (ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return ml_fail_errno(err, ML_PROCESS_LOST, "pages of the heap profile: %zu bytes", size);
    struct ml_heap_file *file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED)
        return ml_fail_errno(err, ML_PROCESS_LOST, "pages of the heap profile: mmap");
    *file = (struct ml_heap_file){.magic = ML_HEAP_MAGIC,
                                  .version = ML_HEAP_VERSION,
                                  .n_pages = (uint32_t)n,
                                  .stride = ML_HEAP_STRIDE,
                                  .mean_B = mean_B,
                                  .share = share};
    out_map->file = file;
    out_map->size = size;
    out_map->n_pages = n;
    out_map->fd = ML_TAKE_FD(fd);
    return ML_OK;
}

char *ml_heap_file_environment(const struct ml_heap_file_map *map, int pid)
{
    return ml_format(ML_HEAP_VARIABLE "=/proc/%d/fd/%d", pid, map->fd);
}

size_t ml_heap_file_next(const struct ml_heap_file_map *map, size_t i)
{
    if (i >= map->n_pages)
        return map->n_pages;
    off_t data = lseek(map->fd, (off_t)(ML_HEAP_FIRST + i * ML_HEAP_STRIDE), SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? map->n_pages : i;
    return ((size_t)data - ML_HEAP_FIRST) / ML_HEAP_STRIDE;
}

struct ml_heap_page *ml_heap_page_at(const struct ml_heap_file_map *map, size_t i)
{
    return (struct ml_heap_page *)((char *)map->file + ML_HEAP_FIRST + i * ML_HEAP_STRIDE);
}

void ml_heap_page_free(struct ml_heap_page *page)
{
    madvise(page, ML_HEAP_STRIDE, MADV_REMOVE); /* reads as zero: no process */
}

void ml_heap_file_close(struct ml_heap_file_map *map)
{
    if (!map->file)
        return;
    munmap(map->file, map->size);
    close(map->fd);
    *map = (struct ml_heap_file_map){0};
}

void ml_heap_page_look(const struct ml_heap_page *page, struct ml_heap_look *out_look)
{
    uint64_t changes = ACQUIRE(page->changes);
    uint32_t stacks = ACQUIRE(page->n_stacks), modules = ACQUIRE(page->n_modules);
    *out_look = (struct ml_heap_look){
        .pid = LOAD(page->pid),
        .image = LOAD(page->image),
        .changes = changes,
        .n_stacks = stacks < ML_HEAP_STACKS ? stacks : ML_HEAP_STACKS,
        .n_modules = modules < ML_HEAP_MODULES ? modules : ML_HEAP_MODULES,
        .flags = LOAD(page->flags),
        .n_samples = LOAD(page->n_samples),
        .n_lost = LOAD(page->n_lost),
        .used_B = LOAD(page->in_use_B),
        .held_B = LOAD(page->held_B),
    };
    if (out_look->used_B < 0 || out_look->held_B < out_look->used_B)
        out_look->used_B = out_look->held_B = -1;
}

/* What a thread adds and another takes away may be seen in the other order. */
static int64_t at_least_0(int64_t value)
{
    return value > 0 ? value : 0;
}

static int64_t whole_blocks(int64_t parts)
{
    return at_least_0(parts) / ML_HEAP_BLOCK +
           (at_least_0(parts) % ML_HEAP_BLOCK >= ML_HEAP_BLOCK / 2);
}

int64_t ml_heap_error_B(double variance)
{
    double error = variance > 0 ? sqrt(variance) : 0;
    return error < 0x1p62 ? (int64_t)error : INT64_MAX;
}

bool ml_heap_page_site(const struct ml_heap_page *page, uint32_t i, struct ml_heap_bytes *out_bytes,
                       struct ml_heap_details *out_details)
{
    const struct ml_heap_stack *s = &page->stacks[i];
    if (!ACQUIRE(s->ready))
        return false;
    uint32_t kind = s->kind;
    int64_t live_B = ACQUIRE(s->live_B), allocated_B = ACQUIRE(s->allocated_B); /* stored last */
    *out_bytes = (struct ml_heap_bytes){at_least_0(live_B), at_least_0(allocated_B)};
    *out_details = (struct ml_heap_details){
        .kind = kind < ML_HEAP_KINDS ? (int)kind + 1 : 1,
        .live_blocks = whole_blocks(LOAD(s->live_blocks)),
        .live_variance = (float)LOAD(s->live_variance),
        .allocated_blocks = whole_blocks(LOAD(s->allocated_blocks)),
        .allocated_variance = (float)LOAD(s->allocated_variance),
    };
    return true;
}

uint64_t ml_heap_page_moved(struct ml_heap_page *page, uint32_t group)
{
    _Atomic uint64_t *moved = &page->moved[group];
    return LOAD(*moved) ? atomic_exchange_explicit(moved, 0, memory_order_acquire) : 0;
}

size_t ml_heap_page_calls(const struct ml_heap_page *page, uint32_t i,
                          uint64_t out_pcs[ML_HEAP_DEPTH])
{
    const struct ml_heap_stack *s = &page->stacks[i];
    uint32_t first = s->first, n = s->n;
    if (first >= ML_HEAP_WORDS)
        return 0;
    n = n < ML_HEAP_DEPTH ? n : ML_HEAP_DEPTH;
    n = n < ML_HEAP_WORDS - first ? n : ML_HEAP_WORDS - first;
    for (uint32_t k = 0; k < n; k++)
        out_pcs[k] = LOAD(page->words[first + k]);
    return n;
}

static bool is_in_module(const struct ml_heap_page *page, uint32_t n_modules, uint64_t pc)
{
    for (uint32_t i = n_modules; i > 0; i--) {
        const struct ml_heap_module *m = &page->modules[i - 1];
        if (pc > m->start && pc <= m->end) /* a call may be a function's last instruction */
            return true;
    }
    return false;
}

bool ml_heap_page_knows(const struct ml_heap_page *page, uint32_t n_modules, uint32_t i)
{
    uint64_t pcs[ML_HEAP_DEPTH];
    size_t n = ml_heap_page_calls(page, i, pcs);
    for (size_t k = 0; k < n; k++) {
        if (!is_in_module(page, n_modules, pcs[k]))
            return false;
    }
    return true;
}

void ml_heap_page_module(const struct ml_heap_page *page, uint32_t i,
                         struct ml_heap_module *out_module)
{
    memcpy(out_module, &page->modules[i], sizeof *out_module);
    out_module->path[ML_HEAP_PATH_B - 1] = '\0';
}
