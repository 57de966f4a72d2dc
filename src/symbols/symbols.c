#include "symbols/symbols.h"

#include "symbols/dwarf_calls.h"
#include "symbols/elf_symbols.h"
#include "symbols/module_elf.h"
#include "symbols/names.h"

#include "base/intern.h"
#include "base/memory.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

/* What is at an address. */
struct entry {
    uint64_t address;
    bool is_caller;
    size_t n;
    struct ml_stack_frame *frames; /* NULL: the place is free */
};

/* A module, or code of no file. */
struct names {
    struct names *next;
    struct ml_module *module; /* NULL: none, or closed since */
    const char *path;
    Dwfl *dwfl;
    struct ml_module_elf image;
    struct ml_elf_symbols symbols;
    struct ml_dwarf_units units;
    struct entry *entries; /* hash table; its size is a power of two */
    size_t n_entries, size;
};

struct ml_symbols {
    struct names *all;
    struct names *nowhere; /* code of no file */
    struct ml_intern texts;
    char *debug_path;
    Dwfl_Callbacks callbacks;
};

/* ---- debug information ---- */

static int find_elf(Dwfl_Module *file, void **user, const char *name, Dwarf_Addr base,
                    char **out_path, Elf **out_elf)
{
    struct names *names = *user;
    (void)file;
    (void)name;
    (void)base;
    *out_elf = ml_module_elf_open(&names->image, names->module);
    if (*out_elf)
        *out_path = strdup(names->path);
    return -1;
}

static int find_debuginfo(Dwfl_Module *file, void **user, const char *name, Dwarf_Addr base,
                          const char *path, const char *link, GElf_Word crc, char **out_path)
{
    if (!path || *path != '/') /* the vdso: libdwfl would look in "." for its debug file */
        return -1;
    return dwfl_standard_find_debuginfo(file, user, name, base, path, link, crc, out_path);
}

static void open_file(struct ml_symbols *symbols, struct names *names)
{
    struct ml_module *module = names->module;
    uint64_t low = UINT64_MAX, high = 0;
    for (size_t i = 0; i < module->n_segments; i++) {
        const struct ml_segment *s = &module->segments[i];
        low = s->address < low ? s->address : low;
        high = s->address + s->size > high ? s->address + s->size : high;
    }
    names->dwfl = low < high ? dwfl_begin(&symbols->callbacks) : NULL;
    if (!names->dwfl)
        return;
    void **user;
    Dwarf_Addr bias;
    Dwfl_Module *file = dwfl_report_module(names->dwfl, module->path, low, high);
    if (!file || !dwfl_module_info(file, &user, NULL, NULL, NULL, NULL, NULL, NULL))
        return;
    *user = names;
    dwfl_report_end(names->dwfl, NULL, NULL);
    ml_elf_symbols_read(&names->symbols, module, file);
    names->units.module = module;
    names->units.dwarf = dwfl_module_getdwarf(file, &bias);
}

/* The module is closed, and with it what libdwfl reads. The frames stay. */
static void close_file(void *user)
{
    struct names *names = user;
    ml_dwarf_units_free(&names->units);
    ml_elf_symbols_free(&names->symbols);
    dwfl_end(names->dwfl);
    names->dwfl = NULL;
    ml_module_elf_close(&names->image);
    names->module = NULL;
}

static struct names *add_names(struct ml_symbols *symbols, struct ml_module *module)
{
    struct names *names = ml_alloc(sizeof *names);
    names->path = ml_intern_text(&symbols->texts, module ? module->path : "");
    names->module = module;
    names->next = symbols->all;
    symbols->all = names;
    if (module) {
        open_file(symbols, names);
        module->user = names;
        module->free_user = close_file;
    }
    return names;
}

/* ---- frames ---- */

static struct ml_stack_frame frame_of(struct ml_symbols *symbols, const struct names *names,
                                      const struct ml_dwarf_call *call, const char *function)
{
    return (struct ml_stack_frame){
        .function = ml_intern_text(&symbols->texts, function),
        .file = ml_intern_text(&symbols->texts, call->file ? call->file : ""),
        .line = call->line,
        .module = names->path,
        .offset_B = -1,
    };
}

/* Fills the free ENTRY, whose address is known. */
static void fill(struct ml_symbols *symbols, struct names *names, struct entry *entry)
{
    struct ml_dwarf_call calls[ML_DWARF_CALLS_MAX], place = {.line = -1};
    uint64_t at = entry->address - entry->is_caller;
    size_t n = names->units.dwarf ? ml_dwarf_calls_at(&names->units, at, calls, &place) : 0;
    if (!n) {
        calls[0] = place;
        n = 1;
    }
    if (!calls[n - 1].function) {
        const char *symbol = ml_elf_symbols_at(&names->symbols, at);
        calls[n - 1].function = symbol ? ml_function_name(symbol) : NULL;
    }
    entry->n = n;
    entry->frames = ml_realloc_array(NULL, n, sizeof *entry->frames);
    for (size_t i = 0; i < n; i++) {
        const char *function = calls[i].function ? calls[i].function : "";
        entry->frames[i] = frame_of(symbols, names, &calls[i], function);
        entry->frames[i].inlined = i + 1 < n;
        if (!*function)
            entry->frames[i].offset_B = (int64_t)entry->address;
        free(calls[i].function);
        free(calls[i].file);
    }
}

/* ---- cache ---- */

static struct entry *find(struct entry *entries, size_t size, uint64_t address, bool is_caller)
{
    size_t i = (size_t)((address * 2 + is_caller) * 0x9e3779b97f4a7c15u >> 16);
    for (;; i++) {
        struct entry *e = &entries[i & (size - 1)];
        if (!e->frames || (e->address == address && e->is_caller == is_caller))
            return e;
    }
}

static void grow(struct names *names)
{
    size_t size = names->size ? 2 * names->size : 64;
    struct entry *entries = ml_alloc(size * sizeof *entries);
    for (size_t i = 0; i < names->size; i++) {
        const struct entry *e = &names->entries[i];
        if (e->frames)
            *find(entries, size, e->address, e->is_caller) = *e;
    }
    free(names->entries);
    names->entries = entries;
    names->size = size;
}

size_t ml_symbols_at(struct ml_symbols *symbols, struct ml_module *module, uint64_t address,
                     bool is_caller, const struct ml_stack_frame **out_frames)
{
    struct names *names = module ? module->user : symbols->nowhere;
    if (!names) {
        names = add_names(symbols, module);
        if (!module)
            symbols->nowhere = names;
    }
    if (2 * names->n_entries >= names->size)
        grow(names);
    struct entry *e = find(names->entries, names->size, address, is_caller);
    if (!e->frames) {
        e->address = address;
        e->is_caller = is_caller;
        fill(symbols, names, e);
        names->n_entries++;
    }
    *out_frames = e->frames;
    return e->n;
}

/* ---- all ---- */

struct ml_symbols *ml_symbols_open_in(const char *debug_folder)
{
    struct ml_symbols *symbols = ml_alloc(sizeof *symbols);
    /* libdwfl 0.188 asks the servers that it names for what it does not find */
    unsetenv("DEBUGINFOD_URLS");
    elf_version(EV_CURRENT);
    symbols->debug_path = ml_format("+:.debug:%s", debug_folder);
    symbols->callbacks = (Dwfl_Callbacks){.find_elf = find_elf,
                                          .find_debuginfo = find_debuginfo,
                                          .section_address = dwfl_offline_section_address,
                                          .debuginfo_path = &symbols->debug_path};
    return symbols;
}

struct ml_symbols *ml_symbols_open(void)
{
    return ml_symbols_open_in("/usr/lib/debug");
}

static void free_names(struct names *names)
{
    if (names->module) {
        names->module->user = NULL;
        names->module->free_user = NULL;
    }
    close_file(names);
    for (size_t i = 0; i < names->size; i++)
        free(names->entries[i].frames);
    free(names->entries);
    free(names);
}

void ml_symbols_close(struct ml_symbols *symbols)
{
    if (!symbols)
        return;
    for (struct names *next; symbols->all; symbols->all = next) {
        next = symbols->all->next;
        free_names(symbols->all);
    }
    ml_intern_free(&symbols->texts);
    free(symbols->debug_path);
    free(symbols);
}
