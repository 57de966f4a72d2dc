/* What the dynamic section of an ELF file says of the libraries that it needs. Pure. */
#ifndef ML_FLAVOUR_ELF_NEEDED_H
#define ML_FLAVOUR_ELF_NEEDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_elf {
    bool is_elf;               /* 64-bit, little-endian; else the rest is nothing */
    bool is_dynamic;           /* names a loader: a static one has none, even where it has a dynamic
                                * section (-static-pie) */
    const char *const *needed; /* names, in order; they point into the file */
    size_t n_needed;
    const char *rpath, *runpath; /* NULL without */
    const char *loader;          /* path; NULL without */
};

#define ML_ELF_MAX_NEEDED 256 /* what is beyond is left out */

/* NAMES is the room for OUT_ELF->needed. BYTES are the whole file, N of them; what points outside
 * of it counts as not there. */
void ml_elf_parse(const void *bytes, size_t n, const char *names[ML_ELF_MAX_NEEDED],
                  struct ml_elf *out_elf);

#endif
