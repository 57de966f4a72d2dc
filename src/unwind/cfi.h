/* Call frame information that no table is there to search for: .eh_frame of programs that are
 * linked statically and not PIE, and .debug_frame, by libdw (elfutils: dwarf_getcfi_elf,
 * dwarf_getcfi). */
#ifndef ML_UNWIND_CFI_H
#define ML_UNWIND_CFI_H

#include "symbols/modules.h"
#include "unwind/registers.h"

struct ml_cfi;

/* Of MODULE, which must live longer. Never NULL; it may know nothing. */
struct ml_cfi *ml_cfi_open(const struct ml_module *module);

/* The word at ADDRESS of the process. False: it is not to be had. */
typedef bool ml_cfi_read(void *context, uint64_t address, uint64_t *out_word);

/* REGISTERS, in the function at ADDRESS (as linked), become those of its caller. Returns 1; 0:
 * nobody has called it; -1: nothing is known, REGISTERS are what they were. */
int ml_cfi_step(struct ml_cfi *cfi, uint64_t address, struct ml_registers *registers,
                ml_cfi_read *read, void *context);

void ml_cfi_close(struct ml_cfi *cfi);

#endif
