#include "symbols/dwarf_units.h"

#include "base/memory.h"

#include <dwarf.h>
#include <stdlib.h>

enum {
    DEPTH_MAX = 64,        /* namespaces, classes, functions and blocks in each other */
    EXTENTS_MAX = 1 << 22, /* more are made up: each entry may name the same long list of ranges */
    LOOK_BACK = 64,        /* extents before an address that may still reach it */
};

bool ml_dwarf_next(Dwarf_Die *entry)
{
    Dwarf_Off here = dwarf_dieoffset(entry);
    Dwarf_Die next;
    if (dwarf_siblingof(entry, &next) != 0 || dwarf_dieoffset(&next) <= here)
        return false;
    *entry = next;
    return true;
}

/* ---- extents ---- */

/* Whether there is code: what the linker left out lies at 0 or -1. */
static bool is_code(const struct ml_module *module, uint64_t low, uint64_t high)
{
    for (size_t i = 0; i < module->n_segments; i++) {
        const struct ml_segment *s = &module->segments[i];
        if (s->executable && low >= s->address && low < high && high - s->address <= s->size)
            return true;
    }
    return false;
}

static int compare(const void *left, const void *right)
{
    const struct ml_dwarf_extent *a = left, *b = right;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return a->entry < b->entry ? -1 : a->entry > b->entry;
}

/* Adds the ranges of ENTRY, as the one at offset AS, to a list. */
static void add_ranges(const struct ml_module *module, Dwarf_Die *entry, Dwarf_Off as,
                       struct ml_dwarf_extent **list, size_t *n, size_t *capacity)
{
    Dwarf_Addr base, low, high;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(entry, at, &base, &low, &high)) > 0;) {
        if (!is_code(module, low, high) || *n >= EXTENTS_MAX)
            continue;
        ML_GROW(*list, *n, *capacity);
        (*list)[(*n)++] = (struct ml_dwarf_extent){low, high, as};
    }
}

/* The smallest one that holds ADDRESS, or NULL. */
static const struct ml_dwarf_extent *find(const struct ml_dwarf_extent *list, size_t n,
                                          uint64_t address)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct ml_dwarf_extent *best = NULL;
    for (size_t i = low; i > 0 && low - i < LOOK_BACK; i--) {
        const struct ml_dwarf_extent *e = &list[i - 1];
        if (address < e->high && (!best || e->high - e->low < best->high - best->low))
            best = e;
    }
    return best;
}

/* ---- a unit's functions ---- */

static bool may_hold_functions(int tag)
{
    switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
        return true;
    default:
        return false;
    }
}

static void add_functions(struct ml_dwarf_unit *unit, const struct ml_module *module,
                          Dwarf_Die *parent, int depth)
{
    Dwarf_Die entry;
    if (depth > DEPTH_MAX || dwarf_child(parent, &entry) != 0)
        return;
    do {
        int tag = dwarf_tag(&entry);
        if (tag == DW_TAG_subprogram)
            add_ranges(module, &entry, dwarf_dieoffset(&entry), &unit->functions,
                       &unit->n_functions, &unit->capacity);
        if (may_hold_functions(tag))
            add_functions(unit, module, &entry, depth + 1);
    } while (ml_dwarf_next(&entry));
}

static struct ml_dwarf_unit *read_unit(struct ml_dwarf_units *units, Dwarf_Die *entry)
{
    struct ml_dwarf_unit *unit = ml_alloc(sizeof *unit);
    Dwarf_Half version;
    unit->entry = *entry;
    if (dwarf_cu_info(entry->cu, &version, NULL, NULL, &unit->body, NULL, NULL, NULL) != 0 ||
        !unit->body.addr)
        unit->body = *entry;
    add_functions(unit, units->module, &unit->body, 0);
    if (unit->n_functions)
        qsort(unit->functions, unit->n_functions, sizeof *unit->functions, compare);
    return unit;
}

bool ml_dwarf_unit_function(const struct ml_dwarf_unit *unit, uint64_t address,
                            Dwarf_Die *out_function)
{
    Dwarf_Die body = unit->body;
    const struct ml_dwarf_extent *e = find(unit->functions, unit->n_functions, address);
    return e && dwarf_offdie(dwarf_cu_getdwarf(body.cu), e->entry, out_function);
}

/* ---- all units ---- */

/* clang makes no .debug_aranges, and objects of several compilers may be linked together. */
static void index_units(struct ml_dwarf_units *units)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die entry;
    Dwarf_Off before = 0;
    units->indexed = true;
    while (dwarf_get_units(units->dwarf, cu, &cu, NULL, NULL, &entry, NULL) == 0) {
        Dwarf_Off offset = dwarf_dieoffset(&entry);
        if (offset <= before)
            break;
        before = offset;
        add_ranges(units->module, &entry, offset, &units->extents, &units->n_extents,
                   &units->extents_capacity);
    }
    if (units->n_extents)
        qsort(units->extents, units->n_extents, sizeof *units->extents, compare);
}

static bool find_entry(struct ml_dwarf_units *units, uint64_t address, Dwarf_Die *out_entry)
{
    if (dwarf_addrdie(units->dwarf, address, out_entry))
        return true;
    if (!units->indexed)
        index_units(units);
    const struct ml_dwarf_extent *e = find(units->extents, units->n_extents, address);
    return e && dwarf_offdie(units->dwarf, e->entry, out_entry);
}

struct ml_dwarf_unit *ml_dwarf_units_at(struct ml_dwarf_units *units, uint64_t address)
{
    Dwarf_Die entry;
    if (!find_entry(units, address, &entry))
        return NULL;
    for (size_t i = 0; i < units->n; i++) {
        if (units->list[i]->entry.addr == entry.addr)
            return units->list[i];
    }
    ML_GROW(units->list, units->n, units->capacity);
    return units->list[units->n++] = read_unit(units, &entry);
}

void ml_dwarf_units_free(struct ml_dwarf_units *units)
{
    for (size_t i = 0; i < units->n; i++) {
        free(units->list[i]->functions);
        free(units->list[i]);
    }
    free(units->list);
    free(units->extents);
    *units = (struct ml_dwarf_units){0};
}
