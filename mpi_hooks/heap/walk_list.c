#include "mpi_hooks/heap/walk_list.h"
#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/walk_memory.h"

#include <link.h>
#include <unistd.h>

enum { MODULES = 1024, WORDS = 4 };

/* Two lists: one is read while the other is written. TURN counts the lists taken; a reader whose
 * list was written meanwhile looks again, and again finds nothing in the end. */
static struct list {
    _Atomic uint32_t n;
    _Atomic uintptr_t words[MODULES][WORDS];
} lists[2];
static _Atomic uint32_t turn;
static _Atomic int
    taker; /* the process whose thread takes a list; one that was forked takes over */
static _Atomic bool again;

struct span {
    uintptr_t start, end, header;
};

static struct span span_of(const struct dl_phdr_info *info)
{
    struct span span = {.start = UINTPTR_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_GNU_EH_FRAME)
            span.header = start;
        if (part->p_type != PT_LOAD)
            continue;
        if (start < span.start)
            span.start = start;
        if (start + part->p_memsz > span.end)
            span.end = start + part->p_memsz;
    }
    return span;
}

static int add_module(struct dl_phdr_info *info, size_t size, void *data)
{
    struct list *list = data;
    struct span span = span_of(info);
    uint32_t n = ML_LOAD(list->n);
    (void)size;
    if (n == MODULES)
        return 1;
    ML_STORE(list->words[n][0], span.start);
    ML_STORE(list->words[n][1], span.end);
    ML_STORE(list->words[n][2], span.header);
    ML_STORE(list->words[n][3], (uintptr_t)info->dlpi_phdr);
    ML_STORE(list->n, n + 1);
    return 0;
}

static void take_one(void)
{
    uint32_t next = ML_LOAD(turn) + 1;
    struct list *list = &lists[next % 2];
    ML_STORE(list->n, 0);
    dl_iterate_phdr(add_module, list);
    atomic_store(&turn, next);
}

/* Whoever comes while another takes one leaves it to that. */
void ml_heap_walk_list_take(void)
{
    int self = getpid(), other = 0;
    atomic_store(&again, true);
    if (!atomic_compare_exchange_strong(&taker, &other, self) &&
        (other == self || !atomic_compare_exchange_strong(&taker, &other, self)))
        return;
    while (atomic_exchange(&again, false))
        take_one();
    atomic_store(&taker, 0);
}

static bool search(const struct list *list, uintptr_t address, struct ml_heap_walk_module *out)
{
    for (uint32_t i = 0, n = ML_LOAD(list->n); i < n && i < MODULES; i++)
        if (address >= ML_LOAD(list->words[i][0]) && address < ML_LOAD(list->words[i][1])) {
            *out = (struct ml_heap_walk_module){.start = ML_LOAD(list->words[i][0]),
                                                .end = ML_LOAD(list->words[i][1]),
                                                .header = ML_LOAD(list->words[i][2]),
                                                .tag = ML_LOAD(list->words[i][0]) ^
                                                       ML_LOAD(list->words[i][3]) << 16};
            return true;
        }
    return false;
}

bool ml_heap_walk_list_find(uintptr_t address, struct ml_heap_walk_module *out)
{
    uint8_t byte;
    for (int tries = 0; tries < 3; tries++) {
        uint32_t before = atomic_load(&turn);
        bool found = search(&lists[before % 2], address, out);
        atomic_thread_fence(memory_order_acquire);
        /* The list of BEFORE is written again when the one after it has been taken. */
        if (ML_LOAD(turn) == before)
            return found && ml_heap_walk_peek(out->header ? out->header : out->start, &byte, 1);
    }
    return false;
}
