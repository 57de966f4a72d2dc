/* A module's bytes as libelf wants them. */
#ifndef ML_SYMBOLS_MODULE_ELF_H
#define ML_SYMBOLS_MODULE_ELF_H

#include "symbols/modules.h"

#include <libelf.h>

struct ml_module_elf {
    uint8_t *headers; /* where the section headers are in the module's bytes */
    uint8_t *saved;   /* what they said */
    size_t size;
};

/* Reads the bytes of MODULE in place, where they are mapped already: its path may lead elsewhere,
 * or nowhere. NULL if that cannot be. */
Elf *ml_module_elf_open(struct ml_module_elf *image, const struct ml_module *module);

/* After elf_end: leaves the bytes of the module as they were. */
void ml_module_elf_close(struct ml_module_elf *image);

#endif
