#include "symbols/dwarf_calls.h"

#include "symbols/dwarf_names.h"

#include <dwarf.h>
#include <limits.h>
#include <stdlib.h>

enum { DEPTH_MAX = 128 }; /* of blocks and inlined calls in each other */

/* The entries at an address: the function, then what is inlined, inwards. */
struct chain {
    Dwarf_Die entries[ML_DWARF_CALLS_MAX];
    size_t n;
};

/* Whether ENTRY is a block without addresses of its own, which may hold anything. */
static bool has_no_addresses(Dwarf_Die *entry)
{
    return !dwarf_hasattr(entry, DW_AT_low_pc) && !dwarf_hasattr(entry, DW_AT_ranges);
}

/* Adds the calls inlined in PARENT that are at ADDRESS. True if there are any. */
static bool descend(Dwarf_Die *parent, uint64_t address, struct chain *chain, int depth)
{
    Dwarf_Die entry;
    if (depth > DEPTH_MAX || dwarf_child(parent, &entry) != 0)
        return false;
    do {
        int tag = dwarf_tag(&entry);
        bool call = tag == DW_TAG_inlined_subroutine;
        bool block =
            tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
        if (!call && !block)
            continue;
        bool here = dwarf_haspc(&entry, address) > 0;
        if (!here && !(block && has_no_addresses(&entry)))
            continue;
        if (call && chain->n < ML_DWARF_CALLS_MAX)
            chain->entries[chain->n++] = entry;
        if (descend(&entry, address, chain, depth + 1) || call)
            return true;
    } while (ml_dwarf_next(&entry));
    return false;
}

static struct ml_dwarf_call place_of_address(struct ml_dwarf_unit *unit, uint64_t address)
{
    struct ml_dwarf_call place = {.line = -1};
    Dwarf_Line *row = dwarf_getsrc_die(&unit->entry, address);
    const char *file = row ? dwarf_linesrc(row, NULL, NULL) : NULL;
    int line;
    if (!file || dwarf_lineno(row, &line) != 0 || line <= 0) /* 0: of no line */
        return place;
    place.file = ml_dwarf_file_name(&unit->entry, file);
    place.line = line;
    return place;
}

static int number_of(Dwarf_Die *entry, unsigned attribute)
{
    Dwarf_Attribute a;
    Dwarf_Word value;
    if (dwarf_formudata(dwarf_attr(entry, attribute, &a), &value) != 0 || value > INT_MAX)
        return -1;
    return (int)value;
}

/* Where the inlined CALL was called from. */
static struct ml_dwarf_call place_of_call(struct ml_dwarf_unit *unit, Dwarf_Die *call)
{
    struct ml_dwarf_call place = {.line = -1};
    Dwarf_Files *files;
    size_t n_files;
    int index = number_of(call, DW_AT_call_file), line = number_of(call, DW_AT_call_line);
    if (index < 0 || line <= 0 || dwarf_getsrcfiles(&unit->body, &files, &n_files) != 0)
        return place;
    const char *file =
        (size_t)index < n_files ? dwarf_filesrc(files, (size_t)index, NULL, NULL) : NULL;
    if (!file)
        return place;
    place.file = ml_dwarf_file_name(&unit->entry, file);
    place.line = line;
    return place;
}

size_t ml_dwarf_calls_at(struct ml_dwarf_units *units, uint64_t address,
                         struct ml_dwarf_call out_calls[ML_DWARF_CALLS_MAX],
                         struct ml_dwarf_call *out_place)
{
    struct chain chain = {.n = 1};
    *out_place = (struct ml_dwarf_call){.line = -1};
    struct ml_dwarf_unit *unit = ml_dwarf_units_at(units, address);
    if (!unit)
        return 0;
    *out_place = place_of_address(unit, address);
    if (!ml_dwarf_unit_function(unit, address, &chain.entries[0]))
        return 0;
    descend(&chain.entries[0], address, &chain, 0);
    for (size_t i = 0; i < chain.n; i++) {
        size_t at = chain.n - 1 - i;
        out_calls[i] = i ? place_of_call(unit, &chain.entries[at + 1]) : *out_place;
        out_calls[i].function = ml_dwarf_function_name(&chain.entries[at]);
    }
    *out_place = (struct ml_dwarf_call){.line = -1};
    return chain.n;
}
