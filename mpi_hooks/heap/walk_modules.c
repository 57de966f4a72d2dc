#include "mpi_hooks/heap/walk_modules.h"
#include "mpi_hooks/heap/walk_list.h"
#include "mpi_hooks/heap/walk_memory.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

enum { PAGE_B = 4096, KNOWN = 256 };

/* The first members of glibc's struct dl_find_object, for systems whose dlfcn.h has none yet (the
 * GNU C Library Reference Manual, 37.2 Dynamic Linker Introspection: MT-safe, AS-safe, AC-safe). */
struct object {
    unsigned long long flags;
    void *start, *end;
    struct link_map *map;
    void *header;
    unsigned long long reserved[8];
};

static int (*find_object)(void *, struct object *);

struct headers {
    const ElfW(Phdr) * list;
    unsigned n;
};

/* The program's, where the kernel has put them (getauxval(3), AT_PHDR). */
static struct headers program;

void ml_heap_walk_modules_open(void)
{
    unsigned long at = getauxval(AT_PHDR);
    memcpy(&program.list, &at, sizeof program.list);
    program.n = (unsigned)getauxval(AT_PHNUM);
    void *symbol = dlsym(RTLD_DEFAULT, "_dl_find_object");
    memcpy(&find_object, &symbol, sizeof find_object);
    if (!find_object)
        ml_heap_walk_list_take();
}

void ml_heap_walk_modules_refresh(void)
{
    if (!find_object)
        ml_heap_walk_list_take();
}

bool ml_heap_walk_modules_find(uintptr_t address, struct ml_heap_walk_module *out)
{
    struct object object;
    if (!find_object)
        return ml_heap_walk_list_find(address, out);
    if (find_object((void *)address, &object) != 0)
        return false;
    *out = (struct ml_heap_walk_module){.start = (uintptr_t)object.start,
                                        .end = (uintptr_t)object.end,
                                        .tag = (uintptr_t)object.start ^
                                               (uint64_t)(uintptr_t)object.map << 16,
                                        .header = (uintptr_t)object.header};
    return true;
}

/* Modules whose first page was seen to be readable; the place of one may be taken by another. */
static bool can_read_start(const struct ml_heap_walk_module *module)
{
    static _Atomic uint64_t known[KNOWN];
    uint64_t mixed = module->tag * UINT64_C(0x9e3779b97f4a7c15);
    _Atomic uint64_t *place = &known[mixed >> 56];
    uint8_t byte;
    if (atomic_load_explicit(place, memory_order_relaxed) == mixed)
        return true;
    if (!ml_heap_walk_peek(module->start, &byte, 1))
        return false;
    atomic_store_explicit(place, mixed, memory_order_relaxed);
    return true;
}

static bool is_program(const struct ml_heap_walk_module *module)
{
    uintptr_t start = (uintptr_t)program.list;
    return program.n > 0 && start >= module->start && start < module->end &&
           program.n <= (module->end - start) / sizeof *program.list;
}

/* A library's, by the file's header at its start: all of them must lie on the first page. */
static struct headers headers_of(const struct ml_heap_walk_module *module)
{
    ElfW(Ehdr) file;
    if (is_program(module))
        return program;
    if (module->end - module->start < PAGE_B || !can_read_start(module))
        return (struct headers){0};
    memcpy(&file, (const void *)module->start, sizeof file);
    if (memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 || file.e_phentsize != sizeof(ElfW(Phdr)) ||
        file.e_phoff > PAGE_B || file.e_phoff % 8 ||
        file.e_phnum > (PAGE_B - file.e_phoff) / sizeof(ElfW(Phdr)))
        return (struct headers){0};
    return (struct headers){(const ElfW(Phdr) *)(module->start + file.e_phoff), file.e_phnum};
}

static void add_segment(const struct ml_heap_walk_module *module, uintptr_t bias,
                        const ElfW(Phdr) * part, struct ml_heap_walk_segments *out)
{
    uintptr_t start = bias + part->p_vaddr;
    if (start < module->start || start >= module->end || part->p_filesz > module->end - start)
        return;
    out->list[out->n].start = start;
    out->list[out->n].end = start + part->p_filesz;
    out->list[out->n].readable = part->p_flags & PF_R;
    out->list[out->n].executable = part->p_flags & PF_X;
    out->n++;
}

bool ml_heap_walk_modules_segments(const struct ml_heap_walk_module *module,
                                   struct ml_heap_walk_segments *out)
{
    unsigned n_loaded = 0;
    uintptr_t bias = 0;
    struct headers headers = headers_of(module);
    out->n = 0;
    for (unsigned i = 0; i < headers.n && out->n < ML_HEAP_WALK_SEGMENTS; i++) {
        const ElfW(Phdr) *part = &headers.list[i];
        if (part->p_type != PT_LOAD)
            continue;
        if (n_loaded++ == 0) /* the lowest, from the page on which it begins */
            bias = module->start - part->p_vaddr / PAGE_B * PAGE_B;
        add_segment(module, bias, part, out);
    }
    return out->n > 0;
}
