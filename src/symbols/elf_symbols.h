/* The functions in an ELF file's symbol tables, by address. */
#ifndef ML_SYMBOLS_ELF_SYMBOLS_H
#define ML_SYMBOLS_ELF_SYMBOLS_H

#include "symbols/modules.h"

#include <elfutils/libdwfl.h>

struct ml_elf_symbol {
    uint64_t address, end; /* as linked */
    const char *name;      /* in the ELF file */
    bool sized;            /* else END is that of its section */
};

struct ml_elf_symbols {
    struct ml_elf_symbol *list; /* by address, then name */
    size_t n, capacity;
};

/* Reads those of .symtab (also of separate debug information), .dynsym and .gnu_debugdata that lie
 * in executable segments of MODULE. */
void ml_elf_symbols_read(struct ml_elf_symbols *symbols, const struct ml_module *module,
                         Dwfl_Module *file);

/* As gdb does it: the symbol whose size covers ADDRESS, else the nearest one before it that has no
 * size (assembler: _start) in the same section; NULL if there is none. */
const char *ml_elf_symbols_at(const struct ml_elf_symbols *symbols, uint64_t address);

void ml_elf_symbols_free(struct ml_elf_symbols *symbols);

#endif
