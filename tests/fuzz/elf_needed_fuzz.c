/* Any bytes as an ELF file. */
#include "flavour/elf_needed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *names[ML_ELF_MAX_NEEDED];
    struct ml_elf elf;
    ml_elf_parse(data, size, names, &elf);
    size_t length = 0; /* each text ends inside */
    for (size_t i = 0; i < elf.n_needed; i++)
        length += strlen(elf.needed[i]);
    length += (elf.rpath ? strlen(elf.rpath) : 0) + (elf.runpath ? strlen(elf.runpath) : 0);
    if (length > size * (elf.n_needed + 2))
        abort();
    return 0;
}
