/* The compilation units in a file's DWARF, and the functions in each, by address. */
#ifndef ML_SYMBOLS_DWARF_UNITS_H
#define ML_SYMBOLS_DWARF_UNITS_H

#include "symbols/modules.h"

#include <elfutils/libdw.h>

/* A range of addresses of a function, or of a unit. */
struct ml_dwarf_extent {
    uint64_t low, high;
    Dwarf_Off entry; /* offset of its entry (DIE) */
};

struct ml_dwarf_unit {
    Dwarf_Die entry; /* lines belong to it */
    Dwarf_Die body;  /* functions are in it: the same one, or that of the .dwo file */
    struct ml_dwarf_extent *functions; /* by address */
    size_t n_functions, capacity;
};

struct ml_dwarf_units {
    const struct ml_module *module;
    Dwarf *dwarf;
    struct ml_dwarf_unit **list; /* those that were asked for */
    size_t n, capacity;
    bool indexed;
    struct ml_dwarf_extent *extents; /* of all units, by address, if .debug_aranges is incomplete */
    size_t n_extents, extents_capacity;
};

/* The unit with code at ADDRESS, or NULL. Owned by UNITS. */
struct ml_dwarf_unit *ml_dwarf_units_at(struct ml_dwarf_units *units, uint64_t address);

/* The entry of the function of UNIT at ADDRESS. */
bool ml_dwarf_unit_function(const struct ml_dwarf_unit *unit, uint64_t address,
                            Dwarf_Die *out_function);

/* The next entry of the same parent; false behind the last one, or if the DWARF runs backwards. */
bool ml_dwarf_next(Dwarf_Die *entry);

void ml_dwarf_units_free(struct ml_dwarf_units *units);

#endif
